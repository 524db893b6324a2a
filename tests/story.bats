#!/usr/bin/env bats
# story.bats - build/story tells what the traces prove, in the order of causes, and nothing else.
# shellcheck disable=SC2154 # bats sets output and stderr

load helpers
load traces

setup_file() { record_all; }
setup() { common_setup; }
teardown() { common_teardown; }

# Complaints about a story (--all) on stdin: broken numbers, an effect before its cause, a link between the wrong steps.
check_story() {
    awk -F '\t' '
        function complain(words) { print "step " n ": " words }
        function is_kill(from) { return text[from] ~ /^(kill|sigqueue)[(][0-9]+, SIGUSR1.* = 0$/ }
        function value_of(words) { sub(/^[a-z]+ /, "", words); return words }
        NR == 1 && $0 != "story\t1" { print "the first line is " $0 }
        $1 == "process" { pid[$2] = $4 }
        $1 == "step" {
            n++
            if ($2 != n) complain("its number is " $2)
            if ($3 + 0 < last) complain("its time is before that of the last step")
            last = $3; who[n] = $4; kind[n] = $6; text[n] = $7
            if (NF != 9) complain(NF " fields")
        }
        $1 != "step" && $2 ~ /^[0-9]+$/ && /^(state|sigusr1|value|link|coalesced|lost|left)/ && $2 != n {
            complain("a fact about step " $2 " stands here")
        }
        $1 == "link" && $3 >= n { complain("it comes before its cause, step " $3) }
        $1 == "link" && $4 == "signal" {
            split(text[$3], part, /[(,]/)
            if (!is_kill($3) || part[2] != pid[who[n]]) complain("takes a signal of step " $3 ": " text[$3])
            if ($3 in taken) complain("takes the signal of step " $3 " a second time")
            taken[$3]; linked[n]++
        }
        $1 == "link" && $4 == "value" && (kind[$3] != "publish" || value_of(text[$3]) != value_of(text[n])) {
            complain("observes " text[n] ", but step " $3 " is " text[$3])
        }
        $1 == "link" && $4 == "wakeup" && (kind[$3] != "sleep" || who[$3] != who[n] || kind[n] != "wake") {
            complain("ends no sleep of its own")
        }
        $1 == "coalesced" && linked[n] != $3 { complain($3 " kills, but " linked[n] " links") }
        $1 == "end" { whole = $2 == n }
        END {
            if (!whole) print "the last line is not the number of steps, " n
            for (s = 1; s <= n; s++)
                if (kind[s] == "signal" && text[s] ~ /SIGUSR1/ && !(s in linked))
                    print "step " s " takes a signal without a kill"
        }'
}

check_lesson() { # LESSON
    story_of "$1" --all | check_story
}

@test "in every lesson a signal comes after its kill, a value after its publish" {
    each_lesson check_lesson
}

# The traces themselves, not the story: what is observed was published, unless it is a word's first value, 0 or -1.
check_values() { # LESSON
    sort -n -k 1,1 "$TRACES/$1"/*.trace | awk -F '\t' '
        { words = $6; sub(/^[a-z]+ /, "", words); field = words; sub(/ = .*/, "", field) }
        $5 == "publish" { published[words]; known[field] }
        $5 == "observe" && (field in known) && !(words in published) && words !~ /[ (](0|-1)[)]?$/ { early[words] = $1 }
        END { for (words in early) if (words in published) print words " was observed before it was published" }'
}

@test "in every lesson the times of the records put no observe first" {
    each_lesson check_values
}

@test "the order is the same in 100 renderings, whichever trace comes first" {
    for lesson in example inherit; do
        choose_traces "$lesson"
        for ((i = 0; i < 50; i++)); do
            story "${traces[@]}" | cksum
            LC_ALL=C story "${traces[1]}" "${traces[0]}" | cksum
        done | sort | uniq -c >sums
        [ "$(awk '{ print $1 }' sums)" = 100 ] || fail "$lesson has several stories:" "$(cat sums)"
    done
}

# Adds up the facts of a story up to step N, as --at prints them.
facts_at() { # N
    awk -F '\t' -v n="$1" '
        $1 == "process" || $1 == "word" { print }
        ($1 == "step" || $1 == "fold") && $2 > n { exit }
        $1 == "state" || $1 == "sigusr1" || $1 == "value" {
            key = $1 FS $3; line = $0; sub(/^[a-z0-9]+\t[0-9]+\t/, "", line); latest[key] = $1 FS n FS line
        }
        $1 == "step" && $6 == "print" { print "printed\t" $4 "\t" $7 }
        END { for (key in latest) print latest[key] }' | sort
}

