// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.net;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.testkit.schedule.Event;
import storage.mars.engine.testkit.schedule.SimRandom;

/** One way of a link: messages under way, in order, and what holds them up. */
final class Direction {

    /** A message under way; without bytes it is the orderly end. */
    @SuppressWarnings("ArrayRecordComponent") // the array is never compared
    private record Parcel(byte @Nullable [] bytes, long due) {
        int size() {
            return bytes == null ? 0 : bytes.length;
        }
    }

    private final SimNetwork network;
    private final SimLinkEnd from;
    private final SimLinkEnd to;
    private final ArrayDeque<Parcel> parcels = new ArrayDeque<>();
    private @Nullable Event delivery;
    private @Nullable Event timeout;
    private boolean held;
    private boolean paused;
    private boolean finished;
    private long waitingBytes;
    private long lineFree;
    private long lastDue;

    Direction(SimNetwork network, SimLinkEnd from, SimLinkEnd to) {
        this.network = network;
        this.from = from;
        this.to = to;
    }

    long waitingBytes() {
        return waitingBytes;
    }

    void send(byte @Nullable [] bytes) {
        if (finished) {
            return;
        }
        long now = network.scheduler.now();
        int size = bytes == null ? 0 : bytes.length;
        lineFree = Math.max(now, lineFree) + network.lineNanos(size);
        lastDue = Math.max(lastDue, lineFree + network.latency());
        parcels.add(new Parcel(bytes, lastDue));
        waitingBytes += size;
        plan();
    }

    private void plan() {
        Parcel head = parcels.peek();
        if (head == null || delivery != null || held || paused) {
            return;
        }
        long delay = head.due - network.scheduler.now();
        delivery = to.happen(delay, "message", head.size(), this::deliver);
    }

    private void deliver() {
        delivery = null;
        if (network.isBlocked(from.machine, to.machine)) {
            hold();
            return;
        }
        Parcel parcel = parcels.remove();
        waitingBytes -= parcel.size();
        if (parcel.bytes == null) {
            to.ended("closed by the other side");
        } else {
            to.arrived(parcel.bytes);
        }
        from.drained();
        plan();
    }

    /** The path is blocked: packets are sent again until it is free or patience ends. */
    private void hold() {
        held = true;
        timeout =
                network.scheduler.inWorld(
                        network.settings().silenceNanos(), "link timeout", this::timedOut);
    }

    private void timedOut() {
        timeout = null;
        if (held) {
            network.silent(from, to);
        }
    }

    /** The path may have become free. */
    void retry() {
        if (held && !network.isBlocked(from.machine, to.machine)) {
            held = false;
            if (timeout != null) {
                network.scheduler.cancel(timeout);
            }
            plan();
        }
    }

    /** Holds messages back until {@link #resume}: the receiver is not there yet. */
    void pause() {
        paused = true;
    }

    void resume() {
        paused = false;
        plan();
    }

    /** Loses what was sent from some point on. */
    void loseTail(SimRandom random) {
        for (int keep = random.below(parcels.size() + 1); parcels.size() > keep; ) {
            waitingBytes -= parcels.removeLast().size();
        }
        if (parcels.isEmpty() && delivery != null) {
            network.scheduler.cancel(delivery);
            delivery = null;
        }
    }

    /** What is sent from now on vanishes; what is under way still arrives. */
    void finish() {
        finished = true;
    }
}
