// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the segment that holds the checkpoint. Its header had been durable before any frame
 * behind it was, and its file is kept as long as the checkpoint is inside of it: where the log has
 * a part of the segment, a header or file that is not there has been lost. One use. Owned by the
 * shard.
 */
final class CheckpointSegment {

    private final SegmentStore segments;
    private final FrameVerifier verifier;
    private final long start;
    private final boolean fileExpected;
    private final boolean headerExpected;

    /** What is there. */
    sealed interface Seen {

        /** All that can be expected, which may be nothing. */
        record Whole() implements Seen {}

        /** Something that had been durable is not there; {@code reason} says what. */
        record Damaged(String reason) implements Seen {}

        record Unreadable(String reason) implements Seen {}
    }

    CheckpointSegment(SegmentStore segments, FrameVerifier verifier, ReplicaMetadata metadata) {
        this.segments = segments;
        this.verifier = verifier;
        long checkpoint = metadata.checkpoint().position();
        start = segments.layout().start(checkpoint);
        headerExpected = start >= metadata.logStart() && checkpoint > start;
        fileExpected =
                headerExpected
                        || (start < metadata.logStart()
                                && metadata.durableKnown() > metadata.logStart());
    }

    long start() {
        return start;
    }

    /** {@code buffer} takes a block and is not used any more when {@code seen} is told. */
    void look(ByteBuffer buffer, Consumer<Seen> seen) {
        Segment segment = segments.holding(start);
        if (segment == null && fileExpected) {
            seen.accept(new Seen.Damaged(words() + " is missing"));
        } else if (segment == null || !headerExpected) {
            seen.accept(new Seen.Whole());
        } else {
            segment.pin();
            segment.file.read(
                    0,
                    buffer.clear().limit(LogFormat.BLOCK),
                    failure -> {
                        segments.unpin(segment);
                        buffer.clear();
                        seen.accept(
                                failure == null
                                        ? judged(buffer)
                                        : new Seen.Unreadable(words() + ": " + failure));
                    });
        }
    }

    /** Its epoch may have been pruned from the history, and the link before it is not known. */
    private Seen judged(ByteBuffer buffer) {
        @Nullable String fault = verifier.headerFault(buffer, 0, start, null, null);
        return fault == null
                ? new Seen.Whole()
                : new Seen.Damaged(words() + " is damaged: " + fault);
    }

    private String words() {
        return "the segment at " + start + " that the checkpoint points into";
    }
}
