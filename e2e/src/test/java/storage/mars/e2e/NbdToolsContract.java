// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.e2e.harness.Command;
import storage.mars.e2e.harness.SampleImage;
import storage.mars.e2e.harness.Tools;

/** What the usual NBD clients do with a writable export of {@link #SIZE} bytes. */
interface NbdToolsContract {
    long SIZE = 64 << 20;

    /** URIs of one export, one for each way to reach it. */
    List<String> uris();

    /** What {@code nbdinfo --can} must answer with yes. */
    default List<String> capabilities() {
        return List.of(
                "connect",
                "read",
                "write",
                "flush",
                "fua",
                "zero",
                "fast-zero",
                "trim",
                "cache",
                "df",
                "multi-conn",
                "structured-reply");
    }

    @Test
    default void nbdinfoFindsSizeAndCapabilities() {
        Tools.need("nbdinfo");
        for (String uri : uris()) {
            assertThat(run("nbdinfo", "--size", uri).strip()).isEqualTo(Long.toString(SIZE));
            assertThat(run("nbdinfo", "--json", uri)).contains("\"exports\"");
            assertThat(run("nbdinfo", "--map", "--totals", uri)).isNotBlank();
            for (String capability : capabilities()) {
                assertThat(Command.of("nbdinfo", "--can", capability, uri).run().exitCode())
                        .as("nbdinfo --can %s %s", capability, uri)
                        .isZero();
            }
            for (String property : List.of("read-only", "rotational", "tls")) {
                assertThat(Command.of("nbdinfo", "--is", property, uri).run().exitCode())
                        .as("nbdinfo --is %s %s", property, uri)
                        .isEqualTo(2);
            }
        }
    }

    @Test
    default void nbdcopyBringsBackWhatItTook(@TempDir Path scratch) throws Exception {
        Tools.need("nbdcopy");
        for (String uri : uris()) {
            Path image = SampleImage.create(scratch.resolve("a.img"), SIZE, uri.hashCode());
            Path back = scratch.resolve("b.img");
            run("nbdcopy", "--flush", image, uri);
            run("nbdcopy", uri, back);
            run("cmp", image, back);
            run("nbdcopy", "-C", 8, "-R", 128, "--synchronous", image, uri);
            run("nbdcopy", "--request-size=33554432", "--queue-size=134217728", uri, back);
            run("cmp", image, back);
        }
    }

    @Test
    default void checkwriteFilterFindsNoDifference(@TempDir Path scratch) throws Exception {
        Tools.need("nbdkit", "nbdcopy");
        Path image = SampleImage.create(scratch.resolve("a.img"), SIZE, 3);
        for (String uri : uris()) {
            run("nbdcopy", "--flush", image, uri);
            String copy = "nbdcopy " + image + " \"$uri\"";
            run("nbdkit", "-U", "-", "--filter=checkwrite", "nbd", "uri=" + uri, "--run", copy);
        }
    }

    @Test
    default void qemuIoReadsItsPatterns() {
        Tools.need("qemu-io");
        for (String uri : uris()) {
            String said =
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
                            "w -P 5 2M 1M",
                            "-c",
                            "w -z -u 2M 1M",
                            "-c",
                            "discard 3M 1M",
                            "-c",
                            "w -P 7 5243393 1537",
                            "-c",
                            "r -P 7 5243393 1537",
                            "-c",
                            "r -P 1 0 1M",
                            "-c",
                            "r -P 2 1M 64k",
                            "-c",
                            "r -P 0 2M 1M",
                            uri);
            assertThat(said).doesNotContain("failed").doesNotContain("verification");
        }
    }

    @Test
    default void qemuImgConvertsComparesAndMaps(@TempDir Path scratch) throws Exception {
        Tools.need("qemu-img");
        Path image = SampleImage.create(scratch.resolve("a.img"), SIZE, 4);
        for (String uri : uris()) {
            run("qemu-img", "convert", "-n", "-W", "-m", 8, "-f", "raw", "-O", "raw", image, uri);
            assertThat(run("qemu-img", "compare", "-f", "raw", "-F", "raw", image, uri))
                    .contains("identical");
            assertThat(run("qemu-img", "map", "--output=json", "-f", "raw", uri))
                    .contains("\"start\": 0");
        }
    }

    @Test
    default void fioVerifiesMixedSizesOverSeveralConnections(@TempDir Path scratch) {
        Tools.need("fio");
        for (String uri : uris()) {
            fio(scratch, uri, "--rw=randrw", "--bsrange=512-64k", "--size=16M", "--fsync=32");
            fio(
                    scratch,
                    uri,
                    "--rw=randrw",
                    "--bsrange=512-64k",
                    "--size=8M",
                    "--numjobs=4",
                    "--offset_increment=8M",
                    "--fsync=32");
            fio(scratch, uri, "--rw=write", "--bs=1M", "--size=32M");
        }
    }

    @Test
    default void fioTrimsAtRandom(@TempDir Path scratch) {
        Tools.need("fio");
        for (String uri : uris()) {
            run(
                    "fio",
                    "--name=t",
                    "--ioengine=nbd",
                    "--uri=" + uri,
                    "--rw=randtrim",
                    "--bs=64k",
                    "--size=16M",
                    "--iodepth=16",
                    "--aux-path=" + scratch);
        }
    }

    private static void fio(Path scratch, String uri, String... load) {
        var words =
                new ArrayList<Object>(
                        List.of(
                                "fio",
                                "--name=v",
                                "--ioengine=nbd",
                                "--uri=" + uri,
                                "--iodepth=16",
                                "--verify=crc32c",
                                "--verify_fatal=1",
                                "--do_verify=1",
                                "--verify_state_save=0",
                                "--aux-path=" + scratch));
        words.addAll(List.of(load));
        run(words.toArray());
    }

    private static String run(Object... words) {
        return Command.of(words).run().succeeded().out();
    }
}
