#!/usr/bin/env bats
# existing.bats - a segment that has the key already is removed only if it is ours and stale.
# shellcheck disable=SC2154,SC2030,SC2031 # start sets NAME_pid; each test is a subshell

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

@test "IPC_EXCL finds a stale segment; it is removed by id and created again" {
    start listener listener-existing -v
    shmid=$(shmid_of listener)
    line='shmid ([0-9]+): ours and stale, made by PID ([0-9]+), which is dead'
    read -r stale dead < <(sed -nE "s/^listener: $line\$/\\1 \\2/p" listener.out)
    grep -x "listener: created with IPC_EXCL: EEXIST, shmid $stale has the key already" listener.out
    wait_for_line listener.out "^listener: shmid $stale is gone, shmid $shmid has the key now$"
    expect_lines <(grep recovered listener.err) \
        "listener-existing: recovered: removed segment $stale, which PID $dead left behind"
    is_removed "$stale"
    segment_exists "$shmid"
    ends 0 talker-existing
    finish listener 0
    key=$(key_of shmfile 1)
    grep -E "\] shmget\($key, [0-9]+, IPC_CREAT\|IPC_EXCL\|0600\) = -1 EEXIST \(File exists\)$" listener.err
    grep -F "] shmget($key, 0, 000) = $stale" listener.err
    grep -F "] shmctl($stale, IPC_RMID, NULL) = 0" listener.err
}

@test "the kernel shows: the stale segment's creator is dead, none attached" {
    start_held listener stale listener-existing
    read -r _ stale _ _ cpid _ nattch _ < <(awk -v key="$(($(key_of shmfile 1)))" '$1 == key' /proc/sysvipc/shm)
    [ "$nattch" -eq 0 ]
    [ "$cpid" -ne "$listener_pid" ]
    if kill -0 "$cpid" 2>/dev/null; then fail "PID $cpid is alive"; fi
    kill -CONT "$listener_pid"
    wait_for_line listener.out "shmid $stale is gone"
    ends 0 talker-existing
    finish listener 0
}

@test "a live listener keeps its segment, and the second one reports it" {
    start listener listener-existing
    shmid=$(shmid_of listener)
    refuses 4 "busy: PID $listener_pid is listening" listener-existing
    segment_exists "$shmid"
    ends 0 talker-existing
    finish listener 0
}

@test "a foreign segment is not removed, although the notes would" {
    compile foreign
    touch shmfile
    for size in 100 4096; do
        shmid=$(./foreign make "$(key_of shmfile 1)" "$size" 666 data)
        plant "$shmid"
        refuses 1 "a foreign segment \(shmid $shmid;" listener-existing
        [ "$(./foreign show "$shmid" | tr -d '\0')" = data ]
        ipcrm -m "$shmid"
    done
}

@test "the notes' own key, ftok of /proc and 'a', is a key like any other" {
    refuses 3 'start listener-existing first' talker-existing --file /proc --project "$(printf %d "'a")"
    lesson talker-existing --file /proc --project 97 --verbose 2>talker.err || [ $? -eq 3 ]
    grep -F "] ftok(\"/proc\", 97) = $(key_of /proc 97)" talker.err
}

@test "the message passes through the new segment" {
    meet existing
    expect_lines talker.out "talker: said: Hello, I'm talker"
    tail -n 1 listener.out | expect_lines - "listener: received: Hello, I'm talker"
    is_removed "$shmid"
}

@test "stray, terminating and killing signals leave nothing behind" {
    strays_change_nothing existing speaking
    signals_leave_nothing existing speaking
    kills_leave_nothing existing speaking
}

@test "where kernel.shm_rmid_forced is 1 both sides skip the lesson and say why" {
    meet_rmid_forced existing
    grep '^listener: skipped: kernel.shm_rmid_forced is 1: ' listener.out
    grep -x 'talker: skipped, as the listener says' talker.out
}
