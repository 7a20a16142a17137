// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.load;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import storage.mars.engine.log.FrameView;
import storage.mars.engine.log.RecordType;

/**
 * What a volume holds at a position, by the log of an engine that does not run: for each block the
 * write of the newest record that ends at or below the position. The log is read here anew, frame
 * by frame (docs/format/log.md), without the engine's own recovery.
 */
public final class LoggedContent {
    private static final long UNKNOWN = -1;

    /** Of another run, or no write of any. */
    private static final long FOREIGN = -2;

    private final WriteHistory history;
    private final long position;
    private final long[] sequences;
    private final FrameView frame = new FrameView();
    private boolean reached;

    private LoggedContent(WriteHistory history, long position) {
        this.history = history;
        this.position = position;
        sequences = new long[history.blocks()];
        Arrays.fill(sequences, UNKNOWN);
    }

    /** Reads the segments of the first volume of a resource, which are in {@code directory}. */
    public static LoggedContent read(Path directory, WriteHistory history, long position)
            throws IOException {
        var content = new LoggedContent(history, position);
        try (Stream<Path> files = Files.list(directory)) {
            files.filter(file -> file.getFileName().toString().endsWith(".log"))
                    .sorted()
                    .forEach(content::segment);
        }
        return content;
    }

    /** Whether a frame ends exactly at the position. */
    public boolean reachesThePosition() {
        return reached;
    }

    /** Blocks of which the log that is still there tells. */
    public long known() {
        return Arrays.stream(sequences).filter(sequence -> sequence != UNKNOWN).count();
    }

    /** Blocks that {@code found} holds otherwise; none when it is the volume at the position. */
    public List<String> differences(ContentSnapshot found) {
        var differences = new ArrayList<String>();
        long[] there = found.sequences();
        for (int block = 0; block < sequences.length; block++) {
            if (sequences[block] != UNKNOWN && sequences[block] != there[block]) {
                differences.add(
                        "block %d holds write %d, by the log up to %d it is write %d"
                                .formatted(block, there[block], position, sequences[block]));
            }
        }
        return differences;
    }

    private void segment(Path file) {
        long start = Long.parseLong(file.getFileName().toString().replace(".log", ""));
        ByteBuffer bytes;
        try {
            bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        boolean begun = false;
        int at = BlockStamp.SIZE;
        while (at < bytes.limit() && start + at < position) {
            frame.wrap(bytes, at);
            boolean isFrame = frame.hasMagic() && frame.position() == start + at;
            if (isFrame && start + at + frame.length() <= position) {
                records(bytes);
                reached |= start + at + frame.length() == position;
            } else if (begun) {
                return;
            }
            begun |= isFrame;
            at += isFrame ? frame.length() : BlockStamp.SIZE;
        }
    }

    private void records(ByteBuffer bytes) {
        for (int i = 0; i < frame.recordCount(); i++) {
            RecordType type = frame.type(i);
            if (type == null || type.family() != RecordType.Family.DATA) {
                continue;
            }
            int first = (int) (frame.rangeOffset(i) / BlockStamp.SIZE);
            int count = (int) (frame.rangeLength(i) / BlockStamp.SIZE);
            for (int j = 0; j < count && first + j < sequences.length; j++) {
                sequences[first + j] = type == RecordType.WRITE ? written(bytes, i, first, j) : 0;
            }
        }
    }

    private long written(ByteBuffer bytes, int record, int first, int index) {
        int at = frame.offset() + frame.payloadOffset(record) + index * BlockStamp.SIZE;
        ByteBuffer content = bytes.duplicate().position(at).limit(at + BlockStamp.SIZE);
        return switch (BlockStamp.decode(history.run(), first + index, content)) {
            case BlockStamp.Version version -> version.sequence();
            case BlockStamp.Damaged damaged -> FOREIGN;
        };
    }
}
