# notes.bash - compiles the notes' own programs, where the notes are available, into the test's directory.
# shellcheck shell=bash

NOTES=$ROOT/../shared/seeds

# The notes are not part of the repository; without them the test is skipped.
requires_notes() { # NUMBER
    set -- "$NOTES/$1"_*.txt
    [ -e "$1" ] || skip "the notes are not available ($1)"
    requires_compiler "the notes' programs"
    note=$1
}

# Compiles the lines of the note between FROM and TO, without these two. The notes compile with warnings, so they are
# off. An sed SCRIPT can change a key that every run would share. Some programs never end, so stdout is line-buffered.
compile_note() { # NAME FROM TO [SCRIPT] (FROM, TO: awk patterns)
    awk -v from="$2" -v to="$3" '$0 ~ to { on = 0 }
                                 on
                                 $0 ~ from { on = 1 }' "$note" | sed -e "${4-}" >"$1.c"
    cat >by_lines.c <<'END'
#include <stdio.h>
__attribute__((constructor)) static void by_lines(void) { setvbuf(stdout, NULL, _IOLBF, 0); }
END
    "${CC:-cc}" -w -o "$1" "$1.c" by_lines.c
}
