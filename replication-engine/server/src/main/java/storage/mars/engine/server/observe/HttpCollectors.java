// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.observe;

import io.prometheus.client.CollectorRegistry;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

/** What is scraped at {@code /q/metrics}: one registry, where Quarkus makes one for each user. */
@Singleton
public final class HttpCollectors {

    /** With a check that no name is registered twice. */
    @Produces
    @Singleton
    CollectorRegistry collectors() {
        return new CollectorRegistry(true);
    }
}
