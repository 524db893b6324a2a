#!/usr/bin/env bats
# lifetime.bats - a segment and its contents outlive the processes, until one removes it.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

start_creator() { # [OPTION]...
    start_listener_of lifetime "$@"
    shmid=$(shmid_of listener)
}

has_it_attached() { # PID
    grep -qs " $shmid  */SYSV" "/proc/$1/maps"
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

@test "without attachments or creator the segment and its text remain" {
    start_creator
    start_held talker nobody talker-lifetime
    finish listener 0
    [ "$(kernel_says "$shmid" nattch cpid lpid)" = "0 $listener_pid $listener_pid" ]
    kill -CONT "$talker_pid"
    finish talker 0
    grep -qx "talker: the text is still there: \"PID $listener_pid was here\"" talker.out
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
    start_creator --hold writing
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

@test "where kernel.shm_rmid_forced is 1 both sides skip the lesson and say why" {
    meet_rmid_forced lifetime
    grep '^listener: skipped: kernel.shm_rmid_forced is 1: ' listener.out
    grep -x 'talker: skipped, as the listener says' talker.out
}
