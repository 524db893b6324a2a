#!/usr/bin/env bats
# torn.bats - a record that is read while it is written is torn, unless the reader checks a sequence number.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

start_reader() { # LISTENER [OPTION]...
    start listener "$@"
    wait_for_line listener.out 'waiting for a talker'
}

# The record's lines of both traces, sorted by time: "l observe left = 1".
record_story() {
    sort -n listener.trace talker.trace | awk -F '\t' '
        ($5 == "publish" || $5 == "observe") && $6 ~ / (left|right|sequence) = / { print substr($2, 1, 1), $6 }'
}

@test "a sequence lock rejects torn records, and accepts all others" {
    start_reader listener-torn
    ends 0 talker-torn
    finish listener 0
    expect_lines <(tail -n +2 listener.out) \
        "listener: rejected: left 1, right 0 (sequence 1 is odd)" \
        "listener: rejected: left 1, right 2 (sequence 2, then 4)" \
        "listener: rejected: left 3, right 2 (sequence 5 is odd)" \
        "listener: rejected: left 3, right 4 (sequence 6, then 8)" \
        "listener: rejected: left 5, right 4 (sequence 9 is odd)" \
        "listener: rejected: left 5, right 6 (sequence 10, then 12)" \
        "listener: read 9 times, rejected 6, accepted 3 whole and 0 torn"
    expect_lines talker.out "talker: wrote 6 records"
    expect_lines listener.err
    expect_lines talker.err
}

@test "a reader without the sequence accepts torn records, in every run" {
    for _ in {1..10}; do
        start_reader listener-torn_no_seq
        ends 0 talker-torn
        finish listener 1
        expect_lines <(tail -n +2 listener.out) \
            "listener: accepted a torn record: left 1, right 0" \
            "listener: accepted a torn record: left 1, right 2" \
            "listener: accepted a torn record: left 3, right 2" \
            "listener: accepted a torn record: left 3, right 4" \
            "listener: accepted a torn record: left 5, right 4" \
            "listener: accepted a torn record: left 5, right 6" \
            "listener: read 9 times, rejected 0, accepted 3 whole and 6 torn"
        grep -q 'not what the lesson claims: .* 6 torn$' listener.err
    done
}

@test "the trace shows each side acting in the middle of the other's access" {
    start_reader listener-torn -T listener.trace
    ends 0 talker-torn -T talker.trace
    finish listener 0
    expect_lines <(record_story | head -n 19) \
        "t publish sequence = 1" "t publish left = 1" \
        "l observe sequence = 1" "l observe left = 1" "l observe right = 0" "l observe sequence = 1" \
        "t publish right = 1" "t publish sequence = 2" \
        "l observe sequence = 2" "l observe left = 1" \
        "t publish sequence = 3" "t publish left = 2" "t publish right = 2" "t publish sequence = 4" \
        "l observe right = 2" "l observe sequence = 4" \
        "l observe sequence = 4" "l observe left = 2" "l observe right = 2"
}

@test "the wrong variant differs only in the sequence" {
    diff <(code "$ROOT/listener/torn.c") <(code "$ROOT/listener/torn_no_seq.c") >code.diff || [ $? -eq 1 ]
    expect_lines <(sed -n 's/^[<>] //p' code.diff | sed '/^$/d; s, */\*.*\*/,,') \
        "seen.before = observe(&shared->sequence);" \
        "seen.after = observe(&shared->sequence);" \
        "count(seen.before % 2 == 0 && seen.after == seen.before, left, right);" \
        "count(true, left, right);"
}

@test "held in the middle of a write: the record stays torn, no timeout runs" {
    start_reader listener-torn -t 0.5
    start talker talker-torn -t 0.5 --hold half_written -v
    wait_for_state "$talker_pid" T
    grep -q 'publish left = 1$' talker.err
    ! grep 'publish right' talker.err || fail "it is whole"
    sleep 0.7 # longer than the timeout
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
}

@test "a survivor in the middle of the record reports it and cleans up" {
    start_reader listener-torn
    shmid=$(shmid_of listener)
    start_held talker half_written talker-torn
    kill -KILL "$talker_pid"
    finish talker 137
    finish listener 3
    grep -q "the talker (PID $talker_pid) went away" listener.err
    is_removed "$shmid"

    start_reader listener-torn --hold half_read
    start talker talker-torn
    wait_for_state "$listener_pid" T
    plant "$(shmid_of listener)"
    kill -KILL "$listener_pid"
    finish listener 137
    finish talker 3
    grep -q "the listener (PID $listener_pid) went away" talker.err
}

@test "Ctrl-C in the middle of a write or a read leaves nothing behind" {
    for point in half_written half_read; do
        start_reader listener-torn --hold half_read
        start_held talker half_written talker-torn
        if [ "$point" = half_read ]; then
            kill -CONT "$talker_pid"
            wait_for_state "$listener_pid" T
        fi
        kill -INT "$listener_pid" "$talker_pid"
        kill -CONT "$listener_pid" "$talker_pid"
        finish listener 130
        finish talker 130
    done
}
