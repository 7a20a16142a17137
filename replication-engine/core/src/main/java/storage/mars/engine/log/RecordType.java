// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import org.jspecify.annotations.Nullable;

/** What a record says; the codes are part of the format (docs/format/log.md) and never reused. */
public enum RecordType {
    /** Payload replaces a range of a volume. */
    WRITE(1, Family.DATA),
    /** A range reads as zero from now on, its space may be given back. */
    TRIM(2, Family.DATA),
    /** A range reads as zero from now on. */
    ZERO(3, Family.DATA),
    RESIZE(16, Family.SHAPE),
    ADD_VOLUME(17, Family.SHAPE),
    /** A new epoch starts with the frame of this record. */
    EPOCH(32, Family.CONTROL),
    /** The writer ends its writership for the replica named in it. */
    END(33, Family.CONTROL),
    MARK(34, Family.CONTROL),
    PUBLISH(35, Family.CONTROL),
    REVOKE(36, Family.CONTROL),
    ATTACH(37, Family.CONTROL),
    DETACH(38, Family.CONTROL),
    MEMBER(39, Family.CONTROL);

    /**
     * Which rules apply: data and shape records make a lost tail a branch, control records alone do
     * not.
     */
    public enum Family {
        DATA,
        SHAPE,
        CONTROL
    }

    private static final @Nullable RecordType[] BY_CODE = new RecordType[64];

    static {
        for (RecordType type : values()) {
            BY_CODE[type.code] = type;
        }
    }

    private final byte code;
    private final Family family;

    RecordType(int code, Family family) {
        this.code = (byte) code;
        this.family = family;
    }

    public byte code() {
        return code;
    }

    public Family family() {
        return family;
    }

    /** The type of that code, null when this version does not know it. */
    public static @Nullable RecordType of(byte code) {
        return code < 0 || code >= BY_CODE.length ? null : BY_CODE[code];
    }
}
