# helpers.bash - what all tests share: start programs, wait for them, end them, and leave nothing behind.
#
# The programs under test are $TALKER and $LISTENER (default: the built ones), so that another implementation can be
# tested. The lessons come from $BUILD. A test runs in a directory of its own, so it has its own default key file. Any
# other key file must have "shmfile" in its name, because the end of the test looks for the segments of such files.
#
#     start_listener --keep            # it runs, and waits for a talker
#     start slow talker --chat <lines  # in the background: slow.out, slow.err, $slow_pid
#     finish slow 0                    # wait for its end, check the status
#     ends 0 talker Hello              # both in one: talker.out, talker.err
#     run -0 talker Hello              # the same with bats' own means
#     stop listener                    # send SIGTERM; it dies of that
#
# No wait is a fixed sleep: each polls for at most $DEADLINE seconds, and a failure says what it waited for. A poll
# starts no process, so that it costs little: the programs under test need the CPUs.

bats_require_minimum_version 1.8.0

DEADLINE=10
ROOT=${BATS_TEST_DIRNAME%/*}

# VARIABLE holds a path; one that is not absolute starts at DIRECTORY.
make_absolute() { # VARIABLE DIRECTORY
    [[ ${!1} == /* ]] || printf -v "$1" %s "$2/${!1}"
}

# VARIABLE holds a path, or a name in $PATH, as for the shell.
find_program() { # VARIABLE
    [[ ${!1} == */* ]] || printf -v "$1" %s "$(type -P "${!1}" || echo "${!1}")"
    make_absolute "$1" "$PWD"
}

BUILD=${BUILD:-build}
make_absolute BUILD "$ROOT"
TALKER=${TALKER:-$BUILD/talker}
LISTENER=${LISTENER:-$BUILD/listener}
find_program TALKER
find_program LISTENER

# ---- a test's beginning and end

started=()                       # PIDs
declare -gA born died            # of each, in seconds: earlier and later the PID was another process's
planted=()                       # segments that the test created or left on purpose
test_began=$EPOCHSECONDS         # older segments are not the test's

common_setup() {
    local program
    set +T # bats traces the commands of the test, but not of what it calls: tracing takes 0.2 ms a command
    for program in "$TALKER" "$LISTENER"; do
        [ -x "$program" ] || fail "no program to test: $program (run make)"
    done
    cd "$BATS_TEST_TMPDIR" || return
    exec </dev/null
}

# Ends and removes what the test has left. A test that left anything fails.
common_teardown() {
    local id clean=0
    for id in "${started[@]}"; do
        end_leftover "$id" || clean=1
    done
    for id in "${planted[@]}"; do
        ! segment_exists "$id" || ipcrm -m "$id"
    done
    ! are_segments_since_test_began || for id in $(own_segments); do
        echo "\"$BATS_TEST_DESCRIPTION\" left segment $id behind: $(segment_line "$id")"
        ipcrm -m "$id" || :
        clean=1
    done
    return "$clean"
}

# Returns 1 if a process was left. Only our own children were started by the test.
end_leftover() { # PID
    if is_gone "$1" || [ "$(parent_of "$1")" != "$$" ]; then return 0; fi
    echo "\"$BATS_TEST_DESCRIPTION\" left a process behind: $1, $(tr '\0' ' ' <"/proc/$1/cmdline")"
    { kill -TERM "$1" && kill -CONT "$1"; } 2>/dev/null || :
    until_true is_gone "$1" || kill -KILL "$1"
    return 1
}

requires() { # TOOL...
    local tool
    for tool; do
        command -v "$tool" >/dev/null || skip "$tool is not installed"
    done
}

requires_compiler() { # WHAT IT IS FOR
    command -v "${CC:-cc}" >/dev/null || skip "no C compiler for $1"
}

# Compiles tests/NAME.c to DIRECTORY/NAME (default: the test's directory).
compile() { # NAME [DIRECTORY]
    requires_compiler "tests/$1.c"
    "${CC:-cc}" -std=c11 -D_XOPEN_SOURCE=700 -o "${2:-.}/$1" "$BATS_TEST_DIRNAME/$1.c"
}

