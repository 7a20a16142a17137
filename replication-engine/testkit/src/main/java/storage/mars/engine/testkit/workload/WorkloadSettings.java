// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.workload;

/**
 * What clients do: how many there are and how many requests each may have under way, bytes of the
 * largest request, percentages of the kinds of requests (what is left over are flushes, hints and
 * status queries), how many of them are not aligned to blocks or force their own durability, how
 * long a client thinks at most, how many requests in a million are a client's last on its
 * connection, and whether a plain acknowledgement promises durability.
 */
public record WorkloadSettings(
        int clients,
        int inFlight,
        int maxLength,
        int writePercent,
        int readPercent,
        int zeroPercent,
        int unalignedPercent,
        int forcedPercent,
        long thinkNanos,
        int lastPerMillion,
        boolean ackIsDurable) {

    public WorkloadSettings {
        if (clients < 1 || inFlight < 1 || maxLength < 1 || thinkNanos < 1) {
            throw new IllegalArgumentException("nobody would do anything");
        }
        if (writePercent + readPercent + zeroPercent > 100) {
            throw new IllegalArgumentException("more than all");
        }
    }

    /** Some of everything. */
    public static WorkloadSettings mixed() {
        return new WorkloadSettings(3, 8, 256 << 10, 50, 30, 8, 25, 10, 500_000, 2_000, true);
    }

    /** The same with another number of clients. */
    public WorkloadSettings withClients(int number) {
        return new WorkloadSettings(
                number,
                inFlight,
                maxLength,
                writePercent,
                readPercent,
                zeroPercent,
                unalignedPercent,
                forcedPercent,
                thinkNanos,
                lastPerMillion,
                ackIsDurable);
    }

    /** The same with clients that think that long at most. */
    public WorkloadSettings withThinkNanos(long nanos) {
        return new WorkloadSettings(
                clients,
                inFlight,
                maxLength,
                writePercent,
                readPercent,
                zeroPercent,
                unalignedPercent,
                forcedPercent,
                nanos,
                lastPerMillion,
                ackIsDurable);
    }

    /** The same with requests of at most that many bytes. */
    public WorkloadSettings withMaxLength(int bytes) {
        return new WorkloadSettings(
                clients,
                inFlight,
                bytes,
                writePercent,
                readPercent,
                zeroPercent,
                unalignedPercent,
                forcedPercent,
                thinkNanos,
                lastPerMillion,
                ackIsDurable);
    }

    /** The same with another promise of a plain acknowledgement. */
    public WorkloadSettings withAckIsDurable(boolean durable) {
        return new WorkloadSettings(
                clients,
                inFlight,
                maxLength,
                writePercent,
                readPercent,
                zeroPercent,
                unalignedPercent,
                forcedPercent,
                thinkNanos,
                lastPerMillion,
                durable);
    }
}
