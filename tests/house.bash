# house.bash - what the tests of scripts/demo share: a copy of its scripts, with lessons that the test writes.
#
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034 # single quotes hold what is for the programs that the test writes; tests use $demo

# The demo has shown a listener: its process and its segment are gone.
nothing_is_left_of() { # OUTPUT
    local pid shmid
    pid=$(sed -n 's/.*| waiting for .*(pid \([0-9]*\),.*/\1/p' <<<"$1")
    shmid=$(sed -n 's/.*| waiting for .*shmid \([0-9]*\)).*/\1/p' <<<"$1")
    [ -n "$pid$shmid" ] || fail "no listener in:" "$1"
    is_gone "$pid" || fail "the listener, PID $pid, is still there"
    ! segment_exists "$shmid" || fail "segment $shmid is still there"
}

# A house with these lessons. They are to be written with `side`.
house() { # LESSON...
    mkdir -p house/scripts house/build house/listener
    cp "$ROOT"/scripts/demo "$ROOT"/scripts/demo-* "$ROOT"/scripts/step "$ROOT"/scripts/lessons "$ROOT"/scripts/lib.sh \
        house/scripts
    printf '#!/bin/sh\n[ "$1" = build ] || echo cc\n' >house/scripts/setup
    chmod +x house/scripts/setup
    printf 'LESSONS = \\\n   %s\n' "$*" >house/Makefile
    cp "$ROOT/listener/listener.c" house/listener
    demo=$PWD/house/scripts/demo
    export BUILD=build
}

says() { # LESSON CLAIM
    printf '/* %s.c (listener) - %s\n *\n * More of it.\n */\n' "$1" "$2" >"house/listener/$1.c"
}

side() { # SIDE-LESSON, its text on stdin
    { echo '#!/bin/sh' && cat; } >"house/build/$1"
    chmod +x "house/build/$1"
}
