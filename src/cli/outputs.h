/* Where reports go: formats to streams and files. */
#ifndef LK_CLI_OUTPUTS_H
#define LK_CLI_OUTPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "loopknot.h"

enum { MAX_OUTPUTS = 16 };

struct output {
    const char *format, *file; /* file NULL: the command's stream; "-": stdout */
};

struct outputs {
    struct output v[MAX_OUTPUTS];
    size_t n;
    bool no_pager; /* --no-pager, or nobody who would read on */
};

/** Adds one; the strings are borrowed. @return 0, or EXIT_USAGE after a complaint (unknown format,
 * too many). */
int outputs_add(struct outputs *o, const char *format, const char *file);

/** Adds what "FORMAT:FILE" says; text is cut at its colon and borrowed. @return as outputs_add. */
int outputs_parse(struct outputs *o, char *text);

/** Whether each file could be written, before any work: nothing that is there is changed. @return 0
 * or EXIT_NO_REPORT after a complaint. */
int outputs_try(const struct outputs *o);
/** The same of a file that is no report. */
int outputs_try_file(const char *file);

/** Text to the command's stream where nothing goes there or to stdout. @return 0, or EXIT_USAGE
 * after a complaint where verbose says nothing to any of them. */
int outputs_settle(struct outputs *o, int verbose);

/** Whether one goes to the command's stream, or to stdout. */
bool outputs_to_stream(const struct outputs *o);
bool outputs_to_stdout(const struct outputs *o);

/** Whether one tells limits in detail: text and markdown when they are verbose, json always. */
bool outputs_detailed(const struct outputs *o);

/**
 * Writes all: those without a file to stream (to stdout by a pager, where that is a terminal lower
 * than the report; a terminal gets the verdict once more, as its last line), those with one
 * complete or not at all (a temporary file, then a rename; for the owner alone, as reports hold
 * command lines and code). Every failure is complained of. @return 0, EXIT_NO_REPORT or
 * EXIT_NO_MEMORY.
 */
int outputs_write(const struct outputs *o, const struct loopknot_diagnosis *d,
                  const struct loopknot_render *how, FILE *stream);

/** COLUMNS, where it is a number from 20 on, else those of the terminal behind fd; 100 for a pipe
 * or a file: wide enough for paths, narrow enough to be quoted. */
int terminal_width(int fd);
/** Whether it is a terminal, and the user has not asked for no colour. */
bool terminal_color(int fd);

#endif
