#!/usr/bin/env bats
# pair.bats - a talker and a listener hold a conversation.
# shellcheck disable=SC2154 # start sets NAME_pid

load helpers

setup() { common_setup; }
teardown() { common_teardown; }

# ---- one message

@test "one message and one reply arrive exactly, and nothing stays behind" {
    start_listener
    shmid=$(shmid_of listener)
    ends 0 talker "Good morning"
    finish listener 0
    expect_lines listener.out \
        "listener: waiting for a talker (pid $listener_pid, key $(key_of shmfile 1), shmid $shmid)" \
        "listener: received: Good morning" \
        "listener: replied: Have a nice day"
    expect_lines talker.out "talker: said: Good morning" "talker: listener said: Have a nice day"
    expect_lines listener.err
    expect_lines talker.err
    run ! segment_exists "$shmid"
}

@test "without a message the talker introduces itself" {
    start_listener
    ends 0 talker
    finish listener 0
    expect_lines talker.out "talker: said: Hello, I'm talker" "talker: listener said: Have a nice day"
}

@test "an empty message and an empty reply are messages" {
    start_listener --reply ''
    ends 0 talker ''
    finish listener 0
    expect_lines talker.out "talker: said: " "talker: listener said: "
}

@test "--reply and -r set the reply" {
    for option in --reply -r; do
        start_listener "$option" "Come again"
        ends 0 talker Hello
        finish listener 0
        expect_lines talker.out "talker: said: Hello" "talker: listener said: Come again"
    done
}

@test "the listener creates the key file for its owner, or leaves it as it is" {
    start_listener
    [ "$(stat -c %a shmfile)" = 600 ]
    ends 0 talker
    finish listener 0
    echo mine >shmfile
    chmod 640 shmfile
    start_listener
    ends 0 talker
    finish listener 0
    [ "$(cat shmfile)" = mine ]
    [ "$(stat -c %a shmfile)" = 640 ]
}

# ---- typed replies

@test "--interactive takes the replies from stdin, line by line" {
    printf 'Fine\nAnd you?' >replies
    start_listener --interactive <replies
    ends 0 talker --chat <<<$'How are you?\nThank you'
    finish listener 0
    expect_lines talker.out \
        "talker: said: How are you?" "talker: listener said: Fine" \
        "talker: said: Thank you" "talker: listener said: And you?"
}

@test "--interactive shows the message before the reply is typed" {
    mkfifo replies
    exec 7<>replies
    start_listener -i <replies
    start talker talker Hello
    wait_for_line listener.out '^listener: received: Hello$'
    run ! grep 'listener said' talker.out
    echo "I was thinking" >&7
    finish talker 0
    finish listener 0
    expect_lines talker.out "talker: said: Hello" "talker: listener said: I was thinking"
}

@test "at the end of the replies the listener leaves, and the talker reports it" {
    start_listener --interactive
    ends 3 talker Hello
    finish listener 0
    grep "PID $listener_pid" talker.err
}

@test "a typed reply that is too long is refused with both sizes" {
    start_listener --interactive --size 10 <<<$'12345678901\nshort'
    ends 0 talker Hello
    finish listener 0
    grep -E '\<11\>.*\<10\>' listener.err
    expect_lines talker.out "talker: said: Hello" "talker: listener said: short"
}

# ---- chats

@test "--chat sends each line of stdin, even the last without a newline" {
    start_listener
    ends 0 talker --chat < <(printf 'one\n\nthree')
    finish listener 0
    expect_lines talker.out \
        "talker: said: one" "talker: listener said: Have a nice day" \
        "talker: said: " "talker: listener said: Have a nice day" \
        "talker: said: three" "talker: listener said: Have a nice day"
    [ "$(received listener)" = $'one\n\nthree' ]
}

@test "a chat without a line is a conversation, too" {
    start_listener
    ends 0 talker -c </dev/null
    finish listener 0
    expect_lines talker.out
    [ "$(wc -l <listener.out)" -eq 1 ]
}

