// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.CrashPoints;
import storage.mars.engine.testkit.sim.SimWorld;

/**
 * One of the stories of {@link RoleCrashes} with one crash or two of one of its machines, all drawn
 * by the seed: what the enumeration of single crashes leaves out.
 */
public final class RoleCrashesScenario implements Scenario {

    @Override
    public String name() {
        return "role-crashes";
    }

    @Override
    public void run(SimWorld world) {
        SimRandom random = world.random("story");
        RoleCrashes.Protocol[] protocols = RoleCrashes.Protocol.values();
        RoleCrashes.Protocol protocol = protocols[random.below(protocols.length)];
        String victim = random.chance(1, 2) ? "a" : "b";
        world.scheduler().note(victim, "crashes in " + protocol, 0);
        CrashPoints.drawn(world, RoleCrashes.story(protocol, victim));
    }
}
