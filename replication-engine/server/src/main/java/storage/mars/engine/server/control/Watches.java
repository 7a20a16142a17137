// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import storage.mars.engine.api.v1.WatchReplicasRequest;
import storage.mars.engine.api.v1.WatchReplicasResponse;
import storage.mars.engine.replica.NextStep;
import storage.mars.engine.server.host.Replicas;

/** The watches of this engine, bounded in number. Control thread only. */
final class Watches {

    private static final int MOST = 128;
    private static final Duration USUAL_INTERVAL = Duration.ofSeconds(1);
    private static final Duration LEAST_INTERVAL = Duration.ofMillis(100);
    private static final Duration MOST_INTERVAL = Duration.ofHours(1);

    private final Replicas replicas;
    private final ReplicaView view;
    private final ScheduledExecutorService thread;
    private int open;

    Watches(Replicas replicas, ReplicaView view, ScheduledExecutorService thread) {
        this.replicas = replicas;
        this.view = view;
        this.thread = thread;
    }

    void begin(
            WatchReplicasRequest request, ServerCallStreamObserver<WatchReplicasResponse> caller) {
        if (open >= MOST) {
            caller.onError(
                    ControlStatus.of(
                            Refusals.tooMany(
                                    "the watch is not begun",
                                    MOST + " watches are open on this engine",
                                    NextStep.advice("end one of them, then repeat it"))));
            return;
        }
        open++;
        ReplicaWatch watch =
                new ReplicaWatch(
                        replicas,
                        view,
                        thread,
                        request.getName(),
                        interval(request),
                        caller,
                        () -> open--);
        watch.prepare();
        if (request.getName().isEmpty()) {
            watch.start();
            return;
        }
        var _ =
                replicas.status(request.getName())
                        .thenAcceptAsync(
                                found ->
                                        found.ifPresentOrElse(
                                                status -> watch.start(),
                                                () -> watch.fail(notFound(request))),
                                thread);
    }

    private StatusRuntimeException notFound(WatchReplicasRequest request) {
        return ControlStatus.of(replicas.notFound(request.getName()));
    }

    private static Duration interval(WatchReplicasRequest request) {
        Duration asked =
                request.hasInterval() ? ProtoTime.of(request.getInterval()) : USUAL_INTERVAL;
        if (asked.compareTo(LEAST_INTERVAL) < 0) {
            return LEAST_INTERVAL;
        }
        return asked.compareTo(MOST_INTERVAL) > 0 ? MOST_INTERVAL : asked;
    }
}
