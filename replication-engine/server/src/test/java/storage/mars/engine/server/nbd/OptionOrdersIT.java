// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Options in every order (CVE-2019-14850 and -14851): each is answered as the protocol says, the
 * stream stays in step, and only GO opens the export.
 */
@Timeout(120)
class OptionOrdersIT {

    private static final int LONGEST_WITH_REPETITIONS = 4;
    private static final byte[] NONE = {};

    private enum Step {
        INFO,
        LIST,
        STRUCTURED,
        SELECT,
        UNKNOWN,
        GO_ELSEWHERE
    }

    private static final byte[] GO = Wire.option(Nbd.OPT_GO, Wire.query(NbdFixture.DISK));

    private NbdFixture fixture;
    private int opened;

    @BeforeEach
    void start() throws IOException {
        fixture = new NbdFixture();
    }

    @AfterEach
    void stop() throws IOException {
        fixture.close();
    }

    @Test
    void everySequenceOfUpToFour() {
        for (List<Step> order : sequences()) {
            oneByOne(order);
            allAtOnce(order);
        }
    }

    @Test
    void everyOrderOfAllOfThem() {
        List<List<Step>> orders = new ArrayList<>();
        permute(List.of(), orders);
        assertThat(orders).hasSize(720);
        orders.forEach(this::oneByOne);
    }

    private static List<List<Step>> sequences() {
        List<List<Step>> all = new ArrayList<>();
        all.add(List.of());
        for (int shorter = 0; shorter < all.size(); shorter++) {
            List<Step> start = all.get(shorter);
            if (start.size() < LONGEST_WITH_REPETITIONS) {
                Arrays.stream(Step.values()).forEach(step -> all.add(and(start, step)));
            }
        }
        return all;
    }

    private static void permute(List<Step> start, List<List<Step>> into) {
        EnumSet<Step> rest = EnumSet.allOf(Step.class);
        rest.removeAll(start);
        if (rest.isEmpty()) {
            into.add(start);
        }
        rest.forEach(step -> permute(and(start, step), into));
    }

    private static List<Step> and(List<Step> start, Step step) {
        List<Step> longer = new ArrayList<>(start);
        longer.add(step);
        return longer;
    }

    private static byte[] bytes(Step step) {
        return switch (step) {
            case INFO -> Wire.option(Nbd.OPT_INFO, Wire.query(NbdFixture.DISK));
            case LIST -> Wire.option(Nbd.OPT_LIST, NONE);
            case STRUCTURED -> Wire.option(Nbd.OPT_STRUCTURED_REPLY, NONE);
            case SELECT ->
                    Wire.option(
                            Nbd.OPT_SET_META_CONTEXT,
                            Wire.contexts(NbdFixture.DISK, Nbd.BASE_ALLOCATION));
            case UNKNOWN -> Wire.option(99, new byte[3]);
            case GO_ELSEWHERE -> Wire.option(Nbd.OPT_GO, Wire.query("nothing"));
        };
    }

    private void oneByOne(List<Step> order) {
        try (RawClient client = fixture.connect().hello()) {
            Agreed agreed = new Agreed();
            for (Step step : order) {
                client.send(bytes(step));
                agreed.expect(client, step, order);
            }
            assertThat(fixture.disk.attachedEver.get()).as("%s", order).isEqualTo(opened);
            client.send(GO);
            expectTransmission(client, agreed, order);
        }
    }

    private void allAtOnce(List<Step> order) {
        byte[] options =
                Wire.join(order.stream().map(OptionOrdersIT::bytes).toArray(byte[][]::new));
        try (RawClient client = fixture.connect().hello().send(Wire.join(options, GO))) {
            Agreed agreed = new Agreed();
            for (Step step : order) {
                agreed.expect(client, step, order);
            }
            expectTransmission(client, agreed, order);
        }
    }

    private void expectTransmission(RawClient client, Agreed agreed, List<Step> order) {
        agreed.expectExport(client, order);
        opened++;
        client.agreed(agreed.structured);
        client.request(Nbd.CMD_BLOCK_STATUS, 0, 1, 0, 4096);
        assertThat(client.answer().error())
                .as("BLOCK_STATUS after %s", order)
                .isEqualTo(agreed.selected ? 0 : NbdErrors.EINVAL);
        client.request(Nbd.CMD_READ, 0, 2, 0, 3);
        assertThat(client.answer(3).chunk())
                .as("READ after %s", order)
                .isEqualTo(agreed.structured ? Nbd.CHUNK_OFFSET_DATA : -1);
        assertThat(fixture.disk.attachedEver.get()).as("%s", order).isEqualTo(opened);
    }

    /** What client and server have agreed on, by the rules. */
    private static final class Agreed {

        private boolean structured;
        private boolean selected;

        void expect(RawClient client, Step step, List<Step> order) {
            switch (step) {
                case INFO -> expectExport(client, order);
                case LIST -> {
                    for (int export = 0; export < 3; export++) {
                        expectReply(client, Nbd.REP_SERVER, order);
                    }
                    expectReply(client, Nbd.REP_ACK, order);
                }
                case STRUCTURED -> {
                    expectReply(client, structured ? Nbd.REP_ERR_INVALID : Nbd.REP_ACK, order);
                    structured = true;
                }
                case SELECT -> {
                    selected = structured;
                    if (selected) {
                        expectReply(client, Nbd.REP_META_CONTEXT, order);
                    }
                    expectReply(client, selected ? Nbd.REP_ACK : Nbd.REP_ERR_INVALID, order);
                }
                case UNKNOWN -> expectReply(client, Nbd.REP_ERR_UNSUP, order);
                case GO_ELSEWHERE -> expectReply(client, Nbd.REP_ERR_UNKNOWN, order);
            }
        }

        /** As INFO and GO answer. */
        void expectExport(RawClient client, List<Step> order) {
            ByteBuffer info = ByteBuffer.wrap(expectReply(client, Nbd.REP_INFO, order).data());
            assertThat(info.getLong(2)).isEqualTo(NbdFixture.SIZE);
            assertThat((info.getShort(10) & Nbd.SEND_DF) != 0)
                    .as("DF after %s", order)
                    .isEqualTo(structured);
            expectReply(client, Nbd.REP_ACK, order);
        }

        private static RawClient.OptionReply expectReply(
                RawClient client, int type, List<Step> order) {
            RawClient.OptionReply reply = client.reply();
            assertThat(reply.type()).as("%s: %s", order, reply.text()).isEqualTo(type);
            return reply;
        }
    }
}
