// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The pages of a sparse file; what was never written costs nothing. */
final class PageTable {

    private static final int CHUNK = 512;

    private @Nullable Page[] @Nullable [] chunks = new @Nullable Page[1] @Nullable [];

    @Nullable Page find(long index) {
        int chunk = Math.toIntExact(index / CHUNK);
        if (chunk >= chunks.length) {
            return null;
        }
        @Nullable Page[] pages = chunks[chunk];
        return pages == null ? null : pages[(int) (index % CHUNK)];
    }

    Page get(long index) {
        int chunk = Math.toIntExact(index / CHUNK);
        if (chunk >= chunks.length) {
            chunks = Arrays.copyOf(chunks, Math.max(chunk + 1, chunks.length * 2));
        }
        @Nullable Page[] pages = chunks[chunk];
        if (pages == null) {
            pages = new @Nullable Page[CHUNK];
            chunks[chunk] = pages;
        }
        Page page = pages[(int) (index % CHUNK)];
        if (page == null) {
            page = new Page(index);
            pages[(int) (index % CHUNK)] = page;
        }
        return page;
    }

    /** Gives every page that exists from {@code first} to before {@code end} to {@code visitor}. */
    void each(long first, long end, Consumer<Page> visitor) {
        for (long chunk = first / CHUNK; chunk < chunks.length && chunk * CHUNK < end; chunk++) {
            @Nullable Page[] pages = chunks[(int) chunk];
            if (pages == null) {
                continue;
            }
            for (Page page : pages) {
                if (page != null && page.index >= first && page.index < end) {
                    visitor.accept(page);
                }
            }
        }
    }

    /** The first page at or after {@code index} that holds data, or {@code end}. */
    long nextData(long index, long end) {
        long at = index;
        while (at < end) {
            int chunk = (int) Math.min(at / CHUNK, Integer.MAX_VALUE);
            if (chunk >= chunks.length) {
                return end;
            }
            if (chunks[chunk] == null) {
                at = (at / CHUNK + 1) * CHUNK;
                continue;
            }
            Page page = find(at);
            if (page != null && page.current != null) {
                return at;
            }
            at++;
        }
        return end;
    }
}
