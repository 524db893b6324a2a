# scripts/timeline-rows.awk: reads a story (build/story), and makes the rows of a timeline from it. The text, the SVG
# and the Mermaid form draw the same rows; each is another awk file, which defines draw().
#
# A row i has:
#   what[i]          start call read write kill take sleep wake print point note end fold lost why
#   step[i]          the number of its first step
#   actor[i]         the process, and side[i], its side: talker or listener
#   label[i]         what the process does, in words
#   middle[i]        what stands between the two: a word of the segment with its value, or a signal
#   other[i]         of a kill and a take: the process at the other end
#   bar[i, SIDE]     how the side is after it: "" (nobody), run, sleep or stop
#
# -v explain=1 adds a row for each explanation. Steps of one process that are only calls, and have the same
# explanation, become one row.

BEGIN { FS = "\t" }

$1 == "missing" { missing[++missings] = $2 }
$1 == "process" { name[$2] = $3; pid[$2] = $4; sides[$2] = $5; parent[$2] = $6; processes++; roots[$5] += !$6 }
$1 == "step" { add_step($2, $3, $4, $5, $6, $7, $8, $9) }
$1 == "fold" { add_fold($2, $3, $4, $5) }
$1 == "state" { changes[$2] = changes[$2] $3 "\t" $4 "\n" }
$1 == "sigusr1" { pends[$2, $3] = $6; changed_pends[$2] = changed_pends[$2] $3 " " }
$1 == "link" && $4 == "signal" { taken_from[$2] = $3; taker[$3] = $2 }
$1 == "link" && $4 == "value" { seen_from[$2] = $3 }
$1 == "link" && $4 == "wakeup" { wake_of[$2] = $3 }
$1 == "link" && $4 == "fork" { forked[$2] = $3 }
$1 == "coalesced" { coalesced[$2] = $3 }
$1 == "lost" { lost[$2] = $3 }
$1 == "left" { left[$2] = $3 }
$1 == "end" { whole = 1; steps = $2 }

END {
    if (!whole) # build/story has said why
        exit 1
    make_rows()
    draw()
}

function add_step(n, ns, p, where_, kind_, text_, why_, took_) {
    item[++items] = n
    at[n] = ns
    who[n] = p
    where[n] = where_
    kind[n] = kind_
    text[n] = text_
    why[n] = why_
    took[n] = took_
}

function add_fold(n, to, count, text_) {
    item[++items] = n
    kind[n] = "fold"
    fold_to[n] = to
    fold_count[n] = count
    text[n] = text_
}

# ---- rows

function add_row(what_, n, p, label_, middle_) {
    rows++
    what[rows] = what_
    step[rows] = n
    actor[rows] = p
    side[rows] = sides[p]
    label[rows] = label_
    middle[rows] = middle_
    set_bars()
}

function set_bars() {
    bar[rows, "talker"] = bar_of("talker")
    bar[rows, "listener"] = bar_of("listener")
}

# A side sleeps if all its processes do.
function bar_of(which,    p, best) {
    for (p = 1; p <= processes; p++) {
        if (sides[p] != which)
            continue
        if (state[p] == "running")
            return "run"
        if (state[p] == "stopped" || (state[p] == "asleep" && best == ""))
            best = state[p] == "stopped" ? "stop" : "sleep"
    }
    return best
}

function make_rows(    i) {
    for (i = 1; i <= items; i++) {
        change_states(kind[item[i]] == "fold" ? fold_to[item[i]] : item[i])
        make_row(item[i], item[i - 1], item[i + 1])
        change_pending(kind[item[i]] == "fold" ? fold_to[item[i]] : item[i])
    }
}

function change_states(n,    change, field, i, count) {
    count = split(changes[n], change, "\n")
    for (i = 1; i < count; i++) {
        split(change[i], field, "\t")
        state[field[1]] = field[2]
    }
}

function change_pending(n,    p, i, count) {
    count = split(changed_pends[n], p, " ")
    for (i = 1; i <= count; i++)
        pending[p[i]] = pends[n, p[i]]
}

