// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.oracle;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The order in which one log holds writes, by position; what a log does is in no other order. */
public final class LogOrder {

    /** Bytes {@code offset..offset+length} of a volume are overwritten; null bytes are zeros. */
    @SuppressWarnings("ArrayRecordComponent") // the array is never changed
    record Entry(long position, int volume, long offset, long length, byte @Nullable [] bytes) {}

    private final CellPattern pattern;
    private final List<Entry> entries = new ArrayList<>();

    public LogOrder(CellPattern pattern) {
        this.pattern = pattern;
    }

    /** The log holds, at {@code position}, that part of what the write wrote. */
    public void add(long position, Write write, long offset, int length) {
        byte[] bytes = null;
        if (!write.zero) {
            bytes = new byte[length];
            pattern.fill(write.volume, offset, write.version, ByteBuffer.wrap(bytes));
        }
        append(new Entry(position, write.volume, offset, length, bytes));
    }

    /** The log holds these bytes at {@code position}. */
    public void addBytes(long position, int volume, long offset, byte[] bytes) {
        append(new Entry(position, volume, offset, bytes.length, bytes.clone()));
    }

    /** The log holds, at {@code position}, that the range reads as zero. */
    public void addZero(long position, int volume, long offset, long length) {
        append(new Entry(position, volume, offset, length, null));
    }

    /** The order as it is now, for what the log forgets later. */
    public LogOrder copy() {
        LogOrder copy = new LogOrder(pattern);
        copy.entries.addAll(entries);
        return copy;
    }

    private void append(Entry entry) {
        if (!entries.isEmpty() && entry.position < entries.getLast().position) {
            throw new IllegalArgumentException("log positions go back at " + entry.position);
        }
        entries.add(entry);
    }

    /** The log ends at {@code position} from now on: what lay beyond is on no branch of it. */
    public void cut(long position) {
        entries.removeIf(entry -> entry.position >= position);
    }

    /** Whether it holds anything at positions from {@code from} to before {@code to}. */
    public boolean holdsBetween(long from, long to) {
        return entries.stream().anyMatch(e -> e.position >= from && e.position < to);
    }

    List<Entry> entries() {
        return entries;
    }
}
