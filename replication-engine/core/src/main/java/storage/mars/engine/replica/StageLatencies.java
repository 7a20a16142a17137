// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import storage.mars.engine.export.Latencies;
import storage.mars.engine.log.Histogram;

/**
 * How long what goes on in an open replica takes; written by its shard, read by anybody.
 *
 * @param requests of clients
 * @param log one write of the log, with its fdatasync
 * @param writeBack one round of copying log content to the images
 */
public record StageLatencies(Latencies requests, Histogram log, Histogram writeBack) {}
