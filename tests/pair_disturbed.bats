#!/usr/bin/env bats
# pair_disturbed.bats - the pair when a signal comes, a process dies or is stopped, or output cannot be written.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup_file() {
    ! command -v "${CC:-cc}" >/dev/null || "${CC:-cc}" -o "$BATS_FILE_TMPDIR/storm" "$BATS_TEST_DIRNAME/storm.c"
}

setup() { common_setup; }
teardown() { common_teardown; }

# The talker waits for its answer, and the listener for somebody to type it.
start_conversation() {
    [ -p replies ] || mkfifo replies
    exec 7<>replies
    start_listener --interactive <replies
    start talker talker Hello
    wait_for_line listener.out 'received: Hello'
}

# The listener waits for the talker's next line, and the talker for somebody to type it.
start_chat() { # [LISTENER OPTION]...
    [ -p lines ] || mkfifo lines
    exec 7<>lines
    start_listener "$@"
    start talker talker --chat <lines
    echo one >&7
    wait_for_line talker.out 'listener said'
}

# NAME stands still, just before something is done.
start_held() { # NAME PROGRAM POINT [ARGUMENT]...
    local pid=$1_pid
    start "$1" "$2" --hold "${@:3}"
    wait_for_state "${!pid}" T
}

# The listener is held at POINT, in a conversation.
start_held_in_conversation() { # POINT
    start_listener --hold "$1"
    start talker talker
    wait_for_state "$listener_pid" T
}

