// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.api.RefusalTrailer;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.api.v1.WatchReplicasRequest;
import storage.mars.engine.cli.unit.TimeSpan;

/** Follows one replica until it reaches a goal, also while its engine is away for a moment. */
final class ReplicaFollower {

    private static final TimeSpan LOOK_EVERY = TimeSpan.ofSeconds(0.2);

    private final EngineClient engine;
    private final String resource;
    private final TimeSpan timeout;
    private final Deadline deadline;
    private @Nullable Replica last;

    ReplicaFollower(EngineClient engine, String resource, TimeSpan timeout) {
        this.engine = engine;
        this.resource = resource;
        this.timeout = timeout;
        this.deadline = Deadline.after(timeout.duration().toMillis(), TimeUnit.MILLISECONDS);
    }

    /**
     * @throws CommandFailure when the time is over, or when waiting longer is of no use
     */
    Replica until(Goal goal, String goalName) {
        while (!deadline.isExpired()) {
            Optional<Replica> reached = follow(goal);
            if (reached.isPresent()) {
                return reached.get();
            }
            LockSupport.parkNanos(LOOK_EVERY.duration().toNanos());
        }
        Replica seen = last;
        throw seen == null
                ? CallFailure.notReached(engine.address(), "it did not answer within " + timeout)
                : timedOut(seen, goal, goalName);
    }

    private Optional<Replica> follow(Goal goal) {
        var request =
                WatchReplicasRequest.newBuilder()
                        .setName(resource)
                        .setInterval(WireDuration.of(LOOK_EVERY))
                        .build();
        try {
            var events = engine.watch(request, deadline);
            while (events.hasNext()) {
                var event = events.next();
                if (event.hasRemoved()) {
                    throw gone();
                }
                if (event.hasReplica()) {
                    last = event.getReplica();
                    if (goal.reachedBy(event.getReplica())) {
                        return Optional.of(event.getReplica());
                    }
                }
            }
        } catch (StatusRuntimeException failure) {
            if (!passes(failure)) {
                throw engine.failure(failure);
            }
        }
        return Optional.empty();
    }

    /** A restarting engine cuts the stream; one that refuses has an opinion. */
    private static boolean passes(StatusRuntimeException failure) {
        var code = failure.getStatus().getCode();
        return RefusalTrailer.of(failure).isEmpty()
                && (code == Status.Code.UNAVAILABLE || code == Status.Code.DEADLINE_EXCEEDED);
    }

    private CommandFailure gone() {
        return new CommandFailure(
                ExitCode.REFUSED,
                resource + " is no longer on this engine",
                "it was left or deleted during the wait",
                engine.address().addressed("marsadm status"));
    }

    private CommandFailure timedOut(Replica seen, Goal goal, String goalName) {
        return new CommandFailure(
                ExitCode.TIMED_OUT,
                "%s on %s is not %s after %s"
                        .formatted(resource, seen.getReplica(), goalName, timeout),
                goal.missing(seen),
                engine.address().addressed("marsadm status " + resource));
    }
}
