// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import storage.mars.engine.server.config.EngineSettings;
import storage.mars.engine.server.io.DataDirectory;
import storage.mars.engine.server.io.UnusableDirectoryException;

/** What is settled before Quarkus starts: the settings, and the data directory that is now ours. */
record Launch(EngineSettings settings, DataDirectory directory) {

    /** Takes the data directory, then makes sure of all addresses; a refusal changes nothing. */
    static Launch prepare(EngineSettings settings) throws StartRefusedException {
        DataDirectory directory;
        try {
            directory = DataDirectory.open(settings.dataDirectory());
        } catch (UnusableDirectoryException e) {
            throw new StartRefusedException(String.valueOf(e.getMessage()));
        }
        try {
            ListenerCheck.requireAvailable(settings);
            return new Launch(settings, directory);
        } catch (StartRefusedException e) {
            directory.giveBack();
            throw e;
        }
    }

    /** Tells Quarkus where its server listens; before it starts. */
    void configureQuarkus() {
        System.setProperty("quarkus.http.host", settings.http().host());
        System.setProperty("quarkus.http.port", Integer.toString(settings.http().port()));
    }
}
