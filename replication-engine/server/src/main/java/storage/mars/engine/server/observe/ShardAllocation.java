// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.observe;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;

/** What given threads have allocated on the heap since they began. Callable from any thread. */
public final class ShardAllocation {

    private final long[] threads;

    public ShardAllocation(long[] threadIds) {
        this.threads = threadIds.clone();
    }

    /** 0 where the JVM does not count. */
    public long bytes() {
        return ManagementFactory.getThreadMXBean() instanceof ThreadMXBean bean
                ? Arrays.stream(bean.getThreadAllocatedBytes(threads)).filter(n -> n > 0).sum()
                : 0;
    }
}
