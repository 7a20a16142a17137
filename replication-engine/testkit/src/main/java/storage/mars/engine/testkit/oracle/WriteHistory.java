// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.oracle;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What all clients together have asked for and were told, in one order of ticks. Versions count
 * writes over all volumes from 1. The promises of a connection (ordering, durability) are judged by
 * the checkers; here it is only recorded.
 */
public final class WriteHistory {

    /** A block of a volume. */
    record BlockKey(int volume, long block) implements Comparable<BlockKey> {
        @Override
        public int compareTo(BlockKey other) {
            int byVolume = Integer.compare(volume, other.volume);
            return byVolume != 0 ? byVolume : Long.compare(block, other.block);
        }
    }

    private final CellPattern pattern;
    private final List<Write> writes = new ArrayList<>();
    private final List<Write> open = new ArrayList<>();
    private final Map<BlockKey, BlockHistory> blocks = new TreeMap<>();
    private final List<Long> openReads = new ArrayList<>();
    private boolean forgetting = true;
    private long tick;

    public WriteHistory(CellPattern pattern) {
        this.pattern = pattern;
    }

    public CellPattern pattern() {
        return pattern;
    }

    /** A new moment, later than all before. */
    public long tick() {
        return ++tick;
    }

    /** A client asks for a read, at the tick that is returned; see {@link #readOver}. */
    public long readStarted() {
        long started = tick();
        openReads.add(started);
        return started;
    }

    /** The read has been answered, or never will be. */
    public void readOver(long started) {
        openReads.remove(started);
    }

    /** Keeps all writes, for histories in which durable ones may be {@link #undone}. */
    public void forgetNothing() {
        forgetting = false;
    }

    private long horizon() {
        if (!forgetting) {
            return Long.MIN_VALUE;
        }
        return openReads.isEmpty() ? tick : openReads.getFirst();
    }

    /** A client asks for a write; its version decides what it writes. */
    public Write submitWrite(int client, int volume, long offset, long length) {
        return submit(client, volume, offset, length, false);
    }

    /** A client asks for a trim or zeroing. */
    public Write submitZero(int client, int volume, long offset, long length) {
        return submit(client, volume, offset, length, true);
    }

    private Write submit(int client, int volume, long offset, long length, boolean zero) {
        Write write =
                new Write(
                        writes.size() + 1,
                        zero,
                        volume,
                        offset,
                        length,
                        client,
                        tick(),
                        pattern.scramble(volume, writes.size() + 1));
        writes.add(write);
        open.add(write);
        long last = (offset + length - 1) / BlockHistory.BYTES;
        for (long block = offset / BlockHistory.BYTES; block <= last; block++) {
            block(volume, block).add(write, block * BlockHistory.BYTES, horizon());
        }
        return write;
    }

    /** The client is told that the write is done, and perhaps that it survives a power cut. */
    public void acked(Write write, boolean durable) {
        write.acked = tick();
        if (durable) {
            write.durable = write.acked;
        }
        open.remove(write);
    }

    /** A flush that was asked for at {@code started} has succeeded. */
    public void flushed(long started) {
        long now = tick();
        for (Write write : writes) {
            if (write.acked < started && write.durable == Write.NEVER) {
                write.durable = now;
            }
        }
    }

    /** The client is told that nothing was done. */
    public void rejected(Write write) {
        open.remove(write);
        undone(write);
    }

    /**
     * The write has no effect any more although it may have had one: it is on a branch that lost.
     * Reads that may have seen it must have been judged before.
     */
    public void undone(Write write) {
        write.undone = true;
        long last = (write.offset + write.length - 1) / BlockHistory.BYTES;
        for (long block = write.offset / BlockHistory.BYTES; block <= last; block++) {
            block(write.volume, block).writes.remove(write);
        }
    }

    /** The power has failed where the data were: only what was promised to survive that counts. */
    public void powerCut() {
        tick();
        for (Write write : writes) {
            if (write.acked != Write.NEVER && write.durable == Write.NEVER) {
                write.bound = tick;
                write.acked = Write.NEVER;
            }
        }
    }

    /** What became of the write is not known, but it does not take effect from now on. */
    public void over(Write write) {
        write.bound = tick();
        open.remove(write);
    }

    /** {@link #over(Write)} for every write that is still open: the engine has crashed. */
    public void allOver() {
        List.copyOf(open).forEach(this::over);
    }

    /** {@link #over(Write)} for every open write of that client: another one was let in for it. */
    public void clientOver(int client) {
        for (Write write : List.copyOf(open)) {
            if (write.client == client) {
                over(write);
            }
        }
    }

    /** Writes that nobody was told anything of yet. */
    public int openWrites() {
        return open.size();
    }

    /** The write with that version, if there was one. */
    public @Nullable Write find(int version) {
        return version > 0 && version <= writes.size() ? writes.get(version - 1) : null;
    }

    /** The write with that version. */
    public Write write(int version) {
        return Objects.requireNonNull(find(version), () -> "no version " + version);
    }

    /** All writes so far, by version. */
    public List<Write> writes() {
        return List.copyOf(writes);
    }

    BlockHistory block(int volume, long block) {
        return blocks.computeIfAbsent(new BlockKey(volume, block), key -> new BlockHistory());
    }

    Map<BlockKey, BlockHistory> blocks() {
        return blocks;
    }

    /**
     * Which version the cell number {@code cell} of a volume holds: {@link CellPattern#ZERO}, a
     * write that covers the cell, or -1 when nobody has written that.
     */
    int versionOf(int volume, long cell, long value) {
        if (value == 0) {
            return CellPattern.ZERO;
        }
        Write write = find(pattern.claimedVersion(value));
        if (write == null || write.volume != volume || !write.made(cell, value)) {
            return -1;
        }
        return write.version;
    }

    /**
     * Whether somebody has written that byte there at some time; for cells cut by edges of writes.
     */
    boolean explains(int volume, long offset, byte value) {
        if (value == 0) {
            return true;
        }
        for (Write write : block(volume, offset / BlockHistory.BYTES).writes) {
            if (!write.zero
                    && write.offset <= offset
                    && offset < write.offset + write.length
                    && pattern.byteAt(volume, offset, write.version) == value) {
                return true;
            }
        }
        return false;
    }
}
