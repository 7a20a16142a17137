#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two engines on this machine: files are written through one, which is killed in the middle; the other
# takes over and is checked; the first returns, is fenced and becomes the other's replica. Leaves
# nothing behind.
# With root, /dev/fuse and loop devices the files are on a mounted ext4, else in an ext4 image that is
# copied over NBD. MARS_BIN: where mars-engine and marsadm are.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

root=$(cd "$(dirname "$0")/../.." && pwd)
bin=${MARS_BIN:-$root/bin}
volume=1GiB
image_mib=256 # without mounting: the file system takes the first part, the load the rest
work=$(mktemp -d "${TMPDIR:-/tmp}/mars-demo.XXXXXX")
declare -A pid=() loop=() control=() peer=()
mounts=()

# ---------------------------------------------------------------- output
bold='' plain=''
[ ! -t 1 ] || { bold=$(tput bold) plain=$(tput sgr0); } 2>/dev/null
step() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
say() { printf '   %s\n' "$*"; }
shown() { fold -s -w 116 | sed 's|^|   \| |'; }
fail() {
    printf '\nDEMO FAILED: %s\n' "$*" >&2
    for name in a b; do
        [ -s "$work/$name.log" ] && { echo "--- last lines of engine $name"; tail -n 15 "$work/$name.log"; } >&2
    done
    exit 1
}

