// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.nbd;

/** What the server said of the export at GO. */
public record NbdExport(String name, long sizeBytes, int transmissionFlags, boolean structured) {

    public boolean readOnly() {
        return (transmissionFlags & 1 << 1) != 0;
    }

    public boolean multiConn() {
        return (transmissionFlags & 1 << 8) != 0;
    }
}
