// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.observe;

import jakarta.inject.Singleton;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Liveness;
import org.eclipse.microprofile.health.Readiness;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.replica.ReplicaStatus;

/** Whether the engine should be restarted, and whether it can be used. */
@Singleton
public final class EngineHealth {

    private static final long SHARD_SECONDS = 5;

    /** Less than any probe waits. */
    private static final long STATES_MILLIS = 200;

    private volatile @Nullable ObservedEngine engine;

    /** All resources are loaded and all listeners stand; null when that is over. */
    public void ready(@Nullable ObservedEngine running) {
        engine = running;
    }

    /** A shard that does not answer never will: nothing on it may block. */
    HealthCheckResponse alive() {
        ObservedEngine running = engine;
        boolean up = running == null || answers(running);
        return HealthCheckResponse.named("shards answer").status(up).build();
    }

    private static boolean answers(ObservedEngine running) {
        try {
            CompletableFuture<?> answer = running.replicas().answer();
            answer.orTimeout(SHARD_SECONDS, TimeUnit.SECONDS).join();
            return true;
        } catch (CompletionException e) {
            return false;
        }
    }

    HealthCheckResponse loaded() {
        ObservedEngine running = engine;
        HealthCheckResponseBuilder answer =
                HealthCheckResponse.named("resources loaded").status(running != null);
        if (running != null) {
            notReady(running).forEach(answer::withData);
        }
        return answer.build();
    }

    /**
     * State of each replica that is not as wanted: for people, it makes nothing unready, nor does
     * it wait for a shard that hangs.
     */
    private static Map<String, String> notReady(ObservedEngine running) {
        try {
            return running
                    .replicas()
                    .statuses()
                    .orTimeout(STATES_MILLIS, TimeUnit.MILLISECONDS)
                    .join()
                    .stream()
                    .filter(EngineHealth::isTroubled)
                    .collect(Collectors.toMap(ReplicaStatus::name, ReplicaStatus::state));
        } catch (CompletionException e) {
            return Map.of("resources", "not known: a shard does not answer");
        }
    }

    private static boolean isTroubled(ReplicaStatus status) {
        return status.conditions().stream()
                .anyMatch(condition -> condition.type().equals("Ready") && !condition.ok());
    }

    /** Asked at {@code /q/health/live}. */
    @Liveness
    @Singleton
    static final class Alive implements HealthCheck {

        private final EngineHealth health;

        Alive(EngineHealth health) {
            this.health = health;
        }

        @Override
        public HealthCheckResponse call() {
            return health.alive();
        }
    }

    /** Asked at {@code /q/health/ready}. */
    @Readiness
    @Singleton
    static final class Loaded implements HealthCheck {

        private final EngineHealth health;

        Loaded(EngineHealth health) {
            this.health = health;
        }

        @Override
        public HealthCheckResponse call() {
            return health.loaded();
        }
    }
}
