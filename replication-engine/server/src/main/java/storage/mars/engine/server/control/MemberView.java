// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import java.util.OptionalDouble;
import storage.mars.engine.api.v1.Member;
import storage.mars.engine.api.v1.Sync;
import storage.mars.engine.replica.ReplicaStatus;
import storage.mars.engine.replica.ReplicaStatus.MemberStatus;

/** What is known of a member, as the control API says it: unset is not known. */
final class MemberView {

    private MemberView() {}

    static Member of(String resource, MemberStatus member, SyncRates rates) {
        Member.Builder result =
                Member.newBuilder()
                        .setName(member.name())
                        .setId(ReplicaView.hex(member.id()))
                        .setAddress(member.address())
                        .setConnected(member.connected())
                        .setSelf(member.self())
                        .setState(member.state())
                        .setTerm(member.term())
                        .setConsistent(member.consistent())
                        .setDetached(!member.attached());
        if (member.contactWallMicros() != 0) {
            result.setRole(ReplicaView.role(member.primary()))
                    .setLastContact(ProtoTime.ofMicros(member.contactWallMicros()));
        }
        if (member.received() >= 0) {
            result.setReceivedPosition(member.received());
        }
        if (member.applied() >= 0) {
            result.setAppliedPosition(member.applied());
        }
        if (member.lagBytes() >= 0) {
            result.setLagBytes(member.lagBytes()).setLagSeconds(member.lagSeconds());
        }
        ReplicaStatus.Sync sync = member.sync();
        if (sync == null) {
            rates.forget(resource, member.id());
        } else {
            result.setSync(
                    of(sync, rates.secondsLeft(resource, member.id(), sync, System.nanoTime())));
        }
        return result.build();
    }

    private static Sync of(ReplicaStatus.Sync sync, OptionalDouble secondsLeft) {
        Sync.Builder result =
                Sync.newBuilder()
                        .setTotalBytes(sync.totalBytes())
                        .setDoneBytes(sync.doneBytes())
                        .setState(state(sync));
        secondsLeft.ifPresent(result::setEtaSeconds);
        return result.build();
    }

    private static String state(ReplicaStatus.Sync sync) {
        if (sync.totalBytes() > 0 && sync.doneBytes() >= sync.totalBytes()) {
            return "Settling";
        }
        return sync.doneBytes() == 0 ? "Waiting" : "Copying";
    }
}
