// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.net;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.PeerAcceptor;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.port.PeerNetwork;
import storage.mars.engine.testkit.schedule.Life;
import storage.mars.engine.testkit.schedule.Scheduler;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.schedule.SimShard;

/**
 * All links between the machines of a world. <b>Fault model:</b> within one link messages are
 * whole, in order and at most once; each takes as long as the seed says, and what was sent from
 * some point on may be lost when the link ends. Both ends learn of an end, each in its own time;
 * until then what they send vanishes. A blocked path (of one way or both) holds messages back: when
 * it is free again in time they arrive late, else the link ends at the sender, and later at the
 * other end (half-open). A killed process ends its links as its kernel would; after a power cut the
 * others only hear silence. Links of one pair are independent: an old one may still deliver while a
 * new one exists, and dials may cross. Dials fail at random, are refused where nobody listens, and
 * take their time-out where nobody answers.
 */
public final class SimNetwork {

    private record Listener(String machine, Life life, PeerAcceptor acceptor) {}

    private record Path(String from, String to) {}

    final Scheduler scheduler;
    private final SimRandom random;
    private final Map<String, Listener> listeners = new TreeMap<>();
    private final Map<String, String> machineOfAddress = new TreeMap<>();
    private final Set<String> dark = new HashSet<>();
    private final Set<Path> blocked = new HashSet<>();
    private final Set<SimLinkEnd> ends = new LinkedHashSet<>();
    private NetworkSettings settings = NetworkSettings.local();

    public SimNetwork(Scheduler scheduler) {
        this.scheduler = scheduler;
        random = scheduler.random("network");
    }

    /** Changes how links behave from now on. */
    public void settings(NetworkSettings changed) {
        settings = changed;
    }

    public NetworkSettings settings() {
        return settings;
    }

    /** The network as an engine on {@code shard} of that machine sees it. */
    public PeerNetwork networkFor(String machine, SimShard shard) {
        dark.remove(machine);
        return (address, dialer) -> dial(machine, shard, address, dialer);
    }

    /** Whom dials to {@code address} reach, while {@code life} lasts. */
    public void listen(String address, String machine, Life life, PeerAcceptor acceptor) {
        machineOfAddress.put(address, machine);
        listeners.put(address, new Listener(machine, life, acceptor));
    }

    private void dial(String machine, SimShard shard, String address, PeerNetwork.Dialer dialer) {
        scheduler.requireOn(shard, "dial");
        String target = machineOfAddress.get(address);
        boolean silent = target != null && (cut(machine, target) || dark.contains(target));
        long delay = silent ? settings.dialTimeoutNanos() : latency() + latency();
        scheduler.onShard(shard, delay, "dial", 0, () -> dialled(machine, shard, address, dialer));
    }

    private boolean cut(String a, String b) {
        return isBlocked(a, b) || isBlocked(b, a);
    }

    private void dialled(
            String machine, SimShard shard, String address, PeerNetwork.Dialer dialer) {
        Listener listener = listeners.get(address);
        String failure = failureOf(machine, listener);
        if (failure != null || listener == null) {
            dialer.failed(address + ": " + failure);
            return;
        }
        SimLinkEnd near = new SimLinkEnd(this, machine, shard);
        SimLinkEnd far = new SimLinkEnd(this, listener.machine, listener.life, listener.acceptor);
        near.connect(far);
        far.connect(near);
        ends.add(near);
        ends.add(far);
        PeerLink.Receiver receiver = dialer.connected(near);
        near.receiver(receiver);
    }

    private @Nullable String failureOf(String machine, @Nullable Listener listener) {
        if (listener == null || listener.life.ended()) {
            return "connection refused";
        }
        if (cut(machine, listener.machine)) {
            return "connection timed out";
        }
        return random.chance(settings.dialFailuresPerMillion(), 1_000_000)
                ? "no route to host"
                : null;
    }

    long latency() {
        return random.between(settings.minLatencyNanos(), settings.maxLatencyNanos());
    }

    long lineNanos(int bytes) {
        long rate = settings.bytesPerSecond();
        return rate == 0 ? 0 : bytes * 1_000_000_000L / rate;
    }

