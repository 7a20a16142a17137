// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.export.Attachment;
import storage.mars.engine.export.ExportInfo;
import storage.mars.engine.export.Exports;

/**
 * One attempt to enter the transmission phase by GO or EXPORT_NAME (or to ask by INFO). {@link
 * #attach} and {@link #start} run on the shard of the export.
 */
final class ExportEntry {

    private static final Logger LOGGER = LoggerFactory.getLogger(ExportEntry.class);

    /** The option, what it asks about, and what was agreed on before it. */
    record Request(int option, List<Integer> infos, boolean zeroes, Negotiated negotiated) {}

    private final ServerParts server;
    private final Channel channel;
    private final OptionReplies replies;
    private final Exports.Target target;
    private final Request request;
    private @Nullable Attachment attachment;

    ExportEntry(
            ServerParts server,
            Channel channel,
            OptionReplies replies,
            Exports.Target target,
            Request request) {
        this.server = server;
        this.channel = channel;
        this.replies = replies;
        this.target = target;
        this.request = request;
    }

    Channel channel() {
        return channel;
    }

    Exports.Target target() {
        return target;
    }

    /** EXPORT_NAME cannot be refused otherwise. */
    boolean hasToEnd() {
        return request.option() == Nbd.OPT_EXPORT_NAME;
    }

    /** Answers INFO and GO about {@code export}. */
    void describe(ExportInfo export) {
        int option = request.option();
        replies.exportInfo(option, export, flags(export));
        if (request.infos().contains(Nbd.INFO_NAME)) {
            replies.textInfo(option, Nbd.INFO_NAME, export.name());
        }
        if (request.infos().contains(Nbd.INFO_DESCRIPTION)) {
            replies.textInfo(option, Nbd.INFO_DESCRIPTION, target.description());
        }
        if (request.infos().contains(Nbd.INFO_BLOCK_SIZE)) {
            replies.blockSizes(option, server.limits().requests().payloadBytes());
        }
        replies.ack(option);
    }

    private int flags(ExportInfo export) {
        return TransmissionFlags.of(
                export, server.manners().rotational(), request.negotiated().structuredReplies());
    }

    /** Attaches; null when that was refused, which the client has been told. */
    @Nullable Transmission attach(Inbound inbound) {
        ExportInfo export = target.info();
        ShardMemory memory = server.memoryOf(channel.eventLoop(), channel.alloc());
        PayloadBudget.Share share = memory.budget().join(export.name());
        Transmission transmission =
                new Transmission(
                        new TransmissionParts(
                                channel,
                                inbound,
                                export,
                                request.negotiated(),
                                server.limits(),
                                memory,
                                share));
        String refusal = tryToAttach(share, transmission);
        if (refusal == null) {
            return transmission;
        }
        memory.budget().leave(export.name(), share);
        return null;
    }

    private @Nullable String tryToAttach(PayloadBudget.Share share, Transmission transmission) {
        if (share.connections() > server.limits().clients().perExport()) {
            return refuse(Nbd.REP_ERR_POLICY, "too many connections to this export");
        }
        return switch (target.attach(Channels.nameOf(channel), transmission)) {
            case Exports.Attached.Refused refused -> refuse(Nbd.REP_ERR_POLICY, refused.reason());
            case Exports.Attached.Accepted accepted -> {
                if (!server.connections().transmits(channel)) {
                    accepted.attachment().close();
                    yield refuse(Nbd.REP_ERR_SHUTDOWN, "the server is stopping");
                }
                attachment = accepted.attachment();
                yield null;
            }
        };
    }

    private String refuse(int code, String reason) {
        LOGGER.info(
                "{} may not use {}: {}", Channels.nameOf(channel), target.info().name(), reason);
        if (!hasToEnd()) {
            replies.error(request.option(), code, reason);
        }
        return reason;
    }

    /**
     * Tells the client that it is in, and lets {@code transmission} take over from {@code
     * handshake}.
     */
    void start(
            ChannelHandler handshake,
            Transmission transmission,
            ByteBuf pipelined,
            boolean inputEnded) {
        Attachment held = attachment;
        if (held == null) {
            throw new IllegalStateException("not attached");
        }
        if (hasToEnd()) {
            replies.exportName(held.info(), flags(held.info()), request.zeroes());
        } else {
            describe(held.info());
        }
        channel.flush();
        channel.pipeline().replace(handshake, NbdServer.TRANSMISSION, transmission);
        transmission.start(held, pipelined, inputEnded);
    }
}
