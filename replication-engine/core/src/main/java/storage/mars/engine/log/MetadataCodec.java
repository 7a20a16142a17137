// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.FieldReader.Malformed;
import storage.mars.engine.log.ReplicaMetadata.Checkpoint;
import storage.mars.engine.log.ReplicaMetadata.Fork;
import storage.mars.engine.log.ReplicaMetadata.Identity;
import storage.mars.engine.log.ReplicaMetadata.Member;
import storage.mars.engine.log.ReplicaMetadata.Offer;
import storage.mars.engine.log.ReplicaMetadata.Role;
import storage.mars.engine.log.ReplicaMetadata.Switches;
import storage.mars.engine.log.ReplicaMetadata.SyncState;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;

/**
 * One slot of a metadata file, format version 1 (docs/format/log.md):
 *
 * <pre>
 *  0 u64 magic "MARSMETA"    8 u32 version    12 u32 body length    16 u64 generation    24 body
 *  SLOT - 4 u32 CRC32C of everything before
 * </pre>
 */
final class MetadataCodec {

    static final int SLOT = 64 << 10;
    private static final long MAGIC = 0x4154_454d_5352_414dL;
    private static final int VERSION = 1;
    private static final int BODY = 24;
    private static final int MAX_BODY = SLOT - BODY - Integer.BYTES;
    static final int MAX_MEMBERS = 64;
    static final int MAX_VOLUMES = 16;

    private final Checksum checksum = new Checksum();

    /** What a slot holds. */
    sealed interface Slot {

        record Good(long generation, ReplicaMetadata metadata) implements Slot {}

        /** Never written, torn or damaged. */
        record Bad(String reason) implements Slot {}

        /** Written by a later version of the engine, which alone may touch it. */
        record Newer(int version) implements Slot {}
    }

    /** Throws when the metadata are too large for a slot. */
    static void checkFits(ReplicaMetadata metadata) {
        try {
            write(metadata, new FieldWriter(ByteBuffer.allocate(MAX_BODY)));
        } catch (BufferOverflowException e) {
            throw new IllegalStateException(
                    "metadata of " + metadata.identity().resourceName() + " are too large", e);
        }
    }

    void encode(long generation, ReplicaMetadata metadata, ByteBuffer slot) {
        slot.clear().order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < SLOT; i += Long.BYTES) {
            slot.putLong(i, 0);
        }
        slot.position(BODY);
        write(metadata, new FieldWriter(slot));
        int length = slot.position() - BODY;
        slot.putLong(0, MAGIC).putInt(8, VERSION).putInt(12, length).putLong(16, generation);
        slot.clear();
        slot.putInt(SLOT - 4, checksum.of(slot, 0, SLOT - 4));
    }

    Slot decode(ByteBuffer slot) {
        slot.order(ByteOrder.LITTLE_ENDIAN);
        if (slot.getLong(0) != MAGIC) {
            return new Slot.Bad("no metadata");
        }
        if (checksum.of(slot, 0, SLOT - 4) != slot.getInt(SLOT - 4)) {
            return new Slot.Bad("checksum differs");
        }
        if (slot.getInt(8) > VERSION) {
            return new Slot.Newer(slot.getInt(8));
        }
        if (slot.getInt(8) != VERSION) {
            return new Slot.Bad("version " + slot.getInt(8) + " has never been");
        }
        int length = slot.getInt(12);
        if (length < 0 || length > MAX_BODY) {
            return new Slot.Bad("impossible length");
        }
        try {
            FieldReader in = new FieldReader(slot.slice(BODY, length));
            ReplicaMetadata metadata = read(in);
            in.end();
            return new Slot.Good(slot.getLong(16), metadata);
        } catch (Malformed e) {
            return new Slot.Bad(String.valueOf(e.getMessage()));
        }
    }

    private static void write(ReplicaMetadata m, FieldWriter out) {
        Identity id = m.identity();
        out.i64(id.resourceId()).text(id.resourceName()).i32(id.segmentBytes());
        out.i64(id.replicaId()).text(id.replicaName());
        out.list(m.volumes(), (w, v) -> w.u16(v.id()).text(v.name()).i64(v.sizeBytes()));
        out.list(
                m.members(),
                (w, v) -> w.i64(v.id()).text(v.name()).text(v.address()).flag(v.attached()));
        out.u8(m.role().code()).history(m.history()).i64(m.highestTerm());
        out.i64(m.checkpoint().position()).link(m.checkpoint().link());
        out.i64(m.durableKnown()).i64(m.logStart()).flag(m.rested());
        SyncState sync = m.sync();
        out.flag(sync.inconsistent())
                .u16(sync.volume())
                .i64(sync.copiedBytes())
                .i64(sync.requiredPosition());
        out.i64(m.incarnation()).grant(m.grant());
        Offer offer = m.offer();
        out.flag(offer != null);
        if (offer != null) {
            out.i64(offer.position()).i64(offer.toReplica()).i64(offer.term());
        }
        Fork fork = m.fork();
        out.flag(fork != null);
        if (fork != null) {
            out.i64(fork.position()).epochId(fork.winner()).i64(fork.winnerReplica());
        }
        Switches switches = m.switches();
        out.flag(switches.shippingPaused())
                .i64(switches.applyLimit())
                .i64(switches.logBudgetBytes());
        out.i64(m.bootId());
    }

    private static ReplicaMetadata read(FieldReader in) throws Malformed {
        Identity identity = new Identity(in.i64(), in.text(), in.i32(), in.i64(), in.text());
        return new ReplicaMetadata(
                identity,
                in.list(MAX_VOLUMES, r -> new VolumeShape(r.u16(), r.text(), r.count())),
                in.list(MAX_MEMBERS, r -> new Member(r.i64(), r.text(), r.text(), r.flag())),
                role(in.u8()),
                in.history(),
                in.count(),
                new Checkpoint(in.count(), in.link()),
                in.count(),
                in.count(),
                in.flag(),
                new SyncState(in.flag(), in.u16(), in.count(), in.count()),
                in.i64(),
                in.grant(),
                offer(in),
                fork(in),
                new Switches(in.flag(), in.count(), in.count()),
                in.i64());
    }

    private static Role role(int code) throws Malformed {
        return switch (code) {
            case 0 -> Role.PRIMARY;
            case 1 -> Role.SECONDARY;
            default -> throw new Malformed("role of code " + code);
        };
    }

    private static @Nullable Offer offer(FieldReader in) throws Malformed {
        return in.flag() ? new Offer(in.count(), in.i64(), in.count()) : null;
    }

    private static @Nullable Fork fork(FieldReader in) throws Malformed {
        return in.flag() ? new Fork(in.count(), in.epochId(), in.i64()) : null;
    }
}
