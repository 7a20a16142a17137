// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import storage.mars.engine.api.v1.GetReplicaRequest;
import storage.mars.engine.cli.output.Samples;

class BecomePrimaryTest {

    private static final GetReplicaRequest LOOK =
            GetReplicaRequest.newBuilder().setName("db").build();

    @Test
    void forceWithoutTermShowsTheLossAndTheCommandAndDoesNothing() {
        var engine = new FakeEngine(Samples.cutOff());

        var run = MarsadmRun.against(engine, "primary", "db", "--force");

        assertThat(engine.asked()).containsExactly(LOOK);
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err())
                .isEqualTo(
                        "marsadm: db on b is not promoted; a forced promotion would lose at least"
                                + " 12.0 KiB, 350 ms, unknown since 2026-03-01T02:08:53Z (4m 12s"
                                + " ago); further ahead: c, and has to name the term that it ends;"
                                + " next: marsadm --engine b.example:7001 primary db --force"
                                + " --supersedes-term 1\n");
    }

    @Test
    void boundOnTheLossStaysInTheNextCommand() {
        var engine = new FakeEngine(Samples.secondary());

        var run = MarsadmRun.against(engine, "primary", "db", "--force", "--max-data-loss=8KiB");

        assertThat(run.err())
                .contains("would lose exactly 4.8 KiB, 200 ms, and")
                .endsWith(" primary db --force --supersedes-term 1 --max-data-loss 8192\n");
    }

    @Test
    void inconsistentReplicaIsToldToWait() {
        var engine = new FakeEngine(Samples.inconsistent());

        var run = MarsadmRun.against(engine, "primary", "db", "--force");

        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err())
                .isEqualTo(
                        "marsadm: db on c is not promoted; it is inconsistent until its sync is"
                                + " complete; next: marsadm --engine b.example:7001 wait db --for"
                                + " consistent\n");
    }

    @Test
    void divergedReplicaIsNotOfferedAnyTerm() {
        var engine = new FakeEngine(Samples.diverged());

        var run = MarsadmRun.against(engine, "primary", "db", "--force");

        assertThat(run.err())
                .isEqualTo(
                        "marsadm: db on a is not promoted; it cannot be promoted in state Diverged;"
                                + " next: marsadm --engine b.example:7001 status db\n");
    }

    @Test
    void primaryStaysWhatItIs() {
        var engine = new FakeEngine(Samples.primary());

        var run = MarsadmRun.against(engine, "primary", "db", "--force");

        assertThat(engine.asked()).containsExactly(LOOK);
        assertThat(run)
                .isEqualTo(
                        new MarsadmRun(
                                0,
                                "db on a: primary, Serving, consistent, term 1, epoch 1.1\n",
                                ""));
    }
}
