/* What a core answers when it is asked (process/facts.h). */
#ifndef LK_PROCESS_CORE_ANSWERS_H
#define LK_PROCESS_CORE_ANSWERS_H

#include "process/core/core_internal.h"

/** As lk_process_ops has it; impl is a struct lk_core. ENODATA: it is not in a core. */
int lk_core_ask(void *impl, enum lk_fact what, const struct lk_key *key, struct lk_arena *a,
                void *ret);

#endif
