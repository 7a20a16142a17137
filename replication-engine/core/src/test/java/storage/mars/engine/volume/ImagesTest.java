// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.fake.FakePorts.Kind;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.port.IoFailure;

class ImagesTest {

    private final FakePorts fake = new FakePorts();
    private final ReplicaMetadata metadata = new LogRig().metadata();

    private List<@Nullable String> create() {
        List<@Nullable String> faults = new ArrayList<>();
        new Images(fake.ports(), "images", metadata.identity())
                .create(metadata.volumes(), faults::add);
        fake.run();
        return faults;
    }

    private List<@Nullable String> open(FakePorts ports, ReplicaMetadata.Identity identity) {
        List<@Nullable String> faults = new ArrayList<>();
        new Images(ports.ports(), "images", identity).open(metadata.volumes(), faults::add);
        ports.run();
        return faults;
    }

    @Test
    void theLabelLiesBehindTheBytesOfTheVolume() {
        assertThat(create()).containsOnlyNulls();

        byte[] file = fake.file(VolumeRig.IMAGE).synced;
        int end = (int) LogRig.VOLUME_BYTES;
        assertThat(file).hasSize(end + 4096);
        assertThat(Arrays.copyOfRange(file, end, end + 8))
                .isEqualTo("MARSIMAG".getBytes(StandardCharsets.US_ASCII));
        assertThat(Arrays.copyOfRange(file, end + 8, end + 32))
                .containsExactly(
                        8, 7, 6, 5, 4, 3, 2, 1, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        assertThat(open(fake.afterPowerLoss(), metadata.identity())).containsOnlyNulls();
    }

    @Test
    void aSyncThatIsUnderWayTouchesNoClosedImage() {
        List<@Nullable IoFailure> told = new ArrayList<>();
        Images images = new Images(fake.ports(), "images", metadata.identity());
        images.create(
                List.of(new VolumeShape(0, "data", 4 << 20), new VolumeShape(1, "log", 4 << 20)),
                fault -> assertThat(fault).isNull());
        fake.run();
        images.sync(told::add);
        images.sync(told::add);

        images.close();
        fake.run();

        assertThat(told).hasSize(2).doesNotContainNull();
        assertThat(fake.done(Kind.SYNC)).hasSize(1);
    }

    @Test
    void anImageOfAnotherReplicaSizeOrPlaceIsNotOpened() {
        create();
        ReplicaMetadata.Identity id = metadata.identity();
        FakePorts shrunk = new FakePorts();
        shrunk.put(VolumeRig.IMAGE, 4096);

        assertThat(
                        open(
                                fake.afterPowerLoss(),
                                new ReplicaMetadata.Identity(
                                        id.resourceId(),
                                        id.resourceName(),
                                        id.segmentBytes(),
                                        8,
                                        "ber")))
                .first()
                .asString()
                .contains("belongs to another volume or replica");
        assertThat(open(shrunk, id)).first().asString().contains("has 4096 bytes instead of");
        assertThat(open(new FakePorts(), id)).first().asString().contains("cannot be opened");
    }
}
