// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.PrintWriter;
import java.util.List;
import storage.mars.engine.api.v1.Node;
import storage.mars.engine.api.v1.Replica;

/**
 * JSON for programs, in the form of docs/marsadm.md: one document, or one line for each step of a
 * watch.
 */
public final class JsonOutput implements Output {

    private static final ObjectWriter LINE = new ObjectMapper().writer();
    private static final ObjectWriter DOCUMENT = LINE.with(indented());

    private final PrintWriter out;

    public JsonOutput(PrintWriter out) {
        this.out = out;
    }

    @Override
    public void replica(Replica replica) {
        print(DOCUMENT, ReplicaJson.of(replica));
    }

    @Override
    public void replicas(List<Replica> replicas) {
        print(DOCUMENT, replicas.stream().map(ReplicaJson::of).toList());
    }

    @Override
    public void changed(Replica replica) {
        replica(replica);
    }

    @Override
    public void observed(Replica replica) {
        print(LINE, ReplicaJson.of(replica));
    }

    @Override
    public void gone(Departure departure) {
        print(LINE, DepartureJson.of(departure));
    }

    @Override
    public void node(Node node) {
        print(DOCUMENT, NodeJson.of(node));
    }

    private void print(ObjectWriter writer, Object document) {
        try {
            out.println(writer.writeValueAsString(document));
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("records of scalars have no way to fail", impossible);
        }
        out.flush();
    }

    private static DefaultPrettyPrinter indented() {
        var newLines = new DefaultIndenter("  ", "\n");
        var printer =
                new DefaultPrettyPrinter(
                        Separators.createDefaultInstance()
                                .withObjectFieldValueSpacing(Separators.Spacing.AFTER)
                                .withArrayEmptySeparator("")
                                .withObjectEmptySeparator(""));
        printer.indentArraysWith(newLines);
        printer.indentObjectsWith(newLines);
        return printer;
    }
}
