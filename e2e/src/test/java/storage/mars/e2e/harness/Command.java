// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.harness;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs a program to its end, within a time limit, and keeps what it said. */
public record Command(List<String> words, Duration limit, Map<String, String> environment) {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    public Command {
        words = List.copyOf(words);
        environment = Map.copyOf(environment);
    }

    public static Command of(Object... words) {
        var text = Arrays.stream(words).map(String::valueOf).toList();
        return new Command(text, LIMIT, Map.of());
    }

    public Command within(Duration newLimit) {
        return new Command(words, newLimit, environment);
    }

    /** With one more variable in its environment. */
    public Command with(String name, String value) {
        var more = new HashMap<>(environment);
        more.put(name, value);
        return new Command(words, limit, more);
    }

    /** What a program left behind. */
    public record Result(Command command, int exitCode, String out, String err) {

        /** Fails the test unless the program succeeded. */
        public Result succeeded() {
            if (exitCode != 0) {
                throw new AssertionError(this);
            }
            return this;
        }

        @Override
        public String toString() {
            return "%s: exit code %d%n%s%s"
                    .formatted(String.join(" ", command.words), exitCode, out, err);
        }
    }

    public Result run() {
        try {
            Path out = Files.createTempFile("mars-out", ".txt");
            Path err = Files.createTempFile("mars-err", ".txt");
            try {
                return run(out, err);
            } finally {
                Files.delete(out);
                Files.delete(err);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted in " + this, e);
        }
    }

    private Result run(Path out, Path err) throws IOException, InterruptedException {
        var builder = new ProcessBuilder(words);
        builder.environment().putAll(environment);
        Process process =
                builder.redirectInput(Path.of("/dev/null").toFile())
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile())
                        .start();
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError("no end within " + limit + ": " + words + read(out, err));
            }
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        return new Result(this, process.exitValue(), text(out), text(err));
    }

    private static String read(Path out, Path err) throws IOException {
        return System.lineSeparator() + text(out) + text(err);
    }

    private static String text(Path file) throws IOException {
        return new String(Files.readAllBytes(file), UTF_8);
    }
}
