// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

import storage.mars.engine.port.Shard;

/** One volume of one resource in one role, to be attached to; immutable. */
record VolumeTarget(ResourceExports exports, int volume, ExportInfo info, Shard shard)
        implements Exports.Target {

    @Override
    public String description() {
        return (info.readOnly() ? "secondary, read-only" : "primary")
                + ", incarnation "
                + info.incarnationText();
    }

    @Override
    public Exports.Attached attach(String client, AttachmentListener listener) {
        return exports.attach(this, client, listener);
    }
}
