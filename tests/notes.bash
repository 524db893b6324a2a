# notes.bash - the notes' own programs, where the notes are at hand: compiled into the test's directory as they stand.
# shellcheck shell=bash

NOTES=$ROOT/../shared/seeds

# The programs are kept out of the repository, so is what is made of them.
requires_notes() { # NUMBER
    set -- "$NOTES/$1"_*.txt
    [ -e "$1" ] || skip "the notes are not at hand ($1)"
    requires_compiler "the notes' programs"
    note=$1
}

# Compiles what stands in the note between two lines, these not included. The notes leave warnings unheeded, and so
# do we. An sed SCRIPT may change what would get in the way of others: a key that is the same for all. What the
# programs print is to be seen before they end, which some of them never do; so stdout is told to go by lines.
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
