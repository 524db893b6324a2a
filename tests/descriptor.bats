#!/usr/bin/env bats
# descriptor.bats - a segment is not a file descriptor: what refuses a shmid, and what wakes instead.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

run_lesson() {
    meet descriptor
    expect_lines listener.err
    expect_lines talker.err
}

@test "a shmid is not a descriptor: poll, epoll and select refuse it" {
    run_lesson
    grep -E '^talker: under an RLIMIT_NOFILE of 1: dup EMFILE, shmget and shmat gave shmid [0-9]+ at 0x[0-9a-f]+$' talker.out
    grep -E "^talker: poll for shmid [0-9]+: POLLNVAL; epoll_ctl: EBADF; select: (EBADF|no place in an fd_set)$" talker.out
}

@test "a shmid small enough for select is still not a descriptor" {
    requires unshare
    unshare -i true 2>/dev/null || skip "unshare -i is not permitted here"
    # In a new namespace ids start at 0, like descriptors.
    # shellcheck disable=SC2016 # it is the inner bash that is to expand them
    unshare -i bash -c '
        "$1/listener-descriptor" -t "$2" >listener.out 3>&- & listener=$!
        until grep -q waiting listener.out || ! kill -0 "$listener"; do :; done
        "$1/talker-descriptor" -t "$2" >talker.out && wait "$listener"
    ' bash "$BUILD" "$DEADLINE"
    grep -E 'talker: poll for shmid [0-9]+: POLLNVAL; epoll_ctl: EBADF; select: EBADF' talker.out
}

@test "strace shows that close, poll and epoll_ctl refuse the shmid" {
    requires_strace
    start_listener_of descriptor
    start talker strace -o strace.out -e trace=close,poll,epoll_ctl "$(lesson_program talker descriptor)" -t "$DEADLINE"
    finish talker 0
    finish listener 0
    id=$(sed -n 's/^talker: close of shmid \([0-9]*\): EBADF$/\1/p' talker.out)
    grep -E "^close\($id\) += -1 EBADF" strace.out
    grep -E "^poll\(\[\{fd=$id, .*POLLNVAL" strace.out
    grep -E "^epoll_ctl\([0-9]+, EPOLL_CTL_ADD, $id, .* = -1 EBADF" strace.out
}

# The talker has looked before the listener writes: it looks again only when SIGUSR1 comes.
@test "the talker sees the word only after the listener's signal" {
    start_listener_of descriptor --hold write
    start talker talker-descriptor -v
    wait_for_state "$listener_pid" T
    wait_for_line talker.err 'observe step = DESCRIPTOR_TRIED'
    run ! grep -F 'the word is' talker.out
    kill -CONT "$listener_pid"
    finish talker 0
    finish listener 0
    sed -n '/observe step = DESCRIPTOR_TRIED/,$p' talker.err | grep -F -- "--- SIGUSR1 from $listener_pid ---"
    grep -x "talker: the word is $listener_pid: the listener wrote its PID" talker.out
}

@test "stray, terminating and killing signals leave nothing behind" {
    strays_change_nothing descriptor tried
    signals_leave_nothing descriptor tried
    kills_leave_nothing descriptor tried
}
