// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.Callback;
import storage.mars.engine.port.IoFailure;

/** An operation off the hot path: any blocking call with a result. */
final class Errand<T> extends IoTask {

    private final String what;
    private final Call<T> call;
    private final Callback<T> done;
    private @Nullable T value;
    private @Nullable IoFailure failure;

    Errand(HandBack home, String what, Call<T> call, Callback<T> done) {
        super(home);
        this.what = what;
        this.call = call;
        this.done = done;
    }

    @Override
    void perform() {
        try {
            value = call.run();
        } catch (IOException | RuntimeException e) {
            failure = IoFailures.of(what, e);
        }
    }

    @Override
    void abandon() {
        failure = IoFailures.ENGINE_STOPS;
    }

    @Override
    void deliver() {
        done.completed(value, failure);
    }

    /** What runs on the I/O thread. */
    @FunctionalInterface
    interface Call<T> {

        T run() throws IOException;
    }
}
