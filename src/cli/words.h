/* The arguments of commands that take words and next to no options: rules, explain, diff. */
#ifndef LK_CLI_WORDS_H
#define LK_CLI_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/redactions.h"
#include "loopknot.h"

enum { MAX_WORDS = 256 };

struct words {
    const char *format; /* of --format; "text" */
    const char *v[MAX_WORDS];
    size_t n;
    bool all, help; /* --all, --help */
    struct redactions redact;
};

/** argv[0] is the command's name; of_reports: it has the options --all and --redact. @return 0, or
 * EXIT_USAGE after a complaint. */
int words_parse(struct words *w, int argc, char **argv, bool of_reports);

/** How text is written to stdout. */
struct loopknot_render words_render(const struct words *w);

#endif
