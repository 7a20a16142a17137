// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import static storage.mars.engine.log.LogFormat.HEADER_BYTES;
import static storage.mars.engine.log.LogFormat.RECORD_BYTES;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes a frame descriptor where it lies. A flyweight: it owns nothing and is moved from
 * frame to frame.
 */
public final class FrameView {

    private static final ByteBuffer NOWHERE = ByteBuffer.allocate(0).order(ByteOrder.LITTLE_ENDIAN);

    private ByteBuffer buffer = NOWHERE;
    private int at;

    /** Lays the view over the descriptor at {@code offset} of a little-endian buffer. */
    public FrameView wrap(ByteBuffer buffer, int offset) {
        this.buffer = buffer;
        this.at = offset;
        return this;
    }

    public ByteBuffer buffer() {
        return buffer;
    }

    /** Offset of the descriptor in {@link #buffer}. */
    public int offset() {
        return at;
    }

    public boolean hasMagic() {
        return buffer.getInt(at) == LogFormat.FRAME_MAGIC;
    }

    public int version() {
        return buffer.getShort(at + 4) & 0xffff;
    }

    public int recordCount() {
        return buffer.getShort(at + 6) & 0xffff;
    }

    public long resource() {
        return buffer.getLong(at + 8);
    }

    public long position() {
        return buffer.getLong(at + 16);
    }

    /** Bytes of the frame, descriptor included; of a PAD frame, to the end of its segment. */
    public int length() {
        return buffer.getInt(at + 24);
    }

    public boolean isPad() {
        return (buffer.getInt(at + 28) & LogFormat.FLAG_PAD) != 0;
    }

    /**
     * Bytes of the frame that exist in memory and on the wire: a PAD frame is its descriptor alone.
     */
    public int storedLength() {
        return isPad() ? LogFormat.BLOCK : length();
    }

    public long term() {
        return buffer.getLong(at + 32);
    }

    public long sequence() {
        return buffer.getLong(at + 40);
    }

    public long epochId() {
        return buffer.getLong(at + 48);
    }

    public long wallMicros() {
        return buffer.getLong(at + 56);
    }

    /** The writer's durable position when it sealed this frame. */
    public long durableAtSeal() {
        return buffer.getLong(at + 64);
    }

    public long chainHigh() {
        return buffer.getLong(at + 72);
    }

    public long chainLow() {
        return buffer.getLong(at + 80);
    }

    private int record(int index) {
        return at + HEADER_BYTES + index * RECORD_BYTES;
    }

    public @Nullable RecordType type(int index) {
        return RecordType.of(buffer.get(record(index)));
    }

    public byte typeCode(int index) {
        return buffer.get(record(index));
    }

    public int volume(int index) {
        return buffer.getShort(record(index) + 2) & 0xffff;
    }

    public int payloadCrc(int index) {
        return buffer.getInt(record(index) + 4);
    }

    /** First byte of the range in its volume. */
    public long rangeOffset(int index) {
        return buffer.getLong(record(index) + 8);
    }

    /** Bytes of the range in its volume. */
    public long rangeLength(int index) {
        return buffer.getLong(record(index) + 16);
    }

    /** Where the payload starts, in bytes from the start of the frame; 0 when there is none. */
    public int payloadOffset(int index) {
        return buffer.getInt(record(index) + 24);
    }

    public int payloadLength(int index) {
        return buffer.getInt(record(index) + 28);
    }

    /**
     * Order of this record among all of the log, for comparing versions; see {@code VolumeIndex}.
     */
    public long order(int index) {
        return position() + index;
    }

    /** Location of the payload's first block. */
    public long location(int index) {
        return LogLocation.of(position() + payloadOffset(index), position());
    }

    /**
     * Whether it has a data or shape record, so that losing it would lose something of a client's.
     */
    public boolean hasDataRecord() {
        for (int i = 0; i < recordCount(); i++) {
            RecordType type = type(i);
            if (type == null || type.family() != RecordType.Family.CONTROL) {
                return true;
            }
        }
        return false;
    }

    void putRecord(int index, RecordType type, int volume, long offset, long length) {
        int r = record(index);
        buffer.put(r, type.code())
                .put(r + 1, (byte) 0)
                .putShort(r + 2, (short) volume)
                .putInt(r + 4, 0);
        buffer.putLong(r + 8, offset).putLong(r + 16, length).putInt(r + 24, 0).putInt(r + 28, 0);
    }

    void putPayload(int index, int payloadOffset, int payloadLength, int crc) {
        int r = record(index);
        buffer.putInt(r + 4, crc).putInt(r + 24, payloadOffset).putInt(r + 28, payloadLength);
    }

    void putHeader(Stamp stamp, long position, int length, int records, boolean pad, Chain chain) {
        buffer.putInt(at, LogFormat.FRAME_MAGIC).putShort(at + 4, (short) LogFormat.VERSION);
        buffer.putShort(at + 6, (short) records).putLong(at + 8, stamp.resource());
        buffer.putLong(at + 16, position).putInt(at + 24, length);
        buffer.putInt(at + 28, pad ? LogFormat.FLAG_PAD : 0);
        EpochId epoch = stamp.epoch();
        buffer.putLong(at + 32, epoch.term()).putLong(at + 40, epoch.sequence());
        buffer.putLong(at + 48, epoch.id()).putLong(at + 56, stamp.wallMicros());
        buffer.putLong(at + 64, stamp.durable());
        buffer.putLong(at + 72, chain.high()).putLong(at + 80, chain.low());
    }

    /** What a sealed frame says of its origin. */
    interface Stamp {

        long resource();

        EpochId epoch();

        long wallMicros();

        long durable();
    }
}
