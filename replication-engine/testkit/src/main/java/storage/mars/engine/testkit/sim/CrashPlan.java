// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.sim;

import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.disk.Fate;
import storage.mars.engine.testkit.schedule.Life;

/**
 * At which of its points a machine crashes during one run: the first number counts completed disk
 * operations and delivered messages from {@link #arm} on, each further one from the next start.
 */
public final class CrashPlan {

    private static final long DOWN_NANOS = 10_000_000;

    private final List<Integer> points;
    private final CrashKind kind;
    private final Fate fate;
    private @Nullable SimMachine machine;
    private int crashes;
    private int passed;
    private boolean ended;

    CrashPlan(List<Integer> points, CrashKind kind, Fate fate) {
        this.points = List.copyOf(points);
        this.kind = kind;
        this.fate = fate;
    }

    /**
     * Begins to count the points of {@code armed}, which runs; after each crash it starts again.
     */
    public void arm(SimMachine armed) {
        machine = armed;
        watch(armed.life());
    }

    /** The story itself has started the machine again: its points are counted on. */
    public void goOn() {
        SimMachine armed = machine;
        if (armed != null && armed.isRunning()) {
            armed.life().onPoint(this::onPoint);
        }
    }

    /** No crash is planned from here on, and no point counted. */
    public void disarm() {
        ended = true;
    }

    /** Whether all planned crashes have come. */
    public boolean isDone() {
        return crashes == points.size();
    }

    int passed() {
        return passed;
    }

    private void watch(Life life) {
        passed = 0;
        life.onPoint(this::onPoint);
    }

    private void onPoint() {
        if (ended) {
            return;
        }
        passed++;
        if (crashes < points.size() && passed == points.get(crashes)) {
            crash();
        }
    }

    private void crash() {
        SimMachine armed = machine;
        if (armed == null) {
            return;
        }
        crashes++;
        armed.atCrash(ignored ->
                armed.world()
                        .after(
                                DOWN_NANOS,
                                "start " + armed.name(),
                                () -> {
                                    armed.start();
                                    watch(armed.life());
                                }));
        armed.crash(kind, fate);
    }

    @Override
    public String toString() {
        return kind + " crash (" + fate + " of what was open) at points " + points;
    }
}
