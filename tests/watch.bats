#!/usr/bin/env bats
# watch.bats - scripts/watch shows what is there, and the programs do not notice it.
# shellcheck disable=SC2154 # start sets NAME_pid
#
# What a picture shows is compared while both programs are held: then nothing changes meanwhile.

load helpers

setup() {
    common_setup
    modes=('' --attach) # how the words are read: see scripts/watch
}
teardown() { common_teardown; }

watch() { # [OPTION]...: one picture
    "$BUILD/watch" --once "$@" 3>&-
}

# Watches in the background, until the segment is gone: watch.out.
start_watch() { # [OPTION]...
    start watch "$BUILD/watch" "$@"
    wait_for_line watch.out '^processes'
}

# Both are held before their first sleep: the talker has said "Hello", and has rung.
hold_both() { # [LESSON]
    [ -n "${1-}" ] || only_ours
    start_held listener sigsuspend "listener${1:+-$1}"
    start_held talker sigsuspend "talker${1:+-$1}" Hello
    shmid=$(awk -v pid="$listener_pid" '$5 == pid { print $2 }' /proc/sysvipc/shm)
}

let_both_go() {
    kill -CONT "$listener_pid" "$talker_pid"
    finish listener 0
    finish talker 0
}

killed() { # NAME
    local pid=$1_pid
    kill -KILL "${!pid}"
    finish "$1" 137
}

process() { # PID NAME STATE BLOCKED PENDING ACTION
    printf '  %-10s  %-19s %-22s %-7s %-7s %s\n' "$@"
}

@test "one picture shows a pair: the kernel's fields, the words by name, the processes" {
    only_ours
    hold_both
    watch >picture
    expect_lines picture \
        "segment $shmid: key $(key_of shmfile 1), 4001 bytes, mode 0600" \
        "  shm_nattch  2" \
        "  shm_cpid    $listener_pid (listener)" \
        "  shm_lpid    $talker_pid (talker)" \
        'words of the lesson "pair"' \
        '  magic       0x73686d74 "shmt"' \
        '  lesson      0x70616972 "pair"' \
        '  version     1' \
        "  stopped     talker $talker_pid (talker), listener $listener_pid (listener)" \
        '  capacity    1024' \
        "  turn        $listener_pid (listener)" \
        '  front       0' \
        '  length      0' \
        "  seat        [1] $talker_pid (talker); the others are free" \
        '  text        ""' \
        'processes                         state         SIGUSR1: blocked pending action' \
        "$(process "$listener_pid" listener stopped yes YES caught)" \
        "$(process "$talker_pid" talker stopped yes no caught)"
    let_both_go
}

@test "the picture that README shows is what watch prints" {
    only_ours
    awk '/^```/ { on = 0 } on { print } $0 == "$ scripts/watch --once" { on = 1 }' "$ROOT/README.md" |
        without_numbers >shown
    [ "$(wc -l <shown)" -ge 15 ]
    hold_both
    watch | without_numbers | diff -u shown -
    let_both_go
}

# PIDs, keys and shmids differ from run to run.
without_numbers() {
    sed -E 's/0x[0-9a-f]+|[0-9]+/N/g' | tr -s ' '
}

@test "a state is shown by its name, and a text as bytes that cannot steer the terminal" {
    start_held listener sigsuspend listener-handshake
    start_held talker sigsuspend talker-handshake $'\e[31mred'
    watch >picture
    grep -x '  state       SAID (1)' picture
    grep -xF '  text        "\33[31mred"' picture
    grep -x "  talker      $talker_pid (talker-handshake)" picture
    let_both_go
}

@test "the segment of the textbook has no magic, and its text is shown" {
    start_held listener sigsuspend listener-textbook
    shmid=$(awk -v pid="$listener_pid" '$5 == pid { print $2 }' /proc/sysvipc/shm)
    start_held talker said talker-textbook "$listener_pid" Hello
    watch >picture
    grep -x 'words of the lesson "textbook"' picture
    grep -xF '  text        "Hello\n"' picture
    kill -CONT "$listener_pid" "$talker_pid"
    finish listener 0
    finish talker 0
}

