// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.oracle;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.testkit.schedule.SimFailure;

/**
 * Whether content is what a log makes of empty volumes: everything below one position applied in
 * order, nothing else. Byte for byte, over all blocks that the log touches anywhere and all others
 * of the given sizes, which must be zero.
 */
public final class PrefixChecker {

    private static final int BYTES = BlockHistory.BYTES;

    private final LogOrder order;
    private final Map<Integer, Long> sizes;

    /** {@code sizes}: bytes of each volume. */
    public PrefixChecker(LogOrder order, Map<Integer, Long> sizes) {
        this.order = order;
        this.sizes = Map.copyOf(sizes);
    }

    /** Fails the run unless {@code content} is exactly the log applied up to {@code position}. */
    public void exactly(long position, Content content) {
        Replay replay = new Replay(content);
        for (LogOrder.Entry entry : order.entries()) {
            if (entry.position() < position) {
                replay.apply(entry);
            }
        }
        WriteHistory.BlockKey wrong = replay.anyDifference();
        if (wrong != null) {
            throw new SimFailure(
                    "content is not the log applied up to "
                            + position
                            + ": volume "
                            + wrong.volume()
                            + " block "
                            + wrong.block()
                            + " differs ("
                            + replay.differences()
                            + " blocks in all)");
        }
    }

    /**
     * Fails the run unless {@code content} is the log applied up to some position that is at least
     * {@code atLeast}; returns the position of the last entry that counts, or -1 when none does.
     */
    public long someAtLeast(long atLeast, Content content) {
        Replay replay = new Replay(content);
        long last = -1;
        long best = Long.MIN_VALUE;
        int i = 0;
        while (true) {
            boolean goesOn = i < order.entries().size();
            long next = goesOn ? order.entries().get(i).position() : Long.MAX_VALUE;
            if (next >= atLeast && replay.differences() == 0) {
                best = last;
            }
            if (!goesOn) {
                break;
            }
            while (i < order.entries().size() && order.entries().get(i).position() == next) {
                replay.apply(order.entries().get(i++));
            }
            last = next;
        }
        if (best == Long.MIN_VALUE) {
            throw new SimFailure(
                    "content is not the log applied up to any position from " + atLeast + " on");
        }
        return best;
    }

    /**
     * Fails the run unless each block of what was read at {@code offset} is what the log makes of
     * it when applied up to some position from {@code from} to {@code to}.
     */
    public void between(long from, long to, int volume, long offset, byte[] read) {
        for (int at = 0; at < read.length; at += BYTES) {
            byte[] found = Arrays.copyOfRange(read, at, at + BYTES);
            if (!occurs(from, to, volume, offset + at, found)) {
                throw new SimFailure(
                        "volume "
                                + volume
                                + " byte "
                                + (offset + at)
                                + " was never so between positions "
                                + from
                                + " and "
                                + to);
            }
        }
    }

    /**
     * Fails the run unless each cell of {@code content} is what the log makes of it when applied up
     * to some position from {@code from} on: for images that may have got, in part, what the log
     * has lost since.
     */
    public void cells(long from, Content content) {
        sizes.forEach((volume, size) -> {
            byte[] found = content.read(volume, 0, size.intValue());
            byte[] made = new byte[found.length];
            BitSet known = new BitSet();
            List<LogOrder.Entry> entries =
                    order.entries().stream().filter(e -> e.volume() == volume).toList();
            for (LogOrder.Entry entry : entries) {
                if (entry.position() < from) {
                    Replay.overlay(entry, 0, made);
                }
            }
            markSame(made, found, 0, found.length, known);
            for (LogOrder.Entry entry : entries) {
                if (entry.position() >= from) {
                    Replay.overlay(entry, 0, made);
                    markSame(made, found, entry.offset(), entry.length(), known);
                }
            }
            long wrong = (long) known.nextClearBit(0) * CellPattern.CELL;
            if (wrong < found.length) {
                throw new SimFailure(
                        "volume "
                                + volume
                                + " byte "
                                + wrong
                                + " is nothing that the log has made of it from position "
                                + from
                                + " on");
            }
        });
    }

    private static void markSame(
            byte[] made, byte[] found, long offset, long length, BitSet known) {
        int end = (int) Math.min(found.length, offset + length);
        for (int at = (int) offset & -CellPattern.CELL; at < end; at += CellPattern.CELL) {
            int next = at + CellPattern.CELL;
            if (Arrays.equals(made, at, next, found, at, next)) {
                known.set(at / CellPattern.CELL);
            }
        }
    }

    private boolean occurs(long from, long to, int volume, long offset, byte[] found) {
        byte[] block = new byte[BYTES];
        boolean reached = false;
        for (LogOrder.Entry entry : order.entries()) {
            if (entry.position() >= to) {
                break;
            }
            if (entry.position() >= from && !reached) {
                reached = true;
                if (Arrays.equals(block, found)) {
                    return true;
                }
            }
            boolean touches =
                    entry.volume() == volume
                            && entry.offset() < offset + BYTES
                            && entry.offset() + entry.length() > offset;
            if (touches) {
                Replay.overlay(entry, offset, block);
                if (reached && Arrays.equals(block, found)) {
                    return true;
                }
            }
        }
        return Arrays.equals(block, found);
    }

    /** Volumes that the log is applied to, always compared with the content. */
    private final class Replay {
        private final Map<WriteHistory.BlockKey, byte[]> blocks = new HashMap<>();
        private final Map<WriteHistory.BlockKey, byte[]> actual = new HashMap<>();
        private final Map<WriteHistory.BlockKey, Boolean> different = new HashMap<>();
        private final Content content;

        Replay(Content content) {
            this.content = content;
            for (Map.Entry<Integer, Long> size : sizes.entrySet()) {
                for (long block = 0; block * BYTES < size.getValue(); block++) {
                    compare(new WriteHistory.BlockKey(size.getKey(), block));
                }
            }
        }

        void apply(LogOrder.Entry entry) {
            long end = entry.offset() + entry.length();
            for (long block = entry.offset() / BYTES; block * BYTES < end; block++) {
                WriteHistory.BlockKey key = new WriteHistory.BlockKey(entry.volume(), block);
                byte[] bytes = blocks.computeIfAbsent(key, absent -> new byte[BYTES]);
                overlay(entry, block * BYTES, bytes);
                compare(key);
            }
        }

        private static void overlay(LogOrder.Entry entry, long origin, byte[] bytes) {
            int from = (int) Math.max(0, entry.offset() - origin);
            int to = (int) Math.min(bytes.length, entry.offset() + entry.length() - origin);
            byte[] source = entry.bytes();
            if (source == null) {
                Arrays.fill(bytes, from, to, (byte) 0);
            } else {
                System.arraycopy(
                        source, (int) (origin + from - entry.offset()), bytes, from, to - from);
            }
        }

        private void compare(WriteHistory.BlockKey key) {
            byte[] is =
                    actual.computeIfAbsent(
                            key, k -> content.read(k.volume(), k.block() * BYTES, BYTES));
            byte[] expected = blocks.get(key);
            boolean same = expected == null ? isZero(is) : Arrays.equals(expected, is);
            if (same) {
                different.remove(key);
            } else {
                different.put(key, true);
            }
        }

        int differences() {
            return different.size();
        }

        WriteHistory.@Nullable BlockKey anyDifference() {
            return different.keySet().stream().sorted().findFirst().orElse(null);
        }
    }

    private static boolean isZero(byte[] bytes) {
        for (byte b : bytes) {
            if (b != 0) {
                return false;
            }
        }
        return true;
    }
}
