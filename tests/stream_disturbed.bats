#!/usr/bin/env bats
# stream_disturbed.bats - a stream survives slow, stopped and signalled processes.
# shellcheck disable=SC2154,SC2034 # start sets NAME_pid; stream.bash reads the options set here

load helpers
load stream

@test "when the reader takes nothing, the talker fills the ring, and no more" {
    options=(--slots 3 --slot-size 131072) # a pipe holds less than a slot
    start_receiver_of_reader cat
    start talker talker-stream <"$random"
    until_true has_read $((3 * 131072)) || fail "waited for the ring to be filled"
    kill -CONT "$reader_pid"
    for name in talker listener reader; do
        finish "$name" 0
    done
    cmp "$random" reader.out
}

@test "a slow reader that is stopped again and again gets every byte" {
    start_receiver_of_reader dd bs=333
    start talker talker-stream <"$random"
    while is_running "$listener_pid"; do
        kill -CONT "$reader_pid" || is_gone "$reader_pid"
        until_true is_asleep_or_gone "$listener_pid"
        kill -STOP "$reader_pid" || is_gone "$reader_pid"
    done
    kill -CONT "$reader_pid" || is_gone "$reader_pid"
    for name in talker listener reader; do
        finish "$name" 0
    done
    cmp "$random" reader.out
}

@test "a slow writer's pieces are passed on as they come" {
    mkfifo in
    exec 7<>in
    start_receiver
    start talker talker-stream <in
    bytes=0
    for piece in 1 10 4096 65536 7; do
        tail -c +$((bytes + 1)) "$random" | head -c "$piece" >&7
        bytes=$((bytes + piece))
        wait_for_size listener.out "$bytes"
    done
    exec 7>&-
    finish talker 0
    finish listener 0
    cmp -n "$bytes" "$random" listener.out
    closes_with listener.err 'listener: received' "$bytes"
}

@test "a stdin and a stdout in non-blocking mode are waited for" {
    requires python3
    mkfifo in out
    exec 7<>in
    start reader sh -c 'exec cat <out'
    nonblocking='import os, sys; os.set_blocking(int(sys.argv[1]), False); os.execv(sys.argv[2], sys.argv[2:])'
    resolve listener-stream
    start_with '>out' listener python3 -c "$nonblocking" 1 "${command[@]}"
    listener_waits
    kill -STOP "$reader_pid"
    resolve talker-stream
    start talker python3 -c "$nonblocking" 0 "${command[@]}" <in
    cat "$random" >&7 & # more than the pipes and the ring hold
    feeder_pid=$!
    wait_for_state "$feeder_pid" S
    kill -CONT "$reader_pid"
    finish feeder 0 </dev/null
    exec 7>&-
    for name in talker listener reader; do
        finish "$name" 0
    done
    cmp "$random" reader.out
}

@test "each side is stopped for a while, and nothing is lost" {
    for side in listener talker; do
        start_receiver --slot-size 4096
        start talker talker-stream <"$random"
        pid=${side}_pid
        kill -STOP "${!pid}"
        sleep 0.4 # twice as long as a death takes to be noticed
        kill -CONT "${!pid}"
        finish talker 0
        finish listener 0
        cmp "$random" listener.out
    done
}

@test "thousands of stray signals change nothing" {
    compile storm
    for _ in {1..4}; do cat "$random"; done >data
    start_receiver --slot-size 4096
    start_held talker room:2 talker-stream <data
    start storm ./storm "$(kill -l USR1),$(kill -l ALRM)" "$listener_pid" "$talker_pid"
    wait_for_line storm.out 'it blows'
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
    finish storm 0
    cmp data listener.out
}
