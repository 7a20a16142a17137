// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

/**
 * The end of a replica or of a membership.
 *
 * @param member whose membership ended; empty for the replica of the engine that was asked
 * @param existed false when there was nothing to end
 */
public record Departure(String resource, String member, boolean existed) {}
