#!/usr/bin/env bats
# timeline.bats - scripts/timeline draws the story of a run: as text, SVG, Mermaid and trace events.
# shellcheck disable=SC2154,SC2030,SC2031 # bats sets output, start sets NAME_pid; each test is a subshell

load helpers
load traces

setup_file() { record_all; }
setup() {
    common_setup
    export TMPDIR=$PWD/tmp LC_ALL=C.UTF-8
    mkdir tmp
}
teardown() { common_teardown; }

timeline() { # ARGUMENT...
    "$ROOT/scripts/timeline" "$@" 3>&-
}

timeline_of() { # LESSON [OPTION]...
    choose_traces "$1"
    timeline "${@:2}" "${traces[@]}"
}

# The awk files alone, on a story made once for each lesson: forty starts of the script would cost seconds.
drawn() { # FORM LESSON [AWK OPTION]...
    if [ ! -e "$TRACES/$2/story" ]; then
        story_of "$2" >"$TRACES/$2/story.$$"
        mv "$TRACES/$2/story.$$" "$TRACES/$2/story"
    fi
    LC_ALL=C awk "${@:3}" -f "$ROOT/scripts/timeline-rows.awk" -f "$ROOT/scripts/timeline-width.awk" \
        -f "$ROOT/scripts/timeline-$1.awk" "$TRACES/$2/story"
}

# ---- text

# Prints each line that is wider than 80 columns. A byte that continues a letter takes none.
too_wide() {
    LC_ALL=C sed 's/[\x80-\xbf]//g' | LC_ALL=C awk 'length($0) > 80'
}

text_of() { # LESSON
    drawn text "$1" -v utf8=1 -v columns=80 >lines
    too_wide <lines
    [ "$(wc -l <lines)" -gt 20 ] || echo "only $(wc -l <lines) lines"
    drawn text "$1" -v utf8=0 -v columns=80 -v explain=1 | too_wide
}

@test "the text fits into 80 columns, for each lesson and variant" {
    each_lesson text_of
}

@test "the text of the handshake shows who writes, who signals, who sleeps" {
    timeline_of example >lines
    head -n 1 lines | grep -xE ' +listener-handshake +segment +talker-handshake'
    grep -E '^ +[0-9]+ +┊ +state = SAID \(1\) ◀─┃ writes$' lines
    grep -E '^ +[0-9]+ +┊◀━+ SIGUSR1 ━━┃ kill$' lines
    grep -E '^ +[0-9]+ +takes it, wakes up ┃◀━━ SIGUSR1 of step [0-9]+ +┊$' lines
    grep -E '^ +[0-9]+ +kill ┃━━ SIGUSR1 ━+▶┊$' lines
    grep -E '^ +[0-9]+ +┃ +SIGUSR1 of step [0-9]+ ━━▶┃ takes it, wakes up$' lines
    grep -E '^ +[0-9]+ +ends: exit status 0 ┻$' lines
    ! grep -E 'Note:|lost' lines || fail "the handshake loses nothing"
}

@test "the text of the wrong variants says what was lost, and where" {
    timeline_of lostwakeup_no_mask >lines
    grep -A 1 -E 'pause: sleeps ┊' lines | tail -n 1 | grep -F '✗ Lost wakeup: the word was published in step'
    grep -E 'wakes up, without ┃' lines
    timeline_of unready_no_block >lines
    grep -E '✗━+ SIGUSR1: lost ━━┃ kill$' lines
    grep -E 'dies of SIGUSR1 ┻' lines
}

@test "coalesce is folded, and says that a thousand signals became one" {
    timeline_of coalesce >lines
    [ "$(wc -l <lines)" -lt 120 ]
    grep -E '⋮ [0-9]+ times more \(steps [0-9]+ to [0-9]+\): talker: .*kill' lines
    tr -s ' \n┃┊' ' ' <lines | grep -F 'takes SIGUSR1 (1000 became 1)'
    [ "$(timeline_of coalesce --all | grep -c '━┃ kill$')" -gt 1000 ]
}

@test "without UTF-8 the text is ASCII" {
    LC_ALL=C timeline_of example >lines
    ! LC_ALL=C grep -n '[^ -~]' lines || fail "not ASCII"
    grep -E '^ +[0-9]+ +:<=+ SIGUSR1 ==\| kill$' lines
}

@test "--explain adds the reason for each step" {
    timeline_of example --explain >lines
    grep -F 'Store the magic last: a talker waits until it is there.' lines
    [ "$(grep -c 'sigsuspend unblocks SIGUSR1 and sleeps in one step' lines)" -eq 2 ]
}