@test "a line of a chat is answered before the next one is typed" {
    mkfifo lines
    exec 7<>lines
    start_listener --interactive < <(printf 'reply %d\n' 1 2)
    start talker talker --chat <lines
    for i in 1 2; do
        echo "line $i" >&7
        wait_for_line talker.out "^talker: listener said: reply $i$"
    done
    exec 7>&-
    finish talker 0
    finish listener 0
}

@test "the 300 lines of a chat arrive once and in order" {
    seq 300 >lines
    start_listener
    ends 0 talker --chat <lines
    finish listener 0
    received listener | diff lines -
    sed -n 's/^talker: said: //p' talker.out | diff lines -
}

# ---- more than one conversation

@test "--keep serves one talker after another until SIGTERM" {
    start_listener --keep
    shmid=$(shmid_of listener)
    for message in one two three; do
        ends 0 talker "$message"
    done
    stop listener
    [ "$(received listener)" = $'one\ntwo\nthree' ]
    expect_lines listener.err
    run ! segment_exists "$shmid"
}

@test "--count ends after that many answers, however many talkers it takes" {
    start_listener --count 3
    ends 0 talker one
    ends 0 talker --chat <<<$'two\nthree'
    finish listener 0
    [ "$(received listener)" = $'one\ntwo\nthree' ]
}

@test "--count can end in the middle of a chat, and the talker reports it" {
    start_listener -n 2
    ends 3 talker --chat <<<$'one\ntwo\nthree'
    finish listener 0
    [ "$(received listener)" = $'one\ntwo' ]
    [ "$(grep -c 'listener said' talker.out)" -eq 2 ]
    grep "PID $listener_pid" talker.err
}

@test "of several talkers at once each gets the answer to its own message" {
    printf 'reply %d\n' {1..8} >replies
    start_listener --interactive --count 8 <replies
    for i in {1..8}; do start "t$i" talker "message $i"; done
    for i in {1..8}; do finish "t$i" 0; done
    finish listener 0
    for i in {1..8}; do
        reply=$(grep -A1 -x "listener: received: message $i" listener.out | sed -n 's/^listener: replied: //p')
        expect_lines "t$i.out" "talker: said: message $i" "talker: listener said: $reply"
    done
    received listener | sort | diff - <(printf 'message %d\n' {1..8})
}

@test "a talker waits until the conversation before it is over" {
    mkfifo lines
    exec 7<>lines
    start_listener --keep
    start first talker --chat <lines
    echo one >&7
    wait_for_line first.out 'listener said'
    start second talker two
    echo three >&7
    wait_for_line listener.out 'received: three'
    kill -TERM "$first_pid"
    finish first 143
    finish second 0
    stop listener
    [ "$(received listener)" = $'one\nthree\ntwo' ]
}

@test "another project or key file keeps listeners apart" {
    start one listener --reply one
    start two listener --reply two --project 2
    start three listener --reply three --project 255 --file other.shmfile
    for name in one two three; do wait_for_line "$name.out" waiting; done
    run -0 talker --file other.shmfile --project 255
    [ "${lines[1]}" = "talker: listener said: three" ]
    run -0 talker -j 2
    [ "${lines[1]}" = "talker: listener said: two" ]
    run -0 talker
    [ "${lines[1]}" = "talker: listener said: one" ]
    for name in one two three; do finish "$name" 0; done
}

# ---- sizes, modes

@test "the longest message fits; one byte more is refused with both sizes" {
    start_listener --size 100 --keep
    longest=$(printf '%0100d' 0)
    ends 0 talker "$longest"
    refuses 1 '\<101\>.*\<100\>' talker "${longest}1"
    ends 0 talker after
    stop listener
    [ "$(received listener)" = "$longest"$'\n'after ]
    expect_lines listener.err
}

@test "without --size 1024 bytes fit" {
    start_listener --keep
    longest=$(printf '%01024d' 0)
    ends 0 talker "$longest"
    refuses 1 '\<1025\>.*\<1024\>' talker "${longest}1"
    stop listener
    [ "$(received listener)" = "$longest" ]
}

