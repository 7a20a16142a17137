// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

import java.nio.ByteBuffer;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.FrameBuilder;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.log.LogLocation;
import storage.mars.engine.log.LogWriter;
import storage.mars.engine.log.RecordType;
import storage.mars.engine.port.Clock;
import storage.mars.engine.volume.BlockReader;
import storage.mars.engine.volume.VolumeIndex;

/**
 * Gives the writes of a resource their one order: a request is admitted when its records are in the
 * log window and the index, in the order of submission over all clients, and acknowledged when they
 * are durable. What finds no room (log window, prepared log, index) waits; it is never refused for
 * that. Owned by the shard; allocates nothing per request.
 */
final class Admission {

    private final VolumeIndex index;
    private final FrameBuilder builder;
    private final LogWriter writer;
    private final EdgeCompletion edges;
    private final Clock clock;
    private final Latencies latencies;
    private final RequestQueue waiting = new RequestQueue();
    private final RequestQueue unacknowledged = new RequestQueue();
    private final Runnable pump = this::pump;
    private Gate gate = Gate.OPEN;
    private long lastAwaited;
    private long durable;
    private boolean pumping;

    /** What becomes of requests. */
    enum Gate {
        OPEN,
        /**
         * Submitted requests wait; used while the resource is being looked at before it goes on.
         */
        HELD,
        CLOSED,
        FAILED
    }

    Admission(
            VolumeIndex index,
            FrameBuilder builder,
            LogWriter writer,
            BlockReader reader,
            long durable,
            Clock clock,
            Latencies latencies) {
        this.index = index;
        this.builder = builder;
        this.writer = writer;
        this.edges = new EdgeCompletion(reader);
        this.durable = durable;
        this.clock = clock;
        this.latencies = latencies;
    }

    /** Takes a WRITE, TRIM, ZERO or FLUSH whose range lies inside its volume. */
    void submit(BlockRequest request) {
        switch (gate) {
            case CLOSED -> request.end(Outcome.CLOSED);
            case FAILED -> request.end(Outcome.FAILED);
            case OPEN, HELD -> {
                request.admittedBytes = 0;
                waiting.add(request);
                pump();
            }
        }
    }

    /** Admits what can be admitted now; called whenever room may have appeared. */
    void pump() {
        if (pumping || gate != Gate.OPEN) {
            return;
        }
        pumping = true;
        BlockRequest request = waiting.peek();
        while (request != null && gate == Gate.OPEN && admit(request)) {
            request = waiting.peek();
        }
        pumping = false;
    }

    boolean isStalled() {
        return !waiting.isEmpty();
    }

    /** Admits the head of the queue, wholly or in part; true when it has left the queue. */
    private boolean admit(BlockRequest request) {
        if (request.op == BlockRequest.Op.FLUSH) {
            request.awaitedPosition = lastAwaited;
            return finish(request);
        }
        if (request.length == 0) {
            request.awaitedPosition = lastAwaited;
            return finish(request);
        }
        if (!index.hasRoom(entriesOf(request))) {
            return false;
        }
        if (EdgeCompletion.isNeeded(request) && !edges.isReadyFor(request)) {
            if (!edges.isRunningFor(request)) {
                edges.start(request, volume(request), pump);
            }
            if (!edges.isReadyFor(request)) {
                return false;
            }
        }
        return admitBlocks(request);
    }

    private static int volume(BlockRequest request) {
        ClientAttachment attachment = request.attachment;
        if (attachment == null) {
            throw new IllegalStateException("request without attachment");
        }
        return attachment.volume();
    }

    private static long entriesOf(BlockRequest request) {
        return request.op == BlockRequest.Op.WRITE ? (request.length >> Blocks.SHIFT) + 2 : 2;
    }

    private boolean admitBlocks(BlockRequest request) {
        if (edges.isReadyFor(request) && edges.failure() != null) {
            waiting.poll();
            edges.abandon();
            request.end(Outcome.FAILED);
            return true;
        }
        long start = Blocks.floor(request.offset);
        long end = Blocks.ceil(request.offset + request.length);
        while (start + request.admittedBytes < end) {
            if (!admitPiece(request, start + request.admittedBytes)) {
                // What has been admitted may be what takes the room that the rest waits for.
                writer.wake();
                return false;
            }
        }
        if (edges.isReadyFor(request)) {
            edges.abandon();
        }
        request.awaitedPosition = builder.awaitPosition();
        lastAwaited = request.awaitedPosition;
        request.payloadTaken();
        latencies.admit.add(clock.nanoTime() - request.submittedNanos);
        writer.wake();
        return finish(request);
    }

