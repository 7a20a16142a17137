// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

/**
 * Byte offsets and limits of log format version 1, little endian throughout; docs/format/log.md is
 * the specification.
 *
 * <pre>
 * segment header block                    frame descriptor block
 *   0 u64 magic "MARSSEG1"                  0 u32 magic "MFRM"
 *   8 u32 version                           4 u16 version
 *  12 u32 segment size                      6 u16 record count
 *  16 u64 resource id                       8 u64 resource id
 *  24 u64 start position                   16 u64 position
 *  32 u64 term                             24 u32 length in bytes, descriptor included
 *  40 u64 sequence                         28 u32 flags: 1 = PAD
 *  48 u64 epoch id                         32 u64 term
 *  56 u64 chain, high                      40 u64 sequence
 *  64 u64 chain, low                       48 u64 epoch id
 *  ...  zero                               56 u64 wall clock, µs
 * 4092 u32 CRC32C of the 4092 before       64 u64 durableAtSeal
 *                                          72 u64 chain, high
 * record descriptor (32 bytes)             80 u64 chain, low
 *   0 u8  type                             88 .. zero
 *   1 u8  zero                            128 record descriptors
 *   2 u16 volume                         4092 u32 CRC32C of the 4092 before
 *   4 u32 CRC32C of the payload
 *   8 u64 offset in the volume, bytes
 *  16 u64 length of the range, bytes
 *  24 u32 payload offset in the frame
 *  28 u32 payload length
 * </pre>
 */
public final class LogFormat {

    public static final int VERSION = 1;
    public static final int BLOCK = Blocks.SIZE;

    /**
     * A record's payload is at most this; so a read back from a segment always verifies a whole
     * record.
     */
    public static final int MAX_PAYLOAD = 64 << 10;

    /** A frame, its descriptor included, is at most this; it is also the size of a window chunk. */
    public static final int MAX_FRAME = 1 << 20;

    public static final int MIN_SEGMENT = 2 << 20;

    static final long SEGMENT_MAGIC = 0x3147_4553_5352_414dL;
    static final int FRAME_MAGIC = 0x4d52_464d;
    static final int FLAG_PAD = 1;

    static final int HEADER_BYTES = 128;
    static final int RECORD_BYTES = 32;
    static final int CRC_OFFSET = BLOCK - 4;

    /** Records of one frame. */
    public static final int MAX_RECORDS = (CRC_OFFSET - HEADER_BYTES) / RECORD_BYTES;

    private LogFormat() {}
}