@test "colours on a terminal only, and not with NO_COLOR" {
    requires_terminal
    timeline_of example >plain
    ! grep -F "$(printf '\033')" plain || fail "colours in a file"
    command="'$ROOT/scripts/timeline' '$ROOT/tests/readme/talker.trace' '$ROOT/tests/readme/listener.trace'"
    TERM=xterm NO_COLOR='' script -qec "stty cols 80; $command" /dev/null >coloured </dev/null 3>&-
    grep -F "$(printf '\033[35m')" coloured
    sed "s/$(printf '\033')\[[0-9;]*m//g" coloured | tr -d '\r' | diff - plain
    TERM=xterm NO_COLOR=1 script -qec "stty cols 80; $command" /dev/null </dev/null 3>&- | tr -d '\r' | diff - plain
}

# ---- SVG, Mermaid, JSON

svg_of() { # LESSON
    drawn svg "$1" >picture.svg
    xmllint --noout picture.svg
}

@test "the SVG is well-formed, for each lesson and variant" {
    requires xmllint
    each_lesson svg_of
}

@test "the SVG is one picture with the texts of the run" {
    timeline_of example --svg picture.svg >out
    expect_lines out
    head -n 1 picture.svg | grep -E '^<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 [0-9]+ [0-9]+"'
    tail -n 1 picture.svg | grep -x '</svg>'
    grep -F '>state = SAID (1)</text>' picture.svg
    grep -F '>text = &quot;Hello, I'"'"'m talker&quot;</text>' picture.svg
    [ "$(grep -c 'class="pending"' picture.svg)" -eq 2 ]
    ! grep -E 'href|url\(|@import' picture.svg || fail "it loads something"
    expect_lines <(ls) out picture.svg tmp
}

