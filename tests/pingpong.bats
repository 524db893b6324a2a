#!/usr/bin/env bats
# pingpong.bats - a message back and forth in seven ways; each of them notices a dead peer.
# shellcheck disable=SC2154,SC2030,SC2031 # start sets NAME_pid; each test is a subshell

load helpers
load session

setup() { common_setup; }
teardown() { remove_own_semaphores && common_teardown; }

methods='textbook signal sigwait doorbell spin semaphore fifo'

# Enough rounds for a short run of METHOD.
rounds_of() { # METHOD
    case $1 in textbook | spin) echo 20 ;; *) echo 300 ;; esac
}

# Both run to their end, the talker with OPTION.
play() { # METHOD [OPTION]...
    start listener listener-pingpong
    shmid=$(shmid_of listener)
    ends 0 talker-pingpong --method "$1" --rounds "$(rounds_of "$1")" "${@:2}" || { show listener && return 1; }
    finish listener 0
}

# The talker is held before its tenth message; the listener waits for it.
hold_in() { # METHOD [POINT]
    start listener listener-pingpong
    shmid=$(shmid_of listener)
    start talker talker-pingpong --method "$1" --rounds 300 --hold "${2-saying:10}"
    wait_for_state "$talker_pid" T
}

semaphore_sets() { # those with the key of the test
    awk -v key="$(($(key_of shmfile 1)))" '$1 == key { print $2 }' /proc/sysvipc/sem
}

remove_own_semaphores() {
    [ -e shmfile ] || return 0
    local id left=0
    for id in $(semaphore_sets); do
        echo "\"$BATS_TEST_DESCRIPTION\" left semaphore set $id behind"
        ipcrm -s "$id" || :
        left=1
    done
    return "$left"
}

# No segment, no semaphore set, and no FIFO in this directory is left.
nothing_is_left() {
    is_removed "$shmid"
    [ -z "$(semaphore_sets)" ] || fail "semaphore set $(semaphore_sets) is still there"
    find . -type p | expect_lines -
}

# The number that ( ) mark in PATTERN, from the talker's line.
told() { # PATTERN
    sed -nE "s/^talker: .*$1.*/\1/p" talker.out | grep .
}

@test "each method plays its rounds, and prints its times, rate and cost" {
    for method in $methods; do
        play "$method"
        rounds=$(rounds_of "$method")
        warm_up=$(((rounds + 9) / 10))
        [ "$(wc -l <talker.out)" -eq 4 ]
        grep -x "talker: $method: $rounds rounds of 32 bytes, after $warm_up to warm up, on any CPU" talker.out
        us='([0-9]+\.[0-9]{3}) us'
        line="round trip: median $us, 99th percentile $us, minimum $us"
        read -r median late least < <(sed -nE "s/^talker: $line$/\1 \2 \3/p" talker.out)
        awk -v m="$median" -v l="$late" -v s="$least" 'BEGIN { exit !(0 < s && s <= m && m <= l) }'
        grep -xE 'talker: [1-9][0-9]* rounds a second' talker.out
        number='[0-9]+\.[0-9]{3}'
        grep -xE "talker: a round: $number signals, $number context switches, $number us of CPU time" talker.out
        grep -x "listener: answered $((rounds + warm_up)) messages of 32 bytes by $method" listener.out
        nothing_is_left
    done
}

@test "signal and sigwait send 2 signals a round, doorbell up to 2, others 0" {
    for method in $methods; do
        play "$method"
        signals=$(told 'a round: ([0-9.]+) signals')
        case $method in
            signal | sigwait) [ "$signals" = 2.000 ] ;;
            doorbell) awk -v n="$signals" 'BEGIN { exit !(n <= 2) }' ;;
            *) [ "$signals" = 0.000 ] ;;
        esac
    done
}

@test "the doorbell rings only a side that does not spin" {
    play doorbell --spin 0 --cpu same
    signals=$(told 'a round: ([0-9.]+) signals')
    awk -v n="$signals" 'BEGIN { exit !(n > 0.5 && n <= 2) }'
}

