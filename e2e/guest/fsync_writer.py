#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes files with fsync and proves later that each of them is there, byte for byte.

    fsync_writer.py write DIR MANIFEST STOP   until STOP exists; a file is listed once it is durable
    fsync_writer.py check DIR MANIFEST
"""

import hashlib
import itertools
import os
import random
import sys
import time

FILES_PER_DIRECTORY = 100
FILES = 1500  # then the same ones again, so that the device never fills


def path_of(root, number):
    return os.path.join(root, f"d{number // FILES_PER_DIRECTORY}", f"f{number}")


def content_of(number):
    source = random.Random(number)
    return source.randbytes(source.randrange(1, 128 * 1024))


def sync_directory(path):
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def store(root, number):
    target = path_of(root, number)
    directory = os.path.dirname(target)
    if not os.path.isdir(directory):
        os.mkdir(directory)
        sync_directory(root)
    with open(target, "wb") as out:
        out.write(content_of(number))
        out.flush()
        os.fsync(out.fileno())
    sync_directory(directory)


def write(root, manifest, stop):
    written, longest = 0, 0.0
    with open(manifest, "w", buffering=1) as done:
        for number in itertools.cycle(range(FILES)):
            began = time.monotonic()
            store(root, number)
            longest = max(longest, time.monotonic() - began)
            if written < FILES:
                done.write(f"{number}\n")
            written += 1
            if os.path.exists(stop):
                break
    print(f"{written} files written, longest pause {longest:.2f} s")


def check(root, manifest):
    checked = 0
    with open(manifest) as listed:
        for line in listed:
            number = int(line)
            with open(path_of(root, number), "rb") as stored:
                found = hashlib.sha256(stored.read()).digest()
            if found != hashlib.sha256(content_of(number)).digest():
                raise SystemExit(f"file {number} differs")
            checked += 1
    print(f"{checked} files as written")


if __name__ == "__main__":
    {"write": write, "check": check}[sys.argv[1]](*sys.argv[2:])
