#!/usr/bin/env bats
# torture.bats - scripts/torture and its parts: their options, their output, and that they find mistakes.

load helpers

setup() {
    [ -z "${SANITIZE-}" ] || skip "the torture makes its own builds"
    common_setup
    torture=$ROOT/scripts/torture
}
teardown() { common_teardown; }

# Makes a project whose parts are made by the test. There is nothing to build.
make_house() {
    mkdir -p house/scripts house/tests/torture
    cp "$ROOT/scripts/torture" "$ROOT/scripts/setup" "$ROOT/scripts/lib.sh" house/scripts
    echo 'all:' >house/Makefile
    torture=house/scripts/torture
}

make_part() { # NAME LINE...: prints these lines
    {
        printf '#!/bin/sh\n# %s - is made for a test\n' "$1"
        printf 'echo "%s"\n' "${@:2}"
    } >"house/tests/torture/$1"
    chmod +x "house/tests/torture/$1"
}

# Makes a directory of the built programs, in which SED-SCRIPT has changed the source of SIDE's handshake.
break_handshake() { # SIDE SED-SCRIPT
    mkdir broken
    ln -s "$BUILD"/* broken
    rm "broken/$1-handshake"
    sed "$2" "$ROOT/$1/handshake.c" >broken.c
    ! cmp -s broken.c "$ROOT/$1/handshake.c" || fail "nothing in $1/handshake.c is changed by: $2"
    "${CC:-cc}" -std=c11 -D_XOPEN_SOURCE=700 "-I$ROOT/$1" -o "broken/$1-handshake" broken.c "$BUILD"/obj/common/*.o -lrt
}

# Runs a part by hand on the broken programs, in a directory of its own. Descriptor 3 belongs to bats.
part() { # NAME CASE...
    mkdir "part-$1"
    (cd "part-$1" && BUILD=$OLDPWD/broken SEED=${SEED-1} SHORT='' "$ROOT/tests/torture/$1" "${@:2}" 3>&-)
}

@test "an unknown option, seed or part is refused by name" {
    make_house
    make_part calls 'calls: 1 cases, 0 found'
    refuses 2 "'--wild'" "$torture" --wild
    refuses 2 "'x1'" "$torture" --seed x1
    refuses 2 "''" "$torture" --seed
    refuses 2 "'walls'" "$torture" calls walls
    refuses 2 "'kills'" "$torture" kills
    run -0 "$torture" --help
    [[ ${lines[0]} == "scripts/torture: "* ]]
}

@test "--list prints a line for each part" {
    run -0 "$torture" --list
    for file in "$ROOT"/tests/torture/*; do
        [ ! -x "$file" ] || echo "${file##*/}"
    done >expected
    awk 'NF > 3 { print $1 }' <<<"$output" | sort | diff expected -
}

@test "the table and the exit status sum up the findings of the parts" {
    make_house
    make_part calls 'found: a hair, repeat with: true' 'calls: 30 cases, 2 found'
    make_part kills 'kills: skipped: nothing to kill with'
    make_part stops 'stops: 12 cases, 0 found'
    run -1 "$torture" --short
    grep -x 'found: a hair, repeat with: true' <<<"$output"
    grep -x 'kills: skipped: nothing to kill with' <<<"$output"
    grep -Ex 'calls +30 +[0-9]+ +2' <<<"$output"
    grep -Ex 'kills +skipped +[0-9]+ +0' <<<"$output"
    grep -Ex 'stops +12 +[0-9]+ +0' <<<"$output"
    grep -Ex 'all +42 +[0-9]+ +2' <<<"${lines[-1]}"
    run -0 "$torture" stops kills
    grep -Ex 'all +12 +[0-9]+ +0' <<<"${lines[-1]}"
}

@test "a part that ends too early counts as a finding" {
    make_house
    make_part calls 'call cases outcome'
    run -1 "$torture" --seed 7
    grep -x 'found: calls ended without its last line, repeat with: scripts/torture --seed 7 calls' <<<"$output"
    grep -Ex 'all +0 +[0-9]+ +1' <<<"${lines[-1]}"
}

@test "the seed is printed, passed to each part, and can be given again" {
    make_house
    make_part calls 'seed $SEED for the part, short $SHORT' 'calls: 1 cases, 0 found'
    run -0 "$torture" --seed 4711
    [ "${lines[0]%%,*}" = 'seed 4711' ]
    grep -x 'seed 4711 for the part, short ' <<<"$output"
    run -0 "$torture" --short
    seed=$(sed -n '1s/^seed \([0-9]*\), short.*/\1/p' <<<"$output")
    grep -x "seed $seed for the part, short 1" <<<"$output"
}

