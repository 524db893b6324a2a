# lib.sh - shared by the parts of the torture: the pairs under test, the workers that run the cases, and the last line.
# shellcheck shell=sh disable=SC2034 # the parts use what is set here
#
# A part sources it, writes its cases to the file `cases`, one a line, and ends with:
#
#     run_cases WORKERS          calls `one_case CASE` for each; each worker has a directory of its own
#     close_part
#
# one_case reports each failure with `found`, and counts with `count`. Its files are in the worker's directory: the key
# file shmfile, and the files that duet writes (tests/run_conversation.c).

export LC_ALL=C
PART=${0##*/}
TORTURE=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
TESTS=${TESTS:-$(dirname "$TORTURE")}
BUILD=$(CDPATH='' cd -- "${BUILD:-$(dirname "$TESTS")/build}" && pwd) || exit 1
SEED=${SEED:-$(date +%s)}
SHORT=${SHORT-}
HERE=$PWD
rm -f "$HERE"/found.[0-9]* "$HERE/found.none" "$HERE"/counted.[0-9]* # left by an earlier run in this directory
{ true >&3; } 2>/dev/null || exec 3>/dev/null

# ---- what a part prints

progress() { # TEXT
    { echo "$PART: $*" >&3; } 2>/dev/null || :
}

found() { # WHAT
    echo "found: $1, repeat with: BUILD=$BUILD SEED=$SEED $TORTURE/$PART '$case'" >>"$HERE/found.$worker"
}

count() { # KIND: adds one to its number, for the figures at the end
    echo "$*" >>"$HERE/counted.$worker"
}

skip_part() { # WHY
    echo "$PART: skipped: $1"
    exit 0
}

# Prints how often each kind was counted.
show_counts() {
    cat "$HERE"/counted.* /dev/null 2>/dev/null | sort | uniq -c | sed 's/^\( *[0-9]*\) /\1  /'
}

# A part without a case would find nothing, so that is a finding, too.
close_part() {
    [ -s "$HERE/cases" ] || echo "found: $PART has no case to try" >"$HERE/found.none"
    cat "$HERE"/found.* /dev/null 2>/dev/null
    findings=$(cat "$HERE"/found.* /dev/null 2>/dev/null | grep -c '^found: ' || :)
    echo "$PART: $(wc -l <"$HERE/cases" | tr -d ' ') cases, $findings found"
    [ "$findings" -eq 0 ]
}

# ---- cases

# Puts a random number from 0 to MOST - 1 in front of each input line. The same seed gives the same numbers.
with_random() { # MOST
    awk -v seed="$SEED" -v most="$1" 'BEGIN { srand(seed) } { print int(rand() * most), $0 }'
}

# Prints COUNT of the input lines in their order. The seed chooses them.
sample() { # COUNT
    with_random 1000000000 | awk '{ print NR, $0 }' | sort -k2n | head -n "$1" | sort -n | cut -d ' ' -f 3-
}

# Prints the input cases that match a PATTERN (as for file names), or all cases if there is no PATTERN.
chosen() { # [PATTERN]...
    [ $# -gt 0 ] || set -- '*'
    while read -r case; do
        for pattern; do
            # shellcheck disable=SC2254 # it is a pattern
            case $case in $pattern) echo "$case" && break ;; esac
        done
    done
}

end_workers() {
    # shellcheck disable=SC2086 # a list of PIDs
    [ -z "$workers" ] || kill $workers 2>/dev/null || :
    wait
    exit 1
}

work() { # WORKER
    worker=$1 duet_pid=
    trap '[ -z "$duet_pid" ] || kill "$duet_pid" 2>/dev/null; wait; exit 1' TERM
    mkdir -p "$HERE/$worker"
    cd "$HERE/$worker" || exit
    awk -v all="$all" -v mine="$worker" 'NR % all == mine' "$HERE/cases" >cases
    while read -r case <&4; do
        progress "$case"
        one_case "$case"
    done 4<cases
}

run_cases() { # WORKERS
    all=$1 workers=
    trap end_workers INT TERM HUP
    n=0
    while [ "$n" -lt "$all" ]; do
        work "$n" &
        workers="$workers $!"
        n=$((n + 1))
    done
    wait
    workers=
}

# ---- the pairs: pair, keep (the same, with --keep), handshake, stream

# Sets listener and talker (commands, to be split at blanks) and input, a file that the talker reads. The stream is
# longer than its ring.
choose_pair() { # NAME
    input=$HERE/lines
    case $1 in
        pair) listener="$BUILD/listener --size 200000" talker="$BUILD/talker --chat" ;;
        keep) listener="$BUILD/listener --keep" talker="$BUILD/talker --chat" ;;
        handshake) listener=$BUILD/listener-handshake talker=$BUILD/talker-handshake ;;
        stream) listener="$BUILD/listener-stream --slots 2 --slot-size 16384" talker=$BUILD/talker-stream
                input=$HERE/data ;;
    esac
}

prepare_input() {
    printf 'one\ntwo\nthree\n' >"$HERE/lines"
    awk 'BEGIN { for (i = 0; i < 12500; i++) printf "%07d\n", i }' >"$HERE/data"
}

prepare_duet() {
    "${CC:-cc}" -std=c11 -D_XOPEN_SOURCE=700 -O2 -o "$HERE/duet" "$TESTS/run_conversation.c"
}

# Runs duet in the background, because a signal interrupts `wait` but not a foreground command. If duet is killed, it
# ends both sides.
in_duet() { # [OPTION]... LISTENER... + TALKER... + NEXT...
    "$HERE/duet" -i "$input" "$@" 3>&- 4<&- &
    duet_pid=$!
    wait "$duet_pid"
}

