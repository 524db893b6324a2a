#!/usr/bin/env bats
# narration.bats - how a run is narrated and stopped: -v, --explain, --trace, --step, --hold.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup() { common_setup; }
teardown() { common_teardown; }

# A conversation of listener-LESSON and talker-LESSON, or of the pair itself (LESSON empty), both with OPTIONs.
converse() { # LESSON [OPTION]...
    start listener "listener${1:+-$1}" "${@:2}"
    wait_for_line listener.out 'waiting for a talker'
    ends 0 "talker${1:+-$1}" "${@:2}" Hello
    finish listener 0
}

# The same with a trace of each side: listener.trace, talker.trace.
converse_traced() { # LESSON [OPTION]...
    start listener "listener${1:+-$1}" "${@:2}" --trace listener.trace
    wait_for_line listener.out 'waiting for a talker'
    ends 0 "talker${1:+-$1}" "${@:2}" --trace talker.trace Hello
    finish listener 0
}

has_told() { # NAME COUNT: it has narrated COUNT calls
    [ "$(grep -cE '^[a-z_-]+\[[0-9]+\] [a-z]+\(' "$1.err")" -eq "$2" ]
}

# ---- -v

@test "every line of -v starts with name and PID, and shows one event" {
    for lesson in '' handshake; do
        converse "$lesson" -v
        for side in talker listener; do
            pid=${side}_pid
            who="${side}${lesson:+-$lesson}\[${!pid}\]"
            call='[a-z]+\(.*\) = (-1 E[A-Z]+ \(.+\)|[0-9]+|0x[0-9a-f]+)'
            word='(publish|observe) [a-z]+ = .+'
            [ "$(grep -cE "^$who start: " "$side.err")" -eq 1 ]
            run ! grep -vxE "$who (start: .+|$call|--- SIGUSR1 from [0-9]+ ---|point [a-z]+|$word)" "$side.err"
        done
        grep -F -- "--- SIGUSR1 from $talker_pid ---" listener.err
    done
}

@test "-v shows all the calls that the notes are about" {
    converse '' -v
    for call in ftok shmget shmat sigprocmask sigaction kill shmdt; do
        for side in talker listener; do
            grep -E "\] $call\(" "$side.err" || fail "the $side did not narrate $call"
        done
    done
    grep -E "\] shmctl\([0-9]+, IPC_RMID, NULL\) = 0" listener.err
    shmid=$(sed -n 's/.*shmid \([0-9]*\).*/\1/p' listener.out)
    grep -F "shmget($(key_of shmfile 1), " listener.err | grep -E "IPC_CREAT\|IPC_EXCL\|0600\) = $shmid$"
    grep -F "ftok(\"shmfile\", 1) = $(key_of shmfile 1)" talker.err
}

@test "-v shows a sleep once, however often the sleeper wakes up" {
    ends 3 talker --wait --timeout 0.3 -v --file nowhere
    ends 3 listener --timeout 0.3 -v
    grep -E '\] sigsuspend\(.*\) = -1 EINTR \(Interrupted system call\)$' talker.err
    [ "$(grep -c '\] sigsuspend(' listener.err)" -eq 1 ]
}

@test "-v shows a failed call with its error, as strace does" {
    touch shmfile
    ends 3 talker -v
    grep -E "^talker\[$talker_pid\] shmget\($(key_of shmfile 1), .*\) = -1 ENOENT \(No such file or directory\)$" talker.err
    ends 3 talker -v --file nowhere
    grep -F 'ftok("nowhere", 1) = -1 ENOENT (No such file or directory)' talker.err
}

@test "-v shows the values in the segment in their causal order" {
    only_ours
    converse '' -v
    grep -F 'observe text = "Hello"' listener.err
    grep -F 'publish text = "Have a nice day"' listener.err
    grep -F 'observe text = "Have a nice day"' talker.err
    sed 's/^[^ ]* //' talker.err | grep -A4 -F 'publish text = "Hello"' |
        expect_lines - 'publish text = "Hello"' 'publish length = 5' "publish turn = $listener_pid" \
            'point published' "kill($listener_pid, SIGUSR1) = 0"
}

@test "-v changes nothing in a conversation; without it nothing is narrated" {
    converse ''
    expect_lines listener.err
    expect_lines talker.err
    cp talker.out silent.out
    converse '' -v
    cmp talker.out silent.out
}

@test "-v and strace show the same calls, order and results" {
    requires_strace
    for lesson in '' handshake; do
        for side in listener talker; do
            resolve "$side${lesson:+-$lesson}" -v
            start "$side" strace -o "$side.strace" -e trace=shmget,shmat,shmdt,shmctl,kill "${command[@]}"
            [ "$side" = talker ] || wait_for_line listener.out 'waiting for a talker'
        done
        finish talker 0
        finish listener 0
        for side in listener talker; do
            [ "$(straced_calls "$side" | wc -l)" -ge 4 ]
            diff <(narrated_calls "$side") <(straced_calls "$side") || fail "$side: narrated (<), strace (>)"
        done
    done
}

