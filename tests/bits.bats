#!/usr/bin/env bats
# bits.bats - other processors: 32 bits, another byte order, atomics that are not lock-free.
#
# "Without a warning" means that the compiler prints nothing. The programs of another processor run under qemu-user,
# which passes their calls on to this machine's kernel: segments and signals are real, and /proc/PID is as well. Only
# "inherit" cannot work there, because the kernel cannot exec a program of another processor.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

four=(listener talker {listener,talker}-{handshake,stream,pingpong})

setup() {
    [ -z "${SANITIZE-}" ] || skip "other processors are tested without sanitizers only"
    common_setup
}
teardown() { common_teardown; }

# ---- build

# Where gcc-multilib is missing, the headers for 64 bits serve 32 bits as well.
compiler_for_32_bits() {
    local cc=${CC:-cc} headers
    headers=$($cc -print-multiarch 2>/dev/null) || :
    echo "$cc -m32${headers:+ -isystem /usr/include/$headers}"
}

# Sets `cc`, its programs' directory `there`, and `emulator`, with which they run.
choose() { # PROCESSOR
    there=$BUILD/bits/$1 emulator=()
    if [ "$1" = 32 ]; then
        cc=$(compiler_for_32_bits)
    else
        cc=$1-linux-gnu-gcc
        requires "$cc"
        emulator=("$(type -P "qemu-$1" || type -P "qemu-$1-static")") || skip "qemu-$1 is not installed"
    fi
    printf '#include <sys/shm.h>\nint main(void) { return 0; }\n' >probe.c
    { $cc -static probe.c -o probe && "${emulator[@]}" ./probe; } 2>probe.err ||
        skip "'$cc' makes no program that runs here: scripts/setup ci installs what it needs"
}

