// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;
import storage.mars.engine.cli.output.Samples;

/** docs/marsadm.md names what there is, and nothing else. */
class DocumentationTest {

    private static final Pattern FENCED = Pattern.compile("(?s)```.*?```");
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");

    /** Values, and verbs, that the chapters on keys name. */
    private static final Set<String> NO_KEYS = Set.of("secondary", "null", "node", "watch");

    private static String page = "";
    private static List<String> code = List.of();

    @BeforeAll
    static void readThePage() throws IOException {
        page =
                FENCED.matcher(Files.readString(Path.of("..", "..", "docs", "marsadm.md")))
                        .replaceAll("");
        code = CODE.matcher(page).results().map(match -> match.group(1)).toList();
    }

    @Test
    void everyKeyOfTheJsonIsDocumented() throws JsonProcessingException {
        Set<String> keys = keys();

        assertThat(keys).contains("sizeBytes", "etaSeconds", "forkPoint", "logMemoryBytes");
        assertThat(words()).containsAll(keys);
    }

    @Test
    void everyDocumentedKeyIsOneOfTheJson() throws JsonProcessingException {
        Set<String> keys = keys();
        Set<String> documented = documentedKeys();

        assertThat(documented).hasSizeGreaterThan(60).contains("etaSeconds", "existed");
        assertThat(keys).containsAll(documented).doesNotContainAnyElementsOf(NO_KEYS);
    }

    private static Set<String> keys() throws JsonProcessingException {
        var keys = new TreeSet<String>();
        for (String commandLine :
                List.of("status", "node", "delete-resource db", "leave-resource db")) {
            for (var replica : List.of(Samples.primary(), Samples.cutOff(), Samples.diverged())) {
                String[] args = ("-o json " + commandLine).split(" ");
                collectKeys(
                        new ObjectMapper()
                                .readTree(MarsadmRun.against(new FakeEngine(replica), args).out()),
                        keys);
            }
        }
        return keys;
    }

    /** What is in code in the chapters on keys, but for what a value may be. */
    private static Set<String> documentedKeys() {
        String chapters = page.substring(page.indexOf("### A replica"));
        return CODE.matcher(chapters)
                .results()
                .map(match -> match.group(1).replace("[]", ""))
                .filter(word -> word.matches("[a-z][A-Za-z]*"))
                .filter(word -> !NO_KEYS.contains(word))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void everyVerbIsDocumentedAndEveryDocumentedVerbExists() {
        var verbs = commandLine().getSubcommands().keySet();

        assertThat(words()).containsAll(verbs);
        assertThat(verbs).containsAll(firstColumn(section("## Verbs", "\nEvery verb")));
    }

    @Test
    void everyOptionOfAVerbIsDocumented() {
        assertThat(String.join(" ", code))
                .contains(
                        commandLine().getSubcommands().values().stream()
                                .flatMap(verb -> verb.getCommandSpec().options().stream())
                                .map(OptionSpec::longestName)
                                .toList());
    }

    @Test
    void everyGoalAndExitCodeIsDocumented() {
        assertThat(code).containsAll(names(WaitForGoal.Target.values()));
        assertThat(firstColumn(section("## Exit codes", "\nEverything but")))
                .containsExactlyElementsOf(
                        Stream.of(ExitCode.values())
                                .map(exitCode -> Integer.toString(exitCode.number()))
                                .toList());
    }

    private static List<String> words() {
        return code.stream().flatMap(words -> Stream.of(words.split("[^A-Za-z-]+"))).toList();
    }

    private static List<String> names(Enum<?>... constants) {
        return Stream.of(constants).map(Enum::toString).toList();
    }

    private static String section(String from, String to) {
        int start = page.indexOf(from);
        return page.substring(start, page.indexOf(to, start));
    }

    /** The first word in code of each row. */
    private static List<String> firstColumn(String section) {
        return Pattern.compile("(?m)^\\| `([a-z0-9-]+)")
                .matcher(section)
                .results()
                .map(match -> match.group(1))
                .toList();
    }

    private static void collectKeys(JsonNode node, Set<String> keys) {
        node.fieldNames().forEachRemaining(keys::add);
        node.forEach(child -> collectKeys(child, keys));
    }

    private static CommandLine commandLine() {
        return CommandLines.create(
                new PrintWriter(new StringWriter()),
                new PrintWriter(new StringWriter()),
                Map.of(),
                address -> {
                    throw new AssertionError("dialled " + address);
                });
    }
}
