// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.engine.api.RefusalTrailer;
import storage.mars.engine.api.v1.Acknowledgement;
import storage.mars.engine.api.v1.Activity;
import storage.mars.engine.api.v1.CreateReplicaRequest;
import storage.mars.engine.api.v1.DeleteReplicaRequest;
import storage.mars.engine.api.v1.DemoteRequest;
import storage.mars.engine.api.v1.GetNodeRequest;
import storage.mars.engine.api.v1.LeaveReplicaRequest;
import storage.mars.engine.api.v1.ListReplicasRequest;
import storage.mars.engine.api.v1.Node;
import storage.mars.engine.api.v1.PauseRequest;
import storage.mars.engine.api.v1.Policies;
import storage.mars.engine.api.v1.PromoteRequest;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.api.v1.Role;
import storage.mars.engine.api.v1.WatchReplicasRequest;
import storage.mars.engine.api.v1.WatchReplicasResponse;

/** Whole engines: the control API, NBD and replication together, over files and sockets. */
@Timeout(120)
class EngineIT {

    @TempDir Path root;

    @Test
    void whatWasFlushedIsThereAfterARestart() throws Exception {
        byte[] data = bytes(300_000, 1);
        try (TestEngine engine = TestEngine.start(root, "a")) {
            Replica created = engine.create("r");
            assertThat(created.getRole()).isEqualTo(Role.ROLE_PRIMARY);
            assertThat(created.getState()).isEqualTo("Serving");
            assertThat(created.getTerm()).isEqualTo(1);
            assertThat(created.getExports(0).getUrisList())
                    .containsExactly("nbd+unix:///r/data?socket=" + root.resolve("a/nbd.sock"));
            try (ExportClient client = engine.open("r/data")) {
                assertThat(client.size()).isEqualTo(TestEngine.VOLUME);
                assertThat(client.write(12_345, data)).isZero();
                assertThat(client.flush()).isZero();
                assertThat(client.read(12_345, data.length)).isEqualTo(data);
                assertThat(engine.get("r").getExports(0).getConnections()).isEqualTo(1);
            }

            engine.stop();
            engine.start();

            engine.awaitServing("r");
            Replica again = engine.get("r");
            assertThat(again.getEpoch().getSequence()).isEqualTo(1);
            assertThat(again.getIncarnation()).isEqualTo(created.getIncarnation());
            try (ExportClient client = engine.open("r/data")) {
                assertThat(client.read(12_345, data.length)).isEqualTo(data);
            }
        }
    }

    @Test
    void everyChangeCanBeRepeated() throws Exception {
        try (TestEngine a = TestEngine.start(root, "a");
                TestEngine b = TestEngine.start(root, "b")) {
            assertThat(a.create("r").getId()).isEqualTo(a.create("r").getId());
            b.join("r", a);
            assertThat(b.join("r", a).getRole()).isEqualTo(Role.ROLE_SECONDARY);
            PauseRequest pause =
                    PauseRequest.newBuilder()
                            .setName("r")
                            .setActivity(Activity.ACTIVITY_SHIPPING)
                            .build();
            assertThat(b.control().pause(pause).getShippingPaused()).isTrue();
            assertThat(b.control().pause(pause).getShippingPaused()).isTrue();
            LeaveReplicaRequest leave = LeaveReplicaRequest.newBuilder().setName("r").build();
            assertThat(b.control().leaveReplica(leave).getExisted()).isTrue();
            assertThat(b.control().leaveReplica(leave).getExisted()).isFalse();
            DeleteReplicaRequest delete = DeleteReplicaRequest.newBuilder().setName("r").build();
            await().untilAsserted(() -> assertThat(a.get("r").getMembersList()).hasSize(1));
            assertThat(a.control().deleteReplica(delete).getExisted()).isTrue();
            assertThat(a.control().deleteReplica(delete).getExisted()).isFalse();
        }
    }

