#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# First process of the guest. RIG (from the kernel's command line) names the settings that run.sh
# wrote. The verdict goes to $OUT/result, because an exit code does not leave the guest.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
. "$RIG"
. "$HERE/server.sh"

STATUS=FAIL
finish() {
    dmesg >"$OUT/dmesg"
    echo "$STATUS" >>"$OUT/result"
    sync
    halt -f
}
step() {
    name=$1
    shift
    if "$@" >>"$OUT/steps.log" 2>&1; then
        echo "ok $name" >>"$OUT/result"
    else
        echo "failed $name: $(tail -n 1 "$OUT/steps.log")" >>"$OUT/result"
        finish
    fi
}

boot() {
    mount -t proc proc /proc && mount -t sysfs sys /sys && mount -t tmpfs run /run || return 1
    [ -e /dev/null ] || mount -t devtmpfs dev /dev || return 1
    mount -t tmpfs mnt /mnt || return 1
    ip link set lo up
    if [ "$SERVER_IN" = host ]; then
        ip addr add "$GUEST_IP/24" dev vec0 && ip link set vec0 up || return 1
    fi
    grep -q nbd /proc/devices || insmod "$MODULE"
    mkdir -p /run/m
}
serve_here() {
    start_server
    prepare_server
}
attach() {
    python3 "$HERE/nbd_attach.py" attach --device 0 --export "$EXPORT" $TARGET \
        --connections "$CONNECTIONS" --timeout "$TIMEOUT" --dead-timeout "$DEAD_TIMEOUT" \
        --wait 60 --log "$OUT/agent.log" &
    agent_pid=$!
    tries=0
    until grep -q attached "$OUT/agent.log" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 700 ] && kill -0 "$agent_pid" || return 1
        sleep 0.1
    done
}
make_fs() {
    case $FS in
    ext4) mkfs.ext4 -q -F /dev/nbd0 ;;
    xfs) mkfs.xfs -q -f /dev/nbd0 ;;
    esac
}
start_writer() {
    python3 "$HERE/fsync_writer.py" write /run/m /run/manifest /run/stop >>"$OUT/writer.log" 2>&1 &
    writer_pid=$!
}
# On the host the rounds are run.sh's; it is told when to begin and tells when it is done.
rounds() {
    if [ "$SERVER_IN" = guest ]; then
        kill_rounds
    else
        echo go >"$OUT/writing"
        tries=0
        until [ -e "$OUT/rounds-done" ]; do
            tries=$((tries + 1))
            [ "$tries" -lt "$LIMIT" ] || return 1
            sleep 1
        done
    fi
}
stop_writer() {
    touch /run/stop
    wait "$writer_pid" || { cat "$OUT/writer.log"; return 1; }
}
no_io_error() {
    ! dmesg | grep -E 'I/O error|EXT4-fs (error|warning)|XFS .*(error|Shutting down|shutdown)'
}
check_fs() {
    case $FS in
    ext4) e2fsck -fn /dev/nbd0 ;;
    xfs) xfs_repair -n /dev/nbd0 ;;
    esac
}
compare() {
    echo 3 >/proc/sys/vm/drop_caches
    mount -o ro /dev/nbd0 /run/m && python3 "$HERE/fsync_writer.py" check /run/m /run/manifest &&
        umount /run/m
}
detach() {
    python3 "$HERE/nbd_attach.py" detach --device 0
}

step "boot" boot
[ "$SERVER_IN" = host ] || step "server started" serve_here
step "export attached" attach
step "mkfs.$FS" make_fs
step "mounted" mount "/dev/nbd0" /run/m
step "writer started" start_writer
step "$ROUNDS kills and restarts" rounds
step "writer saw no error" stop_writer
step "unmounted" umount /run/m
step "file system clean" check_fs
step "files compared" compare
step "kernel reported no I/O error" no_io_error
step "detached" detach
STATUS=PASS
finish
