// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit;

import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.ServiceLoader;
import storage.mars.engine.testkit.schedule.SimFailure;
import storage.mars.engine.testkit.sim.SimWorld;

/**
 * Runs every {@link Scenario} that the class path offers, seed after seed, for a given time.
 * Arguments: seconds, then optionally {@code --seed N} to begin with and {@code --only NAME}. Ends
 * with 1 when a seed has failed, after telling how to replay it.
 */
public final class Soak {

    private static final long PROGRESS_NANOS = Duration.ofSeconds(5).toNanos();

    private final List<Scenario> scenarios;
    private final PrintStream out;

    Soak(List<Scenario> scenarios, PrintStream out) {
        this.scenarios = List.copyOf(scenarios);
        this.out = out;
    }

    /** What the command line asks for. */
    record Order(long seconds, long seed, String only) {

        static Order of(String[] arguments) {
            long seconds = 10;
            long seed = SeedRun.firstSeed(System.nanoTime());
            String only = "";
            for (int i = 0; i < arguments.length; i++) {
                switch (arguments[i]) {
                    case "--seed" -> seed = Long.parseLong(arguments[++i]);
                    case "--only" -> only = arguments[++i];
                    default -> seconds = Long.parseLong(arguments[i]);
                }
            }
            return new Order(seconds, seed, only);
        }
    }

    /** See the class. */
    public static void main(String[] arguments) {
        Order order = Order.of(arguments);
        List<Scenario> found =
                ServiceLoader.load(Scenario.class).stream()
                        .map(ServiceLoader.Provider::get)
                        .filter(each -> each.name().contains(order.only))
                        .toList();
        boolean well = new Soak(found, System.out).run(order);
        System.exit(well ? 0 : 1);
    }

    /**
     * Whether all seeds that there was time for ended well; false too when there is no scenario.
     */
    boolean run(Order order) {
        if (scenarios.isEmpty()) {
            out.println("no scenario to run");
            return false;
        }
        boolean single = Long.getLong(SimWorld.SEED_PROPERTY) != null;
        long begin = System.nanoTime();
        long end = begin + Duration.ofSeconds(order.seconds).toNanos();
        long nextLine = begin + PROGRESS_NANOS;
        long steps = 0;
        long runs = 0;
        for (long seed = order.seed; runs == 0 || (!single && System.nanoTime() < end); seed++) {
            for (Scenario scenario : scenarios) {
                try {
                    steps += SeedRun.of(scenario, seed).steps();
                } catch (SimFailure failure) {
                    report(scenario, seed, failure);
                    return false;
                }
                runs++;
                if (System.nanoTime() > nextLine) {
                    nextLine += PROGRESS_NANOS;
                    progress(seed, runs, steps, System.nanoTime() - begin);
                }
            }
        }
        progress(order.seed, runs, steps, System.nanoTime() - begin);
        return true;
    }

    private void progress(long seed, long runs, long steps, long nanos) {
        long rate = steps * 1_000 / Math.max(1, nanos / 1_000_000);
        out.printf("seed %d: %d runs, %d steps, %d steps/s%n", seed, runs, steps, rate);
    }

    private void report(Scenario scenario, long seed, SimFailure failure) {
        out.println("FAILED: " + failure.getMessage());
        Throwable cause = failure.getCause();
        if (cause != null) {
            cause.printStackTrace(out);
        }
        out.printf(
                "replay: java -D%s=%d ... %s 1 --only %s%n",
                SimWorld.SEED_PROPERTY, seed, Soak.class.getName(), scenario.name());
    }
}