# ---------------------------------------------------------------- cleaning up, by id
quietly() { "$@" >/dev/null 2>&1 || true; }
end() {
    [ -n "${pid[$1]:-}" ] || return 0
    quietly kill -CONT "${pid[$1]}"
    quietly kill -9 "${pid[$1]}"
    wait "${pid[$1]}" 2>/dev/null || true
    unset "pid[$1]"
}
unmount_all() {
    local at
    for ((at = ${#mounts[@]} - 1; at >= 0; at--)); do
        quietly umount "${mounts[$at]}" || quietly umount -l "${mounts[$at]}"
        mountpoint -q "${mounts[$at]}" && quietly umount -l "${mounts[$at]}"
    done
    mounts=()
}
detach() { # engine
    unmount_all
    [ -z "${loop[$1]:-}" ] || quietly losetup -d "${loop[$1]}"
    unset "loop[$1]"
    quietly umount "$work/fuse-$1"
    end "nbdfuse-$1"
}
cleanup() {
    code=$?
    trap - EXIT
    trap '' INT TERM # once begun it is not to be stopped half-way
    set +e
    cleanup_now
    exit "$code"
}
cleanup_now() {
    end watcher
    end writer
    detach a
    detach b
    end a
    end b
    quietly umount -l "$work/fuse-a"
    quietly umount -l "$work/fuse-b"
    rm -rf --one-file-system "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---------------------------------------------------------------- engines
port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
free_port() {
    local port
    for _ in $(seq 50); do
        port=$((20000 + RANDOM % 10000))
        port_taken "$port" || { echo "$port"; return 0; }
    done
    fail "no free port found"
}
until_true() { # seconds, command...
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}
answers() {
    [ -n "${pid[$1]:-}" ] && ! kill -0 "${pid[$1]}" 2>/dev/null && fail "engine $1 ended"
    port_taken "${control[$1]}"
}
start() { # engine
    mkdir -p "$work/$1"
    "$bin/mars-engine" --name "$1" --data-dir "$work/$1" --nbd "unix:$work/$1.nbd" \
        --peer "127.0.0.1:${peer[$1]}" --control "127.0.0.1:${control[$1]}" \
        --http "127.0.0.1:$(free_port)" >>"$work/$1.log" 2>&1 </dev/null &
    pid[$1]=$!
    disown "$!"
    until_true 60 answers "$1" || fail "engine $1 does not answer"
}
adm() { # engine, words...
    local engine=$1
    shift
    "$bin/marsadm" --engine "127.0.0.1:${control[$engine]}" "$@"
}
field() { # engine, expression on the resource r
    adm "$1" status demo -o json |
        python3 -c "import json,sys; d=json.load(sys.stdin); r=d[0] if isinstance(d,list) else d; print($2)"
}
uri() { echo "nbd+unix:///demo/data?socket=$work/$1.nbd"; }

watch_positions() {
    exec "$bin/marsadm" --engine "127.0.0.1:${control[a]}" watch demo --interval 700ms -o json \
        > >(exec python3 -u -c "$line_of_positions")
}
line_of_positions='
import json, sys
mib = lambda n: "%8.1f MiB" % (int(n or 0) / 2**20)
for line in sys.stdin:
    r = json.loads(line)
    for m in r.get("members", []):
        if m["name"] == "b":
            print("   durable on a", mib(r["positions"]["durable"]),
                  "  received by b", mib(m.get("receivedPosition")),
                  "  applied", mib(m.get("appliedPosition")),
                  "  lag", mib(m.get("lagBytes")), "%.1f s" % float(m.get("lagSeconds") or 0))'
start_watcher() {
    watch_positions 2>>"$work/watcher.log" &
    pid[watcher]=$!
    disown "$!"
}

# ---------------------------------------------------------------- with a mounted file system
attach() { # engine
    mkdir -p "$work/fuse-$1" "$work/mount-$1"
    nbdfuse "$work/fuse-$1/disk" "$(uri "$1")" >"$work/nbdfuse-$1.log" 2>&1 &
    pid[nbdfuse-$1]=$!
    disown "$!"
    until_true 20 test -e "$work/fuse-$1/disk" || fail "nbdfuse: $(cat "$work/nbdfuse-$1.log")"
    loop[$1]=$(losetup -f --show "$work/fuse-$1/disk")
}
mount_on() { # engine, options
    mount ${2:-} "${loop[$1]}" "$work/mount-$1"
    mounts+=("$work/mount-$1")
}
manifest() { (cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum); }
write_mounted() {
    attach a
    mkfs.ext4 -q -F "${loop[a]}"
    mount_on a
    say "ext4 on ${loop[a]} <- nbdfuse <- $(uri a)"
    start_watcher
    cp -r "$work/tree" "$work/mount-a/kept"
    sync -f "$work/mount-a"
    manifest "$work/mount-a/kept" >"$work/manifest"
    say "$(wc -l <"$work/manifest") files synced, $(du -sh "$work/mount-a/kept" | cut -f1)"
}
more_mounted() {
    local copy
    mkdir "$work/mount-a/later"
    for copy in $(seq 5); do # until killed, or until the volume is nearly full
        cp -r "$work/tree" "$work/mount-a/later/$copy"
        sync -f "$work/mount-a"
    done
}
check_mounted() {
    attach b
    mount_on b # replays the journal, as after a power cut
    unmount_all
    e2fsck -fn "${loop[b]}" 2>&1 | tail -n 1 | shown
    mount_on b "-o ro"
    (cd "$work/mount-b/kept" && sha256sum --quiet -c "$work/manifest") || fail "files differ"
    say "$(wc -l <"$work/manifest") files are byte for byte what was synced and received"
    say "of what was being written when a died, $(find "$work/mount-b/later" -type f 2>/dev/null | wc -l) files arrived"
    detach b
}

# ---------------------------------------------------------------- without mounting
write_plain() {
    manifest "$work/tree" >"$work/manifest"
    truncate -s "${image_mib}M" "$work/fs.img"
    mkfs.ext4 -q -F -d "$work/tree" "$work/fs.img"
    start_watcher
    nbdcopy --flush "$work/fs.img" "$(uri a)"
    say "ext4 image with $(wc -l <"$work/manifest") files copied over NBD and flushed"
}
more_plain() {
    local at=$image_mib
    while [ "$at" -lt 1000 ]; do
        qemu-io -f raw -t none -c "write -P $((at % 251 + 1)) ${at}M 4M" -c flush "$(uri a)"
        at=$((at + 4))
    done >/dev/null
}
check_plain() {
    nbdcopy "$(uri b)" "$work/back.img"
    truncate -s "${image_mib}M" "$work/back.img"
    e2fsck -fn "$work/back.img" 2>&1 | tail -n 1 | shown
    mkdir "$work/back"
    debugfs -R "rdump / $work/back" "$work/back.img" >/dev/null 2>&1
    (cd "$work/back" && sha256sum --quiet -c "$work/manifest") || fail "files differ"
    say "$(wc -l <"$work/manifest") files are byte for byte what was flushed and received"
}

# ---------------------------------------------------------------- the story
mode=${MARS_DEMO_MODE:-plain}
if [ -z "${MARS_DEMO_MODE:-}" ] && [ "$(id -u)" = 0 ] && [ -w /dev/fuse ] &&
    [ -w /dev/loop-control ] && command -v nbdfuse >/dev/null; then
    mode=mounted
fi
# The sources of this project and what the JDK brings, but for its largest files.
jdk=$("$root/build/find-jdk")
mkdir "$work/tree"
for source in "$root/replication-engine" "$root/docs" "$jdk/legal" "$jdk/include" "$jdk/lib"; do
    [ -d "$source" ] || continue
    (cd "$(dirname "$source")" &&
        find "$(basename "$source")" -name target -prune -o -type f -size -30M -print0 |
        tar --null -T - -cf -) | tar -xf - -C "$work/tree"
done
for engine in a b; do
    control[$engine]=$(free_port)
    peer[$engine]=$(free_port)
done

step "Two engines, one resource: a is primary, b pulls its log"
start a
start b
adm a create-resource demo --volume "data:$volume" | shown
adm b join-resource demo --from "127.0.0.1:${peer[a]}" | shown
adm b wait demo --for caught-up --timeout 60s | shown
adm a status demo | shown

step "Files are written on a; b follows"
"write_$mode"
adm b wait demo --for caught-up --timeout 60s | shown
say "b has received all of it"

step "More is written; b is held back for the last of it; a is killed in the middle (SIGKILL)"
"more_$mode" >"$work/writer.log" 2>&1 &
pid[writer]=$!
disown "$!"
sleep 2
adm b pause-shipping demo >/dev/null
say "b takes nothing more from now on"
sleep 1.5
say "kill -9 ${pid[a]}"
end a
end watcher
end writer
detach a

step "What a forced promotion of b would lose: without naming a's term it only tells"
adm b primary demo --force 2>&1 | shown || true
term=$(field b 'r["term"]')

step "b takes over by force"
adm b primary demo --force --supersedes-term "$term" | shown
adm b resume-shipping demo >/dev/null
adm b status demo | shown

step "The file system on b"
"check_$mode"

step "a comes back, hears of the higher term, is fenced and says so"
start a
fenced() { [ "$(field a 'r["role"] == "secondary" and r["state"] == "Diverged" and r["term"]')" = "$((term + 1))" ]; }
until_true 30 fenced || fail "the old primary is not fenced: $(adm a status demo)"
adm a status demo | shown

step "a gives its branch up and becomes b's replica"
adm a leave-resource demo | shown
adm a join-resource demo --from "127.0.0.1:${peer[b]}" | shown
adm a wait demo --for caught-up --timeout 60s | shown
adm b status demo | shown

step "a takes the role back by plan: nothing is lost"
adm a primary demo | shown
adm a status demo | shown

cleanup_now
step "Done in $SECONDS s; nothing is left behind"