@test "a message may be as long as --size, even a mebibyte" {
    head -c 1048576 /dev/zero | tr '\0' m >message
    start_listener -s 1048576
    ends 0 talker --chat <message
    finish listener 0
    received listener | cmp - <(cat message && echo)
    expect_lines talker.err
}

@test "a chat line that is too long is refused, and the chat goes on" {
    start_listener --size 20
    ends 1 talker --chat < <(printf '%s\n' one "$(printf '%021d' 0)" three)
    finish listener 0
    [ "$(received listener)" = $'one\nthree' ]
    [ "$(wc -l <talker.err)" -eq 1 ]
    grep -E '\<21\>.*\<20\>' talker.err
}

@test "only the owner can use the segment, unless --mode says otherwise" {
    start_listener
    [ "$(ipcs -m | awk -v id="$(shmid_of listener)" '$2 == id { print $4 }')" = 600 ]
    ends 0 talker
    finish listener 0
    start_listener --mode 0640
    [ "$(ipcs -m | awk -v id="$(shmid_of listener)" '$2 == id { print $4 }')" = 640 ]
    ends 0 talker
    finish listener 0
}

# ---- --pid, --wait

@test "--pid names the listener" {
    start_listener
    ends 0 talker --pid "$listener_pid" Hello
    finish listener 0
}

@test "--pid of another live process: no signal to it or to the listener" {
    start_listener
    start bystander sleep "$DEADLINE"
    refuses 3 "\<$bystander_pid\>" talker --pid "$bystander_pid" Hello
    is_running "$bystander_pid" # SIGUSR1 would have killed it
    [ "$(wc -l <listener.out)" -eq 1 ]
    ends 0 talker
    finish listener 0
    stop bystander
}

@test "--pid of a dead process does not name the listener" {
    start_listener
    ends 0 true
    refuses 3 "\<$true_pid\>" talker -p "$true_pid"
    ends 0 talker
    finish listener 0
}

@test "a talker without a listener says what to start, and creates no key file" {
    refuses 3 listener talker Hello
    [ ! -e shmfile ]
    touch shmfile
    refuses 3 listener talker Hello
}

@test "the command that the talker suggests starts a listener" {
    [[ $TALKER == */talker ]] && [ -x "${TALKER%talker}listener" ] || skip "no listener beside $TALKER"
    run -3 "$TALKER"
    typed=$(sed -n 's/.*: start one, "\(.*\)"$/\1/p' <<<"$output")
    # What is typed is for a shell: a path with a space stands in quotes.
    eval "set -- $typed"
    [ "$*" = "${TALKER%talker}listener -f shmfile -j 1" ]
    start listener "$@"
    wait_for_line listener.out waiting
    ends 0 talker
    finish listener 0
}

@test "--wait waits for a listener and its key file to appear" {
    start talker talker --wait Hello
    start_listener
    finish talker 0
    finish listener 0
    expect_lines talker.out "talker: said: Hello" "talker: listener said: Have a nice day"
}

@test "--wait waits while there is a key file but no segment" {
    touch shmfile
    start talker talker -w Hello -v
    wait_for_line talker.err 'shmget.*ENOENT'
    [ ! -s talker.out ]
    start_listener
    finish talker 0
    finish listener 0
}

@test "--wait gives up at its timeout" {
    refuses 3 '\<0\.2\>' talker --wait --timeout 0.2
    [ ! -e shmfile ]
}

@test "a listener gives up at its timeout, and removes its segment" {
    start_listener -t 0.2
    shmid=$(shmid_of listener)
    finish listener 3
    [ "$(wc -l <listener.err)" -eq 1 ]
    run ! segment_exists "$shmid"
}

# ---- bytes

