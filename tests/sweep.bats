#!/usr/bin/env bats
# sweep.bats - scripts/sweep lists what is stale and ours, and removes nothing else.
# shellcheck disable=SC2154 # start sets NAME_pid
#
# Other processes of the machine have segments and objects, too: the tests name theirs.

load helpers

setup() { common_setup; }

teardown() {
    [ -z "$object" ] || rm -f "/dev/shm$object"
    [ -z "$set" ] || ipcrm -s "$set" 2>/dev/null || :
    common_teardown
}

object='' set='' # the test's own

sweep() { # list|remove ID|NAME...
    run -0 --separate-stderr "$BUILD/sweep" "$@"
    [ -z "$stderr" ]
}

# A listener at its first sleep, and the name of its object.
start_posix() { # [HELD POINT]
    [ -d /dev/shm ] || skip "no /dev/shm here"
    start listener listener-posix --hold "${1:-sigsuspend}"
    wait_for_state "$listener_pid" T
    object=$(printf '/shmtalk-%08x' "$(key_of shmfile 1)")
}

killed() { # NAME
    local pid=$1_pid
    kill -KILL "${!pid}"
    finish "$1" 137
}

# The talker of pingpong stops before POINT, and the listener has made what METHOD needs.
start_pingpong() { # METHOD POINT
    start listener listener-pingpong
    segment=$(shmid_of listener)
    plant "$segment"
    start talker talker-pingpong --method "$1" --hold "$2"
    wait_for_state "$talker_pid" T
}

# Sets `set` to the id of the semaphore set that has the key of the test's key file; it may not be there yet.
find_set() {
    set=$(awk -v key="$(($(key_of shmfile 1)))" '$1 == key { print $2 }' /proc/sysvipc/sem)
    [ -n "$set" ]
}

both_are_killed() {
    killed listener
    killed talker
}

@test "a segment: in use, then stale, then removed, then not listed" {
    start_listener
    shmid=$(shmid_of listener)
    for verb in list remove; do
        sweep "$verb" "$shmid"
        [ "$output" = "left $shmid: in use by PID $listener_pid" ]
    done
    plant "$shmid"
    killed listener
    sweep list "$shmid"
    [ "$output" = "stale $shmid: PID $listener_pid left it behind" ]
    segment_exists "$shmid"
    sweep remove "$shmid"
    [ "$output" = "removed $shmid: PID $listener_pid had left it behind" ]
    run ! segment_exists "$shmid"
    sweep list "$shmid"
    [ -z "$output" ]
}

@test "a segment that a process has attached, or that is not ours, is left" {
    requires ipcmk
    start_listener
    shmid=$(shmid_of listener)
    plant "$shmid"
    start talker talker --hold invited
    wait_for_state "$talker_pid" T
    killed listener
    start maker ipcmk -M 100
    finish maker 0
    foreign=$(sed -n 's/.*: *\([0-9]*\)$/\1/p' maker.out)
    plant "$foreign"
    sweep remove "$shmid" "$foreign"
    expect_lines <(echo "$output") \
        "left $shmid: its creator, PID $listener_pid, is dead, but a process has it attached" \
        "left $foreign: foreign, its size is 100 bytes"
    segment_exists "$shmid"
    segment_exists "$foreign"
    killed talker
}

@test "a semaphore set: in use, then stale, then removed, then not listed" {
    start_pingpong semaphore saying:10
    until_true find_set || fail "no semaphore set"
    key=$(($(key_of shmfile 1)))
    sweep remove "sem:$set:$key"
    [ "$output" = "left semaphore set $set: in use by PID $listener_pid" ]
    # Without its segment, a set is in use while a process lives that has used it.
    kill -STOP "$listener_pid"
    wait_for_state "$listener_pid" T
    ipcrm -m "$segment"
    sweep remove "sem:$set:$key"
    [[ $output == "left semaphore set $set: in use by PID "[0-9]* ]]
    both_are_killed
    sweep list "sem:$set:$key"
    [ "$output" = "stale semaphore set $set: a listener left it behind" ]
    sweep remove "sem:$set:$(printf '%#x' "$key")"
    [ "$output" = "removed semaphore set $set: a listener left it behind" ]
    run ! find_set
    sweep list "sem:$set:$key"
    [ -z "$output" ]
}