    @Test
    void memberCatchesUpTakesOverByForceAndTheOldPrimaryIsFenced() throws Exception {
        byte[] before = bytes(1 << 20, 2);
        byte[] behind = bytes(4096, 3);
        try (TestEngine a = TestEngine.start(root, "a");
                TestEngine b = TestEngine.start(root, "b")) {
            a.create("r");
            write(a, 0, before);
            b.join("r", a);
            b.awaitCaughtUp("r", a);
            try (ExportClient reader = b.open("r/data")) {
                assertThat(reader.readOnly()).isTrue();
                assertThat(reader.read(0, before.length)).isEqualTo(before);
            }

            b.stop();
            write(a, 0, behind);
            a.stop();
            b.start();
            Replica orphan = b.get("r");
            assertThat(orphan.getForcedPromotionLoss().getExact()).isFalse();
            refused(() -> b.promoteByForce("r", 0), Status.Code.FAILED_PRECONDITION, "StaleTerm");
            Replica promoted = b.promoteByForce("r", orphan.getTerm());
            assertThat(promoted.getRole()).isEqualTo(Role.ROLE_PRIMARY);
            assertThat(promoted.getTerm()).isEqualTo(orphan.getTerm() + 1);
            assertThat(promoted.getIncarnation()).isNotEqualTo(orphan.getIncarnation());
            assertThat(b.promoteByForce("r", orphan.getTerm()).getTerm())
                    .isEqualTo(promoted.getTerm());

            a.start();
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(a.get("r").getState()).isEqualTo("Diverged"));
            Replica fenced = a.get("r");
            assertThat(fenced.getRole()).isEqualTo(Role.ROLE_SECONDARY);
            assertThat(fenced.getForksList()).hasSize(1);
            assertThat(fenced.getForks(0).getTheirs().getReplica()).isEqualTo("b");
            try (ExportClient reader = b.open("r/data")) {
                assertThat(reader.read(0, before.length)).isEqualTo(before);
            }
        }
    }

    @Test
    void handoverIsRefusedWhileAClientWritesAndLosesNothingAfterwards() throws Exception {
        byte[] data = bytes(200_000, 4);
        try (TestEngine a = TestEngine.start(root, "a");
                TestEngine b = TestEngine.start(root, "b")) {
            a.create("r");
            b.join("r", a);
            b.awaitCaughtUp("r", a);
            PromoteRequest promote = PromoteRequest.newBuilder().setName("r").build();
            PromoteRequest atOnce =
                    promote.toBuilder()
                            .setTimeout(com.google.protobuf.Duration.getDefaultInstance())
                            .build();
            assertThat(failure(() -> b.control().promote(atOnce)).getStatus().getCode())
                    .isEqualTo(Status.Code.INVALID_ARGUMENT);
            try (ExportClient client = a.open("r/data")) {
                assertThat(client.write(0, data)).isZero();
                StatusRuntimeException open = failure(() -> b.control().promote(promote));
                assertThat(open).hasMessageContaining("r/data");
            }
            await().ignoreExceptionsInstanceOf(StatusRuntimeException.class)
                    .until(() -> b.control().promote(promote).getRole() == Role.ROLE_PRIMARY);
            try (ExportClient client = b.open("r/data")) {
                assertThat(client.readOnly()).isFalse();
                assertThat(client.read(0, data.length)).isEqualTo(data);
            }
            assertThat(a.get("r").getRole()).isEqualTo(Role.ROLE_SECONDARY);

            DemoteRequest demote = DemoteRequest.newBuilder().setName("r").build();
            assertThat(b.control().demote(demote).getRole()).isEqualTo(Role.ROLE_SECONDARY);
            await().atMost(Duration.ofSeconds(20))
                    .ignoreExceptionsInstanceOf(StatusRuntimeException.class)
                    .until(() -> a.control().promote(promote).getRole() == Role.ROLE_PRIMARY);
        }
    }

    @Test
    void refusalsSayWhatWhyAndHowToGoOn() throws Exception {
        try (TestEngine engine = TestEngine.start(root, "a")) {
            engine.create("r");
            refused(() -> engine.get("nix"), Status.Code.NOT_FOUND, "NotFound");
            refused(
                    () -> create(engine, CreateReplicaRequest.newBuilder().setName("Bad_Name")),
                    Status.Code.INVALID_ARGUMENT,
                    "InvalidArgument");
            refused(
                    () -> create(engine, CreateReplicaRequest.newBuilder().setName("r")),
                    Status.Code.INVALID_ARGUMENT,
                    "InvalidArgument");
            Policies buffered =
                    Policies.newBuilder()
                            .setAcknowledgement(Acknowledgement.ACKNOWLEDGEMENT_BUFFERED)
                            .build();
            refused(
                    () ->
                            create(
                                    engine,
                                    CreateReplicaRequest.newBuilder()
                                            .setName("x")
                                            .setPolicies(buffered)),
                    Status.Code.UNIMPLEMENTED,
                    "NotSupported");
            refused(() -> engine.join("y", engine), Status.Code.UNAVAILABLE, "JoinRefused");
            refused(
                    () ->
                            engine.control()
                                    .leaveReplica(
                                            LeaveReplicaRequest.newBuilder().setName("r").build()),
                    Status.Code.FAILED_PRECONDITION,
                    "IsPrimary");
            refused(
                    () -> engine.control().pause(PauseRequest.newBuilder().setName("r").build()),
                    Status.Code.INVALID_ARGUMENT,
                    "InvalidArgument");
            assertThatThrownBy(() -> engine.open("r/nix")).isInstanceOf(IOException.class);
        }
    }

    @Test
    void watchTellsEverythingAtOnceThenChangesAndWhatHasGone() throws Exception {
        try (TestEngine engine = TestEngine.start(root, "a")) {
            engine.create("r");
            Iterator<WatchReplicasResponse> events =
                    engine.control()
                            .watchReplicas(
                                    WatchReplicasRequest.newBuilder()
                                            .setInterval(
                                                    com.google.protobuf.Duration.newBuilder()
                                                            .setSeconds(3600))
                                            .build());
            assertThat(events.next().getReplica().getName()).isEqualTo("r");
            engine.create("s");
            String name = "r";
            while (!name.equals("s")) {
                name = events.next().getReplica().getName();
            }
            engine.control().deleteReplica(DeleteReplicaRequest.newBuilder().setName("s").build());
            WatchReplicasResponse event = events.next();
            while (!event.hasRemoved()) {
                event = events.next();
            }
            assertThat(event.getRemoved()).isEqualTo("s");
            Iterator<WatchReplicasResponse> unknown =
                    engine.control()
                            .watchReplicas(
                                    WatchReplicasRequest.newBuilder().setName("nix").build());
            refused(unknown::next, Status.Code.NOT_FOUND, "NotFound");
        }
    }

    @Test
    void nodeAndListShowTheEngine() throws Exception {
        try (TestEngine engine = TestEngine.start(root, "a")) {
            for (String name : new String[] {"c", "a", "b"}) {
                engine.create(name);
            }

            assertThat(
                            engine.control()
                                    .listReplicas(ListReplicasRequest.getDefaultInstance())
                                    .getReplicasList())
                    .extracting(Replica::getName)
                    .containsExactly("a", "b", "c");
            Node node = engine.control().getNode(GetNodeRequest.getDefaultInstance());
            assertThat(node.getName()).isEqualTo("a");
            assertThat(node.getId())
                    .matches("[0-9a-f]{16}")
                    .isEqualTo(Files.readString(root.resolve("a/data/engine.id")).strip());
            assertThat(node.getReplicas()).isEqualTo(3);
            assertThat(node.getCapacity().getLogMemoryBytes()).isEqualTo(16 << 20);
            assertThat(node.getCapacity().getAvailableBytes()).isPositive();
        }
    }

    private static void create(TestEngine engine, CreateReplicaRequest.Builder request) {
        Replica created = engine.control().createReplica(request.build());
        throw new AssertionError("created: " + created.getName());
    }

    private static void refused(ThrowingCallable call, Status.Code status, String code) {
        StatusRuntimeException failure = failure(call);
        assertThat(failure.getStatus().getCode()).isEqualTo(status);
        assertThat(RefusalTrailer.of(failure))
                .hasValueSatisfying(refusal -> {
                    assertThat(refusal.getCode()).isEqualTo(code);
                    assertThat(refusal.getMessage()).isNotEmpty();
                    assertThat(refusal.getReason()).isNotEmpty();
                    assertThat(refusal.getNextCommand()).isNotEmpty();
                    assertThat(failure.getStatus().getDescription())
                            .hasLineCount(1)
                            .contains(refusal.getReason())
                            .endsWith("; next: " + refusal.getNextCommand());
                });
    }

    private static StatusRuntimeException failure(ThrowingCallable call) {
        return catchThrowableOfType(StatusRuntimeException.class, call);
    }

    private static void write(TestEngine engine, long offset, byte[] data) throws IOException {
        try (ExportClient client = engine.open("r/data")) {
            assertThat(client.write(offset, data)).isZero();
            assertThat(client.flush()).isZero();
        }
    }

    private static byte[] bytes(int count, long seed) {
        byte[] bytes = new byte[count];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }
}
