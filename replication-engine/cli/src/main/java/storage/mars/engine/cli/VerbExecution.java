// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import java.io.PrintWriter;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionStrategy;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import storage.mars.engine.cli.output.JsonOutput;
import storage.mars.engine.cli.output.Output;
import storage.mars.engine.cli.output.TextOutput;

/** Runs the verb that was parsed, against the engine that was named. */
final class VerbExecution implements IExecutionStrategy {

    private static final String ENGINE_VARIABLE = "MARS_ENGINE";

    private final Marsadm root;
    private final Map<String, String> environment;
    private final EngineDialer dialer;

    VerbExecution(Marsadm root, Map<String, String> environment, EngineDialer dialer) {
        this.root = root;
        this.environment = environment;
        this.dialer = dialer;
    }

    @Override
    public int execute(ParseResult parsed) {
        Integer helped = CommandLine.executeHelpRequest(parsed);
        if (helped != null) {
            return helped;
        }
        CommandLine command = parsed.asCommandLineList().getLast();
        if (!(command.getCommand() instanceof Verb verb)) {
            command.usage(command.getErr());
            return ExitCode.USAGE.number();
        }
        try {
            return run(verb, command);
        } catch (CommandFailure failure) {
            command.getErr().println("marsadm: " + failure.getMessage());
            return failure.exitCode().number();
        } catch (ParameterException wrong) {
            throw wrong;
        } catch (RuntimeException bug) {
            command.getErr()
                    .println(
                            "marsadm: failed by a defect of its own; "
                                    + bug
                                    + "; next: report this line, and the command");
            return ExitCode.REFUSED.number();
        }
    }

    private int run(Verb verb, CommandLine command) {
        EngineAddress address = address(command);
        try (var engine = new EngineClient(address, dialer)) {
            verb.run(new Session(engine, output(command.getOut(), address)));
        }
        return ExitCode.OK.number();
    }

    private Output output(PrintWriter out, EngineAddress address) {
        return switch (root.format()) {
            case TABLE -> new TextOutput(out, address::addressed);
            case JSON -> new JsonOutput(out);
        };
    }

    private EngineAddress address(CommandLine command) {
        EngineAddress named = root.engine();
        if (named != null) {
            return named;
        }
        @Nullable String variable = environment.get(ENGINE_VARIABLE);
        if (variable == null || variable.isEmpty()) {
            throw new ParameterException(
                    command, "which engine? name it with --engine HOST:PORT or " + ENGINE_VARIABLE);
        }
        try {
            return EngineAddress.parse(variable);
        } catch (IllegalArgumentException wrong) {
            throw new ParameterException(command, ENGINE_VARIABLE + ": " + wrong.getMessage());
        }
    }
}
