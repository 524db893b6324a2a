#!/usr/bin/env bats
# docs.bats - the README and the manual pages are true.

load helpers

setup() { common_setup; }
teardown() { common_teardown; }

readme=$ROOT/README.md
pages=("$ROOT/talker/talker.1" "$ROOT/listener/listener.1")

# Writes FILE as README shows it: the first fenced block after a line that names it.
extract() { # FILE
    awk -v name="\`$1\`" '
        inside && /^```/ { exit }
        inside { print }
        index($0, name) { named = 1 }
        named && /^```/ { inside = 1 }' "$readme" >"$1"
    [ -s "$1" ] || fail "README has no block for $1"
}

# All lines of README's sh blocks, and all commands after a prompt in its sessions.
commands_of_readme() {
    awk '/^```/ { kind = kind == "" ? substr($0, 4) : ""; next }
         kind == "sh" { print }
         kind == "console" && sub(/^\$ /, "") { print }' "$readme"
}

# What README shows below COMMAND in a session.
session() { # COMMAND
    awk -v prompt="\$ $1" '/^```/ { on = 0 } on { print } index($0, prompt) == 1 { on = 1 }' "$readme" | grep .
}

# PIDs, keys and shmids differ from run to run.
without_numbers() {
    sed -E 's/0x[0-9a-f]+|[0-9]+/N/g'
}

compiler() {
    "$ROOT/scripts/setup" compiler
}

# ---- README

@test "every file that a command in README names exists, or README shows it" {
    commands_of_readme >commands
    [ "$(wc -l <commands)" -ge 15 ]
    tr ' ;' '[\n*]' <commands | sed 's/^[A-Z]*=//' | grep -E '^\./|^[a-z.]+/|\.c$' | sort -u >names
    [ "$(wc -l <names)" -ge 8 ]
    mkdir -p tests
    while read -r name; do
        name=${name#./}
        case $name in
            build/*) [ -x "$BUILD/${name#build/}" ] ;;
            mytalker) extract mytalker.c ;;
            *) [ -e "$ROOT/$name" ] || extract "$name" ;;
        esac || fail "a command in README names $name, which is not there"
    done <names
}

@test "every make target that README names is in the Makefile" {
    commands_of_readme | sed -n 's/^make *//p' >targets
    [ -s targets ]
    while read -r target _; do
        make -n -C "$ROOT" "$target" >/dev/null || fail "there is no make $target"
    done <targets
}

@test "the run of scripts/demo that README shows is what it prints" {
    session scripts/demo | without_numbers >shown
    [ "$(wc -l <shown)" -ge 14 ]
    timeout 60 "$ROOT/scripts/demo" 3>&- >demo.out
    # The columns of ipcs are as wide as the owner's name is long.
    sed "s/ $(id -un) / root /" demo.out | without_numbers | tr -s ' ' | sed 's/ $//' | grep . >printed
    sed "s|${BUILD#"$ROOT"/}/|build/|" printed | diff -u <(tr -s ' ' <shown) -
}

# The run that README draws is recorded in tests/readme: from run to run, the order of independent steps is different.
@test "README's timeline and its Mermaid diagram are what the program draws" {
    export LC_ALL=C.UTF-8
    set -- "$ROOT/tests/readme/talker.trace" "$ROOT/tests/readme/listener.trace"
    "$ROOT/scripts/timeline" "$@" 3>&- | grep . >drawn
    session 'scripts/timeline handshake' | diff -u - drawn
    [ "$(wc -l <drawn)" -gt 40 ]
    awk '/^```mermaid/ { on = 1; next } /^```/ { on = 0 } on' "$readme" >shown
    "$ROOT/scripts/timeline" --mermaid "$@" 3>&- | diff -u shown -
}

# The steps of a process are always the same, but for those of its sleep: it does not sleep if the answer is there already.
@test "the run that README draws is a run of today's handshake" {
    mkdir run
    "$ROOT/scripts/demo" --record "$PWD/run" handshake >/dev/null 3>&-
    for side in talker listener; do
        for trace in "$ROOT/tests/readme" run; do
            cut -f 2,4-7 "$trace/$side.trace" | grep -v "$(printf '\tsignal\t')" |
                grep -vE 'sigsuspend\(|observe state = (NOTHING|SAID)' |
                sed 's/ftok([^,]*,/ftok(FILE,/' | without_numbers
        done | sort | uniq -u | expect_lines -
    done
}

@test "README's syllabus has a row for each lesson, in their order" {
    "$ROOT/scripts/demo" --list | awk '/^[a-z]/ { print $1 }' >lessons
    [ -s lessons ]
    awk -F '`' '/^## / { on = /syllabus/ } on && /^[|] `/ { print $2 }' "$readme" | diff -u lessons -
}

@test "README's row of a lesson begins with the claim that scripts/demo --list shows" {
    "$ROOT/scripts/demo" --list | sed '/^ /d; s/  */ /' >claims
    awk -F ' *[|] ' '/^## / { on = /syllabus/ } on && /^[|] `/ { gsub(/`/, ""); print $2, $3 }' "$readme" >rows
    [ "$(wc -l <rows)" -eq "$(wc -l <claims)" ]
    while IFS= read -r claim <&3 && IFS= read -r row <&4; do
        [ "$row" = "$claim" ] || [ "${row#"$claim". }" != "$row" ] || fail "the claim: $claim" "the row:   $row"
    done 3<claims 4<rows
}

@test "README shows the ladder of common/ as scripts/check-ladder checks it" {
    sed '/^#/d; /^$/d' "$ROOT/scripts/ladder.txt" >ladder
    [ -s ladder ]
    awk '/^## / { on = /ordered/ } /^```/ { inside = !inside; next } on && inside' "$readme" | diff -u ladder -
}

@test "every filter that README gives to scripts/test chooses a test" {
    commands_of_readme | sed -n "s/.*--filter '\([^']*\)'.*/\1/p" >filters
    [ -s filters ]
    while read -r filter; do
        grep -q "^@test .*$filter" "$ROOT"/tests/*.bats || fail "no test has '$filter' in its title"
    done <filters
}

@test "README's own talker talks to the listener" {
    extract mytalker.c
    $(compiler) -Wall -Wextra -Werror -o mytalker mytalker.c
    start_listener
    start talker ./mytalker "Hello from outside"
    finish talker 0
    finish listener 0
    session ./mytalker | diff -u - talker.out
    grep -x 'listener: received: Hello from outside' listener.out
}

@test "README's own talker reports that there is no listener" {
    extract mytalker.c
    $(compiler) -o mytalker mytalker.c
    refuses 3 'no listener' ./mytalker Hello
}

@test "README's table of the segment is that of pair.h" {
    awk -F ' *[|] *' '
        function is(what, value) { print "_Static_assert(" what " == " value ", \"" $4 "\");"; rows++ }
        BEGIN { print "#include <stddef.h>\n#include \"common/layout/pair.h\"" }
        /^[|] [0-9]+ / {
            gsub(/`/, "")
            field = ($2 < 16 ? "head." : "") $4
            is("offsetof(struct pair, " field ")", $2)
            if ($3 != "capacity") is("sizeof ((struct pair *)0)->" field, $3)
            sub(/[, ].*/, "", $5)
            if ($4 == "magic") is("SEGMENT_MAGIC", $5)
            if ($4 == "lesson") is("PAIR_LESSON", $5)
            if ($4 == "version") is("PAIR_VERSION", $5)
            if ($4 == "seat") is("PAIR_SEATS", $5)
        }
        END { exit rows != 10 + 9 + 4 }' "$readme" >table.c
    $(compiler) -std=c11 -D_XOPEN_SOURCE=700 -I"$ROOT" -fsyntax-only table.c
}

