#!/usr/bin/env bats
# grade.bats - scripts/grade names each mistake, gives correct programs all points, and survives any program.
# shellcheck disable=SC2154 # run --separate-stderr sets stderr

load helpers

setup() {
    common_setup
    [ -z "${SANITIZE-}" ] || skip "each program is compiled with sanitizers already"
    requires_compiler "the programs that are graded"
    pitfalls=$ROOT/tests/pitfalls
}
teardown() { common_teardown; }

grade() { # [ARGUMENT]...
    "$ROOT/scripts/grade" "$@" 3>&-
}

# Prints "FILE NAME..." for each file: the names of the mistakes that are found.
names() { # SIDE WIRE FILE...
    grade "--$1" --wire "$2" "${@:3}" |
        awk '{ name = $2; sub(/.*\//, "", name); $1 = $2 = ""; sub(/^ +/, ""); print name, $0 }' | sed 's/ *$//'
}

# The first line of each program says which name it should get. "correct" gets none.
expected() { # FILE...
    for file; do
        echo "${file##*/} $(sed -n '1s/^\/\* pitfall: \([a-z-]*\);.*/\1/p' "$file")" | sed 's/ *$//'
    done
}

each_gets_its_name() { # SIDE WIRE
    set -- "$1" "$2" "$pitfalls/$2-$1"-*.c /dev/null
    names "$1" "$2" "${@:3:$#-3}" >found || :
    expected "${@:3:$#-3}" >wanted
    diff wanted found
}

# A program of one line, whose score is 0 and which leaves nothing.
survives() { # PATTERN SOURCE
    printf '%s\n' "$2" >nasty.c
    run -1 grade --talker nasty.c
    [[ $output =~ $1 ]] || fail "not like '$1':" "$output"
    [[ $output == *"score: 0 of 100"* ]]
}

refuses() { # STATUS PATTERN ARGUMENT...
    run "-$1" --separate-stderr grade "${@:3}"
    [[ $stderr =~ $2 ]] || fail "not like '$2':" "$stderr"
}

# ---- each mistake gets its name, and a correct program all points

@test "each talker of the handshake's wire gets the name of its mistake" {
    each_gets_its_name talker handshake
}

@test "each listener of the handshake's wire gets the name of its mistake" {
    each_gets_its_name listener handshake
}

@test "each talker of the textbook's wire gets the name of its mistake" {
    each_gets_its_name talker textbook
}

@test "each listener of the textbook's wire gets the name of its mistake" {
    each_gets_its_name listener textbook
}

@test "each talker of the pair's wire gets the name of its mistake" {
    each_gets_its_name talker pair
}

@test "each listener of the pair's wire gets the name of its mistake" {
    each_gets_its_name listener pair
}

@test "our own programs get all points" {
    for side in talker listener; do
        grade "--$side" --wire handshake "$BUILD/$side-handshake"
        grade "--$side" --wire textbook "$BUILD/$side-textbook"
        grade "--$side" --wire pair "$BUILD/$side"
    done
}

@test "a lost wakeup is found five times of five, with its line" {
    for _ in 1 2 3 4 5; do
        run -1 grade --case window --talker "$pitfalls/handshake-talker-lost-wakeup.c"
        [[ $output == *"name:  lost-wakeup"*"line:"*"pause();"*"scripts/demo lostwakeup"* ]]
    done
}

@test "without namespaces the verdicts are the same" {
    grade --plain --listener "$pitfalls/handshake-listener-correct-sigsuspend.c"
    run -1 grade --plain --case window --listener "$pitfalls/handshake-listener-lost-wakeup.c"
    [[ $output == *lost-wakeup* && $output == *"note: it ran without namespaces"* ]]
}

# ---- it survives any program

@test "kill(0) and kill(-1) end neither the checker nor this test" {
    survives 'kill-unchecked-pid' '#include <signal.h>
        int main(void) { kill(0, SIGKILL); kill(-1, SIGKILL); return 0; }'
    survives 'killed by signal 9' '#define _GNU_SOURCE
        #include <unistd.h>
        #include <sys/syscall.h>
        int main(void) { return (int)syscall(SYS_kill, -1, 9) + (int)syscall(SYS_kill, 0, 9); }'
}

