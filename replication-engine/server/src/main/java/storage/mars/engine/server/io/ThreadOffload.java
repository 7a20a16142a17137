// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import storage.mars.engine.port.Completion;
import storage.mars.engine.port.Offload;
import storage.mars.engine.port.Shard;

/** Long computations of one shard, on the thread that all shards have for them. */
public final class ThreadOffload implements Offload {

    private final IoThreads threads;
    private final HandBack home;

    public ThreadOffload(Shard shard, IoThreads threads) {
        this.threads = threads;
        home = new HandBack(shard);
    }

    @Override
    public void run(Runnable work, Completion done) {
        threads.comparisons()
                .submit(
                        new Errand<>(
                                home,
                                "compute",
                                () -> {
                                    work.run();
                                    return Boolean.TRUE;
                                },
                                (ignored, failure) -> done.completed(failure)));
    }
}
