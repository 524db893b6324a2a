# traces.bash - the traces of every lesson and wrong variant, recorded once in a run of bats for all files that ask.
#
#     load helpers
#     load traces
#     setup_file() { record_all; }         # exports TRACES: $TRACES/LESSON/talker.trace, $TRACES/LESSON/listener.trace
#
# It also has what the tests of stories and pictures share: `each_lesson`, and traces made by hand.

# The lessons and the variants, one a line.
lessons() {
    "$ROOT/scripts/demo" --list | awk '/^[a-z]/ { print $1 }'
    awk '$1 == "VARIANTS" { for (i = 3; i <= NF; i++) print $i }' "$ROOT/Makefile" | sed 's/^listener-//'
}

record_one() { # LESSON
    mkdir -p "$TRACES/$1"
    "$ROOT/scripts/demo" --record "$TRACES/$1" "$1" </dev/null >"$TRACES/$1/out" 2>&1 3>&- ||
        { echo "$1 ended with $?:" && cat "$TRACES/$1/out"; } >>"$TRACES/failed"
}

# The first file that comes records; the others wait until it has done so.
record_all() {
    local lesson
    export TRACES=$BATS_RUN_TMPDIR/traces
    if mkdir "$TRACES" 2>/dev/null; then
        export -f record_one
        export ROOT
        lessons | xargs -P 4 -I LESSON bash -c 'record_one LESSON'
        : >"$TRACES/complete"
    else
        for ((lesson = 0; lesson < 6; lesson++)); do
            ! until_true [ -e "$TRACES/complete" ] || break
        done
    fi
    [ -e "$TRACES/complete" ] || fail "waited a minute for another test file to record the lessons in $TRACES"
    [ ! -e "$TRACES/failed" ] || fail "$(cat "$TRACES/failed")"
}

# Runs COMMAND with each LESSON. What it prints is a complaint about this lesson.
each_lesson() { # COMMAND...
    local lesson found bad=0
    for lesson in $(lessons); do
        found=$("$@" "$lesson" 2>&1) || found+=" (exit status $?)"
        [ -z "$found" ] || { bad=1 && printf '%s: %s\n' "$lesson" "$found" >&2; }
    done
    return "$bad"
}

story() { # ARGUMENT...
    "$BUILD/story" "$@" 3>&-
}

# Sets `traces`: those of a lesson, or of "example", the run that README draws. Its order of steps never changes.
choose_traces() { # LESSON
    local directory=$TRACES/$1
    [ "$1" != example ] || directory=$ROOT/tests/readme
    traces=("$directory/talker.trace" "$directory/listener.trace")
}

story_of() { # LESSON [OPTION]...
    choose_traces "$1"
    story "${@:2}" "${traces[@]}"
}

# One record: TIME SIDE PID KIND TEXT [WHY [TOOK]]
rec() {
    printf '%s\t%s\t%s\t%s/x.c:7\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$2" "$4" "$5" "${6-}" "${7-0}"
}
