#!/usr/bin/env bats
# helpers.bats - what a test takes for its own, and removes at its end: neither less nor more.
# shellcheck disable=SC2154,SC2034 # start sets NAME_pid; own_segments reads born and died

load helpers

setup() {
    common_setup
    requires ipcmk
}

teardown() { common_teardown; }

made() { # NAME: the segment that ipcmk said it has made
    sed -n 's/.*: *\([0-9]*\)$/\1/p' "$1.out"
}

@test "a segment that a process of the test has made is the test's, whatever its key" {
    start maker ipcmk -M 64
    finish maker 0
    plant "$(made maker)"
    [ "$(own_segments)" = "$(made maker)" ]
}

@test "a segment made under a PID that the test's process had before, or has later, is somebody else's" {
    start maker ipcmk -M 64
    finish maker 0
    plant "$(made maker)"
    died[$maker_pid]=$((EPOCHSECONDS - 20)) born[$maker_pid]=$((EPOCHSECONDS - 30))
    [ -z "$(own_segments)" ]
    died[$maker_pid]=$((EPOCHSECONDS + 30)) born[$maker_pid]=$((EPOCHSECONDS + 20))
    [ -z "$(own_segments)" ]
}

@test "what a test has left is removed at its end, and told" {
    start maker ipcmk -M 64
    finish maker 0
    run -1 common_teardown
    [[ $output == "\"what a test has left is removed at its end, and told\" left segment $(made maker) behind: "* ]]
    run ! segment_exists "$(made maker)"
}
