// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.engine.port.IoFailure;

class ThreadOffloadTest {

    @TempDir Path root;
    private @Nullable StorageFixture opened;

    private record Outcome(@Nullable IoFailure failure, boolean onShard) {}

    @BeforeEach
    void open() throws UnusableDirectoryException {
        opened = StorageFixture.open(root);
    }

    @AfterEach
    void close() {
        fixture().close();
    }

    private StorageFixture fixture() {
        return Objects.requireNonNull(opened);
    }

    private Outcome run(Runnable work) throws Exception {
        NettyShard shard = fixture().shard();
        ThreadOffload offload = new ThreadOffload(shard, fixture().threads());
        CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        shard.execute(() ->
                offload.run(
                        work,
                        failure -> outcome.complete(new Outcome(failure, shard.isCurrent()))));
        return outcome.get(10, TimeUnit.SECONDS);
    }

    @Test
    void workIsDoneBesideTheShardAndToldOnIt() throws Exception {
        CompletableFuture<Boolean> onShard = new CompletableFuture<>();

        Outcome outcome = run(() -> onShard.complete(fixture().shard().isCurrent()));

        assertThat(outcome).isEqualTo(new Outcome(null, true));
        assertThat(onShard).isCompletedWithValue(false);
    }

    @Test
    void workThatThrowsIsAFailure() throws Exception {
        Outcome outcome =
                run(() -> {
                    throw new IllegalStateException("broken");
                });

        assertThat(outcome.onShard()).isTrue();
        assertThat(String.valueOf(outcome.failure())).contains("broken");
    }

    @Test
    void workThatComesAfterTheEndIsNotDone() throws Exception {
        fixture().threads().close(Duration.ofSeconds(10));

        Outcome outcome =
                run(() -> {
                    throw new AssertionError("done after the end");
                });

        assertThat(StorageCaller.kind(outcome.failure())).isEqualTo(IoFailure.Kind.CLOSED);
    }
}
