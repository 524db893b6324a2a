#!/usr/bin/env bats
# lifetime.bats - a segment and its contents outlive the processes, until one removes it.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup() { common_setup; }
teardown() { common_teardown; }

start_creator() { # [OPTION]...
    start_listener_of lifetime "$@"
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

has_it_attached() { # PID
    grep -qs " $shmid  */SYSV" "/proc/$1/maps"
}

talker_says() { # WHEN
    grep "^talker: $1: .* .*, " talker.out
}

@test "the text outlives its writer, both exit 0, and nothing stays behind" {
    start_creator
    ends 0 talker-lifetime
    finish listener 0
    grep -qx "talker: the text is still there: \"PID $listener_pid was here\"" talker.out
    grep -qx "talker: key $(key_of shmfile 1) still leads to segment $shmid" talker.out
    grep -qx "talker: attached 0 times: the last detach was the exit of PID $listener_pid (the listener was $listener_pid)" talker.out
    grep -qx "talker: removed: IPC_STAT says EINVAL" talker.out
    expect_lines listener.err
    expect_lines talker.err
    is_removed "$shmid"
}

@test "a new segment has its size, no attachment and no last user" {
    start_held listener created listener-lifetime
    shmid=$(awk -v pid="$listener_pid" '$5 == pid { print $2 }' /proc/sysvipc/shm)
    [ "$(kernel_says "$shmid" nattch lpid atime dtime)" = "0 0 0 0" ]
    expect_lines listener.out \
        "listener: created: $(kernel_says "$shmid" size) bytes, attached 0 times, created by PID $listener_pid, last used by PID 0, nobody"
    kill -CONT "$listener_pid"
    wait_for_line listener.out waiting
    [ "$(kernel_says "$shmid" nattch lpid)" = "1 $listener_pid" ]
    grep -qx "listener: attached: 1 time, last used by PID $listener_pid" listener.out
    stop listener
}

@test "before: shmid_ds is as ipcs -m -i shows it, while both are attached" {
    requires ipcs
    start_creator
    start_held talker shmctl:2 talker-lifetime # just before IPC_STAT
    ipcs_says before >expected
    [ "$(kernel_says "$shmid" nattch cpid lpid)" = "2 $listener_pid $talker_pid" ]
    kill -CONT "$talker_pid"
    finish talker 0
    expect_lines <(talker_says before) "$(cat expected)"
    finish listener 0
}

@test "after: without attachments or creator the segment remains, says ipcs" {
    requires ipcs
    start_creator
    start_held talker nobody talker-lifetime
    finish listener 0
    [ "$(kernel_says "$shmid" nattch cpid lpid)" = "0 $listener_pid $listener_pid" ]
    ipcs_says after >expected
    kill -CONT "$talker_pid"
    finish talker 0
    expect_lines <(talker_says after) "$(cat expected)"
}

has_looked() { # PID: it has looked at the listener's segment
    awk -v creator="$listener_pid" -v pid="$1" '$5 == creator && $6 == pid { found = 1 } END { exit !found }' \
        /proc/sysvipc/shm
}

@test "a talker that looks early does not change what the listener observes" {
    [ -r /proc/sysvipc/shm ] || skip "no /proc/sysvipc/shm here"
    start_held listener shmctl:2 listener-lifetime # it has attached, and will call IPC_STAT next
    start talker talker-lifetime
    until_true has_looked "$talker_pid" || fail "waited for the talker to look at the segment"
    kill -CONT "$listener_pid"
    finish listener 0
    finish talker 0
    grep -x "listener: attached: 1 time, last used by PID $listener_pid" listener.out
}

@test "the text lies in memory that no process has attached" {
    start_creator
    has_it_attached "$listener_pid"
    start_held talker nobody talker-lifetime
    finish listener 0
    for process in /proc/[0-9]*; do
        if has_it_attached "${process#/proc/}"; then fail "PID ${process#/proc/} has it attached"; fi
    done
    kill -CONT "$talker_pid"
    finish talker 0
    grep -qx "talker: the text is still there: \"PID $listener_pid was here\"" talker.out
}

@test "the listener calls neither shmdt nor IPC_RMID: its exit detaches" {
    requires_strace
    start strace strace -e trace=shmdt,shmctl,shmat -o calls "$BUILD/listener-lifetime" -t "$DEADLINE"
    wait_for_line strace.out 'waiting for a talker'
    ends 0 talker-lifetime
    finish strace 0
    grep -q '^shmat(' calls # strace did record calls
    if grep -E 'shmdt|IPC_RMID' calls; then fail "it did"; fi
    grep -q 'the last detach was the exit of' talker.out
}

@test "IPC_SET moves shm_ctime even if it changes nothing" {
    start_listener_of lifetime --hold setting
    shmid=$(shmid_of listener)
    start talker talker-lifetime
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

@test "a terminated heir removes the segment; a killed heir leaves it" {
    start_creator --hold leaving
    start talker talker-lifetime
    wait_for_state "$listener_pid" T
    stop talker
    [ "$(kernel_says "$shmid" nattch perms)" = "1 1600" ] # SHM_DEST: destroyed at the last detach
    kill -CONT "$listener_pid"
    finish listener 0
    is_removed "$shmid"

    start_creator
    start_held talker nobody talker-lifetime
    finish listener 0
    kill -KILL "$talker_pid"
    finish talker 137
    left=$shmid left_by=$listener_pid
    start_creator
    grep -qx "listener-lifetime: recovered: removed segment $left, which PID $left_by left behind" listener.err
    stop listener
}

@test "each side reports it when the other is killed before it leaves" {
    start_creator --hold setting
    start talker talker-lifetime
    wait_for_state "$listener_pid" T
    plant "$shmid"
    kill -KILL "$listener_pid"
    finish listener 137
    finish talker 3
    start_creator
    start_held talker shmdt:2 talker-lifetime # only it has the segment, and detaches next
    kill -KILL "$talker_pid"
    finish talker 137
    finish listener 3
    is_removed "$shmid"
}

@test "a listener terminated just before its exit removes the segment" {
    start_creator --hold leaving
    start talker talker-lifetime
    wait_for_state "$listener_pid" T
    kill -TERM "$listener_pid"
    kill -CONT "$listener_pid"
    finish listener 143
    finish talker 3
    grep -q "the listener (PID $listener_pid) went away" talker.err
    is_removed "$shmid"
}
