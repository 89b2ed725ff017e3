/* From which verdict on the exit status says that something was found. */
#ifndef LK_CLI_FAIL_ON_H
#define LK_CLI_FAIL_ON_H

#include <stdbool.h>

#include "cli/options.h"
#include "loopknot.h"

#define FAIL_ON_ROW                                                                                \
    {                                                                                              \
        "fail-on", "VERDICT",                                                                      \
            "exit with 1 from deadlock|stalled|unknown|hazard on, or never (stalled)", OPT_FAIL_ON \
    }

struct fail_on {
    enum loopknot_verdict from;
    bool never;
    bool given; /* by the user: `unknown` then is weighed as well */
};

static const struct fail_on fail_on_default = { .from = LOOPKNOT_STALLED };

/** @return 0, or EXIT_USAGE after a complaint. */
int fail_on_parse(struct fail_on *f, const char *text);

/** Writes the reports; some_failed: not all that was asked for was examined. @return the exit
 * status for what was found, or for what could not be written. */
int fail_on_report(const struct fail_on *f, const struct common *c,
                   const struct loopknot_diagnosis *d, bool some_failed);
/** The same and the end of d, after an examination that gave status: enum loopknot_status. Why
 * there is none was said before. */
int fail_on_end(const struct fail_on *f, const struct common *c, struct loopknot_diagnosis *d,
                int status, bool some_failed);

#endif
