#!/usr/bin/env bats
# attach.bats - at which address a segment is attached, and which addresses shmat refuses.
# shellcheck disable=SC2154,SC2030,SC2031 # start sets NAME_pid; each test is a subshell

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

found() { # NAME PATTERN (sed -E, with a group): what the group matches in NAME's line
    sed -nE "s/^$1: $2\$/\1/p" "$1.out"
}

requires_maps() {
    [ -r /proc/self/maps ] || skip "no /proc/PID/maps here"
}

segment_maps() { # PID SHMID
    grep -E " $2 +/SYSV" "/proc/$1/maps"
}

@test "NULL lets the kernel choose: both processes get different addresses" {
    meet attach
    theirs=$(found talker 'the kernel chose (0x[0-9a-f]+) for the listener, and 0x[0-9a-f]+ for us')
    ours=$(found talker "the segment that the listener has at $theirs, we have at (0x[0-9a-f]+)")
    [ -n "$theirs" ]
    [ -n "$ours" ]
    [ "$ours" != "$theirs" ]
    expect_lines listener.err
    expect_lines talker.err
}

@test "the addresses differ even without address space randomisation" {
    requires setarch
    setarch -R true || skip "setarch -R is not permitted here"
    for layout in -R -RL; do
        start listener setarch "$layout" "$(lesson_program listener attach)" -t "$DEADLINE"
        shmid_of listener >shmid
        ends 0 setarch "$layout" "$(lesson_program talker attach)" -t "$DEADLINE"
        finish listener 0
        grep -E '^talker: the segment that the listener has at ' setarch.out
    done
}

@test "an unaligned address fails with EINVAL; SHM_RND rounds it down to SHMLBA" {
    meet attach
    off=$(found listener 'shmat at (0x[0-9a-f]+): EINVAL')
    rounded=$(found listener "shmat at $off with SHM_RND: attached at (0x[0-9a-f]+) .*")
    shmlba=$(found listener '.*\(SHMLBA is ([0-9]+)\)')
    [ $((off % $(getconf PAGESIZE))) -ne 0 ]
    [ $((rounded)) -eq $((off / shmlba * shmlba)) ]
}

@test "SHM_REMAP replaces a mapping; without it, or without an address: EINVAL" {
    meet attach
    ! grep -q '^listener: skipped: only Linux has SHM_REMAP' listener.out || skip "only Linux has SHM_REMAP"
    place=$(found listener 'shmat at (0x[0-9a-f]+), where something is: EINVAL')
    [ -n "$place" ]
    grep -x 'listener: shmat at NULL with SHM_REMAP: EINVAL' listener.out
    grep -x "listener: shmat at $place with SHM_REMAP: done; the first word there was 0x73686d74, and is 0" listener.out
}

@test "shmdt takes the address that shmat returned; any other is EINVAL" {
    meet attach
    off=$(found listener 'shmdt at (0x[0-9a-f]+): EINVAL')
    grep -F "listener: shmat at $off with SHM_RND: attached at 0x" listener.out
}

@test "strace shows the same calls with the same results" {
    requires_strace
    start listener strace -o listener.strace -e trace=shmat,shmdt "$(lesson_program listener attach)" -t "$DEADLINE"
    shmid=$(shmid_of listener)
    ends 0 talker-attach
    finish listener 0
    off=$(found listener 'shmat at (0x[0-9a-f]+): EINVAL')
    place=$(found listener "shmat at $off with SHM_RND: attached at (0x[0-9a-f]+) .*")
    grep -E "^shmat\($shmid, $off, 0\) += -1 EINVAL" listener.strace
    grep -E "^shmat\($shmid, $off, SHM_RND\) += $place$" listener.strace
    grep -E "^shmdt\($off\) += -1 EINVAL" listener.strace
    ! grep -q '^listener: skipped: only Linux has SHM_REMAP' listener.out || skip "only Linux has SHM_REMAP"
    grep -E "^shmat\([0-9]+, $place, 0\) += -1 EINVAL" listener.strace
    grep -E '^shmat\([0-9]+, NULL, SHM_REMAP\) += -1 EINVAL' listener.strace
    grep -E "^shmat\([0-9]+, $place, SHM_REMAP\) += $place$" listener.strace
}

@test "the segment lies at the address that shmat returned, as /proc shows" {
    requires_maps
    hold_talker attach compare
    segment_maps "$listener_pid" "$shmid" >listener.maps
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
    [ "$(wc -l <listener.maps)" -eq 1 ]
    grep -Fx "talker: /proc/$listener_pid/maps: $(cat listener.maps)" talker.out
    place=$(found talker 'the kernel chose (0x[0-9a-f]+) for the listener, .*')
    IFS=' -' read -r from to _ <listener.maps
    [ $((0x$from)) -eq $((place)) ]
    [ $(((0x$to - 0x$from) % $(getconf PAGESIZE))) -eq 0 ]
}

@test "/proc shows that the segment is neither on the heap nor on the stack" {
    requires_maps
    hold_talker attach compare
    grep -E '\[(heap|stack)\]' "/proc/$listener_pid/maps" >around.maps || :
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
    grep -F '[stack]' around.maps
    while read -r line; do
        grep -Fx "talker: /proc/$listener_pid/maps: $line" talker.out
    done <around.maps
}

@test "the listener removes its trial segments before the talker looks" {
    hold_talker attach compare
    [ "$(awk -v pid="$listener_pid" '$5 == pid { print $2 }' /proc/sysvipc/shm)" = "$shmid" ]
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
}

@test "stray, terminating and killing signals leave nothing behind" {
    strays_change_nothing attach compare
    signals_leave_nothing attach compare
    kills_leave_nothing attach compare
}

@test "the headers agree: shmat returns void *, the field is shm_nattch" {
    requires_compiler "the system's headers"
    cat >types.c <<'END'
#include <sys/shm.h>
_Static_assert(_Generic(shmat(0, 0, 0), void *: 1, default: 0), "shmat does not return void *");
_Static_assert(_Generic(&((struct shmid_ds *)0)->shm_nattch, shmatt_t *: 1, default: 0), "shm_nattch is no shmatt_t");
END
    "${CC:-cc}" -std=c11 -D_XOPEN_SOURCE=700 -c types.c
    sed 's/void \*: 1/int *: 1/' types.c >wrong.c
    run ! "${CC:-cc}" -std=c11 -D_XOPEN_SOURCE=700 -c wrong.c
    sed 's/shm_nattch/shm_nattach/' types.c >wrong.c
    run ! "${CC:-cc}" -std=c11 -D_XOPEN_SOURCE=700 -c wrong.c
}

@test "the lesson also holds where kernel.shm_rmid_forced is 1" {
    meet_rmid_forced attach
}
