#!/usr/bin/env bats
# limits.bats - which limits the kernel reports for segments, semaphores and message queues.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() {
    common_setup
    [ -r /proc/sys/kernel/shmmni ] || skip "no /proc/sys/kernel/shmmni here"
}

teardown() { common_teardown; }

limit() { # NAME
    cat "/proc/sys/kernel/$1"
}

run_lesson() {
    meet limits
    expect_lines listener.err
    expect_lines talker.err
}

# A 64-bit kernel reports to a 32-bit program other numbers than it lists: the lesson says so.
skip_if_32_bits() {
    ! grep 'skipped' listener.out >why || skip "$(cut -d : -f 2- <why | head -n 1)"
}

@test "IPC_INFO reports what /proc/sys/kernel lists, on both sides" {
    run_lesson
    skip_if_32_bits
    for name in SHMMNI SHMMAX SHMALL; do
        file=/proc/sys/kernel/${name,,}
        grep -Fx "listener: $name is $(cat "$file") by IPC_INFO, $(cat "$file") in $file" listener.out
    done
    grep -Fx "talker: the same limits as for the listener: SHMMNI $(limit shmmni), SHMMAX $(limit shmmax), SHMALL $(limit shmall)" \
        talker.out
}

@test "semaphores and message queues take the same commands" {
    requires_strace
    start_listener_of limits
    start talker strace -o strace.out -e trace=semctl,msgctl,semget,msgget "$(lesson_program talker limits)" -t "$DEADLINE"
    finish talker 0
    finish listener 0
    grep -x 'talker: of IPC_STAT, IPC_SET, IPC_RMID, IPC_INFO, semctl takes 4 and msgctl 4' talker.out
    for call in semctl msgctl; do
        for command in IPC_STAT IPC_SET IPC_RMID IPC_INFO; do
            grep -E "^$call\(.*$command.* = [0-9]" strace.out
        done
    done
}

@test "segments, semaphores and queues each have a limit of their own" {
    [ -r /proc/sys/kernel/sem ] && [ -r /proc/sys/kernel/msgmni ] || skip "no /proc/sys/kernel/sem here"
    run_lesson
    read -r _ _ _ semmni </proc/sys/kernel/sem
    grep -x "talker: each has a limit: SHMMNI $(limit shmmni) segments, SEMMNI $semmni semaphore sets, MSGMNI $(limit msgmni) queues" talker.out
}

@test "stray, terminating and killing signals leave nothing behind" {
    strays_change_nothing limits compared
    signals_leave_nothing limits compared
    kills_leave_nothing limits compared
}
