#!/usr/bin/env bats
# lostwakeup.bats - a signal arrives between the check and the sleep.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

# The wrong variant with the same talker. It sleeps until its deadline, so the deadline is short.
meet_wrong() {
    start listener listener-lostwakeup_no_mask -t 0.3 -T listener.trace
    shmid=$(shmid_of listener)
    start talker talker-lostwakeup -T talker.trace
    finish listener 3
    finish talker 3
}

# Both traces, sorted by time: program and text.
story() {
    sort -n listener.trace talker.trace | awk -F '\t' '{ print $2 ": " $6 }'
}

# FILE has lines with PATTERN... in this order.
in_order() { # FILE PATTERN...
    local at=0 found pattern
    for pattern in "${@:2}"; do
        found=$(awk -v at="$at" -v pattern="$pattern" 'NR > at && $0 ~ pattern { print NR; exit }' "$1")
        [ -n "$found" ] || fail "no '$pattern' after line $at of:" "$(cat "$1")"
        at=$found
    done
}

@test "sigsuspend takes the signal from the window, and the message is read" {
    meet lostwakeup
    sed 1d listener.out | expect_lines - \
        "listener: before the sleep: SIGUSR1 has come and is pending" \
        "listener: woken by the signal that came before the sleep"
    expect_lines talker.out \
        "talker: signals the listener (PID $listener_pid) between its check and its sleep" \
        "talker: the listener woke up and took the word"
    expect_lines listener.err
    expect_lines talker.err
}

@test "pause sleeps until its deadline, although the message is there" {
    meet_wrong
    sed 1d listener.out | expect_lines - \
        "listener: before the sleep: SIGUSR1 came and was handled: nothing is pending" \
        "listener: the time limit of 0.3 s is over"
    expect_lines listener.err \
        "listener-lostwakeup_no_mask: slept for 0.3 seconds, although the word was already there: the signal was lost"
    expect_lines talker.out "talker: signals the listener (PID $listener_pid) between its check and its sleep"
    is_removed "$shmid"
}

@test "the right variant never fails, the wrong one always does" {
    for _ in {1..10}; do
        meet lostwakeup
    done
    for _ in {1..5}; do
        meet_wrong
    done
}

@test "the signal arrives between the check and the sleep" {
    start_listener_of lostwakeup -T listener.trace
    ends 0 talker-lostwakeup -T talker.trace
    finish listener 0
    story >told
    in_order told 'listener.*: observe word = NOTHING' 'listener.*: point window' 'talker.*: publish word = SAID' \
        "talker.*: kill[(]$listener_pid, SIGUSR1[)] = 0" 'talker.*: publish step = SIGNALLED' 'listener.*: sigsuspend' \
        "listener.*: --- SIGUSR1 from $talker_pid ---" 'listener.*: observe word = SAID'
}

@test "in the wrong variant the signal is lost; only the deadline ends pause" {
    meet_wrong
    story >told
    in_order told 'listener.*: observe word = NOTHING' 'listener.*: point window' 'talker.*: publish word = SAID' \
        "talker.*: kill[(]$listener_pid, SIGUSR1[)] = 0" "listener.*: --- SIGUSR1 from $talker_pid ---" \
        'listener.*: pause[(][)] = -1 EINTR' 'listener.*: observe word = SAID'
    # It slept until its deadline, 0.3 s after the check.
    began=$(awk -F '\t' '$6 ~ /^pause/ { print $1 }' listener.trace)
    ended=$(awk -F '\t' -v began="$began" '$1 > began && $6 ~ /^observe word/ { print $1; exit }' listener.trace)
    [ $(((ended - began) / 1000000)) -ge 100 ]
}

@test "strace shows the signal in sigsuspend, and before pause in the wrong one" {
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

@test "terminating and killing signals leave nothing behind" {
    signals_leave_nothing lostwakeup kill:2 says_it_went_away_or_cannot_be_signalled
    killed_talker_leaves_nothing lostwakeup kill:2
    kill_listener lostwakeup kill:2
    says_it_went_away_or_cannot_be_signalled
    meet lostwakeup
    is_removed "$shmid"
}

@test "the wrong variant leaves nothing behind either" {
    for signal in INT TERM; do
        start listener listener-lostwakeup_no_mask
        shmid=$(shmid_of listener)
        start_held talker kill:2 talker-lostwakeup
        kill -s "$signal" "$listener_pid"
        finish listener $((128 + $(kill -l "$signal")))
        kill -CONT "$talker_pid"
        finish talker 3
        is_removed "$shmid"
    done
}

@test "the wrong variant differs only in the mask and in the sleep" {
    diff <(code "$ROOT/listener/lostwakeup.c") <(code "$ROOT/listener/lostwakeup_no_mask.c") >code.diff || [ $? -eq 1 ]
    expect_lines <(sed -n 's/^[<>] //p' code.diff) "if (sys_sigprocmask(SIG_SETMASK, &none, NULL) == -1)" \
        'err(EXIT_FAILED, "sigprocmask(SIG_SETMASK, [])");' "sys_sigsuspend(&none);" "sys_pause();"
}

@test "a lost wakeup also ends after a second if no --timeout is given" {
    start listener "$(lesson_program listener lostwakeup_no_mask)"
    wait_for_line listener.out waiting
    start talker talker-lostwakeup
    finish listener 3
    finish talker 3
    grep -F 'slept for 1 second, ' listener.err
}

@test "the wrong variant waits in its window for a late talker, too" {
    start_listener_of lostwakeup_no_mask -v
    for _ in {1..3}; do # each signal wakes it, and a tick has passed meanwhile
        kill -USR1 "$listener_pid"
        sleep 0.06
    done
    start_held talker kill:2 talker-lostwakeup
    wait_for_line listener.err 'point window'
    kill -CONT "$talker_pid"
    wait_for_line talker.out 'signals the listener'
    kill -TERM "$listener_pid"
    finish listener 143
    finish talker 3
}
