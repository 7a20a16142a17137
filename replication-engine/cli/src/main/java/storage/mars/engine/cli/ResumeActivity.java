// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import storage.mars.engine.api.v1.Activity;
import storage.mars.engine.api.v1.ResumeRequest;

/** Continues one activity of a replica: {@code resume-shipping}, {@code resume-apply}. */
@Command
final class ResumeActivity implements Verb {

    private final Activity activity;

    @Parameters(paramLabel = "RESOURCE")
    private String resource = "";

    ResumeActivity(Activity activity) {
        this.activity = activity;
    }

    @Override
    public void run(Session session) {
        var request = ResumeRequest.newBuilder().setName(resource).setActivity(activity).build();
        session.output()
                .changed(session.engine().call(EngineClient.CHANGE, stub -> stub.resume(request)));
    }
}
