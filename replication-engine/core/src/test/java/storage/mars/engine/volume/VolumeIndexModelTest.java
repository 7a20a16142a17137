// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;

class VolumeIndexModelTest {

    private static final int SEEDS = 16;
    private static final int STEPS = 1_500;

    @Test
    void indexTellsTheNewestContentAndNeverMoreThanTheImageHasIsApplied() {
        long replayed = Long.getLong("mars.sim.seed", -1);
        for (long seed = 0; seed < SEEDS; seed++) {
            run(replayed >= 0 ? replayed : seed);
        }
    }

    private static void run(long seed) {
        int step = 0;
        try {
            RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
            var model = new IndexModel(random);
            for (; step < STEPS; step++) {
                model.step();
                model.check();
            }
            model.drain();
        } catch (AssertionError | RuntimeException failure) {
            throw new AssertionError("-Dmars.sim.seed=" + seed + ", step " + step, failure);
        }
    }
}
