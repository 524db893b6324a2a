#!/usr/bin/env bats
# pair_corrupt.bats - what stands in the segment comes from another process: nothing of it is believed unchecked.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup_file() {
    command -v "${CC:-cc}" >/dev/null || skip "no C compiler for tests/pair_corrupt.c"
    "${CC:-cc}" -std=c11 -D_XOPEN_SOURCE=700 -o "$BATS_FILE_TMPDIR/liar" "$BATS_TEST_DIRNAME/pair_corrupt.c"
}

setup() {
    common_setup
    only_ours
    liar=$BATS_FILE_TMPDIR/liar
}

teardown() { common_teardown; }

# A listener that lies, and what a talker says of it.
lying_listener() { # CAPACITY LENGTH
    touch shmfile
    start liar "$liar" reply "$(key_of shmfile 1)" "$1" "$2"
    wait_for_line liar.out '^[0-9]+$'
    plant "$(cat liar.out)"
}

@test "a PID in a seat is only a claim: a process that knows nothing of it is not signalled" {
    start_listener
    start bystander sleep "$DEADLINE"
    "$liar" seat "$(shmid_of listener)" "$bystander_pid"
    wait_for_line listener.err "\<$bystander_pid\>"
    is_running "$bystander_pid" # SIGUSR1 would have killed it
    stop bystander
    ends 0 talker
    finish listener 0
}

@test "a PID in a seat that is negative, or the listener's own, is not signalled either" {
    start_listener
    for pid in -1 -2147483648 1 "$listener_pid"; do
        "$liar" seat "$(shmid_of listener)" "$pid"
        wait_for_line listener.err " $pid\>"
    done
    ends 0 talker
    finish listener 0
}

@test "who is said to stand still on purpose, and does not, is waited for no longer than the timeout" {
    mkfifo lines replies
    exec 7<>lines
    start_listener --timeout 0.5
    start talker talker --chat <lines
    echo one >&7
    wait_for_line talker.out 'listener said'
    "$liar" stopped "$(shmid_of listener)" "$talker_pid"
    finish listener 3
    grep '\<0\.5\>' listener.err
    finish talker 3

    exec 7<>replies
    start_listener --interactive <replies
    start talker talker --timeout 0.5
    wait_for_line listener.out 'received'
    "$liar" stopped "$(shmid_of listener)" "$listener_pid"
    finish talker 3
    grep '\<0\.5\>' talker.err
    finish listener 3
}

@test "a listener that says that it serves seat after seat, but never ours, is waited for no longer than the timeout" {
    touch shmfile
    start liar "$liar" front "$(key_of shmfile 1)"
    wait_for_line liar.out '^[0-9]+$'
    plant "$(cat liar.out)"
    ends 3 talker --timeout 0.3
    grep '\<0\.3\>' talker.err
    stop liar
}

@test "a segment of another version is refused, and so is one of another lesson" {
    start_listener --keep
    refuses 1 lesson talker-handshake
    refuses 1 lesson talker-torn
    stop listener
    lying_listener 100 1
    "$liar" version "$(cat liar.out)" 2
    refuses 1 'version 2\>' talker
    stop liar
}

@test "a message that is said to be longer than fits is refused by the listener" {
    for length in 1025 4000 4294967295; do
        start_listener
        "$liar" length "$(shmid_of listener)" "$length"
        finish listener 1
        [ "$(wc -l <listener.out)" -eq 1 ]
        [ "$(wc -l <listener.err)" -eq 1 ]
    done
}

@test "a listener that is kept serves the next talker after one that lied" {
    start_listener --keep
    "$liar" length "$(shmid_of listener)" 4294967295
    ends 0 talker
    stop listener
}

@test "a reply that is said to be longer than fits is refused by the talker" {
    for length in 101 4294967295; do
        lying_listener 100 "$length"
        ends 1 talker Hello
        expect_lines talker.out "talker: said: Hello"
        grep "\<$length\>.*\<100\>" talker.err
        stop liar
        ipcrm -m "$(cat liar.out)"
    done
}

@test "a segment that says of itself that more fits than it has room for is refused" {
    for capacity in 0 1000000 4294967295; do
        lying_listener "$capacity" 1
        refuses 1 "shmid $(cat liar.out)\>" talker Hello
        stop liar
        ipcrm -m "$(cat liar.out)"
    done
}
