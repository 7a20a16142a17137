// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import storage.mars.engine.api.RefusalTrailer;
import storage.mars.engine.api.v1.Refusal;

class FailuresTest {

    private static final Refusal EXPORTS_OPEN =
            Refusal.newBuilder()
                    .setCode("ExportsOpen")
                    .setMessage("db is not handed over")
                    .setReason("export db/data is open for writing\nby 10.0.0.7 on a")
                    .setNextCommand("marsadm primary db --close-exports")
                    .build();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "primary db",
                "secondary db",
                "status db",
                "status -o json",
                "watch db",
                "wait db --for consistent",
                "leave-resource db",
                "delete-resource db",
                "node"
            })
    void refusalIsOneLineWithTheNextCommand(String commandLine) {
        var engine =
                FakeEngine.failing(
                        RefusalTrailer.asException(Status.Code.FAILED_PRECONDITION, EXPORTS_OPEN));

        var run = MarsadmRun.against(engine, commandLine.split(" "));

        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err())
                .isEqualTo(
                        "marsadm: db is not handed over; export db/data is open for writing by"
                                + " 10.0.0.7 on a; next: marsadm --engine b.example:7001 primary db"
                                + " --close-exports\n");
    }

    static Stream<Arguments> statuses() {
        return Stream.of(
                arguments(
                        Status.NOT_FOUND.withDescription("no resource db"),
                        1,
                        "engine b.example:7001 refuses this command; no resource db; next: marsadm"
                                + " --engine b.example:7001 status"),
                arguments(
                        Status.UNIMPLEMENTED,
                        1,
                        "engine b.example:7001 does not know this command; it is of another version"
                                + " than this marsadm; next: marsadm --engine b.example:7001 node"),
                arguments(
                        Status.INTERNAL.withDescription("boom"),
                        1,
                        "engine b.example:7001 failed at this command; boom; next: read the"
                                + " engine's log"),
                arguments(
                        Status.DEADLINE_EXCEEDED.withDescription("deadline exceeded after 9.9s"),
                        3,
                        "engine b.example:7001 has not answered in time; it is there, and what was"
                                + " asked may still be done; next: marsadm --engine"
                                + " b.example:7001 status"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("statuses")
    void statusWithoutRefusalStillReadsWell(Status status, int exitCode, String line) {
        var engine = FakeEngine.failing(status.asRuntimeException());

        var run = MarsadmRun.against(engine, "status", "db");

        assertThat(run.err()).isEqualTo("marsadm: " + line + "\n");
        assertThat(run.exitCode()).isEqualTo(exitCode);
    }

    @Test
    void unreachedPeerIsARefusalNotAnUnreachedEngine() {
        StatusRuntimeException failure =
                RefusalTrailer.asException(
                        Status.Code.UNAVAILABLE,
                        Refusal.newBuilder().setMessage("a is not reached").build());

        var run =
                MarsadmRun.against(
                        FakeEngine.failing(failure), "join-resource", "db", "--from=a:1");

        assertThat(run)
                .isEqualTo(
                        new MarsadmRun(
                                1,
                                "",
                                "marsadm: a is not reached; it gives no reason; next: marsadm"
                                        + " --engine b.example:7001 status\n"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"status", "primary db", "watch", "wait db --for primary --timeout 50ms"})
    void unreachedEngineHasAnExitCodeOfItsOwn(String commandLine) {
        var run = MarsadmRun.againstNothing(commandLine.split(" "));

        assertThat(run.exitCode()).isEqualTo(3);
        assertThat(run.out()).isEmpty();
        assertThat(run.err())
                .startsWith("marsadm: engine b.example:7001 is not reached; ")
                .endsWith(
                        "; next: start mars-engine there, or name another with --engine"
                                + " HOST:PORT\n")
                .hasLineCount(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            textBlock =
                    """
                    status db extra                         | Unmatched argument
                    primary                                 | Missing required parameter: 'RESOURCE'
                    create-resource db                      | Missing required option: '--volume=NAME:SIZE'
                    create-resource db --volume data        | 'data' is not NAME:SIZE
                    create-resource db --volume :1GiB       | ':1GiB' is not NAME:SIZE
                    create-resource db --volume data:5000   | 5000 bytes is not a multiple of 4096
                    create-resource db --volume data:0      | 0 bytes is not a multiple of 4096
                    create-resource db --volume data:1GB    | '1GB' is not a size
                    create-resource db --volume a:4K --acknowledge never | none of durable, buffered
                    join-resource db --from nowhere         | 'nowhere' is not HOST:PORT
                    wait db                                 | Missing required option: '--for=GOAL'
                    wait db --for lunch                     | none of caught-up, consistent, primary, secondary
                    wait db --for primary --timeout 60      | '60' is not a span of time
                    primary db --max-data-loss 0            | --max-data-loss needs --force
                    primary db --force --close-exports      | --close-exports is for a planned promotion
                    primary db --supersedes-term -1         | a term is not negative
                    primary db --supersedes-term x          | 'x' is not a
                    status -o yaml                          | none of table, json
                    status --engine nowhere                 | 'nowhere' is not HOST:PORT
                    frobnicate db                           | Unmatched argument
                    """)
    void wrongUsageIsOneLineThatPointsToTheHelp(String commandLine, String complaint) {
        var run = MarsadmRun.againstNothing(commandLine.split(" "));

        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err())
                .startsWith("marsadm: ")
                .contains(complaint)
                .endsWith(" --help\n")
                .hasLineCount(1);
    }

    @ParameterizedTest
    @CsvSource({
        "'', which engine? name it with --engine HOST:PORT or MARS_ENGINE",
        "nowhere, MARS_ENGINE: 'nowhere' is not HOST:PORT"
    })
    void engineHasToBeNamed(String variable, String complaint) {
        var run =
                MarsadmRun.run(
                        Map.of("MARS_ENGINE", variable),
                        address -> {
                            throw new AssertionError("dialled " + address);
                        },
                        "status");

        assertThat(run)
                .isEqualTo(
                        new MarsadmRun(
                                2,
                                "",
                                "marsadm: " + complaint + "; next: marsadm status --help\n"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "primary --help", "pause-apply -h", "wait db --help"})
    void helpNeedsNoEngine(String commandLine) {
        var run = MarsadmRun.againstNothing(commandLine.split(" "));

        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).startsWith("Usage: marsadm ").contains("--engine=HOST:PORT");
    }

    @Test
    void nothingToDoShowsTheVerbs() {
        var run = MarsadmRun.againstNothing();

        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("create-resource", "pause-shipping", "Exit codes:");
    }

    @Test
    void defectOfItsOwnShowsNoStackTrace() {
        var run =
                MarsadmRun.run(
                        Map.of(),
                        address -> {
                            throw new IllegalStateException("no way");
                        },
                        "status",
                        "--engine=a:1");

        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err())
                .isEqualTo(
                        "marsadm: failed by a defect of its own;"
                                + " java.lang.IllegalStateException: no way; next: report this"
                                + " line, and the command\n");
    }
}
