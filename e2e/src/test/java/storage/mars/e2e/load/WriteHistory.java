// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.load;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Every write of a run: its block, and when it was issued and acknowledged on a clock that ticks at
 * each of these events. Write A came before write B if A was acknowledged before B was issued.
 * Sequences count from 1 in the order of issue. Thread-safe; also written to a file, as it happens,
 * for people.
 */
public final class WriteHistory implements AutoCloseable {
    static final long NEVER = Long.MAX_VALUE;
    private final long run;
    private final int blocks;
    private final LongList blockOf = new LongList();
    private final LongList issuedAt = new LongList();
    private final LongList acknowledgedAt = new LongList();
    private final BufferedWriter journal;
    private long clock;
    private long acknowledged;

    public WriteHistory(long run, int blocks, Path file) throws IOException {
        this.run = run;
        this.blocks = blocks;
        journal = Files.newBufferedWriter(file);
        note("run " + run + " blocks " + blocks);
    }

    public long run() {
        return run;
    }

    public int blocks() {
        return blocks;
    }

    /** Returns the sequence of the new write. */
    public synchronized long issue(int block) {
        blockOf.add(block);
        issuedAt.add(++clock);
        acknowledgedAt.add(NEVER);
        long sequence = blockOf.size();
        note(clock + " issue " + sequence + " block " + block);
        return sequence;
    }

    public synchronized void acknowledge(long sequence) {
        acknowledgedAt.set(index(sequence), ++clock);
        acknowledged++;
        note(clock + " ack " + sequence);
    }

    /**
     * A tick of its own: everything acknowledged so far is below it, everything issued later above.
     */
    public synchronized long tick() {
        return ++clock;
    }

    public synchronized long issued() {
        return blockOf.size();
    }

    public synchronized long acknowledged() {
        return acknowledged;
    }

    synchronized int block(long sequence) {
        return (int) blockOf.get(index(sequence));
    }

    synchronized long issuedAt(long sequence) {
        return issuedAt.get(index(sequence));
    }

    synchronized long acknowledgedAt(long sequence) {
        return acknowledgedAt.get(index(sequence));
    }

    @Override
    public synchronized void close() throws IOException {
        journal.close();
    }

    private static int index(long sequence) {
        return Math.toIntExact(sequence - 1);
    }

    private void note(String line) {
        try {
            journal.write(line);
            journal.newLine();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
