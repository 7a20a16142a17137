// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Random damage to valid streams, by seed: the server lives, leaks nothing, and serves the next
 * client.
 */
@Timeout(60)
class FuzzIT {

    private static final int ROUNDS = 1500;
    private static final long SEED = Long.getLong("mars.fuzz.seed", 20261124L);

    @Test
    void damagedStreamsHarmNobody() throws IOException {
        try (NbdFixture fixture = new NbdFixture();
                RawClient bystander = fixture.enter(NbdFixture.HUGE)) {
            for (int round = 0; round < ROUNDS; round++) {
                Random random = new Random(SEED + round);
                byte[] stream = damaged(valid(random), random);
                RawClient client = random.nextBoolean() ? fixture.connect() : fixture.connectUnix();
                client.sendQuietly(stream);
                if (random.nextInt(4) == 0) {
                    client.halfCloseQuietly().awaitEnd();
                }
                if (random.nextBoolean()) {
                    client.close();
                } else {
                    client.reset();
                }
            }

            bystander.request(Nbd.CMD_FLUSH, 0, 1, 0, 0);
            assertThat(bystander.answer().error()).as("seed %s", SEED).isZero();
            await().until(() -> fixture.disk.attachedNow.get() == 0);
        }
    }

    private static byte[] valid(Random random) {
        byte[] stream =
                Wire.join(
                        new byte[] {0, 0, 0, 3},
                        Wire.option(Nbd.OPT_STRUCTURED_REPLY, new byte[0]),
                        Wire.option(
                                Nbd.OPT_SET_META_CONTEXT,
                                Wire.contexts(NbdFixture.DISK, "base:allocation")),
                        Wire.option(Nbd.OPT_GO, Wire.query(NbdFixture.DISK, 3)));
        for (int i = random.nextInt(20); i > 0; i--) {
            stream = Wire.join(stream, request(random));
        }
        return stream;
    }

    private static byte[] request(Random random) {
        int type = random.nextInt(9);
        int flags = random.nextInt(3) == 0 ? random.nextInt(64) : 0;
        long offset = random.nextInt(4) == 0 ? random.nextLong() : random.nextInt(1 << 20);
        int length = random.nextInt(1 << random.nextInt(1, 18));
        return type == Nbd.CMD_WRITE
                ? Wire.write(flags, random.nextLong(), offset, new byte[length])
                : Wire.request(type, flags, random.nextLong(), offset, length);
    }

    private static byte[] damaged(byte[] stream, Random random) {
        int start = random.nextBoolean() ? 0 : Math.min(200, stream.length - 1);
        for (int i = random.nextInt(4); i > 0; i--) {
            stream[random.nextInt(start, stream.length)] = (byte) random.nextInt();
        }
        int length = random.nextBoolean() ? stream.length : random.nextInt(stream.length);
        return java.util.Arrays.copyOf(stream, length);
    }
}
