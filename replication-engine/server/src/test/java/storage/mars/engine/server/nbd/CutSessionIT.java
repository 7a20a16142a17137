// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that leave at every byte of a session with requests: what is complete is done. */
@Timeout(120)
class CutSessionIT {

    private static final int LENGTH = CutSession.lengthOn(NbdFixture.DISK);

    private NbdFixture fixture;
    private RawClient bystander;

    @BeforeEach
    void start() throws IOException {
        fixture = new NbdFixture();
        bystander = fixture.enter(NbdFixture.DISK);
        byte[] base = new byte[CutSession.BASE];
        Arrays.fill(base, (byte) 1);
        bystander.write(1, 0, base).answer();
    }

    @AfterEach
    void stop() throws IOException {
        await().until(() -> fixture.disk.attachedNow.get() == 1);
        bystander.close();
        fixture.close();
    }

    @Test
    void completeRequestsAreAnsweredAfterAHalfClose() {
        halfClose(fixture::connect);
    }

    @Test
    void completeRequestsAreAnsweredAfterAHalfCloseOfAUnixSocket() {
        halfClose(fixture::connectUnix);
    }

    private void halfClose(Supplier<RawClient> connect) {
        for (int sent = 0; sent <= LENGTH; sent++) {
            CutSession session = session(sent, sent);
            try (RawClient client = connect.get().send(session.bytes()).halfClose()) {
                Set<Long> answered = session.answeredTo(client);

                assertThat(answered).as("%s", session).isEqualTo(session.complete());
                session.expect(content(session), answered);
            }
            expectUndisturbed();
        }
    }

    @Test
    void incompleteWritesHaveNoEffectAfterAReset() {
        Map<CutSession, Set<Long>> sessions = new LinkedHashMap<>();
        for (int sent = 0; sent <= LENGTH; sent++) {
            CutSession atOnce = session(2 * sent, sent);
            fixture.connect().send(atOnce.bytes()).reset();
            sessions.put(atOnce, Set.of());
            expectUndisturbed();
            CutSession later = session(2 * sent + 1, sent);
            RawClient client = fixture.connect().send(later.bytes());
            sessions.put(later, later.awaitAnswers(client));
            client.reset();
            expectUndisturbed();
        }
        await().until(() -> fixture.disk.attachedNow.get() == 1);

        sessions.forEach((session, answered) -> session.expect(content(session), answered));
    }

    private static CutSession session(int number, int sent) {
        return new CutSession(NbdFixture.DISK, (1L + number) * CutSession.STRIDE, sent);
    }

    private byte[] content(CutSession session) {
        return fixture.disk.bytes(session.offset(), CutSession.STRIDE);
    }

    private void expectUndisturbed() {
        bystander.request(Nbd.CMD_READ, 0, 2, 0, CutSession.BASE);
        assertThat(bystander.answer(CutSession.BASE).data()).containsOnly(1);
    }
}
