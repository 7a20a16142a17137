// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.engine.server.app.TestEngine;

/**
 * Clients that leave and clients that send anything, at the resources of a whole engine: what
 * {@link CutSessionIT}, {@link DisconnectIT} and {@link FuzzIT} do to exports in memory.
 */
@Timeout(180)
class HostileClientsIT {

    private static final String EXPORT = "r/data";
    private static final String OTHER = "s/data";
    private static final int LENGTH = CutSession.lengthOn(EXPORT);
    private static final int FUZZ_ROUNDS = 400;
    private static final long SEED = Long.getLong("mars.fuzz.seed", 20261130L);

    @TempDir Path root;

    private TestEngine engine;
    private RawClient bystander;

    @BeforeEach
    void start() throws Exception {
        engine = TestEngine.startWithTcp(root, "a");
        engine.create("r");
        engine.create("s");
        bystander = enter(OTHER);
        byte[] base = new byte[CutSession.BASE];
        Arrays.fill(base, (byte) 1);
        bystander.write(1, 0, base).answer();
        try (RawClient client = enter(EXPORT)) {
            assertThat(client.write(1, 0, base).answer().error()).isZero();
            client.request(Nbd.CMD_DISC, 0, 2, 0, 0).expectEnd();
        }
    }

    @AfterEach
    void stop() {
        expectUndisturbed();
        bystander.close();
        engine.close();
    }

    @Test
    void clientsThatHalfCloseAtAnyByte() throws Exception {
        Map<CutSession, Set<Long>> sessions = new LinkedHashMap<>();
        for (int sent = 0; sent <= LENGTH; sent++) {
            CutSession atOnce = session(2 * sent, sent);
            try (RawClient client = connect(sent).send(atOnce.bytes()).halfClose()) {
                sessions.put(atOnce, atOnce.answeredTo(client));
            }
            CutSession later = session(2 * sent + 1, sent);
            try (RawClient client = connect(sent).send(later.bytes())) {
                sessions.put(later, later.awaitAnswers(client));
                client.halfCloseQuietly().expectEnd();
            }
        }
        sessions.forEach((session, answered) -> {
            if (session.saidFarewell()) {
                assertThat(answered).isEqualTo(session.complete());
            }
        });

        expectEffects(sessions);
        engine.stop();
        engine.start();
        await().until(() -> engine.get("r").getState().equals("Serving"));
        expectEffects(sessions);
        bystander.close();
        await().until(() -> engine.get("s").getState().equals("Serving"));
        bystander = enter(OTHER);
    }

    @Test
    void clientsThatResetOrCloseAtAnyByte() {
        Map<CutSession, Set<Long>> sessions = new LinkedHashMap<>();
        for (int sent = 0; sent <= LENGTH; sent++) {
            CutSession atOnce = session(2 * sent, sent);
            sessions.put(atOnce, Set.of());
            connect(sent).send(atOnce.bytes()).reset();
            CutSession later = session(2 * sent + 1, sent);
            RawClient client = connect(sent).send(later.bytes());
            sessions.put(later, later.awaitAnswers(client));
            client.reset();
            expectUndisturbed();
        }

        awaitNobodyAttached();
        expectEffects(sessions);
    }

    @Test
    void resetsWithLargeReadsInFlight() {
        RawClient honest = enter(EXPORT);
        for (int i = 0; i < 50; i++) {
            RawClient client = RawClient.tcp(engine.tcp()).hello().go(EXPORT);
            for (int n = 0; n < 8; n++) {
                client.request(Nbd.CMD_READ, 0, n, 0, TestEngine.VOLUME);
            }
            assertThat(client.receive(1 + i * 977).hasRemaining()).isTrue();
            client.reset();
            honest.request(Nbd.CMD_READ, 0, i, 0, CutSession.BASE);
            assertThat(honest.answer(CutSession.BASE).data()).containsOnly(1);
        }
        honest.close();
        awaitNobodyAttached();
    }

    @Test
    void damagedStreamsHarmNobody() {
        for (int round = 0; round < FUZZ_ROUNDS; round++) {
            Random random = new Random(SEED + round);
            byte[] stream = DamagedStream.of(EXPORT, random);
            RawClient client =
                    random.nextBoolean()
                            ? RawClient.tcp(engine.tcp())
                            : RawClient.unix(engine.socket());
            DamagedStream.sendAndGo(stream, client, random);
        }

        awaitNobodyAttached();
        assertThat(engine.get("r").getState()).as("seed %s", SEED).isEqualTo("Serving");
        try (RawClient client = enter(EXPORT)) {
            byte[] data = {1, 2, 3};
            assertThat(client.write(1, 5, data).answer().error()).as("seed %s", SEED).isZero();
            client.request(Nbd.CMD_READ, 0, 2, 5, 3);
            assertThat(client.answer(3).data()).as("seed %s", SEED).isEqualTo(data);
        }
    }

    private static CutSession session(int number, int sent) {
        return new CutSession(EXPORT, (1L + number) * CutSession.STRIDE, sent);
    }

    private RawClient connect(int number) {
        return number % 2 == 0 ? RawClient.tcp(engine.tcp()) : RawClient.unix(engine.socket());
    }

    private RawClient enter(String export) {
        return RawClient.unix(engine.socket()).hello().go(export);
    }

    private void awaitNobodyAttached() {
        await().atMost(Duration.ofSeconds(20))
                .until(() -> engine.get("r").getExports(0).getConnections() == 0);
    }

    private void expectEffects(Map<CutSession, Set<Long>> sessions) {
        try (RawClient client = enter(EXPORT)) {
            sessions.forEach((session, answered) -> {
                client.request(Nbd.CMD_READ, 0, 1, session.offset(), CutSession.STRIDE);
                session.expect(client.answer(CutSession.STRIDE).data(), answered);
            });
        }
    }

    private void expectUndisturbed() {
        bystander.request(Nbd.CMD_READ, 0, 2, 0, CutSession.BASE);
        assertThat(bystander.answer(CutSession.BASE).data()).containsOnly(1);
    }
}
