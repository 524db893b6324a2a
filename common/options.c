/* options.c - one parser for every program's command line; see options.h. */
#include "options.h"
#include "calls.h"
#include "exits.h"
#include "text.h"
#include "trace.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPTIONS = 32 };

/* What the common options are read into, before it becomes a struct options. */
static struct {
    const char *file, *trace, *hold;
    long project;
    double timeout;
    int verbose;
    bool explain, step, help, version;
} common = {.file = "shmfile", .project = 1};

static const struct option_spec common_options[] = {
    {'f', "file", "FILE", "key file for ftok (default: shmfile)", OPTION_TEXT, &common.file, 0, 0},
    {'j', "project", "ID", "project id for ftok, 1 to 255 (default: 1)", OPTION_NUMBER,
     &common.project, 1, 255},
    {'t', "timeout", "SECONDS", "give up after that long without progress", OPTION_SECONDS,
     &common.timeout, 0, 0},
    {'v', "verbose", NULL, "narrate every system call on stderr; -vv: the start, too", OPTION_COUNT,
     &common.verbose, 0, 0},
    {'x', "explain", NULL, "as -v, with the purpose of each step", OPTION_FLAG, &common.explain, 0,
     0},
    {'T', "trace", "FILE", "write the narration to FILE as records", OPTION_TEXT, &common.trace, 0,
     0},
    {0, "step", NULL, "stop before each call, store and look; \"fg\" goes on", OPTION_FLAG,
     &common.step, 0, 0},
    {0, "hold", "POINT[:N]", "stop before POINT is reached the N-th time", OPTION_TEXT,
     &common.hold, 0, 0},
    {'h', "help", NULL, "show this help", OPTION_FLAG, &common.help, 0, 0},
    {'V', "version", NULL, "show the version", OPTION_FLAG, &common.version, 0, 0},
    {0, NULL, NULL, NULL, OPTION_FLAG, NULL, 0, 0},
};

/* ---- help ---- */

static void show_options(const struct option_spec *spec)
{
    for (; spec && spec->name; spec++) {
        char left[40];
        snprintf(left, sizeof left, "%s%s%s", spec->name, spec->value ? " " : "",
                 spec->value ? spec->value : "");
        if (spec->letter)
            printf("  -%c, --%-20s  %s\n", spec->letter, left, spec->help);
        else
            printf("      --%-20s  %s\n", left, spec->help);
    }
}

static void show_points(const struct program *program)
{
    printf("\nPOINT is a call's name (sigsuspend)");
    if (program->points && *program->points)
        printf(", or one of:");
    for (const char *const *point = program->points; point && *point; point++)
        printf(" %s", *point);
    putchar('\n');
}

/* The pair of programs, as one types them in two terminals. A wrong variant has the same talker. */
static void show_example(const char *name)
{
    const char *lesson = strchr(name, '-');
    int length = lesson ? (int)strlen(lesson) : 0;
    const char *lacks = lesson ? strstr(lesson, "_no_") : NULL;
    bool talker = strncmp(name, "talker", strlen("talker")) == 0;
    printf("\nexample: %s%.*s in one terminal, then %s%.*s in another\n",
           talker ? "listener" : name, talker ? length : 0, talker ? lesson : "",
           talker ? name : "talker",
           talker  ? 0
           : lacks ? (int)(lacks - lesson)
                   : length,
           talker || !lesson ? "" : lesson);
}

static _Noreturn void show_help(const struct program *program)
{
    printf("usage: %s %s\n\n%s\n", program->name, program->usage ? program->usage : "[options]",
           program->about);
    if (program->question)
        printf("\nQuestion: %s\n", program->question);
    printf("\noptions:\n");
    show_options(program->options);
    if (program->options)
        printf("\ncommon options:\n");
    show_options(common_options);
    show_points(program);
    show_example(program->name);
    printf("exit status: 0 done, 1 a call or the data failed, 2 usage, 3 no peer, 4 busy\n");
    exit(fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED);
}

