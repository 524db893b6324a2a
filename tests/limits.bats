#!/usr/bin/env bats
# limits.bats - the limits on the number and size of segments, and what the kernel refuses.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() {
    common_setup
    [ -r /proc/sys/kernel/shmmni ] || skip "no /proc/sys/kernel/shmmni here"
}

teardown() { common_teardown; }

limit() { # NAME
    cat "/proc/sys/kernel/$1"
}

# Runs both sides of the lesson, with the child in its own namespace.
run_lesson() {
    meet limits
    expect_lines listener.err
    expect_lines talker.err
}

skip_if_skipped() {
    ! grep 'skipped' listener.out >why || skip "$(cut -d : -f 3- <why)"
}

# Sets nobody: a command that runs another one as the user nobody, who may enter this directory.
be_nobody() {
    [ "$(id -u)" -eq 0 ] || skip "only root can become another user"
    requires setpriv
    chmod 777 .
    nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    "${nobody[@]}" test -x "$BUILD/listener-limits" || skip "the user nobody cannot run $BUILD"
}

@test "IPC_INFO reports what /proc/sys/kernel lists, on both sides" {
    run_lesson
    for name in SHMMNI SHMMAX SHMALL; do
        file=/proc/sys/kernel/${name,,}
        grep -Fx "listener: $name is $(cat "$file") by IPC_INFO, $(cat "$file") in $file" listener.out
    done
    grep -Fx "talker: told the same as the listener: SHMMNI $(limit shmmni), SHMMAX $(limit shmmax), SHMALL $(limit shmall)" \
        talker.out
}

@test "in its own namespace a child lowers each limit and reaches it" {
    run_lesson
    skip_if_skipped
    page=$(getconf PAGESIZE)
    sed -n '/lowered\|SHM_INFO/p' listener.out | expect_lines - \
        "listener: SHMMAX lowered to $page: $page bytes granted, $((page + 1)) EINVAL" \
        "listener: SHMALL lowered to 3: 3 segments of a page, then ENOSPC" \
        "listener: SHMMNI lowered to 3: 3 segments of a page, then ENOSPC" \
        "listener: SHM_INFO counts 3 segments and 3 pages in this namespace" \
        "listener: SHMSEG lowered to 2: 3 segments attached all the same"
}

@test "strace shows the new namespace first, then each reported refusal" {
    requires_strace
    start listener strace -f -o strace.out -e trace=shmget,shmat,unshare "$(lesson_program listener limits)" -t "$DEADLINE"
    wait_for_line listener.out waiting
    ends 0 talker-limits
    finish listener 0
    skip_if_skipped
    page=$(getconf PAGESIZE)
    sed -n 's/^[0-9]* *//; /unshare(CLONE_NEWIPC) *= 0/,$p' strace.out >child.strace
    [ "$(grep -c "shmget(IPC_PRIVATE, $((page + 1)), 0600) *= -1 EINVAL" child.strace)" -eq 1 ]
    [ "$(grep -c "shmget(IPC_PRIVATE, $page, 0600) *= -1 ENOSPC" child.strace)" -eq 2 ]
    [ "$(grep -c "shmat([0-9]*, NULL, SHM_RDONLY) *= 0x" child.strace)" -eq 3 ]
}

@test "the lesson leaves the system's limits unchanged, and says so" {
    before=$(limit shmmni) max=$(limit shmmax) all=$(limit shmall)
    run_lesson
    skip_if_skipped
    grep -Fx "listener: after that, in the system's: SHMMNI $before, SHMMAX $max, SHMALL $all" listener.out
    [ "$(limit shmmni).$(limit shmmax).$(limit shmall)" = "$before.$max.$all" ]
}

@test "an unprivileged user has limits of its own in a user namespace" {
    be_nobody
    start listener "${nobody[@]}" "$BUILD/listener-limits" -t "$DEADLINE"
    wait_for_line listener.out waiting
    start talker "${nobody[@]}" "$BUILD/talker-limits" -t "$DEADLINE"
    finish talker 0
    finish listener 0
    skip_if_skipped
    grep -x 'listener: SHMMNI lowered to 3: 3 segments of a page, then ENOSPC' listener.out
}

@test "without namespaces that part is skipped with the reason" {
    requires_strace
    before=$(limit shmmni)
    start listener strace -f -o strace.out -e trace=unshare -e inject=unshare:error=EPERM \
        "$(lesson_program listener limits)" -t "$DEADLINE"
    wait_for_line listener.out waiting
    ends 0 talker-limits
    finish listener 0
    grep -x 'listener: skipped: no limits of its own for a child: EPERM' listener.out
    run ! grep -F lowered listener.out
    [ "$(limit shmmni)" = "$before" ]
}

@test "SHMMIN works; a smaller size, one above SHMMAX or the segment's: EINVAL" {
    run_lesson
    size=$(sed -n 's/^talker: shmget of \([0-9]*\) bytes, new.*/\1/p' talker.out)
    grep -x 'talker: shmget of 1 byte, which is SHMMIN: granted' talker.out
    grep -x 'talker: shmget of 0 bytes, less than SHMMIN: EINVAL' talker.out
    grep -x "talker: shmget of $((size + 1)) bytes, more than the listener's has: EINVAL" talker.out
    grep skipped talker.out ||
        grep -x "talker: shmget of $(printf %u $(($(limit shmmax) + 1))) bytes, more than SHMMAX: EINVAL" talker.out
}