# BEFORE and AFTER are the items beside it.
function make_row(n, before, after,    k, p) {
    k = kind[n]
    p = who[n]
    if (k == "fold")
        return add_row("fold", n, 0, fold_words(n), "")
    if (explain && why[n] != "" && why[n] != said[p]) {
        add_row("why", n, p, why[n], "")
        said[p] = why[n]
        grouped = 0
    }
    if (k == "wake" && kind[before] == "signal" && who[before] == p)
        return wake_too(n)
    if (k == "call" && kill_target(n))
        kill_row(n, p)
    else if (k == "call" && joins(n, before))
        join_call(n)
    else if (k == "call")
        call_row(n, p)
    else if (k == "signal")
        take_row(n, p)
    else
        plain_row(n, k, p)
    if (n in lost)
        add_row("lost", n, p, lost[n], "")
    end_rows(n, k)
}

# Processes that end in this step without saying so.
function end_rows(n, k,    change, field, i, count) {
    count = split(changes[n], change, "\n")
    for (i = 1; i < count; i++) {
        split(change[i], field, "\t")
        if (field[2] ~ /^ended / && k != "end")
            add_row("end", n, field[1], pid_of(field[1]) end_words(substr(field[2], 7)), "")
    }
}

function end_words(how) {
    return how == "?" ? "has no more records" : how == "exec" ? "is another program now" : "dies of " how
}

function plain_row(n, k, p) {
    if (k == "publish" || k == "observe")
        word_row_of(n, k == "publish" ? "write" : "read", p)
    else if (k == "sleep")
        add_row("sleep", n, p, pid_of(p) call_name(text[n]) ": " (sleeps_long(n) ? "sleeps" : "waits"), "")
    else if (k == "wake")
        add_row("wake", n, p, pid_of(p) wake_words(n) slept_for(n), "")
    else if (k == "print")
        add_row("print", n, p, pid_of(p) "prints: " without_name(text[n]), "")
    else if (k == "end")
        add_row("end", n, p, pid_of(p) "ends: " substr(text[n], 6), "")
    else if (k == "note" && text[n] ~ /^start: /)
        add_row("start", n, p, pid_of(p) (n in forked ? "starts: a child of fork" : "starts"), "")
    else
        add_row(k, n, p, pid_of(p) (k == "note" && text[n] ~ /^stopped before / ? stopped_words(text[n]) : text[n]), "")
}

function word_row_of(n, verb, p) {
    add_row(verb, n, p, pid_of(p) verb "s", word_of(text[n]))
}

function wake_words(n) {
    if (n in taken_from)
        return "takes SIGUSR1" count_of(n) ", wakes up"
    return sleeps_long(n) ? "wakes up, without SIGUSR1" : call_label(text[n])
}

# How long it was asleep, if a person would notice it.
function slept_for(n,    ns) {
    ns = at[n] - at[wake_of[n]]
    return ns >= 500000000 && n in wake_of ? sprintf(" (after %.1f s)", ns / 1000000000) : ""
}

