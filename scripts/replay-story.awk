# replay-story.awk: writes a story (build/story) as one of the parts of a replay page. scripts/replay runs it.
#
#   NAME=... LABEL=... CLAIM=... awk -v form=FORM -f replay-story.awk part=hidden HIDDEN part=story STORY
#
#   json     the story as an object for replay.js
#   table    the story as a table, for paper and for a browser without JavaScript
#   answer   what the programs printed, how they ended, and what was lost
#   files    the source files that the story names, one a line
#
# HIDDEN has lines "printed N P LINE" and "at N P WHERE": what a fold of the story hides, in the order of N.
# Every text is untrusted. In JSON "<" becomes \u003c, so no text can end the script element; in HTML & < > " become
# entities. (gsub's "\\&" is an "&" in all awks.)

function escaped(text,    out, i, c) {
    if (text !~ /[\\"<>&]/) return "\"" text "\""
    out = ""
    while (match(text, /[\\"<>&]/)) {
        c = substr(text, RSTART, 1)
        c = c == "<" ? "\\u003c" : c == ">" ? "\\u003e" : c == "&" ? "\\u0026" : "\\" c
        out = out substr(text, 1, RSTART - 1) c
        text = substr(text, RSTART + 1)
    }
    return "\"" out text "\""
}

function html(text) {
    gsub(/&/, "\\&amp;", text)
    gsub(/</, "\\&lt;", text)
    gsub(/>/, "\\&gt;", text)
    gsub(/"/, "\\&quot;", text)
    return text
}

# The index of TEXT in the table of all texts.
function text_number(text) {
    if (!(text in number_of)) {
        number_of[text] = texts
        text_of[texts++] = text
    }
    return number_of[text]
}

function process_name(p) {
    if (alike[side[p]] < 2) return side[p]
    return (parent[p] > 0 ? "child " : side[p] " ") pid[p]
}

# ---- an item is a step or a fold, with the facts that stand after it

function add_fact(text) {
    fact[items] = fact[items] (fact[items] == "" ? "" : ",") "[" text "]"
}

function add_words(words) {
    after[items] = after[items] (after[items] == "" ? "" : "; ") words
}

# Fields 3 to LAST of this line.
function add_fields(last,    i, text) {
    text = escaped($1)
    for (i = 3; i <= last; i++) text = text "," escaped($i)
    add_fact(text)
}

# What the fold FROM to TO hides. Of the lines that were printed there, the last 20 are enough.
function add_hidden(from, to,    i, first_line) {
    while (next_hidden <= hidden && hidden_step[next_hidden] < from) next_hidden++
    first_line = next_hidden
    while (next_hidden <= hidden && hidden_step[next_hidden] <= to) next_hidden++
    if (first_line < next_hidden - 20) first_line = next_hidden - 20
    for (i = first_line; i < next_hidden; i++) add_fact(hidden_fact[i])
}

BEGIN { FS = "\t"; next_hidden = 1 }

part == "hidden" {
    hidden_step[++hidden] = $2 + 0
    hidden_fact[hidden] = escaped($1) "," escaped($3) "," escaped($4)
    next
}

$1 == "missing" { missing[++gaps] = $2 }
$1 == "process" {
    processes = $2 + 0
    program[processes] = $3
    pid[processes] = $4
    side[processes] = $5 == "talker" ? "talker" : "listener"
    parent[processes] = $6 + 0
    alike[side[processes]]++
}
$1 == "word" { word[$2 + 0] = $3; words = $2 + 0 }
$1 == "step" {
    items++
    first[items] = last[items] = $2 + 0
    ns[items] = $3 + 0
    actor[items] = $4 + 0
    where[items] = $5
    kind[items] = $6
    what[items] = $7
    why[items] = $8
    if ($6 == "print") said[++prints] = items
}
$1 == "fold" {
    items++
    first[items] = $2 + 0
    last[items] = $3 + 0
    kind[items] = "fold"
    what[items] = $5
    add_fact("\"count\"," escaped($4))
    add_hidden($2 + 0, $3 + 0)
}
$1 == "state" {
    add_fields(4)
    add_words(process_name($3) ": " $4)
    if ($4 ~ /^ended/) ending[$3 + 0] = $4
}
$1 == "sigusr1" {
    add_fields(7)
    add_words(process_name($3) ": SIGUSR1 " ($5 == "blocked" ? "blocked" : $4 == "handler" ? "open" : "open, " $4) \
              ($6 > 0 ? ", pending" : "") ", taken " $7)
}
$1 == "value" {
    add_fields(5)
    if (kind[items] == "fold") add_words(word[$3 + 0] " = " $4)
}
$1 == "link" { add_fields(4); if ($4 != "wakeup") add_words("from step " $3) }
$1 == "coalesced" { add_fields(3); add_words($3 " signals became one") }
$1 == "left" { add_fields(3); add_words($3) }
$1 == "lost" { add_fields(3); lost[items] = lost[items] (lost[items] == "" ? "" : " ") $3 }

# ---- the forms

function write_json(    i, p) {
    for (i = 1; i <= items; i++) {
        text_number(where[i])
        text_number(what[i])
        text_number(why[i])
    }
    printf "{\"name\":%s,\"label\":%s,\"claim\":%s,\n\"missing\":[", \
           escaped(ENVIRON["NAME"]), escaped(ENVIRON["LABEL"]), escaped(ENVIRON["CLAIM"])
    for (i = 1; i <= gaps; i++) printf "%s%s", (i > 1 ? "," : ""), escaped(missing[i])
    printf "],\n\"processes\":["
    for (p = 1; p <= processes; p++)
        printf "%s[%s,%s,%s,%d]", (p > 1 ? "," : ""), escaped(program[p]), escaped(pid[p]), escaped(side[p]), parent[p]
    printf "],\n\"words\":["
    for (i = 1; i <= words; i++) printf "%s%s", (i > 1 ? "," : ""), escaped(word[i])
    printf "],\n\"texts\":["
    for (i = 0; i < texts; i++) printf "%s%s", (i > 0 ? ",\n" : ""), escaped(text_of[i])
    printf "],\n\"items\":["
    for (i = 1; i <= items; i++)
        printf "%s[%d,%d,%.0f,%d,%d,%s,%d,%d,[%s]]", (i > 1 ? ",\n" : ""), first[i], last[i], ns[i], actor[i],
               text_number(where[i]), escaped(kind[i]), text_number(what[i]), text_number(why[i]), fact[i]
    print "]}"
}

function write_table(    i, p, told) {
    for (i = 1; i <= gaps; i++) print "<p class=\"lost\">Not in the traces: " html(missing[i]) "</p>"
    print "<table class=\"story\"><thead><tr><th>step<th>ms<th>who<th>line<th>what<th>why<th>then</thead><tbody>"
    for (i = 1; i <= items; i++) {
        if (kind[i] == "fold") {
            print "<tr><td>" first[i] "&ndash;" last[i] "<td colspan=\"5\">" html(what[i]) "<td>" html(after[i])
            continue
        }
        p = actor[i]
        printf "<tr><td>%d<td>%.3f<td class=\"who %s\">%s<td>%s<td class=\"what\">", first[i], ns[i] / 1e6, side[p],
               html(process_name(p)), html(short_place(where[i]))
        printf "%s%s<td>%s<td>%s", (kind[i] ~ /^(sleep|wake|print)$/ ? "<b>" kind[i] "</b> " : ""), html(what[i]),
               (told[p] == why[i] ? "" : html(why[i])), html(after[i])
        if (lost[i] != "") printf " <span class=\"lost\">LOST: %s</span>", html(lost[i])
        print ""
        told[p] = why[i]
    }
    print "</tbody></table>"
}

function short_place(place) {
    sub(/^.*[\/]/, "", place)
    sub(/^[^:]*/, "", place)
    sub(/^:/, "", place)
    return place
}

function write_answer(    i, p, from) {
    print "<ul>"
    from = prints > 12 ? prints - 11 : 1
    if (from > 1) print "<li>(" from - 1 " lines before)"
    for (i = from; i <= prints; i++) print "<li class=\"" side[actor[said[i]]] "\">" html(what[said[i]])
    for (p = 1; p <= processes; p++)
        if (p in ending) print "<li class=\"" side[p] "\">" html(process_name(p)) ": " html(ending[p])
    for (i = 1; i <= items; i++)
        if (lost[i] != "") print "<li class=\"lost\">Step " first[i] ": " html(lost[i])
    print "</ul>"
}

function write_files(    i, file) {
    for (i = 1; i <= items; i++) {
        file = where[i]
        sub(/:[0-9]*$/, "", file)
        if (file != "" && !(file in named)) print file
        named[file] = 1
    }
}

END {
    if (form == "json") write_json()
    if (form == "table") write_table()
    if (form == "answer") write_answer()
    if (form == "files") write_files()
}