@test "an argument passes all bytes but NUL unchanged" {
    bytes=$(printf '\\x%x' {1..255})
    bytes=$(printf '%b.' "$bytes")
    bytes=${bytes%.}
    [ "$(printf %s "$bytes" | wc -c)" -eq 255 ]
    start_listener --reply "$bytes"
    ends 0 talker "$bytes"
    finish listener 0
    cmp talker.out <(printf 'talker: said: %s\ntalker: listener said: %s\n' "$bytes" "$bytes")
    tail -n +2 listener.out | cmp - <(printf 'listener: received: %s\nlistener: replied: %s\n' "$bytes" "$bytes")
}

@test "a chat passes NUL bytes unchanged" {
    start_listener
    ends 0 talker --chat < <(printf 'a\0b\0\n\0')
    finish listener 0
    grep -a received listener.out | cmp - <(printf 'listener: received: a\0b\0\nlistener: received: \0\n')
}

@test "a terminal shows what could mislead it escaped, and UTF-8 as it is" {
    requires_terminal
    # Written as bytes, because \u gives UTF-8 in a UTF-8 locale only.
    message=$'\e[31mred\a \xe2\x80\x94 \xc3\xa9 \xc2\x9b31m \xff \\x41 \xe2\x80\xae \xe2\x81\xa6'
    start listener script -qefc "'$LISTENER' --timeout $DEADLINE" /dev/null
    wait_for_line listener.out waiting
    ends 0 script -qefc "'$TALKER' --timeout $DEADLINE '$message'" /dev/null
    finish listener 0
    shown=$'\\x1b[31mred\\x07 \xe2\x80\x94 \xc3\xa9 \\xc2\\x9b31m \\xff \\\\x41 \\xe2\\x80\\xae \\xe2\\x81\\xa6'
    [ "$(sed -n 's/^listener: received: //p' listener.out)" = "$shown"$'\r' ]
    [ "$(sed -n 's/^talker: said: //p' script.out)" = "$shown"$'\r' ]
}

@test "the talker's terminal shows a reply escaped" {
    requires_terminal
    start_listener --reply $'\e]0;title\a'
    ends 0 script -qefc "'$TALKER' --timeout $DEADLINE" /dev/null
    finish listener 0
    [ "$(sed -n 's/^talker: listener said: //p' script.out)" = '\x1b]0;title\x07'$'\r' ]
}

@test "a message during a prompt for a reply gets a line of its own" {
    requires_terminal
    mkfifo typed
    exec 7<>typed
    start listener script -qefc "'$LISTENER' --interactive --timeout $DEADLINE" /dev/null <typed
    wait_for_line listener.out waiting
    start talker talker
    wait_for_line listener.out received
    kill -KILL "$talker_pid"
    finish talker 137
    finish listener 3
    grep -x $'reply: \r' listener.out
    grep '^listener: the talker (PID [0-9]*) went away' listener.out
}

@test "output that cannot be written is a failure, and no talker waits for it" {
    [ -e /dev/full ] || skip "no /dev/full here"
    into_full() { "$@" >/dev/full; }
    start_listener
    run -1 --separate-stderr into_full talker Hello
    [ "${#stderr_lines[@]}" -eq 1 ]
    finish listener 3
}

# ---- on one screen

