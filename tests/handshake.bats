#!/usr/bin/env bats
# handshake.bats - one message and one reply, with the plain system calls in their order.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup() { common_setup; }
teardown() { common_teardown; }

@test "one message and one reply arrive exactly, and nothing stays behind" {
    start_listener_of handshake
    shmid=$(shmid_of listener)
    ends 0 talker-handshake "Good morning"
    finish listener 0
    expect_lines listener.out \
        "listener: waiting for a talker (pid $listener_pid, key $(key_of shmfile 1), shmid $shmid)" \
        "listener: received: Good morning" \
        "listener: replied: Have a nice day"
    expect_lines talker.out "talker: said: Good morning" "talker: listener said: Have a nice day"
    expect_lines listener.err
    expect_lines talker.err
    run ! segment_exists "$shmid"
}

@test "without a message the talker introduces itself" {
    start_listener_of handshake
    ends 0 talker-handshake
    finish listener 0
    expect_lines talker.out "talker: said: Hello, I'm talker" "talker: listener said: Have a nice day"
}

@test "--file and --project choose another key" {
    start_listener_of handshake --file own.shmfile --project 200
    grep -F "key $(key_of own.shmfile 200)," listener.out
    refuses 3 listener talker-handshake --file own.shmfile
    ends 0 talker-handshake --file own.shmfile --project 200
    finish listener 0
}

@test "thirty handshakes in a row work, whichever side is faster" {
    for _ in {1..30}; do
        start_listener_of handshake
        ends 0 talker-handshake
        finish listener 0
    done
}

@test "the longest message fits; one byte more is refused with both sizes" {
    longest=$(printf '%01023d' 0)
    start_listener_of handshake
    refuses 1 '\<1024\>.*\<1023\>' talker-handshake "${longest}1"
    ends 0 talker-handshake "$longest"
    finish listener 0
    grep -qx "listener: received: $longest" listener.out
}

@test "without key file and segment the talker reports it and creates neither" {
    refuses 3 listener-handshake talker-handshake
    [ ! -e shmfile ]
    touch shmfile
    refuses 3 listener-handshake talker-handshake
}

@test "a listener without a talker gives up at its timeout" {
    start_listener_of handshake -t 0.2
    shmid=$(shmid_of listener)
    finish listener 3
    [ "$(wc -l <listener.err)" -eq 1 ]
    run ! segment_exists "$shmid"
}

@test "a second talker learns who came first, and disturbs nothing" {
    start_held listener sigsuspend listener-handshake
    start first talker-handshake one
    wait_for_line first.out said
    refuses 4 "\<$first_pid\>" talker-handshake two
    kill -CONT "$listener_pid"
    finish first 0
    finish listener 0
    grep -x 'listener: received: one' listener.out
}

@test "a second listener learns who came first, and disturbs nothing" {
    start_listener_of handshake
    refuses 4 "\<$listener_pid\>" listener-handshake
    ends 0 talker-handshake
    finish listener 0
}

@test "a talker of another lesson does not disturb the listener" {
    start_listener_of handshake
    refuses 1 lesson talker
    is_running "$listener_pid"
    ends 0 talker-handshake
    finish listener 0
    start_listener
    refuses 1 lesson talker-handshake
    ends 0 talker
    finish listener 0
}

@test "the next listener removes what a killed one left, and says so" {
    start_listener_of handshake
    shmid=$(shmid_of listener)
    kill -KILL "$listener_pid"
    finish listener 137
    refuses 3 listener-handshake talker-handshake
    start_listener_of handshake
    grep -x "listener-handshake: recovered: removed segment $shmid, which PID [0-9]* left behind" listener.err
    run ! segment_exists "$shmid"
    ends 0 talker-handshake
    finish listener 0
}

@test "a talker reports that its listener was killed" {
    start_held listener sigsuspend listener-handshake
    plant "$(shmid_of listener)"
    start talker talker-handshake Hello
    wait_for_line talker.out said
    kill -KILL "$listener_pid"
    finish talker 3
    finish listener 137
    grep "PID $listener_pid" talker.err
}

@test "a listener reports that its talker was killed, and cleans up" {
    start_held listener sigsuspend listener-handshake
    shmid=$(shmid_of listener)
    start talker talker-handshake Hello
    wait_for_line talker.out said
    kill -KILL "$talker_pid"
    finish talker 137
    kill -CONT "$listener_pid"
    finish listener 3
    grep "PID $talker_pid" listener.err
    run ! segment_exists "$shmid"
}

@test "no call carries the message: it passes through the shared memory" {
    requires_strace
    [ -z "${SANITIZE-}" ] || skip "a sanitizer reads its own command line"
    start listener strace -s 4096 -o listener.strace "$(lesson_program listener handshake)" -t "$DEADLINE"
    wait_for_line listener.out 'waiting for a talker'
    start talker strace -s 4096 -o talker.strace "$(lesson_program talker handshake)" -t "$DEADLINE" 'A word in memory'
    finish talker 0
    finish listener 0
    # The talker gets it on its command line, and both print it: no other call has it as an argument.
    grep -h 'A word in memory' talker.strace listener.strace | sed 's/(.*//' | sort | uniq -c | tr -s ' ' | expect_lines - \
        " 1 execve" " 2 write"
    grep -F 'write(1, "listener: received: A word in memory\n"' listener.strace
}

# ---- the signal is needed

@test "the listener sleeps on while the talker has written and not yet signalled" {
    start_listener_of handshake --trace listener.trace
    start_held talker kill:2 talker-handshake Hello # the first kill asks whether the listener is alive
    expect_lines talker.out 'talker: said: Hello'
    sleep 0.6 # ten ticks of the listener's timer, and more
    in_state "$listener_pid" S
    run ! grep -F 'received' listener.out
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
    # Between the two looks at the state, the listener has taken one signal, and has looked at nothing else.
    sed -n '/observe state = NOTHING/,/observe state = SAID/p' listener.trace | cut -f5 |
        expect_lines - observe call signal observe
}
