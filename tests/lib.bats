#!/usr/bin/env bats
# lib.bats - what scripts/lib.sh promises to the scripts that use it, in each shell that is installed here.
# shellcheck disable=SC2154 # start and run set variables

load helpers

setup() {
    common_setup
    mkdir -p tree/scripts tmp
    cp "$ROOT/scripts/lib.sh" tree/scripts
    export TMPDIR=$PWD/tmp
    shells=()
    for shell in dash bash busybox; do
        ! command -v "$shell" >/dev/null || shells+=("$shell")
    done
}
teardown() { common_teardown; }

# Writes the script that a test runs: its head, then the lines of stdin.
make_script() {
    { printf '#!/bin/sh\n# scripts/try: a script.\n#\n# It is for a test.\n\nset -eu\n. scripts/lib.sh\n' && cat; } >tree/scripts/try
}

# Sets `run_in` to the command that runs the script in SHELL.
choose() { # SHELL
    run_in=("$1")
    [ "$1" != busybox ] || run_in=(busybox sh)
    run_in+=(scripts/try)
}

# Starts the script as "try", and waits for its line "ready PID...": sets `children` to these PIDs.
start_script() { # SHELL
    choose "$1"
    # A background process starts with SIGINT and SIGQUIT ignored, and a shell cannot undo that.
    start try env --default-signal=INT,QUIT --chdir=tree "${run_in[@]}"
    wait_for_line try.out '^ready'
    read -ra children < <(sed -n 's/^ready//p' try.out)
}

ends_by() { # SIGNAL
    kill -s "$1" "$try_pid"
    finish try $((128 + $(kill -l "$1")))
    for pid in "${children[@]}"; do
        is_gone "$pid" || fail "child $pid is still there"
    done
    find tmp -mindepth 1 | expect_lines -
}

@test "an interrupted script ends its children, removes its files and dies by the signal" {
    make_script <<'END'
begin
echo x >"$scratch/file"
sleep 60 &
first=$!
sleep 60 &
echo "ready $first $!"
wait_for "$first"
END
    for shell in "${shells[@]}"; do
        for signal in HUP INT TERM QUIT; do
            ulimit -c 0
            start_script "$shell"
            ends_by "$signal"
        done
    done
}

@test "a child that loses the first TERM gets another, and a stopped one goes on to end" {
    make_script <<'END'
begin
sh -c 'trap "lost=$((${lost:-0} + 1)); trap exit TERM" TERM; echo >set; while :; do sleep 0.05; done' &
first=$!
until [ -e set ]; do nap; done
rm set
sleep 60 &
kill -s STOP "$!"
echo "ready $first $!"
wait_for "$first"
END
    for shell in "${shells[@]}"; do
        start_script "$shell"
        ends_by TERM
    done
}

@test "a signal during a read ends the script as well" {
    make_script <<'END'
begin
open_fifo "$scratch/fifo" 3 4
sleep 60 >&4 3<&- 4>&- &
echo "ready $!"
IFS= read -r line <&3
END
    for shell in "${shells[@]}"; do
        start_script "$shell"
        until_true in_state "$try_pid" S
        ends_by TERM
    done
}

# Such a child gets the group's signal before it has forgotten the traps of its parent. Only bash runs them then.
@test "a child that runs its parent's trap takes nothing from the parent" {
    make_script <<'END'
begin
sleep 60 &
first=$!
(leave_by TERM && echo "went on") &
wait_for "$!" || :
is_running "$first" && [ -d "$scratch" ] && echo untouched
END
    choose bash
    run -0 --separate-stderr env --chdir=tree timeout "$DEADLINE" "${run_in[@]}"
    [ "$output" = untouched ]
}

# bash 5.2 then reads the trap as if it stood in "$(...)".
@test "a signal between two command substitutions ends the script" {
    make_script <<'END'
begin
sleep 60 &
echo "ready $!"
x=$(kill -s TERM $$)$(echo too late)
echo "$x"
END
    for shell in "${shells[@]}"; do
        start_script "$shell"
        finish try 143
        expect_lines try.err
        is_gone "${children[0]}"
        find tmp -mindepth 1 | expect_lines -
    done
}

@test "the clean-up of a script runs before its files go" {
    make_script <<'END'
at_end=say_so
say_so() { cat "$scratch/file"; }
begin
echo 'cleaned up' >"$scratch/file"
exit 3
END
    for shell in "${shells[@]}"; do
        choose "$shell"
        run -3 --separate-stderr env --chdir=tree "${run_in[@]}"
        [ "$output$stderr" = 'cleaned up' ]
        find tmp -mindepth 1 | expect_lines -
    done
}

@test "open_fifo waits for no peer, and its reader sees the end when the last writer ends" {
    make_script <<'END'
begin
for n in 1 2 3; do
    open_fifo "$scratch/fifo" 3 4
    sh -c "echo line $n" >&4 3<&- 4>&- &
    exec 4>&-
    cat <&3
    wait_for "$!"
done
END
    for shell in "${shells[@]}"; do
        choose "$shell"
        run -0 --separate-stderr env --chdir=tree timeout "$DEADLINE" "${run_in[@]}"
        [ "$output" = $'line 1\nline 2\nline 3' ]
    done
}

@test "wait_for returns and stores a child's status; terminate returns when the child is gone" {
    make_script <<'END'
begin
sh -c 'exit 7' &
wait_for "$!" || echo "$? $status"
sleep 60 &
terminate "$!"
is_running "$!" || echo gone
END
    for shell in "${shells[@]}"; do
        choose "$shell"
        run -0 --separate-stderr env --chdir=tree timeout "$DEADLINE" "${run_in[@]}"
        [ "$output" = $'7 7\ngone' ]
    done
}

@test "the /proc of another PID namespace is not believed" {
    requires unshare timeout
    unshare --pid --fork --kill-child true 2>/dev/null || skip "no PID namespace can be made here"
    make_script <<'END'
begin
sleep 60 &
is_running "$!" || echo 'the child is not seen'
descendants 1 # of the other namespace
end_children
! is_running "$!" || echo 'the child is still there'
END
    for shell in "${shells[@]}"; do
        choose "$shell"
        (cd tree && timeout -s KILL 5 unshare --pid --fork --kill-child "${run_in[@]}") >out 2>&1 3>&- ||
            fail "$shell: status $?:" "$(cat out)"
        expect_lines out
    done
}

@test "in ksh, a script says that it does not work there" {
    make_script <<'END'
begin
END
    for shell in ksh93 mksh; do
        command -v "$shell" >/dev/null || continue
        run -1 env --chdir=tree "$shell" scripts/try
        [ "$output" = 'scripts/try: this does not work in ksh: start it with another shell, as in "bash scripts/try"' ]
    done
}

@test "an unusable TMPDIR is named; help is the head comment; wrong usage is one line" {
    make_script <<'END'
case $1 in help) show_help ;; wrong) usage "unknown argument '$1'" ;; *) begin ;; esac
END
    for shell in "${shells[@]}"; do
        choose "$shell"
        run -1 env --chdir=tree TMPDIR=/nonexistent "${run_in[@]}" run
        [ "$output" = "scripts/try: TMPDIR is '/nonexistent', where no file can be made: set TMPDIR to a directory that \
you may write to" ]
        run -0 env --chdir=tree "${run_in[@]}" help
        [ "$output" = $'scripts/try: a script.\n\nIt is for a test.' ]
        run -2 env --chdir=tree "${run_in[@]}" wrong
        [ "$output" = "scripts/try: unknown argument 'wrong'; --help shows the usage" ]
    done
}
