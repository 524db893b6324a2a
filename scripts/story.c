/* story.c - tells the story of a run from its traces; scripts/timeline and scripts/replay draw it.
 *
 *     build/story [--all] [--at N] TRACE...
 *
 * A TRACE is what a program writes with -T FILE. Give all traces of one run, in any order. The
 * output is lines of fields, separated by tabs. The first field says what the line is:
 *
 *     story 1                               the version of this format; the first line
 *     missing TEXT                          what the traces do not show, in one sentence each
 *     process P NAME PID SIDE PARENT        P is 1, 2, ... in the order of their first records.
 * SIDE is talker or listener. PARENT is the process whose fork made it, or 0. word W NAME a word of
 * the segment, in the order of first use step N NS P WHERE KIND TEXT WHY TOOK  N is 1, 2, ...; NS
 * are nanoseconds since the first step. WHERE is file:line, WHY the explanation in force. KIND is
 * one of call sleep wake signal publish observe point print note end.
 *
 * After a step stand the facts that changed with it. Each has the step's number as its second
 * field:
 *
 *     state N P HOW                         running, asleep, stopped, "ended exit status 0",
 *                                           "ended SIGTERM", "ended exec" (it is another program
 * now), or "ended ?": its records stop, and none says how sigusr1 N P ACTION MASK PENDING TAKEN
 * ACTION is default, ignored or handler; MASK is open or blocked; PENDING is 0 or 1; TAKEN counts
 *     value N W VALUE WRITER                WRITER is the step that published it. 0: no record says
 *     link N FROM WHAT                      step FROM caused step N. WHAT is
 *                                             signal  N takes the signal of the kill in FROM
 *                                             value   N observes what FROM published
 *                                             wakeup  N ends the sleep that began in FROM
 *                                             fork    N is the first step of the child of FROM
 *     coalesced N COUNT                     so many kills became the one signal that N takes. Of
 * the kills that a fold hides, only one has a link. lost N WHY                            N is a
 * kill whose signal the process does not survive, or does not get; or a sleep that lost its wakeup
 *     left N WHY                            N is a kill whose signal was never taken, and which did
 *                                           no harm: it was pending to the end
 *     fold N M COUNT TEXT                   steps N to M are not shown. They repeat what was shown,
 * or are the middle of a long story. COUNT is how often the most frequent step comes. The state
 * after M follows: facts with the number M, without links. end N the last line: how many steps
 * there are in all
 *
 * With --all nothing is folded. --at N prints the state after step N instead: all process, state,
 * sigusr1 and value lines, and "printed P LINE" for each line that a program has printed.
 *
 * What the traces cannot show is not guessed. A call during which another process did something, or
 * which took more than 1 ms, is shown as sleep and wake; a sleep with SIGUSR1 pending returns at
 * once, and is a call. The action and the mask of SIGUSR1 are those that the records set; at the
 * start they are taken to be "default" and "open". Only SIGUSR1 is followed.
 *
 * All text is escaped: it has no control bytes, and is valid UTF-8.
 * Exit status: 0 done; 1 a file cannot be read, or is no trace (one line on stderr); 2 usage.
 */
#include "story.h"

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- fields ---- */

/* The length of the UTF-8 sequence at `text` if it is valid, and no control character; else 0. */
static int sequence(const unsigned char *text, int left)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    int length = *text < 0x80 ? 1 : *text >= 0xf0 ? 4 : *text >= 0xe0 ? 3 : 2;
    unsigned code = length == 1 ? *text : *text & (0xffu >> (length + 1));
    if (length == 1)
        return code >= ' ' && code != 0x7f;
    if (*text < 0xc2 || *text > 0xf4 || length > left)
        return 0;
    for (int i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3fu);
    }
    bool turns_the_line = (code >= 0x200e && code <= 0x200f) ||
                          (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    bool is_valid = code >= least[length] && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000);
    return is_valid && code >= 0xa0 && !turns_the_line ? length : 0;
}

void story_put(const char *field, int length)
{
    const unsigned char *at = (const unsigned char *)field;
    size_t all = length == -1 ? strlen(field) : (size_t)length;
    int left = all > SHOWN_BYTES ? SHOWN_BYTES : (int)all;
    while (left > 0) {
        int bytes = sequence(at, left);
        if (bytes == 0)
            printf("\\x%02X", *at);
        else
            fwrite(at, 1, (size_t)bytes, stdout);
        at += bytes ? bytes : 1;
        left -= bytes ? bytes : 1;
    }
    if (all > SHOWN_BYTES)
        fputs("...", stdout);
}