# Every line has a form that Mermaid knows, each "deactivate" had its "activate", and no text has a syntax character.
check_mermaid() {
    awk '
        function bad(why) { print "line " NR ", " why ": " $0 }
        NR == 1 { if ($0 != "sequenceDiagram") bad("no diagram"); next }
        /^    participant (P[0-9]+|S) as ([^;#]|#[0-9]+;)+$/ || /^    (de)?activate P[0-9]+$/ { known = NR }
        /^    Note over (P[0-9]+|S)(,(P[0-9]+|S))?: .+$/ { known = NR }
        /^    (P[0-9]+|S)(->>|-->>|-[)]|-x)(P[0-9]+|S): .+$/ { known = NR }
        known != NR { bad("unknown form") }
        $1 == "activate" { if (awake[$2]++) bad("is awake already") }
        $1 == "deactivate" { if (!awake[$2]--) bad("is not awake") }
        { text = $0; sub(/^[^:]*:/, "", text); gsub(/<br\/>/, "", text); gsub(/#[0-9]+;/, "", text) }
        text ~ /[;#<>&$%`{}]/ { bad("syntax in the text") }'
}

mermaid_of() { # LESSON
    drawn mermaid "$1" | check_mermaid
}

@test "the Mermaid diagram keeps to the grammar, for each lesson and variant" {
    each_lesson mermaid_of
}

@test "the Mermaid diagram of the handshake has its words and its two signals" {
    timeline_of example --mermaid >diagram
    [ "$(grep -cE '^    P[12]-\)P[12]: SIGUSR1$' diagram)" -eq 2 ]
    grep -x '    P2->>S: state = SAID (1)' diagram
    grep -x '    S-->>P1: state = SAID (1)' diagram
    timeline_of unready_no_block --mermaid | grep -x '    P2-xP1: SIGUSR1: lost'
}

@test "the trace events parse; sleeps, signals and values are in them" {
    requires jq
    timeline_of example --json >events
    count() { jq "[.traceEvents[] | select($1)] | length" events; }
    [ "$(count '.ph == "B"')" -eq 2 ]
    [ "$(count '.ph == "E"')" -eq 2 ]
    [ "$(count '.ph == "s" and .cat == "signal"')" -eq 2 ]
    [ "$(count '.ph == "f" and .cat == "signal"')" -eq 2 ]
    [ "$(count '.ph == "M" and .name == "process_name"')" -eq 2 ]
    [ "$(count '.args.step')" -eq "$(story_of example | tail -n 1 | cut -f 2)" ]
    [ "$(count '(.ph == "X" and (.dur < 0 or .dur == null)) or (.ph != "M" and .ts == null)')" -eq 0 ]
    timeline_of pingpong --json >events
    [ "$(count '.args.step')" -eq "$(story_of pingpong | tail -n 1 | cut -f 2)" ]
    [ "$(count '.ph == "s"')" -eq "$(count '.ph == "f"')" ]
}

# ---- any awk, hostile traces

@test "every awk draws the same" {
    story_of crash >told
    for form in text svg mermaid json; do
        for awk in awk gawk 'gawk --posix' mawk 'busybox awk' original-awk; do
            command -v "${awk%% *}" >/dev/null || continue
            # shellcheck disable=SC2086 # "busybox awk" is two words
            LC_ALL=C $awk -v utf8=1 -v columns=80 -v explain=1 -f "$ROOT/scripts/timeline-rows.awk" \
                -f "$ROOT/scripts/timeline-width.awk" -f "$ROOT/scripts/timeline-$form.awk" told >"out.$form" 2>&1
            [ -e "first.$form" ] || cp "out.$form" "first.$form"
            diff "first.$form" "out.$form" || fail "$awk draws another $form"
        done
    done
}

@test "what a trace holds is text in every form, and never markup" {
    nasty='</text></svg><script>alert(1)</script> ]]> "q\" #59; %%{init: {}}%% ``` $$x$$ <br/> end'
    { rec 1 talker-a 8 note 'start: x'
      rec 2 talker-a 8 print "talker: $nasty" "$nasty"
      rec 3 talker-a 8 publish "publish w<b> = $nasty"
      rec 4 talker-a 8 call "open($nasty) = -1 E<i>"
      rec 5 "talker-<u>;end" 9 print "$(printf 'a\033[2J\001b')"
      rec 6 talker-a 8 point "point $(head -c 3000 /dev/zero | tr '\0' x)"; } >t
    timeline --explain t >lines
    too_wide <lines | expect_lines -
    ! LC_ALL=C grep -n "$(printf '[\001-\010\013-\037\177]')" lines || fail "a control byte"
    timeline --explain --svg s.svg t
    ! grep -iE '<script|<b>|<i>|<u>' s.svg || fail "markup in the SVG"
    ! command -v xmllint >/dev/null || xmllint --noout s.svg
    timeline --explain --mermaid t | check_mermaid | expect_lines -
    timeline --json t >events
    ! command -v jq >/dev/null ||
        jq -e '[.traceEvents[] | .args.text // ""] | any(contains("</script> ]]> \"q\\\""))' events
}

@test "one side only, or a trace that is cut off: the picture says so" {
    timeline "$ROOT/tests/readme/talker.trace" >lines
    tr -s ' \n' ' ' <lines | grep -F 'There is no trace of a listener: what it did is not shown.'
    grep -F '(no trace)' lines
    head -c -10 "$ROOT/tests/readme/listener.trace" >part
    timeline part "$ROOT/tests/readme/talker.trace" | tr -s ' \n' ' ' | grep -F "part is cut off in line"
    timeline --svg s.svg part
    grep -F 'There is no trace of a talker' s.svg
}

# ---- the command

@test "a lesson is run and drawn; nothing stays behind" {
    timeline handshake >lines
    grep -E '◀━+ SIGUSR1 ━━┃ kill$' lines
    expect_lines <(ls -A tmp)
}

@test "a file is written whole or not at all" {
    echo old >picture.svg
    rec 1 talker 9 shout x >bad
    run -1 timeline --svg picture.svg bad
    grep -F 'bad:1: unknown kind' <<<"$output"
    expect_lines picture.svg old
    run -1 timeline --svg nowhere/picture.svg "$ROOT/tests/readme/talker.trace"
    grep -F "nowhere/picture.svg' cannot be written" <<<"$output"
    (umask 027 && timeline_of example --svg picture.svg)
    [ "$(stat -c %a picture.svg)" = 640 ]
    timeline_of example --svg /dev/stdout | tail -n 1 | grep -x '</svg>'
    expect_lines <(ls) bad picture.svg tmp
}

is_recording() {
    grep -qs . tmp/*/run/listener.trace
}

@test "Ctrl-C while the lesson runs leaves no process, no file, no segment" {
    mkdir out
    start drawing env --default-signal=INT setsid "$ROOT/scripts/timeline" --svg out/picture.svg textbook
    until_true is_recording || fail "waited for a listener that runs"
    pid=$(sed -n '1s/^[^	]*	[^	]*	\([0-9]*\)	.*/\1/p' tmp/*/run/listener.trace)
    kill -INT -- "-$drawing_pid"
    finish drawing 130
    wait_gone "$pid"
    expect_lines <(ls -A tmp out) out: '' tmp:
}

@test "usage: every wrong argument is one line, and exits with 2" {
    refuses 2 'no lesson and no trace' "$ROOT/scripts/timeline"
    refuses 2 "unknown option '--nonsense'" "$ROOT/scripts/timeline" --nonsense
    refuses 2 '--svg needs a value: FILE' "$ROOT/scripts/timeline" handshake --svg
    refuses 2 '--mermaid and --json do not go together' "$ROOT/scripts/timeline" --mermaid --json x
    refuses 2 "no lesson 'handshak'" "$ROOT/scripts/timeline" handshak
    refuses 1 'no.trace: No such file' "$ROOT/scripts/timeline" no.trace
    timeline --help | grep -F 'scripts/timeline [FORM] TRACE [TRACE]...'
}
