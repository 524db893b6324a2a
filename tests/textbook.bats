#!/usr/bin/env bats
# textbook.bats - the server and the client of the notes: the same bytes, the same naps, and our checks.
# shellcheck disable=SC2154,SC2030,SC2031 # start sets NAME_pid; each test is a subshell

load helpers
load session
load notes

setup() { common_setup; }
teardown() { common_teardown; }

start_server() { # [OPTION]...
    start listener listener-textbook "$@"
    shmid=$(shmid_of listener)
}

# Starts a talker that naps only for a moment: it stands before its nap until our server has replied.
start_talk() { # [ARGUMENT]...
    start_held talker sigsuspend talker-textbook --nap 0.1 "$@"
    wait_for_line listener.out replied
    kill -CONT "$talker_pid"
}

talk() { # [ARGUMENT]...
    start_talk "$@"
    finish talker 0
}

# In a directory of its own with a key file, because the notes' programs take no other.
start_in() { # DIRECTORY NAME PROGRAM [ARGUMENT]...
    mkdir -p "$1"
    touch "$1/shmfile"
    # shellcheck disable=SC2016
    start "$2" sh -c 'cd "$1" && shift && exec "$@"' sh "$1" "${@:3}"
}

# The notes' server is in sigsuspend: only there are nearly all its signals blocked.
waits_in_sigsuspend() { # PID
    grep -q '^SigBlk:.*[1-9a-f]' "/proc/$1/status"
}

# The segment holds these bytes, and zeros up to 1024.
expect_bytes() { # SHMID FORMAT (of printf)
    # shellcheck disable=SC2059
    { printf "$2" && head -c 1024 /dev/zero; } | head -c 1024 | cmp - <(./foreign show "$1")
}

# ---- the bytes in the segment

@test "one message and answer, two attachments, and the talker removes all" {
    start_server
    talk "$listener_pid"
    finish listener 0
    expect_lines listener.out \
        "listener: waiting for a talker (pid $listener_pid, key $(key_of shmfile 1), shmid $shmid)" \
        "listener: Start ====" \
        "listener: received: Hello, I'm talker" \
        "listener: replied: Have a nice day" \
        "listener: the talker has removed the segment"
    grep -x "talker: said: Hello, I'm talker" talker.out
    grep -x "talker: listener said: Have a nice day" talker.out
    is_removed "$shmid"
    requires ipcs
    # key, shmid, owner, perms, bytes, nattch
    awk -v id="$shmid" '$2 == id { print $4, $5, $6 }' talker.out | expect_lines - "600 1024 2"
}

@test "the segment is that of the notes: ftok of shmfile and 1, 1024 bytes" {
    start_server
    read -r key id perms size cpid _ <<<"$(segment_line "$shmid")"
    [ "$id $perms $size $cpid" = "$shmid 600 1024 $listener_pid" ]
    [ "$key" -eq $(($(key_of shmfile 1))) ]
    stop listener
}

@test "the bytes are those of the notes: the answer replaces the message" {
    compile foreign
    start_server
    start talker talker-textbook --nap 1 --hold said "$listener_pid"
    wait_for_state "$talker_pid" T
    expect_bytes "$shmid" "Hello, I'm talker\n"
    kill -CONT "$talker_pid"
    wait_for_line listener.out replied
    expect_bytes "$shmid" 'Have a nice day\n\0\n' # the rest of the longer message
    finish talker 0
    finish listener 0
}

@test "either side can be the notes' own program, compiled unchanged" {
    requires_notes 001
    compile_note server '^server' '^client'
    compile_note client '^client' '^never'
    start_in a their_server ../server
    start_in b listener "$(lesson_program listener textbook)" -t "$DEADLINE"
    start_in c both_server ../server
    for server in their_server both_server; do
        pid=${server}_pid
        until_true waits_in_sigsuspend "${!pid}"
    done
    shmid_of listener

    start_in a talker "$(lesson_program talker textbook)" "$their_server_pid" "Good morning"
    start_in b their_client ../client "$listener_pid"
    start_in c both_client ../client "$both_server_pid"
    for name in talker their_client both_client their_server listener both_server; do
        finish "$name" 0
    done
    grep -x 'Lister received : Good morning' their_server.out
    grep -x 'talker: listener said: Have a nice day' talker.out
    grep -E '^talker: napped for ([2-9]|[1-9][0-9]+)\.[0-9]+ s' talker.out # or longer, on a busy machine
    grep -x "listener: received: Hello, I'm talker" listener.out
    grep -x 'listener: the talker has removed the segment' listener.out
    grep -x 'Listener said : Have a nice day' their_client.out
    for side in a b c; do
        awk -v key="$(($(key_of "$side/shmfile" 1)))" '$1 == key' /proc/sysvipc/shm | expect_lines -
    done
}

