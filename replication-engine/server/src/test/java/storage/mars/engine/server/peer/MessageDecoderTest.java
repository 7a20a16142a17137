// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.CorruptedFrameException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages out of a byte stream, however it is cut. */
class MessageDecoderTest {

    private static final byte[] STREAM = stream("a", "", "hello", "x".repeat(300));

    @Test
    void everySplitOfTheStreamYieldsTheSameMessages() {
        for (int split = 0; split <= STREAM.length; split++) {
            EmbeddedChannel channel = new EmbeddedChannel(new MessageDecoder(1000));

            channel.writeInbound(Unpooled.copiedBuffer(STREAM, 0, split));
            channel.writeInbound(Unpooled.copiedBuffer(STREAM, split, STREAM.length - split));

            assertThat(messages(channel))
                    .as("split at %s", split)
                    .containsExactly("a", "", "hello", "x".repeat(300));
            assertThat(channel.finish()).isFalse();
        }
    }

    @Test
    void singleBytesYieldTheSameMessages() {
        EmbeddedChannel channel = new EmbeddedChannel(new MessageDecoder(1000));

        for (byte each : STREAM) {
            channel.writeInbound(Unpooled.copiedBuffer(new byte[] {each}));
        }

        assertThat(messages(channel)).containsExactly("a", "", "hello", "x".repeat(300));
    }

    @ParameterizedTest
    @ValueSource(ints = {1001, Integer.MAX_VALUE, -1, Integer.MIN_VALUE})
    void lengthBeyondTheLimitIsAnErrorBeforeAnythingIsStored(int length) {
        EmbeddedChannel channel = new EmbeddedChannel(new MessageDecoder(1000));
        ByteBuf in = Unpooled.buffer().writeIntLE(length).writeBytes(new byte[100]);

        assertThatThrownBy(() -> channel.writeInbound(in))
                .isInstanceOf(CorruptedFrameException.class)
                .hasMessageContaining(Integer.toUnsignedString(length));
        assertThat(channel.finish()).isFalse();
        assertThat(in.refCnt()).isZero();
    }

    @Test
    void pausedDecoderKeepsEverythingUntilItIsResumed() {
        MessageDecoder decoder = new MessageDecoder(1000);
        EmbeddedChannel channel = new EmbeddedChannel(decoder);
        decoder.pause();
        channel.writeInbound(Unpooled.copiedBuffer(STREAM, 0, 7));
        channel.writeInbound(Unpooled.copiedBuffer(STREAM, 7, STREAM.length - 7));
        assertThat(messages(channel)).isEmpty();

        decoder.resume(channel.pipeline().context(decoder));

        assertThat(messages(channel)).containsExactly("a", "", "hello", "x".repeat(300));
    }

    @Test
    void endOfTheConnectionReleasesWhatWasNotComplete() {
        EmbeddedChannel channel = new EmbeddedChannel(new MessageDecoder(1000));
        ByteBuf in = Unpooled.copiedBuffer(STREAM, 0, STREAM.length - 1);

        channel.writeInbound(in);
        messages(channel);
        channel.finishAndReleaseAll();

        assertThat(in.refCnt()).isZero();
    }

    private static byte[] stream(String... messages) {
        ByteBuf all = Unpooled.buffer();
        for (String message : messages) {
            all.writeIntLE(message.length());
            ByteBufUtil.writeAscii(all, message);
        }
        return ByteBufUtil.getBytes(all);
    }

    private static List<String> messages(EmbeddedChannel channel) {
        List<String> messages = new ArrayList<>();
        for (ByteBuf next = channel.readInbound(); next != null; next = channel.readInbound()) {
            messages.add(next.toString(StandardCharsets.US_ASCII));
            next.release();
        }
        return messages;
    }
}
