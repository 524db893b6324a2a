#!/usr/bin/env bats
# stream.bats - any amount of data passes through one segment and arrives whole.
# shellcheck disable=SC2154,SC2034 # start sets NAME_pid; stream.bash reads the options set here

load helpers
load stream

@test "0 bytes, 1 byte, around one slot, and 64 MiB arrive unchanged" {
    for bytes in 0 1 $((slot - 1)) "$slot" $((slot + 1)); do
        head -c "$bytes" "$random" >data
        stream data
        closes_with talker.err 'talker: sent' "$bytes"
        closes_with listener.err 'listener: received' "$bytes"
        is_removed "$shmid"
    done
    for _ in {1..16}; do cat "$random"; done >data
    stream data
    closes_with listener.err 'listener: received' 67108864
}

@test "slots of one page and more, and 1 to 1024 of them, work" {
    page=$(getconf PAGESIZE)
    for shape in "1 $page" "2 $page" "8 $page" "1024 $page" "3 $((2 * page))" "1 1048576" "8 1048576" "3 $((128 * page))"; do
        stream "$random" --slots "${shape% *}" --slot-size "${shape#* }"
        head -c $((2 * ${shape#* } + 1)) "$random" >data
        stream data --slots "${shape% *}" --slot-size "${shape#* }"
    done
}

@test "any --spin on either side gives the same result" {
    for ours in 0 50 100000; do
        for theirs in 0 50 100000; do
            talker_options=(--spin "$theirs")
            stream "$random" --spin "$ours" --slot-size 4096
        done
    done
}

@test "it works on one CPU, with and without spinning" {
    requires taskset
    cpu=$(taskset -cp $$ | sed -E 's/.*: ([0-9]+).*/\1/')
    for spin in 0 50; do
        for side in listener talker; do
            resolve "$side-stream" --spin "$spin"
            start "$side" taskset -c "$cpu" "${command[@]}" <"$random"
            [ "$side" = talker ] || listener_waits
        done
        finish talker 0
        finish listener 0
        cmp "$random" listener.out
    done
}

@test "it works through pipes on both ends" {
    mkfifo in out
    start feeder sh -c 'exec cat "$1" >in' sh "$random"
    start reader sh -c 'exec cat <out'
    start_with '>out' listener listener-stream
    listener_waits
    start_with '<in' talker talker-stream
    for name in feeder talker listener reader; do
        finish "$name" 0
    done
    cmp "$random" reader.out
}

@test "more than 4 GiB pass: no count is cut to 32 bits" {
    truncate -s 4G data || skip "no file of 4 GiB here"
    echo x >>data
    start_with '>/dev/null' listener listener-stream
    listener_waits
    DEADLINE=60
    ends 0 talker-stream <data
    finish listener 0
    closes_with talker.err 'talker: sent' 4294967298
    closes_with listener.err 'listener: received' 4294967298
}

@test "a talker with --wait may start first" {
    start talker talker-stream --wait -v <"$random"
    wait_for_line talker.err 'sigsuspend'
    start_receiver
    finish talker 0
    finish listener 0
    cmp "$random" listener.out
}

@test "input typed on a terminal passes, to its end" {
    requires_terminal
    start_receiver
    resolve talker-stream
    start_with '' talker script -qec "$(printf '%q ' "${command[@]}")" typescript < <(printf 'one\ntwo\n' && until_true has_size listener.out 8)
    finish talker 0
    finish listener 0
    expect_lines listener.out one two
}

@test "without a listener the talker ends with 3, and reads nothing" {
    refuses 3 'no listener|start the listener' talker-stream
    touch shmfile
    refuses 3 'no listener' talker-stream
    refuses 3 'no listener within 0.2 s' talker-stream --wait --timeout 0.2
}

@test "a second talker or listener is refused, and takes nothing" {
    start_and_hold_talker room:2
    refuses 4 "busy: PID $talker_pid is the talker already" talker-stream
    refuses 4 "busy: PID $listener_pid is listening" listener-stream
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
    cmp "$random" listener.out
}

@test "a segment of another lesson is refused, in both directions" {
    start_listener_of handshake
    refuses 1 'belongs to another lesson' talker-stream
    ends 0 talker-handshake
    finish listener 0

    start_receiver
    refuses 1 'belongs to another lesson' talker-offset
    ends 0 talker-stream
    finish listener 0
}
