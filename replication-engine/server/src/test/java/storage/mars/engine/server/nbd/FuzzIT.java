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
                byte[] stream = DamagedStream.of(NbdFixture.DISK, random);
                RawClient client = random.nextBoolean() ? fixture.connect() : fixture.connectUnix();
                DamagedStream.sendAndGo(stream, client, random);
            }

            bystander.request(Nbd.CMD_FLUSH, 0, 1, 0, 0);
            assertThat(bystander.answer().error()).as("seed %s", SEED).isZero();
            await().until(() -> fixture.disk.attachedNow.get() == 0);
        }
    }
}
