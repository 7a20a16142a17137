// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Storage;
import storage.mars.engine.port.Storage.Kind;

/** What every {@link Storage} must do; a subclass names one and how to wait for its completions. */
abstract class StorageContract {

    private static final int BLOCK = 4096;

    /** Calls on the shard and waits there for the outcome. */
    abstract StorageCaller caller();

    @ParameterizedTest
    @EnumSource(Kind.class)
    void createdFileHasItsSizeAndReadsAsZero(Kind kind) {
        BlockFile file = caller().create("dir-less", kind, 4 * BLOCK);

        assertThat(file.size()).isEqualTo(4 * BLOCK);
        assertThat(read(file, 0, 4 * BLOCK)).isEqualTo(new byte[4 * BLOCK]);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void whatIsWrittenIsReadAgainAfterReopening(Kind kind) {
        caller().createDirectory("resources/r");
        BlockFile file = caller().create("resources/r/f", kind, 4 * BLOCK);
        assertThat(caller().write(file, BLOCK, filled(BLOCK, 7))).isNull();
        assertThat(caller().sync(file)).isNull();
        caller().close(file);

        BlockFile again = caller().open("resources/r/f", kind);

        assertThat(read(again, BLOCK, BLOCK)).isEqualTo(bytes(BLOCK, 7));
        assertThat(read(again, 0, BLOCK)).isEqualTo(new byte[BLOCK]);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void durableWriteGathersItsBuffersInOrderAndIgnoresTheRest(Kind kind) {
        BlockFile file = caller().create("f", kind, 8 * BLOCK);
        ByteBuffer[] buffers = {filled(BLOCK, 1), filled(2 * BLOCK, 2), filled(BLOCK, 3)};

        assertThat(caller().writeDurably(file, BLOCK, buffers, 2)).isNull();

        assertThat(read(file, 0, BLOCK)).isEqualTo(new byte[BLOCK]);
        assertThat(read(file, BLOCK, BLOCK)).isEqualTo(bytes(BLOCK, 1));
        assertThat(read(file, 2 * BLOCK, 2 * BLOCK)).isEqualTo(bytes(2 * BLOCK, 2));
        assertThat(read(file, 4 * BLOCK, BLOCK)).isEqualTo(new byte[BLOCK]);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void readingAdvancesTheBufferToItsLimit(Kind kind) {
        BlockFile file = caller().create("f", kind, 4 * BLOCK);
        ByteBuffer into = aligned(3 * BLOCK).position(BLOCK).limit(2 * BLOCK);

        assertThat(caller().read(file, 0, into)).isNull();

        assertThat(into.position()).isEqualTo(2 * BLOCK);
        assertThat(into.limit()).isEqualTo(2 * BLOCK);
    }

    @Test
    void whatWasWrittenIsReadPastTheCacheBeforeAnySync() {
        BlockFile file = caller().create("f", Kind.IMAGE, 4 * BLOCK);
        assertThat(caller().write(file, BLOCK, filled(BLOCK, 7))).isNull();
        ByteBuffer into = aligned(2 * BLOCK);
        BitSet unlike = new BitSet();

        assertThat(caller().readDevice(file, BLOCK, into, unlike)).isNull();

        assertThat(unlike.isEmpty()).isTrue();

        assertThat(into.position()).isEqualTo(2 * BLOCK);
        byte[] found = new byte[2 * BLOCK];
        into.flip().get(found);
        assertThat(Arrays.copyOf(found, BLOCK)).isEqualTo(bytes(BLOCK, 7));
        assertThat(Arrays.copyOfRange(found, BLOCK, 2 * BLOCK)).isEqualTo(new byte[BLOCK]);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void readingPastTheEndFailsInsteadOfBeingShort(Kind kind) {
        BlockFile file = caller().create("f", kind, 2 * BLOCK);

        IoFailure failure = caller().read(file, BLOCK, aligned(2 * BLOCK));

        assertThat(StorageCaller.kind(failure)).isEqualTo(IoFailure.Kind.IO_ERROR);
    }

    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"IMAGE", "METADATA"})
    void transfersNeedNoAlignmentOutsideOfLogs(Kind kind) {
        BlockFile file = caller().create("f", kind, 3 * BLOCK);

        assertThat(caller().write(file, 4090, ByteBuffer.wrap(bytes(13, 9)))).isNull();

        assertThat(read(file, 4089, 15)).startsWith(0, 9).endsWith(9, 0);
        assertThat(read(file, 4090, 13)).isEqualTo(bytes(13, 9));
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void zeroedRangeReadsAsZeroAndItsSurroundingsStay(Kind kind) {
        BlockFile file = caller().create("f", kind, 8 * BLOCK);
        assertThat(caller().write(file, 0, filled(8 * BLOCK, 5))).isNull();

        assertThat(caller().zero(file, 2 * BLOCK, 3 * BLOCK)).isNull();

        assertThat(read(file, 0, 2 * BLOCK)).isEqualTo(bytes(2 * BLOCK, 5));
        assertThat(read(file, 2 * BLOCK, 3 * BLOCK)).isEqualTo(new byte[3 * BLOCK]);
        assertThat(read(file, 5 * BLOCK, 3 * BLOCK)).isEqualTo(bytes(3 * BLOCK, 5));
        assertThat(file.size()).isEqualTo(8 * BLOCK);
    }

    @Test
    void growingKeepsTheContentAndReadsAsZeroBeyond() {
        BlockFile file = caller().create("f", Kind.IMAGE, 2 * BLOCK);
        assertThat(caller().write(file, 0, filled(2 * BLOCK, 4))).isNull();

        assertThat(caller().resize(file, 5 * BLOCK)).isNull();

        assertThat(file.size()).isEqualTo(5 * BLOCK);
        assertThat(read(file, 0, 2 * BLOCK)).isEqualTo(bytes(2 * BLOCK, 4));
        assertThat(read(file, 2 * BLOCK, 3 * BLOCK)).isEqualTo(new byte[3 * BLOCK]);
    }

    @Test
    void extentsStayWithinTheirLimitAndHolesHoldNoData() {
        BlockFile file = caller().create("f", Kind.IMAGE, 1 << 20);
        assertThat(caller().write(file, 256 << 10, filled(64 << 10, 1))).isNull();

        long position = 0;
        long data = 0;
        while (position < 1 << 20) {
            long extent = caller().nextExtent(file, position, 1 << 20);
            long end = Math.abs(extent);
            assertThat(end).isGreaterThan(position).isLessThanOrEqualTo(1 << 20);
            if (extent < 0) {
                assertThat(read(file, position, (int) (end - position))).containsOnly(0);
            } else {
                data += end - position;
            }
            position = end;
        }

        assertThat(data).isGreaterThanOrEqualTo(64 << 10);
        assertThat(caller().nextExtent(file, 260 << 10, 264 << 10)).isEqualTo(264 << 10);
    }

    @Test
    void existingFileIsNotCreatedAgain() {
        BlockFile file = caller().create("f", Kind.IMAGE, BLOCK);
        assertThat(caller().write(file, 0, filled(BLOCK, 6))).isNull();

        IoFailure failure = caller().createFailing("f", Kind.LOG, 2 * BLOCK);

        assertThat(failure.kind()).isEqualTo(IoFailure.Kind.ALREADY_EXISTS);
        assertThat(read(file, 0, BLOCK)).isEqualTo(bytes(BLOCK, 6));
        assertThat(caller().list("")).containsOnlyOnce("f");
    }

    @Test
    void missingFileIsNotFound() {
        assertThat(caller().openFailing("nothing", Kind.IMAGE).kind())
                .isEqualTo(IoFailure.Kind.NOT_FOUND);
        assertThat(StorageCaller.kind(caller().delete("nothing")))
                .isEqualTo(IoFailure.Kind.NOT_FOUND);
        assertThat(StorageCaller.kind(caller().rename("nothing", "other")))
                .isEqualTo(IoFailure.Kind.NOT_FOUND);
    }

    @Test
    void directoriesListTheirEntriesSorted() {
        caller().createDirectory("a/b/c");
        caller().createDirectory("a/b/c");
        caller().create("a/z", Kind.METADATA, BLOCK);
        caller().create("a/y", Kind.IMAGE, BLOCK);

        assertThat(caller().list("a")).isEqualTo(List.of("b", "y", "z"));
        assertThat(caller().list("a/b/c")).isEmpty();
        assertThat(caller().list("absent")).isEmpty();
    }

    @Test
    void renameReplacesTheTargetAndOpenFilesStayTheSame() {
        BlockFile one = caller().create("one", Kind.METADATA, BLOCK);
        BlockFile two = caller().create("two", Kind.METADATA, BLOCK);
        assertThat(caller().write(one, 0, filled(BLOCK, 1))).isNull();
        assertThat(caller().write(two, 0, filled(BLOCK, 2))).isNull();

        assertThat(caller().rename("one", "two")).isNull();

        assertThat(caller().list("")).contains("two").doesNotContain("one");
        assertThat(read(caller().open("two", Kind.METADATA), 0, BLOCK)).isEqualTo(bytes(BLOCK, 1));
        assertThat(read(one, 0, BLOCK)).isEqualTo(bytes(BLOCK, 1));
        assertThat(read(two, 0, BLOCK)).isEqualTo(bytes(BLOCK, 2));
    }

    @Test
    void deletionTakesFilesAndEmptyDirectoriesOnly() {
        caller().createDirectory("d");
        caller().create("d/f", Kind.IMAGE, BLOCK);

        assertThat(caller().delete("d")).isNotNull();
        assertThat(caller().delete("d/f")).isNull();
        assertThat(caller().delete("d")).isNull();

        assertThat(caller().list("")).doesNotContain("d");
    }

    @Test
    void usableSpaceIsKnown() {
        assertThat(caller().usableBytes()).isPositive();
    }

    private byte[] read(BlockFile file, long position, int length) {
        ByteBuffer into = aligned(length);
        assertThat(caller().read(file, position, into)).isNull();
        byte[] bytes = new byte[length];
        into.flip().get(bytes);
        return bytes;
    }

    static ByteBuffer aligned(int length) {
        int whole = (length + BLOCK - 1) / BLOCK * BLOCK;
        return ByteBuffer.allocateDirect(whole + BLOCK).alignedSlice(BLOCK).limit(length);
    }

    static ByteBuffer filled(int length, int value) {
        return aligned(length).put(bytes(length, value)).flip();
    }

    static byte[] bytes(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }
}
