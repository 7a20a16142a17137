// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.replica.Refusal;
import storage.mars.engine.replica.ReplicaStatus;
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

    /** Answers with the replica as it is now. */
    void replica(String name, Duration limit, StreamObserver<Replica> caller) {
        status(name, replicas.status(name), limit, () -> Refusals.unanswered(name, limit), caller);
    }

    /** Answers with the replica as it is once {@code change} is done. */
    void replica(
            String name,
            Duration limit,
            CompletableFuture<?> change,
            StreamObserver<Replica> caller) {
        status(
                name,
                change.thenCompose(done -> replicas.status(name)),
                limit,
                () -> Refusals.notYet(name, limit),
                caller);
    }

    private void status(
            String name,
            CompletableFuture<Optional<ReplicaStatus>> found,
            Duration limit,
            Supplier<Refusal> late,
            StreamObserver<Replica> caller) {
        deliver(
                bounded(found, limit, late)
                        .thenApplyAsync(
                                status ->
                                        status.map(view::of)
                                                .orElseThrow(() ->
                                                        ControlStatus.of(replicas.notFound(name))),
                                thread),
                caller);
    }

    /** Answers with what {@code form} makes of the change's result, on the control thread. */
    <T, R> void result(
            String name,
            Duration limit,
            CompletableFuture<T> result,
            Function<T, R> form,
            StreamObserver<R> caller) {
        deliver(
                bounded(result, limit, () -> Refusals.notYet(name, limit))
                        .thenApplyAsync(form, thread),
                caller);
    }

    /** Answers a question, about {@code what}, with what {@code form} makes of the answer. */
    <T, R> void found(
            String what,
            Duration limit,
            CompletableFuture<T> answer,
            Function<T, R> form,
            StreamObserver<R> caller) {
        deliver(
                bounded(answer, limit, () -> Refusals.unanswered(what, limit))
                        .thenApplyAsync(form, thread),
                caller);
    }

    private static <T> CompletableFuture<T> bounded(
            CompletableFuture<T> result, Duration limit, Supplier<Refusal> late) {
        return result.orTimeout(limit.toMillis(), TimeUnit.MILLISECONDS)
                .exceptionallyCompose(failure ->
                        CompletableFuture.failedFuture(
                                failure instanceof TimeoutException
                                        ? new RefusedException(late.get())
                                        : failure));
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
