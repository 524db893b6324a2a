#!/usr/bin/env bats
# step.bats - scripts/demo --step: one person is the scheduler. And tests/schedule.c, which plays a thousand schedules.
#
# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for the programs that the test writes; start sets
# NAME_pid

load helpers
load house

setup() {
    common_setup
    demo=$ROOT/scripts/demo
    typed=$(printf %q "$demo") # as in a shell: the path may have a space
    mkdir scratch
    export TMPDIR=$PWD/scratch BUILD
    unset NO_COLOR
}

teardown() {
    common_teardown || return
    [ -z "$(ls "$TMPDIR")" ] || fail "the demo has left behind in its temporary directory:" "$(ls -R "$TMPDIR")"
}

# Plays these words as a person types them, one on each line.
play() { # LESSON WORD...
    run --separate-stderr "$demo" --step "$1" < <(printf '%s\n' "${@:2}")
}

# The lines between two prompts: those that stand above the prompt which took WORD.
above() { # WORD
    awk -v word="$1" '/^t, l, q or \? .*> / { if ($NF == word) { printf "%s", lines; exit } lines = ""; next }
                      { lines = lines $0 "\n" }' <<<"$output"
}

# ---- steps

@test "each t or l is one step, until both programs have ended" {
    yes $'t\nl' | head -n 150 >letters
    run -0 --separate-stderr "$demo" --step <letters
    [ -z "$stderr" ]
    [[ $output == *$'\n'"\$ ${BUILD#"$ROOT"/}/talker --step --explain --wait \"Hello, I'm talker\""$'\n'* ]]
    [[ $output == *$'\n'"talker   | said: Hello, I'm talker"$'\n'* ]]
    [[ $output == *$'\n'"listener | replied: Have a nice day"$'\n'* ]]
    [[ $output == *$'\n\ntalker:   ended with status 0\nlistener: ended with status 0' ]]
    nothing_is_left_of "$output"

    # Of the side that was sent on: what it was stopped before, and nothing else, but for a sleep that was over. One
    # that was asleep at the prompt may have woken up, and stopped before any step.
    awk '
        /^(talker|listener): / { before[$1] = $2 == "next:" ? $3 == "publish" || $3 == "observe" ? $3 " " $4 : $3 : "" }
        /^t, l, q or .*> / { name = $NF == "t" ? "talker" : "listener"; due = before[name ":"]; steps = 0; prompts++ }
        /^[a-z]+ +\| \[[0-9]+\] ([a-z]+\(|publish |observe )/ && $1 == name && due != "" {
            step = $4 == "publish" || $4 == "observe" ? $4 " " $5 : $4
            sub(/\(.*/, "(", step)
            sub(/\(.*/, "(", due)
            if (step == "sigsuspend(") next
            if (++steps > 1 || step != due) { print "not " due ": " $0; bad = 1 }
        }
        END { exit bad || prompts < 40 }' <<<"$output"
}

@test "the prompt shows each side's next step with its arguments" {
    play handshake l l l l l start 2t q
    [[ $(above start) == *$'\nlistener: next: shmat('*', NULL, 0)'* ]]
    above 2t | grep -x "talker:   next: publish text = \"Hello, I'm talker\""
    above q | grep -Ex 'talker:   next: kill\([0-9]+, SIGUSR1\)'
    above q | grep -Fx 'listener: next: observe state (SAID (1))'
}

@test "the words of the segment stand above the prompt: value and writer" {
    play handshake start 2t q
    [[ $(above start) == *$'\nsegment  | state = NOTHING (0) '*' not written yet'* ]]
    talker=$(above 2t | sed -n 's/^segment *| talker = \([0-9]*\) *written by the talker ([0-9]*)$/\1/p')
    [ -n "$talker" ]
    above q | grep -Ex "segment  \| text = \"Hello, I'm talker\" +written by the talker \([0-9]+\)"
    number=$(above q | sed -n 's/^segment  | state = SAID (1) *written by the talker (\([0-9]*\))$/\1/p')

    # The number is that of the line in b.
    play handshake start 2t "b $number" q
    above q | grep -Ex " *$number  talker    publish state = SAID \(1\)"
}

@test "a pending SIGUSR1 is shown at the prompt" {
    play handshake start 3t q
    [[ $(above q) == *$'\nlistener: next: observe state (SAID (1))   [SIGUSR1 is pending]'* ]]
    [ "$(grep -c 'SIGUSR1 is pending' <<<"$output")" -eq 1 ]
}

@test "5t makes five steps; several words on a line follow one another" {
    play handshake 3l '2l 1l' q
    [[ $(above '1l') == *'sigprocmask('*'sigaction('*'ftok('*$'\nlistener: next: shmget('*', 0, 000)'* ]]
    [[ $(above q) == *'shmget('*'shmget('*'shmat('*$'\nlistener: next: publish magic = '* ]]
}

@test "start goes to where the talker has written its PID" {
    for lesson in pair textbook turn unready; do
        play "$lesson" start q
        [ "$status" -eq 0 ]
        [[ $(above q) == *'('*' steps, which b lists)'* ]]
        above q | grep -E '^talker: +next: (publish|kill\([0-9]+, SIGUSR1\))' || fail "$lesson:" "$output"
    done
}

@test "b lists what has happened so far, with its numbers" {
    play handshake start b 'b 2' q
    [[ $(above 2) == '(b 1 lists '*$'\n'* && $(above 2 | grep -c '^ *[0-9]*  ') -eq 15 ]]
    above q | awk '/^ +[0-9]+  / { if ($1 != ++n + 1) exit 1 } END { exit n < 18 }'
    run ! grep -q 'stopped before' <<<"$output"
}

@test "the talker of a lesson starts when its listener waits" {
    yes $'t\nl' | head -n 150 >letters
    run -0 --separate-stderr "$demo" --step handshake <letters
    [ -z "$stderr" ]
    [[ $output == *'the talker cannot make a step: not started, the listener is not waiting yet'* ]]
    [[ $output == *'| waiting for a talker '*$'\n'"\$ ${BUILD#"$ROOT"/}/talker-handshake --step --explain"$'\n'* ]]
    [[ $output == *$'\n\ntalker:   ended with status 0\nlistener: ended with status 0' ]]
    nothing_is_left_of "$output"
}

@test "the prompt says what would wake a sleeping program" {
    play pair 40l l q
    sleeps=$'\nlistener: asleep in sigsuspend([]): only a signal wakes it'
    [[ $(above l) == *"$sleeps" ]]
    [[ $(above q) == 'the listener is asleep: a signal from the talker will wake it, '*"$sleeps" ]]
    nothing_is_left_of "$output"
}

@test "Enter repeats the last steps; an unknown word is explained" {
    play pair t '' x '' '?' q
    [[ $output == *$'> t\ntalker '*'sigprocmask('*$'? (Enter repeats t) > \ntalker '*'sigaction('* ]]
    [[ $output == *$'> x\n\'x\' is not known: '* ]]
    [[ $(above q) == 't, l      the talker, or '*'5t 3l '*$'\nq  '* ]]
    play pair -1 0 t5 9t9 lt 99999l '*' q
    [ "$status" -eq 0 ]
    [ "$(grep -c 'is not known' <<<"$output")" -eq 7 ]
}

@test "a message is not broken within a word where the terminal is narrow" {
    requires_terminal
    script -qec "stty cols 40; printf 'x\nl\n' | env TERM=dumb $typed --step" /dev/null | tr -d '\r' >step.out
    grep -A 3 '^t, l, q or ? > x' step.out | tr '\n' ' ' | grep -q "q ends both, ? shows all letters"
    [ -z "$(awk "/^'x'/,/letters\$/ { if (length > 40) print }" step.out)" ]
}

@test "what stands at the prompt of a step fits on a screen of 24 lines" {
    requires_terminal
    { echo start && yes $'t\nl' | head -n 40 && echo q; } >letters
    for lesson in handshake lostwakeup_no_mask stream; do
        script -qec "stty cols 80; env TMPDIR=/tmp TERM=dumb $typed --step $lesson <letters" /dev/null | tr -d '\r' >out
        awk '{ n++ }
             /^t, l, q or \?/ { if (n > 24) { print n " lines before: " $0; bad = 1 } n = 0 }
             END { exit bad }' out
    done
}

@test "a program that was woken is shown before the next prompt" {
    house wake
    says wake 'it wakes up.'
    side listener-wake <<'END'
trap 'echo "listener: woken"' USR1
echo $$ >listener.pid
mkfifo never
echo "listener: waiting"
read -r line <>never
echo "listener-wake[$$] stopped before shmdt(0): \"fg\" or \"kill -CONT $$\" goes on"
kill -s STOP $$
END
    side talker-wake <<'END'
echo "talker-wake[$$] stopped before kill(1, SIGUSR1): \"fg\" or \"kill -CONT $$\" goes on"
kill -s STOP $$
kill -s USR1 "$(cat listener.pid)"
echo "talker-wake[$$] stopped before shmdt(0): \"fg\" or \"kill -CONT $$\" goes on"
kill -s STOP $$
END
    run -0 "$demo" --step wake <<<t
    before=$'\ntalker:   next: kill(1, SIGUSR1)\nlistener: asleep'
    after=$'\ntalker:   next: shmdt(0)\nlistener: next: shmdt(0)\nt, l, q or ? (Enter repeats t) > \n'
    [[ $output == *"$before"*$'\nt, l, q or ? > t\nlistener | woken\n'"$after"* ]]
}

# ---- the end

@test "q ends both programs, and nothing stays behind" {
    play pair 15l q
    [ "$status" -eq 0 ]
    [[ $output == *$'\ntalker:   ended by SIGTERM\nlistener: ended by SIGTERM'* ]]
    nothing_is_left_of "$output"
}

@test "after q no line of the programs is shown" {
    play handshake start 3t q
    [[ $output == *$' > q\n(you ended the run)\n\ntalker:   ended by SIGTERM\nlistener: ended by SIGTERM' ]]
    house parting
    says parting 'they part.'
    side listener-parting <<'END'
trap 'echo "listener-parting[$$] shmdt(0) = 0"; echo "listener: the talker went away"; exit 3' TERM
echo "listener: waiting"
while :; do
    echo "listener-parting[$$] stopped before shmget(): ..."
    kill -s STOP $$
done
END
    side talker-parting </dev/null
    run "$demo" --step parting <<<q
    [[ $output == *$' > q\n(you ended the run)\n\ntalker: '*$'\nlistener: ended with status 3' ]]
}

@test "at the end of the input both programs run to their end" {
    run -0 "$demo" --step <<<t
    [[ $output == *$'\ntalker:   ended with status 0\nlistener: ended with status 0' ]]
    nothing_is_left_of "$output"
}

@test "a signal at the prompt ends both stopped programs" {
    mkfifo letters
    exec 9<>letters
    echo 15l >&9
    start steps "$demo" --step <letters
    wait_for_line steps.out 'listener . waiting for'
    stop steps
    nothing_is_left_of "$(cat steps.out)"
}

# ---- schedules

# These find the mistake of each wrong variant.
schedule_of() { # VARIANT
    case $1 in
        lostwakeup_no_mask) echo start 20l 20t 20l 20t 20l ;;
        unready_no_block) echo start t l ;;
        torn_no_seq) echo start 20l 20t 20l ;;
    esac
}

