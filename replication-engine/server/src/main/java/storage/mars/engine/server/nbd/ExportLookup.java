// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.ExportInfo;
import storage.mars.engine.export.Exports;

/**
 * Finds exports by the names that clients give: "RESOURCE/VOLUME", or nothing for the only one that
 * there is. Behind "@incarnation=" a client names the incarnation that it knows, in hex, and gets
 * no other: so it cannot come back by itself to an export that lacks what it was acknowledged
 * before. Callable from any thread.
 */
final class ExportLookup {

    private static final Pattern PINNED =
            Pattern.compile("(?<export>.*)@incarnation=(?<id>[0-9a-fA-F]{1,16})", Pattern.DOTALL);

    /** What came of it. */
    sealed interface Found {

        record Export(Exports.Target target) implements Found {}

        /** Nothing has that name now. */
        record Nothing() implements Found {}

        /** {@code reason} is a line for the operator. */
        record OtherIncarnation(String reason) implements Found {}
    }

    private static final Found NOTHING = new Found.Nothing();

    private final Exports exports;

    ExportLookup(Exports exports) {
        this.exports = exports;
    }

    Found find(String name) {
        Matcher pinned = PINNED.matcher(name);
        if (!pinned.matches()) {
            Exports.Target target = named(name);
            return target == null ? NOTHING : new Found.Export(target);
        }
        Exports.Target target = named(pinned.group("export"));
        if (target == null) {
            return NOTHING;
        }
        long known = Long.parseUnsignedLong(pinned.group("id"), 16);
        return target.info().incarnation() == known
                ? new Found.Export(target)
                : new Found.OtherIncarnation(reason(target.info(), known));
    }

    private static String reason(ExportInfo export, long known) {
        return export.name()
                + " is of incarnation "
                + export.incarnationText()
                + " now, not "
                + ExportInfo.incarnationText(known)
                + ": data that was acknowledged before may be gone. Detach, then attach anew";
    }

    /** The empty name is the default export: the only one there is. */
    private Exports.@Nullable Target named(String name) {
        if (!name.isEmpty()) {
            return exports.find(name);
        }
        List<Exports.Listed> all = exports.list();
        return all.size() == 1 ? exports.find(all.getFirst().name()) : null;
    }
}
