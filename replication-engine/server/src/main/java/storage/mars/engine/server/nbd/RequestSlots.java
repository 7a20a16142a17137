// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import java.util.ArrayDeque;

/**
 * The requests of one connection that are in flight: slots that are used again, and the count of
 * their bytes, replies included until the client has room for them. Used on the shard.
 */
final class RequestSlots {

    private final NbdLimits.Requests limits;
    private final RequestSlot.Owner owner;
    private final ArrayDeque<RequestSlot> free = new ArrayDeque<>();
    private int inFlight;
    private long bytes;

    RequestSlots(NbdLimits.Requests limits, RequestSlot.Owner owner) {
        this.limits = limits;
        this.owner = owner;
    }

    int inFlight() {
        return inFlight;
    }

    /** Whether one more request of {@code more} bytes is within the connection's bounds. */
    boolean admits(long more) {
        return inFlight < limits.inFlight()
                && (bytes == 0 || bytes + more <= limits.bytesInFlight());
    }

    /** Whether it is worth reading again after a bound was met. */
    boolean relaxed() {
        return inFlight <= limits.inFlight() * 3L / 4 && bytes <= limits.bytesInFlight() / 2;
    }

    RequestSlot take() {
        inFlight++;
        RequestSlot slot = free.pollLast();
        return slot == null ? new RequestSlot(owner) : slot;
    }

    void giveBack(RequestSlot slot) {
        inFlight--;
        free.addLast(slot);
    }

    void charge(long count) {
        bytes += count;
    }

    void discharge(long count) {
        bytes -= count;
    }
}
