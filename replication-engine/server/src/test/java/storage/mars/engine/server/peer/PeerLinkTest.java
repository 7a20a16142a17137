// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import storage.mars.engine.port.PeerAcceptor;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.port.PeerNetwork;
import storage.mars.engine.port.Shard;
import storage.mars.engine.server.io.NettyShard;
import storage.mars.engine.server.io.ShardGroup;

/** Links over loopback: two shards here, so that accepted connections really move. */
class PeerLinkTest {

    private final List<RecordingReceiver> accepted = new CopyOnWriteArrayList<>();
    private ShardGroup shards;
    private PeerServer server;

    @BeforeEach
    void start() throws IOException {
        shards = ShardGroup.start(2);
        server = start(new PeerServer.Limits(3, 1 << 10, Duration.ofMillis(300)));
    }

    @AfterEach
    void stop() {
        server.stop();
        assertThat(accepted).noneMatch(receiver -> receiver.offShard);
        shards.stop(Duration.ofSeconds(5));
    }

    @Test
    void messagesArriveWholeAndInOrderOnBothSides() {
        RecordingReceiver here = dial();
        String large = "y".repeat(MessageDecoder.MAX_MESSAGE);

        send(here, "to 1", "one", large, "", "last");
        RecordingReceiver there = acceptedLink(0);

        await().untilAsserted(() ->
                assertThat(there.messages).containsExactly("to 1", "one", large, "", "last"));
        send(there, "answer");
        await().untilAsserted(() -> assertThat(here.messages).containsExactly("answer"));
        assertThat(here.link.remote()).isEqualTo("127.0.0.1:" + server.address().getPort());
        assertThat(there.link.remote()).startsWith("127.0.0.1:");
    }

    @Test
    void acceptedLinkBelongsToTheShardThatItsFirstMessageNames() {
        for (int i = 0; i < 8; i++) {
            send(dial(), "to " + i % 2);
            acceptedLink(i);
        }

        await().until(() -> accepted.stream().mapToInt(each -> each.messages.size()).sum() == 8);
        assertThat(accepted).noneMatch(receiver -> receiver.offShard);
    }

    @Test
    void everyByteSplitOfTheBeginningIsUnderstood() throws Exception {
        byte[] bytes = frames("to 1", "two");
        for (int split = 1; split < bytes.length; split++) {
            try (Socket socket = connect()) {
                socket.setTcpNoDelay(true);
                socket.getOutputStream().write(bytes, 0, split);
                socket.getOutputStream().write(bytes, split, bytes.length - split);

                RecordingReceiver there = acceptedLink(split - 1);
                await().until(() -> there.messages.equals(List.of("to 1", "two")));
            }
        }
    }

    @Test
    void oversizedLengthEndsOnlyItsOwnConnection() throws Exception {
        RecordingReceiver healthy = dial();
        send(healthy, "to 0");
        try (Socket socket = connect()) {
            socket.getOutputStream().write(new byte[] {0, 0, 0, 0x7f, 1, 2, 3});
            assertEnds(socket);
        }

        send(healthy, "still here");
        RecordingReceiver there = acceptedLink(0);
        await().until(() -> there.messages.contains("still here"));
        assertThat(accepted).hasSize(1);
    }

