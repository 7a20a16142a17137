// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.io.IOException;
import java.util.Arrays;

/**
 * Which parts of an image have been written since its last sync, and about how much. A sync begins
 * with them, a few MiB at a time: one call for everything would fill the queue of the device for as
 * long as it takes, and the log's writes would wait behind it. Thread-safe.
 */
final class UnsyncedParts {

    /** What is handed to the device at a time. */
    static final int STEP_BYTES = 4 << 20;

    private static final int PART_SHIFT = 22;
    private static final int PART_BYTES = 1 << PART_SHIFT;

    /** Enough for what is written during a pass to become little; each takes a part of the last. */
    private static final int MAX_PASSES = 5;

    private static final int[] NONE = {};

    private int[] written = NONE;
    private long noted;

    /** Moves content to the device; what is durable by it is not said. */
    interface Writer {

        /** Begins to write what is in the cache of that range, and does not wait. */
        void begin(long position, long length) throws IOException;

        /** Waits until what was begun there has reached the device. */
        void await(long position, long length) throws IOException;
    }

    /** Bytes at {@code position} have been written, in a file of {@code fileSize} bytes. */
    synchronized void note(long position, long length, long fileSize) {
        int[] parts = written;
        int count = (int) ((fileSize + PART_BYTES - 1) >> PART_SHIFT);
        if (parts.length < count) {
            parts = Arrays.copyOf(parts, count);
            written = parts;
        }
        noted += length;
        long end = position + length;
        for (long at = position; at < end; ) {
            int part = (int) (at >> PART_SHIFT);
            long until = Math.min(end, (long) (part + 1) << PART_SHIFT);
            parts[part] = (int) Math.min(PART_BYTES, parts[part] + (until - at));
            at = until;
        }
    }

    /**
     * Hands what is noted to {@code writer}, step by step, and forgets it. What is written
     * meanwhile comes next, until little is left or it does not get less.
     */
    void drain(Writer writer) throws IOException {
        for (int pass = 0; pass < MAX_PASSES && noted() > STEP_BYTES; pass++) {
            drainOnce(writer, take());
        }
    }

    private static void drainOnce(Writer writer, int[] parts) throws IOException {
        int first = 0;
        long bytes = 0;
        for (int part = 0; part < parts.length; part++) {
            if (parts[part] == 0) {
                continue;
            }
            writer.begin((long) part << PART_SHIFT, PART_BYTES);
            bytes += parts[part];
            if (bytes >= STEP_BYTES) {
                await(writer, parts, first, part);
                first = part + 1;
                bytes = 0;
            }
        }
        await(writer, parts, first, parts.length - 1);
    }

    private static void await(Writer writer, int[] parts, int from, int to) throws IOException {
        for (int part = from; part <= to; part++) {
            if (parts[part] != 0) {
                writer.await((long) part << PART_SHIFT, PART_BYTES);
            }
        }
    }

    private synchronized long noted() {
        return noted;
    }

    private synchronized int[] take() {
        int[] parts = written;
        written = NONE;
        noted = 0;
        return parts;
    }
}
