#!/usr/bin/env bats
# offset.bats - a list in shared memory: pointers are valid in one process only, offsets in all.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

# Sets pointer, begin and end to the listener's first pointer and the bounds of its segment.
read_addresses() {
    local said='s/^listener: the first pointer is (0x[0-9a-f]+), and our segment goes from (0x[0-9a-f]+) to (0x[0-9a-f]+): not followed$/\1 \2 \3/p'
    read -r pointer begin end < <(sed -nE "$said" listener.out)
}

points_elsewhere() {
    read_addresses
    [ $((pointer)) -lt $((begin)) ] || [ $((pointer)) -ge $((end)) ]
}

# The list is corrupted just before the listener follows it. The listener reports it and stops.
does_not_follow() { # PATTERN first|next OFFSET
    start listener listener-offset --hold walk
    shmid=$(shmid_of listener)
    start talker talker-offset
    wait_for_state "$listener_pid" T
    ./offset_corrupt "$2" "$shmid" "$3"
    kill -CONT "$listener_pid"
    finish listener 1
    finish talker 3
    grep -E "^listener-offset: $1: not followed$" listener.err
}

# Sets first to the offset of the first of the eight nodes, and node to the size of each.
read_nodes() {
    meet offset
    first=$(sed -nE 's/.*which is offset ([0-9]+) here.*/\1/p' talker.out)
    last=$(sed -nE "s/.*the listener's word, at offset ([0-9]+): .*/\1/p" talker.out)
    node=$(((last - first) / 7))
}

@test "both read the same list by offsets; pointers work at home only" {
    meet offset
    talker_said=$(sed -nE 's/^talker: followed 6 pointers, the first to .*: "(.*)"$/\1/p' talker.out)
    [ "$talker_said" = 'an offset means the same everywhere' ]
    grep -x "listener: followed 6 offsets: \"$talker_said\"" listener.out
    points_elsewhere
    expect_lines listener.err
    expect_lines talker.err
}

@test "/proc shows the segment where each side says it is" {
    [ -r /proc/self/maps ] || skip "no /proc/PID/maps here"
    start listener listener-offset --hold walk
    shmid=$(shmid_of listener)
    start talker talker-offset
    wait_for_state "$listener_pid" T
    grep -E " $shmid +/SYSV" "/proc/$listener_pid/maps" >listener.maps
    wait_for_line talker.out 'followed 6 pointers'
    grep -E " $shmid +/SYSV" "/proc/$talker_pid/maps" >talker.maps
    kill -CONT "$listener_pid"
    finish listener 0
    finish talker 0
    read_addresses
    grep "^${begin#0x}-" listener.maps
    offset=$(sed -nE "s/^talker: followed .* to $pointer, which is offset ([0-9]+) here: .*/\1/p" talker.out)
    grep "^$(printf %x $((pointer - offset)))-" talker.maps
}

@test "without address randomisation the pointer is still wrong" {
    requires setarch
    setarch -R true || skip "setarch -R is not permitted here"
    start listener setarch -R "$(lesson_program listener offset)" -t "$DEADLINE"
    shmid_of listener >shmid
    ends 0 setarch -R "$(lesson_program talker offset)" -t "$DEADLINE"
    finish listener 0
    points_elsewhere
}

@test "the talker finds what the listener links by an offset" {
    meet offset
    grep -xE "talker: the listener's word, at offset [0-9]+: Indeed," talker.out
}

@test "an offset without a node is not followed, inside or outside" {
    compile offset_corrupt
    read_nodes
    for offset in $((first - node)) $((first + 8 * node)) $((first + 1000 * node)) 4294967295; do
        does_not_follow "offset $offset after 0 nodes: there is no node" first "$offset"
    done
    does_not_follow "offset $((first + 8 * node)) after 1 nodes: there is no node" next $((first + 8 * node))
}

@test "an offset into the middle of a node is not followed" {
    compile offset_corrupt
    read_nodes
    for offset in 1 4 $((node - 1)); do
        does_not_follow "offset $((first + offset)) after 0 nodes: there is no node" first $((first + offset))
    done
}

@test "an endless list is not followed for ever" {
    compile offset_corrupt
    read_nodes
    does_not_follow "offset $first after 8 nodes: there is no node" next "$first"
}

@test "a talker whose pointers have another size says so, and ends" {
    compile offset_corrupt
    start_listener_of offset
    ./offset_corrupt width "$(shmid_of listener)" 4
    ends 1 talker-offset
    grep -E "^talker-offset: a pointer has 4 bytes in the listener .*: build both sides alike$" talker.err
    finish listener 3
}

@test "stray, terminating and killing signals leave nothing behind" {
    strays_change_nothing offset link
    signals_leave_nothing offset link
    kills_leave_nothing offset link
}
