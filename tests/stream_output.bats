#!/usr/bin/env bats
# stream_output.bats - what both sides of a stream print: closing lines, progress, narration.
# shellcheck disable=SC2154,SC2034 # start sets NAME_pid; stream.bash reads the options set here

load helpers
load stream

@test "each side prints at most two lines, and the talker no stdout" {
    stream "$random"
    expect_lines talker.out
    [ "$(wc -l <talker.err)" -eq 1 ]
    [ "$(wc -l <listener.err)" -eq 2 ]
    sed -n 1p listener.err |
        grep -Ex "listener: waiting for a talker \(pid $listener_pid, key $(key_of shmfile 1), shmid $shmid\)"
}

@test "--progress shows bytes and rate, and for a known size share and time" {
    stream "$random" # too fast for a progress line
    run ! grep /s, listener.err
    start_receiver --progress
    start_held talker loaded:8 talker-stream --progress <"$random"
    sleep 1.1 # a progress line comes after a second
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
    for side in talker listener; do
        grep -Ex "$side: 2\.0 MiB, [0-9.]+ [KM]iB/s, 50%, [0-9]+ s left" "$side.err"
        run ! grep $'\r' "$side.err"
    done

    mkfifo in
    exec 7<>in
    start_receiver
    echo word >&7
    start_held talker loaded talker-stream --progress <in
    sleep 1.1
    kill -CONT "$talker_pid"
    exec 7>&-
    finish talker 0
    finish listener 0
    grep -Ex "talker: 5 bytes, [0-9]+ bytes/s" talker.err
    [ "$(wc -l <listener.err)" -eq 2 ]
}

# The talker on a terminal, which typescript records. The test feeds it through `in`.
start_on_terminal() { # [TALKER OPTION]...
    requires_terminal
    start_receiver
    resolve talker-stream "$@"
    mkfifo in
    exec 7<>in
    echo 'echo $$ >talker.pid; exec '"$(printf '%q ' "${command[@]}") <in" >run.sh
    # exec, because some shells print on the terminal by which signal a child died.
    start terminal script -qefc 'exec sh run.sh' typescript </dev/null
}

line_is_shown() {
    until_true feeds_until_shown || fail "waited for a line of progress"
}

feeds_until_shown() {
    echo word >&7
    grep -q 'bytes/s' typescript
}

# What a terminal shows in the end: each row without what was overwritten.
screen() {
    sed '1{/^Script started/d}; ${/^Script done/d}' typescript | awk -v RS='\n' '
        {
            sub(/\r+$/, "")
            count = split($0, parts, "\r")
            row = ""
            for (i = 1; i <= count; i++)
                row = parts[i] substr(row, length(parts[i]) + 1)
            sub(/ +$/, "", row)
            if (row != "") print row
        }'
}

@test "a terminal's progress line is renewed in place, then replaced" {
    start_on_terminal
    line_is_shown
    exec 7>&-
    finish terminal 0
    finish listener 0
    [ "$(grep -c 'bytes/s' typescript)" -eq 1 ]
    screen >shown
    [ "$(wc -l <shown)" -eq 1 ] || fail "shown is:" "$(cat shown)"
    grep -E '^talker: sent [0-9]+ bytes in ' shown
}

@test "a break or a signal leaves no progress line on a terminal" {
    start_on_terminal
    line_is_shown
    kill -KILL "$listener_pid"
    finish listener 137
    finish terminal 3
    screen | expect_lines - "talker-stream: the listener (PID $listener_pid) went away"

    rm typescript in
    start_on_terminal
    line_is_shown
    kill -TERM "$(cat talker.pid)"
    finish listener 3
    finish terminal 143
    screen | expect_lines -
}

@test "a narrated run shows no progress line on a terminal" {
    start_on_terminal -v
    echo one >&7
    wait_for_size listener.out 4
    sleep 0.3 # a progress line would come after 0.2 s
    echo two >&7
    wait_for_size listener.out 8
    exec 7>&-
    finish terminal 0
    finish listener 0
    grep -F 'read(0, "two\n"' typescript
    run ! grep 'bytes/s' typescript
}

start_straced() { # NAME [OPTION]...
    resolve "$1-stream" "${@:2}"
    start "$1" strace -o "$1.strace" -e trace=shmget,shmat,shmdt,shmctl,kill,rt_sigsuspend "${command[@]}"
}

@test "-v and strace show the same calls; the closing line counts them right" {
    requires_strace
    start_straced listener -v
    listener_waits
    start_straced talker -v <"$random"
    finish talker 0
    finish listener 0
    cmp "$random" listener.out
    for side in listener talker; do
        diff <(narrated_calls "$side") <(straced_calls "$side") || fail "$side: narrated (<), strace (>)"
        [ "$(grep -c '^rt_sigsuspend' "$side.strace")" -ge "$(in_closing_line "$side.err" slept)" ]
    done
    [ "$(grep -c '^kill(.*SIGUSR1' listener.strace)" -eq "$(in_closing_line listener.err 'signals sent')" ]
    met=1 # the talker's first signal says that it has started
    [ "$(grep -c '^kill(.*SIGUSR1' talker.strace)" -eq $((met + $(in_closing_line talker.err 'signals sent'))) ]
}

@test "a busy side does not sleep for every slot" {
    for _ in {1..4}; do cat "$random"; done >data
    stream data --slots 64 --slot-size 4096
    slots=4096
    for side in listener talker; do
        [ "$(in_closing_line "$side.err" slept)" -lt $((slots / 2)) ]
        [ "$(in_closing_line "$side.err" 'signals sent')" -lt $((slots / 2)) ]
    done
}

@test "--explain prints each sentence, and --step takes both sides through" {
    head -c $((2 * slot)) "$random" >data
    start listener listener-stream --step --explain
    until grep -q waiting listener.err; do send_on "$listener_pid"; done
    start talker talker-stream --step --explain <data
    while is_running "$talker_pid" || is_running "$listener_pid"; do
        send_on "$talker_pid"
        send_on "$listener_pid"
    done
    finish talker 0
    finish listener 0
    cmp data listener.out
    for side in listener talker; do
        sed -n 's/^[^ ]* # //p' "$side.err" | sort -u |
            diff <(explanations "$ROOT/$side/stream.c" | sort -u | grep -v '^Say why, and signal') -
    done
}

send_on() { # PID
    if in_state "$1" T; then kill -CONT "$1"; else sleep 0.01; fi
}

@test "a run passes each point that --help lists, and -v shows it" {
    talker_options=(-v)
    stream "$random" -v
    for side in talker listener; do
        points=$("$BUILD/$side-stream" --help | sed -n 's/^POINT is .*one of: //p')
        [ -n "$points" ]
        for point in $points; do
            grep -F "] point $point" "$side.err" || fail "$side never passed $point"
        done
    done
}

@test "a read or a write that waits is narrated once, not at every tick" {
    mkfifo in
    exec 7<>in
    start_receiver
    start talker talker-stream -v <in
    sleep 0.3 # six ticks
    echo word >&7
    wait_for_size listener.out 5
    exec 7>&-
    finish talker 0
    finish listener 0
    [ "$(grep -c '] read(0, .* = -1 EINTR' talker.err)" -le 3 ] # once, and again after each narrated SIGUSR1
    grep -F '] read(0, "word\n", 262144) = 5' talker.err
}
