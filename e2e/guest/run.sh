#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Proves a server against the kernel's own NBD client: boots a user-mode Linux guest on this
# machine's file system, attaches the export there, makes and mounts a file system, writes files with
# fsync while the server is killed and restarted, then checks the file system and compares the files.
#
#   run.sh --out DIR [--fs ext4|xfs] [--rounds N] [--connections N] [--server-in host|guest]
#          [--export NAME] [--server COMMAND] [--prepare COMMAND] [--timeout S] [--dead-timeout S]
#          [--up S] [--down S] [--limit S]
#
# COMMAND serves in the foreground until killed and is started again with the same words. It finds
# $STATE (a directory that survives), and where to listen: $ADDRESS (HOST:PORT; --server-in host, in a
# network namespace of its own) or $SOCKET (a Unix socket; --server-in guest). PREPARE runs once after
# the first start and is retried until it succeeds. Default: nbdkit's file plugin.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
FS=ext4 ROUNDS=3 CONNECTIONS=1 SERVER_IN=host EXPORT= SERVER= PREPARE= OUT=
TIMEOUT=5 DEAD_TIMEOUT=60 UP_SECONDS=3 DOWN_SECONDS=1 LIMIT=240 MEMORY=512M

usage() {
    echo "$1; see the head of $0" >&2
    exit 2
}
if [ "${MARS_RIG_INSIDE:-}" != yes ]; then
    [ "$(id -u)" = 0 ] || usage "root is needed (private network and process namespaces)"
    command -v linux.uml >/dev/null || usage "linux.uml is missing (Debian package user-mode-linux)"
    # Everything below lives in namespaces of its own and dies with them.
    # SIGTERM does not end them (their first process ignores it), SIGKILL of this process does.
    MARS_RIG_INSIDE=yes exec unshare --net --pid --mount-proc --fork --kill-child "$0" "$@"
fi
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage "$1 lacks a value"
    case $1 in
    --out) OUT=$2 ;;
    --fs) FS=$2 ;;
    --rounds) ROUNDS=$2 ;;
    --connections) CONNECTIONS=$2 ;;
    --server-in) SERVER_IN=$2 ;;
    --export) EXPORT=$2 ;;
    --server) SERVER=$2 ;;
    --prepare) PREPARE=$2 ;;
    --timeout) TIMEOUT=$2 ;;
    --dead-timeout) DEAD_TIMEOUT=$2 ;;
    --up) UP_SECONDS=$2 ;;
    --down) DOWN_SECONDS=$2 ;;
    --limit) LIMIT=$2 ;;
    *) usage "unknown option $1" ;;
    esac
    shift 2
done
[ -n "$OUT" ] || usage "--out is missing"
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
rm -f "$OUT"/result "$OUT"/ended "$OUT"/writing "$OUT"/rounds "$OUT"/rounds-done "$OUT"/*.log
: >"$OUT/console.log"
STATE=$OUT/state SOCKET=/run/nbd.sock
HOST_IP=10.99.0.1 GUEST_IP=10.99.0.2
ADDRESS=$HOST_IP:10809
MODULE=$(dpkg -L user-mode-linux | grep '/nbd\.ko$')
mkdir -p "$STATE"
case $SERVER_IN in
host)
    TARGET="--tcp $ADDRESS"
    : "${SERVER:=nbdkit -f -i $HOST_IP -p ${ADDRESS##*:} file $STATE/disk.img}"
    ;;
guest)
    TARGET="--unix $SOCKET"
    : "${SERVER:=sh -c 'rm -f $SOCKET; exec nbdkit -f -U $SOCKET file $STATE/disk.img'}"
    ;;
*) usage "--server-in $SERVER_IN" ;;
esac
case $SERVER in
*nbdkit*) truncate -s 512M "$STATE/disk.img" ;;
esac
quoted() {
    printf "%s='%s'\n" "$1" "$(printf %s "$2" | sed "s/'/'\\\\''/g")"
}
for name in HERE OUT STATE SOCKET ADDRESS FS ROUNDS CONNECTIONS SERVER_IN EXPORT SERVER PREPARE \
    TIMEOUT DEAD_TIMEOUT UP_SECONDS DOWN_SECONDS LIMIT MODULE TARGET GUEST_IP; do
    eval "quoted $name \"\$$name\""
done >"$OUT/rig.env"
echo 'export STATE SOCKET ADDRESS OUT' >>"$OUT/rig.env"
. "$OUT/rig.env"
. "$HERE/server.sh"

ip link set lo up
network=
if [ "$SERVER_IN" = host ]; then
    ip tuntap add dev tap0 mode tap && ip addr add "$HOST_IP/24" dev tap0 && ip link set tap0 up ||
        exit 1
    network=vec0:transport=tap,ifname=tap0,depth=128,gro=1
    start_server
    prepare_server || { echo "the server could not be prepared: $OUT/prepare.log" >&2; exit 1; }
fi
# The guest keeps its memory in a file in TMPDIR.
[ -d /dev/shm ] && TMPDIR=/dev/shm || TMPDIR=$OUT
export TMPDIR
(
    timeout -k 5 "$LIMIT" linux.uml mem=$MEMORY root=/dev/root rootfstype=hostfs rootflags=/ rw \
        init="$HERE/init.sh" con=null con0=fd:0,fd:1 quiet $network "RIG=$OUT/rig.env" \
        </dev/null >"$OUT/console.log" 2>&1
    touch "$OUT/ended"
) &
if [ "$SERVER_IN" = host ]; then
    until [ -e "$OUT/writing" ] || [ -e "$OUT/ended" ]; do
        sleep 0.2
    done
    if [ -e "$OUT/writing" ]; then
        kill_rounds
        touch "$OUT/rounds-done"
    fi
fi
until [ -e "$OUT/ended" ]; do
    sleep 0.2
done
[ "$SERVER_IN" = guest ] || kill_server
cat "$OUT/result" 2>/dev/null || echo "the guest left no result: see $OUT/console.log"
cat "$OUT/writer.log" 2>/dev/null
grep -c reconnected "$OUT/agent.log" 2>/dev/null | sed 's/$/ reconnections/'
[ "$(tail -n 1 "$OUT/result" 2>/dev/null)" = PASS ]
