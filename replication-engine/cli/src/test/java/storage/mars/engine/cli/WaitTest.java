// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Duration;
import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.api.v1.WatchReplicasRequest;
import storage.mars.engine.api.v1.WatchReplicasResponse;
import storage.mars.engine.cli.output.Samples;

@Timeout(30)
class WaitTest {

    @Test
    void waitEndsWhenTheGoalIsReached() {
        var engine =
                engine().thenWatch(
                                Samples.inconsistent(),
                                Samples.inconsistent().toBuilder().setConsistent(true).build());

        var run = MarsadmRun.against(engine, "wait", "db", "--for", "consistent");

        assertThat(run)
                .isEqualTo(
                        new MarsadmRun(
                                0,
                                "db on c: secondary, Secondary, consistent, term 1, epoch 1.1\n",
                                ""));
        assertThat(engine.asked())
                .containsExactly(
                        WatchReplicasRequest.newBuilder()
                                .setName("db")
                                .setInterval(Duration.newBuilder().setNanos(200_000_000))
                                .build());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    consistent | it is inconsistent until its sync is complete
                    primary    | its state is Secondary and the known primary is a
                    caught-up  | its primary has not been heard of since the wait began
                    """)
    void timeThatIsOverSaysWhatIsMissing(String goal, String missing) {
        var engine = engine().thenWatch(Samples.inconsistent());

        var run = MarsadmRun.against(engine, "wait", "db", "--for", goal, "--timeout", "100ms");

        assertThat(run)
                .isEqualTo(
                        new MarsadmRun(
                                4,
                                "",
                                "marsadm: db on c is not %s after 100 ms; %s; next: marsadm --engine"
                                                .formatted(goal, missing)
                                        + " b.example:7001 status db\n"));
    }

    @Test
    void primaryMeansThatItServes() {
        Replica recovering = Samples.primary().toBuilder().setState("Recovering").build();
        var engine = engine().thenWatch(recovering, Samples.primary());

        var run = MarsadmRun.against(engine, "wait", "db", "--for", "primary");

        assertThat(run.out()).startsWith("db on a: primary, Serving");
    }

    @Test
    void secondaryMeansTheRoleInAnyState() {
        var engine = engine().thenWatch(Samples.primary(), Samples.diverged());

        var run = MarsadmRun.against(engine, "wait", "db", "--for", "secondary");

        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).startsWith("db on a: secondary, Diverged");
    }

    @Test
    void restartOfTheEngineDoesNotEndTheWait() {
        var engine =
                engine().thenWatch(
                                stream -> {
                                    stream.onNext(FakeEngine.response(Samples.secondary()));
                                    stream.onError(Status.UNAVAILABLE.asRuntimeException());
                                })
                        .thenWatch(stream -> stream.onCompleted())
                        .thenWatch(Samples.primary());

        var run = MarsadmRun.against(engine, "wait", "db", "--for", "primary");

        assertThat(run.exitCode()).isZero();
        assertThat(engine.asked()).hasSize(3);
    }

    @Test
    void deletedResourceEndsTheWait() {
        var engine =
                engine().thenWatch(stream ->
                        stream.onNext(WatchReplicasResponse.newBuilder().setRemoved("db").build()));

        var run = MarsadmRun.against(engine, "wait", "db", "--for", "primary");

        assertThat(run)
                .isEqualTo(
                        new MarsadmRun(
                                1,
                                "",
                                "marsadm: db is no longer on this engine; it was left or deleted"
                                        + " during the wait; next: marsadm --engine b.example:7001"
                                        + " status\n"));
    }

    @Test
    void jsonOfAWaitIsTheReplica() {
        var engine = engine().thenWatch(Samples.primary());

        var run = MarsadmRun.against(engine, "wait", "db", "--for", "primary", "-o", "json");

        assertThat(run.out()).startsWith("{\n  \"name\": \"db\",").endsWith("\n}\n");
    }

    private static FakeEngine engine() {
        return new FakeEngine(Samples.secondary());
    }
}
