// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replication;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.FieldReader;
import storage.mars.engine.log.FieldReader.Malformed;
import storage.mars.engine.log.FieldWriter;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.log.ReplicaMetadata.Member;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.replication.PeerMessage.BlockData;
import storage.mars.engine.replication.PeerMessage.BlocksUnavailable;
import storage.mars.engine.replication.PeerMessage.Credit;
import storage.mars.engine.replication.PeerMessage.Granted;
import storage.mars.engine.replication.PeerMessage.HandoverRequest;
import storage.mars.engine.replication.PeerMessage.Hello;
import storage.mars.engine.replication.PeerMessage.JoinAccepted;
import storage.mars.engine.replication.PeerMessage.JoinRequest;
import storage.mars.engine.replication.PeerMessage.Leave;
import storage.mars.engine.replication.PeerMessage.LeaveAccepted;
import storage.mars.engine.replication.PeerMessage.LogData;
import storage.mars.engine.replication.PeerMessage.Position;
import storage.mars.engine.replication.PeerMessage.Pull;
import storage.mars.engine.replication.PeerMessage.ReadBlocks;
import storage.mars.engine.replication.PeerMessage.Refused;
import storage.mars.engine.replication.PeerMessage.SyncNeeded;

/**
 * Messages as bytes: u32 magic "MPR1", u8 type, fields (docs/format/replication.md). Decoding
 * believes nothing: a message is understood whole or refused. One per shard: the buffer of an
 * encoded message is used again by the next.
 */
public final class PeerCodec {

    /** The protocol's version is a part of its magic: another one is another protocol. */
    static final int MAGIC = 0x3152_504d;

    /** No message is longer. */
    public static final int MAX_MESSAGE = LogFormat.MAX_FRAME + (128 << 10);

    private static final int MAX_MEMBERS = 64;
    private static final int MAX_VOLUMES = 16;
    private static final ByteBuffer NO_BYTES = ByteBuffer.allocate(0);

    private final ByteBuffer out =
            ByteBuffer.allocateDirect(MAX_MESSAGE).order(ByteOrder.LITTLE_ENDIAN);

    /** Encodes into a buffer that is valid until the next call. */
    public ByteBuffer encode(PeerMessage message) {
        out.clear();
        FieldWriter w = new FieldWriter(out);
        w.i32(MAGIC);
        switch (message) {
            case Hello m -> hello(w.u8(1), m);
            case Pull m -> w.u8(2).i64(m.from()).link(m.link()).i64(m.creditUntil());
            case Credit m -> w.u8(3).i64(m.until());
            case SyncNeeded m ->
                    w.u8(4)
                            .i64(m.start())
                            .link(m.link())
                            .history(m.history())
                            .text(m.reason())
                            .grant(m.grant());
            case LogData m -> beginLog(m.position()).put(m.bytes().duplicate());
            case Position m -> w.u8(7).i64(m.durable()).i64(m.applied()).i64(m.checkpoint());
            case ReadBlocks m ->
                    w.u8(8)
                            .i64(m.request())
                            .u16(m.volume())
                            .i64(m.offset())
                            .i32(m.length())
                            .i64(m.received())
                            .flag(m.digests().hasRemaining())
                            .bytes(m.digests());
            case BlockData m -> blocks(w.u8(9), m);
            case BlocksUnavailable m -> w.u8(10).i64(m.request()).text(m.reason());
            case JoinRequest m ->
                    w.u8(11)
                            .text(m.resourceName())
                            .i64(m.replicaId())
                            .text(m.replicaName())
                            .text(m.address());
            case JoinAccepted m -> joinAccepted(w.u8(12), m);
            case Refused m -> w.u8(13).text(m.reason());
            case Leave m -> w.u8(14).i64(m.replicaId());
            case LeaveAccepted m -> w.u8(15).i64(m.replicaId());
            case HandoverRequest m -> w.u8(16).i64(m.supersedes()).flag(m.closeExports());
            case Granted m -> w.u8(17).i64(m.term()).i64(m.end());
        }
        return out.flip();
    }

    /**
     * Begins a LOG message, whose bytes are then put behind its head; {@link #endLog} finishes it.
     */
    ByteBuffer beginLog(long position) {
        out.clear();
        new FieldWriter(out).i32(MAGIC).u8(5).i64(position);
        return out;
    }

    ByteBuffer endLog() {
        return out.flip();
    }

    private static void hello(FieldWriter w, Hello m) {
        w.flag(m.dialled()).i64(m.resourceId()).text(m.resourceName());
        w.i64(m.replicaId()).text(m.replicaName()).text(m.address());
        w.flag(m.primary()).text(m.state()).i64(m.highestTerm());
        w.i64(m.openTerm()).i64(m.incarnation()).history(m.history());
        w.i64(m.durable()).i64(m.applied()).i64(m.checkpoint()).flag(m.consistent());
        w.i64(m.syncedBytes()).i64(m.syncTotalBytes()).flag(m.shippingPaused()).i64(m.wallMicros());
        members(w, m.members());
    }

    private static void members(FieldWriter w, List<Member> members) {
        w.list(
                members,
                (x, v) -> x.i64(v.id()).text(v.name()).text(v.address()).flag(v.attached()));
    }

    private static void joinAccepted(FieldWriter w, JoinAccepted m) {
        w.i64(m.resourceId()).text(m.resourceName()).i32(m.segmentBytes());
        w.list(m.volumes(), (x, v) -> x.u16(v.id()).text(v.name()).i64(v.sizeBytes()));
        members(w, m.members());
        w.history(m.history())
                .i64(m.highestTerm())
                .i64(m.incarnation())
                .i64(m.start())
                .link(m.link());
    }

