/* What a user wants hidden beside what redact.h knows: regular expressions. */
#ifndef LK_UTIL_REDACTION_H
#define LK_UTIL_REDACTION_H

#include <regex.h>

#include "util/arena.h"

enum { LK_MAX_REDACTIONS = 32, LK_MAX_REDACTION_BYTES = 1000 };

/** Zero it. Its regex_t are allocated by malloc(3): no guard owns them. */
struct lk_redaction {
    regex_t v[LK_MAX_REDACTIONS];
    size_t n;
};

/** An extended regular expression, regex(7). False with err: LK_ERR_NOMEM, or it is none. */
bool lk_redaction_add(struct lk_redaction *r, const char *pattern, struct lk_error *err);
void lk_redaction_deinit(struct lk_redaction *r);
/** Each match replaced by "***", in the arena; text itself where there is none, and for NULL. */
const char *lk_redaction_hide(const struct lk_redaction *r, struct lk_arena *a, const char *text);

#endif
