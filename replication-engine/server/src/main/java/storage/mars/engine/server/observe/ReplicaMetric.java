// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.observe;

import java.util.List;
import java.util.function.ToDoubleFunction;
import storage.mars.engine.export.Traffic;
import storage.mars.engine.replica.ReplicaStatus.Known;
import storage.mars.engine.replica.ReplicaStatus.MemberStatus;
import storage.mars.engine.replica.ReplicaStatus.Sync;

/**
 * One number of a {@code T}, with its key and what people are told about it.
 *
 * @param total grows only, while the replica is open
 */
record ReplicaMetric<T>(String key, boolean total, String help, ToDoubleFunction<T> value) {

    /** Of each replica, by resource. */
    static final List<ReplicaMetric<Known>> REPLICA =
            List.of(
                    gauge(
                            "mars.replica.primary",
                            "1 on the primary, 0 on a secondary",
                            known -> known.primary() ? 1 : 0),
                    gauge(
                            "mars.replica.consistent",
                            "1 when the content is a state the primary went through",
                            known -> known.consistent() ? 1 : 0),
                    gauge(
                            "mars.replica.term",
                            "Highest term heard of",
                            known -> (double) known.highestTerm()),
                    gauge(
                            "mars.epoch.term",
                            "Term of the newest epoch",
                            known -> (double) known.history().lastId().term()),
                    gauge(
                            "mars.epoch.sequence",
                            "Sequence of the newest epoch within its term",
                            known -> (double) known.history().lastId().sequence()),
                    gauge(
                            "mars.position.durable.bytes",
                            "Log position that is durable here",
                            known -> (double) known.positions().durable()),
                    gauge(
                            "mars.position.received.bytes",
                            "Log position that is received here; durable on a primary",
                            known -> (double) known.positions().received()),
                    gauge(
                            "mars.position.applied.bytes",
                            "Log position below which everything is in the images",
                            known -> (double) known.positions().applied()),
                    gauge(
                            "mars.position.checkpoint.bytes",
                            "Log position below which the images are synced",
                            known -> (double) known.positions().checkpoint()),
                    gauge(
                            "mars.log.used.bytes",
                            "Space of the log's segments",
                            known -> (double) known.log().usedBytes()),
                    gauge(
                            "mars.log.budget.bytes",
                            "Space that the log may take before a member is given up",
                            known -> (double) known.log().budgetBytes()),
                    gauge(
                            "mars.index.blocks",
                            "Blocks that are in the log and not yet in the images",
                            known -> known.counters().indexBlocks()),
                    gauge(
                            "mars.writers.stalled",
                            "1 while writes wait for room",
                            known -> known.counters().stalled() ? 1 : 0),
                    gauge(
                            "mars.export.attachments",
                            "NBD clients attached to the volumes",
                            known -> known.attachments().stream().mapToInt(n -> n).sum()),
                    total(
                            "mars.client.read.bytes",
                            "Read by clients",
                            known -> traffic(known, Traffic::readBytes)),
                    total(
                            "mars.client.written.bytes",
                            "Written by clients and acknowledged",
                            known -> traffic(known, Traffic::writtenBytes)),
                    total(
                            "mars.written.back.bytes",
                            "Written from the log into the images",
                            known -> (double) known.counters().writtenBackBytes()),
                    total(
                            "mars.shipped.bytes",
                            "Log sent over the present links to members",
                            known -> (double) known.counters().shippedBytes()));

    /** Of each member as this engine knows it, by resource and member. */
    static final List<ReplicaMetric<MemberStatus>> MEMBER =
            List.of(
                    gauge(
                            "mars.member.connected",
                            "1 while there is a link with it",
                            member -> member.connected() ? 1 : 0),
                    gauge(
                            "mars.member.attached",
                            "1 while log is kept for it, 0 when it must sync to return",
                            member -> member.attached() ? 1 : 0),
                    gauge(
                            "mars.member.received.bytes",
                            "Log position it has received",
                            member -> known(member.received())),
                    gauge(
                            "mars.member.applied.bytes",
                            "Log position it has applied",
                            member -> known(member.applied())),
                    gauge(
                            "mars.member.lag.bytes",
                            "Log between the primary's durable and its applied position",
                            member -> known(member.lagBytes())),
                    gauge(
                            "mars.member.lag.seconds",
                            "Age of its content against the primary's",
                            member -> member.lagBytes() < 0 ? Double.NaN : member.lagSeconds()),
                    gauge(
                            "mars.member.sync.done.bytes",
                            "Copied by the sync that goes on",
                            member -> sync(member, Sync::doneBytes)),
                    gauge(
                            "mars.member.sync.total.bytes",
                            "To be copied by the sync that goes on; 0 when there is none",
                            member -> sync(member, Sync::totalBytes)));

    private static <T> ReplicaMetric<T> gauge(String key, String help, ToDoubleFunction<T> value) {
        return new ReplicaMetric<>(key, false, help, value);
    }

    static <T> ReplicaMetric<T> total(String key, String help, ToDoubleFunction<T> value) {
        return new ReplicaMetric<>(key, true, help, value);
    }

    private static double traffic(Known known, ToDoubleFunction<Traffic> part) {
        Traffic traffic = known.counters().traffic();
        return traffic == null ? 0 : part.applyAsDouble(traffic);
    }

    private static double known(long position) {
        return position < 0 ? Double.NaN : position;
    }

    private static double sync(MemberStatus member, ToDoubleFunction<Sync> part) {
        Sync sync = member.sync();
        return sync == null ? 0 : part.applyAsDouble(sync);
    }
}