@test "a watched segment keeps its nattch, its last process and its times" {
    hold_both
    segment_line "$shmid" >before
    watch >picture
    segment_line "$shmid" | diff before -
    let_both_go
}

@test "with --attach the picture is the same, and watch stays in shm_lpid only" {
    hold_both
    watch >picture
    watch --attach | sed 's/, from its pages.*//' | diff picture - >differs || true
    expect_lines differs # shm_lpid was read before the attach
    [ "$(kernel_says "$shmid" nattch)" -eq 2 ]
    [ "$(kernel_says "$shmid" lpid)" -ne "$talker_pid" ]
    let_both_go
}

@test "where the system forbids /proc/PID/mem, the words come from the segment's pages" {
    requires_strace
    hold_both handshake
    strace -qq -o calls -P "/proc/$listener_pid/mem" -P "/proc/$talker_pid/mem" -e trace=openat \
        -e inject=openat:error=EACCES "$BUILD/watch" --once >picture 3>&-
    grep -q INJECTED calls
    grep -q 'from its pages' picture
    grep -x '  state       SAID (1)' picture
    [ "$(kernel_says "$shmid" nattch)" -eq 2 ]
    let_both_go
}

@test "held pages show what the processes store later" {
    hold_both handshake
    start_watch --attach
    kill -CONT "$listener_pid"
    wait_for_line watch.out '^\* state +ANSWERED \(2\) +was SAID \(1\)$'
    finish listener 0
    kill -CONT "$talker_pid"
    finish talker 0
    finish watch 0
}

@test "what has changed is marked, and the end of the segment ends the watch" {
    hold_both handshake
    start_watch
    kill -CONT "$listener_pid"
    wait_for_line watch.out '^\* state +ANSWERED \(2\) +was SAID \(1\)$'
    finish listener 0
    wait_for_line watch.out "^segment $shmid: .* REMOVED: it lives until the last process detaches"
    kill -CONT "$talker_pid"
    finish talker 0
    finish watch 0
    grep -x "segment $shmid is gone: it was removed. The kernel does not record by whom." watch.out
    # The name is known if a look has seen the process.
    grep -xE "Its creator was PID $listener_pid \((listener-handshake, )?has ended\)\." watch.out
    expect_lines watch.err
}

@test "a chat of 1,000 rounds loses nothing while it is watched, however the words are read" {
    seq 1000 >lines
    for mode in "${modes[@]}"; do
        start_listener
        shmid=$(shmid_of listener)
        # shellcheck disable=SC2086 # no mode is no argument
        start_watch --interval 0.01 $mode
        start talker talker --chat <lines
        finish talker 0
        finish listener 0
        finish watch 0
        received listener | diff lines -
        expect_lines listener.err
        expect_lines talker.err
        is_removed "$shmid"
    done
}

@test "the survivor of a killed listener removes the segment, though it is watched" {
    for mode in "${modes[@]}"; do
        hold_both handshake
        # shellcheck disable=SC2086
        start_watch --interval 0.01 $mode
        killed listener
        kill -CONT "$talker_pid"
        finish talker 3
        is_removed "$shmid"
        finish watch 0
    done
}

@test "what two killed processes have left is shown with its words" {
    hold_both handshake
    plant "$shmid"
    killed listener
    killed talker
    watch >picture
    grep -x '  shm_nattch  0' picture
    grep -x "  shm_cpid    $listener_pid (has ended)" picture
    grep -x '  state       SAID (1)' picture
}

