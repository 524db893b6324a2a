#!/usr/bin/env bats
# private.bats - IPC_PRIVATE creates a segment without a key; its shmid leads to it.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

hold_both() { # LISTENER'S POINT
    start_listener_of private --hold "$1"
    start talker talker-private
    wait_for_state "$listener_pid" T
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

@test "IPC_PRIVATE gives a new segment every time, with the key 0" {
    hold_both private
    made_by "$listener_pid" | sed -n 's/^0 //p' >ids
    [ "$(sort -u ids | wc -l)" -eq 2 ]
    let_go
    read -r one two < <(sed -n 's/^listener: IPC_PRIVATE twice: segments \(.*\) and \(.*\)/\1 \2/p' listener.out)
    expect_lines <(sort ids) "$(printf '%s\n' "$one" "$two" | sort)"
    three=$(sed -n "s/^talker: IPC_PRIVATE here: segment \([0-9]*\) (the listener's last is $two)$/\1/p" talker.out)
    [ -n "$three" ] && [ "$three" != "$one" ] && [ "$three" != "$two" ]
}

@test "a process that knows the shmid of a private segment can attach it" {
    start_listener_of private
    ends 0 talker-private --verbose
    finish listener 0
    expect_lines listener.err
    two=$(sed -n 's/^listener: IPC_PRIVATE twice: segments .* and \(.*\)/\1/p' listener.out)
    grep -E "shmat\($two, NULL, SHM_RDONLY\) = 0x" talker.err
    grep -x "talker: by its shmid: segment $two holds the listener's PID, $listener_pid" talker.out
    [ -z "$(made_by "$listener_pid")$(made_by "$talker_pid")" ]
}

@test "SIGTERM leaves no segment" {
    hold_both private
    kill -TERM "$listener_pid" "$talker_pid"
    kill -CONT "$listener_pid"
    finish listener 143
    finish talker 143
    [ -z "$(made_by "$listener_pid")$(made_by "$talker_pid")" ]
}

@test "a talker reports that its listener ended and took its segments along" {
    start_listener_of private
    start_held talker shmget:2 talker-private # the first one finds the listener's segment
    stop listener
    kill -CONT "$talker_pid"
    finish talker 3
    expect_lines <(tail -n 1 talker.err) "talker-private: the listener (PID $listener_pid) went away"
}

@test "the lesson also holds where kernel.shm_rmid_forced is 1" {
    meet_rmid_forced private
}
