#!/usr/bin/env bats
# rmid.bats - a segment is removed while two processes are attached, and another gets its key.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

start_remover() { # [OPTION]...
    start_listener_of rmid "$@"
    shmid=$(shmid_of listener)
    key=$(key_of shmfile 1)
}

status_in_ipcs() { # SHMID
    LC_ALL=C ipcs -m | awk -v id="$1" '$2 == id { print $1, $7 }'
}

@test "both sides print exactly what they observe" {
    start_remover
    ends 0 talker-rmid
    finish listener 0
    anew=$(sed -n 's/.*created key .* anew: segment \([0-9]*\),.*/\1/p' talker.out)
    expect_lines listener.out \
        "listener: waiting for a talker (pid $listener_pid, key $key, shmid $shmid)" \
        "listener: removed: dest is set, the key is 0 and was $key, attached 2 times" \
        "listener: heard $talker_pid from the talker (PID $talker_pid) through the removed segment" \
        "listener: we use segment $shmid (\"the first listener's\"), while our key leads to $anew (\"the second listener's\")" \
        "listener: the talker has detached: shmctl($shmid, IPC_STAT) says it is still there" \
        "listener: we have detached: shmctl($shmid, IPC_STAT) says EINVAL"
    expect_lines talker.out \
        "talker: by key $key: shmget says ENOENT" \
        "talker: by id $shmid: this kernel still attaches it" \
        "talker: said $talker_pid, and was answered -$talker_pid" \
        "talker: created key $key anew: segment $anew, beside segment $shmid" \
        "talker: said in the removed segment: $talker_pid, in the new one: 0"
    expect_lines listener.err
    expect_lines talker.err
    for id in "$shmid" "$anew"; do
        is_removed "$id"
    done
}

@test "removed while attached, ipcs shows it with dest and the key 0" {
    start_remover --hold removed
    start talker talker-rmid
    wait_for_state "$listener_pid" T
    [ "$(status_in_ipcs "$shmid")" = "0x00000000 dest" ]
    [ "$(kernel_says "$shmid" key nattch)" = "0 2" ]
    [ "$(kernel_says "$shmid" perms)" = 1600 ] # SHM_DEST, and 0600
    kill -CONT "$listener_pid"
    finish talker 0
    finish listener 0
}

@test "strace: the old key is ENOENT, shmat by id works, the key is reusable" {
    requires_strace
    start_remover
    ends 0 strace -e trace=shmget,shmat -o calls "$BUILD/talker-rmid" -t "$DEADLINE"
    finish listener 0
    sed -n '/= -1 ENOENT/,$p' calls | grep ^shm >after
    expect_lines <(head -n 3 after | sed 's/  *= / = /; s/ = 0x.*/ = ADDRESS/; s/ = [0-9]*$/ = SHMID/') \
        "shmget($key, 0, 000) = -1 ENOENT (No such file or directory)" \
        "shmat($shmid, NULL, SHM_RDONLY) = ADDRESS" \
        "shmget($key, 4001, IPC_CREAT|IPC_EXCL|0600) = SHMID"
}

@test "the key leads to the new generation; both are attached to the old one" {
    start_remover --hold anew
    start talker talker-rmid
    wait_for_state "$listener_pid" T
    anew=$(ipcs -m | awk -v key="$(printf '0x%08x' "$key")" '$1 == key { print $2 }')
    [ -n "$anew" ] && [ "$anew" != "$shmid" ]
    [ "$(kernel_says "$anew" cpid nattch)" = "$talker_pid 1" ]
    [ "$(kernel_says "$shmid" cpid nattch)" = "$listener_pid 2" ]
    kill -CONT "$listener_pid"
    finish talker 0
    finish listener 0
}

@test "the segment exists while one process is attached, then it is gone" {
    start_remover --hold last
    start talker talker-rmid
    finish talker 0
    wait_for_state "$listener_pid" T
    [ "$(kernel_says "$shmid" nattch)" = 1 ]
    [ "$(status_in_ipcs "$shmid")" = "0x00000000 dest" ]
    kill -CONT "$listener_pid"
    finish listener 0
    is_removed "$shmid"
}

@test "killed after the removal, both processes leave nothing behind" {
    start_remover --hold removed
    start talker talker-rmid
    wait_for_state "$listener_pid" T
    kill -KILL "$listener_pid"
    finish listener 137
    finish talker 3
    grep -q "the listener (PID $listener_pid) went away" talker.err
    is_removed "$shmid"
}

@test "the listener reports a talker that ends and removes the new generation" {
    start_remover --hold anew
    start talker talker-rmid
    wait_for_state "$listener_pid" T
    stop talker
    kill -CONT "$listener_pid"
    finish listener 3
    grep -q "the talker (PID $talker_pid) went away" listener.err
    is_removed "$shmid"
}

@test "the lesson also holds where kernel.shm_rmid_forced is 1" {
    meet_rmid_forced rmid
    grep 'we have detached: .* says EINVAL' listener.out
}

@test "Ctrl-C while there are two generations removes both" {
    start_remover --hold anew
    start talker talker-rmid
    wait_for_state "$listener_pid" T
    kill -INT "$talker_pid" "$listener_pid"
    kill -CONT "$listener_pid"
    finish talker 130
    finish listener 130
    is_removed "$shmid"
    [ -z "$(ipcs -m | awk -v key="$(printf '0x%08x' "$key")" '$1 == key')" ]
}
