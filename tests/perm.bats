#!/usr/bin/env bats
# perm.bats - which user may attach a segment, change it, and signal its processes.
# shellcheck disable=SC2154,SC2030,SC2031 # start sets NAME_pid; each test is a subshell

load helpers
load session

setup() {
    common_setup
    uid=$(id -u)
}

teardown() {
    common_teardown
    [ -z "${own_directory-}" ] || rm -r "$own_directory"
}

requires_root() {
    [ "$uid" -eq 0 ] || skip "only root can become another user"
    meet perm
    ! grep -q skipped talker.out || skip "$(grep -m 1 skipped talker.out)"
}

# What the talker reports for another user: the mode decides only about reading and writing.
has_tried() { # MODE WHO READ WRITE
    grep -xF "talker: mode $1, $2 (uid 65534): read $3, write $4, IPC_SET EPERM, IPC_RMID EPERM, kill EPERM" talker.out
}

@test "the bits for group and others decide if another user may attach" {
    requires_root
    for who in 'another user of its group' 'a stranger'; do
        has_tried 0400 "$who" EACCES EACCES
        has_tried 0600 "$who" EACCES EACCES
        has_tried 0666 "$who" yes yes
    done
    has_tried 0640 'another user of its group' yes EACCES
    has_tried 0640 'a stranger' EACCES EACCES
    [ "$(grep -c '^talker: mode ' talker.out)" -eq 12 ]
    expect_lines listener.err
    expect_lines talker.err
}

@test "the owner reads and writes under 0600, and every mode with those bits" {
    meet perm
    for mode in 0600 0640 0666; do
        grep -xF "talker: mode $mode, its owner (uid $uid): read yes, write yes" talker.out
    done
}

@test "root may write where the owner may not, and the talker says why" {
    requires_root
    meet perm
    grep -xF "talker: mode 0400, its owner (uid $uid): read yes, write yes (root may)" talker.out
}

@test "without privileges 0400 forbids the owner to write; IPC_SET still works" {
    as=()
    if [ "$uid" -eq 0 ]; then
        requires setpriv
        as=(setpriv --inh-caps=-all --bounding-set=-all)
    fi
    start listener "${as[@]}" "$(lesson_program listener perm)" -t "$DEADLINE"
    shmid_of listener >shmid
    start talker "${as[@]}" "$(lesson_program talker perm)" -t "$DEADLINE"
    finish talker 0
    finish listener 0
    grep -xF "talker: mode 0400, its owner (uid $uid): read yes, write EACCES" talker.out
    grep -xF "talker: mode 0600, its owner (uid $uid): read yes, write yes" talker.out
    grep -xF 'listener: set the mode: it is 0600' listener.out
}

@test "the kernel lists the mode that IPC_SET has set" {
    modes=(none 0400 0600 0640 0666)
    for n in {1..4}; do
        start listener listener-perm --hold "set:$n"
        shmid=$(shmid_of listener)
        start talker talker-perm
        wait_for_state "$listener_pid" T
        read -r _ _ mode _ < <(segment_line "$shmid")
        [ "$((0$mode))" -eq "$((modes[n]))" ]
        kill -CONT "$listener_pid"
        finish talker 0
        finish listener 0
        grep -xF "listener: set the mode: it is ${modes[n]}" listener.out
    done
}

@test "strace shows EACCES by shmat, EPERM by IPC_SET, IPC_RMID and kill" {
    requires_root
    requires_strace
    start listener listener-perm
    shmid=$(shmid_of listener)
    ends 0 strace -f -o talker.strace -e trace=setuid,shmat,shmctl,kill "$(lesson_program talker perm)" -t "$DEADLINE"
    finish listener 0
    stranger=$(awk '/setuid\(65534\) += 0/ { pid[++n] = $1 } END { print pid[2] }' talker.strace) # under 0400
    grep -E "^$stranger +shmat\($shmid, NULL, SHM_RDONLY\) += -1 EACCES" talker.strace
    grep -E "^$stranger +shmat\($shmid, NULL, 0\) += -1 EACCES" talker.strace
    grep -E "^$stranger +shmctl\($shmid, IPC_SET, .*\) += -1 EPERM" talker.strace
    grep -E "^$stranger +shmctl\($shmid, IPC_RMID, NULL\) += -1 EPERM" talker.strace
    grep -E "^$stranger +kill\($listener_pid, SIGUSR1\) += -1 EPERM" talker.strace
}

@test "under 0666 another user can store a message, but cannot signal" {
    requires_root
    start listener listener-perm
    shmid_of listener >shmid
    ends 0 talker-perm -v
    finish listener 0
    stranger=$(sed -nE "s/^talker-perm\[([0-9]+)\] kill\($listener_pid, SIGUSR1\) = -1 EPERM .*/\1/p" talker.err | tail -n 1)
    [ -n "$stranger" ]
    [ "$stranger" -ne "$talker_pid" ]
    grep -x "listener: the last word is from PID $stranger, a stranger, who could not signal us" listener.out
}

@test "no signal of another user reaches the listener" {
    requires_root
    start listener listener-perm -v
    shmid_of listener >shmid
    ends 0 talker-perm
    finish listener 0
    grep -F -- "--- SIGUSR1 from $talker_pid ---" listener.err
    run ! grep -E -- '--- SIGUSR1 from ' <(grep -vF -- "--- SIGUSR1 from $talker_pid ---" listener.err)
}

@test "kill fails with EPERM for a live process, with ESRCH for a dead one" {
    meet perm
    grep -xE 'talker: kill of PID [0-9]+, which is dead: ESRCH' talker.out
    requires_root
    grep -x "talker: kill of PID $listener_pid, which is another's and lives: EPERM" talker.out
    hold_talker perm tried
    run as_nobody sh -c "kill -0 $listener_pid" # kill may be a builtin only
    [[ $status -ne 0 && $output == *'not permitted'* ]]
    kill -CONT "$talker_pid"
    finish talker 0
    finish listener 0
}

@test "without root the lesson says what it skips, and shows the rest" {
    own_directory=$(mktemp -d)
    as=()
    if [ "$uid" -eq 0 ]; then
        requires setpriv
        chown 65534:65534 "$own_directory"
        as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
        as_nobody test -x "$(lesson_program talker perm)" || skip "another user cannot run $BUILD"
    fi
    start listener "${as[@]}" "$(lesson_program listener perm)" -t "$DEADLINE" -f "$own_directory/shmfile"
    shmid_of listener >shmid
    start talker "${as[@]}" "$(lesson_program talker perm)" -t "$DEADLINE" -f "$own_directory/shmfile"
    finish talker 0
    finish listener 0
    grep -x 'talker: skipped: another user of its group cannot try, only root can become another user (EPERM)' talker.out
    grep -E '^talker: mode 0400, its owner \(uid [0-9]+\): read yes, write EACCES$' talker.out
    grep -x "listener: the last word is from PID $talker_pid, the talker" listener.out
    [ "$(stat -c %u /proc/1)" -ne 0 ] || grep -x "talker: kill of PID 1, which is another's and lives: EPERM" talker.out
}

@test "stray, terminating and killing signals leave nothing behind" {
    strays_change_nothing perm tried
    signals_leave_nothing perm tried
    kills_leave_nothing perm tried
}
