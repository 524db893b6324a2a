#!/usr/bin/env bats
# crowd.bats - more than two processes: talkers queue, listeners race for a key, and survivors clean up.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup() { common_setup; }
teardown() { common_teardown; }

# The listener waits for a typed reply to the talker `first`, so every other talker has to queue.
start_busy_listener() { # [OPTION]...
    [ -p replies ] || mkfifo replies
    exec 7<>replies
    start_listener --interactive "$@" <replies
    start first talker first
    wait_for_line listener.out 'received: first'
}

# Talkers, each named like its message; each starts when those before it have their seats.
start_queue() { # NAME...
    local name
    for name; do start_seated "$name"; done
}

start_seated() { # NAME [OPTION]...
    start "$1" talker -v "$@"
    wait_for_line "$1.err" 'kill\(.*, SIGUSR1\) = 0'
}

# A listener without a talker is killed, and leaves its segment.
leave_stale_segment() {
    start_listener
    kill -KILL "$listener_pid"
    finish listener 137
}

# ---- talkers queue

@test "of 20 talkers at once each gets its answer, and is heard once" {
    start_listener --keep
    for i in {1..20}; do start "t$i" talker "message $i"; done
    for i in {1..20}; do
        finish "t$i" 0
        expect_lines "t$i.out" "talker: said: message $i" "talker: listener said: Have a nice day"
    done
    stop listener
    received listener | sort | diff - <(printf 'message %d\n' {1..20} | sort)
    expect_lines listener.err
}

@test "the listener serves seated talkers in their order" {
    start_busy_listener --count 9
    start_queue two three four five six seven eight nine
    printf 'reply %d\n' {1..9} >&7
    finish listener 0
    received listener | diff - <(printf '%s\n' first two three four five six seven eight nine)
    for name in two three four five six seven eight nine; do finish "$name" 0; done
    finish first 0
    grep 'listener said: reply 1' first.out
    grep 'listener said: reply 9' nine.out
}

@test "a talker that finds a free seat does not overtake those that wait" {
    only_ours
    start_listener --keep --hold kill:3 # it has replied to the first talker, but not signalled yet
    start first talker first --hold reading
    wait_for_state "$listener_pid" T
    kill -USR1 "$first_pid" # in the listener's place: a signal only means "look"
    wait_for_state "$first_pid" T
    start_queue two three
    kill -CONT "$first_pid"
    finish first 0
    start_queue four
    kill -CONT "$listener_pid"
    for name in two three four; do finish "$name" 0; done
    stop listener
    received listener | diff - <(printf '%s\n' first two three four)
}

@test "a talker that is killed in the queue does not disturb the others" {
    start_busy_listener --keep
    start_queue two three four
    kill -KILL "$three_pid"
    finish three 137
    kill -TERM "$two_pid"
    finish two 143
    printf 'a reply\n%.0s' 1 2 >&7
    finish first 0
    finish four 0
    stop listener
    received listener | diff - <(printf '%s\n' first four)
    [ "$(grep -cE "PID ($two_pid|$three_pid)\>" listener.err)" -eq 2 ]
}

@test "a killed talker that stays a zombie in the queue disturbs no other" {
    start_busy_listener --keep
    start parent sh -c '"$0" -v two 2>two.err & echo "$!"; exec sleep '"$DEADLINE" "$TALKER"
    wait_for_line two.err 'kill\(.*, SIGUSR1\) = 0'
    start_queue three
    kill -KILL "$(cat parent.out)"
    wait_for_state "$(cat parent.out)" Z
    printf 'a reply\n%.0s' 1 2 >&7
    finish first 0
    finish three 0
    stop listener
    stop parent
    received listener | diff - <(printf '%s\n' first three)
}

@test "a talker that gives up in the queue does not disturb the others" {
    start_busy_listener --keep
    start_queue two
    ends 3 talker --timeout 0.2 three
    printf 'a reply\n%.0s' 1 2 >&7
    finish first 0
    finish two 0
    stop listener
    received listener | diff - <(printf '%s\n' first two)
}

@test "the listener waits for a stopped talker in its seat, then answers it" {
    start_busy_listener --count 3
    start_queue two three
    kill -STOP "$two_pid"
    wait_for_state "$two_pid" T
    printf 'a reply\n%.0s' 1 2 3 >&7
    finish first 0
    sleep 0.3 # longer than a death takes to be noticed
    kill -CONT "$two_pid"
    for name in two three listener; do finish "$name" 0; done
    received listener | diff - <(printf '%s\n' first two three)
}

@test "when a one-conversation listener leaves, queued talkers exit with 3" {
    start_busy_listener
    start_queue two three
    shmid=$(shmid_of listener)
    echo "a reply" >&7
    finish first 0
    finish listener 0
    for name in two three; do
        finish "$name" 3
        grep "^talker: .*PID $listener_pid\>" "$name.err"
    done
    run ! segment_exists "$shmid"
}

