// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.ByteBuffer;
import storage.mars.engine.port.Callback;
import storage.mars.engine.port.IoFailure;

/** Finds the chain value in front of any frame boundary of the log. Owned by the shard. */
public final class LinkReader {

    private final LogTail tail;
    private final SegmentStore segments;
    private final AlignedBuffers buffers;
    private final FrameView view = new FrameView();

    public LinkReader(LogTail tail, SegmentStore segments, AlignedBuffers buffers) {
        this.tail = tail;
        this.segments = segments;
        this.buffers = buffers;
    }

    /**
     * The link in front of {@code position}, which is a frame boundary at or below the durable
     * position.
     */
    public void read(long position, Callback<Chain.Link> done) {
        if (position == tail.end()) {
            done.completed(tail.link(), null);
            return;
        }
        buffers.acquire(buffer -> {
            if (tail.copy(position, LogFormat.BLOCK, buffer, 0)) {
                parse(position, buffer, done);
            } else {
                readBlock(position, buffer, done);
            }
        });
    }

    private void readBlock(long position, ByteBuffer buffer, Callback<Chain.Link> done) {
        Segment segment = segments.holding(position);
        if (segment == null) {
            fail(position, "no segment holds it", buffer, done);
            return;
        }
        segment.pin();
        segment.file.read(
                tail.layout.offset(position),
                buffer.clear().limit(LogFormat.BLOCK),
                failure -> {
                    segments.unpin(segment);
                    buffer.clear();
                    if (failure == null) {
                        parse(position, buffer, done);
                    } else {
                        fail(position, failure.toString(), buffer, done);
                    }
                });
    }

    private void parse(long position, ByteBuffer buffer, Callback<Chain.Link> done) {
        boolean header = tail.layout.isHeader(position);
        String fault =
                header
                        ? tail.verifier.headerFault(buffer, 0, position, null, null)
                        : tail.verifier.descriptorFault(view.wrap(buffer, 0), position);
        if (fault != null) {
            fail(position, fault, buffer, done);
            return;
        }
        Chain.Link link =
                header
                        ? new Chain.Link(buffer.getLong(56), buffer.getLong(64))
                        : new Chain.Link(view.chainHigh(), view.chainLow());
        buffers.release(buffer);
        done.completed(link, null);
    }

    private void fail(long position, String why, ByteBuffer buffer, Callback<Chain.Link> done) {
        buffers.release(buffer);
        done.completed(
                null, new IoFailure(IoFailure.Kind.IO_ERROR, "log at " + position + ": " + why));
    }
}
