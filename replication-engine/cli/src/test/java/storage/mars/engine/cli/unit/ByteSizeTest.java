// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.unit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ByteSizeTest {

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "4096, 4096",
        "4096B, 4096",
        "4K, 4096",
        "4KiB, 4096",
        "512M, 536870912",
        "256MiB, 268435456",
        "1G, 1073741824",
        "1GiB, 1073741824",
        "8TiB, 8796093022208",
        "2P, 2251799813685248",
        "9223372036854775807, 9223372036854775807"
    })
    void prefixesArePowersOf1024(String text, long bytes) {
        assertThat(ByteSize.parse(text).bytes()).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "1.5GiB", "1 GiB", "-1", "GiB", "1gib", "512MB", "1KB", "1E", "0x10"})
    void whatIsAmbiguousIsRefused(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ByteSize.parse(text))
                .withMessageContaining("'" + text + "' is not a size");
    }

    @ParameterizedTest
    @ValueSource(strings = {"9223372036854775808", "8192P", "99999999999999999999"})
    void whatDoesNotFitIsTooLarge(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ByteSize.parse(text))
                .withMessage("'" + text + "' is too large");
    }

    @ParameterizedTest
    @CsvSource({"0, 4096", "1, 4096", "5000, 8192", "4097, 8192"})
    void volumesAreWholeBlocks(long bytes, long next) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ByteSize(bytes).inBlocks())
                .withMessageContaining("multiple of 4096")
                .withMessageEndingWith("the next one is " + next);
    }

    @Test
    void wholeBlocksStayWhatTheyAre() {
        assertThat(new ByteSize(8192).inBlocks()).isEqualTo(new ByteSize(8192));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0 B",
        "1023, 1023 B",
        "1024, 1.0 KiB",
        "12288, 12.0 KiB",
        "1288490188, 1.2 GiB",
        "10995116277760, 10.0 TiB",
        "9223372036854775807, 8192.0 PiB"
    })
    void peopleReadOneDecimal(long bytes, String text) {
        assertThat(new ByteSize(bytes)).hasToString(text);
    }
}