    private boolean admitPiece(BlockRequest request, long at) {
        long dataEnd = request.offset + request.length;
        boolean edge = at < request.offset || at + Blocks.SIZE > dataEnd;
        if (edge) {
            return admitWrite(request, at, edges.merged(request, at), 0, Blocks.SIZE);
        }
        long wholeEnd = Blocks.floor(dataEnd);
        ByteBuffer data = request.data;
        if (request.op == BlockRequest.Op.WRITE && data != null) {
            int length = (int) Math.min(LogFormat.MAX_PAYLOAD, wholeEnd - at);
            return admitWrite(
                    request, at, data, data.position() + (int) (at - request.offset), length);
        }
        return admitRange(request, at, wholeEnd - at);
    }

    private boolean admitWrite(
            BlockRequest request, long at, ByteBuffer from, int offset, int length) {
        if (!builder.reserve(length, false)) {
            return false;
        }
        int volume = volume(request);
        long position = builder.append(RecordType.WRITE, volume, at, from, offset, length);
        index.admitWrite(
                volume,
                at >> Blocks.SHIFT,
                length >> Blocks.SHIFT,
                LogLocation.of(position, builder.frame()),
                builder.order());
        request.admittedBytes += length;
        return true;
    }

    private boolean admitRange(BlockRequest request, long at, long length) {
        if (!builder.reserve(0, false)) {
            return false;
        }
        int volume = volume(request);
        RecordType type = request.op == BlockRequest.Op.TRIM ? RecordType.TRIM : RecordType.ZERO;
        builder.appendRange(type, volume, at, length);
        index.admitZero(volume, at >> Blocks.SHIFT, length >> Blocks.SHIFT, builder.order());
        request.admittedBytes += length;
        return true;
    }

    private boolean finish(BlockRequest request) {
        waiting.poll();
        if (request.awaitedPosition <= durable && unacknowledged.isEmpty()) {
            request.end(Outcome.OK);
        } else {
            unacknowledged.add(request);
        }
        return true;
    }

    /** The log is durable below {@code position}: acknowledges what waited for it. */
    void durable(long position) {
        durable = position;
        long now = clock.nanoTime();
        BlockRequest request = unacknowledged.peek();
        while (request != null && request.awaitedPosition <= position) {
            unacknowledged.poll();
            latencies.write.add(now - request.submittedNanos);
            request.end(Outcome.OK);
            request = unacknowledged.peek();
        }
    }

    /**
     * The client has gone: what it has not got admitted takes no effect. A request of which a part
     * is in the log already goes on; everything that is submitted later comes behind it.
     */
    void drop(Attachment attachment) {
        BlockRequest head = waiting.peek();
        BlockRequest begun = head != null && head.admittedBytes > 0 ? waiting.poll() : null;
        if (begun == null && head != null && head.isOf(attachment)) {
            edges.abandon();
        }
        RequestQueue dropped = waiting.removeOf(attachment);
        if (begun != null) {
            waiting.addFirst(begun);
        }
        completeAll(dropped, Outcome.CLOSED);
        pump();
    }

    /** Nothing is admitted until {@link #open}. */
    void hold() {
        if (gate == Gate.OPEN) {
            gate = Gate.HELD;
        }
    }

    void open() {
        if (gate == Gate.HELD) {
            gate = Gate.OPEN;
            pump();
        }
    }

    /**
     * Nothing is admitted or acknowledged any more; with {@code outcome} FAILED also said to those
     * who still ask.
     */
    void shut(Outcome outcome) {
        gate = outcome == Outcome.FAILED ? Gate.FAILED : Gate.CLOSED;
        edges.abandon();
        completeAll(unacknowledged, outcome);
        completeAll(waiting, outcome);
    }

    private static void completeAll(RequestQueue requests, Outcome outcome) {
        for (BlockRequest request = requests.poll(); request != null; request = requests.poll()) {
            request.end(outcome);
        }
    }
}
