// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.util.Iterator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Callback;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.Storage;

/**
 * The files of one log and their names: that of a segment is its start, that of a spare a number.
 * What has another name or size is somebody else's, and no part of the log. Remembers nothing.
 */
final class SegmentFiles {

    private static final String SPARE = "spare-";
    private static final Pattern SEGMENT_NAME = Pattern.compile("00(\\d{18})\\.log");
    private static final Pattern SPARE_NAME = Pattern.compile(SPARE + "(\\d{1,18})");

    private final Storage storage;
    private final String directory;
    private final SegmentLayout layout;

    /** What is there already; each file is open. */
    interface Found {

        void segment(long start, BlockFile file);

        void spare(long number, BlockFile file);
    }

    SegmentFiles(Storage storage, String directory, SegmentLayout layout) {
        this.storage = storage;
        this.directory = directory;
        this.layout = layout;
    }

    /** Opens every file that is there; nothing is changed on disk. */
    void open(Found found, Completion done) {
        storage.list(
                directory,
                (names, failure) -> {
                    if (failure != null) {
                        done.completed(failure);
                    } else if (names != null) {
                        openNext(names.iterator(), found, done);
                    }
                });
    }

    private void openNext(Iterator<String> names, Found found, Completion done) {
        String name = nextOwn(names);
        if (name == null) {
            done.completed(null);
            return;
        }
        storage.open(
                directory + "/" + name,
                Storage.Kind.LOG,
                (file, failure) -> {
                    if (file == null) {
                        done.completed(failure);
                        return;
                    }
                    tell(found, name, file);
                    openNext(names, found, done);
                });
    }

    private @Nullable String nextOwn(Iterator<String> names) {
        while (names.hasNext()) {
            String name = names.next();
            Matcher segment = SEGMENT_NAME.matcher(name);
            boolean own =
                    segment.matches()
                            ? layout.isHeader(Long.parseLong(segment.group(1)))
                            : SPARE_NAME.matcher(name).matches();
            if (own) {
                return name;
            }
        }
        return null;
    }

    private void tell(Found found, String name, BlockFile file) {
        Matcher segment = SEGMENT_NAME.matcher(name);
        Matcher spare = SPARE_NAME.matcher(name);
        if (file.size() != layout.segmentBytes()) {
            // Not of this log: a segment is created whole or not at all.
            file.close();
        } else if (segment.matches()) {
            found.segment(Long.parseLong(segment.group(1)), file);
        } else if (spare.matches()) {
            found.spare(Long.parseLong(spare.group(1)), file);
        }
    }

    void createSpare(long number, Callback<BlockFile> done) {
        storage.create(spare(number), Storage.Kind.LOG, layout.segmentBytes(), done);
    }

    void deleteSpare(long number, Completion done) {
        storage.delete(spare(number), done);
    }

    void deleteSegment(long start, Completion done) {
        storage.delete(segment(start), done);
    }

    /** A spare becomes the segment that begins at {@code start}. */
    void place(long number, long start, Completion done) {
        storage.rename(spare(number), segment(start), done);
    }

    /** A segment becomes a spare. */
    void displace(long start, long number, Completion done) {
        storage.rename(segment(start), spare(number), done);
    }

    private String spare(long number) {
        return directory + "/" + SPARE + number;
    }

    private String segment(long start) {
        StringBuilder digits = new StringBuilder(Long.toString(start));
        while (digits.length() < 20) {
            digits.insert(0, '0');
        }
        return directory + "/" + digits + ".log";
    }
}
