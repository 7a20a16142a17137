// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import storage.mars.engine.log.FrameView;
import storage.mars.engine.log.RecordType;
import storage.mars.engine.port.Storage;
import storage.mars.engine.testkit.disk.DiskObserver;
import storage.mars.engine.testkit.oracle.LogOrder;
import storage.mars.engine.testkit.schedule.SimFailure;

/**
 * Derives from what one engine writes to its segments the order of its log. A frame at a position
 * that was written before cuts what lay there: that tail was never durable, or lost a role.
 */
final class LogObserver implements DiskObserver {

    private static final Pattern SEGMENT = Pattern.compile("resources/r/log/(\\d{20})\\.log");
    private static final int BLOCK = 4096;

    private final String machine;
    private final LogLedger ledger;
    private final LogOrder order;
    private final FrameView view = new FrameView();
    private final List<Frame> frames = new ArrayList<>();
    private long end;

    /** A frame that was written and lies in the log still, unless it never became durable. */
    record Frame(long position, int stored, long durableAtSeal) {}

    LogObserver(String machine, LogLedger ledger, LogOrder order) {
        this.machine = machine;
        this.ledger = ledger;
        this.order = order;
    }

    @Override
    public void writing(String name, Storage.Kind kind, long position, ByteBuffer bytes) {
        long start = kind == Storage.Kind.LOG ? startOf(name) : -1;
        if (start < 0) {
            return;
        }
        ByteBuffer buffer = bytes.order(ByteOrder.LITTLE_ENDIAN);
        int offset = buffer.position();
        long at = start + position;
        while (offset + BLOCK <= buffer.limit()) {
            view.wrap(buffer, offset);
            int stored = BLOCK;
            if (view.hasMagic() && view.position() == at) {
                stored = view.isPad() ? buffer.limit() - offset : view.length();
                frame();
            } else if (at != start) {
                throw new SimFailure(machine + " writes what is no frame to its log at " + at);
            }
            offset += stored;
            at += stored;
        }
    }

    /** All frames, in order. */
    List<Frame> frames() {
        return List.copyOf(frames);
    }

    private void frame() {
        long position = view.position();
        ledger.written(machine, view);
        if (position < end) {
            order.cut(position);
            frames.removeIf(frame -> frame.position >= position);
        }
        end = position + view.length();
        frames.add(new Frame(position, view.storedLength(), view.durableAtSeal()));
        for (int i = 0; i < view.recordCount(); i++) {
            RecordType type = view.type(i);
            if (type == null || type.family() != RecordType.Family.DATA) {
                continue;
            }
            if (type == RecordType.WRITE) {
                byte[] payload = new byte[view.payloadLength(i)];
                view.buffer().get(view.offset() + view.payloadOffset(i), payload);
                order.addBytes(position, view.volume(i), view.rangeOffset(i), payload);
            } else {
                order.addZero(position, view.volume(i), view.rangeOffset(i), view.rangeLength(i));
            }
        }
    }

    @Override
    public void durable(String name, Storage.Kind kind, long position, byte[] bytes) {
        long start = kind == Storage.Kind.LOG ? startOf(name) : -1;
        if (start >= 0) {
            view.wrap(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN), 0);
            if (view.hasMagic() && view.position() == start + position) {
                ledger.durable(view);
            }
        }
    }

    private static long startOf(String name) {
        Matcher matcher = SEGMENT.matcher(name);
        return matcher.matches() ? Long.parseLong(matcher.group(1)) : -1;
    }
}
