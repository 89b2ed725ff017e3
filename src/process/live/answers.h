/* What a live process answers beside its memory, its files and its threads. */
#ifndef LK_PROCESS_LIVE_ANSWERS_H
#define LK_PROCESS_LIVE_ANSWERS_H

#include "process/live/live.h"

int lk_live_ask(void *impl, enum lk_fact what, const struct lk_key *key, struct lk_arena *a,
                void *ret);
/** Forgets what was looked up once for a sample: descriptors of its tree, tables of sockets. */
void lk_live_forget_kernel(struct lk_live *l);

#endif
