// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

/** One client connection's hold on an export. All methods run on the shard of the resource. */
public interface Attachment {

    /** What this client was told at attach time. */
    ExportInfo info();

    /**
     * Takes a request. Requests are admitted in the order of their submission over all attachments
     * of the resource. {@link BlockRequest#completed} may be called before this returns.
     */
    void submit(BlockRequest request);

    /** The protocol has refused a request of this client for its form, flags or range. */
    void refused();

    /**
     * The client has gone. Its requests that are not admitted yet, not even in part, take no effect
     * and are completed with {@link Outcome#CLOSED} before this returns; those that are admitted
     * complete as usual. Idempotent; nothing may be submitted afterwards.
     */
    void close();
}
