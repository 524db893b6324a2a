/* options.h - the command line that all programs share; program_start reads it.
 *
 * Options are long or short, before or after operands. Anything wrong is one line on stderr that
 * names the option and the value, and exit status 2.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

/* What an option's value is, and what `into` points to. */
enum option_kind {
    OPTION_FLAG,    /* no value; bool */
    OPTION_COUNT,   /* no value, counted: -vv; int */
    OPTION_TEXT,    /* as it stands; const char * */
    OPTION_NUMBER,  /* whole, from `least` to `most`; long */
    OPTION_OCTAL,   /* the same in octal; long */
    OPTION_SECONDS, /* above 0, a decimal fraction is taken; double */
};

struct option_spec {
    char letter; /* 0: has none */
    const char *name;
    const char *value; /* what --help calls it: "PID"; NULL for a flag */
    const char *help;  /* one line */
    enum option_kind kind;
    void *into;
    long least, most;
};

/* What a program is, and what its command line takes. Most fields may be left out. */
struct program {
    const char *name;                  /* "listener-torn"; its beginning says which side we are */
    const char *usage;                 /* what follows the name; NULL: "[options]" */
    const char *about;                 /* what it does, for --help; may hold several lines */
    const char *question;              /* a question whose answer the run shows, for --help */
    const struct option_spec *options; /* its own, ended by one without a name */
    const char *const *points;         /* what --hold may name beside calls, ended by NULL */
    const char *values;                /* the names of values in the segment, see trace.h */
    int most_operands;
};

/* What the common options said. */
struct options {
    const char *file;      /* --file */
    int project;           /* --project */
    double timeout;        /* --timeout in seconds; 0: none */
    const char **operands; /* what is no option, ended by NULL */
    int operand_count;
};

/* Reads the command line and starts the narration. Exits: 0 after --help and --version, 2 where the
 * command line is wrong, 1 where the trace cannot be written. */
struct options options_parse(int argc, char **argv, const struct program *program);

#endif
