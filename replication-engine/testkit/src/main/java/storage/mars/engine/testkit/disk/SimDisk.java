// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.Storage;
import storage.mars.engine.testkit.schedule.Scheduler;
import storage.mars.engine.testkit.schedule.SimFailure;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.schedule.SimShard;

/**
 * The disk of one machine, which outlives its engines; engines see it through {@link SimStorage},
 * whose Javadoc states the fault model. The methods here are for crashes, checks and damage done on
 * purpose; they take effect at once and never draw from the random streams of the run unless they
 * crash it.
 */
public final class SimDisk {

    final TreeMap<String, SimFile> files = new TreeMap<>();
    final TreeSet<String> directories = new TreeSet<>();
    final SimRandom random;

    private final Scheduler scheduler;
    private final String name;
    private final DiskFaults faults;
    private final List<DiskOperation> underWay = new ArrayList<>();
    private final List<DiskOperation> held = new ArrayList<>();
    private final List<DiskObserver> observers = new ArrayList<>();

    public SimDisk(Scheduler scheduler, String name) {
        this.scheduler = scheduler;
        this.name = name;
        random = scheduler.random("disk " + name);
        faults = new DiskFaults(random.fork("faults"));
    }

    /** The plan of what goes wrong. */
    public DiskFaults faults() {
        return faults;
    }

    /** The disk as an engine on {@code shard} sees it. */
    public Storage storageFor(SimShard shard) {
        return new SimStorage(this, shard);
    }

    /** Lets {@code observer} look on from now on. */
    public void observe(DiskObserver observer) {
        observers.add(observer);
    }

    /** Stops or resumes the completion of operations. */
    public void stall(boolean on) {
        faults.stall(on);
        if (!on) {
            List.copyOf(held).forEach(operation -> start(operation, 0, 0));
            held.clear();
        }
    }

    /** Bytes that can still be allocated. */
    public long usableBytes() {
        long used = 0;
        for (SimFile file : files.values()) {
            used += file.allocatedBytes();
        }
        return Math.max(0, faults.capacity() - used);
    }

    boolean fits(long bytes) {
        return faults.capacity() == Long.MAX_VALUE || bytes <= usableBytes();
    }

    void submit(DiskOperation operation, long bytes, long detail) {
        scheduler.requireOn(operation.shard, operation.op + " " + operation.name());
        operation.place = underWay.size();
        underWay.add(operation);
        if (faults.stalled()) {
            held.add(operation);
        } else {
            start(operation, faults.delay(bytes, operation.name()), detail);
        }
    }

    private void start(DiskOperation operation, long delay, long detail) {
        scheduler.onShard(
                operation.shard, delay, operation.op.what(), detail, () -> complete(operation));
    }

    private void complete(DiskOperation operation) {
        DiskOperation last = underWay.removeLast();
        if (operation.place < underWay.size()) {
            underWay.set(operation.place, last);
            last.place = operation.place;
        }
        operation.shard.life().point();
        operation.perform(faults.decide(operation.op, operation.name()));
    }

    void writing(SimFile file, long position, ByteBuffer bytes) {
        for (DiskObserver observer : observers) {
            observer.writing(file.name, file.kind, position, bytes.duplicate());
        }
    }

    SimFile newFile(String path, Storage.Kind kind, long size) {
        return new SimFile(path, kind, size, random, this::durable);
    }

    private void durable(SimFile file, Page page) {
        if (!observers.isEmpty()) {
            byte[] bytes = page.media == null ? new byte[Page.BYTES] : page.media.clone();
            for (DiskObserver observer : observers) {
                observer.durable(file.name, file.kind, page.index * Page.BYTES, bytes);
            }
        }
    }

    /**
     * The machine crashes: what is under way and what is not synced ends as {@code fate} has it.
     */
    public void crash(CrashKind kind, Fate fate) {
        while (!underWay.isEmpty()) {
            int drawn = random.below(underWay.size());
            DiskOperation operation = underWay.get(drawn);
            underWay.set(drawn, underWay.getLast());
            underWay.removeLast();
            operation.interrupted(fate.ofOne(random));
        }
        held.clear();
        faults.stall(false);
        for (SimFile file : files.values()) {
            switch (kind) {
                case PROCESS -> file.processCrash(fate);
                case POWER -> file.powerCut(fate);
            }
        }
    }

    /** A crash whose fate the seed decides. */
    public void crash(CrashKind kind) {
        crash(kind, Fate.drawn(random));
    }

    /** Names of all files, sorted. */
    public List<String> names() {
        return List.copyOf(files.keySet());
    }

    /** Kind with which a file was created. */
    public Storage.Kind kind(String path) {
        return file(path).kind;
    }

    /** Size of a file in bytes. */
    public long size(String path) {
        return file(path).size;
    }

    /** Bytes of a file as the view shows them. */
    public byte[] read(String path, View view, long position, int length) {
        SimFile file = file(path);
        if (position < 0 || position + length > file.size) {
            throw new IllegalArgumentException(path + " has no " + length + " at " + position);
        }
        byte[] bytes = new byte[length];
        file.read(view, position, ByteBuffer.wrap(bytes), 0, length);
        return bytes;
    }

    /** Turns one bit round, on the media. */
    public void flipBit(String path, long bit) {
        byte[] bytes = read(path, View.CURRENT, bit / 8, 1);
        bytes[0] ^= (byte) (1 << bit % 8);
        overwrite(path, bit / 8, bytes);
    }

    /** Puts other bytes onto the media. */
    public void overwrite(String path, long position, byte[] bytes) {
        file(path).overwrite(position, bytes);
    }

    /** Cuts a file, or grows it with zeros. */
    public void truncate(String path, long size) {
        file(path).truncate(size);
    }

    /** Loses a file. */
    public void remove(String path) {
        file(path);
        files.remove(path);
    }

    /** Puts a durable file of that content where there may be one already. */
    public void replace(String path, Storage.Kind kind, byte[] content) {
        SimFile file = newFile(path, kind, content.length);
        file.overwrite(0, content);
        files.put(path, file);
    }

    private SimFile file(String path) {
        return Objects.requireNonNull(find(path), () -> name + " has no file " + path);
    }

    @Nullable SimFile find(String path) {
        return files.get(path);
    }

    /** Fails the run: the engine has broken the contract of its storage. */
    SimFailure broken(String what) {
        return new SimFailure("storage contract of " + name + " broken: " + what);
    }
}
