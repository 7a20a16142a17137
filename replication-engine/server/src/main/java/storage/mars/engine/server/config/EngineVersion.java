// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.config;

import picocli.CommandLine.IVersionProvider;

/** The version that the build has written into the jar. */
final class EngineVersion implements IVersionProvider {

    @Override
    public String[] getVersion() {
        String version = EngineVersion.class.getPackage().getImplementationVersion();
        return new String[] {"mars-engine " + (version == null ? "(not packaged)" : version)};
    }
}
