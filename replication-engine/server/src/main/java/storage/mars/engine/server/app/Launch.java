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

    /** Tells Quarkus where its two servers listen; before it starts. */
    void configureQuarkus() {
        System.setProperty("quarkus.grpc.server.host", settings.control().host());
        set("quarkus.grpc.server.port", settings.control().port());
        System.setProperty("quarkus.http.host", settings.http().host());
        set("quarkus.http.port", settings.http().port());
    }

    private static void set(String key, int value) {
        System.setProperty(key, Integer.toString(value));
    }
}
