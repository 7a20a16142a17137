// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.workload;

import storage.mars.engine.export.Extents;
import storage.mars.engine.testkit.schedule.SimFailure;

/** What is called a hole must read as zero, and extents must stay within what was asked for. */
record HoleCheck(Workload workload) {

    void judge(ClientRequest request, Extents extents) {
        long at = request.offset;
        for (int i = 0; i < extents.count(); i++) {
            long length = extents.length(i);
            long within = Math.min(length, request.offset + request.length - at);
            if (length <= 0 || within <= 0) {
                throw new SimFailure("extent of " + length + " bytes at " + at);
            }
            if (extents.hole(i)) {
                byte[] zeros = new byte[(int) within];
                workload.judge.read(workload.volume, at, zeros, request.started);
            }
            at += length;
        }
        if (extents.count() == 0) {
            throw new SimFailure("no extent for " + request.length + " bytes at " + request.offset);
        }
    }
}
