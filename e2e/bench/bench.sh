#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compares the engine with other NBD servers on this machine: see bench.py for what and how.
#   bench.sh [NAME...]       all of it, or only these (bench.sh --list)
#   SECONDS_PER_RUN=10 PAIRS=5 SERVERS='mars nbdkit qemu-nbd qemu-nbd-direct' bench.sh
set -eu
PATH=$PATH:/usr/sbin:/sbin
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
exec python3 "$(dirname "$0")/bench.py" "$@"
