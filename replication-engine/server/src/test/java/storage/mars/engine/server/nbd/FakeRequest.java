// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import storage.mars.engine.export.BlockRequest;
import storage.mars.engine.export.Outcome;

/** Reaches the engine's side of a request from this package. */
record FakeRequest(RequestSlot slot) {

    static FakeRequest of(BlockRequest request) {
        return new FakeRequest((RequestSlot) request);
    }

    void taken() {
        slot.payloadTaken();
    }

    void complete(Outcome outcome) {
        slot.completed(outcome);
    }
}