# Each program prints what it did before it signals, so the kernel has the lines in causal order.
runs_on_one_screen() { # COUNT
    local run shown
    for ((run = 1; run <= $1; run++)); do
        : >screen
        listener >>screen 2>&1 &
        wait_for_line screen waiting
        talker >>screen 2>&1
        wait "$!"
        shown=$(<screen)
        [ "${shown#*$'\n'}" = "talker: said: Hello, I'm talker
listener: received: Hello, I'm talker
listener: replied: Have a nice day
talker: listener said: Have a nice day" ] || fail "run $run: $shown"
    done
}

@test "the lines of 200 runs on one screen are in causal order" {
    runs_on_one_screen 200
}

# ---- what a student is told

@test "a message of two words without quotes is refused with a hint" {
    refuses 2 'quotes' talker Hello world
}

@test "a process whose peer was stopped with Ctrl-Z says how to go on" {
    start_listener
    start_held talker shmat:2 talker Hello
    kill -STOP "$listener_pid"
    wait_for_state "$listener_pid" T
    kill -CONT "$talker_pid"
    wait_for_line talker.err "the listener \(PID $listener_pid\) is stopped: type \"fg\" in its terminal"
    kill -CONT "$listener_pid"
    finish talker 0
    finish listener 0
    [ "$(grep -c stopped talker.err)" -eq 1 ]
}

@test "the segment of another lesson is refused with the lesson's letters" {
    start_listener_of torn
    refuses 1 'another lesson \("torn", listener: PID [0-9]+\)' talker
    stop listener
}

# The line of a talker that finds no listener.
finds_none() { # PROGRAM [ARGUMENT]...
    resolve "$@"
    run -3 "${command[@]}"
    [ "${#lines[@]}" -eq 1 ]
}

@test "a talker without a listener says where it looked, and names your listeners" {
    mkdir elsewhere
    start_listener --file elsewhere/shmfile
    finds_none talker
    [[ $output == *"no listener (key file \"shmfile\" in $PWD, project 1; there is no such file; "* ]]
    mkdir here
    touch here/shmfile
    cd here
    finds_none talker
    [[ $output == *"(key file \"shmfile\" in $PWD, project 1; other listeners of yours: "* ]]
    [[ $output == *" PID $listener_pid in ${PWD%/here} (key $(key_of ../elsewhere/shmfile 1))"* ]]
    finds_none talker-torn
    [[ $output == *" PID $listener_pid in ${PWD%/here} (key "*': start listener-torn first' ]]
    finds_none talker --wait --timeout 0.1
    [[ $output == *"no listener within 0.1 s (key file \"shmfile\" in $PWD, "*" PID $listener_pid "*'gave up' ]]
    cd ..
    stop listener
}

@test "a deleted or replaced key file of a waiting listener is named as the reason" {
    start_listener
    key=$(key_of shmfile 1)
    rm shmfile
    touch kept # so that the next file gets another inode
    suspect=" PID $listener_pid in this directory (key $key: its key file was deleted or replaced, or has another name)"
    finds_none talker
    [[ $output == *'; there is no such file; '*"$suspect"* ]]
    cp kept shmfile
    if [ "$(key_of shmfile 1)" != "$key" ]; then
        finds_none talker
        [[ $output == *"$PWD, project 1; other listeners"*"$suspect"* ]]
    fi
    finds_none talker --project 2
    [[ $output == *" PID $listener_pid in this directory (key $key)"* ]]
    stop listener
}

# Sets `nobody`, which starts a command as another user. The key file here is for that user as well.
become_nobody() {
    [ "$(id -u)" -eq 0 ] || skip "only root can become another user"
    requires setpriv
    nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    as_nobody test -x "$TALKER" -a -x "$BUILD/talker-posix" || skip "another user cannot run $BUILD"
    chmod 755 .
}

@test "another user's segment: whose it is, and that it cannot be used" {
    become_nobody
    for mode in 0600 0666; do
        start_listener --mode "$mode"
        whose="another user's segment \(shmid $(shmid_of listener); its owner is \"?$(id -un)\"?, uid 0\) has key"
        for program in talker listener talker-torn talker-handshake listener-handshake; do
            resolve "$program"
            refuses 1 "$whose $(key_of shmfile 1): it cannot be used, choose another --project or --file" \
                "${nobody[@]}" "${command[@]}"
        done
        ends 0 talker
        finish listener 0
    done
}

@test "another user's segment of the notes, and object: whose it is" {
    become_nobody
    owner="its owner is \"?$(id -un)\"?, uid 0"
    start_listener_of textbook
    refuses 1 "another user's segment \(shmid [0-9]+; $owner\) has this key" "${nobody[@]}" "$BUILD/talker-textbook"
    stop listener
    start_listener_of posix
    refuses 1 "is another user's object \($owner\): it cannot be used" "${nobody[@]}" "$BUILD/talker-posix"
    refuses 1 "is another user's object \($owner\): it cannot be used" "${nobody[@]}" "$BUILD/listener-posix"
    stop listener
}
