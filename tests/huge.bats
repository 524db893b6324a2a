#!/usr/bin/env bats
# huge.bats - page faults with small and with huge pages.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() {
    common_setup
    [ -r /proc/meminfo ] || skip "no /proc/meminfo here"
}

teardown() {
    local clean=0
    give_back || clean=1
    common_teardown || clean=1
    return "$clean"
}

meminfo() { # FIELD
    awk -v field="$1:" '$1 == field { print $2 }' /proc/meminfo
}

# The bytes of each segment, as the lesson chooses them: two huge pages.
expected_bytes() {
    echo $((2 * $(meminfo Hugepagesize) * 1024))
}

# Another run of these tests must not change the number of huge pages meanwhile.
alone() {
    requires flock
    exec 9</proc/sys/vm/nr_hugepages
    flock -w 60 9 || fail "waited 60 s for /proc/sys/vm/nr_hugepages, which another test holds"
}

# Sets FILE to VALUE until give_back. If the test dies first, a keeper process sets it back.
borrow() { # FILE VALUE
    [ -w "$1" ] || skip "only root can write $1"
    local before fd
    before=$(cat "$1")
    exec {fd}> >(
        trap '' HUP INT TERM
        exec 3>&- 9>&-
        read -r _ || echo "$before" >"$1"
    )
    borrowed+=("$fd" "$1" "$before")
    echo "$2" >"$1"
    [ "$(cat "$1")" = "$2" ] || skip "the kernel takes no $2 for $1"
}

borrowed=()

