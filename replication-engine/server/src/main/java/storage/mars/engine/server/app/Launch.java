// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import storage.mars.engine.server.config.EngineSettings;
import storage.mars.engine.server.io.DataDirectory;
import storage.mars.engine.server.io.DirectoryLock;
import storage.mars.engine.server.io.UnusableDirectoryException;

/** What is settled before Quarkus starts: the settings, and the data directory that is now ours. */
record Launch(EngineSettings settings, DataDirectory directory) {

    /**
     * Locks the data directory, makes sure of all addresses, and only then writes into the
     * directory; a refusal changes nothing.
     */
    static Launch prepare(EngineSettings settings) throws StartRefusedException {
        try {
            DirectoryLock lock = DirectoryLock.take(settings.dataDirectory());
            requireAvailable(settings, lock);
            return new Launch(settings, DataDirectory.open(lock));
        } catch (UnusableDirectoryException e) {
            throw new StartRefusedException(String.valueOf(e.getMessage()));
        }
    }

    private static void requireAvailable(EngineSettings settings, DirectoryLock lock)
            throws StartRefusedException {
        try {
            ListenerCheck.requireAvailable(settings);
        } catch (StartRefusedException e) {
            lock.giveBack();
            throw e;
        }
    }

    /** Tells Quarkus where its server listens; before it starts. */
    void configureQuarkus() {
        System.setProperty("quarkus.http.host", settings.http().host());
        System.setProperty("quarkus.http.port", Integer.toString(settings.http().port()));
    }
}
