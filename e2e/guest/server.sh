# SPDX-License-Identifier: Apache-2.0
# Sourced by both sides of the rig: starts, kills and restarts the server under test.
# Needs SERVER (a command that serves in the foreground), PREPARE (once, may be empty), OUT, STATE.

start_server() {
    setsid sh -c "exec $SERVER" >>"$OUT/server.log" 2>&1 </dev/null &
    server_pid=$!
}

# The server leads its own process group, so nothing that it started survives it.
kill_server() {
    kill -9 "-$server_pid" 2>/dev/null
    wait "$server_pid" 2>/dev/null
}

# Retries, because only a running server can be prepared.
prepare_server() {
    [ -n "$PREPARE" ] || return 0
    tries=0
    until sh -c "$PREPARE" >>"$OUT/prepare.log" 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 30 ] || return 1
        sleep 1
    done
}

kill_rounds() {
    round=0
    while [ "$round" -lt "$ROUNDS" ]; do
        round=$((round + 1))
        sleep "$UP_SECONDS"
        kill_server
        sleep "$DOWN_SECONDS"
        start_server
        echo "round $round: killed and restarted" >>"$OUT/rounds"
    done
    sleep "$UP_SECONDS"
}
