// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import com.google.protobuf.Message;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.api.v1.CreateReplicaRequest;
import storage.mars.engine.api.v1.DeleteReplicaRequest;
import storage.mars.engine.api.v1.DeleteReplicaResponse;
import storage.mars.engine.api.v1.DemoteRequest;
import storage.mars.engine.api.v1.EngineControlGrpc.EngineControlImplBase;
import storage.mars.engine.api.v1.GetNodeRequest;
import storage.mars.engine.api.v1.GetReplicaRequest;
import storage.mars.engine.api.v1.JoinReplicaRequest;
import storage.mars.engine.api.v1.LeaveReplicaRequest;
import storage.mars.engine.api.v1.LeaveReplicaResponse;
import storage.mars.engine.api.v1.ListReplicasRequest;
import storage.mars.engine.api.v1.ListReplicasResponse;
import storage.mars.engine.api.v1.Node;
import storage.mars.engine.api.v1.PauseRequest;
import storage.mars.engine.api.v1.PromoteRequest;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.api.v1.ResumeRequest;
import storage.mars.engine.api.v1.WatchReplicasRequest;
import storage.mars.engine.api.v1.WatchReplicasResponse;
import storage.mars.engine.cli.output.Samples;

/** An engine that answers what the test says and remembers what it was asked. */
final class FakeEngine extends EngineControlImplBase {

    private final List<Message> asked = new CopyOnWriteArrayList<>();
    private final Queue<Consumer<StreamObserver<WatchReplicasResponse>>> watches =
            new ArrayDeque<>();
    private final Replica replica;
    private @Nullable StatusRuntimeException failure;

    FakeEngine(Replica replica) {
        this.replica = replica;
    }

    static FakeEngine failing(StatusRuntimeException failure) {
        var engine = new FakeEngine(Samples.secondary());
        engine.failure = failure;
        return engine;
    }

    /** The next watch sends these and stays open. */
    FakeEngine thenWatch(Replica... replicas) {
        return thenWatch(
                stream -> List.of(replicas).forEach(step -> stream.onNext(response(step))));
    }

    FakeEngine thenWatch(Consumer<StreamObserver<WatchReplicasResponse>> watch) {
        watches.add(watch);
        return this;
    }

    static WatchReplicasResponse response(Replica replica) {
        return WatchReplicasResponse.newBuilder().setReplica(replica).build();
    }

    List<Message> asked() {
        return asked;
    }

    private <T> void answer(Message request, StreamObserver<T> stream, T answer) {
        asked.add(request);
        if (failure == null) {
            stream.onNext(answer);
            stream.onCompleted();
        } else {
            stream.onError(failure);
        }
    }

    @Override
    public void createReplica(CreateReplicaRequest request, StreamObserver<Replica> stream) {
        answer(request, stream, replica);
    }

    @Override
    public void joinReplica(JoinReplicaRequest request, StreamObserver<Replica> stream) {
        answer(request, stream, replica);
    }

    @Override
    public void leaveReplica(
            LeaveReplicaRequest request, StreamObserver<LeaveReplicaResponse> stream) {
        answer(request, stream, LeaveReplicaResponse.newBuilder().setExisted(true).build());
    }

    @Override
    public void deleteReplica(
            DeleteReplicaRequest request, StreamObserver<DeleteReplicaResponse> stream) {
        answer(request, stream, DeleteReplicaResponse.newBuilder().setExisted(true).build());
    }

    @Override
    public void getReplica(GetReplicaRequest request, StreamObserver<Replica> stream) {
        answer(request, stream, replica);
    }

    @Override
    public void listReplicas(
            ListReplicasRequest request, StreamObserver<ListReplicasResponse> stream) {
        answer(request, stream, ListReplicasResponse.newBuilder().addReplicas(replica).build());
    }

    @Override
    public void promote(PromoteRequest request, StreamObserver<Replica> stream) {
        answer(request, stream, replica);
    }

    @Override
    public void demote(DemoteRequest request, StreamObserver<Replica> stream) {
        answer(request, stream, replica);
    }

    @Override
    public void pause(PauseRequest request, StreamObserver<Replica> stream) {
        answer(request, stream, replica);
    }

    @Override
    public void resume(ResumeRequest request, StreamObserver<Replica> stream) {
        answer(request, stream, replica);
    }

    @Override
    public void getNode(GetNodeRequest request, StreamObserver<Node> stream) {
        answer(request, stream, Samples.node());
    }

    @Override
    public void watchReplicas(
            WatchReplicasRequest request, StreamObserver<WatchReplicasResponse> stream) {
        asked.add(request);
        var watch = watches.poll();
        if (failure != null) {
            stream.onError(failure);
        } else if (watch == null) {
            stream.onCompleted();
        } else {
            watch.accept(stream);
        }
    }
}
