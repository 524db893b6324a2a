#!/usr/bin/env bats
# fast.bats - scripts/test --fast runs what it promises, in a tree that is made here.

load helpers

setup() {
    common_setup
    mkdir -p tree/scripts tree/tests
    cp "$ROOT/scripts/test" "$ROOT/scripts/setup" "$ROOT/scripts/lib.sh" tree/scripts
    printf 'LESSONS = handshake odd \\\n  plain untested\n\nall:\n' >tree/Makefile
    make_tests pair 'the pair works' 'the pair works again'
    make_tests handshake 'it works' 'it works again'
    # shellcheck disable=SC2016 # a title as it stands in a file
    make_tests odd 'a[0] is (not) 1.5, *never* $1 + 2? {x|y} /z/' 'a[0]'
    make_tests plain 'first' 'the first is not the first of these'
    make_tests other 'no lesson'
}
teardown() { common_teardown; }

make_tests() { # NAME TITLE...
    printf '@test "%s" {\n    true\n}\n' "${@:2}" | sed 's/\$/\\$/g' >"tree/tests/$1.bats"
}

# At the front of PATH bats has its own parts, which know nothing of a bats within a bats.
test_fast() { # [ARGUMENT]...
    status=0
    env -i PATH="${PATH//"$BATS_LIBEXEC:"/}" JOBS=1 \
        timeout 60 tree/scripts/test --fast "$@" >out 2>err 3>&- || status=$?
}

@test "--fast runs the pair, the handshake and the first test of each other lesson" {
    test_fast
    [ "$status" -eq 0 ] || fail "$(cat out err)"
    sed 's/^ok [0-9]* //' out | sort | expect_lines - '1..6' 'a[0] is (not) 1.5, *never* $1 + 2? {x|y} /z/' first \
        'it works' 'it works again' 'the pair works' 'the pair works again'
}

@test "--fast fails if a test fails, or if a lesson's file has no test" {
    sed -i 's/true/false/' tree/tests/plain.bats
    test_fast
    [ "$status" -eq 1 ]
    grep -E '^not ok [0-9]+ first$' out
    echo '# nothing yet' >tree/tests/plain.bats
    test_fast
    [ "$status" -eq 1 ]
}

# shellcheck disable=SC2016,SC2154 # the inner test is to expand; start sets a variable
@test "an interrupted run ends all that its tests started, and leaves no file" {
    mkdir tmp
    printf '@test "it sleeps" {\n    sleep 61 &\n    echo $! $$ $BASHPID >%s/pids\n    sleep 62\n}\n' "$PWD" \
        >tree/tests/pair.bats
    start run env -i PATH="${PATH//"$BATS_LIBEXEC:"/}" TMPDIR="$PWD/tmp" JOBS=2 tree/scripts/test --fast
    until_true test -s pids || fail 'waited for the test to start its programs' "$(cat run.out run.err)"
    kill -s TERM "$run_pid"
    finish run 143
    read -ra pids <pids
    for pid in "${pids[@]}"; do
        is_gone "$pid" || fail "process $pid is still there"
    done
    find tmp -mindepth 1 | expect_lines -
}

@test "--fast with a file is one line of our own, and status 2" {
    for file in tests/plain.bats plain; do
        test_fast "$file"
        [ "$status" -eq 2 ]
        expect_lines err 'scripts/test: --fast takes no files: it chooses them itself; --help shows the usage'
        expect_lines out
    done
}