@test "a talker that queues with --wait goes on to the next listener" {
    start_busy_listener
    start_seated two --wait
    start_seated three --wait
    echo "a reply" >&7
    finish first 0
    finish listener 0
    start_listener --count 2
    for name in two three listener; do finish "$name" 0; done
    received listener | sort | diff - <(printf '%s\n' three two)
}

@test "with --wait it also goes on when the listener is killed" {
    start_busy_listener
    start_seated two --wait
    kill -KILL "$listener_pid"
    finish listener 137
    finish first 3
    start_listener
    finish two 0
    finish listener 0
}

# ---- where the kernel does not show who has attached the segment

# Each place makes the array `in_place`, and copies of the programs in the test's directory.
make_place() { # NAME
    cp "$LISTENER" listener
    cp "$TALKER" talker
    touch shmfile
    chmod 755 . listener talker
    in_place=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    case $1 in
        execute_only) chmod 711 listener talker ;;
        capability) setcap cap_ipc_lock+ep talker 2>/dev/null || return ;;
        no_proc) in_place=(unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh) ;;
    esac
    chmod 644 shmfile
    "${in_place[@]}" ./talker --version >/dev/null 2>&1
}

# The listener looks when all ten have their seats: the kernel then names only the last as the one that attached.
ten_are_served() {
    start listener "${in_place[@]}" ./listener --keep --timeout "$DEADLINE" --hold ready
    wait_for_line listener.out 'waiting for a talker'
    wait_for_state "$listener_pid" T
    for i in {1..10}; do start "t$i" "${in_place[@]}" ./talker -v --timeout "$DEADLINE" "message $i"; done
    for i in {1..10}; do wait_for_line "t$i.err" 'kill\(.*, SIGUSR1\) = 0'; done
    kill -CONT "$listener_pid"
    for i in {1..10}; do finish "t$i" 0; done
    stop listener
    received listener | sort | diff - <(printf 'message %d\n' {1..10} | sort)
    expect_lines listener.err
}

@test "10 talkers whose maps the listener may not read are all served" {
    only_ours
    [ "$(id -u)" -eq 0 ] || skip "only root can become another user"
    requires setpriv setcap
    make_place execute_only || skip "nobody cannot run the programs here"
    ten_are_served
    make_place capability || skip "no file capability can be set here"
    ten_are_served
}

@test "10 talkers are all served where there is no /proc" {
    only_ours
    requires unshare
    make_place no_proc || skip "nothing can be mounted over /proc here"
    ten_are_served
}

@test "a PID that the kernel cannot confirm is asked, not signalled, then ignored" {
    only_ours
    requires unshare
    compile pair_corrupt
    make_place no_proc || skip "nothing can be mounted over /proc here"
    start listener "${in_place[@]}" ./listener -v --timeout "$DEADLINE"
    wait_for_line listener.out 'waiting for a talker'
    start bystander sleep "$DEADLINE"
    ./pair_corrupt seat "$(shmid_of listener)" "$bystander_pid"
    wait_for_line listener.err "ignoring PID $bystander_pid in seat 0: .* has not attached this segment again"
    is_running "$bystander_pid" # SIGUSR1 would have killed it
    stop bystander
    run ! grep -F "kill($bystander_pid, SIGUSR1)" listener.err
    ends 0 "${in_place[@]}" ./talker
    finish listener 0
}

@test "a tick narrates nothing, also where there is no /proc" {
    only_ours
    requires unshare
    make_place no_proc || skip "nothing can be mounted over /proc here"
    mkfifo replies
    exec 7<>replies
    start listener "${in_place[@]}" ./listener --interactive --timeout "$DEADLINE" <replies
    wait_for_line listener.out 'waiting for a talker'
    start talker "${in_place[@]}" ./talker -v --timeout "$DEADLINE"
    wait_for_line listener.out received
    sleep 0.25 # at least two ticks that check the listener
    echo 'a reply' >&7
    finish talker 0
    finish listener 0
    sed -n '/publish.* turn = /,$p' talker.err | tee told | grep -F 'kill('
    run ! grep -F -e ', 0) = 0' -e IPC_STAT told
}

# ---- recovery after a death

@test "both sides are killed: the next listener recovers, and says so" {
    start_busy_listener
    shmid=$(shmid_of listener)
    kill -KILL "$first_pid" "$listener_pid"
    finish listener 137
    finish first 137
    segment_exists "$shmid"
    left_by=$listener_pid
    start_listener
    grep "\<$shmid\>.*\<$left_by\>" listener.err
    run ! segment_exists "$shmid"
    ends 0 talker
    finish listener 0
}

@test "a listener killed while it creates its segment: the next one recovers" {
    for call in shmat:1 setitimer:1; do
        start_held newborn "$call" listener
        refuses 3 listener talker --timeout 0.2
        kill -KILL "$newborn_pid"
        finish newborn 137
        refuses 3 listener talker
        start_listener
        ends 0 talker
        finish listener 0
    done
    [ -z "$(own_segments)" ]
}

