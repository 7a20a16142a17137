// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.harness;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The command line of one engine. {@code advertisedPeerPort} 0: what it listens on. */
public record EngineSettings(
        String name,
        Path home,
        Path dataDir,
        int nbdPort,
        int peerPort,
        int advertisedPeerPort,
        int controlPort,
        int httpPort) {
    private static final String LOOPBACK = "127.0.0.1:";

    /** An engine that keeps everything below {@code home} and listens on free loopback ports. */
    public static EngineSettings in(Path home, String name) throws IOException {
        Path own = home.resolve(name);
        return new EngineSettings(
                name,
                own,
                own.resolve("data"),
                Ports.free(),
                Ports.free(),
                0,
                Ports.free(),
                Ports.free());
    }

    public EngineSettings advertising(int port) {
        return new EngineSettings(
                name, home, dataDir, nbdPort, peerPort, port, controlPort, httpPort);
    }

    public EngineSettings withDataDir(Path directory) {
        return new EngineSettings(
                name,
                home,
                directory,
                nbdPort,
                peerPort,
                advertisedPeerPort,
                controlPort,
                httpPort);
    }

    public Path socket() {
        return home.resolve("nbd.sock");
    }

    public String control() {
        return LOOPBACK + controlPort;
    }

    /** Where other engines reach this one. */
    public String peer() {
        return LOOPBACK + (advertisedPeerPort == 0 ? peerPort : advertisedPeerPort);
    }

    /** Runs an engine of these settings, and of more arguments, to its end. */
    public Command command(Path program, String... more) {
        var words = new ArrayList<Object>();
        words.add(program);
        words.addAll(arguments());
        words.addAll(List.of(more));
        return Command.of(words.toArray());
    }

    List<String> arguments() {
        var words = new ArrayList<String>();
        words.addAll(List.of("--name", name, "--data-dir", dataDir.toString()));
        words.addAll(List.of("--nbd", "unix:" + socket(), "--nbd", LOOPBACK + nbdPort));
        words.addAll(List.of("--peer", LOOPBACK + peerPort));
        if (advertisedPeerPort != 0) {
            words.addAll(List.of("--advertise", peer()));
        }
        words.addAll(List.of("--control", control(), "--http", LOOPBACK + httpPort));
        return List.copyOf(words);
    }
}
