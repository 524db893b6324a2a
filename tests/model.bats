#!/usr/bin/env bats
# model.bats - every order of steps of the handshake and of the doorbell, as spin tries them on tests/model/*.pml.
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
    [ ! -d scratch ] || [ -z "$(ls scratch)" ] || fail "the check has left behind in \$TMPDIR:" "$(ls scratch)"
}

# The models in a house of their own, to be changed.
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

@test "what the code does holds in every order of steps, and without each of its parts it fails" {
    run -0 "$check"
    sed 's/^/# /' <<<"$output" >&3
    [[ ${lines[-1]} == [1-9][0-9]" checked, 0 not as expected" ]]
    for model in handshake doorbell; do
        grep -Eq "^$model +right +steps +holds +[1-9][0-9]{4,} .* holds " <<<"$output"
        grep -Eq "^$model +right +ends +holds +[1-9][0-9]{4,} .* holds " <<<"$output"
        grep -Eq "^$model +naive +steps +stuck .* stuck " <<<"$output"
        grep -Eq "^$model +no_recheck .* (stuck|wrong) " <<<"$output"
        grep -Eq "^$model +no_tick +steps +stuck .* stuck " <<<"$output"
    done
}

@test "the story of the naive variant: look, signal, pause, and nobody wakes up any more" {
    run -0 "$check" --trail naive
    [ "${lines[0]}" = "handshake, naive: SIGUSR1 is not blocked, and the sleep is pause" ]
    sed '1d;$d' <<<"$output" | awk '$1 != NR { print }' | expect_lines -
    awk '$3 == "looks:" { looked[$2] = 1 }
         sub(/.* the signal is over; the /, "") && looked[$1 ":"] { missed[$1 ":"] = 1 }
         $3 == "pause:" && missed[$2] { lost = 1 }
         END { exit !lost }' <<<"$output" || fail "no look, signal, pause of one side in:" "$output"
    [[ ${lines[-1]} == *"nobody can take a step any more, and has not ended: the "* ]]
}

@test "the story without the fence: who rings looks whether to while its own store is on its way" {
    run -0 "$check" --trail doorbell no_fence
    awk '/in its store buffer$/ { on_its_way[$2]++ }
         /reaches memory\)$/ { sub("\047s$", ":", $3); on_its_way[$3]-- }
         /has not declared that it sleeps$/ && on_its_way[$2] > 0 { overtaken = 1 }
         END { exit !overtaken }' <<<"$output" || fail "no store was overtaken in:" "$output"
    [[ ${lines[-1]} == *"nobody can take a step any more, and has not ended: the "* ]]
}

@test "a mistake in the right model is found, and told: exit 1, and what spin says" {
    copy_models
    run -0 "$check" handshake right
    change handshake.pml 's/^    kill(peer, me) .*/    skip/'
    run -1 "$check" handshake right
    grep -Eq '^handshake +right +steps +holds .* stuck ' <<<"$output"
    grep -q 'pan:1: invalid end state' <<<"$output"
    [ "${lines[-1]}" = "2 checked, 2 not as expected" ]
}

@test "a line of the model that is never reached does not count as one that holds" {
    copy_models
    change handshake.pml 's/does(ended\[talker\] = true/if :: heard > MESSAGES -> heard = 0 :: else fi; &/'
    run -1 "$check" handshake late_ticks
    grep -Eq '^handshake +late_ticks +steps +holds .* idle ' <<<"$output"
}

@test "what the check cannot do it says in one line: no such option, no such model, no such variant" {
    for wrong in -x --trail 'handshake right now' 'no_such_model' 'handshake no_such_variant' '--trail right'; do
        # shellcheck disable=SC2086 # words
        run -2 "$check" $wrong
        [ "${#lines[@]}" -eq 1 ]
        [[ $output == "tests/model/check: "*"'${wrong#--trail }'"* ]] || fail "$wrong: $output"
    done
}
