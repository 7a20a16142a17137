// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replication;

import java.nio.ByteBuffer;
import storage.mars.engine.log.LogAccess;
import storage.mars.engine.log.LogBatchReader.Batch;
import storage.mars.engine.port.PeerLink;

/**
 * Sends the durable log to one member that pulls: from memory where it is recent, else from the
 * segments, as far as the member has given credit and the link takes it. It never waits for anybody
 * and nobody for it. Owned by the shard; lives as long as its link.
 */
public final class Shipper {

    private final LogAccess log;
    private final PeerCodec codec;
    private final PeerLink link;
    private final Listener listener;
    private long next;
    private long creditUntil;
    private boolean reading;
    private boolean paused;
    private boolean ended;
    private long sent;

    /** Who is told. */
    public interface Listener {

        /**
         * The log at {@code position} cannot be had: it has been let go, or cannot be read. This
         * shipper has ended.
         */
        void logGone(long position, String reason);
    }

    public Shipper(LogAccess log, PeerCodec codec, PeerLink link, Listener listener) {
        this.log = log;
        this.codec = codec;
        this.link = link;
        this.listener = listener;
    }

    /** The member wants everything from the frame boundary {@code from} on. */
    public void start(long from, long credit) {
        next = from;
        creditUntil = credit;
        advance();
    }

    public void credit(long until) {
        creditUntil = Math.max(creditUntil, until);
        advance();
    }

    public void pause(boolean now) {
        paused = now;
        advance();
    }

    public void end() {
        ended = true;
    }

    /** Bytes of log sent on this link. */
    public long sentBytes() {
        return sent;
    }

    /** More is durable, or the link takes more: sends what it can. */
    public void advance() {
        while (!reading && !paused && !ended && link.isWritable()) {
            long limit = Math.min(log.tail().durable(), creditUntil);
            if (next >= limit) {
                return;
            }
            ByteBuffer out = codec.beginLog(next);
            int head = out.position();
            long until = log.tail().copyFrames(next, limit, out.limit(out.capacity()));
            if (until == next) {
                read();
                return;
            }
            sent += out.position() - head;
            next = until;
            link.send(codec.endLog());
        }
    }

    /**
     * The credit counts whole frames generously: what is read in one go may go a batch beyond it.
     */
    private void read() {
        reading = true;
        long limit = log.tail().durable();
        log.buffers()
                .acquire(buffer ->
                        log.reader()
                                .read(
                                        next,
                                        limit,
                                        log.history().get(),
                                        null,
                                        buffer,
                                        this::readDone));
    }

    private void readDone(Batch batch) {
        reading = false;
        boolean useful = !ended && batch.to() > batch.from();
        if (useful) {
            int bytes = batch.fault() == null ? batch.bytes().limit() : stored(batch);
            codec.beginLog(batch.from()).put(batch.bytes().duplicate().position(0).limit(bytes));
            link.send(codec.endLog());
            sent += bytes;
            next = batch.to();
        }
        log.buffers().release(batch.bytes());
        if (ended) {
            return;
        }
        if (!useful) {
            end();
            String fault = batch.fault();
            listener.logGone(batch.to(), fault == null ? "nothing is there" : fault);
            return;
        }
        advance();
    }

    private static int stored(Batch batch) {
        return (int) (batch.to() - batch.from());
    }
}
