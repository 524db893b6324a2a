#!/usr/bin/env bats
# setup.bats - scripts/setup installs what is missing, and never what is here.
#
# Each test makes a machine: a directory "bin" that is the whole PATH. Its apt-get and npm write down how they were
# called, and "install" by making programs in bin.

load helpers

setup() {
    common_setup
    mkdir bin
    : >calls
    for tool in sh dirname sed cat chmod ln mkdir; do
        ln -s "$(type -P "$tool")" "bin/$tool"
    done
    fake id 'echo 0'
    for tool in make awk ipcs; do
        fake "$tool" :
    done
    fake cc 'cat >/dev/null'
    fake_bats 1.11.0
    # shellcheck disable=SC2016 # the program is to expand
    fake apt-get 'echo "apt-get $*" >>'"'$PWD/calls'"'
        for word; do :; done
        [ "$1" != install ] || [ ! -e "'"$PWD"'/package.$word" ] || cat "'"$PWD"'/package.$word" >"'"$PWD"'/bin/$word"
        [ ! -e "'"$PWD"'/bin/$word" ] || chmod +x "'"$PWD"'/bin/$word"'
}
teardown() { common_teardown; }

fake() { # TOOL COMMANDS
    printf '#!/bin/sh\n%s\n' "$2" >"bin/$1"
    chmod +x "bin/$1"
}

fake_bats() { # VERSION
    fake bats "echo 'Bats $1'"
}

setup_here() { # [VARIABLE=VALUE]... [ARGUMENT]...
    local variables=()
    while [[ ${1-} == *=* ]]; do variables+=("$1") && shift; done
    status=0
    env -i PATH="$PWD/bin" "${variables[@]}" "$(type -P sh)" "$ROOT/scripts/setup" "$@" >out 2>err 3>&- || status=$?
}

nothing_was_installed() {
    expect_lines calls
}

@test "setup is silent if nothing is missing" {
    setup_here test
    [ "$status" -eq 0 ] || fail "$(cat err)"
    expect_lines out
    expect_lines err
    nothing_was_installed
}

@test "an unusable TMPDIR is named, and nothing is installed" {
    # As bats does, this one fails if it can make no temporary file.
    # shellcheck disable=SC2016 # the program is to expand
    fake bats '[ -d "${TMPDIR:-/tmp}" ] || { echo "no TMPDIR" >&2; exit 1; }; echo "Bats 1.11.0"'
    for directory in /nonexistent "$PWD/no such" /dev/null; do
        for what in build test ci; do
            setup_here TMPDIR="$directory" "$what"
            [ "$status" -eq 1 ]
            [ "$(wc -l <err)" -eq 1 ]
            grep -F "scripts/setup: TMPDIR is '$directory', where no file can be made: set TMPDIR to" err
        done
    done
    nothing_was_installed
    mkdir 'a tmp'
    setup_here TMPDIR="$PWD/a tmp" test
    [ "$status" -eq 0 ] || fail "$(cat err)"
}

@test "a bats that is here but fails is not installed again: its own message is shown" {
    cp bin/apt-get bin/npm
    fake bats 'echo "libexec is gone" >&2; exit 127'
    cp bin/bats before
    setup_here test
    [ "$status" -eq 1 ]
    grep -F 'bats --version fails: libexec is gone' err
    grep -F 'bats is here but fails, so setup installs nothing' err
    nothing_was_installed
    cmp before bin/bats
}

@test "a compiler that fails is not installed again, and its headers are not called missing" {
    fake cc 'cat >/dev/null; echo "cannot execute cc1" >&2; exit 1'
    setup_here build
    [ "$status" -eq 1 ]
    grep -F "cc cannot compile 'int nothing;': cannot execute cc1" err
    nothing_was_installed
}

@test "only the missing tool is installed" {
    rm bin/bats
    echo 'echo "Bats 1.10.0"' >package.bats
    setup_here test
    [ "$status" -eq 0 ] || fail "$(cat err)"
    grep -v '^apt-get update$' calls | expect_lines - 'apt-get install -y --no-install-recommends bats'
    : >calls
    # shellcheck disable=SC2016 # the program is to expand
    fake cc 'while read -r line; do case $line in *include*) exit 1 ;; esac; done' # no headers
    setup_here build
    [ "$status" -eq 1 ]
    grep -v '^apt-get update$' calls | sort -u | expect_lines - 'apt-get install -y --no-install-recommends libc6-dev'
    grep -F 'still missing: headers' err
}

@test "for CI the other processors' compilers come with their C libraries" {
    fake gcc 'cat >/dev/null; [ "$*" != -dumpversion ] || echo 12'
    # shellcheck disable=SC2016 # the program is to expand
    fake cc 'cat >/dev/null; case $* in *-m32*) exit 1 ;; esac'
    fake qemu-aarch64-static :
    setup_here ci
    [ "$status" -eq 0 ] || fail "$(cat err)"
    local packages='libc6-dev-i386 lib32gcc-12-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-s390x-linux-gnu'
    head -n 2 calls | grep -E " $packages libc6-dev-s390x-cross qemu-user$"
    grep -E 'going without:.* 32-bit-libc aarch64-linux-gnu-gcc s390x-linux-gnu-gcc qemu-s390x$' err

    # A compiler that is here, but has no libraries, is not complete.
    fake aarch64-linux-gnu-gcc 'cat >/dev/null; exit 1'
    fake s390x-linux-gnu-gcc 'cat >/dev/null'
    setup_here ci
    grep -E 'going without:.* 32-bit-libc aarch64-linux-gnu-gcc qemu-s390x$' err
}

@test "an old bats stays: a newer one comes by npm, beside it, or not at all" {
    fake_bats 1.2.1
    setup_here test
    [ "$status" -eq 1 ]
    grep -F 'bats is Bats 1.2.1, but the tests need 1.8 or later' err
    nothing_was_installed

    mkdir -p prefix/bin
    # shellcheck disable=SC2016 # the program is to expand
    fake npm 'case $1 in
        prefix) echo '"'$PWD/prefix'"' ;;
        install) echo "npm $*" >>'"'$PWD/calls'"' ;;
    esac'
    echo 'not ours' >prefix/bin/bats
    setup_here test
    expect_lines calls 'npm install -g bats'
    expect_lines prefix/bin/bats 'not ours'
    [ "$(bin/bats)" = 'Bats 1.2.1' ]
}

@test "without a package manager or root, setup names what to install" {
    rm bin/make bin/apt-get
    fake id 'echo 1000'
    setup_here build
    [ "$status" -eq 1 ]
    grep -F 'install these by hand: make' err
}
