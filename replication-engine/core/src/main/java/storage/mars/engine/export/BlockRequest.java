// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One request of a client and its place in the engine's queues. The protocol owns the object and
 * may reuse it: it fills the fields, gives it to {@link Attachment#submit}, and leaves it alone
 * until {@link #completed}. Used on the shard only; allocates nothing.
 */
public abstract class BlockRequest {

    /** What is asked for. */
    public enum Op {
        READ,
        WRITE,
        /** Makes a range read as zero; space may be given back. */
        TRIM,
        /** Makes a range read as zero. */
        ZERO,
        FLUSH,
        /** Prefetch; a hint. */
        CACHE,
        /** Which parts of a range hold data: fills {@link #extents}. */
        BLOCK_STATUS
    }

    public Op op = Op.READ;

    /** First byte of the range. */
    public long offset;

    /** Bytes of the range; for READ and WRITE equal to the remaining bytes of {@link #data}. */
    public long length;

    /** Completes only when its own effect is durable. */
    public boolean forceUnitAccess;

    /**
     * Payload of a WRITE, destination of a READ (filled from its position on; the engine moves the
     * position).
     */
    public @Nullable ByteBuffer data;

    /** Destination of BLOCK_STATUS. */
    public @Nullable Extents extents;

    // Everything below belongs to the engine between submit and completed.

    /** Next request of the queue that this request waits in. */
    @Nullable BlockRequest next;

    /** The attachment that submitted it. */
    @Nullable ClientAttachment attachment;

    /** Bytes that have a log position already. */
    long admittedBytes;

    /** Log position that must be durable before it is acknowledged. */
    long awaitedPosition;

    /** When it was submitted, for the stage latencies. */
    long submittedNanos;

    /** Where its end is counted. */
    @Nullable Traffic traffic;

    /** Whether that attachment, and no other that may look like it, submitted this. */
    @SuppressWarnings("ReferenceEquality")
    final boolean isOf(Attachment candidate) {
        return attachment == candidate;
    }

    /** Whether that is this very request. */
    @SuppressWarnings("ReferenceEquality")
    final boolean is(@Nullable BlockRequest candidate) {
        return this == candidate;
    }

    /**
     * The engine needs {@link #data} of this WRITE no more (its bytes are in the log window);
     * called before {@link #completed}, perhaps long before it.
     */
    protected void payloadTaken() {}

    /** Ends it: counted, then given back to the protocol. */
    final void end(Outcome outcome) {
        Traffic counted = traffic;
        ClientAttachment client = attachment;
        boolean answered = client == null || !client.isClosed();
        if (counted != null && answered) {
            counted.ended(this, outcome);
        }
        completed(outcome);
    }

    /** The request has ended and belongs to the protocol again. */
    protected abstract void completed(Outcome outcome);
}
