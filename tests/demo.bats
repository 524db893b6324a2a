#!/usr/bin/env bats
# demo.bats - scripts/demo: the pair and the lessons on one screen, and one person as the scheduler.
#
# Where a test needs lessons that fail, or a machine that lacks something, it runs the demo in a house of its own: a
# copy of the scripts, with a syllabus and programs that the test writes.
#
# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for the programs that the test writes; start sets
# NAME_pid

load helpers
load house

setup() {
    common_setup
    demo=$ROOT/scripts/demo
    typed=$(printf %q "$demo") # as in a shell: the path may have a space
    mkdir scratch tools
    export TMPDIR=$PWD/scratch BUILD
    unset NO_COLOR
}

teardown() {
    common_teardown || return
    [ -z "$(ls "$TMPDIR")" ] || fail "the demo has left behind in its temporary directory:" "$(ls -R "$TMPDIR")"
}

tool() { # NAME, its text on stdin: found before the machine's own
    { echo '#!/bin/sh' && cat; } >"tools/$1"
    chmod +x "tools/$1"
    PATH=$PWD/tools:$PATH
}

good_pair() { # the pair of a house
    side listener <<'END'
echo "listener: waiting for a talker (pid $$, key 0x1, shmid 999999999)"
echo "listener: received: Hello"
read -r reply
END
    side talker <<<'echo "talker: said: Hello"'
}

# ---- the pair

@test "ipcs shows the pair's segment attached twice, and at the end no segment" {
    requires ipcs
    run -0 --separate-stderr "$demo"
    [ -z "$stderr" ]
    [[ $output == *"\$ ${BUILD#"$ROOT"/}/listener --interactive"$'\n'"listener | waiting for a talker (pid "* ]]
    [[ $output == *"\$ ${BUILD#"$ROOT"/}/talker \"Hello, I'm talker\""$'\n'* ]]
    [[ $output == *$'\n'"talker   | said: Hello, I'm talker"$'\n'* ]]
    [[ $output == *$'\n'"listener | received: Hello, I'm talker"$'\n'* ]]
    [[ $output == *$'\n'"listener | replied: Have a nice day"$'\n'* ]]
    [[ $output == *$'\n'"talker   | listener said: Have a nice day"$'\n'* ]]
    nothing_is_left_of "$output"

    # ipcs comes after both have spoken, and before the reply; then once more, and has no row.
    shmid=$(sed -n 's/.*shmid \([0-9]*\)).*/\1/p' <<<"$output")
    awk -v id="$shmid" '
        /\| (said|received): / { spoken++ }
        /\| replied: / { replied++ }
        /^[$] ipcs -m/ { command[++shown] = $0 }
        $0 == "Both programs have ended." { ended = shown }
        $2 == id && NF > 4 { if (spoken == 2 && !replied && shown == 1 && $6 == 2) good = 1; else bad = 1 }
        { above = last; last = $0 }
        END { exit !(good && !bad && shown == 2 && ended == 1 && above ~ /shmid/ && last == "(no segment)" &&
                     command[1] == "$ ipcs -m # only this segment\047s row" && command[2] == "$ ipcs -m") }' \
        <<<"$output"
}

@test "--explain shows the calls of both programs, and the reason for each" {
    run -0 "$demo" --explain
    [[ $output == *"\$ ${BUILD#"$ROOT"/}/talker --explain \"Hello, I'm talker\""* ]]
    for side in 'listener' 'talker  '; do
        grep -qE "^$side \| # .* the turn" <<<"$output"
        grep -qE "^$side \| \[[0-9]+\] start: " <<<"$output"
        grep -qE "^$side \|.* shmget\(.* = [0-9]+$" <<<"$output"
        grep -qE "^$side \|.* kill\([0-9]+, SIGUSR1\)$" <<<"$output"
    done
    nothing_is_left_of "$output"
}

@test "a lesson's name runs the lesson's two programs" {
    run -0 --separate-stderr "$demo" handshake
    [ -z "$stderr" ]
    [[ $output == "handshake: "* ]]
    [[ $output == *"\$ ${BUILD#"$ROOT"/}/talker-handshake"$'\n'* ]]
    [[ $output == *$'\n'"talker   | listener said: Have a nice day"* ]]
    nothing_is_left_of "$output"
}

@test "the stream's checksums show that the copy arrived whole" {
    run -0 --separate-stderr "$demo" stream
    [ -z "$stderr" ]
    [[ $output == *"\$ ${BUILD#"$ROOT"/}/listener-stream >copy"$'\n'* ]]
    [[ $output == *$'\n'"\$ ${BUILD#"$ROOT"/}/talker-stream <README.md"$'\n'* ]]
    sum=$(cksum <"$ROOT/README.md")
    [[ $output == *$'\n$ cksum README.md copy\n'"$sum README.md"$'\n'"$sum copy" ]]
    grep -E "^listener \| received ${sum#* } bytes in " <<<"$output"
    nothing_is_left_of "$output"

    yes $'t\nl' | head -n 300 >letters
    run -0 --separate-stderr "$demo" --step stream <letters
    [[ $output == *$'\ntalker:   ended with status 0\nlistener: ended with status 0\n'*"$sum copy" ]]
    nothing_is_left_of "$output"
}