@test "the same seed gives the same moments, another seed gives others" {
    requires_strace
    ln -s "$BUILD" broken
    for SEED in 5 5 6; do
        part kills 'random/handshake/*/2?'
        mv part-kills/cases "cases.$SEED.$((++n))"
        rm -r part-kills
    done
    [ "$(wc -l <cases.5.1)" -ge 2 ]
    cmp cases.5.1 cases.5.2
    run ! cmp -s cases.5.1 cases.6.3
}

@test "calls finds a program that fails and exits 0" {
    requires_strace
    break_handshake talker 's/err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid)/err(0, "shmat(%d, NULL, 0)", shmid)/'
    run -1 part calls 'handshake/talker/shmat/ENOMEM/*'
    [ "${lines[-1]}" = 'calls: 2 cases, 1 found' ]
    line=$(grep '^found: handshake/talker/shmat/ENOMEM/2: ended with 0, and not with 1' <<<"$output")

    # The line has the command that repeats the case.
    mkdir again
    cd again
    run -1 sh -c "${line##*repeat with: } 3>&-"
    [ "${lines[-1]}" = 'calls: 1 cases, 1 found' ]
}

@test "calls finds a message that does not name the call" {
    requires_strace
    break_handshake listener 's/err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid)/errx(1, "segment %d: it failed", shmid)/'
    run -1 part calls 'handshake/listener/shmat/ENOMEM/1'
    grep "^found: handshake/listener/shmat/ENOMEM/1: the message does not contain 'shmat'" <<<"$output"
}

@test "kills finds a survivor that exits 0 after its peer died" {
    requires_strace
    # It still removes what the dead listener left; only its exit status is wrong.
    break_handshake talker 's/wait_exit_if_over(&wait);/if (wait.verdict) { shmdt(shared); segment_remove_if_left(shmid, listener); exit(0); }/'
    run -1 part kills 'handshake/listener/write/2'
    grep '^found: handshake/listener/write/2: killed: 137, survivor: 0' <<<"$output"
}

@test "stops finds a conversation that does not complete" {
    requires_strace
    break_handshake talker '/copy_text_out(text, shared->text/s/.*/    errx(3, "gave up");/'
    run -1 part stops 'handshake/talker/shmget/1'
    grep '^found: handshake/talker/shmget/1: the listener ended with 0, the talker with 3' <<<"$output"
}

# A pair whose listener dies of a signal, and whose talker says nothing and leaves a process.
make_bad_pair() {
    mkdir broken
    printf '#!/bin/sh\n%s\n' 'echo "listener: waiting for a talker (pid $$, key 0x1, shmid 0)"' 'kill -SEGV $$' \
        >broken/listener
    printf '#!/bin/sh\n%s\n' 'sleep 60 >/dev/null 2>&1 &' 'exit 3' >broken/talker
    chmod +x broken/*
}

@test "places finds a death by a signal, a silent end and a process that stays" {
    unshare --ipc --pid --fork --mount-proc true 2>/dev/null || skip "unshare is missing or not permitted"
    make_bad_pair
    run -1 part places no_proc/pair
    grep '^found: no_proc/pair: the listener ended with 139: ' <<<"$output"
    grep '^found: no_proc/pair: the talker ended with 3 and gave no reason, ' <<<"$output"
    grep '^found: no_proc/pair: process stays: sleep 60 ' <<<"$output"
    [ "${lines[-1]}" = 'places: 1 cases, 3 found' ]
}

@test "places finds nothing in an ordinary environment" {
    unshare --ipc --pid --fork --mount-proc true 2>/dev/null || skip "unshare is missing or not permitted"
    ln -s "$BUILD" broken
    run -0 part places 'plain/*' 'no_home/handshake'
    [[ ${lines[-1]} == "places: "[1-9][0-9]" cases, 0 found" ]]
}

@test "without strace, the parts that need it are skipped and say so" {
    ln -s "$BUILD" broken
    mkdir bin
    for tool in sh dirname date mkdir rm; do ln -s "$(type -P "$tool")" bin; done
    for name in calls kills stops; do
        PATH=$PWD/bin run -0 part "$name"
        [ "$output" = "$name: skipped: strace is not installed" ]
    done
}
