#!/usr/bin/env bats
# noreserve.bats - what shmget promises, and what it does not promise with SHM_NORESERVE.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() {
    common_setup
    [ -r /proc/meminfo ] || skip "no /proc/meminfo here"
}

teardown() { common_teardown; }

requires_large_segment() {
    meet noreserve
    ! grep -q '^listener: skipped' listener.out || skip "the large segment is refused here"
}

meminfo() { # FIELD
    awk -v field="$1:" '$1 == field { print $2 }' /proc/meminfo
}

@test "more than memory and swap is refused; with SHM_NORESERVE it is granted" {
    requires_strace
    start listener strace -o strace.out -e trace=shmget "$(lesson_program listener noreserve)" -t "$DEADLINE"
    wait_for_line listener.out waiting
    ends 0 talker-noreserve
    finish listener 0
    bytes=$(($(meminfo MemTotal) * 2048 + $(meminfo SwapTotal) * 2048))
    ! grep -F "skipped: $bytes bytes:" listener.out >why || skip "$(cut -d : -f 3- <why)"
    mode=$(cat /proc/sys/vm/overcommit_memory) plain=ENOMEM noreserve=granted
    [ "$mode" -ne 1 ] || plain=granted
    [ "$mode" -ne 2 ] || noreserve=ENOMEM
    grep -Fx "listener: $bytes bytes, twice what there is: $plain; with SHM_NORESERVE: $noreserve (vm.overcommit_memory=$mode)" \
        listener.out
    [ "$mode" -eq 1 ] || grep "shmget(IPC_PRIVATE, $bytes, 0600) *= -1 ENOMEM" strace.out
    [ "$mode" -eq 2 ] || grep -E "shmget\(IPC_PRIVATE, $bytes, SHM_NORESERVE\|0600\) *= [0-9]+$" strace.out
}

@test "each page that is touched costs one fault in each process, as in any segment" {
    requires_large_segment
    bytes=$(($(meminfo MemTotal) * 2048 + $(meminfo SwapTotal) * 2048))
    for line in 'listener: its first 512 pages took' \
        "talker: the first 512 pages of the $bytes bytes took"; do
        count=$(sed -n "s/^$line \([0-9]*\) page faults.*/\1/p" "${line%%:*}.out")
        if [ "$count" -lt 512 ] || [ "$count" -ge 640 ]; then fail "$line $count page faults"; fi
    done
    expect_lines listener.err
    expect_lines talker.err
}

@test "the segment is larger than the memory, and marked for removal" {
    requires_large_segment
    start listener listener-noreserve
    shmid=$(shmid_of listener)
    start_held talker shmat:3 talker-noreserve # the first two attach the session's segment
    large=$(awk -v pid="$listener_pid" -v met="$shmid" '$5 == pid && $2 != met { print $2 }' /proc/sysvipc/shm)
    read -r _ _ mode size _ < <(segment_line "$large")
    [ "$size" -gt $(($(meminfo MemTotal) * 1024)) ]
    [ $((0$mode & 01000)) -ne 0 ] # SHM_DEST
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
    is_removed "$large"
}

@test "without /proc both sides skip the lesson, and say why" {
    start_without_proc listener "$(lesson_program listener noreserve)" -t "$DEADLINE"
    shmid_of listener >shmid
    ends 0 talker-noreserve
    finish listener 0
    grep -E '^listener: skipped: /proc/meminfo .*cannot be read here$' listener.out
    grep -x 'talker: skipped, as the listener says' talker.out
}

@test "stray, terminating and killing signals leave nothing behind" {
    requires_large_segment
    strays_change_nothing noreserve shmat:3
    signals_leave_nothing noreserve shmat:3
    kills_leave_nothing noreserve shmat:3
}

@test "at the limit SHMMNI the lesson is skipped with the reason" {
    requires unshare
    unshare --ipc sh -c 'echo 1 >/proc/sys/kernel/shmmni' 2>/dev/null || skip "no IPC namespace can be created and set here"
    start both unshare --ipc sh -c 'echo 1 >/proc/sys/kernel/shmmni
        "$0/listener-noreserve" -t "$1" >listener.out &
        until grep -qs waiting listener.out; do sleep 0.01; done
        "$0/talker-noreserve" -t "$1" && wait $!' "$BUILD" "$DEADLINE"
    finish both 0
    grep -xE 'listener: skipped: [0-9]+ bytes: ENOSPC, SHMALL or SHMMNI leaves no room for that' listener.out
    expect_lines both.err
}
