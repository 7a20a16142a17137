// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.api.v1.Acknowledgement;
import storage.mars.engine.api.v1.Activity;
import storage.mars.engine.api.v1.CreateReplicaRequest;
import storage.mars.engine.api.v1.DeleteReplicaRequest;
import storage.mars.engine.api.v1.DeleteReplicaResponse;
import storage.mars.engine.api.v1.DemoteRequest;
import storage.mars.engine.api.v1.EngineControlGrpc;
import storage.mars.engine.api.v1.GetNodeRequest;
import storage.mars.engine.api.v1.GetReplicaRequest;
import storage.mars.engine.api.v1.JoinReplicaRequest;
import storage.mars.engine.api.v1.LeaveReplicaRequest;
import storage.mars.engine.api.v1.LeaveReplicaResponse;
import storage.mars.engine.api.v1.ListReplicasRequest;
import storage.mars.engine.api.v1.ListReplicasResponse;
import storage.mars.engine.api.v1.LogFull;
import storage.mars.engine.api.v1.NewVolume;
import storage.mars.engine.api.v1.Node;
import storage.mars.engine.api.v1.PauseRequest;
import storage.mars.engine.api.v1.Policies;
import storage.mars.engine.api.v1.PromoteRequest;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.api.v1.ResumeRequest;
import storage.mars.engine.api.v1.WatchReplicasRequest;
import storage.mars.engine.api.v1.WatchReplicasResponse;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.replica.Done;
import storage.mars.engine.replica.NextStep;
import storage.mars.engine.replica.Refusal;
import storage.mars.engine.replica.ReplicaHost;
import storage.mars.engine.replica.ReplicaStatus;
import storage.mars.engine.replica.Reply;
import storage.mars.engine.server.config.EngineSettings;
import storage.mars.engine.server.host.Replicas;

/**
 * Each call of the control API as a question to the shard of its resource. Runs on the control
 * thread alone.
 */
final class ControlService extends EngineControlGrpc.EngineControlImplBase {

    private static final Duration LOOK = Duration.ofSeconds(10);
    private static final Duration CHANGE = Duration.ofMinutes(2);
    private static final Duration HANDOVER = Duration.ofMinutes(5);
    private static final Duration LONGEST_HANDOVER = Duration.ofHours(1);

    /** A handover that has expired says why itself; one that was granted just then is begun. */
    private static final Duration HANDOVER_GRACE = Duration.ofSeconds(5);

    private final Replicas replicas;
    private final ReplicaView view;
    private final NodeView node;
    private final Answering answering;
    private final Watches watches;

    ControlService(
            EngineSettings settings,
            String id,
            Replicas replicas,
            ScheduledExecutorService thread) {
        this.replicas = replicas;
        this.view = new ReplicaView(settings.name(), new ExportUris(settings.nbd().addresses()));
        this.node = new NodeView(settings, id);
        this.answering = new Answering(replicas, view, thread);
        this.watches = new Watches(replicas, view, thread);
    }

    // Looking

    @Override
    public void getReplica(GetReplicaRequest request, StreamObserver<Replica> caller) {
        answering.replica(request.getName(), LOOK, caller);
    }

    @Override
    public void listReplicas(
            ListReplicasRequest request, StreamObserver<ListReplicasResponse> caller) {
        answering.found("the list of replicas", LOOK, replicas.statuses(), this::list, caller);
    }

    private ListReplicasResponse list(List<ReplicaStatus> all) {
        return ListReplicasResponse.newBuilder()
                .addAllReplicas(all.stream().map(view::of).toList())
                .build();
    }

    @Override
    public void watchReplicas(
            WatchReplicasRequest request, StreamObserver<WatchReplicasResponse> caller) {
        watches.begin(request, (ServerCallStreamObserver<WatchReplicasResponse>) caller);
    }

    @Override
    public void getNode(GetNodeRequest request, StreamObserver<Node> caller) {
        CompletableFuture<Node> answer =
                replicas.logMemory()
                        .thenCombine(
                                replicas.statuses(), (memory, all) -> node.of(memory, all.size()));
        answering.found("the node", LOOK, answer, found -> found, caller);
    }

    // Members

    @Override
    public void createReplica(CreateReplicaRequest request, StreamObserver<Replica> caller) {
        String name = request.getName();
        Refusal refusal = unsupported(name, request.getPolicies());
        if (refusal != null) {
            caller.onError(ControlStatus.of(refusal));
            return;
        }
        List<VolumeShape> volumes = new ArrayList<>();
        for (NewVolume volume : request.getVolumesList()) {
            volumes.add(new VolumeShape(volumes.size(), volume.getName(), volume.getSizeBytes()));
        }
        change(
                name,
                CHANGE,
                (host, reply) -> host.create(name, volumes, request.getLogBudgetBytes(), reply),
                caller);
    }

