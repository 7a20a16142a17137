// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import java.io.PrintWriter;
import java.util.Map;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;
import storage.mars.engine.api.v1.Activity;
import storage.mars.engine.cli.CreateResource.Acknowledge;
import storage.mars.engine.cli.CreateResource.WhenLogFull;
import storage.mars.engine.cli.WaitForGoal.Target;
import storage.mars.engine.cli.unit.ByteSize;
import storage.mars.engine.cli.unit.TimeSpan;

/** Puts the command line together: verbs, argument types, and what is said when one is wrong. */
final class CommandLines {

    private CommandLines() {}

    static CommandLine create(
            PrintWriter out,
            PrintWriter err,
            Map<String, String> environment,
            EngineDialer dialer) {
        var root = new Marsadm();
        return new CommandLine(root)
                .addSubcommand(
                        "pause-shipping",
                        verb(
                                new PauseActivity(Activity.ACTIVITY_SHIPPING),
                                "Stop log and blocks to and from this replica."))
                .addSubcommand(
                        "resume-shipping",
                        verb(
                                new ResumeActivity(Activity.ACTIVITY_SHIPPING),
                                "Let log and blocks flow again."))
                .addSubcommand(
                        "pause-apply",
                        verb(
                                new PauseActivity(Activity.ACTIVITY_APPLY),
                                "Keep received log out of this replica's volumes."))
                .addSubcommand(
                        "resume-apply",
                        verb(
                                new ResumeActivity(Activity.ACTIVITY_APPLY),
                                "Let received log into this replica's volumes again."))
                .registerConverter(EngineAddress.class, converter(EngineAddress::parse))
                .registerConverter(VolumeArgument.class, converter(VolumeArgument::parse))
                .registerConverter(ByteSize.class, converter(ByteSize::parse))
                .registerConverter(TimeSpan.class, converter(TimeSpan::parse))
                .registerConverter(OutputFormat.class, choice(OutputFormat.class))
                .registerConverter(Target.class, choice(Target.class))
                .registerConverter(Acknowledge.class, choice(Acknowledge.class))
                .registerConverter(WhenLogFull.class, choice(WhenLogFull.class))
                .setOut(out)
                .setErr(err)
                .setParameterExceptionHandler((wrong, args) -> explain(wrong, err))
                .setExecutionStrategy(new VerbExecution(root, environment, dialer));
    }

    private static CommandLine verb(Verb verb, String description) {
        var commandLine = new CommandLine(verb);
        commandLine.getCommandSpec().usageMessage().description(description);
        return commandLine;
    }

    private static <T> ITypeConverter<T> converter(Function<String, T> parser) {
        return text -> {
            try {
                return parser.apply(text);
            } catch (IllegalArgumentException wrong) {
                throw new TypeConversionException(wrong.getMessage());
            }
        };
    }

    private static <E extends Enum<E>> ITypeConverter<E> choice(Class<E> type) {
        return converter(text -> OptionValue.parse(type, text));
    }

    private static int explain(ParameterException wrong, PrintWriter err) {
        String command = wrong.getCommandLine().getCommandSpec().qualifiedName();
        String message = String.valueOf(wrong.getMessage()).lines().findFirst().orElse("");
        err.println("marsadm: " + message + "; next: " + command + " --help");
        return ExitCode.USAGE.number();
    }
}