@test "README's own lesson builds, runs in the demo, and passes its test" {
    mkdir -p tree/tests
    cp -R "$ROOT/Makefile" "$ROOT/common" "$ROOT/talker" "$ROOT/listener" "$ROOT/scripts" tree
    cp "$ROOT/tests/helpers.bash" tree/tests
    cd tree
    for file in common/layout/hello.h listener/hello.c talker/hello.c tests/hello.bats; do
        extract "$file"
    done
    sed 's/^LESSONS = /&hello /' "$ROOT/Makefile" >Makefile
    make -s -j 2 BUILD=build CC="$(compiler)" CFLAGS=-Werror build/talker-hello build/listener-hello
    scripts/demo --list | grep -x 'hello  *what one process stores in the segment, the other process sees'
    BUILD=build timeout 60 scripts/demo hello 3>&- >hello.out
    grep -x 'Question: The listener never stores a number. Which number does it read?' hello.out
    grep -x 'listener | saw 42' hello.out
    BUILD=build timeout 60 scripts/demo --ask hello <<<42 3>&- | grep -x 'Right: 42.'
    BUILD=build timeout 60 scripts/demo --explain hello 3>&- | grep 'publish number: 0 -> 42'
    # bats puts its own parts at the front of PATH, and they fail in a bats inside a bats.
    env -i PATH="${PATH//"$BATS_LIBEXEC:"/}" BUILD=build TALKER="$TALKER" LISTENER="$LISTENER" \
        bats --formatter tap tests/hello.bats >hello.tap 3>&- || fail "$(cat hello.tap)"
    grep -x 'ok 1 what one process stores, the other process sees' hello.tap
}

# ---- manual pages

@test "man has no warning for the manual pages" {
    requires man
    man --version | grep -q '^man [0-9]' || skip "this man does not know --warnings"
    for page in "${pages[@]}"; do
        man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>warnings >formatted
        expect_lines warnings
        [ -s formatted ]
    done
}

@test "mandoc has no complaint about the manual pages" {
    requires mandoc
    mandoc -Tlint "${pages[@]}" >lint 2>&1 || :
    sed -i '/referenced manual not found/d; /outdated mandoc.db/d' lint # these depend on the machine
    expect_lines lint
}

@test "the manual pages list the points that --hold takes" {
    for side in talker listener; do
        "$BUILD/$side" --help | sed -n 's/^POINT is .* one of: //p' | tr ' ' '\n' >points
        [ -s points ]
        awk '/^\.Bl -tag -width published/ { on = 1 }
             /^\.El/ { on = 0 }
             on && sub(/^\.It Cm /, "")' "$ROOT/$side/$side.1" | diff -u points -
    done
}
