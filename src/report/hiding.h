/* What a report must not show, hidden at one place before any format is written. */
#ifndef LK_REPORT_HIDING_H
#define LK_REPORT_HIDING_H

#include "report/report.h"
#include "util/redaction.h"

/** The texts of a report that change, and what they become. */
struct lk_hiding {
    struct lk_arena *arena; /* of the new texts */
    struct {
        struct lk_hidden_text {
            const char **at, *text;
        } * v;
        size_t n, cap;
    } changes;
};

/** What util/redact.h knows, and user (may be NULL), in names, arguments, paths, source lines and
 * sentences. The report is left as it is until lk_hiding_commit(). */
struct lk_hiding lk_hiding_find(struct lk_report *r, const struct lk_redaction *user);
/** Allocates nothing. The report keeps the texts. */
void lk_hiding_commit(struct lk_hiding *h, struct lk_report *r);

#endif
