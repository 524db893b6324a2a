#!/usr/bin/env bats
# lint.bats - scripts/lint and its check of the ladder find what they are for, in trees that are made here.

load helpers

setup() {
    common_setup
    mkdir -p tree/scripts tree/common/layout tree/talker tree/listener tree/tests tree/.ci
    cp "$ROOT/scripts/lint" "$ROOT/scripts/check-ladder" "$ROOT/scripts/lib.sh" tree/scripts
    cat >tree/scripts/ladder.txt <<'END'
# a table

roof           # uses everything
left right     # right may use left
layout/* floor
END
    for name in roof left right floor layout/some layout/other; do
        echo "#include \"$(basename "$name").h\"" >"tree/common/$name.c"
        : >"tree/common/$name.h"
    done
    includes roof.c right.h left.h layout/some.h
    includes right.h left.h floor.h
    includes layout/some.h other.h
}
teardown() { common_teardown; }

includes() { # FILE HEADER...: both below common/
    printf '#include "%s"\n' "${@:2}" >>"tree/common/$1"
}

# The check of the ladder prints these lines, and nothing else.
ladder_finds() { # LINE...
    run -1 tree/scripts/check-ladder
    expect_lines <(echo "$output") "$@"
}

@test "a tree whose includes all point down is clean" {
    run -0 tree/scripts/check-ladder
    [ -z "$output" ]
}

@test "an include of a higher rung is found" {
    includes floor.c ../common/roof.h
    includes left.h roof.h
    includes layout/some.h ../floor.h ../left.h
    ladder_finds 'common/floor.c:2: includes "../common/roof.h", which is not on a lower rung than floor' \
        'common/left.h:1: includes "roof.h", which is not on a lower rung than left' \
        'common/layout/some.h:2: includes "../floor.h", which is not on a lower rung than layout/some' \
        'common/layout/some.h:3: includes "../left.h", which is not on a lower rung than layout/some'
}

@test "on one rung a file may include those to its left only" {
    includes left.c right.h
    ladder_finds 'common/left.c:2: includes "right.h", which is not on a lower rung than left'
}

@test "a file that the table does not have is found, with the place where to write it" {
    : >tree/common/new.h
    includes new.c new.h floor.h left.h
    includes roof.h new.h
    includes roof.c new.h
    ladder_finds 'common/new.c is on no rung: write new into scripts/ladder.txt, above floor left, below roof'
}

@test "a name in the table without a file is found" {
    echo 'ghost' >>tree/scripts/ladder.txt
    ladder_finds 'scripts/ladder.txt: ghost is no file of common/'
}

@test "an include of a program's own file is found" {
    includes roof.c ../talker/talker.h
    ladder_finds 'common/roof.c:5: includes "../talker/talker.h", which is outside common/'
}

@test "scripts/lint shows what the ladder's check finds, and fails" {
    mkdir bin
    for tool in sh dirname basename sed awk grep find sort rm mkdir; do
        ln -s "$(type -P "$tool")" "bin/$tool"
    done
    printf 'int x;\n' | tee tree/talker/talker.c tree/listener/listener.c >tree/scripts/sweep.c
    run -0 env -i PATH="$PWD/bin" "$(type -P sh)" tree/scripts/lint
    grep -x 'clean: the ladder of common/' <<<"$output"
    grep -x 'not installed: gcc' <<<"$output"

    includes floor.c roof.h
    echo '#include "secret.h"' >>tree/talker/talker.c
    run -1 env -i PATH="$PWD/bin" "$(type -P sh)" tree/scripts/lint
    grep -F 'found: the ladder of common/ (exit status 1)' <<<"$output"
    grep -F '    common/floor.c:2: includes "roof.h"' <<<"$output"
    grep -F '    talker/talker.c:2:#include "secret.h"' <<<"$output"
}
