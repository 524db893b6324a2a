#!/usr/bin/env bats
# counter.bats - the notes' counter: a number as text; a watcher that only looks repeats and misses values.
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

@test "a watcher that only looks begins mid-count, repeats and misses values" {
    start_watcher
    ends 0 talker-counter --key "$key"
    finish listener 0
    head -n 1 listener.out | expect_lines - \
        "listener: waiting for a talker (pid $listener_pid, key $hex, shmid $shmid)"
    sed -n 's/^listener: looked: //p' listener.out >looked
    [ "$(wc -l <looked)" -eq 6 ]
    sort -nc looked
    # 6 looks at fewer different values; more values in between than were seen.
    first=$(head -n 1 looked) different=$(uniq looked | wc -l) last=$(tail -n 1 looked)
    [ "$first" -ge 1 ]
    [ "$different" -lt 6 ]
    [ $((last - first + 1)) -gt "$different" ]
    repeated=$((6 - different)) missed=$((last - first + 1 - different))
    tail -n 1 listener.out | expect_lines - \
        "listener: only looked, 6 times: began at $first, repeated $repeated, missed $missed"
    grep -xE 'talker: counted 0 to [0-9]+: the segment was removed, no watcher needs it' talker.out
    expect_lines listener.err
    expect_lines talker.err
    is_removed "$shmid"
}

@test "/proc and strace agree: the key, 1024 bytes, and no signal at all" {
    requires_strace
    start_watcher
    read -r listed id perms size cpid _ <<<"$(segment_line "$shmid")"
    [ "$listed $id $perms $size $cpid" = "$key $shmid 600 1024 $listener_pid" ]
    start talker strace -o talker.strace -e trace=kill,shmget,shmctl "$(lesson_program talker counter)" --key "$key"
    finish talker 0
    finish listener 0
    grep -q "^shmget($hex, 0, 000) *= $shmid" talker.strace
    run ! grep -E '^kill\(.*SIG' talker.strace
}

@test "the segment holds the bytes of the notes: a number as text, and a NUL" {
    compile foreign
    start_watcher
    start_held talker counted:13 talker-counter --key "$key" --interval 0.01
    ./foreign show "$shmid" | cmp - <({ printf 12 && head -c 1024 /dev/zero; } | head -c 1024)
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
    [ "$repeated" -ge 1 ] # four looks within 0.4 s at a number that changes once a second
    grep -E "^listener: only looked, 4 times: began at [0-9]+, repeated [1-3], missed 0$" listener.out
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
    grep -E "^talker-counter: no process watches key $hex" talker.err
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
    start talker talker-counter --key "$key" --interval 0.02 --count 50
    finish listener 0
    grep '^listener: only looked, 3 times: ' listener.out
    finish talker 3 # the watcher has left, and removed nothing
    segment_exists "$left"
    grep -xE '[0-9]+' <<<"$(string_in "$left")"

    refuses 3 "no process watches key $hex" talker-counter --key "$key"
    ends 0 talker-counter --key "$key" --interval 0.02 --create --count 3
    expect_lines talker.out "talker: counted 0 to 2"
    segment_exists "$left"
    [ "$(string_in "$left")" = 2 ]
}

# ---- errors, signals and deaths

@test "with --create our watcher may come in the middle of the count, too" {
    compile foreign
    start_held talker counted:8 talker-counter --key "$key" --create --interval 0.05
    start_watcher
    [ "$(string_in "$shmid")" = 7 ]
    kill -CONT "$talker_pid"
    finish listener 0
    grep -E '^listener: only looked, 6 times: began at ([89]|[1-9][0-9]+), ' listener.out
    is_running "$talker_pid" # the counter created the segment, so it counts on
    segment_exists "$shmid"
    stop talker
    is_removed "$shmid"
}

@test "without a counter, or without a watcher, a program reports it" {
    start_watcher -t 0.2
    finish listener 3
    expect_lines listener.err "listener-counter: no process counts within 0.2 s: gave up, start talker-counter"
    is_removed "$shmid"
    refuses 3 "no segment has key $hex" talker-counter --key "$key"
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

@test "signals that end one side end the other, and leave nothing behind" {
    for signal in HUP INT TERM; do
        start_watcher
        start talker talker-counter --key "$key"
        wait_for_line listener.out looked
        kill -s "$signal" "$listener_pid"
        finish listener $((128 + $(kill -l "$signal")))
        finish talker 0 # to it, this is a watcher that has seen enough
        grep -E '^talker: counted .*: the segment was removed' talker.out
        is_removed "$shmid"

        start_watcher
        start talker talker-counter --key "$key"
        wait_for_line listener.out looked
        kill -s "$signal" "$talker_pid"
        finish talker $((128 + $(kill -l "$signal")))
        finish listener 3
        expect_lines listener.err 'listener-counter: no process counts any more: the counter went away'
        is_removed "$shmid"
    done
}

@test "the survivor of a killed process reports it and cleans up" {
    start_watcher
    start talker talker-counter --key "$key"
    wait_for_line listener.out looked
    kill -KILL "$talker_pid"
    finish talker 137
    finish listener 3
    grep 'no process counts any more' listener.err
    is_removed "$shmid"

    start_watcher
    start talker talker-counter --key "$key"
    wait_for_line listener.out looked
    kill -KILL "$listener_pid"
    finish listener 137
    finish talker 3
    grep "no process watches key $hex" talker.err
    is_removed "$shmid"
}

@test "a watcher removes what a killed counter created" {
    start_held talker counted:3 talker-counter --key "$key" --create
    start_watcher
    kill -CONT "$talker_pid"
    wait_for_line listener.out looked
    kill -KILL "$talker_pid"
    finish talker 137
    finish listener 3
    is_removed "$shmid"
}

@test "the next watcher removes what a killed watcher left, and says so" {
    start_watcher
    kill -KILL "$listener_pid"
    finish listener 137
    killed=$listener_pid left=$shmid
    start_watcher
    is_removed "$left"
    expect_lines listener.err "listener-counter: recovered: removed segment $left, which PID $killed left behind"
    ends 0 talker-counter --key "$key" --interval 0.02
    finish listener 0
    is_removed "$shmid"
}

@test "ps finds both processes in the background, as in the notes" {
    requires ps
    start_watcher
    start_held talker counted talker-counter --key "$key"
    ps -A -o pid= -o args= >found
    grep -E "^ *$listener_pid .*/listener-counter .*--key $key$" found
    grep -E "^ *$talker_pid .*/talker-counter .*--hold counted --key $key$" found
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
}

@test "the number is narrated as the text that it is, by both sides" {
    start listener listener-counter --key "$key" --count 2 -v
    wait_for_line listener.out 'waiting for a talker'
    start talker talker-counter --key "$key" -v
    finish listener 0
    finish talker 0
    grep -F 'observe text = ""' listener.err
    grep -xE 'listener-counter\[[0-9]+\] observe text = "[0-9]"' listener.err
    grep -F 'publish text = "1"' talker.err
}

@test "the lesson also holds where kernel.shm_rmid_forced is 1" {
    meet_rmid_forced counter
}
