#!/usr/bin/env bats
# stream_timeouts.bats - what --timeout does in a stream.
# shellcheck disable=SC2154,SC2034 # start sets NAME_pid; stream.bash reads the options set here

load helpers
load stream

@test "no timeout runs while the other side is held on purpose" {
    start_and_hold_talker loaded:3 --timeout 1
    sleep 1.4 # longer than its timeout
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
    cmp "$random" listener.out

    start_receiver --hold written:3
    start talker talker-stream --timeout 1 <"$random"
    wait_for_state "$listener_pid" T
    sleep 1.4
    kill -CONT "$listener_pid"
    finish talker 0
    finish listener 0
    cmp "$random" listener.out
}

@test "a timeout counts from the last progress" {
    mkfifo in
    exec 7<>in
    start_receiver --timeout 2
    start talker talker-stream --timeout 2 <in
    for piece in 1 2 3; do
        sleep 0.8 # together longer than the timeout
        head -c 1 "$random" >&7
        wait_for_size listener.out "$piece"
    done
    exec 7>&-
    finish talker 0
    finish listener 0
}

@test "the last slots may take longer than the timeout if each is in time" {
    mkfifo out
    exec 7<>out
    head -c $((3 * slot)) "$random" >data
    start_with '>out' listener listener-stream
    listener_waits
    start talker talker-stream --timeout 2 <data
    for _ in 1 2 3; do
        sleep 0.8
        head -c "$slot" <&7 >>copy
    done
    finish talker 0
    finish listener 0
    cmp data copy
}

@test "a silent talker: the listener reports what it has, and exits with 3" {
    mkfifo in
    exec 7<>in
    head -c 1000 "$random" >&7
    start_receiver --timeout 1
    start talker talker-stream <in
    finish listener 3
    broke_off_after 1000 "no word from the talker \(PID $talker_pid\) within 1 s"
    finish talker 3
    grep -x "talker-stream: the listener (PID $listener_pid) went away" talker.err
}

@test "a silent stdin is not taken for a silent listener" {
    mkfifo in
    exec 7<>in
    head -c 1000 "$random" >&7
    start_receiver
    start talker talker-stream --timeout 1 <in
    finish talker 3
    expect_lines talker.err 'talker-stream: nothing came on stdin within 1 s, after 1000 bytes: gave up'
    finish listener 3
    broke_off_after 1000 "the talker \(PID $talker_pid\) went away"
}

@test "a stdout that takes nothing for too long is reported" {
    options=(--timeout 1)
    start_receiver_of_reader cat
    start talker talker-stream <"$random"
    finish listener 3
    bytes=$(sed -nE 's/^listener-stream: stdout took nothing within 1 s, after ([0-9]+) bytes: gave up$/\1/p' listener.err)
    finish talker 3
    kill -CONT "$reader_pid"
    finish reader 0
    has_size reader.out "$bytes"
}
