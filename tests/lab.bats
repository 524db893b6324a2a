#!/usr/bin/env bats
# lab.bats - scripts/lab lists, starts, grades and watches the exercises, and refuses what it cannot do.
# shellcheck disable=SC2154 # start sets NAME_pid; run --separate-stderr sets stderr

load helpers

bats_require_minimum_version 1.8.0

setup() {
    common_setup
    [ -z "${SANITIZE-}" ] || skip "each program is compiled with sanitizers already"
    exercises=$ROOT/scripts/lab-exercises
}
teardown() { common_teardown; }

lab() { # [ARGUMENT]...
    "$ROOT/scripts/lab" "$@" 3>&-
}

all_exercises() {
    cat "$exercises/ORDER"
}

field() { # EXERCISE FIELD
    sed -n "s/^$2: //p" "$exercises/$1/exercise"
}

refuses_to() { # STATUS PATTERN ARGUMENT...
    run "-$1" --separate-stderr lab "${@:3}"
    [ -z "$output" ]
    [[ $stderr =~ $2 ]] || fail "not like '$2':" "$stderr"
}

requires_grade() {
    requires_compiler "the exercises"
    [ -x "$ROOT/scripts/grade" ] || skip "no scripts/grade"
}

# ---- the exercises themselves

@test "ORDER names each exercise once, and each has all its parts" {
    all_exercises | sort >named
    (cd "$exercises" && ls -d -- */ | tr -d /) | sort | diff named -
    for name in $(all_exercises); do
        for part in exercise task.md starter.c hint1 hint2 hint3 solution.c; do
            [ -s "$exercises/$name/$part" ] || fail "$name has no $part"
        done
        for line in title file side wire lesson; do
            [ -n "$(field "$name" $line)" ] || fail "$name has no line '$line:'"
        done
        [ -e "$BUILD/listener-$(field "$name" lesson)" ] || fail "$name: no lesson $(field "$name" lesson)"
        [ -s "$exercises/wire-$(field "$name" wire).md" ] || fail "$name: its wire has no table"
    done
}

@test "each starter and solution compiles alone, without a warning" {
    requires_compiler "the exercises"
    for name in $(all_exercises); do
        for part in starter solution; do
            cp "$exercises/$name/$part.c" alone.c
            "${CC:-cc}" -Wall -Wextra -Werror -o alone alone.c
        done
    done
}

@test "each starter has numbered TODOs, and no solution has one" {
    for name in $(all_exercises); do
        grep -oE 'TODO [0-9]+' "$exercises/$name/starter.c" | grep -oE '[0-9]+' | sort -nu >numbers
        seq "$(wc -l <numbers)" | diff numbers -
        [ "$(wc -l <numbers)" -ge 2 ] || fail "$name has too few TODOs"
        run ! grep TODO "$exercises/$name/solution.c"
    done
}

# The gradings mostly wait, so all of them run at the same time.
@test "each solution gets all points, and no starter does" {
    requires_grade
    declare -A pid
    for name in $(all_exercises); do
        for part in starter solution; do
            "$ROOT/scripts/grade" "$name" "$exercises/$name/$part.c" \
                >"$name.$part" 2>&1 3>&- &
            pid[$name.$part]=$!
        done
    done
    for name in $(all_exercises); do
        wait "${pid[$name.solution]}" || fail "$name: the solution" "$(cat "$name.solution")"
        status=0
        wait "${pid[$name.starter]}" || status=$?
        [ "$status" -eq 1 ] || fail "$name: the starter ended with $status" "$(cat "$name.starter")"
    done
    while read -r name pitfall; do # a starter that is to be repaired has one mistake, that of its lesson
        sed -n 's/^ *name: *//p' "$name.starter" | sort -u | expect_lines - "$pitfall"
    done <<'END'
lostwakeup lost-wakeup
unready handler-too-late
torn turn-before-text
END
}

# ---- list and start

@test "the list shows each exercise in order, with no score at first" {
    run -0 --separate-stderr lab
    [ "${#lines[@]}" -eq $(($(all_exercises | wc -l) + 1)) ]
    awk 'NR > 1 { print $1 }' <<<"$output" | diff "$exercises/ORDER" -
    awk 'NR > 1 && $2 != "-"' <<<"$output" | expect_lines -
    [[ $stderr == *'scripts/lab start NAME'* ]]
}

@test "start makes a directory with the task, the file and a Makefile" {
    lab start torn
    [ -s lab/torn/TASK.md ]
    grep -q '^| 24 | 4 | `state` |' lab/torn/TASK.md
    cmp "$exercises/torn/starter.c" lab/torn/talker.c
    grep -q 'started .*talker' <<<"$(lab | grep '^torn ')"
    requires_compiler "the exercises"
    requires make
    make -s -C lab/torn >made 2>&1 3>&-
    expect_lines made
    [ -x lab/torn/talker ]
}

