#!/usr/bin/env bats
# stream.bats - any amount of data through one segment: it arrives whole, or it is told that it did not.
# shellcheck disable=SC2154 # start sets NAME_pid
#
# The listener's stdout is data, so what it says is in listener.err. Where a test needs a side to be at a known place,
# --hold stops it there; its own points are `filled` and `written` (the listener's), `room` and `loaded` (the talker's).

load helpers

slot=262144 # bytes, as by default

setup_file() {
    head -c 4194304 /dev/urandom >"$BATS_FILE_TMPDIR/random" # 16 slots
}

setup() {
    common_setup
    random=$BATS_FILE_TMPDIR/random
}

teardown() {
    exec 7>&-
    ! mountpoint -q full 2>/dev/null || umount full
    common_teardown
}

# ---- how tests begin

# As start, with redirections of the shell's, such as '>&-'.
start_with() { # REDIRECTIONS NAME PROGRAM [ARGUMENT]...
    resolve "${@:3}"
    start "$2" sh -c "exec \"\$@\" $1" sh "${command[@]}"
}

listener_waits() {
    wait_for_line listener.err 'waiting for a talker'
    shmid=$(sed -n 's/.*waiting for a talker .*shmid \([0-9]*\).*/\1/p' listener.err)
}

start_receiver() { # [OPTION]...
    start listener listener-stream "$@"
    listener_waits
}

# FILE from a talker to a listener.
stream() { # FILE [LISTENER OPTION]...
    start_receiver "${@:2}"
    ends 0 talker-stream "${talker_options[@]}" <"$1"
    finish listener 0
    cmp "$1" listener.out
}

talker_options=()

# NAME is held at POINT.
start_held() { # NAME POINT PROGRAM [ARGUMENT]...
    local pid=$1_pid
    start "$1" "$3" --hold "$2" "${@:4}"
    wait_for_state "${!pid}" T
}

# The talker is held at POINT, and the listener has begun. From a pipe, if `fed` is set.
start_and_hold_talker() { # POINT [LISTENER OPTION]...
    start_receiver "${@:2}"
    start_held talker "$1" talker-stream <"$random"
}

start_and_hold_listener() { # POINT [LISTENER OPTION]...
    start_receiver --hold "$@"
    start talker talker-stream <"$random"
    wait_for_state "$listener_pid" T
}

# The output goes to a fifo; who reads it is stopped at once.
start_receiver_of_reader() { # READER...
    mkfifo out
    start reader sh -c 'exec <out "$@"' sh "$@"
    start_with '>out' listener listener-stream "${options[@]}"
    listener_waits
    kill -STOP "$reader_pid"
    wait_for_state "$reader_pid" T
}

options=()

has_size() { # FILE BYTES
    [ "$(stat -c %s "$1")" -eq "$2" ]
}

wait_for_size() { # FILE BYTES
    until_true has_size "$@" || fail "waited $DEADLINE s for $2 bytes in $1, it has $(stat -c %s "$1")"
}

is_asleep_or_gone() { # PID
    in_state "$1" S || is_gone "$1"
}

# How far the talker has read in its stdin, a file.
has_read() { # BYTES
    [ "$(awk '$1 == "pos:" { print $2 }' "/proc/$talker_pid/fdinfo/0")" -eq "$1" ]
}

# ---- what tests expect

# The listener knows that it has not all, and what it has is the beginning, to the byte.
broke_off_after() { # BYTES WHY
    grep -Ex "listener-stream: stream broke off after $1 bytes: $2" listener.err
    has_size listener.out "$1"
    head -c "$1" "$random" | cmp - listener.out
}

is_removed() { # SHMID
    ! segment_exists "$1" || fail "segment $1 is still there: $(segment_line "$1")"
}

# The last line of FILE is how a side says that all was done.
closes_with() { # FILE 'SIDE: VERB' BYTES
    tail -n 1 "$1" | grep -Ex \
        "$2 $3 bytes in [0-9]+\.[0-9]{3} s \([0-9]+\.[0-9]{2} GiB/s\), signals sent: [0-9]+, slept: [0-9]+"
}

# What is said in the closing line behind WORD.
told_at_the_end() { # FILE WORD
    sed -nE "s/^(talker|listener): (sent|received) .*$2: ([0-9]+).*/\3/p" "$1"
}

requires_liar() {
    command -v "${CC:-cc}" >/dev/null || skip "no C compiler for tests/stream_liar.c"
    liar=$BATS_TEST_TMPDIR/stream_liar
    "${CC:-cc}" -std=c11 -D_XOPEN_SOURCE=700 -o "$liar" "$BATS_TEST_DIRNAME/stream_liar.c"
}

