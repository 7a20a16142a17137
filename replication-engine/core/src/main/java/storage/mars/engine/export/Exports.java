// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.Shard;

/** The exports of an engine, as a protocol server sees them. Callable from any thread. */
public interface Exports {

    /** Names that can be attached now, sorted. */
    List<Listed> list();

    /** The export of that name ("RESOURCE/VOLUME"), or null when there is none now. */
    @Nullable Target find(String name);

    /** A line of {@link #list}. */
    record Listed(String name, String description) {}

    /**
     * An export before anybody is attached to it. Callable from any thread unless said otherwise.
     */
    interface Target {

        /** The shard on which every attachment to it is used. */
        Shard shard();

        /** What an attachment would be told now. */
        ExportInfo info();

        String description();

        /**
         * Lets a client in, on the shard: first every other client of the export is checked (see
         * {@link AttachmentListener#checkAlive}), so that nothing of a dead one takes effect
         * afterwards.
         */
        Attached attach(String client, AttachmentListener listener);
    }

    /** Outcome of {@link Target#attach}. */
    sealed interface Attached {

        record Accepted(Attachment attachment) implements Attached {}

        /** {@code reason} is a line for the operator. */
        record Refused(String reason) implements Attached {}
    }
}
