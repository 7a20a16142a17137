// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PayloadBudgetTest {

    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private final PayloadBudget budget = new PayloadBudget(100, tasks::addLast);
    private final List<String> granted = new ArrayList<>();
    private final PayloadBudget.Share a = budget.join("a");
    private final PayloadBudget.Share b = budget.join("b");
    private final PayloadBudget.Share c = budget.join("c");

    @Test
    void exportTakesNoMoreThanHalf() {
        assertThat(ask("a1", a, 50)).isTrue();

        assertThat(ask("a2", a, 1)).isFalse();
        assertThat(ask("b1", b, 50)).isTrue();
    }

    @Test
    void whoWaitsForItsExportDoesNotHoldUpOthers() {
        ask("a1", a, 50);
        ask("a2", a, 50);

        assertThat(ask("b1", b, 10)).isTrue();
    }

    @Test
    void whoWaitsForMemoryHoldsUpAllBehindIt() {
        ask("a1", a, 50);
        ask("b1", b, 30);
        assertThat(ask("c1", c, 40)).isFalse();
        assertThat(ask("b2", b, 10)).isFalse();

        release(a, 50);

        assertThat(granted).containsExactly("c1", "b2");
    }

    @Test
    void smallRequestOfAnExportDoesNotOvertakeItsLargeOne() {
        ask("a1", a, 30);
        ask("a2", a, 40);
        assertThat(ask("a3", a, 10)).isFalse();

        release(a, 30);

        assertThat(granted).containsExactly("a2", "a3");
    }

    @Test
    void requestLargerThanItsShareIsServedAlone() {
        assertThat(ask("a1", a, 80)).isTrue();
        assertThat(ask("b1", b, 30)).isFalse();

        release(a, 80);

        assertThat(granted).containsExactly("b1");
    }

    @Test
    void whoIsForgottenIsNotGrantedAndMakesRoom() {
        ask("a1", a, 50);
        ask("b1", b, 40);
        Asker gone = new Asker("c1", c, 50);
        budget.reserve(gone);
        ask("b2", b, 10);

        budget.forget(gone);
        runTasks();

        assertThat(granted).containsExactly("b2");
    }

    private boolean ask(String name, PayloadBudget.Share share, long bytes) {
        return budget.reserve(new Asker(name, share, bytes));
    }

    private void release(PayloadBudget.Share share, long bytes) {
        budget.release(share, bytes);
        runTasks();
    }

    private void runTasks() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
    }

    private final class Asker implements PayloadBudget.Waiter {
        private final String name;
        private final PayloadBudget.Share share;
        private final long bytes;

        Asker(String name, PayloadBudget.Share share, long bytes) {
            this.name = name;
            this.share = share;
            this.bytes = bytes;
        }

        @Override
        public PayloadBudget.Share share() {
            return share;
        }

        @Override
        public long wanted() {
            return bytes;
        }

        @Override
        public void granted() {
            granted.add(name);
        }
    }
}
