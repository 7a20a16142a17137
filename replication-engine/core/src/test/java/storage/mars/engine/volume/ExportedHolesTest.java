// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.fake.FakePorts.every;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import storage.mars.engine.export.Attachment;
import storage.mars.engine.export.AttachmentListener;
import storage.mars.engine.export.BlockRequest;
import storage.mars.engine.export.ExportRegistry;
import storage.mars.engine.export.Exports;
import storage.mars.engine.export.Extents;
import storage.mars.engine.export.Outcome;
import storage.mars.engine.export.ResourceExports;
import storage.mars.engine.fake.FakePorts.Kind;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.LogLocation;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.volume.Checkpointer.State;

class ExportedHolesTest {

    private static final int BLOCK = Blocks.SIZE;
    private final VolumeRig rig = new VolumeRig();
    private final List<Outcome> told = new ArrayList<>();
    private final Attachment attachment = attach(rig.images.shapes());

    private Attachment attach(List<VolumeShape> volumes) {
        ExportRegistry registry = new ExportRegistry();
        ResourceExports exports =
                new ResourceExports(
                        "ns/claim",
                        rig.fake,
                        rig.fake,
                        registry,
                        rig.reader,
                        rig.index,
                        rig.images);
        exports.openReadOnly(volumes, 1);
        Exports.Target target = registry.find("ns/claim/data");
        if (target == null) {
            throw new IllegalStateException("nothing is exported");
        }
        Exports.Attached attached = target.attach("client", new Listener());
        return ((Exports.Attached.Accepted) attached).attachment();
    }

    private static final class Listener implements AttachmentListener {

        @Override
        public void checkAlive() {}

        @Override
        public void exportClosing(String reason) {}
    }

    private final class Question extends BlockRequest {

        private final Extents answer = new Extents(8192);

        Question(long block, long blocks) {
            op = Op.BLOCK_STATUS;
            offset = block * BLOCK;
            length = blocks * BLOCK;
            extents = answer;
        }

        @Override
        protected void completed(Outcome outcome) {
            told.add(outcome);
        }

        /** Blocks of the extents, negative where they are holes. */
        List<Long> blocks() {
            List<Long> blocks = new ArrayList<>();
            for (int i = 0; i < answer.count(); i++) {
                blocks.add(answer.length(i) / BLOCK * (answer.hole(i) ? -1 : 1));
            }
            return blocks;
        }
    }

    private Question ask(long block, long blocks) {
        Question question = new Question(block, blocks);
        attachment.submit(question);
        return question;
    }

    @Test
    void holesOfTheImageAreHolesWhereTheIndexKnowsNothing() {
        rig.write(2, 2, 1);
        rig.fake.run();
        rig.writesBack = false;
        rig.write(8, 1, 1);
        rig.fake.run();

        Question question = ask(0, 16);
        rig.fake.run();

        assertThat(told).containsExactly(Outcome.OK);
        assertThat(question.blocks()).containsExactly(-2L, 2L, -4L, 1L, -7L);
    }

    @Test
    void aHoleThatAFailedSyncHasLeftIsNotBelieved() {
        rig.write(0, 1, 1);
        rig.fake.run();
        rig.log.tail.releaseIdleMemory();
        rig.fake.hold(every(Kind.EXTENT));
        Question question = ask(0, 1);
        rig.fake.failNext(every(Kind.SYNC), IoFailure.Kind.IO_ERROR);
        rig.checkpointer.start();
        rig.fake.hold(op -> op.kind() == Kind.EXTENT || op.kind() == Kind.READ);
        rig.fake.run();
        assertThat(rig.checkpointer.state()).isEqualTo(State.REFEEDING);

        rig.fake.hold(every(Kind.READ));
        rig.fake.run();

        assertThat(told).isEmpty();
        rig.fake.holdNothing();
        assertThat(told).containsExactly(Outcome.OK);
        assertThat(question.blocks()).containsExactly(1L);
    }

    @Test
    void aLongAnswerLeavesTurnsToOthers() {
        Attachment large = attach(List.of(new VolumeShape(0, "data", 1L << 30)));
        rig.index.durableZero(0, 0, 1 << 18, 1, 1);
        rig.index.durableWrite(0, 1 << 17, 1, LogLocation.of(8192, 4096), 4096, 4096);
        Question question = new Question(0, 1 << 18);

        large.submit(question);

        assertThat(told).isEmpty();
        List<Integer> others = new ArrayList<>();
        rig.fake.execute(() -> others.add(told.size()));
        rig.fake.run();
        assertThat(others).containsExactly(0);
        assertThat(told).containsExactly(Outcome.OK);
        assertThat(question.blocks()).containsExactly(-(1L << 17), 1L, -(1L << 17) + 1);
    }

    @Test
    void anAlternatingImageIsAnsweredBlockByBlock() {
        for (int i = 0; i < 200; i++) {
            rig.write(i * 2L, 1, 1);
            rig.fake.run();
        }
        rig.writesBack = false;
        rig.write(1000, 1, 1);
        rig.fake.run();

        Question question = ask(0, 1024);
        rig.fake.run();

        assertThat(told).containsExactly(Outcome.OK);
        assertThat(question.blocks()).hasSize(402).startsWith(1L, -1L, 1L).endsWith(1L, -23L);
    }
}
