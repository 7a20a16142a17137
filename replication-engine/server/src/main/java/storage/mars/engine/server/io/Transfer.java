// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Runs;

/** An operation on an open file; reused, owned by the {@link TransferPool} of its shard. */
final class Transfer extends IoTask {

    /** What is to be done; {@link #CLOSE} has no asker. */
    enum Verb {
        READ("read"),
        WRITE("write"),
        WRITE_RUNS("write"),
        WRITE_DURABLY("write and sync"),
        ZERO("zero"),
        SYNC("sync"),
        RESIZE("resize"),
        CLOSE("close");

        private final String words;

        Verb(String words) {
            this.words = words;
        }
    }

    private static final Logger LOGGER = LoggerFactory.getLogger(Transfer.class);

    private final TransferPool pool;
    private Verb verb = Verb.SYNC;
    private @Nullable FileBlockFile file;
    private @Nullable Completion done;
    private @Nullable ByteBuffer buffer;
    private @Nullable Runs runs;
    private ByteBuffer @Nullable [] buffers;
    private int count;
    private long position;
    private long length;
    private @Nullable IoFailure failure;

    Transfer(TransferPool pool, HandBack home) {
        super(home);
        this.pool = pool;
    }

    /** Begins a new use. */
    Transfer of(FileBlockFile file, Verb verb, @Nullable Completion done) {
        this.file = file;
        this.verb = verb;
        this.done = done;
        return this;
    }

    Transfer range(long position, long length) {
        this.position = position;
        this.length = length;
        return this;
    }

    Transfer buffer(long position, ByteBuffer buffer) {
        this.position = position;
        this.buffer = buffer;
        return this;
    }

    Transfer runs(Runs runs) {
        this.runs = runs;
        return this;
    }

    Transfer buffers(long position, ByteBuffer[] buffers, int count) {
        this.position = position;
        this.buffers = buffers;
        this.count = count;
        return this;
    }

    @Override
    void perform() {
        FileBlockFile target = Objects.requireNonNull(file);
        try {
            run(target.openFile());
        } catch (IOException | RuntimeException e) {
            failure = IoFailures.of(verb.words + " " + target.name(), e);
        }
    }

    private void run(OpenFile target) throws IOException {
        switch (verb) {
            case READ -> target.read(position, Objects.requireNonNull(buffer));
            case WRITE -> target.write(position, Objects.requireNonNull(buffer));
            case WRITE_RUNS -> target.writeRuns(Objects.requireNonNull(runs));
            case WRITE_DURABLY ->
                    target.writeDurably(position, Objects.requireNonNull(buffers), count);
            case ZERO -> target.zero(position, length);
            case SYNC -> target.sync();
            case RESIZE -> target.resize(length);
            case CLOSE -> target.close();
        }
    }

    @Override
    void abandon() {
        failure = IoFailures.ENGINE_STOPS;
    }

    @Override
    void deliver() {
        FileBlockFile target = Objects.requireNonNull(file);
        Completion asker = done;
        IoFailure outcome = failure;
        file = null;
        done = null;
        buffer = null;
        buffers = null;
        runs = null;
        failure = null;
        pool.release(this);
        if (asker != null) {
            target.ended();
            asker.completed(outcome);
        } else if (outcome != null) {
            LOGGER.warn("A file did not close: {}", outcome.message());
        }
    }
}
