// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.volume.BlockReader;

/**
 * Turns the partial first and last block of a request into whole blocks: reads what is there and
 * lays the request's bytes over it. For one request at a time, the one at the head of the admission
 * queue. Owned by the shard.
 */
final class EdgeCompletion {

    private final BlockReader reader;
    private ByteBuffer first = ByteBuffer.allocateDirect(Blocks.SIZE);
    private ByteBuffer last = ByteBuffer.allocateDirect(Blocks.SIZE);
    private @Nullable BlockRequest request;
    private int pending;
    private boolean ready;
    private @Nullable IoFailure failure;
    private int generation;

    EdgeCompletion(BlockReader reader) {
        this.reader = reader;
    }

    static boolean isNeeded(BlockRequest request) {
        return !Blocks.aligned(request.offset | request.length);
    }

    /** Whether the edges of {@code request} are whole. */
    boolean isReadyFor(BlockRequest request) {
        return request.is(this.request) && ready;
    }

    boolean isRunningFor(BlockRequest request) {
        return request.is(this.request) && !ready;
    }

    @Nullable IoFailure failure() {
        return failure;
    }

    /**
     * Reads the edges; {@code done} runs when they are whole, unless {@link #abandon} comes first.
     */
    void start(BlockRequest newRequest, int volume, Runnable done) {
        request = newRequest;
        ready = false;
        failure = null;
        int mine = ++generation;
        pending = 1;
        long start = newRequest.offset;
        long end = start + newRequest.length;
        Completion completion = problem -> completed(mine, problem, done);
        boolean oneBlock = Blocks.floor(start) == Blocks.floor(end - 1);
        if (!Blocks.aligned(start) || (oneBlock && !Blocks.aligned(end))) {
            pending++;
            reader.read(volume, Blocks.floor(start), first.clear(), false, completion);
        }
        if (!Blocks.aligned(end) && !oneBlock) {
            pending++;
            reader.read(volume, Blocks.floor(end), last.clear(), false, completion);
        }
        completed(mine, null, done);
    }

    private void completed(int of, @Nullable IoFailure problem, Runnable done) {
        if (of != generation) {
            return;
        }
        if (problem != null) {
            failure = problem;
        }
        if (--pending == 0) {
            ready = true;
            done.run();
        }
    }

    /**
     * The request has left the queue. Buffers that its reads may still be filling are not used
     * again.
     */
    void abandon() {
        if (pending > 0) {
            first = ByteBuffer.allocateDirect(Blocks.SIZE);
            last = ByteBuffer.allocateDirect(Blocks.SIZE);
            pending = 0;
        }
        generation++;
        request = null;
        ready = false;
    }

    /**
     * The whole block at {@code block} (a byte offset), an edge of the request, with the request
     * laid over it.
     */
    ByteBuffer merged(BlockRequest of, long block) {
        boolean isFirst = block == Blocks.floor(of.offset);
        ByteBuffer edge = isFirst ? first : last;
        long from = Math.max(of.offset, block);
        long to = Math.min(of.offset + of.length, block + Blocks.SIZE);
        ByteBuffer data = of.data;
        int at = (int) (from - block);
        int length = (int) (to - from);
        if (of.op == BlockRequest.Op.WRITE && data != null) {
            edge.put(at, data, data.position() + (int) (from - of.offset), length);
        } else {
            for (int i = 0; i < length; i++) {
                edge.put(at + i, (byte) 0);
            }
        }
        return edge;
    }
}
