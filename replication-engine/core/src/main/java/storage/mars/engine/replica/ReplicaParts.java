// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import storage.mars.engine.export.ExportRegistry;
import storage.mars.engine.export.ResourceExports;
import storage.mars.engine.log.AlignedBuffers;
import storage.mars.engine.log.Chain;
import storage.mars.engine.log.FrameBuilder;
import storage.mars.engine.log.FrameIntake;
import storage.mars.engine.log.LinkReader;
import storage.mars.engine.log.LogAccess;
import storage.mars.engine.log.LogBatchReader;
import storage.mars.engine.log.LogMemory;
import storage.mars.engine.log.LogTail;
import storage.mars.engine.log.LogWriter;
import storage.mars.engine.log.MetadataStore;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.SegmentStore;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Ports;
import storage.mars.engine.replication.ReceiveMemory;
import storage.mars.engine.volume.BlockReader;
import storage.mars.engine.volume.Checkpointer;
import storage.mars.engine.volume.ImageTurns;
import storage.mars.engine.volume.Images;
import storage.mars.engine.volume.IndexFeed;
import storage.mars.engine.volume.IndexMemory;
import storage.mars.engine.volume.VolumeIndex;
import storage.mars.engine.volume.WriteBack;

/**
 * The working parts of an open replica, in either role, put together once after recovery: log,
 * index, images, exports. They know nothing of roles and members. Owned by the shard.
 */
final class ReplicaParts {

    final SegmentStore segments;
    final LogTail tail;
    final FrameBuilder builder;
    final FrameIntake intake;
    final LogWriter writer;
    final LogAccess log;
    final LinkReader links;
    final VolumeIndex index;
    final Images images;
    final ImageTurns turns;
    final BlockReader reader;
    final IndexFeed feed;
    final WriteBack writeBack;
    final Checkpointer checkpointer;
    final ResourceExports exports;
    private final Reports reports = new Reports();

    /** Whoever runs the replica: hears of everything that the parts report. */
    interface Owner
            extends LogWriter.Listener,
                    IndexFeed.Listener,
                    WriteBack.Listener,
                    Checkpointer.Listener {

        /** From here on somebody still needs the log, apart from the checkpoint. */
        long needed();
    }

    /** What a shard shares among its replicas. */
    record Shared(
            Ports ports,
            LogMemory memory,
            ReceiveMemory received,
            IndexMemory indexMemory,
            AlignedBuffers buffers,
            ExportRegistry exports) {}

    /** The index has all of the log below {@code entered}, or the images have it. */
    ReplicaParts(
            Shared shared,
            MetadataStore metadata,
            SegmentStore segments,
            Images images,
            VolumeIndex index,
            long entered,
            long end,
            Chain.Link link) {
        Ports ports = shared.ports();
        ReplicaMetadata.Identity identity = metadata.current().identity();
        this.segments = segments;
        this.images = images;
        this.index = index;
        tail = new LogTail(identity.resourceId(), segments, shared.memory(), end, link);
        builder = new FrameBuilder(tail, ports.clock());
        intake = new FrameIntake(tail, images::boundOf);
        writer = new LogWriter(tail, ports, reports);
        LogBatchReader batches = new LogBatchReader(segments, tail.verifier());
        log = new LogAccess(tail, batches, shared.buffers(), () -> metadata.current().history());
        links = new LinkReader(tail, segments, shared.buffers());
        turns = new ImageTurns();
        reader = new BlockReader(index, images, log);
        long limit = metadata.current().switches().applyLimit();
        long mayBeApplied =
                Math.min(end, Math.max(limit, metadata.current().checkpoint().position()));
        feed = new IndexFeed(index, log, Math.min(entered, mayBeApplied), mayBeApplied, reports);
        feed.limit(limit);
        writeBack = new WriteBack(index, images, log, turns, ports, reports);
        checkpointer =
                new Checkpointer(
                        tail,
                        segments,
                        metadata,
                        links,
                        images,
                        feed,
                        writeBack,
                        reader,
                        reports::needed,
                        reports);
        exports =
                new ResourceExports(
                        identity.resourceName(),
                        ports.shard(),
                        ports.clock(),
                        shared.exports(),
                        reader,
                        index,
                        images);
    }

    /** From now on {@code owner} runs them, and nobody else hears of them. */
    void handTo(Owner owner) {
        reports.to(owner);
    }

    /**
     * Stops all of it and closes the files; {@code done} runs when nothing of it can touch them any
     * more. Nothing is reported from now on.
     */
    void stop(String reason, Runnable done) {
        reports.to(null);
        exports.close(reason);
        checkpointer.stop();
        writeBack.stop();
        feed.stop();
        reader.fail(new IoFailure(IoFailure.Kind.CLOSED, reason));
        writer.stop(() ->
                turns.take(() -> {
                    tail.close();
                    images.close();
                    index.clear();
                    segments.close(done);
                }));
    }
}
