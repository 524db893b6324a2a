#!/usr/bin/env bats
# posix.bats - the handshake over POSIX shared memory: a name, a descriptor, a file.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup() {
    common_setup
    [ -d /dev/shm ] || skip "no /dev/shm here"
}

# An object that a test leaves behind fails it, like a segment.
teardown() {
    local clean=0 file object
    common_teardown || clean=1
    rm -f "${left[@]}"
    for file in *shmfile*; do
        for object in /dev/shm/shmtalk-??"$(printf %06x "$(key_of "$file" 0)")"; do
            [ -e "$object" ] || continue
            echo "\"$BATS_TEST_DESCRIPTION\" left $object behind"
            rm -f "$object"
            clean=1
        done
    done
    return "$clean"
}

left=() # objects that a test leaves on purpose

# The object of `key`: its name, and its file.
name_of() { # [PROJECT]
    printf '/shmtalk-%08x\n' "$(key_of shmfile "${1:-1}")"
}

object_of() { # [PROJECT]
    echo "/dev/shm$(name_of "$@")"
}

is_mapped_by() { # PID
    grep -qF "$(object_of)" "/proc/$1/maps"
}

@test "one message and one reply arrive exactly, and nothing stays behind" {
    start_listener_of posix
    ends 0 talker-posix "Good morning"
    finish listener 0
    expect_lines listener.out \
        "listener: waiting for a talker (pid $listener_pid, key $(key_of shmfile 1), name $(name_of))" \
        "listener: received: Good morning" \
        "listener: replied: Have a nice day"
    expect_lines talker.out "talker: said: Good morning" "talker: listener said: Have a nice day"
    expect_lines listener.err
    expect_lines talker.err
    [ ! -e "$(object_of)" ]
}

@test "posix tells the story of the handshake in the same words" {
    start_listener_of posix
    ends 0 talker-posix
    finish listener 0
    grep -e ' received: ' -e ' replied: ' listener.out >posix.out
    cat talker.out >>posix.out
    start_listener_of handshake
    ends 0 talker-handshake
    finish listener 0
    sed 1d listener.out | cat - talker.out | diff posix.out -
}

@test "a new object is empty, and then gets its size" {
    start_held listener ftruncate listener-posix
    [ "$(stat -c %s "$(object_of)")" -eq 0 ]
    kill -CONT "$listener_pid"
    wait_for_line listener.out waiting
    [ "$(stat -c %s "$(object_of)")" -gt 1024 ]
    ends 0 talker-posix
    finish listener 0
}

@test "the conversation works without the descriptor: the mapping stays" {
    start_listener_of posix
    start_held talker kill talker-posix
    is_mapped_by "$talker_pid"
    [ -z "$(find "/proc/$talker_pid/fd" -lname "$(object_of)")" ]
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
}

@test "the listener sleeps on until it is signalled, whatever is in the object" {
    start_listener_of posix
    start_held talker kill talker-posix
    sleep 0.5 # ten ticks of the timer
    run ! grep received listener.out
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
}

@test "the object of a listener in another PID namespace is not removed" {
    requires unshare
    unshare --pid --fork --mount-proc true 2>/dev/null || skip "no new PID namespace can be made here"
    resolve listener-posix
    start namespace unshare --pid --fork --mount-proc --kill-child "${command[@]}"
    wait_for_line namespace.out waiting
    refuses 4 "busy: PID [0-9]+ is listening on $(name_of)" listener-posix
    ends 0 unshare --pid --fork --mount-proc sh -c '"$@" >inner.out 2>&1; echo $? >inner.status' sh "${command[@]}"
    [ "$(cat inner.status)" -eq 4 ]
    grep -F "busy: a process of another PID namespace is listening on $(name_of)" inner.out
    "$BUILD/sweep" remove "$(name_of)" | grep -E "^left $(name_of): in use by PID [0-9]+$"
    [ -e "$(object_of)" ]
    kill -TERM "$(pgrep -P "$namespace_pid")"
    finish namespace 143
    [ ! -e "$(object_of)" ]
}

@test "a full /dev/shm is an error with a reason, and leaves no object" {
    unshare --mount true 2>/dev/null || skip "no file system can be mounted here"
    for lesson in posix persist; do
        resolve "listener-$lesson"
        # shellcheck disable=SC2016 # it is the inner shell that is to expand them
        start listener unshare --mount sh -c 'mount -t tmpfs -o size=4k tmpfs /dev/shm && echo x >/dev/shm/x && exec "$@"' \
            sh "${command[@]}"
        [ "$lesson" = posix ] || { wait_for_line listener.out waiting && start talker talker-persist; }
        finish listener 1
        [ "$lesson" = posix ] || finish talker 3
        what="cannot reserve memory \(see \"df /dev/shm\"\): posix_fallocate\(.*\) of $(name_of)"
        grep -E "^listener-$lesson: $what: No space left on device$" listener.err
    done
}

