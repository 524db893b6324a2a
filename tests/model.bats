#!/usr/bin/env bats
# model.bats - spin tries every order of steps of the models in tests/model: handshake, seats and doorbell.
# shellcheck disable=SC2016 # what stands in single quotes is for sed

load helpers

setup() {
    requires spin
    "$ROOT/scripts/setup" compiler >/dev/null || skip "no C compiler is installed"
    [ -z "${SANITIZE-}" ] || skip "the models are the same for every build"
    cd "$BATS_TEST_TMPDIR" || return
    mkdir scratch
    export TMPDIR=$PWD/scratch
    check=$ROOT/tests/model/check
}

teardown() {
    [ ! -d scratch ] || [ -z "$(ls scratch)" ] || fail "the check has left files in \$TMPDIR:" "$(ls scratch)"
}

# Copies the models, so that a test can change them.
copy_models() {
    mkdir -p house/scripts house/tests
    cp "$ROOT/scripts/setup" "$ROOT/scripts/lib.sh" house/scripts
    cp -R "$ROOT/tests/model" house/tests
    check=house/tests/model/check
}

change() { # MODEL SED-SCRIPT
    sed "$2" "house/tests/model/$1" >changed
    ! cmp -s changed "house/tests/model/$1" || fail "nothing in $1 is changed by: $2"
    mv changed "house/tests/model/$1"
}

@test "the protocols hold in every order of steps, and fail without a part" {
    run -0 "$check"
    sed 's/^/# /' <<<"$output" >&3
    [[ ${lines[-1]} == [1-9][0-9]" checked, 0 not as expected" ]]
    # Without a timer, no wakeup is lost.
    for model in handshake seats doorbell; do
        for checked in steps ends; do
            grep -Eq "^$model +right +none +$checked +holds +[1-9][0-9]{3,} .* holds " <<<"$output"
        done
    done
    grep -Eq "^doorbell +right +none +signals +holds +[1-9][0-9]{3,} .* holds " <<<"$output"
    # With a timer that checks only the peer, a survivor ends.
    for model in handshake doorbell; do
        for checked in steps ends; do
            grep -Eq "^$model +right +peer +$checked +holds +[1-9][0-9]{3,} .* holds " <<<"$output"
        done
        grep -Eq "^$model +no_peer_check +peer +steps +stuck .* stuck " <<<"$output"
    done
}

@test "without a timer, spin finds each mistake that loses a wakeup" {
    for variant in 'handshake naive' 'handshake unblock' 'handshake ring_first' 'handshake tick_hides' 'seats naive' \
            'seats ring_first' 'doorbell naive' 'doorbell unblock' 'doorbell no_fence' 'doorbell ring_first'; do
        # shellcheck disable=SC2086 # two words
        run -0 "$check" --trail $variant
        [ "${lines[0]%%:*}" = "${variant% *}, ${variant#* }" ]
        [[ ${lines[-1]} == *"no process can take a step, but these have not ended: the "* ]] || fail "$output"
        ! grep -e 'tick$' -e 'SIGKILL' <<<"$output" || fail "$variant: the story needs a tick or a death"
    done
}

@test "a timer that looks at the memory hides a lost wakeup" {
    run -0 "$check" handshake naive
    grep -Eq '^handshake +naive +none +steps +stuck .* stuck ' <<<"$output"
    grep -Eq '^handshake +naive +looks +ends +holds .* holds ' <<<"$output"
}

@test "the story of the naive variant: look, signal, pause, and no wakeup" {
    run -0 "$check" --trail naive
    [ "${lines[0]}" = "handshake, naive: SIGUSR1 is not blocked: a plain check, then pause" ]
    sed '1d;$d' <<<"$output" | awk '$1 != NR { print }' | expect_lines -
    awk '$3 == "looks:" { looked[$2] = 1 }
         sub(/.* the signal is used up; the /, "") && looked[$1 ":"] { missed[$1 ":"] = 1 }
         $3 == "pause:" && missed[$2] { lost = 1 }
         END { exit !lost }' <<<"$output" || fail "no look, signal, pause of one side in:" "$output"
    [[ ${lines[-1]} == *"no process can take a step, but these have not ended: the "* ]]
}

@test "the story without the fence: a look overtakes the side's own store" {
    run -0 "$check" --trail doorbell no_fence
    awk '/in its store buffer$/ { on_its_way[$2]++ }
         /reaches memory\)$/ { sub("\047s$", ":", $3); on_its_way[$3]-- }
         /has not declared that it sleeps$/ && on_its_way[$2] > 0 { overtaken = 1 }
         END { exit !overtaken }' <<<"$output" || fail "no store was overtaken in:" "$output"
    [[ ${lines[-1]} == *"no process can take a step, but these have not ended: the "* ]]
}

@test "a mistake in the right model is found: exit 1, and what spin says" {
    copy_models
    run -0 "$check" handshake right
    change handshake.pml '/^#ifndef RING_FIRST/,/^#endif/s/^    kill(peer, me)/    skip/'
    run -1 "$check" handshake right
    grep -Eq '^handshake +right +none +steps +holds .* stuck ' <<<"$output"
    grep -q 'pan:1: invalid end state' <<<"$output"
    [ "${lines[-1]}" = "4 checked, 4 not as expected" ]
}

@test "a mistake that spin no longer finds is reported: exit 1" {
    copy_models
    change doorbell.pml 's/^#ifndef NO_FENCE/#if 1/'
    run -1 "$check" doorbell no_fence
    grep -Eq '^doorbell +no_fence +none +steps +stuck .* holds ' <<<"$output"
    [ "${lines[-1]}" = "2 checked, 1 not as expected" ]
}

@test "a model with a line that is never reached does not hold" {
    copy_models
    change handshake.pml 's/does(ended\[talker\] = true/if :: heard > MESSAGES -> heard = 0 :: else fi; &/'
    run -1 "$check" handshake late_ticks
    grep -Eq '^handshake +late_ticks +peer +steps +holds .* idle ' <<<"$output"
}

@test "an unknown option, model or variant is refused in one line" {
    for wrong in -x --trail 'handshake right now' 'no_such_model' 'handshake no_such_variant' '--trail right'; do
        # shellcheck disable=SC2086 # words
        run -2 "$check" $wrong
        [ "${#lines[@]}" -eq 1 ]
        [[ $output == "tests/model/check: "*"'${wrong#--trail }'"* ]] || fail "$wrong: $output"
    done
}
