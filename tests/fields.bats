#!/usr/bin/env bats
# fields.bats - each field of struct shmid_ds, and the calls that change it.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

start_creator() {
    start_listener_of fields
    shmid=$(shmid_of listener)
}

# The segment as `ipcs -m -i` shows it, in the talker's words and order.
ipcs_says() { # WHEN
    LC_ALL=C ipcs -m -i "$shmid" | tr '\t' '\n' | awk -F = -v when="$1" -v key="$(key_of shmfile 1)" '
        NF == 2 { value[$1] = $2 }
        function clock(name,    part) {
            if (value[name] == "Not set") return "never"
            split(value[name], part, " "); return part[4]
        }
        END {
            printf "talker: %s: key %s, uid %s, gid %s, cuid %s, cgid %s, mode %s\n", when, key,
                value["uid"], value["gid"], value["cuid"], value["cgid"], value["mode"]
            printf "talker: %s: shm_segsz %s, shm_nattch %s, shm_cpid %s, shm_lpid %s\n", when,
                value["bytes"], value["nattch"], value["cpid"], value["lpid"]
            printf "talker: %s: shm_atime %s, shm_dtime %s, shm_ctime %s\n", when,
                clock("att_time"), clock("det_time"), clock("change_time")
        }' | sed 's/ *,/,/g; s/ *$//'
}

talker_says() { # WHEN
    grep "^talker: $1: .* .*, " talker.out
}

@test "both sides print exactly what they observe" {
    meet fields
    grep -x "talker: attached 2 times, created by PID $listener_pid (the listener is $listener_pid), last used by PID \
$talker_pid (we are $talker_pid)" talker.out
    grep -xE "talker: attached 2 times, last used by PID $talker_pid \(we are $talker_pid\), changed [0-9]+ s after \
its creation" talker.out
    expect_lines listener.err
    expect_lines talker.err
    is_removed "$shmid"
}

@test "a new segment has its size, no attachment and no last user" {
    start_held listener created listener-fields
    shmid=$(awk -v pid="$listener_pid" '$5 == pid { print $2 }' /proc/sysvipc/shm)
    [ "$(kernel_says "$shmid" nattch lpid atime dtime)" = "0 0 0 0" ]
    expect_lines listener.out \
        "listener: created: $(kernel_says "$shmid" size) bytes, attached 0 times, created by PID $listener_pid, \
last used by PID 0, no process"
    kill -CONT "$listener_pid"
    wait_for_line listener.out waiting
    [ "$(kernel_says "$shmid" nattch lpid)" = "1 $listener_pid" ]
    grep -qx "listener: attached: 1 time, last used by PID $listener_pid" listener.out
    stop listener
}

@test "before: shmid_ds is as ipcs -m -i shows it, while both are attached" {
    requires ipcs
    start_creator
    start_held talker shmctl:2 talker-fields # just before IPC_STAT
    ipcs_says before >expected
    [ "$(kernel_says "$shmid" nattch cpid lpid)" = "2 $listener_pid $talker_pid" ]
    kill -CONT "$talker_pid"
    finish talker 0
    expect_lines <(talker_says before) "$(cat expected)"
    finish listener 0
}

@test "after: shmid_ds is as ipcs -m -i shows it, with a detach and a change" {
    requires ipcs
    start_creator
    start_held talker after talker-fields
    ipcs_says after >expected
    [ "$(kernel_says "$shmid" nattch cpid lpid)" = "2 $listener_pid $talker_pid" ]
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
    expect_lines <(talker_says after) "$(cat expected)"
    run ! grep never expected
}

has_looked() { # PID: it has looked at the listener's segment
    awk -v creator="$listener_pid" -v pid="$1" '$5 == creator && $6 == pid { found = 1 } END { exit !found }' \
        /proc/sysvipc/shm
}

@test "a talker that looks early does not change what the listener observes" {
    [ -r /proc/sysvipc/shm ] || skip "no /proc/sysvipc/shm here"
    start_held listener shmctl:2 listener-fields # it has attached, and will call IPC_STAT next
    start talker talker-fields
    until_true has_looked "$talker_pid" || fail "waited for the talker to look at the segment"
    kill -CONT "$listener_pid"
    finish listener 0
    finish talker 0
    grep -x "listener: attached: 1 time, last used by PID $listener_pid" listener.out
}

@test "IPC_SET moves shm_ctime even if it changes nothing" {
    start_listener_of fields --hold setting
    shmid=$(shmid_of listener)
    start talker talker-fields
    wait_for_state "$listener_pid" T
    before=$(kernel_says "$shmid" ctime perms)
    start_of_now=$(date +%s)
    [ "${before% *}" -lt "$start_of_now" ] # that second is over
    kill -CONT "$listener_pid"
    wait_for_line listener.out 'IPC_SET: '
    read -r from to < <(sed -n 's/.*shm_ctime went from \([0-9]*\) to \([0-9]*\)$/\1 \2/p' listener.out)
    [ "$from" = "${before% *}" ] && [ "$to" -gt "$from" ]
    finish talker 0
    finish listener 0
    grep -qF "talker: after: shm_atime" talker.out
    grep -q "talker: after: .* shm_ctime $(date -d "@$to" +%T)$" talker.out
}

@test "stray SIGUSR1 change nothing" {
    strays_change_nothing fields after
}

@test "terminating and killing signals leave nothing behind" {
    signals_leave_nothing fields after says_it_went_away_or_cannot_be_signalled
    kills_leave_nothing fields shmctl:2
}

@test "the lesson also holds where kernel.shm_rmid_forced is 1" {
    meet_rmid_forced fields
}
