// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.api;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoUtils;
import java.util.Optional;
import storage.mars.engine.api.v1.Refusal;

/** How a {@link Refusal} travels: as the trailer beside a gRPC status. Stateless. */
public final class RefusalTrailer {

    /** {@code mars.engine.v1.Refusal-bin}. */
    public static final Metadata.Key<Refusal> KEY =
            ProtoUtils.keyForProto(Refusal.getDefaultInstance());

    private RefusalTrailer() {}

    /** The answer of a server that refuses: status, one-line description and trailer agree. */
    public static StatusRuntimeException asException(Status.Code code, Refusal refusal) {
        var trailers = new Metadata();
        trailers.put(KEY, refusal);
        return code.toStatus().withDescription(line(refusal)).asRuntimeException(trailers);
    }

    /** The refusal that came with a failed call; empty when the failure was none. */
    public static Optional<Refusal> of(StatusRuntimeException failure) {
        return Optional.ofNullable(failure.getTrailers()).map(trailers -> trailers.get(KEY));
    }

    /** What, why and the next command in one line; parts that are empty are left out. */
    public static String line(Refusal refusal) {
        var line = new StringBuilder(refusal.getMessage());
        if (!refusal.getReason().isEmpty()) {
            line.append("; ").append(refusal.getReason());
        }
        if (!refusal.getNextCommand().isEmpty()) {
            line.append("; next: ").append(refusal.getNextCommand());
        }
        return line.toString();
    }
}
