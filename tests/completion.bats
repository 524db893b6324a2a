#!/usr/bin/env bats
# completion.bats - what bash offers after Tab, and what make install and make uninstall copy and remove.

load helpers

setup_file() {
    BUILD=$BUILD "$ROOT/scripts/completion" >"$BATS_FILE_TMPDIR/completion.bash"
}

setup() { common_setup; }
teardown() { common_teardown; }

# What a bash without bash-completion offers for the last WORD, one a line, in alphabetical order.
offers() { # WORD...
    bash --norc --noprofile -c '
        source "$0" || exit
        complete -p "$1" >/dev/null || exit
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _shmtalk
        [ ${#COMPREPLY[@]} -eq 0 ] || printf "%s\n" "${COMPREPLY[@]}"' "$BATS_FILE_TMPDIR/completion.bash" "$@" | sort
}

@test "every option that --help shows is offered" {
    for name in talker listener talker-pingpong listener-stream listener-torn_no_seq; do
        "$BUILD/$name" --help | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' | grep -oE -e '--[a-z-]+' | sort >options
        [ "$(wc -l <options)" -ge 10 ]
        offers "$name" -- | diff options -
    done
    offers talker --ch | expect_lines - --chat
    offers listener -i | expect_lines - -i
    offers talker --nothing | expect_lines -
}

@test "--hold offers the program's points" {
    offers listener --hold '' | expect_lines - published reading ready sigsuspend
    offers talker --hold = re | expect_lines - reading # as bash parts --hold=re
    offers talker-handshake --hold '' | expect_lines - sigsuspend
}

@test "--file and --trace offer the files that are there" {
    touch 'a file' another shmfile
    offers talker --file a | expect_lines - 'a file' another
    offers listener-torn -T sh | expect_lines - shmfile
    offers listener --trace = sh | expect_lines - shmfile
    offers talker --timeout a | expect_lines -
}

@test "an option that takes one of several words offers them" {
    offers talker-pingpong --method s | expect_lines - semaphore signal sigwait spin
}

@test "the scripts offer their options, and lessons, tests or parts" {
    offers scripts/demo --exp | expect_lines - --explain
    offers scripts/demo lost | expect_lines - lostwakeup lostwakeup_no_mask
    [ "$(offers scripts/demo '' | wc -l)" -eq "$(("$("$ROOT/scripts/demo" --list | grep -c '^[a-z]')" + 3))" ]
    mkdir tests && touch tests/pair.bats
    offers ./scripts/test tests/pa | expect_lines - tests/pair.bats
    offers scripts/torture --sho | expect_lines - --short
    offers scripts/torture pla | expect_lines - places
}

@test "the Tab key completes in an interactive bash" {
    requires_terminal
    printf 'set enable-bracketed-paste off\n' >inputrc
    {
        printf '. "%s"\n' "$BATS_FILE_TMPDIR/completion.bash"
        printf 'talker() { printf "<%%s>" "$@" >typed; }\n'
        printf 'talker --ho\tread\t --expl\t\nexit\n'
    } | INPUTRC=$PWD/inputrc timeout "$DEADLINE" script -qec 'bash --norc --noprofile -i' /dev/null >/dev/null 3>&-
    [ "$(cat typed)" = '<--hold><reading><--explain>' ]
}

@test "make install and make uninstall: programs, pages and completion" {
    requires make
    make -s -C "$ROOT" BUILD="${BUILD#"$ROOT/"}" DESTDIR="$PWD/a root" PREFIX=/usr install
    share="$PWD/a root/usr/share"
    "$PWD/a root/usr/bin/talker-torn" --version
    [ -s "$share/man/man1/listener.1" ]
    cmp "$share/bash-completion/completions/shmtalk" "$BATS_FILE_TMPDIR/completion.bash"
    cmp "$share/bash-completion/completions/listener-stream" "$BATS_FILE_TMPDIR/completion.bash"

    loader=/usr/share/bash-completion/bash_completion # it finds the file by the command's name
    [ ! -r "$loader" ] || XDG_DATA_DIRS=$share bash --norc --noprofile -c '
        source "$0"
        load=$(complete -p -D | sed "s/.*-F \([^ ]*\).*/\1/")
        "$load" listener-torn || :
        complete -p listener-torn' "$loader" | grep -x 'complete -F _shmtalk listener-torn'

    make -s -C "$ROOT" BUILD="${BUILD#"$ROOT/"}" DESTDIR="$PWD/a root" PREFIX=/usr uninstall
    find "a root" ! -type d | expect_lines -
}
