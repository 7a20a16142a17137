// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import storage.mars.engine.api.v1.Acknowledgement;
import storage.mars.engine.api.v1.Activity;
import storage.mars.engine.api.v1.CreateReplicaRequest;
import storage.mars.engine.api.v1.DeleteReplicaRequest;
import storage.mars.engine.api.v1.DemoteRequest;
import storage.mars.engine.api.v1.GetNodeRequest;
import storage.mars.engine.api.v1.GetReplicaRequest;
import storage.mars.engine.api.v1.JoinReplicaRequest;
import storage.mars.engine.api.v1.LeaveReplicaRequest;
import storage.mars.engine.api.v1.ListReplicasRequest;
import storage.mars.engine.api.v1.LogFull;
import storage.mars.engine.api.v1.NewVolume;
import storage.mars.engine.api.v1.PauseRequest;
import storage.mars.engine.api.v1.Policies;
import storage.mars.engine.api.v1.PromoteRequest;
import storage.mars.engine.api.v1.ResumeRequest;
import storage.mars.engine.api.v1.WatchReplicasRequest;
import storage.mars.engine.cli.output.Samples;

class RequestsTest {

    private static final Duration MINUTE = Duration.newBuilder().setSeconds(60).build();

    static Stream<Arguments> commandLines() {
        return Stream.of(
                arguments("create-resource db --volume data:1GiB", create(volume("data", 1 << 30))),
                arguments(
                        "create-resource db --volume data:512M --volume wal:8K --log-budget 8GiB"
                                + " --acknowledge durable --log-full block-writers",
                        create(volume("data", 512 << 20), volume("wal", 8192)).toBuilder()
                                .setLogBudgetBytes(8L << 30)
                                .setPolicies(
                                        Policies.newBuilder()
                                                .setAcknowledgement(
                                                        Acknowledgement.ACKNOWLEDGEMENT_DURABLE)
                                                .setLogFull(LogFull.LOG_FULL_BLOCK_WRITERS))
                                .build()),
                arguments(
                        "join-resource db --from a.example:7000",
                        JoinReplicaRequest.newBuilder()
                                .setName("db")
                                .setFrom("a.example:7000")
                                .build()),
                arguments(
                        "leave-resource db",
                        LeaveReplicaRequest.newBuilder().setName("db").build()),
                arguments(
                        "leave-resource db --member d --force",
                        LeaveReplicaRequest.newBuilder()
                                .setName("db")
                                .setMember("d")
                                .setForce(true)
                                .build()),
                arguments(
                        "delete-resource db",
                        DeleteReplicaRequest.newBuilder().setName("db").build()),
                arguments("status", ListReplicasRequest.getDefaultInstance()),
                arguments("status db", GetReplicaRequest.newBuilder().setName("db").build()),
                arguments("node", GetNodeRequest.getDefaultInstance()),
                arguments("primary db", promote().setTimeout(MINUTE).build()),
                arguments(
                        "primary db --close-exports --supersedes-term 0 --timeout 1500ms",
                        promote()
                                .setCloseExports(true)
                                .setSupersedesTerm(0)
                                .setTimeout(
                                        Duration.newBuilder().setSeconds(1).setNanos(500_000_000))
                                .build()),
                arguments(
                        "primary db --force --supersedes-term 7 --max-data-loss 0",
                        promote()
                                .setForce(true)
                                .setSupersedesTerm(7)
                                .setMaxDataLossBytes(0)
                                .build()),
                arguments("secondary db", DemoteRequest.newBuilder().setName("db").build()),
                arguments(
                        "secondary db --close-exports",
                        DemoteRequest.newBuilder().setName("db").setCloseExports(true).build()),
                arguments("pause-shipping db", pause(Activity.ACTIVITY_SHIPPING)),
                arguments("pause-apply db", pause(Activity.ACTIVITY_APPLY)),
                arguments("resume-shipping db", resume(Activity.ACTIVITY_SHIPPING)),
                arguments("resume-apply db", resume(Activity.ACTIVITY_APPLY)),
                arguments(
                        "watch --interval 60s",
                        WatchReplicasRequest.newBuilder().setInterval(MINUTE).build()),
                arguments(
                        "watch db --interval 1m",
                        WatchReplicasRequest.newBuilder()
                                .setName("db")
                                .setInterval(MINUTE)
                                .build()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("commandLines")
    void commandLineBecomesOneRequest(String commandLine, Message request) {
        var engine = new FakeEngine(Samples.secondary());

        var run = MarsadmRun.against(engine, commandLine.split(" "));

        assertThat(run.err()).isEmpty();
        assertThat(run.exitCode()).isZero();
        assertThat(engine.asked()).containsExactly(request);
    }

    private static CreateReplicaRequest create(NewVolume... volumes) {
        var request =
                CreateReplicaRequest.newBuilder()
                        .setName("db")
                        .setPolicies(Policies.getDefaultInstance());
        Stream.of(volumes).forEach(request::addVolumes);
        return request.build();
    }

    private static NewVolume volume(String name, long sizeBytes) {
        return NewVolume.newBuilder().setName(name).setSizeBytes(sizeBytes).build();
    }

    private static PromoteRequest.Builder promote() {
        return PromoteRequest.newBuilder().setName("db");
    }

    private static PauseRequest pause(Activity activity) {
        return PauseRequest.newBuilder().setName("db").setActivity(activity).build();
    }

    private static ResumeRequest resume(Activity activity) {
        return ResumeRequest.newBuilder().setName("db").setActivity(activity).build();
    }
}
