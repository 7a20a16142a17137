// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.fake;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Callback;
import storage.mars.engine.port.Clock;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Ports;
import storage.mars.engine.port.Shard;
import storage.mars.engine.port.Storage;

/**
 * All ports of one shard in memory. Nothing happens outside of {@link #run}, which does tasks and
 * I/O in the order in which they were asked for, except for the operations that the test holds back
 * or fails. Buffers are looked at when an operation is done, as a device would.
 */
public final class FakePorts implements Shard, Clock, Storage {

    public enum Kind {
        LIST,
        CREATE,
        OPEN,
        RENAME,
        DELETE,
        READ,
        WRITE,
        LOG_WRITE,
        ZERO,
        EXTENT,
        SYNC,
        WORK
    }

    /** An operation that was asked for. */
    public record Op(Kind kind, String file, long position, long length, Effect effect) {

        interface Effect {
            void done(@Nullable IoFailure failure);
        }
    }

    private record Fault(Predicate<Op> which, IoFailure.Kind kind) {}

    private record Waiting(long at, Runnable task) {}

    private static final long SHORT_NANOS = 20_000_000L;

    private final Map<String, FakeFile> files = new TreeMap<>();
    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private final List<Waiting> timers = new ArrayList<>();
    private final List<Op> pending = new ArrayList<>();
    private final List<Op> done = new ArrayList<>();
    private final List<Fault> faults = new ArrayList<>();
    private Predicate<Op> held = op -> false;
    private boolean inside;
    private long now;

    public Ports ports() {
        return new Ports(
                this,
                this,
                () -> 42,
                this,
                (address, dialer) -> dialer.failed("none"),
                this::offload);
    }

    // What the test decides

    /**
     * Does all that can be done; a wait of some milliseconds is over when nothing else is to do.
     */
    public void run() {
        for (boolean busy = true; busy; ) {
            Runnable task = tasks.poll();
            if (task != null) {
                task.run();
                continue;
            }
            Op next = pending.stream().filter(held.negate()).findFirst().orElse(null);
            if (next != null) {
                complete(next);
            } else {
                busy = pass(SHORT_NANOS);
            }
        }
    }

    /** Whether a timer is due within {@code nanos}; its task is the next then. */
    private boolean pass(long nanos) {
        Waiting first =
                timers.stream()
                        .filter(timer -> timer.at - now <= nanos)
                        .min(Comparator.comparingLong(Waiting::at))
                        .orElse(null);
        if (first != null) {
            timers.remove(first);
            tasks.add(first.task);
        }
        return first != null;
    }

    /** Operations that {@code which} holds for wait until something else is held. */
    public void hold(Predicate<Op> which) {
        held = which;
    }

    public void holdNothing() {
        held = op -> false;
        run();
    }

    /** From now on operations end inside of the call that asks for them. */
    public void completeInsideOfCalls() {
        inside = true;
    }

    /** The next operation that {@code which} holds for fails and changes nothing. */
    public void failNext(Predicate<Op> which, IoFailure.Kind kind) {
        faults.add(new Fault(which, kind));
    }

    public static Predicate<Op> every(Kind kind) {
        return op -> op.kind == kind;
    }

    public static Predicate<Op> every(Kind kind, String file) {
        return op -> op.kind == kind && op.file.contains(file);
    }

    public List<Op> pending(Kind kind) {
        return pending.stream().filter(every(kind)).toList();
    }

    public List<Op> done(Kind kind) {
        return done.stream().filter(every(kind)).toList();
    }

    public void advance(long nanos) {
        now += nanos;
        List<Waiting> due = timers.stream().filter(timer -> timer.at <= now).toList();
        timers.removeAll(due);
        due.stream().sorted(Comparator.comparingLong(Waiting::at)).forEach(t -> tasks.add(t.task));
        run();
    }

    public void forgetDone() {
        done.clear();
    }

    public FakeFile file(String name) {
        FakeFile file = files.get(name);
        if (file == null) {
            throw new IllegalArgumentException(name + " is not among " + files.keySet());
        }
        return file;
    }

