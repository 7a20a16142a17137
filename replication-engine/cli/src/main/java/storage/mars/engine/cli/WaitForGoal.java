// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import java.time.Duration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import storage.mars.engine.cli.unit.TimeSpan;

/** Returns when a replica is as wanted, or when the time is over. */
@Command(
        name = "wait",
        description = "Wait until a resource's replica on this engine is as wanted.")
final class WaitForGoal implements Verb {

    /** What can be waited for. */
    enum Target {
        CAUGHT_UP,
        CONSISTENT,
        PRIMARY,
        SECONDARY;

        Goal goal() {
            return switch (this) {
                case CAUGHT_UP -> new CaughtUp();
                case CONSISTENT -> new Goal.Consistent();
                case PRIMARY -> new Goal.Primary();
                case SECONDARY -> new Goal.Secondary();
            };
        }

        @Override
        public String toString() {
            return OptionValue.of(this);
        }
    }

    @Parameters(paramLabel = "RESOURCE")
    private String resource = "";

    @Option(
            names = "--for",
            required = true,
            paramLabel = "GOAL",
            description = "One of ${COMPLETION-CANDIDATES}.")
    private Target target = Target.CONSISTENT;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            description = "Give up after this time, for example 60s or 5m; default: 60s.")
    private TimeSpan timeout = new TimeSpan(Duration.ofSeconds(60));

    @Override
    public void run(Session session) {
        var follower = new ReplicaFollower(session.engine(), resource, timeout);
        session.output().changed(follower.until(target.goal(), target.toString()));
    }
}
