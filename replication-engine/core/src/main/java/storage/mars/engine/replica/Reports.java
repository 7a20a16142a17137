// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.IoFailure;

/**
 * What the parts of a replica report, passed on to whoever runs them now; to nobody before somebody
 * does and after the last has ended. Owned by the shard.
 */
final class Reports implements ReplicaParts.Owner {

    private ReplicaParts.@Nullable Owner owner;

    void to(ReplicaParts.@Nullable Owner next) {
        owner = next;
    }

    @Override
    public long needed() {
        ReplicaParts.Owner to = owner;
        return to == null ? 0 : to.needed();
    }

    @Override
    public void beforeWrite() {
        ReplicaParts.Owner to = owner;
        if (to != null) {
            to.beforeWrite();
        }
    }

    @Override
    public void durable(long from, long position) {
        ReplicaParts.Owner to = owner;
        if (to != null) {
            to.durable(from, position);
        }
    }

    @Override
    public void logFailed(IoFailure failure) {
        ReplicaParts.Owner to = owner;
        if (to != null) {
            to.logFailed(failure);
        }
    }

    @Override
    public void fed() {
        ReplicaParts.Owner to = owner;
        if (to != null) {
            to.fed();
        }
    }

    @Override
    public void logDamaged(String reason) {
        ReplicaParts.Owner to = owner;
        if (to != null) {
            to.logDamaged(reason);
        }
    }

    @Override
    public void wroteBack() {
        ReplicaParts.Owner to = owner;
        if (to != null) {
            to.wroteBack();
        }
    }

    @Override
    public void checkpointed() {
        ReplicaParts.Owner to = owner;
        if (to != null) {
            to.checkpointed();
        }
    }

    @Override
    public void metadataFailed(IoFailure failure) {
        ReplicaParts.Owner to = owner;
        if (to != null) {
            to.metadataFailed(failure);
        }
    }
}