@test "talkers of a killed listener leave, and the last removes the segment" {
    start_busy_listener
    start_queue two three four five
    shmid=$(shmid_of listener)
    kill -KILL "$listener_pid"
    finish listener 137
    for name in first two three four five; do
        finish "$name" 3
        grep "^talker: .*PID $listener_pid\>" "$name.err"
    done
    run ! segment_exists "$shmid"
}

@test "two survivors that leave at the same time still remove the segment" {
    only_ours
    start_busy_listener
    start_seated two --hold shmdt:2
    start_seated three --hold shmdt:3
    shmid=$(shmid_of listener)
    kill -KILL "$listener_pid"
    finish listener 137
    finish first 3
    wait_for_state "$two_pid" T # before it detaches
    until_true eval 'in_state "$three_pid" T || is_gone "$three_pid"'
    kill -CONT "$two_pid"
    finish two 3
    is_gone "$three_pid" || kill -CONT "$three_pid"
    finish three 3
    run ! segment_exists "$shmid"
}

@test "a new listener waits for orphaned talkers to detach, and gets the key" {
    start_busy_listener
    start_queue two three
    kill -KILL "$listener_pid"
    wait_gone "$listener_pid"
    start_listener
    finish first 3
    for name in two three; do finish "$name" 3; done
    ends 0 talker
    finish listener 0
}

@test "a segment that an orphan keeps attached is named, not removed" {
    start_busy_listener
    shmid=$(shmid_of listener)
    kill -STOP "$first_pid"
    wait_for_state "$first_pid" T
    kill -KILL "$listener_pid"
    finish listener 137
    refuses 4 "\<$shmid\>.*\<$listener_pid\>" listener
    segment_exists "$shmid"
    kill -CONT "$first_pid"
    finish first 3
    run ! segment_exists "$shmid"
}

@test "two listeners race for a stale segment 20 times: one wins each time" {
    for _ in {1..20}; do
        leave_stale_segment
        start one listener --keep
        start two listener --keep
        until_true grep -qs busy one.err two.err
        winner=one loser=two
        ! grep -q busy one.err || winner=two loser=one
        finish "$loser" 4
        wait_for_line "$winner.out" waiting
        [ "$(cat one.err two.err | grep -c recovered)" -eq 1 ]
        stop "$winner"
    done
}

# In namespaces of its own: a listener is killed, at POINT or when it waits. A bystander gets its PID, and then COMMANDS
# are run. $1 is the listener's program, $2 the talker's. The kernel keeps the time of a segment in whole seconds, and a
# bystander of that same second could be the creator.
run_recycled() { # COMMANDS [POINT]
    local own_pids=(unshare --pid --ipc --fork --kill-child --mount-proc sh)
    requires unshare
    "${own_pids[@]}" -c 'echo 1 >/proc/sys/kernel/ns_last_pid' || skip "no PID namespace can be created here"
    echo '
        point=$3
        "$1" ${point:+--hold "$point"} >listener.out 2>&1 & listener=$!
        until grep -q waiting listener.out || grep -q "^State:.*stopped" "/proc/$listener/status"; do sleep 0.01; done
        kill -KILL "$listener"; wait "$listener"
        made=$(tail -n 1 /proc/sysvipc/shm | awk "{ print \$14 }")
        until [ -z "$point" ] || [ "$(date +%s%N)" -gt "$((made + 1))200000000" ]; do sleep 0.01; done
        echo $((listener - 1)) >/proc/sys/kernel/ns_last_pid
        sleep 5 & [ "$!" = "$listener" ] || exit 99
        '"$1"'
        kill "$listener"; wait "$listener"; echo "bystander: $?"' >recycle.sh
    run -0 timeout "$DEADLINE" "${own_pids[@]}" recycle.sh "$LISTENER" "$TALKER" "${2-}"
    grep -x "bystander: 143" <<<"$output" # SIGTERM, not SIGUSR1
}

@test "a process with a dead listener's PID is not taken for it or signalled" {
    run_recycled '"$2" 2>&1; echo "talker: $?"'
    grep -x "talker: 3" <<<"$output"
}

@test "a dead listener's segment is removed even if its PID is in use again" {
    run_recycled '"$1" --timeout 0.1 2>&1; echo "listener: $?"'
    grep recovered <<<"$output"
    grep -x "listener: 3" <<<"$output"
}

@test "the same for a listener that was killed before it attached its segment" {
    only_ours
    run_recycled '"$2" 2>&1; echo "talker: $?"; "$1" --timeout 0.1 2>&1; echo "listener: $?"' shmat
    grep -x "talker: 3" <<<"$output"
    grep recovered <<<"$output"
    grep -x "listener: 3" <<<"$output"
}