as_nobody() { # COMMAND...
    setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

# script(1) runs a program on a new terminal.
requires_terminal() {
    requires script
    script -qec true /dev/null >/dev/null 2>&1 </dev/null || skip "no terminal can be created here"
}

requires_strace() {
    requires strace
    strace -o /dev/null true 2>/dev/null || skip "strace is not permitted here"
    without_leak_search # there can be only one tracer
}

# The sanitizers' leak search at exit is a tracer: it attaches with ptrace(2), and waits for a SIGSTOP.
without_leak_search() {
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
}

# For tests of what an implementation decides: the layout of the segment, the names of points.
only_ours() {
    if ! [ "$TALKER" -ef "$BUILD/talker" ] || ! [ "$LISTENER" -ef "$BUILD/listener" ]; then
        skip "only for the programs in $BUILD"
    fi
}

# ---- programs

lesson_program() { # SIDE LESSON
    echo "$BUILD/$1-$2"
}

# Sets `command` for PROGRAM. A program under test gets a timeout, so a test cannot hang.
resolve() { # PROGRAM [ARGUMENT]...
    case $1 in
        talker) command=("$TALKER") ;;
        listener) command=("$LISTENER") ;;
        talker-* | listener-*) command=("$BUILD/$1") ;;
        *) command=("$@") && return ;;
    esac
    case " ${*:2} " in
        *' -t '* | *' --timeout'*) ;;
        *) command+=(-t "$DEADLINE") ;;
    esac
    command+=("${@:2}")
}

talker() { # [ARGUMENT]...
    resolve talker "$@"
    "${command[@]}" 3>&-
}

listener() { # [ARGUMENT]...
    resolve listener "$@"
    "${command[@]}" 3>&-
}

lesson() { # SIDE-LESSON [ARGUMENT]...
    resolve "$@"
    "${command[@]}" 3>&-
}

# Starts PROGRAM (talker, listener-LESSON, sleep...) in the background as NAME: NAME.out, NAME.err, $NAME_pid.
# Descriptor 3 belongs to bats; 7 is the fifo that a test writes to.
start() { # NAME PROGRAM [ARGUMENT]...
    local name=$1
    resolve "${@:2}"
    [ ! -e "$name.out" ] || rm -f "$name.out" "$name.err" # wait_for_line must not see the lines of an earlier NAME
    local now=$EPOCHSECONDS
    "${command[@]}" <&0 >"$name.out" 2>"$name.err" 3>&- 7>&- &
    printf -v "${name}_pid" %d "$!"
    started+=("$!")
    born[$!]=$now
    unset "died[$!]"
}

# Starts the pair's listener, and returns when it waits for a talker.
start_listener() { # [OPTION]...
    start listener listener "$@"
    wait_for_line listener.out 'waiting for a talker' || { show listener && return 1; }
}

# Starts a lesson's listener, and returns when it waits for a talker.
start_listener_of() { # LESSON [OPTION]...
    start listener "listener-$1" "${@:2}"
    wait_for_line listener.out 'waiting for a talker' || { show listener && return 1; }
}

# Starts PROGRAM, and returns when it is held at POINT: a call, or a point that --help lists.
start_held() { # NAME POINT PROGRAM [ARGUMENT]...
    local pid=$1_pid
    start "$1" "$3" --hold "$2" "${@:4}"
    wait_for_state "${!pid}" T
}

# Waits for the end of NAME, and sets `status`.
reap() { # NAME
    local pid=$1_pid
    status=0
    wait "${!pid}" || status=$?
    died[${!pid}]=$EPOCHSECONDS
}

# Waits for the end of NAME, which must have STATUS (128 + N: killed by signal N).
finish() { # NAME STATUS
    local pid=$1_pid status
    wait_gone "${!pid}" || { show "$1" && return 1; }
    reap "$1"
    [ "$status" -eq "$2" ] || { show "$1" && fail "$1: status $status, not $2"; }
}

# Runs PROGRAM in the foreground, named up to its first hyphen: talker.out, talker.err.
ends() { # STATUS PROGRAM [ARGUMENT]...
    start "${2%%-*}" "${@:2}"
    finish "${2%%-*}" "$1"
}

stop() { # NAME
    local pid=$1_pid
    kill -TERM "${!pid}"
    finish "$1" 143
}

# ---- waiting

