# scripts/timeline-width.awk: how wide a text is, and how it is cut and wrapped. `dots` stands for what is left out.

BEGIN { dots = "..." }

# How many columns it takes: a byte that continues a UTF-8 sequence takes none. An East Asian letter takes two.
function width(words,    wide) {
    gsub(/[\200-\277]/, "", words)
    wide = words
    return length(words) + gsub(/[\343-\355\360-\364]/, "", wide)
}

function cut(words, most,    i, c, kept) {
    if (width(words) <= most)
        return words
    for (i = 1; i <= length(words); i++) {
        c = substr(words, i, 1)
        if (width(kept c) > most - width(dots))
            break
        kept = kept c
    }
    return kept dots
}

# Cuts words into part[1], part[2]...: at blanks, or after a comma. At most MOST lines.
function wrap(words, most, part, limit,    count, i, word, total, now) {
    total = split(words, word, " ")
    count = 0
    now = ""
    for (i = 1; i <= total; i++) {
        if (now != "" && width(now " " word[i]) > most) {
            part[++count] = now
            now = ""
        }
        now = now == "" ? word[i] : now " " word[i]
        while (width(now) > most && count < limit) {
            part[++count] = fitting(now, most)
            now = substr(now, length(part[count]) + 1)
        }
    }
    part[++count] = now
    if (now == "" && count > 1)
        count--
    if (count > limit) {
        part[limit] = fitting(part[limit], most - width(dots)) dots
        count = limit
    }
    return count
}

# As much of a long word as fits, whole letters.
function fitting(words, most,    i, kept, c) {
    for (i = 1; i <= length(words); i++) {
        c = substr(words, i, 1)
        if (width(kept c) > most)
            break
        kept = kept c
    }
    return kept
}
