// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.api.v1.Role;

/** What a wait waits for. May learn from one look at the replica to the next. */
sealed interface Goal permits CaughtUp, Goal.Consistent, Goal.Primary, Goal.Secondary {

    boolean reachedBy(Replica replica);

    /** Why it is not reached, and who holds it. */
    String missing(Replica replica);

    /** Nothing is uncopied: the content is a state that the primary went through. */
    record Consistent() implements Goal {

        @Override
        public boolean reachedBy(Replica replica) {
            return replica.getConsistent();
        }

        @Override
        public String missing(Replica replica) {
            return "it is inconsistent until its sync is complete";
        }
    }

    /** Primary, and its exports are open. */
    record Primary() implements Goal {

        private static final String SERVING = "Serving";

        @Override
        public boolean reachedBy(Replica replica) {
            return replica.getRole() == Role.ROLE_PRIMARY && replica.getState().equals(SERVING);
        }

        @Override
        public String missing(Replica replica) {
            String known = replica.getPrimary().isEmpty() ? "none" : replica.getPrimary();
            return "its state is %s and the known primary is %s"
                    .formatted(replica.getState(), known);
        }
    }

    /** Secondary, in whatever state. */
    record Secondary() implements Goal {

        @Override
        public boolean reachedBy(Replica replica) {
            return replica.getRole() == Role.ROLE_SECONDARY;
        }

        @Override
        public String missing(Replica replica) {
            return "it is the primary, in state " + replica.getState();
        }
    }
}
