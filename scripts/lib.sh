# scripts/lib.sh: what several scripts share. A script moves to the top of the repository and then reads this file:
#
#   CDPATH='' cd -- "$(dirname -- "$0")/.."
#   . scripts/lib.sh
#
# It then has:
#   $self, $build          the script's name for messages, and the directory of the programs (from BUILD)
#   say WORD...            prints a line on stderr: "scripts/NAME: WORD..."
#   usage WORD...          prints such a line about a wrong argument, and exits with 2
#   show_help              prints the script's head comment
#   cannot_write           says that stdout takes no more, and exits with 1; lib.sh does so if stdout is closed
#   check_tmpdir           exits with 1 and names the directory if temporary files cannot be made
#   count_cpus             prints how many CPUs there are
#   nearest NAME           prints the name on stdin that is NAME but for one or two letters, if there is one
#   words_of VARIABLE      prints the words of a variable of the Makefile (LESSONS, VARIANTS), one a line
#   build_programs TARGET...   sets up what is missing and makes the targets; returns 1 or more if that fails
#   nap                    waits for a moment, for a loop that polls
#   look_at PID            sets $state (as ps has it: R S T Z) and $parent. Where /proc is of another PID namespace, a
#                          process that exists counts as a running child of this shell.
#   is_running PID         true while PID is a child of this shell and has not ended
#   children PID           prints the PIDs of its children; none where /proc is of another PID namespace
#   descendants PID        prints the PIDs of its children, of their children, and so on
#
# A script that starts programs in the background or needs temporary files also calls `begin` early:
#   begin [DIRECTORY]      makes $scratch, a directory for temporary files (in DIRECTORY if that is possible). When the
#                          script ends, also by HUP, INT, QUIT, TERM or PIPE, then $at_end is run if it is set, all
#                          children are ended, and $scratch is removed. A death by signal stays a death by that signal.
#   wait_for PID           waits for a child; sets $status to its exit status and returns it
#   terminate PID...       ends children: repeats TERM and CONT until each is gone
#   end_children           ends all children
#   make_directory VARIABLE [TEMPLATE]   as VARIABLE=$(mktemp -d TEMPLATE), but safe from signals
#   open_fifo FILE IN OUT  makes a FIFO and opens both its ends: descriptor IN reads, descriptor OUT writes
#
# Three rules keep an interrupted script from hanging or leaving something:
#   1. No process opens a FIFO that open_fifo made: it inherits a descriptor, as in "program >&5 3<&- &". Opening one
#      end of a FIFO blocks until the other end is open, and that may never happen. After the last start, this shell
#      closes its own copy of the writing end (exec 5>&-), so that the reader sees the end of the file.
#   2. A program that may take long runs in the background, and wait_for waits for it. A shell acts on a signal while
#      it waits, but not while a program runs in the foreground. Start programs one by one, not as a pipeline: `jobs -p`
#      would show the first of them only. (A build runs in the foreground: make ends its shells, but not the compilers
#      that these have started.)
#   3. Nothing keeps a list of PIDs for the clean-up. A signal can arrive between "&" and the line that stores $!.
#      `jobs -p` reads the shell's own list, which has each child from the fork on.
# bash ignores an INT that comes while a program runs in the foreground, unless the program dies of it. Then a second
# Ctrl-C helps.
#
# shellcheck shell=sh
# shellcheck disable=SC2034 # some variables are for the script that reads this file
# shellcheck disable=SC2317 # traps call some functions
# shellcheck disable=SC3028 # only bash has BASHPID

