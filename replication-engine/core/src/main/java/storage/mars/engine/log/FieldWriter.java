// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Chain.Link;
import storage.mars.engine.log.ReplicaMetadata.Grant;

/**
 * Writes the values that metadata and messages are made of, little endian: numbers as they are,
 * strings as u16 length and UTF-8, lists as u16 count and elements. Overflow of the buffer is a bug
 * of the caller.
 */
public final class FieldWriter {

    private final ByteBuffer out;

    public FieldWriter(ByteBuffer out) {
        this.out = out.order(ByteOrder.LITTLE_ENDIAN);
    }

    public FieldWriter u8(int value) {
        out.put((byte) value);
        return this;
    }

    public FieldWriter flag(boolean value) {
        return u8(value ? 1 : 0);
    }

    public FieldWriter u16(int value) {
        out.putShort((short) value);
        return this;
    }

    public FieldWriter i32(int value) {
        out.putInt(value);
        return this;
    }

    public FieldWriter i64(long value) {
        out.putLong(value);
        return this;
    }

    public FieldWriter text(String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        u16(bytes.length);
        out.put(bytes);
        return this;
    }

    /** The remaining bytes of {@code value}, whose position stays. */
    public FieldWriter bytes(ByteBuffer value) {
        out.put(value.duplicate());
        return this;
    }

    /** That many bits, the first in the lowest place, in whole bytes. */
    public FieldWriter bits(BitSet value, int count) {
        out.put(Arrays.copyOf(value.toByteArray(), (count + Byte.SIZE - 1) / Byte.SIZE));
        return this;
    }

    public FieldWriter epochId(EpochId id) {
        return i64(id.term()).i64(id.sequence()).i64(id.id());
    }

    public FieldWriter link(Link link) {
        return i64(link.high()).i64(link.low());
    }

    /** Whether there is one, then what it says. */
    public FieldWriter grant(@Nullable Grant grant) {
        flag(grant != null);
        return grant == null ? this : i64(grant.toReplica()).i64(grant.term());
    }

    public <T> FieldWriter list(List<T> values, BiConsumer<FieldWriter, T> element) {
        u16(values.size());
        values.forEach(value -> element.accept(this, value));
        return this;
    }

    public FieldWriter history(EpochHistory history) {
        return list(
                history.epochs(),
                (w, e) -> w.epochId(e.id()).i64(e.writer()).i64(e.start()).i64(e.end()));
    }

    public ByteBuffer buffer() {
        return out;
    }
}
