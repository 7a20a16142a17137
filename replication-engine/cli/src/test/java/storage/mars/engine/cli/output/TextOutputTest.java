// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import storage.mars.engine.api.v1.Replica;

class TextOutputTest {

    static Stream<Arguments> pages() {
        return Stream.of(
                Arguments.of("primary", Samples.primary()),
                Arguments.of("secondary", Samples.secondary()),
                Arguments.of("cut-off", Samples.cutOff()),
                Arguments.of("inconsistent", Samples.inconsistent()),
                Arguments.of("diverged", Samples.diverged()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("pages")
    void pageOfAReplicaReadsAsAgreed(String name, Replica replica) {
        Golden.assertSame("page-" + name + ".txt", print(output -> output.replica(replica)));
    }

    @Test
    void overviewHasALineForEachReplica() {
        var replicas =
                List.of(
                        Samples.primary(),
                        Samples.secondary(),
                        Samples.cutOff(),
                        Samples.inconsistent(),
                        Samples.diverged());

        Golden.assertSame("overview.txt", print(output -> output.replicas(replicas)));
    }

    @Test
    void emptyEngineSaysSo() {
        assertThat(print(output -> output.replicas(List.of())))
                .isEqualTo("No resources on this engine.\n");
    }

    @Test
    void nodeReadsAsAgreed() {
        Golden.assertSame("node.txt", print(output -> output.node(Samples.node())));
    }

    @Test
    void stepsOfAWatchAreLines() {
        var steps =
                print(output -> {
                    output.observed(Samples.secondary());
                    output.observed(Samples.primary());
                    output.gone(new Departure("db", "", true));
                });

        Golden.assertSame("watch.txt", steps);
    }

    @Test
    void changeIsOneLine() {
        assertThat(print(output -> output.changed(Samples.secondary())))
                .isEqualTo("db on b: secondary, Secondary, consistent, term 1, epoch 1.1\n");
    }

    @Test
    void departureSaysWhetherThereWasAnything() {
        var lines =
                print(output -> {
                    output.gone(new Departure("db", "", false));
                    output.gone(new Departure("db", "d", true));
                    output.gone(new Departure("db", "e", false));
                });

        assertThat(lines.lines())
                .containsExactly(
                        "db: was not on this engine, nothing to do",
                        "db: d is no longer a member",
                        "db: e was not a member, nothing to do");
    }

    @Test
    void replicaThatKnowsNothingStillHasAPage() {
        assertThat(print(output -> output.replica(Replica.getDefaultInstance())))
                .contains("primary    none known")
                .contains("It cannot be promoted now.");
    }

    @Test
    void longHistoryShowsItsNewestEpochs() {
        var replica = Samples.secondary().toBuilder();
        for (int sequence = 2; sequence < 20; sequence++) {
            replica.addHistory(Samples.epoch(1, sequence, "ff", "a", 1L << sequence));
        }

        assertThat(print(output -> output.replica(replica.build())))
                .contains("epochs     17 earlier ones, see -o json\n  epoch      1.17 by a")
                .contains("epoch      1.19 by a");
    }

    private static String print(Consumer<Output> use) {
        return Golden.printed(out ->
                use.accept(
                        new TextOutput(
                                out,
                                command -> command.replace("marsadm ", "marsadm --engine x:1 "))));
    }
}
