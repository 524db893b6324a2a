#!/usr/bin/env bats
# session.bats - what holds for every lesson that is built on common/session.h.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup() { common_setup; }
teardown() { common_teardown; }

build_skipping_talker() {
    requires_compiler tests/skipping_talker.c
    "${CC:-cc}" -std=c11 -D_XOPEN_SOURCE=700 -DVERSION='"0"' -o skipping_talker \
        ${SANITIZE:+"-fsanitize=$SANITIZE"} "$ROOT/tests/skipping_talker.c" "$BUILD"/obj/common/*.o
}

@test "a listener that looks late still hears that the talker skipped" {
    build_skipping_talker
    start_held listener sigsuspend listener-torn
    start talker ./skipping_talker
    finish talker 0
    expect_lines talker.out 'talker: skipped: nothing is torn here'
    kill -CONT "$listener_pid"
    finish listener 0
    expect_lines <(tail -n +2 listener.out) 'listener: skipped, as the talker says'
    expect_lines listener.err
}

@test "a sleeping listener hears that the talker skipped" {
    build_skipping_talker
    start_listener_of torn
    start talker ./skipping_talker
    finish talker 0
    finish listener 0
    expect_lines <(tail -n +2 listener.out) 'listener: skipped, as the talker says'
}

# The listener is held before it signals. When it continues, the talker has already taken the next step, so the listener
# does not sleep.
@test "SIGTERM ends a program even if its peer is too quick for it to sleep" {
    start_listener_of keys --hold kill:3 --trace listener.trace
    start talker talker-keys --trace talker.trace
    wait_for_state "$listener_pid" T
    tail -n 2 listener.trace | grep -F 'publish step = KEYS_FILE (4)'
    kill -USR1 "$talker_pid" # a stray signal makes it look
    wait_for_line talker.trace 'publish step = KEYS_FOUND'
    kill -TERM "$listener_pid"
    kill -CONT "$listener_pid"
    finish listener 143
    finish talker 3
    grep -F 'call	kill' listener.trace | tail -n 1 | grep -F "kill($talker_pid, SIGUSR1) = 0"
    run ! grep -F 'point recreated' listener.trace
}
