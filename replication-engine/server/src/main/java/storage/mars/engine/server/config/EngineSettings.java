// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.config;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Everything that is decided when an engine starts. Whoever holds one knows that it is consistent;
 * what is wrong with a value is said with the option that gave it.
 *
 * @param advertise where other engines reach this one; differs from {@code peer} behind a wildcard
 *     or a translated address
 * @param logMemory bytes for the logs of all resources together
 * @param shards event loops that own resources
 * @param ioThreads threads that read and write images side by side
 * @param tuning what operators leave alone
 */
public record EngineSettings(
        String name,
        Path dataDirectory,
        NbdSettings nbd,
        HostPort peer,
        HostPort advertise,
        HostPort control,
        HostPort http,
        long logMemory,
        int shards,
        PeerWait peerWait,
        int ioThreads,
        Tuning tuning) {

    public static final long DEFAULT_LOG_MEMORY = 96L << 20;
    public static final int DEFAULT_SHARDS = 1;
    public static final int DEFAULT_IO_THREADS = 3;

    private static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?");
    private static final long LEAST_LOG_MEMORY = 16L << 20;
    private static final long MOST_LOG_MEMORY = 64L << 30;
    private static final int MOST_THREADS = 64;

    public EngineSettings {
        require(
                NAME.matcher(name).matches(),
                "--name '"
                        + name
                        + "': 1 to 63 lower-case letters, digits, '-' and '.', with a letter or"
                        + " digit at both ends");
        dataDirectory = dataDirectory.toAbsolutePath().normalize();
        require(
                !isWildcard(advertise),
                "--peer "
                        + peer
                        + " is no address that others can dial: add --advertise HOST:PORT");
        require(
                logMemory >= LEAST_LOG_MEMORY && logMemory <= MOST_LOG_MEMORY,
                "--log-memory "
                        + Quantities.words(logMemory)
                        + ": not within "
                        + Quantities.words(LEAST_LOG_MEMORY)
                        + " and "
                        + Quantities.words(MOST_LOG_MEMORY));
        requireThreads("--shards", shards);
        requireThreads("--io-threads", ioThreads);
        requireDistinct(listeners(nbd.addresses(), peer, control, http));
    }

    /** Every TCP address that the engine listens at, with the option that gave it. */
    public List<Listener> tcpListeners() {
        return listeners(nbd.addresses(), peer, control, http).stream()
                .filter(listener -> listener.tcp() != null)
                .toList();
    }

    private static List<Listener> listeners(
            List<NbdAddress> nbd, HostPort peer, HostPort control, HostPort http) {
        List<Listener> listeners = new ArrayList<>();
        for (NbdAddress address : nbd) {
            switch (address) {
                case NbdAddress.Unix unix ->
                        listeners.add(new Listener("--nbd", unix.toString(), null));
                case NbdAddress.Tcp tcp -> listeners.add(Listener.of("--nbd", tcp.address()));
            }
        }
        listeners.add(Listener.of("--peer", peer));
        listeners.add(Listener.of("--control", control));
        listeners.add(Listener.of("--http", http));
        return listeners;
    }

    private static void requireDistinct(List<Listener> listeners) {
        Map<String, String> options = new HashMap<>();
        for (Listener listener : listeners) {
            String earlier = options.putIfAbsent(listener.words(), listener.option());
            require(
                    earlier == null,
                    listener.words()
                            + " is given twice, by "
                            + earlier
                            + " and "
                            + listener.option()
                            + ": choose different ports");
        }
    }

    private static void requireThreads(String option, int number) {
        require(
                number >= 1 && number <= MOST_THREADS,
                option + " " + number + ": not within 1 and " + MOST_THREADS);
    }

    private static boolean isWildcard(HostPort address) {
        return address.host().equals("0.0.0.0") || address.host().matches("[0:]+");
    }

    private static void require(boolean fulfilled, String otherwise) {
        if (!fulfilled) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    /** One address that is listened at; {@code tcp} is null for a Unix socket. */
    public record Listener(String option, String words, @Nullable HostPort tcp) {

        private static Listener of(String option, HostPort address) {
            return new Listener(option, address.toString(), address);
        }
    }
}