/* ---- values ---- */

static void take_number(const struct option_spec *spec, const char *text)
{
    char *end;
    errno = 0;
    int base = spec->kind == OPTION_OCTAL ? 8 : 10;
    long number = strtol(text, &end, base);
    bool digit = *text >= '0' && *text <= '9';
    if (!digit || *end != '\0' || errno != 0 || number < spec->least || number > spec->most)
        errx(EXIT_USAGE,
             base == 8 ? "--%s: '%s' is not an octal number from %lo to %lo"
                       : "--%s: '%s' is not a whole number from %ld to %ld",
             spec->name, text, spec->least, spec->most);
    *(long *)spec->into = number;
}

static void take_seconds(const struct option_spec *spec, const char *text)
{
    char *end;
    double seconds = strtod(text, &end);
    bool plain = strspn(text, "0123456789.") == strlen(text);
    if (!plain || *text == '\0' || *end != '\0' || !(seconds > 0) || seconds > 1e9)
        errx(EXIT_USAGE, "--%s: '%s' is not a number of seconds above 0", spec->name, text);
    *(double *)spec->into = seconds;
}

static void take(const struct option_spec *spec, const char *text)
{
    switch (spec->kind) {
    case OPTION_FLAG:
        *(bool *)spec->into = true;
        break;
    case OPTION_COUNT:
        ++*(int *)spec->into;
        break;
    case OPTION_TEXT:
        *(const char **)spec->into = text;
        break;
    case OPTION_NUMBER:
    case OPTION_OCTAL:
        take_number(spec, text);
        break;
    case OPTION_SECONDS:
        take_seconds(spec, text);
        break;
    }
}

/* --hold POINT[:N]: parts the two. Returns N, which is 1 where it is not given. */
static unsigned long parse_hold(char *hold, const struct program *program)
{
    unsigned long nth = 1;
    char *colon = strchr(hold, ':');
    if (colon) {
        char *end;
        errno = 0;
        nth = strtoul(colon + 1, &end, 10);
        if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || errno != 0 || nth == 0)
            errx(EXIT_USAGE, "--hold: '%s' is not a whole number above 0", colon + 1);
        *colon = '\0';
    }
    if (calls_has(hold))
        return nth;
    for (const char *const *point = program->points; point && *point; point++)
        if (strcmp(*point, hold) == 0)
            return nth;
    errx(EXIT_USAGE, "--hold: '%s' is not a call or a point of this program; --help lists them",
         hold);
}

/* ---- parse ---- */

/* Both tables as getopt_long(3) wants them. '+': it stops at an operand, and we go on ourselves, so
 * that options after operands are taken whatever POSIXLY_CORRECT says. */
struct getopt_tables {
    const struct option_spec *spec[MOST_OPTIONS];
    struct option longs[MOST_OPTIONS + 1];
    char shorts[2 * MOST_OPTIONS + 3];
    int count;
};

static void add_options(struct getopt_tables *tables, const struct option_spec *spec)
{
    for (; spec && spec->name; spec++) {
        if (tables->count == MOST_OPTIONS)
            errx(EXIT_FAILED, "more than %d options", MOST_OPTIONS);
        bool flag = spec->kind == OPTION_FLAG || spec->kind == OPTION_COUNT;
        int takes = flag ? no_argument : required_argument;
        tables->longs[tables->count] =
            (struct option){spec->name, takes, NULL, 256 + tables->count};
        tables->spec[tables->count++] = spec;
        if (spec->letter) {
            char both[3] = {spec->letter, takes == no_argument ? '\0' : ':', '\0'};
            strcat(tables->shorts, both);
        }
    }
}

static const struct option_spec *found(const struct getopt_tables *tables, int code)
{
    for (int i = 0; i < tables->count; i++)
        if (code == 256 + i || (tables->spec[i]->letter && code == tables->spec[i]->letter))
            return tables->spec[i];
    return NULL;
}

