# SPDX-License-Identifier: Apache-2.0
"""What needs two engines: a silent or absent peer, shipping, applying; and what one costs at rest."""

import os
import signal
import socket
import statistics
import tempfile
import threading
import time

from loads import BY_NAME, measure
from servers import Mars, run

SHIPPED_BYTES = 3 << 30
PIECE = 1 << 20


def peer_trouble(first, second, seconds, pairs, say):
    """p99 of the primary with its peer connected, stopped (SIGSTOP) and gone, interleaved."""
    load = BY_NAME["rand-write-fsync32"]
    p99 = {"connected": [], "stopped": [], "gone": []}

    def once(state, seed):
        first.settle()
        p99[state].append(measure(first.uri(), load, seconds, seed).p99_us)
        say(f"peer {state}: p99 {p99[state][-1]:.0f} µs")

    for pair in range(pairs):
        second.caught_up()
        once("connected", pair)
        second.process.send_signal(signal.SIGSTOP)
        once("stopped", pair)
        second.process.send_signal(signal.SIGCONT)
        second.stop()
        once("gone", pair)
        second.start()
    second.caught_up()
    ratios = {
        state: statistics.median(a / b for a, b in zip(p99[state], p99["connected"]))
        for state in ("stopped", "gone")
    }
    return {"p99_us": p99, "ratio": ratios, "goal": 1.2}


def shipping(first, second, directory, pairs, say):
    """A backlog of log is shipped to a peer that returns; beside it a copy of as much by plain TCP."""
    rounds = []
    for _ in range(pairs):
        second.caught_up()
        second.stop()
        run(
            "fio", "--name=s", "--ioengine=nbd", f"--uri={first.uri()}", "--rw=write", "--bs=1m",
            "--iodepth=16", "--size=1g", f"--io_size={SHIPPED_BYTES}", "--refill_buffers",
        )
        first.settle()
        target = first.positions()["durable"]
        second.start()
        received, applied = catch_up(second, target)
        first.settle()
        copied = tcp_copy(directory)
        rounds.append({"shipped": received, "applied": applied, "copied": copied})
        say(
            f"shipped {received / 1e6:.0f} MB/s, applied {applied / 1e6:.0f} MB/s, "
            f"plain TCP copy to a file {copied / 1e6:.0f} MB/s"
        )
    return {
        "rounds": rounds,
        "ratio": statistics.median(one["shipped"] / one["copied"] for one in rounds),
        "goal": 0.6,
        "applied": statistics.median(one["applied"] for one in rounds),
    }


def catch_up(second, target):
    """Bytes per second of received and applied, from the positions while they moved."""
    samples = []
    deadline = time.monotonic() + 300
    with second.watch() as lines:
        for now in lines:
            samples.append((time.monotonic(), now["received"], now["applied"]))
            if now["applied"] >= target or time.monotonic() > deadline:
                break
    begin = last_at_rest(samples)
    return rate(samples, begin, 1), rate(samples, begin, 2)


def last_at_rest(samples):
    """Index of the sample before received is first seen to move."""
    moved = (i for i, one in enumerate(samples) if one[1] > samples[0][1])
    return max(0, next(moved, 0) - 1)


def rate(samples, begin, column):
    """From that sample to the first with the final value: applied, which goes in steps, too."""
    end = next(i for i, one in enumerate(samples) if one[column] == samples[-1][column])
    if end <= begin:
        return 0.0
    return (samples[end][column] - samples[begin][column]) / (samples[end][0] - samples[begin][0])


def tcp_copy(directory):
    """A file sent over loopback TCP into another file that is made durable; the second of two times.

    As with a backlog of log, the source is read from the device and the target was there before. The
    first copy of a new file took up to three times as long, by whether this machine's host had to
    find memory for the page cache.
    """
    block = os.urandom(PIECE)
    size = SHIPPED_BYTES // 3
    with tempfile.TemporaryDirectory(dir=directory) as files:
        source, target = os.path.join(files, "source"), os.path.join(files, "target")
        with open(source, "wb") as out:
            for _ in range(size // PIECE):
                out.write(block)
            os.fsync(out.fileno())
        copy_once(source, target)
        return size / copy_once(source, target)


def copy_once(source, target):
    """Seconds until everything is durable in the target, which is overwritten."""
    listener = socket.create_server(("127.0.0.1", 0))

    def send():
        with socket.create_connection(listener.getsockname()) as link, open(source, "rb") as data:
            link.sendfile(data)

    drop_from_cache(source)
    file = os.open(target, os.O_WRONLY | os.O_CREAT, 0o600)
    began = time.monotonic()
    sender = threading.Thread(target=send)
    sender.start()
    link, _ = listener.accept()
    buffer = bytearray(PIECE)
    with link, open(file, "wb", buffering=0) as out:
        while count := link.recv_into(buffer):
            out.write(memoryview(buffer)[:count])
        os.fdatasync(out.fileno())
    sender.join()
    elapsed = time.monotonic() - began
    listener.close()
    return elapsed


def drop_from_cache(path):
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def bounds(engine, seconds, say):
    """Memory and processor time of a busy and then idle engine, bytes allocated for each write."""
    load = BY_NAME["rand-write"]
    measure(engine.uri(), load, seconds, 0)
    before = engine.metric("mars_shard_allocated_bytes_total")
    writes = measure(engine.uri(), load, seconds, 1).operations
    after = engine.metric("mars_shard_allocated_bytes_total")
    resident = engine.resident_mib()
    engine.settle()
    idle_seconds = max(10, seconds)
    used = engine.cpu_seconds()
    time.sleep(idle_seconds)
    idle = (engine.cpu_seconds() - used) / idle_seconds
    allocated = None if after is None else (after - before) / writes * 1e6
    shown = "not exposed" if allocated is None else f"{allocated / 1e6:.2f} MB"
    say(f"resident {resident:.0f} MiB, idle {idle * 100:.2f} % of a core")
    say(f"allocated by the shard threads for a million writes: {shown}")
    return {
        "resident_mib": resident,
        "idle_cores": idle,
        "allocated_bytes_per_million_writes": allocated,
        "goals": {"resident_mib": 400, "idle_cores": 0.01},
    }
