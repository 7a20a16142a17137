#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the engine with other NBD servers: one run, interleaved, medians of pairs.

Every server serves a preallocated 1 GiB volume on a Unix socket; fio's nbd engine is the client. All
servers stay up, one at a time is loaded. Before each measurement the servers have written back what
they held, the file systems are synced and the volume was read once, so that all start from a warm page
cache. A ratio is that of two neighbouring measurements; the table shows its median. SERVERS names what
takes part; the first is ours, "nbdkit" is what it is compared with.
"""

import dataclasses
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import loads
import pair
from servers import KINDS, ROOT

PAIR_NAMES = {
    "peer": "p99 of the primary with its peer connected, stopped, gone",
    "shipping": "shipping and apply rate beside a plain TCP copy",
    "bounds": "memory, idle processor time, bytes allocated for each write",
}
SECONDS = int(os.environ.get("SECONDS_PER_RUN", "10"))
PAIRS = int(os.environ.get("PAIRS", "5"))
SERVERS = os.environ.get("SERVERS", "mars nbdkit qemu-nbd qemu-nbd-direct").split()
OUT = os.path.join(ROOT, "target", "bench")


def say(text):
    print(f"   {text}", flush=True)


def compare(load, servers):
    """Measures one load on all servers, PAIRS times, every other time in reverse."""
    print(f"\n== {load.title} ({load.name})", flush=True)
    outcomes = {server.name: [] for server in servers}
    for number in range(PAIRS):
        order = servers if number % 2 == 0 else list(reversed(servers))
        for server in order:
            server.settle()
            loads.warm(server.uri())
            outcome = loads.measure(server.uri(), load, SECONDS, number)
            outcomes[server.name].append(outcome)
            say(
                f"{server.name:16} {outcome.value:10.0f} {load.unit:5}"
                f" p50 {outcome.p50_us:8.0f} p99 {outcome.p99_us:8.0f}"
                f" p99.9 {outcome.p999_us:8.0f} max {outcome.max_us:9.0f} µs"
                + (f" fsync p99 {outcome.fsync_p99_us:8.0f} µs" if outcome.fsync_p99_us else "")
            )
    return outcomes


def ratio(outcomes, ours, other):
    return statistics.median(
        a.value / b.value for a, b in zip(outcomes[ours], outcomes[other], strict=True)
    )


def median(outcomes, server, field):
    return statistics.median(getattr(one, field) for one in outcomes[server])


def verdict(value, goal, at_most=False):
    return "ok" if (value <= goal if at_most else value >= goal) else "MISSED"


def load_table(results):
    ours, *others = SERVERS
    print(f"\n{'load':42} {'unit':5} {ours:>9}", *(f"{'/ ' + one:>17}" for one in others), " goal")
    for name, outcomes in results.items():
        load = loads.BY_NAME[name]
        cells = [f"{ratio(outcomes, ours, one):17.2f}" for one in others]
        line = f"{load.title:42} {load.unit:5} {median(outcomes, ours, 'value'):9.0f}"
        end = ""
        if "nbdkit" in others:
            end = f" {load.goal:5.2f} {verdict(ratio(outcomes, ours, 'nbdkit'), load.goal)}"
        print(line, *cells, end)
    print("\nlatency in µs, median of the runs")
    print(f"{'load':42} {'server':16} {'p50':>8} {'p99':>8} {'p99.9':>8} {'max':>9}")
    for name, outcomes in results.items():
        for server in SERVERS:
            columns = [median(outcomes, server, f) for f in ("p50_us", "p99_us", "p999_us", "max_us")]
            print(
                f"{loads.BY_NAME[name].title:42} {server:16}",
                "{:8.0f} {:8.0f} {:8.0f} {:9.0f}".format(*columns),
            )


def pair_table(results):
    if "peer" in results:
        for state, value in results["peer"]["ratio"].items():
            goal = results["peer"]["goal"]
            print(f"p99 with peer {state} / connected: {value:.2f}, goal <= {goal}", verdict(value, goal, True))
    if "shipping" in results:
        one = results["shipping"]
        print(f"shipping / plain TCP copy: {one['ratio']:.2f}, goal >= {one['goal']}", verdict(one["ratio"], one["goal"]))
        print(f"apply rate: {one['applied'] / 1e6:.0f} MB/s")
    if "bounds" in results:
        one = results["bounds"]
        for name, goal in one["goals"].items():
            print(f"{name}: {one[name]:.3f}, goal <= {goal}", verdict(one[name], goal, True))


def need(program):
    if not shutil.which(program):
        raise SystemExit(f"{program} is not installed: run 'make setup'")


def check_machine():
    for program in ("fio", "nbdcopy", *({"mars": "python3"}.get(s, s.removesuffix("-direct")) for s in SERVERS)):
        need(program)
    unknown = [name for name in SERVERS if name not in KINDS]
    if unknown or not SERVERS:
        raise SystemExit(f"SERVERS: {unknown} is none of {list(KINDS)}")
    jar = os.path.join(ROOT, "replication-engine/server/target/quarkus-app/quarkus-run.jar")
    if "mars" in SERVERS and not os.path.exists(jar):
        raise SystemExit("the engine is not built: run 'make build'")
    os.makedirs(OUT, exist_ok=True)
    space = os.statvfs(OUT)
    if space.f_bavail * space.f_frsize < 30 << 30:
        raise SystemExit(f"30 GiB are needed in {OUT}")


def run_all(names, images, sockets):
    results, pair_results, running = {}, {}, []
    try:
        for name in SERVERS:
            running.append(KINDS[name](name, images, sockets))
            running[-1].prepare()
            loads.fill(running[-1].uri())
        servers = list(running)
        for load in loads.LOADS:
            if load.name in names:
                results[load.name] = compare(load, servers)
        if SERVERS[0] == "mars":
            for server in servers[1:]:
                server.stop()
            pair_results = run_pair(names, servers[0], running, images, sockets)
    finally:
        for server in running:
            server.stop()
    return results, pair_results


def run_pair(names, first, running, images, sockets):
    results = {}
    if "bounds" in names:
        print(f"\n== {PAIR_NAMES['bounds']} (bounds)", flush=True)
        results["bounds"] = pair.bounds(first, SECONDS, say)
    if not names & {"peer", "shipping"}:
        return results
    second = pair.Mars("mars-b", images, sockets)
    running.append(second)
    second.join(first)
    if "peer" in names:
        print(f"\n== {PAIR_NAMES['peer']} (peer)", flush=True)
        results["peer"] = pair.peer_trouble(first, second, SECONDS, PAIRS, say)
    if "shipping" in names:
        print(f"\n== {PAIR_NAMES['shipping']} (shipping)", flush=True)
        results["shipping"] = pair.shipping(first, second, images, PAIRS, say)
    return results


def write_json(results, pair_results):
    commit = subprocess.run(
        ["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    document = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit.stdout.strip(),
        "machine": {"kernel": platform.release(), "processors": os.cpu_count()},
        "secondsPerRun": SECONDS,
        "pairs": PAIRS,
        "loads": {
            name: {server: [dataclasses.asdict(one) for one in runs] for server, runs in outcomes.items()}
            for name, outcomes in results.items()
        },
        "ratios": {
            name: {other: ratio(outcomes, SERVERS[0], other) for other in SERVERS[1:]}
            for name, outcomes in results.items()
        },
        **pair_results,
    }
    path = os.path.join(OUT, time.strftime("bench-%Y%m%d-%H%M%S.json", time.gmtime()))
    with open(path, "w") as out:
        json.dump(document, out, indent=2)
    print(f"\nAll numbers: {os.path.relpath(path, ROOT)}")


def main():
    names = sys.argv[1:]
    known = {**{load.name: load.title for load in loads.LOADS}, **PAIR_NAMES}
    if names == ["--list"]:
        for name, title in known.items():
            print(f"{name:20} {title}")
        return
    if set(names) - set(known):
        raise SystemExit(f"unknown: {sorted(set(names) - set(known))}; known: {list(known)}")
    check_machine()
    chosen = set(names) or set(known)
    count = len(chosen & set(loads.BY_NAME)) * len(SERVERS) * PAIRS
    print(f"{count} runs of {SECONDS} s and what comes with them: about {count * (SECONDS + 3) // 60 + 1} min")
    images = tempfile.mkdtemp(prefix="work-", dir=OUT)
    sockets = tempfile.mkdtemp(prefix="mars-bench-")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        results, pair_results = run_all(chosen, images, sockets)
        if results:
            load_table(results)
        print()
        pair_table(pair_results)
        write_json(results, pair_results)
    finally:
        shutil.rmtree(images, ignore_errors=True)
        shutil.rmtree(sockets, ignore_errors=True)


if __name__ == "__main__":
    main()
