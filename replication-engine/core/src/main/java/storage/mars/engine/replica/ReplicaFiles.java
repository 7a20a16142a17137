// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import storage.mars.engine.log.MetadataStore;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Ports;
import storage.mars.engine.port.Storage;
import storage.mars.engine.volume.Images;

/**
 * The files of replicas: {@code resources/NAME/{meta,log/,volume-N.img}}. A replica that is being
 * created or deleted has a mark of that, so a crash in between leaves something that is not
 * mistaken for a replica and that the same command finishes. Owned by the shard.
 */
final class ReplicaFiles {

    static final String ROOT = "resources";
    private static final String CREATING = "/creating";
    private static final String DELETING = "/deleting";
    private static final int MARK_BYTES = 4096;

    private final Ports ports;

    ReplicaFiles(Ports ports) {
        this.ports = ports;
    }

    static String directory(String name) {
        return ROOT + "/" + name;
    }

    /** What a directory holds. */
    enum Kind {
        REPLICA,
        /** It is empty or not there: a crash came before the first mark, or after the last. */
        NOTHING,
        /** A creation or deletion that has not come to its end. */
        REMAINS
    }

    void kind(String name, Consumer<Kind> done) {
        ports.storage()
                .list(
                        directory(name),
                        (names, failure) -> {
                            boolean remains =
                                    names != null
                                            && (names.contains("creating")
                                                    || names.contains("deleting"));
                            boolean nothing = names != null && names.isEmpty();
                            done.accept(
                                    nothing ? Kind.NOTHING : remains ? Kind.REMAINS : Kind.REPLICA);
                        });
    }

    /** Creates all files of a replica; what an earlier try has left is removed first. */
    void create(String name, ReplicaMetadata first, Completion done) {
        String directory = directory(name);
        sequence(
                List.<Step>of(
                                next -> removeRemains(name, next),
                                next -> ports.storage().createDirectory(directory, next),
                                next -> mark(directory + CREATING, next),
                                next -> ports.storage().createDirectory(directory + "/log", next),
                                next -> images(directory, first, next),
                                next -> metadata(directory, first, next),
                                next -> ports.storage().delete(directory + CREATING, next))
                        .iterator(),
                done);
    }

    private interface Step {
        void run(Completion next);
    }

    private static void sequence(Iterator<Step> steps, Completion done) {
        if (!steps.hasNext()) {
            done.completed(null);
            return;
        }
        steps.next()
                .run(failure -> {
                    if (failure == null) {
                        sequence(steps, done);
                    } else {
                        done.completed(failure);
                    }
                });
    }

    private void mark(String path, Completion next) {
        ports.storage()
                .create(
                        path,
                        Storage.Kind.METADATA,
                        MARK_BYTES,
                        (file, failure) -> {
                            if (file != null) {
                                file.close();
                                next.completed(null);
                            } else if (failure != null
                                    && failure.kind() == IoFailure.Kind.ALREADY_EXISTS) {
                                next.completed(null);
                            } else {
                                next.completed(failure);
                            }
                        });
    }

    private void images(String directory, ReplicaMetadata first, Completion next) {
        Images images = new Images(ports, directory, first.identity());
        images.create(
                first.volumes(),
                fault -> {
                    images.close();
                    next.completed(
                            fault == null ? null : new IoFailure(IoFailure.Kind.IO_ERROR, fault));
                });
    }

    private void metadata(String directory, ReplicaMetadata first, Completion next) {
        MetadataStore.create(
                ports,
                directory + "/meta",
                first,
                store -> store.close(() -> next.completed(null)),
                next::completed);
    }

    private void removeRemains(String name, Completion next) {
        kind(
                name,
                kind -> {
                    if (kind == Kind.REMAINS) {
                        delete(name, next);
                    } else {
                        next.completed(null);
                    }
                });
    }

    /** Deletes all files of a replica that nobody has open. */
    void delete(String name, Completion done) {
        String directory = directory(name);
        sequence(
                List.<Step>of(
                                next -> mark(directory + DELETING, next),
                                next -> deleteEntries(directory + "/log", next),
                                next -> deleteEntries(directory, next),
                                next -> remove(directory, next))
                        .iterator(),
                done);
    }

    /** The mark goes last. */
    private void deleteEntries(String directory, Completion done) {
        ports.storage()
                .list(
                        directory,
                        (names, failure) -> {
                            if (names == null) {
                                done.completed(failure);
                                return;
                            }
                            List<Step> steps =
                                    names.stream()
                                            .filter(name -> !name.equals("deleting"))
                                            .map(name ->
                                                    (Step)
                                                            next ->
                                                                    remove(
                                                                            directory + "/" + name,
                                                                            next))
                                            .toList();
                            sequence(
                                    steps.iterator(),
                                    problem -> {
                                        if (problem == null && names.contains("deleting")) {
                                            remove(directory + DELETING, done);
                                        } else {
                                            done.completed(problem);
                                        }
                                    });
                        });
    }

    private void remove(String path, Completion next) {
        ports.storage()
                .delete(
                        path,
                        failure -> {
                            boolean gone =
                                    failure == null || failure.kind() == IoFailure.Kind.NOT_FOUND;
                            next.completed(gone ? null : failure);
                        });
    }
}