# A third process that sends signals to each PID, over and over, until one of them is gone.
start_storm() { # SIGNAL,... PID...
    [ -x "$BATS_FILE_TMPDIR/storm" ] || skip "no C compiler for tests/storm.c"
    local numbers
    numbers=$(for name in ${1//,/ }; do kill -l "$name"; done)
    start storm "$BATS_FILE_TMPDIR/storm" "${numbers//[[:space:]]/,}" "${@:2}"
    wait_for_line storm.out 'it blows'
}

at_once=200000 # the contract's 0.2 s, in microseconds

# VICTIM is killed, and SURVIVOR goes on if it was held. At most 0.2 s later it has ended with 3, and said who went;
# nothing stays behind.
outlives() { # SURVIVOR VICTIM
    local survivor=$1_pid victim=$2_pid shmid held=no began took status
    shmid=$(shmid_of listener)
    ! in_state "${!survivor}" T || held=yes
    began=${EPOCHREALTIME/[.,]/} # in microseconds; to start a process meanwhile would take its own time
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

# A parent that does not ask how its child ended: killed, it stays a zombie. Sets `child`; what it says is in child.out.
start_careless_parent() { # COMMAND...
    start parent sh -c 'exec 4<&0; "$@" <&4 >child.out & echo "$!"; exec sleep "$0"' "$DEADLINE" "$@"
    wait_for_line parent.out '^[0-9]+$'
    child=$(cat parent.out)
}

# A signal that asks NAME to end: it dies of it.
dies_of() { # SIGNAL NAME
    local pid=$2_pid
    kill -"$1" "${!pid}"
    ! in_state "${!pid}" T || kill -CONT "${!pid}"
    finish "$2" $((128 + $(kill -l "$1")))
}

# ---- signals that ask to end

@test "SIGINT, SIGTERM or SIGHUP while the listener waits for a talker" {
    for signal in INT TERM HUP; do
        start_listener
        shmid=$(shmid_of listener)
        dies_of "$signal" listener
        run ! segment_exists "$shmid"
        expect_lines listener.err
    done
}

@test "SIGINT, SIGTERM or SIGHUP while the listener waits for a word: its talker is told" {
    for signal in INT TERM HUP; do
        start_chat
        shmid=$(shmid_of listener)
        dies_of "$signal" listener
        finish talker 3
        grep "PID $listener_pid\>" talker.err
        run ! segment_exists "$shmid"
    done
}

@test "SIGINT, SIGTERM or SIGHUP while a reply is typed: its talker is told" {
    for signal in INT TERM HUP; do
        start_conversation
        dies_of "$signal" listener
        finish talker 3
        grep "PID $listener_pid\>" talker.err
    done
}

@test "SIGINT, SIGTERM or SIGHUP while the talker waits for a listener" {
    for signal in INT TERM HUP; do
        start talker talker --wait -v
        wait_for_line talker.err 'sigsuspend'
        dies_of "$signal" talker
    done
}

@test "SIGINT, SIGTERM or SIGHUP while the talker waits for its answer" {
    for signal in INT TERM HUP; do
        start_conversation
        shmid=$(shmid_of listener)
        dies_of "$signal" talker
        finish listener 3
        grep "PID $talker_pid\>" listener.err
        run ! segment_exists "$shmid"
    done
}

@test "SIGINT, SIGTERM or SIGHUP while the talker waits for a line to say" {
    for signal in INT TERM HUP; do
        start_chat
        dies_of "$signal" talker
        finish listener 3
        grep "PID $talker_pid\>" listener.err
    done
}

@test "a signal that asks to end at any call of the listener leaves no segment" {
    for held in setitimer/INT ftok/TERM shmget/HUP shmat/INT sigsuspend/TERM; do
        start_held listener listener "${held%/*}"
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

@test "a signal that asks to end at any call of the talker leaves a listener that serves the next" {
    start_listener --keep
    for held in setitimer/INT ftok/TERM shmget/HUP shmctl/INT shmat/TERM shmdt/HUP kill/INT; do
        start_held talker talker "${held%/*}"
        dies_of "${held#*/}" talker
    done
    ends 0 talker
    stop listener
}

@test "a second signal while the first is obeyed changes nothing" {
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

@test "the handshake dies of the signal that ends it, and leaves no segment" {
    for signal in INT TERM HUP; do
        start_held listener listener-handshake sigsuspend
        dies_of "$signal" listener
        [ -z "$(own_segments)" ]
    done
    start listener listener-handshake
    wait_for_line listener.out waiting
    start_held talker talker-handshake kill
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

# ---- death without a word

@test "the listener is killed while a reply is typed" {
    start_conversation
    outlives talker listener
}

@test "the listener is killed while the talker waits for a line to say" {
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

@test "the listener is killed when its reply is there and it has not rung yet: the reply is read" {
    only_ours
    for point in published:2 kill:3; do
        start_listener --hold "$point"
        start_held talker talker reading
        wait_for_state "$listener_pid" T
        outlives talker listener
        grep 'listener said: Have a nice day' talker.out
    done
}

@test "the talker is killed while it waits for its answer" {
    start_conversation
    outlives listener talker
}

@test "the talker is killed while the listener waits for a word" {
    start_chat
    outlives listener talker
}

@test "the talker is killed between publish and kill, and before and while it reads" {
    only_ours
    for point in invited published kill:3 reading; do
        start_listener
        start_held talker talker "$point"
        outlives listener talker
    done
}

@test "what a talker published before it was killed is heard" {
    only_ours
    start_listener
    start_held talker talker published "last words"
    outlives listener talker
    grep 'received: last words' listener.out
}

@test "a kept listener says within 0.2 s that its talker was killed, and serves the next" {
    only_ours
    mkfifo errors
    exec 7<>errors
    start listener sh -c 'exec "$0" --keep --timeout "$1" 2>errors' "$LISTENER" "$DEADLINE"
    wait_for_line listener.out waiting
    for point in invited published reading; do
        start_held talker talker "$point"
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

@test "a talker that is killed and that nobody waits for, a zombie, is gone" {
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

@test "a listener that is a zombie is gone: its talker cleans up, and the next has its key" {
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

# ---- strays

@test "a storm of stray SIGUSR1 during a chat of 1,000 lines: every line arrives once, in order" {
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

@test "a storm of stray SIGALRM, SIGCHLD, SIGWINCH and SIGCONT changes nothing either" {
    without_leak_search # a SIGCONT discards the SIGSTOP that it waits for, and it waits for ever
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

@test "a storm of SIGALRM does not keep a survivor from noticing" {
    start_conversation
    start_storm ALRM "$talker_pid"
    outlives talker listener
}

# ---- stopped, and silent

@test "the listener is stopped for a while by somebody else, and then the chat goes on" {
    start_chat
    kill -STOP "$listener_pid"
    wait_for_state "$listener_pid" T
    echo two >&7
    wait_for_line talker.out 'said: two'
    sleep 0.3 # long enough to take it for dead
    kill -CONT "$listener_pid"
    exec 7>&-
    finish talker 0
    finish listener 0
    [ "$(grep -c 'listener said' talker.out)" -eq 2 ]
}

@test "the talker is stopped for a while by somebody else, and then the chat goes on" {
    start_chat
    kill -STOP "$talker_pid"
    wait_for_state "$talker_pid" T
    echo two >&7
    sleep 0.3 # long enough to take it for dead
    is_running "$listener_pid"
    kill -CONT "$talker_pid"
    exec 7>&-
    finish talker 0
    finish listener 0
    [ "$(grep -c 'received' listener.out)" -eq 2 ]
}

@test "a listener that somebody has stopped is silent: the talker gives up, and the next is served" {
    start_listener --keep
    kill -STOP "$listener_pid"
    ends 3 talker --timeout 0.2
    grep '\<0\.2\>' talker.err
    kill -CONT "$listener_pid"
    ends 0 talker again
    stop listener
    run ! grep -q "Hello" listener.out
}

@test "a talker that somebody has stopped is silent: the listener gives up, and leaves no segment" {
    start_chat --timeout 1.5
    shmid=$(shmid_of listener)
    kill -STOP "$talker_pid"
    finish listener 3
    grep '\<1\.5\>' listener.err
    segment_exists "$shmid" # until the last detach
    kill -CONT "$talker_pid"
    finish talker 3
    run ! segment_exists "$shmid"
}

@test "no reply within the timeout: the talker gives up, or the listener, whoever has one" {
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

@test "no line to say within the timeout: the talker gives up, and a kept listener goes on" {
    mkfifo lines
    exec 7<>lines
    start_listener --keep
    ends 3 talker --chat --timeout 0.2 <lines
    grep '\<0\.2\>' talker.err
    ends 0 talker
    stop listener
}

@test "each word is progress: a chat may last longer than the timeout" {
    start_chat --timeout 2
    for word in two three four five six seven eight nine; do
        sleep 0.3
        echo "$word" >&7
    done
    exec 7>&-
    finish talker 0
    finish listener 0
}

# ---- output that nobody takes, input that is not there

# The program's output goes into the pipe FIFO, what else it says to NAME.err.
start_into() { # FIFO NAME PROGRAM [OPTION]...
    start "$2" sh -c 'exec "$@" --timeout '"$DEADLINE >$1" sh "${@:3}"
}

# Nothing more goes into FIFO, which the test has open as 7.
fill() { # FIFO
    dd if=/dev/zero of="$1" oflag=nonblock bs=4096 count=1000 2>/dev/null || :
    dd if=/dev/zero of="$1" oflag=nonblock bs=1 count=5000 2>/dev/null || :
}

@test "the listener's output is read no more: it dies of SIGPIPE, and leaves no segment" {
    mkfifo output
    start_into output listener "$LISTENER" --keep
    read -r line <output
    [[ $line = "listener: waiting for a talker"* ]]
    ends 3 talker
    finish listener 141
    grep "PID $listener_pid\>" talker.err
    [ -z "$(own_segments)" ]
}

@test "the talker's output is read no more: it dies of SIGPIPE, and the next is served" {
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

@test "output that is closed, or full, is a failure, and leaves no segment" {
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

@test "input that is closed is a failure of whoever wants to read it" {
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

@test "a trace does not take the place of an output that is closed" {
    ends 1 sh -c 'exec "$0" --timeout 1 --trace trace >&-' "$LISTENER"
    run ! grep -v "$(printf '\t')" trace
}

@test "Ctrl-C works while the output is a full pipe" {
    mkfifo output
    exec 7<>output
    fill output
    for signal in INT TERM HUP; do
        start_into output listener "$LISTENER" --trace "$signal.trace"
        wait_for_line "$signal.trace" 'publish magic' # what comes next is a line of output
        dies_of "$signal" listener
        [ -z "$(own_segments)" ]
    done
}

@test "Ctrl-C works while the narration is a full pipe, already asleep or not yet" {
    only_ours
    mkfifo narration
    exec 7<>narration
    narrating() { # TRACE
        start listener sh -c 'exec "$0" --timeout "$1" -v --trace "$2" 2>narration' "$LISTENER" "$DEADLINE" "$1"
    }
    narrating first.trace
    wait_for_line first.trace 'point ready' # it says no more, and sleeps
    fill narration
    dies_of INT listener
    narrating second.trace
    until_true [ -e second.trace ] # what comes next is a line of narration
    dies_of TERM listener
    [ -z "$(own_segments)" ]
}
