# stream.bash - what the stream*.bats files share: set-up, ways to start both sides, and expectations.
# shellcheck shell=bash disable=SC2154,SC2034 # start sets NAME_pid; the tests read slot and shmid
#
# The listener's stdout is data, so its messages are in listener.err. Where a test needs a side at a known place,
# --hold stops it there, at `filled` or `written` (listener), at `room` or `loaded` (talker).

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

# ---- start

# As start, with redirections of the shell, such as '>&-'.
start_with() { # REDIRECTIONS NAME PROGRAM [ARGUMENT]...
    resolve "${@:3}"
    start "$2" sh -c "exec \"\$@\" $1" sh "${command[@]}"
}

listener_waits() {
    wait_for_line listener.err 'waiting for a talker .*shmid ([0-9]+)'
    shmid=${BASH_REMATCH[1]}
}

start_receiver() { # [OPTION]...
    start listener listener-stream "$@"
    listener_waits
}

# Passes FILE from a talker to a listener.
stream() { # FILE [LISTENER OPTION]...
    start_receiver "${@:2}"
    ends 0 talker-stream "${talker_options[@]}" <"$1"
    finish listener 0
    cmp "$1" listener.out
}

talker_options=()

# The talker is held at POINT, and the listener has started.
start_and_hold_talker() { # POINT [LISTENER OPTION]...
    start_receiver "${@:2}"
    start_held talker "$1" talker-stream <"$random"
}

start_and_hold_listener() { # POINT [LISTENER OPTION]...
    start_receiver --hold "$@"
    start talker talker-stream <"$random"
    wait_for_state "$listener_pid" T
}

# The listener writes to a fifo, whose reader is stopped at once.
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

send_on_until_gone() { # PID
    kill -CONT "$1" 2>/dev/null || :
    is_gone "$1"
}

# The talker has read BYTES of its stdin, a file.
has_read() { # BYTES
    [ "$(awk '$1 == "pos:" { print $2 }' "/proc/$talker_pid/fdinfo/0")" -eq "$1" ]
}

# ---- expectations

# The listener reports the break, and has exactly the first BYTES.
broke_off_after() { # BYTES WHY
    grep -Ex "listener-stream: stream broke off after $1 bytes: $2" listener.err
    has_size listener.out "$1"
    head -c "$1" "$random" | cmp - listener.out
}

# The last line of FILE is the closing line of a complete transfer.
closes_with() { # FILE 'SIDE: VERB' BYTES
    local rate='' # less than 16 MiB says nothing about the rate
    [ "$3" -lt 16777216 ] || rate=' \([0-9]+\.[0-9]{2} GiB/s\)'
    tail -n 1 "$1" | grep -Ex \
        "$2 $3 bytes in [0-9]+\.[0-9]{3} s$rate, signals sent: [0-9]+, slept: [0-9]+"
}

# The number after WORD in the closing line.
in_closing_line() { # FILE WORD
    sed -nE "s/^(talker|listener): (sent|received) .*$2: ([0-9]+).*/\3/p" "$1"
}

