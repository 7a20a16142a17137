# SPDX-License-Identifier: Apache-2.0
"""The servers under comparison, each serving one preallocated 1 GiB volume on a Unix socket."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import time
import urllib.request

SIZE = 1 << 30
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
START_LIMIT = 60


def run(*words, check=True):
    done = subprocess.run(
        [str(word) for word in words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    if check and done.returncode:
        raise SystemExit(f"{' '.join(done.args)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def free_port():
    """Below the ports that the kernel gives to whoever dials: it is not taken before it is used."""
    for _ in range(100):
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise SystemExit("no free port found")


def accepts(address):
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as probe:
        try:
            probe.connect(address)
            return True
        except OSError:
            return False


class Server:
    """A process that serves until it is stopped."""

    def __init__(self, name, images, sockets):
        self.name = name
        self.directory = os.path.join(images, name)
        self.socket = os.path.join(sockets, name)
        self.image = os.path.join(self.directory, "disk.img")
        self.process = None
        os.makedirs(self.directory, exist_ok=True)

    def uri(self):
        return f"nbd+unix:///?socket={self.socket}"

    def command(self):
        raise NotImplementedError

    def addresses(self):
        return [self.socket]

    def prepare(self):
        with open(self.image, "wb") as image:
            image.truncate(SIZE)
        self.start()

    def start(self):
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        with open(os.path.join(self.directory, "log"), "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_LIMIT
        while not all(accepts(address) for address in self.addresses()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{self.name} does not serve: {self.directory}/log")
            time.sleep(0.05)

    def settle(self):
        """Waits until nothing is left to be written in the background."""
        os.sync()

    def stop(self, how=signal.SIGKILL):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(how)
            self.process.wait(30)

    def resident_mib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            fields = dict(line.split(":", 1) for line in status)
        return int(fields["VmRSS"].split()[0]) / 1024

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Nbdkit(Server):
    def command(self):
        return ["nbdkit", "-f", "-U", self.socket, "file", self.image]


class QemuNbd(Server):
    cache = ["--cache=writeback"]

    def command(self):
        base = ["qemu-nbd", "-t", "-e", "16", "-f", "raw", "-k", self.socket]
        return base + self.cache + [self.image]


class QemuNbdDirect(QemuNbd):
    cache = ["--cache=none", "--aio=native"]


class Mars(Server):
    """One engine; as a member of a pair when another engine joins."""

    resource = "bench"

    def __init__(self, name, images, sockets):
        super().__init__(name, images, sockets)
        self.peer, self.control, self.http = free_port(), free_port(), free_port()

    def uri(self):
        return f"nbd+unix:///{self.resource}/data?socket={self.socket}"

    def command(self):
        words = [os.path.join(ROOT, "bin", "mars-engine"), "--name", self.name]
        words += ["--data-dir", os.path.join(self.directory, "data")]
        words += ["--nbd", f"unix:{self.socket}", "--peer", f"127.0.0.1:{self.peer}"]
        words += ["--control", f"127.0.0.1:{self.control}", "--http", f"127.0.0.1:{self.http}"]
        return words

    def addresses(self):
        return [self.socket, ("127.0.0.1", self.control), ("127.0.0.1", self.http)]

    def start(self):
        os.makedirs(os.path.join(self.directory, "data"), exist_ok=True)
        super().start()

    def prepare(self):
        self.start()
        self.adm("create-resource", self.resource, "--volume", "data:1GiB")

    def join(self, primary):
        self.start()
        self.adm("join-resource", self.resource, "--from", f"127.0.0.1:{primary.peer}")
        self.caught_up()

    def caught_up(self):
        self.adm("wait", self.resource, "--for", "caught-up", "--timeout", "120s")

    def adm(self, *words):
        program = os.path.join(ROOT, "bin", "marsadm")
        return run(program, "--engine", f"127.0.0.1:{self.control}", *words)

    def positions(self):
        answer = json.loads(self.adm("status", self.resource, "-o", "json"))
        answer = answer[0] if isinstance(answer, list) else answer
        return {name: int(value) for name, value in answer["positions"].items()}

    @contextlib.contextmanager
    def watch(self):
        """The positions, every tenth of a second."""
        program = os.path.join(ROOT, "bin", "marsadm")
        words = [program, "--engine", f"127.0.0.1:{self.control}"]
        words += ["watch", self.resource, "--interval", "100ms", "-o", "json"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as watcher:
            try:
                yield (json.loads(line)["positions"] for line in watcher.stdout)
            finally:
                watcher.kill()

    def settle(self):
        deadline = time.monotonic() + 120
        while True:
            now = self.positions()
            if now["applied"] >= now["durable"] or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        super().settle()

    def metric(self, name):
        """Sum of all samples of a metric; None where the engine does not have it."""
        url = f"http://127.0.0.1:{self.http}/q/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        found = [
            float(line.rpartition(" ")[2])
            for line in lines
            if line.startswith((name + " ", name + "{"))
        ]
        return sum(found) if found else None


KINDS = {"mars": Mars, "nbdkit": Nbdkit, "qemu-nbd": QemuNbd, "qemu-nbd-direct": QemuNbdDirect}