@test "without a PID the talker asks the kernel who created the segment" {
    start_server
    talk
    finish listener 0
    grep -x 'talker: listener said: Have a nice day' talker.out
}

@test "the longest message fits; one byte more is refused with both sizes" {
    longest=$(printf '%01022d' 0)
    start_server
    refuses 1 '\<1023\>.*\<1022\>' talker-textbook "$listener_pid" "${longest}1"
    talk "$listener_pid" "$longest"
    finish listener 0
    grep -qx "listener: received: $longest" listener.out
}

@test "one SIGUSR1 is sent, and no other signal" {
    requires_strace
    start_server
    start talker strace -o talker.strace -e trace=kill "$(lesson_program talker textbook)" --nap 1 "$listener_pid"
    finish talker 0
    finish listener 0
    sed -nE 's/^(kill\(.*[^0]\)) += /\1 = /p' talker.strace | expect_lines - "kill($listener_pid, SIGUSR1) = 0"
}

@test "without ipcs the talker shows /proc; without both it says so" {
    [ -r /proc/sysvipc/shm ] || skip "no /proc/sysvipc/shm here"
    mkdir with_cat empty
    ln -s "$(type -P cat)" with_cat/cat
    start_server
    start talker env PATH="$PWD/with_cat" "$(lesson_program talker textbook)" --nap 1
    finish talker 0
    finish listener 0
    awk -v id="$shmid" '$2 == id { print $3, $4, $7 }' talker.out | expect_lines - "600 1024 2" # perms, size, nattch

    start_server
    start talker env PATH="$PWD/empty" "$(lesson_program talker textbook)" --nap 1
    finish talker 0
    finish listener 0
    grep '^talker: skipped: ' talker.out
}

# ---- the naps

@test "the naps have the notes' lengths by default, needed or not" {
    lesson talker-textbook --help | grep -e '--nap SECONDS .*default: 2'
    lesson listener-textbook --help | grep -e '--nap SECONDS .*default: 3'
    start_server
    ends 0 talker-textbook --nap 1
    finish listener 0
    sed -nE 's/^talker: napped for ([0-9.]+) s; the answer was there after ([0-9.]+) s$/\1 \2/p' talker.out >nap
    awk 'NR == 1 && $1 >= 1 && $2 < $1 { good = 1 } END { exit !good }' nap || fail "$(cat nap)"
}

@test "a short nap ends before the answer: the talker reads its own message" {
    start_server --hold received
    start talker talker-textbook --nap 0.2
    wait_for_state "$listener_pid" T
    finish talker 3
    grep -x 'talker-textbook: the text is still our own: no answer within a nap of 0.2 s' talker.err
    kill -CONT "$listener_pid"
    finish listener 0
    is_removed "$shmid"
}

@test "a short nap ends before the talker is done: the listener leaves early" {
    start_server --nap 0.1
    ends 0 talker-textbook --nap 0.5
    finish listener 0
    grep -x 'listener: the talker is still there, and will remove the segment' listener.out
    grep -x 'talker: listener said: Have a nice day' talker.out
    is_removed "$shmid"
}

# ---- checks that the notes lack

@test "an invalid PID is refused, and no process is signalled" {
    start_server
    for pid in '' 0 00 -1 -0 abc 12x ' 12' +12 1.5 0x10 99999999999999999999 2147483648; do
        refuses 2 ' is not a PID: it is a whole number above 0$' talker-textbook -- "$pid"
        grep -qF "'$pid'" refused.err
    done
    refuses 2 "unexpected operand 'c'" talker-textbook 1 b c
    kill -0 "$listener_pid"
    stop listener
}

@test "a PID of another process is refused, and not signalled" {
    start_server
    start other sleep "$DEADLINE" # SIGUSR1 would end it
    refuses 3 "PID $other_pid is not the listener of shmid $shmid, which PID $listener_pid created" \
        talker-textbook "$other_pid"
    refuses 3 "PID 1 is not the listener" talker-textbook 1
    is_running "$other_pid"
    kill -KILL "$other_pid"
    finish other 137
    refuses 3 "there is no process $other_pid any more" talker-textbook "$other_pid"
    talk
    finish listener 0
}

@test "the talker reports a missing key file, segment or listener" {
    refuses 3 'start listener-textbook first' talker-textbook
    if [ -e shmfile ]; then fail "the talker has created a key file"; fi
    touch shmfile
    refuses 3 'start listener-textbook first' talker-textbook
    start_server
    kill -KILL "$listener_pid"
    finish listener 137
    refuses 3 "there is no process $listener_pid any more, which created the segment" talker-textbook
    killed=$listener_pid left=$shmid
    start_server
    expect_lines listener.err "listener-textbook: recovered: removed segment $left, which PID $killed left behind"
    is_removed "$left"
    talk
    finish listener 0
}

