// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.port;

import java.nio.ByteBuffer;
import java.util.BitSet;

/**
 * An open file or block device of fixed size that is read and written at positions. All methods are
 * called on the shard, return at once and complete on the shard; operations of one file may run and
 * complete in any order unless said otherwise. Buffers belong to the port from call to completion.
 * A transfer is whole or failed, never short; a failed or interrupted write leaves any mixture of
 * old and new sectors. Positions and lengths of {@link Storage.Kind#LOG} files are multiples of
 * 4096 and their buffers are aligned to 4096.
 */
public interface BlockFile {

    /** Size in bytes, as of open or the last completed {@link #resize}. */
    long size();

    /**
     * Fills the remaining bytes of {@code into} from {@code position}; advances its position to its
     * limit.
     */
    void read(long position, ByteBuffer into, Completion done);

    /**
     * As {@link #read}, but of what is on the device or on its way there, and sets in {@code
     * unlike} the blocks of 4096 bytes, counted from {@code position}, that ordinary reads may show
     * otherwise: a cache goes on holding what a failed sync has lost, also for the next process. Of
     * {@link Storage.Kind#IMAGE} files only; position, length and the address of the buffer are
     * multiples of 4096. For those who can wait. Fails where the file system has no way around its
     * cache.
     */
    void readDevice(long position, ByteBuffer into, BitSet unlike, Completion done);

    /**
     * Writes the remaining bytes of {@code from} at {@code position}. Not durable before a later
     * {@link #sync}.
     */
    void write(long position, ByteBuffer from, Completion done);

    /**
     * Writes the first {@code count} buffers one after the other from {@code position} on, then
     * makes the whole file durable (fdatasync). When it completes without failure, these bytes and
     * all writes that had completed before the call are durable. After a failure nothing is known
     * about any write since the last successful sync, and a later successful sync proves nothing
     * about them.
     */
    void writeDurably(long position, ByteBuffer[] from, int count, Completion done);

    /**
     * Writes the parts of buffers that {@code runs} names at the places that it says; they do not
     * overlap. It belongs to the port until completion, the buffers are only read. As durable as so
     * many {@link #write}s.
     */
    default void writeRuns(Runs runs, Completion done) {
        RunWrites.start(this, runs, done);
    }

    /**
     * Makes {@code length} bytes from {@code position} read as zero and gives back their space
     * where the file can. Not durable before a later {@link #sync}.
     */
    void zero(long position, long length, Completion done);

    /**
     * Makes all writes that had completed before the call durable. The rules of failure are those
     * of {@link #writeDurably}.
     */
    void sync(Completion done);

    /** Grows the file; the new part reads as zero. Durable when completed. */
    void resize(long newSize, Completion done);

    /**
     * Finds the end of the run of one kind that starts at {@code position}: the value is {@code
     * end} for data and {@code -end} for a hole, with {@code position < end <= limit}. A port that
     * cannot tell says data.
     */
    void nextExtent(long position, long limit, Callback<Long> done);

    /**
     * Closes once all operations under way have completed; without durability. No call may follow.
     */
    void close();
}
