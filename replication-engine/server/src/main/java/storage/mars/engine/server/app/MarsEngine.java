// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.server.config.CommandLineOutcome;
import storage.mars.engine.server.config.EngineCommandLine;
import storage.mars.engine.server.config.EngineSettings;

/** The process: says what is wrong with its arguments or surroundings, or becomes an engine. */
@QuarkusMain
public final class MarsEngine {

    private static final int REFUSED = 1;

    /** More than all parts of an engine are given together to stop. */
    private static final Duration STOP_LIMIT = Duration.ofSeconds(40);

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
        haltByMainThread();
        Quarkus.run(EngineApplication.class, (exitCode, failure) -> end("", exitCode));
    }

    /**
     * After a signal the JVM would end with the signal's number as soon as its shutdown hooks have
     * run, however orderly the stop was. This hook lasts until the main thread, which knows better,
     * has said the exit code.
     */
    private static void haltByMainThread() {
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> awaitEnd(main), "exit code"));
    }

    private static void awaitEnd(Thread main) {
        try {
            main.join(STOP_LIMIT);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void end(String text, int exitCode) {
        (exitCode == 0 ? System.out : System.err).print(text);
        System.out.flush();
        System.err.flush();
        Runtime.getRuntime().halt(exitCode);
    }
}
