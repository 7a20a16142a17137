// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.workload;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.Attachment;
import storage.mars.engine.export.AttachmentListener;
import storage.mars.engine.export.BlockRequest;
import storage.mars.engine.export.Exports;
import storage.mars.engine.export.Outcome;
import storage.mars.engine.testkit.oracle.Write;
import storage.mars.engine.testkit.schedule.SimFailure;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimMachine;

/** One client: attaches, asks, goes with or without a farewell, and comes again. */
final class SimClient {

    private static final long RETRY_NANOS = 20_000_000;

    private final Workload workload;
    private final int number;
    private final SimRandom random;
    private final RequestMix mix;
    private final List<ClientRequest> underWay = new ArrayList<>();
    private final ArrayDeque<ByteBuffer> rooms = new ArrayDeque<>();
    private @Nullable Connection connection;
    private boolean closing;
    private boolean planned;

    SimClient(Workload workload, int number) {
        this.workload = workload;
        this.number = number;
        random = workload.world.random("client " + number);
        mix = new RequestMix(workload.settings, random);
    }

    /** A hold on the export, as long as it lasts. */
    private final class Connection implements AttachmentListener {
        private final SimMachine machine;
        private final Exports.Target target;
        private @Nullable Attachment attachment;
        private boolean dead;

        Connection(Workload.Served served) {
            machine = served.machine();
            target = served.target();
        }

        @Override
        public void checkAlive() {
            if (dead) {
                end(this);
            }
        }

        @Override
        public void exportClosing(String reason) {
            end(this);
        }
    }

    int inFlight() {
        return underWay.size();
    }

    /** Does the next thing some time later. */
    void think() {
        plan(1 + random.below(workload.settings.thinkNanos()));
    }

    private void plan(long delay) {
        if (!planned) {
            planned = true;
            workload.world.after(delay, "client", this::act);
        }
    }

    private void act() {
        planned = false;
        if (!workload.isRunning()) {
            return;
        }
        Connection present = connection;
        if (present == null) {
            connect();
        } else {
            present.target.shard().execute(() -> ask(present));
            think();
        }
    }

    private void connect() {
        Workload.Served served = workload.find();
        if (served == null) {
            plan(RETRY_NANOS);
            return;
        }
        Connection next = new Connection(served);
        connection = next;
        next.target.shard().execute(() -> attach(next));
    }

    private void attach(Connection next) {
        switch (next.target.attach("client " + number, next)) {
            case Exports.Attached.Accepted(Attachment attachment) -> {
                next.attachment = attachment;
                think();
            }
            case Exports.Attached.Refused(String reason) -> {
                connection = null;
                plan(RETRY_NANOS);
            }
        }
    }

    private void ask(Connection present) {
        Attachment attachment = present.attachment;
        if (attachment == null || present.dead || !workload.isRunning()) {
            return;
        }
        if (underWay.size() < workload.settings.inFlight()) {
            submit(attachment, present.machine);
        }
        if (random.chance(workload.settings.lastPerMillion(), 1_000_000)) {
            leave(present);
        }
    }

    /** Ends its connection with a farewell, if it has one. */
    void leave() {
        Connection present = connection;
        if (present != null) {
            present.target.shard().execute(() -> end(present));
        }
    }

    private void leave(Connection present) {
        if (random.chance(1, 2)) {
            end(present);
        } else {
            present.dead = true;
            connection = null;
            plan(RETRY_NANOS);
        }
    }

    private void end(Connection ending) {
        Attachment attachment = ending.attachment;
        ending.attachment = null;
        ending.dead = true;
        if (attachment != null) {
            closing = true;
            attachment.close();
            closing = false;
        }
        if (ending.equals(connection)) {
            connection = null;
            plan(RETRY_NANOS);
        }
    }

    private void submit(Attachment attachment, SimMachine machine) {
        ByteBuffer room = rooms.isEmpty() ? newRoom() : rooms.remove();
        ClientRequest request = new ClientRequest(this, machine, room);
        mix.fill(request, attachment.info().sizeBytes());
        request.started = workload.history.readStarted();
        switch (request.op) {
            case WRITE -> {
                Write write =
                        workload.history.submitWrite(
                                number, workload.volume, request.offset, request.length);
                request.write = write;
                ByteBuffer payload = request.payload((int) request.length);
                workload.history
                        .pattern()
                        .fill(workload.volume, request.offset, write.version(), payload);
                payload.flip();
            }
            case TRIM, ZERO ->
                    request.write =
                            workload.history.submitZero(
                                    number, workload.volume, request.offset, request.length);
            case READ -> request.payload((int) request.length);
            case BLOCK_STATUS -> request.askForExtents();
            case FLUSH, CACHE -> {}
        }
        underWay.add(request);
        attachment.submit(request);
    }

    private ByteBuffer newRoom() {
        return ByteBuffer.allocateDirect(workload.settings.maxLength());
    }

    /** The engine has answered. */
    void completed(ClientRequest request, Outcome outcome) {
        if (!underWay.remove(request)) {
            throw new SimFailure("an answer to a request that is not under way");
        }
        rooms.add(request.room());
        workload.history.readOver(request.started);
        switch (outcome) {
            case OK -> {
                workload.succeeded();
                succeeded(request);
            }
            case READ_ONLY, BEYOND_END, INVALID -> {
                workload.hasFailed();
                rejected(request);
            }
            case FAILED -> {
                workload.hasFailed();
                over(request);
            }
            case CLOSED -> {
                if (closing) {
                    rejected(request);
                } else {
                    over(request);
                }
            }
        }
    }

    private void succeeded(ClientRequest request) {
        Write write = request.write;
        if (write != null) {
            boolean durable = workload.settings.ackIsDurable() || request.forceUnitAccess;
            workload.history.acked(write, durable);
        } else if (request.op == BlockRequest.Op.FLUSH) {
            workload.history.flushed(request.started);
        } else if (request.op == BlockRequest.Op.READ) {
            judge(request);
        } else if (request.extents != null) {
            new HoleCheck(workload).judge(request, request.extents);
        }
    }

    private void judge(ClientRequest request) {
        ByteBuffer data = request.data;
        if (data == null || data.hasRemaining()) {
            throw new SimFailure("a read has not been filled");
        }
        byte[] bytes = new byte[(int) request.length];
        data.get(0, bytes);
        workload.judge.read(workload.volume, request.offset, bytes, request.started);
    }

    private void rejected(ClientRequest request) {
        if (request.write != null) {
            workload.history.rejected(request.write);
        }
    }

    private void over(ClientRequest request) {
        if (request.write != null) {
            workload.history.over(request.write);
        }
    }

    /** The engine is no more; what was under way there is known to nobody. */
    void engineCrashed(SimMachine machine) {
        for (ClientRequest request : List.copyOf(underWay)) {
            if (request.machine().equals(machine)) {
                underWay.remove(request);
                workload.history.readOver(request.started);
                over(request);
                rooms.add(request.room());
            }
        }
        if (connection != null && connection.machine.equals(machine)) {
            connection = null;
            plan(RETRY_NANOS);
        }
    }
}