@test "IPC_EXCL on an existing key is EEXIST; a missing key is ENOENT" {
    start listener listener-limits
    size=$(segment_line "$(shmid_of listener)" | awk '{ print $4 }')
    ends 0 talker-limits
    finish listener 0
    grep -x "talker: shmget of $size bytes, new, where the listener's is: EEXIST" talker.out
    grep -x "talker: shmget of 0 bytes, by a key that no segment has: ENOENT" talker.out
}

@test "ENOENT is found past the keys that do have a segment" {
    start other listener-limits --project 255
    wait_for_line other.out waiting
    start_listener_of limits
    ends 0 talker-limits --verbose
    finish listener 0
    stop other
    grep -F "shmget($(key_of shmfile 255), 0, 000) = $(shmid_of other)" talker.err
    grep -F "shmget($(key_of shmfile 254), 0, 000) = -1 ENOENT" talker.err
}

@test "shmat is ENOMEM where the address space is limited" {
    run_lesson
    grep -E '^talker: shmat of ([0-9]+) bytes, under an RLIMIT_AS of as many: ENOMEM$' talker.out
}

@test "strace shows the talker's refusals in the reported order" {
    requires_strace
    start_listener_of limits
    start talker strace -o strace.out -e trace=shmget,shmat "$(lesson_program talker limits)" -t "$DEADLINE"
    finish talker 0
    finish listener 0
    ! grep skipped talker.out >why || skip "$(cut -d : -f 3- <why)"
    sed -n 's/.* = -1 \(E[A-Z]*\) .*/\1/p' strace.out | expect_lines - EINVAL EINVAL EEXIST EINVAL ENOENT ENOMEM
    key=$(key_of shmfile 1)
    grep -E "^shmget\($key, [0-9]+, IPC_CREAT\|IPC_EXCL\|0600\) = -1 EEXIST" strace.out
}

@test "a shmid is not a descriptor: poll, epoll and select refuse it" {
    run_lesson
    grep -E '^talker: under an RLIMIT_NOFILE of 0: dup EMFILE, shmget and shmat gave shmid [0-9]+ at 0x[0-9a-f]+$' talker.out
    grep -E "^talker: poll for shmid [0-9]+: POLLNVAL; epoll_ctl: EBADF; select: (EBADF|no place in an fd_set)$" talker.out
}

@test "a shmid small enough for select is still not a descriptor" {
    requires unshare
    unshare -i true 2>/dev/null || skip "unshare -i is not permitted here"
    # In a new namespace ids start at 0, like descriptors.
    # shellcheck disable=SC2016 # it is the inner bash that is to expand them
    unshare -i bash -c '
        "$1/listener-limits" -t "$2" >listener.out 3>&- & listener=$!
        until grep -q waiting listener.out || ! kill -0 "$listener"; do :; done
        "$1/talker-limits" -t "$2" >talker.out && wait "$listener"
    ' bash "$BUILD" "$DEADLINE"
    grep -E 'talker: poll for shmid [0-9]+: POLLNVAL; epoll_ctl: EBADF; select: EBADF' talker.out
}

@test "semaphores and message queues take the same commands" {
    requires_strace
    start_listener_of limits
    start talker strace -o strace.out -e trace=semctl,msgctl,semget,msgget "$(lesson_program talker limits)" -t "$DEADLINE"
    finish talker 0
    finish listener 0
    grep -x 'talker: of IPC_STAT, IPC_SET, IPC_RMID, IPC_INFO, semctl takes 4 and msgctl 4' talker.out
    for call in semctl msgctl; do
        for command in IPC_STAT IPC_SET IPC_RMID IPC_INFO; do
            grep -E "^$call\(.*$command.* = [0-9]" strace.out
        done
    done
}

@test "segments, semaphores and queues each have a limit of their own" {
    [ -r /proc/sys/kernel/sem ] && [ -r /proc/sys/kernel/msgmni ] || skip "no /proc/sys/kernel/sem here"
    run_lesson
    read -r _ _ _ semmni </proc/sys/kernel/sem
    grep -x "talker: each has a limit: SHMMNI $(limit shmmni) segments, SEMMNI $semmni semaphore sets, MSGMNI $(limit msgmni) queues" talker.out
}

@test "stray, terminating and killing signals leave nothing behind" {
    strays_change_nothing limits shmget:3
    signals_leave_nothing limits shmget:3
    kills_leave_nothing limits shmget:3
}

@test "a talker killed while it has a segment without a key leaves none" {
    hold_talker limits shmdt:3 # the first two are those of the session and of SHMMIN
    kill -KILL "$talker_pid"
    finish talker 137
    finish listener 3
    [ -z "$(awk -v pid="$talker_pid" '$5 == pid' /proc/sysvipc/shm)" ]
}
