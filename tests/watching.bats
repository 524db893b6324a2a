#!/usr/bin/env bats
# watching.bats - a counter that signals for each value: the watcher sees each value once.
# shellcheck disable=SC2154,SC2030,SC2031 # start sets NAME_pid; each test is a subshell

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

start_watcher() { # [OPTION]...
    start listener listener-watching "$@"
    shmid=$(shmid_of listener)
}

@test "a watcher that gets a signal for each value sees each once" {
    meet watching
    expect_lines listener.out \
        "listener: waiting for a talker (pid $listener_pid, key $(key_of shmfile 1), shmid $shmid)" \
        "listener: rung: 0" "listener: rung: 1" "listener: rung: 2" "listener: rung: 3" "listener: rung: 4" \
        "listener: rung 5 times: saw 0 to 4, each once: 5 of 5"
    expect_lines talker.out "talker: counted 0 to 4, with a signal for each"
    expect_lines listener.err
    expect_lines talker.err
    is_removed "$shmid"
}

@test "the watcher sees each value once, at any speed of either side" {
    start_watcher --count 200
    ends 0 talker-watching --interval 0.000001
    finish listener 0
    diff <(seq 0 199) <(sed -n 's/^listener: rung: //p' listener.out)
    grep -x 'listener: rung 200 times: saw 0 to 199, each once: 200 of 200' listener.out

    start_watcher --interval 0.3 --count 2
    ends 0 talker-watching --interval 0.000001
    finish listener 0
    grep -x 'listener: rung 2 times: saw 0 to 1, each once: 2 of 2' listener.out
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
    wait_for_line listener.out rung
    while is_running "$listener_pid"; do
        kill -USR1 "$listener_pid" "$talker_pid" 2>/dev/null || :
    done
    finish talker 0
    finish listener 0
    grep -x 'listener: rung 20 times: saw 0 to 19, each once: 20 of 20' listener.out
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
    grep -x 'listener: rung 5 times: saw 0 to 4, each once: 5 of 5' listener.out
    is_removed "$shmid"
}

@test "without a peer the timeout ends a program, and nothing stays behind" {
    start_watcher -t 0.2
    finish listener 3
    is_removed "$shmid"
    touch shmfile
    refuses 3 'start listener-watching first' talker-watching
}