@test "a umask of 0777 leaves no object" {
    # shellcheck disable=SC2016 # it is the inner shell that is to expand it
    start listener sh -c 'umask 0777; exec "$@"' sh "$BUILD/listener-posix" -t "$DEADLINE"
    wait_for_line listener.out waiting
    [ "$(stat -c %a "$(object_of)")" = 600 ]
    ends 0 talker-posix
    finish listener 0
    [ ! -e "$(object_of)" ]
}

@test "the object outlives both processes, and the next listener recovers it" {
    start_held listener sigsuspend listener-posix
    left=("$(object_of)")
    start talker talker-posix "Remember me"
    wait_for_line talker.out said
    kill -KILL "$listener_pid" "$talker_pid"
    finish listener 137
    finish talker 137
    grep -aqF "Remember me" "$(object_of)"
    left=()
    refuses 3 "no listener has $(name_of)" talker-posix
    start_listener_of posix
    expect_lines listener.err "listener-posix: recovered: removed $(name_of), which a killed listener left behind"
    ends 0 talker-posix
    finish listener 0
}

@test "the narrated calls are those that strace shows" {
    requires_strace
    start listener strace -o strace.out "$(lesson_program listener posix)" -t "$DEADLINE" --trace trace
    wait_for_line listener.out waiting
    ends 0 talker-posix
    finish listener 0
    # Private mappings are libc's; earlier calls belong to the program's start.
    calls='ftruncate|fallocate|munmap|mmap\(NULL, [0-9]+, [A-Z_|]+, MAP_SHARED,'
    sed '1,/openat.*O_EXCL/d; s/ *= /=/' strace.out | grep -E "^($calls)" >shown
    awk -F '\t' '$5 == "call" { print $6 }' trace | sed '1,/shm_open.*O_EXCL/d; s/ *= /=/' | grep -E "^($calls)" >told
    diff told shown
    [ "$(wc -l <told)" -eq 4 ] # set the size and reserve the memory; map and unmap
}

@test "the programs link with -lrt, where shm_open was until glibc 2.34" {
    [ "$(uname)" = Linux ] || skip "-lrt is for Linux"
    requires make
    make -C "$ROOT" -n -B BUILD="$BATS_TEST_TMPDIR/build" LESSONS=posix >make.out
    [ "$(grep -cE -- '-o [^ ]*/(talker|listener)-posix[^ ]* .*posix\.o -lrt' make.out)" -eq 2 ]
}

# ---- second and missing processes

@test "a second talker learns who came first, and disturbs nothing" {
    start_held listener sigsuspend listener-posix
    start first talker-posix one
    wait_for_line first.out said
    refuses 4 "\<$first_pid\>" talker-posix two
    kill -CONT "$listener_pid"
    finish first 0
    finish listener 0
    grep -x 'listener: received: one' listener.out
}

@test "a second listener learns who came first, and disturbs nothing" {
    start_listener_of posix
    refuses 4 "busy: PID $listener_pid is listening on $(name_of)" listener-posix
    ends 0 talker-posix
    finish listener 0
}

@test "each project has an object of its own" {
    start_listener_of posix
    start other listener-posix --project 200
    wait_for_line other.out waiting
    [ -e "$(object_of 1)" ] && [ -e "$(object_of 200)" ]
    ends 0 talker-posix --project 200
    finish other 0
    is_running "$listener_pid"
    ends 0 talker-posix
    finish listener 0
}

@test "a talker without a listener creates neither key file nor object" {
    refuses 3 listener-posix talker-posix
    [ ! -e shmfile ]
    touch shmfile
    refuses 3 "no listener has $(name_of)" talker-posix
    [ ! -e "$(object_of)" ]
}

# ---- foreign objects

@test "a foreign file of that name is named, and not changed" {
    touch shmfile
    left=("$(object_of)")
    for content in 'very important data' "$(head -c 1052 /dev/zero | tr '\0' x)"; do
        printf %s "$content" >"$(object_of)"
        for side in listener talker; do
            refuses 1 "$(name_of) is foreign \(its (size|magic) is .*\): it was not changed" "$side-posix"
        done
        [ "$(cat "$(object_of)")" = "$content" ]
    done
}

@test "another user's object is not changed" {
    [ "$(id -u)" -eq 0 ] || skip "only root can make another user's file"
    start_listener_of posix
    size=$(stat -c %s "$(object_of)")
    ends 0 talker-posix
    finish listener 0
    left=("$(object_of)")
    truncate -s "$size" "$(object_of)"
    chown 65534 "$(object_of)"
    refuses 1 "is another user's object \(its owner is (\"[a-z]+\", )?uid 65534\): it cannot be used" listener-posix
    refuses 1 "is another user's object \(its owner is (\"[a-z]+\", )?uid 65534\): it cannot be used" talker-posix
    [ "$(stat -c %u "$(object_of)")" = 65534 ]
}

