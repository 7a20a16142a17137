// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replication;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.BitSet;
import storage.mars.engine.log.Blocks;

/**
 * Digests by which a sync leaves out the blocks that both sides have: of each block the first 128
 * bits of its SHA-256 (FIPS 180-4). Who writes into a volume may choose the content of its blocks,
 * so a checksum that somebody could make collide would not do.
 */
final class BlockDigests {

    /** Bytes of the digest of one block. */
    static final int BYTES = 16;

    private static final String ALGORITHM = "SHA-256";

    private BlockDigests() {}

    /**
     * The digests of the blocks that {@code content} holds whole, one after the other; zeros, which
     * are the digest of nothing, for those {@code without}.
     */
    static ByteBuffer of(ByteBuffer content, BitSet without) {
        MessageDigest sha = sha();
        ByteBuffer block = content.duplicate();
        int count = content.remaining() >> Blocks.SHIFT;
        ByteBuffer digests = ByteBuffer.allocate(count * BYTES);
        for (int i = 0; i < count; i++) {
            if (!without.get(i)) {
                int at = content.position() + (i << Blocks.SHIFT);
                sha.update(block.limit(at + Blocks.SIZE).position(at));
                digests.put(i * BYTES, sha.digest(), 0, BYTES);
            }
        }
        return digests;
    }

    /** The blocks of {@code content}, counted from its first, that have other digests. */
    static BitSet differing(ByteBuffer content, ByteBuffer digests) {
        ByteBuffer own = of(content, new BitSet());
        BitSet differing = new BitSet();
        for (int at = 0; at < own.limit(); at += BYTES) {
            if (!own.slice(at, BYTES).equals(digests.slice(at, BYTES))) {
                differing.set(at / BYTES);
            }
        }
        return differing;
    }

    private static MessageDigest sha() {
        try {
            return MessageDigest.getInstance(ALGORITHM);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has " + ALGORITHM, e);
        }
    }
}
