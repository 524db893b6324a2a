#!/usr/bin/env bats
# persist.bats - a POSIX object is a file in memory, and stays until it is unlinked.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup() {
    common_setup
    [ -d /dev/shm ] || skip "no /dev/shm here"
}

teardown() {
    local clean=0
    common_teardown || clean=1
    [ ! -e shmfile ] || [ ! -e "$(object_of)" ] || { echo "$(object_of) was left behind" && rm -f "$(object_of)" && clean=1; }
    return "$clean"
}

object_of() {
    printf '/dev/shm/shmtalk-%08x\n' "$(key_of shmfile 1)"
}

@test "what the talker wrote is there after both have left the object" {
    start_listener_of persist
    ends 0 talker-persist "Remember me"
    finish listener 0
    object=$(object_of)
    grep -Fx "talker: wrote into ${object#/dev/shm}, and left it: Remember me" talker.out
    grep -Fx "listener: left by both, ${object#/dev/shm} still holds: Remember me" listener.out
    [ ! -e "$object" ]
}

@test "an object is a file of its size, private, and unknown to ipcs" {
    start_listener_of persist
    start_held talker shm_open talker-persist
    read -r size mode owner < <(stat -c '%s %a %u' "$(object_of)")
    [ "$mode.$owner" = "600.$(id -u)" ]
    grep -E "^listener: descriptor [0-9]+ is the file $(object_of), of $size bytes$" listener.out
    grep -x 'listener: ipcs listed 1 segment of ours before, and lists 1 now' listener.out
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
}

@test "between the two no process has the object mapped or open" {
    start_listener_of persist --hold shm_open:3
    start talker talker-persist
    wait_for_state "$listener_pid" T
    run ! grep -lF "$(object_of)" /proc/[0-9]*/maps
    [ -z "$(find /proc/[0-9]*/fd -lname "$(object_of)" 2>/dev/null)" ]
    grep -aqF "Remember me" "$(object_of)"
    kill -CONT "$listener_pid"
    finish talker 0
    finish listener 0
}

@test "after shm_unlink the kernel has no object of that name" {
    requires_strace
    start listener strace -o strace.out -e trace=openat,unlink "$(lesson_program listener persist)" -t "$DEADLINE"
    wait_for_line listener.out waiting
    ends 0 talker-persist
    finish listener 0
    sed -n "/unlink(\"\\/dev\\/shm/,\$p" strace.out | grep -v SIG >after
    sed -n 1p after | grep -E "^unlink\(\"$(object_of)\"\) += 0"
    sed -n 2p after | grep -E "^openat\(AT_FDCWD, \"$(object_of)\", O_RDWR.* = -1 ENOENT"
    grep -Fx 'listener: after shm_unlink, shm_open: ENOENT' listener.out
    grep -Fx "talker: after the listener's shm_unlink, shm_open: ENOENT" talker.out
}

@test "an object that a killed listener left is removed by the next one" {
    start_listener_of persist
    start_held talker shm_open talker-persist
    kill -KILL "$listener_pid" "$talker_pid"
    finish listener 137
    finish talker 137
    [ -e "$(object_of)" ]
    start_listener_of persist
    ends 0 talker-persist
    finish listener 0
    grep "recovered: removed /shmtalk-.*, which a killed listener left behind" listener.err
}
