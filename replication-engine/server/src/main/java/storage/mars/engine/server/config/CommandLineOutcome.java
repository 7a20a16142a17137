// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.config;

/** What the command line asks for. */
public sealed interface CommandLineOutcome {

    /** To run an engine. */
    record Run(EngineSettings settings) implements CommandLineOutcome {}

    /** To print something and end: what was asked for (code 0), or what is wrong (code 2). */
    record Print(String text, int exitCode) implements CommandLineOutcome {}
}
