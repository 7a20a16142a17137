// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import storage.mars.engine.api.v1.Acknowledgement;
import storage.mars.engine.api.v1.CreateReplicaRequest;
import storage.mars.engine.api.v1.LogFull;
import storage.mars.engine.api.v1.Policies;
import storage.mars.engine.cli.unit.ByteSize;

/** Brings a resource into being. */
@Command(
        name = "create-resource",
        description = "Create a resource with empty volumes; this engine becomes its primary.")
final class CreateResource implements Verb {

    /** When a write is acknowledged. */
    enum Acknowledge {
        DURABLE,
        BUFFERED;

        @Override
        public String toString() {
            return OptionValue.of(this);
        }
    }

    /** What is given up first. */
    enum WhenLogFull {
        DETACH_REPLICA,
        THROTTLE_WRITERS,
        BLOCK_WRITERS;

        @Override
        public String toString() {
            return OptionValue.of(this);
        }
    }

    @Parameters(paramLabel = "RESOURCE")
    private String resource = "";

    @Option(
            names = "--volume",
            required = true,
            paramLabel = "NAME:SIZE",
            description = "A volume, for example data:1GiB; up to 16 of them.")
    private List<VolumeArgument> volumes = List.of();

    @Option(
            names = "--log-budget",
            paramLabel = "SIZE",
            description = "Space that the log may take before a member is given up.")
    private @Nullable ByteSize logBudget;

    @Option(
            names = "--acknowledge",
            paramLabel = "WHEN",
            description = {
                "A write is acknowledged when it is: ${COMPLETION-CANDIDATES}.",
                "This version's engine refuses buffered."
            })
    private @Nullable Acknowledge acknowledge;

    @Option(
            names = "--log-full",
            paramLabel = "POLICY",
            description = {
                "When the log budget is used up: ${COMPLETION-CANDIDATES}.",
                "This version's engine refuses all but detach-replica."
            })
    private @Nullable WhenLogFull logFull;

    @Override
    public void run(Session session) {
        var request = CreateReplicaRequest.newBuilder().setName(resource).setPolicies(policies());
        volumes.forEach(volume -> request.addVolumes(volume.toRequest()));
        if (logBudget != null) {
            request.setLogBudgetBytes(logBudget.bytes());
        }
        session.output()
                .changed(
                        session.engine()
                                .call(
                                        EngineClient.CHANGE,
                                        stub -> stub.createReplica(request.build())));
    }

    private Policies policies() {
        var policies = Policies.newBuilder();
        if (acknowledge != null) {
            policies.setAcknowledgement(
                    switch (acknowledge) {
                        case DURABLE -> Acknowledgement.ACKNOWLEDGEMENT_DURABLE;
                        case BUFFERED -> Acknowledgement.ACKNOWLEDGEMENT_BUFFERED;
                    });
        }
        if (logFull != null) {
            policies.setLogFull(
                    switch (logFull) {
                        case DETACH_REPLICA -> LogFull.LOG_FULL_DETACH_REPLICA;
                        case THROTTLE_WRITERS -> LogFull.LOG_FULL_THROTTLE_WRITERS;
                        case BLOCK_WRITERS -> LogFull.LOG_FULL_BLOCK_WRITERS;
                    });
        }
        return policies.build();
    }
}
