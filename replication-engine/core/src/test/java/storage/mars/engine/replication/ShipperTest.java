// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.fake.FakePorts.every;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts.Kind;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.FieldReader.Malformed;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.replication.PeerMessage.LogData;

class ShipperTest {

    private static final int SEGMENT = LogRig.SEGMENT;

    private final LogRig primary = new LogRig();
    private final PeerCodec codec = new PeerCodec();
    private final Link link = new Link();
    private final List<String> gone = new ArrayList<>();
    private final Shipper shipper =
            new Shipper(
                    primary.log,
                    codec,
                    link,
                    (position, reason) -> gone.add(position + ": " + reason));

    /** Remembers where each LOG message begins, and where the last one ends. */
    private final class Link implements PeerLink {

        private final List<Long> positions = new ArrayList<>();
        private long bytes;

        @Override
        public void send(ByteBuffer message) {
            try {
                if (codec.decode(message) instanceof LogData data) {
                    positions.add(data.position());
                    bytes += data.bytes().remaining();
                }
            } catch (Malformed e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public boolean isWritable() {
            return true;
        }

        @Override
        public void close() {}

        @Override
        public String remote() {
            return "test";
        }
    }

    private void outOfMemory() {
        primary.fillTo(3L * SEGMENT);
        assertThat(primary.tail.releaseIdleMemory()).isTrue();
    }

    @Test
    void theLogGoesOutAsFarAsCreditGoesAndNoFurtherThanOneBatch() {
        outOfMemory();

        shipper.start(0, SEGMENT);
        primary.fake.run();

        assertThat(gone).isEmpty();
        assertThat(link.bytes).isBetween((long) SEGMENT, SEGMENT + (1L << 20));
    }

    @Test
    void aDamagedSegmentIsToldOnceWithWhatIsWrongAndEndsIt() {
        outOfMemory();
        primary.fake.file(LogRig.segment(SEGMENT)).flip(5 * 4096 + 17);

        shipper.start(0, Long.MAX_VALUE);
        primary.fake.run();
        primary.frame(0, 1, 1);
        shipper.advance();
        primary.fake.run();

        assertThat(gone).singleElement().asString().contains("differs");
        assertThat(link.bytes).isBetween((long) SEGMENT, SEGMENT + 5L * 4096);
    }

    @Test
    void aSegmentThatCannotBeReadIsToldOnce() {
        outOfMemory();
        primary.fake.failNext(every(Kind.READ, LogRig.segment(SEGMENT)), IoFailure.Kind.IO_ERROR);

        shipper.start(0, Long.MAX_VALUE);
        primary.fake.run();
        shipper.credit(Long.MAX_VALUE);
        primary.fake.run();

        assertThat(gone).singleElement().asString().startsWith(SEGMENT + ": ");
        assertThat(link.bytes).isEqualTo(SEGMENT);
    }

    @Test
    void aSegmentThatWasLetGoIsToldOnce() {
        outOfMemory();
        primary.segments.release(2L * SEGMENT);
        primary.fake.run();

        shipper.start(SEGMENT, Long.MAX_VALUE);
        primary.fake.run();
        shipper.advance();

        assertThat(gone).singleElement().asString().contains("no segment holds");
        assertThat(link.positions).isEmpty();
    }
}