    /** Blocks one way between two machines. */
    public void block(String from, String to) {
        blocked.add(new Path(from, to));
    }

    /** Blocks both ways between two machines. */
    public void partition(String a, String b) {
        block(a, b);
        block(b, a);
    }

    /** Frees both ways between two machines. */
    public void heal(String a, String b) {
        blocked.remove(new Path(a, b));
        blocked.remove(new Path(b, a));
        retryLater();
    }

    /** Frees every path. */
    public void healAll() {
        blocked.clear();
        retryLater();
    }

    private void retryLater() {
        for (SimLinkEnd end : ends) {
            scheduler.inWorld(random.below(1_000_000_000L), "resend", end.out()::retry);
        }
    }

    /** Whether packets from one machine to the other vanish. */
    public boolean isBlocked(String from, String to) {
        return !blocked.isEmpty() && blocked.contains(new Path(from, to));
    }

    /** How many links between the two machines exist for at least one of them. */
    public int links(String a, String b) {
        Set<SimLinkEnd> counted = new HashSet<>();
        for (SimLinkEnd end : between(a, b)) {
            if (!end.over() && !counted.contains(end.other())) {
                counted.add(end);
            }
        }
        return counted.size();
    }

    private List<SimLinkEnd> between(String a, String b) {
        List<SimLinkEnd> found = new ArrayList<>();
        for (SimLinkEnd end : ends) {
            String far = end.other().machine;
            boolean there = end.machine.equals(a) && far.equals(b);
            boolean back = end.machine.equals(b) && far.equals(a);
            if (there || back) {
                found.add(end);
            }
        }
        return found;
    }

    /**
     * Breaks every link between the two machines: tails are lost, each end learns of it in its
     * time.
     */
    public void breakLinks(String a, String b) {
        for (SimLinkEnd end : between(a, b)) {
            cutOff(end);
            endLater(end, settings.closeNoticeNanos(), "connection reset");
        }
    }

    private void cutOff(SimLinkEnd end) {
        end.out().loseTail(random);
        end.out().finish();
    }

    private void endLater(SimLinkEnd end, long within, String reason) {
        if (!end.over()) {
            end.happen(random.below(within + 1), "link end", 0, () -> end.ended(reason));
        }
    }

    /** An end closes in an orderly way, which now and then loses what it had just sent. */
    void closing(SimLinkEnd end) {
        if (random.chance(1, 4)) {
            end.out().loseTail(random);
        }
        end.out().send(null);
        end.out().finish();
    }

    /** Something was sent to an end that is over: the sender's kernel hears so. */
    void refused(SimLinkEnd sender) {
        if (!sender.over()) {
            endLater(sender, settings.closeNoticeNanos(), "connection reset");
        }
    }

    /** Nothing gets through for too long. */
    void silent(SimLinkEnd from, SimLinkEnd to) {
        cutOff(from);
        cutOff(to);
        endLater(from, 0, "connection timed out");
        endLater(to, 2 * settings.silenceNanos(), "connection timed out");
    }

    /** The link needs no more looking after once it is over at both ends. */
    void forget(SimLinkEnd end) {
        if (end.over() && end.other().over()) {
            ends.remove(end);
            ends.remove(end.other());
        }
    }

    /** A process has been killed: its kernel ends its links. */
    public void processDied(String machine) {
        for (SimLinkEnd end : endsOf(machine)) {
            closing(end);
            end.dropped();
        }
    }

    /** The power of a machine has failed: nobody is told. */
    public void powerFailed(String machine) {
        dark.add(machine);
        for (SimLinkEnd end : endsOf(machine)) {
            cutOff(end);
            end.dropped();
            endLater(end.other(), 2 * settings.silenceNanos(), "connection timed out");
        }
    }

    private List<SimLinkEnd> endsOf(String machine) {
        List<SimLinkEnd> found = new ArrayList<>();
        for (SimLinkEnd end : ends) {
            if (end.machine.equals(machine) && !end.over()) {
                found.add(end);
            }
        }
        listeners.values().removeIf(listener -> listener.machine.equals(machine));
        return found;
    }
}
