// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.server.config.CommandLineOutcome;
import storage.mars.engine.server.config.EngineCommandLine;
import storage.mars.engine.server.config.EngineSettings;

/** The process: says what is wrong with its arguments or surroundings, or becomes an engine. */
@QuarkusMain
public final class MarsEngine {

    private static final int REFUSED = 1;

    /** The one thing handed from the main method to the application that Quarkus instantiates. */
    private static @Nullable Launch launch;

    private MarsEngine() {}

    /** Ends with 0 after a planned stop, 1 when the engine cannot run here, 2 for wrong usage. */
    public static void main(String... arguments) {
        switch (EngineCommandLine.parse(arguments)) {
            case CommandLineOutcome.Print print -> end(print.text(), print.exitCode());
            case CommandLineOutcome.Run run -> start(run.settings());
        }
    }

    static Launch launch() {
        return Objects.requireNonNull(launch, "the main method prepares the launch");
    }

    private static void start(EngineSettings settings) {
        try {
            Launch prepared = Launch.prepare(settings);
            prepared.configureQuarkus();
            launch = prepared;
        } catch (StartRefusedException e) {
            end("mars-engine: " + e.getMessage() + "\n", REFUSED);
        }
        Quarkus.run(EngineApplication.class);
    }

    private static void end(String text, int exitCode) {
        (exitCode == 0 ? System.out : System.err).print(text);
        System.out.flush();
        System.err.flush();
        Runtime.getRuntime().halt(exitCode);
    }
}
