// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import io.grpc.StatusRuntimeException;
import java.time.Duration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import storage.mars.engine.api.v1.WatchReplicasRequest;
import storage.mars.engine.api.v1.WatchReplicasResponse;
import storage.mars.engine.cli.output.Departure;
import storage.mars.engine.cli.output.Output;
import storage.mars.engine.cli.unit.TimeSpan;

/**
 * Prints a line at every change and every interval, until the engine ends or somebody interrupts.
 */
@Command(
        name = "watch",
        description = "Print a line at every change and every interval, until interrupted.")
final class WatchResource implements Verb {

    @Parameters(arity = "0..1", paramLabel = "RESOURCE")
    private String resource = "";

    @Option(
            names = "--interval",
            paramLabel = "TIME",
            description = "A line at least this often; default: ${DEFAULT-VALUE}.")
    private TimeSpan interval = new TimeSpan(Duration.ofSeconds(1));

    @Override
    public void run(Session session) {
        var request =
                WatchReplicasRequest.newBuilder()
                        .setName(resource)
                        .setInterval(WireDuration.of(interval))
                        .build();
        try {
            var events = session.engine().watch(request);
            while (events.hasNext()) {
                print(events.next(), session.output());
            }
        } catch (StatusRuntimeException failure) {
            throw session.engine().failure(failure);
        }
    }

    private static void print(WatchReplicasResponse response, Output output) {
        switch (response.getEventCase()) {
            case REPLICA -> output.observed(response.getReplica());
            case REMOVED -> output.gone(new Departure(response.getRemoved(), "", true));
            case EVENT_NOT_SET -> {}
        }
    }
}
