// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.channel.Channel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All connections of a server, and how many there may be: silent ones that have chosen no export
 * give way to new ones, so that they cannot lock others out (CVE-2024-7409). Callable from any
 * thread; never on the data path.
 */
final class ConnectionTable {

    private final NbdLimits.Clients limits;
    private final Set<Channel> handshaking = new LinkedHashSet<>();
    private final Set<Channel> transmitting = new LinkedHashSet<>();
    private final Map<String, Integer> perAddress = new HashMap<>();
    private Runnable emptied = () -> {};
    private boolean stopping;

    ConnectionTable(NbdLimits.Clients limits) {
        this.limits = limits;
    }

    /** Takes in a new connection; false when it is one too many. */
    boolean admit(Channel channel) {
        String address = Channels.addressOf(channel);
        Channel evicted;
        synchronized (this) {
            int all = handshaking.size() + transmitting.size();
            boolean crowded = address != null && count(address) >= limits.perAddress();
            if (stopping || crowded || (all >= limits.total() && handshaking.isEmpty())) {
                return false;
            }
            boolean full = all >= limits.total() || handshaking.size() >= limits.handshaking();
            evicted = full ? handshaking.iterator().next() : null;
            handshaking.remove(evicted);
            handshaking.add(channel);
            if (address != null) {
                perAddress.merge(address, 1, Integer::sum);
            }
        }
        channel.closeFuture().addListener(closed -> remove(channel, address));
        if (evicted != null) {
            Channels.close(evicted);
        }
        return true;
    }

    /** The connection has chosen its export; false when the server stops. */
    synchronized boolean transmits(Channel channel) {
        if (stopping) {
            return false;
        }
        handshaking.remove(channel);
        transmitting.add(channel);
        return true;
    }

    synchronized boolean stopping() {
        return stopping;
    }

    /** Lets nobody in any more; {@code whenEmpty} runs as soon as no connection transmits. */
    void stop(Runnable whenEmpty) {
        boolean empty;
        synchronized (this) {
            stopping = true;
            emptied = whenEmpty;
            empty = transmitting.isEmpty();
        }
        if (empty) {
            whenEmpty.run();
        }
    }

    synchronized int size() {
        return handshaking.size() + transmitting.size();
    }

    synchronized List<Channel> all() {
        List<Channel> channels = new ArrayList<>(transmitting);
        channels.addAll(handshaking);
        return channels;
    }

    private int count(String address) {
        return perAddress.getOrDefault(address, 0);
    }

    private void remove(Channel channel, @Nullable String address) {
        Runnable tell = () -> {};
        synchronized (this) {
            handshaking.remove(channel);
            boolean last = transmitting.remove(channel) && transmitting.isEmpty();
            if (address != null) {
                perAddress.computeIfPresent(address, (key, n) -> n == 1 ? null : n - 1);
            }
            if (last && stopping) {
                tell = emptied;
            }
        }
        tell.run();
    }
}
