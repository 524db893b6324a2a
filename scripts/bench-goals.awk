# bench-goals.awk - compares the ratios of scripts/bench with the goals of this project, for those who work on it.
#
#   scripts/bench --csv | awk -f scripts/bench-goals.awk
#
# Prints a line for each goal. Exit status: 0 all goals are reached; 1 some are not, or were not measured.

BEGIN {
    FS = ","
    at_least("pingpong: signal / bare loop", "one CPU", 0.95)
    at_least("pingpong: signal / bare loop", "two CPUs", 0.95)
    at_least("pingpong: doorbell / signal", "two CPUs", 200)
    at_least("pingpong: doorbell / spin", "two CPUs", 0.8)
    at_least("pingpong: doorbell / signal", "one CPU", 1)
    at_least("pingpong: doorbell / signal", "one busy CPU", 1)
    at_least("stream / cat in | cat > out", "overwritten file", 5)
    at_least("stream / plain copy", "overwritten file", 2)
    at_least("stream / vmsplice and splice", "overwritten file", 1)
    at_least("stream / cat in | cat > out", "emptied file", 5)
    at_least("stream / plain copy", "emptied file", 2)
    at_least("stream / vmsplice and splice", "emptied file", 1)
    at_least("stream / cat in | cat > out", "one CPU and file", 2)
    at_most("memory: talker", "most", 4096)
    at_most("memory: talker", "growth", 64)
    at_most("memory: listener", "most", 4096)
    at_most("memory: listener", "growth", 64)
    at_most("CPU of a round: signal / bare loop", "1 pair", 1.1)
    at_most("CPU of a round: signal / bare loop", "10 pairs", 1.1)
    at_most("CPU of a round: signal / bare loop", "100 pairs", 1.1)
    at_most("CPU of a round: signal / bare loop", "500 pairs", 1.1)
}

{ gsub(/"/, "") }
$1 == "ratio" && $5 != "" { figure[$2, $3] = $5 }
$1 == "memory" && $5 != "" { figure["memory: " $2, $4] = $5 }

END {
    for (i = 1; i <= goals; i++)
        judge(what[i], where[i])
    exit missed > 0
}

function at_least(a, b, target) {
    what[++goals] = a
    where[goals] = b
    least[a, b] = target
}

function at_most(a, b, target) {
    what[++goals] = a
    where[goals] = b
    most[a, b] = target
}

function judge(a, b,    goal, reached) {
    goal = (a, b) in least ? "at least " least[a, b] : "at most " most[a, b]
    if (!((a, b) in figure))
        reached = "not measured"
    else if ((a, b) in least)
        reached = figure[a, b] + 0 >= least[a, b] + 0 ? "reached" : "missed"
    else
        reached = figure[a, b] + 0 <= most[a, b] + 0 ? "reached" : "missed"
    if (reached != "reached")
        missed++
    printf "%-38s %-22s %-14s %10s  %s\n", a, b, goal, (a, b) in figure ? figure[a, b] : "-", reached
}
