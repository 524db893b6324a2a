#!/usr/bin/env bats
# lostwakeup.bats - a signal between the check and the sleep.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

# The wrong variant meets the same talker. It sleeps until its deadline, so that is short.
meet_wrong() {
    start listener listener-lostwakeup_no_mask -t 0.3 -T listener.trace
    shmid=$(shmid_of listener)
    start talker talker-lostwakeup -T talker.trace
    finish listener 3
    finish talker 3
}

# What both have traced, in the order in which it happened: program and text.
story() {
    sort -n listener.trace talker.trace | awk -F '\t' '{ print $2 ": " $6 }'
}

# The lines of FILE in which PATTERN... occur, one after the other.
in_order() { # FILE PATTERN...
    local at=0 found pattern
    for pattern in "${@:2}"; do
        found=$(awk -v at="$at" -v pattern="$pattern" 'NR > at && $0 ~ pattern { print NR; exit }' "$1")
        [ -n "$found" ] || fail "no '$pattern' after line $at of:" "$(cat "$1")"
        at=$found
    done
}

@test "sigsuspend takes the signal that came in the window, and the word is taken" {
    meet lostwakeup
    sed 1d listener.out | expect_lines - "listener: woken by the signal that came before the sleep"
    expect_lines talker.out \
        "talker: rang while the listener was between check and sleep" \
        "talker: the listener woke up, and took the word"
    expect_lines listener.err
    expect_lines talker.err
}

@test "pause sleeps through it until its deadline, with the word in plain sight" {
    meet_wrong
    grep -F 'slept until the deadline, though the signal had come and the word was said (said = 1)' listener.err
    grep -x 'talker: rang while the listener was between check and sleep' talker.out
    is_removed "$shmid"
}

@test "the right one never fails, the wrong one always" {
    for _ in {1..10}; do
        meet lostwakeup
    done
    for _ in {1..5}; do
        meet_wrong
    done
}

@test "the signal does come between the check and the sleep" {
    start listener listener-lostwakeup -T listener.trace
    wait_for_line listener.out waiting
    ends 0 talker-lostwakeup -T talker.trace
    finish listener 0
    story >told
    in_order told 'listener.*: observe said = 0' 'listener.*: point window' 'talker.*: publish said = 1' \
        "talker.*: kill\($listener_pid, SIGUSR1\) = 0" 'talker.*: publish step = 2' 'listener.*: sigsuspend' \
        "listener.*: --- SIGUSR1 from $talker_pid ---" 'listener.*: observe said = 1'
}

@test "with the wrong one it comes there as well, is taken there, and pause is ended by the deadline alone" {
    meet_wrong
    story >told
    in_order told 'listener.*: observe said = 0' 'listener.*: point window' 'talker.*: publish said = 1' \
        "talker.*: kill\($listener_pid, SIGUSR1\) = 0" "listener.*: --- SIGUSR1 from $talker_pid ---" \
        'listener.*: pause\(\) = -1 EINTR' 'listener.*: observe said = 1'
    # It slept for as long as the deadline is, 0.3 s: the pause began before the talker knew of no answer, and ended after.
    began=$(awk -F '\t' '$6 ~ /^pause/ { print $1 }' listener.trace)
    ended=$(awk -F '\t' -v began="$began" '$1 > began && $6 ~ /^observe said/ { print $1; exit }' listener.trace)
    [ $(((ended - began) / 1000000)) -ge 100 ]
}

@test "strace sees the signal taken in sigsuspend, and by the wrong one before pause" {
    requires_strace
    start listener strace -o right.strace "$(lesson_program listener lostwakeup)" -t "$DEADLINE"
    wait_for_line listener.out waiting
    ends 0 talker-lostwakeup
    finish listener 0
    sed -n "/kill($talker_pid, SIGUSR1)/,/woken by/p" right.strace | grep -v nanosleep >slept
    in_order slept "^kill" "^rt_sigsuspend" "^--- SIGUSR1 .*si_pid=$talker_pid," 'write.*woken by'
    [ "$(grep -c '^rt_sigsuspend' slept)" -eq 1 ]

    start listener strace -o wrong.strace "$(lesson_program listener lostwakeup_no_mask)" -t 0.3
    wait_for_line listener.out waiting
    start talker talker-lostwakeup
    finish talker 3
    finish listener 3
    sed -n '/^pause()/,$p' wrong.strace >slept
    grep -F -- '--- SIGALRM' slept
    run ! grep -F -- '--- SIGUSR1' slept
    grep -F -- "--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=$talker_pid," wrong.strace
}

@test "stray SIGUSR1 change nothing" {
    strays_change_nothing lostwakeup kill:2
}

# The talker finds out when it sends, or when it waits.
expect_listener_missed() {
    grep -F -e "the listener (PID $listener_pid) went away" \
        -e "kill($listener_pid, SIGUSR1) to the listener: No such process" talker.err
}

@test "signals that end and SIGKILL leave nothing behind" {
    for signal in HUP INT TERM; do
        hold_talker lostwakeup kill:2
        kill -s "$signal" "$listener_pid"
        finish listener $((128 + $(kill -l "$signal")))
        kill -CONT "$talker_pid"
        finish talker 3
        expect_listener_missed
        is_removed "$shmid"
    done

    hold_talker lostwakeup kill:2
    kill -KILL "$talker_pid"
    finish talker 137
    finish listener 3
    grep -F "the talker (PID $talker_pid) went away" listener.err
    is_removed "$shmid"

    hold_talker lostwakeup kill:2
    kill -KILL "$listener_pid"
    finish listener 137
    kill -CONT "$talker_pid"
    finish talker 3
    expect_listener_missed
    meet lostwakeup
    is_removed "$shmid"
}

@test "the wrong one leaves nothing behind either" {
    for signal in INT TERM; do
        start listener listener-lostwakeup_no_mask
        shmid=$(shmid_of listener)
        start talker talker-lostwakeup --hold kill:2
        wait_for_state "$talker_pid" T
        kill -s "$signal" "$listener_pid"
        finish listener $((128 + $(kill -l "$signal")))
        kill -CONT "$talker_pid"
        finish talker 3
        is_removed "$shmid"
    done
}

@test "the wrong one stands in its window for a talker that comes late, too" {
    start listener listener-lostwakeup_no_mask -v
    wait_for_line listener.out waiting
    for _ in {1..3}; do # each wakes it, and a tick has passed meanwhile
        kill -USR1 "$listener_pid"
        sleep 0.06
    done
    start talker talker-lostwakeup --hold kill:2
    wait_for_state "$talker_pid" T
    wait_for_line listener.err 'point window'
    kill -CONT "$talker_pid"
    wait_for_line talker.out rang
    kill -TERM "$listener_pid"
    finish listener 143
    finish talker 3
}
