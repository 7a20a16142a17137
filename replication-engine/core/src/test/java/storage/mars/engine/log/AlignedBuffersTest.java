// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AlignedBuffersTest {

    private final AlignedBuffers buffers = new AlignedBuffers(8);
    private final List<ByteBuffer> singles = new ArrayList<>();
    private final List<List<ByteBuffer>> staged = new ArrayList<>();

    @Test
    void buffersAreAlignedAndWhole() {
        buffers.acquire(singles::add);

        assertThat(singles.getFirst().alignmentOffset(0, Blocks.SIZE)).isZero();
        assertThat(singles.getFirst().remaining()).isEqualTo(LogFormat.MAX_FRAME);
    }

    @Test
    void whoFindsNoneWaitsInTurn() {
        for (int i = 0; i < 10; i++) {
            buffers.acquire(singles::add);
        }
        assertThat(singles).hasSize(8);

        buffers.release(singles.getFirst());

        assertThat(singles).hasSize(9);
        assertThat(singles.get(8)).isSameAs(singles.getFirst());
    }

    @Test
    void stagingIsGivenAtOnceOrNotAtAll() {
        buffers.acquireStaging(4, staged::add);
        buffers.acquireStaging(4, staged::add);
        buffers.acquireStaging(1, staged::add);
        assertThat(staged).hasSize(1);

        buffers.releaseStaging(staged.getFirst());

        assertThat(staged).extracting(List::size).containsExactly(4, 4, 1);
    }

    @Test
    void whoHoldsStagingAlwaysGetsASingleOne() {
        buffers.acquireStaging(buffers.maxStaging(), staged::add);
        buffers.acquireStaging(buffers.maxStaging(), staged::add);

        buffers.acquire(singles::add);
        buffers.acquire(singles::add);
        buffers.acquire(singles::add);

        assertThat(singles).hasSize(2);
        buffers.release(singles.get(0));
        assertThat(singles).hasSize(3);
    }

    @Test
    void singleUsersDoNotStarveStaging() {
        for (int i = 0; i < 8; i++) {
            buffers.acquire(singles::add);
        }
        buffers.acquireStaging(4, staged::add);

        for (int i = 0; i < 4; i++) {
            buffers.acquire(singles::add);
            buffers.release(singles.get(i));
        }

        assertThat(staged).hasSize(1);
    }

    @Test
    void aUserMayReleaseAtOnce() {
        List<Integer> turns = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            buffers.acquire(singles::add);
        }
        for (int i = 0; i < 1000; i++) {
            int turn = i;
            buffers.acquire(buffer -> {
                turns.add(turn);
                buffers.release(buffer);
            });
        }

        buffers.release(singles.getFirst());

        assertThat(turns).hasSize(1000).isSorted();
    }
}
