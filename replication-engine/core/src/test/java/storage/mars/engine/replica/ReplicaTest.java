// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.fake.FakePorts.every;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.fake.FakePorts.Kind;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.replication.PeerCodec;

class ReplicaTest {

    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final ReplicaSettings SETTINGS =
            new ReplicaSettings(
                    "ams",
                    "ams:7000",
                    0xb007L,
                    LogRig.SEGMENT,
                    4096,
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(60),
                    ReplicaSettings.DEFAULT_EPOCHS_KEPT);

    private final FakePorts fake = PartsRig.files();
    private final Replica replica =
            new Replica(PartsRig.shared(fake), SETTINGS, new PeerCodec(), "r");
    private final List<String> closed = new ArrayList<>();

    private void open() {
        replica.open(() -> {});
        fake.run();
    }

    /** Waits as long as it takes to learn that its member does not answer, then serves. */
    private void serve() {
        open();
        fake.advance(SECOND);
        fake.advance(SECOND / 10);
        assertThat(replica.state()).isInstanceOf(ReplicaState.Serving.class);
    }

    private void assertClosed() {
        assertThat(closed).hasSize(1);
        assertThat(fake.file(PartsRig.META).isClosed()).isTrue();
        assertThat(fake.file(PartsRig.IMAGE).isClosed()).isTrue();
        assertThat(replica.state()).isInstanceOf(ReplicaState.Closed.class);
    }

    private ReplicaMetadata found() {
        return PartsRig.on(fake.afterPowerLoss()).current();
    }

    @ParameterizedTest
    @CsvSource({"READ, meta", "OPEN, img", "READ, img", "LIST, log"})
    void whoIsClosedWhileItIsOpenedTouchesNothingAfterwards(Kind kind, String file) {
        fake.hold(every(kind, file));
        open();

        replica.close("it is removed", () -> closed.add("closed"));
        fake.run();

        assertThat(closed).isEmpty();
        fake.holdNothing();
        assertThat(closed).hasSize(1);
        assertThat(fake.file(PartsRig.META).isClosed()).isTrue();
        fake.advance(10 * SECOND);
        assertThat(replica.state()).isInstanceOf(ReplicaState.Closed.class);
    }

    @Test
    void whoIsClosedWhileItsMetadataAreWrittenWaitsForThem() {
        open();
        fake.hold(every(Kind.LOG_WRITE, PartsRig.META));
        fake.advance(SECOND);
        assertThat(replica.state()).isInstanceOf(ReplicaState.StartingEpoch.class);

        replica.close("it is removed", () -> closed.add("closed"));
        fake.run();

        assertThat(closed).isEmpty();
        fake.holdNothing();
        assertClosed();
    }

    @Test
    void whoIsClosedWhileItStartsOverStaysClosed() {
        serve();
        fake.hold(every(Kind.LOG_WRITE, PartsRig.META));
        replica.reopen("the test wants it", draft -> draft.highestTerm++);
        fake.run();

        replica.rest("the engine stops", () -> closed.add("closed"));
        fake.run();

        assertThat(closed).isEmpty();
        fake.holdNothing();
        assertClosed();
        assertThat(found().rested()).isFalse();
    }

    @Test
    void aStopOfTheEngineLeavesItAtRest() {
        serve();
        long end = replica.parts().tail.end();

        replica.rest("the engine stops", () -> closed.add("closed"));
        fake.run();

        assertClosed();
        assertThat(found().rested()).isTrue();
        assertThat(found().durableKnown()).isEqualTo(end);
        assertThat(found().checkpoint().position()).isEqualTo(end);
    }

    @Test
    void whoHasFailedIsNotAtRest() {
        serve();
        replica.fail("the test wants it");

        replica.rest("the engine stops", () -> closed.add("closed"));
        fake.run();

        assertClosed();
        assertThat(found().rested()).isFalse();
    }

    @Test
    void aRemovalRecordsNothing() {
        serve();
        int before = fake.done(Kind.LOG_WRITE).size();

        replica.close("it is removed", () -> closed.add("closed"));
        fake.run();

        assertClosed();
        assertThat(fake.done(Kind.LOG_WRITE)).hasSize(before);
    }

    @Test
    void metadataThatCannotBeWrittenFailIt() {
        serve();
        fake.failNext(every(Kind.LOG_WRITE, PartsRig.META), IoFailure.Kind.IO_ERROR);
        replica.reopen("the test wants it", draft -> draft.highestTerm++);
        fake.run();
        assertThat(replica.state()).isInstanceOf(ReplicaState.Failed.class);

        replica.rest("the engine stops", () -> closed.add("closed"));
        fake.run();

        assertClosed();
    }
}
