#!/usr/bin/env bats
# stream_broken.bats - a stream that breaks off: both sides report how far it came.
# shellcheck disable=SC2154,SC2034 # start sets NAME_pid; stream.bash reads the options set here

load helpers
load stream

@test "a killed talker: the listener keeps every byte passed on, and exits 3" {
    for nth in 2 3 10; do
        start_and_hold_talker "loaded:$nth"
        wait_for_size listener.out $(((nth - 1) * slot))
        kill -KILL "$talker_pid"
        finish talker 137
        finish listener 3
        broke_off_after $(((nth - 1) * slot)) "the talker \(PID $talker_pid\) went away"
        is_removed "$shmid"
    done
}

@test "a killed listener: the talker exits 3 and removes the segment" {
    for nth in 1 2 10; do
        start_and_hold_listener "written:$nth"
        kill -KILL "$listener_pid"
        finish listener 137
        finish talker 3
        expect_lines talker.err "talker-stream: the listener (PID $listener_pid) went away"
        is_removed "$shmid"
        has_size listener.out $((nth * slot))
    done
}

@test "both are killed: the next listener removes what they left" {
    start_and_hold_listener written
    kill -STOP "$talker_pid"
    kill -KILL "$listener_pid" "$talker_pid"
    finish listener 137
    finish talker 137
    segment_exists "$shmid"
    left=$shmid
    stream "$random"
    grep -x "listener-stream: recovered: removed segment $left, which PID [0-9]* left behind" listener.err
    is_removed "$left"
}

@test "SIGINT, SIGTERM or SIGHUP ends one side; the other reports the break" {
    for signal in INT TERM HUP; do
        start_and_hold_talker loaded:3
        wait_for_size listener.out $((2 * slot))
        kill -s "$signal" "$talker_pid"
        kill -CONT "$talker_pid"
        finish talker $((128 + $(kill -l "$signal")))
        finish listener 3
        broke_off_after $((3 * slot)) "the talker \(PID $talker_pid\) went away" # the loaded slot still arrives
        is_removed "$shmid"

        start_and_hold_listener written:3
        kill -s "$signal" "$listener_pid"
        kill -CONT "$listener_pid"
        finish listener $((128 + $(kill -l "$signal")))
        finish talker 3
        grep -x "talker-stream: the listener (PID $listener_pid) went away" talker.err
        is_removed "$shmid"
    done
}

@test "SIGTERM ends a talker that reads and a listener that writes" {
    mkfifo in
    exec 7<>in
    start_receiver
    start talker talker-stream <in
    echo word >&7
    wait_for_size listener.out 5
    stop talker
    finish listener 3

    start_receiver_of_reader cat
    start talker talker-stream <"$random"
    until_true has_read $((8 * slot))
    stop listener
    finish talker 3
    kill -CONT "$reader_pid"
    finish reader 0
}

@test "SIGTERM ends a talker whose input another process has read" {
    requires_strace
    mkfifo in
    exec 7<>in
    start_receiver
    resolve talker-stream
    # pselect always reports input, although there is none.
    start tracer strace -f -o talker.strace -e trace=pselect6,read -e inject=pselect6:retval=1 "${command[@]}" <in
    wait_for_line talker.strace ' read\(0, '
    kill -TERM "$(sed -nE 's/^([0-9]+) +read\(0, .*/\1/p' talker.strace | head -n 1)"
    finish tracer 143
    finish listener 3
}

@test "a full disk: both sides exit with 1 and say why" {
    [ -c /dev/full ] || skip "no /dev/full here"
    start_with '>/dev/full' listener listener-stream
    listener_waits
    start talker talker-stream <"$random"
    finish listener 1
    grep -x 'listener-stream: write to stdout, after 0 bytes: No space left on device' listener.err
    finish talker 1
    expect_lines talker.err "talker-stream: the listener (PID $listener_pid) cannot write: No space left on device"
    is_removed "$shmid"
}

