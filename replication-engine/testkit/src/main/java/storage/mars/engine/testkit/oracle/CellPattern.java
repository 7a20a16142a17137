// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.oracle;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import storage.mars.engine.testkit.schedule.SimRandom;

/**
 * What writes write: each aligned cell of 8 bytes carries the version of the write and its own
 * place in the volume, scrambled by seed, volume and version, so that any cell read back names the
 * one write that produced it. A cell of zeros is version {@link #ZERO}.
 */
public final class CellPattern {

    /** Bytes of a cell. */
    public static final int CELL = 8;

    /** Version of what was never written, trimmed or zeroed. */
    public static final int ZERO = 0;

    private static final VarHandle LITTLE_ENDIAN =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final long seed;

    /** Keeps the upper bytes of cells from being zero, as versions mostly are. */
    private final int salt;

    public CellPattern(long seed) {
        this.seed = seed;
        salt = (int) SimRandom.mix(~seed) | 0x41414141;
    }

    /** The cell number {@code index} of a volume as that version writes it. */
    public long cell(int volume, long index, int version) {
        if (version == ZERO) {
            return 0;
        }
        return cell(index, version, scramble(volume, version));
    }

    private long cell(long index, int version, long scramble) {
        return ((long) (version ^ salt) << 32) | (scramble ^ low(index));
    }

    /** The version that the value claims. */
    public int claimedVersion(long value) {
        return (int) (value >>> 32) ^ salt;
    }

    /** The number of the cell that the value claims to be. */
    public long claimedIndex(int volume, long value) {
        return scramble(volume, claimedVersion(value)) ^ low(value);
    }

    /** What the lower halves of all cells of a write are scrambled with. */
    long scramble(int volume, int version) {
        return low(SimRandom.mix(seed ^ SimRandom.mix(((long) volume << 32) ^ version)));
    }

    static long low(long value) {
        return value & 0xFFFF_FFFFL;
    }

    /** The byte at {@code offset} of a volume as that version writes it. */
    public byte byteAt(int volume, long offset, int version) {
        return (byte) (cell(volume, offset / CELL, version) >>> (8 * (offset % CELL)));
    }

    /** Fills what remains of {@code into} as that version writes it at {@code offset}. */
    public void fill(int volume, long offset, int version, ByteBuffer into) {
        long scramble = scramble(volume, version);
        long at = offset;
        while (into.hasRemaining()) {
            if (at % CELL == 0 && into.remaining() >= CELL) {
                putLittleEndian(into, cell(at / CELL, version, scramble));
                at += CELL;
            } else {
                into.put(byteAt(volume, at, version));
                at++;
            }
        }
    }

    private static void putLittleEndian(ByteBuffer buffer, long value) {
        boolean big = buffer.order() == ByteOrder.BIG_ENDIAN;
        buffer.putLong(big ? Long.reverseBytes(value) : value);
    }

    /** The value of the cell that begins at {@code index} of {@code bytes}. */
    static long valueAt(byte[] bytes, int index) {
        return (long) LITTLE_ENDIAN.get(bytes, index);
    }
}
