#!/usr/bin/env bats
# bench.bats - scripts/bench prints every figure that it names, in the promised form, and leaves nothing behind. No test
# asks how fast anything is.
# shellcheck disable=SC2154,SC2030,SC2031 # start sets NAME_pid; each test is a subshell

load helpers

setup() {
    common_setup
    requires make
    export TMPDIR=$PWD/tmp
    mkdir tmp
}
teardown() { common_teardown; }

# Prints PID and all its descendants.
family_of() { # PID
    cat /proc/[0-9]*/stat 2>/dev/null | awk -v top="$1" '{ pid = $1; sub(/.*\) . /, ""); parent[pid] = $1 }
        END {
            for (pid in parent)
                for (up = pid; up in parent; up = parent[up]) if (up == top) { print pid; break }
        }'
}

# True when both sides of a pair run. Writes the PIDs of the bench and its descendants to "family".
is_at_work() {
    family_of "$bench_pid" >family
    [ "$(wc -l <family)" -ge 3 ]
}

# Runs in an IPC namespace of its own if that is permitted. "left" then lists what stays in the namespace.
bench() { # ARGUMENT...
    local own=()
    : >left
    ! unshare --ipc true 2>/dev/null || own=(unshare --ipc)
    # shellcheck disable=SC2016 # the inner shell is to expand
    timeout 100 "${own[@]}" sh -c 'own=$1; shift; "$@"; status=$?
        [ -z "$own" ] || tail -q -n +2 /proc/sysvipc/shm /proc/sysvipc/sem >left
        exit "$status"' sh "${own[*]}" "$ROOT/scripts/bench" "$@" 3>&-
}

nothing_is_left() {
    find tmp -mindepth 1 | expect_lines -
    expect_lines left
}

@test "a quick run prints every ratio, or why there is none, and no goals" {
    bench --quick >table 2>err || fail "$(cat err)"
    expect_lines err
    head -n 1 table | grep -E ', [0-9]+ CPUs, .*--quick: these figures mean nothing'
    for heading in ratios pingpong 'stream, GiB/s' 'memory beside the ring, KiB' 'pairs at once, CPU us a round'; do
        grep -xF "$heading" table || { [ "$heading" = 'stream, GiB/s' ] && grep 'not measured: no file system' table; }
    done
    sed -n '/^ratios/,/^$/p' table | sed '1,2d;$d' >ratios
    [ "$(wc -l <ratios)" -ge 15 ]
    grep -vE ' ([0-9.]+ x|-  not measured: .+)$' ratios | expect_lines -
    grep -E 'reach|at least|at most|yes$|no$' table | expect_lines -
    for method in bare signal sigwait semaphore fifo textbook doorbell spin; do
        grep -E "^any +$method +[1-9][0-9]* " table
    done
    nothing_is_left
}

@test "--csv prints eight fields a line, and a value for each figure" {
    bench --quick --csv >csv 2>err || fail "$(cat err)"
    expect_lines <(head -n 1 csv) 'table,what,where,figure,value,unit,runs,note'
    sed 's/"[^"]*"/quoted/g' csv | awk -F , 'NF != 8' | expect_lines -
    sed 1,2d csv | sed 's/"[^"]*"/quoted/g' | awk -F , '$1 == "" || $2 == "" || ($8 == "" && $5 !~ /^[0-9.e+-]+$/)' |
        expect_lines -
    for what in ratio pingpong memory pairs; do
        grep -q "^$what," csv
    done
    nothing_is_left
}

@test "--svg writes a plot: a bar for each figure, a log scale, light and dark colours" {
    bench --quick --svg plot.svg >table 2>err || fail "$(cat err)"
    head -n 1 plot.svg | grep -E '^<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 [0-9]+ [0-9]+"'
    tail -n 1 plot.svg | grep -x '</svg>'
    if command -v xmllint >/dev/null; then xmllint --noout plot.svg; fi
    [ "$(grep -c '(log scale)</text>' plot.svg)" -ge 1 ]
    [ "$(grep -c 'class="tick"' plot.svg)" -ge 3 ]
    grep -F '@media (prefers-color-scheme: dark)' plot.svg
    bars=$(awk '/^(same|two) / { n++ } END { print n }' table)
    [ "$(grep -cE '<rect class="[ab]" [^>]*><title>' plot.svg)" -ge "$bars" ]
    grep -ciE 'nan|inf|width="-' plot.svg | grep -x 0
    nothing_is_left
}

@test "an interrupted bench ends its programs, removes its files, and dies by that signal" {
    for signal in INT TERM HUP; do
        # A background process starts with SIGINT ignored, and a shell cannot undo that.
        start bench env --default-signal=INT "$ROOT/scripts/bench" --quick
        until_true is_at_work || fail "no talker within $DEADLINE s"
        kill -s "$signal" "$bench_pid"
        finish bench $((128 + $(kill -l "$signal")))
        while read -r pid; do
            wait_gone "$pid"
        done <family
        awk 'NR == FNR { family[$1]; next } $5 in family' family /proc/sysvipc/shm | expect_lines -
        find tmp -mindepth 1 | expect_lines -
    done
}

@test "an unknown argument is refused in one line; --help explains the options" {
    for wrong in --fast file --svg; do
        status=0
        "$ROOT/scripts/bench" "$wrong" >out 2>err || status=$?
        [ "$status" -eq 2 ]
        [ "$(wc -l <err)" -eq 1 ]
        grep -F -e "$wrong" err
    done
    "$ROOT/scripts/bench" --help >help
    for option in --csv --svg --quick; do
        grep -F -e "$option" help
    done
}

@test "copy, lockstep and splice, to which streams are compared, copy all bytes" {
    head -c 3000001 /dev/urandom >in
    for way in copy lockstep splice; do
        "$BUILD/bench" time seconds "$BUILD/bench" "$way" <in >out
        cmp in out
        grep -xE '[0-9]+\.[0-9]{6}' seconds
        run -1 sh -c '"$0" "$1" <in >/dev/full' "$BUILD/bench" "$way"
    done
}

@test "the halves of a copy read everything, and write as many bytes as asked" {
    mkfifo in
    head -c 3000001 /dev/urandom >in &
    "$BUILD/bench" read <in
    wait "$!" # if a reader stops early, head dies by SIGPIPE
    for bytes in 0 1 262144 300000; do
        "$BUILD/bench" write "$bytes" >out
        [ "$(wc -c <out)" -eq "$bytes" ]
    done
    run -1 sh -c '"$0" write 1 >/dev/full' "$BUILD/bench"
    run -1 "$BUILD/bench" read </
}

@test "a bare pair runs its rounds and prints its rate and cost" {
    "$BUILD/bench" pairs 3 100 any >told
    grep -xE '[0-9]+\.[0-9] [0-9]+\.[0-9]{4}' told
    for wrong in 'pairs 0 1 any' 'pairs 1 x any' 'pairs 1 1' 'on x true' fly; do
        # shellcheck disable=SC2086 # words
        run -2 "$BUILD/bench" $wrong
    done
}
