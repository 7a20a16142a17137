// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.Storage;
import storage.mars.engine.testkit.schedule.SimRandom;

/** The content of one file: what reads return, what is on the media, which syncs are under way. */
final class SimFile {

    /** Told of each page that has been proven durable. */
    @FunctionalInterface
    interface Proof {
        void durable(SimFile file, Page page);
    }

    final Storage.Kind kind;
    String name;
    long size;

    private final SimRandom random;
    private final Proof proof;
    private final PageTable table = new PageTable();
    private final List<Capture> captures = new ArrayList<>();
    private final List<Page> dirtyPages = new ArrayList<>();
    private final List<Page> ghosts = new ArrayList<>();

    /** What may be on the media by luck: the next sync that succeeds proves it. */
    private final List<Page> lucky = new ArrayList<>();

    private long allocatedPages;

    SimFile(String name, Storage.Kind kind, long size, SimRandom random, Proof proof) {
        this.name = name;
        this.kind = kind;
        this.size = size;
        this.random = random;
        this.proof = proof;
    }

    /** Bytes that the file takes on the disk. */
    long allocatedBytes() {
        return kind == Storage.Kind.IMAGE ? allocatedPages * Page.BYTES : size;
    }

    /** Bytes that a write of this range would have to allocate. */
    long missingBytes(long position, long length) {
        if (kind != Storage.Kind.IMAGE) {
            return 0;
        }
        long missing = 0;
        for (long i = position / Page.BYTES; i * Page.BYTES < position + length; i++) {
            Page page = table.find(i);
            missing += page == null || page.current == null ? Page.BYTES : 0;
        }
        return missing;
    }

    /** Copies bytes of {@code view} to {@code into} from {@code at} on. */
    void read(View view, long position, ByteBuffer into, int at, int length) {
        int done = 0;
        while (done < length) {
            int start = (int) ((position + done) % Page.BYTES);
            int part = Math.min(length - done, Page.BYTES - start);
            byte[] bytes = content(view, (position + done) / Page.BYTES);
            into.put(at + done, bytes == null ? ZEROS : bytes, start, part);
            done += part;
        }
    }

    private static final byte[] ZEROS = new byte[Page.BYTES];

    private byte @Nullable [] content(View view, long index) {
        Page page = table.find(index);
        if (page == null) {
            return null;
        }
        return switch (view) {
            case DURABLE -> page.media;
            case CURRENT -> page.current;
            case DEVICE -> page.onDevice(unsynced(page));
        };
    }

    /** Sectors that no sync has yet made durable, or lost. */
    private int unsynced(Page page) {
        int sectors = page.dirty;
        for (Capture capture : captures) {
            sectors |= capture.sectorsOf(page);
        }
        return sectors;
    }

    /** Writes as much of {@code length} bytes, sector by sector, as {@code fate} has happen. */
    void write(long position, ByteBuffer from, int at, int length, Fate fate) {
        int done = 0;
        while (done < length) {
            int start = (int) ((position + done) % Page.BYTES);
            int part = Math.min(length - done, Page.BYTES - start);
            Page page = table.get((position + done) / Page.BYTES);
            int sectors = chosen(sectors(start, start + part), fate);
            if (sectors != 0) {
                touch(page, sectors);
                allocatedPages += page.current == null ? 1 : 0;
                copy(page.writable(), from, at + done - start, start, start + part, sectors);
            }
            done += part;
        }
    }

    private int chosen(int sectors, Fate fate) {
        if (fate == Fate.EVERYTHING) {
            return sectors;
        }
        int chosen = 0;
        for (int bit = 1; bit <= sectors; bit <<= 1) {
            chosen |= (sectors & bit) != 0 && fate.happens(random) ? bit : 0;
        }
        return chosen;
    }

    private static int sectors(int start, int end) {
        int first = start / Page.SECTOR;
        int last = (end - 1) / Page.SECTOR;
        return (Page.ALL >> (7 - last)) & (Page.ALL << first);
    }

    private static void copy(
            byte[] to, ByteBuffer from, int shift, int start, int end, int sectors) {
        if (sectors == sectors(start, end)) {
            from.get(shift + start, to, start, end - start);
            return;
        }
        for (int sector = 0; sector < 8; sector++) {
            if ((sectors & (1 << sector)) != 0) {
                int low = Math.max(start, sector * Page.SECTOR);
                int high = Math.min(end, (sector + 1) * Page.SECTOR);
                from.get(shift + low, to, low, high - low);
            }
        }
    }

    /** Marks sectors dirty; an older unsynced version of them may reach the media just before. */
    private void touch(Page page, int sectors) {
        if (sectors == 0) {
            return;
        }
        if ((page.dirty & sectors) != 0 && random.chance(1, 4)) {
            page.persist(page.dirty & sectors, page.current == null ? null : page.current.clone());
        }
        page.dirty |= sectors;
        if (!page.listed) {
            page.listed = true;
            dirtyPages.add(page);
        }
    }

    /** Makes a range read as zero, as far as {@code fate} has it happen. */
    void zero(long position, long length, Fate fate) {
        long end = position + length;
        table.each(
                position / Page.BYTES,
                (end + Page.BYTES - 1) / Page.BYTES,
                page -> zero(page, position, end, fate));
    }

