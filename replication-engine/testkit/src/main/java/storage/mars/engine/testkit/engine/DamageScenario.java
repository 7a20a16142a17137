// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static storage.mars.engine.testkit.engine.SimCluster.MILLISECOND;
import static storage.mars.engine.testkit.engine.SimCluster.SECOND;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import storage.mars.engine.port.Storage;
import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.disk.SimDisk;
import storage.mars.engine.testkit.disk.View;
import storage.mars.engine.testkit.oracle.CellPattern;
import storage.mars.engine.testkit.oracle.LogOrder;
import storage.mars.engine.testkit.oracle.WriteHistory;
import storage.mars.engine.testkit.schedule.SimFailure;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.Workload;
import storage.mars.engine.testkit.workload.WorkloadSettings;

/**
 * Something on the disk of a stopped engine is damaged: log, metadata or image of one resource.
 * What is known to have been durable is never cut silently: the resource says what is wrong and
 * changes nothing on disk, while another resource of the same engine serves; with the damage undone
 * everything is there again (promises 4, 14 and 15).
 */
public final class DamageScenario implements Scenario {

    private static final long VOLUME = 1L << 20;
    private static final long BUDGET = 32L << 20;

    @Override
    public String name() {
        return "damage";
    }

    /** What was done, and what a restart may make of it. */
    private record Damage(String what, boolean corrupt, long mustHold) {}

    @Override
    public void run(SimWorld world) {
        SimRandom random = world.random("story");
        WorkloadSettings settings =
                WorkloadSettings.mixed().withThinkNanos(random.between(2, 20) * MILLISECOND);
        SimCluster cluster = new SimCluster(world, 1, VOLUME, settings);
        SimEngine engine = cluster.primary();
        cluster.begin(BUDGET);
        engine.createAlso("s", VOLUME, BUDGET);
        Workload other =
                new Workload(
                        world,
                        new WriteHistory(new CellPattern(~world.seed())),
                        0,
                        WorkloadSettings.mixed()
                                .withClients(1)
                                .withMaxLength(16 << 10)
                                .withThinkNanos(40 * MILLISECOND),
                        () -> engine.writable("s"));
        cluster.workload.start();
        other.start();
        long rounds = random.between(1, 4);
        for (int round = 0; round < rounds; round++) {
            cluster.work(random.between(20, 300));
            if (!damageAndRepair(cluster, other, random)) {
                return;
            }
        }
        cluster.finish();
        other.stop();
        other.check();
    }

    /** False when the damage was one that nothing can prove: the end of the log is gone. */
    private static boolean damageAndRepair(SimCluster cluster, Workload other, SimRandom random) {
        SimWorld world = cluster.world;
        SimEngine engine = cluster.primary();
        SimDisk disk = engine.machine().disk();
        cluster.workload.stop();
        cluster.await("all is answered", cluster.workload::isIdle, 20 * SECOND);
        long checkpoint = engine.known().positions().checkpoint();
        long durable = engine.known().positions().durable();
        engine.machine().crash(CrashKind.drawn(random));
        world.runFor(MILLISECOND);
        Map<String, byte[]> before = files(disk);
        Damage damage = damage(cluster, disk, checkpoint, durable, random);
        Map<String, byte[]> damaged = files(disk);
        LogOrder log = cluster.logOrder();
        engine.machine().start();
        long progress = other.completed() + 3;
        cluster.await("the other one serves", () -> other.completed() >= progress, 60 * SECOND);
        cluster.await("it has opened", () -> isSettled(engine), 60 * SECOND);
        String state = engine.stateAndReason().getFirst();
        if (damage.corrupt != state.equals("Corrupt")) {
            throw new SimFailure("after " + damage + " it is " + engine.status());
        }
        if (damage.corrupt) {
            if (engine.stateAndReason().getLast().isEmpty()) {
                throw new SimFailure("no reason for " + engine.status());
            }
            requireSame(damaged, files(disk), damage);
        } else if (damage.mustHold < durable) {
            cluster.requirePrimaryHoldsPartsOf(log, damage.mustHold);
            return false;
        } else {
            cluster.requirePrimaryHolds(durable);
        }
        if (damage.corrupt) {
            engine.machine().crash(CrashKind.PROCESS);
            world.runFor(MILLISECOND);
            before.forEach((path, bytes) -> restore(disk, path, bytes));
            engine.machine().start();
        }
        cluster.await("it serves again", () -> engine.isIn("Serving"), 60 * SECOND);
        if (damage.corrupt) {
            cluster.requirePrimaryHolds(durable);
        }
        cluster.workload.start();
        return true;
    }

