// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

import storage.mars.engine.export.BlockRequest.Op;

/**
 * A client's hold on one volume: checks each request against the volume, then passes it on. Owned
 * by the shard.
 */
final class ClientAttachment implements Attachment {

    private final ResourceExports exports;
    private final ExportInfo info;
    private final int volume;
    private final String client;
    private final AttachmentListener listener;
    private boolean closed;

    ClientAttachment(
            ResourceExports exports,
            ExportInfo info,
            int volume,
            String client,
            AttachmentListener listener) {
        this.exports = exports;
        this.info = info;
        this.volume = volume;
        this.client = client;
        this.listener = listener;
    }

    @Override
    public ExportInfo info() {
        return info;
    }

    int volume() {
        return volume;
    }

    String client() {
        return client;
    }

    boolean isClosed() {
        return closed;
    }

    AttachmentListener listener() {
        return listener;
    }

    @Override
    public void submit(BlockRequest request) {
        request.traffic = exports.traffic();
        request.attachment = this;
        if (closed) {
            request.end(Outcome.CLOSED);
            return;
        }
        Outcome refusal = check(request);
        if (refusal != Outcome.OK) {
            request.end(refusal);
            return;
        }
        exports.accept(request, volume);
    }

    @Override
    public void refused() {
        exports.traffic().refused();
    }

    private Outcome check(BlockRequest request) {
        boolean writes = request.op == Op.WRITE || request.op == Op.TRIM || request.op == Op.ZERO;
        if (writes && info.readOnly()) {
            return Outcome.READ_ONLY;
        }
        if (request.op == Op.FLUSH) {
            return Outcome.OK;
        }
        boolean inside =
                request.offset >= 0
                        && request.length >= 0
                        && request.offset <= info.sizeBytes()
                        && request.length <= info.sizeBytes() - request.offset;
        if (inside) {
            return Outcome.OK;
        }
        return request.op == Op.WRITE || request.op == Op.ZERO
                ? Outcome.BEYOND_END
                : Outcome.INVALID;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            exports.detached(this);
        }
    }

    /**
     * The export ends, for whatever reason: the client is told, and nothing more is taken from it.
     */
    void end(String reason) {
        if (!closed) {
            closed = true;
            listener.exportClosing(reason);
        }
    }
}
