#!/usr/bin/env bats
# replay.bats - scripts/replay: the page that shows a run step by step, in a real browser.
#
# The pages of all lessons are made once, from the traces that tests/traces.bash records. They are made in a house of
# their own: a copy of the tree in links, whose scripts/demo copies these traces. Where Chromium is not installed, the
# tests that need it skip.
#
# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for the page; `run` sets output

load helpers
load traces
load browser

setup_file() {
    [ -z "${SANITIZE-}" ] || return 0
    record_all
    browser_start
    house "$BATS_FILE_TMPDIR/house"
    export PAGES=$BATS_FILE_TMPDIR/pages
    mkdir "$PAGES"
    BUILD=build "$BATS_FILE_TMPDIR/house/scripts/replay" --all --output "$PAGES" >"$BATS_FILE_TMPDIR/all" 2>&1 3>&- ||
        fail "$(cat "$BATS_FILE_TMPDIR/all")"
}

teardown_file() { browser_end; }

setup() {
    common_setup
    [ -z "${SANITIZE-}" ] || skip "the pages are the same for every build"
    mkdir scratch
    export TMPDIR=$PWD/scratch
}

teardown() { common_teardown; }

house() { # DIRECTORY
    mkdir -p "$1/scripts"
    ln -s "$ROOT"/scripts/* "$1/scripts"
    ln -s "$ROOT"/Makefile "$ROOT"/common "$ROOT"/listener "$ROOT"/talker "$1"
    ln -s "$BUILD" "$1/build"
    rm "$1/scripts/demo"
    printf '#!/bin/sh\ncp "$TRACES/$3"/*.trace "$2"\n' >"$1/scripts/demo" # --record DIRECTORY LESSON
    chmod +x "$1/scripts/demo"
}

replay() { # ARGUMENT...
    (cd "$ROOT" && BUILD=${BUILD#"$ROOT/"} && export BUILD && cd "$OLDPWD" && "$ROOT/scripts/replay" "$@" 3>&-)
}

page_of_traces() { # TRACE...: writes ./page.html
    replay --output page.html "$@" >told
    page=$PWD/page.html
}

# Opens a page, and loads what looks at it.
open_page() { # PAGE[#FRAGMENT] [WIDTH HEIGHT]
    requires_browser
    browser_open "$1" "${2-1024}" "${3-768}"
    browser_load "$BATS_TEST_DIRNAME/replay_page.js"
}

shows() { # JAVASCRIPT EXPECTED
    browser_js "$1"
    [ "$value" = "$2" ] || fail "$1 is '$value', not '$2'"
}

becomes() { # JAVASCRIPT EXPECTED
    until_true is_value "$@" || fail "waited $DEADLINE s for $1 to become '$2', it is '$value'"
}

is_value() { # JAVASCRIPT EXPECTED
    browser_js "$1"
    [ "$value" = "$2" ]
}

step_is() { # N
    shows 'document.getElementById("track").getAttribute("aria-valuenow")' "$1"
}

caption_has() { # TEXT
    browser_js 'document.getElementById("caption").textContent'
    [[ $value == *"$1"* ]] || fail "the caption says '$value', not '$1'"
}

no_complaint() {
    local complaints
    complaints=$(browser_complaints)
    [ -z "$complaints" ] || fail "the page caused:" "${complaints:0:2000}"
}

last_step_of() { # LESSON
    story_of "$1" | awk -F '\t' '$1 == "end" { print $2 }'
}

@test "--all writes a page for each lesson and variant, and the syllabus" {
    for lesson in $(lessons); do
        [ "$(wc -c <"$PAGES/$lesson.html")" -lt 400000 ] || fail "$lesson.html: $(wc -c <"$PAGES/$lesson.html") bytes"
        grep -qF "<a href=\"$lesson.html\">" "$PAGES/index.html" || fail "index.html has no link to $lesson.html"
    done
    [ "$(find "$PAGES" -mindepth 1 | wc -l)" -eq $(($(lessons | wc -l) + 1)) ] ||
        fail "something else is there:" "$(ls -A "$PAGES")"
}

looks_well() { # LESSON
    browser_size 1024 768
    browser_go "file://$PAGES/$1.html"
    browser_load "$BATS_TEST_DIRNAME/replay_page.js"
    browser_js 'look.walk(19).join("\n")'
    [ -z "$value" ] || printf 'at 1024x768: %s\n' "$value"
    browser_size 1920 1080
    browser_js 'look.walk(47).join("\n")'
    [ -z "$value" ] || printf 'at 1920x1080: %s\n' "$value"
    browser_complaints
}

@test "each page is silent and asks for nothing, and nothing overlaps" {
    requires_browser
    browser_open about:blank 1024 768 # one page after the other in one window
    each_lesson looks_well
}

@test "all text has the contrast that WCAG AA asks for, light and dark" {
    lost=$(story_of lostwakeup_no_mask | awk -F '\t' '$1 == "lost" { print $2; exit }')
    for opened in handshake.html#step=20 handshake.html "lostwakeup.html#step=$lost&run=2" crash.html#step=60; do
        open_page "$PAGES/$opened"
        for key in d d; do
            browser_js 'look.contrast().join("\n")'
            [ -z "$value" ] || fail "$opened: $value"
            browser_press "$key"
        done
        browser_press '?' p
        browser_js 'look.contrast().join("\n")'
        [ -z "$value" ] || fail "$opened, with the keys and the question: $value"
    done
}

@test "the state after a step is what the story says" {
    requires_browser
    for lesson in handshake lostwakeup coalesce crash pingpong; do
        open_page "$PAGES/$lesson.html"
        story_of "$lesson" >told
        for n in $(awk -F '\t' '$1 == "step" { n = $2 } $1 == "fold" { n = $3 } ++seen % 37 == 0 { print n }' told) \
            "$(last_step_of "$lesson")"; do
            browser_js "(location.hash = '#step=$n', dispatchEvent(new Event('hashchange')), look.state().join('\\n'))"
            story_of "$lesson" --at "$n" | grep -E '^(state|sigusr1|value|printed)' | LC_ALL=C sort >expected
            LC_ALL=C sort <<<"$value" | diff expected - || fail "$lesson, step $n: expected is '<', the page has '>'"
        done
    done
}

@test "the keys step, jump, play, change the size and the colours" {
    open_page "$PAGES/handshake.html#step=12"
    step_is 12
    browser_press ArrowRight ArrowRight
    step_is 14
    browser_press ArrowLeft
    step_is 13
    becomes location.hash '#step=13'
    browser_press End
    step_is "$(last_step_of handshake)"
    browser_press ArrowRight
    step_is "$(last_step_of handshake)"
    browser_press Home
    step_is 0
    browser_press ' '
    step_is 1
    until_true is_at_step 2
    browser_press ' '
    shows 'document.getElementById("play").textContent' Play
    size='getComputedStyle(document.getElementById("why")).fontSize'
    browser_js "$size" && before=$value
    browser_press +
    browser_js "$size" && [ "${value%%[.p]*}" -gt "${before%%[.p]*}" ]
    browser_press -
    shows "$size" "$before"
    theme='document.documentElement.dataset.theme'
    shows "$theme" light
    browser_press d
    shows "$theme" dark
    browser_press d
    browser_ask Emulation.setEmulatedMedia '{"features":[{"name":"prefers-color-scheme","value":"dark"}]}'
    shows "$theme" light # what the person chose stays
    open_page "$PAGES/handshake.html"
    browser_ask Emulation.setEmulatedMedia '{"features":[{"name":"prefers-color-scheme","value":"dark"}]}'
    becomes "$theme" dark
    browser_press '?'
    shows 'document.getElementById("help").hidden' false
    browser_press Escape
    shows 'document.getElementById("help").hidden' true
    no_complaint
}

is_at_step() { # N
    browser_js 'document.getElementById("track").getAttribute("aria-valuenow")'
    [ "$value" -ge "$1" ]
}

@test "Tab reaches each control, and the focus can be seen" {
    open_page "$PAGES/lostwakeup.html"
    browser_js 'document.querySelectorAll("#app button:not([hidden])").length' && buttons=$value
    reached=''
    for ((i = 0; i < 20; i++)); do
        browser_press Tab
        browser_js 'look.focus()'
        [[ $value != *none ]] || fail "the focus on ${value% *} cannot be seen"
        reached+=" ${value% *}"
        [[ $value != track* ]] || break
    done
    for id in run1 run2 back next play ask theme keys track; do
        [[ " $reached " == *" $id "* ]] || fail "Tab does not reach $id, but$reached"
    done
    [ "$buttons" -eq 8 ]
}

@test "a click on the timeline jumps there" {
    open_page "$PAGES/handshake.html"
    shape='#track .dot.talker'
    browser_js "look.middle('$shape')"
    browser_click "${value% *}" "${value#* }"
    step_is "$(story_of handshake | awk -F '\t' '$1 == "process" && $5 == "talker" { p = $2 }
        $1 == "step" && $4 == p && $6 !~ /publish|observe/ { print $2; exit }')"
}

@test "p asks the question, hides what comes, and reveals it on a key" {
    open_page "$PAGES/lostwakeup.html#step=20"
    browser_press p
    caption_has "$(sed -n 's/^ \* Question: //p' "$ROOT/listener/lostwakeup.c")"
    shows 'document.getElementById("count").textContent' 'step 20'
    browser_press + -
    caption_has "$(sed -n 's/^ \* Question: //p' "$ROOT/listener/lostwakeup.c")"
    covered='look.isCovered()'
    shows "$covered" true
    browser_press ' '
    step_is 21
    shows "$covered" true
    browser_press ArrowRight
    step_is 22
    shows "$covered" true
    browser_press p
    shows 'document.getElementById("future").getBoundingClientRect().width' 0
    shows 'document.getElementById("count").textContent' "step 22 of $(last_step_of lostwakeup)"
}

@test "w shows the wrong variant at the same moment, and goes back" {
    # The moment at which the listener stands in the window, in both runs.
    at() { story_of "$1" | awk -F '\t' '$1 == "step" && /publish step = IN_WINDOW/ { print $2 }'; }
    open_page "$PAGES/lostwakeup.html#step=$(at lostwakeup)"
    browser_press w
    step_is "$(at lostwakeup_no_mask)"
    shows 'document.querySelector("#runs [aria-pressed=true]").textContent' 'wrong: no mask'
    browser_press w
    step_is "$(at lostwakeup)"
    browser_press End w
    step_is "$(last_step_of lostwakeup_no_mask)"
    browser_press w
    step_is "$(last_step_of lostwakeup)"
    lost=$(story_of lostwakeup_no_mask | awk -F '\t' '$1 == "lost" { print $2; exit }')
    open_page "$PAGES/lostwakeup_no_mask.html#step=$lost&run=2"
    caption_has "$(story_of lostwakeup_no_mask | awk -F '\t' '$1 == "lost" { print $3; exit }')"
    open_page "$PAGES/lostwakeup_no_mask.html" # its own page opens at the variant
    shows 'document.querySelector("#runs [aria-pressed=true]").textContent' 'wrong: no mask'
}

@test "the sources show the current lines, and the segment who wrote" {
    n=$(story_of handshake | awk -F '\t' '$1 == "step" && $7 == "publish state = SAID (1)" { print $2 }')
    open_page "$PAGES/handshake.html#step=$n"
    line=$(story_of handshake | awk -F '\t' -v n="$n" '$1 == "step" && $2 == n { sub(/.*:/, "", $5); print $5 }')
    shows 'document.querySelector("#talker .lead").dataset.line' "$line"
    shows 'document.querySelector("#talker .lead").textContent' 'publish(&shared->state, SAID);'
    shows 'document.querySelectorAll("#listener .lit").length' 1
    shows '[...document.querySelectorAll(".word.new")].map(w => w.textContent).join()' "stateSAID (1)talker, step $n"
    browser_press ArrowRight
    shows '[...document.querySelectorAll(".word.new")].length' 0
}

# The number of the first step of LESSON whose text matches, of the program on SIDE.
step_of() { # LESSON SIDE PATTERN
    story_of "$1" | awk -F '\t' -v side="$2" -v pattern="$3" '$1 == "process" { sides[$2] = $5 }
        $1 == "step" && sides[$4] == side && $7 ~ pattern { print $2; exit }'
}

@test "a step of common/ lights the lesson's line that called it" {
    open_page "$PAGES/lostwakeup.html#step=$(step_of lostwakeup listener '^shmat[(]')"
    browser_js 'document.querySelector("#listener .lead").textContent'
    [[ $value == *session_open* ]] || fail "shmat is shown at '$value'"
    open_page "$PAGES/lostwakeup.html#step=$(step_of lostwakeup talker '^observe step = WOKEN')"
    browser_js 'document.querySelector("#talker .lead").textContent'
    [[ $value == *session_await*WOKEN* ]] || fail "the wait is shown at '$value'"
}

@test "a sentence stands only at the steps that it explains" {
    open_page "$PAGES/lostwakeup.html#step=$(step_of lostwakeup talker '^publish step = SIGNALLED')"
    shows 'document.getElementById("why").textContent.slice(0, 17)' 'Tell the listener'
    open_page "$PAGES/lostwakeup.html#step=$(step_of lostwakeup talker '^observe step = WOKEN')"
    shows 'document.getElementById("why").textContent' ''
    # The explanation is in the function that calls the one with the step.
    n=$(step_of pair talker '^ftok[(]')
    open_page "$PAGES/pair.html#step=$n"
    shows 'document.getElementById("why").textContent' \
        "$(story_of pair | awk -F '\t' -v n="$n" '$1 == "step" && $2 == n { print $8 }')"
}

@test "who sleeps, whose wakeup is lost and which signal is on its way" {
    lost=$(story_of lostwakeup_no_mask | awk -F '\t' '$1 == "lost" { print $2; exit }')
    open_page "$PAGES/lostwakeup_no_mask.html#step=$lost&run=2"
    shows 'document.querySelector("#listener .how").textContent' 'wakeup lost'
    shows 'document.querySelector("#caption").className.includes("loss")' true
    shows 'document.querySelectorAll(".side.sleeps").length' 2
    browser_press ArrowRight # its time limit wakes it
    caption_has "asleep since step $lost, no SIGUSR1 came"
    sent=$(step_of lostwakeup_no_mask talker '^kill[(][0-9]+, SIGUSR1')
    open_page "$PAGES/lostwakeup_no_mask.html#step=$sent&run=2" # the listener sleeps, and does not block it
    shows 'document.querySelector("#listener .pending").textContent' 'arriving'
    sent=$(step_of lostwakeup listener 'before the sleep: SIGUSR1 has come')
    open_page "$PAGES/lostwakeup.html#step=$sent"
    shows 'document.querySelector("#listener .pending").textContent' 'pending'
}

@test "of two talkers the page says which one has printed a line" {
    for pid in 5 6; do
        rec $pid talker $pid print "talker: said: $pid" >"$pid.trace"
    done
    page_of_traces 5.trace 6.trace
    open_page "$page#step=2"
    shows '[...document.querySelectorAll("#talker .printed p")].map(p => p.textContent).join()' \
        '5 said: 5,6 said: 6'
}

# ---- what is untrusted

hostile='</script><script>document.title="taken"</script><img src=x onerror="document.title=1"><!--<script>&lt;'
hostile+=\"\'"\\u003c\\"

@test "nothing in a trace or a source becomes markup or script" {
    { rec 1 talker 5 print "$hostile" "$hostile"
      rec 2 talker 5 publish "publish <b>w</b> = $hostile"
      rec 3 talker 5 call "kill(6, SIGUSR1) = $hostile"; } >"t<b>&.trace"
    { rec 1 listener 6 print 'listener: </textarea></title></style></table>'
      rec 4 listener 6 observe "observe <b>w</b> = $hostile"
      printf '%s\tlistener-<i>\t6\t%s\tnote\tend: exit status 0\t%s\t0\n' 5 '"><script>x.c:3' "$hostile"; } >l.trace
    printf '%s\n</pre>%s\n\001\xff]]>\n' 'int main;' "$hostile" >x.c
    page_of_traces --source x.c "t<b>&.trace" l.trace
    [ "$(grep -c '<script' "$page")" -eq 2 ] || fail "more scripts than ours"
    ! grep -qE '<(img|textarea|b>w|i [^>])' "$page" || fail "markup of a trace"
    LC_ALL=C awk '/<script type="application.json"/ { on = 1; next } /<.script>/ { on = 0 } on && /</' "$page" >leaks
    [ ! -s leaks ] || fail "a < in the data:" "$(head -c 500 leaks)"
    open_page "$page#step=1"
    caption_has "$hostile"
    browser_press p p End Home ArrowRight ArrowRight ArrowRight
    browser_js 'look.walk(1).length'
    shows document.title 't<b>&, l'
    shows '[...document.querySelectorAll("img, b > *, textarea, pre[data-file] > :not(i), .source script")].length' 0
    browser_js 'document.querySelector("#talker .source").textContent'
    [[ $value == *"</pre>$hostile"* ]] || fail "the source shows '$value'"
    no_complaint
}

@test "the page's rules forbid every script and request but its own" {
    requires_browser
    sed 's|^<div id="paper">|<script>document.title = "taken"</script><img src="file:///etc/passwd">&|' \
        "$PAGES/handshake.html" >broken.html
    open_page "$PWD/broken.html"
    shows document.title handshake
    [[ $(browser_complaints) == *'Content Security Policy'* ]] || fail "the browser has not blocked anything"
    [ "$(grep -o "nonce-[0-9a-f]*" "$PAGES/handshake.html" | sort -u | wc -l)" -eq 1 ]
    ! grep -qF "$(grep -o "nonce-[0-9a-f]*" "$PAGES/handshake.html" | head -n 1)" "$PAGES/torn.html" ||
        fail "two pages have the same nonce"
}

@test "a source is read only from the lessons, or if it was given" {
    echo 'int secret;' >secret.c
    place() { awk -v place="$2" 'BEGIN { FS = OFS = "\t" } { $4 = place; print }' "$1"; }
    rec 1 talker 5 print hello | place - "$PWD/secret.c:1" >t
    rec 1 listener 6 print hello | place - listener/../../secret.c:1 >l
    page_of_traces t l
    ! grep -qF 'int secret' "$page" || fail "a trace made us read any file"
    [ "$(grep -c 'This source is not here' "$page")" -eq 2 ]
    page_of_traces --source secret.c t l
    grep -qF 'int secret' "$page"
    open_page "$page#step=1"
    shows 'document.querySelector("#talker .lead").textContent' 'int secret;'
}

# ---- what is missing

@test "a trace that is cut off or alone: the page says what is missing" {
    head -c -20 "$TRACES/handshake/listener.trace" >cut-off
    page_of_traces "$TRACES/handshake/talker.trace" cut-off
    grep -qE 'cut-off is cut off in line [0-9]+' "$page"
    open_page "$page"
    browser_js 'document.getElementById("missing").textContent'
    [[ $value == *'cut-off is cut off in line'* ]]
    page_of_traces "$TRACES/handshake/talker.trace"
    open_page "$page#step=3"
    browser_js 'document.getElementById("missing").textContent'
    [[ $value == *'There is no trace of a listener'* ]]
    browser_js 'look.walk(3).join("\n")'
    [ -z "$value" ] || fail "$value"
    no_complaint
}

@test "a file that is no trace: one line, no page, and the old page stays" {
    page_of_traces "$TRACES/handshake/talker.trace"
    cp page.html old.html
    echo nonsense >nonsense
    run -1 replay --output page.html nonsense
    [[ ${#lines[@]} -eq 1 && $output == *'nonsense:1: '* ]] || fail "$output"
    cmp old.html page.html
    [ "$(ls)" = "$(printf '%s\n' nonsense old.html page.html scratch told)" ] || fail "something is left:" "$(ls)"
    run -1 replay --output new.html nonsense
    [ ! -e new.html ]
}

@test "a page that cannot be written: a line says what to do" {
    run -1 replay --output no/directory/page.html "$TRACES/handshake/talker.trace"
    [[ $output == *"no page can be written to '$PWD/no/directory': --output writes it elsewhere" ]] || fail "$output"
    run -1 replay --output /proc/page.html "$TRACES/handshake/talker.trace"
    [[ ${#lines[@]} -eq 1 && $output == *'/proc'*' written'*'--output'* ]] || fail "$output"
    mkdir in-the-way
    run -1 replay --output in-the-way "$TRACES/handshake/talker.trace"
    [[ ${#lines[@]} -eq 1 && $output == *'in-the-way cannot be written: '*'Name a file in it'* ]] || fail "$output"
    [ -z "$(ls -A in-the-way)" ]
}

@test "a signal leaves no process, no page and no other file" {
    house slow
    printf '#!/bin/sh\necho $$ >"%s/pid"\nexec sleep 60\n' "$PWD" >slow/scripts/demo
    mkdir out
    for signal in INT TERM; do
        rm -f pid
        BUILD=build start slow env --default-signal=INT "$PWD/slow/scripts/replay" \
            --output "$PWD/out/page.html" handshake
        until_true test -s pid || fail "waited for the run to start:" "$(cat slow.err)"
        kill -s "$signal" "$slow_pid"
        wait_gone "$slow_pid"
        reap slow
        [ "$status" -gt 128 ] || fail "the status after $signal is $status"
        is_gone "$(cat pid)" || fail "the run is still there"
        [ -z "$(ls -A out)" ] || fail "left after $signal:" "$(ls -A out)"
    done
}

@test "the same traces give the same page, but for its nonce" {
    for i in 1 2; do
        page_of_traces "$TRACES/torn/talker.trace" "$TRACES/torn/listener.trace"
        sed "s/$(grep -o 'nonce-[0-9a-f]*' page.html | sed 's/nonce-//; q')/N/g" page.html >"page$i"
    done
    cmp page1 page2
}

# ---- without JavaScript, and on paper

@test "without JavaScript the page is the whole story as a table" {
    requires_browser
    browser_connect
    browser_open about:blank 1024 768
    browser_ask Emulation.setScriptExecutionDisabled '{"value":true}'
    browser_go "file://$PAGES/handshake.html"
    shows 'getComputedStyle(document.getElementById("paper")).display' block
    shows 'document.getElementById("app").hidden' true
    shows 'document.querySelectorAll("table.story tbody tr").length' "$(last_step_of handshake)"
    browser_js 'document.querySelector("table.story").innerText'
    [[ $value == *'publish state = SAID (1)'*'kill('*'SIGUSR1'* ]]
}

@test "on paper: claim, question, diagram, sources, story; the answer comes last" {
    open_page "$PAGES/torn.html"
    browser_ask Emulation.setEmulatedMedia '{"media":"print"}'
    shows 'getComputedStyle(document.getElementById("app")).display' none
    shows '[...document.querySelectorAll("#paper > *")].map(e => e.className).join()' title,run,run,answer
    shows '[...document.querySelectorAll(".run:first-of-type > *")].map(e => e.className || e.dataset.file).join()' \
        name,claim,question,diagram,file,listener/torn.c,file,talker/torn.c,story,story
    shows 'getComputedStyle(document.querySelector(".answer")).breakBefore' page
    browser_js 'document.querySelectorAll(".run .diagram svg").length' && [ "$value" -gt 2 ]
    no_complaint
}

@test "--handout is one page of the whole course" {
    BUILD=build "$BATS_FILE_TMPDIR/house/scripts/replay" --handout --output "$PWD/handout.html" 3>&-
    for lesson in $("$ROOT/scripts/demo" --list | awk '/^[a-z]/ { print $1 }'); do
        grep -qE "<h2 class=\"name\">[0-9]+\. $lesson<" handout.html || fail "$lesson is not on the handout"
    done
    requires_browser
    browser_connect
    browser_open "$PWD/handout.html" 1024 768
    browser_js '[...document.querySelectorAll(".diagram")].filter(d => !d.querySelector("svg")).length'
    [ "$value" = 0 ]
    no_complaint
}

# ---- the command line

@test "usage: what is wrong with the command line is said in one line" {
    wrong() { # PATTERN ARGUMENT...
        run -2 replay "${@:2}"
        [[ ${#lines[@]} -eq 1 && $output == *$1* ]] || fail "${*:2}: $output"
    }
    wrong 'name a lesson or traces'
    wrong "no lesson and no trace 'handshak'" handshak
    wrong "the trace 'no.trace' is not there" no.trace
    wrong "unknown option '--nonsense'" --nonsense
    wrong '--source needs a file' --source
    wrong "the source 'no.c' cannot be read" --source no.c
    wrong '--all and --handout do not go together' --all --handout
    wrong "--all takes no operand" --all torn
    run -0 replay --help
    [[ $output == *'scripts/replay LESSON'* ]]
}

@test "without a browser, replay says what to do with the page" {
    mkdir tools
    ln -s /bin/* /usr/bin/* /usr/local/bin/* tools 2>/dev/null || :
    (cd tools && rm -f xdg-open open chromium chromium-browser google-chrome firefox w3m)
    PATH=$PWD/tools run -0 replay --output page.html "$TRACES/handshake/talker.trace"
    [[ $output == *'no browser is installed here: copy the file to a machine that has one'* ]] || fail "$output"
}
