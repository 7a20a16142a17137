// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import storage.mars.engine.testkit.schedule.SimRandom;

/** How much of what a crash leaves open (operations under way, unsynced sectors) has happened. */
public enum Fate {
    NOTHING(0),
    LITTLE(20),
    HALF(50),
    MUCH(80),
    EVERYTHING(100);

    private final int percent;

    Fate(int percent) {
        this.percent = percent;
    }

    /** Any of them. */
    public static Fate drawn(SimRandom random) {
        return values()[random.below(values().length)];
    }

    boolean happens(SimRandom random) {
        return percent == 100 || random.chance(percent, 100);
    }

    /** The fate of one operation under way: whole operations may be lucky or not. */
    Fate ofOne(SimRandom random) {
        if (percent == 0 || percent == 100) {
            return this;
        }
        return switch (random.below(3)) {
            case 0 -> NOTHING;
            case 1 -> EVERYTHING;
            default -> this;
        };
    }
}
