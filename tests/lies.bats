#!/usr/bin/env bats
# lies.bats - what stands in the segment comes from another process: nothing of it is believed unchecked.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup_file() {
    command -v "${CC:-cc}" >/dev/null || skip "no C compiler for tests/liar.c"
    "${CC:-cc}" -std=c11 -D_XOPEN_SOURCE=700 -o "$BATS_FILE_TMPDIR/liar" "$BATS_TEST_DIRNAME/liar.c"
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
