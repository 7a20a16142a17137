// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Callback;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Storage;
import storage.mars.engine.testkit.schedule.Life;
import storage.mars.engine.testkit.schedule.Scheduler;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.schedule.SimShard;

/** A disk under test, with one call at a time. */
final class DiskBench {

    final Scheduler scheduler;
    final SimDisk disk;
    private Life life = new Life("a");
    private SimShard shard;
    Storage storage;
    private @Nullable IoFailure failure;
    private boolean completed;

    DiskBench(long seed) {
        scheduler = new Scheduler(seed);
        disk = new SimDisk(scheduler, "a");
        shard = new SimShard(scheduler, life, new SimRandom(seed), nanos -> nanos);
        storage = disk.storageFor(shard);
    }

    /** Runs {@code task} on the shard, now. */
    void on(Runnable task) {
        shard.execute(task);
        scheduler.runSteps(1);
    }

    void runAll() {
        scheduler.runFor(10_000_000_000L);
    }

    @Nullable IoFailure call(BiConsumer<Storage, Completion> operation) {
        completed = false;
        on(() -> operation.accept(storage, this::completed));
        runAll();
        if (!completed) {
            throw new AssertionError("not completed");
        }
        return failure;
    }

    private void completed(@Nullable IoFailure result) {
        failure = result;
        completed = true;
    }

    <T> T get(BiConsumer<Storage, Callback<T>> operation) {
        @Nullable Object[] got = new @Nullable Object[1];
        IoFailure problem =
                call((s, done) ->
                        operation.accept(
                                s,
                                (value, failed) -> {
                                    got[0] = value;
                                    done.completed(failed);
                                }));
        if (problem != null) {
            throw new AssertionError(problem.toString());
        }
        @SuppressWarnings("unchecked")
        T value = (T) Objects.requireNonNull(got[0]);
        return value;
    }

    BlockFile create(String name, Storage.Kind kind, long size) {
        return this.<BlockFile>get((s, done) -> s.create(name, kind, size, done));
    }

    BlockFile open(String name, Storage.Kind kind) {
        return this.<BlockFile>get((s, done) -> s.open(name, kind, done));
    }

    @Nullable IoFailure write(BlockFile file, long position, int value, int length) {
        return call((s, done) -> file.write(position, filled(value, length), done));
    }

    @Nullable IoFailure sync(BlockFile file) {
        return call((s, done) -> file.sync(done));
    }

    /**
     * What is read past the cache; {@code unlike} gets the pages that the cache shows otherwise.
     */
    byte[] device(BlockFile file, long position, int length, BitSet unlike) {
        ByteBuffer into = aligned(length);
        IoFailure problem = call((s, done) -> file.readDevice(position, into, unlike, done));
        if (problem != null) {
            throw new AssertionError(problem.toString());
        }
        byte[] bytes = new byte[length];
        into.flip().get(bytes);
        return bytes;
    }

    /** Crashes and boots again. */
    void crash(CrashKind kind, Fate fate) {
        life.end();
        disk.crash(kind, fate);
        life = new Life("a2");
        shard = new SimShard(scheduler, life, new SimRandom(1), nanos -> nanos);
        storage = disk.storageFor(shard);
    }

    byte[] current(String name, long position, int length) {
        return disk.read(name, View.CURRENT, position, length);
    }

    static ByteBuffer filled(int value, int length) {
        ByteBuffer buffer = aligned(length);
        for (int i = 0; i < length; i++) {
            buffer.put(i, (byte) value);
        }
        return buffer;
    }

    static ByteBuffer aligned(int length) {
        return ByteBuffer.allocateDirect(length + 4096).alignedSlice(4096).slice(0, length);
    }

    static byte[] bytes(int value, int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }
}
