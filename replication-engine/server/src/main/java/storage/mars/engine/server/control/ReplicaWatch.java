// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.api.v1.WatchReplicasResponse;
import storage.mars.engine.replica.ReplicaStatus;
import storage.mars.engine.server.host.Replicas;

/**
 * One caller who follows replicas. What changes while he does not read, or faster than he is told,
 * is sent once, as it is then. Control thread only, but for {@link #changed}.
 */
final class ReplicaWatch {

    private static final long PAUSE_MILLIS = 50;

    private final Replicas replicas;
    private final ReplicaView view;
    private final ScheduledExecutorService thread;
    private final String selection;
    private final Duration interval;
    private final ServerCallStreamObserver<WatchReplicasResponse> caller;
    private final Runnable over;
    private final Set<String> sent = new HashSet<>();
    private Set<String> due = new HashSet<>();
    private boolean allDue = true;
    private boolean asking;
    private boolean ended;
    private Runnable unwatch = () -> {};
    private @Nullable Future<?> ticking;

    ReplicaWatch(
            Replicas replicas,
            ReplicaView view,
            ScheduledExecutorService thread,
            String selection,
            Duration interval,
            ServerCallStreamObserver<WatchReplicasResponse> caller,
            Runnable over) {
        this.replicas = replicas;
        this.view = view;
        this.thread = thread;
        this.selection = selection;
        this.interval = interval;
        this.caller = caller;
        this.over = over;
    }

    /** Before the call that began it returns, because handlers cannot be set later. */
    void prepare() {
        caller.setOnCancelHandler(this::end);
        caller.setOnReadyHandler(this::pump);
    }

    void start() {
        if (ended) {
            return;
        }
        unwatch = replicas.watch(this::changed);
        ticking =
                thread.scheduleAtFixedRate(
                        this::tick,
                        interval.toMillis(),
                        interval.toMillis(),
                        TimeUnit.MILLISECONDS);
        pump();
    }

    void fail(StatusRuntimeException status) {
        if (!ended) {
            end();
            caller.onError(status);
        }
    }

    private void end() {
        if (!ended) {
            ended = true;
            unwatch.run();
            Future<?> timer = ticking;
            if (timer != null) {
                timer.cancel(false);
            }
            over.run();
        }
    }

    private void tick() {
        allDue = true;
        pump();
    }

    private void changed(String name) {
        if (selection.isEmpty() || selection.equals(name)) {
            thread.execute(() -> {
                due.add(name);
                pump();
            });
        }
    }

    private void pump() {
        if (ended || asking || ticking == null || !caller.isReady()) {
            return;
        }
        if (!allDue && due.isEmpty()) {
            return;
        }
        asking = true;
        boolean all = allDue;
        Set<String> names = due;
        due = new HashSet<>();
        allDue = false;
        var _ =
                ask(all, names)
                        .whenCompleteAsync(
                                (found, failure) -> answered(all, names, found, failure), thread);
    }

    private CompletableFuture<List<ReplicaStatus>> ask(boolean all, Set<String> names) {
        if (!selection.isEmpty()) {
            return replicas.statuses(List.of(selection));
        }
        return all ? replicas.statuses() : replicas.statuses(names);
    }

    private void answered(
            boolean all,
            Set<String> names,
            @Nullable List<ReplicaStatus> found,
            @Nullable Throwable failure) {
        if (ended) {
            return;
        }
        if (found == null) {
            fail(ControlStatus.of(failure == null ? new IllegalStateException() : failure));
            return;
        }
        Set<String> gone = all ? new HashSet<>(sent) : new HashSet<>(names);
        for (ReplicaStatus status : found) {
            gone.remove(status.name());
            sent.add(status.name());
            send(WatchReplicasResponse.newBuilder().setReplica(view.of(status)).build());
        }
        for (String name : gone) {
            if (sent.remove(name)) {
                send(WatchReplicasResponse.newBuilder().setRemoved(name).build());
            }
        }
        var _ = thread.schedule(this::rested, PAUSE_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void rested() {
        asking = false;
        pump();
    }

    private void send(WatchReplicasResponse event) {
        if (!ended) {
            caller.onNext(event);
        }
    }
}
