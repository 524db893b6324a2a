#!/usr/bin/env bats
# helpers.bats - a test removes exactly the segments that it created.
# shellcheck disable=SC2154,SC2034 # start sets NAME_pid; own_segments reads born and died

load helpers

setup() {
    common_setup
    requires ipcmk
}

teardown() { common_teardown; }

made() { # NAME: the id that ipcmk printed
    sed -n 's/.*: *\([0-9]*\)$/\1/p' "$1.out"
}

@test "a segment that a process of the test created counts as the test's" {
    start maker ipcmk -M 64
    finish maker 0
    plant "$(made maker)"
    [ "$(own_segments)" = "$(made maker)" ]
}

@test "a segment of an earlier or later process with that PID does not count" {
    start maker ipcmk -M 64
    finish maker 0
    plant "$(made maker)"
    died[$maker_pid]=$((EPOCHSECONDS - 20)) born[$maker_pid]=$((EPOCHSECONDS - 30))
    [ -z "$(own_segments)" ]
    died[$maker_pid]=$((EPOCHSECONDS + 30)) born[$maker_pid]=$((EPOCHSECONDS + 20))
    [ -z "$(own_segments)" ]
}

@test "the end of a test removes and reports what the test left behind" {
    start maker ipcmk -M 64
    finish maker 0
    run -1 common_teardown
    [[ $output == "\"$BATS_TEST_DESCRIPTION\" left segment $(made maker) behind: "* ]]
    run ! segment_exists "$(made maker)"
}
