// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

/**
 * How positions map to segment files: segment n holds the positions from n × size on, its header
 * block first. A position that is a multiple of the size is the one in front of a header. {@code
 * segmentBytes} is a constant of the resource, a power of two.
 */
public record SegmentLayout(int segmentBytes) {

    public static final SegmentLayout DEFAULT = new SegmentLayout(64 << 20);

    public SegmentLayout {
        if (segmentBytes < LogFormat.MIN_SEGMENT || Integer.bitCount(segmentBytes) != 1) {
            throw new IllegalArgumentException(
                    "segment size " + segmentBytes + " is not a power of two of at least 2 MiB");
        }
    }

    /** Start of the segment that holds the byte at {@code position}. */
    public long start(long position) {
        return position & -(long) segmentBytes;
    }

    /** End of that segment, which is the start of the next. */
    public long end(long position) {
        return start(position) + segmentBytes;
    }

    public int offset(long position) {
        return (int) (position & (segmentBytes - 1));
    }

    /** Whether the next thing at {@code position} is a segment header. */
    public boolean isHeader(long position) {
        return offset(position) == 0;
    }

    /** Bytes from {@code position} to the end of its segment. */
    public int room(long position) {
        return segmentBytes - offset(position);
    }
}
