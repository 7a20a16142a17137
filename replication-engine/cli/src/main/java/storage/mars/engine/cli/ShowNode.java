// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import picocli.CommandLine.Command;
import storage.mars.engine.api.v1.GetNodeRequest;

/** Shows the engine itself. */
@Command(name = "node", description = "Show the engine: version, addresses, capacity.")
final class ShowNode implements Verb {

    @Override
    public void run(Session session) {
        session.output()
                .node(
                        session.engine()
                                .call(
                                        EngineClient.LOOKUP,
                                        stub -> stub.getNode(GetNodeRequest.getDefaultInstance())));
    }
}
