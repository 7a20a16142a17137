// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static storage.mars.engine.fake.FakePorts.every;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.fake.FakePorts.Kind;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.Chain.Link;
import storage.mars.engine.log.MetadataStore.Opened;
import storage.mars.engine.log.ReplicaMetadata.Checkpoint;
import storage.mars.engine.port.IoFailure;

class MetadataStoreTest {

    private static final String FILE = "metadata";
    private static final int SLOT = MetadataCodec.SLOT;
    private final FakePorts fake = new FakePorts();

    private static ReplicaMetadata numbered(long incarnation) {
        return LogRig.metadata(EpochHistory.EMPTY, new Checkpoint(0, Link.START), 0)
                .with(draft -> draft.incarnation = incarnation);
    }

    private MetadataStore created() {
        List<MetadataStore> made = new ArrayList<>();
        MetadataStore.create(fake.ports(), FILE, numbered(1), made::add, failure -> {});
        fake.run();
        return made.getFirst();
    }

    private static Opened open(FakePorts ports) {
        List<Opened> opened = new ArrayList<>();
        MetadataStore.open(ports.ports(), FILE, opened::add);
        ports.run();
        return opened.isEmpty() ? new Opened.Unusable("still opening") : opened.getFirst();
    }

    private static void assertHas(FakePorts ports, long incarnation) {
        assertThat(open(ports))
                .isInstanceOfSatisfying(
                        Opened.Good.class,
                        good ->
                                assertThat(good.store().current())
                                        .isEqualTo(numbered(incarnation)));
        byte[] file = ports.file(FILE).synced;
        assertThat(Arrays.equals(file, 0, SLOT, file, SLOT, 2 * SLOT))
                .as("both slots are the same")
                .isTrue();
    }

    private static void assertUnusable(FakePorts ports, String why) {
        byte[] before = ports.file(FILE).data.clone();
        assertThat(open(ports))
                .isInstanceOfSatisfying(
                        Opened.Unusable.class,
                        unusable -> assertThat(unusable.reason()).contains(why));
        assertThat(ports.file(FILE).data).isEqualTo(before);
        assertThat(ports.file(FILE).isClosed()).isTrue();
    }

    private List<@Nullable IoFailure> set(MetadataStore store, long incarnation) {
        List<@Nullable IoFailure> told = new ArrayList<>();
        store.update(draft -> draft.incarnation = incarnation, told::add);
        return told;
    }

    @Test
    void aChangeIsToldWhenItIsInBothSlots() {
        MetadataStore store = created();
        fake.hold(op -> op.kind() == Kind.LOG_WRITE && op.position() > 0);

        List<@Nullable IoFailure> told = set(store, 2);
        fake.run();

        assertThat(told).isEmpty();
        assertThat(store.current()).isEqualTo(numbered(1));
        fake.holdNothing();
        assertThat(told).hasSize(1).containsOnlyNulls();
        assertThat(store.current()).isEqualTo(numbered(2));
        assertHas(fake.afterPowerLoss(), 2);
    }

    @Test
    void changesAreAppliedInOrderAndShareAWrite() {
        MetadataStore store = created();
        int before = fake.done(Kind.LOG_WRITE).size();
        fake.hold(every(Kind.LOG_WRITE));
        set(store, 2);

        store.update(draft -> draft.incarnation *= 10, failure -> {});
        store.update(draft -> draft.incarnation += 1, failure -> {});
        fake.holdNothing();

        assertThat(store.current()).isEqualTo(numbered(21));
        assertThat(fake.done(Kind.LOG_WRITE)).hasSize(before + 4);
    }

    @Test
    void aCrashBetweenTheSlotsRollsForward() {
        MetadataStore store = created();
        fake.hold(op -> op.kind() == Kind.LOG_WRITE && op.position() > 0);
        set(store, 2);
        fake.run();

        assertHas(fake.afterPowerLoss(), 2);
    }

    @Test
    void aSlotTornAtAnySectorIsMadeGoodByTheOther() {
        MetadataStore store = created();
        byte[] first = fake.file(FILE).synced.clone();
        set(store, 2);
        fake.run();
        byte[] second = fake.file(FILE).synced.clone();

        for (int torn = 0; torn <= SLOT; torn += 512) {
            FakePorts inFirst = fake.afterPowerLoss();
            inFirst.file(FILE).overwrite(0, first);
            inFirst.file(FILE).overwrite(0, Arrays.copyOf(second, torn));
            assertHas(inFirst, torn == SLOT ? 2 : 1);
            FakePorts inSecond = fake.afterPowerLoss();
            inSecond.file(FILE)
                    .overwrite(SLOT + torn, Arrays.copyOfRange(first, SLOT + torn, 2 * SLOT));
            assertHas(inSecond, 2);
        }
    }