    private static void blocks(FieldWriter w, BlockData m) {
        w.i64(m.request()).u16(m.volume()).i64(m.offset()).i32(m.length());
        w.epochId(m.epoch()).i64(m.newest()).flag(m.zero());
        if (!m.zero()) {
            w.bits(m.differing(), m.length() >> Blocks.SHIFT).bytes(m.bytes());
        }
    }

    /** Decodes the remaining bytes of {@code message}, leaving its position alone. */
    public PeerMessage decode(ByteBuffer message) throws Malformed {
        ByteBuffer in = message.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        FieldReader r = new FieldReader(in);
        if (r.i32() != MAGIC) {
            throw new Malformed("not a message of this protocol version");
        }
        int type = r.u8();
        PeerMessage decoded = body(type, r, in);
        r.end();
        return decoded;
    }

    /**
     * The resource that the first message of a link is about; null when it begins no conversation.
     */
    public static @Nullable String resourceOf(ByteBuffer firstMessage) {
        ByteBuffer in = firstMessage.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        FieldReader r = new FieldReader(in);
        try {
            if (r.i32() != MAGIC) {
                return null;
            }
            return switch (body(r.u8(), r, in)) {
                case Hello hello -> hello.resourceName();
                case JoinRequest join -> join.resourceName();
                default -> null;
            };
        } catch (Malformed e) {
            return null;
        }
    }

    private static PeerMessage body(int type, FieldReader r, ByteBuffer in) throws Malformed {
        return switch (type) {
            case 1 -> hello(r);
            case 2 -> new Pull(r.count(), r.link(), r.count());
            case 3 -> new Credit(r.count());
            case 4 -> new SyncNeeded(r.count(), r.link(), r.history(), r.text(), r.grant());
            case 5 -> new LogData(r.count(), rest(in));
            case 7 -> new Position(r.count(), r.count(), r.count());
            case 8 -> readBlocks(r, in);
            case 9 -> blocks(r, in);
            case 10 -> new BlocksUnavailable(r.i64(), r.text());
            case 11 -> new JoinRequest(r.text(), r.i64(), r.text(), r.text());
            case 12 -> joinAccepted(r);
            case 13 -> new Refused(r.text());
            case 14 -> new Leave(r.i64());
            case 15 -> new LeaveAccepted(r.i64());
            case 16 -> new HandoverRequest(r.count(), r.flag());
            case 17 -> new Granted(r.count(), r.count());
            default -> throw new Malformed("message of unknown type " + type);
        };
    }

    private static ByteBuffer rest(ByteBuffer in) {
        ByteBuffer rest = in.slice().order(ByteOrder.LITTLE_ENDIAN);
        in.position(in.limit());
        return rest;
    }

    private static Hello hello(FieldReader r) throws Malformed {
        return new Hello(
                r.flag(),
                r.i64(),
                r.text(),
                r.i64(),
                r.text(),
                r.text(),
                r.flag(),
                r.text(),
                r.count(),
                r.count(),
                r.i64(),
                r.history(),
                r.count(),
                r.count(),
                r.count(),
                r.flag(),
                r.count(),
                r.count(),
                r.flag(),
                r.i64(),
                members(r));
    }

    private static List<Member> members(FieldReader r) throws Malformed {
        return r.list(MAX_MEMBERS, x -> new Member(x.i64(), x.text(), x.text(), x.flag()));
    }

    private static JoinAccepted joinAccepted(FieldReader r) throws Malformed {
        return new JoinAccepted(
                r.i64(),
                r.text(),
                r.i32(),
                r.list(MAX_VOLUMES, x -> new VolumeShape(x.u16(), x.text(), x.count())),
                members(r),
                r.history(),
                r.count(),
                r.i64(),
                r.count(),
                r.link());
    }

    private static ReadBlocks readBlocks(FieldReader r, ByteBuffer in) throws Malformed {
        long request = r.i64();
        int volume = r.u16();
        long offset = r.count();
        int length = rangeLength(r);
        long received = r.count();
        int digests = r.flag() ? (length >> Blocks.SHIFT) * BlockDigests.BYTES : 0;
        if (in.remaining() != digests) {
            throw new Malformed("digests of " + in.remaining() + " bytes, not " + digests);
        }
        // The answer may come later, when the message's memory is used again.
        ByteBuffer kept = digests == 0 ? NO_BYTES : ByteBuffer.allocate(digests).put(in).flip();
        return new ReadBlocks(request, volume, offset, length, received, kept);
    }

    /** Length of a range of blocks. */
    private static int rangeLength(FieldReader r) throws Malformed {
        int length = r.i32();
        if (length <= 0 || length > LogFormat.MAX_FRAME || !Blocks.aligned(length)) {
            throw new Malformed("a range of " + length + " bytes");
        }
        return length;
    }

    private static BlockData blocks(FieldReader r, ByteBuffer in) throws Malformed {
        long request = r.i64();
        int volume = r.u16();
        long offset = r.count();
        int length = rangeLength(r);
        var epoch = r.epochId();
        long newest = r.count();
        boolean zero = r.flag();
        BitSet differing = zero ? new BitSet() : r.bits(length >> Blocks.SHIFT);
        ByteBuffer bytes = zero ? NO_BYTES : rest(in);
        int count = differing.cardinality();
        if (bytes.remaining() != count << Blocks.SHIFT) {
            throw new Malformed(count + " blocks in " + bytes.remaining() + " bytes");
        }
        return new BlockData(
                request, volume, offset, length, epoch, newest, zero, differing, bytes);
    }
}
