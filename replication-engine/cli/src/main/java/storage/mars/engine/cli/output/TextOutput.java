// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import java.io.PrintWriter;
import java.util.List;
import java.util.function.UnaryOperator;
import storage.mars.engine.api.v1.Node;
import storage.mars.engine.api.v1.Replica;

/** Tables and sentences for people; not a format that programs may rely on. */
public final class TextOutput implements Output {

    private final PrintWriter out;
    private final UnaryOperator<String> addressed;

    /**
     * @param addressed makes the engine that was asked part of a command line
     */
    public TextOutput(PrintWriter out, UnaryOperator<String> addressed) {
        this.out = out;
        this.addressed = addressed;
    }

    @Override
    public void replica(Replica replica) {
        print(ReplicaPage.lines(replica, addressed));
    }

    @Override
    public void replicas(List<Replica> replicas) {
        print(OverviewTable.lines(replicas));
    }

    @Override
    public void changed(Replica replica) {
        print(List.of(Summary.of(replica)));
    }

    @Override
    public void observed(Replica replica) {
        print(
                List.of(
                        Moments.toTheSecond(replica.getObservedAt())
                                + " "
                                + Summary.moving(replica)));
    }

    @Override
    public void gone(Departure departure) {
        print(List.of(departure.resource() + ": " + fate(departure)));
    }

    private static String fate(Departure departure) {
        if (departure.member().isEmpty()) {
            return departure.existed()
                    ? "no longer on this engine"
                    : "was not on this engine, nothing to do";
        }
        return departure.member()
                + (departure.existed()
                        ? " is no longer a member"
                        : " was not a member, nothing to do");
    }

    @Override
    public void node(Node node) {
        print(NodePage.lines(node));
    }

    private void print(List<String> lines) {
        lines.forEach(out::println);
        out.flush();
    }
}