@test "the state at step N is what the facts up to N add up to" {
    for step in 1 10 26 29 40 49; do
        story_of example | facts_at "$step" >expected
        story_of example --at "$step" | sed '/^story/d; /^missing/d' | sort | diff expected - ||
            fail "at step $step of the handshake"
    done
    last=$(story_of coalesce | tail -n 1 | cut -f 2)
    story_of coalesce | facts_at "$last" | grep -v '^printed' >expected # a fold hides no print here, but may
    story_of coalesce --at "$last" | sed '/^story/d; /^missing/d; /^printed/d' | sort | diff expected -
}

# Prints the texts of each cause and its effect, "CAUSE / EFFECT", for the links of one sort.
linked() { # signal | value | fork STORY
    awk -F '\t' -v sort="$1" '
        $1 == "step" { text[$2] = $7 } $1 == "link" && $4 == sort { print text[$3] " / " text[$2] }' "$2"
}

@test "the handshake's two sleeps end by the other's signal, and nothing is lost" {
    story_of example >told
    [ "$(grep -c "^step.*	sleep	sigsuspend" told)" -eq 2 ]
    [ "$(grep -c '^link.*signal$' told)" -eq 2 ]
    [ "$(grep -c '^link.*wakeup$' told)" -eq 2 ]
    ! grep -E '^(lost|left|missing|fold)' told || fail "the handshake loses nothing"
    linked value told >seen
    grep -Fx 'publish state = SAID (1) / observe state = SAID (1)' seen
    grep -Fx 'publish state = ANSWERED (2) / observe state = ANSWERED (2)' seen
    grep -E '^state	[0-9]+	[12]	ended exit status 0$' told | wc -l | grep -x 2
}

@test "lostwakeup_no_mask: the pause lost its wakeup, and only the pause" {
    story_of lostwakeup_no_mask >told
    [ "$(grep -c '^lost' told)" -eq 1 ]
    step=$(sed -n 's/^lost	\([0-9]*\)	.*/\1/p' told)
    grep -E "^step	$step	.*	sleep	pause\(\)	" told
    story_of lostwakeup >right
    ! grep '^lost' right || fail "the right variant loses no wakeup"
}

@test "unready_no_block: the kill is lost, and the listener dies of SIGUSR1" {
    story_of unready_no_block >told
    step=$(sed -n 's/^lost	\([0-9]*\)	.*/\1/p' told)
    grep -E "^step	$step	.*	call	kill\([0-9]+, SIGUSR1\) = 0	" told
    grep -E "^state	$step	1	ended SIGUSR1$" told
    ! grep '^missing' told || fail "nothing is missing: the signal ended it"
}

@test "unready: a signal that came before the handler is taken by sigsuspend" {
    story_of unready >told
    linked signal told | grep -E '^kill.*SIGUSR1.* / sigsuspend'
}

@test "coalesce: a thousand kills become one signal" {
    story_of coalesce --all >told
    grep -E '^coalesced	[0-9]+	1000$' told
    [ "$(grep -c "^link	$(sed -n 's/^coalesced	\([0-9]*\)	1000$/\1/p' told)	.*	signal$" told)" -eq 1000 ]
    story_of coalesce >folded
    [ "$(wc -l <folded)" -lt 300 ]
    awk -F '\t' '$1 == "fold" && /talker: .*kill/ { hidden += $3 - $2 + 1 } END { exit !(hidden > 1800) }' folded ||
        fail "the kills are not folded:" "$(grep '^fold' folded)"
}

@test "a child of fork has its parent, and its first step the fork as its cause" {
    story_of inherit >told
    grep -E '^process	3	listener-inherit	[0-9]+	listener	1$' told
    linked fork told | grep -E '^fork\(\) = [0-9]+ / '
    grep -E '^state	[0-9]+	3	ended exec$' told
}

@test "a long story is folded to 1,500 steps, and --all shows each" {
    story_of pingpong >told
    [ "$(grep -c '^step' told)" -le 1500 ]
    [ "$(story_of pingpong --all | grep -c '^step')" -eq "$(tail -n 1 told | cut -f 2)" ]
    awk -F '\t' '$1 == "fold" { all += $3 - $2 + 1 } $1 == "step" { all++ } $1 == "end" { print all - $2 }' told |
        grep -x 0
}

# ---- traces made by hand

