// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.server.app.TestEngine;

/** Clients that come back by themselves, to the data they know and to other data. */
@Timeout(120)
class IncarnationIT {

    private static final String EXPORT = "r/data";

    @TempDir Path root;

    @Test
    void clientComesBackAfterARestartAndNotAfterAForcedPromotion() throws Exception {
        try (TestEngine a = TestEngine.start(root, "a");
                TestEngine b = TestEngine.start(root, "b")) {
            String known = EXPORT + "@incarnation=" + a.create("r").getIncarnation();
            write(a, known, 1);
            a.stop();
            a.start();
            a.awaitServing("r");
            write(a, known, 2);

            b.join("r", a);
            b.awaitCaughtUp("r", a);
            assertThat(firstByte(b, known)).isEqualTo(2);
            b.stop();
            write(a, known, 3);
            a.stop();
            b.start();
            await().until(() -> b.get("r").getState().equals("Secondary"));
            Replica promoted = b.promoteByForce("r", b.get("r").getTerm());

            try (RawClient client = connect(b)) {
                for (int option : new int[] {Nbd.OPT_INFO, Nbd.OPT_GO}) {
                    client.option(option, Wire.query(known));
                    RawClient.OptionReply reply = client.reply();
                    assertThat(reply.type()).isEqualTo(Nbd.REP_ERR_POLICY);
                    assertThat(reply.text())
                            .contains(promoted.getIncarnation(), known.replaceFirst(".*=", ""))
                            .contains("may be gone");
                }
            }
            String present = EXPORT + "@incarnation=" + promoted.getIncarnation();
            assertThat(firstByte(b, present)).isEqualTo(2);
            assertThat(firstByte(b, EXPORT)).isEqualTo(2);
        }
    }

    @Test
    void followerOffersTheIncarnationOfTheNewPrimary() throws Exception {
        try (TestEngine a = TestEngine.start(root, "a");
                TestEngine b = TestEngine.start(root, "b");
                TestEngine c = TestEngine.start(root, "c")) {
            String known = EXPORT + "@incarnation=" + a.create("r").getIncarnation();
            write(a, known, 1);
            b.join("r", a);
            c.join("r", a);
            b.awaitCaughtUp("r", a);
            c.awaitCaughtUp("r", a);
            a.stop();
            Replica promoted = b.promoteByForce("r", b.get("r").getTerm());
            String present = EXPORT + "@incarnation=" + promoted.getIncarnation();
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> c.get("r").getIncarnation().equals(promoted.getIncarnation()));

            assertThat(firstByte(c, present)).isEqualTo(1);
            try (RawClient client = connect(c)) {
                client.option(Nbd.OPT_GO, Wire.query(known));
                assertThat(client.reply().type()).isEqualTo(Nbd.REP_ERR_POLICY);
                client.option(Nbd.OPT_GO, Wire.query(present, Nbd.INFO_DESCRIPTION));
                assertThat(client.reply().type()).isEqualTo(Nbd.REP_INFO);
                assertThat(client.reply().text())
                        .endsWith("secondary, read-only, incarnation " + promoted.getIncarnation());
            }
        }
    }

    private static RawClient connect(TestEngine engine) {
        return RawClient.unix(engine.socket()).hello();
    }

    private static void write(TestEngine engine, String export, int value) {
        try (RawClient client = connect(engine).go(export)) {
            assertThat(client.write(1, 0, new byte[] {(byte) value}).answer().error()).isZero();
            client.request(Nbd.CMD_DISC, 0, 2, 0, 0).expectEnd();
        }
    }

    private static int firstByte(TestEngine engine, String export) {
        try (RawClient client = connect(engine).go(export)) {
            client.request(Nbd.CMD_READ, 0, 1, 0, 1);
            return client.answer(1).data()[0];
        }
    }
}
