// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import storage.mars.engine.server.config.CommandLineOutcome;
import storage.mars.engine.server.config.EngineCommandLine;
import storage.mars.engine.server.config.EngineSettings;

/** An engine that cannot run says so in one line and leaves nothing behind. */
class LaunchTest {

    private final List<ServerSocket> taken = new ArrayList<>();
    private int port;

    @TempDir Path root;

    @BeforeEach
    void takeOnePort() throws IOException {
        port = take();
    }

    @AfterEach
    void release() throws IOException {
        for (ServerSocket socket : taken) {
            socket.close();
        }
    }

    @Test
    void freeAddressesAndAFreshDirectoryAreTaken() throws Exception {
        Launch launch = Launch.prepare(settings("unix:" + root.resolve("a.sock"), free()));

        assertThat(root.resolve("data")).isDirectory();
        assertThat(root.resolve("a.sock")).doesNotExist();
        launch.directory().close();
    }

    @Test
    void busyPortIsNamedWithItsOptionAndNothingIsLeftBehind() throws IOException {
        assertRefused(
                settings("127.0.0.1:" + port, free()),
                "--nbd 127.0.0.1:" + port + " is in use by another process: ");
        assertRefused(
                settings("127.0.0.1:" + free(), port),
                "--peer 127.0.0.1:" + port + " is in use by another process: ");
    }

