// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import java.nio.ByteBuffer;

/**
 * Looks ahead in a stream that the peer has ended: does it end with NBD_CMD_DISC? Follows requests
 * and payloads as {@link RequestDecoder} does, but consumes and admits nothing.
 */
final class FarewellScan {

    private final ByteBuffer bytes = ByteBuffer.allocate(Nbd.REQUEST_BYTES);
    private final RequestHeader header = new RequestHeader();
    private long skip;
    private boolean found;
    private boolean lost;

    /** The next {@code count} bytes are payload. */
    void skip(long count) {
        skip = count;
    }

    void look(ByteBuffer next) {
        while (next.hasRemaining() && !found && !lost) {
            if (skip > 0) {
                int count = (int) Math.min(skip, next.remaining());
                next.position(next.position() + count);
                skip -= count;
            } else {
                headerByte(next.get());
            }
        }
    }

    boolean found() {
        return found;
    }

    private void headerByte(byte next) {
        bytes.put(next);
        if (bytes.hasRemaining()) {
            return;
        }
        bytes.clear();
        header.parse(bytes);
        lost = !header.hasMagic();
        found = !lost && header.type == Nbd.CMD_DISC;
        skip = header.payloadLength();
    }
}
