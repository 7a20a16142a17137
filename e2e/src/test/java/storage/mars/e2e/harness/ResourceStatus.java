// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.harness;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** One resource as {@code marsadm status -o json} shows it. */
public record ResourceStatus(JsonNode json) {

    public String role() {
        return text(json, "role");
    }

    public boolean isPrimary() {
        return role().equalsIgnoreCase("primary");
    }

    public boolean isSecondary() {
        return role().equalsIgnoreCase("secondary");
    }

    public String state() {
        return text(json, "state");
    }

    public long term() {
        return number(json, "term");
    }

    /** Where the newest epoch of its history begins. */
    public long epochStart() {
        return number(need(json, "epoch"), "start");
    }

    public long epochTerm() {
        return number(need(json, "epoch"), "term");
    }

    public String incarnation() {
        return text(json, "incarnation");
    }

    public boolean consistent() {
        return need(json, "consistent").asBoolean();
    }

    public long durable() {
        return position("durable");
    }

    public long received() {
        return position("received");
    }

    public long applied() {
        return position("applied");
    }

    public long checkpoint() {
        return position("checkpoint");
    }

    public Stream<JsonNode> members() {
        return StreamSupport.stream(need(json, "members").spliterator(), false);
    }

    public Optional<JsonNode> member(String name) {
        return members().filter(member -> text(member, "name").equals(name)).findFirst();
    }

    public Stream<JsonNode> conditions() {
        return StreamSupport.stream(need(json, "conditions").spliterator(), false);
    }

    /** All that is said about why anything is not as wanted. */
    public String explanation() {
        return String.join(
                "; ",
                conditions()
                        .map(one ->
                                text(one, "type")
                                        + " "
                                        + text(one, "reason")
                                        + ": "
                                        + text(one, "message"))
                        .toList());
    }

    private long position(String name) {
        return number(need(json, "positions"), name);
    }

    private static long number(JsonNode node, String field) {
        return need(node, field).asLong();
    }

    private static String text(JsonNode node, String field) {
        return need(node, field).asText();
    }

    private static JsonNode need(JsonNode node, String field) {
        JsonNode found = node.get(field);
        if (found == null) {
            throw new AssertionError("no field " + field + " in " + node);
        }
        return found;
    }
}
