# bench-table.awk - prints the figures of scripts/bench as tables for a reader.
#
#   awk -v machine=TEXT -f scripts/bench-table.awk FIGURES
#
# FIGURES is what bench-figures.awk prints.

BEGIN {
    FS = "\t"
    print machine
}

$1 == "ratio" {
    if (!ratios++) {
        title("ratios")
        line(sprintf("%-38s %-22s %10s", "what", "where", "ratio"))
    }
    line(sprintf("%-38s %-22s %10s  %s", $2, $3, $5 == "" ? "-" : number($5) " x", $8))
}

$1 == "pingpong" {
    if (!(($3, $2) in seen)) {
        seen[$3, $2]
        place[++rounds] = $3
        method[rounds] = $2
    }
    cell[$3, $2, $4] = $5
}

$1 == "stream" {
    rate[$2, $3] = $5
    if (!($2 in way)) {
        way[$2]
        ways[++streams] = $2
    }
}

$1 == "memory" {
    kept[$2, $4] = $5
    note[$2] = $8
    sides++
}

$1 == "pairs" {
    cpu[$3, $2] = $5
    if (!($3 in crowd)) {
        crowd[$3]
        crowds[++sizes] = $3
    }
}

END {
    title("pingpong")
    line(sprintf("%-6s %-10s %12s %10s %10s %10s %8s %9s %10s", "where", "method", "rounds/s", "median us", "99th us", \
                 "least us", "signals", "switches", "CPU us"))
    for (i = 1; i <= rounds; i++)
        line(sprintf("%-6s %-10s %12.0f %10s %10s %10s %8s %9s %10s", place[i], method[i], of_round(i, "rate"), \
                     number(of_round(i, "median")), number(of_round(i, "p99")), number(of_round(i, "least")), \
                     number(of_round(i, "signals")), number(of_round(i, "switches")), number(of_round(i, "cpu"))))
    if (streams) {
        title("stream, GiB/s")
        line(sprintf("%-10s %10s %10s %10s", "way", "over", "empty", "one"))
        for (i = 1; i <= streams; i++)
            line(sprintf("%-10s %10s %10s %10s", ways[i], number(rate[ways[i], "over"]), \
                         number(rate[ways[i], "empty"]), number(rate[ways[i], "one"])))
    }
    if (sides) {
        title("memory beside the ring, KiB")
        line(sprintf("%-10s %10s %10s %10s", "side", "median", "most", "growth"))
        side("talker")
        side("listener")
    }
    title("pairs at once, CPU us a round")
    line(sprintf("%-10s %10s %10s", "pairs", "bare", "ours"))
    for (i = 1; i <= sizes; i++)
        line(sprintf("%-10s %10s %10s", crowds[i], number(cpu[crowds[i], "bare"]), number(cpu[crowds[i], "ours"])))
}

function of_round(i, figure) {
    return cell[place[i], method[i], figure]
}

function side(name) {
    line(sprintf("%-10s %10s %10s %10s  %s", name, number(kept[name, "median"]), number(kept[name, "most"]), \
                 number(kept[name, "growth"]), note[name]))
}

function title(text) {
    print ""
    print text
}

function line(text) {
    sub(/ +$/, "", text)
    print text
}

function number(x) {
    return x == "" ? "-" : sprintf(x >= 100 ? "%.0f" : x >= 10 ? "%.1f" : "%.3f", x)
}
