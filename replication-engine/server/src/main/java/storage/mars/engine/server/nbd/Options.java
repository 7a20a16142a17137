// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.export.Exports;

/**
 * What each option of the handshake means, and what was agreed on so far. A method that returns
 * false has left nothing to say: the connection ends. Used on the connection's event loop.
 */
final class Options {

    private static final Logger LOGGER = LoggerFactory.getLogger(Options.class);

    private final ServerParts server;
    private final Channel channel;
    private final Consumer<ExportEntry> enter;
    private final ExportLookup lookup;
    private final OptionReplies replies;
    private boolean fixedNewstyle;
    private boolean zeroes;
    private boolean structuredReplies;

    /** The export for which base:allocation was selected. */
    private @Nullable String contextExport;

    Options(ServerParts server, Channel channel, Consumer<ExportEntry> enter) {
        this.server = server;
        this.channel = channel;
        this.enter = enter;
        this.lookup = new ExportLookup(server.exports());
        this.replies = new OptionReplies(channel);
    }

    OptionReplies replies() {
        return replies;
    }

    boolean clientFlags(int flags) {
        fixedNewstyle = (flags & Nbd.FLAG_FIXED_NEWSTYLE) != 0;
        zeroes = (flags & Nbd.FLAG_NO_ZEROES) == 0;
        return (flags & ~(Nbd.FLAG_FIXED_NEWSTYLE | Nbd.FLAG_NO_ZEROES)) == 0;
    }

    boolean answer(Received.Option option) {
        int id = option.id();
        ByteBuf data = option.data();
        if (id == Nbd.OPT_EXPORT_NAME) {
            return exportName(data);
        }
        if (!fixedNewstyle) {
            return false;
        }
        if (id == Nbd.OPT_ABORT) {
            replies.ack(id);
            return false;
        }
        if (server.connections().stopping()) {
            replies.error(id, Nbd.REP_ERR_SHUTDOWN, "the server is stopping");
            return true;
        }
        switch (id) {
            case Nbd.OPT_LIST -> list(data);
            case Nbd.OPT_INFO, Nbd.OPT_GO -> infoOrGo(id, data);
            case Nbd.OPT_STRUCTURED_REPLY -> structuredReply(data);
            case Nbd.OPT_LIST_META_CONTEXT, Nbd.OPT_SET_META_CONTEXT -> metaContext(id, data);
            case Nbd.OPT_STARTTLS ->
                    replies.error(id, Nbd.REP_ERR_POLICY, "TLS is not configured on this server");
            default -> replies.error(id, Nbd.REP_ERR_UNSUP, "option " + id + " is not supported");
        }
        return true;
    }

    boolean tooLong(int id) {
        if (id == Nbd.OPT_EXPORT_NAME || !fixedNewstyle) {
            return false;
        }
        if (id == Nbd.OPT_ABORT) {
            replies.ack(id);
            return false;
        }
        boolean known = id >= Nbd.OPT_LIST && id <= Nbd.OPT_SET_META_CONTEXT && id != 4;
        replies.error(
                id,
                known ? Nbd.REP_ERR_TOO_BIG : Nbd.REP_ERR_UNSUP,
                known ? "option data is too long" : "option " + id + " is not supported");
        return true;
    }

    /** This option has no way to say no. */
    private boolean exportName(ByteBuf data) {
        String name = WireStrings.read(data, data.readableBytes());
        Exports.Target target = name == null ? null : found(lookup.find(name));
        if (target == null || server.connections().stopping()) {
            return false;
        }
        enter.accept(entry(Nbd.OPT_EXPORT_NAME, target, List.of(), false));
        return true;
    }

