// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.log.FrameView;
import storage.mars.engine.log.LogRecovery;
import storage.mars.engine.log.LogRecovery.Found;
import storage.mars.engine.log.MetadataStore;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.SegmentLayout;
import storage.mars.engine.log.SegmentStore;
import storage.mars.engine.replica.ReplicaParts.Shared;
import storage.mars.engine.volume.Images;
import storage.mars.engine.volume.IndexFeed;
import storage.mars.engine.volume.VolumeIndex;

/**
 * Opens what is on disk of a replica: images, segments, then the scan of the log, which fills the
 * index as far as there is room; last, what a planned stop has recorded of the log is taken back,
 * before anything can be written to it. One procedure for both roles, after a start as after a
 * change of role. One use. Owned by the shard.
 */
final class ReplicaOpening {

    private static final Logger LOGGER = LoggerFactory.getLogger(ReplicaOpening.class);

    private final Shared shared;
    private final MetadataStore metadata;
    private final Outcome outcome;
    private final VolumeIndex index;
    private final Images images;
    private final SegmentStore segments;
    private long entered = Long.MAX_VALUE;

    /** What it found, then how it went: exactly one of the last three is called. */
    interface Outcome {

        /** The log holds that frame, at or behind its checkpoint. */
        void recovered(FrameView frame);

        void opened(ReplicaParts parts);

        /** Nothing has been changed on disk. */
        void corrupt(String reason);

        void failed(String reason);
    }

    ReplicaOpening(Shared shared, String directory, MetadataStore metadata, Outcome outcome) {
        this.shared = shared;
        this.metadata = metadata;
        this.outcome = outcome;
        ReplicaMetadata current = metadata.current();
        index = new VolumeIndex(shared.indexMemory());
        images = new Images(shared.ports(), directory, current.identity());
        segments =
                new SegmentStore(
                        shared.ports(),
                        directory + "/log",
                        new SegmentLayout(current.identity().segmentBytes()),
                        current.switches().logBudgetBytes());
    }

    void start() {
        images.open(
                metadata.current().volumes(),
                fault -> {
                    if (fault == null) {
                        openSegments();
                    } else {
                        end(() -> outcome.corrupt(fault));
                    }
                });
    }

    private void openSegments() {
        segments.open(failure -> {
            if (failure == null) {
                recover();
            } else {
                end(() -> outcome.failed("the log cannot be opened: " + failure));
            }
        });
    }

    private void recover() {
        ReplicaMetadata current = metadata.current();
        long limit = current.switches().applyLimit();
        new LogRecovery(
                        segments,
                        current,
                        shared.buffers(),
                        frame -> {
                            outcome.recovered(frame);
                            enterBelow(limit, frame);
                        },
                        this::recovered)
                .start();
    }

    /** What finds no room here is entered when the replica is open and writes back. */
    private void enterBelow(long limit, FrameView frame) {
        if (frame.position() >= Math.min(limit, entered)) {
            return;
        }
        if (index.takesDurable(frame.position())) {
            IndexFeed.enter(frame, index);
        } else {
            entered = frame.position();
        }
    }

    private void recovered(Found found) {
        switch (found) {
            case Found.Sound sound -> {
                if (metadata.current().rested()) {
                    wake(sound);
                } else {
                    opened(sound);
                }
            }
            case Found.Corrupt corrupt -> {
                end(() ->
                        outcome.corrupt(
                                "the log is damaged at position "
                                        + corrupt.position()
                                        + ": "
                                        + corrupt.reason()));
            }
            case Found.Unreadable unreadable -> {
                end(() -> outcome.failed(unreadable.reason()));
            }
        }
    }

    private void wake(Found.Sound sound) {
        if (sound.logStart() > metadata.current().logStart()) {
            LOGGER.atWarn()
                    .addKeyValue("resource", metadata.current().identity().resourceName())
                    .addKeyValue("position", sound.logStart())
                    .log(
                            "the log is gone; the images have all of it, so it begins anew: members that need older log come back by a sync");
        }
        metadata.update(
                draft -> {
                    draft.rested = false;
                    draft.logStart = sound.logStart();
                },
                failure -> {
                    if (failure == null) {
                        opened(sound);
                    } else {
                        end(() -> outcome.failed("the metadata cannot be written: " + failure));
                    }
                });
    }

    private void opened(Found.Sound sound) {
        outcome.opened(
                new ReplicaParts(
                        shared,
                        metadata,
                        segments,
                        images,
                        index,
                        entered,
                        sound.end(),
                        sound.link()));
    }

    private void end(Runnable then) {
        images.close();
        index.clear();
        segments.close(then);
    }
}
