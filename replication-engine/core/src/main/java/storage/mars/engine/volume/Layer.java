// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

/**
 * Newest versions at one stage of their way to the image. A block version that lies in a zero range
 * of the same layer is newer than the range: what a zero covers is removed when the zero comes.
 */
final class Layer {

    private final BlockTable blocks;
    private ZeroRanges zeros;

    Layer(SinceLedger ledger) {
        blocks = new BlockTable(ledger);
        zeros = new ZeroRanges(ledger);
    }

    BlockTable blocks() {
        return blocks;
    }

    ZeroRanges zeros() {
        return zeros;
    }

    void swapZeros(Layer other) {
        var mine = zeros;
        zeros = other.zeros;
        other.zeros = mine;
    }

    /** Adds a zero range over all older versions and takes over their smallest since. */
    void addZero(long from, long to, long order, long since) {
        zeros.add(from, to, order, blocks.removeOlder(from, to, order, since));
    }

    int entries() {
        return blocks.size() + zeros.size();
    }

    boolean isEmpty() {
        return blocks.size() == 0 && zeros.size() == 0;
    }

    boolean isEmpty(int volume) {
        return blocks.size(volume) == 0 && zeros.size(volume) == 0;
    }

    void clear() {
        blocks.clear();
        zeros.clear();
    }

    /** Gives back memory that few entries do not need. */
    void shrink() {
        blocks.shrink();
    }

    void trim() {
        blocks.trim();
        zeros.trim();
    }

    long memoryBytes() {
        return blocks.memoryBytes() + zeros.memoryBytes();
    }
}