@test "a semaphore set that is not ours is left" {
    requires ipcmk
    for count in 2 40; do
        foreign=$(ipcmk -S "$count" | sed -n 's/.*: *\([0-9]*\)$/\1/p')
        set=$foreign
        key=$(awk -v id="$foreign" '$2 == id { print $1 }' /proc/sysvipc/sem)
        sweep remove "sem:$foreign:$key"
        [ "$output" = "left semaphore set $foreign: foreign, it has $count semaphores" ]
        ipcrm -s "$foreign"
    done
    if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
        foreign=$(setpriv --reuid 65534 --clear-groups ipcmk -S 41 | sed -n 's/.*: *\([0-9]*\)$/\1/p')
        set=$foreign
        sweep remove "sem:$foreign:$(awk -v id="$foreign" '$2 == id { print $1 }' /proc/sysvipc/sem)"
        [ "$output" = "left semaphore set $foreign: foreign, it belongs to UID 65534" ]
    fi
}

# pingpong has its FIFOs for a moment only: from their making until the talker has opened both. pingpong.bats shows that
# it makes and takes FIFOs of these names.
@test "a FIFO: in use, then open, then stale, then removed, then not listed" {
    start listener listener-pingpong
    segment=$(shmid_of listener)
    plant "$segment"
    mkfifo shmfile.1.to-listener shmfile.1.to-talker
    for side in listener talker; do
        sweep remove "fifo:$PWD/shmfile.1.to-$side"
        [ "$output" = "left $PWD/shmfile.1.to-$side: in use by PID $listener_pid" ]
    done
    killed listener
    for side in listener talker; do
        exec 7<>"shmfile.1.to-$side"
        sleep 60 8<&7 3>&- &
        holder=$!
        exec 7>&-
        sweep remove "fifo:$PWD/shmfile.1.to-$side"
        [ "$output" = "left $PWD/shmfile.1.to-$side: a process has it open" ]
        kill "$holder"
        wait "$holder" || :
        sweep list "fifo:$PWD/shmfile.1.to-$side"
        [ "$output" = "stale $PWD/shmfile.1.to-$side: a listener left it behind" ]
        sweep remove "fifo:$PWD/shmfile.1.to-$side"
        [ "$output" = "removed $PWD/shmfile.1.to-$side: a listener left it behind" ]
        [ ! -e "shmfile.1.to-$side" ]
        sweep list "fifo:$PWD/shmfile.1.to-$side"
        [ -z "$output" ]
    done
}

@test "a FIFO whose key is in use, or that is not ours, is left" {
    start_listener
    mkfifo shmfile.1.to-talker shmfile.300.to-talker shmfile.to-talker .1.to-talker other.7.to-listener
    touch shmfile.2.to-talker
    sweep remove "fifo:$PWD/shmfile.1.to-talker" "fifo:$PWD/shmfile.300.to-talker" "fifo:$PWD/shmfile.to-talker" \
        "fifo:$PWD/.1.to-talker" "fifo:$PWD/shmfile.2.to-talker" "fifo:$PWD/shmfile" "fifo:$PWD/other.7.to-listener"
    expect_lines <(echo "$output") "left $PWD/shmfile.1.to-talker: in use by PID $listener_pid" \
        "left $PWD/shmfile.2.to-talker: foreign, it is not a FIFO" \
        "removed $PWD/other.7.to-listener: a listener left it behind"
    stop listener
}

@test "an object: in use, then stale, then removed, then not listed" {
    start_posix
    for verb in list remove; do
        sweep "$verb" "$object"
        [ "$output" = "left $object: in use by PID $listener_pid" ]
    done
    killed listener
    sweep list "$object"
    [ "$output" = "stale $object: a killed listener left it behind" ]
    [ -e "/dev/shm$object" ]
    sweep remove "$object"
    [ "$output" = "removed $object: a killed listener had left it behind" ]
    [ ! -e "/dev/shm$object" ]
    sweep list "$object"
    [ -z "$output" ]
}