self=scripts/${0##*/}
build=${BUILD:-build}
build=${build#"$PWD"/} # make cannot have a space in the name of a target, but the path of this tree may have one
scratch='' at_end=''
export PATH # without a PATH in the environment, the shell uses one of its own, but gives it to no program

say() {
    echo "$self: $*" >&2
}

usage() {
    say "$*; --help shows the usage"
    exit 2
}

cannot_write() {
    say 'cannot write to stdout: it is closed, or there is no space left'
    exit 1
}

# With stdout closed, the next file that is opened would become stdout.
(true 9>&1) 2>/dev/null || cannot_write

show_help() {
    help=$(sed -n '/^# shellcheck/d; 2,/^$/s/^# \{0,1\}//p' "$self")
    printf '%s\n' "$help" 2>/dev/null || cannot_write
}

check_tmpdir() {
    [ ! -d "${TMPDIR:-/tmp}" ] || [ ! -w "${TMPDIR:-/tmp}" ] || [ ! -x "${TMPDIR:-/tmp}" ] || return 0
    if [ -n "${TMPDIR-}" ]; then
        say "TMPDIR is '$TMPDIR', where no file can be made: set TMPDIR to a directory that you may write to"
    else
        say 'no file can be made in /tmp: set TMPDIR to a directory that you may write to'
    fi
    exit 1
}

count_cpus() {
    getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2
}

words_of() { # VARIABLE
    awk -v name="$1" '$1 == name { on = 1; sub(/^[^=]*=/, "") }
                      on { more = sub(/\\$/, ""); for (i = 1; i <= NF; i++) print $i; if (!more) exit }' Makefile
}

# Of the names on stdin, one a line, prints the one that is NAME but for one or two letters, if there is one.
nearest() { # NAME
    awk -v name="$1" '
        function min(a, b) { return a < b ? a : b }
        function distance(a, b,    i, j, row, above, left) {
            for (j = 0; j <= length(b); j++) row[j] = j
            for (i = 1; i <= length(a); i++) {
                above = row[0]
                row[0] = i
                for (j = 1; j <= length(b); j++) {
                    left = above + (substr(a, i, 1) != substr(b, j, 1))
                    above = row[j]
                    row[j] = min(left, min(row[j], row[j - 1]) + 1)
                }
            }
            return row[length(b)]
        }
        { far = distance(name, $1) }
        far <= 2 && far < length($1) - 1 && (best == "" || far < least) { best = $1; least = far }
        END { if (best != "") print best }'
}

build_programs() { # TARGET...
    case $build in
        *' '*) say "BUILD is '$build': make cannot build in a directory that has a space in its name" && return 1 ;;
    esac
    scripts/setup build || return
    cc=$(scripts/setup compiler) || return
    make -s -j "$(count_cpus)" BUILD="$build" CC="$cc" ${SANITIZE:+"SANITIZE=$SANITIZE"} "$@" >&2
}

# ---- processes

nap() {
    sleep 0.05 2>/dev/null || sleep 1
}

# Which /proc this is: ours, foreign (of another PID namespace: its PIDs mean other processes) or missing. No subshell
# may ask this, because $$ is not its PID. ps reads /proc, too.
proc=missing
if { read -r stat <"/proc/self/stat"; } 2>/dev/null; then
    proc=ours
    [ "${stat%% *}" = $$ ] || proc=foreign
fi

# A process that does not exist is described as a zombie without a parent.
look_at() { # PID
    stat='Z 0'
    if [ "$proc" = ours ]; then
        { IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || :
        stat=${stat##*') '}
    elif [ "$proc" = missing ] && command -v ps >/dev/null; then
        stat=$(ps -o stat= -o ppid= -p "$1") || :
    elif kill -s 0 "$1" 2>/dev/null; then
        stat="R $$"
    fi
    # shellcheck disable=SC2086 # these are words
    set -- ${stat:-Z 0}
    state=$1 parent=$2
}

children() { # PID
    [ "$proc" != foreign ] || return 0
    cat "/proc/$1/task/$1/children" 2>/dev/null ||
        ps -A -o pid= -o ppid= 2>/dev/null | awk -v parent="$1" '$2 == parent { print $1 }'
}

descendants() { # PID
    for child in $(children "$1"); do
        echo "$child"
        descendants "$child"
    done
}

# A PID that is no longer a child of ours may belong to another process by now.
is_running() { # PID
    look_at "$1"
    [ "$parent" = $$ ] && [ "${state#Z}" = "$state" ]
}

wait_for() { # PID
    status=0
    wait "$1" || status=$?
    return "$status"
}

# TERM is repeated because one can get lost: between its start as a copy of this shell and its own program, a child
# may take the signal for one that this shell would handle. The pauses grow, so that a child has time for its own
# clean-up. A stopped process needs CONT to act on the signal. A process that KILL does not end is left behind: nothing
# can end it (it hangs in the kernel, say).
terminate() { # PID...
    polls=0 next=1
    while
        left=''
        for child; do
            ! is_running "$child" || left="$left $child"
        done
        [ -n "$left" ]
    do
        polls=$((polls + 1))
        signal=''
        [ "$polls" -ne "$next" ] || signal=TERM next=$((next * 2))
        [ "$polls" -ne 200 ] || signal=KILL
        if [ "$polls" -gt 300 ]; then
            say "PID$left did not end when it was killed, and is left behind"
            return 0
        fi
        for child in $left; do
            [ "$signal" != KILL ] ||
                say "PID $child did not end, and is killed: scripts/sweep shows what it has left behind"
            [ -z "$signal" ] || kill -s "$signal" "$child" 2>/dev/null || :
            kill -s CONT "$child" 2>/dev/null || :
        done
        nap
    done
    for child; do
        wait "$child" 2>/dev/null || :
    done
    return 0
}

open_fifo() { # FILE IN OUT
    rm -f "$1"
    mkfifo "$1"
    # Opening both ends at once never blocks. Then each descriptor gets the end that it is for.
    eval "exec $2<>\"\$1\" $3>\"\$1\" $2<\"\$1\""
}

# ---- from beginning to end

# In ksh a program inherits no descriptor above 2 that "exec" has opened, and a signal can get lost.
check_shell() {
    exec 8>/dev/null
    sh -c ': >&8' 2>/dev/null || {
        say "this does not work in ksh: start it with another shell, as in \"bash $self\""
        exit 1
    }
    exec 8>&-
}

begin() { # [DIRECTORY]
    check_shell
    trap leave EXIT
    # bash 5.2 looks for pending signals when it has begun to read a "$(...)", and then reads the trap as if it were the
    # inside of one: it needs the ")". Otherwise bash does not read that far, because leave_by does not return.
    closing=''
    [ -z "${BASH_VERSION-}" ] || closing='
)'
    for signal in HUP INT QUIT TERM PIPE; do
        # shellcheck disable=SC2064 # both are to expand now
        trap "leave_by $signal$closing" "$signal"
    done
    check_tmpdir
    [ -z "${1-}" ] || make_directory scratch "$1/shmtalk.XXXXXX" 2>/dev/null || :
    [ -n "$scratch" ] || make_directory scratch
}

# The variable has the name before the directory is there: so the clean-up after a signal knows what to remove.
make_directory() { # VARIABLE [TEMPLATE]
    eval "$1=\$(mktemp -u ${2:+\"\$2\"})"
    eval "(trap '' HUP INT QUIT TERM PIPE && mkdir -m 700 \"\$$1\")" || { eval "$1=''" && return 1; }
}

# A file and not $(jobs -p): in a copy of the shell, dash knows no children.
end_children() {
    jobs -p >"$scratch/children"
    # shellcheck disable=SC2046 # one word for each
    terminate $(cat "$scratch/children")
}

# A child of bash may run its parent's traps, if a signal comes to it before it has forgotten them. It must not clean
# up, because all that is here belongs to the parent.
leave() {
    [ "${BASHPID:-$$}" = $$ ] || return 0
    trap '' HUP INT QUIT TERM PIPE # a signal must not start this a second time
    set +e
    IFS=' 	
' # a signal may have interrupted an "IFS= read", and then bash still has that IFS here
    [ -z "$at_end" ] || "$at_end"
    [ -z "$scratch" ] || { end_children && rm -rf "$scratch"; }
    at_end='' scratch='' # bash may run the trap of an earlier signal after this
}

leave_by() { # SIGNAL
    leave
    trap - EXIT "$1"
    kill -s "$1" "${BASHPID:-$$}"
    exit "$((128 + $(kill -l "$1")))" # bash ignores QUIT
}
