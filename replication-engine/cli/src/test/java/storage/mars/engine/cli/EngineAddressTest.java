// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EngineAddressTest {

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1:7001, 127.0.0.1, 7001",
        "engine-a.example:65535, engine-a.example, 65535",
        "[::1]:1, ::1, 1"
    })
    void hostAndPortAreReadAndWrittenAlike(String text, String host, int port) {
        var address = EngineAddress.parse(text);

        assertThat(address).isEqualTo(new EngineAddress(host, port));
        assertThat(address).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "host", ":1", "host:", "host:x", "::1:7001", "a b:1", "host:123456"})
    void anythingElseIsNoAddress(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EngineAddress.parse(text))
                .withMessage("'" + text + "' is not HOST:PORT");
    }

    @ParameterizedTest
    @ValueSource(strings = {"mars_a:7001", "a/b:7001", "-a:7001", "a%b:7001"})
    void whatIsNoHostNameIsSaidToBeNone(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EngineAddress.parse(text))
                .withMessageContaining("is no host name")
                .withMessageContaining("give the address");
    }

    @ParameterizedTest
    @ValueSource(strings = {"host:0", "host:65536"})
    void portsHaveTheirRange(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EngineAddress.parse(text))
                .withMessageContaining("is not between 1 and 65535");
    }

    @Test
    void nextCommandNamesTheEngineThatWasAsked() {
        assertThat(new EngineAddress("b", 7001).addressed("marsadm status r"))
                .isEqualTo("marsadm --engine b:7001 status r");
    }

    @ParameterizedTest
    @ValueSource(strings = {"marsadm --engine a:7001 secondary r", "mars-engine --help", ""})
    void otherNextCommandsStayAsTheyAre(String command) {
        assertThat(new EngineAddress("b", 7001).addressed(command)).isEqualTo(command);
    }
}
