#!/usr/bin/env bats
# turn.bats - a reader and a writer that take turns never meet in the record.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

@test "each side leaves the record alone when it has not got the turn" {
    meet turn
    expect_lines <(tail -n +2 listener.out) \
        "listener: looked 9 times, not our turn 3 times, found 6 whole and 0 torn"
    expect_lines talker.out "talker: wrote 3 records, did not write 3 times, because it was not our turn"
    expect_lines listener.err
    expect_lines talker.err
}

@test "with turns, neither side touches the record during the other's access" {
    start_listener_of turn -T listener.trace
    ends 0 talker-turn -T talker.trace
    finish listener 0
    sort -n listener.trace talker.trace | awk -F '\t' '
        ($5 == "publish" || $5 == "observe") && $6 ~ / (left|right) = / { print substr($2, 1, 1), $6 }' >story
    awk '$1 == "t" && /left/ { writing = 1; if (reading) exit 1 }
        $1 == "t" && /right/ { writing = 0; wrote++ }
        $1 == "l" && /left/ { reading = 1; if (writing) exit 1 }
        $1 == "l" && /right/ { reading = 0; read++ }
        END { if (wrote != 3 || read != 6) exit 1 }' story || fail "$(cat story)"
}

@test "each side tries while the other is in the middle of its access" {
    start_listener_of turn -T listener.trace
    ends 0 talker-turn -T talker.trace
    finish listener 0
    sort -n listener.trace talker.trace | awk -F '\t' '
        ($5 == "publish" || $5 == "observe") && $6 ~ / (left|right|turn) = / { print substr($2, 1, 1), $6 }' |
        head -n 14 >story
    expect_lines story \
        "t observe turn = TALKER (0)" "t publish left = 1" \
        "l observe turn = TALKER (0)" \
        "t publish right = 1" "t publish turn = LISTENER (1)" \
        "l observe turn = LISTENER (1)" "l observe left = 1" \
        "t observe turn = LISTENER (1)" \
        "l observe right = 1" \
        "l observe turn = LISTENER (1)" "l observe left = 1" "l observe right = 1" \
        "l publish turn = TALKER (0)" \
        "t observe turn = TALKER (0)"
}

@test "stray SIGUSR1 change nothing" {
    strays_change_nothing turn half_written
}

@test "terminating and killing signals leave nothing behind" {
    signals_leave_nothing turn half_written
    kills_leave_nothing turn half_written
}
