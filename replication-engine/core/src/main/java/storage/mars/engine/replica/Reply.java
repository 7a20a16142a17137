// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

/** Who asked for a change; exactly one of the two is called, once, on the shard. */
public interface Reply<T> {

    void done(T result);

    void refused(Refusal refusal);
}