@test "a fork bomb is stopped, and no process of it is left" {
    survives 'no-conversation' '#include <unistd.h>
        int main(void) { for (;;) fork(); }'
    run -1 pgrep -f '^\./program$'
}

@test "an endless print is stopped after a megabyte" {
    survives 'prints-without-end' '#include <stdio.h>
        int main(void) { for (;;) puts("again and again"); }'
}

@test "a program that ignores all signals, stops itself or computes is ended" {
    survives 'it waits in pause' '#include <signal.h>
        #include <unistd.h>
        int main(void) { for (int i = 1; i < 64; i++) signal(i, SIG_IGN); for (;;) pause(); }'
    survives 'did not become SAID' '#include <signal.h>
        int main(void) { for (;;) raise(SIGSTOP); }'
    survives 'it computes all the time' 'int main(void) { for (;;) ; }'
}

@test "a program that leaves a child, execs, closes all or crashes gets a result" {
    survives 'exit status 0' '#include <unistd.h>
        int main(void) { if (fork() == 0) { setsid(); pause(); } return 0; }'
    survives 'did not become SAID' '#include <unistd.h>
        int main(void) { return execl("/bin/sleep", "sleep", "1000", (char *)0); }'
    survives 'did not become SAID' '#include <unistd.h>
        int main(void) { for (int i = 0; i < 1024; i++) close(i); return pause(); }'
    survives 'crashes' 'int main(void) { *(volatile int *)8 = 1; return 0; }'
}

# ---- formats and bad input

@test "several submissions give a table, a row each" {
    cp "$pitfalls/handshake-talker-correct-sigsuspend.c" right.c
    cp "$pitfalls/handshake-talker-lost-wakeup.c" wrong.c
    run -1 grade --talker right.c wrong.c
    [ "${#lines[@]}" -eq 2 ]
    [[ ${lines[0]} == *100/100*right.c && ${lines[1]} == *wrong.c*lost-wakeup ]]
}

@test "--csv, --json and --tap give one entry for each case" {
    local file=$pitfalls/handshake-talker-lost-wakeup.c
    run -1 grade --csv --talker "$file"
    [ "${#lines[@]}" -eq 21 ]
    [[ $output == *',window,FAIL,0,10,lost-wakeup,81,"'* ]]
    run -1 grade --tap --talker "$file"
    [[ $output == "TAP version 13"*"not ok 5 - "*"# lost-wakeup: "*"1..21" ]]
    run -1 grade --json --talker "$file"
    [[ $output == *'"score": 90,'*'"max_score": 10, "status": "failed"'*'[lost-wakeup]'* ]]
    ! command -v python3 >/dev/null || python3 -m json.tool <<<"$output" >/dev/null
}

@test "an exercise is graded by its name, and a directory by the file in it" {
    mkdir mine
    cp "$pitfalls/handshake-talker-correct-sigsuspend.c" mine/talker.c
    grade handshake-talker mine
}

@test "what cannot be graded is said in one line, with exit status 3" {
    echo 'int main(void) { return 0' >broken.c
    echo 'int f(void) { return 0; }' >headless.c
    echo hello >text
    mkdir empty
    refuses 3 'broken.c does not compile' --talker broken.c
    refuses 3 'headless.c does not compile' --talker headless.c
    refuses 3 'text: it is neither a C file' --talker text
    refuses 3 'missing.c: there is no such file' --talker missing.c
    refuses 3 'empty: no C file' --talker empty
}

@test "a program that is linked statically is refused with exit status 3" {
    echo 'int main(void) { return 0; }' >fixed.c
    "${CC:-cc}" -static -o fixed fixed.c 2>/dev/null || skip "no static C library"
    refuses 3 'it could not be graded: the program cannot be watched' --talker fixed
}

@test "a wrong command line is refused with exit status 2" {
    refuses 2 'give --talker FILE or --listener FILE'
    refuses 2 "unknown option '--nothing'" --nothing
    refuses 2 "'smoke' is none of handshake, textbook, pair" --wire smoke --talker a.c
    refuses 2 "'x' is not a whole number above 0" -j x --talker a.c
    refuses 2 "no exercise 'nothing'" nothing a.c
    refuses 2 "give one of --talker and --listener" --talker --listener a.c
}
