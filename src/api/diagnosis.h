/* The struct behind struct loopknot_diagnosis, and what the files of this room share of it. */
#ifndef LK_API_DIAGNOSIS_H
#define LK_API_DIAGNOSIS_H

#include "examine/examine.h"
#include "loopknot.h"

struct loopknot_diagnosis {
    struct lk_report *v;
    size_t n, cap;
    bool set; /* a report set was loaded into it */
};

/** Room for more reports; false without memory, and d is as it was. */
bool lk_api_reserve(struct loopknot_diagnosis *d, size_t more);
/** enum loopknot_status of an error. */
int lk_api_status(const struct lk_error *err);

#endif
