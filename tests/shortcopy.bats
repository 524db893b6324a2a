#!/usr/bin/env bats
# shortcopy.bats - a copy of sizeof(pointer) bytes is too short; a length is checked, then used.
# shellcheck disable=SC2154,SC2030,SC2031 # start sets NAME_pid; each test is a subshell

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

@test "the mistake sizeof(pointer) is shown with the bytes that it copies" {
    meet shortcopy
    pointer=$(($(getconf LONG_BIT) / 8))
    greeting="Hello, I'm talker"
    expect_lines <(tail -n 3 listener.out) \
        "listener: received: $greeting" \
        "listener: a copy of sizeof outBuf, $pointer bytes, received: ${greeting:0:pointer}" \
        "listener: that is $pointer of ${#greeting} bytes"
    expect_lines talker.out "talker: said: $greeting"
    is_removed "$shmid"
}

@test "a message that is shorter than a pointer arrives whole both times" {
    start_listener_of shortcopy
    ends 0 talker-shortcopy Hi
    finish listener 0
    [ "$(grep -cE 'received: Hi$' listener.out)" -eq 2 ]
    grep -x 'listener: that is 2 of 2 bytes' listener.out
}

@test "a message that is too long is refused; the longest arrives whole" {
    longest=$(printf '%01024d' 0)
    start_listener_of shortcopy
    refuses 1 '\<1025\>.*\<1024\>' talker-shortcopy "${longest}1"
    ends 0 talker-shortcopy "$longest"
    finish listener 0
    grep -qx "listener: received: $longest" listener.out
}

@test "stray, terminating and killing signals leave nothing behind" {
    strays_change_nothing shortcopy speaking
    signals_leave_nothing shortcopy speaking
    kills_leave_nothing shortcopy speaking
}
