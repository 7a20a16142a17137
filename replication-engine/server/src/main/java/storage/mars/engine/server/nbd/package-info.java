// SPDX-License-Identifier: Apache-2.0
/**
 * The NBD protocol: handshake, transmission and its limits.
 *
 * <p>A connection begins with {@link storage.mars.engine.server.nbd.Handshake} on any event loop.
 * GO makes an {@link storage.mars.engine.server.nbd.ExportEntry}; a {@link
 * storage.mars.engine.server.nbd.ShardMove} carries the channel to the shard of the resource, where
 * {@link storage.mars.engine.server.nbd.Transmission} takes over for good.
 *
 * <p>A WRITE: the transport reads into a {@link storage.mars.engine.server.nbd.ReceiveBlock} that
 * {@link storage.mars.engine.server.nbd.Inbound} chose; {@code Transmission.channelRead} gives it
 * to {@link storage.mars.engine.server.nbd.Intake}, which decodes ({@link
 * storage.mars.engine.server.nbd.RequestDecoder}), checks ({@link
 * storage.mars.engine.server.nbd.RequestRules}), reserves ({@link
 * storage.mars.engine.server.nbd.PayloadBudget}) and calls {@code Attachment.submit} with a {@link
 * storage.mars.engine.server.nbd.RequestSlot}, whose data is a view of the block. The outcome comes
 * back to {@link storage.mars.engine.server.nbd.Answers}, and {@link
 * storage.mars.engine.server.nbd.ReplyWriter} sends the replies of a batch together.
 */
@NullMarked
package storage.mars.engine.server.nbd;

import org.jspecify.annotations.NullMarked;
