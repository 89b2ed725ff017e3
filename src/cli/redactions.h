/* --redact: what a user wants hidden in all that is told. */
#ifndef LK_CLI_REDACTIONS_H
#define LK_CLI_REDACTIONS_H

#include <stddef.h>

struct redactions {
    const char *v[32]; /* as many as the library takes */
    size_t n;
};

/** @return 0, or EXIT_USAGE after a complaint. */
int redactions_add(struct redactions *r, const char *regex);
/** An empty diagnosis, in which all that is hidden. */
struct loopknot_diagnosis *redactions_diagnosis(const struct redactions *r);

#endif
