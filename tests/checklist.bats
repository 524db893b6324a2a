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
    # The tests of LESSON are in LESSON.bats and LESSON_*.bats; those of the pair are in any file.
    awk '
        FNR == NR { n = split($0, field, / [|] /); lesson[NR] = field[3]; title[NR] = field[n]; entries = NR; next }
        /^@test / {
            file = FILENAME; sub(/.*\//, "", file); sub(/[._].*/, "", file)
            name = $0; sub(/^@test ./, "", name); sub(/. [{]$/, "", name)
            is_there[file, name] = is_there["pair", name] = 1
        }
        END {
            for (i = 1; i <= entries; i++)
                if (!((lesson[i], title[i]) in is_there))
                    print "no test of " lesson[i] " is called: " title[i]
        }' table "$ROOT"/tests/*.bats | expect_lines -
    [ -s table ]
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
