/* Each expression is tried when it is given, so that a wrong one is said before any work. */
#include "cli/redactions.h"

#include "cli/cli.h"
#include "loopknot.h"

struct loopknot_diagnosis *redactions_diagnosis(const struct redactions *r)
{
    struct loopknot_diagnosis *d = loopknot_create();
    for (size_t i = 0; d && i < r->n; i++)
        if (loopknot_redact(d, r->v[i], NULL, 0) != LOOPKNOT_OK)
            end_without_memory();
    if (!d)
        end_without_memory();
    return d;
}

int redactions_add(struct redactions *r, const char *regex)
{
    char why[300];
    struct loopknot_diagnosis *d = redactions_diagnosis(r);
    const int status = loopknot_redact(d, regex, why, sizeof why);
    loopknot_destroy(d);
    if (status == LOOPKNOT_NO_MEMORY)
        end_without_memory();
    if (status || r->n == sizeof r->v / sizeof r->v[0])
        return complain(EXIT_USAGE, "--redact '%s': %s", regex, status ? why : "one too many");
    r->v[r->n++] = regex;
    return 0;
}
