// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import io.micrometer.core.instrument.MeterRegistry;
import io.prometheus.client.CollectorRegistry;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.QuarkusApplication;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.server.config.EngineSettings;
import storage.mars.engine.server.observe.EngineHealth;
import storage.mars.engine.server.observe.EngineMeters;
import storage.mars.engine.server.observe.ObservedEngine;

/**
 * The engine within Quarkus: starts when the HTTP server stands and stops before it does, so that
 * health tells its state from beginning to end.
 */
public final class EngineApplication implements QuarkusApplication {

    private static final Logger LOGGER = LoggerFactory.getLogger(EngineApplication.class);

    private final MeterRegistry registry;
    private final CollectorRegistry collectors;
    private final EngineHealth health;

    EngineApplication(MeterRegistry registry, CollectorRegistry collectors, EngineHealth health) {
        this.registry = registry;
        this.collectors = collectors;
        this.health = health;
    }

    @Override
    public int run(String... arguments) {
        Launch launch = MarsEngine.launch();
        EngineSettings settings = launch.settings();
        EngineLifecycle lifecycle = new EngineLifecycle(settings, launch.directory());
        try {
            ObservedEngine engine = lifecycle.start();
            EngineMeters.bind(registry, collectors, engine);
            health.ready(engine);
            LOGGER.info(
                    "Engine {} runs: data in {}, peers at {}, control at {}, http at {}",
                    settings.name(),
                    settings.dataDirectory(),
                    settings.peer(),
                    settings.control(),
                    settings.http());
            Quarkus.waitForExit();
            LOGGER.info("Engine {} stops", settings.name());
            health.ready(null);
            return 0;
        } catch (StartRefusedException e) {
            LOGGER.error("Engine {} does not start: {}", settings.name(), e.getMessage());
            return 1;
        } finally {
            lifecycle.stop();
        }
    }
}
