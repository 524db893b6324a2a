#!/usr/bin/env bats
# inherit.bats - attachments are inherited by fork, and end with exec, exit and shmdt.
# shellcheck disable=SC2154,SC2030,SC2031 # start sets NAME_pid; each test is a subshell

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

family_segments() { # what the listener has made beside the one where the two meet
    awk -v pid="$listener_pid" -v met="$shmid" '$5 == pid && $2 != met { print $2 }' /proc/sysvipc/shm
}

# The kernel counts the attachments of a dead process a little longer if another process, such as another test, reads
# its /proc/PID/maps at that moment.
family_is_gone() {
    [ -z "$(family_segments)" ]
}

children() { # the PIDs of the children that the listener printed
    sed -nE 's/.*\] fork\(\) = ([0-9]+)$/\1/p' listener.err
}

# Starts both; the talker stops just before it counts for the N-th time.
hold_at_count() { # N
    hold_talker inherit "count:$1" -v
}

go_on() {
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
}

@test "the attachments at each step: two shmat and a fork make four" {
    meet inherit
    expect_lines talker.out \
        'talker: after two shmat: nattch 2' \
        'talker: after a fork: nattch 4' \
        "talker: after the child's exec: nattch 2" \
        'talker: after another fork: nattch 4' \
        "talker: after the child's exit, without shmdt: nattch 2" \
        'talker: after a shmdt: nattch 1' \
        'talker: after another shmdt: the segment is gone'
    expect_lines listener.err
    expect_lines talker.err
}

@test "/proc counts the same attachments at each step" {
    counts=(none 2 4 2 4 2 1)
    for n in {1..6}; do
        hold_at_count "$n"
        [ "$(segment_line "$(family_segments)" | awk '{ print $7 }')" -eq "${counts[n]}" ]
        go_on
    done
    hold_at_count 7
    [ -z "$(family_segments)" ]
    go_on
}

@test "the family's segment has no key, and is always marked for removal" {
    hold_at_count 2
    read -r key _ mode _ < <(segment_line "$(family_segments)")
    [ "$key" -eq 0 ]
    [ $((0$mode & 01000)) -ne 0 ] # SHM_DEST
    go_on
    grep -E '\] shmget\(IPC_PRIVATE, ' listener.err
}

@test "the parent sees a child's store in the segment, not in malloc memory" {
    meet inherit -v
    said=()
    for child in $(children); do
        said+=("listener: PID $child added 1 to both: the segment holds $((${#said[@]} + 1)), what was malloc'ed holds 0")
    done
    grep 'added 1' listener.out | expect_lines - "${said[@]}"
    grep -x 'listener: after one shmdt, the segment still holds 2' listener.out
}

@test "a child has the segment attached without a call of its own" {
    requires_strace
    start listener strace -f -o listener.strace -e trace=shmat "$(lesson_program listener inherit)" -v -t "$DEADLINE"
    shmid_of listener >shmid
    ends 0 talker-inherit
    finish listener 0
    first=$(children | head -n 1)
    [ -n "$first" ]
    grep -E 'shmat\(' listener.strace
    for child in $(children); do
        run ! grep -E "^$child +shmat" listener.strace
    done
}

@test "after exec the child runs on, with nothing attached" {
    [ -r /proc/self/maps ] || skip "no /proc/PID/maps here"
    hold_at_count 2
    child=$(children)
    family=$(family_segments)
    [ "$(grep -cE " $family +/SYSV" "/proc/$child/maps")" -eq 2 ]
    go_on
    hold_at_count 3
    child=$(children)
    is_running "$child"
    [ "$(cat "/proc/$child/comm")" = cat ]
    run ! grep /SYSV "/proc/$child/maps"
    go_on
    grep -x "listener: PID $child has called exec, and lives" listener.out
}

@test "when the listener is killed its children end, and the segment goes" {
    for n in 2 3 4; do
        hold_at_count "$n"
        child=$(children | tail -n 1)
        is_running "$child"
        kill -KILL "$listener_pid"
        finish listener 137
        wait_gone "$child"
        until_true family_is_gone || fail "the family's segment is still there: $(segment_line "$(family_segments)")"
        kill -CONT "$talker_pid"
        finish talker 3
        start listener listener-inherit -t 0.1 # it removes the session's stale segment
        finish listener 3
    done
}

@test "without the program to execute, the listener reports it" {
    start listener env PATH=/nowhere "$(lesson_program listener inherit)" -t "$DEADLINE"
    shmid_of listener >shmid
    ends 3 talker-inherit
    finish listener 1
    grep -F 'execvp("cat")' listener.err
    grep -E 'PID [0-9]+ could not call exec' listener.err
}

@test "an inherited ignored SIGCHLD or blocked SIGSEGV changes nothing" {
    meet_with_inherited_signals inherit
}

@test "the program that a child executes has the signal mask that the listener got" {
    [ -r /proc/self/status ] || skip "no /proc/PID/status here"
    hold_at_count 3
    child=$(children)
    [ "$(cat "/proc/$child/comm")" = cat ]
    grep 'Sig[BI]' "/proc/$child/status" >child.signals
    go_on
    start waiting sleep 5 # a child of the test, as the listener is
    grep 'Sig[BI]' "/proc/$waiting_pid/status" | diff - child.signals
    stop waiting
}

@test "stray, terminating and killing signals leave nothing behind" {
    strays_change_nothing inherit count:2
    signals_leave_nothing inherit count:2
    kills_leave_nothing inherit count:4
}
