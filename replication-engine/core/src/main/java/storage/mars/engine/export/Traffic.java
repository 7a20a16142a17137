// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/**
 * What the clients of a resource have asked for and got, in totals. Written by its shard alone;
 * others may read slightly old numbers. Allocates nothing.
 */
public final class Traffic {

    private final Map<BlockRequest.Op, Count> answered = new EnumMap<>(BlockRequest.Op.class);
    private long readBytes;
    private long writtenBytes;
    private long invalid;
    private long failed;

    private static final class Count {

        private long requests;
    }

    Traffic() {
        for (BlockRequest.Op op : BlockRequest.Op.values()) {
            answered.put(op, new Count());
        }
    }

    /** A request whose client is still there has ended. */
    void ended(BlockRequest request, Outcome outcome) {
        switch (outcome) {
            case OK -> {
                of(request.op).requests++;
                if (request.op == BlockRequest.Op.READ) {
                    readBytes += request.length;
                } else if (request.op == BlockRequest.Op.WRITE) {
                    writtenBytes += request.length;
                }
            }
            case READ_ONLY, BEYOND_END, INVALID -> {
                of(request.op).requests++;
                invalid++;
            }
            case FAILED -> {
                of(request.op).requests++;
                failed++;
            }
            case CLOSED -> {}
        }
    }

    private Count of(BlockRequest.Op op) {
        return Objects.requireNonNull(answered.get(op));
    }

    /** A request was refused before it got as far as being one. */
    void refused() {
        invalid++;
    }

    /** Requests that were answered, errors included. */
    public long requests(BlockRequest.Op op) {
        return of(op).requests;
    }

    /** Bytes that were read. */
    public long readBytes() {
        return readBytes;
    }

    /** Bytes of payload that were written and acknowledged. */
    public long writtenBytes() {
        return writtenBytes;
    }

    /** Requests that no state of the volume could serve: the client's errors. */
    public long invalid() {
        return invalid;
    }

    /** Requests that storage failed. */
    public long failed() {
        return failed;
    }
}
