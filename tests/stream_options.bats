#!/usr/bin/env bats
# stream_options.bats - slot sizes, slot counts and huge pages on the command line.
# shellcheck disable=SC2154,SC2034 # start sets NAME_pid; stream.bash reads the options set here

load helpers
load stream

@test "invalid slot sizes and counts are a usage error that names the value" {
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

@test "too large a ring is refused with a line that says what to do" {
    refuses 1 '^listener-stream: shmget\(.*choose a smaller size' listener-stream --slots 1024 --slot-size 1073741824
}

@test "--huge puts the ring on huge pages, or says what to do" {
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