    @Test
    void theOnlyWholeSlotIsNeverWrittenByAStart() {
        created();
        for (int whole = 0; whole < 2; whole++) {
            FakePorts crashed = fake.afterPowerLoss();
            crashed.file(FILE).flip((1 - whole) * SLOT + 100);

            assertHas(crashed, 1);

            long kept = (long) whole * SLOT;
            assertThat(crashed.done(Kind.LOG_WRITE))
                    .hasSize(1)
                    .noneMatch(op -> op.position() == kept);
        }
    }

    @Test
    void aStartThatIsCrashedAgainStillFindsIt() {
        MetadataStore store = created();
        fake.hold(op -> op.kind() == Kind.LOG_WRITE && op.position() > 0);
        set(store, 2);
        fake.run();
        FakePorts crashed = fake.afterPowerLoss();
        crashed.file(FILE).flip(SLOT + 100);
        crashed.hold(every(Kind.LOG_WRITE));

        assertThat(open(crashed)).isEqualTo(new Opened.Unusable("still opening"));

        FakePorts again = crashed.afterPowerLoss();
        again.file(FILE).flip((int) crashed.pending(Kind.LOG_WRITE).getFirst().position() + 200);
        assertHas(again, 2);
    }

    @Test
    void damageToBothSlotsIsSaid() {
        created();
        fake.file(FILE).flip(100);
        fake.file(FILE).flip(SLOT + 100);

        assertUnusable(fake.afterPowerLoss(), "damaged in both copies (checksum differs");
    }

    @Test
    void whatALaterEngineWroteIsLeftToIt() {
        created();
        for (int slot = 0; slot < 2; slot++) {
            FakePorts newer = fake.afterPowerLoss();
            ByteBuffer bytes =
                    ByteBuffer.wrap(newer.file(FILE).data.clone()).order(ByteOrder.LITTLE_ENDIAN);
            bytes.putInt(slot * SLOT + 8, 2);
            bytes.putInt((slot + 1) * SLOT - 4, new Checksum().of(bytes, slot * SLOT, SLOT - 4));
            newer.file(FILE).overwrite(0, bytes.array());

            assertUnusable(newer, "of version 2");
        }
    }

    @Test
    void aFileOfAnotherSizeIsRefused() {
        fake.put(FILE, SLOT);
        assertUnusable(fake, "wrong size");
        assertThat(open(new FakePorts())).isInstanceOf(Opened.Unusable.class);
    }

    @Test
    void theFirstFailureIsFinal() {
        MetadataStore store = created();
        fake.failNext(
                op -> op.kind() == Kind.LOG_WRITE && op.position() > 0, IoFailure.Kind.IO_ERROR);
        List<@Nullable IoFailure> first = set(store, 2);
        List<@Nullable IoFailure> waiting = set(store, 3);
        fake.run();

        List<@Nullable IoFailure> later = set(store, 4);
        fake.run();

        assertThat(store.current()).isEqualTo(numbered(1));
        assertThat(List.of(first, waiting, later))
                .allSatisfy(told -> assertThat(told).hasSize(1).doesNotContainNull());
    }

    @Test
    void aChangeThatThrowsChangesNothing() {
        MetadataStore store = created();

        assertThatThrownBy(() ->
                        store.update(
                                draft -> {
                                    throw new IllegalStateException("no");
                                },
                                failure -> {}))
                .hasMessage("no");

        set(store, 2);
        fake.run();
        assertThat(store.current()).isEqualTo(numbered(2));
    }

    @Test
    void whoIsToldMayChangeItAgain() {
        MetadataStore store = created();

        store.update(draft -> draft.incarnation = 2, told -> set(store, 3));
        fake.run();

        assertThat(store.current()).isEqualTo(numbered(3));
    }

    @Test
    void aChangeThatDoesNotFitChangesNothing() {
        MetadataStore store = created();
        List<ReplicaMetadata.Member> many = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            many.add(new ReplicaMetadata.Member(i, "m" + i, "x".repeat(5000), true));
        }

        assertThatThrownBy(() -> store.update(draft -> draft.members = many, failure -> {}))
                .hasMessageContaining("too large");

        assertThat(store.latest()).isEqualTo(numbered(1));
        set(store, 2);
        fake.run();
        assertThat(store.current()).isEqualTo(numbered(2));
    }

    @Test
    void whoThrowsWhenToldKeepsTheOthersFromNothing() {
        MetadataStore store = created();
        fake.hold(every(Kind.LOG_WRITE));
        store.update(
                draft -> draft.incarnation = 2,
                failure -> {
                    throw new IllegalStateException("told");
                });
        List<@Nullable IoFailure> next = set(store, 3);

        assertThatThrownBy(fake::holdNothing).hasMessage("told");

        fake.run();
        assertThat(next).hasSize(1).containsOnlyNulls();
        assertThat(store.current()).isEqualTo(numbered(3));
    }
}
