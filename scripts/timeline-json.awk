# scripts/timeline-json.awk: writes the steps that timeline-rows.awk has read as trace events, a format of Chrome that
# Perfetto (ui.perfetto.dev) opens. Each process is a track; a sleep is a slice; arrows (flow events) lead from a kill
# to the signal as it is taken, and from a publish to each observe.

function draw(    p, i) {
    printf "{\"displayTimeUnit\":\"ns\",\"traceEvents\":["
    for (p = 1; p <= processes; p++) {
        event("{\"ph\":\"M\",\"name\":\"process_name\"," ids(p) ",\"args\":{\"name\":" quoted(name[p]) "}}")
        event("{\"ph\":\"M\",\"name\":\"thread_name\"," ids(p) ",\"args\":{\"name\":" quoted(name[p]) "}}")
    }
    for (i = items; i >= 1; i--) { # the next step of each process
        next_at[item[i]] = who[item[i]] in later ? later[who[item[i]]] : at[item[i]] + 1000
        later[who[item[i]]] = at[item[i]]
    }
    for (i = 1; i <= items; i++)
        step_event(item[i])
    for (i = 1; i <= items; i++)
        flows(item[i])
    print "\n]}"
}

function event(words) {
    printf "%s\n%s", (events++ ? "," : ""), words
}

function ids(p) {
    return "\"pid\":" pid[p] ",\"tid\":" pid[p]
}

function step_event(n,    k) {
    k = kind[n]
    if (k == "sleep" || k == "wake")
        event("{\"ph\":\"" (k == "sleep" ? "B" : "E") "\",\"name\":" quoted(call_name(text[n])) "," common(n) "}")
    else if (k == "call" || k == "publish" || k == "observe" || k == "signal")
        event("{\"ph\":\"X\",\"dur\":" micro(duration(n)) ",\"name\":" quoted(title(n)) "," common(n) "}")
    else if (k != "fold")
        event("{\"ph\":\"i\",\"s\":\"t\",\"name\":" quoted(text[n]) "," common(n) "}")
}

# A record that takes no time is drawn for a microsecond, if there is room before the next.
function duration(n,    most) {
    most = next_at[n] - at[n]
    return took[n] > 0 ? (took[n] < most ? took[n] : most) : most < 1000 ? most : 1000
}

function title(n,    words) {
    words = text[n]
    if (kind[n] == "call")
        return call_name(words)
    if (kind[n] == "signal" && split(words, word_, " ") >= 2)
        return "takes " word_[2]
    return words
}

function common(n) {
    return "\"cat\":\"" kind[n] "\",\"ts\":" micro(at[n]) "," ids(who[n]) ",\"args\":{\"step\":" n ",\"text\":" \
           quoted(text[n]) ",\"where\":" quoted(where[n]) ",\"why\":" quoted(why[n]) \
           (n in lost ? ",\"lost\":" quoted(lost[n]) : "") "}"
}

function flows(n) {
    if (n in taker)
        flow("signal", n, taker[n])
    if (n in seen_from)
        flow("value", seen_from[n], n)
}

function flow(name_, from, to) {
    flow_id++
    event("{\"ph\":\"s\",\"id\":" flow_id "," flow_place(name_, from) "}")
    event("{\"ph\":\"f\",\"bp\":\"e\",\"id\":" flow_id "," flow_place(name_, to) "}")
}

function flow_place(name_, n) {
    return "\"cat\":\"" name_ "\",\"name\":\"" name_ "\",\"ts\":" micro(at[n]) "," ids(who[n])
}

# Nanoseconds as microseconds, without a loss of digits.
function micro(ns) {
    return sprintf("%d.%03d", int(ns / 1000), ns % 1000)
}

function quoted(words,    i, c, all) {
    if (!index(words, "\\") && !index(words, "\""))
        return "\"" words "\""
    for (i = 1; i <= length(words); i++) {
        c = substr(words, i, 1)
        all = all (c == "\\" || c == "\"" ? "\\" : "") c
    }
    return "\"" all "\""
}
