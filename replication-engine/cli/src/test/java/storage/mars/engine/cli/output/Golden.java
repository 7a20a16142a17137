// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.function.Consumer;

/** Compares what an output prints with a file in {@code golden/}. */
final class Golden {

    private Golden() {}

    static String printed(Consumer<PrintWriter> print) {
        var text = new StringWriter();
        print.accept(new PrintWriter(text));
        return text.toString();
    }

    static void assertSame(String file, String printed) {
        assertThat(printed).as(file).isEqualTo(read(file));
    }

    static String read(String file) {
        try (var stream = Golden.class.getResourceAsStream("/golden/" + file)) {
            return new String(
                    Objects.requireNonNull(stream, file).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
