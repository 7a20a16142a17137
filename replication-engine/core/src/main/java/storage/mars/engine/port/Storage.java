// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.port;

import java.util.List;

/**
 * The data directory of one engine. Names are relative paths of parts that match {@code
 * [A-Za-z0-9._-]+}, separated by '/'. Called on the shard, completes on the shard. What creates,
 * renames or deletes is durable (file and directory synced) when it completes without failure, and
 * either done or not done after a crash.
 */
public interface Storage {

    /** How a file is used, which decides how it is opened and created. */
    enum Kind {
        /**
         * Log segment: bypasses the page cache where it can; created preallocated and pre-written
         * with zeros.
         */
        LOG,
        /** Volume image: through the page cache; created sparse. */
        IMAGE,
        /**
         * Small file of metadata: reads come from the device, not from a cache of unwritten bytes.
         */
        METADATA
    }

    /** Names of the entries of a directory, sorted; an absent directory is empty. */
    void list(String directory, Callback<List<String>> done);

    /** Creates a directory and its parents; one that exists is fine. */
    void createDirectory(String directory, Completion done);

    /**
     * Creates a file of that size that reads as zero. ALREADY_EXISTS and NO_SPACE leave nothing
     * behind.
     */
    void create(String name, Kind kind, long size, Callback<BlockFile> done);

    /** Opens an existing file for reading and writing. */
    void open(String name, Kind kind, Callback<BlockFile> done);

    /** Renames over an existing target. An open {@link BlockFile} goes on meaning the same file. */
    void rename(String from, String to, Completion done);

    /** Deletes a file, or an empty directory; NOT_FOUND when it was not there. */
    void delete(String name, Completion done);

    /** Bytes that could still be allocated here; a hint for status and reserves, not a promise. */
    long usableBytes();
}
