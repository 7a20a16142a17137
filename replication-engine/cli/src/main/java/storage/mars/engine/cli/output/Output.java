// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import java.util.List;
import storage.mars.engine.api.v1.Node;
import storage.mars.engine.api.v1.Replica;

/** Where the result of a verb goes, in the shape that was asked for. */
public sealed interface Output permits JsonOutput, TextOutput {

    /** All that is known about one replica. */
    void replica(Replica replica);

    /** All replicas of an engine, in short. */
    void replicas(List<Replica> replicas);

    /** The state that a verb led to. */
    void changed(Replica replica);

    /** One step of a watch; flushed at once. */
    void observed(Replica replica);

    /** A replica that is gone, or that never was there. */
    void gone(Departure departure);

    void node(Node node);
}
