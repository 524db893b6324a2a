#!/usr/bin/env bats
# options.bats - the command line and its error messages.

load helpers

setup() { common_setup; }
teardown() { common_teardown; }

programs() { # all built programs: the pair and the lessons
    find "$BUILD" -maxdepth 1 -type f \( -name 'talker*' -o -name 'listener*' \) -perm -u+x | sort
}

# Each VALUE of OPTION is refused in one line that names both.
refuses_values() { # PROGRAM OPTION VALUE...
    local value line
    for value in "${@:3}"; do
        line="${2#--}.*'${value//+/.}'"
        refuses 2 "$line" "$1" "$2" "$value"
        refuses 2 "$line" "$1" "$2=$value"
    done
}

# The options of a program, sorted, one a line: "-f, --file FILE".
options_in_help() { # PROGRAM
    "$1" --help | sed -nE 's/^ +((-., )?--[a-z-]+( [^ ]+)?)  .*/\1/p' | sort
}

options_in_manual() { # FILE
    sed -nE '/^\.It Fl/ { s/^\.It //; s/\\-/-/g; s/Fl /-/g; s/ , /, /; s/ Ar / /; p; }' "$1" | sort
}

# ---- position and spelling of options

@test "both sides take common options long and short, with or without a space" {
    start_listener -f own.shmfile -j 7 --keep
    grep -F "key $(key_of own.shmfile 7)," listener.out
    for options in '-f own.shmfile -j 7' '-fown.shmfile -j7' '--file own.shmfile --project 7' \
        '--file=own.shmfile --project=7'; do
        # shellcheck disable=SC2086 # words of their own
        ends 0 talker $options Hello
    done
    stop listener
    for options in '-fown.shmfile -j7' '--file=own.shmfile --project=7'; do
        # shellcheck disable=SC2086
        start_listener $options
        grep -F "key $(key_of own.shmfile 7)," listener.out
        ends 0 talker --file own.shmfile --project 7
        finish listener 0
    done
}

@test "options may stand before or after the message, with POSIXLY_CORRECT too" {
    start_listener -f own.shmfile --keep
    ends 0 talker -f own.shmfile Hello
    ends 0 talker Hello -f own.shmfile
    export POSIXLY_CORRECT=1
    ends 0 talker -f own.shmfile Hello
    ends 0 talker Hello -f own.shmfile
    stop listener
    [ "$(grep -c 'received: Hello$' listener.out)" -eq 4 ]
}

@test "after -- everything is a message, and so is a single hyphen" {
    start_listener --keep
    ends 0 talker -- --chat
    ends 0 talker -
    ends 0 talker -t 5 -- -h
    stop listener
    [ "$(sed -n 's/^listener: received: //p' listener.out)" = $'--chat\n-\n-h' ]
}

@test "the value of an option may look like an option" {
    start_listener --reply --chat
    ends 0 talker
    finish listener 0
    grep -x 'listener: replied: --chat' listener.out
}

@test "short options without a value may stand together" {
    start_listener -kvf own.shmfile
    ends 0 talker -wf own.shmfile
    stop listener
    grep -q shmget listener.err
}

@test "if an option is given twice the last one counts" {
    start_listener --project 2 --project 3
    grep -F "key $(key_of shmfile 3)," listener.out
    ends 0 talker -j 2 -j 3
    finish listener 0
}

@test "a timeout may be a decimal fraction" {
    for seconds in 0.1 .1 1. 1.5 10; do
        refuses 3 listener talker --timeout "$seconds"
        refuses 3 listener talker "-t$seconds"
    done
}

@test "a project may be any number from 1 to 255" {
    for project in 1 2 128 255; do
        refuses 3 listener talker --project "$project"
    done
}

# ---- refused values

@test "a project is a whole number from 1 to 255" {
    for program in talker listener; do
        refuses_values "$program" --project 0 256 '' 1x -1 ' 1' 1.5 0x1 257 99999999999999999999
        refuses 2 "project.*'256'" "$program" -j 256
    done
}

@test "a timeout is a number of seconds above 0" {
    for program in talker listener; do
        refuses_values "$program" --timeout 0 0.0 -1 '' nan inf 1x ' 1' 1,5 .
        refuses 2 "timeout.*'-1'" "$program" -t -1
    done
}

@test "a PID is a whole positive number" {
    start_listener
    refuses_values talker --pid 0 -1 '' abc 12x ' 12' 1.5 0x10 +1 4294967297 99999999999999999999
    refuses 2 "pid.*'-1'" talker -p-1
    [ "$(wc -l <listener.out)" -eq 1 ]
    ends 0 talker
    finish listener 0
}

@test "a size and a count are whole numbers above 0; a mode is octal" {
    refuses_values listener --size 0 -1 '' 1k 99999999999999999999
    refuses_values listener --count 0 -1 '' two 1.5
    refuses_values listener --mode 8 0888 '' rw-rw---- 01777 -1
}

