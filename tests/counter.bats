#!/usr/bin/env bats
# counter.bats - a number as text: polling repeats and misses values; a signal for each shows every one once.
# shellcheck disable=SC2154,SC2030,SC2031 # start sets NAME_pid; each test is a subshell

load helpers
load session
load notes

# The key 9527 is the same everywhere, so each test uses the key of a file, which common_teardown can find.
setup() {
    common_setup
    touch shmfile
    hex=$(key_of shmfile 1)
    key=$((hex))
}

teardown() { common_teardown; }

start_watcher() { # [OPTION]...
    start listener listener-counter --key "$key" "$@"
    shmid=$(shmid_of listener)
}

# The string at the beginning of a segment, as the notes' show_counter would print it.
string_in() { # SHMID
    ./foreign show "$1" | tr '\0' '\n' | head -n 1
}

# The notes' programs, with a key of this test.
compile_counters() {
    requires_notes 003
    compile_note counter '^counter[.]c' '^```$' "s/9527/$key/; /^\`\`\`/d"
    compile_note show_counter '^show_counter[.]c :' '^```$' "s/9527/$key/; /^\`\`\`/d"
}

end_note() { # NAME
    local pid=$1_pid
    kill -KILL "${!pid}"
    finish "$1" 137
}

# ---- our watcher and our counter

@test "a watcher that polls repeats and misses values; with a bell it sees all" {
    start_watcher
    ends 0 talker-counter --key "$key"
    finish listener 0
    expect_lines listener.out \
        "listener: waiting for a talker (pid $listener_pid, key $hex, shmid $shmid)" \
        "listener: looked: 2" "listener: looked: 2" "listener: looked: 5" \
        "listener: only looking: began at 2, saw 2 twice, missed 2 of 3" \
        "listener: rung: 6" "listener: rung: 7" "listener: rung: 8" "listener: rung: 9" "listener: rung: 10" \
        "listener: rung 5 times: saw 6 to 10, each once: 5 of 5"
    expect_lines talker.out "talker: counted 0 to 5, for whoever looks" "talker: counted 6 to 10, and rang at each"
    expect_lines listener.err
    expect_lines talker.err
    is_removed "$shmid"
}

@test "the watcher sees each value once, at any speed of either side" {
    start_watcher --count 200
    ends 0 talker-counter --key "$key" --interval 0.000001
    finish listener 0
    diff <(seq 6 205) <(sed -n 's/^listener: rung: //p' listener.out)
    grep -x 'listener: rung 200 times: saw 6 to 205, each once: 200 of 200' listener.out

    start_watcher --interval 0.5 --count 2
    ends 0 talker-counter --key "$key" --interval 0.000001
    finish listener 0
    grep -x 'listener: rung 2 times: saw 6 to 7, each once: 2 of 2' listener.out
}

@test "/proc and strace agree: the key, 1024 bytes, one signal for each value" {
    requires_strace
    start_watcher
    read -r listed id perms size cpid _ <<<"$(segment_line "$shmid")"
    [ "$listed $id $perms $size $cpid" = "$key $shmid 600 1024 $listener_pid" ]
    start talker strace -o talker.strace -e trace=kill "$(lesson_program talker counter)" --key "$key" --interval 0.02
    finish talker 0
    finish listener 0
    # One when it starts, two when its steps end, five for values.
    [ "$(grep -cE "^kill\($listener_pid, SIGUSR1\) += 0" talker.strace)" -eq 8 ]
}

@test "the segment holds the bytes of the notes: a number as text, and a NUL" {
    compile foreign
    start_watcher
    start talker talker-counter --key "$key" --interval 0.02 --hold tick # just before its first signal
    wait_for_state "$talker_pid" T
    [ "$(string_in "$shmid")" = 6 ]
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
}

@test "the key is 9527 by default, and no key file is needed" {
    own=(unshare --ipc)
    "${own[@]}" true 2>/dev/null || own=(unshare --map-root-user --ipc)
    "${own[@]}" true 2>/dev/null || skip "no IPC namespace can be created here for the shared key 9527"
    rm shmfile
    start listener "${own[@]}" "$(lesson_program listener counter)" -t 0.2
    finish listener 3
    grep -E "^listener: waiting for a talker \(pid $listener_pid, key 0x2537, shmid [0-9]+\)$" listener.out
    [ "$((0x2537))" -eq 9527 ]
    if [ -e shmfile ]; then fail "it has created a key file"; fi
}

