#!/usr/bin/env bats
# namespaces.bats - a PID means something only in its PID namespace: the programs see where they cannot meet.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup() {
    common_setup
    only_ours
    requires unshare
    "${inside[@]}" true 2>/dev/null || skip "no PID namespace can be made here"
}
teardown() { common_teardown; }

inside=(unshare --pid --fork --kill-child --mount-proc) # a PID namespace of its own; the IPC namespace stays

child_of() { # PID
    cat "/proc/$1/task/$1/children"
}

start_listener_inside() { # LISTENER [OPTION]...
    start listener "${inside[@]}" "$1" --timeout "$DEADLINE" "${@:2}"
    wait_for_line listener.out 'waiting for a talker'
}

# unshare stays outside as the parent: a signal for the listener goes to its child.
stop_listener_inside() {
    kill -TERM "$(child_of "$listener_pid")"
    wait_gone "$listener_pid"
    reap listener
}

@test "a talker in another PID namespace says so, and disturbs nothing" {
    start_listener
    shmid=$(shmid_of listener)
    refuses 3 "the listener of shmid $shmid \(no PID here\) runs in another PID namespace" "${inside[@]}" "$TALKER"
    refuses 3 'runs in another PID namespace' "${inside[@]}" "$TALKER" --wait
    ends 0 talker
    finish listener 0
    expect_lines listener.err
}

@test "a talker outside says that the listener is in another PID namespace" {
    start_listener_inside "$LISTENER" --keep
    refuses 3 "\(PID [0-9]+ here\) runs in another PID namespace" talker
    grep -v 'PID 1 here' refused.err # the listener's own number for itself
    stop_listener_inside
}

@test "a key that is in use in another PID namespace is busy, on both sides" {
    start_listener_inside "$LISTENER" --keep
    refuses 4 "busy: .* in use in another PID namespace \(creator: PID [0-9]+ here\)" listener
    stop_listener_inside
    start_listener
    refuses 4 'busy: .* in use in another PID namespace \(creator: no PID here\)' "${inside[@]}" "$LISTENER"
    ends 0 talker
    finish listener 0
}

@test "a segment left in another PID namespace is recovered" {
    start_listener_inside "$LISTENER" --keep
    kill -KILL "$(child_of "$listener_pid")"
    wait_gone "$listener_pid"
    reap listener
    start namespace "${inside[@]}" "$LISTENER" --timeout "$DEADLINE"
    wait_for_line namespace.out waiting
    grep recovered namespace.err
    kill -TERM "$(child_of "$namespace_pid")"
    wait_gone "$namespace_pid"
    reap namespace
}

@test "the lessons' talkers say it as well" {
    for lesson in handshake turn textbook; do
        start_listener_of "$lesson"
        refuses 3 'runs in another PID namespace' "${inside[@]}" "$(lesson_program talker "$lesson")"
        kill -TERM "$listener_pid"
        finish listener 143
    done
}

# The talker cannot know it without /proc.
@test "the listener names the reason why it ignores a PID of another namespace" {
    without_proc=(unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh)
    "${without_proc[@]}" true 2>/dev/null || skip "nothing can be mounted over /proc here"
    start_listener_inside "$LISTENER" --keep
    ends 3 "${without_proc[@]}" "$TALKER"
    grep -E 'ignoring PID [0-9]+ in seat 1: .* a process of another PID namespace has' listener.err
    stop_listener_inside
}

@test "a listener whose segment is removed from outside does not name PID 0" {
    start_listener_inside "$LISTENER" --keep
    refuses 3 'another PID namespace' talker
    ipcrm -m "$(shmid_of listener)"
    finish listener 1
    grep -F 'a process of another PID namespace used it last' listener.err
}

# /proc/self is not the process that reads it there.
@test "in a new PID namespace with the old /proc the pair works" {
    # shellcheck disable=SC2016 # the inner shell expands
    for user in '' '--user'; do
        namespace=(unshare ${user:+"$user"} --ipc --pid --fork --kill-child)
        "${namespace[@]}" true 2>/dev/null || continue
        echo '
            "$1" --timeout "$3" >listener.out 2>listener.err & listener=$!
            until grep -q waiting listener.out; do sleep 0.01; done
            "$2" --timeout "$3" Hello >talker.out 2>&1 && wait "$listener" || cat talker.out listener.err' >pair.sh
        "${namespace[@]}" sh pair.sh "$LISTENER" "$TALKER" "$DEADLINE" | expect_lines -
        grep -x 'talker: listener said: Have a nice day' talker.out
        expect_lines listener.err
    done
}
