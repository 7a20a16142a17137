// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.config;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;

/** The command line of the engine. */
@Command(
        name = "mars-engine",
        description = "Serves replicated block devices: one engine per node.",
        sortOptions = false,
        usageHelpWidth = 100,
        mixinStandardHelpOptions = true,
        versionProvider = EngineVersion.class)
public final class EngineCommandLine {

    private static final int WRONG_USAGE = 2;

    @Option(
            names = "--name",
            required = true,
            paramLabel = "NAME",
            description = "Name of this engine among its peers.")
    private String name = "";

    @Option(
            names = "--data-dir",
            required = true,
            paramLabel = "DIR",
            description = "Directory that holds logs, images and metadata.")
    private Path dataDirectory = Path.of("");

    @Option(
            names = "--nbd",
            required = true,
            paramLabel = "unix:PATH|HOST:PORT",
            description = "Where block devices are served by NBD. May be given several times.")
    private List<NbdAddress> nbd = List.of();

    @Option(
            names = "--insecure-nbd",
            description =
                    "Serve NBD, which is plain text without authentication, also at addresses that"
                            + " other machines reach.")
    private boolean insecureNbd;

    @Option(names = "--hide-exports", description = "Refuse to list the exports to NBD clients.")
    private boolean hideExports;

    @Option(
            names = "--rotational",
            description = "Tell NBD clients that the devices are rotating disks.")
    private boolean rotational;

    @Option(
            names = "--peer",
            required = true,
            paramLabel = "HOST:PORT",
            description = "Where other engines connect to.")
    private @Nullable HostPort peer;

    @Option(
            names = "--advertise",
            paramLabel = "HOST:PORT",
            description = "Under which address other engines reach --peer. Default: the same.")
    private @Nullable HostPort advertise;

    @Option(
            names = "--control",
            required = true,
            paramLabel = "HOST:PORT",
            description = "Where marsadm and other controllers connect to (gRPC).")
    private @Nullable HostPort control;

    @Option(
            names = "--http",
            required = true,
            paramLabel = "HOST:PORT",
            description = "Where health and metrics are read.")
    private @Nullable HostPort http;

    @Option(
            names = "--log-memory",
            paramLabel = "SIZE",
            converter = SizeConverter.class,
            description = "Memory for the logs of all resources. Default: 96MiB.")
    private long logMemory = EngineSettings.DEFAULT_LOG_MEMORY;

    @Option(
            names = "--shards",
            paramLabel = "N",
            description = "Event loops that own resources. Default: ${DEFAULT-VALUE}.")
    private int shards = EngineSettings.DEFAULT_SHARDS;

    @Option(
            names = "--peer-wait",
            paramLabel = "auto|forever|TIME",
            description =
                    "How long a restarted primary waits for its members before it serves; auto: 1s"
                            + " after a restart of the engine, 60s after a boot. Default: auto.")
    private PeerWait peerWait = new PeerWait.Automatic();

    @Option(
            names = "--io-threads",
            paramLabel = "N",
            description = "Threads that read and write images. Default: ${DEFAULT-VALUE}.")
    private int ioThreads = EngineSettings.DEFAULT_IO_THREADS;

    @Option(
            names = "--segment-size",
            hidden = true,
            paramLabel = "SIZE",
            converter = SizeConverter.class,
            description = "Size of the log segments of new resources.")
    private long segmentSize = Tuning.DEFAULT.segmentBytes();

    @Option(
            names = "--max-index-blocks",
            hidden = true,
            paramLabel = "N",
            description = "Blocks that may be in the logs and not in the images.")
    private int maxIndexBlocks = Tuning.DEFAULT.maxIndexBlocks();

    private EngineCommandLine() {}

    /** Reads the arguments; nothing is opened or printed. */
    public static CommandLineOutcome parse(String... arguments) {
        EngineCommandLine values = new EngineCommandLine();
        CommandLine command =
                new CommandLine(values)
                        .registerConverter(HostPort.class, converter(HostPort::parse))
                        .registerConverter(NbdAddress.class, converter(NbdAddress::parse))
                        .registerConverter(PeerWait.class, converter(PeerWait::parse));
        try {
            command.parseArgs(arguments);
            if (command.isUsageHelpRequested()) {
                return new CommandLineOutcome.Print(command.getUsageMessage(), 0);
            }
            if (command.isVersionHelpRequested()) {
                return new CommandLineOutcome.Print(version(command), 0);
            }
            return new CommandLineOutcome.Run(values.settings());
        } catch (ParameterException | IllegalArgumentException e) {
            return wrong(String.valueOf(e.getMessage()));
        }
    }

    private EngineSettings settings() {
        HostPort listen = given(peer);
        return new EngineSettings(
                name,
                dataDirectory,
                new NbdSettings(nbd, insecureNbd, !hideExports, rotational),
                listen,
                advertise == null ? listen : advertise,
                given(control),
                given(http),
                logMemory,
                shards,
                peerWait,
                ioThreads,
                new Tuning((int) Math.min(segmentSize, Integer.MAX_VALUE), maxIndexBlocks));
    }

    private static HostPort given(@Nullable HostPort address) {
        return Objects.requireNonNull(address, "picocli has checked it");
    }

    private static CommandLineOutcome wrong(String message) {
        String line = message.lines().map(String::strip).reduce((a, b) -> a + " " + b).orElse("");
        return new CommandLineOutcome.Print(
                "mars-engine: " + line + " (mars-engine --help shows all options)\n", WRONG_USAGE);
    }

    private static String version(CommandLine command) {
        StringWriter text = new StringWriter();
        command.printVersionHelp(new PrintWriter(text, true));
        return text.toString();
    }

    private static <T> ITypeConverter<T> converter(ITypeConverter<T> parse) {
        return text -> {
            try {
                return parse.convert(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(String.valueOf(e.getMessage()));
            }
        };
    }

    /** Sizes, which are plain numbers to picocli. */
    private static final class SizeConverter implements ITypeConverter<Long> {

        @Override
        public Long convert(String text) {
            try {
                return Quantities.bytes(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(String.valueOf(e.getMessage()));
            }
        }
    }
}