    @Test
    void busyPortChangesNothingInADirectoryThatIsInUseSinceLong() throws Exception {
        Path data = Files.createDirectory(root.resolve("data"));
        Files.writeString(data.resolve("engine.lock"), "12345678901234\n");
        Files.writeString(data.resolve("left-over.new"), "of a crash");
        SortedMap<String, String> before = aged(data);

        assertThatThrownBy(() -> Launch.prepare(settings("127.0.0.1:" + port, free())))
                .isInstanceOf(StartRefusedException.class);

        assertThat(contents(data)).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "name", "0123456789ABCDEF\n"})
    void aDamagedIdIsRefusedBeforeAnythingIsWrittenOrDeleted(String id) throws Exception {
        Path data = Files.createDirectory(root.resolve("data"));
        Files.writeString(data.resolve("engine.id"), id);
        Files.writeString(data.resolve("engine.lock"), "12345678901234\n");
        Files.writeString(data.resolve("left-over~"), "of a crash");
        SortedMap<String, String> before = aged(data);

        assertThatThrownBy(() -> Launch.prepare(settings("127.0.0.1:" + free(), free())))
                .isInstanceOf(StartRefusedException.class)
                .hasMessageContaining(data.resolve("engine.id") + " holds no engine id")
                .hasMessageContaining("remove it to get a new one");

        assertThat(contents(data)).isEqualTo(before);
    }

    @Test
    void aRefusalLeavesADirectoryWithoutALockAsOldAsItWas() throws Exception {
        Path data = Files.createDirectory(root.resolve("data"));
        Files.writeString(data.resolve("lost+found"), "");
        SortedMap<String, String> before = aged(data);

        assertThatThrownBy(() -> Launch.prepare(settings("127.0.0.1:" + port, free())))
                .isInstanceOf(StartRefusedException.class);

        assertThat(contents(data)).isEqualTo(before);
    }

    /** Contents, of long ago. */
    private static SortedMap<String, String> aged(Path directory) throws IOException {
        try (Stream<Path> tree = Files.walk(directory)) {
            for (Path each : (Iterable<Path>) tree.sorted(Comparator.reverseOrder())::iterator) {
                Files.setLastModifiedTime(each, FileTime.fromMillis(1_000_000_000_000L));
            }
        }
        return contents(directory);
    }

    /** Names, times and contents. */
    private static SortedMap<String, String> contents(Path directory) throws IOException {
        SortedMap<String, String> all = new TreeMap<>();
        try (Stream<Path> tree = Files.walk(directory)) {
            for (Path each : (Iterable<Path>) tree::iterator) {
                String text = Files.isDirectory(each) ? "" : Files.readString(each);
                all.put(each.toString(), Files.getLastModifiedTime(each) + " " + text);
            }
        }
        return all;
    }

    @Test
    void foreignAddressAndUnknownHostAreNamed() throws IOException {
        assertRefused(
                settings("192.0.2.1:10809", free(), "--insecure-nbd"),
                "--nbd 192.0.2.1:10809 is not an address of this machine");
        assertRefused(
                settings("host.invalid:10809", free()), "--nbd host.invalid:10809: unknown host");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0.0.0.0",
                "0",
                "[::]",
                "[0:0:0:0:0:0:0:0]",
                "[::ffff:0.0.0.0]",
                "192.0.2.1",
                "[2001:db8::1]",
                "[::ffff:192.0.2.1]",
                "[::ffff:c000:201]",
                "[::127.0.0.1]",
                "[fe80::1]"
            })
    void nbdThatOthersReachIsRefusedUnlessItIsWanted(String host) throws IOException {
        String address = host + ":" + free();

        assertRefused(
                settings(address, free()),
                "--nbd " + address + " can be reached from other machines, and NBD is plain text",
                "give a loopback address or unix:PATH, or add --insecure-nbd");
        assertRefused(
                settings("127.0.0.1:" + free(), free(), "--nbd=" + address),
                "--nbd " + address + " can be reached from other machines");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "[::]"})
    void nbdThatOthersReachIsServedWhereItIsWanted(String host) throws Exception {
        Launch.prepare(settings(host + ":" + free(), free(), "--insecure-nbd")).directory().close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "127.0.0.1", "127.0.0.2", "127.1", "[::ffff:127.0.0.1]"})
    void loopbackNeedsNoLeaveUnderAnyOfItsNames(String host) throws Exception {
        Launch.prepare(settings(host + ":" + free(), free())).directory().close();
    }

    @Test
    void loopbackOfVersionSixNeedsNoLeave() throws Exception {
        assumeTrue(hasLoopbackOfVersionSix(), "needs ::1 on this machine");

        Launch.prepare(settings("[::1]:" + free(), free())).directory().close();
    }

    @Test
    void nameOfSeveralAddressesIsTrustedWhenAllAre() {
        InetAddress own = InetAddress.getLoopbackAddress();
        InetAddress other = address(192, 0, 2, 1);

        assertThat(ListenerCheck.areOwn(own)).isTrue();
        assertThat(ListenerCheck.areOwn(own, address(127, 0, 0, 2))).isTrue();
        assertThat(ListenerCheck.areOwn(own, other)).isFalse();
        assertThat(ListenerCheck.areOwn(other, own)).isFalse();
    }

    @Test
    void socketPathThatCannotBeUsedIsNamed() throws IOException {
        Path file = Files.createFile(root.resolve("file"));

        assertRefused(settings("unix:" + file, free()), "exists and is no socket");
        assertRefused(
                settings("unix:" + root.resolve("no/a.sock"), free()),
                root.resolve("no") + " is not a directory");
        assertThat(file).exists();
    }

    @Test
    void socketThatIsServedIsInUseAndADeadOneIsNot() throws Exception {
        Path path = root.resolve("a.sock");
        EngineSettings settings = settings("unix:" + path, free());
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(path));
            assertRefused(settings, "unix:" + path + " is in use by another process");
        }
        assertThat(path).exists();

        Launch.prepare(settings).directory().close();
    }

    @Test
    void unusableDirectoryIsTheFirstThingSaid() throws IOException {
        Files.createFile(root.resolve("data"));

        assertThatThrownBy(() -> Launch.prepare(settings("127.0.0.1:" + port, free())))
                .isInstanceOf(StartRefusedException.class)
                .hasMessageContaining(root.resolve("data") + " is not a directory");
    }

    private void assertRefused(EngineSettings settings, String... reasons) {
        assertThatThrownBy(() -> Launch.prepare(settings))
                .isInstanceOf(StartRefusedException.class)
                .message()
                .contains(reasons)
                .doesNotContain("\n");
        assertThat(root.resolve("data")).doesNotExist();
    }

    private EngineSettings settings(String nbd, int peer, String... more) throws IOException {
        List<String> arguments =
                new ArrayList<>(
                        List.of(
                                "--name=a",
                                "--data-dir=" + root.resolve("data"),
                                "--nbd=" + nbd,
                                "--peer=127.0.0.1:" + peer,
                                "--control=127.0.0.1:" + free(),
                                "--http=127.0.0.1:" + free()));
        arguments.addAll(List.of(more));
        CommandLineOutcome outcome = EngineCommandLine.parse(arguments.toArray(String[]::new));
        return ((CommandLineOutcome.Run) outcome).settings();
    }

    private static InetAddress address(int... bytes) {
        byte[] raw = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            raw[i] = (byte) bytes[i];
        }
        try {
            return InetAddress.getByAddress(raw);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static boolean hasLoopbackOfVersionSix() throws SocketException {
        return NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .anyMatch(each -> each instanceof Inet6Address && each.isLoopbackAddress());
    }

    private int take() throws IOException {
        ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        taken.add(socket);
        return socket.getLocalPort();
    }

    private static int free() throws IOException {
        return FreePorts.next();
    }
}
