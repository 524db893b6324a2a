# bench-csv.awk - prints the figures of scripts/bench as comma-separated values.
#
#   awk -v machine=TEXT -f scripts/bench-csv.awk FIGURES
#
# FIGURES is what bench-figures.awk prints.

BEGIN {
    FS = "\t"
    print "table,what,where,figure,value,unit,runs,note"
    print "machine," quoted(machine) ",,,,,,"
}

{
    text = quoted($1)
    for (i = 2; i <= 8; i++)
        text = text "," quoted($i)
    print text
}

function quoted(field) {
    if (field !~ /[ ,"]/)
        return field
    gsub(/"/, "\"\"", field)
    return "\"" field "\""
}
