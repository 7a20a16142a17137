// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import storage.mars.engine.port.Storage;
import storage.mars.engine.testkit.schedule.SimFailure;

class LogCheckersTest {

    private static final int V = 1;
    private static final int BLOCK = 4096;
    private static final int SIZE = 8 * BLOCK;

    private final WriteHistory history = new WriteHistory(new CellPattern(5));
    private final LogOrder order = new LogOrder(history.pattern());
    private final PrefixChecker prefix = new PrefixChecker(order, Map.of(V, (long) SIZE));
    private final byte[] image = new byte[SIZE];
    private final Content content =
            (volume, offset, length) ->
                    Arrays.copyOfRange(image, (int) offset, (int) offset + length);

    private Write logged(long position, long offset, int length) {
        Write write = history.submitWrite(1, V, offset, length);
        order.add(position, write, offset, length);
        return write;
    }

    private void apply(Write write) {
        history.pattern()
                .fill(
                        V,
                        write.offset(),
                        write.version(),
                        ByteBuffer.wrap(image, (int) write.offset(), (int) write.length()));
    }

    @Test
    void contentAtAPositionIsAllBelowAndNothingElse() {
        Write first = logged(100, 0, 2 * BLOCK);
        Write second = logged(200, 100, 5000);
        apply(first);

        prefix.exactly(200, content);
        assertThat(prefix.someAtLeast(0, content)).isEqualTo(100);
        assertThatThrownBy(() -> prefix.exactly(201, content)).isInstanceOf(SimFailure.class);
        assertThatThrownBy(() -> prefix.exactly(100, content)).isInstanceOf(SimFailure.class);
        assertThatThrownBy(() -> prefix.someAtLeast(201, content)).isInstanceOf(SimFailure.class);

        apply(second);
        prefix.exactly(201, content);
        assertThat(prefix.someAtLeast(201, content)).isEqualTo(200);
    }

    @Test
    void laterWritesWithoutEarlierOnesAreNoPrefix() {
        logged(100, 0, BLOCK);
        Write second = logged(200, BLOCK, BLOCK);
        apply(second);

        assertThatThrownBy(() -> prefix.someAtLeast(0, content)).isInstanceOf(SimFailure.class);
    }

    @Test
    void halfAWriteIsNoPrefix() {
        Write write = logged(100, 0, 2 * BLOCK);
        apply(write);
        Arrays.fill(image, BLOCK, 2 * BLOCK, (byte) 0);

        assertThatThrownBy(() -> prefix.someAtLeast(0, content)).isInstanceOf(SimFailure.class);
    }

    @Test
    void cellsMayBeOfAnyPositionFromTheOneThatIsAskedForOn() {
        Write first = logged(100, 0, 2 * BLOCK);
        LogOrder before = order.copy();
        Write lost = history.submitWrite(1, V, 0, BLOCK);
        before.add(200, lost, 0, BLOCK);
        PrefixChecker parts = new PrefixChecker(before, Map.of(V, (long) SIZE));
        assertThatThrownBy(() -> parts.cells(200, content)).isInstanceOf(SimFailure.class);

        apply(first);
        parts.cells(200, content);
        byte[] old = Arrays.copyOf(image, 512);
        apply(lost);
        System.arraycopy(old, 0, image, 0, 512);
        parts.cells(200, content);
        assertThatThrownBy(() -> parts.cells(201, content))
                .isInstanceOf(SimFailure.class)
                .hasMessageContaining("byte 0 ");
        Arrays.fill(image, 3 * BLOCK - 8, 3 * BLOCK, (byte) 1);
        assertThatThrownBy(() -> parts.cells(200, content))
                .isInstanceOf(SimFailure.class)
                .hasMessageContaining("byte " + (3 * BLOCK - 8) + " ");
    }

    @Test
    void blocksThatTheLogNeverTouchedAreZero() {
        image[SIZE - 1] = 1;

        assertThatThrownBy(() -> prefix.exactly(0, content))
                .isInstanceOf(SimFailure.class)
                .hasMessageContaining("block 7");
    }

    @Test
    void zerosRawBytesAndCutsCount() {
        Write write = logged(100, 0, 4 * BLOCK);
        apply(write);
        order.addZero(200, V, BLOCK, BLOCK);
        order.addBytes(300, V, 3, new byte[] {1, 2, 3});
        Arrays.fill(image, BLOCK, 2 * BLOCK, (byte) 0);

        prefix.exactly(300, content);
        assertThatThrownBy(() -> prefix.exactly(301, content)).isInstanceOf(SimFailure.class);
        order.cut(300);
        prefix.exactly(301, content);
        assertThatThrownBy(() -> order.addZero(199, V, 0, BLOCK))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void anImageGetsNothingThatItsLogDoesNotHoldDurably() {
        boolean[] consistent = {true};
        ProvenanceChecker checker = new ProvenanceChecker(history, () -> consistent[0]);
        Write write = history.submitWrite(1, V, 0, 2 * BLOCK);
        byte[] bytes = new byte[BLOCK];
        history.pattern().fill(V, BLOCK, write.version(), ByteBuffer.wrap(bytes));
        ByteBuffer payload = ByteBuffer.wrap(bytes);

        assertThatThrownBy(() -> checker.writing("i", Storage.Kind.IMAGE, BLOCK, payload))
                .isInstanceOf(SimFailure.class)
                .hasMessageContaining("does not hold durably");
        checker.writing("l", Storage.Kind.LOG, 0, payload);
        assertThatThrownBy(() -> checker.writing("i", Storage.Kind.IMAGE, BLOCK, payload))
                .isInstanceOf(SimFailure.class);
        consistent[0] = false;
        checker.writing("i", Storage.Kind.IMAGE, BLOCK, payload);
        consistent[0] = true;
        checker.durable("l", Storage.Kind.LOG, 8192, bytes);
        checker.writing("i", Storage.Kind.IMAGE, BLOCK, payload);
        checker.writing("i", Storage.Kind.IMAGE, 0, ByteBuffer.wrap(new byte[BLOCK]));
    }
}