/* getopt_long refuses an option that begins more than one name, as it refuses an unknown one. */
static _Noreturn void refuse_long(const struct getopt_tables *tables, const char *typed)
{
    char names[256] = "";
    size_t length = strcspn(typed, "=");
    int fitting = 0;
    for (int i = 0; i < tables->count; i++)
        if (length > 2 && strncmp(tables->spec[i]->name, typed + 2, length - 2) == 0)
            text_append(names, sizeof names, "%s--%s", fitting++ ? ", " : "",
                        tables->spec[i]->name);
    if (fitting > 1)
        errx(EXIT_USAGE, "option '%.*s' is ambiguous: it may be %s", (int)length, typed, names);
    errx(EXIT_USAGE, "unknown option '%s'; --help lists them", typed);
}

static void take_option(const struct getopt_tables *tables, int code, char **argv, int at)
{
    const struct option_spec *spec = found(tables, code == ':' ? optopt : code);
    if (code == ':' && spec)
        errx(EXIT_USAGE, "option '--%s' needs a value: %s", spec->name, spec->value);
    if (spec)
        take(spec, optarg);
    else if (optopt > 0 && optopt < 256)
        errx(EXIT_USAGE, "unknown option '-%c'; --help lists them", optopt);
    else if (optopt >= 256)
        errx(EXIT_USAGE, "option '%s' takes no value", argv[at]);
    else
        refuse_long(tables, argv[at]);
}

/* Reads options and operands, in any order, until the end or past "--". The operands are gathered
 * at the front of argv. */
static int walk(int argc, char **argv, const struct getopt_tables *tables)
{
    int operands = 0;
    opterr = 0;
    while (optind < argc) {
        int at = optind;
        bool last = strcmp(argv[at], "--") == 0;
        int code = getopt_long(argc, argv, tables->shorts, tables->longs, NULL);
        if (code != -1)
            take_option(tables, code, argv, at);
        else if (!last)
            argv[operands++] = argv[optind++];
        while (last && optind < argc)
            argv[operands++] = argv[optind++];
    }
    argv[operands] = NULL;
    return operands;
}

/* The hold is parsed into a copy: the command line stays as it was typed. */
static void start_trace(const struct program *program)
{
    bool verbose = common.explain || common.step;
    struct trace_options trace = {.program = program->name,
                                  .values = program->values,
                                  .verbose = verbose && !common.verbose ? 1 : common.verbose,
                                  .explain = common.explain,
                                  .step = common.step,
                                  .file = common.trace};
    if (common.hold) {
        char *hold = strdup(common.hold);
        if (!hold)
            err(EXIT_FAILED, "strdup of --hold '%s'", common.hold);
        trace.hold_nth = parse_hold(hold, program);
        trace.hold = hold;
    }
    if (trace_start(&trace) == 0)
        return;
    if (errno == ENXIO)
        errx(EXIT_FAILED, "--trace: no process reads \"%s\": start its reader first", common.trace);
    err(EXIT_FAILED, "--trace: cannot open(\"%s\")", common.trace);
}

struct options options_parse(int argc, char **argv, const struct program *program)
{
    struct getopt_tables tables = {.shorts = "+:"};
    add_options(&tables, program->options);
    add_options(&tables, common_options);
    int operands = walk(argc, argv, &tables);

    if (common.help)
        show_help(program);
    if (common.version) {
        printf("%s (shmtalk) %s\n", program->name, VERSION);
        exit(fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED);
    }
    if (operands > program->most_operands)
        errx(EXIT_USAGE, "unexpected operand '%s'; %s", argv[program->most_operands],
             program->most_operands == 1 ? "put a message of several words in quotes"
                                         : "--help shows the usage");

    start_trace(program);
    return (struct options){.file = common.file,
                            .project = (int)common.project,
                            .timeout = common.timeout,
                            .operands = (const char **)argv,
                            .operand_count = operands};
}
