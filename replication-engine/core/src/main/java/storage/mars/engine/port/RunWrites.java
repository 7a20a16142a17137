// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.port;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Writes runs one by one through {@link BlockFile#write}, for files that know nothing better. */
final class RunWrites implements Completion {

    private final Completion done;
    private int open = 1;
    private @Nullable IoFailure failure;

    private RunWrites(Completion done) {
        this.done = done;
    }

    static void start(BlockFile file, Runs runs, Completion done) {
        RunWrites writes = new RunWrites(done);
        for (int i = 0; i < runs.count(); i++) {
            writes.open++;
            ByteBuffer part = runs.source(i).slice(runs.offset(i), runs.length(i));
            file.write(runs.position(i), part, writes);
        }
        writes.completed(null);
    }

    @Override
    public void completed(@Nullable IoFailure problem) {
        if (problem != null && failure == null) {
            failure = problem;
        }
        if (--open == 0) {
            done.completed(failure);
        }
    }
}