@test "a lost wakeup is seen: both sleep, and it is the listener's turn" {
    start listener listener-lostwakeup_no_mask
    shmid_of listener
    start talker talker-lostwakeup
    start_watch --interval 0.02
    wait_for_line watch.out "^. stuck +both sleep: the turn is the listener's, and no SIGUSR1 is pending\$"
    grep -E "^. $listener_pid +listener-lostwakeup sleeps in pause " watch.out
    stop listener
    finish talker 3
    finish watch 0
}

# README's own talker, changed by a sed COMMAND.
own_talker() { # COMMAND
    requires_compiler mytalker.c
    awk '/`mytalker.c`/ { named = 1 } inside && /^```/ { exit } inside { print } named && /^```/ { inside = 1 }' \
        "$ROOT/README.md" | sed "$1" >mytalker.c
    "$("$ROOT/scripts/setup" compiler)" -o mytalker mytalker.c
}

@test "a student's own talker is shown as any other" {
    only_ours
    own_talker ''
    start_held listener sigsuspend listener
    start talker ./mytalker Hello
    until_true watch_says "^  $talker_pid +mytalker +sleeps in sigsuspend +no +no +caught$" || fail "$(cat picture)"
    grep -E "^  seat +\\[0\\] $talker_pid \\(mytalker\\)" picture
    kill -CONT "$listener_pid"
    finish talker 0
    finish listener 0
}

@test "a student's talker that forgets its signal is seen: both sleep" {
    own_talker '/kill(listener/d'
    start_listener
    start talker ./mytalker Hello
    start_watch --interval 0.02
    wait_for_line watch.out "^. stuck +both sleep: the turn is the listener's, and no SIGUSR1 is pending\$"
    stop talker
    stop listener
    finish watch 0
}

@test "a talker that has the turn and waits for typed lines is not stuck" {
    mkfifo lines
    exec 7<>lines
    start_listener
    start talker talker --chat <lines
    until_true watch_says "^  turn +$talker_pid "
    until_true watch_says " sleeps in ppoll "
    run ! grep stuck picture
    stop talker
    finish listener 3
}

watch_says() { # PATTERN
    watch >picture && grep -qE "$1" picture
}

@test "a foreign segment is shown without its words" {
    compile foreign
    foreign=$(./foreign make 0x77abcde 5000 600 "somebody's")
    plant "$foreign"
    watch --shmid "$foreign" >picture
    grep -xF "segment $foreign: key 0x77abcde, 5000 bytes, mode 0600" picture
    grep -xF '  words       not shown: it is foreign, because its first word is 0x656d6f73' picture
}

@test "another user's segment is shown as far as the kernel permits" {
    [ "$(id -u)" -eq 0 ] || skip "only root can be another user"
    hold_both
    as_nobody /dev/fd/9 --once --shmid "$shmid" >picture 9<"$BUILD/watch"
    grep -x "segment $shmid: .*, owner uid 0" picture
    grep -x '  shm_nattch  2, of them 2 by processes that we may not look at' picture
    grep -xF "  words       not read: shmat($shmid, NULL, SHM_RDONLY): Permission denied" picture
    let_both_go
}

@test "an ordinary user sees everything of a pair of its own" {
    [ "$(id -u)" -eq 0 ] || skip "the other tests are run by an ordinary user already"
    only_ours
    chmod 777 .
    start listener setpriv --reuid=65534 --regid=65534 --clear-groups /dev/fd/9 --hold sigsuspend \
        -t "$DEADLINE" 9<"$LISTENER"
    wait_for_state "$listener_pid" T
    shmid=$(awk -v pid="$listener_pid" '$5 == pid { print $2 }' /proc/sysvipc/shm)
    as_nobody /dev/fd/9 --once >picture 9<"$BUILD/watch"
    grep -x "  turn        $listener_pid (.*)" picture
    grep -E "^  $listener_pid +[^ ]+ +stopped +yes +no +caught$" picture
    kill -CONT "$listener_pid"
    stop listener
}

