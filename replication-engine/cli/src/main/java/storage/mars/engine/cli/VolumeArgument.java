// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import storage.mars.engine.api.v1.NewVolume;
import storage.mars.engine.cli.unit.ByteSize;

/** A volume to create, as written on the command line: {@code NAME:SIZE}. */
record VolumeArgument(String name, ByteSize size) {

    static VolumeArgument parse(String text) {
        int colon = text.indexOf(':');
        if (colon < 1) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not NAME:SIZE, for example data:1GiB");
        }
        return new VolumeArgument(
                text.substring(0, colon), ByteSize.parse(text.substring(colon + 1)).inBlocks());
    }

    NewVolume toRequest() {
        return NewVolume.newBuilder().setName(name).setSizeBytes(size.bytes()).build();
    }
}
