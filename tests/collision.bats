#!/usr/bin/env bats
# collision.bats - two files with the same key, and the segment of a stranger behind it.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

held_or_skipped() {
    in_state "$listener_pid" T || is_gone "$talker_pid"
}

# Skips where no two files of this machine have the same key: then the talker skips the lesson.
hold_both() { # LISTENER'S POINT
    start_listener_of collision --hold "$1"
    start talker talker-collision
    until_true held_or_skipped
    if grep 'skipped: no two' talker.out >why; then
        finish talker 0
        finish listener 0
        skip "$(cut -d : -f 3- <why)"
    fi
}

let_go() {
    kill -CONT "$listener_pid"
    finish talker 0
    finish listener 0
}

# Key and id of each segment that PID has created.
made_by() { # PID
    awk -v pid="$1" '$5 == pid { printf "%#x %d\n", ($1 + 4294967296) % 4294967296, $2 }' /proc/sysvipc/shm
}

@test "both sides exit 0, and leave no segment" {
    start_listener_of collision
    ends 0 talker-collision
    finish listener 0
    expect_lines listener.err
    expect_lines talker.err
    expect_lines <(ls -- *shmfile*) shmfile
    [ -z "$(made_by "$listener_pid")$(made_by "$talker_pid")" ]
}

@test "a search finds two different files with the same key" {
    hold_both stranger
    read -r one two < <(sed -n 's/^talker: found two among [0-9]* files: \(.*\) and \(.*\)/\1 \2/p' talker.out)
    [ -f "$one" ] && [ -f "$two" ] && ! [ "$one" -ef "$two" ]
    [ "$(key_of "$one" 1)" = "$(key_of "$two" 1)" ]
    let_go
    grep -q "^talker: their keys: \(0x[0-9a-f]*\) and \1$" talker.out
    [ $(($(sed -n 's/^talker: their keys: .* and //p' talker.out) & 16777215)) -eq $(($(key_of "$one" 0))) ]
}

@test "the twin's key leads to a foreign segment, which the magic reveals" {
    hold_both stranger
    read -r key id < <(made_by "$listener_pid" | grep -v "^$(key_of shmfile 1) ")
    [ "$(segment_line "$id" | awk '{ print $7 }')" = 1 ] # the listener
    run -0 "$BUILD/sweep" list "$id"
    [[ $output == "left $id: foreign, its magic is 0x"* ]]
    let_go
    grep -qx "talker: behind it segment $id, foreign: ${output#*foreign, }" talker.out
    grep -qx "talker: their keys: $key and $key" talker.out
    grep -qx "talker: without a check we read \"a stranger's text\"" talker.out
}

@test "SIGTERM leaves no segment" {
    hold_both stranger
    kill -TERM "$listener_pid" "$talker_pid"
    kill -CONT "$listener_pid"
    finish listener 143
    finish talker 143
    [ -z "$(made_by "$listener_pid")$(made_by "$talker_pid")" ]
}

@test "a talker reports that its listener ended and took its segments along" {
    hold_both stranger
    kill -CONT "$listener_pid"
    finish talker 0
    finish listener 0
    start_listener_of collision
    start_held talker ftok:2 talker-collision # just before it looks for the listener's segment
    stop listener
    kill -CONT "$talker_pid"
    finish talker 3
    expect_lines <(tail -n 1 talker.err) "talker-collision: the listener (PID $listener_pid) went away"
}

@test "the lesson also holds where kernel.shm_rmid_forced is 1" {
    meet_rmid_forced collision
}