@test "a copy that differs from what was sent makes the verdict bad" {
    house stream
    says stream $'it arrives.\n *\n * demo: listener >copy\n * demo: talker <README.md'
    echo 'what is sent' >house/README.md
    side listener-stream <<<'echo "listener: waiting" >&2; echo "something else"'
    side talker-stream </dev/null
    run -1 --separate-stderr "$demo" stream
    [ "$stderr" = 'scripts/demo: stream: the copy is not what was sent' ]
}

@test "every listener has one question of one line, and every demo line has a known form" {
    for source in "$ROOT"/listener/*.c; do
        comment=$(sed '/\*\/$/q' "$source")
        run -0 grep -c '^ \* Question: [A-Z].*?$' <<<"$comment"
        [ "$output" -eq 1 ] || fail "$source: $output questions"
        [ -z "$(awk '/^ \* Question: / && length > 100' <<<"$comment")" ] || fail "$source: a question longer than 87"
        run ! grep -E '^ \* demo' <(grep -vE '^ \* demo( run| step)?: (talker|listener|type|show) .' <<<"$comment")
    done
}

@test "the question stands below the claim" {
    run -0 "$demo" torn
    question=$(sed -n 's/^ \* Question: //p' "$ROOT/listener/torn.c")
    [ "${lines[1]}" = "Question: $question" ]
}

@test "a lesson's demo lines choose the words, the files, and what is typed" {
    house words
    says words 'words.
 *
 * demo: listener -t 5 "two words"
 * demo step: listener --never
 * demo run: talker last
 * demo run: type "a reply"'
    side listener-words <<'END'
shift 2
echo "listener: waiting"
echo "listener: $#: $*"
read -r reply
echo "listener: typed: $reply"
END
    side talker-words <<<'shift 2; echo "talker: $*"'
    run -0 "$demo" words
    [[ $output == *$'$ build/listener-words -t 5 "two words"\n'*$'$ build/talker-words last\n'* ]]
    grep -qx 'listener | 3: -t 5 two words' <<<"$output"
    grep -qx 'talker   | -t 10 last' <<<"$output"
    [[ $output == *$'\nlistener < a reply\nlistener | typed: a reply' ]]
}

@test "the demo works from any directory, and by any path" {
    cd "$ROOT/tests"
    run -0 ../scripts/demo handshake
    cd ../scripts
    run -0 sh demo handshake
    nothing_is_left_of "$output"
}

@test "two demos at once do not disturb each other" {
    start one "$demo"
    start two "$demo"
    finish one 0
    finish two 0
    for one in one two; do
        grep -qx 'talker   | listener said: Have a nice day' "$one.out"
        nothing_is_left_of "$(cat "$one.out")"
    done
}

# ---- order

@test "a program's line before its signal stands above the peer's next line" {
    house turns
    says turns 'they take turns.'
    mkfifo house/to_talker house/to_listener
    side listener-turns <<'END'
exec 3<>to_talker 4<>to_listener
echo "listener: waiting"
for turn in 1 3 5 7 9 11 13 15 17 19; do
    read -r _ <&4
    echo "listener: turn $turn"
    echo >&3
done
END
    side talker-turns <<'END'
exec 3<>to_talker 4<>to_listener
for turn in 0 2 4 6 8 10 12 14 16 18; do
    echo "talker-turns: turn $turn" >&2
    echo >&4
    read -r _ <&3
done
END
    for _ in 1 2 3 4 5; do
        run -0 "$demo" turns
        [ "$(sed -n 's/.*| turn //p' <<<"$output" | xargs)" = "$(seq 0 19 | xargs)" ] || fail "$output"
    done
}

@test "the last line of each side is shown, even without its newline" {
    house ends
    says ends 'they end.'
    side listener-ends <<<'echo "listener: waiting"; printf "listener: the end"'
    side talker-ends </dev/null
    run -0 "$demo" ends
    grep -qx 'listener | the end' <<<"$output"

    side listener-ends <<<'echo "listener: waiting"'
    side talker-ends <<<'echo "no name"; echo; printf "talker: its end"'
    run -0 "$demo" ends
    grep -qx '         | no name' <<<"$output"
    grep -qx 'talker   | its end' <<<"$output"
}

# A listener that writes what stands here, for both sides, and a talker that writes nothing.
narrate() { # its lines on stdin
    house story
    says story 'as it is written.'
    { echo "cat <<'END'" && echo 'listener: waiting' && cat && echo END; } | side listener-story
    side talker-story </dev/null
    run -0 "$demo" --explain story
    story=$(grep ' | ' <<<"$output" | sed 1d)
}

# Without purpose lines the events would be counted only, as those at the start are.
@test "--explain shows a signal below the kill that sent it" {
    narrate <<'END'
talker-story[41] # wake the listener
listener-story[42] # wait
listener-story[42] sigsuspend([]) = -1 EINTR (Interrupted system call)
listener-story[42] --- SIGUSR1 from 41 ---
listener: woken
talker-story[41] kill(42, SIGUSR1) = 0
talker: sent
listener-story[42] --- SIGUSR1 from 41 ---
talker-story[41] kill(42, SIGUSR1) = 0
listener-story[42] --- SIGUSR1 from 99 ---
END
    diff - <(echo "$story") <<'END'
talker   | # wake the listener
listener | # wait
talker   | [41] kill(42, SIGUSR1)
listener | [42] sigsuspend: SIGUSR1 from 41
listener | woken
talker   | sent
talker   | kill(42, SIGUSR1)
listener | SIGUSR1 from 41: SIGUSR1 from 99
END
}

@test "--explain shows a kill above its effect, even after two that became one" {
    narrate <<'END'
talker-story[41] # say it
listener-story[42] # wait
talker-story[41] kill(42, SIGUSR1) = 0
talker-story[41] kill(42, SIGUSR1) = 0
listener-story[42] --- SIGUSR1 from 41 ---
talker-story[41] # now say it
talker-story[41] publish state = SAID (1)
listener-story[42] sigsuspend([]) = -1 EINTR (Interrupted system call)
listener-story[42] --- SIGUSR1 from 41 ---
listener-story[42] observe state = SAID (1)
talker-story[41] kill(42, SIGUSR1) = 0
END
    [[ $story == *$'  publish state: 0 -> SAID; kill(42, SIGUSR1)\nlistener | '*'sigsuspend: SIGUSR1 '* ]] ||
        fail "$story"
}

@test "--explain joins what happens below one explanation, in short" {
    narrate <<'END'
listener-story[42] start: Ctrl-C cleans up; a timer checks the peer (see -vv)
listener-story[42] # A sentence.
listener-story[42] sigprocmask(SIG_BLOCK, [USR1], NULL) = 0
listener-story[42] sigaction(SIGUSR1, {sa_sigaction=on_sigusr1, sa_mask=[], sa_flags=SA_SIGINFO}, NULL) = 0
listener-story[42] shmget(0x1, 0, 000) = -1 ENOENT (No such file or directory)
listener-story[42] point ready
listener-story[43] shmget(0x1, 0, 000) = 0
END
    diff - <(echo "$story") <<'END'
listener | [42] start: Ctrl-C cleans up; a timer checks the peer (see -vv)
listener | # A sentence.  sigprocmask(SIG_BLOCK, [USR1]); sigaction(SIGUSR1)
listener | shmget(0x1, 0, 000) = ENOENT
listener | [43] shmget(0x1, 0, 000) = 0
END
}

@test "--explain shows the start without an explanation in one row" {
    narrate <<'END'
listener-story[42] start: Ctrl-C cleans up; a timer checks the peer (see -vv)
listener-story[42] sigprocmask(SIG_BLOCK, [USR1], NULL) = 0
listener-story[42] ftok("key", 1) = 0x1000001
listener-story[42] shmget(0x1000001, 4001, IPC_CREAT|IPC_EXCL|0600) = 17
listener-story[42] publish magic = 0x73686d74 "shmt"
END
    [ "$story" = 'listener | [42] start, 4 events: sigprocmask, ftok, shmget, publish' ]
}

@test "--explain shows each change of a word in the segment" {
    narrate <<'END'
listener-story[42] # a purpose of the listener
talker-story[41] # a purpose of the talker
listener-story[42] publish magic = 0x73686d74 "shmt"
listener-story[42] observe state = NOTHING (0)
talker-story[41] publish text = "one = (1)"
talker-story[41] publish state = SAID (1)
talker-story[41] observe state = SAID (1)
listener-story[42] observe state = SAID (1)
listener-story[42] publish state = ANSWERED (2)
listener-story[42] publish turn = 41
listener-story[42] publish turn = 42
END
    diff - <(sed 1,2d <<<"$story") <<'END'
listener | [42] publish magic: 0 -> 0x73686d74 "shmt"; observe state = NOTHING
talker   | [41] publish text: "" -> "one = (1)", state: NOTHING -> SAID
listener | observe state = SAID; publish state: SAID -> ANSWERED, turn: 0 -> 41
listener | publish turn: 41 -> 42
END
}

@test "--explain shows the name of 0 as the first old value of a word" {
    mkdir -p house/common/layout
    printf '#define STORY_VALUES \\\n    "step: MET WRITTEN; " \\\n    "state: ABSENT=-1 HERE"\n' \
        >house/common/layout/story.h
    narrate <<'END'
talker-story[41] # a purpose
talker-story[41] publish step = WRITTEN (1)
talker-story[41] publish state = ABSENT (-1)
END
    [[ $story == *'publish step: MET -> WRITTEN, state: 0 -> ABSENT' ]]
}

@test "--explain shows what repeats twice, then counts and names it" {
    narrate < <(
      echo 'talker-story[41] # count, and signal'
      for turn in $(seq 30); do
          printf 'talker-story[41] %s\n' "publish turn = $turn" 'shmdt(0) = -1 EINVAL (Invalid argument)'
      done
      echo 'talker: done')
    diff - <(echo "$story") <<'END'
talker   | # count, and signal  [41] publish turn: 0 -> 1; shmdt(0) = EINVAL
talker   | publish turn: 1 -> 2
talker   | done
talker   | (57 more like those above: shmdt EINVAL, publish turn)
END
}

@test "--explain shows an explanation once, and its third paragraph is counted" {
    narrate < <(for turn in 1 2 3; do
          printf 'talker-story[41] %s\n' '# look' "observe left = $turn" 'shmdt(0) = 0'
          echo "talker: round $turn"
      done)
    diff - <(echo "$story") <<'END'
talker   | # look  [41] observe left = 1; shmdt(0)
talker   | round 1
talker   | observe left = 2
talker   | round 2
talker   | round 3
talker   | (3 more like those above: shmdt, observe left)
END
}

# One pass over all of them. The bound leaves room for a run in which both sides get into each other's way.
@test "--explain shows the pair, each lesson and variant on at most 64 rows" {
    requires_terminal
    script -qec "stty cols 80; env TMPDIR=/tmp TERM=dumb $typed --explain --all --no-pause" /dev/null >out
    tr -d '\r' <out >all.out
    titles=$("$demo" --list | sed -n 's/^\([a-z]\{1,\}\).*/\1/p' &&
        printf '%s\n' unready_no_block lostwakeup_no_mask torn_no_seq)
    awk -v titles="$titles" '
        BEGIN { count = split(titles, t, "\n"); for (i in t) is_title[t[i]] = 1 }
        /^[a-z_]+: / { name = $1; sub(/:/, "", name); if (name in is_title) now = name }
        /^lesson  / { exit }
        { rows[now]++ }
        END {
            for (i in t)
                if (!(rows[t[i]] > 5 && rows[t[i]] <= 65)) { print t[i] ": " rows[t[i]] - 1 " rows"; bad = 1 }
            exit bad || count < 39
        }' all.out || fail "$(cat all.out)"
    grep -q '^listener | replied: Have a nice day' all.out
    grep -q 'publish state: NOTHING -> SAID; kill' all.out
}

