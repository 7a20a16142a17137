// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import storage.mars.engine.export.ExportInfo;

/**
 * Which requests are refused before the engine sees them, and with which code. The first violation
 * decides: command, flags, negotiation, read-only, length, range.
 */
final class RequestRules {

    private final long size;
    private final boolean readOnly;
    private final Negotiated negotiated;
    private final int maxPayload;

    RequestRules(ExportInfo export, Negotiated negotiated, int maxPayload) {
        this.size = export.sizeBytes();
        this.readOnly = export.readOnly();
        this.negotiated = negotiated;
        this.maxPayload = maxPayload;
    }

    /** The code to answer with, or {@link NbdErrors#NONE}. */
    int violation(RequestHeader request) {
        int allowed = allowedFlags(request.type);
        if (allowed < 0 || (request.flags & ~allowed) != 0) {
            return NbdErrors.EINVAL;
        }
        return switch (request.type) {
            case Nbd.CMD_READ -> read(request);
            case Nbd.CMD_WRITE -> write(request);
            case Nbd.CMD_WRITE_ZEROES -> zeroes(request);
            case Nbd.CMD_TRIM -> readOnly ? NbdErrors.EPERM : inside(request, NbdErrors.EINVAL);
            case Nbd.CMD_CACHE -> inside(request, NbdErrors.EINVAL);
            case Nbd.CMD_BLOCK_STATUS -> blockStatus(request);
            default -> NbdErrors.NONE;
        };
    }

    /**
     * FUA is accepted on every command, as clients send it on any; -1 for a command that does not
     * exist.
     */
    private int allowedFlags(int type) {
        return switch (type) {
            case Nbd.CMD_WRITE, Nbd.CMD_FLUSH, Nbd.CMD_TRIM, Nbd.CMD_CACHE -> Nbd.CMD_FLAG_FUA;
            case Nbd.CMD_READ ->
                    negotiated.structuredReplies()
                            ? Nbd.CMD_FLAG_FUA | Nbd.CMD_FLAG_DF
                            : Nbd.CMD_FLAG_FUA;
            case Nbd.CMD_WRITE_ZEROES ->
                    Nbd.CMD_FLAG_FUA | Nbd.CMD_FLAG_NO_HOLE | Nbd.CMD_FLAG_FAST_ZERO;
            case Nbd.CMD_BLOCK_STATUS -> Nbd.CMD_FLAG_FUA | Nbd.CMD_FLAG_REQ_ONE;
            default -> -1;
        };
    }

    private int read(RequestHeader request) {
        if (request.length > maxPayload) {
            return negotiated.structuredReplies() ? NbdErrors.EOVERFLOW : NbdErrors.EINVAL;
        }
        return inside(request, NbdErrors.EINVAL);
    }

    private int write(RequestHeader request) {
        if (readOnly) {
            return NbdErrors.EPERM;
        }
        return request.length > maxPayload ? NbdErrors.EINVAL : inside(request, NbdErrors.ENOSPC);
    }

    private int zeroes(RequestHeader request) {
        return readOnly ? NbdErrors.EPERM : inside(request, NbdErrors.ENOSPC);
    }

    private int blockStatus(RequestHeader request) {
        if (!negotiated.blockStatus() || request.length == 0) {
            return NbdErrors.EINVAL;
        }
        return inside(request, NbdErrors.EINVAL);
    }

    /** Offsets are unsigned on the wire; no sum here can wrap. */
    private int inside(RequestHeader request, int otherwise) {
        boolean inside =
                request.offset >= 0
                        && request.offset <= size
                        && request.length <= size - request.offset;
        return inside ? NbdErrors.NONE : otherwise;
    }
}