@test "a second listener learns who came first" {
    start_server
    refuses 4 "^listener-textbook: busy: .*PID $listener_pid, which is alive" listener-textbook
    talk
    finish listener 0
}

@test "a foreign segment is not changed: other size, other mode, no string" {
    compile foreign
    touch shmfile
    full=$(printf '%01024d' 0)
    while read -r status what; do # the talker's status; size, mode and text of the foreign segment
        # shellcheck disable=SC2086
        shmid=$(./foreign make "$(key_of shmfile 1)" $what)
        plant "$shmid"
        ./foreign show "$shmid" >before
        refuses 1 "a foreign segment \(shmid $shmid\>.*it was not changed" listener-textbook
        refuses "$status" 'foreign segment|there is no process [0-9]+ any more' talker-textbook
        ./foreign show "$shmid" | cmp - before
        ipcrm -m "$shmid"
    done <<<"1 100 600 data
1 4096 600 data
3 1024 644 data
1 1024 600 $full"
}

@test "both sides refuse bytes without a NUL, and read no further" {
    compile textbook_peer
    start_server
    start student ./textbook_peer say "$shmid" "$listener_pid" 1024
    finish student 0
    finish listener 1
    expect_lines listener.err "listener-textbook: PID $student_pid left no string: no NUL within 1024 bytes"
    is_removed "$shmid"

    start student ./textbook_peer answer "$(key_of shmfile 1)" 1024
    wait_for_line student.out '^[0-9]+$'
    plant "$(cat student.out)"
    ends 1 talker-textbook --nap 1
    expect_lines talker.err "talker-textbook: the listener left no string: no NUL within 1024 bytes"
    stop student
}

@test "a PID of a process that only attached the segment is accepted" {
    compile textbook_peer
    compile foreign
    touch shmfile
    plant "$(./foreign make "$(key_of shmfile 1)" 1024 666)"
    start student ./textbook_peer answer "$(key_of shmfile 1)" 20
    wait_for_line student.out '^[0-9]+$'
    ends 0 talker-textbook --nap 1 "$student_pid"
    grep -x 'talker: listener said: yyyyyyyyyyyyyyyyyyyy' talker.out
    stop student
}

@test "a stray signal before the text does not wake the listener" {
    start_server
    for _ in {1..20}; do
        kill -USR1 "$listener_pid"
    done
    talk
    finish listener 0
    grep -x "listener: received: Hello, I'm talker" listener.out
}

@test "without a peer the timeout ends it, and nothing stays behind" {
    start_server -t 0.2
    finish listener 3
    expect_lines listener.err "listener-textbook: no talker within 0.2 s: gave up"
    is_removed "$shmid"
}

@test "terminating signals on either side leave nothing behind, at any step" {
    for signal in HUP INT TERM; do
        status=$((128 + $(kill -l "$signal")))
        start_server
        kill -s "$signal" "$listener_pid"
        finish listener "$status"
        is_removed "$shmid"

        start_server
        start talker talker-textbook
        wait_for_line listener.out replied
        kill -s "$signal" "$talker_pid"
        finish talker "$status"
        finish listener 0
        is_removed "$shmid"

        start_server
        start_talk
        kill -s "$signal" "$listener_pid"
        finish listener "$status"
        finish talker 0 # it has its answer
        is_removed "$shmid"
    done
}

@test "the survivor of a killed process reports it and cleans up" {
    start_server
    start talker talker-textbook
    wait_for_line listener.out replied
    kill -KILL "$talker_pid"
    finish talker 137
    finish listener 3
    grep -F "the talker (PID $talker_pid) went away" listener.err
    is_removed "$shmid"

    start_server --hold received
    start talker talker-textbook
    wait_for_state "$listener_pid" T
    kill -KILL "$listener_pid"
    finish listener 137
    finish talker 3
    grep -F "the listener (PID $listener_pid) went away" talker.err
    is_removed "$shmid"
}

@test "a listener killed in its nap has answered: the talker reads and removes" {
    start_server
    start talker talker-textbook --nap 0.5
    wait_for_line listener.out replied
    kill -KILL "$listener_pid"
    finish listener 137
    finish talker 0
    grep -x 'talker: listener said: Have a nice day' talker.out
    is_removed "$shmid"
}

@test "none of our programs calls the obsolete or unbounded calls of the notes" {
    requires nm
    nm -u "$BUILD"/listener* "$BUILD"/talker* | sed -n 's/^ *U \([a-z_]*\).*/\1/p' >called
    [ "$(grep -cx shmat called)" -ge 2 ] # the list holds calls, and is complete
    run ! grep -xE 'sigset|sigpause|atoi|gets|sleep|usleep|system' called
}
