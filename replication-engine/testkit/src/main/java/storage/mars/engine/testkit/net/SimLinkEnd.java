// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.net;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.PeerAcceptor;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.testkit.schedule.Event;
import storage.mars.engine.testkit.schedule.Life;
import storage.mars.engine.testkit.schedule.Scheduler;
import storage.mars.engine.testkit.schedule.SimFailure;
import storage.mars.engine.testkit.schedule.SimShard;

/** One end of a link, in the hands of one machine. */
final class SimLinkEnd implements PeerLink {

    private static final int MARGIN = 24;

    final String machine;
    final Life life;
    private final SimNetwork network;
    private final Scheduler scheduler;
    private final @Nullable PeerAcceptor acceptor;
    private @Nullable SimShard shard;
    private @Nullable Receiver receiver;
    private @Nullable SimLinkEnd other;
    private @Nullable Direction out;
    private boolean over;
    private boolean full;

    /** The end of the machine that dials; its receiver follows. */
    SimLinkEnd(SimNetwork network, String machine, SimShard shard) {
        this.network = network;
        this.machine = machine;
        this.shard = shard;
        life = shard.life();
        acceptor = null;
        scheduler = network.scheduler;
    }

    /** The end of the machine that is dialled; its first message finds its shard. */
    SimLinkEnd(SimNetwork network, String machine, Life life, PeerAcceptor acceptor) {
        this.network = network;
        this.machine = machine;
        this.life = life;
        this.acceptor = acceptor;
        scheduler = network.scheduler;
    }

    void connect(SimLinkEnd otherEnd) {
        other = otherEnd;
        out = new Direction(network, this, otherEnd);
    }

    void receiver(Receiver owner) {
        receiver = owner;
    }

    SimLinkEnd other() {
        return Objects.requireNonNull(other);
    }

    Direction out() {
        return Objects.requireNonNull(out);
    }

    boolean over() {
        return over;
    }

    /** Has an event happen at this end: on its shard once it has one. */
    Event happen(long delay, String what, long detail, Runnable task) {
        return shard == null
                ? scheduler.inLife(life, delay, what, detail, task)
                : scheduler.onShard(shard, delay, what, detail, task);
    }

    private void onShard(String call) {
        scheduler.requireOn(Objects.requireNonNull(shard), call);
    }

    @Override
    public void send(ByteBuffer message) {
        onShard("send");
        byte[] bytes = new byte[message.remaining()];
        message.get(message.position(), bytes);
        if (over) {
            return;
        }
        if (bytes.length == 0) {
            throw new SimFailure("empty message sent by " + machine);
        }
        out().send(bytes);
        full |= !isWritable();
    }

    @Override
    public boolean isWritable() {
        return out().waitingBytes() < network.settings().writableBytes();
    }

    /** The queue has become shorter. */
    void drained() {
        if (full && !over && out().waitingBytes() < network.settings().writableBytes() / 2) {
            full = false;
            happen(0, "link writable", 0, this::writable);
        }
    }

    private void writable() {
        if (!over && receiver != null) {
            receiver.writable();
        }
    }

    @Override
    public void close() {
        onShard("close");
        if (!over) {
            network.closing(this);
            over = true;
            happen(0, "link closed", 0, () -> tell("closed here"));
        }
    }

    @Override
    public String remote() {
        return other().machine;
    }

    /** A message has arrived; runs as an event of this end. */
    void arrived(byte[] bytes) {
        if (over) {
            network.refused(other());
            return;
        }
        life.point();
        if (receiver == null) {
            first(bytes);
        } else {
            give(receiver, bytes);
        }
    }

    private static void give(Receiver receiver, byte[] bytes) {
        byte[] room = new byte[MARGIN + bytes.length + MARGIN];
        System.arraycopy(bytes, 0, room, MARGIN, bytes.length);
        receiver.received(ByteBuffer.wrap(room, MARGIN, bytes.length).asReadOnlyBuffer());
        Arrays.fill(room, (byte) 0xDB);
    }

    private void first(byte[] bytes) {
        PeerAcceptor asked = Objects.requireNonNull(acceptor);
        ByteBuffer message = ByteBuffer.wrap(bytes).asReadOnlyBuffer();
        @Nullable SimShard[] answer = new @Nullable SimShard[1];
        scheduler.offShard(() -> answer[0] = (SimShard) asked.shardFor(message));
        SimShard found = answer[0];
        if (message.position() != 0 || message.limit() != bytes.length) {
            throw new SimFailure("shardFor has consumed the first message");
        }
        if (found == null) {
            network.closing(this);
            over = true;
            network.forget(this);
            return;
        }
        shard = found;
        other().out().pause();
        happen(0, "link accepted", 0, () -> accept(asked, bytes));
    }

    private void accept(PeerAcceptor asked, byte[] bytes) {
        Receiver taken = asked.accepted(this);
        receiver = taken;
        if (over) {
            return;
        }
        give(taken, bytes);
        other().out().resume();
    }

    /** The link ends at this end, for whatever reason; runs as an event of it. */
    void ended(String reason) {
        if (!over) {
            over = true;
            out().finish();
            tell(reason);
        }
    }

    /** The machine has crashed: nobody here is told. */
    void dropped() {
        over = true;
        out().finish();
        network.forget(this);
    }

    private void tell(String reason) {
        network.forget(this);
        if (receiver != null) {
            receiver.closed(reason);
        }
    }
}
