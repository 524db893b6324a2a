# session.bash - what the tests of lessons share: run both sides, hold one, disturb, end and kill them.
# shellcheck shell=bash disable=SC2154,SC2030,SC2031 # start sets NAME_pid; each test is a subshell
#
# POINT is a point of the talker; while the talker is held there, the listener waits for it.

meet() { # LESSON [OPTION]...: both run to their end with exit status 0
    start listener "listener-$1" "${@:2}"
    shmid=$(shmid_of listener)
    ends 0 "talker-$1" "${@:2}"
    finish listener 0
}

# Starts NAME in a mount namespace of its own that has an empty /proc.
start_without_proc() { # NAME COMMAND...
    requires unshare
    unshare -m mount -t tmpfs none /proc 2>/dev/null || skip "/proc cannot be hidden here"
    # shellcheck disable=SC2016 # the inner shell expands it
    start "$1" unshare -m sh -c 'mount -t tmpfs none /proc && exec "$0" "$@"' "${@:2}"
}

# A program relies on no signal mask and no disposition that it inherits.
meet_with_inherited_signals() { # LESSON
    local -a signals=(env --ignore-signal=CHLD --block-signal=SEGV)
    "${signals[@]}" true 2>/dev/null || skip "env cannot ignore and block signals here"
    start listener "${signals[@]}" "$(lesson_program listener "$1")" -t "$DEADLINE"
    shmid=$(shmid_of listener)
    ends 0 "${signals[@]}" "$(lesson_program talker "$1")" -t "$DEADLINE"
    finish listener 0
}

hold_talker() { # LESSON POINT [OPTION]...: both start, and the talker is held
    start listener "listener-$1" "${@:3}"
    shmid=$(shmid_of listener)
    start_held talker "$2" "talker-$1"
}

# SOURCE without its comments, its explanations, its name and its description.
code() { # SOURCE
    awk '/\/\*/ { off = 1 }  /explain\(/ { off = 2 }  /\.(name|about)/ { off = 3 }
         !off && !/^#include/ { sub(/^ +/, ""); print }
         off == 1 && /\*\//  ||  off == 2 && /\);/  ||  off == 3 && /,$/ { off = 0 }' "$1"
}

# Both run to their end with exit status 0 in an IPC namespace of their own, in which kernel.shm_rmid_forced is 1: there
# the kernel removes a segment as soon as no process has it attached.
meet_rmid_forced() { # LESSON
    requires unshare
    unshare --ipc sh -c 'echo 1 >/proc/sys/kernel/shm_rmid_forced' 2>/dev/null ||
        skip "no IPC namespace can be created and set here"
    unshare --ipc sh -c '
        echo 1 >/proc/sys/kernel/shm_rmid_forced
        "$1" -t "$3" >listener.out 2>listener.err 3>&- &
        until grep -qs "waiting for a talker" listener.out || ! kill -0 $!; do sleep 0.01; done
        "$2" -t "$3" >talker.out 2>talker.err 3>&- || exit $?
        wait $!' sh "$(lesson_program listener "$1")" "$(lesson_program talker "$1")" "$DEADLINE" ||
        { show listener && show talker && return 1; }
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

# How a talker reports a dead listener: it notices it when it waits, or, in some lessons, when it sends.
says_it_went_away() {
    grep -F "the listener (PID $listener_pid) went away" talker.err
}

says_it_went_away_or_cannot_be_signalled() {
    grep -F -e "the listener (PID $listener_pid) went away" \
        -e "kill($listener_pid, SIGUSR1) to the listener: No such process" talker.err
}

# A terminating signal ends the listener; the talker reports that, and no segment is left.
signals_leave_nothing() { # LESSON POINT [HOW THE TALKER REPORTS IT]
    local signal
    for signal in HUP INT TERM; do
        hold_talker "$1" "$2"
        kill -s "$signal" "$listener_pid"
        finish listener $((128 + $(kill -l "$signal")))
        kill -CONT "$talker_pid"
        finish talker 3
        "${3:-says_it_went_away}"
        is_removed "$shmid"
    done
}

# The survivor of a killed process reports its death, and removes the segment.
kills_leave_nothing() { # LESSON POINT
    killed_talker_leaves_nothing "$1" "$2"
    kill_listener "$1" "$2"
    says_it_went_away
    is_removed "$shmid"
}

killed_talker_leaves_nothing() { # LESSON POINT
    hold_talker "$1" "$2"
    kill -KILL "$talker_pid"
    finish talker 137
    finish listener 3
    grep -F "the talker (PID $talker_pid) went away" listener.err
    is_removed "$shmid"
}

kill_listener() { # LESSON POINT: while the talker is held there
    hold_talker "$1" "$2"
    kill -KILL "$listener_pid"
    finish listener 137
    kill -CONT "$talker_pid"
    finish talker 3
}
