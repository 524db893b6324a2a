# scripts/timeline-mermaid.awk: writes the rows of timeline-rows.awk as a Mermaid sequence diagram. A process that is
# awake has a bar. What one process does in a row stands in one note.

BEGIN { arrow = " →" }

function draw(    p, i) {
    print "sequenceDiagram"
    for (p = 1; p <= processes; p++)
        if (sides[p] == "listener")
            print "    participant P" p " as " plain_text(name[p] pid_if_needed(p))
    print "    participant S as segment"
    for (p = 1; p <= processes; p++)
        if (sides[p] == "talker")
            print "    participant P" p " as " plain_text(name[p] pid_if_needed(p))
    for (i = 1; i <= missings; i++)
        print "    Note over " all_over() ": " plain_text(missing[i])
    for (i = 1; i <= rows; i++)
        row(i)
    flush_note()
}

function pid_if_needed(p,    q) {
    for (q = 1; q <= processes; q++)
        if (q != p && name[q] == name[p])
            return " " pid[p]
    return ""
}

function row(i) {
    if (actor[i] && !(actor[i] in awake))
        wake(i)
    if (what[i] == "write" || what[i] == "read") {
        flush_note()
        print "    " (what[i] == "write" ? "P" actor[i] "->>S: " : "S-->>P" actor[i] ": ") plain_text(middle[i])
    } else if (what[i] == "kill") {
        flush_note()
        print "    P" actor[i] (step[i] in lost ? "-x" : "-)") "P" other[i] ": " plain_text(middle[i])
    } else if (what[i] == "fold" || what[i] == "lost") {
        flush_note()
        print "    Note over " (what[i] == "fold" ? all_over() : "P" actor[i]) ": " in_lines(label[i])
    } else {
        note(i)
    }
}

# All from the first column to the last.
function all_over(    p, left_, right_) {
    for (p = 1; p <= processes; p++) {
        if (sides[p] == "listener" && left_ == "")
            left_ = "P" p
        if (sides[p] == "talker")
            right_ = "P" p
    }
    return (left_ == "" ? "S" : left_) "," (right_ == "" ? "S" : right_)
}

function note(i) {
    if (noted != "" && noting != actor[i])
        flush_note()
    if (what[i] == "start" || what[i] == "take" || what[i] == "wake")
        wake(i)
    if (length(noted) > 70)
        flush_note()
    noting = actor[i]
    noted = noted (noted == "" ? "" : "<br/>") in_lines(what[i] == "why" ? label[i] : without_pid(i))
    if (what[i] == "sleep" || what[i] == "end") {
        flush_note()
        if (awake[actor[i]])
            print "    deactivate P" actor[i]
        awake[actor[i]] = 0
    }
}

function wake(i) {
    flush_note()
    if (!awake[actor[i]])
        print "    activate P" actor[i]
    awake[actor[i]] = 1
}

function flush_note() {
    if (noted != "")
        print "    Note over P" noting ": " noted
    noted = ""
}

function without_pid(i,    words) {
    words = label[i]
    sub(/^\[[0-9]+\] /, "", words)
    if (what[i] == "take")
        sub(/takes it/, "takes SIGUSR1", words)
    return words
}

function in_lines(words,    part, count, j, all) {
    count = wrap(words, 44, part, 9)
    for (j = 1; j <= count; j++)
        all = all (j > 1 ? "<br/>" : "") plain_text(part[j])
    return all
}

# What Mermaid, HTML or Markdown may take for syntax is written as its number.
function plain_text(words,    i, c, all) {
    for (i = 1; i <= length(words); i++) {
        c = substr(words, i, 1)
        all = all (c in code ? "#" code[c] ";" : c)
    }
    return all
}

BEGIN {
    syntax = "#;<>&$%`\\{}"
    split("35 59 60 62 38 36 37 96 92 123 125", numbers, " ")
    for (s = 1; s <= length(syntax); s++)
        code[substr(syntax, s, 1)] = numbers[s]
}