    /** The file is gone, as damage has it. */
    public void lose(String name) {
        files.remove(name);
    }

    public List<String> names() {
        return List.copyOf(files.keySet());
    }

    public FakeFile put(String name, int size) {
        FakeFile file = new FakeFile(this, name, new byte[size]);
        files.put(name, file);
        return file;
    }

    /** What a new process finds: all that was written. */
    public FakePorts afterProcessCrash() {
        FakePorts next = new FakePorts();
        files.forEach((name, file) -> next.files.put(name, file.copy(next, name, file.data)));
        return next;
    }

    /** What the machine finds after a power cut: all that was synced, nothing else. */
    public FakePorts afterPowerLoss() {
        FakePorts next = new FakePorts();
        files.forEach((name, file) -> next.files.put(name, file.copy(next, name, file.synced)));
        return next;
    }

    void ask(Kind kind, String file, long position, long length, Op.Effect effect) {
        Op op = new Op(kind, file, position, length, effect);
        pending.add(op);
        if (inside && !held.test(op)) {
            complete(op);
        }
    }

    private void complete(Op op) {
        pending.remove(op);
        done.add(op);
        Fault fault = faults.stream().filter(f -> f.which.test(op)).findFirst().orElse(null);
        faults.remove(fault);
        op.effect.done(fault == null ? null : new IoFailure(fault.kind, "as the test wants"));
    }

    // Shard and clock

    @Override
    public void execute(Runnable task) {
        tasks.add(task);
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        Waiting timer = new Waiting(now + delayNanos, task);
        timers.add(timer);
        return () -> timers.remove(timer);
    }

    @Override
    public boolean isCurrent() {
        return true;
    }

    @Override
    public long nanoTime() {
        return now;
    }

    @Override
    public long wallMicros() {
        return 1_700_000_000_000_000L + now / 1000;
    }

    private void offload(Runnable work, Completion done) {
        ask(
                Kind.WORK,
                "",
                0,
                0,
                failure -> {
                    if (failure == null) {
                        work.run();
                    }
                    done.completed(failure);
                });
    }

    // Storage

    @Override
    public void list(String directory, Callback<List<String>> callback) {
        ask(Kind.LIST, directory, 0, 0, failure -> callback.completed(entries(directory), null));
    }

    private List<String> entries(String directory) {
        return files.keySet().stream()
                .filter(name -> name.startsWith(directory + "/"))
                .map(name -> name.substring(directory.length() + 1).split("/", 2)[0])
                .distinct()
                .toList();
    }

    @Override
    public void createDirectory(String directory, Completion completion) {
        ask(Kind.CREATE, directory, 0, 0, completion::completed);
    }

    @Override
    public void create(String name, Storage.Kind kind, long size, Callback<BlockFile> callback) {
        ask(
                Kind.CREATE,
                name,
                0,
                size,
                failure ->
                        callback.completed(
                                failure == null ? put(name, (int) size) : null, failure));
    }

    @Override
    public void open(String name, Storage.Kind kind, Callback<BlockFile> callback) {
        ask(
                Kind.OPEN,
                name,
                0,
                0,
                failure -> {
                    FakeFile file =
                            files.computeIfPresent(
                                    name, (n, last) -> last.isClosed() ? last.again() : last);
                    boolean found = failure == null && file != null;
                    callback.completed(
                            found ? file : null,
                            found ? null : new IoFailure(IoFailure.Kind.NOT_FOUND, name));
                });
    }

    @Override
    public void rename(String from, String to, Completion completion) {
        ask(
                Kind.RENAME,
                from,
                0,
                0,
                failure -> {
                    FakeFile file = failure == null ? files.remove(from) : null;
                    if (file != null) {
                        file.name = to;
                        files.put(to, file);
                    }
                    completion.completed(failure);
                });
    }

    @Override
    public void delete(String name, Completion completion) {
        ask(
                Kind.DELETE,
                name,
                0,
                0,
                failure -> {
                    files.remove(name);
                    completion.completed(failure);
                });
    }

    @Override
    public long usableBytes() {
        return Long.MAX_VALUE;
    }
}
