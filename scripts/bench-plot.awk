# bench-plot.awk - draws the figures of scripts/bench as an SVG picture.
#
#   awk -v machine=TEXT -f scripts/bench-plot.awk FIGURES
#
# FIGURES is what bench-figures.awk prints. There are two panels of bars on a log scale: the methods of pingpong, and
# the ways to copy a file. A page in light or dark colours chooses the colours of the picture.

BEGIN { FS = "\t" }

$4 == "rate" && $5 > 0 && (($1 == "pingpong" && $3 ~ /same|two/) || ($1 == "stream" && $3 ~ /over|empty/)) {
    rate[$2, $3] = $5
    if (!($1 in least) || $5 < least[$1]) least[$1] = $5
    if ($5 > top[$1]) top[$1] = $5
}

END {
    width = 760
    left = 130
    bar_space = 38
    height = 20 + panel_height("pingpong", 8) + panel_height("stream", 5)
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n", \
           width, height, width, height
    print "<title>shmtalk: what a wakeup costs, and how fast a stream is</title>"
    style()
    y = 26
    panel("pingpong", "A message there and one back: rounds a second", "rounds a second (log scale)", \
          "textbook semaphore fifo sigwait bare signal doorbell spin", "two", "on two CPUs", "same", "on one CPU")
    panel("stream", "A file to a file in memory: GiB a second", "GiB a second (log scale)", \
          "lockstep cat copy splice stream", "over", "overwritten", "empty", "into an empty file")
    text("note", 16, height - 8, machine)
    print "</svg>"
}

function style() {
    print "<style>"
    print "svg { background: #ffffff } text { font: 12px system-ui, sans-serif; fill: #24292f }"
    print ".head { font-size: 15px; font-weight: 600 } .name { text-anchor: end } .tick, .label { text-anchor: middle }"
    print ".tick, .note, .value { font-size: 11px } .tick, .note, .label { fill: #57606a }"
    print ".grid { stroke: #d0d7de } .axis { stroke: #57606a } .a { fill: #0969da } .b { fill: #bf8700 }"
    print "@media (prefers-color-scheme: dark) { svg { background: #0d1117 } text { fill: #e6edf3 }"
    print ".tick, .note, .label { fill: #9198a1 } .grid { stroke: #30363d } .axis { stroke: #9198a1 }"
    print ".a { fill: #58a6ff } .b { fill: #d29922 } }"
    print "</style>"
}

# ---- a panel: a heading, a legend, two bars for each name, and an axis below

function panel_height(table, bars) {
    return table in least ? 36 + bars * bar_space + 74 : 0
}

# A is what the first bar of a name shows, and B what the second shows.
function panel(table, heading, axis_label, names, a, a_label, b, b_label,    n, name, i, begin, bottom) {
    if (!(table in least))
        return
    text("head", 16, y, heading)
    y += 20
    legend(16, "a", a_label)
    legend(120, "b", b_label)
    begin = y + 16
    n = split(names, name, " ")
    bottom = begin + n * bar_space
    scale_to(least[table], top[table])
    axis(begin, bottom, axis_label)
    for (i = 1; i <= n; i++) {
        y = begin + (i - 1) * bar_space + 4
        if (((name[i], a) in rate) || ((name[i], b) in rate))
            text("name", left - 10, y + 11.5, name[i])
        if ((name[i], a) in rate)
            bar("a", rate[name[i], a], name[i] ", " a_label)
        if ((name[i], b) in rate)
            bar("b", rate[name[i], b], name[i] ", " b_label)
    }
    y = bottom + 74
}

function legend(x, kind, words) {
    printf "<rect class=\"%s\" x=\"%d\" y=\"%.1f\" width=\"12\" height=\"12\"/>\n", kind, x, y - 10
    text("note", x + 18, y, words)
}

function bar(kind, value, label,    long) {
    long = (log10(value) - low) * unit
    if (long < 1)
        long = 1
    printf "<rect class=\"%s\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"13\"><title>%s: %s</title></rect>\n", \
           kind, left, y, long, escape(label), short(value)
    text("value", left + long + 6, y + 11, short(value))
    y += 16
}

# From 10^low to 10^high, with a line for each power of ten.
function axis(from, to, words,    e, x) {
    for (e = low; e <= high; e++) {
        x = left + (e - low) * unit
        printf "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", (e == low ? "axis" : "grid"), \
               x, from, x, to
        text("tick", x, to + 16, written(e))
    }
    text("label", left + (high - low) * unit / 2, to + 36, words)
}

function scale_to(smallest, largest) {
    low = floor_of_log(smallest)
    high = floor_of_log(largest)
    if (power_of_ten(high) < largest)
        high++
    if (high == low)
        high++
    unit = (width - left - 110) / (high - low)
}

# ---- numbers and text

# Some builds of busybox awk have neither log() nor the operator ^. With t = (x - 1) / (x + 1), ln x is twice the sum
# of t + t^3/3 + t^5/5 + ...
function ln(x,    t, sum, power, i) {
    t = (x - 1) / (x + 1)
    power = t
    for (i = 1; i < 200; i += 2) {
        sum += power / i
        power *= t * t
    }
    return 2 * sum
}

function log10(x,    e) {
    e = floor_of_log(x)
    return e + ln(x / power_of_ten(e)) / ln(10)
}

function floor_of_log(x,    e) {
    for (e = 0; power_of_ten(e) > x; e--)
        ;
    for (; power_of_ten(e + 1) <= x; e++)
        ;
    return e
}

function power_of_ten(e,    power) {
    for (power = 1; e > 0; e--)
        power *= 10
    for (; e < 0; e++)
        power /= 10
    return power
}

function written(e) { # 10^e
    return e >= 6 ? power_of_ten(e - 6) " million" : e >= 3 ? power_of_ten(e - 3) " 000" : power_of_ten(e) ""
}

function short(x) {
    return x >= 1000000 ? sprintf("%.3g million", x / 1000000) : sprintf(x >= 1000 ? "%.0f" : "%.3g", x)
}

function text(class, x, y, words) {
    printf "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", class, x, y, escape(words)
}

function escape(text_) {
    gsub(/&/, "\\&amp;", text_)
    gsub(/</, "\\&lt;", text_)
    return text_
}
