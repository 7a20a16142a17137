// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.replication.PeerMessage.Hello;

/** What is known of one other member. Owned by the shard. */
final class Peer {

    static final long UNKNOWN = -1;

    final long id;
    String name = "";
    String address = "";
    boolean attached = true;
    @Nullable Session session;

    /** Dialled by this side, and nothing heard on it yet. */
    @Nullable Session greeting;

    @Nullable Hello hello;

    /** What it last said as a primary, which it need not be any more; null when it never did. */
    @Nullable AsPrimary asPrimary;

    /**
     * End of its durable log, and of what it has applied, as last heard; {@link #UNKNOWN} before.
     */
    long received = UNKNOWN;

    /**
     * Where it has been told to begin a sync, or to begin at all; {@link #UNKNOWN} when it has not.
     */
    long keptFrom = UNKNOWN;

    long applied = UNKNOWN;
    long contactNanos;
    long contactWallMicros;
    long nextDialNanos;
    int failedDials;
    boolean dialling;

    /** What it said as a primary, and when that was heard. */
    record AsPrimary(Hello hello, long nanos, long wallMicros) {

        long term() {
            return hello.history().lastId().term();
        }
    }

    Peer(long id) {
        this.id = id;
    }

    /** First position of the log that it may ask for; {@code unknown} when that is not known. */
    long needs(long unknown) {
        long first = Math.max(received, keptFrom);
        return first == UNKNOWN ? unknown : first;
    }

    /** Not while it reads its log: then it tells what it held at least. */
    boolean knowsWhatItHolds() {
        Hello last = hello;
        return last != null && !last.state().equals(ReplicaState.RECOVERING);
    }

    boolean isConnected() {
        return session != null;
    }

    void heard(Hello message, long nanos, long wallMicros) {
        hello = message;
        if (message.primary()) {
            asPrimary = new AsPrimary(message, nanos, wallMicros);
        }
        address = message.address();
        name = message.replicaName();
        received = message.durable();
        applied = message.applied();
        contactNanos = nanos;
        contactWallMicros = wallMicros;
    }
}
