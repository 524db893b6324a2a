/* story_fold.c - which steps only repeat what was shown before; see story.h.
 *
 * The symbol of a step is where it stands, its kind, and its text without numbers and quoted text.
 * A step repeats if its process has made the same pair of symbols, the one before it and this one,
 * at least twice before. So a round is shown twice or three times, and then folded.
 */
#include "story.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SHORTEST = 12, MOST_SHOWN = 1500, SHOWN_FIRST = 1000, SHOWN_LAST = 400 };

static uint64_t mix(uint64_t hash, unsigned char byte)
{
    return (hash ^ byte) * 1099511628211u;
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
    bool in_word = false;
    for (; *text; text++) {
        if (*text == '"') {
            const char *end = strchr(text + 1, '"');
            text = end ? end : text;
        } else if (isdigit((unsigned char)*text) && !in_word) {
            while (isalnum((unsigned char)text[1]))
                text++;
        } else {
            hash = mix(hash, (unsigned char)*text);
        }
        in_word = isalpha((unsigned char)*text) != 0;
    }
    return mix(hash, 0);
}

static uint64_t symbol(const struct step *step)
{
    const struct record *record = step->record;
    uint64_t hash = 14695981039346656037u;
    for (const char *at = record->where; *at; at++)
        hash = mix(hash, (unsigned char)*at);
    return mix_text(mix(hash, (unsigned char)step->kind), record->text);
}

/* ---- how often each pair was seen ---- */

static struct {
    uint64_t pair;
    int count;
} * seen;
static size_t slots, used;

static int *find_count(uint64_t pair)
{
    size_t at = (size_t)(pair ^ pair >> 32) & (slots - 1);
    while (seen[at].count && seen[at].pair != pair)
        at = (at + 1) & (slots - 1);
    if (!seen[at].count)
        used++;
    seen[at].pair = pair;
    return &seen[at].count;
}

/* There are at most as many pairs as steps. */
static void make_room(struct story *story)
{
    for (slots = 1024; slots < 2 * (size_t)story->step_count; slots *= 2)
        ;
    seen = story_room(slots, sizeof *seen);
}

/* Clears `shown` of each step that repeats. */
static void find_repeats(struct story *story)
{
    uint64_t *last = story_room((size_t)story->process_count, sizeof *last);
    make_room(story);
    for (int i = 1; i <= story->step_count; i++) {
        struct step *step = &story->steps[i];
        uint64_t this = symbol(step), pair = this ^ (last[step->process] * 31 + 7);
        pair = mix(mix(pair, (unsigned char)step->process), (unsigned char)(step->process >> 8));
        int *count = find_count(pair);
        step->shown = *count < 2 || step->kind == END || step->fate == LOST_WAKEUP ||
                      step->fate == LOST_DEATH;
        (*count)++;
        last[step->process] = this;
    }
    free(seen);
    free(last);
}

/* ---- which of them are folded ---- */

/* A few steps that repeat are not worth a fold. */
static void show_short_runs(struct story *story)
{
    for (int i = 1, begin = 1; i <= story->step_count + 1; i++) {
        if (i <= story->step_count && !story->steps[i].shown)
            continue;
        if (i - begin < SHORTEST)
            for (int j = begin; j < i; j++)
                story->steps[j].shown = true;
        begin = i + 1;
    }
}

static void hide_the_middle(struct story *story)
{
    int shown = 0, nth = 0;
    for (int i = 1; i <= story->step_count; i++)
        shown += story->steps[i].shown;
    if (shown <= MOST_SHOWN)
        return;
    for (int i = 1; i <= story->step_count; i++)
        if (story->steps[i].shown && ++nth > SHOWN_FIRST && nth <= shown - SHOWN_LAST)
            story->steps[i].shown = false;
}

void story_fold(struct story *story, bool all)
{
    for (int i = 1; i <= story->step_count; i++)
        story->steps[i].shown = true;
    if (all)
        return;
    find_repeats(story);
    show_short_runs(story);
    hide_the_middle(story);
}

/* ---- what a fold says ---- */

enum { NAMED = 6, NAME = 40 };

/* What one side does in a fold. */
struct deeds {
    char names[NAMED][NAME];
    int counts[NAMED], count;
    bool more;
};

/* "kill" for a call, "publish turn", "point window", else the kind. */
static void name_step(const struct step *step, char name[NAME])
{
    static const char *const kinds[] = {
        [SLEEP] = "sleep", [WAKE] = "wake", [TAKEN] = "take a signal",
        [PRINT] = "print", [NOTE] = "note", [END] = "end"};
    const char *text = story_text(step);
    size_t length = strcspn(text, "(=");
    if (step->kind != CALL && step->kind != PUBLISH && step->kind != OBSERVE && step->kind != POINT)
        length = strlen(text = kinds[step->kind]);
    while (length > 0 && text[length - 1] == ' ')
        length--;
    snprintf(name, NAME, "%.*s", (int)(length < NAME ? length : NAME - 1), text);
}

static void count_deed(struct deeds *deeds, const struct step *step)
{
    char name[NAME];
    name_step(step, name);
    for (int i = 0; i < deeds->count; i++)
        if (strcmp(deeds->names[i], name) == 0) {
            deeds->counts[i]++;
            return;
        }
    if (deeds->count == NAMED) {
        deeds->more = true;
        return;
    }
    memcpy(deeds->names[deeds->count], name, NAME);
    deeds->counts[deeds->count++] = 1;
}

static void append(char *text, size_t size, const char *more)
{
    size_t used_up = strlen(text);
    snprintf(text + used_up, size - used_up, "%s", more);
}

int story_rounds(struct story *story, int from, int to, char *text, size_t size)
{
    static struct deeds sides[2];
    int rounds = 0;
    memset(sides, 0, sizeof sides);
    text[0] = '\0';
    for (int i = from; i <= to; i++)
        count_deed(&sides[story->processes[story->steps[i].process].is_talker], &story->steps[i]);
    for (int side = 1; side >= 0; side--) {
        const struct deeds *deeds = &sides[side];
        if (deeds->count == 0)
            continue;
        append(text, size, *text ? "; " : "");
        append(text, size, side ? "talker: " : "listener: ");
        for (int i = 0; i < deeds->count; i++) {
            append(text, size, i ? ", " : "");
            append(text, size, deeds->names[i]);
            if (deeds->counts[i] > rounds)
                rounds = deeds->counts[i];
        }
        append(text, size, deeds->more ? ", ..." : "");
    }
    return rounds;
}
