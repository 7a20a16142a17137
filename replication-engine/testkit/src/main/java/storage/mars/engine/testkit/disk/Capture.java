// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a sync under way has to make durable: the sectors that were dirty when it was called. */
final class Capture {

    /** Sectors of a page, with the content they had. */
    @SuppressWarnings("ArrayRecordComponent") // the array is never changed
    record Entry(Page page, int sectors, byte @Nullable [] content) {}

    final List<Entry> entries = new ArrayList<>();

    /** Clean pages of which no sync has said yet that they are durable. */
    final List<Page> lucky = new ArrayList<>();

    void add(Page page) {
        entries.add(new Entry(page, page.dirty, page.frozen()));
        page.dirty = 0;
    }

    int sectorsOf(Page page) {
        for (Entry entry : entries) {
            if (entry.page == page) {
                return entry.sectors;
            }
        }
        return 0;
    }

    /** These sectors have become durable with newer content by other means. */
    void forget(Page page, int sectors) {
        entries.replaceAll(entry ->
                entry.page == page
                        ? new Entry(page, entry.sectors & ~sectors, entry.content)
                        : entry);
    }
}
