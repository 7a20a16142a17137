// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.QuarkusApplication;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.server.config.EngineSettings;

/**
 * The engine within Quarkus: starts when the control and HTTP servers stand and stops before they
 * do, so that they tell its state from beginning to end.
 */
public final class EngineApplication implements QuarkusApplication {

    private static final Logger LOGGER = LoggerFactory.getLogger(EngineApplication.class);

    @Override
    public int run(String... arguments) {
        Launch launch = MarsEngine.launch();
        EngineSettings settings = launch.settings();
        EngineLifecycle lifecycle = new EngineLifecycle(settings, launch.directory());
        try {
            lifecycle.start();
            LOGGER.info(
                    "Engine {} runs: data in {}, peers at {}, control at {}, http at {}",
                    settings.name(),
                    settings.dataDirectory(),
                    settings.peer(),
                    settings.control(),
                    settings.http());
            Quarkus.waitForExit();
            LOGGER.info("Engine {} stops", settings.name());
            return 0;
        } catch (StartRefusedException e) {
            LOGGER.error("Engine {} does not start: {}", settings.name(), e.getMessage());
            return 1;
        } finally {
            lifecycle.stop();
        }
    }
}