@test "the reported signals are those that strace counts" {
    requires_strace
    for method in signal sigwait doorbell semaphore; do
        start listener listener-pingpong
        shmid_of listener >shmid
        start talker strace -f -o calls -e trace=kill "$BUILD/talker-pingpong" -t "$DEADLINE" --method "$method" \
            --rounds 100 --spin 0 --trace trace
        finish talker 0
        finish listener 0
        grep -oE 'kill\([0-9]+, SIGUSR1\) += 0' calls | sed 's/  *=/ =/' >seen
        awk -F '\t' '$6 ~ /^kill\(.*SIGUSR1\) = 0/ { print $6 }' trace | diff seen -
        # One when it starts, one with the plan, and 110 rounds.
        [ "$method" = doorbell ] || [ "$(wc -l <seen)" -eq "$(case $method in semaphore) echo 2 ;; *) echo 112 ;; esac)" ]
    done
}

@test "messages of one byte, of a cache line, and of the largest size arrive" {
    for size in 1 7 8 9 48 49 4096 65536; do
        play doorbell --size "$size"
        grep "rounds of $size bytes" talker.out
        grep "messages of $size bytes" listener.out
    done
    refuses 2 "^talker-pingpong: --size: '65537' is not a whole number from 1 to 65536$" talker-pingpong --size 65537
    refuses 2 "^talker-pingpong: --size: '0' is not" talker-pingpong --size 0
}

@test "an invalid method, place or number of rounds is refused" {
    refuses 2 "^talker-pingpong: --method: 'pigeon' is none of textbook, signal, .* or fifo$" \
        talker-pingpong --method pigeon
    refuses 2 "^talker-pingpong: --cpu: 'moon' is none of same, two or any$" talker-pingpong --cpu moon
    refuses 2 "^talker-pingpong: --rounds: '0' is not" talker-pingpong --rounds 0
}

@test "--cpu same uses one CPU, two uses two, any leaves the choice" {
    requires taskset nproc
    [ -r /proc/self/status ] || skip "there is no /proc"
    for place in same two any; do
        [ "$place.$(nproc)" != two.1 ] || continue
        start listener listener-pingpong
        shmid=$(shmid_of listener)
        start talker talker-pingpong --cpu "$place" --hold saying
        wait_for_state "$talker_pid" T
        for side in talker listener; do
            pid=${side}_pid
            sed -n 's/^Cpus_allowed_list:\t//p' "/proc/${!pid}/status" >"$side.cpus"
        done
        kill -CONT "$talker_pid"
        finish talker 0
        finish listener 0
        case $place in
            same)
                diff talker.cpus listener.cpus
                grep -xE '[0-9]+' talker.cpus ;;
            two)
                [ "$(sort -u talker.cpus listener.cpus | grep -cxE '[0-9]+')" -eq 2 ] ;;
            any)
                sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status | diff - talker.cpus
                diff talker.cpus listener.cpus ;;
        esac
    done
    one=$(taskset -cp $$ | sed 's/.*: \([0-9]*\).*/\1/')
    ends 1 taskset -c "$one" "$BUILD/talker-pingpong" -t "$DEADLINE" --cpu two
    grep 'there are not so many CPUs for this process' taskset.err
}

@test "every method makes progress on one CPU" {
    requires taskset
    one=$(taskset -cp $$ | sed 's/.*: \([0-9]*\).*/\1/')
    for method in $methods; do
        start listener taskset -c "$one" "$BUILD/listener-pingpong" -t "$DEADLINE"
        shmid=$(shmid_of listener)
        ends 0 taskset -c "$one" "$BUILD/talker-pingpong" -t "$DEADLINE" --method "$method" --rounds 20
        finish listener 0
    done
}

@test "either side may start first" {
    start talker talker-pingpong --wait --rounds 20
    start listener listener-pingpong
    finish talker 0
    finish listener 0
}

@test "stray SIGUSR1 change nothing in any method" {
    for method in $methods; do
        hold_in "$method"
        for _ in {1..20}; do
            kill -USR1 "$listener_pid" "$talker_pid"
        done
        kill -CONT "$talker_pid"
        for _ in {1..20}; do
            kill -USR1 "$listener_pid" "$talker_pid" 2>/dev/null || :
        done
        finish talker 0
        finish listener 0
        nothing_is_left
    done
}

