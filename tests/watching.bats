#!/usr/bin/env bats
# watching.bats - a counter signals each value and waits until it was seen: the watcher sees each value once.
# shellcheck disable=SC2154,SC2030,SC2031 # start sets NAME_pid; each test is a subshell

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

start_watcher() { # [OPTION]...
    start listener listener-watching "$@"
    shmid=$(shmid_of listener)
}

@test "the writer waits until each value was seen: each is seen once" {
    meet watching
    expect_lines listener.out \
        "listener: waiting for a talker (pid $listener_pid, key $(key_of shmfile 1), shmid $shmid)" \
        "listener: value "{0..4}" seen" "listener: missed 0 of 5: saw 0 to 4, each once"
    expect_lines talker.out "talker: counted 0 to 4, with a signal for each"
    expect_lines listener.err
    expect_lines talker.err
    is_removed "$shmid"
}

@test "the watcher sees each value once, at any speed of either side" {
    start_watcher --count 200
    ends 0 talker-watching --interval 0.000001
    finish listener 0
    diff <(seq 0 199) <(sed -n 's/^listener: value \([0-9]*\) seen$/\1/p' listener.out)
    grep -x 'listener: missed 0 of 200: saw 0 to 199, each once' listener.out

    start_watcher --interval 0.3 --count 2
    ends 0 talker-watching --interval 0.000001
    finish listener 0
    grep -x 'listener: missed 0 of 2: saw 0 to 1, each once' listener.out
}

@test "strace shows one signal for each value" {
    requires_strace
    start_watcher
    start talker strace -o talker.strace -e trace=kill "$(lesson_program talker watching)" --interval 0.02
    finish talker 0
    finish listener 0
    [ "$(grep -cE "^kill\($listener_pid, SIGUSR1\) += 0" talker.strace)" -eq 6 ] # one when it comes, five for values
}

@test "the value stays in the segment until the watcher has seen it" {
    start listener listener-watching --hold seen:3
    shmid=$(shmid_of listener)
    start talker talker-watching --interval 0.000001 --verbose
    wait_for_state "$listener_pid" T
    wait_for_state "$talker_pid" S
    grep -E '\] publish rung = 3$' talker.err
    run ! grep -E '\] publish rung = 4$' talker.err
    kill -CONT "$listener_pid"
    finish listener 0
    finish talker 0
    grep -E '\] publish rung = 4$' talker.err
}

@test "a second watcher and a second counter learn who came first" {
    start_watcher
    refuses 4 "busy: PID $listener_pid is listening" listener-watching
    start_held talker ringing talker-watching
    refuses 4 "busy: PID $talker_pid is the talker already" talker-watching
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
}

@test "a storm of stray SIGUSR1 adds no value and loses none" {
    start_watcher --count 20
    start talker talker-watching --interval 0.01
    wait_for_line listener.out seen
    while is_running "$listener_pid"; do
        kill -USR1 "$listener_pid" "$talker_pid" 2>/dev/null || :
    done
    finish talker 0
    finish listener 0
    grep -x 'listener: missed 0 of 20: saw 0 to 19, each once' listener.out
}

@test "terminating and killing signals leave nothing behind" {
    signals_leave_nothing watching ringing:3
    kills_leave_nothing watching ringing:3
}

@test "the next watcher removes what a killed watcher left, and says so" {
    start_watcher
    kill -KILL "$listener_pid"
    finish listener 137
    killed=$listener_pid left=$shmid
    start_watcher
    expect_lines listener.err "listener-watching: recovered: removed segment $left, which PID $killed left behind"
    ends 0 talker-watching --interval 0.02
    finish listener 0
    is_removed "$shmid"
}

@test "two watchers race for a dead one's segment: the loser changes nothing" {
    start_watcher
    kill -KILL "$listener_pid"
    finish listener 137
    start_held late kill listener-watching # it has read the dead watcher's PID, and will check it
    start_watcher
    start_held talker ringing:2 talker-watching
    kill -CONT "$late_pid"
    finish late 4
    grep "^listener-watching: busy: PID $listener_pid is listening" late.err
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
    grep -x 'listener: missed 0 of 5: saw 0 to 4, each once' listener.out
    is_removed "$shmid"
}

@test "without a peer the timeout ends a program, and nothing stays behind" {
    start_watcher -t 0.2
    finish listener 3
    is_removed "$shmid"
    touch shmfile
    refuses 3 'start listener-watching first' talker-watching
}