    private static boolean isSettled(SimEngine engine) {
        return engine.isIn("Serving") || engine.isIn("Corrupt") || engine.isIn("Failed");
    }

    private static Map<String, byte[]> files(SimDisk disk) {
        Map<String, byte[]> files = new TreeMap<>();
        for (String name : disk.names()) {
            if (name.startsWith("resources/r/")) {
                files.put(name, disk.read(name, View.CURRENT, 0, (int) disk.size(name)));
            }
        }
        return files;
    }

    private static void restore(SimDisk disk, String path, byte[] bytes) {
        boolean same =
                disk.names().contains(path)
                        && disk.size(path) == bytes.length
                        && Arrays.equals(bytes, disk.read(path, View.CURRENT, 0, bytes.length));
        if (!same) {
            disk.replace(path, kind(path), bytes);
        }
    }

    private static Storage.Kind kind(String path) {
        if (path.endsWith(".img")) {
            return Storage.Kind.IMAGE;
        }
        return path.endsWith("meta") ? Storage.Kind.METADATA : Storage.Kind.LOG;
    }

    private static void requireSame(
            Map<String, byte[]> before, Map<String, byte[]> after, Damage damage) {
        boolean same = before.keySet().equals(after.keySet());
        for (Map.Entry<String, byte[]> entry : before.entrySet()) {
            same = same && Arrays.equals(entry.getValue(), after.get(entry.getKey()));
        }
        if (!same) {
            throw new SimFailure("something was changed on disk after " + damage);
        }
    }

    private static Damage damage(
            SimCluster cluster, SimDisk disk, long checkpoint, long durable, SimRandom random) {
        String image = SimEngine.image();
        String meta = "resources/r/meta";
        int slot = (int) disk.size(meta) / 2;
        return switch (random.below(9)) {
            case 0 -> {
                disk.truncate(image, random.below(disk.size(image)));
                yield new Damage("image cut", true, 0);
            }
            case 1 -> {
                disk.remove(image);
                yield new Damage("image lost", true, 0);
            }
            case 2 -> {
                disk.flipBit(image, (VOLUME + random.below(28)) * 8 + random.below(8));
                yield new Damage("label of the image", true, 0);
            }
            case 3 -> {
                disk.flipBit(meta, random.below(slot * 8L));
                disk.flipBit(meta, slot * 8L + random.below(slot * 8L));
                yield new Damage("both slots of the metadata", true, 0);
            }
            case 4 -> {
                long which = random.below(2);
                disk.flipBit(meta, which * slot * 8L + random.below(slot * 8L));
                yield new Damage("slot " + which + " of the metadata", false, durable);
            }
            case 5 -> {
                disk.remove(meta);
                yield new Damage("metadata lost", true, 0);
            }
            default -> logDamage(cluster, disk, checkpoint, durable, random);
        };
    }

    private static Damage logDamage(
            SimCluster cluster, SimDisk disk, long checkpoint, long durable, SimRandom random) {
        List<LogObserver.Frame> all = cluster.frames();
        List<LogObserver.Frame> frames =
                all.stream()
                        .filter(f -> f.position() >= checkpoint && f.position() < durable)
                        .toList();
        if (frames.isEmpty()) {
            return new Damage("nothing", false, durable);
        }
        LogObserver.Frame hit = frames.get(random.below(frames.size()));
        long start = hit.position() - hit.position() % SimEngine.SEGMENT;
        String path = LogObserver.path(start);
        if (!disk.names().contains(path)) {
            return new Damage("nothing", false, durable);
        }
        boolean proof = all.stream().anyMatch(f -> f.durableAtSeal() > hit.position());
        long mustHold = proof ? durable : hit.position();
        long bit = (hit.position() - start + random.below(hit.stored())) * 8 + random.below(8);
        disk.flipBit(path, bit);
        return new Damage("frame " + hit, proof, mustHold);
    }
}