# ---- killed processes

@test "a talker reports that its listener was killed, and cleans up" {
    start_held listener sigsuspend listener-posix
    start talker talker-posix
    wait_for_line talker.out said
    kill -KILL "$listener_pid"
    began=$(milliseconds)
    finish talker 3
    [ $(($(milliseconds) - began)) -lt 1000 ]
    finish listener 137
    expect_lines talker.err "talker-posix: the listener (PID $listener_pid) went away"
    [ ! -e "$(object_of)" ]
}

@test "a listener reports that its talker was killed, and cleans up" {
    start_held listener sigsuspend listener-posix
    start talker talker-posix
    wait_for_line talker.out said
    kill -KILL "$talker_pid"
    finish talker 137
    kill -CONT "$listener_pid"
    finish listener 3
    expect_lines listener.err "listener-posix: the talker (PID $talker_pid) went away"
    [ ! -e "$(object_of)" ]
}

@test "a killed talker is noticed before its parent waits for it" {
    start_held listener sigsuspend listener-posix
    # Its parent becomes a sleep, which never waits for it, so it stays a zombie.
    # shellcheck disable=SC2016 # it is the inner shell that is to expand them
    start parent sh -c '"$1" -t "$2" >talker.out 2>&1 & echo $! >talker.pid; exec sleep "$2"' \
        sh "$(lesson_program talker posix)" "$DEADLINE"
    wait_for_line talker.out said
    wait_for_line talker.pid '^([0-9]+)$'
    talker=${BASH_REMATCH[1]}
    kill -KILL "$talker"
    wait_for_state "$talker" Z
    kill -CONT "$listener_pid"
    finish listener 3
    expect_lines listener.err "listener-posix: the talker (PID $talker) went away"
    wait_for_state "$talker" Z
    kill "$parent_pid"
    finish parent 143
}

# The object is a file, so the test can write another PID into it.
@test "a PID in the object counts only if that process has it mapped" {
    only_ours
    start_listener_of posix
    start bystander sleep "$DEADLINE"
    printf %b "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((bystander_pid & 255)) $((bystander_pid >> 8 & 255)) \
        $((bystander_pid >> 16 & 255)) $((bystander_pid >> 24 & 255)))" |
        dd of="$(object_of)" bs=1 seek=20 conv=notrunc status=none # the offset of `talker`; state and text follow it
    finish listener 3
    expect_lines listener.err "listener-posix: the talker (PID $bystander_pid) went away"
    kill "$bystander_pid"
    finish bystander 143
}

@test "a listener that is stopped on purpose is not taken for dead" {
    start_held listener sigsuspend listener-posix
    start talker talker-posix
    wait_for_line talker.out said
    sleep 0.5 # ten ticks: it checks its listener
    is_running "$talker_pid"
    kill -CONT "$listener_pid"
    finish talker 0
    finish listener 0
}

@test "a listener killed while it creates the object is recovered from" {
    for point in ftruncate fallocate mmap sigsuspend; do
        start_held listener "$point" listener-posix
        [ -e "$(object_of)" ]
        kill -KILL "$listener_pid"
        finish listener 137
        start_listener_of posix
        expect_lines listener.err "listener-posix: recovered: removed $(name_of), which a killed listener left behind"
        ends 0 talker-posix
        finish listener 0
    done
}

@test "two listeners that recover do not remove each other's object" {
    start_listener_of posix
    left=("$(object_of)")
    kill -KILL "$listener_pid"
    finish listener 137
    left=()
    start_held first shm_unlink listener-posix
    start second listener-posix --verbose
    until_true grep -q 'fstat.*S_IFREG' second.err # it has found the same object
    kill -CONT "$first_pid"
    wait_for_line first.out waiting
    finish second 4
    grep -F "busy: PID $first_pid is listening on $(name_of)" second.err
    ends 0 talker-posix
    finish first 0
}

@test "a process dies of a terminating signal, and leaves no object" {
    for signal in HUP INT TERM; do
        for point in ftruncate fallocate mmap sigsuspend; do
            start_held listener "$point" listener-posix
            kill -s "$signal" "$listener_pid"
            kill -CONT "$listener_pid"
            finish listener $((128 + $(kill -l "$signal")))
            [ ! -e "$(object_of)" ]
        done
    done
}

@test "a listener without a talker gives up at its timeout" {
    start_listener_of posix -t 0.2
    finish listener 3
    expect_lines listener.err "listener-posix: no talker within 0.2 s: gave up"
    [ ! -e "$(object_of)" ]
}

@test "stray SIGUSR1 change nothing" {
    start_listener_of posix
    start_held talker kill talker-posix
    for _ in {1..20}; do
        kill -USR1 "$listener_pid" "$talker_pid"
    done
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
    grep -x 'talker: listener said: Have a nice day' talker.out
}
