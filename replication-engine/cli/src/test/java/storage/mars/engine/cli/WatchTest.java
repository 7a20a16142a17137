// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import org.junit.jupiter.api.Test;
import storage.mars.engine.api.v1.WatchReplicasResponse;
import storage.mars.engine.cli.output.Samples;

class WatchTest {

    @Test
    void everyStepIsALineUntilTheEngineEndsTheStream() {
        var engine =
                new FakeEngine(Samples.secondary())
                        .thenWatch(stream -> {
                            stream.onNext(FakeEngine.response(Samples.secondary()));
                            stream.onNext(
                                    WatchReplicasResponse.newBuilder().setRemoved("db").build());
                            stream.onCompleted();
                        });

        var run = MarsadmRun.against(engine, "watch");

        assertThat(run.exitCode()).isZero();
        assertThat(run.out().lines())
                .containsExactly(
                        "2026-03-01T02:13:05Z db on b: secondary, Secondary, consistent, term 1,"
                                + " epoch 1.1, applied 1288482816, lag 12.0 KiB, 200 ms",
                        "db: no longer on this engine");
    }

    @Test
    void lostEngineEndsTheWatch() {
        var engine =
                new FakeEngine(Samples.secondary())
                        .thenWatch(stream -> {
                            stream.onNext(FakeEngine.response(Samples.secondary()));
                            stream.onError(
                                    Status.UNAVAILABLE
                                            .withDescription("connection reset")
                                            .asRuntimeException());
                        });

        var run = MarsadmRun.against(engine, "watch", "-o", "json");

        assertThat(run.exitCode()).isEqualTo(3);
        assertThat(run.out()).startsWith("{\"name\":\"db\",").hasLineCount(1);
        assertThat(run.err()).contains("is not reached; connection reset; next: ");
    }
}
