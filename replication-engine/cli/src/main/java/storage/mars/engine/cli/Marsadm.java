// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The command {@code marsadm}: its global options, and the entry of the process. */
@Command(
        name = "marsadm",
        description = "Ask one replication engine, or tell it what to do.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            CreateResource.class,
            JoinResource.class,
            LeaveResource.class,
            DeleteResource.class,
            ShowStatus.class,
            BecomePrimary.class,
            BecomeSecondary.class,
            WaitForGoal.class,
            WatchResource.class,
            ShowNode.class
        },
        footer = {
            "",
            "Exit codes: 0 done, 1 refused, 2 wrong usage, 3 engine not reached, 4 wait timed out."
        })
public final class Marsadm {

    /** What they say is said by the exit code and its line. */
    private static final List<Logger> TRANSPORT_LOGS =
            List.of(Logger.getLogger("io.grpc"), Logger.getLogger("io.netty"));

    @Option(
            names = "--engine",
            scope = ScopeType.INHERIT,
            paramLabel = "HOST:PORT",
            description = "Control address of the engine; default: MARS_ENGINE.")
    private @Nullable EngineAddress engine;

    @Option(
            names = {"-o", "--output"},
            scope = ScopeType.INHERIT,
            paramLabel = "FORMAT",
            description = "${COMPLETION-CANDIDATES}; default: table.")
    private OutputFormat format = OutputFormat.TABLE;

    @SuppressWarnings("unused") // picocli looks at it
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "Show this help.")
    private boolean help;

    Marsadm() {}

    public static void main(String[] args) {
        System.exit(run(args));
    }

    private static int run(String[] args) {
        TRANSPORT_LOGS.forEach(logger -> logger.setLevel(Level.OFF));
        var out = new PrintWriter(System.out, false, System.out.charset());
        var err = new PrintWriter(System.err, true, System.err.charset());
        try (var dialer = new TcpDialer()) {
            return CommandLines.create(out, err, System.getenv(), dialer).execute(args);
        } finally {
            out.flush();
        }
    }

    @Nullable EngineAddress engine() {
        return engine;
    }

    OutputFormat format() {
        return format;
    }
}
