// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.channel.Channel;
import storage.mars.engine.export.ExportInfo;

/** What one connection's transmission phase is made of. */
record TransmissionParts(
        Channel channel,
        Inbound inbound,
        ExportInfo export,
        Negotiated negotiated,
        NbdLimits limits,
        ShardMemory memory,
        PayloadBudget.Share share) {}
