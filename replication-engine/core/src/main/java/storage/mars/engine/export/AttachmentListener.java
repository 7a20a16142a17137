// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

/** The protocol's side of an attachment; called on the shard. */
public interface AttachmentListener {

    /**
     * Asked before anything of this client is admitted after a pause, and before another client is
     * let in: looks at the connection itself, and calls {@link Attachment#close} when it has ended
     * without a farewell.
     */
    void checkAlive();

    /**
     * The export closes (role change, shutdown, deletion): end the connection once what was
     * answered is sent.
     */
    void exportClosing(String reason);
}