@test "an object that is being made is left while its creator lives, and stale afterwards" {
    for point in ftruncate mmap; do
        start_posix "$point"
        sweep remove "$object"
        [ "$output" = "left $object: in use by PID $listener_pid" ]
        killed listener
        sweep list "$object"
        [ "$output" = "stale $object: a killed listener left it behind" ]
        sweep remove "$object"
        [ "$output" = "removed $object: a killed listener had left it behind" ]
        [ ! -e "/dev/shm$object" ]
    done
}

@test "an object that is not ours is left" {
    start_posix
    size=$(stat -c %s "/dev/shm$object")
    killed listener
    for length in 5 "$size"; do
        yes | head -c "$length" >"/dev/shm$object"
        sweep remove "$object"
        [[ $output == "left $object: foreign, its "* ]]
        [ "$(stat -c %s "/dev/shm$object")" -eq "$length" ]
    done
}

# In namespaces of its own: sweep attaches each segment for a moment, which other tests would see.
@test "scripts/sweep finds everything stale on the machine, and --remove leaves the rest" {
    requires unshare mount ipcmk
    unshare -i -m mount -t tmpfs none /dev/shm 2>/dev/null || skip "no /dev/shm and no segments of one's own here"
    cat >machine.sh <<'END'
        mount -t tmpfs none /dev/shm
        unset TMPDIR # it may be in the /dev/shm that is covered now
        ipcmk -M 100 >&2
        for program in listener listener-posix; do
            rm -f /dev/shm/said # what the first one said is no sign of the second
            "$BUILD/$program" -t 10 -f /dev/shm/shmfile >/dev/shm/said &
            until grep -qs waiting /dev/shm/said; do sleep 0.01; done
            kill -KILL "$!"
        done
        wait
        cp /dev/shm/said /dev/shm/shmtalk-said-it
        mkdir '/dev/shm/a b'
        mkfifo '/dev/shm/a b/key.3.to-talker'
        ipcmk -S 41 >&2
        "$ROOT/scripts/sweep" '/dev/shm/a b'
        cd '/dev/shm/a b'
        "$ROOT/scripts/sweep" --remove
        "$ROOT/scripts/sweep" /dev/shm .
        ls /dev/shm '/dev/shm/a b'
END
    export BUILD ROOT
    run -0 --separate-stderr unshare -i -m sh machine.sh
    sed -E 's/PID [0-9]+/PID P/; s/shmtalk-[0-9a-f]{8}:/NAME:/' <<<"$output" | expect_lines - \
        'left 0: foreign, its size is 100 bytes' 'stale 1: PID P left it behind' \
        'stale semaphore set 0: a listener left it behind' 'stale /NAME: a killed listener left it behind' \
        'stale /dev/shm/a b/key.3.to-talker: a listener left it behind' \
        'left 0: foreign, its size is 100 bytes' 'removed 1: PID P had left it behind' \
        'removed semaphore set 0: a listener left it behind' 'removed /NAME: a killed listener had left it behind' \
        'removed /dev/shm/a b/key.3.to-talker: a listener left it behind' \
        'left 0: foreign, its size is 100 bytes' \
        '/dev/shm:' 'a b' said shmfile shmtalk-said-it '' '/dev/shm/a b:'
}

@test "a list that cannot be written is an error, and says so" {
    [ -w /dev/full ] || skip "there is no /dev/full"
    start_listener
    shmid=$(shmid_of listener)
    run -1 --separate-stderr bash -c "'$BUILD/sweep' list $shmid >/dev/full"
    [[ $stderr == 'sweep: cannot write to stdout: '* ]]
    run -1 --separate-stderr bash -c "'$ROOT/scripts/sweep' >&-"
    [[ $stderr == 'scripts/sweep: cannot write to stdout: '* ]]
    stop listener
}

@test "an argument that names nothing is refused" {
    refuses 2 "'shmtalk-01010101' is not a shmid" "$BUILD/sweep" list shmtalk-01010101
    refuses 2 "'-1' is not a shmid" "$BUILD/sweep" remove -1
    refuses 2 "'x' is not a semid" "$BUILD/sweep" list sem:x:1
    refuses 2 "unknown argument '--all'" "$ROOT/scripts/sweep" --all
    refuses 2 "is not a directory" "$ROOT/scripts/sweep" --remove nosuch
}
