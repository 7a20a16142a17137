// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import java.util.List;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Callback;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Storage;
import storage.mars.engine.testkit.schedule.SimShard;

/**
 * The storage port of one engine. <b>Fault model:</b>
 *
 * <ul>
 *   <li>Sectors of 512 bytes are atomic; writes of several are not. Operations complete in any
 *       order, those of one file too; a read sees each page as it is at some moment between call
 *       and completion.
 *   <li>A completed write is volatile until a sync that was called after its completion succeeds.
 *       At a power cut each unsynced sector is lost or kept, alone, and may hold any of its
 *       unsynced versions. After the death of the process everything completed is still there,
 *       still volatile.
 *   <li>What is under way at a crash happens wholly, partly (any set of sectors) or not at all.
 *   <li>A failed write leaves any mixture. A failed sync leaves any part of what it had to make
 *       durable on the media and forgets the rest: the next sync succeeds without it, and reads of
 *       images may go on returning it until a crash, reads of logs and metadata return what is on
 *       the media.
 *   <li>Creations, renames, deletions and growth are durable when they complete, and at a crash
 *       before that wholly done or not.
 *   <li>Space runs out at creation, at growth, and at writes into holes of images.
 *   <li>Not modelled: misdirected or silently dropped writes, and decay by itself; damage is done
 *       on purpose through {@link SimDisk}.
 * </ul>
 *
 * <p>Breaking the contract fails the run: calls off the shard or after close, misaligned log
 * accesses, ranges beyond the end, a write buffer that changes before the write completes.
 */
final class SimStorage implements Storage {

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*");

    private final SimDisk disk;
    private final SimShard shard;

    SimStorage(SimDisk disk, SimShard shard) {
        this.disk = disk;
        this.shard = shard;
    }

    /** An operation on names, all of which are over in one moment. */
    private final class NameOperation<T> extends DiskOperation {
        private final String name;
        private final Supplier<Result<T>> effect;
        private final Callback<T> done;

        NameOperation(DiskOp op, String name, Supplier<Result<T>> effect, Callback<T> done) {
            super(op, SimStorage.this.shard);
            this.name = name;
            this.effect = effect;
            this.done = done;
        }

        @Override
        String name() {
            return name;
        }

        @Override
        void perform(@Nullable IoFailure planned) {
            Result<T> result = planned == null ? effect.get() : new Result<T>(null, planned);
            done.completed(result.value, result.failure);
        }

        @Override
        void interrupted(Fate fate) {
            if (fate.happens(disk.random)) {
                Result<T> _ = effect.get();
            }
        }
    }

    private record Result<T>(@Nullable T value, @Nullable IoFailure failure) {}

    private <T> void submit(DiskOp op, String name, Supplier<Result<T>> effect, Callback<T> done) {
        if (!NAME.matcher(name).matches()) {
            throw disk.broken("name " + name);
        }
        disk.submit(new NameOperation<>(op, name, effect, done), 0, 0);
    }

    private static <T> Result<T> failure(IoFailure.Kind kind, String message) {
        return new Result<>(null, new IoFailure(kind, message));
    }

    private static Callback<Boolean> telling(Completion done) {
        return (value, failure) -> done.completed(failure);
    }

    @Override
    public void list(String directory, Callback<List<String>> done) {
        submit(DiskOp.LIST, directory, () -> new Result<>(entries(directory), null), done);
    }

    private List<String> entries(String directory) {
        TreeSet<String> entries = new TreeSet<>();
        String prefix = directory + "/";
        for (String name : disk.files.tailMap(prefix).keySet()) {
            if (!name.startsWith(prefix)) {
                break;
            }
            entries.add(firstPart(name.substring(prefix.length())));
        }
        for (String name : disk.directories.tailSet(prefix)) {
            if (!name.startsWith(prefix)) {
                break;
            }
            entries.add(firstPart(name.substring(prefix.length())));
        }
        return List.copyOf(entries);
    }

    private static String firstPart(String path) {
        int slash = path.indexOf('/');
        return slash < 0 ? path : path.substring(0, slash);
    }

    @Override
    public void createDirectory(String directory, Completion done) {
        submit(
                DiskOp.CREATE_DIRECTORY,
                directory,
                () -> {
                    for (int i = directory.indexOf('/'); i > 0; i = directory.indexOf('/', i + 1)) {
                        disk.directories.add(directory.substring(0, i));
                    }
                    disk.directories.add(directory);
                    return new Result<>(true, null);
                },
                telling(done));
    }

    @Override
    public void create(String name, Kind kind, long size, Callback<BlockFile> done) {
        if (size < 0 || (kind == Kind.LOG && size % Page.BYTES != 0)) {
            throw disk.broken("create " + name + " of size " + size);
        }
        submit(DiskOp.CREATE, name, () -> created(name, kind, size), done);
    }

    private Result<BlockFile> created(String name, Kind kind, long size) {
        if (disk.files.containsKey(name) || disk.directories.contains(name)) {
            return failure(IoFailure.Kind.ALREADY_EXISTS, name);
        }
        if (!parentExists(name)) {
            return failure(IoFailure.Kind.NOT_FOUND, "directory of " + name);
        }
        if (kind != Kind.IMAGE && !disk.fits(size)) {
            return failure(IoFailure.Kind.NO_SPACE, "no space for " + name);
        }
        SimFile file = disk.newFile(name, kind, size);
        disk.files.put(name, file);
        return new Result<>(new SimBlockFile(disk, shard, file, kind), null);
    }

    private boolean parentExists(String name) {
        int slash = name.lastIndexOf('/');
        return slash < 0 || disk.directories.contains(name.substring(0, slash));
    }

    @Override
    public void open(String name, Kind kind, Callback<BlockFile> done) {
        submit(
                DiskOp.OPEN,
                name,
                () -> {
                    SimFile file = disk.find(name);
                    return file == null
                            ? failure(IoFailure.Kind.NOT_FOUND, name)
                            : new Result<>(new SimBlockFile(disk, shard, file, kind), null);
                },
                done);
    }

    @Override
    public void rename(String from, String to, Completion done) {
        submit(DiskOp.RENAME, from, () -> renamed(from, to), telling(done));
    }

    private Result<Boolean> renamed(String from, String to) {
        SimFile file = disk.files.remove(from);
        if (file == null || !parentExists(to)) {
            return failure(IoFailure.Kind.NOT_FOUND, from + " or the directory of " + to);
        }
        file.name = to;
        disk.files.put(to, file);
        return new Result<>(true, null);
    }

    @Override
    public void delete(String name, Completion done) {
        submit(DiskOp.DELETE, name, () -> deleted(name), telling(done));
    }

    private Result<Boolean> deleted(String name) {
        if (disk.directories.contains(name)) {
            if (!entries(name).isEmpty()) {
                return failure(IoFailure.Kind.IO_ERROR, "directory not empty: " + name);
            }
            disk.directories.remove(name);
            return new Result<>(true, null);
        }
        return disk.files.remove(name) == null
                ? failure(IoFailure.Kind.NOT_FOUND, name)
                : new Result<>(true, null);
    }

    @Override
    public long usableBytes() {
        return disk.usableBytes();
    }
}
