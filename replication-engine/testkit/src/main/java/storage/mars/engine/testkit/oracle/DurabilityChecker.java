// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.oracle;

/**
 * Whether what is there after a crash and recovery holds every write that was promised to survive,
 * or a later one, and nothing that had been overwritten for good. Before it is asked, the history
 * must know of the crash: {@link WriteHistory#allOver}, and {@link WriteHistory#powerCut} where the
 * power has failed.
 */
public final class DurabilityChecker {

    private static final int STEP = 1 << 16;

    private final WriteHistory history;
    private final LinearizabilityChecker judge;

    public DurabilityChecker(WriteHistory history) {
        this.history = history;
        judge = new LinearizabilityChecker(history);
    }

    /** Judges a whole volume. */
    public void check(int volume, long size, Content content) {
        long now = history.tick();
        for (long offset = 0; offset < size; offset += STEP) {
            int length = (int) Math.min(STEP, size - offset);
            judge.examine(volume, offset, content.read(volume, offset, length), now, now, false);
        }
    }
}
