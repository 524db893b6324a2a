#!/usr/bin/env bats
# checklist.bats - tests/CHECKLIST names, for each line of the notes, a lesson and a test that exist.

load helpers

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    # A line may contain bars, but none between spaces.
    grep -v '^#' "$ROOT/tests/CHECKLIST" | sed '/^$/d' >table
}

field() { # NUMBER
    awk -F ' [|] ' -v field="$1" '{ print $field }' table
}

# The pair, then the lessons in the order of the Makefile's LESSONS, one a line.
syllabus() {
    echo pair
    make -s -f - -C "$ROOT" <<'END'
include Makefile
.DEFAULT_GOAL = lessons
lessons: ; @printf '%s\n' $(LESSONS)
END
}

# The titles of the tests in FILE..., one a line.
titles() { # FILE...
    sed -n "s/^@test [\"']\\(.*\\)[\"'] {\$/\\1/p" "$@"
}

@test "every entry has four fields: note, line, lesson and test" {
    grep -vE '^00[0-4] [|] [^ ].*[^ ] [|] [a-z]+ [|] [^|]+$' table | expect_lines -
    awk -F ' [|] ' 'NF != 4' table | expect_lines -
    [ -s table ]
}

@test "every entry names a lesson of the syllabus" {
    requires make
    comm -23 <(field 3 | sort -u) <(syllabus | sort) | expect_lines -
}

@test "every entry names a test of that lesson" {
    while IFS= read -r entry; do
        lesson=$(awk -F ' [|] ' '{ print $3 }' <<<"$entry")
        title=$(awk -F ' [|] ' '{ print $4 }' <<<"$entry")
        if [ "$lesson" = pair ]; then set -- "$ROOT"/tests/*.bats; else set -- "$ROOT/tests/$lesson"{,_*}.bats; fi
        titles "$@" | grep -qFx -e "$title" || fail "no test of $lesson is called: $title"
    done <table
}

@test "no entry stands there twice" {
    sort table | uniq -d | expect_lines -
}

@test "every line of the notes' checklist has an entry, and no entry another line" {
    checklist=$ROOT/../shared/CHECKLIST.md
    [ -r "$checklist" ] || skip "the notes' checklist is not here"
    awk '/^\*\*/ { gsub(/\*/, ""); note = $0 } /^- / { print note " | " substr($0, 3) }' "$checklist" | sort >lines
    awk -F ' [|] ' '{ print $1 " | " $2 }' table | sort -u | diff lines -
    [ -s lines ]
}
