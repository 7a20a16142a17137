// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** All defaults, the full mapping, and one line for each thing that can be wrong. */
class EngineCommandLineTest {

    private static final List<String> LEAST =
            List.of(
                    "--name=a",
                    "--data-dir=/data",
                    "--nbd=unix:/run/a.sock",
                    "--peer=10.0.0.1:7789",
                    "--control=127.0.0.1:7790",
                    "--http=127.0.0.1:7791");

    @Test
    void defaults() {
        assertThat(settings(List.of()))
                .isEqualTo(
                        new EngineSettings(
                                "a",
                                Path.of("/data"),
                                new NbdSettings(
                                        List.of(new NbdAddress.Unix(Path.of("/run/a.sock"))),
                                        false,
                                        true,
                                        false),
                                new HostPort("10.0.0.1", 7789),
                                new HostPort("10.0.0.1", 7789),
                                new HostPort("127.0.0.1", 7790),
                                new HostPort("127.0.0.1", 7791),
                                96L << 20,
                                1,
                                new PeerWait.Automatic(),
                                3,
                                Tuning.DEFAULT));
    }

    @Test
    void fullMapping() {
        EngineSettings settings =
                settings(
                        List.of(
                                "--name=node-1.eu",
                                "--data-dir=/pool/../data2",
                                "--nbd=unix:/run/b.sock",
                                "--nbd=[::1]:10809",
                                "--insecure-nbd",
                                "--hide-exports",
                                "--rotational",
                                "--peer=0.0.0.0:8001",
                                "--advertise=node-1.example.com:8002",
                                "--control=[::1]:8003",
                                "--http=localhost:8004",
                                "--log-memory=1GiB",
                                "--shards=4",
                                "--peer-wait=1500ms",
                                "--io-threads=8"));

        assertThat(settings)
                .isEqualTo(
                        new EngineSettings(
                                "node-1.eu",
                                Path.of("/data2"),
                                new NbdSettings(
                                        List.of(
                                                new NbdAddress.Unix(Path.of("/run/b.sock")),
                                                new NbdAddress.Tcp(new HostPort("::1", 10809))),
                                        true,
                                        false,
                                        true),
                                new HostPort("0.0.0.0", 8001),
                                new HostPort("node-1.example.com", 8002),
                                new HostPort("::1", 8003),
                                new HostPort("localhost", 8004),
                                1L << 30,
                                4,
                                new PeerWait.For(Duration.ofMillis(1500)),
                                8,
                                Tuning.DEFAULT));
        assertThat(settings.tcpListeners().stream().map(EngineSettings.Listener::words))
                .containsExactly("[::1]:10809", "0.0.0.0:8001", "[::1]:8003", "localhost:8004");
        assertThat(settings(List.of("--peer-wait=forever")).peerWait())
                .isEqualTo(new PeerWait.Forever());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            textBlock =
                    """
                    --name=A                     | --name 'A'
                    --name=                      | --name ''
                    --nbd=unix:                  | names no path
                    --nbd=10809                  | '10809' has no port
                    --nbd=unix:/%s               | the kernel takes at most 107
                    --peer=host                  | 'host' has no port
                    --peer=host:                 | '' is not a port number
                    --peer=host:http             | 'http' is not a port number
                    --peer=host:0                | port 0 is not within 1 and 65535
                    --peer=host:65536            | port 65536 is not within
                    --peer=::1:7789              | write an IPv6 address in brackets
                    --peer=[host]:7789           | 'host' is not an IPv6 address
                    --peer=a/b:1                 | 'a/b' is not a host name
                    --peer=0.0.0.0:7789          | add --advertise
                    --peer=[::]:7789             | add --advertise
                    --control=127.0.0.1:7791     | 127.0.0.1:7791 is given twice, by --control and --http
                    --log-memory=lots            | 'lots' is not a size
                    --log-memory=96MB            | '96MB' is not a size
                    --log-memory=9999999999GiB   | '9999999999GiB' is not a size
                    --log-memory=1MiB            | --log-memory 1MiB: not within 16MiB and 64GiB
                    --shards=0                   | --shards 0: not within 1 and 64
                    --shards=many                | '--shards'
                    --io-threads=65              | --io-threads 65: not within 1 and 64
                    --peer-wait=soon             | 'soon' is not a duration
                    --peer-wait=61m              | within 0s and 60m
                    --unknown=1                  | '--unknown=1'
                    stray                        | 'stray'
                    """)
    void everyRefusalIsOneLineThatNamesTheCulprit(String argument, String reason) {
        CommandLineOutcome.Print refusal = print(List.of(argument.replace("%s", "x".repeat(107))));

        assertThat(refusal.exitCode()).isEqualTo(2);
        assertThat(refusal.text()).startsWith("mars-engine: ").contains(reason);
        assertThat(refusal.text().strip()).doesNotContain("\n");
    }

    @Test
    void requiredOptionsAreNamedWhenMissing() {
        CommandLineOutcome outcome = EngineCommandLine.parse();

        assertThat(outcome).isInstanceOf(CommandLineOutcome.Print.class);
        CommandLineOutcome.Print refusal = (CommandLineOutcome.Print) outcome;
        assertThat(refusal.exitCode()).isEqualTo(2);
        assertThat(refusal.text())
                .contains("--name", "--data-dir", "--nbd", "--peer", "--control", "--http");
        assertThat(refusal.text().strip()).doesNotContain("\n");
    }

    @Test
    void helpAndVersionAreNoErrors() {
        assertThat(print(List.of("--help")).text())
                .contains("--log-memory", "--insecure-nbd", "Usage: mars-engine");
        assertThat(print(List.of("--version")).text()).startsWith("mars-engine ");
        assertThat(print(List.of("--version")).exitCode()).isZero();
    }

    private static EngineSettings settings(List<String> more) {
        CommandLineOutcome outcome = outcome(more);
        assertThat(outcome).isInstanceOf(CommandLineOutcome.Run.class);
        return ((CommandLineOutcome.Run) outcome).settings();
    }

    private static CommandLineOutcome.Print print(List<String> more) {
        CommandLineOutcome outcome = outcome(more);
        assertThat(outcome).isInstanceOf(CommandLineOutcome.Print.class);
        return (CommandLineOutcome.Print) outcome;
    }

    /** The least arguments, less those that are given anew. */
    private static CommandLineOutcome outcome(List<String> more) {
        List<String> arguments = new ArrayList<>(LEAST);
        for (String each : more) {
            String option = each.substring(0, Math.max(each.indexOf('='), 0));
            arguments.removeIf(
                    earlier -> LEAST.contains(earlier) && earlier.startsWith(option + "="));
            arguments.add(each);
        }
        return EngineCommandLine.parse(arguments.toArray(String[]::new));
    }
}
