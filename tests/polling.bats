#!/usr/bin/env bats
# polling.bats - one message to a poller, one to a sleeper.
# shellcheck disable=SC2154,SC2030,SC2031 # start sets NAME_pid; each test is a subshell

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

# Sets looks, seconds and cpu (in microseconds) to what the listener prints about its polling or sleeping.
effort() { # polling|sleeping
    local line='looked ([0-9]+) times in ([0-9]+)\.([0-9]{3}) s, and burned ([0-9]+)\.([0-9]{6}) s of CPU time'
    read -r looks milliseconds cpu < <(sed -nE "s/^listener: $1: $line$/\1 \2\3 \4\5/p" listener.out)
    looks=$((10#$looks)) milliseconds=$((10#$milliseconds)) cpu=$((10#$cpu))
}

@test "per message the poller looks millions of times, the sleeper hardly" {
    meet polling
    effort polling
    polling=("$looks" "$milliseconds" "$cpu")
    effort sleeping
    [ "${polling[0]}" -ge 100000000 ]
    [ "$looks" -ge 2 ]
    [ "$looks" -lt 10000 ]
    [ "$cpu" -lt "${polling[2]}" ]
    [ "$milliseconds" -ge "${polling[1]}" ] # the sleeper waited at least as long
    expect_lines talker.out "talker: said: Hello, I'm talker" "talker: said: Hello, I'm talker"
    [ "$(grep -cx "listener: received: Hello, I'm talker" listener.out)" -eq 2 ]
    grep -xE 'listener: polling looked [0-9]{3,} times as often, and burned [0-9]+ times the CPU time' listener.out
}

@test "the kernel's accounting agrees: polling used the CPU time" {
    start listener listener-polling --hold heard
    shmid_of listener >shmid
    start talker talker-polling
    wait_for_state "$listener_pid" T
    ticks=$(awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$listener_pid/stat") # utime, stime
    kill -CONT "$listener_pid"
    finish listener 0
    finish talker 0
    effort polling
    [ $((ticks * 1000000 / $(getconf CLK_TCK))) -ge $((cpu - 20000)) ] || fail "$ticks ticks, but $cpu microseconds"
}

@test "the poller is running, while the sleeper sleeps" {
    start listener listener-polling
    shmid_of listener >shmid
    start_held talker speaking talker-polling
    wait_for_state "$listener_pid" R
    kill -TERM "$talker_pid"
    kill -CONT "$talker_pid"
    finish talker 143
    finish listener 3

    start listener listener-polling
    shmid_of listener >shmid
    start_held talker speaking:2 talker-polling
    wait_for_state "$listener_pid" S
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
}

@test "a message that is too long is not sent" {
    start listener listener-polling
    shmid_of listener >shmid
    refuses 1 '\<1024\>.*\<1023\>' talker-polling "$(printf '%01024d' 0)"
    stop listener
}

@test "usage: each program names itself and its operands" {
    lesson talker-polling --help | grep -x 'usage: talker-polling \[options\] \[MESSAGE\]'
    lesson listener-polling --help | grep -x 'usage: listener-polling \[options\]'
}

@test "a failed call is reported in one line, with the reason at its end" {
    touch file
    refuses 1 'ftok\("file/x", 1\): Not a directory$' talker-polling --file file/x
    refuses 3 '^talker-polling: no listener .*there is no such file.*start listener-polling' talker-polling --file missing
}

@test "without a peer the timeout ends a program, and nothing stays behind" {
    start listener listener-polling -t 0.3
    shmid=$(shmid_of listener)
    finish listener 3
    is_removed "$shmid"
    start listener listener-polling -t 0.3
    shmid=$(shmid_of listener)
    start talker talker-polling --hold speaking
    finish listener 3
    grep -E '^listener-polling: no word from the talker \(PID [0-9]+\) within 0.3 s: gave up$' listener.err
    # A slow talker may not have come as far as its hold: then it ends when the listener does.
    kill -CONT "$talker_pid" || is_gone "$talker_pid"
    finish talker 3
    is_removed "$shmid"
}

@test "stray, terminating and killing signals leave nothing while it polls" {
    strays_change_nothing polling speaking
    signals_leave_nothing polling speaking
    kills_leave_nothing polling speaking
}

@test "stray SIGUSR1 change nothing while it sleeps" {
    strays_change_nothing polling speaking:2
}
