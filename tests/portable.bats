#!/usr/bin/env bats
# portable.bats - the scripts work the same with each awk and each sh that a system may have.
#
# Each test puts one interpreter, under the name awk or sh, at the front of PATH. The scripts that are named here are
# run by that sh; what they start themselves keeps the /bin/sh of its first line.

load helpers

setup() {
    common_setup
    export BUILD ROOT
}

teardown() { common_teardown; }

# From here on NAME (awk, sh) is PROGRAM, or PROGRAM's applet of that name.
use() { # NAME PROGRAM
    requires "$2"
    mkdir "$1-$2"
    ln -s "$(type -P "$2")" "$1-$2/$1"
    PATH=$PWD/$1-$2:$PATH
    "$1" "${probe[@]}" >/dev/null 2>&1 || skip "$2 has no $1"
}

# What the scripts print, with their exit status. PIDs, keys and ids differ from run to run, as does the order of two
# processes' lines.
prints() {
    local script
    for script in bench demo lint setup sweep test torture; do
        echo "== $script --help"
        sh "$ROOT/scripts/$script" --help 2>&1
        echo "status $?"
    done
    echo "== demo --list"
    sh "$ROOT/scripts/demo" --list 2>&1
    echo "status $?"
    echo "== torture --list"
    sh "$ROOT/scripts/torture" --list 2>&1
    echo "status $?"
    echo "== demo handshake"
    { sh "$ROOT/scripts/demo" handshake 2>&1 && echo complete || echo failed; } |
        sed 's/pid [0-9]*/pid P/; s/PID [0-9]*/PID P/; s/0x[0-9a-f]*/0xK/; s/shmid [0-9]*/shmid I/' | sort
    echo "== sweep"
    sweeps_its_own | sed 's/PID [0-9]*/PID P/'
    if [ -e "$ROOT/scripts/check-ladder" ]; then
        echo "== check-ladder"
        (cd "$ROOT" && sh scripts/check-ladder 2>&1)
        echo "status $?"
    fi
    for script in "$ROOT"/scripts/bench-*.awk; do
        [ -e "$script" ] || continue
        echo "== ${script##*/}"
        awk -f "$script" </dev/null 2>&1
        echo "status $?"
    done
    for form in '' --mermaid --json '--svg run.svg'; do
        echo "== timeline $form"
        # shellcheck disable=SC2086 # two words
        sh "$ROOT/scripts/timeline" $form "$ROOT"/tests/readme/*.trace 2>&1
        echo "status $?"
    done
    cat run.svg
    echo "== replay"
    sh "$ROOT/scripts/replay" --output run.html "$ROOT"/tests/readme/*.trace >/dev/null 2>&1
    echo "status $?"
    sed 's/nonce[^ ;>]*//g' run.html # it is a random number
} </dev/null

# What a killed listener leaves, in an IPC namespace of its own: sweep attaches each segment of the machine for a moment,
# which other tests would see.
sweeps_its_own() {
    # shellcheck disable=SC2016 # the inner shell expands
    unshare --user --map-root-user --ipc sh -c '
        "$BUILD/listener" -f own >own.out & listener=$!
        until grep -qs waiting own.out; do sleep 0.01; done
        kill -s KILL "$listener"
        wait "$listener" 2>/dev/null
        sh "$ROOT/scripts/sweep"' 2>&1
}

same_under() { # NAME PROGRAM
    unshare --user --map-root-user --ipc true 2>/dev/null || skip "no IPC namespace can be created here"
    prints >expected || :
    [ "$(grep -c '^status 0$' expected)" -ge 13 ] || fail "a script fails with the machine's own $1:" "$(cat expected)"
    grep -x 'stale [0-9]*: PID P left it behind' expected
    grep -x complete expected
    use "$1" "$2"
    prints >printed || :
    diff -u expected printed || fail "with $2 as $1 the scripts print (+) instead of (-)"
}

awks() {
    probe=('BEGIN { exit }')
    same_under awk "$1"
}

shells() {
    probe=(-c :)
    same_under sh "$1"
}

@test "the scripts print the same with mawk as awk" {
    awks mawk
}

@test "the scripts print the same with gawk as awk" {
    awks gawk
}

@test "the scripts print the same with original-awk as awk" {
    awks original-awk
}

@test "the scripts print the same with busybox as awk" {
    awks busybox
}

@test "the scripts print the same with dash as sh" {
    shells dash
}

@test "the scripts print the same with bash as sh" {
    shells bash
}

@test "the scripts print the same with busybox as sh" {
    shells busybox
}
