#!/usr/bin/env bats
# stream_corrupt.bats - each side checks the counts and lengths that it reads from the segment.
# shellcheck disable=SC2154,SC2034 # start sets NAME_pid; stream.bash reads the options set here

load helpers
load stream

@test "the talker refuses impossible slots, and reads nothing" {
    compile stream_corrupt
    page=$(getconf PAGESIZE)
    for lie in 'slots 0' 'slots 1025' 'slots 9' 'slots 18446744073709551615' 'slot_size 0' 'slot_size 1' \
        "slot_size $((slot + page))" "slot_size $((slot - 1))" 'slot_size 18446744073709547520' \
        'slots 1024 slot_size 18014398509481984'; do
        start_receiver
        # shellcheck disable=SC2086 # words
        ./stream_corrupt "$shmid" $lie
        start talker talker-stream <"$random"
        finish talker 1
        grep -Ex "talker-stream: segment $shmid says that it has [0-9]+ slots of [0-9]+ bytes, in [0-9]+ bytes: that is impossible" talker.err
        [ "$(wc -l <talker.err)" -eq 1 ]
        finish listener 3
        has_size listener.out 0
    done
}

@test "the listener refuses impossible counts and lengths, and writes nothing" {
    compile stream_corrupt
    # The talker has passed on two slots.
    for lie in 'head 1' 'head 0' 'head 11' 'head 18446744073709551615' "length[2] $((slot + 1)) head 3" \
        'length[2] 18446744073709551615 head 3'; do
        start_and_hold_talker room:3
        wait_for_size listener.out $((2 * slot))
        # shellcheck disable=SC2086 # words
        ./stream_corrupt "$shmid" $lie
        kill -USR1 "$listener_pid" # it looks only if it is signalled
        finish listener 1
        grep -Ex "listener-stream: segment $shmid says that slot 2 holds [0-9]+ bytes, and that [0-9]+ slots are filled: that is impossible" listener.err
        has_size listener.out $((2 * slot))
        kill -CONT "$talker_pid"
        finish talker 3
    done
}

@test "the talker refuses an impossible count of the listener's" {
    compile stream_corrupt
    for lie in 9 100 9223372036854775808 18446744073709551615; do
        start_receiver --hold filled
        start talker talker-stream <"$random"
        wait_for_state "$listener_pid" T
        until_true has_read $((8 * slot))
        ./stream_corrupt "$shmid" tail "$lie"
        kill -USR1 "$talker_pid" # it looks only if it is signalled
        finish talker 1
        grep -Ex "talker-stream: segment $shmid says that [0-9]+ slots of 8 are filled: that is impossible" talker.err
        kill -CONT "$listener_pid"
        finish listener 3
    done
}

@test "an errno that does not exist is reported as well" {
    compile stream_corrupt
    for lie in 2147483647 4294967295; do
        start_and_hold_listener filled
        ./stream_corrupt "$shmid" refused "$lie"
        kill -USR1 "$talker_pid"
        finish talker 1
        grep -E "^talker-stream: the listener \(PID $listener_pid\) cannot write: .+" talker.err
        kill -CONT "$listener_pid"
        finish listener 3
    done
}

@test "a wrong statistic or wakeup hint does no harm: all bytes arrive" {
    compile stream_corrupt
    for lie in 'asleep 1' 'asleep -1 cpu -1' 'cpu 1' 'asleep 2147483647 cpu 2147483647'; do
        start_receiver --spin 20
        start_held talker room:2 talker-stream --spin 20 <"$random"
        # shellcheck disable=SC2086 # words
        ./stream_corrupt "$shmid" $lie expected 18446744073709551615
        kill -CONT "$talker_pid"
        finish talker 0
        finish listener 0
        cmp "$random" listener.out
    done
}