    private void zero(Page page, long position, long end, Fate fate) {
        long origin = page.index * Page.BYTES;
        int start = (int) Math.max(0, position - origin);
        int stop = (int) Math.min(Page.BYTES, end - origin);
        if (page.current == null && page.media == null && page.dirty == 0) {
            return;
        }
        if (start % Page.SECTOR != 0 || stop % Page.SECTOR != 0) {
            write(origin + start, ByteBuffer.wrap(ZEROS), 0, stop - start, fate);
            return;
        }
        int sectors = chosen(sectors(start, stop), fate);
        if (sectors != 0) {
            touch(page, sectors);
            allocatedPages -= page.current == null ? 0 : 1;
            page.clear(sectors);
            allocatedPages += page.current == null ? 0 : 1;
        }
    }

    /** A sync is called: what is dirty now is what it will prove durable. */
    Capture capture() {
        Capture capture = new Capture();
        for (Page page : dirtyPages) {
            page.listed = false;
            if (page.dirty != 0) {
                capture.add(page);
            }
        }
        dirtyPages.clear();
        capture.lucky.addAll(lucky);
        lucky.clear();
        captures.add(capture);
        return capture;
    }

    /** The sync succeeds; so has, in effect, every one that had been called before it. */
    void complete(Capture capture) {
        while (captures.contains(capture)) {
            Capture first = captures.removeFirst();
            for (Capture.Entry entry : first.entries) {
                Page page = entry.page();
                page.persist(entry.sectors(), entry.content());
                if (page.isClean(entry.content())) {
                    page.media = entry.content();
                }
                proof.durable(this, page);
            }
            first.lucky.forEach(page -> proof.durable(this, page));
        }
    }

    /**
     * The sync fails: any part of what it had to prove is on the media, and none of it is dirty any
     * more, so that the next sync succeeds without it. Reads of images may go on returning it.
     */
    void fail(Capture capture) {
        captures.remove(capture);
        lucky.addAll(capture.lucky);
        for (Capture.Entry entry : capture.entries) {
            Page page = entry.page();
            page.persist(chosen(entry.sectors(), Fate.HALF), entry.content());
            int newer = unsynced(page);
            if (kind == Storage.Kind.IMAGE && random.chance(1, 2)) {
                ghosts.add(page);
            } else {
                page.evict(entry.sectors() & ~newer);
                lucky.add(page);
            }
        }
        recount();
    }

    /** Makes a just completed write of its own durable. */
    void prove(long position, int length) {
        for (long i = position / Page.BYTES; i * Page.BYTES < position + length; i++) {
            Page page = table.get(i);
            long origin = i * Page.BYTES;
            int start = (int) Math.max(0, position - origin);
            int stop = (int) Math.min(Page.BYTES, position + length - origin);
            int sectors = sectors(start, stop);
            page.persist(sectors);
            page.dirty &= ~sectors;
            captures.forEach(capture -> capture.forget(page, sectors));
            proof.durable(this, page);
        }
    }

    /**
     * The process has died: nothing that was written is lost, syncs under way are as if not called.
     */
    void processCrash(Fate fate) {
        for (Capture capture : List.copyOf(captures)) {
            lucky.addAll(capture.lucky);
            for (Capture.Entry entry : capture.entries) {
                Page page = entry.page();
                page.persist(chosen(entry.sectors(), fate), entry.content());
                touch(page, entry.sectors());
            }
        }
        captures.clear();
    }

    /** The power has failed: of each unsynced sector any version may be on the media. */
    void powerCut(Fate fate) {
        List<Page> touched = new ArrayList<>(dirtyPages);
        touched.addAll(ghosts);
        for (Capture capture : captures) {
            lucky.addAll(capture.lucky);
            for (Capture.Entry entry : capture.entries) {
                entry.page().persist(chosen(entry.sectors(), fate), entry.content());
                touched.add(entry.page());
            }
        }
        for (Page page : dirtyPages) {
            page.listed = false;
            page.persist(chosen(page.dirty, fate));
        }
        for (Page page : touched) {
            page.dirty = 0;
            page.evict(Page.ALL);
            lucky.add(page);
        }
        captures.clear();
        dirtyPages.clear();
        ghosts.clear();
        recount();
    }

    /** Sets content on the media as nobody of the engine would: for damage done on purpose. */
    void overwrite(long position, byte[] bytes) {
        write(position, ByteBuffer.wrap(bytes), 0, bytes.length, Fate.EVERYTHING);
        prove(position, bytes.length);
    }

    /** Cuts or grows the file; what is beyond the new end is gone at once. */
    void truncate(long newSize) {
        if (newSize < size) {
            byte[] rest = new byte[(int) Math.min(size - newSize, -newSize & Page.BYTES - 1)];
            overwrite(newSize, rest);
            table.each(
                    (newSize + Page.BYTES - 1) / Page.BYTES,
                    Long.MAX_VALUE,
                    page -> {
                        page.dirty = 0;
                        page.media = null;
                        page.evict(Page.ALL);
                    });
            recount();
        }
        size = newSize;
    }

    /** The first byte at or after {@code position} that is not in a hole, or {@code limit}. */
    long nextData(long position, long limit) {
        long index = position / Page.BYTES;
        long page = table.nextData(index, (limit + Page.BYTES - 1) / Page.BYTES);
        return Math.min(limit, Math.max(position, page * Page.BYTES));
    }

    /** The first byte after {@code position} that is in a hole, or {@code limit}. */
    long nextHole(long position, long limit) {
        long index = position / Page.BYTES;
        while (index * Page.BYTES < limit && content(View.CURRENT, index) != null) {
            index++;
        }
        return Math.min(limit, index * Page.BYTES);
    }

    private void recount() {
        allocatedPages = 0;
        table.each(0, Long.MAX_VALUE, page -> allocatedPages += page.current == null ? 0 : 1);
    }
}
