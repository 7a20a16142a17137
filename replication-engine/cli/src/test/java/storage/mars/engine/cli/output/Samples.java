// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import com.google.protobuf.Timestamp;
import java.time.Instant;
import storage.mars.engine.api.v1.Addresses;
import storage.mars.engine.api.v1.Branch;
import storage.mars.engine.api.v1.Capacity;
import storage.mars.engine.api.v1.Condition;
import storage.mars.engine.api.v1.DataLoss;
import storage.mars.engine.api.v1.Epoch;
import storage.mars.engine.api.v1.Export;
import storage.mars.engine.api.v1.Fork;
import storage.mars.engine.api.v1.LogSpace;
import storage.mars.engine.api.v1.Member;
import storage.mars.engine.api.v1.Node;
import storage.mars.engine.api.v1.Positions;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.api.v1.Role;
import storage.mars.engine.api.v1.Sync;
import storage.mars.engine.api.v1.Volume;

/** Replicas as an engine would describe them: a night with a lost member, and what became of it. */
public final class Samples {

    public static final Timestamp NOW = at("2026-03-01T02:13:05.250Z");

    private static final Epoch FIRST = epoch(1, 0, "00000000000000a1", "a", 0);
    private static final Epoch RESTARTED = epoch(1, 1, "00000000000000a2", "a", 65_536);

    private Samples() {}

    public static Timestamp at(String instant) {
        var time = Instant.parse(instant);
        return Timestamp.newBuilder()
                .setSeconds(time.getEpochSecond())
                .setNanos(time.getNano())
                .build();
    }

    public static Epoch epoch(long term, long sequence, String id, String writer, long start) {
        return Epoch.newBuilder()
                .setTerm(term)
                .setSequence(sequence)
                .setId(id)
                .setWriter(writer)
                .setStart(start)
                .build();
    }

    /** On a, which serves; b follows closely, c syncs, d is lost. */
    public static Replica primary() {
        return base("a", "Serving", Role.ROLE_PRIMARY, 1_288_495_104, 1_288_495_104)
                .addExports(export("data", false).setConnections(2))
                .addExports(export("wal", false))
                .addMembers(primaryMember().setSelf(true).clearLastContact())
                .addMembers(follower())
                .addMembers(syncing())
                .addMembers(lost())
                .addConditions(condition("Ready", "True", "Serving", "exports are open", ""))
                .addConditions(
                        condition(
                                "MembersConnected",
                                "False",
                                "MemberLost",
                                "d at 10.0.0.4:7000 has not answered for 4m 12s",
                                "marsadm leave-resource db --member d"))
                .build();
    }

    /** On b, connected to its primary. */
    public static Replica secondary() {
        return base("b", "Secondary", Role.ROLE_SECONDARY, 1_288_490_188, 1_288_482_816)
                .addExports(export("data", true))
                .addExports(
                        Export.newBuilder().setName("db/wal").setVolume("wal").setReadOnly(true))
                .addMembers(primaryMember())
                .addMembers(follower().setSelf(true).clearLastContact())
                .setForcedPromotionLoss(
                        DataLoss.newBuilder().setExact(true).setBytes(4916).setSeconds(0.2))
                .addConditions(condition("Ready", "True", "Following", "", ""))
                .build();
    }

    /** On b, after its primary fell silent. */
    public static Replica cutOff() {
        var contact = at("2026-03-01T02:08:53Z");
        return base("b", "Secondary", Role.ROLE_SECONDARY, 1_288_490_188, 1_288_490_188)
                .addMembers(primaryMember().setConnected(false).setLastContact(contact))
                .addMembers(follower().setSelf(true).clearLastContact())
                .setForcedPromotionLoss(
                        DataLoss.newBuilder()
                                .setBytes(12_288)
                                .setSeconds(0.35)
                                .setUnknownSince(contact)
                                .addMembersAhead("c"))
                .addConditions(
                        condition(
                                "MembersConnected",
                                "False",
                                "MemberLost",
                                "a at 10.0.0.1:7000 has not answered for 4m 12s",
                                "marsadm primary db --force"))
                .build();
    }

    /** On c, whose first copy is under way. */
    public static Replica inconsistent() {
        return base("c", "Secondary", Role.ROLE_SECONDARY, 1_288_490_188, 1_200_000_000)
                .setConsistent(false)
                .setShippingPaused(true)
                .addMembers(primaryMember())
                .addMembers(syncing().setSelf(true).clearLastContact())
                .addConditions(
                        condition(
                                "Consistent",
                                "False",
                                "SyncRunning",
                                "4.3 GiB of 10.0 GiB are copied",
                                ""))
                .build();
    }

