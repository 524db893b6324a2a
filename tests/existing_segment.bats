#!/usr/bin/env bats
# existing_segment.bats - a foreign segment is named and not changed; a stale one of ours is removed.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup_file() {
    compile foreign "$BATS_FILE_TMPDIR"
}

setup() { common_setup; }

teardown() {
    chmod -Rf u+rwx . || :
    common_teardown
}

# A foreign segment with the key of talker and listener: its id is $foreign, its bytes are in foreign.bytes.
stranger() { # SIZE MODE [TEXT]
    touch shmfile
    foreign=$("$BATS_FILE_TMPDIR/foreign" make "$(key_of shmfile 1)" "$@")
    plant "$foreign"
    "$BATS_FILE_TMPDIR/foreign" show "$foreign" >foreign.bytes
}

# It still exists, with the same bytes.
is_untouched() { # SHMID
    segment_exists "$1" &&
        "$BATS_FILE_TMPDIR/foreign" show "$1" | cmp - foreign.bytes
}

refused_by_both() { # PATTERN
    refuses 1 "$1" listener
    refuses 1 "$1" talker Hello
    is_untouched "$foreign"
}

# Runs PROGRAM without root's privileges, so that permissions count for it.
powerless() { # STATUS PATTERN PROGRAM [ARGUMENT]...
    local command
    resolve "${@:3}"
    if [ "$(id -u)" -eq 0 ]; then
        requires setpriv
        command=(setpriv --inh-caps=-all --bounding-set=-all "${command[@]}")
    fi
    refuses "$1" "$2" "${command[@]}"
}

requires_root() {
    [ "$(id -u)" -eq 0 ] || skip "only root can become another user"
    requires setpriv
}

# ---- a foreign segment on the key

@test "a foreign segment of 100 zero bytes is named, and not changed" {
    stranger 100 600
    refused_by_both "shmid $foreign\>"
}

@test "a foreign larger segment is not changed" {
    stranger 1048576 600 'very important data'
    refused_by_both "shmid $foreign\>"
}

@test "a foreign page of zeros without attachments is not changed" {
    stranger 4096 600
    refused_by_both "shmid $foreign\>"
}

@test "a foreign segment of exactly our size is recognised by its first bytes" {
    start_listener
    size=$(segment_line "$(shmid_of listener)" | awk '{ print $4 }')
    ends 0 talker
    finish listener 0
    rm shmfile
    stranger "$size" 600 'very important data'
    refused_by_both "shmid $foreign\>"
}

@test "a foreign segment that may not be read or written is not changed" {
    touch shmfile
    for mode in 000 400; do
        foreign=$("$BATS_FILE_TMPDIR/foreign" make "$(key_of shmfile 1)" 4096 "$mode")
        plant "$foreign"
        powerless 1 "shmid $foreign\>" listener
        powerless 1 "shmid $foreign\>" talker
        ipcrm -m "$foreign" # fails if it is gone
    done
}

@test "a foreign segment's live creator gets no signal" {
    touch shmfile
    start stranger "$BATS_FILE_TMPDIR/foreign" stay "$(key_of shmfile 1)" 4096 600 'data'
    wait_for_line stranger.out '^[0-9]+$'
    foreign=$(cat stranger.out)
    plant "$foreign"
    refuses 1 "shmid $foreign\>" talker
    refuses 1 "shmid $foreign\>" talker --pid "$stranger_pid"
    refuses 1 "shmid $foreign\>" listener
    is_running "$stranger_pid" # SIGUSR1 would have killed it
    stop stranger
}

@test "another user's segment that looks just like ours is not changed" {
    requires_root
    start_listener
    size=$(segment_line "$(shmid_of listener)" | awk '{ print $4 }')
    magic=$("$BATS_FILE_TMPDIR/foreign" show "$(shmid_of listener)" | head -c 4)
    ends 0 talker
    finish listener 0
    foreign=$(as_nobody /dev/fd/9 make "$(key_of shmfile 1)" "$size" 666 "$magic" 9<"$BATS_FILE_TMPDIR/foreign")
    plant "$foreign"
    "$BATS_FILE_TMPDIR/foreign" show "$foreign" >foreign.bytes
    refused_by_both "shmid $foreign\>"
}

@test "another user's listener gets neither a message nor a signal" {
    requires_root
    chmod 755 .
    start_listener
    chmod 644 shmfile
    status=0
    as_nobody /dev/fd/9 --timeout "$DEADLINE" Hello >refused.out 2>refused.err 9<"$TALKER" || status=$?
    [ "$status" -eq 1 ]
    expect_lines refused.out
    grep "shmid $(shmid_of listener)\>" refused.err
    [ "$(wc -l <listener.out)" -eq 1 ]
    ends 0 talker
    finish listener 0
}