@test "a reply longer than --size is refused" {
    refuses 2 'reply.*\<6\>.*\<5\>' listener --size 5 --reply 123456
}

@test "--hold names a call or a point, and how many times to pass it" {
    for program in talker listener; do
        refuses_values "$program" --hold '' nowhere main
        refuses 2 "hold.*'0'" "$program" --hold kill:0
        refuses 2 "hold.*'x'" "$program" --hold kill:x
        refuses 2 "hold.*'-1'" "$program" --hold kill:-1
        refuses 2 "hold.*''" "$program" --hold kill:
    done
}

@test "an unknown option is named" {
    while read -r program; do
        refuses 2 "'--nonesuch'" "$program" --nonesuch
        refuses 2 "'-Q'" "$program" -Q
        refuses 2 "--nonesuch" "$program" --nonesuch=1
    done < <(programs)
    refuses 2 "'-Q'" listener -kQ
}

@test "an abbreviation that fits more than one option is named, with these" {
    for program in talker listener; do
        refuses 2 "option '--t' is ambiguous: it may be --timeout, --trace$" "$program" --t=1
        refuses 2 "option '--ve' is ambiguous: it may be --verbose, --version$" "$program" --ve
        refuses 2 "unknown option '--timeouts=1'" "$program" --timeouts=1
        ends 3 "$program" --ti=0.01
    done
}

@test "an option with a missing or surplus value is named" {
    for program in talker listener; do
        for option in --file --project --timeout --trace --hold; do
            refuses 2 "$option" "$program" "$option"
        done
        refuses 2 '(--file|-f)' "$program" -f
        refuses 2 '--verbose' "$program" --verbose=1
        refuses 2 '--step' "$program" --step=1
    done
    refuses 2 '--pid' talker --pid
    refuses 2 '--reply' listener --reply
}

@test "a surplus operand is named" {
    refuses 2 "'two'" talker one two
    refuses 2 "'one'" listener one
    refuses 2 "'one'" talker --chat one
}

@test "a trace that cannot be written is a failure, and is named" {
    mkdir folder
    for program in talker listener; do
        refuses 1 folder "$program" --trace folder
        refuses 1 nowhere/trace "$program" -T nowhere/trace
    done
}

# ---- help

# Sets `output`. PROGRAM exits with 0 and prints nothing on stderr.
prints() { # PROGRAM OPTION
    output=$("$@" 2>stderr 3>&-) || fail "$* ends with $?"
    [ ! -s stderr ] || fail "$* prints on stderr:" "$(cat stderr)"
}

help_names_common_options() { # PROGRAM
    local option name output
    for option in --help -h; do
        prints "$1" "$option"
        for name in file project timeout verbose explain trace step hold help version; do
            [[ $output == *--$name* ]] || fail "$1 $option does not name --$name"
        done
    done
}

@test "--help of every program prints the common options on stdout" {
    while read -r program; do
        help_names_common_options "$program"
    done < <(programs)
}

version_is_one_line() { # PROGRAM
    local option output
    for option in --version -V; do
        prints "$1" "$option"
        [[ $output =~ ^${1##*/}\ .*[0-9] && $output != *$'\n'* ]] || fail "$1 $option prints: $output"
    done
}

@test "--version of every program is one line on stdout, with its name" {
    while read -r program; do
        version_is_one_line "$program"
    done < <(programs)
}

@test "--help lists the pair's own options and the points for --hold" {
    run -0 listener --help
    for word in --reply --interactive --keep --count --size --mode 1024 0600 "Have a nice day" POINT; do
        [[ $output == *"$word"* ]] || fail "listener --help does not name $word"
    done
    run -0 talker --help
    for word in --pid --wait --chat MESSAGE "Hello, I'm talker" POINT; do
        [[ $output == *"$word"* ]] || fail "talker --help does not name $word"
    done
}

@test "--hold works at the points that --help lists" {
    points_of() { "$BUILD/$1" --help | sed -n 's/^POINT is .*one of: //p'; }
    [ -n "$(points_of talker)" ]
    [ -n "$(points_of listener)" ]
    for point in sigsuspend $(points_of talker); do
        refuses 3 listener "$BUILD/talker" --file nowhere/shmfile --hold "$point:2"
    done
    for point in sigsuspend $(points_of listener); do
        refuses 1 nowhere "$BUILD/listener" --file nowhere/shmfile --hold "$point:2"
    done
}

@test "--help that cannot be written is a failure" {
    [ -e /dev/full ] || skip "no /dev/full here"
    into_full() { "$@" >/dev/full; }
    run -1 into_full talker --help
    run -1 into_full listener --help
}

@test "the manual pages list the options that --help lists" {
    for side in talker listener; do
        manual=$ROOT/$side/$side.1
        options_in_manual "$manual" | grep -x -e '-f, --file FILE'
        diff <(options_in_help "$BUILD/$side") <(options_in_manual "$manual") ||
            fail "$side --help (<) and $side.1 (>) differ"
    done
}