# The make of `make test` leaves its options in the environment.
make_there() { # TARGET...
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$ROOT" -j 2 CC="$cc" CFLAGS='-O1 -Werror' LDFLAGS=-static \
        BUILD="${there#"$ROOT"/}" "$@" 3>&-
}

# Builds PROGRAMs for PROCESSOR, and prints what the compiler prints.
build_for() { # PROCESSOR PROGRAM...
    choose "$1"
    shift
    make_there "${@/#/${there#"$ROOT"/}/}"
}

builds_without_a_warning() { # PROCESSOR
    build_for "$1" "${four[@]}" >printed 2>&1 || fail "$cc fails:" "$(cat printed)"
    make_there syntax >>printed 2>&1 || fail "$cc fails:" "$(cat printed)"
    expect_lines printed
}

# ---- run

listener_of() { # LESSON or '' [OPTION]...
    start listener "${emulator[@]}" "$listeners/listener${1:+-$1}" -t "$DEADLINE" "${@:2}"
    until_true grep -qs 'waiting for a talker' listener.out listener.err ||
        { show listener && fail "waited $DEADLINE s for listener${1:+-$1} to wait for a talker"; }
}

talker_of() { # LESSON or '' [ARGUMENT]...
    start talker "${emulator[@]}" "$talkers/talker${1:+-$1}" -t "$DEADLINE" "${@:2}"
    finish talker 0
    finish listener 0
}

# The listeners and the talkers of two directories can do what the four lessons do.
the_four_work_between() { # DIRECTORY DIRECTORY
    local listeners=$1 talkers=$2 lesson method
    for lesson in '' handshake; do
        listener_of "$lesson"
        talker_of "$lesson" 'Good morning'
        grep -x 'listener: received: Good morning' listener.out
        expect_lines talker.out 'talker: said: Good morning' 'talker: listener said: Have a nice day'
    done
    [ -e data ] || head -c 1000000 /dev/urandom >data
    listener_of stream --slots 3 --slot-size 4096
    talker_of stream <data
    cmp data listener.out
    for method in signal doorbell; do
        listener_of pingpong
        talker_of pingpong --method "$method" --rounds 100
        grep -E "$method: 100 rounds of 32 bytes" talker.out
    done
}

@test "everything builds for 32 bits without a warning" {
    builds_without_a_warning 32
}

@test "32 with 32 bits, 32 with 64 and 64 with 32: the pair and three lessons" {
    build_for 32 "${four[@]}"
    the_four_work_between "$there" "$there"
    the_four_work_between "$there" "$BUILD"
    the_four_work_between "$BUILD" "$there"
}

@test "a lesson that depends on the bits says so between 32 and 64 bits" {
    build_for 32 {listener,talker}-{limits,huge,attach,offset}
    local listeners talkers
    for sides in "$there:$BUILD" "$BUILD:$there"; do
        listeners=${sides%:*} talkers=${sides#*:}
        listener_of limits
        talker_of limits
        grep -E 'skipped: the listener has (32|64) bits and we have (64|32)' talker.out
        listener_of huge
        talker_of huge
        listener_of attach
        talker_of attach
        listener_of offset
        refuses 1 'a pointer has [48] bytes in the listener and [84] here.*build both sides alike' \
            "$talkers/talker-offset"
        finish listener 3
    done
}

@test "with 32 bits a ring of 4 GiB is refused" {
    build_for 32 "${four[@]}"
    refuses 2 '--slots 8, --slot-size 536870912: so many bytes cannot be addressed with 32 bits' \
        "$there/listener-stream" --slots 8 --slot-size 536870912
}

# A 64-bit listener's ring of SLOTS, each of 512 MiB. No byte of it is touched.
start_large_ring() { # SLOTS
    start listener listener-stream --slots "$1" --slot-size 536870912
    until_true grep -qE 'waiting for a talker|shmget' listener.err
    grep 'waiting for a talker' listener.err || skip "no such segment here: $(cat listener.err)"
}

@test "a 32-bit talker says why it cannot use a 64-bit listener's ring" {
    build_for 32 "${four[@]}"
    start_large_ring 4
    refuses 1 '4 slots of 536870912 bytes.*impossible in a 32-bit program' \
        "$there/talker-stream"
    finish listener 3 # the talker had joined
    start_large_ring 8
    refuses 1 'Cannot allocate memory: it is too large for a 32-bit program' "$there/talker-stream"
    stop listener
}

@test "with 32 bits a wait may last for 200000000 seconds" {
    build_for 32 "${four[@]}"
    local listeners=$there talkers=$there
    listener_of '' --timeout 200000000
    wait_for_state "$listener_pid" S
    talker_of '' --timeout 200000000
}

# The talker begins 1 MB before the end: that takes no time.
@test "with 32 bits a file of 3 GiB can be sent" {
    build_for 32 "${four[@]}"
    local listeners=$there talkers=$there
    truncate -s 3G data || skip "no file of 3 GiB here"
    listener_of stream
    {
        dd bs=1M skip=3071 count=0 status=none
        echo end | dd of=data bs=1 seek=3G conv=notrunc status=none
        talker_of stream
    } <data
    grep 'sent 1048580 bytes' talker.err
    tail -c 4 listener.out | expect_lines - end
}

@test "for aarch64 everything builds without a warning" {
    builds_without_a_warning aarch64
}

@test "for aarch64 the pair and three lessons run" {
    build_for aarch64 "${four[@]}"
    the_four_work_between "$there" "$there"
}

@test "for s390x, with the other byte order, everything builds" {
    builds_without_a_warning s390x
}

@test "for s390x, with the other byte order, the pair and three lessons run" {
    build_for s390x "${four[@]}"
    the_four_work_between "$there" "$there"
}

@test "a peer with the other byte order says why it cannot take part" {
    build_for s390x "${four[@]}"
    start_listener
    refuses 1 'foreign segment.*other byte order.*it was not changed' "${emulator[@]}" "$there/talker"
    refuses 1 'foreign segment.*other byte order.*it was not changed' "${emulator[@]}" "$there/listener"
    stop listener
    start_listener_of handshake
    refuses 1 'foreign segment.*other byte order' "${emulator[@]}" "$there/talker-handshake"
    stop listener
}

@test "without lock-free atomics of 64 bits the build stops, and says why" {
    choose 32
    cc="$cc -march=i486" there=$BUILD/bits/i486
    $cc -x c -fsyntax-only - <<<'int nothing;' || skip "'$cc' knows no processor without them"
    run -2 make_there "${there#"$ROOT"/}/talker"
    [[ $output == *'shmtalk needs atomics of 32 and 64 bits without a lock, and this processor has not both'* ]]
    [ ! -e "$there/talker" ]
}