/* ---- lines ---- */

static int compare_sentences(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void print_head(struct story *story)
{
    puts("story\t1");
    qsort(story->missing, (size_t)story->missing_count, sizeof *story->missing, compare_sentences);
    for (int i = 0; i < story->missing_count; i++) {
        fputs("missing\t", stdout);
        story_put(story->missing[i], -1);
        putchar('\n');
    }
    for (int i = 0; i < story->process_count; i++) {
        const struct process *process = &story->processes[i];
        printf("process\t%d\t", i + 1);
        story_put(process->name, -1);
        printf("\t%d\t%s\t%d\n", process->pid, process->is_talker ? "talker" : "listener",
               process->parent + 1);
    }
    for (int i = 0; i < story->word_count; i++) {
        printf("word\t%d\t", i + 1);
        story_put(story->words[i], -1);
        putchar('\n');
    }
}

/* A sleep has no result yet. */
static int shown_length(const struct step *step)
{
    if (step->kind != SLEEP)
        return -1;
    const char *text = story_text(step), *result = NULL;
    for (const char *at = text; (at = strstr(at, ") = ")); at++)
        result = at;
    return result ? (int)(result + 1 - text) : -1;
}

static void print_step(struct story *story, int number)
{
    static const char *const kinds[] = {"call",    "sleep", "wake",  "signal", "publish",
                                        "observe", "point", "print", "note",   "end"};
    const struct step *step = &story->steps[number];
    const struct record *record = step->record;
    printf("step\t%d\t%lld\t%d\t", number, step->at - story->steps[1].at, step->process + 1);
    story_put(record->where, -1);
    printf("\t%s\t", kinds[step->kind]);
    story_put(record->text, shown_length(step));
    putchar('\t');
    story_put(record->why, -1);
    printf("\t%lld\n", step->kind == SLEEP || step->kind == WAKE ? 0 : record->took);
}

static void print_fold(struct story *story, int from, int to)
{
    char text[400];
    int rounds = story_rounds(story, from, to, text, sizeof text);
    printf("fold\t%d\t%d\t%d\t", from, to, rounds);
    story_put(text, -1);
    putchar('\n');
}

static void print_story(struct story *story)
{
    struct moment *now = story_begin(story);
    print_head(story);
    for (int i = 1, hidden = 0; i <= story->step_count; i++) {
        story_advance(story, now, i);
        if (story->steps[i].shown) {
            print_step(story, i);
            story_print_changes(story, now, i);
            continue;
        }
        if (!hidden)
            hidden = i;
        if (i == story->step_count || story->steps[i + 1].shown) {
            print_fold(story, hidden, i);
            story_print_changes(story, now, i);
            hidden = 0;
        }
    }
    story_end(story, now);
    printf("end\t%d\n", story->step_count);
}

static void print_at(struct story *story, int number)
{
    if (number > story->step_count)
        errx(2, "--at %d: there are only %d steps", number, story->step_count);
    struct moment *now = story_begin(story);
    for (int i = 1; i <= number; i++)
        story_advance(story, now, i);
    print_head(story);
    story_print_moment(story, now, number);
    story_end(story, now);
}

/* ---- options ---- */

static int parse_number(const char *text)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || number > INT_MAX)
        errx(2, "--at: '%s' is no number of a step", text);
    return (int)number;
}

int main(int argc, char **argv)
{
    static struct story everything; /* as long as the program lives: nothing is freed */
    struct story *story = &everything;
    bool all = false;
    int at = -1, next = 1;
    for (; next < argc && argv[next][0] == '-' && argv[next][1] != '\0'; next++) {
        if (strcmp(argv[next], "--all") == 0)
            all = true;
        else if (strcmp(argv[next], "--at") == 0 && next + 1 < argc)
            at = parse_number(argv[++next]);
        else
            errx(2, "unknown option '%s'; usage: story [--all] [--at N] TRACE...", argv[next]);
    }
    if (next == argc)
        errx(2, "no trace; usage: story [--all] [--at N] TRACE...");
    story_read(story, argc - next, argv + next);
    story_order(story);
    story_match_signals(story);
    story_judge(story);
    story_fold(story, all);
    if (at >= 0)
        print_at(story, at);
    else
        print_story(story);
    if (fflush(stdout) == EOF || ferror(stdout))
        err(1, "write to stdout");
    return 0;
}
