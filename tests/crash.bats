#!/usr/bin/env bats
# crash.bats - a listener is killed in the middle of its answer: what stays, who notices, who recovers.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup() { common_setup; }
teardown() { common_teardown; }

start_mortal() { # [OPTION]...
    start listener listener-crash "$@"
    wait_for_line listener.out 'waiting for a talker'
    shmid=$(shmid_of listener)
    first=$(sed -n 's/.*waiting for a talker (pid \([0-9]*\),.*/\1/p' listener.out)
}

kernel_says() { # FIELD...
    segment_line "$shmid" | awk -v fields="$*" '
        { split("key shmid perms size cpid lpid nattch", name); for (i in name) value[name[i]] = $i }
        END { n = split(fields, f, " "); for (i = 1; i <= n; i++) printf "%s%s", value[f[i]], i < n ? " " : "\n" }'
}

@test "what both observe, to the letter, and nothing stays behind" {
    start_mortal
    ends 0 talker-crash
    finish listener 0
    key=$(key_of shmfile 1)
    anew=$(sed -n "s/^listener: recovered: segment \([0-9]*\) instead of $shmid$/\1/p" listener.out)
    expect_lines listener.out \
        "listener: waiting for a talker (pid $first, key $key, shmid $shmid)" \
        "listener: PID $first received: good morning" \
        "listener: the first listener, PID $first, has died of signal 9 (Killed)" \
        "listener: segment $shmid, created by PID $first, is stale" \
        "listener: waiting for a talker (pid $listener_pid, key $key, shmid $anew)" \
        "listener: recovered: segment $anew instead of $shmid" \
        "listener: PID $listener_pid received: good morning"
    expect_lines listener.err \
        "listener-crash: recovered: removed segment $shmid, which PID $first left behind"
    expect_lines <(sed 's/[0-9]* ms/N ms/' talker.out) \
        "talker: the listener (PID $first) has gone, noticed after N ms" \
        "talker: segment $shmid of PID $first is still there, attached 1 time" \
        "talker: so far it had written \"good morn\", and had not said ANSWERED (step 1)" \
        "talker: the next listener (PID $listener_pid) has answered: good morning to you"
    expect_lines talker.err
    [ "$first" != "$listener_pid" ]
    for id in "$shmid" "$anew"; do
        if segment_exists "$id"; then fail "segment $id is still there"; fi
    done
}

@test "the first listener is killed by SIGKILL, and calls neither shmdt nor IPC_RMID: so says strace" {
    requires_strace
    start strace strace -f -e trace=shmat,shmdt,shmctl -o calls "$BUILD/listener-crash" -t "$DEADLINE"
    wait_for_line strace.out 'waiting for a talker'
    first=$(sed -n 's/.*waiting for a talker (pid \([0-9]*\),.*/\1/p' strace.out)
    ends 0 talker-crash
    finish strace 0
    grep "^$first " calls >of_the_first
    grep -q 'shmat(.*) *= 0x' of_the_first
    grep -q '+++ killed by SIGKILL +++' of_the_first
    if grep -E 'shmdt|IPC_RMID' of_the_first; then fail "it has cleaned up"; fi
}

@test "when the survivor notices, the kernel has detached the dead, and its segment and text are there" {
    start_mortal
    start talker talker-crash --hold noticed
    wait_for_state "$talker_pid" T
    [ ! -e "/proc/$first/maps" ] || [ ! -s "/proc/$first/maps" ]
    [ "$(kernel_says nattch cpid key)" = "1 $first $(($(key_of shmfile 1)))" ]
    grep -q " $shmid  */SYSV" "/proc/$talker_pid/maps"
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
    grep -q 'so far it had written "good morn"' talker.out
}

@test "the survivor notices within 0.2 s" {
    for _ in 1 2 3; do # a machine may be slow once
        start_mortal
        ends 0 talker-crash
        finish listener 0
        took=$(sed -n 's/.* noticed after \([0-9]*\) ms$/\1/p' talker.out)
        [ "$took" -gt 200 ] || return 0
    done
    fail "it took $took ms, and over 200 each time"
}

@test "what is left is stale: for the next start, and for scripts/sweep" {
    start_mortal --hold recovering
    start talker talker-crash
    wait_for_state "$listener_pid" T
    [ "$(kernel_says nattch cpid)" = "0 $first" ]
    [ -z "$(state_of "$first")" ]
    run -0 "$BUILD/sweep" list "$shmid"
    [ "$output" = "stale $shmid: PID $first left it behind" ]
    kill -CONT "$listener_pid"
    finish talker 0
    finish listener 0
}

@test "a listener that is asked to end takes its child with it" {
    for name in INT TERM HUP; do
        start_mortal
        kill -"$name" "$listener_pid"
        finish listener $((128 + $(kill -l "$name")))
        is_gone "$first"
        if segment_exists "$shmid"; then fail "segment $shmid is still there"; fi
    done
}

@test "a child that is held is taken along as well" {
    start_mortal --hold half_answered
    start talker talker-crash
    wait_for_state "$first" T
    kill -TERM "$listener_pid"
    finish listener 143
    is_gone "$first"
    finish talker 3
    if segment_exists "$shmid"; then fail "segment $shmid is still there"; fi
}

@test "a listener that is killed leaves no child waiting, and no segment" {
    start_mortal -t 60
    kill -KILL "$listener_pid"
    finish listener 137
    wait_gone "$first"
    until_true is_removed "$shmid" || fail "segment $shmid is still there"
}

is_removed() { # SHMID
    ! segment_exists "$1"
}

@test "a talker whose next listener never comes says so" {
    start_mortal --hold recovering
    start talker talker-crash -t 60
    wait_for_state "$listener_pid" T
    plant "$shmid"
    kill -KILL "$listener_pid"
    finish listener 137
    finish talker 3
    grep -qx "talker-crash: no listener came after PID $first" talker.err
}

@test "the listener gives up when no talker comes, and the talker is missed when it is killed" {
    start_mortal -t 0.2
    finish listener 3
    if segment_exists "$shmid"; then fail "segment $shmid is still there"; fi
    start_mortal
    start talker talker-crash --hold kill:2 # when it would ring for the first time
    wait_for_state "$talker_pid" T
    kill -KILL "$talker_pid"
    finish talker 137
    finish listener 3
    grep -qx "listener-crash: the talker (PID $talker_pid) went away" listener.err
    if segment_exists "$shmid"; then fail "segment $shmid is still there"; fi
}
