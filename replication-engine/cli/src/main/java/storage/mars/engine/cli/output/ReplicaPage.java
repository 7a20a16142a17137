// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import storage.mars.engine.api.v1.Branch;
import storage.mars.engine.api.v1.Condition;
import storage.mars.engine.api.v1.Epoch;
import storage.mars.engine.api.v1.Export;
import storage.mars.engine.api.v1.Fork;
import storage.mars.engine.api.v1.LogSpace;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.api.v1.Role;
import storage.mars.engine.cli.unit.ByteSize;

/** All that is known about one replica, in the order in which one asks for it at night. */
final class ReplicaPage {

    private static final int NEWEST_EPOCHS = 3;

    private final Replica replica;
    private final UnaryOperator<String> addressed;
    private final List<String> lines = new ArrayList<>();

    private ReplicaPage(Replica replica, UnaryOperator<String> addressed) {
        this.replica = replica;
        this.addressed = addressed;
    }

    /** With next commands that name the engine which was asked. */
    static List<String> lines(Replica replica, UnaryOperator<String> addressed) {
        var page = new ReplicaPage(replica, addressed);
        page.lines.add(Summary.of(replica));
        page.facts();
        page.members();
        page.loss();
        page.forks();
        page.conditions();
        return page.lines;
    }

    private void facts() {
        if (replica.getRole() != Role.ROLE_PRIMARY) {
            fact("primary", replica.getPrimary().isEmpty() ? "none known" : replica.getPrimary());
        }
        fact("positions", positions());
        if (replica.hasLog()) {
            fact("log", log(replica.getLog()));
        }
        if (replica.getShippingPaused() || replica.getApplyPaused()) {
            fact("PAUSED", paused());
        }
        fact("volumes", volumes());
        replica.getExportsList().forEach(export -> fact("export", export(export)));
        fact("ids", ids());
        history();
    }

    private void history() {
        int earlier = Math.max(0, replica.getHistoryCount() - NEWEST_EPOCHS);
        if (earlier > 0) {
            fact("epochs", earlier + " earlier ones, see -o json");
        }
        replica.getHistoryList().stream()
                .skip(earlier)
                .forEach(epoch -> fact("epoch", epoch(epoch)));
    }

    private void fact(String name, String value) {
        lines.add(String.format(Locale.ROOT, "  %-10s %s", name, value));
    }

    private String positions() {
        var positions = replica.getPositions();
        return "durable %d, received %d, applied %d, checkpoint %d"
                .formatted(
                        positions.getDurable(),
                        positions.getReceived(),
                        positions.getApplied(),
                        positions.getCheckpoint());
    }

    private static String log(LogSpace log) {
        String used = new ByteSize(log.getUsedBytes()) + " used";
        return log.getBudgetBytes() == 0
                ? used
                : "%s of %s (%d %%)"
                        .formatted(
                                used,
                                new ByteSize(log.getBudgetBytes()),
                                100 * log.getUsedBytes() / log.getBudgetBytes());
    }

    private String paused() {
        if (replica.getShippingPaused() && replica.getApplyPaused()) {
            return "shipping and apply";
        }
        return replica.getShippingPaused() ? "shipping" : "apply";
    }

    private String volumes() {
        return replica.getVolumesList().stream()
                .map(volume -> volume.getName() + " " + new ByteSize(volume.getSizeBytes()))
                .collect(Collectors.joining(", "));
    }

    private static String export(Export export) {
        if (export.getUrisCount() == 0) {
            return export.getName() + ", closed";
        }
        return "%s, %s, %d connections, %s"
                .formatted(
                        export.getName(),
                        export.getReadOnly() ? "read-only" : "writable",
                        export.getConnections(),
                        String.join(" ", export.getUrisList()));
    }

    private String ids() {
        return "resource %s, replica %s, incarnation %s"
                .formatted(replica.getId(), replica.getReplicaId(), replica.getIncarnation());
    }

    private static String epoch(Epoch epoch) {
        return "%s by %s from %d, id %s"
                .formatted(
                        Summary.number(epoch), epoch.getWriter(), epoch.getStart(), epoch.getId());
    }

    private void members() {
        lines.add("");
        lines.addAll(MemberTable.lines(replica));
    }

    private void loss() {
        if (replica.getRole() == Role.ROLE_PRIMARY) {
            return;
        }
        lines.add("");
        lines.add(
                replica.hasForcedPromotionLoss()
                        ? "A forced promotion would lose " + LossSentence.of(replica) + "."
                        : "It cannot be promoted now.");
    }

    private void forks() {
        for (Fork fork : replica.getForksList()) {
            lines.add("");
            lines.add("FORKED at position " + fork.getForkPoint() + "; both branches are kept:");
            branch(fork.getOurs());
            branch(fork.getTheirs());
        }
    }

    private void branch(Branch branch) {
        lines.add("  on " + branch.getReplica() + ", up to position " + branch.getEnd());
        branch.getEpochsList().forEach(epoch -> lines.add("    epoch " + epoch(epoch)));
    }

    private void conditions() {
        lines.add("");
        var unwanted = Summary.unwantedConditions(replica);
        if (unwanted.isEmpty()) {
            lines.add("All is as wanted.");
            return;
        }
        lines.add("Not as wanted:");
        unwanted.forEach(this::condition);
    }

    private void condition(Condition condition) {
        lines.add(
                "  %s %s: %s"
                        .formatted(
                                condition.getType(),
                                Summary.verdict(condition),
                                condition.getMessage()));
        if (!condition.getNextCommand().isEmpty()) {
            lines.add("    next: " + addressed.apply(condition.getNextCommand()));
        }
    }
}
