// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replication;

import storage.mars.engine.log.LogFormat;

/**
 * The memory of one shard for log that has been received and finds no room yet. Nobody keeps more
 * of it than is left free, so each of many gets the same part, and something is there for the next.
 * Nobody waits for it: what it does not take is dropped and asked for again. Owned by the shard.
 */
public final class ReceiveMemory {

    private final long limit;
    private long taken;

    public ReceiveMemory(long bytes) {
        limit = bytes;
    }

    /** Bytes kept now. */
    public long takenBytes() {
        return taken;
    }

    public long limitBytes() {
        return limit;
    }

    /** Takes memory for somebody who keeps {@code own} bytes already, if that may be. */
    boolean take(long own, int bytes) {
        boolean granted = own + bytes <= limit - taken - bytes;
        if (granted) {
            taken += bytes;
        }
        return granted;
    }

    void give(long bytes) {
        taken -= bytes;
    }

    /**
     * What one may ask for at a time and be sure to be able to keep while nobody else keeps
     * anything; the last frame may end behind it.
     */
    long window() {
        return limit / 2 - LogFormat.MAX_FRAME;
    }
}
