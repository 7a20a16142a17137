// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import storage.mars.engine.api.v1.LeaveReplicaRequest;
import storage.mars.engine.cli.output.Departure;

/** Ends a membership. */
@Command(
        name = "leave-resource",
        description = "End this engine's membership and remove its replica.")
final class LeaveResource implements Verb {

    @Parameters(paramLabel = "RESOURCE")
    private String resource = "";

    @Option(
            names = "--member",
            paramLabel = "NAME",
            description = "Asked of the primary: strike off a member that will not come back.")
    private String member = "";

    @Option(
            names = "--force",
            description = "Go although the primary cannot be told or the replica is damaged.")
    private boolean force;

    @Override
    public void run(Session session) {
        var request =
                LeaveReplicaRequest.newBuilder()
                        .setName(resource)
                        .setMember(member)
                        .setForce(force)
                        .build();
        var left = session.engine().call(EngineClient.CHANGE, stub -> stub.leaveReplica(request));
        session.output().gone(new Departure(resource, member, left.getExisted()));
    }
}
