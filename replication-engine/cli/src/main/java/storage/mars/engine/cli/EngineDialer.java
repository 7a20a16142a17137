// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import io.grpc.ManagedChannel;

/** Opens the way to an engine. */
@FunctionalInterface
interface EngineDialer {

    ManagedChannel dial(EngineAddress address);
}
