// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

/** The pipeline event by which connections learn that the server stops. */
enum ServerStopping {
    EVENT
}
