/* grade.c - runs the cases of one submission, and prints what was seen. scripts/grade calls it.
 *
 *     build/grade [-j N] [--case NAME] [--format FORMAT] [--source FILE] [--sanitized FILE]
 *                 [--plain] SIDE WIRE PROGRAM LIBRARIES SCRATCH NAME
 *
 * LIBRARIES is the directory that grade_preload.so is in.
 * FORMAT is text, csv, json, tap or row (a row of the table for many submissions).
 * grade_game.h says how a case is played, and grade_cases.h which cases there are.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "grade_cases.h"

#include "../common/exits.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_CASES = 40, STATUS_ALL = 0, STATUS_NOT_ALL = 1, STATUS_USAGE = 2, STATUS_NONE = 3 };

struct grading {
    struct subject subject;
    const struct grade_case *cases;
    struct verdict *verdicts; /* shared with the processes of the cases */
    pid_t keepers[MOST_CASES];
    int count, jobs;
    const char *only, *format, *source, *name, *wire;
    int earned, possible;
    bool plain; /* without namespaces */
};

/* ---- run ---- */

static void wait_for_one(struct grading *grading, int *running)
{
    pid_t pid = wait(NULL);
    for (int i = 0; i < grading->count; i++)
        if (pid > 0 && grading->keepers[i] == pid) {
            grading->keepers[i] = 0;
            --*running;
        }
}

/* Without a conversation nothing else can be judged, and a program that hangs would hang in each
 * case. So the first case is run alone. */
static bool is_worth_running(struct grading *grading, int i)
{
    if (grading->only)
        return strcmp(grading->only, grading->cases[i].name) == 0;
    if (i == 0 || grading->verdicts[0].state == VERDICT_PASS)
        return true;
    grading->verdicts[i].state = VERDICT_OPEN;
    snprintf(grading->verdicts[i].seen, sizeof grading->verdicts[i].seen,
             "there was no conversation, so it was not tried");
    return false;
}

static void run_cases(struct grading *grading)
{
    int running = 0;
    for (int i = 0; i < grading->count; i++) {
        while (i == 1 && running > 0)
            wait_for_one(grading, &running);
        if (!is_worth_running(grading, i))
            continue;
        while (running >= grading->jobs)
            wait_for_one(grading, &running);
        fflush(stdout);
        grading->keepers[i] =
            game_run(&grading->subject, grading->cases[i].play, &grading->verdicts[i]);
        if (grading->keepers[i] == -1)
            err(STATUS_NONE, "fork");
        running++;
    }
    while (running > 0)
        wait_for_one(grading, &running);
}

/* A case that could not be judged costs nothing, unless there is no conversation at all. */
static void count_points(struct grading *grading)
{
    bool talks = grading->verdicts[0].state == VERDICT_PASS || grading->only;
    for (int i = 0; i < grading->count; i++) {
        enum verdict_state state = grading->verdicts[i].state;
        if (state == VERDICT_NONE && grading->only)
            continue;
        if (talks && state == VERDICT_OPEN)
            continue;
        grading->possible += grading->cases[i].points;
        if (state == VERDICT_PASS)
            grading->earned += grading->cases[i].points;
    }
}

/* ---- the line of the source ---- */

static void find_line(const struct grading *grading, uint64_t place, char line[64])
{
    char command[4600], found[4096] = "";
    line[0] = '\0';
    if (place == 0 || !grading->source || strchr(grading->subject.program, '\''))
        return;
    snprintf(command, sizeof command, "addr2line -e '%s' %#llx 2>/dev/null",
             grading->subject.program, (unsigned long long)place);
    FILE *pipe = popen(command, "r");
    if (!pipe)
        return;
    if (!fgets(found, sizeof found, pipe))
        found[0] = '\0';
    pclose(pipe);
    const char *colon = strrchr(found, ':');
    long number = colon ? strtol(colon + 1, NULL, 10) : 0;
    if (number > 0)
        snprintf(line, 64, "%ld", number);
}

static void show_source_line(const struct grading *grading, const char *number)
{
    char text[512];
    FILE *file = fopen(grading->source, "r");
    long left = strtol(number, NULL, 10);
    while (file && left > 0 && fgets(text, sizeof text, file))
        left -= strchr(text, '\n') != NULL;
    if (file && left == 0)
        printf("      line:  %s: %.*s\n", number, (int)strcspn(text + strspn(text, " \t"), "\n"),
               text + strspn(text, " \t"));
    if (file)
        fclose(file);
}

/* ---- print ---- */

static const char *word_of(enum verdict_state state)
{
    switch (state) {
    case VERDICT_PASS:
        return "pass";
    case VERDICT_FAIL:
        return "FAIL";
    case VERDICT_OPEN:
        return "open";
    case VERDICT_NONE:
        break;
    }
    return "none";
}

static int points_of(const struct grading *grading, int i)
{
    return grading->verdicts[i].state == VERDICT_PASS ? grading->cases[i].points : 0;
}