@test "-v and strace show the same failures" {
    requires_strace
    touch shmfile
    resolve talker -v
    start talker strace -o talker.strace -e trace=shmget,shmat,shmdt,shmctl,kill "${command[@]}"
    finish talker 3
    straced_calls talker | grep ENOENT
    diff <(narrated_calls talker) <(straced_calls talker)
}

# ---- --explain

@test "--explain prints every sentence of the handshake's source, in order" {
    converse handshake --explain
    for side in listener talker; do
        explanations "$ROOT/$side/handshake.c" >source
        [ "$(wc -l <source)" -ge 8 ]
        sed -n 's/^[^ ]* # //p' "$side.err" | diff source - || fail "$side/handshake.c (<), printed (>)"
    done
}

@test "--explain prints only sentences that are in the pair's source" {
    only_ours
    converse '' -x
    for side in listener talker; do
        sed -n 's/^[^ ]* # //p' "$side.err" | sort -u >told
        [ "$(wc -l <told)" -ge 5 ]
        explanations "$ROOT/$side/$side.c" | sort -u | comm -13 - told | expect_lines -
    done
}

@test "an explanation stands above the calls that it explains" {
    converse handshake -x
    for call in shmget shmat shmdt; do
        for side in listener talker; do
            line=$(grep -n "sys_$call(" "$ROOT/$side/handshake.c" | head -n 1 | cut -d: -f1)
            why=$(head -n "$line" "$ROOT/$side/handshake.c" >above && explanations above | tail -n 1)
            # Among the calls below it, up to the next explanation.
            awk -v why="# $why" 'index($0, why) { on = 1; next } / # / { on = 0 } on' "$side.err" | grep -F " $call("
        done
    done
}

# ---- --trace

@test "--trace writes eight fields, separated by tabs, and nothing on stderr" {
    only_ours
    for lesson in '' handshake; do
        converse_traced "$lesson"
        for side in listener talker; do
            pid=${side}_pid
            expect_lines "$side.err"
            [ "$(wc -l <"$side.trace")" -ge 15 ]
            awk -F '\t' -v program="$side${lesson:+-$lesson}" -v pid="${!pid}" -v side="$side" '
                NF != 8 || $1 !~ /^[0-9]+$/ || $8 !~ /^[0-9]+$/ || $2 != program || $3 != pid ||
                index($4, side "/") != 1 || $4 !~ /:[1-9][0-9]*$/ ||
                $5 !~ /^(call|signal|publish|observe|point|print|note)$/ || $6 == "" { print "not a record: " $0; bad = 1 }
                END { exit bad }' "$side.trace"
        done
    done
}

@test "each trace record says how long its call took; a sleep takes until the signal" {
    start listener listener-handshake --trace listener.trace
    wait_for_line listener.out 'waiting for a talker'
    start_held talker sigprocmask talker-handshake
    sleep 0.2
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
    awk -F '\t' '$6 ~ /^sigsuspend\(/ && $8 >= 200000000 && $8 < 20000000000 { sleeps++ }
                 $5 != "call" && $8 != 0 { print "no call: " $0; bad = 1 }
                 END { exit bad || sleeps != 1 }' listener.trace
}

@test "-vv also shows the calls of a program's own start; -v says it in one line" {
    ends 3 listener --timeout 0.1 -v
    [ "$(grep -c 'setitimer(' listener.err)" -eq 0 ]
    ends 3 listener --timeout 0.1 -vv
    grep -F 'setitimer(ITIMER_REAL' listener.err
    grep -F 'sigaction(SIGTERM, {sa_sigaction=on_ending_signal' listener.err
}

@test "values are shown by the names that they have in the source" {
    converse handshake -v
    grep -F 'publish magic = 0x73686d74 "shmt"' listener.err
    grep -F 'observe state = SAID (1)' listener.err
    grep -F 'publish state = ANSWERED (2)' listener.err
    grep -F 'sa_sigaction=on_sigusr1' listener.err
}

@test "a trace holds what -v shows, with the explanation beside it" {
    only_ours
    converse_traced '' -v
    for side in listener talker; do
        awk -F '\t' '$5 != "print" && $6 !~ /^end: / { print $6 }' "$side.trace" | diff <(sed 's/^[^ ]* //' "$side.err") -
        awk -F '\t' '$5 == "print" { print $6 }' "$side.trace" | diff "$side.out" -
        cut -f7 "$side.trace" | grep . | sort -u | comm -23 - <(explanations "$ROOT/$side/$side.c" | sort) | expect_lines -
    done
}

