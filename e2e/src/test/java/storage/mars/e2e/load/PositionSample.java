// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.load;

/**
 * A durable position of the primary, with the ticks of the history around the moment at which it
 * was asked for: every write acknowledged before {@code before} ends at or below it, every write
 * issued after {@code after} begins at or above it.
 */
public record PositionSample(long before, long durable, long after) {}
