// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import java.util.Arrays;
import java.util.Random;

/**
 * What a client that speaks NBD would send, damaged in some bytes and cut anywhere, from a seed.
 */
final class DamagedStream {

    private DamagedStream() {}

    /** A handshake that enters {@code export} and requests behind it, before the damage. */
    static byte[] of(String export, Random random) {
        return damaged(valid(export, random), random);
    }

    /** Sends a stream and goes, in one of the ways in which clients go. */
    static void sendAndGo(byte[] stream, RawClient client, Random random) {
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

    private static byte[] valid(String export, Random random) {
        byte[] stream =
                Wire.join(
                        new byte[] {0, 0, 0, 3},
                        Wire.option(Nbd.OPT_STRUCTURED_REPLY, new byte[0]),
                        Wire.option(
                                Nbd.OPT_SET_META_CONTEXT, Wire.contexts(export, "base:allocation")),
                        Wire.option(Nbd.OPT_GO, Wire.query(export, 3)));
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
        return Arrays.copyOf(stream, length);
    }
}