# The last one first, because each keeper has inherited the descriptors of those before it.
give_back() {
    local i fd
    for ((i = ${#borrowed[@]} - 3; i >= 0; i -= 3)); do
        fd=${borrowed[i]}
        exec {fd}>&-
        until_true holds "${borrowed[@]:i + 1:2}" || fail "${borrowed[i + 1]} is not set back to ${borrowed[i + 2]}"
    done
}

holds() { # FILE VALUE
    [ "$(cat "$1")" = "$2" ]
}

meet_as_nobody() { # both sides of the lesson
    [ "$(id -u)" -eq 0 ] || skip "only root can become another user"
    requires setpriv
    chmod 777 .
    nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    "${nobody[@]}" test -x "$BUILD/listener-huge" || skip "the user nobody cannot run $BUILD"
    start listener "${nobody[@]}" "$BUILD/listener-huge" -t "$DEADLINE"
    wait_for_line listener.out waiting
    start talker "${nobody[@]}" "$BUILD/talker-huge" -t "$DEADLINE"
    finish talker 0
    finish listener 0
}

# The page faults that SIDE prints for the segment with FLAG.
faults() { # SIDE FLAG
    sed -n "s/^$1: $2: .* took \([0-9]*\) page faults.*/\1/p" "$1.out"
}

# One fault for each page, and few others.
expect_a_fault_per_page() { # SIDE PAGES
    local count
    count=$(faults "$1" 'no flag')
    if [ "$count" -lt "$2" ] || [ "$count" -ge $(($2 + $2 / 4)) ]; then
        fail "$1: $count page faults for $2 pages"
    fi
}

@test "each small page costs one fault in each process" {
    meet huge
    page=$(getconf PAGESIZE) bytes=$(expected_bytes)
    grep -E "^listener: no flag: $bytes bytes in pages of $page took [0-9]+ page faults$" listener.out
    grep -E "^talker: no flag: the same $bytes bytes took [0-9]+ page faults here, too$" talker.out
    expect_a_fault_per_page listener $((bytes / page))
    expect_a_fault_per_page talker $((bytes / page))
    expect_lines listener.err
    expect_lines talker.err
}

has_stopped_more() { # COUNT
    [ "$(grep -c 'stopped before' talker.err)" -gt "$1" ] && in_state "$talker_pid" T
}

# Continues the talker, call by call, until it stops before its N-th CALL.
step_to() { # CALL N
    local stops
    until [ "$(grep -c "stopped before $1(" talker.err)" -ge "$2" ]; do
        stops=$(grep -c 'stopped before' talker.err || :)
        kill -CONT "$talker_pid"
        until_true has_stopped_more "$stops" || fail "waited $DEADLINE s for the talker to stop again"
    done
}

minor_faults() { # PID
    local stat
    read -r -a stat <"/proc/$1/stat"
    echo "${stat[9]}"
}

@test "the kernel counts the same page faults for the process" {
    start_listener_of huge
    start talker talker-huge --step
    until_true has_stopped_more 0
    step_to shmat 3 # the first two attach the session's segment
    before=$(minor_faults "$talker_pid")
    step_to shmdt 2
    count=$(($(minor_faults "$talker_pid") - before))
    while kill -CONT "$talker_pid" 2>/dev/null && is_running "$talker_pid"; do sleep 0.001; done
    finish talker 0
    finish listener 0
    told=$(faults talker 'no flag')
    [ "$count" -ge "$told" ] && [ "$count" -lt $((told + 100)) ] || fail "the kernel counts $count, the lesson tells $told"
}

@test "without huge pages: ENOMEM, and the named command provides some" {
    alone
    [ "$(meminfo HugePages_Free)" = 0 ] || skip "there are huge pages set aside on this machine"
    [ "$(id -u)" -eq 0 ] || skip "only root may use SHM_HUGETLB without a group"
    meet huge
    total=$(meminfo HugePages_Total)
    grep -Fx "listener: skipped: SHM_HUGETLB: ENOMEM, 0 huge pages are free; as root: sysctl vm.nr_hugepages=$((total + 2))" \
        listener.out
    grep -Fx 'talker: skipped: the listener has no segment with SHM_HUGETLB' talker.out
    borrow /proc/sys/vm/nr_hugepages "$(sed -n 's/.*sysctl vm.nr_hugepages=//p' listener.out)"
    meet huge
    grep -E '^listener: SHM_HUGETLB: ' listener.out
    run ! grep skipped listener.out talker.out
}

@test "huge pages cost few faults in both processes" {
    alone
    borrow /proc/sys/vm/nr_hugepages $(($(meminfo HugePages_Total) + 2))
    meet huge
    run ! grep skipped listener.out talker.out
    page=$(getconf PAGESIZE) bytes=$(expected_bytes) huge=$(($(meminfo Hugepagesize) * 1024))
    grep -E "^listener: SHM_HUGETLB: $bytes bytes in pages of $huge took [0-9]+ page faults$" listener.out
    [ "$(faults listener SHM_HUGETLB)" -ge 2 ]
    for side in listener talker; do
        [ "$(faults "$side" SHM_HUGETLB)" -lt $((bytes / page / 4)) ]
        expect_a_fault_per_page "$side" $((bytes / page))
    done
    grep -Fx "listener: $(faults listener SHM_HUGETLB) page faults instead of $(faults listener 'no flag')" listener.out
    [ "$(meminfo HugePages_Free)" = "$(meminfo HugePages_Total)" ]
}

@test "without the capability: EPERM, and the named command grants it" {
    alone
    meet_as_nobody
    grep -E '^listener: skipped: SHM_HUGETLB: EPERM, .*; as root: sysctl vm.hugetlb_shm_group=65534$' listener.out
    borrow /proc/sys/vm/hugetlb_shm_group "$(sed -n 's/.*sysctl vm.hugetlb_shm_group=//p' listener.out)"
    borrow /proc/sys/vm/nr_hugepages $(($(meminfo HugePages_Total) + 2))
    meet_as_nobody
    grep -E '^listener: SHM_HUGETLB: .* page faults$' listener.out
}

@test "any other refusal is reported as well" {
    requires_strace
    start listener strace -o strace.out -e trace=shmget -e inject=shmget:error=ENOSYS:when=3 \
        "$(lesson_program listener huge)" -t "$DEADLINE"
    wait_for_line listener.out waiting
    ends 0 talker-huge
    finish listener 0
    grep -E 'shmget\(IPC_PRIVATE, [0-9]+, SHM_HUGETLB\|0600\) = -1 ENOSYS' strace.out
    grep -x 'listener: skipped: SHM_HUGETLB: ENOSYS' listener.out
}

@test "without /proc both sides skip the lesson, and say why" {
    start_without_proc listener "$(lesson_program listener huge)" -t "$DEADLINE"
    shmid_of listener >shmid
    ends 0 talker-huge
    finish listener 0
    grep -E '^listener: skipped: /proc/meminfo .*cannot be read here$' listener.out
    grep -x 'talker: skipped, as the listener says' talker.out
}

@test "stray, terminating and killing signals leave no segment behind" {
    strays_change_nothing huge shmat:3 # the first two attach the session's segment
    signals_leave_nothing huge shmat:3
    kills_leave_nothing huge shmat:3
}