# ---- colour

@test "on a terminal each side has a colour of its own" {
    requires_terminal
    TERM=xterm script -qec "$typed" /dev/null >out
    listener=$(grep -F 'listener | replied: ' out) && talker=$(grep -F 'talker   | said: ' out)
    [[ $listener == $'\e['*m* && $talker == $'\e['*m* ]]
    [ "${listener%%m*}" != "${talker%%m*}" ]
}

@test "on a terminal no program's line is broken within a word" {
    requires_terminal
    script -qec "stty cols 60; env TERM=dumb $typed --explain handshake" /dev/null >out
    grep -q '^listener | # Block SIGUSR1 and' out
    awk '{ sub(/\r$/, "") } /^(talker  |listener) [|] #/ && length > 60 { print; long = 1 } END { exit long }' out
}

@test "on a terminal the title, the question and messages are not broken within a word" {
    requires_terminal
    for lesson in torn_no_seq handshake; do
        script -qec "stty cols 40; env TERM=dumb $typed $lesson" /dev/null | tr -d '\r' >"$lesson.out"
        question=$(sed -n 's/^ \* Question: /Question: /p' "$ROOT/listener/$lesson.c")
        grep -qF "$question" <(xargs -d '\n' <"$lesson.out")
        [ -z "$(awk '!/^\$ / && length > 40' "$lesson.out")" ]
    done
    xargs -d '\n' <torn_no_seq.out | grep -q 'this is the wrong variant, and it has to fail It used '
}

