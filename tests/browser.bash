# browser.bash - a real browser for the tests of pages: Chromium without a window, driven through two pipes.
#
#     setup_file()    { browser_start; }             # one browser for all tests of the file
#     teardown_file() { browser_end; }
#     browser_open page.html#step=3 1024 768         # a new page in a window of that size
#     browser_js 'document.title'                    # sets $value to the string that the expression gives
#     browser_load FILE.js                           # runs a script of the test in the page
#     browser_press ArrowRight
#     browser_complaints                             # prints console messages, errors and requests for other addresses
#
# The messages are those of the DevTools protocol: JSON, each ended by a NUL byte. Chromium reads them from its
# descriptor 3 and answers on 4. A string that a page gives comes encoded as in a URL, so nothing here parses JSON.
#
# shellcheck shell=bash

find_browser() {
    type -P chromium || type -P chromium-browser || type -P google-chrome
}

requires_browser() {
    [ -n "${BROWSER_PIPES-}" ] || skip "chromium is not installed"
}

# Both ends of each pipe stay open in Chromium, so the end of a test does not end it.
browser_start() {
    local browser
    browser=$(find_browser) || return 0
    export BROWSER_PIPES=$BATS_FILE_TMPDIR/browser BROWSER_PID
    mkdir "$BROWSER_PIPES"
    mkfifo "$BROWSER_PIPES/in" "$BROWSER_PIPES/out"
    HOME=$BROWSER_PIPES "$browser" --headless --no-sandbox --disable-gpu --no-first-run --disable-dev-shm-usage \
        --disable-background-networking --user-data-dir="$BROWSER_PIPES/profile" --remote-debugging-pipe about:blank \
        3<>"$BROWSER_PIPES/in" 4<>"$BROWSER_PIPES/out" </dev/null >"$BROWSER_PIPES/log" 2>&1 &
    BROWSER_PID=$!
}

browser_end() {
    [ -n "${BROWSER_PID-}" ] || return 0
    kill "$BROWSER_PID" 2>/dev/null || :
    wait "$BROWSER_PID" 2>/dev/null || :
}

events=() browser_id=0 browser_session='' browser_connected=''

# Sends a message and reads up to its answer, which is then in $answer. What comes before it are events.
browser_ask() { # METHOD [PARAMETERS]
    local wanted=$((++browser_id))
    printf '{"id":%d,%s"method":"%s","params":%s}\0' "$wanted" \
        "${browser_session:+\"sessionId\":\"$browser_session\",}" "$1" "${2-{\}}" >&8
    while browser_read "$1"; do
        [[ $answer != '{"id":'"$wanted",* ]] || break
    done
    [[ $answer != *'"error":{'* ]] || fail "the browser refuses $1 ${2-}:" "$answer"
}

browser_read() { # WHAT IS AWAITED
    IFS= read -r -d '' -t "$DEADLINE" -u 9 answer || fail "no answer from the browser in $DEADLINE s: $1"
    [[ $answer = '{"id":'* ]] || events+=("$answer")
}

browser_await() { # EVENT
    while [[ " ${events[*]} " != *"\"method\":\"$1\""* ]]; do
        browser_read "$1"
    done
}

member() { # NAME: of $answer
    sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p' <<<"$answer"
}

# For all pages of a test. It is called in the test's own shell, not in a subshell.
browser_connect() {
    [ -n "$browser_connected" ] || exec 8>"$BROWSER_PIPES/in" 9<"$BROWSER_PIPES/out"
    browser_connected=yes
}

browser_open() { # FILE[#FRAGMENT] WIDTH HEIGHT
    local domain
    browser_connect
    browser_session=''
    browser_ask Target.createTarget '{"url":"about:blank"}'
    browser_ask Target.attachToTarget "{\"targetId\":\"$(member targetId)\",\"flatten\":true}"
    browser_session=$(member sessionId)
    browser_size "$2" "$3"
    for domain in Page Runtime Log Network; do browser_ask "$domain.enable"; done
    [ "$1" = about:blank ] || browser_go "file://$1"
}

browser_go() { # ADDRESS
    events=()
    browser_ask Page.navigate "{\"url\":\"$1\"}"
    browser_await Page.loadEventFired
}

browser_size() { # WIDTH HEIGHT
    browser_ask Emulation.setDeviceMetricsOverride \
        "{\"width\":$1,\"height\":$2,\"deviceScaleFactor\":1,\"mobile\":false}"
}

browser_evaluate() { # SCRIPT
    local text=$1
    text=${text//\\/\\\\} text=${text//\"/\\\"} text=${text//$'\n'/\\n} text=${text//$'\t'/\\t}
    browser_ask Runtime.evaluate "{\"returnByValue\":true,\"expression\":\"$text\"}"
    [[ $answer != *exceptionDetails* ]] || fail "the page cannot run ${1:0:200}:" "$answer"
}

browser_js() { # EXPRESSION
    browser_evaluate "encodeURIComponent($1)"
    value=$(member value)
    printf -v value '%b' "${value//%/\\x}"
}

browser_load() { # FILE: runs that script in the page
    browser_evaluate "$(<"$1")"
}

browser_press() { # KEY...: names as in KeyboardEvent.key
    local key
    for key; do
        browser_ask Input.dispatchKeyEvent "{\"type\":\"keyDown\",\"key\":\"$key\"}"
        browser_ask Input.dispatchKeyEvent "{\"type\":\"keyUp\",\"key\":\"$key\"}"
    done
}

browser_click() { # X Y
    local type
    for type in mousePressed mouseReleased; do
        browser_ask Input.dispatchMouseEvent \
            "{\"type\":\"$type\",\"x\":$1,\"y\":$2,\"button\":\"left\",\"clickCount\":1}"
    done
}

browser_picture() { # FILE.png
    browser_ask Page.captureScreenshot
    member data | base64 -d >"$1"
}

# Prints what a page should not cause: console messages, exceptions, log entries, and requests but for the page.
browser_complaints() {
    local event
    for event in "${events[@]}"; do
        case $event in
            *'"method":"Runtime.consoleAPICalled"'* | *'"method":"Runtime.exceptionThrown"'* | \
                *'"method":"Log.entryAdded"'*) echo "$event" ;;
            *'"method":"Network.requestWillBeSent"'*'"type":"Document"'*) ;;
            *'"method":"Network.requestWillBeSent"'*) echo "$event" ;;
        esac
    done
}
