/** Deterministic simulation of disks, networks, time and crashes around the real engine, with oracles that check its promises. */
@NullMarked
package storage.mars.engine.testkit;

import org.jspecify.annotations.NullMarked;