static bool was_run(const struct grading *grading, int i)
{
    if (strcmp(grading->format, "text") == 0 && i > 0 && !grading->only &&
        grading->verdicts[0].state != VERDICT_PASS)
        return false;
    return !grading->only || strcmp(grading->only, grading->cases[i].name) == 0;
}

/* The first failure that costs most: the one to mend first. */
static int worst(const struct grading *grading)
{
    int at = -1;
    if (grading->verdicts[0].state == VERDICT_FAIL)
        return 0;
    for (int i = 0; i < grading->count; i++)
        if (grading->verdicts[i].state == VERDICT_FAIL &&
            (at == -1 || grading->cases[i].points > grading->cases[at].points))
            at = i;
    return at;
}

static void print_text_case(const struct grading *grading, int i)
{
    const struct verdict *verdict = &grading->verdicts[i];
    struct pitfall_text text = pitfall_text(verdict->pitfall);
    char line[64];
    printf("%s  %2d/%-2d  %-12s  %s\n", word_of(verdict->state), points_of(grading, i),
           grading->cases[i].points, grading->cases[i].name, grading->cases[i].title);
    if (verdict->state == VERDICT_OPEN)
        printf("      open:  %s\n", verdict->seen);
    if (verdict->state != VERDICT_FAIL)
        return;
    printf("      seen:  %s\n      name:  %s\n      why:   %s\n", verdict->seen, text.name,
           text.why);
    find_line(grading, verdict->place, line);
    if (line[0] != '\0')
        show_source_line(grading, line);
    printf("      run:   scripts/demo %s\n", text.lesson);
}

static void print_text(const struct grading *grading)
{
    for (int i = 0; i < grading->count; i++)
        if (was_run(grading, i))
            print_text_case(grading, i);
    if (!grading->only && grading->verdicts[0].state != VERDICT_PASS)
        printf("the other %d cases need a conversation, and were not tried\n", grading->count - 1);
    if (grading->subject.namespaces == 0)
        printf("note: it ran without namespaces of its own, in a session of its own; do not grade "
               "strangers' programs so\n");
    printf("score: %d of %d\n", grading->earned, grading->possible);
    int first = worst(grading);
    if (first >= 0)
        printf("mend first: %s (%s)\n", pitfall_text(grading->verdicts[first].pitfall).name,
               grading->cases[first].title);
}

static void print_quoted(const char *text, char quote)
{
    putchar('"');
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (quote == 'c' && byte == '"')
            printf("\"\"");
        else if (quote == 'j' && (byte == '"' || byte == '\\'))
            printf("\\%c", byte);
        else if (byte < 0x20 || byte >= 0x7f)
            printf(quote == 'j' ? "\\u%04x" : "?", byte);
        else
            putchar(byte);
    }
    putchar('"');
}

static void print_csv(const struct grading *grading)
{
    for (int i = 0; i < grading->count; i++) {
        const struct verdict *verdict = &grading->verdicts[i];
        char line[64];
        if (!was_run(grading, i))
            continue;
        find_line(grading, verdict->place, line);
        print_quoted(grading->name, 'c');
        printf(",%s,%s,%d,%d,%s,%s,", grading->cases[i].name, word_of(verdict->state),
               points_of(grading, i), grading->cases[i].points,
               verdict->state == VERDICT_FAIL ? pitfall_text(verdict->pitfall).name : "", line);
        print_quoted(verdict->seen, 'c');
        putchar('\n');
    }
}

static void print_json(const struct grading *grading)
{
    char words[1200];
    printf("{\n  \"score\": %d,\n  \"output\": ", grading->earned);
    snprintf(words, sizeof words, "%d of %d points", grading->earned, grading->possible);
    print_quoted(words, 'j');
    printf(",\n  \"visibility\": \"visible\",\n  \"tests\": [");
    for (int i = 0, shown = 0; i < grading->count; i++) {
        const struct verdict *verdict = &grading->verdicts[i];
        struct pitfall_text text = pitfall_text(verdict->pitfall);
        if (!was_run(grading, i))
            continue;
        printf("%s\n    {\"score\": %d, \"max_score\": %d, \"status\": \"%s\", \"name\": ",
               shown++ > 0 ? "," : "", points_of(grading, i), grading->cases[i].points,
               verdict->state == VERDICT_PASS ? "passed" : "failed");
        print_quoted(grading->cases[i].title, 'j');
        snprintf(words, sizeof words, "%s%s%s%s%s", verdict->seen,
                 verdict->state == VERDICT_FAIL ? " [" : "",
                 verdict->state == VERDICT_FAIL ? text.name : "",
                 verdict->state == VERDICT_FAIL ? "] " : "",
                 verdict->state == VERDICT_FAIL ? text.why : "");
        printf(", \"output\": ");
        print_quoted(words, 'j');
        printf("}");
    }
    printf("\n  ]\n}\n");
}

