// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.fake;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import storage.mars.engine.fake.FakePorts.Kind;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Callback;
import storage.mars.engine.port.Completion;

/** A file as what was written and what of it was synced. A write takes effect when it is done. */
public final class FakeFile implements BlockFile {

    public byte[] data;
    public byte[] synced;
    private final byte[] lost;
    private final BitSet unlike = new BitSet();
    String name;
    private final FakePorts ports;
    private boolean closed;

    FakeFile(FakePorts ports, String name, byte[] content) {
        this.ports = ports;
        this.name = name;
        this.data = content;
        this.synced = content.clone();
        this.lost = new byte[content.length];
    }

    FakeFile copy(FakePorts into, String newName, byte[] content) {
        return new FakeFile(into, newName, content.clone());
    }

    /** The same bytes for whoever opens the file after it was closed. */
    FakeFile again() {
        FakeFile opened = new FakeFile(ports, name, data);
        opened.synced = synced;
        opened.unlike.or(unlike);
        System.arraycopy(lost, 0, opened.lost, 0, lost.length);
        return opened;
    }

    public boolean isClosed() {
        return closed;
    }

    /** Changes what is on the device, as damage does. */
    public void overwrite(int position, byte[] bytes) {
        System.arraycopy(bytes, 0, data, position, bytes.length);
        System.arraycopy(bytes, 0, synced, position, bytes.length);
    }

    public void flip(int position) {
        overwrite(position, new byte[] {(byte) (data[position] ^ 0x10)});
    }

    @Override
    public long size() {
        return data.length;
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException(name + " is used after it was closed");
        }
    }

    private void ask(Kind kind, long position, long length, Completion done, Runnable effect) {
        checkOpen();
        ports.ask(
                kind,
                name,
                position,
                length,
                failure -> {
                    if (failure == null) {
                        effect.run();
                    }
                    done.completed(failure);
                });
    }

    @Override
    public void read(long position, ByteBuffer into, Completion done) {
        int length = into.remaining();
        ask(Kind.READ, position, length, done, () -> into.put(data, (int) position, length));
    }

    /** What a failed sync has lost: from now on only ordinary reads show that block as it is. */
    public void lose(int block, byte[] onDevice) {
        System.arraycopy(onDevice, 0, lost, block * 4096, onDevice.length);
        unlike.set(block);
    }

    @Override
    public void readDevice(long position, ByteBuffer into, BitSet differs, Completion done) {
        int start = into.position();
        int length = into.remaining();
        ask(
                Kind.READ,
                position,
                length,
                done,
                () -> {
                    int first = (int) (position / 4096);
                    into.put(data, (int) position, length);
                    for (int block : unlike.stream().toArray()) {
                        int at = block * 4096;
                        if (at >= position && at < position + length) {
                            into.put(start + at - (int) position, lost, at, 4096);
                            differs.set(block - first);
                        }
                    }
                });
    }

    @Override
    public void write(long position, ByteBuffer from, Completion done) {
        ask(Kind.WRITE, position, from.remaining(), done, () -> put(position, from));
    }

    private int put(long position, ByteBuffer from) {
        int length = from.remaining();
        from.get(data, (int) position, length);
        unlike.clear((int) (position / 4096), (int) ((position + length + 4095) / 4096));
        return length;
    }

    @Override
    public void writeDurably(long position, ByteBuffer[] from, int count, Completion done) {
        long length = 0;
        for (int i = 0; i < count; i++) {
            length += from[i].remaining();
        }
        ask(
                Kind.LOG_WRITE,
                position,
                length,
                done,
                () -> {
                    long at = position;
                    for (int i = 0; i < count; i++) {
                        at += put(at, from[i]);
                    }
                    synced = data.clone();
                });
    }

    @Override
    public void zero(long position, long length, Completion done) {
        ask(
                Kind.ZERO,
                position,
                length,
                done,
                () -> Arrays.fill(data, (int) position, (int) (position + length), (byte) 0));
    }

    /** A failed sync loses what was written since the last one, as a kernel may. */
    @Override
    public void sync(Completion done) {
        checkOpen();
        ports.ask(
                Kind.SYNC,
                name,
                0,
                0,
                failure -> {
                    if (failure == null) {
                        synced = data.clone();
                    } else {
                        data = synced.clone();
                    }
                    done.completed(failure);
                });
    }

    @Override
    public void resize(long newSize, Completion done) {
        ask(Kind.WRITE, newSize, 0, done, () -> data = Arrays.copyOf(data, (int) newSize));
    }

    @Override
    public void nextExtent(long position, long limit, Callback<Long> done) {
        checkOpen();
        ports.ask(
                Kind.EXTENT,
                name,
                position,
                limit - position,
                failure ->
                        done.completed(failure == null ? extent(position, limit) : null, failure));
    }

    /** Blocks of zeros are holes. */
    private long extent(long position, long limit) {
        boolean hole = isHole(position);
        long end = position;
        while (end < limit && isHole(end) == hole) {
            end = (end / 4096 + 1) * 4096;
        }
        long found = Math.min(end, limit);
        return hole ? -found : found;
    }

    private boolean isHole(long position) {
        int block = (int) (position / 4096) * 4096;
        for (int i = block; i < Math.min(block + 4096, data.length); i++) {
            if (data[i] != 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void close() {
        closed = true;
    }
}
