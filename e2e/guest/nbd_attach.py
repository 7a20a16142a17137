#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Attaches an NBD export to the kernel's own client and keeps it attached.

Speaks generic netlink itself because the usual tools can set no dead-connection time-out and never
reconnect. While the device has no live socket the kernel holds its I/O; this agent dials again and
hands the new sockets over.

    nbd_attach.py attach --device 0 --export r/data --unix PATH --dead-timeout 60 [...]
    nbd_attach.py detach --device 0
    nbd_attach.py status
"""

import argparse
import os
import select
import signal
import socket
import struct
import sys
import time

# Netlink
NLMSG_ERROR, NLMSG_HDR, GENL_HDR, ATTR_HDR = 2, "=IHHII", "=BBH", "=HH"
NLM_F_REQUEST, NLM_F_ACK, NLA_F_NESTED, NLA_TYPE_MASK = 1, 4, 0x8000, 0x3FFF
GENL_ID_CTRL, CTRL_GETFAMILY = 16, 3
CTRL_FAMILY_ID, CTRL_FAMILY_NAME, CTRL_MCAST_GROUPS, CTRL_MCAST_NAME, CTRL_MCAST_ID = 1, 2, 7, 1, 2
NETLINK_GENERIC, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP = 16, 270, 1

# The "nbd" family
CONNECT, DISCONNECT, RECONFIGURE, LINK_DEAD, STATUS = 1, 2, 3, 4, 5
INDEX, SIZE, BLOCK_SIZE, TIMEOUT, SERVER_FLAGS = 1, 2, 3, 4, 5
SOCKETS, DEAD_TIMEOUT, DEVICE_LIST, BACKEND_ID = 7, 8, 9, 10

# NBD
NBDMAGIC, IHAVEOPT, REPLY_MAGIC = 0x4E42444D41474943, 0x49484156454F5054, 0x3E889045565A9
FIXED_NEWSTYLE, NO_ZEROES, OPT_GO, REP_ACK, REP_INFO, INFO_EXPORT = 1, 2, 7, 1, 3, 0
CAN_MULTI_CONN = 1 << 8


def align(length):
    return (length + 3) & ~3


def attribute(kind, payload):
    size = 4 + len(payload)
    return struct.pack(ATTR_HDR, size, kind) + payload + b"\0" * (align(size) - size)


def nested(kind, *attributes):
    return attribute(kind | NLA_F_NESTED, b"".join(attributes))


def u32(kind, value):
    return attribute(kind, struct.pack("=I", value))


def u64(kind, value):
    return attribute(kind, struct.pack("=Q", value))


def attributes(data):
    at = 0
    while at + 4 <= len(data):
        size, kind = struct.unpack_from(ATTR_HDR, data, at)
        if size < 4:
            return
        yield kind & NLA_TYPE_MASK, data[at + 4 : at + size]
        at += align(size)


class Netlink:
    """One generic netlink socket, bound to the family of the nbd driver."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.socket.bind((0, 0))
        self.sequence = 0
        self.family = GENL_ID_CTRL
        name = attribute(CTRL_FAMILY_NAME, b"nbd\0")
        answer = dict(attributes(self.call(CTRL_GETFAMILY, name)))
        self.family = struct.unpack("=H", answer[CTRL_FAMILY_ID])[0]
        self.groups = {}
        for _, group in attributes(answer.get(CTRL_MCAST_GROUPS, b"")):
            fields = dict(attributes(group))
            text = fields[CTRL_MCAST_NAME].rstrip(b"\0").decode()
            self.groups[text] = struct.unpack("=I", fields[CTRL_MCAST_ID])[0]

    def call(self, command, payload):
        """Sends one request and returns the attributes of its answer; raises OSError."""
        self.sequence += 1
        body = struct.pack(GENL_HDR, command, 1, 0) + payload
        header = struct.pack(
            NLMSG_HDR, 16 + len(body), self.family, NLM_F_REQUEST | NLM_F_ACK, self.sequence, 0
        )
        self.socket.send(header + body)
        answer = b""
        while True:
            for kind, sequence, data in self.messages():
                if sequence != self.sequence:
                    continue
                if kind != NLMSG_ERROR:
                    answer = data[4:]
                    continue
                code = struct.unpack_from("=i", data)[0]
                if code:
                    raise OSError(-code, os.strerror(-code))
                return answer

    def messages(self):
        data = self.socket.recv(65536)
        at = 0
        while at + 16 <= len(data):
            size, kind, _, sequence, _ = struct.unpack_from(NLMSG_HDR, data, at)
            yield kind, sequence, data[at + 16 : at + size]
            at += align(size)

    def subscribe(self, group):
        self.socket.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, self.groups[group])

    def dead_links(self, index):
        """How many links of the device died, according to what is in the socket now."""
        dead = 0
        for kind, _, data in self.messages():
            if kind != self.family or data[0] != LINK_DEAD:
                continue
            fields = dict(attributes(data[4:]))
            if struct.unpack("=I", fields[INDEX])[0] == index:
                dead += 1
        return dead


class Refused(Exception):
    """The server answered, and the answer is no."""


def read_exactly(sock, count):
    data = b""
    while len(data) < count:
        piece = sock.recv(count - len(data))
        if not piece:
            raise ConnectionError("connection closed in the handshake")
        data += piece
    return data