@test "a kill that arrives after the taking goes to the next one" {
    { rec 1 listener 5 call 'sigprocmask(SIG_BLOCK, [USR1], NULL) = 0'
      rec 2 listener 5 call 'sigaction(SIGUSR1, {sa_sigaction=on_sigusr1, sa_mask=[], sa_flags=SA_SIGINFO}, NULL) = 0'
      rec 3 listener 5 call 'sigsuspend([]) = -1 EINTR (Interrupted system call)' '' 20
      rec 24 listener 5 signal '--- SIGUSR1 from 6 ---'
      rec 25 listener 5 call 'sigsuspend([]) = -1 EINTR (Interrupted system call)' '' 5
      rec 31 listener 5 signal '--- SIGUSR1 from 6 ---'
      rec 32 listener 5 note 'end: exit status 0'; } >l
    { rec 10 talker 6 call 'kill(5, SIGUSR1) = 0' '' 1
      rec 22 talker 6 call 'kill(5, SIGUSR1) = 0' '' 5
      rec 40 talker 6 note 'end: exit status 0'; } >t
    story l t >told
    [ "$(grep -c '^link.*signal$' told)" -eq 2 ]
    ! grep '^coalesced' told || fail "each of them has a taking"
}

@test "a sleep with SIGUSR1 pending is one step: the process did not sleep" {
    { rec 1 listener 5 call 'sigprocmask(SIG_BLOCK, [USR1], NULL) = 0'
      rec 2 listener 5 call 'sigaction(SIGUSR1, {sa_sigaction=on_sigusr1, sa_mask=[], sa_flags=SA_SIGINFO}, NULL) = 0'
      rec 30 listener 5 call 'sigsuspend([]) = -1 EINTR (Interrupted system call)' '' 20
      rec 51 listener 5 signal '--- SIGUSR1 from 6 ---'
      rec 60 listener 5 note 'end: exit status 0'; } >l
    { rec 10 talker 6 call 'kill(5, SIGUSR1) = 0' '' 1
      rec 40 talker 6 print 'talker: hello'
      rec 70 talker 6 note 'end: exit status 0'; } >t
    story l t >told
    ! grep -E '	(sleep|wake)	' told || fail "it did not sleep"
    grep -E '^step	[0-9]+	[0-9]+	1	.*	call	sigsuspend' told
}

@test "a sleep without a signal ends when the call did" {
    { rec 1 listener 5 call 'sigsuspend([]) = -1 EINTR (Interrupted system call)' '' 50
      rec 60 listener 5 note 'end: exit status 0'; } >l
    { rec 10 talker 6 print 'talker: one'
      rec 40 talker 6 print 'talker: two'
      rec 55 talker 6 note 'end: exit status 0'; } >t
    story l t | awk -F '\t' '$1 == "step" { print $3, $6 }' |
        expect_lines - '0 sleep' '9 print' '39 print' '50 wake' '54 end' '59 end'
}

@test "a value may be observed just before the publish that replaces it is done" {
    { rec 1 talker 5 publish 'publish a = 1'
      rec 10 talker 5 publish 'publish a = 2'
      rec 20 talker 5 note 'end: exit status 0'; } >t
    { rec 12 listener 6 observe 'observe a = 1'
      rec 14 listener 6 observe 'observe a = 3'; } >l
    story t l | grep -E '^(value|link)' | tr '\t' ' ' |
        expect_lines - 'value 1 1 1 1' 'value 2 1 2 2' 'link 3 1 value' 'value 4 1 3 0'
}

@test "a publish that another process forestalled changes nothing" {
    { rec 1 talker 5 publish 'publish talker = 5'
      rec 2 talker 5 note 'not published: another process was faster'
      rec 3 talker 5 note 'end: exit status 3'; } >t
    rec 1 listener 6 print 'listener: hello' >l
    story t l >told
    ! grep '^value' told || fail "no value was published"
    grep -E '	note	publish talker = 5	' told
}

# A file that is none: one line on stderr with its name and the reason, status 1, and no story.
refused() { # PATTERN TRACE...
    local status=0
    story "${@:2}" >refused.out 2>refused.err || status=$?
    if [ "$status" -ne 1 ] || [ -s refused.out ] || [ "$(wc -l <refused.err)" -ne 1 ] ||
        ! grep -qE "$1" refused.err; then
        fail "expected status 1 and '$1', not $status and:" "$(cat refused.err)" "$(head -n 3 refused.out)"
    fi
}

