// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ImageTurnsTest {

    private final ImageTurns turns = new ImageTurns();
    private final List<String> begun = new ArrayList<>();

    @Test
    void theFirstBeginsAtOnceAndTheOthersWaitInTheirOrder() {
        turns.take(() -> begun.add("a"));
        turns.take(() -> begun.add("b"));
        turns.take(() -> begun.add("c"));
        assertThat(begun).containsExactly("a");

        turns.giveBack();
        assertThat(begun).containsExactly("a", "b");

        turns.giveBack();
        assertThat(begun).containsExactly("a", "b", "c");
    }

    @Test
    void aTurnThatWasGivenBackIsFreeForWhoeverComes() {
        turns.take(() -> begun.add("a"));
        turns.giveBack();

        turns.take(() -> begun.add("b"));

        assertThat(begun).containsExactly("a", "b");
    }

    @Test
    void whoEndsWithinItsTurnAndAsksAgainComesBehindWhoeverWaits() {
        turns.take(() -> begun.add("first"));
        turns.take(() -> {
            begun.add("short");
            turns.giveBack();
            turns.take(() -> begun.add("again"));
        });
        turns.take(() -> begun.add("waited"));

        turns.giveBack();
        assertThat(begun).containsExactly("first", "short", "waited");

        turns.giveBack();
        assertThat(begun).containsExactly("first", "short", "waited", "again");
    }

    @Test
    void anyNumberOfTurnsMayEndAtOnce() {
        int many = 1_000_000;
        int[] ended = {0};
        turns.take(() -> {});
        for (int i = 0; i < many; i++) {
            turns.take(() -> {
                ended[0]++;
                turns.giveBack();
            });
        }

        turns.giveBack();

        assertThat(ended[0]).isEqualTo(many);
    }
}
