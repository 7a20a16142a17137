// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replication;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.FrameIntake;
import storage.mars.engine.log.LogTail;
import storage.mars.engine.log.LogWriter;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.replication.PeerMessage.Credit;
import storage.mars.engine.replication.PeerMessage.LogData;
import storage.mars.engine.replication.PeerMessage.Pull;

/**
 * Pulls the log from the primary over one link: asks, verifies and takes in what comes, hands it to
 * the log writer, and gives credit only for what there is room for. What comes while there is no
 * room waits here, within the credit. {@code room} tells whether the index can take more. Owned by
 * the shard; lives as long as its link.
 */
public final class Puller {

    private static final long WINDOW = 8L << 20;

    private final LogTail tail;
    private final FrameIntake intake;
    private final LogWriter writer;
    private final Supplier<EpochHistory> history;
    private final PeerCodec codec;
    private final PeerLink link;
    private final BooleanSupplier room;
    private final Listener listener;
    private final ArrayDeque<ByteBuffer> pending = new ArrayDeque<>();
    private long expected;
    private long credit;
    private boolean held;
    private boolean answered;
    private boolean ended;

    /** Who is told; called on the shard. */
    public interface Listener {

        /** [from, to) has been taken into the log, not yet durable; its frames are in memory. */
        void taken(long from, long to);

        /** What came is not the log that belongs here. */
        void wrong(String reason);
    }

    public Puller(
            LogTail tail,
            FrameIntake intake,
            LogWriter writer,
            Supplier<EpochHistory> history,
            PeerCodec codec,
            PeerLink link,
            BooleanSupplier room,
            Listener listener) {
        this.tail = tail;
        this.intake = intake;
        this.writer = writer;
        this.history = history;
        this.codec = codec;
        this.link = link;
        this.room = room;
        this.listener = listener;
    }

    /** Asks for everything behind the end of the log. */
    public void start() {
        expected = tail.end();
        credit = tail.end() + WINDOW;
        link.send(codec.encode(new Pull(expected, tail.link(), credit)));
    }

    /**
     * Takes nothing in until {@link #resume}; while the epoch that it belongs to is not yet in the
     * metadata.
     */
    public void hold() {
        held = true;
    }

    public void resume() {
        held = false;
        advance();
    }

    public void end() {
        ended = true;
        pending.clear();
    }

    /** Whether nothing has come since it asked. */
    public boolean isUnanswered() {
        return !answered;
    }

    public boolean isEnded() {
        return ended;
    }

    public void received(LogData data) {
        if (ended) {
            return;
        }
        answered = true;
        if (data.position() > credit) {
            wrong("the log at " + data.position() + " is beyond the credit of " + credit);
        } else if (held || !pending.isEmpty() || !room.getAsBoolean()) {
            keep(data.bytes());
        } else {
            take(data.bytes(), data.position());
        }
    }

    private void take(ByteBuffer bytes, long position) {
        if (position != tail.end()) {
            wrong("the log goes on at " + position + ", not at " + tail.end());
            return;
        }
        ByteBuffer rest = take(bytes);
        if (rest.hasRemaining()) {
            keep(rest);
        }
    }

    /** Takes what it can and returns the rest. */
    private ByteBuffer take(ByteBuffer bytes) {
        long from = tail.end();
        FrameIntake.Taken taken = intake.take(bytes, bytes.position(), history.get());
        if (tail.end() > from) {
            listener.taken(from, tail.end());
            writer.wake();
            giveCredit();
        }
        return switch (taken) {
            case FrameIntake.Taken.All all -> bytes.position(bytes.limit());
            case FrameIntake.Taken.Waits waits -> bytes.position(bytes.position() + waits.bytes());
            case FrameIntake.Taken.Wrong wrong -> {
                wrong("log at " + wrong.position() + ": " + wrong.reason());
                yield bytes.position(bytes.limit());
            }
        };
    }

    private void keep(ByteBuffer bytes) {
        ByteBuffer copy = ByteBuffer.allocate(bytes.remaining()).order(ByteOrder.LITTLE_ENDIAN);
        pending.add(copy.put(bytes.duplicate()).flip());
    }

    /** There may be room again for what waits. */
    public void advance() {
        while (!held && !ended && !pending.isEmpty() && room.getAsBoolean()) {
            ByteBuffer rest = take(pending.element());
            if (rest.hasRemaining()) {
                return;
            }
            pending.poll();
        }
    }

    private void giveCredit() {
        if (tail.end() + WINDOW / 2 > credit) {
            credit = tail.end() + WINDOW;
            link.send(codec.encode(new Credit(credit)));
        }
    }

    private void wrong(String reason) {
        end();
        listener.wrong(reason);
    }
}
