// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.DefaultEventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PayloadMemoryTest {

    private static final int MIB = 1 << 20;

    private final DefaultEventLoop loop = new DefaultEventLoop();
    private final PayloadMemory memory = new PayloadMemory(UnpooledByteBufAllocator.DEFAULT, loop);

    @AfterEach
    void end() throws Exception {
        onShard(memory::close);
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
    }

    @Test
    void largePayloadLiesInTheMemoryOfTheLastOne() throws Exception {
        onShard(() -> {
            ByteBuf first = memory.take(0, MIB);
            long address = first.memoryAddress();
            first.release();

            ByteBuf second = memory.take(RequestSlot.HEADROOM, MIB - 1);

            assertThat(second.memoryAddress()).isEqualTo(address);
            assertThat(second.refCnt()).isEqualTo(1);
            second.release();
        });
    }

    @Test
    void bufferShowsWhatWasAskedForAndNoMore() throws Exception {
        onShard(() -> {
            memory.take(0, MIB).writeZero(MIB).release();

            ByteBuf smaller = memory.take(0, MIB - 4096);

            assertThat(smaller.writableBytes()).isEqualTo(MIB - 4096);
            assertThat(smaller.readableBytes()).isZero();
            smaller.release();
        });
    }

    @Test
    void keepsNoMoreThanItsBound() throws Exception {
        onShard(() -> {
            List<ByteBuf> held = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                held.add(memory.take(0, 8 * MIB));
            }

            held.forEach(ByteBuf::release);

            assertThat(memory.keptBytes()).isEqualTo(PayloadMemory.MAX_KEPT);
        });
    }

    @Test
    void keepsNothingAfterTheEnd() throws Exception {
        onShard(() -> {
            ByteBuf late = memory.take(0, MIB);
            memory.close();

            late.release();

            assertThat(memory.keptBytes()).isZero();
        });
    }

    private void onShard(Runnable task) throws Exception {
        loop.submit(task).get(10, TimeUnit.SECONDS);
    }
}
