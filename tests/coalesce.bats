#!/usr/bin/env bats
# coalesce.bats - a blocked SIGUSR1 is one bit; realtime signals are queued; a counter in memory loses none.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers
load session

setup() { common_setup; }
teardown() { common_teardown; }

# How often the listener took SIGNAL.
taken() { # SIGNAL
    sed -n "s/^listener: took $1 \([0-9]*\) time.*/\1/p" listener.out
}

@test "of 1,000 SIGUSR1 to a blocked listener few arrive; memory counts 1,000" {
    meet coalesce
    grep -x 'talker: sent SIGUSR1 1000 times' talker.out
    grep -E '^listener: took SIGUSR1 [0-9]+ times?, while memory says 1000$' listener.out
    [ "$(taken SIGUSR1)" -ge 1 ] && [ "$(taken SIGUSR1)" -le 2 ] # the 1,000 become one; the talker's ring is the second
    expect_lines listener.err
    expect_lines talker.err
}

@test "all of 1,000 realtime signals arrive, in the order they were sent" {
    [ "$(ulimit -i)" = unlimited ] || [ "$(ulimit -i)" -ge 2000 ] || skip "ulimit -i is $(ulimit -i)"
    meet coalesce
    grep -x 'talker: queued 1000 realtime signals of 1000' talker.out
    grep -x 'listener: took SIGRTMIN 1000 times of 1000 queued, in the order they were sent' listener.out
}

@test "the kernel refuses signals beyond the queue limit; all it took arrive" {
    # The limit of the receiving process counts.
    start listener bash -c 'ulimit -i 100 && exec "$@"' bash "$(lesson_program listener coalesce)" -t "$DEADLINE"
    wait_for_line listener.out waiting
    ends 0 talker-coalesce
    finish listener 0
    queued=$(sed -n 's/^talker: queued \([0-9]*\) realtime signals of 1000: the limit is reached (ulimit -i)$/\1/p' talker.out)
    [ "$queued" -ge 1 ] && [ "$queued" -le 100 ]
    grep -x "listener: took SIGRTMIN $queued times of $queued queued, in the order they were sent" listener.out
}

@test "a listener whose queue limit is 0 skips the second half and says why" {
    start listener bash -c 'ulimit -i 0 && exec "$@"' bash "$(lesson_program listener coalesce)" -t "$DEADLINE"
    wait_for_line listener.out waiting
    ends 0 talker-coalesce
    finish listener 0
    grep -x "talker: skipped: the kernel queues no signal for PID $listener_pid: the limit of pending signals is \
reached (ulimit -i)" talker.out
    [ "$(taken SIGUSR1)" -ge 1 ]
    grep -x 'listener: skipped, as the talker says' listener.out
}

@test "strace counts 1,000 of each sent, and the arrivals that are reported" {
    requires_strace
    start listener strace -o listener.strace -e trace=none "$(lesson_program listener coalesce)" -t "$DEADLINE"
    wait_for_line listener.out waiting
    start talker strace -o talker.strace -e trace=kill,rt_sigqueueinfo "$(lesson_program talker coalesce)" -t "$DEADLINE"
    finish talker 0
    finish listener 0
    [ "$(grep -c 'rt_sigqueueinfo(.*) = 0' talker.strace)" -eq 1000 ]
    sent=$(grep -c 'kill([0-9]*, SIGUSR1) *= 0' talker.strace)
    [ "$sent" -ge 1000 ]
    [ "$(grep -c '^--- SIGRT' listener.strace)" -eq "$(taken SIGRTMIN)" ]
    # The signals beyond the 1,000 announce a step each, and arrive one by one.
    [ "$(grep -c '^--- SIGUSR1' listener.strace)" -le $((sent - 1000 + 1)) ]
}

@test "while SIGUSR1 is blocked, exactly one is pending" {
    [ -r /proc/self/status ] || skip "no /proc/PID/status here"
    hold_talker coalesce kill:1001 # the first kill announced the talker, so 999 were sent
    pending=$(sed -n 's/^ShdPnd:[[:space:]]*/0x/p' "/proc/$listener_pid/status")
    [ $((pending >> ($(kill -l USR1) - 1) & 1)) -eq 1 ]
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
}

@test "stray SIGUSR1 change nothing" {
    strays_change_nothing coalesce kill:500
}

@test "terminating and killing signals leave nothing behind" {
    signals_leave_nothing coalesce kill:500 says_it_went_away_or_cannot_be_signalled
    killed_talker_leaves_nothing coalesce kill:500
    kill_listener coalesce kill:500
    says_it_went_away_or_cannot_be_signalled
    meet coalesce
    is_removed "$shmid"
}
