#!/usr/bin/env bats
# pair_corrupt.bats - each side checks every value that it reads from the segment before it uses it.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup_file() {
    compile pair_corrupt "$BATS_FILE_TMPDIR"
}

setup() {
    common_setup
    only_ours
    corrupt=$BATS_FILE_TMPDIR/pair_corrupt
}

teardown() { common_teardown; }

# A listener with false values in its segment.
lying_listener() { # CAPACITY LENGTH
    touch shmfile
    start peer "$corrupt" reply "$(key_of shmfile 1)" "$1" "$2"
    wait_for_line peer.out '^[0-9]+$'
    plant "$(cat peer.out)"
}

@test "an uninvolved process whose PID is in a seat gets no signal" {
    start_listener
    start bystander sleep "$DEADLINE"
    "$corrupt" seat "$(shmid_of listener)" "$bystander_pid"
    wait_for_line listener.err "\<$bystander_pid\>"
    is_running "$bystander_pid" # SIGUSR1 would have killed it
    stop bystander
    ends 0 talker
    finish listener 0
}

@test "a negative PID or the listener's own in a seat gets no signal" {
    start_listener
    for pid in -1 -2147483648 1 "$listener_pid"; do
        "$corrupt" seat "$(shmid_of listener)" "$pid"
        wait_for_line listener.err " $pid\>"
    done
    ends 0 talker
    finish listener 0
}

# ---- another user, where the mode lets everybody write

requires_another_user() {
    [ "$(id -u)" -eq 0 ] || skip "only root can become another user"
    requires setpriv
}

forge_as_nobody() { # TEXT
    as_nobody /dev/fd/9 forge "$(shmid_of listener)" "$1" 9<"$corrupt" 2>forge.err || fail "$(cat forge.err)"
}

@test "with mode 0666 another user who writes text and turn wakes no listener" {
    requires_another_user
    start_listener --mode 0666
    forge_as_nobody 'in its place'
    ends 0 talker Hello
    finish listener 0
    received listener | expect_lines - Hello
    grep -E '^listener: ignoring PID [0-9]+ in seat 1: ' listener.err
}

@test "with mode 0666 a text of another user is heard when a talker rings" {
    requires_another_user
    start_listener --mode 0666
    start_held talker invited talker Hello
    wait_for_state "$listener_pid" S # it has looked, and does not look again until it is signalled
    kill -STOP "$listener_pid"
    wait_for_state "$listener_pid" T
    kill -CONT "$talker_pid"
    until_true grep -q '^ShdPnd:.*[2367abef]..$' "/proc/$listener_pid/status" || fail "the talker did not ring" # SIGUSR1
    forge_as_nobody 'in its place'
    kill -CONT "$listener_pid"
    finish talker 0
    finish listener 0
    received listener | expect_lines - 'in its place'
}

@test "a false mark of a deliberate stop delays the peer by its timeout only" {
    mkfifo lines replies
    exec 7<>lines
    start_listener --timeout 0.5
    start talker talker --chat <lines
    echo one >&7
    wait_for_line talker.out 'listener said'
    "$corrupt" stopped "$(shmid_of listener)" "$talker_pid"
    finish listener 3
    grep '\<0\.5\>' listener.err
    finish talker 3

    exec 7<>replies
    start_listener --interactive <replies
    start talker talker --timeout 0.5
    wait_for_line listener.out 'received'
    "$corrupt" stopped "$(shmid_of listener)" "$listener_pid"
    finish talker 3
    grep '\<0\.5\>' talker.err
    finish listener 3
}

@test "a listener that never serves our seat delays us by the timeout only" {
    touch shmfile
    start peer "$corrupt" front "$(key_of shmfile 1)"
    wait_for_line peer.out '^[0-9]+$'
    plant "$(cat peer.out)"
    ends 3 talker --timeout 0.3
    grep '\<0\.3\>' talker.err
    stop peer
}

@test "a segment of another version or lesson is refused" {
    start_listener --keep
    refuses 1 lesson talker-handshake
    refuses 1 lesson talker-torn
    stop listener
    lying_listener 100 1
    "$corrupt" version "$(cat peer.out)" 2
    refuses 1 'version 2\>' talker
    stop peer
}

@test "the listener refuses a message longer than the segment allows" {
    for length in 1025 4000 4294967295; do
        start_listener
        "$corrupt" length "$(shmid_of listener)" "$length"
        finish listener 1
        [ "$(wc -l <listener.out)" -eq 1 ]
        [ "$(wc -l <listener.err)" -eq 1 ]
    done
}

@test "a listener with --keep serves the next talker after a corrupt one" {
    start_listener --keep
    "$corrupt" length "$(shmid_of listener)" 4294967295
    ends 0 talker
    stop listener
}

@test "the talker refuses a reply longer than the segment allows" {
    for length in 101 4294967295; do
        lying_listener 100 "$length"
        ends 1 talker Hello
        expect_lines talker.out "talker: said: Hello"
        grep "\<$length\>.*\<100\>" talker.err
        stop peer
        ipcrm -m "$(cat peer.out)"
    done
}

@test "a segment that claims more room than it has is refused" {
    for capacity in 0 1000000 4294967295; do
        lying_listener "$capacity" 1
        refuses 1 "shmid $(cat peer.out)\>" talker Hello
        stop peer
        ipcrm -m "$(cat peer.out)"
    done
}