function sleeps_long(n) {
    return text[n] ~ /^(sigsuspend|pause|sigwaitinfo|nanosleep|clock_nanosleep)[(]/
}

function stopped_words(words) {
    sub(/: .*/, "", words)
    return words
}

function fold_words(n) {
    return (fold_count[n] == 1 ? "once more" : fold_count[n] " times more") " (steps " n " to " fold_to[n] "): " text[n]
}

# ---- signals

# The process of the story that the call sends SIGUSR1 to. A kill whose target is in no trace is a call as others are.
function kill_target(n,    parts, p) {
    if (text[n] !~ /^(kill|sigqueue)[(][0-9]+, SIGUSR1.*[)] = 0$/)
        return 0
    split(text[n], parts, /[(,]/)
    for (p = 1; p <= processes; p++)
        if (pid[p] == parts[2])
            return p
    return 0
}

function kill_row(n, p,    to) {
    to = kill_target(n)
    add_row("kill", n, p, pid_of(p) call_name(text[n]) (sides[to] == sides[p] ? " " pid[to] : ""), \
            "SIGUSR1" (n in lost ? ": lost" : n in left ? ": never taken" : \
                       pending[to] == 1 ? ": pending already" : ""))
    other[rows] = to
}

function take_row(n, p,    from) {
    from = taken_from[n]
    add_row("take", n, p, pid_of(p) "takes SIGUSR1" count_of(n), from ? "SIGUSR1 of step " from : "SIGUSR1")
    if (text[n] !~ / SIGUSR1 /) {
        label[rows] = pid_of(p) text[n]
        middle[rows] = ""
    }
    other[rows] = from in who ? who[from] : 0
}

function count_of(n) {
    return n in coalesced ? " (" coalesced[n] " became 1)" : ""
}

function wake_too(n) {
    sub(/takes SIGUSR1/, "takes it", label[rows])
    label[rows] = label[rows] ", wakes up" slept_for(n)
    set_bars()
}

# ---- calls

# Calls of one process in a row, for the same reason.
function joins(n, before) {
    return what[rows] == "call" && actor[rows] == who[n] && last_call == before && kind[before] == "call" &&
           why[before] == why[n] && !(n in taken_from) && !(before in taken_from)
}

function call_row(n, p) {
    add_row("call", n, p, pid_of(p) call_label(text[n]) (n in taken_from ? ": takes SIGUSR1" count_of(n) : ""), "")
    last_call = n
    group = last_brief = brief(text[n])
    times = 1
}

function join_call(n) {
    if (brief(text[n]) == last_brief) {
        times++
    } else {
        group = group (times > 1 ? " (" times " times)" : "") ", " brief(text[n])
        last_brief = brief(text[n])
        times = 1
    }
    label[rows] = pid_of(who[n]) group (times > 1 ? " (" times " times)" : "")
    set_bars()
    last_call = n
}

function call_name(words) {
    sub(/[(].*/, "", words)
    return words
}

# What came out, if it says something: an errno's name, or a number that is not 0.
function result_of(words,    parts, count) {
    count = split(words, parts, /[)] = /)
    words = count > 1 ? parts[count] : ""
    sub(/ [(].*/, "", words)
    sub(/^-1 /, "", words)
    return words
}

function brief(words,    result) {
    result = result_of(words)
    if (words ~ /^kill[(]/)
        return call_label(words)
    return call_name(words) command_of(words) (result ~ /^E/ ? " " result : "")
}

function command_of(words) {
    if (match(words, /, (IPC|SHM)_[A-Z_]+/))
        return " " substr(words, RSTART + 2, RLENGTH - 2)
    return ""
}

function call_label(words,    result, call) {
    result = result_of(words)
    call = call_name(words)
    if (call == "sigprocmask" && result == "0")
        return call ": " mask_words(words)
    if (call == "sigaction" && match(words, /=[^,}]*/))
        return call ": " substr(words, RSTART + 1, RLENGTH - 1)
    if (call == "kill" || call == "sigqueue")
        call = substr(words, 1, index(words, ") = "))
    if (call == "sigqueue(" || call == "")
        call = call_name(words)
    if (result ~ /^0x7/ && words ~ /NULL, /)
        result = "0" # an address that the kernel chose
    return call command_of(words) (result == "0" ? "" : arrow " " result)
}

function mask_words(words,    set, verb) {
    verb = words ~ /SIG_UNBLOCK/ ? "unblock" : "block"
    match(words, /\[[^]]*\]/)
    set = substr(words, RSTART + 1, RLENGTH - 2)
    if (words ~ /SIG_SETMASK/ && set == "")
        return "block nothing"
    return verb " " (length(set) > 20 ? substr(set, 1, 17) "..." : set) (words ~ /SIG_SETMASK/ ? " only" : "")
}

# ---- words

function pid_of(p) {
    return parent[p] || roots[sides[p]] > 1 ? "[" pid[p] "] " : ""
}

# "publish state = SAID (1)" and "observe state = SAID (1)": the word and its value.
function word_of(words) {
    sub(/^[a-z]+ /, "", words)
    if (words ~ /^magic = 0x[0-9a-f]+ "/)
        sub(/0x[0-9a-f]+ /, "", words)
    return words
}

# The program's name stands above its column.
function without_name(words) {
    sub(/^(talker|listener)[-a-z0-9_]*: /, "", words)
    return words
}
