// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Real clients, where they are installed (Debian: libnbd-bin, qemu-utils, fio, nbdkit). */
@Timeout(60)
class NbdToolsIT {

    @TempDir private Path directory;
    private NbdFixture fixture;

    @BeforeEach
    void start() throws IOException {
        fixture = new NbdFixture();
    }

    @AfterEach
    void stop() throws IOException {
        fixture.close();
    }

    @Test
    void nbdinfoShowsTheExport() throws Exception {
        String info = run("nbdinfo", "--json", fixture.uri(NbdFixture.DISK));

        assertThat(info)
                .contains("\"export-size\": " + NbdFixture.SIZE)
                .contains("base:allocation")
                .contains("\"can_multi_conn\": true")
                .contains("\"can_fast_zero\": true")
                .contains("\"block_size_preferred\": 4096");
        assertThat(run("nbdinfo", "--list", fixture.uri(""))).contains(NbdFixture.HUGE);
    }

    @Test
    void nbdcopyWritesAndReadsTheSameBytes() throws Exception {
        Path image = directory.resolve("a.img");
        Path copy = directory.resolve("b.img");
        byte[] bytes = new byte[NbdFixture.SIZE];
        new Random(5).nextBytes(bytes);
        Files.write(image, bytes);

        String uri = fixture.uri(NbdFixture.DISK);
        run("nbdcopy", "--flush", image.toString(), uri);
        run("nbdcopy", "--request-size=33554432", "--queue-size=134217728", uri, copy.toString());

        assertThat(Files.mismatch(image, copy)).isEqualTo(-1);
        run("nbdcopy", "--synchronous", image.toString(), uri);
        run("nbdcopy", "-C", "4", "-R", "64", uri, copy.toString());
        assertThat(Files.mismatch(image, copy)).isEqualTo(-1);
    }

    @Test
    void nbdinfoMapsHolesAndData() throws Exception {
        try (RawClient client = fixture.enter(NbdFixture.DISK)) {
            client.write(1, 8192, new byte[4096]);
            assertThat(client.answer().error()).isZero();
        }

        assertThat(run("nbdinfo", "--map", fixture.uri(NbdFixture.DISK)))
                .containsPattern("8192 +4096 +0 +data");
    }

    @Test
    void qemuIoReadsWhatItWrote() throws Exception {
        String out =
                run(
                        "qemu-io",
                        "-f",
                        "raw",
                        "-t",
                        "none",
                        "-c",
                        "aio_write -P 1 0 1M",
                        "-c",
                        "aio_flush",
                        "-c",
                        "w -f -P 2 1M 64k",
                        "-c",
                        "w -z -u 2M 1M",
                        "-c",
                        "discard 3M 1M",
                        "-c",
                        "r -P 1 0 1M",
                        "-c",
                        "r -P 2 1M 64k",
                        "-c",
                        "r -P 0 2M 2M",
                        fixture.uri(NbdFixture.DISK));

        assertThat(out).doesNotContain("failed").doesNotContain("error");
    }

    @Test
    void fioVerifiesRandomWrites() throws Exception {
        String out =
                run(
                        "fio",
                        "--name=v",
                        "--ioengine=nbd",
                        "--uri=" + fixture.uri(NbdFixture.DISK),
                        "--rw=randrw",
                        "--bsrange=512-64k",
                        "--size=16M",
                        "--iodepth=16",
                        "--fsync=32",
                        "--verify=crc32c",
                        "--verify_fatal=1",
                        "--do_verify=1");

        assertThat(out).contains("err= 0");
    }

    @ParameterizedTest
    @CsvSource({
        "nbdinfo, Operation not supported for export: r/disk@incarnation=2",
        "qemu-img info, is of incarnation 0000000000000001 now"
    })
    void toolsNameTheIncarnationThatTheyKnow(String tool, String refusal) throws Exception {
        List<String> command = new ArrayList<>(List.of(tool.split(" ")));
        command.add(fixture.uri(NbdFixture.DISK + "@incarnation=0000000000000001"));
        String[] known = command.toArray(String[]::new);
        command.set(command.size() - 1, fixture.uri(NbdFixture.DISK + "@incarnation=2"));
        Ended refused = end(command.toArray(String[]::new));

        assertThat(run(known)).containsPattern("64 ?MiB?|" + NbdFixture.SIZE);
        assertThat(refused.exitCode()).as(refused.text()).isNotZero();
        assertThat(refused.text()).contains(refusal);
    }

    private String run(String... command) throws IOException, InterruptedException {
        Ended ended = end(command);
        assertThat(ended.exitCode()).as(ended.text()).isZero();
        return ended.text();
    }

    private record Ended(int exitCode, String text) {}

    private Ended end(String... command) throws IOException, InterruptedException {
        boolean installed = Files.isExecutable(Path.of("/usr/bin", command[0]));
        Assumptions.assumeTrue(installed, command[0] + " is not installed");
        Path output = directory.resolve("out.txt");
        Process process =
                new ProcessBuilder(command)
                        .directory(directory.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        boolean ended = process.waitFor(30, TimeUnit.SECONDS);
        String text = Files.readString(output);
        if (!ended) {
            process.destroyForcibly();
        }
        assertThat(ended).as("%s ended: %s", command[0], text).isTrue();
        return new Ended(process.exitValue(), text);
    }
}