static void print_tap(const struct grading *grading)
{
    int number = 0;
    printf("TAP version 13\n");
    for (int i = 0; i < grading->count; i++) {
        const struct verdict *verdict = &grading->verdicts[i];
        if (!was_run(grading, i))
            continue;
        printf("%sok %d - %s%s\n", verdict->state == VERDICT_FAIL ? "not " : "", ++number,
               grading->cases[i].title, verdict->state == VERDICT_OPEN ? " # SKIP" : "");
        if (verdict->state == VERDICT_FAIL)
            printf("# %s: %s\n", pitfall_text(verdict->pitfall).name, verdict->seen);
    }
    printf("1..%d\n", number);
}

/* The names of the pitfalls, each once. */
static void print_row(const struct grading *grading)
{
    const char *said[PITFALLS];
    int count = 0;
    printf("%4d/%-4d  %s", grading->earned, grading->possible, grading->name);
    for (int i = 0; i < grading->count; i++)
        if (grading->verdicts[i].state == VERDICT_FAIL) {
            const char *name = pitfall_text(grading->verdicts[i].pitfall).name;
            int j = 0;
            while (j < count && strcmp(said[j], name) != 0)
                j++;
            if (j == count && count < PITFALLS)
                printf(" %s", said[count++] = name);
        }
    putchar('\n');
}

static void print(const struct grading *grading)
{
    static const struct {
        const char *name;
        void (*print)(const struct grading *);
    } formats[] = {{"text", print_text},
                   {"csv", print_csv},
                   {"json", print_json},
                   {"tap", print_tap},
                   {"row", print_row}};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(grading->format, formats[i].name) == 0)
            formats[i].print(grading);
}

/* ---- options ---- */

static const char *value_of(char ***arguments)
{
    if (!*++*arguments)
        errx(STATUS_USAGE, "%s: a value is missing", (*arguments)[-1]);
    return **arguments;
}

static char **read_options(struct grading *grading, char **arguments)
{
    for (; *arguments && **arguments == '-'; arguments++) {
        const char *option = *arguments;
        if (strcmp(option, "-j") == 0)
            grading->jobs = (int)strtol(value_of(&arguments), NULL, 10);
        else if (strcmp(option, "--case") == 0)
            grading->only = value_of(&arguments);
        else if (strcmp(option, "--format") == 0)
            grading->format = value_of(&arguments);
        else if (strcmp(option, "--source") == 0)
            grading->source = value_of(&arguments);
        else if (strcmp(option, "--plain") == 0)
            grading->plain = true;
        else if (strcmp(option, "--sanitized") == 0)
            grading->subject.sanitized = value_of(&arguments);
        else
            errx(STATUS_USAGE, "unknown option '%s'", option);
    }
    return arguments;
}

static const struct grade_case *cases_of(const char *wire, enum side side)
{
    if (strcmp(wire, "handshake") == 0)
        return handshake_cases(side);
    if (strcmp(wire, "textbook") == 0)
        return textbook_cases(side);
    if (strcmp(wire, "pair") == 0)
        return pair_cases(side);
    errx(STATUS_USAGE, "'%s' is no wire that can be graded", wire);
}

static const char *library(const char *directory, const char *name)
{
    size_t size = strlen(directory) + strlen(name) + 2;
    char *path = malloc(size);
    if (!path)
        err(STATUS_NONE, "malloc");
    snprintf(path, size, "%s/%s", directory, name);
    return path;
}

int main(int argc, char **argv)
{
    static struct grading grading = {.jobs = 1, .format = "text"};
    char **operands = read_options(&grading, argv + (argc > 0));
    for (int i = 0; i < 6; i++)
        if (!operands[i])
            errx(STATUS_USAGE, "usage: grade [options] SIDE WIRE PROGRAM LIBRARIES SCRATCH NAME");
    grading.subject.side = strcmp(operands[0], "talker") == 0 ? SIDE_OF_TALKER : SIDE_OF_LISTENER;
    grading.wire = operands[1];
    grading.cases = cases_of(grading.wire, grading.subject.side);
    grading.subject.program = operands[2];
    grading.subject.preload = library(operands[3], "grade_preload.so");
    grading.subject.preload_sanitized = library(operands[3], "grade_preload_sanitized.so");
    grading.subject.scratch = operands[4];
    grading.name = operands[5];
    while (grading.cases[grading.count].name)
        grading.count++;
    if (grading.jobs < 1)
        grading.jobs = 1;
    grading.verdicts = mmap(NULL, MOST_CASES * sizeof *grading.verdicts, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (grading.verdicts == MAP_FAILED)
        err(STATUS_NONE, "mmap");
    grading.subject.namespaces = grading.plain ? 0 : sandbox_probe();
    run_cases(&grading);
    if (!grading.only && grading.verdicts[0].state != VERDICT_PASS &&
        grading.verdicts[0].state != VERDICT_FAIL)
        errx(STATUS_NONE, "%s: it could not be graded: %s", grading.name, grading.verdicts[0].seen);
    count_points(&grading);
    print(&grading);
    return grading.possible > 0 && grading.earned == grading.possible ? STATUS_ALL : STATUS_NOT_ALL;
}