def go(sock, export):
    """Fixed newstyle handshake; returns (size, transmission flags)."""
    magic, option_magic, _ = struct.unpack(">QQH", read_exactly(sock, 18))
    if (magic, option_magic) != (NBDMAGIC, IHAVEOPT):
        raise Refused("not an NBD server")
    name = export.encode()
    data = struct.pack(">I", len(name)) + name + struct.pack(">H", 0)
    sock.sendall(
        struct.pack(">I", FIXED_NEWSTYLE | NO_ZEROES)
        + struct.pack(">QII", IHAVEOPT, OPT_GO, len(data))
        + data
    )
    found = None
    while True:
        magic, _, kind, length = struct.unpack(">QIII", read_exactly(sock, 20))
        body = read_exactly(sock, length)
        if magic != REPLY_MAGIC:
            raise Refused("bad option reply")
        if kind == REP_INFO and struct.unpack_from(">H", body)[0] == INFO_EXPORT:
            found = struct.unpack_from(">QH", body, 2)
        elif kind == REP_ACK:
            return found
        elif kind & 0x80000000:
            raise Refused(f"option reply {kind:#x}: {body.decode(errors='replace')}")


def dial(args):
    if args.unix:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        address = args.unix
    else:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, _, port = args.tcp.rpartition(":")
        address = (host, int(port))
    try:
        sock.settimeout(10)
        sock.connect(address)
        found = go(sock, args.export)
        sock.settimeout(None)
        return sock, found
    except BaseException:
        sock.close()
        raise


class Attachment:
    """The sockets of one device: connects it and replaces those that died."""

    def __init__(self, args, say):
        self.args = args
        self.say = say
        self.netlink = Netlink()
        self.events = Netlink()
        self.events.subscribe("nbd_mc_group")
        self.found = None

    def connect(self):
        sockets = self.dial_until(self.args.connections, time.monotonic() + self.args.wait)
        size, flags = self.found
        if self.args.connections > 1 and not flags & CAN_MULTI_CONN:
            raise Refused("the export does not allow several connections")
        self.send(
            CONNECT,
            sockets,
            u64(SIZE, size) + u64(BLOCK_SIZE, self.args.block_size) + u64(SERVER_FLAGS, flags),
        )
        self.say(f"attached /dev/nbd{self.args.device} size={size} flags={flags:#x}")

    def keep(self):
        while True:
            select.select([self.events.socket], [], [])
            dead = self.events.dead_links(self.args.device)
            while select.select([self.events.socket], [], [], 0.1)[0]:
                dead += self.events.dead_links(self.args.device)
            if dead:
                self.reconnect(min(dead, self.args.connections))

    def reconnect(self, count):
        self.say(f"link dead: {count}")
        began = time.monotonic()
        sockets = self.dial_until(count, began + self.args.dead_timeout)
        self.send(RECONFIGURE, sockets, b"")
        self.say(f"reconnected {count} after {time.monotonic() - began:.2f} s")

    def dial_until(self, count, deadline):
        sockets = []
        while len(sockets) < count:
            try:
                sock, found = dial(self.args)
            except (OSError, Refused) as failure:
                if time.monotonic() > deadline:
                    raise Refused(f"no connection: {failure}") from failure
                time.sleep(0.1)
                continue
            if self.found not in (None, found):
                raise Refused(f"the export changed from {self.found} to {found}")
            self.found = found
            sockets.append(sock)
        return sockets

    def send(self, command, sockets, extra):
        items = [nested(1, u32(1, sock.fileno())) for sock in sockets]
        common = u32(INDEX, self.args.device) + u64(TIMEOUT, self.args.timeout)
        common += u64(DEAD_TIMEOUT, self.args.dead_timeout)
        if self.args.backend_id:
            common += attribute(BACKEND_ID, self.args.backend_id.encode() + b"\0")
        self.netlink.call(command, common + extra + nested(SOCKETS, *items))
        for sock in sockets:  # the kernel holds its own references
            sock.close()


def attach(args):
    log = open(args.log, "a", buffering=1) if args.log else sys.stdout
    started = time.monotonic()

    def say(text):
        print(f"{time.monotonic() - started:8.2f} {text}", file=log, flush=True)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        attachment = Attachment(args, say)
        attachment.connect()
        attachment.keep()
    except (Refused, OSError) as failure:
        say(f"failed: {failure}")
        return 1
    return 0


def detach(args):
    Netlink().call(DISCONNECT, u32(INDEX, args.device))
    return 0


def status(_):
    answer = dict(attributes(Netlink().call(STATUS, b"")))
    for _, item in attributes(answer.get(DEVICE_LIST, b"")):
        fields = dict(attributes(item))
        index = struct.unpack("=I", fields[1])[0]
        print(f"nbd{index} {'connected' if fields[2][0] else 'free'}")
    return 0


def main():
    parser = argparse.ArgumentParser(description="Attach an NBD export to the kernel's client")
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("attach")
    verb.set_defaults(run=attach)
    where = verb.add_mutually_exclusive_group(required=True)
    where.add_argument("--unix", help="path of the server's socket")
    where.add_argument("--tcp", help="HOST:PORT of the server")
    verb.add_argument("--device", type=int, default=0)
    verb.add_argument("--export", default="")
    verb.add_argument("--connections", type=int, default=1)
    verb.add_argument("--timeout", type=int, default=10, help="seconds one request may take")
    verb.add_argument("--dead-timeout", type=int, default=60, help="seconds without any socket")
    verb.add_argument("--block-size", type=int, default=4096)
    verb.add_argument("--backend-id", help="refuse to reconnect to anything else")
    verb.add_argument("--wait", type=float, default=10, help="seconds for the first connection")
    verb.add_argument("--log", help="append events to this file")
    verb = verbs.add_parser("detach")
    verb.set_defaults(run=detach)
    verb.add_argument("--device", type=int, default=0)
    verb = verbs.add_parser("status")
    verb.set_defaults(run=status)
    args = parser.parse_args()
    return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
