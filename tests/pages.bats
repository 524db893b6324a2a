#!/usr/bin/env bats
# pages.bats - what new memory holds, and how much of it a segment has.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

@test "every byte of new memory is zero, to the end of the last page" {
    meet pages
    whole=$((2 * $(getconf PAGESIZE)))
    grep -x "listener: a new segment: $whole of its $whole bytes are zero" listener.out
}

@test "the kernel rounds a size up to whole pages, and both share the rest" {
    start listener listener-pages
    shmid=$(shmid_of listener)
    read -r _ _ _ size _ < <(segment_line "$shmid")
    ends 0 talker-pages
    finish listener 0
    page=$(getconf PAGESIZE)
    whole=$(((size + page - 1) / page * page))
    [ "$size" -lt "$whole" ]
    there="byte $((whole - 1)) is there, byte $whole is not there"
    grep -Fx "listener: a segment of $size bytes takes $whole of memory: $there" listener.out
    grep -F "talker: of a segment of $size bytes, byte $size is 'F' and byte $((whole - 1)) is 'L'" talker.out
}

@test "strace shows that the larger segment was removed, and its place used" {
    requires_strace
    start listener strace -o listener.strace -e trace=shmget,shmat,shmctl,shmdt \
        "$(lesson_program listener pages)" -t "$DEADLINE"
    shmid=$(shmid_of listener)
    ends 0 talker-pages
    finish listener 0
    larger=$(sed -nE 's/^shmget\(IPC_PRIVATE, [0-9]+, 0600\) += ([0-9]+)$/\1/p' listener.strace)
    place=$(sed -nE "s/^shmat\($larger, NULL, 0\) += (0x[0-9a-f]+)$/\1/p" listener.strace)
    grep -E "^shmctl\($larger, IPC_RMID, NULL\) += 0" listener.strace
    grep -E "^shmat\($shmid, $place, 0\) += $place$" listener.strace
    is_removed "$larger"
}

@test "stray, terminating and killing signals leave nothing behind" {
    strays_change_nothing pages read
    signals_leave_nothing pages read
    kills_leave_nothing pages read
}