@test "--interval sets the time between two values" {
    before=$(milliseconds)
    ends 0 talker-counter --key "$key" --create --count 3 --interval 0.2
    [ $(($(milliseconds) - before)) -ge 600 ]
}

# ---- the notes' programs

@test "our watcher joins the notes' counter, and leaves its segment in place" {
    compile_counters
    start counter ./counter
    until_true grep -q " $counter_pid " /proc/sysvipc/shm
    start_watcher --interval 0.4 --count 4
    plant "$shmid"
    finish listener 0
    [ "$(awk '{ print $5 }' <<<"$(segment_line "$shmid")")" -eq "$counter_pid" ] # its creator
    sed -nE 's/^listener: looked: ([0-9]+)$/\1/p' listener.out >looked
    [ "$(wc -l <looked)" -eq 4 ]
    sort -nc looked
    [ "$(head -n 1 looked)" -gt 0 ]
    repeated=$(uniq -d looked | wc -l)
    [ "$repeated" -ge 1 ] # four reads within 1.2 s of a number that changes once a second
    grep -E "^listener: only looked, 4 times: repeated [1-3], missed 0$" listener.out
    is_running "$counter_pid"
    end_note counter
}

@test "the notes' counter counts in the segment that our watcher created" {
    compile_counters
    start_watcher --interval 0.2 --count 2
    start counter ./counter
    finish listener 0
    grep -xE 'listener: looked: [0-9]+' listener.out
    [ "$(awk '{ print $1, $7 }' <<<"$(segment_line "$shmid")")" = "0 1" ] # removed, but still attached
    end_note counter
    is_removed "$shmid"
}

@test "the notes' show_counter, started first, shows what our counter counts" {
    compile_counters
    start show_counter ./show_counter
    until_true grep -q " $show_counter_pid " /proc/sysvipc/shm
    start talker talker-counter --key "$key" --interval 0.3
    wait_for_line show_counter.out '^[1-9]'
    end_note show_counter
    finish talker 3
    grep -E "^talker-counter: nobody watches key $hex" talker.err
    plant "$(awk -v key="$key" '$1 == key { print $2 }' /proc/sysvipc/shm)" # the notes' programs do not clean up
    sort -nc <(grep . show_counter.out)
}

@test "with --create our counter starts first, then the notes' show_counter" {
    compile_counters
    start talker talker-counter --key "$key" --interval 0.3 --create
    until_true grep -q " $talker_pid " /proc/sysvipc/shm
    start show_counter ./show_counter
    wait_for_line show_counter.out '^[1-9]'
    end_note show_counter
    is_running "$talker_pid" # it counts with or without a watcher
    stop talker
    expect_lines <(awk -v key="$key" '$1 == key' /proc/sysvipc/shm)
}

@test "what a program of the notes left behind is joined and not removed" {
    compile foreign
    left=$(./foreign make "$key" 1024 666 41)
    plant "$left"
    start_watcher --interval 0.1 --count 3
    [ "$shmid" -eq "$left" ]
    ends 0 talker-counter --key "$key" --interval 0.02
    finish listener 0
    grep -x 'listener: rung 3 times: saw 6 to 8, each once: 3 of 3' listener.out
    segment_exists "$left"
    [ "$(string_in "$left")" = 8 ]

    refuses 3 "nobody watches key $hex" talker-counter --key "$key"
    ends 0 talker-counter --key "$key" --interval 0.02 --create --count 3
    segment_exists "$left"
    [ "$(string_in "$left")" = 2 ]
}

# ---- errors, signals and deaths

@test "with --create our watcher may start in the middle of the count, too" {
    start talker talker-counter --key "$key" --create --interval 0.05
    until_true grep -q " $talker_pid " /proc/sysvipc/shm
    start_watcher
    finish listener 0
    finish talker 0
    grep -E '^listener: rung 5 times: .* each once: 5 of 5$' listener.out
    is_removed "$shmid"
}

@test "without a counter, or without a watcher, a program reports it" {
    start_watcher -t 0.2
    finish listener 3
    expect_lines listener.err "listener-counter: nobody counts within 0.2 seconds: gave up"
    is_removed "$shmid"
    refuses 3 "no segment has key $hex" talker-counter --key "$key"
}

@test "a second watcher and a second counter learn who came first" {
    start_watcher
    refuses 4 "busy: PID $listener_pid is watching key $hex" listener-counter --key "$key"
    start talker talker-counter --key "$key" --interval 0.02 --hold tick
    wait_for_state "$talker_pid" T
    refuses 4 "busy: PID $talker_pid is counting under key $hex" talker-counter --key "$key"
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
}

