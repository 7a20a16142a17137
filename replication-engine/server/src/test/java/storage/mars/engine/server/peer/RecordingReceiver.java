// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.peer;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.port.Shard;

/** Keeps what happens on one link, and whether all of it happened on the shard. */
final class RecordingReceiver implements PeerLink.Receiver {

    final List<String> messages = new CopyOnWriteArrayList<>();
    final PeerLink link;
    final Shard shard;
    final AtomicInteger writableCalls = new AtomicInteger();
    volatile boolean offShard;
    volatile @Nullable String closed;

    RecordingReceiver(PeerLink link, Shard shard) {
        this.link = link;
        this.shard = shard;
    }

    @Override
    public void received(ByteBuffer message) {
        check();
        messages.add(StandardCharsets.UTF_8.decode(message).toString());
    }

    @Override
    public void writable() {
        check();
        writableCalls.incrementAndGet();
    }

    @Override
    public void closed(String reason) {
        check();
        closed = closed == null ? reason : "told twice";
    }

    private void check() {
        offShard |= !shard.isCurrent();
    }
}
