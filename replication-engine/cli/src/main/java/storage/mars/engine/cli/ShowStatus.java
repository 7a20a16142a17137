// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import storage.mars.engine.api.v1.GetReplicaRequest;
import storage.mars.engine.api.v1.ListReplicasRequest;

/** Shows what is: one resource in full, or all in short. */
@Command(name = "status", description = "Show a resource in full, or all resources in short.")
final class ShowStatus implements Verb {

    @Parameters(arity = "0..1", paramLabel = "RESOURCE")
    private @Nullable String resource;

    @Override
    public void run(Session session) {
        if (resource == null) {
            var all =
                    session.engine()
                            .call(
                                    EngineClient.LOOKUP,
                                    stub ->
                                            stub.listReplicas(
                                                    ListReplicasRequest.getDefaultInstance()));
            session.output().replicas(all.getReplicasList());
        } else {
            var request = GetReplicaRequest.newBuilder().setName(resource).build();
            session.output()
                    .replica(
                            session.engine()
                                    .call(EngineClient.LOOKUP, stub -> stub.getReplica(request)));
        }
    }
}
