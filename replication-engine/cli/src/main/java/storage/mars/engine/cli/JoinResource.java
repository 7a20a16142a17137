// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import storage.mars.engine.api.v1.JoinReplicaRequest;

/** Makes this engine a member of what another one holds. */
@Command(
        name = "join-resource",
        description = "Become a secondary of a resource; its content is then synced.")
final class JoinResource implements Verb {

    @Parameters(paramLabel = "RESOURCE")
    private String resource = "";

    @Option(
            names = "--from",
            required = true,
            paramLabel = "HOST:PEERPORT",
            description = "The peer address of any member's engine.")
    private EngineAddress from = new EngineAddress("", 0);

    @Override
    public void run(Session session) {
        var request =
                JoinReplicaRequest.newBuilder().setName(resource).setFrom(from.toString()).build();
        session.output()
                .changed(
                        session.engine()
                                .call(EngineClient.CHANGE, stub -> stub.joinReplica(request)));
    }
}
