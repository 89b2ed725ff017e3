/*
 * Options that several commands share: one table, one parser. A command adds rows of its own;
 * numbers in words (durations, counts) are read here too, so that all options refuse the same
 * nonsense in the same words.
 */
#ifndef LK_CLI_OPTIONS_H
#define LK_CLI_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/outputs.h"
#include "cli/redactions.h"
#include "loopknot.h"
#include "util/text.h"

enum { OPT_OWN = 512 }; /* a command numbers its own options from here */

struct option_row {
    const char *name, *argument, *help; /* argument NULL: takes none */
    int id;
};

/** What the shared options say. */
struct common {
    struct loopknot_options options;
    struct loopknot_render render;
    int color; /* 1 always, 0 never, -1 when the report's stream is a terminal */
    struct outputs outputs;
    struct lk_strbuf project; /* of all --project, as in PATH */
    char checkout[PATH_MAX];
    struct loopknot_patterns *patterns; /* of --rules; NULL none */
    struct redactions redact;
};

/** A command's options: its own rows are listed first, the shared ones follow. */
struct option_set {
    const char *usage, *epilog; /* for --help */
    const struct option_row *rows;
    size_t n;
    bool recorded; /* what and how much is read is settled: how it is judged and told may be chosen
                    */
    bool one_moment;     /* nothing is watched: how, and for how long, may not be chosen */
    const char *letters; /* of rows that have one, as getopt(3) has them: "o:"; NULL none */
    bool operands_last;  /* the first operand ends the options, as for a command to be run */
    /* one of rows; @return 0 or EXIT_USAGE after a complaint */
    int (*parse)(void *arg, int id, char *value);
};

void common_init(struct common *c);
void common_deinit(struct common *c);

/** A capture keeps the names that its diagnosis needs: 0, or EXIT_USAGE after a complaint where
 * --redact is given too. file may be NULL: none is written. */
int common_refuse_capture(const struct common *c, const char *file);

/** Colour and width for reports to the stream behind fd. */
void common_settle(struct common *c, int fd);
/** What follows the parsing (status: its result) in commands that report to stdout: help where it
 * was asked for, else the outputs are tried. True: go on; else *status is the exit status. */
bool common_begin(struct common *c, const struct option_set *set, int *status);

/**
 * Parses argv (argv[0] is not looked at); the operands begin at argv[optind] afterwards.
 * @return 0; EXIT_USAGE after a complaint; -1 when help was asked for.
 */
int options_parse(const struct option_set *set, struct common *c, void *arg, int argc, char **argv);

/** Prints the table of options of a command, and the formats. */
void options_print(const struct option_set *set);

/** Usage, table, epilog to stdout; @return the exit status. */
int options_help(const struct option_set *set);

/** Decimal numbers only; least and most inclusive. */
bool parse_number(const char *text, double least, double most, double *ret);
/** Index of text among words, or -1 after a complaint. */
int parse_word(const char *name, const char *text, const char *const *words, size_t n);

#endif
