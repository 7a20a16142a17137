// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.config;

import picocli.CommandLine.IVersionProvider;

/** The version that the build has written into the jar. */
public final class EngineVersion implements IVersionProvider {

    @Override
    public String[] getVersion() {
        return new String[] {"mars-engine " + number()};
    }

    /** Such as {@code 0.1.0}. */
    public static String number() {
        String version = EngineVersion.class.getPackage().getImplementationVersion();
        return version == null ? "(not packaged)" : version;
    }
}
