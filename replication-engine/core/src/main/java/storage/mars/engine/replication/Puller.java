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
 * the log writer, and gives credit only for what has found room. What comes while there is none
 * waits here, within the credit and as far as the shard's {@link ReceiveMemory} goes; the rest is
 * dropped and asked for again once there is room. The window of credit grows while nothing has to
 * wait, and is small again after a drop. {@code room} tells whether the index can take more. Owned
 * by the shard; lives as long as its link.
 */
public final class Puller {

    private static final long MOST = 8L << 20;
    private static final long FIRST = 1L << 20;
    private static final long LEAST = 256L << 10;

    /** So many occasions are passed over when asking again has brought nothing several times. */
    private static final int MOST_PATIENCE = 8;

    private final LogTail tail;
    private final FrameIntake intake;
    private final LogWriter writer;
    private final Supplier<EpochHistory> history;
    private final ReceiveMemory memory;
    private final PeerCodec codec;
    private final PeerLink link;
    private final BooleanSupplier room;
    private final Listener listener;
    private final ArrayDeque<ByteBuffer> pending = new ArrayDeque<>();
    private final long most;
    private Stream stream = Stream.FLOWS;
    private long kept;
    private boolean hasWaited;
    private long window;
    private long credit;

    /** What was under way when it was asked again lies below this. */
    private long credited;

    private long asked;
    private int patience;
    private int passedOver;
    private boolean held;
    private boolean answered;
    private boolean ended;

    private enum Stream {
        /** What comes continues what has come. */
        FLOWS,

        /** Something was dropped, and so is what comes behind it. */
        BROKEN,

        /** It was asked for again, and has not come yet; other things may come before. */
        ASKED_AGAIN
    }

    /** Who is told; called on the shard. */
    public interface Listener {

        /** It asks now: the source judges that by the history that it has been told last. */
        void asking();

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
            ReceiveMemory memory,
            PeerCodec codec,
            PeerLink link,
            BooleanSupplier room,
            Listener listener) {
        this.tail = tail;
        this.intake = intake;
        this.writer = writer;
        this.history = history;
        this.memory = memory;
        this.codec = codec;
        this.link = link;
        this.room = room;
        this.listener = listener;
        this.most = Math.clamp(memory.window(), LEAST, MOST);
        this.window = Math.min(FIRST, most);
    }

    /** Asks for everything behind the end of the log. */
    public void start() {
        asked = tail.end();
        credit = asked + window;
        listener.asking();
        link.send(codec.encode(new Pull(asked, tail.link(), credit)));
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
        memory.give(kept);
        kept = 0;
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
        long limit = stream == Stream.FLOWS ? credit : Math.max(credit, credited);
        if (data.position() > limit) {
            wrong("the log at " + data.position() + " is beyond the credit of " + limit);
        } else if (!isDropped(data.position())) {
            if (held || !pending.isEmpty() || !room.getAsBoolean()) {
                keep(data.bytes());
            } else {
                take(data.bytes(), data.position());
            }
        }
    }

    /** What follows something that was dropped cannot be used. */
    private boolean isDropped(long position) {
        if (stream == Stream.ASKED_AGAIN && position == asked) {
            stream = Stream.FLOWS;
        }
        return stream != Stream.FLOWS;
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
        int length = bytes.remaining();
        hasWaited = true;
        if (memory.take(kept, length)) {
            kept += length;
            ByteBuffer copy = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
            pending.add(copy.put(bytes.duplicate()).flip());
        } else {
            drop();
        }
    }

    private void drop() {
        stream = Stream.BROKEN;
        credited = Math.max(credited, credit);
        window = LEAST;
        patience = tail.end() > asked ? 0 : Math.clamp(2L * patience, 1, MOST_PATIENCE);
        passedOver = 0;
    }

    /** There may be room again for what waits, and then for what was dropped behind it. */
    public void advance() {
        while (!held && !ended && !pending.isEmpty() && room.getAsBoolean()) {
            ByteBuffer next = pending.element();
            if (take(next).hasRemaining()) {
                return;
            }
            if (pending.poll() != null) {
                kept -= next.capacity();
                memory.give(next.capacity());
            }
        }
        if (stream == Stream.BROKEN && canTakeMore() && passedOver++ >= patience) {
            stream = Stream.ASKED_AGAIN;
            start();
        }
    }

    private boolean canTakeMore() {
        return !held && !ended && pending.isEmpty() && room.getAsBoolean() && intake.hasRoom();
    }

    private void giveCredit() {
        if (stream == Stream.FLOWS && tail.end() + window / 2 > credit) {
            window = hasWaited ? window : Math.min(most, 2 * window);
            hasWaited = false;
            credit = tail.end() + window;
            link.send(codec.encode(new Credit(credit)));
        }
    }

    private void wrong(String reason) {
        end();
        listener.wrong(reason);
    }
}
