# SPDX-License-Identifier: Apache-2.0
"""The loads, as fio jobs, and what is read from fio's report."""

import dataclasses
import json

from servers import SIZE, run


@dataclasses.dataclass(frozen=True)
class Load:
    name: str
    title: str
    kind: str  # fio's rw
    block: str
    depth: int
    fsync: int
    goal: float  # least ratio to nbdkit

    @property
    def unit(self):
        return "IOPS" if self.block == "4k" else "MB/s"

    def side(self):
        return "read" if "read" in self.kind else "write"


LOADS = [
    Load("rand-write-fsync32", "4k random write, depth 32, fsync every 32", "randwrite", "4k", 32, 32, 2.0),
    Load("rand-write-fsync1", "4k random write, depth 1, fsync each", "randwrite", "4k", 1, 1, 1.0),
    Load("rand-write", "4k random write, depth 32", "randwrite", "4k", 32, 0, 0.8),
    Load("rand-write-depth1", "4k random write, depth 1", "randwrite", "4k", 1, 0, 0.33),
    Load("rand-read", "4k random read, depth 32", "randread", "4k", 32, 0, 0.8),
    Load("rand-read-depth1", "4k random read, depth 1", "randread", "4k", 1, 0, 0.8),
    Load("seq-write", "1 MiB sequential write, depth 16", "write", "1m", 16, 0, 0.5),
    Load("seq-read", "1 MiB sequential read, depth 16", "read", "1m", 16, 0, 0.8),
]
BY_NAME = {load.name: load for load in LOADS}


@dataclasses.dataclass(frozen=True)
class Outcome:
    value: float  # in the load's unit
    operations: int
    p50_us: float
    p99_us: float
    p999_us: float
    max_us: float
    fsync_p99_us: float | None  # fio counts the wait for an fsync apart from that for a write


def measure(uri, load, seconds, seed):
    words = ["fio", "--name=b", "--ioengine=nbd", f"--uri={uri}", f"--rw={load.kind}"]
    words += [f"--bs={load.block}", f"--iodepth={load.depth}", f"--size={SIZE}"]
    words += ["--time_based", f"--runtime={seconds}", f"--randseed={seed}", "--norandommap"]
    words += ["--percentile_list=50:99:99.9", "--refill_buffers", "--output-format=json"]
    if load.fsync:
        words.append(f"--fsync={load.fsync}")
    report = run(*words)
    job = json.loads(report[report.index("{") :])["jobs"][0]
    if job["error"]:
        raise SystemExit(f"fio: error {job['error']} in {load.name} on {uri}")
    side = job[load.side()]
    latency = side["clat_ns"]
    percentile = {float(at): ns / 1000 for at, ns in latency["percentile"].items()}
    return Outcome(
        side["iops"] if load.unit == "IOPS" else side["bw_bytes"] / 1e6,
        side["total_ios"],
        percentile[50.0],
        percentile[99.0],
        percentile[99.9],
        latency["max"] / 1000,
        fsync_p99(job["sync"]),
    )


def fsync_p99(sync):
    if not sync["total_ios"]:
        return None
    return sync["lat_ns"]["percentile"]["99.000000"] / 1000


def fill(uri):
    """Writes every block once, so that all images are allocated."""
    run(
        "fio", "--name=f", "--ioengine=nbd", f"--uri={uri}", "--rw=write", "--bs=1m",
        "--iodepth=16", f"--size={SIZE}", "--refill_buffers", "--end_fsync=1",
    )


def warm(uri):
    """Reads everything once: what a server can have in the page cache, it has."""
    run("nbdcopy", uri, "null:")
