#!/usr/bin/env bats
# pair_disturbed.bats - the pair when a signal comes, a process dies or is stopped, or output cannot be written.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup() { common_setup; }
teardown() { common_teardown; }

# The talker waits for its answer, and the listener for a typed reply.
start_conversation() {
    [ -p replies ] || mkfifo replies
    exec 7<>replies
    start_listener --interactive <replies
    start talker talker Hello
    wait_for_line listener.out 'received: Hello'
}

# The listener waits for the talker's next line, and the talker for typed input.
start_chat() { # [LISTENER OPTION]...
    [ -p lines ] || mkfifo lines
    exec 7<>lines
    start_listener "$@"
    start talker talker --chat <lines
    echo one >&7
    wait_for_line talker.out 'listener said'
}

# The listener is held at POINT, in a conversation.
start_held_in_conversation() { # POINT
    start_listener --hold "$1"
    start talker talker
    wait_for_state "$listener_pid" T
}

# A third process sends signals to each PID, over and over, until one of them has ended.
start_storm() { # SIGNAL,... PID...
    [ -x storm ] || compile storm
    local numbers
    numbers=$(for name in ${1//,/ }; do kill -l "$name"; done)
    start storm ./storm "${numbers//[[:space:]]/,}" "${@:2}"
    wait_for_line storm.out 'it blows'
}

# From now on neither we nor PID wait for a CPU, whatever else the machine does, if the system lets us ask for that. Sets
# at_once, in microseconds, to the contract's 0.2 s, or to 2 s where a busy machine may add to them.
measure_with() { # PID
    at_once=2000000
    for pid in "$1" "$BASHPID"; do
        chrt -f -p 1 "$pid" 2>/dev/null || return 0
    done
    at_once=200000
}

# VICTIM is killed, and SURVIVOR continues if it was held. At most 0.2 s later it ends with 3 and names VICTIM's PID;
# no segment is left.
outlives() { # SURVIVOR VICTIM
    local survivor=$1_pid victim=$2_pid shmid held=no began took status at_once
    shmid=$(shmid_of listener)
    ! in_state "${!survivor}" T || held=yes
    measure_with "${!survivor}"
    began=${EPOCHREALTIME/[.,]/} # in microseconds; no date(1): starting it would take time
    kill -KILL "${!victim}"
    if [ "$held" = yes ]; then wait_gone "${!victim}" && kill -CONT "${!survivor}"; fi
    reap "$1"
    took=$((${EPOCHREALTIME/[.,]/} - began))
    finish "$2" 137
    [ "$status" -eq 3 ] || { show "$1" && fail "$1: status $status, not 3"; }
    [ "$took" -le "$at_once" ] || fail "it took the $1 $took microseconds to notice that the $2 was killed"
    grep -E "PID ${!victim}\>" "$1.err"
    run ! segment_exists "$shmid"
}

# A parent that never waits for its child, so a dead child stays a zombie. Sets `child`; its output is in child.out.
start_careless_parent() { # COMMAND...
    start parent sh -c 'exec 4<&0; "$@" <&4 >child.out & echo "$!"; exec sleep "$0"' "$DEADLINE" "$@"
    wait_for_line parent.out '^[0-9]+$'
    child=$(cat parent.out)
}

# NAME gets SIGNAL, and dies of it.
dies_of() { # SIGNAL NAME
    local pid=$2_pid
    kill -"$1" "${!pid}"
    ! in_state "${!pid}" T || kill -CONT "${!pid}"
    finish "$2" $((128 + $(kill -l "$1")))
}

# ---- terminating signals

@test "SIGINT, SIGTERM and SIGHUP end a listener that waits for a talker" {
    for signal in INT TERM HUP; do
        start_listener
        shmid=$(shmid_of listener)
        dies_of "$signal" listener
        run ! segment_exists "$shmid"
        expect_lines listener.err
    done
}

@test "signals that timers and limits send end it too, and leave no segment" {
    only_ours
    for signal in USR2 XCPU VTALRM PROF IO; do
        start_listener
        shmid=$(shmid_of listener)
        dies_of "$signal" listener
        is_removed "$shmid"
    done
}

@test "such a signal changes nothing where it was ignored at the start" {
    only_ours
    env --ignore-signal=USR2 true 2>/dev/null || skip "env cannot ignore signals here"
    start listener env --ignore-signal=USR2,XCPU "$LISTENER" -t "$DEADLINE"
    wait_for_line listener.out 'waiting for a talker'
    kill -USR2 "$listener_pid"
    kill -XCPU "$listener_pid"
    ends 0 talker
    finish listener 0
}

@test "they end a listener that waits for a message; the talker reports it" {
    for signal in INT TERM HUP; do
        start_chat
        shmid=$(shmid_of listener)
        dies_of "$signal" listener
        finish talker 3
        grep "PID $listener_pid\>" talker.err
        run ! segment_exists "$shmid"
    done
}

@test "they end a listener that waits for a typed reply; the talker reports it" {
    for signal in INT TERM HUP; do
        start_conversation
        dies_of "$signal" listener
        finish talker 3
        grep "PID $listener_pid\>" talker.err
    done
}

@test "SIGINT, SIGTERM and SIGHUP end a talker that waits for a listener" {
    for signal in INT TERM HUP; do
        start talker talker --wait -v
        wait_for_line talker.err 'sigsuspend'
        dies_of "$signal" talker
    done
}

@test "SIGINT, SIGTERM and SIGHUP end a talker that waits for its answer" {
    for signal in INT TERM HUP; do
        start_conversation
        shmid=$(shmid_of listener)
        dies_of "$signal" talker
        finish listener 3
        grep "PID $talker_pid\>" listener.err
        run ! segment_exists "$shmid"
    done
}

@test "SIGINT, SIGTERM and SIGHUP end a talker that waits for a line to send" {
    for signal in INT TERM HUP; do
        start_chat
        dies_of "$signal" talker
        finish listener 3
        grep "PID $talker_pid\>" listener.err
    done
}

@test "a terminating signal at any call of the listener leaves no segment" {
    for held in setitimer/INT ftok/TERM shmget/HUP shmat/INT sigsuspend/TERM; do
        start_held listener "${held%/*}" listener
        dies_of "${held#*/}" listener
        [ -z "$(own_segments)" ]
    done
    for held in kill/HUP shmdt/INT shmctl/TERM; do
        start_held_in_conversation "${held%/*}"
        dies_of "${held#*/}" listener
        wait_gone "$talker_pid"
        [ -z "$(own_segments)" ]
    done
}

@test "after a terminating signal at any call of a talker the next is served" {
    start_listener --keep
    for held in setitimer/INT ftok/TERM shmget/HUP shmctl/INT shmat/TERM shmdt/HUP kill/INT; do
        start_held talker "${held%/*}" talker
        dies_of "${held#*/}" talker
    done
    ends 0 talker
    stop listener
}

@test "a second terminating signal changes nothing" {
    start_chat
    shmid=$(shmid_of listener)
    kill -STOP "$listener_pid"
    for signal in HUP TERM INT TERM; do kill -"$signal" "$listener_pid"; done
    kill -CONT "$listener_pid"
    reap listener
    [[ $status = 129 || $status = 130 || $status = 143 ]]
    finish talker 3
    run ! segment_exists "$shmid"
}

@test "the handshake dies of a terminating signal, and leaves no segment" {
    for signal in INT TERM HUP; do
        start_held listener sigsuspend listener-handshake
        dies_of "$signal" listener
        [ -z "$(own_segments)" ]
    done
    start_listener_of handshake
    start_held talker kill talker-handshake
    dies_of INT talker
    wait_gone "$listener_pid"
    [ -z "$(own_segments)" ]
}

@test "SIGHUP changes nothing under nohup, however late it comes" {
    for call in sigsuspend shmdt shmctl; do
        start listener nohup "$LISTENER" --timeout "$DEADLINE" --hold "$call"
        wait_for_line listener.out waiting
        start talker talker
        wait_for_state "$listener_pid" T
        kill -HUP "$listener_pid"
        kill -CONT "$listener_pid"
        finish listener 0
        finish talker 0
    done
}

# ---- SIGKILL

@test "the listener is killed while it waits for a typed reply" {
    start_conversation
    outlives talker listener
}

@test "the listener is killed while the talker waits for a line to send" {
    start_chat
    outlives talker listener
}

@test "the listener is killed between publish and kill, and while it reads" {
    only_ours
    for point in published kill:2 reading; do
        start_held_in_conversation "$point"
        outlives talker listener
    done
}

@test "the talker reads a reply whose listener was killed before it rang" {
    only_ours
    for point in published:2 kill:3; do
        rm -f replies && mkfifo replies
        exec 7<>replies
        start_listener --interactive --hold "$point" <replies
        start talker talker
        wait_for_line listener.out 'received'
        wait_for_state "$talker_pid" S # it has looked, and sleeps until it is signalled
        echo 'Have a nice day' >&7
        wait_for_state "$listener_pid" T
        run ! grep 'listener said' talker.out
        outlives talker listener
        grep 'listener said: Have a nice day' talker.out
        exec 7>&-
    done
}

@test "the talker is killed while it waits for its answer" {
    start_conversation
    outlives listener talker
}

@test "the talker is killed while the listener waits for a message" {
    start_chat
    outlives listener talker
}

@test "the talker is killed around its publish and kill, and at its read" {
    only_ours
    for point in invited published kill:3 reading; do
        start_listener
        start_held talker "$point" talker
        outlives listener talker
    done
}

@test "a message published before its talker was killed is received" {
    only_ours
    start_listener
    start_held talker published talker "last words"
    outlives listener talker
    grep 'received: last words' listener.out
}

@test "a listener with --keep reports a killed talker within 0.2 s" {
    only_ours
    mkfifo errors
    exec 7<>errors
    start listener sh -c 'exec "$0" --keep --timeout "$1" 2>errors' "$LISTENER" "$DEADLINE"
    wait_for_line listener.out waiting
    for point in invited published reading; do
        start_held talker "$point" talker
        measure_with "$listener_pid"
        began=${EPOCHREALTIME/[.,]/}
        kill -KILL "$talker_pid"
        read -t "$DEADLINE" -r line <&7
        took=$((${EPOCHREALTIME/[.,]/} - began))
        [[ "$line " = *"PID $talker_pid"[^0-9]* ]]
        [ "$took" -le "$at_once" ] || fail "it took the listener $took microseconds to notice"
        finish talker 137
        ends 0 talker "after $point"
    done
    stop listener
}

@test "a killed talker that is still a zombie is gone" {
    mkfifo lines
    exec 7<>lines
    start_listener
    start_careless_parent "$TALKER" --chat --timeout "$DEADLINE" <lines
    echo one >&7
    wait_for_line child.out 'listener said'
    kill -KILL "$child"
    finish listener 3
    in_state "$child" Z
    grep "PID $child\>" listener.err
    stop parent
}

@test "a zombie listener is gone: its talker cleans up, and the key is free" {
    mkfifo replies
    exec 7<>replies
    start_careless_parent "$LISTENER" --interactive --timeout "$DEADLINE" <replies
    shmid=$(shmid_of child)
    start talker talker
    wait_for_line child.out received
    kill -KILL "$child"
    finish talker 3
    in_state "$child" Z
    run ! segment_exists "$shmid"
    start_listener
    ends 0 talker
    finish listener 0
    stop parent
}

# ---- stray signals

@test "stray SIGUSR1 do not harm a chat of 1,000 lines" {
    mkfifo lines
    exec 7<>lines
    start_listener --trace listener.trace
    start talker talker --chat --trace talker.trace <lines
    echo 1 >&7
    wait_for_line talker.out 'listener said'
    start_storm USR1 "$listener_pid" "$talker_pid"
    seq 2 1000 >&7
    exec 7>&-
    finish talker 0
    finish listener 0
    seq 1000 | diff - <(sed -n 's/^listener: received: //p' listener.out)
    seq 1000 | diff - <(sed -n 's/^talker: said: //p' talker.out)
    [ "$(grep -c '^talker: listener said: Have a nice day$' talker.out)" -eq 1000 ]
    grep -q "SIGUSR1 from $storm_pid" listener.trace
    grep -q "SIGUSR1 from $storm_pid" talker.trace
}

@test "stray SIGALRM, SIGCHLD, SIGWINCH and SIGCONT change nothing either" {
    without_leak_search # SIGCONT discards the SIGSTOP that its tracer waits for
    mkfifo lines
    exec 7<>lines
    start_listener
    start talker talker --chat <lines
    echo 1 >&7
    wait_for_line talker.out 'listener said'
    start_storm ALRM,CHLD,WINCH,CONT "$listener_pid" "$talker_pid"
    seq 2 1000 >&7
    exec 7>&-
    finish talker 0
    finish listener 0
    seq 1000 | diff - <(sed -n 's/^listener: received: //p' listener.out)
    [ "$(grep -c '^talker: listener said: Have a nice day$' talker.out)" -eq 1000 ]
}

@test "a storm of SIGALRM makes a timeout neither early nor late" {
    compile storm # before the talker's second begins
    mkfifo replies
    exec 7<>replies
    start_listener --interactive --keep <replies
    began=$(milliseconds)
    start talker talker --timeout 1
    wait_for_line talker.out said
    start_storm ALRM "$talker_pid"
    finish talker 3
    took=$(($(milliseconds) - began))
    [ "$took" -ge 900 ] || fail "it gave up after $took ms"
    [ "$took" -le 4000 ] || fail "it gave up only after $took ms"
    stop listener
}

@test "a survivor notices a death in a storm of SIGALRM" {
    start_conversation
    start_storm ALRM "$talker_pid"
    outlives talker listener
}

# ---- stopped or silent processes

@test "a stopped listener continues, and the chat goes on" {
    start_chat
    kill -STOP "$listener_pid"
    wait_for_state "$listener_pid" T
    echo two >&7
    wait_for_line talker.out 'said: two'
    sleep 0.3 # longer than a death takes to be noticed
    kill -CONT "$listener_pid"
    exec 7>&-
    finish talker 0
    finish listener 0
    [ "$(grep -c 'listener said' talker.out)" -eq 2 ]
}

@test "a stopped talker continues, and the chat goes on" {
    start_chat
    kill -STOP "$talker_pid"
    wait_for_state "$talker_pid" T
    echo two >&7
    sleep 0.3 # longer than a death takes to be noticed
    is_running "$listener_pid"
    kill -CONT "$talker_pid"
    exec 7>&-
    finish talker 0
    finish listener 0
    [ "$(grep -c 'received' listener.out)" -eq 2 ]
}

@test "the talker gives up on a stopped listener, and the next is served" {
    start_listener --keep
    kill -STOP "$listener_pid"
    ends 3 talker --timeout 0.2
    grep '\<0\.2\>' talker.err
    kill -CONT "$listener_pid"
    ends 0 talker again
    stop listener
    run ! grep -q "Hello" listener.out
}

@test "the listener gives up on a stopped talker, and leaves no segment" {
    start_chat --timeout 1.5
    shmid=$(shmid_of listener)
    kill -STOP "$talker_pid"
    finish listener 3
    grep '\<1\.5\>' listener.err
    segment_exists "$shmid" # it exists until the last detach
    kill -CONT "$talker_pid"
    finish talker 3
    run ! segment_exists "$shmid"
}

@test "without a reply within the timeout the side with the timeout gives up" {
    mkfifo replies
    exec 7<>replies
    start_listener --interactive --keep <replies
    ends 3 talker --timeout 0.2
    grep '\<0\.2\>' talker.err
    stop listener
    start_listener --interactive --timeout 1.5 <replies
    ends 3 talker
    finish listener 3
    grep '\<1\.5\>' listener.err
}

@test "without a line within the timeout the talker gives up" {
    mkfifo lines
    exec 7<>lines
    start_listener --keep
    ends 3 talker --chat --timeout 0.2 <lines
    grep '\<0\.2\>' talker.err
    ends 0 talker
    stop listener
}

@test "each message is progress: a chat may last longer than the timeout" {
    start_chat --timeout 2
    for word in two three four five six seven eight nine; do
        sleep 0.3
        echo "$word" >&7
    done
    exec 7>&-
    finish talker 0
    finish listener 0
}

# ---- output without a reader, missing input

# The program's stdout goes into the pipe FIFO, its stderr to NAME.err.
start_into() { # FIFO NAME PROGRAM [OPTION]...
    start "$2" sh -c 'exec "$@" --timeout '"$DEADLINE >$1" sh "${@:3}"
}

# Fills FIFO, which the test has open as descriptor 7.
fill() { # FIFO
    dd if=/dev/zero of="$1" oflag=nonblock bs=4096 count=1000 2>/dev/null || :
    dd if=/dev/zero of="$1" oflag=nonblock bs=1 count=5000 2>/dev/null || :
}

@test "a listener whose output has no reader dies of SIGPIPE, leaves no segment" {
    mkfifo output
    start_into output listener "$LISTENER" --keep
    read -r line <output
    [[ $line = "listener: waiting for a talker"* ]]
    ends 3 talker
    finish listener 141
    grep "PID $listener_pid\>" talker.err
    [ -z "$(own_segments)" ]
}

@test "a talker whose output has no reader dies of SIGPIPE; the next is served" {
    mkfifo lines output
    exec 7<>lines
    start_listener --keep
    start_into output talker "$TALKER" --chat <lines
    echo one >&7
    read -r line <output
    [ "$line" = "talker: said: one" ]
    echo two >&7
    finish talker 141
    wait_for_line listener.err "PID $talker_pid\>"
    ends 0 talker
    stop listener
}

@test "closed or full output is a failure, and leaves no segment" {
    start_listener --keep
    for to in '&-' /dev/full; do
        ends 1 sh -c "exec \"\$0\" --keep --project 2 >$to" "$LISTENER"
        [ "$(wc -l <sh.err)" -eq 1 ]
        [ "$(own_segments)" = "$(shmid_of listener)" ]
        ends 1 sh -c "exec \"\$0\" >$to" "$TALKER"
        [ "$(wc -l <sh.err)" -eq 1 ]
    done
    ends 0 talker
    stop listener
}

@test "closed input is a failure for a program that reads it" {
    start_listener --keep
    ends 1 sh -c 'exec "$0" --chat <&-' "$TALKER"
    [ "$(wc -l <sh.err)" -eq 1 ]
    ends 0 talker
    stop listener
    start listener sh -c 'exec "$0" --interactive <&-' "$LISTENER"
    wait_for_line listener.out waiting
    ends 3 talker
    finish listener 1
    [ "$(wc -l <listener.err)" -eq 1 ]
}

@test "a trace does not take the place of a closed output" {
    ends 1 sh -c 'exec "$0" --timeout 1 --trace trace >&-' "$LISTENER"
    run ! grep -v "$(printf '\t')" trace
}

@test "Ctrl-C works while the output is a full pipe" {
    mkfifo output
    exec 7<>output
    fill output
    for signal in INT TERM HUP; do
        start_into output listener "$LISTENER" --trace "$signal.trace"
        wait_for_line "$signal.trace" 'publish magic' # its next write is a line of output
        dies_of "$signal" listener
        [ -z "$(own_segments)" ]
    done
}

@test "Ctrl-C works while the narration is a full pipe" {
    only_ours
    mkfifo narration
    exec 7<>narration
    narrating() { # TRACE
        start listener sh -c 'exec "$0" --timeout "$1" -v --trace "$2" 2>narration' "$LISTENER" "$DEADLINE" "$1"
    }
    narrating first.trace
    wait_for_line first.trace 'point ready' # it prints no more, and sleeps
    fill narration
    dies_of INT listener
    narrating second.trace
    until_true [ -e second.trace ] # its next write is a line of narration
    dies_of TERM listener
    [ -z "$(own_segments)" ]
}

# ---- who holds the others up, and who takes the segment away

@test "a talker that has the turn and says nothing loses it, and the next is served" {
    rm -f lines && mkfifo lines
    exec 7<>lines
    start_listener --keep --timeout 1
    start silent talker --chat <lines
    echo one >&7
    wait_for_line silent.out 'listener said'
    start next talker Hello
    start last talker Hello
    finish next 0
    finish last 0
    finish silent 3
    grep -F "the listener (PID $listener_pid) serves us no more" silent.err
    grep -F "no word from the talker (PID $silent_pid) within 1 s: it loses its turn" listener.err
    kill -s TERM "$listener_pid" # or it has given up: no talker came within 1 s
    reap listener
}

@test "a listener whose segment is removed says so and exits with 1" {
    requires ipcrm
    start_listener --keep
    shmid=$(shmid_of listener)
    ipcrm -m "$shmid"
    finish listener 1
    grep -E "^listener: segment $shmid was removed" listener.err
}

@test "a listener names the process that used its removed segment last" {
    requires ipcrm
    start_listener --keep
    shmid=$(shmid_of listener)
    ends 0 talker Hello
    ipcrm -m "$shmid"
    finish listener 1
    grep -F "segment $shmid was removed; PID $talker_pid used it last" listener.err
}

@test "SIGTERM ends a program also while its input never pauses" {
    start_listener --keep
    start talker talker --chat </dev/zero
    wait_for_state "$talker_pid" R
    kill -TERM "$talker_pid"
    finish talker 143
    ends 0 talker Hello
    stop listener
}

@test "Ctrl-\ removes the segment as Ctrl-C does" {
    ulimit -c 0
    start_listener
    shmid=$(shmid_of listener)
    kill -QUIT "$listener_pid"
    finish listener 131
    run ! segment_exists "$shmid"
}
