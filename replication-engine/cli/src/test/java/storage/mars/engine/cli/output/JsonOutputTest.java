// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import storage.mars.engine.api.v1.Replica;

class JsonOutputTest {

    @Test
    void replicaIsOneDocument() {
        Golden.assertSame("primary.json", print(output -> output.replica(Samples.primary())));
        Golden.assertSame("cut-off.json", print(output -> output.replica(Samples.cutOff())));
        Golden.assertSame("diverged.json", print(output -> output.replica(Samples.diverged())));
    }

    @Test
    void nodeIsOneDocument() {
        Golden.assertSame("node.json", print(output -> output.node(Samples.node())));
    }

    @Test
    void replicasAreAnArray() throws JsonProcessingException {
        var two = List.of(Samples.primary(), Samples.secondary());

        JsonNode array = tree(print(output -> output.replicas(two)));

        assertThat(array).hasSize(2);
        assertThat(array.get(1).get("replica").asText()).isEqualTo("b");
        assertThat(print(output -> output.replicas(List.of()))).isEqualTo("[]\n");
    }

    @Test
    void stepsOfAWatchAreLines() throws JsonProcessingException {
        var lines =
                print(
                                output -> {
                                    output.observed(Samples.primary());
                                    output.gone(new Departure("db", "", true));
                                })
                        .lines()
                        .toList();

        assertThat(lines).hasSize(2);
        assertThat(tree(lines.getFirst()).get("name").asText()).isEqualTo("db");
        assertThat(lines.getLast())
                .isEqualTo("{\"name\":\"db\",\"member\":null,\"gone\":true,\"existed\":true}");
    }

    @Test
    void changeIsTheSameDocumentAsStatus() {
        assertThat(print(output -> output.changed(Samples.secondary())))
                .isEqualTo(print(output -> output.replica(Samples.secondary())));
    }

    @ParameterizedTest
    @CsvSource({
        "'', 'name,id,replica,role,state,term,epoch,incarnation,consistent,positions,volumes,"
                + "members,conditions'",
        "/epoch, 'sequence,id'",
        "/positions, 'durable,received,applied,checkpoint'",
        "/volumes/0, 'name,sizeBytes'",
        "/members/2, 'name,role,connected,receivedPosition,appliedPosition,lagBytes,lagSeconds,"
                + "sync'",
        "/conditions/0, 'type,status,reason,message'"
    })
    void agreedKeysAreThere(String pointer, String keys) throws JsonProcessingException {
        JsonNode node = tree(print(output -> output.replica(Samples.primary()))).at(pointer);

        assertThat(node.fieldNames()).toIterable().contains(keys.split(","));
    }

    @Test
    void keysStayWhenNothingIsKnown() throws JsonProcessingException {
        JsonNode known = tree(print(output -> output.replica(Samples.cutOff())));
        JsonNode unknown = tree(print(output -> output.replica(Replica.getDefaultInstance())));

        assertThat(unknown.fieldNames()).toIterable().containsExactlyElementsOf(known::fieldNames);
        assertThat(unknown.get("role").isNull()).isTrue();
        assertThat(unknown.get("epoch").isNull()).isTrue();
        assertThat(unknown.get("forcedPromotionLoss").isNull()).isTrue();
    }

    private static JsonNode tree(String json) throws JsonProcessingException {
        return new ObjectMapper().readTree(json);
    }

    private static String print(Consumer<Output> use) {
        return Golden.printed(out -> use.accept(new JsonOutput(out)));
    }
}