@test "a file that is no trace is refused in one line that says where and why" {
    good=$ROOT/tests/readme/listener.trace
    rec 5 talker 9 print hello >line
    refused 'no-file: No such file' no-file
    mkdir directory && refused 'directory: is a directory' directory
    : >empty && refused 'empty: no record' empty
    cut -f 1-7 "$good" >seven && refused 'seven:1: 7 fields, not 8: this is no trace of this version' seven
    sed 's/	print	/	shout	/' line >kind && refused 'kind:1: unknown kind' kind
    sed 's/^5/5x/' line >clock && refused 'clock:1: the time is no number' clock
    sed 's/	9	/	0	/' line >pid && refused 'pid:1: the PID is out of range' pid
    sed 's/	9	/	99999999999	/' line >pid && refused 'pid:1: the PID' pid
    sed 's/	talker	/	init	/' line >name && refused 'name:1: the program is neither' name
    sed 's/$/9999999999999999999/' line >took && refused 'took:1: the duration is no number' took
    sed 's/print	hello/publish	hello/' line >word && refused 'word:1: a value without its field' word
    { cat line && printf 'a\0b\n'; } >nul && refused 'nul:2: a NUL byte' nul
    { cat line && rec 4 talker 9 print again; } >back && refused 'back:2: the clock goes back by 1 ns in process 9' back
    cp "$good" again && refused 'again: process [0-9]+ is in another' "$good" again
    refused 'no record is in it' /dev/null
}

@test "a trace that is cut off, empty or alone: the story says what is missing" {
    talker=$ROOT/tests/readme/talker.trace listener=$ROOT/tests/readme/listener.trace
    head -c -20 "$listener" >part
    story "$talker" part >told
    grep -E '^missing	part is cut off in line [0-9]+: what follows is not shown\.$' told
    grep -E '^missing	listener-handshake\[[0-9]+\] has no record of its end' told
    grep -E '^state	[0-9]+	1	ended \?$' told
    : >empty
    story "$talker" empty >told
    grep -x 'missing	empty is empty.' told
    grep -x 'missing	There is no trace of a listener: what it did is not shown.' told
    story "$listener" >told
    grep -x 'missing	There is no trace of a talker: what it did is not shown.' told
    grep -E '^step.*	sleep	sigsuspend' told
    story "$talker" - <"$listener" 2>/dev/null && fail "- is no file here"
    story "$talker" /dev/stdin <"$listener" | diff - <(story "$talker" "$listener")
}

@test "no byte of a trace gets out of its field" {
    bytes=$(printf 'a\033[2Jb\177\200\301\277\355\240\200 \303\251 \342\200\256x\302\233')
    { rec 1 talker 9 print "$bytes" "$(printf '\001')"
      rec 2 talker 9 print "$(head -c 100000 /dev/zero | tr '\0' x)"; } >t
    story t >told
    LC_ALL=C grep -n "$(printf '[\001-\010\013-\037\177]')" told && fail "a control byte in the story"
    iconv -f UTF-8 -t UTF-8 told >/dev/null
    grep -F '	print	a\x1B[2Jb\x7F\x80\xC1\xBF\xED\xA0\x80 é \xE2\x80\xAEx\xC2\x9B	\x01	' told
    [ "$(wc -c <told)" -lt 5000 ]
}

@test "a million records: a short story, in bounded time and memory" {
    [ -z "${SANITIZE-}" ] || skip "a sanitizer reserves more memory than this test allows"
    awk 'BEGIN { for (i = 1; i <= 250000; i++) {
        t = i * 10
        printf "%d\tlistener\t11\tl.c:1\tcall\tsigsuspend([]) = -1 EINTR (x)\twhy\t8\n", t >"l"
        printf "%d\tlistener\t11\tl.c:1\tsignal\t--- SIGUSR1 from 12 ---\twhy\t0\n", t + 9 >"l"
        printf "%d\ttalker\t12\tt.c:%d\tpublish\tpublish w%d = %d\twhy\t0\n", t + 3, i % 7, i, i >"t"
        printf "%d\ttalker\t12\tt.c:2\tcall\tkill(11, SIGUSR1) = 0\twhy\t1\n", t + 5 >"t"
    } }'
    (ulimit -v 1000000 && timeout 60 "$BUILD/story" l t >told 3>&-)
    [ "$(wc -c <told)" -lt 400000 ]
    grep -x 'end	1250000' told
    grep '^missing	There are more than 1000 words' told
}

@test "usage: an unknown option, no trace, a step that is not there" {
    run -2 "$BUILD/story"
    grep -F 'usage: story [--all] [--at N] TRACE...' <<<"$output"
    run -2 "$BUILD/story" --nonsense x
    run -2 "$BUILD/story" --at x "$ROOT/tests/readme/talker.trace"
    run -2 "$BUILD/story" --at 9999 "$ROOT/tests/readme/talker.trace"
    grep -E 'there are only [0-9]+ steps' <<<"$output"
    [ -w /dev/full ] || skip "no /dev/full"
    run -1 bash -c '"$0" "$1" >/dev/full' "$BUILD/story" "$ROOT/tests/readme/talker.trace"
}
