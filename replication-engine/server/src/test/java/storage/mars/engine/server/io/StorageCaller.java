// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Callback;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Shard;
import storage.mars.engine.port.Storage;
import storage.mars.engine.port.Storage.Kind;

/**
 * Lets a test thread use a storage as if it blocked: calls on the shard, checks where it completes.
 */
final class StorageCaller {

    private final Shard shard;
    private final Storage storage;

    StorageCaller(Shard shard, Storage storage) {
        this.shard = shard;
        this.storage = storage;
    }

    /** The kind of a failure that is expected. */
    static IoFailure.Kind kind(@Nullable IoFailure failure) {
        return Objects.requireNonNull(failure, "a failure").kind();
    }

    BlockFile create(String name, Kind kind, long size) {
        return value(done -> storage.create(name, kind, size, done));
    }

    IoFailure createFailing(String name, Kind kind, long size) {
        return this.<BlockFile>failure(done -> storage.create(name, kind, size, done));
    }

    BlockFile open(String name, Kind kind) {
        return value(done -> storage.open(name, kind, done));
    }

    IoFailure openFailing(String name, Kind kind) {
        return this.<BlockFile>failure(done -> storage.open(name, kind, done));
    }

    List<String> list(String directory) {
        return value(done -> storage.list(directory, done));
    }

    void createDirectory(String directory) {
        assertThat(outcome(done -> storage.createDirectory(directory, done))).isNull();
    }

    @Nullable IoFailure rename(String from, String to) {
        return outcome(done -> storage.rename(from, to, done));
    }

    @Nullable IoFailure delete(String name) {
        return outcome(done -> storage.delete(name, done));
    }

    long usableBytes() {
        CompletableFuture<Long> bytes = new CompletableFuture<>();
        shard.execute(() -> bytes.complete(storage.usableBytes()));
        return await(bytes);
    }

    @Nullable IoFailure readDevice(BlockFile file, long position, ByteBuffer into, BitSet unlike) {
        return outcome(done -> file.readDevice(position, into, unlike, done));
    }

    @Nullable IoFailure read(BlockFile file, long position, ByteBuffer into) {
        return outcome(done -> file.read(position, into, done));
    }

    @Nullable IoFailure write(BlockFile file, long position, ByteBuffer from) {
        return outcome(done -> file.write(position, from, done));
    }

    @Nullable IoFailure writeDurably(BlockFile file, long position, ByteBuffer[] from, int count) {
        return outcome(done -> file.writeDurably(position, from, count, done));
    }

    @Nullable IoFailure zero(BlockFile file, long position, long length) {
        return outcome(done -> file.zero(position, length, done));
    }

    @Nullable IoFailure sync(BlockFile file) {
        return outcome(file::sync);
    }

    @Nullable IoFailure resize(BlockFile file, long size) {
        return outcome(done -> file.resize(size, done));
    }

    long nextExtent(BlockFile file, long position, long limit) {
        return this.<Long>value(done -> file.nextExtent(position, limit, done));
    }

    void close(BlockFile file) {
        CompletableFuture<Boolean> closed = new CompletableFuture<>();
        shard.execute(() -> {
            file.close();
            closed.complete(true);
        });
        await(closed);
    }

    /** Runs on the shard and waits for the outcome of the completion given there. */
    @Nullable IoFailure outcome(Consumer<Completion> call) {
        CompletableFuture<Outcome<Void>> outcome = new CompletableFuture<>();
        shard.execute(() ->
                call.accept(failure ->
                        outcome.complete(new Outcome<>(null, failure, shard.isCurrent()))));
        return checked(outcome).failure();
    }

    private <T> T value(Consumer<Callback<T>> call) {
        Outcome<T> outcome = both(call);
        assertThat(outcome.failure()).isNull();
        assertThat(outcome.value()).isNotNull();
        return Objects.requireNonNull(outcome.value());
    }

    private <T> IoFailure failure(Consumer<Callback<T>> call) {
        Outcome<T> outcome = both(call);
        assertThat(outcome.value()).isNull();
        return Objects.requireNonNull(outcome.failure());
    }

    private <T> Outcome<T> both(Consumer<Callback<T>> call) {
        CompletableFuture<Outcome<T>> outcome = new CompletableFuture<>();
        shard.execute(() ->
                call.accept((value, failure) ->
                        outcome.complete(new Outcome<>(value, failure, shard.isCurrent()))));
        return checked(outcome);
    }

    private static <T> Outcome<T> checked(CompletableFuture<Outcome<T>> future) {
        Outcome<T> outcome = await(future);
        assertThat(outcome.onShard()).as("completes on the shard").isTrue();
        return outcome;
    }

    private static <T> T await(CompletableFuture<T> future) {
        return future.orTimeout(20, TimeUnit.SECONDS).join();
    }

    private record Outcome<T>(@Nullable T value, @Nullable IoFailure failure, boolean onShard) {}
}
