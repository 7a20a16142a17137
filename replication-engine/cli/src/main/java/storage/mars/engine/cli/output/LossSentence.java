// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import storage.mars.engine.api.v1.DataLoss;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.cli.unit.ByteSize;
import storage.mars.engine.cli.unit.TimeSpan;

/** What a forced promotion would lose now, in words that follow "would lose". */
public final class LossSentence {

    private LossSentence() {}

    /** Of a replica that {@linkplain Replica#hasForcedPromotionLoss can be promoted}. */
    public static String of(Replica replica) {
        DataLoss loss = replica.getForcedPromotionLoss();
        return (loss.getExact() ? exactly(loss) : atLeast(loss, replica)) + ahead(loss);
    }

    private static String exactly(DataLoss loss) {
        return loss.getBytes() == 0 ? "nothing" : "exactly " + amount(loss);
    }

    private static String atLeast(DataLoss loss, Replica replica) {
        if (!loss.hasUnknownSince()) {
            return "an unknown amount: no primary of the newest term was heard";
        }
        return "at least %s, unknown since %s (%s)"
                .formatted(
                        amount(loss),
                        Moments.toTheSecond(loss.getUnknownSince()),
                        Moments.ago(loss.getUnknownSince(), replica));
    }

    private static String amount(DataLoss loss) {
        return new ByteSize(loss.getBytes()) + ", " + TimeSpan.ofSeconds(loss.getSeconds());
    }

    private static String ahead(DataLoss loss) {
        return loss.getMembersAheadCount() == 0
                ? ""
                : "; further ahead: " + String.join(", ", loss.getMembersAheadList());
    }
}