@test "a terminated listener leaves nothing in any method; the talker says so" {
    for method in $methods; do
        for signal in HUP INT TERM; do
            hold_in "$method"
            kill -s "$signal" "$listener_pid"
            finish listener $((128 + $(kill -l "$signal")))
            kill -CONT "$talker_pid"
            finish talker 3
            grep -x "talker-pingpong: the listener (PID $listener_pid) went away" talker.err
            nothing_is_left
        done
    done
}

@test "a terminated talker leaves nothing in any method; the listener says so" {
    for method in $methods; do
        start listener listener-pingpong --hold heard:10
        shmid=$(shmid_of listener)
        start talker talker-pingpong --method "$method" --rounds 300
        wait_for_state "$listener_pid" T
        kill -TERM "$talker_pid"
        finish talker 143
        kill -CONT "$listener_pid"
        finish listener 3
        grep -x "listener-pingpong: the talker (PID $talker_pid) went away" listener.err
        nothing_is_left
    done
}

@test "a survivor reports a killed side and cleans up, in any method" {
    for method in $methods; do
        hold_in "$method"
        kill -KILL "$talker_pid"
        finish talker 137
        finish listener 3
        grep -x "listener-pingpong: the talker (PID $talker_pid) went away" listener.err
        nothing_is_left

        hold_in "$method"
        kill -KILL "$listener_pid"
        finish listener 137
        kill -CONT "$talker_pid"
        finish talker 3
        grep -x "talker-pingpong: the listener (PID $listener_pid) went away" talker.err
        nothing_is_left
    done
}

@test "a listener killed before the talker opened its files leaves nothing" {
    for method in semaphore fifo; do
        start listener listener-pingpong --hold answered
        shmid=$(shmid_of listener)
        start talker talker-pingpong --method "$method" --rounds 300
        wait_for_state "$listener_pid" T
        kill -KILL "$listener_pid"
        finish listener 137
        finish talker 3
        nothing_is_left
    done
}

@test "a side that is stopped for a while is waited for, in any method" {
    for method in $methods; do
        start listener listener-pingpong
        shmid=$(shmid_of listener)
        start talker talker-pingpong --method "$method" --rounds 40 --hold heard:10
        wait_for_state "$talker_pid" T
        kill -STOP "$listener_pid"
        wait_for_state "$listener_pid" T
        kill -CONT "$talker_pid"
        sleep 0.3 # longer than a death takes to be noticed
        is_running "$talker_pid"
        kill -CONT "$listener_pid"
        finish talker 0
        finish listener 0
    done
}

@test "a wait for a stopped side ends at the timeout, and leaves nothing" {
    for method in $methods; do
        start listener listener-pingpong -t 1 # a busy machine may keep the talker from the CPU for a while
        shmid=$(shmid_of listener)
        start talker talker-pingpong --method "$method" --rounds 2000000 # for some seconds
        wait_for_line talker.out rounds
        kill -STOP "$talker_pid"
        finish listener 3
        grep -x "listener-pingpong: no word from the talker (PID $talker_pid) within 1 s: gave up" listener.err
        kill -CONT "$talker_pid"
        finish talker 3
        nothing_is_left
    done
}

@test "the next listener removes a dead pair's segment and semaphore set" {
    hold_in semaphore
    kill -KILL "$listener_pid" "$talker_pid"
    finish listener 137
    finish talker 137
    left=$(semaphore_sets)
    [ -n "$left" ]
    play semaphore
    grep -x "listener-pingpong: recovered: removed semaphore set $left, which a listener left behind" listener.err
    nothing_is_left
}

@test "a foreign semaphore set is not changed" {
    touch shmfile
    requires ipcrm
    requires_compiler "a semaphore set"
    cat >set.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <sys/sem.h>
int main(int count, char **argument)
{
    (void)count;
    return printf("%d\n", semget((key_t)strtoul(argument[1], NULL, 0), 2, IPC_CREAT | IPC_EXCL | 0600)) < 0;
}
END
    "${CC:-cc}" -o set set.c
    foreign=$(./set "$(key_of shmfile 1)")
    [ "$foreign" -ge 0 ]
    start listener listener-pingpong
    shmid=$(shmid_of listener)
    start talker talker-pingpong --method semaphore
    finish listener 1
    finish talker 3
    grep -E "belongs to a foreign semaphore set \(semid $foreign\)" listener.err
    [ "$(semaphore_sets)" = "$foreign" ]
    ipcrm -s "$foreign"
}

