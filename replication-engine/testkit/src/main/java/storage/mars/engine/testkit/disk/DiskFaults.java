// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.testkit.schedule.SimRandom;

/**
 * The plan of what goes wrong on one disk, and how long things take. May be changed at any time.
 */
public final class DiskFaults {

    private static final class Rule {
        final DiskOp op;
        final Predicate<String> names;
        final IoFailure.Kind kind;
        int skip;
        int times;

        Rule(DiskOp op, Predicate<String> names, int skip, int times, IoFailure.Kind kind) {
            this.op = op;
            this.names = names;
            this.skip = skip;
            this.times = times;
            this.kind = kind;
        }
    }

    private final SimRandom random;
    private final List<Rule> rules = new ArrayList<>();
    private final Map<DiskOp, Integer> perMillion = new EnumMap<>(DiskOp.class);
    private long capacity = Long.MAX_VALUE;
    private long minNanos = 20_000;
    private long maxNanos = 300_000;
    private int slowPerMillion = 1_000;
    private long slowNanos = 50_000_000;
    private Predicate<String> lazy = name -> false;
    private long lazyNanos;
    private boolean stalled;

    DiskFaults(SimRandom random) {
        this.random = random;
    }

    /** Lets {@code skip} such operations pass, then fails the next {@code times}. */
    public void fail(DiskOp op, Predicate<String> names, int skip, int times, IoFailure.Kind kind) {
        rules.add(new Rule(op, names, skip, times, kind));
    }

    /** Fails such operations at random, that often. */
    public void failRandomly(DiskOp op, int timesPerMillion) {
        perMillion.put(op, timesPerMillion);
    }

    /** Whether all failures that were planned one by one have happened. */
    public boolean isExhausted() {
        return rules.isEmpty();
    }

    /** Forgets every plan of failure and slow files; capacity and other latencies stay. */
    public void clear() {
        lazyNanos = 0;
        rules.clear();
        perMillion.clear();
    }

    /** Bytes that the disk holds; what does not fit fails with NO_SPACE. */
    public void capacity(long bytes) {
        capacity = bytes;
    }

    /** Bytes that the disk holds. */
    public long capacity() {
        return capacity;
    }

    /** Range of ordinary latencies. */
    public void latency(long min, long max) {
        minNanos = min;
        maxNanos = max;
    }

    /** How often an operation takes up to {@code nanos} longer. */
    public void slow(int timesPerMillion, long nanos) {
        slowPerMillion = timesPerMillion;
        slowNanos = nanos;
    }

    /** Operations on files of such names take up to {@code nanos} longer. */
    public void slowFiles(Predicate<String> names, long nanos) {
        lazy = names;
        lazyNanos = nanos;
    }

    /** While true, no operation asked for from now on completes. */
    public void stall(boolean on) {
        stalled = on;
    }

    boolean stalled() {
        return stalled;
    }

    long delay(long bytes, String name) {
        long delay = random.between(minNanos, maxNanos) + bytes / 2;
        if (lazyNanos > 0 && lazy.test(name)) {
            delay += random.below(lazyNanos);
        }
        return random.chance(slowPerMillion, 1_000_000) ? delay + random.below(slowNanos) : delay;
    }

    /** Whether this operation fails, and how. */
    @Nullable IoFailure decide(DiskOp op, String name) {
        for (Iterator<Rule> i = rules.iterator(); i.hasNext(); ) {
            Rule rule = i.next();
            if (rule.op != op || !rule.names.test(name) || rule.skip-- > 0) {
                continue;
            }
            rule.skip = 0;
            if (--rule.times <= 0) {
                i.remove();
            }
            return new IoFailure(rule.kind, "planned fault: " + op + " " + name);
        }
        if (random.chance(perMillion.getOrDefault(op, 0), 1_000_000)) {
            return new IoFailure(IoFailure.Kind.IO_ERROR, "random fault: " + op + " " + name);
        }
        return null;
    }
}