# shellcheck disable=SC2046 # words
play_schedule_of() { # VARIANT LESSON
    play "$2" $(schedule_of "$1")
}

@test "a schedule shows the lost wakeup, and says why it is one" {
    play_schedule_of lostwakeup_no_mask lostwakeup_no_mask
    [ "$status" -eq 0 ]
    [[ $output == *$'\nLOST WAKEUP: both sleep, '* ]]
    saw=$(sed -n 's/^The listener saw word = NOTHING (0) (\([0-9]*\))\.$/\1/p' <<<"$output")
    wrote=$(sed -n 's/^Then the talker wrote word = SAID (1) (\([0-9]*\)) and sent SIGUSR1 .*/\1/p' <<<"$output")
    took=$(sed -n 's/^The listener took that signal (\([0-9]*\)) before its sleep in pause()\.$/\1/p' <<<"$output")
    [ "$saw" -lt "$wrote" ] && [ "$wrote" -lt "$took" ]
    grep -x 'The kernel holds no SIGUSR1 for either of them: only a time limit ends these sleeps.' <<<"$output"
    grep -Ex 'You have found the schedule, with [0-9]+ steps: ([0-9]+[lt] ?)+' <<<"$output"
}

@test "a schedule kills the listener that does not block SIGUSR1" {
    play_schedule_of unready_no_block unready_no_block
    [ "$status" -eq 0 ]
    grep -E '^KILLED: SIGUSR1 came to a listener that had no handler' <<<"$output"
    grep -E '^You have found the schedule, with ' <<<"$output"
}