    @Test
    void firstMessageIsBoundedMoreTightlyThanLaterOnes() throws Exception {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(frames("z".repeat(1025)));
            assertEnds(socket);
        }
        assertThat(accepted).isEmpty();
    }

    @Test
    void unknownConversationIsEnded() throws Exception {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(frames("GET / HTTP/1.1"));
            assertEnds(socket);
        }
        assertThat(accepted).isEmpty();
    }

    @Test
    void silentConnectionIsEndedAfterItsTime() throws Exception {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(1);
            assertEnds(socket);
        }
    }

    @Test
    void tooManySilentConnectionsAreEndedAndTheOthersStay() throws Exception {
        server.stop();
        server = start(new PeerServer.Limits(3, 1 << 10, Duration.ofSeconds(60)));
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) {
                sockets.add(connect());
                sockets.getLast().getOutputStream().write(1);
            }
            await().until(this::oneMoreIsEnded);

            sockets.removeFirst().close();
            RecordingReceiver next = dialUntilAccepted();

            assertThat(next.closed).isNull();
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    @Test
    void halfCloseEndsTheLinkAfterWhatWasSentBefore() throws Exception {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(frames("to 1", "end"));
            RecordingReceiver there = acceptedLink(0);
            await().until(() -> there.messages.size() == 2);
            socket.shutdownOutput();

            await().until(() -> there.closed != null);
            assertThat(there.closed).isEqualTo("closed by the other side");
            assertEnds(socket);
        }
    }

    @Test
    void closeSendsWhatWaitsAndTellsBothSidesOnce() {
        RecordingReceiver here = dial();
        send(here, "to 1");
        RecordingReceiver there = acceptedLink(0);
        shard(0).execute(() -> {
            here.link.send(bytes("last words"));
            here.link.close();
            here.link.close();
            here.link.send(bytes("too late"));
        });

        await().until(() -> there.closed != null && here.closed != null);

        assertThat(there.messages).containsExactly("to 1", "last words");
        assertThat(here.closed).isEqualTo("closed by this engine");
        assertThat(there.closed).isEqualTo("closed by the other side");
    }

    @Test
    void senderIsToldToWaitAndWhenToGoOn() throws Exception {
        try (ServerSocket slow = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            RecordingReceiver here = dial("127.0.0.1:" + slow.getLocalPort());
            Socket peer = slow.accept();
            CompletableFuture<Long> sent = new CompletableFuture<>();
            int[] toldBefore = {-1};
            shard(0).execute(() -> {
                fill(here.link, 0, sent);
                toldBefore[0] = here.writableCalls.get();
            });

            long bytes = sent.orTimeout(20, TimeUnit.SECONDS).join();
            peer.getInputStream().skipNBytes(bytes);

            await().until(() -> here.writableCalls.get() == 1);
            assertThat(toldBefore[0]).isZero();
            peer.close();
            await().until(() -> here.closed != null);
        }
    }

    @Test
    void dialFailsWithAReasonAndLaterSucceeds() throws Exception {
        int port;
        try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = closed.getLocalPort();
        }

        assertThat(dialFailure("127.0.0.1:" + port)).isEqualTo("connection refused");
        assertThat(dialFailure("nowhere")).contains("HOST:PORT");
        assertThat(dialFailure("host.invalid:7789")).isNotEmpty();
        assertThat(dial("localhost:" + server.address().getPort()).closed).isNull();
    }

    @Test
    void addressInUseIsAnErrorThatNamesIt() {
        assertThatThrownBy(() ->
                        PeerServer.start(
                                server.address(),
                                shards,
                                new Acceptor(),
                                PeerServer.Limits.standard()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("127.0.0.1:" + server.address().getPort());
    }

    private PeerServer start(PeerServer.Limits limits) throws IOException {
        return PeerServer.start(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                shards,
                new Acceptor(),
                limits);
    }

    private NettyShard shard(int number) {
        return shards.shards().get(number);
    }

    private RecordingReceiver dial() {
        return dial("127.0.0.1:" + server.address().getPort());
    }

    private RecordingReceiver dial(String address) {
        return Objects.requireNonNull(outcome(address).receiver());
    }

    private String dialFailure(String address) {
        return Objects.requireNonNull(outcome(address).reason());
    }

    private Outcome outcome(String address) {
        CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        shard(0).execute(() ->
                new NettyPeerNetwork(shard(0)).dial(address, new RecordingDialer(outcome)));
        return outcome.orTimeout(20, TimeUnit.SECONDS).join();
    }

    private RecordingReceiver acceptedLink(int index) {
        await().until(() -> accepted.size() > index);
        return accepted.get(index);
    }

    private RecordingReceiver dialUntilAccepted() {
        int before = accepted.size();
        await().until(() -> {
            RecordingReceiver link = dial();
            send(link, "to 0");
            await().until(() -> link.closed != null || accepted.size() > before);
            return accepted.size() > before;
        });
        return accepted.get(before);
    }

    private boolean oneMoreIsEnded() throws IOException {
        try (Socket socket = connect()) {
            socket.setSoTimeout(200);
            return ends(socket);
        }
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket(server.address().getAddress(), server.address().getPort());
        socket.setSoTimeout(10_000);
        return socket;
    }

    private static void assertEnds(Socket socket) {
        assertThat(ends(socket)).isTrue();
    }

    /** An end of file and a reset are equally an end. */
    private static boolean ends(Socket socket) {
        try {
            return socket.getInputStream().read() < 0;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    private static void fill(PeerLink link, long sent, CompletableFuture<Long> done) {
        long bytes = sent;
        while (link.isWritable()) {
            link.send(ByteBuffer.allocate(64 << 10));
            bytes += (64 << 10) + 4;
        }
        done.complete(bytes);
    }

    private void send(RecordingReceiver receiver, String... messages) {
        receiver.shard.execute(() -> {
            for (String message : messages) {
                receiver.link.send(bytes(message));
            }
        });
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] frames(String... messages) {
        ByteBuffer all = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        for (String message : messages) {
            all.putInt(message.length()).put(bytes(message));
        }
        byte[] frames = new byte[all.position()];
        all.flip().get(frames);
        return frames;
    }

    private record Outcome(@Nullable RecordingReceiver receiver, @Nullable String reason) {}

    private final class RecordingDialer implements PeerNetwork.Dialer {

        private final CompletableFuture<Outcome> outcome;

        RecordingDialer(CompletableFuture<Outcome> outcome) {
            this.outcome = outcome;
        }

        @Override
        public PeerLink.Receiver connected(PeerLink link) {
            RecordingReceiver receiver = new RecordingReceiver(link, shard(0));
            outcome.complete(new Outcome(receiver, null));
            return receiver;
        }

        @Override
        public void failed(String reason) {
            outcome.complete(new Outcome(null, reason));
        }
    }

    /** Knows messages of the form "to N", N being the number of a shard. */
    private final class Acceptor implements PeerAcceptor {

        @Override
        public @Nullable Shard shardFor(ByteBuffer firstMessage) {
            String text = StandardCharsets.UTF_8.decode(firstMessage).toString();
            return text.startsWith("to ") ? shard(text.charAt(3) - '0') : null;
        }

        @Override
        public PeerLink.Receiver accepted(PeerLink link) {
            NettyShard current =
                    shards.shards().stream()
                            .filter(NettyShard::isCurrent)
                            .findFirst()
                            .orElseThrow();
            RecordingReceiver receiver = new RecordingReceiver(link, current);
            accepted.add(receiver);
            return receiver;
        }
    }
}
