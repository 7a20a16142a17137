// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The bytes that all requests of one shard may occupy. Space is reserved before a payload is read
 * or a reply made, first-in-first-out, and the space of half-read requests is theirs already, so
 * they cannot starve each other. One export holds at most half: its stall does not stop the others.
 * Used on its shard.
 */
final class PayloadBudget {

    /** Somebody who asked for more than there was; asks for nothing else meanwhile. */
    interface Waiter {

        Share share();

        long wanted();

        /** The space is the waiter's now. */
        void granted();
    }

    /** What one export holds. */
    static final class Share {
        private long used;
        private int connections;
        private long passedOverIn;

        int connections() {
            return connections;
        }
    }

    private final long limit;
    private final Executor shard;
    private final Map<String, Share> shares = new HashMap<>();
    private final ArrayDeque<Waiter> waiters = new ArrayDeque<>();
    private final Runnable grant = this::grant;
    private long used;
    private long scan;
    private boolean grantScheduled;

    PayloadBudget(long limit, Executor shard) {
        this.limit = limit;
        this.shard = shard;
    }

    /** The share of a new connection to {@code export}. */
    Share join(String export) {
        Share share = shares.computeIfAbsent(export, name -> new Share());
        share.connections++;
        return share;
    }

    void leave(String export, Share share) {
        share.connections--;
        if (share.connections == 0) {
            shares.remove(export, share);
        }
    }

    /** Takes the space; false when the caller has to wait for {@link Waiter#granted}. */
    boolean reserve(Waiter waiter) {
        if (fits(waiter) && !someoneGoesFirst(waiter)) {
            take(waiter);
            return true;
        }
        waiters.addLast(waiter);
        return false;
    }

    void release(Share share, long bytes) {
        used -= bytes;
        share.used -= bytes;
        if (!waiters.isEmpty()) {
            scheduleGrant();
        }
    }

    void forget(Waiter waiter) {
        if (waiters.remove(waiter)) {
            scheduleGrant();
        }
    }

    /**
     * Grants are made by a task of their own: a release may come from deep inside another
     * connection.
     */
    private void scheduleGrant() {
        if (!grantScheduled) {
            grantScheduled = true;
            shard.execute(grant);
        }
    }

    private void grant() {
        grantScheduled = false;
        for (Waiter next = nextToGrant(); next != null; next = nextToGrant()) {
            take(next);
            next.granted();
        }
    }

    /** Who waits for its own export is passed over; who waits for memory holds up all behind it. */
    private @Nullable Waiter nextToGrant() {
        scan++;
        for (Iterator<Waiter> each = waiters.iterator(); each.hasNext(); ) {
            Waiter waiter = each.next();
            if (!fitsShare(waiter)) {
                waiter.share().passedOverIn = scan;
            } else if (waiter.share().passedOverIn != scan) {
                if (!fits(waiter)) {
                    return null;
                }
                each.remove();
                return waiter;
            }
        }
        return null;
    }

    private boolean someoneGoesFirst(Waiter newcomer) {
        if (waiters.isEmpty()) {
            return false;
        }
        for (Waiter waiter : waiters) {
            if (waiter.share() == newcomer.share() || fitsShare(waiter)) {
                return true;
            }
        }
        return false;
    }

    private void take(Waiter waiter) {
        used += waiter.wanted();
        waiter.share().used += waiter.wanted();
    }

    private boolean fits(Waiter waiter) {
        return fitsShare(waiter) && (used == 0 || used + waiter.wanted() <= limit);
    }

    private boolean fitsShare(Waiter waiter) {
        long held = waiter.share().used;
        return held == 0 || held + waiter.wanted() <= limit / 2;
    }
}