@test "a schedule shows a torn record to the listener without a sequence" {
    play_schedule_of torn_no_seq torn_no_seq
    [ "$status" -eq 0 ]
    grep -E '^TORN: the listener has used a record' <<<"$output"
    grep -E '^You have found the schedule, with ' <<<"$output"
}

@test "the right lessons survive the schedules of their wrong variants" {
    for variant in lostwakeup_no_mask unready_no_block torn_no_seq; do
        play_schedule_of "$variant" "${variant%%_no_*}"
        [ "$status" -eq 0 ]
        [[ $output == *$'\ntalker:   ended with status 0\nlistener: ended with status 0' ]] || fail "$output"
        run ! grep -E '^(LOST WAKEUP|KILLED|TORN|You have found)' <<<"$output"
    done
}

# ---- a thousand schedules

@test "the right lessons survive random schedules, and lose nothing" {
    compile schedule
    for lesson in handshake unready lostwakeup coalesce torn turn keys rmid crash inherit perm; do
        ./schedule -n 5 "$BUILD/listener-$lesson" + "$BUILD/talker-$lesson" || fail "$lesson: see above"
    done
    printf 'one\ntwo\n' >lines
    ./schedule -n 5 -i lines "$BUILD/listener" + "$BUILD/talker" --chat
    ./schedule -n 5 "$BUILD/listener-pingpong" + "$BUILD/talker-pingpong" --rounds 2
}