@test "a foreign segment of another size or text is not changed or removed" {
    compile foreign
    while read -r size text; do
        stranger=$(./foreign make "$key" "$size" 666 "$text")
        plant "$stranger"
        ./foreign show "$stranger" >before
        refuses 1 "foreign segment \(shmid $stranger\>" listener-counter --key "$key"
        refuses 1 "foreign segment \(shmid $stranger\>" talker-counter --key "$key"
        refuses 1 "foreign segment \(shmid $stranger\>" talker-counter --key "$key" --create
        ./foreign show "$stranger" | cmp - before
        ipcrm -m "$stranger"
    done <<<"100 12
4096 12
1024 data
1024 12x
1024 12345678901"
}

@test "an invalid key is refused" {
    for wrong in 0 -1 x 2147483648; do
        refuses 2 "^listener-counter: --key: '$wrong' is not a whole number" listener-counter --key="$wrong"
        refuses 2 "^talker-counter: --key: '$wrong' is not a whole number" talker-counter --key="$wrong"
    done
}

@test "a storm of stray SIGUSR1 adds no value and loses none" {
    start_watcher --count 20
    start talker talker-counter --key "$key" --interval 0.01
    wait_for_line listener.out looked
    while is_running "$listener_pid"; do
        kill -USR1 "$listener_pid" "$talker_pid" 2>/dev/null || :
    done
    finish talker 0
    finish listener 0
    grep -x 'listener: rung 20 times: saw 6 to 25, each once: 20 of 20' listener.out
}

@test "signals that end one side end the other, and leave nothing behind" {
    for signal in HUP INT TERM; do
        for ended in listener talker; do
            start_watcher
            start talker talker-counter --key "$key" --interval 0.1
            wait_for_line listener.out 'looked'
            pid=${ended}_pid
            kill -s "$signal" "${!pid}"
            for side in listener talker; do
                if [ "$side" = "$ended" ]; then
                    finish "$side" $((128 + $(kill -l "$signal")))
                else
                    finish "$side" 3
                    grep -F "the $ended (PID ${!pid}) went away" "$side.err"
                fi
            done
            is_removed "$shmid"
        done
    done
}

@test "the survivor of a killed process reports it and cleans up" {
    for killed in listener talker; do
        start_watcher
        start talker talker-counter --key "$key" --interval 0.1
        wait_for_line listener.out 'looked'
        pid=${killed}_pid
        kill -KILL "${!pid}"
        finish "$killed" 137
        for side in listener talker; do
            if [ "$side" != "$killed" ]; then finish "$side" 3; fi
        done
        is_removed "$shmid"
    done
}

@test "the next watcher takes over what a killed watcher left, and says so" {
    start_watcher
    kill -KILL "$listener_pid"
    finish listener 137
    killed=$listener_pid left=$shmid
    start_watcher
    [ "$shmid" -eq "$left" ]
    grep -x "listener-counter: recovered: took over segment $left, which PID $killed left behind" listener.err
    ends 0 talker-counter --key "$key" --interval 0.02
    finish listener 0
    is_removed "$left"
}

@test "two watchers race for a dead one's segment: the loser changes nothing" {
    start_watcher
    kill -KILL "$listener_pid"
    finish listener 137
    start late listener-counter --key "$key" --hold kill # it has read the dead watcher's PID, and will check it
    wait_for_state "$late_pid" T
    start_watcher
    kill -STOP "$listener_pid" # it must not look before `late` has ended
    wait_for_state "$listener_pid" T
    start talker talker-counter --key "$key" --interval 0.02 --verbose
    wait_for_line talker.err 'publish step = 1'
    kill -CONT "$late_pid"
    finish late 4
    grep -x "listener-counter: busy: PID $listener_pid is watching key $hex: choose another --key" late.err
    kill -CONT "$listener_pid"
    finish talker 0
    finish listener 0
    is_removed "$shmid"
}

@test "ps finds both processes in the background, as in the notes" {
    requires ps
    start_watcher
    start talker talker-counter --key "$key" --hold tick
    wait_for_state "$talker_pid" T
    ps -A -o pid= -o args= >found
    grep -E "^ *$listener_pid .*/listener-counter .*--key $key$" found
    grep -E "^ *$talker_pid .*/talker-counter .*--key $key --hold tick$" found
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
}