@test "start takes another directory, also one whose name is odd" {
    lab start nap "an odd 'name' \$HOME"
    cmp "$exercises/nap/starter.c" "an odd 'name' \$HOME/talker.c"
    mkdir empty
    lab start nap empty
    cmp "$exercises/nap/starter.c" empty/talker.c
}

@test "start refuses a directory that is not empty, and changes nothing in it" {
    mkdir -p lab/torn
    echo mine >lab/torn/talker.c
    refuses_to 1 "'lab/torn' exists and is not empty" start torn
    echo mine | cmp - lab/torn/talker.c
    [ "$(ls -A lab/torn)" = talker.c ]
    touch file
    refuses_to 1 "'file' exists" start torn file
}

@test "start says that it cannot write there" {
    as_nobody true 2>/dev/null || skip "no other user here"
    [ "$(as_nobody cat "$exercises/ORDER" 2>/dev/null)" ] || skip "another user cannot read this tree"
    chmod 755 .
    run -1 as_nobody "$ROOT/scripts/lab" start torn "$PWD/closed" 3>&-
    [[ $output == *"'$PWD/closed' cannot be made or written to: name another directory"* ]]
    [ ! -e closed ]
}

# ---- hints and solutions

@test "hints come one after the other, and the last one again" {
    lab start unready
    for n in 1 2 3 3; do
        lab hint unready | cmp - "$exercises/unready/hint$n"
    done
    lab hint unready 2 | cmp - "$exercises/unready/hint2"
    (cd lab/unready && lab hint unready | cmp - "$exercises/unready/hint3")
}

@test "without a directory the first hint comes, and solution shows ours" {
    lab hint nap | cmp - "$exercises/nap/hint1"
    lab hint nap 3 | cmp - "$exercises/nap/hint3"
    lab solution nap | cmp - "$exercises/nap/solution.c"
}

# ---- check and watch

@test "make check grades the file, and the list shows the score" {
    requires_grade
    requires make
    lab start torn
    run ! make -s -C lab/torn check 3>&-
    [[ $output == *turn-before-text* ]]
    score=$(sed -n 's/^score: //p' <<<"$output")
    [ -n "$score" ]
    grep "^torn  *$score " <<<"$(lab)"
    lab solution torn >lab/torn/talker.c
    (cd lab/torn && make -s check >graded 2>&1 3>&-) || fail "$(cat lab/torn/graded)"
    grep '^torn  *done ' <<<"$(cd lab/torn && lab)"
}

@test "a file that does not compile is not graded, and keeps its score" {
    requires_grade
    lab start torn
    echo '12 of 107' >lab/torn/.lab/score
    echo 'int main(void) { return nothing; }' >lab/torn/talker.c
    run -3 --separate-stderr lab check lab/torn
    [[ $stderr == *'talker.c does not compile'* ]]
    grep '^torn  *12 of 107 ' <<<"$(lab)"
}

@test "watch grades at once and at each save, and Ctrl-C leaves nothing" {
    requires_grade
    lab start torn
    mkdir temporary
    start watch env TMPDIR="$PWD/temporary" "$ROOT/scripts/lab" watch lab/torn
    wait_for_line watch.out '^waiting until'
    grep -q turn-before-text watch.out
    lab solution torn >new && mv new lab/torn/talker.c # as editors do
    wait_for_line watch.out '^score: ([0-9]+) of \1$'
    kill -TERM "$watch_pid"
    finish watch 143
    [ -z "$(ls temporary)" ]
}

# ---- arguments

@test "a wrong name or command is refused, and the right one is proposed" {
    refuses_to 2 "no exercise 'lostwakup' \(did you mean lostwakeup\?\)" start lostwakup
    refuses_to 2 "no exercise '../demo'," solution ../demo
    refuses_to 2 "no exercise ''," hint ''
    refuses_to 2 "unknown command 'hnt' \(did you mean hint\?\)" hnt
    refuses_to 2 "start: name an exercise" start
    refuses_to 2 "unexpected argument 'c'" start torn b c
    refuses_to 2 "unexpected argument 'b'" watch . b
    for number in 0 4 -1 x 1.5; do
        refuses_to 2 "'$number' is none of the three hints" hint torn "$number"
    done
}

@test "check and watch refuse a directory that start has not made" {
    refuses_to 2 "'.' is not a directory that scripts/lab start has made" check
    refuses_to 2 "'nowhere' is not a directory" watch nowhere
    mkdir -p other/.lab
    echo ../../etc >other/.lab/exercise
    refuses_to 2 "no exercise" check other
}

@test "--help shows each command" {
    run -0 lab --help
    for command in start check watch hint solution; do
        grep -q "scripts/lab $command" <<<"$output"
    done
}