# Runs one conversation with a new key file, and with LISTENER-PREFIX and TALKER-PREFIX before the commands. Sets
# l_status l_end t_status t_end n_status n_end killed stops, as duet prints them.
duet() { # LISTENER-PREFIX TALKER-PREFIX [OPTION]...
    l_prefix=$1 t_prefix=$2
    shift 2
    rm -f shmfile
    # shellcheck disable=SC2086 # commands of several words
    in_duet "$@" $l_prefix $listener + $t_prefix $talker + $talker >duet.line || :
    read -r l_status l_end t_status t_end n_status n_end killed stops <duet.line || l_status=failed
}

# Waits until one of FILEs has the line of a listener that is ready. Sets pid and shmid from that line. Returns 1 if the
# line does not come within 20 s.
await_listener() { # FILE...
    polls=0
    until line=$(grep -h 'waiting for a talker' "$@" 2>/dev/null); do
        polls=$((polls + 1))
        [ "$polls" -lt 2000 ] || return
        sleep 0.01
    done
    pid=${line##*(pid } pid=${pid%%,*}
    shmid=${line##*shmid } shmid=${shmid%)}
}

# ---- what must hold after a conversation

# Prints the key that ftok makes from FILE and project 1, as /proc/sysvipc/shm shows it.
key_of() { # FILE
    # shellcheck disable=SC2046 # two words
    set -- $(stat -c '%d %i' "$1")
    echo $(($2 & 65535 | ($1 & 255) << 16 | 1 << 24))
}

# Prints the segments with the key of ./shmfile, as "ID NATTCH" lines.
segments() {
    [ -e shmfile ] || return 0
    awk -v key="$(key_of shmfile)" '$1 == key { print $2, $7 }' /proc/sysvipc/shm
}

# True if a talker that ended with 0 got everything: a reply for each line, or each byte to the other side.
has_got_all() { # PAIR TALKER
    case $1 in
        stream) cmp -s "$input" listener.out ;;
        handshake) grep -q '^talker: listener said: ' "$2.out" ;;
        *) [ "$(grep -c '^talker: listener said: ' "$2.out")" -eq "$(wc -l <"$input")" ] ;;
    esac
}

# True if a listener that ended with 0 did its part.
has_given_all() { # PAIR
    case $1 in
        stream) cmp -s "$input" listener.out ;;
        handshake) grep -q '^listener: replied: ' listener.out ;;
        *) [ "$(grep -c '^listener: replied: ' listener.out)" -ge "$(wc -l <"$input")" ] ;;
    esac
}

# Runs an undisturbed conversation on the same key file, where a segment may be left. The listener must recover that
# segment, and no segment may stay.
starts_clean() {
    # shellcheck disable=SC2086 # commands of several words
    in_duet ${listener% --keep} + $talker + $talker >next.line || return
    read -r l_next _ t_next _ <next.line
    [ "$l_next $t_next" = '0 0' ] && [ -z "$(segments)" ]
}

# ---- system calls, as strace sees them

requires_injection() {
    command -v strace >/dev/null || skip_part 'strace is not installed'
    strace -D -o probe.trace -e trace=kill -e inject=kill:error=EPERM sh -c 'kill -0 $$' 2>/dev/null &&
        skip_part 'strace may not inject here'
    grep -q INJECTED probe.trace 2>/dev/null || skip_part 'strace may not inject here'
    # With seccomp the tracer stops only at the calls in question. Not every strace and kernel can do that.
    fast=
    ! strace -f --seccomp-bpf -o probe.trace -e trace=kill true 2>/dev/null || fast='-f --seccomp-bpf'
}

# Prints PAIR/SIDE/CALL/N for each call of that side that measure_calls saw.
each_call() { # PAIR SIDE
    awk -v of="$1/$2" '{ for (n = 1; n <= $3; n++) print of "/" $1 "/" n }' "$1.$2.calls"
}

# Prints the prefix for SIDE's command that injects SIGNAL into its N-th CALL, counted from main. The signal comes when
# the call is entered. SIGKILL takes effect before the call, SIGSTOP after it.
inject_signal() { # PAIR SIDE CALL N SIGNAL
    before=$(awk -v call="$3" '$1 == call { print $2 }' "$HERE/$1.$2.calls")
    echo "strace -D -o signal.trace -e trace=$3 -e inject=$3:signal=$5:when=$((before + $4))"
}

# Finds the system calls that each program makes from main on, in an undisturbed conversation. The calls before main are
# the C library's start-up: an empty program makes the same ones. Writes PAIR.SIDE.calls, with lines of
# "CALL BEFORE-MAIN FROM-MAIN".
measure_calls() { # PAIR...
    echo 'int main(void) { return 0; }' >empty.c
    "${CC:-cc}" -o empty empty.c
    strace -o empty.trace ./empty
    for pair; do
        choose_pair "$pair"
        serve=
        [ "$pair" != keep ] || serve=-s
        duet 'strace -D -o listener.trace' 'strace -D -o talker.trace' $serve
        for side in listener talker; do
            awk '
                { name = $0; sub(/\(.*/, "", name) }
                name !~ /^[a-z_0-9]+$/ { next }
                FNR == NR { if (name != "exit_group") { start[++before] = name; count[name]++ } next }
                ++n <= before { if (name != start[n]) { other = 1; exit } next }
                { calls[name]++ }
                END {
                    if (other || n <= before) exit 1
                    for (name in calls) print name, count[name] + 0, calls[name]
                }' empty.trace "$side.trace" | sort >"$pair.$side.calls"
            [ -s "$pair.$side.calls" ] || skip_part "the start-up of $BUILD's programs is not that of ${CC:-cc}'s"
        done
    done
}
