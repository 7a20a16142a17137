// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each promise is broken on purpose, and the verifier must notice. */
final class HistoryVerifierTest {
    @TempDir Path directory;
    private WriteHistory history;
    private HistoryVerifier verifier;

    @BeforeEach
    void emptyHistoryOfFourBlocks() throws IOException {
        history = new WriteHistory(7, 4, directory.resolve("journal"));
        verifier = new HistoryVerifier(history);
    }

    @AfterEach
    void closeJournal() throws IOException {
        history.close();
    }

    @Test
    void acknowledgedWritesThatAreThereAreFine() {
        acknowledged(0, 1, 0);

        assertThat(verifier.everyAcknowledgedWriteIsIn(content(3, 2, 0, 0))).isEmpty();
    }

    @Test
    void lostAcknowledgedWriteIsFound() {
        acknowledged(0, 1, 0);

        assertThat(verifier.everyAcknowledgedWriteIsIn(content(1, 2, 0, 0)))
                .containsExactly("block 0 holds write 1, but write 3 was acknowledged");
    }

    @Test
    void writeInFlightMayBeThereOrNot() {
        acknowledged(0);
        assertThat(history.issue(0)).isEqualTo(2);

        assertThat(verifier.everyAcknowledgedWriteIsIn(content(1, 0, 0, 0))).isEmpty();
        assertThat(verifier.everyAcknowledgedWriteIsIn(content(2, 0, 0, 0))).isEmpty();
    }

    @Test
    void writeThatNobodySentIsFound() {
        acknowledged(0, 1);

        assertThat(verifier.everyAcknowledgedWriteIsIn(content(1, 2, 9, 0)))
                .containsExactly("block 2 holds write 9, which was never sent to it");
        assertThat(verifier.isOnePrefix(content(1, 2, 1, 0)))
                .containsExactly("block 2 holds write 1, which was never sent to it");
    }

    @Test
    void damagedBlocksAreFindings() {
        var damaged = new ContentSnapshot(new long[4], List.of("block 1: torn"));

        assertThat(verifier.isOnePrefix(damaged)).containsExactly("block 1: torn");
    }

    @Test
    void everyPrefixOfSequentialWritesIsOne() {
        acknowledged(0, 1, 0, 2);

        assertThat(verifier.isOnePrefix(content(0, 0, 0, 0))).isEmpty();
        assertThat(verifier.isOnePrefix(content(1, 0, 0, 0))).isEmpty();
        assertThat(verifier.isOnePrefix(content(1, 2, 0, 0))).isEmpty();
        assertThat(verifier.isOnePrefix(content(3, 2, 0, 0))).isEmpty();
        assertThat(verifier.isOnePrefix(content(3, 2, 4, 0))).isEmpty();
    }

    @Test
    void gapInSequentialWritesIsFound() {
        acknowledged(0, 1, 0, 2);

        assertThat(verifier.isOnePrefix(content(3, 0, 0, 0)))
                .containsExactly("block 1 holds write 0, but write 2 was acknowledged");
        assertThat(verifier.isOnePrefix(content(1, 2, 4, 0)))
                .containsExactly("block 0 holds write 1, but write 3 was acknowledged");
    }

    @Test
    void concurrentWritesHaveNoOrder() {
        long first = history.issue(0);
        long second = history.issue(1);
        history.acknowledge(first);
        history.acknowledge(second);

        assertThat(verifier.isOnePrefix(content(1, 0, 0, 0))).isEmpty();
        assertThat(verifier.isOnePrefix(content(0, 2, 0, 0))).isEmpty();
    }

    @Test
    void writeWithoutOneThatCameBeforeItIsFoundAmongConcurrentOnes() {
        long slow = history.issue(0);
        acknowledged(1);
        acknowledged(2);
        history.acknowledge(slow);

        assertThat(verifier.isOnePrefix(content(0, 2, 3, 0))).isEmpty();
        assertThat(verifier.isOnePrefix(content(1, 0, 3, 0)))
                .containsExactly("block 1 holds write 0, but write 2 was acknowledged");
    }

    @Test
    void contentMustReachThePositionAndNotGoBeyondIt() {
        acknowledged(0);
        var early = new PositionSample(history.tick(), 100, history.tick());
        acknowledged(1);
        var late = new PositionSample(history.tick(), 200, history.tick());
        acknowledged(2);
        var samples = List.of(early, late);

        assertThat(verifier.isThePrefixAt(200, samples, content(1, 2, 0, 0))).isEmpty();
        assertThat(verifier.isThePrefixAt(150, samples, content(1, 0, 0, 0))).isEmpty();
        assertThat(verifier.isThePrefixAt(150, samples, content(1, 2, 0, 0))).isEmpty();
        assertThat(verifier.isThePrefixAt(200, samples, content(1, 0, 0, 0)))
                .containsExactly("block 1 holds write 0, but write 2 was acknowledged");
        assertThat(verifier.isThePrefixAt(150, samples, content(1, 2, 3, 0)))
                .containsExactly("block 2 holds write 3, which is behind position 150");
    }

    @Test
    void blockTellsItsWriteAndEveryFlippedBitShows() {
        byte[] content = BlockStamp.encode(7, 3, 12);
        assertThat(BlockStamp.decode(7, 3, ByteBuffer.wrap(content)))
                .isEqualTo(new BlockStamp.Version(12));

        for (int bit = 0; bit < BlockStamp.SIZE * 8; bit += 13) {
            content[bit / 8] ^= (byte) (1 << bit % 8);
            assertThat(BlockStamp.decode(7, 3, ByteBuffer.wrap(content)))
                    .isInstanceOf(BlockStamp.Damaged.class);
            content[bit / 8] ^= (byte) (1 << bit % 8);
        }
    }

    @Test
    void contentOfAnotherBlockOrRunIsDamage() {
        var content = ByteBuffer.wrap(BlockStamp.encode(7, 3, 12));

        assertThat(BlockStamp.decode(7, 2, content))
                .isEqualTo(new BlockStamp.Damaged("is the content of block 3"));
        assertThat(BlockStamp.decode(8, 3, content))
                .isEqualTo(new BlockStamp.Damaged("written by another run"));
        assertThat(BlockStamp.decode(7, 3, ByteBuffer.allocate(BlockStamp.SIZE)))
                .isEqualTo(new BlockStamp.Version(0));
    }

    private void acknowledged(int... blocks) {
        for (int block : blocks) {
            history.acknowledge(history.issue(block));
        }
    }

    private static ContentSnapshot content(long... sequences) {
        return new ContentSnapshot(sequences, List.of());
    }
}