@test "a dead pair's FIFOs are used again; a file of that name is not" {
    mkfifo shmfile.1.to-talker shmfile.1.to-listener
    play fifo
    [ "$(grep -c 'recovered: uses shmfile.1.to-' listener.err)" -eq 2 ]
    nothing_is_left

    echo mine >shmfile.1.to-talker
    start listener listener-pingpong
    shmid=$(shmid_of listener)
    start talker talker-pingpong --method fifo
    finish listener 1
    grep 'mkfifo("shmfile.1.to-talker", 0600)' listener.err
    finish talker 3
    [ "$(cat shmfile.1.to-talker)" = mine ]
    rm shmfile.1.to-talker
    nothing_is_left
}

@test "a corrupt plan is not followed" {
    compile pingpong_corrupt
    for lie in 'method 7' 'method -1' 'cpu -2' 'spin -1' 'size 0' 'size 65537' 'warm_up -1' 'rounds 0'; do
        start listener listener-pingpong
        shmid=$(shmid_of listener)
        # shellcheck disable=SC2086 # two words
        start corrupter ./pingpong_corrupt "$shmid" $lie
        finish listener 1
        finish corrupter 0
        grep -E "^listener-pingpong: segment $shmid says that the .* is ${lie#* }: it has to be from " listener.err
        nothing_is_left
    done
}

@test "both sides report a message that belongs to another round" {
    compile pingpong_corrupt
    hold_in signal
    kill -STOP "$listener_pid" # otherwise it would overwrite the false value
    wait_for_state "$listener_pid" T
    ./pingpong_corrupt "$shmid" pong 10
    kill -CONT "$talker_pid"
    finish talker 1
    kill -CONT "$listener_pid"
    grep -x "talker-pingpong: round 10: the answer is not this round's" talker.err
    finish listener 3

    start listener listener-pingpong
    shmid=$(shmid_of listener)
    start corrupter ./pingpong_corrupt "$shmid" ping 1
    finish listener 1
    finish corrupter 0
    grep -x "listener-pingpong: round 1: the message is not this round's" listener.err
    nothing_is_left
}

@test "narration and strace show the same calls of each method" {
    requires_strace
    for method in semaphore fifo; do
        case $method in
            semaphore) calls='semget|semop' shown=semget,semop,semtimedop ;;
            fifo) calls='write' shown=write ;;
        esac
        start listener listener-pingpong
        shmid_of listener >shmid
        start talker strace -o calls -e trace="$shown" "$BUILD/talker-pingpong" -t "$DEADLINE" --method "$method" \
            --rounds 50 --trace trace
        finish talker 0
        finish listener 0
        awk -F '\t' -v calls="^($calls)[(]" '$5 == "call" && $6 ~ calls { sub(/[(].*/, "", $6); print $6 }' trace |
            sort | uniq -c >told
        [ -s told ]
        case $method in
            semaphore) # a tick interrupts the sleep; it continues, and is narrated once
                [ "$(awk '$2 == "semget" { print $1 }' told)" -eq "$(grep -c ^semget calls)" ]
                [ "$(grep -cE '^semop|^semtimedop' calls)" -ge 110 ]
                [ "$(awk '$2 == "semop" { print $1 }' told)" -ge 110 ] ;;
            fifo)
                [ "$(grep -c '^write([0-9]*, "!", 1)' calls)" -eq 55 ]
                [ "$(awk -F '\t' '$6 ~ /^write\([0-9]+, "!", 1\) = 1$/' trace | wc -l)" -eq 55 ] ;;
        esac
    done
}

@test "narration shows a sleep in sigwaitinfo, and who ended it" {
    start listener listener-pingpong --hold heard:20
    shmid=$(shmid_of listener)
    start talker talker-pingpong --method sigwait --rounds 50 --trace trace
    wait_for_state "$listener_pid" T
    wait_for_state "$talker_pid" S # without an answer it sleeps
    kill -CONT "$listener_pid"
    finish talker 0
    finish listener 0
    grep -E "sigwaitinfo\(\[HUP INT QUIT USR1 USR2 PIPE ALRM TERM XCPU VTALRM PROF IO\], \{si_signo=SIGUSR1, si_pid=$listener_pid\}\) = 10" trace
}
