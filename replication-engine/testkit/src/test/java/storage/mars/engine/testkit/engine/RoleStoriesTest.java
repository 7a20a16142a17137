// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.sim.SimWorld;

/** Stories of roles that have failed once, each told as shortly as it shows. */
class RoleStoriesTest {

    private static final long MILLISECOND = 1_000_000L;
    private static final long SECOND = 1_000 * MILLISECOND;

    private final SimWorld world = new SimWorld(1);

    private static void slowLog(SimEngine engine, long nanos) {
        engine.machine().disk().faults().slowFiles(name -> name.contains("/log/"), nanos);
    }

    @Test
    void forceBehindAnEndTakesNoTermThatTheEndMayHaveGivenAway() {
        RoleCluster cluster = new RoleCluster(world, "a", "b", "c").born();
        SimEngine a = cluster.engine("a");
        SimEngine b = cluster.engine("b");
        SimEngine c = cluster.engine("c");
        cluster.laws().allowForce();
        long term = a.known().highestTerm();
        slowLog(b, SECOND);
        b.ask(host -> host.promote("r", true, Duration.ofMinutes(1), SimEngine.anyAnswer()));
        cluster.until("a ends its log", () -> a.isIn("HandingOver"), 10);
        long before = c.known().positions().durable();
        cluster.until("c has the end", () -> c.known().positions().durable() > before, 10);
        world.network().partition("a", "c");
        world.network().partition("b", "c");
        cluster.until("b has the role", () -> b.isIn("Serving"), 60);
        assertThat(b.known().highestTerm()).isEqualTo(term + 1);
        c.machine().crash(CrashKind.POWER);
        c.machine().startAfter(SECOND);
        world.runFor(SECOND);
        cluster.until("c is back", () -> c.isReady() && c.isIn("Secondary"), 30);

        cluster.force(c, term);
        cluster.force(c, term);

        assertThat(c.known().highestTerm()).isEqualTo(term + 2);
        cluster.heal();
        cluster.until("b is fenced", () -> b.isIn("Secondary") || b.isIn("Diverged"), 60);
    }
}
