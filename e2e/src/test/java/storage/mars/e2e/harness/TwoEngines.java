// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.harness;

import java.io.IOException;
import java.nio.file.Path;

/** Two engines whose links to each other pass through relays that can be cut. */
public final class TwoEngines implements AutoCloseable {
    private final EngineProcess a;
    private final EngineProcess b;
    private final TcpCut toA;
    private final TcpCut toB;

    private TwoEngines(EngineProcess a, EngineProcess b, TcpCut toA, TcpCut toB) {
        this.a = a;
        this.b = b;
        this.toA = toA;
        this.toB = toB;
    }

    public static TwoEngines start(Path directory) throws IOException {
        EngineProcess.program();
        EngineSettings first = EngineSettings.in(directory, "a");
        EngineSettings second = EngineSettings.in(directory, "b");
        TcpCut toA = TcpCut.before(first.peerPort());
        TcpCut toB = TcpCut.before(second.peerPort());
        EngineProcess a = EngineProcess.start(first.advertising(toA.port()));
        EngineProcess b = EngineProcess.start(second.advertising(toB.port()));
        return new TwoEngines(a, b, toA, toB);
    }

    public EngineProcess a() {
        return a;
    }

    public EngineProcess b() {
        return b;
    }

    /** A resource with one volume {@code data}: primary on {@code a}, caught up on {@code b}. */
    public void replicate(String resource, String size) {
        a.marsadm().createResource(resource, "data:" + size);
        join(resource, b, a);
    }

    /** Makes one engine a member of what the other holds and waits until it has all of it. */
    public void join(String resource, EngineProcess member, EngineProcess from) {
        member.marsadm().joinResource(resource, from.settings().peer());
        member.marsadm().waitFor(resource, "caught-up");
    }

    public void cutLinks() throws IOException {
        toA.cut();
        toB.cut();
    }

    public void stallLinks() {
        toA.stall();
        toB.stall();
    }

    public void healLinks() {
        toA.heal();
        toB.heal();
    }

    /** Bytes that the two have said to each other. */
    public long relayedBytes() {
        return toA.relayedBytes() + toB.relayedBytes();
    }

    @Override
    public void close() throws IOException {
        a.close();
        b.close();
        toA.close();
        toB.close();
    }
}
