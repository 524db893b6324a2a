# scripts/timeline-svg.awk: draws the rows of timeline-rows.awk as an SVG picture for a projector.
#
# Each side has a bar: thick where it is awake, dotted where it sleeps. A signal is an arrow from bar to bar. From there
# a thin line leads down to the place where the process takes it: so long it was pending.

BEGIN {
    arrow = " →"
    wide = 1280
    pace = 27            # from a line of text to the next
    bar_x["listener"] = 420
    bar_x["talker"] = 860
    middle_x = 640
    left_edge = 470      # of the segment
    right_edge = 810
    letters = 37         # in a line of a label
    middle_letters = 32
}

function draw(    i) {
    title = lesson()
    place_rows()
    print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " wide " " height "\" width=\"" wide "\" height=\"" \
          height "\" font-family=\"system-ui, 'DejaVu Sans', sans-serif\">"
    tag("title", "", title)
    style()
    print "<rect class=\"paper\" width=\"" wide "\" height=\"" height "\"/>"
    box("segment", left_edge, top - 20, right_edge - left_edge, bottom - top + 26)
    head()
    bars("listener")
    bars("talker")
    for (i = 1; i <= rows; i++)
        pending_line(i)
    for (i = 1; i <= rows; i++)
        row(i)
    legend()
    print "</svg>"
}

function style() {
    print "<style>"
    print "text { font-size: 18px; fill: #1f2328 } line { stroke-linecap: round }"
    print ".paper { fill: #ffffff } .segment { fill: #fff8e1; stroke: #e3c565 }"
    print ".end { text-anchor: end } .middle { text-anchor: middle }"
    print ".mono { font-family: 'DejaVu Sans Mono', monospace; font-size: 16px }"
    print ".number, .why { fill: #59636e; font-size: 14px } .why { font-style: italic }"
    print ".head { font-size: 24px; font-weight: 600 } .name { font-size: 18px; font-weight: 600 }"
    print ".talker { fill: #8250df } .listener { fill: #1a7f37 } .words { fill: #7d4e00 }"
    print "line.talker { stroke: #8250df } line.listener { stroke: #1a7f37 }"
    print ".run { stroke-width: 8 } .sleep { stroke-width: 4; stroke-dasharray: 1 9 }"
    print ".stop { stroke-width: 8; stroke-dasharray: 12 5 }"
    print ".value { stroke: #9a6700; stroke-width: 2 } .tip-value { fill: #9a6700 }"
    print ".signal { stroke: #0969da; stroke-width: 4 } .tip-signal { fill: #0969da }"
    print ".pending { stroke: #0969da; stroke-width: 2 } .lost { stroke: #cf222e }"
    print "text.signal { stroke: none; fill: #0550ae; font-weight: 600 }"
    print "text.lost { stroke: none; fill: #cf222e; font-weight: 600 }"
    print ".plate { fill: #ffffff; stroke: #d1d9e0 } .changed { fill: #ffe9a8; stroke: #9a6700 }"
    print "</style>"
}

# ---- where each row stands

function place_rows(    i, y_, part) {
    top = 120 + 26 * missings
    y_ = top + 14
    for (i = 1; i <= rows; i++) {
        y[i] = y_
        tall[i] = is_whole(i) ? wrap(label[i], 110, part, 3) : wrap(label[i], letters, part, 3)
        y_ += tall[i] * pace
    }
    bottom = y_ - pace + 10
    height = bottom + 70
}

function is_whole(i) {
    return what[i] == "fold" || what[i] == "lost" || what[i] == "why"
}

# ---- the head and the foot

function head(    i) {
    words_at("head middle", middle_x, 38, title)
    for (i = 1; i <= missings; i++)
        words_at("why middle", middle_x, 40 + 26 * i, missing[i])
    words_at(head_class("listener") " end", bar_x["listener"] + 4, top - 34, name_at("listener"))
    words_at(head_class("talker"), bar_x["talker"] - 4, top - 34, name_at("talker"))
    words_at("head middle words", middle_x, top - 34, "segment")
}

function head_class(which) {
    return (width(name_at(which)) > 28 ? "name " : "head ") which
}

# The listener's name says which variant it is.
function lesson(    p, words) {
    for (p = processes; p >= 1; p--)
        if (words == "" || sides[p] == "listener")
            words = name[p]
    if (sub(/^(talker|listener)-/, "", words) == 0)
        words = "pair"
    return words
}

function name_at(which,    p, words, pids) {
    for (p = 1; p <= processes; p++)
        if (sides[p] == which) {
            words = words == "" ? name[p] : words
            pids = pids (pids == "" ? "" : ", ") pid[p]
        }
    return words == "" ? "no trace" : length(pids) < 20 ? words " (" pids ")" : words
}

function legend(    y_) {
    y_ = bottom + 44
    stroke("run listener", 60, y_ - 14, 60, y_ + 4)
    words_at("number", 74, y_, "runs")
    stroke("sleep listener", 140, y_ - 16, 140, y_ + 6)
    words_at("number", 154, y_, "sleeps")
    stroke("value", 230, y_ - 5, 264, y_ - 5)
    tip("value", 270, y_ - 5, 1)
    words_at("number", 280, y_, "writes to the segment, or reads from it")
    stroke("signal", 570, y_ - 5, 604, y_ - 5)
    tip("signal", 612, y_ - 5, 1)
    words_at("number", 622, y_, "SIGUSR1, and as long as it is pending a thin line to where it is taken")
}

