// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import storage.mars.engine.api.v1.EngineControlGrpc;
import storage.mars.engine.api.v1.EngineControlGrpc.EngineControlBlockingStub;
import storage.mars.engine.api.v1.WatchReplicasRequest;
import storage.mars.engine.api.v1.WatchReplicasResponse;

/**
 * One engine as the verbs see it: every call ends in time, with an answer or a failure to print.
 */
final class EngineClient implements AutoCloseable {

    /** For calls that look something up: longer than the engine takes to say that it cannot. */
    static final Duration LOOKUP = Duration.ofSeconds(15);

    /** For calls that change something: as long as the engine waits, and a little more. */
    static final Duration CHANGE = Duration.ofSeconds(130);

    private final EngineAddress address;
    private final ManagedChannel channel;
    private final EngineControlBlockingStub stub;

    EngineClient(EngineAddress address, EngineDialer dialer) {
        this.address = address;
        this.channel = dialer.dial(address);
        this.stub = EngineControlGrpc.newBlockingStub(channel);
    }

    EngineAddress address() {
        return address;
    }

    /**
     * @throws CommandFailure with what the engine answered, or that it did not
     */
    <T> T call(Duration patience, Function<EngineControlBlockingStub, T> call) {
        try {
            return call.apply(stub.withDeadlineAfter(patience.toMillis(), TimeUnit.MILLISECONDS));
        } catch (StatusRuntimeException failure) {
            throw failure(failure);
        }
    }

    /** Follows an engine that runs, until it ends the stream. */
    Iterator<WatchReplicasResponse> watch(WatchReplicasRequest request) {
        return stub.watchReplicas(request);
    }

    /** Follows an engine that may still have to start, until the deadline. */
    Iterator<WatchReplicasResponse> watch(WatchReplicasRequest request, Deadline deadline) {
        return stub.withWaitForReady().withDeadline(deadline).watchReplicas(request);
    }

    CommandFailure failure(StatusRuntimeException failure) {
        return CallFailure.of(failure, address);
    }

    /** Ends what is still under way. What has not ended after a second ends with the process. */
    @Override
    public void close() {
        channel.shutdownNow();
        try {
            channel.awaitTermination(1, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
