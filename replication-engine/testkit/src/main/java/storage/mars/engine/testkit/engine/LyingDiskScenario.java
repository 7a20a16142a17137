// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import java.util.LinkedHashMap;
import java.util.Map;
import storage.mars.engine.port.Storage;
import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.disk.SimDisk;
import storage.mars.engine.testkit.disk.View;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimWorld;

/**
 * The primary's disk goes back to an earlier state, as one does that lies about syncs or was
 * restored from a copy, while a member has received more, and perhaps starts at the same time:
 * nothing is served and no epoch begins until somebody decides for one side (promises 4, 7 and 11).
 */
public final class LyingDiskScenario implements Scenario {

    private static final long SECOND = 1_000_000_000L;

    @Override
    public String name() {
        return "durable-loss";
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Copy(Storage.Kind kind, byte[] bytes) {}

    @Override
    public void run(SimWorld world) {
        SimRandom random = world.random("story");
        RoleCluster cluster = new RoleCluster(world, "a", "b");
        cluster.laws().allowForce();
        cluster.laws().allowDamage();
        cluster.born();
        SimEngine a = cluster.engine("a");
        SimEngine b = cluster.engine("b");
        new LoneWriter(world, a).write(10);
        cluster.untilCaughtUp();
        Map<String, Copy> before = copy(a.machine().disk());
        long kept = a.known().positions().durable();
        new LoneWriter(world, a).write(10);
        cluster.untilCaughtUp();
        long received = b.known().positions().durable();
        long term = b.known().highestTerm();
        a.machine().crash(CrashKind.POWER);
        boolean both = random.chance(1, 2);
        if (both) {
            b.machine().crash(CrashKind.POWER);
        }
        world.runFor(SECOND / 10);
        restore(a.machine().disk(), before);
        if (both) {
            startSlowly(b, random.between(1, 8) * SECOND / 10);
        }
        a.machine().start();
        cluster.until("a knows what it has lost", () -> a.isIn("DurableLoss"), 60);
        cluster.until("b is there", () -> b.isReady() && b.isIn("Secondary"), 60);
        b.machine().disk().faults().slowFiles(name -> false, 0);
        world.runFor(random.between(1, 20) * SECOND);
        cluster.require(
                "nothing is served and nothing begun",
                a.isIn("DurableLoss")
                        && a.writable() == null
                        && a.known().positions().durable() == kept
                        && b.isIn("Secondary")
                        && b.known().positions().durable() == received);

        SimEngine winner = random.chance(1, 2) ? a : b;
        long incarnation = winner.known().incarnation();
        cluster.force(winner, term);
        ReplicaChange.requirePromoted(cluster, winner, term, incarnation);
        if (winner == b) {
            cluster.untilCaughtUp();
            cluster.requireSameImages();
            cluster.require("nothing is lost", b.known().history().last().start() == received);
        } else {
            cluster.until("b keeps what it has as a branch", () -> b.isIn("Diverged"), 60);
            cluster.require(
                    "the branch is whole",
                    b.known().positions().durable() == received
                            && a.known().history().last().start() == kept);
        }
    }

    /** It says hello long before it has read its log. */
    private static void startSlowly(SimEngine engine, long nanos) {
        engine.machine().disk().faults().slowFiles(name -> name.contains("/log/"), nanos);
        engine.machine().start();
    }

    private static Map<String, Copy> copy(SimDisk disk) {
        Map<String, Copy> copies = new LinkedHashMap<>();
        for (String name : disk.names()) {
            byte[] bytes = disk.read(name, View.CURRENT, 0, (int) disk.size(name));
            copies.put(name, new Copy(disk.kind(name), bytes));
        }
        return copies;
    }

    private static void restore(SimDisk disk, Map<String, Copy> copies) {
        for (String name : disk.names()) {
            if (!copies.containsKey(name)) {
                disk.remove(name);
            }
        }
        copies.forEach((name, copy) -> disk.replace(name, copy.kind(), copy.bytes()));
    }
}