@test "there is no colour with NO_COLOR, on a dumb terminal, or in a pipe" {
    requires_terminal
    script -qec "env TERM=xterm NO_COLOR=1 $typed" /dev/null >asked.out
    script -qec "env TERM=dumb $typed" /dev/null >dumb.out
    TERM=xterm "$demo" | cat >pipe.out
    for file in *.out; do
        grep -q 'listener | replied: Have a nice day' "$file"
        run ! grep -F $'\e' "$file"
    done
}

# ---- the syllabus

@test "--list has the pair and then the Makefile's lessons, in order, each with its claim" {
    run -0 --separate-stderr "$demo" --list
    lessons=$(printf 'include Makefile\nsyllabus:\n\t@echo $(LESSONS)\n' | make -s -C "$ROOT" -f - syllabus)
    [ "$(awk '/^[a-z]/ { print $1 }' <<<"$output" | xargs)" = "pair $lessons" ]
    while read -r lesson claim; do
        [ "$lesson" != pair ] || lesson=listener
        comment=$(sed '/\*\/$/q; s/^[/ ]\*//' "$ROOT/listener/$lesson.c" | xargs -0 | tr -s ' \n' ' ')
        [[ $comment == " $lesson.c "*"- $claim. "* ]] || fail "$lesson: '$claim' is not how its source begins"
    done < <(grep '^[a-z]' <<<"$output")
}

