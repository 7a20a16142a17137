// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import storage.mars.engine.testkit.schedule.SimFailure;

/** Histories made by hand, sound ones and such as no engine may produce. */
class CheckersTest {

    private static final int V = 1;
    private static final int BLOCK = 4096;

    private final WriteHistory history = new WriteHistory(new CellPattern(99));
    private final LinearizabilityChecker linearizability = new LinearizabilityChecker(history);
    private final DurabilityChecker durability = new DurabilityChecker(history);

    private Write write(long offset, long length) {
        return history.submitWrite(1, V, offset, length);
    }

    private Write acked(long offset, long length) {
        Write write = write(offset, length);
        history.acked(write, true);
        return write;
    }

    private byte[] bytesOf(Write write, long offset, int length) {
        byte[] bytes = new byte[length];
        history.pattern().fill(V, offset, write.version(), ByteBuffer.wrap(bytes));
        return bytes;
    }

    private void reads(Write write) {
        linearizability.read(V, 0, bytesOf(write, 0, BLOCK), history.tick());
    }

    private void readsZero() {
        linearizability.read(V, 0, new byte[BLOCK], history.tick());
    }

    private static void fails(Runnable check, String because) {
        assertThatThrownBy(check::run).isInstanceOf(SimFailure.class).hasMessageContaining(because);
    }

    @Test
    void theLastAcknowledgedWriteIsRead() {
        Write old = acked(0, BLOCK);
        Write last = acked(0, BLOCK);

        reads(last);

        fails(() -> reads(old), "was overwritten");
        fails(this::readsZero, "was overwritten");
    }

    @Test
    void aWriteUnderWayMayBeReadOrNot() {
        Write old = acked(0, BLOCK);
        Write open = write(0, BLOCK);

        reads(old);
        reads(open);

        assertThatCode(linearizability::check).doesNotThrowAnyException();
    }

    @Test
    void onceReadAWriteStaysRead() {
        Write old = acked(0, BLOCK);
        Write open = write(0, BLOCK);
        reads(open);
        reads(old);

        fails(linearizability::check, "no common order");
    }

    @Test
    void twoOpenWritesDoNotAlternate() {
        Write one = write(0, BLOCK);
        Write two = write(0, BLOCK);
        reads(one);
        reads(two);
        reads(one);

        fails(linearizability::check, "no common order");
    }

    @Test
    void overlappingReadsOfOpenWritesMayDiffer() {
        Write one = write(0, BLOCK);
        Write two = write(0, BLOCK);
        long first = history.tick();
        long second = history.tick();
        linearizability.read(V, 0, bytesOf(two, 0, BLOCK), first);
        linearizability.read(V, 0, bytesOf(one, 0, BLOCK), second);

        assertThatCode(linearizability::check).doesNotThrowAnyException();
    }

    @Test
    void zerosAreReadBeforeAnyWriteAndAfterATrim() {
        readsZero();
        acked(0, BLOCK);
        Write trim = history.submitZero(2, V, 0, 2 * BLOCK);
        readsZero();
        history.acked(trim, true);
        readsZero();
        Write later = acked(0, BLOCK);
        reads(later);

        fails(this::readsZero, "was overwritten");
    }

    @Test
    void whatNobodyHasWrittenIsNotRead() {
        Write write = acked(0, 2 * BLOCK);
        byte[] foreign = bytesOf(write, 0, BLOCK);
        foreign[77] ^= 4;
        fails(() -> linearizability.read(V, 0, foreign, history.tick()), "nobody has written");

        byte[] misplaced = bytesOf(write, BLOCK, BLOCK);
        fails(() -> linearizability.read(V, 0, misplaced, history.tick()), "nobody has written");
    }

    @Test
    void partsOfABlockAreJudgedApart() {
        Write whole = acked(0, BLOCK);
        Write part = acked(1001, 1000);
        byte[] mixed = bytesOf(whole, 0, BLOCK);
        System.arraycopy(bytesOf(part, 1001, 1000), 0, mixed, 1001, 1000);

        linearizability.read(V, 0, mixed, history.tick());
        linearizability.read(V, 998, Arrays.copyOfRange(mixed, 998, 1500), history.tick());

        fails(() -> reads(whole), "was overwritten");
        System.arraycopy(bytesOf(whole, 1600, 8), 0, mixed, 1600, 8);
        fails(() -> linearizability.read(V, 0, mixed, history.tick()), "was overwritten");
    }

    /**
     * Versions differ in their low byte, byte 4 of a cell, which every 256th repeats: two edges
     * make the content of the first write again, and one alone does not.
     */
    @Test
    void edgesOfTwoWritesMayMakeAnOlderOneAgain() {
        Write whole = acked(0, BLOCK);
        Write over = acked(4, 5);
        fails(() -> reads(whole), "was overwritten by write " + over.version());
        for (int i = over.version() + 1; i < whole.version() + 256; i++) {
            acked(BLOCK, BLOCK);
        }
        Write again = acked(4, 1);
        assertThat(again.version()).isEqualTo(whole.version() + 256);
        byte[] cell = bytesOf(whole, 0, 8);

        linearizability.read(V, 0, cell, history.tick());

        fails(() -> reads(whole), "was overwritten by write " + over.version());
    }

    @Test
    void anEdgeOfBeforeMendsNothing() {
        Write whole = acked(0, BLOCK);
        for (int i = whole.version() + 1; i < whole.version() + 256; i++) {
            acked(BLOCK, BLOCK);
        }
        acked(4, 1);
        reads(whole);
        Write over = acked(4, 5);
        byte[] cell = bytesOf(whole, 0, 8);

        fails(
                () -> linearizability.read(V, 0, cell, history.tick()),
                "was overwritten by write " + over.version());
    }

    private Content content(Write write) {
        return (volume, offset, length) -> bytesOf(write, offset, length);
    }

    @Test
    void acknowledgedWritesSurviveACrash() {
        Write old = acked(0, BLOCK);
        Write last = acked(0, BLOCK);
        Write open = write(0, BLOCK);
        history.allOver();

        durability.check(V, BLOCK, content(last));
        durability.check(V, BLOCK, content(open));
        fails(() -> durability.check(V, BLOCK, content(old)), "was overwritten");
    }

    @Test
    void aWriteOfBeforeTheCrashDoesNotComeLater() {
        Write open = write(0, BLOCK);
        history.allOver();
        Write after = acked(0, BLOCK);

        durability.check(V, BLOCK, content(after));
        fails(() -> durability.check(V, BLOCK, content(open)), "was overwritten");
    }

    @Test
    void onlyWhatWasFlushedHasToSurviveAPowerCutWhenAcksPromiseNothing() {
        Write flushed = write(0, BLOCK);
        history.acked(flushed, false);
        history.flushed(history.tick());
        Write buffered = write(0, BLOCK);
        history.acked(buffered, false);
        history.allOver();
        history.powerCut();

        durability.check(V, BLOCK, content(flushed));
        durability.check(V, BLOCK, content(buffered));
        fails(
                () -> durability.check(V, BLOCK, (v, offset, length) -> new byte[length]),
                "was overwritten");
    }

    @Test
    void aRejectedWriteHasNoEffect() {
        Write rejected = write(0, BLOCK);
        history.rejected(rejected);
        readsZero();

        assertThat(history.openWrites()).isZero();
        fails(() -> reads(rejected), "");
    }
}
