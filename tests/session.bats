#!/usr/bin/env bats
# session.bats - what holds for every lesson whose two sides meet with common/meet.h.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup() { common_setup; }
teardown() { common_teardown; }

build_skipper() {
    command -v "${CC:-cc}" >/dev/null || skip "no C compiler for tests/skipping_talker.c"
    "${CC:-cc}" -std=c11 -D_XOPEN_SOURCE=700 -DVERSION='"0"' -o skipper "$ROOT/tests/skipping_talker.c" "$ROOT"/common/*.c
}

@test "a talker that skips at once, and is gone before the listener has looked, was heard" {
    build_skipper
    start listener listener-torn --hold sigsuspend
    wait_for_state "$listener_pid" T
    start talker ./skipper
    finish talker 0
    expect_lines talker.out 'talker: skipped: nothing is torn here'
    kill -CONT "$listener_pid"
    finish listener 0
    expect_lines <(tail -n +2 listener.out) 'listener: skipped, as the talker says'
    expect_lines listener.err
}

@test "a talker that skips while the listener sleeps was heard" {
    build_skipper
    start listener listener-torn
    wait_for_line listener.out 'waiting for a talker'
    start talker ./skipper
    finish talker 0
    finish listener 0
    expect_lines <(tail -n +2 listener.out) 'listener: skipped, as the talker says'
}

# Held before it rings, the listener has taken its step already, and the talker its own when the listener looks: there
# is no sleep between them.
@test "SIGTERM is obeyed at the next look into the segment, also where a quick peer leaves no time to sleep" {
    start listener listener-keys --hold kill:5 --trace listener.trace
    wait_for_line listener.out 'waiting for a talker'
    start talker talker-keys --trace talker.trace
    wait_for_state "$listener_pid" T
    tail -n 2 listener.trace | grep -F 'publish step = 8'
    wait_for_line talker.trace 'publish step = 9'
    kill -TERM "$listener_pid"
    kill -CONT "$listener_pid"
    finish listener 143
    finish talker 3
    grep -F 'call	kill' listener.trace | tail -n 1 | grep -F "kill($talker_pid, SIGUSR1) = 0"
    run ! grep -F 'point private' listener.trace
}
