// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.ByteBuffer;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * The 128-bit hash that ties each frame to the one before it: the first half of SHA-256 over the
 * used bytes of the previous descriptor, which holds the chain value before. Mutable, one owner.
 */
public final class Chain {

    private final MessageDigest digest;
    private final byte[] scratch = new byte[LogFormat.BLOCK];
    private final byte[] hash = new byte[32];
    private long high;
    private long low;

    public Chain() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this JDK has no SHA-256", e);
        }
    }

    public void set(Link link) {
        high = link.high;
        low = link.low;
    }

    public long high() {
        return high;
    }

    public long low() {
        return low;
    }

    public Link link() {
        return new Link(high, low);
    }

    public boolean matches(long high, long low) {
        return this.high == high && this.low == low;
    }

    /** Makes the descriptor at {@code offset} of {@code buffer} the previous one. */
    void advance(ByteBuffer buffer, int offset, int recordCount) {
        int used = LogFormat.HEADER_BYTES + recordCount * LogFormat.RECORD_BYTES;
        buffer.get(offset, scratch, 0, used);
        digest.update(scratch, 0, used);
        try {
            digest.digest(hash, 0, hash.length);
        } catch (DigestException e) {
            throw new IllegalStateException(e);
        }
        high = longAt(0);
        low = longAt(8);
    }

    private long longAt(int at) {
        long value = 0;
        for (int i = at + 7; i >= at; i--) {
            value = value << 8 | (hash[i] & 0xff);
        }
        return value;
    }

    @Override
    public String toString() {
        return "Chain" + Arrays.asList(Long.toHexString(high), Long.toHexString(low));
    }

    /** A chain value at rest. */
    public record Link(long high, long low) {

        /** In front of the first frame of a log. */
        public static final Link START = new Link(0, 0);
    }
}