@test "without a segment it says what to start, and --wait waits for it" {
    refuses 3 'no segment has the key of "none.shmfile" and project 1: start a listener first' \
        "$BUILD/watch" --file none.shmfile
    refuses 3 'there is no segment 2147483647: see ipcs -m' "$BUILD/watch" --shmid 2147483647
    start watch "$BUILD/watch" --wait
    start_listener
    wait_for_line watch.out "^segment $(shmid_of listener): "
    stop listener
    finish watch 0
}

@test "of several segments without a key file, each is listed to choose from" {
    start_listener --file one.shmfile
    one=$(shmid_of listener)
    start second listener --file two.shmfile
    two=$(shmid_of second)
    run -2 --separate-stderr watch
    for id in "$one" "$two"; do
        grep -E "^--shmid $id: key 0x[0-9a-f]+, 4001 bytes, shm_cpid [0-9]+, shm_nattch 1$" <<<"$output"
    done
    grep -E '^watch: [0-9]+ segments of yours are in use: choose one with --shmid$' <<<"$stderr"
    stop listener
    stop second
}

@test "on a terminal it draws in place, within 80 columns, and Ctrl-C leaves no trace" {
    requires_terminal
    hold_both
    mkfifo keys
    exec 7<>keys
    start watch script -qefc "stty cols 100 rows 40; exec env TERM=xterm '$BUILD/watch'" /dev/null <keys
    until_true drawn_twice
    printf '\003' >&7
    finish watch 130
    let_both_go
    [ "$(head -c 7 watch.out)" = $'\e[H\e[2J' ]
    run ! grep -qF $'\e[?' watch.out
    sed -E 's/\x1b\[[0-9;]*[A-Za-z]//g' watch.out | tr -d '\r' | awk 'length($0) > 80 { exit 1 }'
    grep -qF $'\e[32m' watch.out
}

drawn_twice() {
    [ "$(grep -c 'segment .* key' watch.out)" -ge 2 ]
}

@test "each atomic word of each layout is one that watch shows" {
    awk '
        FILENAME ~ /watch_words/ {
            if (match($0, /#include "..\/common\/layout\/[a-z]+/)) layout = substr($0, 28, RLENGTH - 27)
            if (/^static const struct layout [*]of_pair/) layout = "pair"
            gsub(/[(),{};]/, " ")
            for (i = 1; i <= NF; i++) shown[layout, $i]
            next
        }
        FNR == 1 { name = FILENAME; gsub(/.*\/|[.]h$/, "", name) }
        name ~ /^(head|doorbell|posix|persist)$/ || /message\[|length\[|seat\[|Atomic char/ { next }
        /_Atomic (int|unsigned|long|uint)/ {
            sub(/\/[*].*/, ""); sub(/.*_Atomic [a-z_0-9]+( long)*( int)? /, ""); gsub(/[;,]/, " ")
            for (i = split($0, members, " "); i > 0; i--) {
                words++
                found = 0
                for (key in shown) {
                    split(key, part, SUBSEP)
                    if (part[1] == name && part[2] ~ ("(^|[.])" members[i] "$")) found = 1
                }
                if (!found) { print name ": " members[i]; missing = 1 }
            }
        }
        END { exit missing || words < 55 }' "$ROOT/scripts/watch_words.c" "$ROOT"/common/layout/*.h
}

@test "scripts/watch builds, finds the key file of this directory, and shows its help" {
    start_listener --file own.shmfile
    "$ROOT/scripts/watch" -f own.shmfile --once >picture
    grep "^segment $(shmid_of listener): " picture
    stop listener
    "$ROOT/scripts/watch" --help | grep -F 'A picture is a sample'
    refuses 2 "unknown option '--all'; --help shows the usage" "$ROOT/scripts/watch" --all
    refuses 2 "unexpected operand 'now'" "$BUILD/watch" now
    refuses 2 "'0' is not a number of seconds from 0.01 to 3600" "$BUILD/watch" -i 0
    refuses 2 "'fork' is not a lesson with a System V segment" "$BUILD/watch" --lesson fork
}
