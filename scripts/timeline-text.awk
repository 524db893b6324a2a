# scripts/timeline-text.awk: draws the rows of timeline-rows.awk for a terminal: two columns, the segment between them.
#
# -v columns=80 sets the width, at least 80; -v utf8=1 draws with lines and arrows, else with ASCII; -v colour=1 uses
# colours.

BEGIN {
    arrow = utf8 ? " →" : " ->"
    symbol["run"] = utf8 ? "┃" : "|"
    symbol["sleep"] = utf8 ? "┊" : ":"
    symbol["stop"] = utf8 ? "▒" : "#"
    symbol["start"] = utf8 ? "┳" : "+"
    symbol["end"] = utf8 ? "┻" : "+"
    symbol[""] = " "
    line = utf8 ? "─" : "-"
    thick = utf8 ? "━" : "="
    to_right = utf8 ? "▶" : ">"
    to_left = utf8 ? "◀" : "<"
    cross = utf8 ? "✗" : "X"
    dots = utf8 ? "…" : "..."
    if (colour) {
        bold = "\033[1m"; dim = "\033[2m"; plain = "\033[0m"; red = "\033[1;31m"
        paint["talker"] = "\033[35m"; paint["listener"] = "\033[32m"; paint["segment"] = "\033[33m"
    }
}

# A bar is one column wide, and stands beside a blank one.
function set_widths(all) {
    own = int((all - number - 33) / 2)
    room = all - number - 2 * own - 4
}

function draw(    i) {
    number = steps > 99999 ? 9 : steps > 999 ? 6 : 4 # columns of a step's number
    set_widths(columns < 80 ? 80 : columns > 120 ? 120 : columns)
    for (i = 1; i <= missings; i++)
        print_wrapped(missing[i], "Note: ", "")
    head()
    for (i = 1; i <= rows; i++)
        row(i)
    print ""
    print dim "     " symbol["run"] " runs   " symbol["sleep"] " sleeps   " line to_right \
          " a word of the segment   " thick to_right " SIGUSR1" plain
}

function head() {
    put_heading(name_at("listener"), "segment", name_at("talker"))
    put_heading(pids_at("listener"), "", pids_at("talker"))
}

function put_heading(left_, middle_, right_) {
    left_ = pad("", number) bold paint["listener"] pad_left(cut(left_, own), own) plain "  "
    middle_ = paint["segment"] centred(middle_, room) plain "  "
    print left_ middle_ bold paint["talker"] cut(right_, own) plain
}

function name_at(which,    p) {
    for (p = 1; p <= processes; p++)
        if (sides[p] == which)
            return name[p]
    return "(no trace)"
}

function pids_at(which,    p, words) {
    for (p = 1; p <= processes; p++)
        if (sides[p] == which)
            words = words (words == "" ? "" : " ") (parent[p] ? "[" pid[p] "]" : pid[p])
    return words
}

function centred(words, width_) {
    return pad(pad("", int((width_ - width(words)) / 2)) words, width_)
}

# ---- a row

function row(i) {
    if (what[i] == "fold")
        return print_wrapped(label[i], utf8 ? "⋮ " : ": ", dim)
    if (what[i] == "lost")
        return print_wrapped(label[i], cross " ", red)
    if (what[i] == "why")
        return print_why(i)
    lines_of(i)
}

# The label stands beside the bar of its process, wrapped; what is in the middle has one line.
function lines_of(i,    count, part, j, middle_) {
    count = wrap(label[i], own, part, what[i] == "print" ? 2 : 4)
    for (j = 1; j <= count; j++) {
        middle_ = j == 1 ? drawn_middle(i) : pad("", room)
        printf "%s%s%s", dim, pad_left(j == 1 ? step[i] : "", number - 1) " ", plain
        if (side[i] == "listener")
            put_line(pad("", own - width(part[j])) paint["listener"] part[j] plain, middle_, "", i, j)
        else
            put_line(pad("", own), middle_, paint["talker"] part[j] plain, i, j)
    }
}

function put_line(left_, middle_, right_, i, j) {
    right_ = left_ " " bar_at(i, "listener", j) middle_ bar_at(i, "talker", j) " " right_
    sub(/ +$/, "", right_) # nothing that is painted is blank
    print right_
}

function bar_at(i, which, j) {
    if (side[i] == which && j == 1 && what[i] == "start" && bar[i - 1, which] == "")
        return paint[which] symbol["start"] plain
    if (side[i] == which && j == 1 && what[i] == "end" && bar[i, which] == "")
        return paint[which] symbol["end"] plain
    return bar[i, which] == "" ? " " : paint[which] symbol[bar[i, which]] plain
}

# Arrows: a word between its process and the middle, a signal from one side to the other.
function drawn_middle(i) {
    if (what[i] == "read" || what[i] == "write")
        return drawn_word(i)
    if (what[i] == "kill" && sides[other[i]] != side[i])
        return drawn_kill(i)
    if (what[i] == "take" && middle[i] != "")
        return drawn_take(i)
    return pad("", room)
}

function drawn_word(i,    words) {
    words = cut(middle[i], room - 4)
    if (side[i] == "listener") {
        words = (what[i] == "write" ? line to_right : to_left line) " " paint["segment"] words plain
        return words pad("", room - 3 - width(cut(middle[i], room - 4)))
    }
    return pad("", room - 3 - width(words)) paint["segment"] words plain " " \
           (what[i] == "write" ? to_left line : line to_right)
}

function drawn_kill(i,    words, rest) {
    words = cut(middle[i], room - 6)
    rest = room - 5 - width(words)
    if (step[i] in lost)
        return red drawn_lost(i, words, rest) plain
    return side[i] == "listener" ? thick thick " " words " " repeat(thick, rest) to_right : \
           to_left repeat(thick, rest) " " words " " thick thick
}

# It does not come to the other side.
function drawn_lost(i, words, rest) {
    rest -= 3
    return side[i] == "listener" ? thick thick " " words " " repeat(thick, rest) cross "   " : \
           "   " cross repeat(thick, rest) " " words " " thick thick
}

# The end of the arrow: from the middle into the process that takes the signal.
function drawn_take(i,    words) {
    words = cut(middle[i], room - 5)
    return side[i] == "listener" ? to_left thick thick " " words pad("", room - 4 - width(words)) : \
           pad("", room - 4 - width(words)) words " " thick thick to_right
}

# ---- whole lines

function print_wrapped(words, mark, style,    part, count, j, all) {
    all = number + 2 * own + room + 4
    count = wrap(words, all - number - width(mark), part, 9)
    for (j = 1; j <= count; j++)
        print pad("", number) style (j == 1 ? mark : pad("", width(mark))) part[j] plain
}

# An explanation stands on the side of its process.
function print_why(i,    part, count, j, all) {
    all = 2 * own + room + 4
    count = wrap(label[i], all - 8, part, 4)
    for (j = 1; j <= count; j++)
        print pad("", number) dim (side[i] == "listener" ? part[j] : pad_left(part[j], all)) plain
}

# ---- text

function pad(words, wanted,    more) {
    more = wanted - width(words)
    return more > 0 ? words sprintf("%" more "s", "") : words
}

function pad_left(words, wanted,    more) {
    more = wanted - width(words)
    return more > 0 ? sprintf("%" more "s", "") words : words
}

function repeat(mark, count,    all) {
    while (count-- > 0)
        all = all mark
    return all
}
