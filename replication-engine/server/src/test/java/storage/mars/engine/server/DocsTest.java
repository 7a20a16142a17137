// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What README and docs name is there: classes, members of classes, files, options, targets. */
class DocsTest {

    private static final Path ROOT = Path.of("..", "..").toAbsolutePath().normalize();

    private static final Pattern FENCE = Pattern.compile("(?ms)^```.*?^```");
    private static final Pattern CODE = Pattern.compile("`([^`\n]+)`");
    private static final Pattern LINK = Pattern.compile("\\[[^\\]\n]*\\]\\(([^)\\s]+)\\)");
    private static final Pattern OPTION = Pattern.compile("(?<![\\w-])--[a-z][a-z-]+");
    private static final Pattern TARGET = Pattern.compile("\\bmake ([a-z]+)\\b");
    private static final Pattern PROPERTY =
            Pattern.compile("(?<![.\\w])(?:-D)?(mars\\.[a-z]+\\.[a-z]+)\\b");

    /** A type, perhaps with a member: words of another shape are not looked at. */
    private static final Pattern TYPE =
            Pattern.compile("([A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*)(?:\\.([A-Za-z]\\w*))?");

    private static final Pattern DECLARED =
            Pattern.compile("\\b(?:class|interface|record|enum|message) (\\w+)");

    /** Commands in front of whose options others than ours are meant. */
    private static final Pattern OF_OTHERS =
            Pattern.compile(
                    "(?m)^.*\\b(?:build/maven|mvn|git|java|qemu-\\w+|fio|nbd-client|docker)\\b.*$");

    /** Of others, named as they name them. */
    private static final Set<String> WORDS = Set.of("NaN", "Unknown");

