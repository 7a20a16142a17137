// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import storage.mars.engine.api.v1.Activity;
import storage.mars.engine.api.v1.PauseRequest;

/** Stops one activity of a replica: {@code pause-shipping}, {@code pause-apply}. */
@Command
final class PauseActivity implements Verb {

    private final Activity activity;

    @Parameters(paramLabel = "RESOURCE")
    private String resource = "";

    PauseActivity(Activity activity) {
        this.activity = activity;
    }

    @Override
    public void run(Session session) {
        var request = PauseRequest.newBuilder().setName(resource).setActivity(activity).build();
        session.output()
                .changed(session.engine().call(EngineClient.CHANGE, stub -> stub.pause(request)));
    }
}
