// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.Storage;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.disk.DiskObserver;

/**
 * Sees the event in which the metadata of a replica says durably that its images are a whole copy,
 * which they were not when it was watched or some time after, and crashes the machine there when
 * that is wanted.
 */
final class ConsistentMark implements DiskObserver {

    private final SimEngine engine;
    private @Nullable CrashKind crash;
    private boolean away;
    private boolean look;
    private boolean set;
    private boolean crashed;

    private ConsistentMark(SimEngine engine) {
        this.engine = engine;
    }

    static ConsistentMark watch(SimEngine engine) {
        ConsistentMark mark = new ConsistentMark(engine);
        engine.machine().disk().observe(mark);
        engine.machine()
                .world()
                .invariant(
                        "consistent mark of " + engine.machine().name(),
                        () -> {
                            mark.looked();
                            return true;
                        });
        return mark;
    }

    /** Has the machine crash when the mark is set. */
    void crashThen(CrashKind kind) {
        crash = kind;
    }

    boolean isSet() {
        return set;
    }

    boolean hasCrashed() {
        return crashed;
    }

    @Override
    public void durable(String name, Storage.Kind kind, long position, byte[] bytes) {
        look |= kind == Storage.Kind.METADATA;
    }

    private void looked() {
        if (!look || set) {
            return;
        }
        look = false;
        boolean now = engine.machine().isRunning() && engine.isConsistentOnDisk();
        set = now && away;
        away |= engine.machine().isRunning() && !now;
        CrashKind kind = crash;
        if (set && kind != null) {
            crashed = true;
            engine.machine().crash(kind);
        }
    }
}
