#!/usr/bin/env bats
# rdonly.bats - a segment attached with SHM_RDONLY can be read; a store is SIGSEGV.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

@test "a store fails with SEGV_ACCERR; after shmdt it fails with SEGV_MAPERR" {
    meet rdonly
    store=$(sed -nE 's/^listener: a store at (0x[0-9a-f]+), byte [0-9]+ of .*: SEGV_ACCERR at \1$/\1/p' listener.out)
    [ -n "$store" ]
    grep -x "listener: the same store after shmdt: SEGV_MAPERR at $store" listener.out
    expect_lines listener.err
    expect_lines talker.err
}

@test "the reader sees later writes of the talker, and its store changes none" {
    meet rdonly
    grep -x "talker: wrote: Hello, I'm talker" talker.out
    grep -x "listener: read through the read-only attachment: Hello, I'm talker" listener.out
    grep -x "listener: the text is as it was: Hello, I'm talker" listener.out
    grep -x "talker: the text after the listener's store: Hello, I'm talker" talker.out
}

@test "the store's address lies in the segment, read-only in /proc" {
    [ -r /proc/self/maps ] || skip "no /proc/PID/maps here"
    start listener listener-rdonly --hold store
    shmid=$(shmid_of listener)
    start talker talker-rdonly
    wait_for_state "$listener_pid" T
    grep -E "^[0-9a-f]+-[0-9a-f]+ r--s .* $shmid +/SYSV" "/proc/$listener_pid/maps" >readonly.map
    grep -E "^[0-9a-f]+-[0-9a-f]+ rw-s .* $shmid +/SYSV" "/proc/$listener_pid/maps"
    kill -CONT "$listener_pid"
    finish listener 0
    finish talker 0
    IFS=' -' read -r from to _ <readonly.map
    store=$(sed -nE 's/^listener: a store at (0x[0-9a-f]+), .*/\1/p' listener.out)
    [ $((store)) -ge $((0x$from)) ]
    [ $((store)) -lt $((0x$to)) ]
    [ "$(sed -nE 's/.* byte ([0-9]+) of the segment.*/\1/p' listener.out)" -eq $((store - 0x$from)) ]
}

@test "strace shows the two signals that the listener reports, and no other" {
    requires_strace
    start listener strace -o listener.strace -e trace=none -e signal=SEGV \
        "$(lesson_program listener rdonly)" -t "$DEADLINE"
    shmid_of listener >shmid
    ends 0 talker-rdonly
    finish listener 0
    store=$(sed -nE 's/^listener: a store at (0x[0-9a-f]+), .*/\1/p' listener.out)
    grep -v exited listener.strace | expect_lines - \
        "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_ACCERR, si_addr=$store} ---" \
        "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=$store} ---"
}

@test "a child without a handler dies of SIGSEGV, and leaves no core file" {
    ulimit -c "$(ulimit -Hc)"
    meet rdonly
    grep -x 'talker: a child stored there, and died of signal 11 (Segmentation fault)' talker.out
    run ! compgen -G '*core*'
}

@test "strace shows the child's death" {
    requires_strace
    start listener listener-rdonly
    shmid_of listener >shmid
    ends 0 strace -f -o talker.strace -e trace=shmat "$(lesson_program talker rdonly)" -t "$DEADLINE"
    finish listener 0
    child=$(sed -nE 's/^([0-9]+) +\+\+\+ killed by SIGSEGV.*/\1/p' talker.strace)
    [ -n "$child" ]
    grep -E "^$child +shmat\([0-9]+, NULL, SHM_RDONLY\) += 0x" talker.strace
}

@test "an inherited blocked SIGSEGV or ignored SIGCHLD changes nothing" {
    meet_with_inherited_signals rdonly
    grep -E '^listener: the same store after shmdt: SEGV_MAPERR at ' listener.out
    grep -x 'talker: a child stored there, and died of signal 11 (Segmentation fault)' env.out
}

@test "stray, terminating and killing signals leave nothing behind" {
    strays_change_nothing rdonly store
    signals_leave_nothing rdonly store
    kills_leave_nothing rdonly store
}