# ---- two listeners, no listener

@test "a second listener names the first and the key, and disturbs nothing" {
    start_listener
    refuses 4 "\<$listener_pid\>.*$(key_of shmfile 1)\>" listener
    ends 0 talker
    finish listener 0
    expect_lines talker.out "talker: said: Hello, I'm talker" "talker: listener said: Have a nice day"
}

@test "a second listener is refused during a conversation, too" {
    mkfifo lines
    exec 7<>lines
    start_listener
    start talker talker --chat <lines
    echo one >&7
    wait_for_line talker.out 'listener said'
    refuses 4 "\<$listener_pid\>" listener
    echo two >&7
    wait_for_line listener.out 'replied: .*'
    kill -TERM "$talker_pid"
    finish talker 143
    finish listener 3
}

@test "a stopped listener keeps its key" {
    start_listener
    kill -STOP "$listener_pid"
    wait_for_state "$listener_pid" T
    refuses 4 "\<$listener_pid\>" listener
    kill -CONT "$listener_pid"
    ends 0 talker
    finish listener 0
}

@test "a key file without a segment: the talker says what to start" {
    touch own.shmfile
    refuses 3 "listener.*own.shmfile.*9" talker --file own.shmfile --project 9
}

# ---- what a dead listener left

@test "the next listener removes what a killed one left, says so, and works" {
    start_listener
    shmid=$(shmid_of listener)
    dead=$listener_pid
    kill -KILL "$listener_pid"
    finish listener 137
    segment_exists "$shmid"
    start_listener
    [ "$(wc -l <listener.err)" -eq 1 ]
    grep -E "\<$shmid\>.*\<$dead\>" listener.err
    run ! segment_exists "$shmid"
    ends 0 talker
    finish listener 0
}

@test "what a killed listener left is removed at any size" {
    start_listener --size 100000
    shmid=$(shmid_of listener)
    kill -KILL "$listener_pid"
    finish listener 137
    start_listener --size 20
    run ! segment_exists "$shmid"
    ends 0 talker Hello
    finish listener 0
}

@test "a talker does not take a dead listener's segment for a listener" {
    start_listener
    shmid=$(shmid_of listener)
    kill -KILL "$listener_pid"
    finish listener 137
    refuses 3 listener talker
    segment_exists "$shmid"
    start_listener
    ends 0 talker
    finish listener 0
}

# ---- files that cannot be created or opened

@test "a listener that cannot create its key file names the file" {
    mkdir closed
    chmod 555 closed
    powerless 1 closed/shmfile listener --file closed/shmfile
    powerless 3 listener talker --file closed/shmfile
    refuses 1 nowhere/shmfile listener --file nowhere/shmfile
}

@test "a key file in an inaccessible folder is named" {
    mkdir locked
    touch locked/shmfile
    chmod 000 locked
    powerless 1 locked/shmfile listener --file locked/shmfile
    powerless 1 locked/shmfile talker --file locked/shmfile
}

@test "a key file without read permission still gives a key" {
    touch shmfile
    chmod 000 shmfile
    start_listener
    ends 0 talker
    finish listener 0
}

# ---- calls that fail

@test "without room for another segment the listener names the failed call" {
    requires_strace
    touch shmfile
    for error in ENOSPC ENOMEM EINVAL; do
        refuses 1 "shmget.*$(key_of shmfile 1)\>" strace -qqo /dev/null -e "inject=shmget:error=$error" "$LISTENER"
    done
}

@test "a segment that cannot be attached is removed again" {
    requires_strace
    refuses 1 'shmat' strace -qqo /dev/null -e inject=shmat:error=ENOMEM "$LISTENER"
}

@test "a talker that cannot attach names the call, and disturbs nothing" {
    requires_strace
    start_listener
    for when in 1 2; do
        refuses 1 'shmat' strace -qqo /dev/null -e "inject=shmat:error=ENOMEM:when=$when" "$TALKER"
    done
    ends 0 talker
    finish listener 0
}

# ---- between shmget and shmat

@test "a segment that its living creator has not attached yet is busy, however often others look" {
    start_held listener shmat listener
    refuses 4 busy listener
    start waiting talker --wait Hello
    wait_for_state "$waiting_pid" S
    refuses 4 busy listener
    kill -CONT "$listener_pid"
    finish waiting 0
    finish listener 0
    expect_lines listener.err
}