@test "the last record of a trace says how the program ended" {
    converse_traced handshake
    run ! "$BUILD/talker" -f nobody -T alone.trace
    start listener listener -T ended.trace
    wait_for_line listener.out 'waiting for a talker'
    kill -s TERM "$listener_pid"
    reap listener
    for trace in listener talker alone ended; do
        tail -n 1 "$trace.trace" | cut -f 5,6
    done | expect_lines - $'note\tend: exit status 0' $'note\tend: exit status 0' $'note\tend: exit status 3' \
        $'note\tend: SIGTERM'
}

@test "an error message is in the trace as it is on the screen" {
    run -3 "$BUILD/talker" -f nobody -T alone.trace
    [[ $output = 'talker: no listener '* ]]
    [ "$(awk -F '\t' '$5 == "print" { print $6 }' alone.trace)" = "$output" ]
}

@test "times in a trace never go back; two sorted traces are the whole story" {
    converse_traced ''
    sort -nc listener.trace
    sort -nc talker.trace
    sort -ns listener.trace talker.trace >story
    # The other side published each observed value before.
    awk -F '\t' '
        $5 == "publish" { split($6, part, " = "); sub("publish ", "", part[1]); value[part[1]] = part[2]; by[part[1]] = $2 }
        $5 == "observe" { split($6, part, " = "); sub("observe ", "", part[1]) }
        $5 == "observe" && part[1] ~ /^(text|length)$/ {
            seen++
            if (value[part[1]] != part[2] || by[part[1]] == $2) { print "not published before: " $0; bad = 1 }
        }
        END { exit bad || seen != 4 }' story
}

@test "file and line in a trace are those of the lesson's source" {
    converse_traced handshake
    for side in listener talker; do
        for call in shmget shmdt; do
            where=$(awk -F '\t' -v call="$call(" '$5 == "call" && index($6, call) == 1 { print $4 }' "$side.trace" | tail -n 1)
            [ "${where%:*}" = "$side/handshake.c" ]
            sed -n "${where#*:}p" "$ROOT/$side/handshake.c" | grep -F "$call"
        done
    done
}

@test "tabs, newlines and escapes in a message do not spoil a record" {
    only_ours
    name=$'a\tb\nshmfile'
    start listener listener -T listener.trace -v --file "$name"
    wait_for_line listener.out waiting
    ends 0 talker -T talker.trace --file "$name" $'one\ttwo\nthree\e\\\"\xff'
    finish listener 0
    for side in listener talker; do
        awk -F '\t' 'NF != 8 || $1 !~ /^[0-9]+$/ { print "not a record: " $0; bad = 1 } END { exit bad }' "$side.trace"
    done
    grep -F 'observe text = "one\ttwo\nthree\33\\\"\377"' listener.err
    run ! grep -v '^listener\[' listener.err
}

# ---- --step, --hold

stopped_or_gone() { # PID
    in_state "$1" T || is_gone "$1"
}

@test "--step stops before each narrated call; CONT advances by just one" {
    touch shmfile
    start talker talker --step
    told=0
    while until_true stopped_or_gone "$talker_pid" && is_running "$talker_pid"; do
        has_told talker "$told"
        told=$((told + 1))
        kill -CONT "$talker_pid"
        until_true has_told talker "$told"
    done
    finish talker 3
    has_told talker "$told"
    tail -n 2 talker.err | head -n 1 | grep ' shmget('
}

# Continues NAME if it is stopped.
step() { # NAME
    local pid=$1_pid
    ! in_state "${!pid}" T || kill -CONT "${!pid}"
}

@test "--step takes both programs through a handshake, one call at a time" {
    start listener listener-handshake --step
    until grep -q waiting listener.out; do step listener; done
    start talker talker-handshake --step
    while is_running "$talker_pid" || is_running "$listener_pid"; do
        step talker
        step listener
        sleep 0.01
    done
    finish talker 0
    finish listener 0
    expect_lines talker.out "talker: said: Hello, I'm talker" "talker: listener said: Have a nice day"
}

@test "-v announces --hold; without -v it is silent" {
    start talker talker --wait --hold sigsuspend -v
    wait_for_state "$talker_pid" T
    grep -x "talker\[$talker_pid\] stopped before sigsuspend(\[\]): \"fg\" or \"kill -CONT $talker_pid\" goes on" talker.err
    kill -KILL "$talker_pid"
    finish talker 137
    start talker talker --wait --hold sigsuspend
    wait_for_state "$talker_pid" T
    expect_lines talker.err
    kill -KILL "$talker_pid"
    finish talker 137
}

@test "no timeout runs while a program is stopped" {
    only_ours
    start listener listener --timeout 0.5 --hold ready
    wait_for_state "$listener_pid" T
    sleep 0.8 # longer than its whole timeout
    began=$(milliseconds)
    kill -CONT "$listener_pid"
    finish listener 3
    [ "$(($(milliseconds) - began))" -ge 400 ]
}

