// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.workload;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.BlockRequest;
import storage.mars.engine.export.Extents;
import storage.mars.engine.export.Outcome;
import storage.mars.engine.testkit.oracle.Write;
import storage.mars.engine.testkit.schedule.SimFailure;
import storage.mars.engine.testkit.sim.SimMachine;

/**
 * A request of a {@link SimClient}; its payload is spoilt as soon as the engine has no right to it.
 */
public final class ClientRequest extends BlockRequest {

    private final SimClient client;
    private final SimMachine machine;
    private final ByteBuffer room;
    private boolean taken;
    private boolean ended;

    /** What the history knows of it, if it writes. */
    @Nullable Write write;

    /** When it was asked for, in ticks of the history. */
    long started;

    ClientRequest(SimClient client, SimMachine machine, ByteBuffer room) {
        this.client = client;
        this.machine = machine;
        this.room = room;
    }

    ByteBuffer room() {
        return room;
    }

    /** Whose engine was asked. */
    SimMachine machine() {
        return machine;
    }

    /** Makes {@link #data} ready for {@code size} bytes. */
    ByteBuffer payload(int size) {
        ByteBuffer payload = room.duplicate().clear().limit(size);
        data = payload;
        return payload;
    }

    void askForExtents() {
        extents = new Extents(64);
    }

    @Override
    protected void payloadTaken() {
        if (taken || ended) {
            throw new SimFailure("payload taken twice or after the end");
        }
        taken = true;
        spoil();
    }

    private void spoil() {
        for (int i = 0; i < room.capacity(); i += 64) {
            room.put(i, (byte) 0xAA);
        }
    }

    @Override
    public void completed(Outcome outcome) {
        if (ended) {
            throw new SimFailure("request completed twice");
        }
        ended = true;
        client.completed(this, outcome);
        if (op == Op.WRITE) {
            spoil();
        }
    }
}
