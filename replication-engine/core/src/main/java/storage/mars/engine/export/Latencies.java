// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

import storage.mars.engine.log.Histogram;

/** How long the requests of a resource took, by stage. Written by its shard. */
public final class Latencies {

    /** From submission to the data. */
    public final Histogram read = new Histogram();

    /** From submission to a place in the log window. */
    public final Histogram admit = new Histogram();

    /** From submission to the acknowledgement. */
    public final Histogram write = new Histogram();

    Latencies() {}
}
