// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Map;

/** What one command line did: its exit code and what it printed. */
record MarsadmRun(int exitCode, String out, String err) {

    private static final Map<String, String> ENVIRONMENT = Map.of("MARS_ENGINE", "b.example:7001");

    /** Runs a command line against an engine in this process. */
    static MarsadmRun against(FakeEngine engine, String... args) {
        String name = InProcessServerBuilder.generateName();
        try {
            var server = InProcessServerBuilder.forName(name).addService(engine).build().start();
            try {
                return run(ENVIRONMENT, inProcess(name), args);
            } finally {
                server.shutdownNow();
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** Runs a command line where no engine listens. */
    static MarsadmRun againstNothing(String... args) {
        return run(ENVIRONMENT, inProcess(InProcessServerBuilder.generateName()), args);
    }

    static MarsadmRun run(Map<String, String> environment, EngineDialer dialer, String... args) {
        var out = new StringWriter();
        var err = new StringWriter();
        int exitCode =
                CommandLines.create(new PrintWriter(out), new PrintWriter(err), environment, dialer)
                        .execute(args);
        return new MarsadmRun(exitCode, out.toString(), err.toString());
    }

    private static EngineDialer inProcess(String name) {
        return address -> InProcessChannelBuilder.forName(name).build();
    }
}
