// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.util.ArrayDeque;

/** The reusable transfers of one shard; as many as were ever under way at once. Shard only. */
final class TransferPool {

    private final ArrayDeque<Transfer> free = new ArrayDeque<>(64);
    private final HandBack home;

    TransferPool(HandBack home) {
        this.home = home;
    }

    Transfer acquire() {
        Transfer transfer = free.pollLast();
        return transfer == null ? new Transfer(this, home) : transfer;
    }

    void release(Transfer transfer) {
        free.addLast(transfer);
    }
}
