// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.InsecureServerCredentials;
import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import storage.mars.engine.cli.output.Samples;

@Timeout(60)
class TcpDialerIT {

    @Test
    void engineIsAskedOverTcpAndMissedWhenItIsGone() throws IOException, InterruptedException {
        var server =
                NettyServerBuilder.forPort(0, InsecureServerCredentials.create())
                        .addService(new FakeEngine(Samples.secondary()))
                        .build()
                        .start();
        String engine = "127.0.0.1:" + server.getPort();
        try (var dialer = new TcpDialer()) {
            var answered = MarsadmRun.run(Map.of(), dialer, "status", "db", "--engine", engine);
            server.shutdownNow().awaitTermination();
            var missed = MarsadmRun.run(Map.of(), dialer, "--engine", engine, "status", "db");

            assertThat(answered.exitCode()).isZero();
            assertThat(answered.out()).startsWith("db on b: secondary");
            assertThat(missed.exitCode()).isEqualTo(3);
            assertThat(missed.err())
                    .startsWith(
                            "marsadm: engine " + engine + " is not reached; Connection refused;");
        }
    }
}