    private static @Nullable Refusal unsupported(String name, Policies policies) {
        String what = name + " is not created";
        Acknowledgement acknowledgement = policies.getAcknowledgement();
        if (acknowledgement != Acknowledgement.ACKNOWLEDGEMENT_UNSPECIFIED
                && acknowledgement != Acknowledgement.ACKNOWLEDGEMENT_DURABLE) {
            return Refusals.notSupported(
                    what,
                    "this engine acknowledges a write when it is durable, not before",
                    NextStep.advice("leave --acknowledge out, or write --acknowledge durable"));
        }
        LogFull logFull = policies.getLogFull();
        return logFull == LogFull.LOG_FULL_UNSPECIFIED || logFull == LogFull.LOG_FULL_DETACH_REPLICA
                ? null
                : Refusals.notSupported(
                        what,
                        "this engine detaches the slowest replica when the log is full",
                        NextStep.advice(
                                "leave --log-full out, or write --log-full detach-replica"));
    }

    @Override
    public void joinReplica(JoinReplicaRequest request, StreamObserver<Replica> caller) {
        String name = request.getName();
        change(name, CHANGE, (host, reply) -> host.join(name, request.getFrom(), reply), caller);
    }

    @Override
    public void leaveReplica(
            LeaveReplicaRequest request, StreamObserver<LeaveReplicaResponse> caller) {
        String name = request.getName();
        CompletableFuture<Boolean> left =
                replicas.ask(
                        name,
                        (host, reply) ->
                                host.leave(name, request.getMember(), request.getForce(), reply));
        answering.result(
                name,
                CHANGE,
                left,
                existed -> LeaveReplicaResponse.newBuilder().setExisted(existed).build(),
                caller);
    }

    @Override
    public void deleteReplica(
            DeleteReplicaRequest request, StreamObserver<DeleteReplicaResponse> caller) {
        String name = request.getName();
        CompletableFuture<Boolean> deleted =
                replicas.ask(name, (host, reply) -> host.delete(name, reply));
        answering.result(
                name,
                CHANGE,
                deleted,
                existed -> DeleteReplicaResponse.newBuilder().setExisted(existed).build(),
                caller);
    }

    // Roles and switches

    @Override
    public void promote(PromoteRequest request, StreamObserver<Replica> caller) {
        String name = request.getName();
        Long supersedes = request.hasSupersedesTerm() ? request.getSupersedesTerm() : null;
        if (request.getForce()) {
            Long bound = request.hasMaxDataLossBytes() ? request.getMaxDataLossBytes() : null;
            change(
                    name,
                    CHANGE,
                    (host, reply) -> host.promoteByForce(name, supersedes, bound, reply),
                    caller);
            return;
        }
        Duration asked = request.hasTimeout() ? ProtoTime.of(request.getTimeout()) : HANDOVER;
        if (!asked.isPositive()) {
            caller.onError(
                    ControlStatus.of(
                            Refusals.invalid(
                                    name + " is not promoted",
                                    "its timeout is not above zero",
                                    NextStep.marsadm("primary " + name + " --timeout 60s"))));
            return;
        }
        Duration patience = asked.compareTo(LONGEST_HANDOVER) > 0 ? LONGEST_HANDOVER : asked;
        change(
                name,
                patience.plus(HANDOVER_GRACE),
                (host, reply) -> {
                    if (Terms.agree(host, name, supersedes, reply)) {
                        host.promote(name, request.getCloseExports(), patience, reply);
                    }
                },
                caller);
    }

    @Override
    public void demote(DemoteRequest request, StreamObserver<Replica> caller) {
        String name = request.getName();
        Long expected = request.hasExpectedTerm() ? request.getExpectedTerm() : null;
        change(
                name,
                CHANGE,
                (host, reply) -> host.demote(name, request.getCloseExports(), expected, reply),
                caller);
    }

    @Override
    public void pause(PauseRequest request, StreamObserver<Replica> caller) {
        setPaused(request.getName(), request.getActivity(), true, caller);
    }

    @Override
    public void resume(ResumeRequest request, StreamObserver<Replica> caller) {
        setPaused(request.getName(), request.getActivity(), false, caller);
    }

    private void setPaused(
            String name, Activity activity, boolean paused, StreamObserver<Replica> caller) {
        switch (activity) {
            case ACTIVITY_SHIPPING ->
                    change(
                            name,
                            CHANGE,
                            (host, reply) -> host.pauseShipping(name, paused, reply),
                            caller);
            case ACTIVITY_APPLY ->
                    change(
                            name,
                            CHANGE,
                            (host, reply) -> host.pauseApply(name, paused, reply),
                            caller);
            case ACTIVITY_UNSPECIFIED, UNRECOGNIZED ->
                    caller.onError(
                            ControlStatus.of(
                                    Refusals.invalid(
                                            name + " is not changed",
                                            "no activity was named that this engine knows",
                                            NextStep.advice(
                                                    "name shipping, as marsadm pause-shipping does,"
                                                            + " or apply"))));
        }
    }

    private void change(
            String name,
            Duration limit,
            BiConsumer<ReplicaHost, Reply<Done>> question,
            StreamObserver<Replica> caller) {
        answering.replica(name, limit, replicas.ask(name, question), caller);
    }
}