milliseconds() { # of a clock that runs on
    echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

until_true() { # COMMAND...
    local end=$((SECONDS + DEADLINE))
    until "$@"; do
        [ "$SECONDS" -le "$end" ] || return 1
        nap
    done
}

# Waits for 5 ms without starting a process: nothing is ever written to this FIFO.
nap() {
    [ -p "$BATS_FILE_TMPDIR/silent" ] || mkfifo "$BATS_FILE_TMPDIR/silent"
    read -rt 0.005 <>"$BATS_FILE_TMPDIR/silent" || :
}

# Sets BASH_REMATCH. The last line of FILE need not be complete.
has_line() { # FILE PATTERN (as for grep -E)
    local line
    [ -e "$1" ] || return 1
    while IFS= read -r line || [ -n "$line" ]; do
        [[ ! $line =~ $2 ]] || return 0
    done <"$1"
    return 1
}

wait_for_line() { # FILE PATTERN (as for grep -E)
    until_true has_line "$@" ||
        fail "waited $DEADLINE s for a line like '$2' in $1, which holds:" "$(cat "$1")" \
            "and its stderr:" "$(cat "${1%.out}.err" 2>/dev/null)"
}

wait_for_state() { # PID STATE (T: stopped)
    until_true program_in_state "$1" "$2" ||
        fail "waited $DEADLINE s for process $1 to be in state $2, it is in '$(state_of "$1")'"
}

wait_gone() { # PID
    until_true is_gone "$1" || fail "waited $DEADLINE s for process $1 to end, it is in state '$(state_of "$1")'"
}

# Sets `state` to a letter, or to nothing if there is no such process.
read_state() { # PID
    local stat
    state=''
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    stat=${stat##*') '}
    state=${stat%% *}
}

state_of() { # PID
    local state
    read_state "$1"
    echo "$state"
}

parent_of() { # PID
    sed 's/.*) . \([0-9]*\) .*/\1/' "/proc/$1/stat"
}

# Until it starts its program, a child is a copy of this shell. A signal would then run the shell's own traps.
program_in_state() { # PID STATE
    local name='' ours=''
    { read -r ours <"/proc/$$/comm" && read -r name <"/proc/$1/comm"; } 2>/dev/null || :
    [ "$name" != "$ours" ] && in_state "$1" "$2"
}

in_state() { # PID STATE
    local state
    read_state "$1"
    [ "$state" = "$2" ]
}

is_running() { # PID
    local state
    read_state "$1"
    case $state in
        '' | Z | X) return 1 ;;
    esac
}

is_gone() { # PID
    ! is_running "$1"
}

# ---- segments

# The key that ftok makes from FILE and PROJECT, as the programs print it.
key_of() { # FILE PROJECT
    local device inode
    read -r device inode < <(stat -c '%d %i' "$1")
    printf '%#x\n' $(($2 << 24 | (device & 255) << 16 | inode & 65535))
}

# Sets `segment` to the fields of SHMID: key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime.
read_segment() { # SHMID
    while read -ra segment; do
        [ "${segment[1]}" != "$1" ] || return 0
    done </proc/sysvipc/shm
    return 1
}

segment_line() { # SHMID
    local -a segment
    ! read_segment "$1" || echo "${segment[*]}"
}

segment_exists() { # SHMID
    local -a segment
    read_segment "$1"
}

segment_is_gone() { # SHMID
    ! segment_exists "$1"
}

# errexit ignores a plain "! segment_exists", so this fails by itself. A segment that is marked for destruction is gone
# when the last process has detached it: that may be a child which is about to end.
is_removed() { # SHMID
    local perms
    perms=$(kernel_says "$1" perms)
    [ "${perms:-0}" -lt 1000 ] || until_true segment_is_gone "$1" || :
    segment_is_gone "$1" || fail "segment $1 is still there: $(segment_line "$1")"
}

# The values of these fields of /proc/sysvipc/shm, on one line.
kernel_says() { # SHMID FIELD...
    local -A column=([key]=0 [shmid]=1 [perms]=2 [size]=3 [cpid]=4 [lpid]=5 [nattch]=6
        [uid]=7 [gid]=8 [cuid]=9 [cgid]=10 [atime]=11 [dtime]=12 [ctime]=13)
    local -a segment values
    local field
    read_segment "$1" || :
    for field in "${@:2}"; do
        values+=("${segment[${column[$field]}]-}")
    done
    echo "${values[*]}"
}

# The segment of the listener NAME.
shmid_of() { # NAME
    wait_for_line "$1.out" 'waiting for a talker .*shmid ([0-9]+)' && echo "${BASH_REMATCH[1]}"
}

# The test leaves this segment on purpose: it is removed at the end.
plant() { # SHMID
    planted+=("$1")
}

# The kernel's clock for these times may be a tick behind, and so a whole second.
are_segments_since_test_began() {
    local created
    {
        read -r _
        while read -r _ _ _ _ _ _ _ _ _ _ _ _ _ created _; do
            [ "$created" -lt $((test_began - 1)) ] || return 0
        done
    } </proc/sysvipc/shm
    return 1
}

# The test's own segments: created by a process that it started, during that process's life, or with the key of one of
# its files and any project.
own_segments() {
    local file pid keys='' lives=''
    for file in *shmfile*; do
        [ ! -e "$file" ] || keys+=" $(($(key_of "$file" 0)))"
    done
    for pid in "${!born[@]}"; do
        lives+=" $pid ${born[$pid]} ${died[$pid]:-$EPOCHSECONDS}"
    done
    awk -v keys="$keys" -v lives="$lives" -v began="$test_began" '
        BEGIN {
            split(keys, k, " ")
            for (i in k) key[k[i]]
            count = split(lives, l, " ")
            for (i = 1; i < count; i += 3) { born[l[i]] = l[i + 1]; died[l[i]] = l[i + 2] }
        }
        function made_by_us() { return $5 in born && $14 >= born[$5] - 1 && $14 <= died[$5] }
        $14 >= began - 1 && ((($1 + 4294967296) % 16777216 in key) || made_by_us()) { print $2 }' /proc/sysvipc/shm
}

# ---- expectations

fail() { # LINE...
    printf '%s\n' "$@" >&2
    return 1
}

received() { # NAME: the messages that the listener NAME has received, in order
    sed -n 's/^listener: received: //p' "$1.out"
}

# The calls that both strace and the narration show, as strace writes them.
narrated_calls() { # NAME
    sed -nE 's/^[a-z_-]+\[[0-9]+\] ((shm[a-z]+|kill)\(.*)/\1/p' "$1.err"
}

straced_calls() { # NAME
    sed -nE 's/^((shm[a-z]+|kill)\(.*\)) += /\1 = /p' "$1.strace"
}

# Each sentence that SOURCE passes to explain(), in its order.
explanations() { # SOURCE
    tr '\n' ' ' <"$1" | sed -E 's/" +"//g' | grep -oE '\<explain\( *"[^"]*"' | sed -E 's/[^"]*"(.*)"/\1/'
}

# Prints the output of NAME for a person who looks for the reason.
show() { # NAME
    local file lines
    for file in "$1.out" "$1.err"; do
        lines=$(wc -l <"$file")
        echo "==> $file, $lines lines <=="
        head -n 25 "$file"
        [ "$lines" -le 50 ] || echo "..."
        [ "$lines" -le 25 ] || tail -n $((lines <= 50 ? lines - 25 : 25)) "$file"
    done >&2
}

# FILE (- is stdin) holds exactly these lines. Without LINE it is empty.
expect_lines() { # FILE [LINE]...
    diff -u <([ $# -eq 1 ] || printf '%s\n' "${@:2}") "$1" ||
        fail "$1 is not as expected (-): it has the lines (+)"
}

# PROGRAM ends with STATUS, and prints only one line on stderr, which matches PATTERN (grep -E).
refuses() { # STATUS PATTERN PROGRAM [ARGUMENT]...
    local status=0
    local -a said
    resolve "${@:3}"
    timeout "$DEADLINE" "${command[@]}" >refused.out 2>refused.err 3>&- || status=$?
    mapfile said <refused.err
    if [ "$status" -ne "$1" ] || [ -s refused.out ] || [ "${#said[@]}" -ne 1 ] ||
        [[ ! ${said[0]%$'\n'} =~ $2 || ${said[0]} != *$'\n' ]]; then
        fail "expected status $1 and the line '$2', but ${*:3} ended with $status and:" "$(cat refused.out refused.err)"
    fi
}
