// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class UnsyncedPartsTest {

    private static final long MIB = 1 << 20;
    private static final long SIZE = 64 * MIB;

    private final UnsyncedParts parts = new UnsyncedParts();
    private final List<String> calls = new ArrayList<>();
    private final UnsyncedParts.Writer writer =
            new UnsyncedParts.Writer() {

                @Override
                public void begin(long position, long length) {
                    calls.add("begin " + position / MIB);
                }

                @Override
                public void await(long position, long length) {
                    calls.add("await " + position / MIB);
                }
            };

    @Test
    void eachStepIsAwaitedBeforeTheNextBegins() throws IOException {
        parts.note(0, 12 * MIB, SIZE);

        parts.drain(writer);

        assertThat(calls)
                .containsExactly("begin 0", "await 0", "begin 4", "await 4", "begin 8", "await 8");
    }

    @Test
    void scatteredWritesAreOneStepUntilTheyAreMany() throws IOException {
        for (long at = 0; at < SIZE; at += 4 * MIB) {
            parts.note(at, MIB / 2, SIZE);
        }

        parts.drain(writer);

        assertThat(calls.subList(0, 8)).allMatch(call -> call.startsWith("begin"));
        assertThat(calls.subList(8, 16)).allMatch(call -> call.startsWith("await"));
        assertThat(calls).hasSize(32);
    }

    @Test
    void whatIsLittleIsLeftToTheSync() throws IOException {
        parts.note(4096, 4096, SIZE);

        parts.drain(writer);

        assertThat(calls).isEmpty();
    }

    @Test
    void whatIsWrittenMeanwhileComesNext() throws IOException {
        parts.note(0, 8 * MIB, SIZE);

        parts.drain(
                new UnsyncedParts.Writer() {

                    @Override
                    public void begin(long position, long length) {
                        calls.add("begin " + position / MIB);
                        if (position == 0) {
                            parts.note(40 * MIB, 8 * MIB, SIZE);
                        }
                    }

                    @Override
                    public void await(long position, long length) {}
                });

        assertThat(calls).containsExactly("begin 0", "begin 4", "begin 40", "begin 44");
    }

    @Test
    void endlessWritesDoNotHoldItUpForEver() throws IOException {
        parts.note(0, 8 * MIB, SIZE);

        parts.drain(
                new UnsyncedParts.Writer() {

                    @Override
                    public void begin(long position, long length) {
                        calls.add("begin");
                        parts.note(0, 8 * MIB, SIZE);
                    }

                    @Override
                    public void await(long position, long length) {}
                });

        assertThat(calls).hasSizeLessThan(20);
    }

    @Test
    void failureIsTold() {
        parts.note(0, 8 * MIB, SIZE);

        assertThatThrownBy(() ->
                        parts.drain(
                                new UnsyncedParts.Writer() {

                                    @Override
                                    public void begin(long position, long length) {}

                                    @Override
                                    public void await(long position, long length)
                                            throws IOException {
                                        throw new IOException("Input/output error");
                                    }
                                }))
                .hasMessage("Input/output error");
    }
}
