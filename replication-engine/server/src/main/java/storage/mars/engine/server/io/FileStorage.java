// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Callback;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Shard;
import storage.mars.engine.port.Storage;
import storage.mars.engine.server.io.FileBlockFile.FileLanes;

/**
 * The data directory as one shard sees it. Each shard has its own; directory and threads are shared
 * by all shards of the engine. Nothing here blocks: all calls end on the threads of {@link
 * IoThreads} and complete on the shard.
 */
public final class FileStorage implements Storage {

    private final DataDirectory directory;
    private final IoThreads threads;
    private final HandBack home;
    private final TransferPool pool;

    public FileStorage(DataDirectory directory, Shard shard, IoThreads threads) {
        this.directory = directory;
        this.threads = threads;
        this.home = new HandBack(shard);
        this.pool = new TransferPool(home);
    }

    @Override
    public void list(String name, Callback<List<String>> done) {
        submit("list " + name, () -> entries(directory.resolve(name)), done);
    }

    @Override
    public void createDirectory(String name, Completion done) {
        submit("create directory " + name, () -> makeDirectories(name), done);
    }

    @Override
    public void create(String name, Kind kind, long size, Callback<BlockFile> done) {
        submit(
                "create " + name,
                () -> FileCreation.create(directory.resolve(name), kind, size, directory.direct()),
                (file, failure) -> handOver(name, kind, file, failure, done));
    }

    @Override
    public void open(String name, Kind kind, Callback<BlockFile> done) {
        submit(
                "open " + name,
                () -> OpenFile.open(directory.resolve(name), kind, directory.direct()),
                (file, failure) -> handOver(name, kind, file, failure, done));
    }

    @Override
    public void rename(String from, String to, Completion done) {
        submit("rename " + from + " to " + to, () -> move(from, to), done);
    }

    @Override
    public void delete(String name, Completion done) {
        submit("delete " + name, () -> remove(directory.resolve(name)), done);
    }

    @Override
    public long usableBytes() {
        return directory.usableBytes();
    }

    private <T> void submit(String what, Errand.Call<T> call, Callback<T> done) {
        threads.names().submit(new Errand<>(home, what, call, done));
    }

    private void submit(String what, Action action, Completion done) {
        submit(
                what,
                () -> {
                    action.run();
                    return Boolean.TRUE;
                },
                (ignored, failure) -> done.completed(failure));
    }

    private void handOver(
            String name,
            Kind kind,
            @Nullable OpenFile file,
            @Nullable IoFailure failure,
            Callback<BlockFile> done) {
        if (file == null) {
            done.completed(null, failure);
            return;
        }
        String parent = DataDirectory.parent(name);
        FileLanes lanes =
                new FileLanes(
                        threads.logLane(parent),
                        threads.imageLane(parent),
                        threads.transfers(),
                        threads.maintenance(),
                        threads.comparisons(),
                        pool,
                        home);
        done.completed(new FileBlockFile(name, kind, file, lanes), null);
    }

    private static List<String> entries(Path path) throws IOException {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                if (DataDirectory.isName(name)) {
                    names.add(name);
                }
            }
        } catch (NoSuchFileException e) {
            return List.of();
        }
        names.sort(null);
        return List.copyOf(names);
    }

    /**
     * One that is there may just have been made by somebody else, and not be durable yet: every
     * level is synced.
     */
    private void makeDirectories(String name) throws IOException {
        String parent = DataDirectory.parent(name);
        if (!parent.isEmpty()) {
            makeDirectories(parent);
        }
        Path path = directory.resolve(name);
        try {
            Files.createDirectory(path);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(path)) {
                throw e;
            }
        }
        FileCalls.syncDirectoryOf(path);
    }

    private void move(String from, String to) throws IOException {
        Path source = directory.resolve(from);
        Path target = directory.resolve(to);
        Files.move(source, target, StandardCopyOption.ATOMIC_MOVE);
        FileCalls.syncDirectoryOf(target);
        FileCalls.syncDirectoryOf(source);
    }

    private static void remove(Path path) throws IOException {
        Files.delete(path);
        FileCalls.syncDirectoryOf(path);
    }

    /** A blocking call without a result. */
    @FunctionalInterface
    private interface Action {

        void run() throws IOException;
    }
}
