# lib.sh - what the parts of the torture share: the pairs that are tortured, one case after the other in several
# workers, and the closing line.
# shellcheck shell=sh disable=SC2034 # what is set here is used there
#
# A part sources it, writes its cases to the file `cases`, one a line, and ends with:
#
#     run_cases WORKERS          calls `one_case CASE` for each, in a directory that the worker has for itself
#     close_part
#
# one_case says what it found with `found`, and what it counted with `count`. Its files lie in the worker's directory:
# shmfile is the key file, and what duet writes (tests/run_conversation.c).

export LC_ALL=C
PART=${0##*/}
TORTURE=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
TESTS=${TESTS:-$(dirname "$TORTURE")}
BUILD=$(CDPATH='' cd -- "${BUILD:-$(dirname "$TESTS")/build}" && pwd) || exit 1
SEED=${SEED:-$(date +%s)}
SHORT=${SHORT-}
HERE=$PWD
rm -f "$HERE"/found.[0-9]* "$HERE/found.none" "$HERE"/counted.[0-9]* # what a run before, in this place, has left
{ true >&3; } 2>/dev/null || exec 3>/dev/null

# ---- what a part says

progress() { # TEXT
    { echo "$PART: $*" >&3; } 2>/dev/null || :
}

found() { # WHAT
    echo "found: $1, repeat with: BUILD=$BUILD SEED=$SEED $TORTURE/$PART '$case'" >>"$HERE/found.$worker"
}

count() { # KIND: one more of it, for the figures at the end
    echo "$*" >>"$HERE/counted.$worker"
}

skip_part() { # WHY
    echo "$PART: skipped: $1"
    exit 0
}

# How often each kind was counted.
show_counts() {
    cat "$HERE"/counted.* /dev/null 2>/dev/null | sort | uniq -c | sed 's/^\( *[0-9]*\) /\1  /'
}

# A part that tries nothing finds nothing: that is a finding as well.
close_part() {
    [ -s "$HERE/cases" ] || echo "found: $PART has no case to try" >"$HERE/found.none"
    cat "$HERE"/found.* /dev/null 2>/dev/null
    findings=$(cat "$HERE"/found.* /dev/null 2>/dev/null | grep -c '^found: ' || :)
    echo "$PART: $(wc -l <"$HERE/cases" | tr -d ' ') cases, $findings found"
    [ "$findings" -eq 0 ]
}

# ---- cases

# Numbers from 0 to MOST - 1, one for each line that comes, in front of it; the same for the same seed.
with_random() { # MOST
    awk -v seed="$SEED" -v most="$1" 'BEGIN { srand(seed) } { print int(rand() * most), $0 }'
}

# So many of the lines, chosen by the seed, in their order.
sample() { # COUNT
    with_random 1000000000 | awk '{ print NR, $0 }' | sort -k2n | head -n "$1" | sort -n | cut -d ' ' -f 3-
}

# Of the cases that come, those that the command line names: patterns, as for file names; all where it names none.
chosen() { # [PATTERN]...
    [ $# -gt 0 ] || set -- '*'
    while read -r case; do
        for pattern; do
            # shellcheck disable=SC2254 # a pattern it is
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

# ---- the pairs: pair, keep (its listener serves on), handshake, stream

# Sets listener, talker (commands, to be split at blanks) and input, a file that the talker reads. The ring of the
# stream is smaller than what goes through it.
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

# It can be ended while it runs: it then ends both sides. A background process is one for wait to be interrupted at.
in_duet() { # [OPTION]... LISTENER... + TALKER... + NEXT...
    "$HERE/duet" -i "$input" "$@" 3>&- 4<&- &
    duet_pid=$!
    wait "$duet_pid"
}

# Runs one conversation, with LISTENER-PREFIX and TALKER-PREFIX before the commands; the key file is made anew. Sets
# l_status l_end t_status t_end n_status n_end killed stops, as duet tells them.
duet() { # LISTENER-PREFIX TALKER-PREFIX [OPTION]...
    l_prefix=$1 t_prefix=$2
    shift 2
    rm -f shmfile
    # shellcheck disable=SC2086 # commands of several words
    in_duet "$@" $l_prefix $listener + $t_prefix $talker + $talker >duet.line || :
    read -r l_status l_end t_status t_end n_status n_end killed stops <duet.line || l_status=failed
}

# Waits until one of FILEs has the line of a listener that can be spoken to. Sets pid and shmid, as that line tells them;
# returns 1 where it does not come within 20 seconds.
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

# The key that ftok makes of FILE and the project 1, as /proc/sysvipc/shm shows it.
key_of() { # FILE
    # shellcheck disable=SC2046 # two words
    set -- $(stat -c '%d %i' "$1")
    echo $(($2 & 65535 | ($1 & 255) << 16 | 1 << 24))
}

# Segments with the key of ./shmfile, as "ID NATTCH" lines.
segments() {
    [ -e shmfile ] || return 0
    awk -v key="$(key_of shmfile)" '$1 == key { print $2, $7 }' /proc/sysvipc/shm
}

# Whether a talker that ended with 0 has got all: a reply for each line, or each byte to the other side.
has_got_all() { # PAIR TALKER
    case $1 in
        stream) cmp -s "$input" listener.out ;;
        handshake) grep -q '^talker: listener said: ' "$2.out" ;;
        *) [ "$(grep -c '^talker: listener said: ' "$2.out")" -eq "$(wc -l <"$input")" ] ;;
    esac
}

# Whether a listener that ended with 0 has done its part.
has_given_all() { # PAIR
    case $1 in
        stream) cmp -s "$input" listener.out ;;
        handshake) grep -q '^listener: replied: ' listener.out ;;
        *) [ "$(grep -c '^listener: replied: ' listener.out)" -ge "$(wc -l <"$input")" ] ;;
    esac
}

# A conversation with nobody in its way on the same key file, where something may have been left: whatever that was,
# it is recovered, and then nothing is there.
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
    # With seccomp the tracer stops at nothing but the calls in question; not every strace and kernel can do that.
    fast=
    ! strace -f --seccomp-bpf -o probe.trace -e trace=kill true 2>/dev/null || fast='-f --seccomp-bpf'
}

# PAIR/SIDE/CALL/N for each call that measure_calls has seen a side make.
each_call() { # PAIR SIDE
    awk -v of="$1/$2" '{ for (n = 1; n <= $3; n++) print of "/" $1 "/" n }' "$1.$2.calls"
}

# The words before SIDE's command that have WHAT injected into the N-th CALL from main on. A signal comes as the call
# is entered: SIGKILL before it happens, SIGSTOP after it.
inject_signal() { # PAIR SIDE CALL N SIGNAL
    before=$(awk -v call="$3" '$1 == call { print $2 }' "$HERE/$1.$2.calls")
    echo "strace -D -o signal.trace -e trace=$3 -e inject=$3:signal=$5:when=$((before + $4))"
}

# What each program calls in a conversation where nothing is wrong, from main on. What comes before, the C library's
# start-up, is what an empty program calls as well. Leaves PAIR.SIDE.calls, lines of "CALL BEFORE-MAIN FROM-MAIN-ON".
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