@test "--list says of each lesson its level, minutes, and earlier lessons that it needs" {
    "$demo" --list >list
    awk '
        /^[a-z]/ { if (open) exit 1; open = 1; known[name = $1] = 1; next }
        !/^ +(first steps|the heart|beyond), [0-9]+ minutes(, after [a-z, ]+)?$/ { print; exit bad = 1 }
        { open = 0; if (sub(/.*, after /, "")) { n = split($0, need, ", "); for (i = 1; i <= n; i++)
              if (!(need[i] in known) || need[i] == name) { print name " needs " need[i]; exit bad = 1 } } }
        END { exit bad || open }' list
}

@test "on a terminal --list fits 80 columns" {
    requires_terminal
    script -qec "stty cols 80; env TERM=dumb $typed --list" /dev/null </dev/null | tr -d '\r' >list
    [ "$(wc -l <list)" -gt 76 ]
    [ -z "$(awk 'length > 80' list)" ]
}

@test "a claim ends with the first full stop, and may take several lines" {
    house long short
    says long $'a claim that goes on\n * in listener.c, and\n * ends here. This is no part of it.'
    says short 'a short one.'
    run -0 "$demo" --list
    [ "${lines[2]}" = 'long          a claim that goes on in listener.c, and ends here' ]
    [ "${lines[3]}" = 'short         a short one' ]
}