# ---- bars

function bars(which,    i, from, last) {
    for (i = 1; i <= rows + 1; i++) {
        if (i <= rows && bar[i, which] == last)
            continue
        if (last != "")
            stroke(last " " which, bar_x[which], from, bar_x[which], i <= rows ? y[i] - 5 : bottom)
        from = y[i] - 5
        last = bar[i, which]
    }
}

# ---- a row

function row(i,    part, count, j, s) {
    s = side[i]
    if (what[i] == "fold")
        return whole_row("number middle", middle_x, i, "⋮ ")
    if (what[i] == "lost")
        return whole_row("lost middle", middle_x, i, "✗ ")
    if (what[i] == "why")
        return whole_row(s == "listener" ? "why" : "why end", s == "listener" ? 60 : wide - 20, i, "")
    words_at("number end", 40, y[i], step[i])
    count = wrap(label[i], letters, part, 3)
    for (j = 1; j <= count; j++)
        words_at((s == "listener" ? "end" : "start") (j == 1 ? " first" : ""), \
                 bar_x[s] + (s == "listener" ? -16 : 16), y[i] + (j - 1) * pace, part[j], \
                 j == 1 && step[i] in where ? where[step[i]] : "")
    if (what[i] == "read" || what[i] == "write")
        word_row(i, s)
    if (what[i] == "kill" && sides[other[i]] != s)
        signal_row(i, s)
}

function whole_row(class, x, i, mark,    part, count, j) {
    count = wrap(label[i], 110, part, 3)
    if (what[i] != "why")
        box("paper", 60, y[i] - 19, wide - 80, count * pace - 2)
    for (j = 1; j <= count; j++)
        words_at(class, x, y[i] + (j - 1) * pace, (j == 1 ? mark : "") part[j])
}

function word_row(i, s,    near, words, half, end_) {
    words = cut(middle[i], middle_letters)
    half = 5 * width(words) + 10
    near = s == "listener" ? middle_x - half : middle_x + half
    end_ = bar_x[s] + (s == "listener" ? 8 : -8)
    box(what[i] == "write" ? "changed" : "plate", middle_x - half, y[i] - 18, 2 * half, 24)
    words_at("mono middle", middle_x, y[i] - 1, words)
    stroke("value", near, y[i] - 6, end_, y[i] - 6)
    if (what[i] == "write")
        tip("value", near, y[i] - 6, s == "listener" ? 1 : -1)
    else
        tip("value", end_, y[i] - 6, s == "listener" ? -1 : 1)
}

function signal_row(i, s,    from, to, lost_, half) {
    lost_ = step[i] in lost
    from = bar_x[s] + (s == "listener" ? 8 : -8)
    to = bar_x[sides[other[i]]] + (s == "listener" ? -14 : 14)
    if (lost_)
        to += s == "listener" ? -60 : 60
    stroke("signal" (lost_ ? " lost" : ""), from, y[i] - 6, to, y[i] - 6)
    half = 5.4 * width(middle[i]) + 8
    box("plate", middle_x - half, y[i] - 19, 2 * half, 25)
    words_at((lost_ ? "lost" : "signal") " middle", middle_x, y[i], middle[i])
    if (lost_)
        words_at("lost middle", to + (s == "listener" ? 14 : -14), y[i], "✗")
    else
        tip("signal", to + (s == "listener" ? 4 : -4), y[i] - 6, s == "listener" ? 1 : -1)
}

# From where the signal comes in to where it is taken. What a fold hides has no place.
function pending_line(i,    j, x, s) {
    if (what[i] != "kill" || !(step[i] in taker) || sides[other[i]] == side[i])
        return
    for (j = i + 1; j <= rows && step[j] < taker[step[i]]; j++)
        ;
    if (j > rows || step[j] != taker[step[i]])
        return
    s = sides[other[i]]
    x = bar_x[s] + (s == "listener" ? 12 : -12)
    stroke("pending", x, y[i] - 6, x, y[j] - 6)
    tip("signal", x + (s == "listener" ? -6 : 6), y[j] - 6, s == "listener" ? -1 : 1)
}

function stroke(class, x1, y1, x2, y2) {
    print "<line class=\"" class "\" x1=\"" x1 "\" y1=\"" y1 "\" x2=\"" x2 "\" y2=\"" y2 "\"/>"
}

function box(class, x, y_, width_, height_) {
    print "<rect class=\"" class "\" x=\"" x "\" y=\"" y_ "\" width=\"" width_ "\" height=\"" height_ "\" rx=\"6\"/>"
}

# The tip of an arrow that ends at x, y and points to the right (1) or to the left (-1).
function tip(class, x, y_, way) {
    print "<path class=\"tip-" class "\" d=\"M" x "," y_ " l" (way > 0 ? "-10" : "10") ",-6 v12 z\"/>"
}

# ---- text

function words_at(class, x, y_, words, tooltip) {
    print "<text class=\"" class "\" x=\"" x "\" y=\"" y_ "\">" escape(words) \
          (tooltip == "" ? "" : "<title>" escape(tooltip) "</title>") "</text>"
}

function tag(name_, class, words) {
    print "<" name_ (class == "" ? "" : " class=\"" class "\"") ">" escape(words) "</" name_ ">"
}

function escape(words) {
    gsub(/&/, "\\&amp;", words)
    gsub(/</, "\\&lt;", words)
    gsub(/>/, "\\&gt;", words)
    gsub(/"/, "\\&quot;", words)
    return words
}