    /** On a, back after b was promoted by force. */
    public static Replica diverged() {
        return base("a", "Diverged", Role.ROLE_SECONDARY, 1_288_495_104, 1_288_495_104)
                .setTerm(2)
                .setPrimary("b")
                .addMembers(
                        primaryMember()
                                .setSelf(true)
                                .setRole(Role.ROLE_SECONDARY)
                                .setState("Diverged")
                                .setTerm(2)
                                .clearLagBytes()
                                .clearLagSeconds()
                                .clearLastContact())
                .addMembers(follower().setRole(Role.ROLE_PRIMARY).setTerm(2).setState("Serving"))
                .addForks(
                        Fork.newBuilder()
                                .setForkPoint(1_288_490_188)
                                .setOurs(
                                        Branch.newBuilder()
                                                .setReplica("a")
                                                .addEpochs(RESTARTED)
                                                .setEnd(1_288_495_104))
                                .setTheirs(
                                        Branch.newBuilder()
                                                .setReplica("b")
                                                .addEpochs(
                                                        epoch(
                                                                2,
                                                                0,
                                                                "00000000000000b1",
                                                                "b",
                                                                1_288_490_188))
                                                .setEnd(1_288_600_000)))
                .addConditions(
                        condition(
                                "HistoryLinear",
                                "False",
                                "Forked",
                                "4916 bytes written here after position 1288490188 are not on b",
                                "marsadm leave-resource db --force"))
                .build();
    }

    public static Node node() {
        return Node.newBuilder()
                .setName("a")
                .setId("5f0e7a0c-0000-4000-8000-00000000000a")
                .setVersion("0.1.0")
                .setStartedAt(at("2026-03-01T00:00:00Z"))
                .setReplicas(2)
                .setAddresses(
                        Addresses.newBuilder()
                                .addNbd("unix:/run/mars/nbd")
                                .addNbd("127.0.0.1:10809")
                                .setPeer("0.0.0.0:7000")
                                .setAdvertise("10.0.0.1:7000")
                                .setControl("127.0.0.1:7001"))
                .setCapacity(
                        Capacity.newBuilder()
                                .setTotalBytes(1L << 40)
                                .setAvailableBytes(1L << 39)
                                .setLogMemoryBytes(256L << 20)
                                .setLogMemoryUsedBytes(3L << 20))
                .build();
    }

    private static Replica.Builder base(
            String replica, String state, Role role, long received, long applied) {
        return Replica.newBuilder()
                .setName("db")
                .setId("0f8e2c66-0000-4000-8000-000000000001")
                .setReplica(replica)
                .setReplicaId("5f0e7a0c-0000-4000-8000-00000000000" + replica)
                .setRole(role)
                .setState(state)
                .setTerm(1)
                .setEpoch(RESTARTED)
                .addHistory(FIRST)
                .addHistory(RESTARTED)
                .setIncarnation("77c1d2e3f4a5b6c7")
                .setConsistent(true)
                .setPrimary("a")
                .setPositions(
                        Positions.newBuilder()
                                .setDurable(received)
                                .setReceived(received)
                                .setApplied(applied)
                                .setCheckpoint(1_200_000_000))
                .setLog(LogSpace.newBuilder().setUsedBytes(412L << 20).setBudgetBytes(8L << 30))
                .addVolumes(Volume.newBuilder().setName("data").setSizeBytes(1L << 30))
                .addVolumes(Volume.newBuilder().setName("wal").setSizeBytes(256L << 20))
                .setObservedAt(NOW);
    }

    private static Export.Builder export(String volume, boolean readOnly) {
        return Export.newBuilder()
                .setName("db/" + volume)
                .setVolume(volume)
                .setReadOnly(readOnly)
                .addUris("nbd://127.0.0.1:10809/db/" + volume);
    }

    private static Member.Builder member(String name, Role role, long received, long applied) {
        return Member.newBuilder()
                .setName(name)
                .setId("5f0e7a0c-0000-4000-8000-00000000000" + name)
                .setAddress("10.0.0.%d:7000".formatted(name.charAt(0) - 'a' + 1))
                .setRole(role)
                .setConnected(true)
                .setState(role == Role.ROLE_PRIMARY ? "Serving" : "Secondary")
                .setTerm(1)
                .setConsistent(true)
                .setReceivedPosition(received)
                .setAppliedPosition(applied)
                .setLastContact(at("2026-03-01T02:13:05Z"));
    }

    private static Member.Builder primaryMember() {
        return member("a", Role.ROLE_PRIMARY, 1_288_495_104, 1_288_495_104)
                .setLagBytes(0)
                .setLagSeconds(0);
    }

    private static Member.Builder follower() {
        return member("b", Role.ROLE_SECONDARY, 1_288_490_188, 1_288_482_816)
                .setLagBytes(12_288)
                .setLagSeconds(0.2);
    }

    private static Member.Builder syncing() {
        return member("c", Role.ROLE_SECONDARY, 1_288_490_188, 1_200_000_000)
                .setConsistent(false)
                .setLagBytes(88_495_104)
                .setLagSeconds(75.5)
                .setSync(
                        Sync.newBuilder()
                                .setState("Copying")
                                .setTotalBytes(10L << 30)
                                .setDoneBytes(4_690_000_000L)
                                .setEtaSeconds(200));
    }

    private static Member.Builder lost() {
        return Member.newBuilder()
                .setName("d")
                .setId("5f0e7a0c-0000-4000-8000-00000000000d")
                .setDetached(true)
                .setLastContact(at("2026-03-01T02:08:53Z"));
    }

    private static Condition condition(
            String type, String status, String reason, String message, String next) {
        return Condition.newBuilder()
                .setType(type)
                .setStatus(status)
                .setReason(reason)
                .setMessage(message)
                .setNextCommand(next)
                .build();
    }
}
