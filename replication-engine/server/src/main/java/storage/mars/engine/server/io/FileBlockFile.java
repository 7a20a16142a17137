// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.nio.ByteBuffer;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Callback;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.Runs;
import storage.mars.engine.port.Storage.Kind;
import storage.mars.engine.server.io.Transfer.Verb;

/**
 * The shard's half of an open file: decides which thread does what and counts what is under way. A
 * log's writes and syncs go through its lane in the order of the calls; all else may run side by
 * side.
 */
final class FileBlockFile implements BlockFile {

    private final String name;
    private final Kind kind;
    private final OpenFile file;
    private final FileLanes lanes;
    private int underWay;
    private boolean closing;

    FileBlockFile(String name, Kind kind, OpenFile file, FileLanes lanes) {
        this.name = name;
        this.kind = kind;
        this.file = file;
        this.lanes = lanes;
    }

    @Override
    public long size() {
        return file.size();
    }

    @Override
    public void read(long position, ByteBuffer into, Completion done) {
        lanes.transfers().submit(begin(Verb.READ, done).buffer(position, into));
    }

    @Override
    public void readDevice(long position, ByteBuffer into, BitSet unlike, Completion done) {
        errand(
                lanes.comparisons(),
                "read " + name,
                () -> {
                    file.readDevice(position, into, unlike);
                    return Boolean.TRUE;
                },
                (ignored, failure) -> done.completed(failure));
    }

    @Override
    public void write(long position, ByteBuffer from, Completion done) {
        submitWrite(begin(Verb.WRITE, done).buffer(position, from));
    }

    @Override
    public void writeDurably(long position, ByteBuffer[] from, int count, Completion done) {
        submitWrite(begin(Verb.WRITE_DURABLY, done).buffers(position, from, count));
    }

    @Override
    public void writeRuns(Runs runs, Completion done) {
        submitWrite(begin(Verb.WRITE_RUNS, done).runs(runs));
    }

    @Override
    public void zero(long position, long length, Completion done) {
        Transfer zero = begin(Verb.ZERO, done).range(position, length);
        if (kind == Kind.LOG) {
            lanes.log().submit(zero);
        } else {
            lanes.maintenance().submit(zero);
        }
    }

    @Override
    public void sync(Completion done) {
        Transfer sync = begin(Verb.SYNC, done);
        switch (kind) {
            case LOG -> lanes.log().submit(sync);
            case IMAGE -> lanes.maintenance().submit(sync);
            case METADATA -> lanes.transfers().submit(sync);
        }
    }

    @Override
    public void resize(long newSize, Completion done) {
        lanes.maintenance().submit(begin(Verb.RESIZE, done).range(0, newSize));
    }

    @Override
    public void nextExtent(long position, long limit, Callback<Long> done) {
        errand(lanes.transfers(), "search " + name, () -> file.nextExtent(position, limit), done);
    }

    private <T> void errand(
            WorkerPool threads, String what, Errand.Call<T> call, Callback<T> done) {
        started();
        threads.submit(
                new Errand<>(
                        lanes.home(),
                        what,
                        call,
                        (value, failure) -> {
                            ended();
                            done.completed(value, failure);
                        }));
    }

    @Override
    public void close() {
        if (closing) {
            throw new IllegalStateException(name + " is closed already");
        }
        closing = true;
        if (underWay == 0) {
            submitClose();
        }
    }

    /** One operation less is under way; called on the shard. */
    void ended() {
        underWay--;
        if (closing && underWay == 0) {
            submitClose();
        }
    }

    /** For the I/O thread. */
    OpenFile openFile() {
        return file;
    }

    String name() {
        return name;
    }

    private Transfer begin(Verb verb, @Nullable Completion done) {
        started();
        return lanes.pool().acquire().of(this, verb, done);
    }

    private void started() {
        if (closing) {
            throw new IllegalStateException(name + " is closed");
        }
        underWay++;
    }

    private void submitWrite(Transfer write) {
        switch (kind) {
            case LOG -> lanes.log().submit(write);
            case IMAGE -> lanes.images().submit(write);
            case METADATA -> lanes.transfers().submit(write);
        }
    }

    private void submitClose() {
        lanes.maintenance().submit(lanes.pool().acquire().of(this, Verb.CLOSE, null));
    }

    /** Where the operations of one file go. */
    record FileLanes(
            Lane log,
            Lane images,
            WorkerPool transfers,
            WorkerPool maintenance,
            WorkerPool comparisons,
            TransferPool pool,
            HandBack home) {}
}
