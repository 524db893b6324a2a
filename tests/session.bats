#!/usr/bin/env bats
# session.bats - what holds for every lesson whose two sides meet with common/meet.h.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup() { common_setup; }
teardown() { common_teardown; }

build_skipper() {
    requires_compiler tests/skipping_talker.c
    "${CC:-cc}" -std=c11 -D_XOPEN_SOURCE=700 -DVERSION='"0"' -o skipper "$ROOT/tests/skipping_talker.c" "$ROOT"/common/*.c
}

@test "a listener that looks late still hears that the talker skipped" {
    build_skipper
    start_held listener sigsuspend listener-torn
    start talker ./skipper
    finish talker 0
    expect_lines talker.out 'talker: skipped: nothing is torn here'
    kill -CONT "$listener_pid"
    finish listener 0
    expect_lines <(tail -n +2 listener.out) 'listener: skipped, as the talker says'
    expect_lines listener.err
}

@test "a sleeping listener hears that the talker skipped" {
    build_skipper
    start_listener_of torn
    start talker ./skipper
    finish talker 0
    finish listener 0
    expect_lines <(tail -n +2 listener.out) 'listener: skipped, as the talker says'
}

# Held before it rings, the listener has taken its step already, and the talker its own when the listener looks: there
# is no sleep between them.
@test "SIGTERM ends a program even if its peer is too quick for it to sleep" {
    start_listener_of keys --hold kill:5 --trace listener.trace
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