    private void list(ByteBuf data) {
        if (data.isReadable()) {
            replies.error(Nbd.OPT_LIST, Nbd.REP_ERR_INVALID, "LIST has no data");
            return;
        }
        if (!server.manners().listed()) {
            replies.error(
                    Nbd.OPT_LIST, Nbd.REP_ERR_POLICY, "this server does not list its exports");
            return;
        }
        for (Exports.Listed export : server.exports().list()) {
            replies.server(Nbd.OPT_LIST, export.name(), export.description());
        }
        replies.ack(Nbd.OPT_LIST);
    }

    private void infoOrGo(int id, ByteBuf data) {
        ExportQuery query = ExportQuery.parse(data);
        if (query == null) {
            replies.error(id, Nbd.REP_ERR_INVALID, "the lengths in the option do not match");
            return;
        }
        Exports.Target target = findOrAnswer(id, query.name());
        if (target == null) {
            return;
        }
        boolean contexts = query.name().equals(contextExport);
        ExportEntry entry = entry(id, target, List.copyOf(query.infos()), contexts);
        if (id == Nbd.OPT_GO) {
            enter.accept(entry);
        } else {
            entry.describe(target.info());
        }
    }

    private ExportEntry entry(
            int id, Exports.Target target, List<Integer> infos, boolean contexts) {
        return new ExportEntry(
                server,
                channel,
                replies,
                target,
                new ExportEntry.Request(
                        id, infos, zeroes, new Negotiated(structuredReplies, contexts)));
    }

    private void structuredReply(ByteBuf data) {
        int id = Nbd.OPT_STRUCTURED_REPLY;
        if (data.isReadable()) {
            replies.error(id, Nbd.REP_ERR_INVALID, "STRUCTURED_REPLY has no data");
        } else if (structuredReplies) {
            replies.error(id, Nbd.REP_ERR_INVALID, "structured replies are agreed on already");
        } else {
            structuredReplies = true;
            replies.ack(id);
        }
    }

    private void metaContext(int id, ByteBuf data) {
        boolean set = id == Nbd.OPT_SET_META_CONTEXT;
        if (set) {
            contextExport = null;
        }
        if (set && !structuredReplies) {
            replies.error(id, Nbd.REP_ERR_INVALID, "contexts need structured replies");
            return;
        }
        MetaContextQuery query = MetaContextQuery.parse(data);
        if (query == null) {
            replies.error(id, Nbd.REP_ERR_INVALID, "the lengths in the option do not match");
        } else if (findOrAnswer(id, query.export()) != null) {
            contexts(id, query);
        }
    }

    private void contexts(int id, MetaContextQuery query) {
        if (query.tooMany()) {
            replies.error(id, Nbd.REP_ERR_TOO_BIG, "too many queries");
            return;
        }
        boolean set = id == Nbd.OPT_SET_META_CONTEXT;
        if (set ? query.selects() : query.lists()) {
            replies.metaContext(id, set ? Nbd.BASE_ALLOCATION_ID : 0, Nbd.BASE_ALLOCATION);
            contextExport = set ? query.export() : contextExport;
        }
        replies.ack(id);
    }

    /** The export of that name; null when it may not be had, which the client has been told. */
    private Exports.@Nullable Target findOrAnswer(int id, String name) {
        ExportLookup.Found found = lookup.find(name);
        if (found instanceof ExportLookup.Found.Nothing) {
            replies.error(
                    id, Nbd.REP_ERR_UNKNOWN, "no export '" + WireStrings.shown(name) + "' here");
        } else if (found instanceof ExportLookup.Found.OtherIncarnation other) {
            replies.error(id, Nbd.REP_ERR_POLICY, other.reason());
        }
        return found(found);
    }

    private Exports.@Nullable Target found(ExportLookup.Found found) {
        return switch (found) {
            case ExportLookup.Found.Export export -> export.target();
            case ExportLookup.Found.Nothing nothing -> null;
            case ExportLookup.Found.OtherIncarnation other -> {
                LOGGER.info("Refusing {}: {}", Channels.nameOf(channel), other.reason());
                yield null;
            }
        };
    }
}