@test "a process does not take its stopped peer for dead, and waits for it" {
    only_ours
    start_listener --timeout 0.5
    start_held talker invited talker
    sleep 0.8
    is_running "$listener_pid"
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
    expect_lines listener.err
}

@test "a program that continues remembers that its peer is still stopped" {
    only_ours
    start_listener --timeout 0.5 --hold sigsuspend:2 # after it has invited the talker
    start talker talker --hold invited
    wait_for_state "$listener_pid" T
    wait_for_state "$talker_pid" T
    kill -CONT "$listener_pid"
    sleep 0.8
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
}

@test "a talker waits for a listener that is stopped by hand" {
    start_listener
    kill -STOP "$listener_pid"
    wait_for_state "$listener_pid" T
    start talker talker Hello
    sleep 0.4 # twice as long as a death takes to be noticed
    is_running "$talker_pid"
    kill -CONT "$listener_pid"
    finish talker 0
    finish listener 0
}

@test "--hold stops once, just before a call is made for the N-th time" {
    start_listener -v --hold kill:2
    start talker talker Hello
    wait_for_state "$listener_pid" T
    [ "$(grep -c '\] kill(' listener.err)" -eq 1 ]
    kill -CONT "$listener_pid"
    finish talker 0
    finish listener 0
    [ "$(grep -c '\] kill(' listener.err)" -ge 3 ]
}

@test "--hold without N stops at the first time, and only then" {
    start listener listener --keep --hold shmget
    wait_for_state "$listener_pid" T
    [ ! -s listener.out ]
    kill -CONT "$listener_pid"
    wait_for_line listener.out waiting
    ends 0 talker
    stop listener
}

@test "--hold stops at a point of the lesson when it is reached the N-th time" {
    only_ours
    start_listener --keep --hold reading:2
    ends 0 talker one
    start talker talker two
    wait_for_state "$listener_pid" T
    [ "$(grep -c 'listener: received' listener.out)" -eq 1 ]
    kill -CONT "$listener_pid"
    finish talker 0
    stop listener
    grep -x 'listener: received: two' listener.out
}

@test "a plain conversation passes each point that --help lists" {
    only_ours
    converse '' -v
    for side in listener talker; do
        points=$("$BUILD/$side" --help | sed -n 's/^POINT is .*one of: //p')
        [ -n "$points" ]
        for point in $points; do
            grep -F "] point $point" "$side.err" || fail "$side never passed $point"
        done
    done
}

@test "a program that --step has stopped ends at once when it is asked to" {
    start listener listener --step
    until grep -q ' shmget(' listener.err; do step listener; done
    wait_for_state "$listener_pid" T
    kill -TERM "$listener_pid"
    kill -CONT "$listener_pid"
    finish listener 143
    [ -z "$(own_segments)" ]
}

@test "a program whose stderr cannot be polled still narrates" {
    requires prlimit
    start_held listener sigsuspend listener -v
    prlimit --pid "$listener_pid" --nofile=0 # poll(2) fails with EINVAL
    kill -CONT "$listener_pid"
    stop listener
    grep -E 'shmctl\([0-9]+, IPC_RMID, NULL\) = 0' listener.err
}

# ---- a trace that cannot be written

@test "a trace that cannot be written ends with one warning, and the run goes on" {
    [ -c /dev/full ] || skip "no /dev/full here"
    converse '' --trace /dev/full
    for side in talker listener; do
        [ "$(grep -cF "write to the trace \"/dev/full\": the trace ends here: No space left" "$side.err")" -eq 1 ]
    done
}

@test "a FIFO that no process reads is refused as a trace; one with a reader is written" {
    mkfifo trace
    refuses 1 '--trace: no process reads "trace": start its reader first' listener --trace trace
    start reader cat trace
    exec 7>trace # returns when the reader has opened it
    ends 3 listener -t 0.01 --trace trace
    exec 7>&-
    finish reader 0
    grep 'waiting for a talker' reader.out
}

@test "a program whose trace no process reads ends when it is asked to" {
    mkfifo trace
    exec 7<>trace
    start_held listener sigsuspend listener --trace trace
    cat /dev/zero >&7 3>&- &
    wait_for_state "$!" S # the FIFO is full
    kill -CONT "$listener_pid"
    stop listener
    kill "$!"
    exec 7<&-
    [ -z "$(own_segments)" ]
}

@test "a limit on file sizes that ends -v or a trace does not end the program" {
    limited() { (ulimit -f 0 && listener -t 0.01 "$@" 2>err) | cat; }
    for how in -v '--trace trace'; do
        # shellcheck disable=SC2086 # a list of words
        limited $how >out
        grep -q 'waiting for a talker' out
    done
    [ -z "$(own_segments)" ]
}
