# session.bash - what the tests of lessons share whose two sides meet: run, held in the middle, disturbed, ended.
# shellcheck shell=bash disable=SC2154,SC2030,SC2031 # start sets NAME_pid; each test is a subshell
#
# POINT is one of the talker's, at which the listener waits for it.

meet() { # LESSON [OPTION]...: both run to their end, and all that was observed is as claimed
    start listener "listener-$1" "${@:2}"
    shmid=$(shmid_of listener)
    ends 0 "talker-$1" "${@:2}"
    finish listener 0
}

hold_talker() { # LESSON POINT [OPTION]...: the listener waits for it
    start listener "listener-$1" "${@:3}"
    shmid=$(shmid_of listener)
    start talker "talker-$1" --hold "$2"
    wait_for_state "$talker_pid" T
}

# That a test fails where it is not: errexit passes over a plain "! segment_exists".
is_removed() { # SHMID
    ! segment_exists "$1" || fail "segment $1 is still there: $(segment_line "$1")"
}

strays_change_nothing() { # LESSON POINT
    hold_talker "$1" "$2"
    for _ in {1..20}; do
        kill -USR1 "$listener_pid" "$talker_pid"
    done
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
}

# A signal that asks the listener to end is obeyed; the talker is told, and the segment goes with both.
signals_leave_nothing() { # LESSON POINT
    local signal
    for signal in HUP INT TERM; do
        hold_talker "$1" "$2"
        kill -s "$signal" "$listener_pid"
        finish listener $((128 + $(kill -l "$signal")))
        kill -CONT "$talker_pid"
        finish talker 3
        grep -F "the listener (PID $listener_pid) went away" talker.err
        is_removed "$shmid"
    done
}

# Neither side waits for the other when that was killed: it says so, and removes what was left.
kills_leave_nothing() { # LESSON POINT
    hold_talker "$1" "$2"
    kill -KILL "$talker_pid"
    finish talker 137
    finish listener 3
    grep -F "the talker (PID $talker_pid) went away" listener.err
    is_removed "$shmid"

    hold_talker "$1" "$2"
    kill -KILL "$listener_pid"
    finish listener 137
    kill -CONT "$talker_pid"
    finish talker 3
    grep -F "the listener (PID $listener_pid) went away" talker.err
    is_removed "$shmid"
}
