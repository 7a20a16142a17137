// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import storage.mars.engine.api.v1.DemoteRequest;

/** Gives the role of primary up. */
@Command(
        name = "secondary",
        description = "Give up the role of primary; the resource then has none.")
final class BecomeSecondary implements Verb {

    @Parameters(paramLabel = "RESOURCE")
    private String resource = "";

    @Option(
            names = "--close-exports",
            description = "Close writable exports instead of refusing while one is open.")
    private boolean closeExports;

    @Override
    public void run(Session session) {
        var request =
                DemoteRequest.newBuilder().setName(resource).setCloseExports(closeExports).build();
        session.output()
                .changed(session.engine().call(EngineClient.CHANGE, stub -> stub.demote(request)));
    }
}
