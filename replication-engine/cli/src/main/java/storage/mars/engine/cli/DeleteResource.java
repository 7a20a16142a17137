// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import storage.mars.engine.api.v1.DeleteReplicaRequest;
import storage.mars.engine.cli.output.Departure;

/** Removes the last replica of a resource. */
@Command(
        name = "delete-resource",
        description = "Remove the last replica of a resource, and so its data.")
final class DeleteResource implements Verb {

    @Parameters(paramLabel = "RESOURCE")
    private String resource = "";

    @Override
    public void run(Session session) {
        var request = DeleteReplicaRequest.newBuilder().setName(resource).build();
        var deleted =
                session.engine().call(EngineClient.CHANGE, stub -> stub.deleteReplica(request));
        session.output().gone(new Departure(resource, "", deleted.getExisted()));
    }
}
