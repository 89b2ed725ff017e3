/* The struct behind struct loopknot_diagnosis, and what the files of this room share of it. */
#ifndef LK_API_DIAGNOSIS_H
#define LK_API_DIAGNOSIS_H

#include "examine/examine.h"
#include "loopknot.h"

struct loopknot_diagnosis {
    struct lk_report *v;
    size_t n, cap;
    bool set;                       /* a report set was loaded into it */
    struct lk_redaction *redaction; /* loopknot_redact(); malloc(3); NULL none */
};

/** Room for more reports; false without memory, and d is as it was. */
bool lk_api_reserve(struct loopknot_diagnosis *d, size_t more);
/** Hides in all reports from one on what must not be shown; false without memory, and they are as
 * they were. */
LK_MUST_CHECK bool lk_api_hide(struct loopknot_diagnosis *d, size_t from);
/** The same of reports that were just added; without memory they are taken out again. */
LK_MUST_CHECK bool lk_api_take_in(struct loopknot_diagnosis *d, size_t from);
void lk_api_forget_redaction(struct loopknot_diagnosis *d);
/** enum loopknot_status of an error. */
int lk_api_status(const struct lk_error *err);

#endif
