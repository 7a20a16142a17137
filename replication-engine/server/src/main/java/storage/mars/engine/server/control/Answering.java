// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.server.host.RefusedException;
import storage.mars.engine.server.host.Replicas;

/** Brings what a shard has answered to the caller: on the control thread, once, in bounded time. */
final class Answering {

    private final Replicas replicas;
    private final ReplicaView view;
    private final Executor thread;

    Answering(Replicas replicas, ReplicaView view, Executor thread) {
        this.replicas = replicas;
        this.view = view;
        this.thread = thread;
    }

    /** Answers with the replica as it is once {@code change} is done. */
    void replica(
            String name,
            Duration limit,
            CompletableFuture<?> change,
            StreamObserver<Replica> caller) {
        CompletableFuture<Replica> answer =
                bounded(name, limit, change)
                        .thenCompose(done -> replicas.status(name))
                        .thenApplyAsync(
                                status ->
                                        status.map(view::of)
                                                .orElseThrow(() ->
                                                        ControlStatus.of(replicas.notFound(name))),
                                thread);
        deliver(answer, caller);
    }

    /** Answers with what {@code form} makes of the result, on the control thread. */
    <T, R> void result(
            String name,
            Duration limit,
            CompletableFuture<T> result,
            Function<T, R> form,
            StreamObserver<R> caller) {
        deliver(bounded(name, limit, result).thenApplyAsync(form, thread), caller);
    }

    private static <T> CompletableFuture<T> bounded(
            String name, Duration limit, CompletableFuture<T> result) {
        return result.orTimeout(limit.toMillis(), TimeUnit.MILLISECONDS)
                .exceptionallyCompose(failure ->
                        CompletableFuture.failedFuture(
                                failure instanceof TimeoutException
                                        ? expired(name, limit)
                                        : failure));
    }

    private static RefusedException expired(String name, Duration limit) {
        return new RefusedException(
                Refusals.expired(
                        name + " is not changed yet",
                        "it was not done within " + limit.toSeconds() + " s and goes on",
                        "marsadm status " + name));
    }

    private <R> void deliver(CompletableFuture<R> answer, StreamObserver<R> caller) {
        var _ =
                answer.whenCompleteAsync(
                        (value, failure) -> {
                            if (failure == null) {
                                caller.onNext(value);
                                caller.onCompleted();
                            } else {
                                caller.onError(ControlStatus.of(failure));
                            }
                        },
                        thread);
    }
}
