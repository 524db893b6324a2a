# bench-figures.awk - from the measurements of scripts/bench to its figures.
#
#   awk -v crowds='1 10' -v cpus=N -v no_memory=WHY -f scripts/bench-figures.awk RUNS
#
# RUNS has one line for each measurement: NAME, a tab, VALUE. A line of the output is one figure, in eight fields that
# are separated by tabs:
#
#   table what where figure value unit runs note
#
# A figure is the median of its runs. A ratio is the median of the ratios of runs that were made one after the other.
# What was not measured has no value, and its note says why.

BEGIN { FS = OFS = "\t" }

{ value[$1, ++runs[$1]] = $2 + 0 }

END {
    ratios()
    pingpong()
    stream()
    memory()
    pairs()
}

# ---- the tables

function ratios(    i, n, crowd, place, where) {
    ratio("pingpong: signal / bare loop", "one CPU", "pingpong signal same rate", "pingpong bare same rate")
    ratio("pingpong: signal / bare loop", "two CPUs", "pingpong signal two rate", "pingpong bare two rate")
    ratio("pingpong: doorbell / signal", "two CPUs", "pingpong doorbell two rate", "pingpong signal two rate")
    ratio("pingpong: doorbell / spin", "two CPUs", "pingpong doorbell two rate", "pingpong spin two rate")
    ratio("pingpong: doorbell / signal", "one CPU", "pingpong doorbell same rate", "pingpong signal same rate")
    ratio("pingpong: doorbell / signal", "one busy CPU", "pingpong doorbell busy rate", "pingpong signal busy rate")
    for (i = 1; i <= 2; i++) {
        place = i == 1 ? "over" : "empty"
        where = i == 1 ? "overwritten file" : "emptied file"
        ratio("stream / cat in | cat > out", where, "stream stream " place " rate", "stream cat " place " rate")
        ratio("stream / plain copy", where, "stream stream " place " rate", "stream copy " place " rate")
        ratio("stream / vmsplice and splice", where, "stream stream " place " rate", "stream splice " place " rate")
    }
    ratio("stream / cat in | cat > out", "one CPU and file", "stream stream one rate", "stream cat one rate")
    n = split(crowds, crowd, " ")
    for (i = 1; i <= n; i++)
        ratio("CPU of a round: signal / bare loop", crowd[i] (crowd[i] == 1 ? " pair" : " pairs"), \
              "pairs ours " crowd[i], "pairs bare " crowd[i])
}

function pingpong(    methods, method, places, place, figures, figure, unit, p, m, f) {
    methods = split("bare signal sigwait semaphore fifo textbook doorbell spin", method, " ")
    places = split("same busy two any", place, " ")
    figures = split("rate median p99 least signals switches cpu", figure, " ")
    split("rounds/s us us us a_round a_round us", unit, " ")
    for (p = 1; p <= places; p++)
        for (m = 1; m <= methods; m++)
            for (f = 1; f <= figures; f++)
                row("pingpong", method[m], place[p], figure[f], unit[f], \
                    "pingpong " method[m] " " place[p] " " figure[f])
}

function stream(    ways, way, places, place, p, w) {
    ways = split("stream cat copy lockstep splice read write", way, " ")
    places = split("over empty one", place, " ")
    for (p = 1; p <= places; p++)
        for (w = 1; w <= ways; w++)
            row("stream", way[w], place[p], "rate", "GiB/s", "stream " way[w] " " place[p] " rate")
}

# The first sample is from a program that is still starting: growth is counted from the second.
function memory(    i, side, name, n) {
    for (i = 1; i <= 2; i++) {
        side = i == 1 ? "talker" : "listener"
        name = "memory " side
        n = runs[name]
        if (!n) {
            print "memory", side, "", "most", "", "KiB", 0, "not measured: it failed, or there is no /proc"
            continue
        }
        row("memory", side, "", "median", "KiB", name)
        print "memory", side, "", "most", most(name), "KiB", n, ""
        print "memory", side, "", "growth", (value[name, n] - value[name, (n > 1 ? 2 : 1)]), "KiB", n, ""
    }
}

function pairs(    i, n, crowd) {
    n = split(crowds, crowd, " ")
    for (i = 1; i <= n; i++) {
        row("pairs", "bare", crowd[i], "cpu", "us", "pairs bare " crowd[i])
        row("pairs", "ours", crowd[i], "cpu", "us", "pairs ours " crowd[i])
    }
}

# ---- a line of the output

function row(table, what, where, figure, unit, name) {
    if (runs[name])
        print table, what, where, figure, median(name), unit, runs[name], ""
}

function ratio(what, where, one, other,    n, i, some) {
    n = runs[one] < runs[other] ? runs[one] : runs[other]
    if (!n) {
        print "ratio", what, where, "", "", "", 0, "not measured: " why(where)
        return
    }
    for (i = 1; i <= n; i++)
        some[i] = value[one, i] / value[other, i]
    print "ratio", what, where, "", median_of(some, n), "x", n, ""
}

function why(where) {
    if (where ~ /file/ && no_memory != "")
        return no_memory
    return cpus < 2 ? "there is one CPU, or no choice of it" : "it failed"
}

# ---- statistics

function median(name,    i, some) {
    for (i = 1; i <= runs[name]; i++)
        some[i] = value[name, i]
    return median_of(some, runs[name])
}

function median_of(list, n,    i, j, x) {
    for (i = 2; i <= n; i++) {
        x = list[i]
        for (j = i - 1; j >= 1 && list[j] > x; j--)
            list[j + 1] = list[j]
        list[j + 1] = x
    }
    return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

function most(name,    i, top) {
    for (i = 1; i <= runs[name]; i++)
        if (value[name, i] > top)
            top = value[name, i]
    return top
}
