// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replication;

import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Chain;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.EpochId;
import storage.mars.engine.log.ReplicaMetadata.Grant;
import storage.mars.engine.log.ReplicaMetadata.Member;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;

/**
 * What two engines say to each other about one resource; docs/format/replication.md is the
 * specification. Byte buffers in received messages are views that are valid until the receiver
 * returns.
 */
public sealed interface PeerMessage {

    /**
     * The first message of every link, from both sides, and then again every second and after every
     * change: all that a replica knows of itself.
     *
     * @param dialled whether the sender dialled the link
     * @param highestTerm the highest term the sender has heard of
     * @param openTerm the term that the receiver may have from the sender once it holds all of its
     *     log; 0 when the sender has not laid down the role, or has given it to somebody else
     * @param durable end of its durable log; for a secondary the received position
     */
    record Hello(
            boolean dialled,
            long resourceId,
            String resourceName,
            long replicaId,
            String replicaName,
            String address,
            boolean primary,
            String state,
            long highestTerm,
            long openTerm,
            long incarnation,
            EpochHistory history,
            long durable,
            long applied,
            long checkpoint,
            boolean consistent,
            long syncedBytes,
            long syncTotalBytes,
            boolean shippingPaused,
            long wallMicros,
            List<Member> members)
            implements PeerMessage {

        public Hello {
            members = List.copyOf(members);
        }
    }

    /**
     * Secondary to primary: send the log from {@code from} on, where the sender's log ends with
     * {@code link}, and no more than up to {@code creditUntil} for now.
     */
    record Pull(long from, Chain.Link link, long creditUntil) implements PeerMessage {}

    /** Secondary to primary: the log may be sent up to this position. */
    record Credit(long until) implements PeerMessage {}

    /**
     * Primary to secondary: the log at {@code from} is not there any more; begin again at {@code
     * start} by a sync. {@code grant} is what the sender has laid down there, if it has.
     */
    record SyncNeeded(
            long start, Chain.Link link, EpochHistory history, String reason, @Nullable Grant grant)
            implements PeerMessage {}

    /** Primary to secondary: whole frames that follow each other from {@code position} on. */
    record LogData(long position, ByteBuffer bytes) implements PeerMessage {}

    /** Secondary to primary: how far it is. */
    record Position(long durable, long applied, long checkpoint) implements PeerMessage {}

    /**
     * Sync target to source: the content of a range; {@code received} is the target's end of the
     * log. {@code digests} are those of the blocks that it has there, or empty.
     */
    record ReadBlocks(
            long request, int volume, long offset, int length, long received, ByteBuffer digests)
            implements PeerMessage {}

    /**
     * Answer: the range as the source has it durably, not older than {@code received} of the
     * question and not newer than {@code newest}. {@code zero} says that all of it is zero; else
     * {@code bytes} hold, one after the other, the blocks numbered {@code differing} from the
     * range's first, and the others are as the digests of the question have them.
     */
    record BlockData(
            long request,
            int volume,
            long offset,
            int length,
            EpochId epoch,
            long newest,
            boolean zero,
            BitSet differing,
            ByteBuffer bytes)
            implements PeerMessage {}

    /** Answer: the source cannot read the range now. */
    record BlocksUnavailable(long request, String reason) implements PeerMessage {}

    /** A new engine asks to hold a replica. */
    record JoinRequest(String resourceName, long replicaId, String replicaName, String address)
            implements PeerMessage {}

    /**
     * It may, and this is what it needs to begin: an empty log from {@code start} on, and images to
     * be copied.
     */
    record JoinAccepted(
            long resourceId,
            String resourceName,
            int segmentBytes,
            List<VolumeShape> volumes,
            List<Member> members,
            EpochHistory history,
            long highestTerm,
            long incarnation,
            long start,
            Chain.Link link)
            implements PeerMessage {

        public JoinAccepted {
            volumes = List.copyOf(volumes);
            members = List.copyOf(members);
        }
    }

    /** A request is refused; {@code reason} says why, who holds it and what to do. */
    record Refused(String reason) implements PeerMessage {}

    /** A replica leaves for good: nothing is kept for it any more. */
    record Leave(long replicaId) implements PeerMessage {}

    /** It has been struck off the list of members. */
    record LeaveAccepted(long replicaId) implements PeerMessage {}

    /** A secondary asks for the role, in the term after {@code supersedes}. */
    record HandoverRequest(long supersedes, boolean closeExports) implements PeerMessage {}

    /** The asked replica has given the role away, durably: the log ends at {@code end}. */
    record Granted(long term, long end) implements PeerMessage {}
}
