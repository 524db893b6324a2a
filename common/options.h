/* options.h - the command line that all programs share.
 *
 * A program says what it is and what it takes in a struct program; options_parse does the rest:
 * the common options, long and short, before or after operands; --help and --version; and for
 * anything wrong one line on stderr that names the option and the value, and exit status 2.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

/* What an option's value is, and what `into` points to. */
enum option_kind {
    OPTION_FLAG,    /* no value; bool */
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

struct program {
    const char *name;                  /* "listener-torn" */
    const char *usage;                 /* what follows the name: "[options] [MESSAGE]" */
    const char *about;                 /* what it does, for --help; may hold several lines */
    const struct option_spec *options; /* its own, ended by one without a name; or NULL */
    const char *const *points; /* what --hold may name beside calls, ended by NULL; or NULL */
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

/* Parses the command line and starts the narration. Exits: 0 after --help and --version, 2 with a
 * line for what is wrong, 1 where the trace cannot be written. */
struct options options_parse(int argc, char **argv, const struct program *program);

#endif
