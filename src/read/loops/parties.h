/* Whoever has frames: threads and suspended tasks, with what their frames lead to. */
#ifndef LK_READ_LOOPS_PARTIES_H
#define LK_READ_LOOPS_PARTIES_H

#include "read/python/interpreter/interpreter.h"
#include "read/python/reader/leads_to.h"

struct lk_party {
    struct lk_ref ref;         /* thread or task */
    struct lk_pyframes frames; /* innermost first; with those of greenlets below a task */
};
struct lk_parties {
    struct lk_party *v;
    size_t n, cap;
    bool cut; /* frames of a task were left out */
};

/** False where there are more tasks than are worth asking. Destroy ret in any case. */
bool lk_parties_read(struct lk_py *py, struct lk_parties *ret);
void lk_parties_deinit(struct lk_parties *p);
/** Follows the variables of its frames. The budget of x, of what is left of *budget at most, is
 * taken from that; false when it was spent. */
bool lk_party_lead_to(struct lk_py *py, const struct lk_party *p, struct lk_leads_to x,
                      unsigned *budget);
/**
 * The descriptor of a socket or transport that frames lead to; LK_UNKNOWN. into: whether what it
 * leads to in turn is at hand, too: what another task does is that one's, and a selector leads to
 * whatever its loop watches.
 */
int64_t lk_party_connection(struct lk_py *py, lk_addr obj, bool *into);

#endif
