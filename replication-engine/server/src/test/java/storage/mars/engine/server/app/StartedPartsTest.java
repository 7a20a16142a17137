// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StartedPartsTest {

    private final StartedParts parts = new StartedParts();
    private final List<String> ended = new ArrayList<>();

    private StartedParts.Stop named(String name, boolean inTime) {
        return () -> {
            ended.add(name);
            return inTime;
        };
    }

    @Test
    void partsEndInTheOppositeOrder() {
        parts.onlyWhenTheRestHasEnded("lock", named("lock", true));
        parts.begun("files", named("files", true));
        parts.begun("clients", named("clients", true));

        parts.stop();
        parts.stop();

        assertThat(ended).containsExactly("clients", "files", "lock");
    }

    /** Else another engine could recover a log that this process still writes to. */
    @Test
    void theLockStaysWhileFileThreadsMayStillWrite() {
        parts.onlyWhenTheRestHasEnded("lock", named("lock", true));
        parts.begun("files", named("files", false));
        parts.begun("clients", named("clients", true));

        parts.stop();

        assertThat(ended).containsExactly("clients", "files");
    }
}
