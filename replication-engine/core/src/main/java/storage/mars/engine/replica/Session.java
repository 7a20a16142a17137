// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.log.FieldReader.Malformed;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.replication.PeerCodec;
import storage.mars.engine.replication.PeerMessage;
import storage.mars.engine.replication.PeerMessage.Refused;
import storage.mars.engine.replication.Puller;
import storage.mars.engine.replication.Shipper;
import storage.mars.engine.replication.SyncSource;

/** One link with another engine about one resource, and what runs over it. Owned by the shard. */
final class Session implements PeerLink.Receiver {

    private static final Logger LOGGER = LoggerFactory.getLogger(Session.class);

    /** A new pull may be under way. */
    private static final int PATIENT_REPORTS = 3;

    /** More than heartbeats and reports come to while a link is slow. */
    private static final int MOST_WAITING = 1024;

    final PeerLink link;
    final boolean dialled;
    private final PeerCodec codec;
    private final Conversation conversation;
    @Nullable Peer peer;
    @Nullable Shipper shipper;
    @Nullable Puller puller;
    @Nullable SyncSource source;

    /** How often the other side has asked for the log. */
    long pulls;

    private boolean shippingEnded;
    private int reportsSince;

    /** Messages that were sent since the link took any, at most. */
    private int waiting;

    /** When the other side was heard last, or dialled. */
    long heardNanos;

    private boolean closed;

    /** Who answers. */
    interface Conversation {

        void heard(Session session, PeerMessage message);

        /** The link takes more again. */
        void writable(Session session);

        void ended(Session session, String reason);
    }

    Session(PeerLink link, boolean dialled, PeerCodec codec, Conversation conversation) {
        this.link = link;
        this.dialled = dialled;
        this.codec = codec;
        this.conversation = conversation;
    }

    /** Closes the link when the other side goes on asking and takes no answers. */
    void send(PeerMessage message) {
        if (closed) {
            return;
        }
        waiting = link.isWritable() ? 0 : waiting + 1;
        if (waiting <= MOST_WAITING) {
            link.send(codec.encode(message));
        } else if (waiting == MOST_WAITING + 1) {
            LOGGER.atWarn()
                    .addKeyValue("peer", link.remote())
                    .log("a peer takes no answers; its link is closed");
            close();
        }
    }

    /** Says why, then ends the link. */
    void refuse(String reason) {
        send(new Refused(reason));
        close();
    }

    /** Who has not said by now which member it is does not keep the link. */
    void closeUnlessMet() {
        if (peer == null) {
            close();
        }
    }

    PeerCodec codec() {
        return codec;
    }

    @Override
    public void received(ByteBuffer message) {
        if (closed) {
            return;
        }
        try {
            conversation.heard(this, codec.decode(message));
        } catch (Malformed e) {
            LOGGER.atWarn()
                    .addKeyValue("peer", link.remote())
                    .log("a peer sent what is not a message: {}", e.getMessage());
            close();
        }
    }

    @Override
    public void writable() {
        if (!closed) {
            conversation.writable(this);
        }
    }

    @Override
    public void closed(String reason) {
        if (!closed) {
            closed = true;
            endStreams();
            conversation.ended(this, reason);
        }
    }

    /** Ends what runs over the link, which stays. */
    void endStreams() {
        Shipper s = shipper;
        if (s != null) {
            s.end();
            shipper = null;
            shippingEnded = true;
        }
        Puller p = puller;
        if (p != null) {
            p.end();
            puller = null;
        }
        SyncSource src = source;
        if (src != null) {
            src.end();
            source = null;
        }
    }

    /**
     * The other side has said where it is. True when it goes on saying so although the log that was
     * shipped over this link has ended here: it does not know.
     */
    boolean isWaitedFor() {
        if (shippingEnded && shipper == null) {
            reportsSince++;
        }
        return reportsSince > PATIENT_REPORTS;
    }

    void close() {
        link.close();
    }

    boolean isClosed() {
        return closed;
    }
}