@test "--all ends with a table: good, bad, or what was skipped with the reason" {
    house works fails cannot mostly
    good_pair
    says works 'what is claimed is what is seen, though it takes more than one line of the table to say it.'
    says fails 'what is claimed is not seen.'
    says cannot 'not on this machine.'
    says mostly 'all but one thing.'
    side listener-works <<<'echo "listener: waiting (shmid 1)"'
    side talker-works </dev/null
    side listener-fails <<<'echo "listener: waiting (shmid 2)"; exit 1'
    side talker-fails <<<'kill -s USR1 $$'
    side listener-cannot <<<'echo "listener: skipped: no huge pages here, see /proc/sys/vm/nr_hugepages"'
    side talker-cannot <<<'exit 1'
    side listener-mostly <<<'echo "listener: waiting (shmid 3)"; echo "listener: skipped: one thing"; echo the rest'
    side talker-mostly <<<'echo "talker: skipped: another thing"'
    tool ipcs <<<'echo - shmid; [ -e seen ] || echo - 999999999; touch seen'
    run -1 --separate-stderr "$demo" --all
    # Some shells tell of a death by signal themselves, before.
    [[ $stderr == *"scripts/demo: fails: the listener ended with status 1, the talker ended by SIGUSR1" ]]
    table=${output##*$'\n'lesson}
    table=$(tr -s ' ' <<<"$table")
    [[ $table == *$'\npair '*' good'* ]]
    [[ $table == *$'\nworks what is claimed is what is seen, good\n though it takes '* ]]
    [[ $table == *$'\nfails what is claimed is not seen bad\n'* ]]
    [[ $table == *$'\ncannot not on this machine skipped: no huge pages\n'* ]]
    grep -qx 'mostly  *all but one thing  *good but for a part:' <<<"$table"
    grep -qxE ' +(one|another) thing' <<<"$table" # whoever said it first
    [ "$(awk 'length > 80 && !/nr_hugepages/' <<<"$table")" = '' ]
}

@test "--all exits with 0 if no verdict is bad" {
    house works cannot
    good_pair
    says works 'it works.'
    says cannot 'not here.'
    side listener-works <<<'echo "listener: waiting (shmid 1)"'
    side talker-works </dev/null
    side listener-cannot <<<'echo "listener: waiting (shmid 1)"; echo "listener: skipped, as the talker says"'
    side talker-cannot <<<'echo "talker: skipped: no second user"'
    tool ipcs <<<'echo - shmid; [ -e seen ] || echo - 999999999; touch seen'
    run -0 --separate-stderr "$demo" --all
    [ -z "$stderr" ]
    [[ ${lines[-2]} == 'cannot '*' skipped: no second' ]] # the reason, whichever side said first that it skips
}

@test "the talker starts when the listener really waits" {
    house early
    says early 'the talker comes when it is expected.'
    side listener-early <<<'echo "listener-early[$$] # no waiting yet"; echo "listener: waiting"'
    side talker-early </dev/null
    run -0 "$demo" early
    [[ $output == *$'\nlistener | # no waiting yet\nlistener | waiting\n$ build/talker-early' ]]
}

@test "a listener that ends before it waits is bad, and gets no talker" {
    house shy
    says shy 'nobody comes.'
    side listener-shy </dev/null
    side talker-shy <<<'echo "talker: here"'
    run -1 "$demo" shy
    [[ $output == *'scripts/demo: shy: the listener was never waiting, so there was no talker' ]]
    [[ $output != *'talker: here'* ]]
}

@test "--all runs the wrong variants, and says what each did wrong" {
    house lost lost_no_mask
    good_pair
    printf 'LESSONS = lost\nVARIANTS = listener-lost_no_mask listener-lost_no_sleep\n' >house/Makefile
    says lost 'it wakes up.'
    for variant in mask sleep; do
        says "lost_no_$variant" $'it sleeps.\n *\n * Answer: no. Why.\n * Shown by: slept on\n * Fails: lost its wakeup'
    done
    side listener-lost <<<'echo "listener: waiting (shmid 1)"'
    side listener-lost_no_mask <<<'echo "listener: waiting (shmid 1)"; echo "listener: slept on"; exit 3'
    side listener-lost_no_sleep <<<'echo "listener: waiting (shmid 1)"; exit 3'
    side talker-lost </dev/null
    tool ipcs <<<'echo - shmid; [ -e seen ] || echo - 999999999; touch seen'
    run -1 --separate-stderr "$demo" --all
    [[ $output == *$'\nIt lost its wakeup, as it must.\n'* ]]
    table=$(tr -s ' ' <<<"${output##*$'\n'lesson}")
    [[ $table == *'lost_no_mask it sleeps lost its wakeup, as it'$'\n must\nlost_no_sleep it sleeps bad' ]]
    [ "$stderr" = 'scripts/demo: lost_no_sleep: it failed, but in another way: it should have lost its wakeup' ]
}

@test "--all pauses on a terminal, q shows the table; --no-pause does not pause" {
    requires_terminal
    house one two
    good_pair
    says one 'one.'
    says two 'two.'
    tool ipcs <<<'echo - shmid; [ -e seen ] || echo - 999999999; touch seen'
    for lesson in one two; do
        side "listener-$lesson" <<<'echo "listener: waiting (shmid 1)"'
        side "talker-$lesson" </dev/null
    done
    typed=$(printf %q "$demo")
    script -qec "env TERM=dumb $typed --all" /dev/null <<<$'\nq' >out
    grep -q '^one  *one' out
    run ! grep '^two  *two' out
    rm house/seen
    script -qec "env TERM=dumb $typed --all --no-pause" /dev/null </dev/null >out
    grep -q '^two  *two' out
}

# ---- a class

@test "--ask asks first, and then says whether the class was right, and why" {
    for answer in 'once:^Right: once' '2:^Not so. The class said: 2 times. The answer is: once' \
        ':^The answer is: once'; do
        run -0 --separate-stderr "$demo" --ask coalesce <<<"${answer%%:*}"
        [ -z "$stderr" ]
        grep -q "${answer#*:}" <<<"$output"
        [[ $output == *$'\n   1  once\n'*'class say?'*'/listener-coalesce'*$'\nFor a blocked '* ]]
        [[ $output == *'Look at: took SIGUSR1 1 time'* ]]
    done
    run -0 "$demo" --ask handshake <<<2
    [[ $output == *$'\nRight: 2.\n'*'Look at: 2 times kill('* ]]
    nothing_is_left_of "$output"
}

@test "--ask accepts only a choice; q and the end of the input end it before the run" {
    run -0 "$demo" --ask torn <<<$'maybe\n2'
    [[ $output == *'type a number from 1 to 2, or the answer itself'*'Right: no.'* ]]
    for input in q ''; do
        run -0 "$demo" --ask torn < <(printf %s "$input")
        [[ $output != *'build/listener'* ]]
    done
}

@test "--ask fails if the run does not show the answer" {
    house sure
    says sure $'it is seen.\n *\n * Question: Is it?\n * Answer: yes. So it is.\n * Shown by: here it is'
    side listener-sure <<<'echo "listener: waiting"; echo "listener: something else"'
    side talker-sure </dev/null
    run -1 "$demo" --ask sure <<<yes
    [[ $output == *'This run has not shown the answer'* && $output != *Right* ]]
    side listener-sure <<<'echo "listener: waiting"; echo "listener: here it is"'
    run -0 "$demo" --ask sure <<<yes
    [[ $output == *'Right: yes.'*'Look at: here it is'* ]]
}

@test "every listener has a level, and an answer that is one of its choices" {
    for source in "$ROOT"/listener/*.c; do
        sed '/\*\/$/q; s/^ \* //' "$source" >comment
        grep -qxE 'Level: (first steps|the heart|beyond); [0-9]+ minutes(; after [a-z, ]+)?' comment ||
            fail "$source: no level"
        choices=$(sed -n 's/^Choices: //p' comment)
        grep '^Answer: ' comment >answers
        grep -q '^Shown by\( calls\)\?: .' comment || fail "$source: no line shows the answer"
        while read -r _ answer; do
            [[ " | ${choices:-yes | no} | " == *" | ${answer%%. *} | "* ]] || fail "$source: no choice: $answer"
        done <answers
        case $source in *_no_*) grep -q '^Fails: ' comment || fail "$source: it does not say how it fails" ;; esac
    done
}

@test "the plan of the lecture has known lessons and files, and takes 45 to 50 minutes" {
    grep -vE '^(#|$)' "$ROOT/scripts/lecture.txt" >plan
    run ! grep -vE '^(chapter [0-9]+ minutes?: .|(say|ask|run|look): .)' plan
    minutes=$(awk '/^chapter/ { sum += $2 } END { print sum }' plan)
    [ "$minutes" -ge 45 ] && [ "$minutes" -le 50 ]
    known=" $("$demo" --list | awk '/^[a-z]/ { print $1 }' | xargs) unready_no_block lostwakeup_no_mask torn_no_seq "
    sed -n 's/^ask: //p; s,^run: scripts/demo\( --explain\)\? ,,p' plan >lessons
    while read -r lesson; do
        [[ $known == *" $lesson "* ]] || fail "no lesson $lesson"
    done <lessons
    sed -n 's/^run: diff //p' plan | tr ' ' '\n' >files
    while read -r file; do
        [ -f "$ROOT/$file" ] || fail "no file $file"
    done <files
    [ "$(grep -c '^chapter' plan)" -eq "$(grep -c '^ask' plan)" ]
    run ! grep -E '^run: ' <(grep -vE '^run: (scripts/demo( --explain)? [a-z_]+|diff [^ ]+ [^ ]+)$' plan)
}

@test "--lecture shows the plan, asks, waits, runs, and says what to look at" {
    run -0 --separate-stderr "$demo" --lecture 6 <<<$'\n1\n\nq'
    [ -z "$stderr" ]
    [[ $output == *$'\n   6   4 min  '*'Enter: chapter 6, '*$'\n6. '*'Question: '* ]]
    [[ $output == *'$ scripts/demo coalesce'*'Enter: run it'* ]]
    [[ $output == *'listener | took SIGUSR1 '*'Right: once.'*$'\n-> '*'Enter: chapter 7, q: quit > q' ]]
    nothing_is_left_of "$output"
    run -0 "$demo" --lecture </dev/null
    [[ $output == *'Enter: chapter 1, q: quit > ' ]]
    refuses 2 '^scripts/demo: --lecture takes a chapter from 1 to 9, not .10.' "$demo" --lecture 10
}

# ---- bad luck

@test "a failed build is shown, and no program runs" {
    house broken
    says broken 'cannot be built.'
    printf 'build/%%-broken:\n\t@echo no such thing >&2; false\n' >>house/Makefile
    run -1 "$demo" broken
    [[ $output == *'no such thing'*'scripts/demo: the programs cannot be built' ]]
}

@test "without ipcs the demo shows the kernel's own table" {
    real=$BUILD
    house
    for name in sh dirname awk sed grep make mktemp mkfifo mkdir ln rm cat ps getconf sleep; do
        requires "$name"
        ln -s "$(command -v "$name")" "tools/$name"
    done
    rm -rf house/build && ln -s "$real" house/build
    run -0 env PATH="$PWD/tools" BUILD=build "$demo"
    grep -qx "\$ cat /proc/sysvipc/shm # only this segment's row" <<<"$output"
    grep -qx '\$ cat /proc/sysvipc/shm' <<<"$output"
    nothing_is_left_of "$output"
}

@test "a segment that stays makes the verdict bad" {
    house
    good_pair
    tool ipcs <<<'echo - shmid; echo - 999999999'
    run -1 --separate-stderr "$demo"
    [ "$stderr" = 'scripts/demo: pair: segment 999999999 is still there' ]
}

@test "a killed talker is reported, and nothing stays behind" {
    requires pgrep
    tool ipcs <<<'kill -s KILL "$(pgrep -P "$PPID" -x talker)"; exec cat /proc/sysvipc/shm'
    run -1 "$demo"
    [[ $output == *'pair: the listener ended with status 3, the talker ended by SIGKILL'* ]]
    nothing_is_left_of "$output"
}

# A shell cannot catch what was ignored when it began: SIGINT in the background, SIGHUP under nohup.
is_ignored() { # SIGNAL
    ((0x$(awk '$1 == "SigIgn:" { print $2 }' "/proc/$BASHPID/status") >> ($(kill -l "$1") - 1) & 1))
}

@test "a signal in the middle ends both sides, and the demo dies of it" {
    for signal in HUP INT TERM; do
        ! is_ignored "$signal" || continue
        tool ipcs <<<"kill -s $signal \$PPID"
        run "$demo"
        [ "$status" -eq $((128 + $(kill -l "$signal"))) ]
        nothing_is_left_of "$output"
    done
}

@test "both sides end when the reader of the demo's output goes away" {
    run "$demo" --explain
    whole=${#lines[@]}
    for count in 4 $((whole / 4)) $((whole / 2)); do
        "$demo" --explain 2>err | head -n "$count" >out
        [ ! -s err ]
        [ -z "$(ls scratch)" ]
    done
}

@test "a demo whose output cannot be written says so, and leaves nothing" {
    [ -w /dev/full ] || skip "there is no /dev/full"
    for what in '' --list --help '--explain handshake' '--ask torn' --lecture; do
        # shellcheck disable=SC2086 # words
        for closed in no yes; do
            status=0
            if [ "$closed" = no ]; then "$demo" $what >/dev/full; else "$demo" $what >&-; fi 2>err || status=$?
            [ "$status" -eq 1 ] || fail "demo $what: status $status"
            expect_lines err 'scripts/demo: cannot write to stdout: it is closed, or there is no space left'
        done
    done
    status=0
    "$ROOT/scripts/setup" --help >/dev/full 2>err || status=$?
    [ "$status" -eq 1 ] && grep -q '^scripts/setup: cannot write to stdout' err
}

@test "an interrupted demo ends soon, and leaves no process and no segment" {
    requires pgrep
    for delay in 02 05 08 11 14 17 20 25 30; do
        start interrupted "$demo" --explain handshake
        sleep "0.$delay" # any moment will do, even one after the end
        kill -s TERM "$interrupted_pid" || :
        wait_gone "$interrupted_pid"
        reap interrupted
        [ "$status" -eq 143 ] || [ "$status" -eq 0 ] || fail "after 0.$delay s: status $status"
        ! pgrep -f "$TMPDIR" || fail "after 0.$delay s a process is left:" "$(cat interrupted.out)"
        [ -z "$(ls "$TMPDIR")" ] || fail "after 0.$delay s it has left:" "$(ls -R "$TMPDIR")"
        ! grep -q '| waiting' interrupted.out || nothing_is_left_of "$(cat interrupted.out)"
    done
}

# ---- the command line

@test "a wrong command line is reported in one line, with status 2" {
    house
    for wrong in --nonsense -q; do
        refuses 2 "^scripts/demo: unknown option '$wrong'; --help" "$demo" "$wrong"
    done
    refuses 2 "^scripts/demo: no lesson 'nonsense', --list" "$demo" nonsense
    refuses 2 "^scripts/demo: no lesson 'pear' .did you mean pair.., --list" "$demo" pear
    refuses 2 "^scripts/demo: a lesson without a name" "$demo" ''
    refuses 2 "^scripts/demo: unexpected operand 'pair'" "$demo" pair pair
    refuses 2 "^scripts/demo: --all takes no lesson, not even 'pair'" "$demo" --all pair
    refuses 2 "^scripts/demo: --all and --step do not go together" "$demo" --all --step
}

@test "--help prints the head of the script" {
    run -0 --separate-stderr "$demo" --help
    [[ $output == 'scripts/demo: '*'--step [LESSON]'*'Exit status: 0'* ]]
    [[ $output != *'set -eu'* && -z $stderr ]]
}

@test "a wrong variant runs with its lesson's talker, and must fail" {
    for variant in torn_no_seq:1 unready_no_block:138 lostwakeup_no_mask:3; do
        run "$demo" "${variant%:*}"
        [ "$status" -eq 0 ] || fail "${variant%:*}: status $status, and" "$output"
        grep -q 'wrong variant, and it has to fail$' <<<"$output"
        nothing_is_left_of "$output"
    done
}

@test "the programs that a script starts get a PATH, also where the environment has none" {
    for shell in dash bash; do
        type -P "$shell" >/dev/null || continue
        (cd "$ROOT" && env -i "$(type -P "$shell")" -c '. scripts/lib.sh; /usr/bin/env') | grep '^PATH=/'
    done
}
