#!/usr/bin/env bats
# keys.bats - how ftok makes a key from a file, and which segment the key leads to.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup() { common_setup; }
teardown() { common_teardown; }

hold_both() { # LISTENER'S POINT
    start_listener_of keys --hold "$1"
    start talker talker-keys
    wait_for_state "$listener_pid" T
}

let_go() {
    kill -CONT "$listener_pid"
    finish talker 0
    finish listener 0
}

# Key and id of each segment that PID has created.
made_by() { # PID
    awk -v pid="$1" '$5 == pid { printf "%#x %d\n", ($1 + 4294967296) % 4294967296, $2 }' /proc/sysvipc/shm
}

skip_if_skipped() { # FILE PART
    grep "skipped: $2" "$1" >why || return 0
    for id in "${started[@]}"; do # they may be held, and the point is not reached
        kill -TERM "$id" && kill -CONT "$id" && wait_gone "$id"
    done 2>/dev/null
    skip "$(cut -d : -f 3- <why)"
}

@test "both sides exit 0, and leave neither a segment nor a file" {
    start_listener_of keys
    ends 0 talker-keys
    finish listener 0
    expect_lines listener.err
    expect_lines talker.err
    expect_lines <(ls -- *shmfile*) shmfile
    [ -z "$(made_by "$listener_pid")$(made_by "$talker_pid")" ]
}

@test "same file and project, same key; only 8 bits of the project count" {
    start_listener_of keys --project 77
    ends 0 talker-keys --project 77
    finish listener 0
    key=$(key_of shmfile 77)
    grep -qx "listener: the same file: our key $key, the talker's $key" listener.out
    grep -qx "talker: project 77: key $key, project 333: $key, project 205: $(key_of shmfile 205)" talker.out
    [ $((333 % 256)) -eq 77 ]
}

@test "the talker gets the key of the same file under another name" {
    touch shmfile
    ln -s shmfile other.shmfile
    start_listener_of keys
    ends 0 talker-keys --file other.shmfile
    finish listener 0
    grep -qx "listener: the same file: our key $(key_of shmfile 1), the talker's $(key_of shmfile 1)" listener.out
}

@test "for a missing file ftok gives -1, and -1 works as a key by accident" {
    hold_both accident
    skip_if_skipped listener.out 'another process uses the key'
    id=$(made_by "$listener_pid" | sed -n 's/^0xffffffff //p')
    [ -n "$id" ]
    [ "$(ipcs -m | awk -v id="$id" '$2 == id { print $1 }')" = 0xffffffff ]
    [ ! -e shmfile.keys1.missing ] && [ ! -e shmfile.keys1.absent ]
    let_go
    grep -qx 'listener: no file: ftok returns -1, ENOENT' listener.out
    grep -q "key 0xffffffff leads to segment $id (the listener's is $id)" talker.out
    grep -q '^talker: another missing file' talker.out
}

@test "while another program uses the key -1, that part is skipped" {
    start first listener-keys --hold accident --file first.shmfile
    wait_for_line first.out waiting
    start second talker-keys --file first.shmfile
    wait_for_state "$first_pid" T
    skip_if_skipped first.out 'another process uses the key'
    start_listener_of keys
    ends 0 talker-keys
    finish listener 0
    grep -x 'listener: skipped: another process uses the key 0xffffffff at the moment' listener.out
    ! grep 'another missing file' talker.out || fail "it went on with that key"
    grep -q '^listener: replaced the file' listener.out
    kill -CONT "$first_pid"
    finish first 0
    finish second 0
}

@test "the next listener can use the key -1 after one was killed with it" {
    hold_both accident
    skip_if_skipped listener.out 'another process uses the key'
    for id in $(made_by "$listener_pid" | cut -d ' ' -f 2); do plant "$id"; done
    kill -KILL "$listener_pid"
    finish listener 137
    finish talker 3
    start_listener_of keys
    ends 0 talker-keys
    finish listener 0
    skip_if_skipped listener.out 'another process uses the key'
    grep -q "key 0xffffffff leads to segment" talker.out
}

@test "a replaced file gives another key under the same name" {
    hold_both recreated
    before=$(made_by "$listener_pid" | grep -v "^$(key_of shmfile 1) " | head -n 1)
    after=$(key_of shmfile.keys1 $((${before% *} >> 24))) # the lesson takes the first unused project
    [ "${before% *}" != "$after" ]
    grep -qx "listener: replaced the file: its inode was [0-9]*, and is $(stat -c %i shmfile.keys1)" listener.out
    let_go
    grep -qx "talker: by its file: key ${before% *} leads to segment ${before#* } (the listener's is ${before#* })" talker.out
    grep -qx "talker: by the same name: key $after, and behind it ENOENT" talker.out
}

@test "SIGTERM at any point leaves neither segments nor files" {
    for point in accident recreated; do
        hold_both "$point"
        kill -TERM "$listener_pid" "$talker_pid"
        kill -CONT "$listener_pid"
        finish listener 143
        finish talker 143
        expect_lines <(ls -- *shmfile*) shmfile
        [ -z "$(made_by "$listener_pid")$(made_by "$talker_pid")" ]
    done
}

@test "a talker reports that its listener ended and took its segments along" {
    for nth in 5 6; do # just before it looks for the listener's segments
        start_listener_of keys
        start talker talker-keys --hold "ftok:$nth"
        wait_for_state "$talker_pid" T
        stop listener
        kill -CONT "$talker_pid"
        finish talker 3
        expect_lines <(tail -n 1 talker.err) "talker-keys: the listener (PID $listener_pid) went away"
    done
}

@test "a file that has the name of the lesson's own file is not changed" {
    touch target
    for own in 'echo mine >shmfile.keys1' 'ln -s target shmfile.keys1'; do
        eval "$own"
        start listener listener-keys
        wait_for_line listener.out 'waiting for a talker'
        start talker talker-keys
        finish listener 1
        finish talker 3
        grep -F "open(\"$PWD/shmfile.keys1\", O_CREAT | O_EXCL): File exists" listener.err
        [ -s shmfile.keys1 ] || [ -L shmfile.keys1 ]
        rm shmfile.keys1
    done
}
