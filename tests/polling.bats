#!/usr/bin/env bats
# polling.bats - one message to a poller, one to a sleeper; and an existing segment on the key.
# shellcheck disable=SC2154,SC2030,SC2031 # start sets NAME_pid; each test is a subshell

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

# Sets looks, seconds and cpu (in microseconds) to what the listener prints about its polling or sleeping.
effort() { # polling|sleeping
    local line='looked ([0-9]+) times in ([0-9]+)\.([0-9]{3}) s, and burned ([0-9]+)\.([0-9]{6}) s of CPU time'
    read -r looks milliseconds cpu < <(sed -nE "s/^listener: $1: $line$/\1 \2\3 \4\5/p" listener.out)
    looks=$((10#$looks)) milliseconds=$((10#$milliseconds)) cpu=$((10#$cpu))
}

@test "per message the poller looks millions of times, the sleeper hardly" {
    meet polling
    effort polling
    polling=("$looks" "$milliseconds" "$cpu")
    effort sleeping
    [ "${polling[0]}" -ge 100000000 ]
    [ "$looks" -ge 2 ]
    [ "$looks" -lt 10000 ]
    [ "$cpu" -lt "${polling[2]}" ]
    [ "$milliseconds" -ge "${polling[1]}" ] # the sleeper waited at least as long
    expect_lines talker.out "talker: said: Hello, I'm talker" "talker: said: Hello, I'm talker"
    [ "$(grep -cx "listener: received: Hello, I'm talker" listener.out)" -eq 2 ]
    grep -xE 'listener: polling looked [0-9]{3,} times as often, and burned [0-9]+ times the CPU time' listener.out
}

@test "the kernel's accounting agrees: polling used the CPU time" {
    start listener listener-polling --hold heard
    shmid_of listener >shmid
    start talker talker-polling
    wait_for_state "$listener_pid" T
    ticks=$(awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$listener_pid/stat") # utime, stime
    kill -CONT "$listener_pid"
    finish listener 0
    finish talker 0
    effort polling
    [ $((ticks * 1000000 / $(getconf CLK_TCK))) -ge $((cpu - 20000)) ] || fail "$ticks ticks, but $cpu microseconds"
}

@test "the poller is running, while the sleeper sleeps" {
    start listener listener-polling
    shmid_of listener >shmid
    start_held talker speaking talker-polling
    wait_for_state "$listener_pid" R
    kill -TERM "$talker_pid"
    kill -CONT "$talker_pid"
    finish talker 143
    finish listener 3

    start listener listener-polling
    shmid_of listener >shmid
    start_held talker speaking:2 talker-polling
    wait_for_state "$listener_pid" S
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
}

@test "IPC_EXCL finds a stale segment; it is removed by id and created again" {
    start listener listener-polling -v
    shmid=$(shmid_of listener)
    read -r stale dead < <(sed -nE 's/^listener: shmid ([0-9]+): ours and stale, made by PID ([0-9]+), which is dead$/\1 \2/p' \
        listener.out)
    grep -x "listener: created with IPC_EXCL: EEXIST, shmid $stale has the key already" listener.out
    wait_for_line listener.out "^listener: shmid $stale is gone, shmid $shmid has the key now$"
    expect_lines <(grep recovered listener.err) \
        "listener-polling: recovered: removed segment $stale, which PID $dead left behind"
    is_removed "$stale"
    segment_exists "$shmid"
    ends 0 talker-polling
    finish listener 0
    key=$(key_of shmfile 1)
    grep -E "\] shmget\($key, [0-9]+, IPC_CREAT\|IPC_EXCL\|0600\) = -1 EEXIST \(File exists\)$" listener.err
    grep -F "] shmget($key, 0, 000) = $stale" listener.err
    grep -F "] shmctl($stale, IPC_RMID, NULL) = 0" listener.err
}

@test "the kernel shows: the stale segment's creator is dead, none attached" {
    start_held listener stale listener-polling
    read -r _ stale _ _ cpid _ nattch _ < <(awk -v key="$(($(key_of shmfile 1)))" '$1 == key' /proc/sysvipc/shm)
    [ "$nattch" -eq 0 ]
    [ "$cpid" -ne "$listener_pid" ]
    if kill -0 "$cpid" 2>/dev/null; then fail "PID $cpid is alive"; fi
    kill -CONT "$listener_pid"
    wait_for_line listener.out "shmid $stale is gone"
    ends 0 talker-polling
    finish listener 0
}

@test "a foreign segment is not removed, although the notes would" {
    compile foreign
    touch shmfile
    for size in 100 4096; do
        shmid=$(./foreign make "$(key_of shmfile 1)" "$size" 666 data)
        plant "$shmid"
        refuses 1 "a foreign segment \(shmid $shmid;" listener-polling
        [ "$(./foreign show "$shmid" | tr -d '\0')" = data ]
        ipcrm -m "$shmid"
    done
}

@test "a live listener keeps its segment, and the second one reports it" {
    start listener listener-polling
    shmid=$(shmid_of listener)
    refuses 4 "busy: PID $listener_pid is listening" listener-polling
    segment_exists "$shmid"
    ends 0 talker-polling
    finish listener 0
}

@test "a message that is too long is refused; the longest arrives whole" {
    longest=$(printf '%01024d' 0)
    start listener listener-polling
    shmid_of listener >shmid
    refuses 1 '\<1025\>.*\<1024\>' talker-polling "${longest}1"
    ends 0 talker-polling "$longest"
    finish listener 0
    [ "$(grep -cx "listener: received: $longest" listener.out)" -eq 2 ]
}

@test "the mistake sizeof(pointer) is shown with what it would have copied" {
    meet polling
    pointer=$(($(getconf LONG_BIT) / 8))
    greeting="Hello, I'm talker"
    grep -x "listener: a copy of sizeof a pointer, $pointer bytes, would have received: ${greeting:0:pointer}" listener.out
}

@test "usage: each program names itself and its operands" {
    lesson talker-polling --help | grep -x 'usage: talker-polling \[options\] \[MESSAGE\]'
    lesson listener-polling --help | grep -x 'usage: listener-polling \[options\]'
}

@test "without a peer the timeout ends a program, and nothing stays behind" {
    start listener listener-polling -t 0.3
    shmid=$(shmid_of listener)
    finish listener 3
    is_removed "$shmid"
    start listener listener-polling -t 0.3
    shmid=$(shmid_of listener)
    start talker talker-polling --hold speaking
    finish listener 3
    grep -x 'listener-polling: no word within 0.3 seconds: gave up' listener.err
    kill -CONT "$talker_pid"
    finish talker 3
    is_removed "$shmid"
}

@test "stray, terminating and killing signals leave nothing while it polls" {
    strays_change_nothing polling speaking
    signals_leave_nothing polling speaking
    kills_leave_nothing polling speaking
}

@test "stray SIGUSR1 change nothing while it sleeps" {
    strays_change_nothing polling speaking:2
}

@test "the notes' own key, ftok of /proc and 'a', is a key like any other" {
    refuses 3 'start the listener' talker-polling --file /proc --project "$(printf %d "'a")"
    lesson talker-polling --file /proc --project 97 --verbose 2>talker.err || [ $? -eq 3 ]
    grep -F "] ftok(\"/proc\", 97) = $(key_of /proc 97)" talker.err
}

@test "a failed call is reported in one line, with the reason at its end" {
    refuses 3 '^talker-polling: ftok\("missing", 1\): .*: No such file or directory$' talker-polling --file missing
}