@test "a disk full after a mebibyte: no more is claimed than was written" {
    mkdir full
    mount -t tmpfs -o size=1m tmpfs full 2>/dev/null || skip "no file system can be mounted here"
    start_with '>full/copy' listener listener-stream
    listener_waits
    start talker talker-stream <"$random"
    finish listener 1
    bytes=$(stat -c %s full/copy)
    [ "$bytes" -gt 0 ]
    grep -x "listener-stream: write to stdout, after $bytes bytes: No space left on device" listener.err
    finish talker 1
    grep 'cannot write: No space left on device$' talker.err
    cmp -n "$bytes" "$random" full/copy
}

@test "a file that may not grow further: both sides exit with 1 and say why" {
    start_with '>copy' listener sh -c 'ulimit -f 512 && exec "$@"' sh "$BUILD/listener-stream" -t "$DEADLINE"
    listener_waits
    start talker talker-stream <"$random"
    finish listener 1
    [ "$(stat -c %s copy)" -eq 262144 ] # 512 blocks of 512 bytes
    grep -x 'listener-stream: write to stdout, after 262144 bytes: File too large' listener.err
    finish talker 1
    expect_lines talker.err "talker-stream: the listener (PID $listener_pid) cannot write: File too large"
    cmp -n 262144 "$random" copy
    is_removed "$shmid"
}

@test "a talker that waits for input learns of a full disk at once" {
    [ -c /dev/full ] || skip "no /dev/full here"
    mkfifo in
    exec 7<>in
    start_with '>/dev/full' listener listener-stream
    listener_waits
    start talker talker-stream <in
    echo word >&7
    finish listener 1
    finish talker 1
    grep 'cannot write: No space left on device$' talker.err
}

@test "without a reader the listener dies of SIGPIPE, and the talker says so" {
    mkfifo out
    start reader sh -c 'exec head -c 10 <out'
    start_with '>out' listener listener-stream
    listener_waits
    start talker talker-stream <"$random"
    finish listener 141
    [ "$(wc -l <listener.err)" -eq 1 ] # it waits
    finish talker 1
    expect_lines talker.err "talker-stream: the listener (PID $listener_pid) cannot write: Broken pipe"
    finish reader 0
    cmp -n 10 "$random" reader.out
    is_removed "$shmid"
}

@test "without a stdout the listener does not claim success" {
    start_with '>&-' listener listener-stream
    listener_waits
    start talker talker-stream <"$random"
    finish listener 1
    grep -x "listener-stream: write to stdout, after 0 bytes: Bad file descriptor" listener.err
    finish talker 1
    grep 'cannot write: Bad file descriptor$' talker.err
}

@test "an error that only close(2) reports is no success" {
    requires_strace
    resolve listener-stream
    start listener strace -o listener.strace -P "$PWD/listener.out" -e trace=close -e inject=close:error=EIO "${command[@]}"
    listener_waits
    start talker talker-stream <"$random"
    finish listener 1
    grep -x "listener-stream: close stdout, after 4194304 bytes: Input/output error" listener.err
    finish talker 1
    grep 'cannot write: Input/output error$' talker.err
}

@test "a failed read is not taken for the end of the data" {
    start_receiver
    start_with '<&-' talker talker-stream
    finish talker 1
    expect_lines talker.err 'talker-stream: read from stdin, after 0 bytes: Bad file descriptor'
    finish listener 3

    start_receiver
    start talker talker-stream <.
    finish talker 1
    expect_lines talker.err 'talker-stream: read from stdin, after 0 bytes: Is a directory'
    finish listener 3
    has_size listener.out 0
}

@test "a disk that fails in the middle of the input is reported" {
    requires_strace
    start_receiver
    resolve talker-stream -v --hold room:3
    start talker strace -o talker.strace -P "$random" -e trace=read -e inject=read:error=EIO:when=3 "${command[@]}" <"$random"
    wait_for_line talker.err 'stopped before room'
    wait_for_size listener.out $((2 * slot))
    pid=$(sed -nE 's/.* stopped before .*-CONT ([0-9]+)".*/\1/p' talker.err)
    until_true send_on_until_gone "$pid" # while it is traced, its state does not show a stop
    finish talker 1
    grep -Fx "talker-stream: read from stdin, after $((2 * slot)) bytes: Input/output error" talker.err
    finish listener 3
    broke_off_after $((2 * slot)) "the talker \(PID $pid\) went away"
}
