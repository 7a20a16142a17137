// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Chain.Link;
import storage.mars.engine.log.ReplicaMetadata.Grant;

/**
 * Reads what {@link FieldWriter} wrote. Whatever the bytes are, it either yields values or throws
 * {@link Malformed}; it allocates no more than the bytes that are there.
 */
public final class FieldReader {

    /** The bytes are not what they should be; the message says where. */
    public static final class Malformed extends Exception {

        private static final long serialVersionUID = 1;

        public Malformed(String message) {
            super(message);
        }
    }

    /** Reads one element of a list. */
    @FunctionalInterface
    public interface Element<T> {
        T read(FieldReader in) throws Malformed;
    }

    private final ByteBuffer in;

    /** Reads the remaining bytes of {@code in}, moving its position. */
    public FieldReader(ByteBuffer in) {
        this.in = in.order(ByteOrder.LITTLE_ENDIAN);
    }

    private <T> T get(Function<ByteBuffer, T> getter) throws Malformed {
        try {
            return getter.apply(in);
        } catch (BufferUnderflowException e) {
            throw new Malformed("ends too early at byte " + in.position());
        }
    }

    public int u8() throws Malformed {
        return get(ByteBuffer::get) & 0xff;
    }

    public boolean flag() throws Malformed {
        int value = u8();
        if (value > 1) {
            throw new Malformed("flag of value " + value);
        }
        return value == 1;
    }

    public int u16() throws Malformed {
        return get(ByteBuffer::getShort) & 0xffff;
    }

    public int i32() throws Malformed {
        return get(ByteBuffer::getInt);
    }

    public long i64() throws Malformed {
        return get(ByteBuffer::getLong);
    }

    /** A number that counts something: never negative. */
    public long count() throws Malformed {
        long value = i64();
        if (value < 0) {
            throw new Malformed("negative count " + value);
        }
        return value;
    }

    public String text() throws Malformed {
        int length = u16();
        if (length > in.remaining()) {
            throw new Malformed(
                    "text of " + length + " bytes, but " + in.remaining() + " are left");
        }
        ByteBuffer bytes = in.slice(in.position(), length);
        in.position(in.position() + length);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException e) {
            throw new Malformed("text is not UTF-8");
        }
    }

    /** That many bits, as whole bytes; those beyond are 0. */
    public BitSet bits(int count) throws Malformed {
        byte[] bytes = new byte[(count + Byte.SIZE - 1) / Byte.SIZE];
        get(from -> from.get(bytes));
        BitSet bits = BitSet.valueOf(bytes);
        if (bits.length() > count) {
            throw new Malformed("bit " + (bits.length() - 1) + " of " + count);
        }
        return bits;
    }

    public EpochId epochId() throws Malformed {
        return new EpochId(count(), count(), i64());
    }

    public Link link() throws Malformed {
        return new Link(i64(), i64());
    }

    public @Nullable Grant grant() throws Malformed {
        return flag() ? new Grant(i64(), count()) : null;
    }

    public <T> List<T> list(int maximum, Element<T> element) throws Malformed {
        int count = u16();
        if (count > maximum) {
            throw new Malformed("list of " + count + " where " + maximum + " are allowed");
        }
        List<T> values = new ArrayList<>(Math.min(count, in.remaining()));
        for (int i = 0; i < count; i++) {
            values.add(element.read(this));
        }
        return values;
    }

    public EpochHistory history() throws Malformed {
        try {
            return new EpochHistory(list(EpochHistory.MAX_EPOCHS, FieldReader::epoch));
        } catch (IllegalArgumentException e) {
            throw new Malformed(String.valueOf(e.getMessage()));
        }
    }

    private static Epoch epoch(FieldReader in) throws Malformed {
        return new Epoch(in.epochId(), in.i64(), in.count(), in.count());
    }

    /** Nothing may follow. */
    public void end() throws Malformed {
        if (in.hasRemaining()) {
            throw new Malformed(in.remaining() + " bytes too many");
        }
    }
}
