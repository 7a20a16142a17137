// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class IndexMemoryTest {

    private static final int ENTRIES = 12_000;
    private final IndexMemory memory = new IndexMemory(ENTRIES);

    /** Admits single zero ranges until there is no room. */
    private static int fill(VolumeIndex index) {
        int entries = index.zeroRanges();
        while (index.hasRoom(1)) {
            index.admitZero(0, entries * 2L, 1, entries);
            entries++;
        }
        return entries;
    }

    @Test
    void oneGetsMostOfItAndLeavesSomeToTheOthers() {
        VolumeIndex first = new VolumeIndex(memory);
        VolumeIndex second = new VolumeIndex(memory);

        assertThat(fill(first)).isEqualTo(ENTRIES * 3 / 4);
        assertThat(fill(second)).isEqualTo(ENTRIES * 3 / 16);
        assertThat(first.hasRoom(1)).isFalse();
        assertThat(memory.held()).isEqualTo(ENTRIES * 15 / 16);

        first.clear();

        assertThat(fill(second)).isEqualTo(ENTRIES * 3 / 4);
    }

    @Test
    void thoseThatFillItTogetherHaveEqualShares() {
        List<VolumeIndex> all = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            all.add(new VolumeIndex(memory));
        }

        for (int entry = 0; entry < ENTRIES; entry++) {
            for (VolumeIndex one : all) {
                if (one.hasRoom(1)) {
                    one.admitZero(0, entry * 2L, 1, entry);
                }
            }
        }

        assertThat(all).extracting(VolumeIndex::zeroRanges).allMatch(n -> n > ENTRIES / 12);
        assertThat(memory.held()).isLessThan(ENTRIES);
    }

    @Test
    void anEmptyIndexAlwaysHasRoomAndAFewEntriesToo() {
        for (int i = 0; i < 10; i++) {
            fill(new VolumeIndex(memory));
        }
        VolumeIndex late = new VolumeIndex(memory);

        assertThat(late.hasRoom(8192)).isTrue();
        assertThat(fill(late)).isEqualTo(128);
        assertThat(late.hasRoom(1)).isFalse();
    }
}
