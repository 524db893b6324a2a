#!/usr/bin/env bats
# sweep.bats - scripts/sweep: what is stale and ours is told and removed, and nothing else is.
# shellcheck disable=SC2154 # start sets NAME_pid
#
# The machine has others' segments and objects: what is looked at is named.

load helpers

setup() { common_setup; }

teardown() {
    [ -z "$object" ] || rm -f "/dev/shm$object"
    common_teardown
}

object= # the test's own

sweep() { # list|remove ID|NAME...
    run -0 --separate-stderr "$BUILD/sweep" "$@"
    [ -z "$stderr" ]
}

# A listener at its first sleep, and the name of its object.
start_posix() { # [HELD POINT]
    [ -d /dev/shm ] || skip "no /dev/shm here"
    start listener listener-posix --hold "${1:-sigsuspend}"
    wait_for_state "$listener_pid" T
    object=$(printf '/shmtalk-%08x' "$(key_of shmfile 1)")
}

killed() { # NAME
    local pid=$1_pid
    kill -KILL "${!pid}"
    finish "$1" 137
}

@test "a segment: in use, then stale, then removed, then nothing to tell" {
    start_listener
    shmid=$(shmid_of listener)
    for verb in list remove; do
        sweep "$verb" "$shmid"
        [ "$output" = "left $shmid: in use by PID $listener_pid" ]
    done
    plant "$shmid"
    killed listener
    sweep list "$shmid"
    [ "$output" = "stale $shmid: PID $listener_pid left it behind" ]
    segment_exists "$shmid"
    sweep remove "$shmid"
    [ "$output" = "removed $shmid: PID $listener_pid had left it behind" ]
    run ! segment_exists "$shmid"
    sweep list "$shmid"
    [ -z "$output" ]
}

@test "a segment that somebody still has attached, or that is a stranger's, is left" {
    requires ipcmk
    start_listener
    shmid=$(shmid_of listener)
    plant "$shmid"
    start talker talker --hold invited
    wait_for_state "$talker_pid" T
    killed listener
    start maker ipcmk -M 100
    finish maker 0
    foreign=$(sed -n 's/.*: *\([0-9]*\)$/\1/p' maker.out)
    plant "$foreign"
    sweep remove "$shmid" "$foreign"
    expect_lines <(echo "$output") \
        "left $shmid: its creator, PID $listener_pid, is dead, but somebody has it attached" \
        "left $foreign: foreign, its size is 100 bytes"
    segment_exists "$shmid"
    segment_exists "$foreign"
    killed talker
}

@test "an object: in use, then stale, then removed, then nothing to tell" {
    start_posix
    for verb in list remove; do
        sweep "$verb" "$object"
        [ "$output" = "left $object: in use by PID $listener_pid" ]
    done
    killed listener
    sweep list "$object"
    [ "$output" = "stale $object: PID $listener_pid left it behind" ]
    [ -e "/dev/shm$object" ]
    sweep remove "$object"
    [ "$output" = "removed $object: PID $listener_pid had left it behind" ]
    [ ! -e "/dev/shm$object" ]
    sweep list "$object"
    [ -z "$output" ]
}

@test "an object whose creator has not said yet who it is: left while that lives, and stale when it is dead" {
    for point in ftruncate mmap; do
        start_posix "$point"
        sweep remove "$object"
        [ "$output" = "left $object: it is being made" ]
        killed listener
        sweep list "$object"
        [ "$output" = "stale $object: it was left behind unfinished" ]
        sweep remove "$object"
        [ "$output" = "removed $object: it was left behind unfinished" ]
        [ ! -e "/dev/shm$object" ]
    done
}

@test "a stranger's object is left as it is" {
    start_posix
    size=$(stat -c %s "/dev/shm$object")
    killed listener
    for length in 5 "$size"; do
        yes | head -c "$length" >"/dev/shm$object"
        sweep remove "$object"
        [[ $output == "left $object: foreign, its "* ]]
        [ "$(stat -c %s "/dev/shm$object")" -eq "$length" ]
    done
}

# On a machine of its own: to look at others' segments is to attach them for a moment, and some test would see it.
@test "scripts/sweep finds all that is stale on the machine, and --remove leaves the rest" {
    requires unshare mount ipcmk
    unshare -i -m mount -t tmpfs none /dev/shm 2>/dev/null || skip "no /dev/shm and no segments of one's own here"
    cat >machine.sh <<'END'
        mount -t tmpfs none /dev/shm
        ipcmk -M 100 >&2
        for program in listener listener-posix; do
            "$BUILD/$program" -t 10 -f /dev/shm/shmfile >/dev/shm/said &
            until grep -q waiting /dev/shm/said; do sleep 0.01; done
            kill -KILL "$!"
        done
        wait
        cp /dev/shm/said /dev/shm/shmtalk-said-it
        "$ROOT/scripts/sweep"
        "$ROOT/scripts/sweep" --remove
        "$ROOT/scripts/sweep"
        cd /dev/shm && ls
END
    export BUILD ROOT
    run -0 --separate-stderr unshare -i -m sh machine.sh
    sed -E 's/PID [0-9]+/PID P/; s/shmtalk-[0-9a-f]{8}:/NAME:/' <<<"$output" | expect_lines - \
        'left 0: foreign, its size is 100 bytes' 'stale 1: PID P left it behind' 'stale /NAME: PID P left it behind' \
        'left 0: foreign, its size is 100 bytes' 'removed 1: PID P had left it behind' \
        'removed /NAME: PID P had left it behind' \
        'left 0: foreign, its size is 100 bytes' said shmfile shmtalk-said-it
}

@test "what is neither an id nor a name is refused" {
    refuses 2 "'shmtalk-01010101' is not a shmid" "$BUILD/sweep" list shmtalk-01010101
    refuses 2 "'-1' is not a shmid" "$BUILD/sweep" remove -1
    refuses 2 "unknown argument '--all'" "$ROOT/scripts/sweep" --all
}
