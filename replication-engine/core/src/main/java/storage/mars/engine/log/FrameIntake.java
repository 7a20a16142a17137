// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.LogWindow.Chunk;

/**
 * The secondary's way into the log: takes received whole frames, verifies them as recovery would,
 * and puts them behind the end, byte for byte as the primary has them. Owned by the shard.
 */
public final class FrameIntake {

    private final LogTail tail;
    private final VolumeBounds bounds;
    private final FrameView view = new FrameView();

    public FrameIntake(LogTail tail, VolumeBounds bounds) {
        this.tail = tail;
        this.bounds = bounds;
    }

    /** What became of received bytes. */
    public sealed interface Taken {

        /** All of them are behind the end of the log now. */
        record All() implements Taken {}

        /**
         * The first {@code bytes} of them are; memory or log space for the rest is not there now.
         */
        record Waits(int bytes) implements Taken {}

        /** They are not the log that belongs here; nothing from {@code position} on was taken. */
        record Wrong(long position, String reason) implements Taken {}
    }

    private static final Taken ALL = new Taken.All();

    /**
     * Takes the bytes from {@code at} of {@code bytes} to its limit, which continue the log at its
     * end.
     */
    public Taken take(ByteBuffer bytes, int at, EpochHistory history) {
        int offset = at;
        while (offset < bytes.limit()) {
            int left = bytes.limit() - offset;
            if (left < LogFormat.BLOCK) {
                return new Taken.Wrong(tail.end(), "received bytes end inside of a block");
            }
            boolean header = tail.layout.isHeader(tail.end());
            String fault =
                    header
                            ? headerFault(bytes, offset, history)
                            : frameFault(bytes, offset, left, history);
            if (fault != null) {
                return new Taken.Wrong(tail.end(), fault);
            }
            int stored = header ? LogFormat.BLOCK : view.storedLength();
            if (!put(bytes, offset, stored, header)) {
                return new Taken.Waits(offset - at);
            }
            offset += stored;
        }
        return ALL;
    }

    /**
     * Whether a frame of any size can be taken now; when not, {@link LogTail#whenRoom} is told when
     * to ask again.
     */
    public boolean hasRoom() {
        return tail.hasRoom();
    }

    private @Nullable String headerFault(ByteBuffer bytes, int offset, EpochHistory history) {
        return tail.verifier.headerFault(bytes, offset, tail.end(), history, tail.chain);
    }

    private @Nullable String frameFault(
            ByteBuffer bytes, int offset, int left, EpochHistory history) {
        view.wrap(bytes, offset);
        String fault = tail.verifier.descriptorFault(view, tail.end());
        if (fault != null) {
            return fault;
        }
        if (view.storedLength() > left) {
            return "received frame is not whole";
        }
        Epoch epoch = history.at(tail.end());
        if (epoch == null || epoch.id().id() != view.epochId()) {
            return "received frame is of an epoch that does not hold this position";
        }
        if (!tail.chain.matches(view.chainHigh(), view.chainLow())) {
            return "received frame does not follow the one before it";
        }
        String outside = rangeFault();
        return outside == null ? tail.verifier.payloadFault(view) : outside;
    }

    private @Nullable String rangeFault() {
        for (int i = 0; i < view.recordCount(); i++) {
            RecordType type = view.type(i);
            boolean data = type != null && type.family() == RecordType.Family.DATA;
            long room = data ? bounds.sizeBytes(view.volume(i)) - view.rangeOffset(i) : 0;
            if (data && view.rangeLength(i) > room) {
                return "record " + i + " reaches beyond volume " + view.volume(i);
            }
        }
        return null;
    }

    private boolean put(ByteBuffer bytes, int offset, int stored, boolean header) {
        long position = tail.end();
        boolean control = !header && !view.isPad() && !view.hasDataRecord();
        long until = position + (header ? stored : view.length());
        if (until + (control ? 0 : LogTail.CONTROL_RESERVE) > tail.segments.readyEnd()) {
            tail.awaitSpace();
            return false;
        }
        Chunk chunk = header ? tail.window.grow(position, false) : tail.chunkFor(stored, false);
        if (chunk == null) {
            tail.awaitMemory();
            return false;
        }
        chunk.bytes().put(chunk.used, bytes, offset, stored);
        chunk.used += stored;
        if (header) {
            chunk.end = position + stored;
            tail.segments.prepareBehind(position);
        } else {
            chunk.end = position + view.length();
            tail.chain.advance(view.buffer(), view.offset(), view.recordCount());
        }
        tail.advance(chunk.end);
        return true;
    }
}