    private static final Map<Path, String> SOURCES =
            read(".java", "replication-engine", "e2e/src").entrySet().stream()
                    .filter(source -> !source.getKey().endsWith("DocsTest.java"))
                    .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));

    private static final String PROTOCOL = read(".proto", "replication-engine").toString();

    private static final Map<String, String> TYPES = types();

    private static final Set<String> OPTIONS = options();

    @Test
    void everyTypeAndMemberInCodeExists() {
        Path rules = ROOT.resolve("CONTRIBUTING.md");

        // The rules for names have names that are only examples.
        assertThat(inEveryPage((page, text) -> page.equals(rules) ? List.of() : unknownTypes(text)))
                .isEmpty();
    }

    @Test
    void everyRelativeLinkLeadsSomewhere() {
        assertThat(inEveryPage(DocsTest::brokenLinks)).isEmpty();
    }

    @Test
    void everyPageThatSourcesNameExists() {
        Pattern page = Pattern.compile("\\bdocs/[a-z/]+\\.md\\b");
        Stream<String> named =
                Stream.concat(SOURCES.values().stream(), Stream.of(PROTOCOL))
                        .flatMap(source -> page.matcher(source).results())
                        .map(MatchResult::group)
                        .distinct();

        assertThat(named.filter(name -> !Files.exists(ROOT.resolve(name)))).isEmpty();
    }

    @Test
    void everyOptionIsOneOfTheEngineOrOfMarsadm() {
        assertThat(OPTIONS).contains("--data-dir", "--supersedes-term");
        assertThat(inEveryPage((page, text) -> unknownOptions(text))).isEmpty();
    }

    @Test
    void everyMakeTargetAndPropertyExists() {
        assertThat(inEveryPage((page, text) -> unknownTargets(text))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "`NoSuchClass` acts",
                "`Replica.noSuchMethod` acts",
                "a `Replica` and a `Missing` one",
                "| `NoSuchClass` |"
            })
    void aWrongNameIsFound(String text) {
        assertThat(unknownTypes(text)).hasSize(1);
        assertThat(unknownTypes("`Replica.durable`, `ReplicaState`, `TRIM`, NoSuchClass"))
                .isEmpty();
    }

    @Test
    void aWrongLinkOptionTargetOrPropertyIsFound() {
        Path page = ROOT.resolve("docs/testing.md");

        assertThat(brokenLinks(page, "[a](nowhere.md) [b](marsadm.md) [c](https://x.y) [d](#e)"))
                .containsExactly("nowhere.md");
        assertThat(unknownOptions("`--data-dir` and `--no-such-option=3`, a -- b"))
                .containsExactly("--no-such-option");
        assertThat(unknownOptions("```sh\nmvn --offline\nbin/marsadm --nothing\n```"))
                .containsExactly("--nothing");
        assertThat(unknownTargets("```\nmake test\nmake haste\n```, `-Dmars.no.key=1`"))
                .containsExactly("make haste", "mars.no.key");
    }

    private static Map<Path, List<String>> inEveryPage(
            BiFunction<Path, String, List<String>> check) {
        Map<Path, List<String>> found = new TreeMap<>();
        pages().forEach((page, text) -> {
            List<String> wrong = check.apply(page, text);
            if (!wrong.isEmpty()) {
                found.put(ROOT.relativize(page), wrong);
            }
        });
        return found;
    }

    private static Map<Path, String> pages() {
        Map<Path, String> pages = new TreeMap<>(read(".md", "docs", "replication-engine"));
        for (String name : List.of("README.md", "CONTRIBUTING.md", "CHANGELOG.md")) {
            pages.put(ROOT.resolve(name), text(ROOT.resolve(name)));
        }
        return pages;
    }

    private static List<String> unknownTypes(String page) {
        return CODE.matcher(FENCE.matcher(page).replaceAll(""))
                .results()
                .map(code -> code.group(1))
                .filter(code -> TYPE.matcher(code).matches() && !isKnown(code))
                .toList();
    }

    private static boolean isKnown(String code) {
        MatchResult parts = TYPE.matcher(code).results().findFirst().orElseThrow();
        String declaredIn = TYPES.get(parts.group(1));
        if (declaredIn == null) {
            // The reason of a condition, a value of the protocol.
            return parts.group(2) == null && isValue(code);
        }
        return parts.group(2) == null || hasWord(declaredIn, parts.group(2));
    }

    private static boolean isValue(String word) {
        if (WORDS.contains(word)) {
            return true;
        }
        String quoted = '"' + word + '"';
        return SOURCES.values().stream().anyMatch(source -> source.contains(quoted));
    }

    private static boolean hasWord(String text, String word) {
        return Pattern.compile("\\b" + word + "\\b").matcher(text).find();
    }

    private static List<String> brokenLinks(Path page, String text) {
        return LINK.matcher(FENCE.matcher(text).replaceAll(""))
                .results()
                .map(link -> link.group(1))
                .filter(target -> !target.contains("://") && !target.startsWith("#"))
                .filter(target ->
                        !Files.exists(page.resolveSibling(target.replaceFirst("#.*", ""))))
                .toList();
    }

    private static List<String> unknownOptions(String page) {
        return OPTION.matcher(OF_OTHERS.matcher(page).replaceAll(""))
                .results()
                .map(MatchResult::group)
                .filter(option -> !OPTIONS.contains(option))
                .toList();
    }

    private static List<String> unknownTargets(String page) {
        String makefile = text(ROOT.resolve("Makefile"));
        String code =
                Stream.concat(
                                FENCE.matcher(page).results(),
                                CODE.matcher(FENCE.matcher(page).replaceAll("")).results())
                        .map(MatchResult::group)
                        .collect(Collectors.joining("\n"));
        Stream<String> targets =
                TARGET.matcher(code)
                        .results()
                        .filter(make -> !makefile.contains("\n" + make.group(1) + ":"))
                        .map(MatchResult::group);
        Stream<String> properties =
                PROPERTY.matcher(code)
                        .results()
                        .map(property -> property.group(1))
                        .filter(key -> !isValue(key));
        return Stream.concat(targets, properties).toList();
    }

    /** Each type of the sources with the text of the files that declare it. */
    private static Map<String, String> types() {
        Map<String, String> types = new TreeMap<>();
        Stream.concat(SOURCES.values().stream(), Stream.of(PROTOCOL))
                .forEach(source ->
                        DECLARED.matcher(source)
                                .results()
                                .map(declared -> declared.group(1))
                                .distinct()
                                .forEach(name -> types.merge(name, source, String::concat)));
        return types;
    }

    private static Set<String> options() {
        Set<String> options = new HashSet<>(Set.of("--help", "--version"));
        Pattern named = Pattern.compile("\"(--[a-z-]+)\"");
        SOURCES.forEach((path, source) -> {
            String name = ROOT.relativize(path).toString();
            boolean main = name.contains("src/main");
            if (main && (name.contains("/cli/") || name.endsWith("EngineCommandLine.java"))) {
                named.matcher(source).results().map(o -> o.group(1)).forEach(options::add);
            }
        });
        return options;
    }

    private static Map<Path, String> read(String ending, String... directories) {
        return Stream.of(directories)
                .map(ROOT::resolve)
                .flatMap(directory -> walk(directory, ending))
                .collect(Collectors.toMap(path -> path, DocsTest::text));
    }

    private static Stream<Path> walk(Path directory, String ending) {
        try (Stream<Path> all = Files.walk(directory)) {
            return all
                    .filter(path -> path.toString().endsWith(ending))
                    .filter(path -> !ROOT.relativize(path).toString().contains("/target/"))
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String text(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