# ---- it arrives whole

@test "no byte, one, a slot less one, a slot, a slot and one, 64 MiB: what arrives is what was sent" {
    for bytes in 0 1 $((slot - 1)) "$slot" $((slot + 1)); do
        head -c "$bytes" "$random" >data
        stream data
        closes_with talker.err 'talker: sent' "$bytes"
        closes_with listener.err 'listener: received' "$bytes"
        is_removed "$shmid"
    done
    for _ in {1..16}; do cat "$random"; done >data
    stream data
    closes_with listener.err 'listener: received' 67108864
}

@test "slots from one page up, and from one to 1024 of them" {
    page=$(getconf PAGESIZE)
    for shape in "1 $page" "2 $page" "8 $page" "1024 $page" "3 $((2 * page))" "1 1048576" "8 1048576" "3 $((128 * page))"; do
        stream "$random" --slots "${shape% *}" --slot-size "${shape#* }"
        head -c $((2 * ${shape#* } + 1)) "$random" >data
        stream data --slots "${shape% *}" --slot-size "${shape#* }"
    done
}

@test "it makes no difference how long either spins before it sleeps" {
    for ours in 0 50 100000; do
        for theirs in 0 50 100000; do
            talker_options=(--spin "$theirs")
            stream "$random" --spin "$ours" --slot-size 4096
        done
    done
}

@test "on one CPU, whether one would spin or not" {
    requires taskset
    cpu=$(taskset -cp $$ | sed -E 's/.*: ([0-9]+).*/\1/')
    for spin in 0 50; do
        for side in listener talker; do
            resolve "$side-stream" --spin "$spin"
            start "$side" taskset -c "$cpu" "${command[@]}" <"$random"
            [ "$side" = talker ] || listener_waits
        done
        finish talker 0
        finish listener 0
        cmp "$random" listener.out
    done
}

@test "through pipes on both ends" {
    mkfifo in out
    start feeder sh -c 'exec cat "$1" >in' sh "$random"
    start reader sh -c 'exec cat <out'
    start_with '>out' listener listener-stream
    listener_waits
    start_with '<in' talker talker-stream
    for name in feeder talker listener reader; do
        finish "$name" 0
    done
    cmp "$random" reader.out
}

@test "more than 4 GiB: no count is cut to 32 bits" {
    truncate -s 4G data || skip "no file of 4 GiB here"
    echo x >>data
    start_with '>/dev/null' listener listener-stream
    listener_waits
    DEADLINE=60
    ends 0 talker-stream <data
    finish listener 0
    closes_with talker.err 'talker: sent' 4294967298
    closes_with listener.err 'listener: received' 4294967298
}

@test "the talker may be first, if it waits" {
    start talker talker-stream --wait -v <"$random"
    wait_for_line talker.err 'sigsuspend'
    start_receiver
    finish talker 0
    finish listener 0
    cmp "$random" listener.out
}

@test "typed on a terminal, to its end" {
    requires_terminal
    start_receiver
    resolve talker-stream
    start_with '' talker script -qec "${command[*]}" typescript < <(printf 'one\ntwo\n' && until_true has_size listener.out 8)
    finish talker 0
    finish listener 0
    expect_lines listener.out one two
}

# ---- slow, stopped, disturbed

@test "a reader that takes nothing for a while: the talker fills the ring, and no more" {
    options=(--slots 3 --slot-size 131072) # a pipe holds less than a slot
    start_receiver_of_reader cat
    start talker talker-stream <"$random"
    until_true has_read $((3 * 131072)) || fail "waited for the ring to be filled"
    kill -CONT "$reader_pid"
    for name in talker listener reader; do
        finish "$name" 0
    done
    cmp "$random" reader.out
}

@test "a reader that takes little at a time, and is stopped again and again" {
    start_receiver_of_reader dd bs=333
    start talker talker-stream <"$random"
    while is_running "$listener_pid"; do
        kill -CONT "$reader_pid" || is_gone "$reader_pid"
        until_true is_asleep_or_gone "$listener_pid"
        kill -STOP "$reader_pid" || is_gone "$reader_pid"
    done
    kill -CONT "$reader_pid" || is_gone "$reader_pid"
    for name in talker listener reader; do
        finish "$name" 0
    done
    cmp "$random" reader.out
}

@test "a writer that is slow: each piece is passed on as it comes" {
    mkfifo in
    exec 7<>in
    start_receiver
    start talker talker-stream <in
    bytes=0
    for piece in 1 10 4096 65536 7; do
        tail -c +$((bytes + 1)) "$random" | head -c "$piece" >&7
        bytes=$((bytes + piece))
        wait_for_size listener.out "$bytes"
    done
    exec 7>&-
    finish talker 0
    finish listener 0
    cmp -n "$bytes" "$random" listener.out
    closes_with listener.err 'listener: received' "$bytes"
}

@test "stdin and stdout that do not block are waited for" {
    requires python3
    mkfifo in out
    exec 7<>in
    start reader sh -c 'exec cat <out'
    nonblocking='import os, sys; os.set_blocking(int(sys.argv[1]), False); os.execv(sys.argv[2], sys.argv[2:])'
    resolve listener-stream
    start_with '>out' listener python3 -c "$nonblocking" 1 "${command[@]}"
    listener_waits
    kill -STOP "$reader_pid"
    resolve talker-stream
    start talker python3 -c "$nonblocking" 0 "${command[@]}" <in
    cat "$random" >&7 & # more than pipes and ring hold
    feeder_pid=$!
    wait_for_state "$feeder_pid" S
    kill -CONT "$reader_pid"
    finish feeder 0 </dev/null
    exec 7>&-
    for name in talker listener reader; do
        finish "$name" 0
    done
    cmp "$random" reader.out
}

@test "stopped for a while on either side, and sent on: nothing is lost" {
    for side in listener talker; do
        start_receiver --slot-size 4096
        start talker talker-stream <"$random"
        pid=${side}_pid
        kill -STOP "${!pid}"
        sleep 0.4 # twice as long as a dead one takes to be noticed
        kill -CONT "${!pid}"
        finish talker 0
        finish listener 0
        cmp "$random" listener.out
    done
}

@test "signals that nobody asked for, thousands of them, change nothing" {
    command -v "${CC:-cc}" >/dev/null || skip "no C compiler for tests/storm.c"
    "${CC:-cc}" -o storm "$BATS_TEST_DIRNAME/storm.c"
    for _ in {1..4}; do cat "$random"; done >data
    start_receiver --slot-size 4096
    start_held talker room:2 talker-stream <data
    start storm ./storm "$(kill -l USR1),$(kill -l ALRM)" "$listener_pid" "$talker_pid"
    wait_for_line storm.out 'it blows'
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
    finish storm 0
    cmp data listener.out
}

# ---- timeouts

@test "no time runs out while the other side is held on purpose" {
    start_and_hold_talker loaded:3 --timeout 1.5
    sleep 2 # longer than its timeout
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
    cmp "$random" listener.out

    start_receiver --hold written:3
    start talker talker-stream --timeout 1.5 <"$random"
    wait_for_state "$listener_pid" T
    sleep 2
    kill -CONT "$listener_pid"
    finish talker 0
    finish listener 0
    cmp "$random" listener.out
}

@test "a timeout counts from what came last" {
    mkfifo in
    exec 7<>in
    start_receiver --timeout 2
    start talker talker-stream --timeout 2 <in
    for piece in 1 2 3; do
        sleep 0.8 # together longer than the timeout
        head -c 1 "$random" >&7
        wait_for_size listener.out "$piece"
    done
    exec 7>&-
    finish talker 0
    finish listener 0
}

@test "the last slots may take longer together than the timeout, if each is in time" {
    mkfifo out
    exec 7<>out
    head -c $((3 * slot)) "$random" >data
    start_with '>out' listener listener-stream
    listener_waits
    start talker talker-stream --timeout 2 <data
    for _ in 1 2 3; do
        sleep 0.8
        head -c "$slot" <&7 >>copy
    done
    finish talker 0
    finish listener 0
    cmp data copy
}

@test "a talker that says nothing for too long: the listener has told what it has, and ends with 3" {
    mkfifo in
    exec 7<>in
    head -c 1000 "$random" >&7
    start_receiver --timeout 1.5
    start talker talker-stream <in
    finish listener 3
    broke_off_after 1000 "no word from the talker \(PID $talker_pid\) within 1.5 seconds"
    finish talker 3
    grep -x "talker-stream: the listener (PID $listener_pid) went away" talker.err
}

@test "a stdin that says nothing for too long is not taken for a silent listener" {
    mkfifo in
    exec 7<>in
    head -c 1000 "$random" >&7
    start_receiver
    start talker talker-stream --timeout 1 <in
    finish talker 3
    expect_lines talker.err 'talker-stream: nothing came on stdin within 1 seconds, after 1000 bytes: gave up'
    finish listener 3
    broke_off_after 1000 "the talker \(PID $talker_pid\) went away"
}

@test "a stdout that takes nothing for too long" {
    options=(--timeout 1.5)
    start_receiver_of_reader cat
    start talker talker-stream <"$random"
    finish listener 3
    bytes=$(sed -nE 's/^listener-stream: stdout took nothing within 1.5 seconds, after ([0-9]+) bytes: gave up$/\1/p' listener.err)
    finish talker 3
    kill -CONT "$reader_pid"
    finish reader 0
    has_size reader.out "$bytes"
}

# ---- it does not arrive

@test "a talker that is killed: the listener has what was passed on, to the byte, and ends with 3" {
    for nth in 2 3 10; do
        start_and_hold_talker "loaded:$nth"
        wait_for_size listener.out $(((nth - 1) * slot))
        kill -KILL "$talker_pid"
        finish talker 137
        finish listener 3
        broke_off_after $(((nth - 1) * slot)) "the talker \(PID $talker_pid\) went away"
        is_removed "$shmid"
    done
}

@test "a listener that is killed: the talker ends with 3, and removes what was left" {
    for nth in 1 2 10; do
        start_and_hold_listener "written:$nth"
        kill -KILL "$listener_pid"
        finish listener 137
        finish talker 3
        expect_lines talker.err "talker-stream: the listener (PID $listener_pid) went away"
        is_removed "$shmid"
        has_size listener.out $((nth * slot))
    done
}

@test "both killed: the next listener removes what they left" {
    start_and_hold_listener written
    kill -STOP "$talker_pid"
    kill -KILL "$listener_pid" "$talker_pid"
    finish listener 137
    finish talker 137
    segment_exists "$shmid"
    left=$shmid
    stream "$random"
    grep -x "listener-stream: recovered: removed segment $left, which PID [0-9]* left behind" listener.err
    is_removed "$left"
}

@test "SIGINT, SIGTERM or SIGHUP ends a side, and the other knows that it is not all" {
    for signal in INT TERM HUP; do
        start_and_hold_talker loaded:3
        wait_for_size listener.out $((2 * slot))
        kill -s "$signal" "$talker_pid"
        kill -CONT "$talker_pid"
        finish talker $((128 + $(kill -l "$signal")))
        finish listener 3
        broke_off_after $((3 * slot)) "the talker \(PID $talker_pid\) went away" # the one that was loaded still goes
        is_removed "$shmid"

        start_and_hold_listener written:3
        kill -s "$signal" "$listener_pid"
        kill -CONT "$listener_pid"
        finish listener $((128 + $(kill -l "$signal")))
        finish talker 3
        grep -x "talker-stream: the listener (PID $listener_pid) went away" talker.err
        is_removed "$shmid"
    done
}

@test "SIGTERM ends a talker that waits for input, and a listener that waits for its reader" {
    mkfifo in
    exec 7<>in
    start_receiver
    start talker talker-stream <in
    echo word >&7
    wait_for_size listener.out 5
    stop talker
    finish listener 3

    start_receiver_of_reader cat
    start talker talker-stream <"$random"
    until_true has_read $((8 * slot))
    stop listener
    finish talker 3
    kill -CONT "$reader_pid"
    finish reader 0
}

@test "SIGTERM ends a talker whose input somebody else has taken away" {
    requires_strace
    mkfifo in
    exec 7<>in
    start_receiver
    resolve talker-stream
    # As if there were something to read, whenever it asks.
    start tracer strace -f -o talker.strace -e trace=pselect6,read -e inject=pselect6:retval=1 "${command[@]}" <in
    wait_for_line talker.strace ' read\(0, '
    kill -TERM "$(sed -nE 's/^([0-9]+) +read\(0, .*/\1/p' talker.strace | head -n 1)"
    finish tracer 143
    finish listener 3
}

@test "a full disk: the listener ends with 1 and says how far it came, the talker with 1 and says why" {
    [ -c /dev/full ] || skip "no /dev/full here"
    start_with '>/dev/full' listener listener-stream
    listener_waits
    start talker talker-stream <"$random"
    finish listener 1
    grep -x 'listener-stream: write to stdout, after 0 bytes: No space left on device' listener.err
    finish talker 1
    expect_lines talker.err "talker-stream: the listener (PID $listener_pid) cannot write: No space left on device"
    is_removed "$shmid"
}

@test "a disk that is full after a mebibyte: what was written is there, and no more is claimed" {
    mkdir full
    mount -t tmpfs -o size=1m tmpfs full 2>/dev/null || skip "no file system can be mounted here"
    start_with '>full/copy' listener listener-stream
    listener_waits
    start talker talker-stream <"$random"
    finish listener 1
    bytes=$(stat -c %s full/copy)
    [ "$bytes" -gt 0 ]
    grep -x "listener-stream: write to stdout, after $bytes bytes: No space left on device" listener.err
    finish talker 1
    grep 'cannot write: No space left on device$' talker.err
    cmp -n "$bytes" "$random" full/copy
}

@test "a full disk is told at once to a talker that waits for input" {
    [ -c /dev/full ] || skip "no /dev/full here"
    mkfifo in
    exec 7<>in
    start_with '>/dev/full' listener listener-stream
    listener_waits
    start talker talker-stream <in
    echo word >&7
    finish listener 1
    finish talker 1
    grep 'cannot write: No space left on device$' talker.err
}

@test "a reader that has had enough: the listener dies of SIGPIPE, the talker says so" {
    mkfifo out
    start reader sh -c 'exec head -c 10 <out'
    start_with '>out' listener listener-stream
    listener_waits
    start talker talker-stream <"$random"
    finish listener 141
    [ "$(wc -l <listener.err)" -eq 1 ] # it waits
    finish talker 1
    expect_lines talker.err "talker-stream: the listener (PID $listener_pid) cannot write: Broken pipe"
    finish reader 0
    cmp -n 10 "$random" reader.out
    is_removed "$shmid"
}

@test "without a stdout nothing was written, not even no byte" {
    for file in "$random" /dev/null; do
        call='write to' && [ -s "$file" ] || call=close
        start_with '>&-' listener listener-stream
        listener_waits
        start talker talker-stream <"$file"
        finish listener 1
        grep -x "listener-stream: $call stdout, after 0 bytes: Bad file descriptor" listener.err
        finish talker 1
        grep 'cannot write: Bad file descriptor$' talker.err
    done
}

@test "what only close(2) tells of the data is no success" {
    requires_strace
    resolve listener-stream
    start listener strace -o listener.strace -P "$PWD/listener.out" -e trace=close -e inject=close:error=EIO "${command[@]}"
    listener_waits
    start talker talker-stream <"$random"
    finish listener 1
    grep -x "listener-stream: close stdout, after 4194304 bytes: Input/output error" listener.err
    finish talker 1
    grep 'cannot write: Input/output error$' talker.err
}

@test "without a stdin, with a directory, or where reading fails in the middle, it is no end of the data" {
    start_receiver
    start_with '<&-' talker talker-stream
    finish talker 1
    expect_lines talker.err 'talker-stream: fstat of stdin: Bad file descriptor'
    finish listener 3

    start_receiver
    start talker talker-stream <.
    finish talker 1
    expect_lines talker.err 'talker-stream: read from stdin, after 0 bytes: Is a directory'
    finish listener 3
    has_size listener.out 0
}

@test "a disk that fails in the middle of the input" {
    requires_strace
    start_receiver
    resolve talker-stream -v --hold room:3
    start talker strace -o talker.strace -P "$random" -e trace=read -e inject=read:error=EIO:when=3 "${command[@]}" <"$random"
    wait_for_line talker.err 'stopped before room'
    wait_for_size listener.out $((2 * slot))
    pid=$(sed -nE 's/.* stopped before .*-CONT ([0-9]+)".*/\1/p' talker.err)
    until_true send_on_until_gone "$pid" # traced and stopped, its state would not tell
    finish talker 1
    grep -Fx "talker-stream: read from stdin, after $((2 * slot)) bytes: Input/output error" talker.err
    finish listener 3
    broke_off_after $((2 * slot)) "the talker \(PID $pid\) went away"
}

# ---- who is there

@test "no listener: the talker ends with 3, and reads nothing" {
    refuses 3 'no listener|start the listener' talker-stream
    touch shmfile
    refuses 3 'no listener' talker-stream
    refuses 3 'no listener within 0.2 seconds' talker-stream --wait --timeout 0.2
}

@test "a second talker is one too many, and takes nothing from the first; so is a second listener" {
    start_and_hold_talker room:2
    refuses 4 "busy: PID $talker_pid is the talker already" talker-stream
    refuses 4 "busy: PID $listener_pid is listening" listener-stream
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
    cmp "$random" listener.out
}

@test "the segment of another lesson is refused, and ours by another lesson" {
    start listener listener-handshake
    wait_for_line listener.out 'waiting for a talker'
    refuses 1 'belongs to the listener of another lesson' talker-stream
    ends 0 talker-handshake
    finish listener 0

    start_receiver
    refuses 1 'belongs to the listener of another lesson' talker-offset
    ends 0 talker-stream
    finish listener 0
}

# ---- what the segment says is not believed

@test "slots that cannot be: the talker says so, and reads nothing" {
    requires_liar
    page=$(getconf PAGESIZE)
    for lie in 'slots 0' 'slots 1025' 'slots 9' 'slots 18446744073709551615' 'slot_size 0' 'slot_size 1' \
        "slot_size $((slot + page))" "slot_size $((slot - 1))" 'slot_size 18446744073709547520' \
        'slots 1024 slot_size 18014398509481984'; do
        start_receiver
        # shellcheck disable=SC2086 # words
        "$liar" "$shmid" $lie
        start talker talker-stream <"$random"
        finish talker 1
        grep -Ex "talker-stream: shmid $shmid says that it has [0-9]+ slots of [0-9]+ bytes, in [0-9]+: it is broken" talker.err
        [ "$(wc -l <talker.err)" -eq 1 ]
        finish listener 3
        has_size listener.out 0
    done
}

@test "counts and lengths that cannot be: the listener says so, and writes no more" {
    requires_liar
    # The talker has passed on two slots.
    for lie in 'head 1' 'head 0' 'head 11' 'head 18446744073709551615' "length[2] $((slot + 1)) head 3" \
        'length[2] 18446744073709551615 head 3'; do
        start_and_hold_talker room:3
        wait_for_size listener.out $((2 * slot))
        # shellcheck disable=SC2086 # words
        "$liar" "$shmid" $lie
        finish listener 1
        grep -Ex "listener-stream: shmid $shmid says that slot 2 holds [0-9]+ bytes, and [0-9]+ are filled: it is broken" listener.err
        has_size listener.out $((2 * slot))
        kill -CONT "$talker_pid"
        finish talker 3
    done
}

@test "a count of the listener's that cannot be: the talker says so" {
    requires_liar
    for lie in 9 100 9223372036854775808 18446744073709551615; do
        start_receiver --hold filled
        start talker talker-stream <"$random"
        wait_for_state "$listener_pid" T
        until_true has_read $((8 * slot))
        "$liar" "$shmid" tail "$lie"
        finish talker 1
        grep -Ex "talker-stream: shmid $shmid says that [0-9]+ slots of 8 are filled: it is broken" talker.err
        kill -CONT "$listener_pid"
        finish listener 3
    done
}

@test "an errno that is none is told as well" {
    requires_liar
    for lie in 2147483647 4294967295; do
        start_and_hold_listener filled
        "$liar" "$shmid" refused "$lie"
        finish talker 1
        grep -E "^talker-stream: the listener \(PID $listener_pid\) cannot write: .+" talker.err
        kill -CONT "$listener_pid"
        finish listener 3
    done
}

@test "what is for show, or saves a signal, may be any number: all arrives" {
    requires_liar
    for lie in 'asleep 1' 'asleep -1 cpu -1' 'cpu 1' 'asleep 2147483647 cpu 2147483647'; do
        start_receiver --spin 20
        start_held talker room:2 talker-stream --spin 20 <"$random"
        # shellcheck disable=SC2086 # words
        "$liar" "$shmid" $lie expected 18446744073709551615
        kill -CONT "$talker_pid"
        finish talker 0
        finish listener 0
        cmp "$random" listener.out
    done
}

# ---- what is told

@test "each side says two lines at most, and nothing on the talker's stdout" {
    stream "$random"
    expect_lines talker.out
    [ "$(wc -l <talker.err)" -eq 1 ]
    [ "$(wc -l <listener.err)" -eq 2 ]
    sed -n 1p listener.err |
        grep -Ex "listener: waiting for a talker \(pid $listener_pid, key $(key_of shmfile 1), shmid $shmid\)"
}

@test "--progress: bytes and rate, and where the size is known the share and the time left" {
    stream "$random" # too fast for a line
    run ! grep /s, listener.err
    start_receiver --progress
    start_held talker loaded:8 talker-stream --progress <"$random"
    sleep 1.1 # a line is due after a second
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
    for side in talker listener; do
        grep -Ex "$side: 2\.0 MiB, [0-9.]+ [KM]iB/s, 50%, [0-9]+ s left" "$side.err"
        run ! grep $'\r' "$side.err"
    done

    mkfifo in
    exec 7<>in
    start_receiver
    echo word >&7
    start_held talker loaded talker-stream --progress <in
    sleep 1.1
    kill -CONT "$talker_pid"
    exec 7>&-
    finish talker 0
    finish listener 0
    grep -Ex "talker: 5 bytes, [0-9]+ bytes/s" talker.err
    [ "$(wc -l <listener.err)" -eq 2 ]
}

# On a terminal, which typescript records, and fed by the test.
start_on_terminal() { # [TALKER OPTION]...
    requires_terminal
    start_receiver
    resolve talker-stream "$@"
    mkfifo in
    exec 7<>in
    echo 'echo $$ >talker.pid; exec '"${command[*]} <in" >run.sh
    # exec: the shell that script(1) takes must not stay, some tell on the terminal by which signal a child died.
    start terminal script -qefc 'exec sh run.sh' typescript </dev/null
}

line_is_shown() {
    until_true feeds_until_shown || fail "waited for a line of progress"
}

feeds_until_shown() {
    echo word >&7
    grep -q 'bytes/s' typescript
}

# What a terminal shows in the end: of each row only what was not written over.
screen() {
    sed '1{/^Script started/d}; ${/^Script done/d}' typescript | awk -v RS='\n' '
        {
            sub(/\r+$/, "")
            count = split($0, parts, "\r")
            row = ""
            for (i = 1; i <= count; i++)
                row = parts[i] substr(row, length(parts[i]) + 1)
            sub(/ +$/, "", row)
            if (row != "") print row
        }'
}

@test "on a terminal the line is renewed in place, and the closing line takes it" {
    start_on_terminal
    line_is_shown
    exec 7>&-
    finish terminal 0
    finish listener 0
    [ "$(grep -c 'bytes/s' typescript)" -eq 1 ]
    screen >shown
    [ "$(wc -l <shown)" -eq 1 ] || fail "shown is:" "$(cat shown)"
    grep -E '^talker: sent [0-9]+ bytes in ' shown
}

@test "nothing of the line is left on a terminal when it breaks off, nor when a signal ends it" {
    start_on_terminal
    line_is_shown
    kill -KILL "$listener_pid"
    finish listener 137
    finish terminal 3
    screen | expect_lines - "talker-stream: the listener (PID $listener_pid) went away"

    rm typescript in
    start_on_terminal
    line_is_shown
    kill -TERM "$(cat talker.pid)"
    finish listener 3
    finish terminal 143
    screen | expect_lines -
}

@test "a terminal that is narrated on shows no line beside it" {
    start_on_terminal -v
    echo one >&7
    wait_for_size listener.out 4
    sleep 0.3 # a line would be due after 0.2 s
    echo two >&7
    wait_for_size listener.out 8
    exec 7>&-
    finish terminal 0
    finish listener 0
    grep -F 'read(0, "two\n"' typescript
    run ! grep 'bytes/s' typescript
}

# The calls that strace and the narration have in common, as strace shows them.
narrated_calls() { # NAME
    sed -nE 's/^[a-z_-]+\[[0-9]+\] ((shm[a-z]+|kill)\(.*)/\1/p' "$1.err"
}

straced_calls() { # NAME
    sed -nE 's/^((shm[a-z]+|kill)\(.*\)) += /\1 = /p' "$1.strace"
}

start_straced() { # NAME [OPTION]...
    resolve "$1-stream" "${@:2}"
    start "$1" strace -o "$1.strace" -e trace=shmget,shmat,shmdt,shmctl,kill,rt_sigsuspend "${command[@]}"
}

@test "the calls that -v tells are those that strace sees; signals and sleeps are as many as the last line says" {
    requires_strace
    start_straced listener -v
    listener_waits
    start_straced talker -v <"$random"
    finish talker 0
    finish listener 0
    cmp "$random" listener.out
    for side in listener talker; do
        diff <(narrated_calls "$side") <(straced_calls "$side") || fail "$side: told (<), strace (>)"
        [ "$(grep -c '^rt_sigsuspend' "$side.strace")" -ge "$(told_at_the_end "$side.err" slept)" ]
    done
    [ "$(grep -c '^kill(.*SIGUSR1' listener.strace)" -eq "$(told_at_the_end listener.err 'signals sent')" ]
    met=1 # the talker rings once to say that it is there
    [ "$(grep -c '^kill(.*SIGUSR1' talker.strace)" -eq $((met + $(told_at_the_end talker.err 'signals sent'))) ]
}

@test "who has something to do does not sleep: a ring of slots is slept for once, not slot by slot" {
    for _ in {1..4}; do cat "$random"; done >data
    stream data --slots 64 --slot-size 4096
    slots=4096
    for side in listener talker; do
        [ "$(told_at_the_end "$side.err" slept)" -lt $((slots / 2)) ]
        [ "$(told_at_the_end "$side.err" 'signals sent')" -lt $((slots / 2)) ]
    done
}

# Each sentence that SOURCE explains itself with.
explanations() { # SOURCE
    tr '\n' ' ' <"$1" | sed -E 's/" +"//g' | grep -oE '\<explain\( *"[^"]*"' | sed -E 's/[^"]*"(.*)"/\1/' | sort -u
}

@test "--explain tells each sentence of the source, but for the refusal, and --step takes both through" {
    head -c $((2 * slot)) "$random" >data
    start listener listener-stream --step --explain
    until grep -q waiting listener.err; do send_on "$listener_pid"; done
    start talker talker-stream --step --explain <data
    while is_running "$talker_pid" || is_running "$listener_pid"; do
        send_on "$talker_pid"
        send_on "$listener_pid"
    done
    finish talker 0
    finish listener 0
    cmp data listener.out
    for side in listener talker; do
        sed -n 's/^[^ ]* # //p' "$side.err" | sort -u |
            diff <(explanations "$ROOT/$side/stream.c" | grep -v '^say why, and ring') -
    done
}

send_on_until_gone() { # PID
    kill -CONT "$1" 2>/dev/null || :
    is_gone "$1"
}

send_on() { # PID
    if in_state "$1" T; then kill -CONT "$1"; else sleep 0.01; fi
}

@test "each point that --help lists is passed, and told" {
    talker_options=(-v)
    stream "$random" -v
    for side in talker listener; do
        points=$("$BUILD/$side-stream" --help | sed -n 's/^POINT is .*one of: //p')
        [ -n "$points" ]
        for point in $points; do
            grep -F "] point $point" "$side.err" || fail "$side never came by $point"
        done
    done
}

@test "a read or a write that waits is told once, not at each tick" {
    mkfifo in
    exec 7<>in
    start_receiver
    start talker talker-stream -v <in
    sleep 0.3 # six ticks
    echo word >&7
    wait_for_size listener.out 5
    exec 7>&-
    finish talker 0
    finish listener 0
    [ "$(grep -c '] read(0, .* = -1 EINTR' talker.err)" -le 3 ] # once, and again where SIGUSR1 was told in between
    grep -F '] read(0, "word\n", 262144) = 5' talker.err
}

# ---- the command line

@test "slots that are not whole pages, none, too many: usage, with the value" {
    for size in 1 4095 262145 6000; do
        refuses 2 "^listener-stream: --slot-size: $size is not a whole number of pages" listener-stream --slot-size "$size"
    done
    refuses 2 "^listener-stream: --slots: '0' is not a whole number from 1 to 1024" listener-stream --slots 0
    refuses 2 "^listener-stream: --slots: '1025' " listener-stream --slots 1025
    refuses 2 "^listener-stream: --slot-size: '0' " listener-stream --slot-size 0
    refuses 2 "^talker-stream: --spin: '-1' " talker-stream --spin -1
    refuses 2 "^talker-stream: unexpected operand 'data'" talker-stream data
    [ ! -e shmfile ]
}

@test "more than there is memory: the line says what to do" {
    refuses 1 '^listener-stream: shmget\(.*choose a smaller size' listener-stream --slots 1024 --slot-size 1073741824
}

@test "--huge: the ring lies on huge pages, or the line says what to do" {
    [ -r /proc/meminfo ] || skip "no /proc/meminfo here"
    requires flock
    exec 9</proc/sys/vm/nr_hugepages
    flock -w 60 9 || fail "waited 60 s for /proc/sys/vm/nr_hugepages, which another test holds"
    start listener listener-stream --huge
    until_true is_waiting_or_gone
    if is_running "$listener_pid"; then
        listener_waits
        ends 0 talker-stream <"$random"
        finish listener 0
        cmp "$random" listener.out
    else
        finish listener 1
        grep -E '^listener-stream: shmget\(.*as root[:,] sysctl vm\.(nr_hugepages|hugetlb_shm_group)=' listener.err
    fi
}

is_waiting_or_gone() {
    grep -q waiting listener.err || is_gone "$listener_pid"
}
