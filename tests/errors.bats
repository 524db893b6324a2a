#!/usr/bin/env bats
# errors.bats - what shmget and shmat refuse, and with which errno.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

limit() { # NAME
    cat "/proc/sys/kernel/$1"
}

run_lesson() {
    meet errors
    expect_lines listener.err
    expect_lines talker.err
}

@test "SHMMIN works; a smaller size, one above SHMMAX or the segment's: EINVAL" {
    run_lesson
    size=$(sed -n 's/^talker: shmget of \([0-9]*\) bytes, new.*/\1/p' talker.out)
    grep -x 'talker: shmget of 1 byte, which is SHMMIN: granted' talker.out
    grep -x 'talker: shmget of 0 bytes, less than SHMMIN: EINVAL' talker.out
    grep -x "talker: shmget of $((size + 1)) bytes, more than the listener's has: EINVAL" talker.out
    grep skipped talker.out ||
        grep -x "talker: shmget of $(printf %u $(($(limit shmmax) + 1))) bytes, more than SHMMAX: EINVAL" talker.out
}

@test "a segment can be opened with fewer bytes than it has" {
    run_lesson
    grep -x "talker: shmget of 1 byte, fewer than the listener's has: granted" talker.out
    grep -x "listener: segment $shmid still has 4001 bytes" listener.out
}

@test "IPC_EXCL on an existing key is EEXIST; a missing key is ENOENT" {
    start listener listener-errors
    size=$(segment_line "$(shmid_of listener)" | awk '{ print $4 }')
    ends 0 talker-errors
    finish listener 0
    grep -x "talker: shmget of $size bytes, new, but the listener's is there: EEXIST" talker.out
    grep -x "talker: shmget of 0 bytes, by a key that no segment has: ENOENT" talker.out
}

@test "ENOENT is found past the keys that do have a segment" {
    start other listener-errors --project 255
    wait_for_line other.out waiting
    start_listener_of errors
    ends 0 talker-errors --verbose
    finish listener 0
    stop other
    grep -F "shmget($(key_of shmfile 255), 0, 000) = $(shmid_of other)" talker.err
    grep -F "shmget($(key_of shmfile 254), 0, 000) = -1 ENOENT" talker.err
}

@test "shmat is ENOMEM where the address space is limited" {
    run_lesson
    grep -E '^talker: shmat of ([0-9]+) bytes, under an RLIMIT_AS of as many: ENOMEM$' talker.out
}

@test "strace shows the talker's refusals in the reported order" {
    requires_strace
    start_listener_of errors
    start talker strace -o strace.out -e trace=shmget,shmat "$(lesson_program talker errors)" -t "$DEADLINE"
    finish talker 0
    finish listener 0
    ! grep skipped talker.out >why || skip "$(cut -d : -f 3- <why)"
    sed -n 's/.* = -1 \(E[A-Z]*\) .*/\1/p' strace.out | expect_lines - EINVAL EINVAL EEXIST EINVAL ENOENT ENOMEM
    key=$(key_of shmfile 1)
    grep -E "^shmget\($key, [0-9]+, IPC_CREAT\|IPC_EXCL\|0600\) = -1 EEXIST" strace.out
}

@test "stray, terminating and killing signals leave nothing behind" {
    strays_change_nothing errors shmget:3
    signals_leave_nothing errors shmget:3
    kills_leave_nothing errors shmget:3
}

@test "a talker killed while it has a segment without a key leaves none" {
    hold_talker errors shmdt:3 # the first two are those of the session and of SHMMIN
    kill -KILL "$talker_pid"
    finish talker 137
    finish listener 3
    [ -z "$(awk -v pid="$talker_pid" '$5 == pid' /proc/sysvipc/shm)" ]
}
