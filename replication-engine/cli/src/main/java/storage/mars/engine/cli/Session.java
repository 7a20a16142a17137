// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import storage.mars.engine.cli.output.Output;

/** The engine that a command line asks, and where the answer goes. */
record Session(EngineClient engine, Output output) {}
