// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A client that leaves after {@code sent} bytes of a session of two WRITEs, a READ, a FLUSH and a
 * farewell, and what may come of it. Each session has {@link #STRIDE} bytes of the export of its
 * own to write to from {@code offset} on, zero before; all read the first {@link #BASE} bytes,
 * which are ones.
 */
record CutSession(String export, long offset, int sent) {

    static final int STRIDE = 1024;
    static final int BASE = 128;

    private static final long FIRST = 1;
    private static final long READ = 2;
    private static final long SECOND = 3;
    private static final long FLUSH = 4;
    private static final int FIRST_AT = 17;
    private static final int FIRST_BYTES = 64;
    private static final int SECOND_AT = 500;
    private static final int SECOND_BYTES = 200;

    private List<byte[]> parts() {
        return List.of(
                new byte[] {0, 0, 0, 3},
                Wire.option(Nbd.OPT_GO, Wire.query(export)),
                Wire.write(0, FIRST, offset + FIRST_AT, filled(FIRST_BYTES, 1)),
                Wire.request(Nbd.CMD_READ, 0, READ, 0, BASE),
                Wire.write(Nbd.CMD_FLAG_FUA, SECOND, offset + SECOND_AT, filled(SECOND_BYTES, 2)),
                Wire.request(Nbd.CMD_FLUSH, 0, FLUSH, 0, 0),
                Wire.request(Nbd.CMD_DISC, 0, 5, 0, 0));
    }

    /** Bytes of the whole session. */
    static int lengthOn(String export) {
        return new CutSession(export, 0, 0).whole().length;
    }

    private byte[] whole() {
        return Wire.join(parts().toArray(byte[][]::new));
    }

    byte[] bytes() {
        return Arrays.copyOf(whole(), sent);
    }

    /** The requests that have to be answered: those that are complete. */
    Set<Long> complete() {
        List<byte[]> parts = parts();
        Set<Long> complete = new HashSet<>();
        int end = parts.get(0).length + parts.get(1).length;
        for (long cookie = FIRST; cookie <= FLUSH; cookie++) {
            end += parts.get((int) cookie + 1).length;
            if (end <= sent) {
                complete.add(cookie);
            }
        }
        return complete;
    }

    private boolean entered() {
        return sent >= parts().get(0).length + parts().get(1).length;
    }

    boolean saidFarewell() {
        return sent == whole().length;
    }

    /** The requests that are answered until the server ends; fails on anything wrong. */
    Set<Long> answeredTo(RawClient client) {
        expectHandshake(client);
        Set<Long> answered = new HashSet<>();
        while (!client.ended()) {
            expectAnswer(client, answered);
        }
        assertThat(complete()).as("%s", this).containsAll(answered);
        return answered;
    }

    /** Waits until all requests are answered that are complete; fails on anything wrong. */
    Set<Long> awaitAnswers(RawClient client) {
        expectHandshake(client);
        Set<Long> answered = new HashSet<>();
        while (answered.size() < complete().size()) {
            expectAnswer(client, answered);
        }
        assertThat(answered).as("%s", this).isEqualTo(complete());
        return answered;
    }

    private void expectHandshake(RawClient client) {
        client.receive(18);
        if (entered()) {
            assertThat(client.reply().type()).isEqualTo(Nbd.REP_INFO);
            assertThat(client.reply().type()).isEqualTo(Nbd.REP_ACK);
        }
    }

    private void expectAnswer(RawClient client, Set<Long> answered) {
        RawClient.Answer answer = client.answer(cookie -> cookie == READ ? BASE : 0);
        assertThat(answer.error()).as("%s", this).isZero();
        assertThat(answered.add(answer.cookie())).as("answered twice: %s", this).isTrue();
        if (answer.cookie() == READ) {
            assertThat(answer.data()).as("%s", this).containsOnly(1);
        }
    }

    /** {@code content} is what the session's part of the export holds in the end. */
    void expect(byte[] content, Set<Long> answered) {
        byte[] rest = content.clone();
        expect(FIRST, rest, FIRST_AT, filled(FIRST_BYTES, 1), answered);
        expect(SECOND, rest, SECOND_AT, filled(SECOND_BYTES, 2), answered);
        assertThat(rest).as("beside the writes of %s", this).containsOnly(0);
    }

    private void expect(long cookie, byte[] rest, int at, byte[] written, Set<Long> answered) {
        byte[] found = Arrays.copyOfRange(rest, at, at + written.length);
        boolean absent = Arrays.equals(found, new byte[written.length]);
        if (answered.contains(cookie)) {
            assertThat(found).as("answered WRITE %s of %s", cookie, this).isEqualTo(written);
        } else if (complete().contains(cookie)) {
            assertThat(absent || Arrays.equals(found, written))
                    .as("WRITE %s of %s, all or nothing", cookie, this)
                    .isTrue();
        } else {
            assertThat(absent).as("incomplete WRITE %s of %s", cookie, this).isTrue();
        }
        Arrays.fill(rest, at, at + written.length, (byte) 0);
    }

    private static byte[] filled(int count, int value) {
        byte[] bytes = new byte[count];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }
}
