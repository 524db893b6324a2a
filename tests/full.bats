#!/usr/bin/env bats
# full.bats - what happens in an IPC namespace in which each limit is reached, and outside of it.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() {
    common_setup
    [ -r /proc/sys/kernel/shmmni ] || skip "no /proc/sys/kernel/shmmni here"
    page=$(getconf PAGESIZE)
}

teardown() { common_teardown; }

limit() { # NAME
    cat "/proc/sys/kernel/$1"
}

skip_if_skipped() {
    ! grep 'skipped' listener.out >why || skip "$(cut -d : -f 3- <why)"
}

skip_without_namespaces() {
    meet full
    skip_if_skipped
}

run_lesson() {
    meet full
    expect_lines listener.err
    expect_lines talker.err
    skip_if_skipped
}

# Sets nobody: a command that runs another one as the user nobody, who may enter this directory.
be_nobody() {
    [ "$(id -u)" -eq 0 ] || skip "only root can become another user"
    requires setpriv
    chmod 777 .
    nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    "${nobody[@]}" test -x "$BUILD/listener-full" || skip "the user nobody cannot run $BUILD"
}

@test "in its own namespace a child lowers each limit and reaches it" {
    run_lesson
    sed -n '/lowered\|SHM_INFO\|created/p' listener.out | expect_lines - \
        "listener: SHMMAX lowered to $page: one more segment, of $((page + 1)) bytes: EINVAL" \
        "listener: created 3 segments of $page bytes" \
        "listener: SHMALL lowered to 3: one more segment, of $page bytes: ENOSPC" \
        "listener: SHMMNI lowered to 3: one more segment, of $page bytes: ENOSPC" \
        "listener: SHM_INFO counts 3 segments and 3 pages in this namespace" \
        "listener: SHMSEG lowered to 2: 3 segments attached all the same"
}

# An ordinary user leaves the namespace at the second try, together with the user namespace.
@test "strace shows the new namespace first, then each reported refusal" {
    requires_strace
    start listener strace -f -o strace.out -e trace=shmget,shmat,unshare "$(lesson_program listener full)" -t "$DEADLINE"
    wait_for_line listener.out waiting
    ends 0 talker-full
    finish listener 0
    skip_if_skipped
    sed -n 's/^[0-9]* *//; /unshare(.*CLONE_NEWIPC.*) *= 0/,$p' strace.out >child.strace
    [ "$(grep -c "shmget(IPC_PRIVATE, $((page + 1)), 0600) *= -1 EINVAL" child.strace)" -eq 1 ]
    [ "$(grep -c "shmget(IPC_PRIVATE, $page, 0600) *= [0-9]" child.strace)" -eq 3 ]
    [ "$(grep -c "shmget(IPC_PRIVATE, $page, 0600) *= -1 ENOSPC" child.strace)" -eq 2 ]
    [ "$(grep -c "shmat([0-9]*, NULL, SHM_RDONLY) *= 0x" child.strace)" -eq 3 ]
}

@test "while the child's namespace is full, the talker creates a segment" {
    skip_without_namespaces
    start_listener_of full
    start_held talker created talker-full --verbose
    child=$(cat "/proc/$listener_pid/task/$listener_pid/children")
    [ "$(readlink "/proc/${child% }/ns/ipc")" != "$(readlink /proc/self/ns/ipc)" ]
    id=$(sed -n 's/^talker: created segment \([0-9]*\): the system is not full$/\1/p' talker.out)
    grep -F "shmget(IPC_PRIVATE, 1, 0600) = $id" talker.err
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
}

@test "the lesson leaves the system's limits unchanged, and says so" {
    before=$(limit shmmni) max=$(limit shmmax) all=$(limit shmall)
    run_lesson
    grep -E "^listener: the system's are unchanged: SHMMNI $before, SHMMAX [0-9]+, SHMALL [0-9]+$" listener.out
    [ "$(limit shmmni).$(limit shmmax).$(limit shmall)" = "$before.$max.$all" ]
}

@test "an unprivileged user has limits of its own in a user namespace" {
    be_nobody
    start listener "${nobody[@]}" "$BUILD/listener-full" -t "$DEADLINE"
    wait_for_line listener.out waiting
    start talker "${nobody[@]}" "$BUILD/talker-full" -t "$DEADLINE"
    finish talker 0
    finish listener 0
    skip_if_skipped
    grep -x "listener: SHMMNI lowered to 3: one more segment, of $page bytes: ENOSPC" listener.out
}

@test "without namespaces the lesson is skipped with the reason" {
    requires_strace
    before=$(limit shmmni)
    start listener strace -f -o strace.out -e trace=unshare -e inject=unshare:error=EPERM \
        "$(lesson_program listener full)" -t "$DEADLINE"
    wait_for_line listener.out waiting
    ends 0 talker-full
    finish listener 0
    grep -x 'listener: skipped: no limits of its own for a child: EPERM' listener.out
    run ! grep -F lowered listener.out
    [ "$(limit shmmni)" = "$before" ]
}

@test "without /proc the limits cannot be set, and the lesson is skipped" {
    skip_without_namespaces
    start_without_proc listener "$BUILD/listener-full" -t "$DEADLINE"
    wait_for_line listener.out waiting
    ends 0 talker-full
    finish listener 0
    grep -xE 'listener: skipped: no limits of its own for a child: E(NOENT|ACCES)' listener.out
    expect_lines listener.err
}

@test "an inherited SIGCHLD of SIG_IGN does not hide how the child ended" {
    env --ignore-signal=CHLD true 2>/dev/null || skip "this env has no --ignore-signal"
    start listener env --ignore-signal=CHLD "$(lesson_program listener full)" -t "$DEADLINE"
    wait_for_line listener.out waiting
    ends 0 talker-full
    finish listener 0
    expect_lines listener.err
}

@test "stray, terminating and killing signals leave nothing behind" {
    skip_without_namespaces
    strays_change_nothing full created
    signals_leave_nothing full created
    kills_leave_nothing full created
}
