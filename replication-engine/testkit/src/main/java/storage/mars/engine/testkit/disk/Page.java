// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Eight sectors of a file: what reads return, and what is on the media. Arrays are shared between
 * the two and with syncs under way until one of them changes; null is all zero.
 */
final class Page {

    static final int BYTES = 4096;
    static final int SECTOR = 512;
    static final int ALL = 0xFF;

    final long index;
    byte @Nullable [] current;
    byte @Nullable [] media;

    /** Bit per sector that was written after the last sync had been called. */
    int dirty;

    /** Whether the file's list of dirty pages has this one. */
    boolean listed;

    /** Whether {@link #current} is referred to by nothing else. */
    private boolean owned;

    Page(long index) {
        this.index = index;
    }

    /** The array of {@link #current}, to be changed. */
    byte[] writable() {
        byte[] bytes = current;
        if (bytes == null) {
            bytes = new byte[BYTES];
        } else if (!owned) {
            bytes = bytes.clone();
        }
        current = bytes;
        owned = true;
        return bytes;
    }

    /** {@link #current} as it is now, to be kept by somebody else too. */
    byte @Nullable [] frozen() {
        owned = false;
        return current;
    }

    /** Whether nothing was written since {@code content} was frozen. */
    @SuppressWarnings("ReferenceEquality") // a frozen array is replaced, never changed
    boolean isClean(byte @Nullable [] content) {
        return dirty == 0 && current == content;
    }

    /** Puts these sectors of {@code content} onto the media. */
    void persist(int sectors, byte @Nullable [] content) {
        if (sectors == ALL) {
            media = content;
            return;
        }
        if (sectors == 0) {
            return;
        }
        byte[] bytes = media == null ? new byte[BYTES] : media.clone();
        for (int sector = 0; sector < 8; sector++) {
            if ((sectors & (1 << sector)) != 0) {
                copySector(content, bytes, sector);
            }
        }
        media = bytes;
    }

    /** Puts these sectors of {@link #current} onto the media. */
    void persist(int sectors) {
        persist(sectors, sectors == ALL ? frozen() : current);
    }

    /** Makes reads return what is on the media, in these sectors. */
    void evict(int sectors) {
        if (sectors == ALL) {
            current = media;
            owned = false;
        } else if (sectors != 0) {
            byte[] bytes = writable();
            for (int sector = 0; sector < 8; sector++) {
                if ((sectors & (1 << sector)) != 0) {
                    copySector(media, bytes, sector);
                }
            }
        }
    }

    /** What is on the media, with these sectors of {@link #current}. */
    byte @Nullable [] onDevice(int sectors) {
        Page seen = new Page(index);
        seen.media = media;
        seen.persist(sectors, current);
        return seen.media;
    }

    /** Makes these sectors read as zero. */
    void clear(int sectors) {
        if (sectors == ALL) {
            current = null;
            owned = false;
        } else {
            byte[] bytes = writable();
            for (int sector = 0; sector < 8; sector++) {
                if ((sectors & (1 << sector)) != 0) {
                    copySector(null, bytes, sector);
                }
            }
        }
    }

    private static void copySector(byte @Nullable [] from, byte[] to, int sector) {
        int start = sector * SECTOR;
        if (from == null) {
            Arrays.fill(to, start, start + SECTOR, (byte) 0);
        } else {
            System.arraycopy(from, start, to, start, SECTOR);
        }
    }
}