@test "random schedules find each wrong variant" {
    compile schedule
    for variant in unready_no_block torn_no_seq; do
        run -1 ./schedule -s 7 "$BUILD/listener-$variant" + "$BUILD/talker-${variant%%_no_*}"
        [[ ${lines[0]} == 'seed 7: they failed, listener '*': '*l*t* ]]
        [[ ${lines[1]} == '1 runs, '*' steps, 1 failed' ]]
    done
}

@test "a schedule finds a talker that signals before it writes" {
    requires_compiler "a wrong talker"
    [ -z "${SANITIZE-}" ] || skip "the objects in the build have other flags"
    compile schedule
    sed '/publish(&shared->state, SAID);/d
         /err(EXIT_FAILED, "kill(%d, SIGUSR1)", (int)listener);/a\
    publish(&shared->state, SAID);' "$ROOT/talker/handshake.c" >early.c
    "${CC:-cc}" -std=c11 -D_XOPEN_SOURCE=700 "-I$ROOT/talker" -o early early.c "$BUILD"/obj/common/*.o -lrt
    run -1 ./schedule -w 1 -p '9l 12t 2l' "$BUILD/listener-handshake" + ./early
    [[ ${lines[0]} == 'seed 1: neither makes a step any more, listener -1, talker -1: 9l 12t 2l 3t ' ]]
    [ "$(grep -c 'observe state = NOTHING (0)' schedule.1)" -eq 2 ]
    run -0 ./schedule -p '9l 12t 2l' "$BUILD/listener-handshake" + "$BUILD/talker-handshake"
}
