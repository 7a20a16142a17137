// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

/** What the handshake has agreed on and the transmission phase needs. */
record Negotiated(boolean structuredReplies, boolean blockStatus) {}
