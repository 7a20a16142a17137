// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import storage.mars.engine.api.v1.GetReplicaRequest;
import storage.mars.engine.api.v1.PromoteRequest;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.api.v1.Role;
import storage.mars.engine.cli.output.LossSentence;
import storage.mars.engine.cli.unit.ByteSize;
import storage.mars.engine.cli.unit.TimeSpan;

/** Takes the role of primary: by handover, or by force after what is lost was shown. */
@Command(
        name = "primary",
        description = {
            "Become the primary.",
            "Planned: the present primary hands over, nothing is lost.",
            "Forced: what this replica has not received is lost; without --supersedes-term it is"
                    + " shown and nothing is done."
        })
final class BecomePrimary implements Verb {

    /** What the answer may take beyond the time that the engine gives a handover. */
    private static final Duration GRACE = Duration.ofSeconds(10);

    @Spec private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "RESOURCE")
    private String resource = "";

    @Option(names = "--force", description = "Do not ask the present primary.")
    private boolean force;

    @Option(
            names = "--supersedes-term",
            paramLabel = "N",
            description = "The term that this ends; refused when it is not the present one.")
    private @Nullable Long supersedesTerm;

    @Option(
            names = "--max-data-loss",
            paramLabel = "SIZE",
            description = "With --force: refuse when more would be lost or it is not known.")
    private @Nullable ByteSize maxDataLoss;

    @Option(
            names = "--close-exports",
            description = "Planned: the primary closes writable exports instead of refusing.")
    private boolean closeExports;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            description = "Planned: give up after this time; default: 60s.")
    private TimeSpan timeout = new TimeSpan(Duration.ofSeconds(60));

    @Override
    public void run(Session session) {
        checkOptions();
        session.output().changed(force ? takeOver(session.engine()) : handOver(session.engine()));
    }

    private void checkOptions() {
        if (maxDataLoss != null && !force) {
            throw usage("--max-data-loss needs --force: a planned promotion loses nothing");
        }
        if (closeExports && force) {
            throw usage("--close-exports is for a planned promotion, without --force");
        }
        if (supersedesTerm != null && supersedesTerm < 0) {
            throw usage("a term is not negative");
        }
    }

    private RuntimeException usage(String message) {
        return spec == null
                ? new IllegalStateException(message)
                : new CommandLine.ParameterException(spec.commandLine(), message);
    }

    private Replica handOver(EngineClient engine) {
        var request =
                request()
                        .setCloseExports(closeExports)
                        .setTimeout(WireDuration.of(timeout))
                        .build();
        return engine.call(timeout.duration().plus(GRACE), stub -> stub.promote(request));
    }

    private Replica takeOver(EngineClient engine) {
        if (supersedesTerm == null) {
            var look = GetReplicaRequest.newBuilder().setName(resource).build();
            Replica replica = engine.call(EngineClient.LOOKUP, stub -> stub.getReplica(look));
            if (replica.getRole() == Role.ROLE_PRIMARY) {
                return replica;
            }
            throw notYet(replica, engine.address());
        }
        var request = request().setForce(true);
        if (maxDataLoss != null) {
            request.setMaxDataLossBytes(maxDataLoss.bytes());
        }
        return engine.call(EngineClient.CHANGE, stub -> stub.promote(request.build()));
    }

    private PromoteRequest.Builder request() {
        var request = PromoteRequest.newBuilder().setName(resource);
        if (supersedesTerm != null) {
            request.setSupersedesTerm(supersedesTerm);
        }
        return request;
    }

    private CommandFailure notYet(Replica replica, EngineAddress address) {
        String what = "%s on %s is not promoted".formatted(resource, replica.getReplica());
        if (!replica.getConsistent()) {
            return new CommandFailure(
                    ExitCode.REFUSED,
                    what,
                    "it is inconsistent until its sync is complete",
                    address.addressed("marsadm wait " + resource + " --for consistent"));
        }
        if (!replica.hasForcedPromotionLoss()) {
            return new CommandFailure(
                    ExitCode.REFUSED,
                    what,
                    "it cannot be promoted in state " + replica.getState(),
                    address.addressed("marsadm status " + resource));
        }
        return new CommandFailure(
                ExitCode.REFUSED,
                what,
                "a forced promotion would lose %s, and has to name the term that it ends"
                        .formatted(LossSentence.of(replica)),
                address.addressed(command(replica.getTerm())));
    }

    private String command(long term) {
        String bound = maxDataLoss == null ? "" : " --max-data-loss " + maxDataLoss.bytes();
        return "marsadm primary " + resource + " --force --supersedes-term " + term + bound;
    }
}
