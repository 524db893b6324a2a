#!/usr/bin/env bats
# unready.bats - a signal before the handler: a blocked one waits, an unblocked one kills.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

# Whether SIGUSR1 is in the set FIELD of /proc/PID/status.
usr1_is_in() { # FIELD PID
    local mask
    mask=$(awk -v field="$1:" '$1 == field { print $2 }' "/proc/$2/status")
    [ $((0x${mask: -4} >> ($(kill -l USR1) - 1) & 1)) -eq 1 ]
}

# The listener dies of the early signal. Sets shmid.
die_unready() {
    start listener listener-unready_no_block
    shmid=$(shmid_of listener)
    ends 3 talker-unready
    finish listener 138
}

@test "a blocked early signal waits for the handler, which takes it" {
    meet unready
    expect_lines <(tail -n +2 listener.out) \
        "listener: a signal came before the handler: SIGUSR1 was pending, its action the default, death" \
        "listener: the handler took it as soon as it was unblocked, from PID $talker_pid"
    expect_lines talker.out \
        "talker: signalled the listener (PID $listener_pid) as soon as it was known" \
        "talker: the listener lives, and its handler took the early signal"
    expect_lines listener.err
    expect_lines talker.err
}

@test "an unblocked early signal kills the listener: the shell shows 138" {
    die_unready
    [ "$(kill -l 138)" = USR1 ]
    expect_lines <(tail -n +2 listener.out)
    expect_lines talker.out "talker: signalled the listener (PID $listener_pid) as soon as it was known"
    expect_lines talker.err "talker-unready: the listener (PID $listener_pid) went away"
}

@test "both variants behave like that in every run" {
    for _ in {1..10}; do
        meet unready
        die_unready
    done
}

@test "the dead listener cleans up nothing; its talker removes the segment" {
    start listener listener-unready_no_block
    shmid=$(shmid_of listener)
    start talker talker-unready --hold sigsuspend # it has signalled, and will wait next
    finish listener 138
    segment_exists "$shmid"
    wait_for_state "$talker_pid" T
    kill -CONT "$talker_pid"
    finish talker 3
    is_removed "$shmid"
}

@test "/proc shows the PID known, no handler, SIGUSR1 blocked and pending" {
    start_held listener known listener-unready
    segment_line "$(shmid_of listener)" | grep "\<$listener_pid\>"
    usr1_is_in SigBlk "$listener_pid"
    if usr1_is_in SigCgt "$listener_pid"; then fail "there is a handler already"; fi
    if usr1_is_in ShdPnd "$listener_pid"; then fail "it is pending already"; fi
    start talker talker-unready
    wait_for_line talker.out signalled
    usr1_is_in ShdPnd "$listener_pid"
    kill -CONT "$listener_pid"
    finish listener 0
    finish talker 0
}

@test "the wrong variant differs only in that it blocks nothing" {
    start_held listener known listener-unready_no_block
    if usr1_is_in SigBlk "$listener_pid"; then fail "it is blocked"; fi
    if usr1_is_in SigCgt "$listener_pid"; then fail "there is a handler already"; fi
    kill -TERM "$listener_pid"
    kill -CONT "$listener_pid"
    finish listener 143
    diff <(code "$ROOT/listener/unready.c") <(code "$ROOT/listener/unready_no_block.c") >code.diff || [ $? -eq 1 ]
    expect_lines <(sed -n 's/^[<>] //p' code.diff) "sigset_t usr1;" "sigemptyset(&usr1);" "sigaddset(&usr1, SIGUSR1);" \
        "if (sys_sigprocmask(SIG_BLOCK, &usr1, NULL) == -1)" 'err(EXIT_FAILED, "sigprocmask(SIG_BLOCK, [SIGUSR1])");'
}

@test "a stray signal that comes even earlier is harmless, too" {
    start listener listener-unready
    shmid_of listener >shmid
    kill -USR1 "$listener_pid"
    wait_for_line listener.out 'from PID'
    grep -x "listener: the handler took it as soon as it was unblocked, from PID $BASHPID" listener.out
    ends 0 talker-unready
    finish listener 0
}

@test "without a talker the timeout ends it, and nothing stays behind" {
    start listener listener-unready -t 0.2
    shmid=$(shmid_of listener)
    finish listener 3
    expect_lines listener.err "listener-unready: no signal within 0.2 s: gave up"
    is_removed "$shmid"
}

@test "terminating and killing signals at this point leave nothing behind" {
    for signal in HUP INT TERM; do
        start listener listener-unready
        shmid=$(shmid_of listener)
        kill -s "$signal" "$listener_pid"
        finish listener $((128 + $(kill -l "$signal")))
        is_removed "$shmid"
    done
    start listener listener-unready --hold known
    shmid=$(shmid_of listener)
    wait_for_state "$listener_pid" T
    start talker talker-unready
    wait_for_line talker.out signalled
    kill -KILL "$talker_pid"
    finish talker 137
    kill -CONT "$listener_pid"
    finish listener 3
    grep -F "the talker (PID $talker_pid) went away" listener.err
    is_removed "$shmid"
}
