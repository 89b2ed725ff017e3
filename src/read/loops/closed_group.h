/* Parties that wait, without a timeout, for nobody but one another. */
#ifndef LK_READ_LOOPS_CLOSED_GROUP_H
#define LK_READ_LOOPS_CLOSED_GROUP_H

#include "read/python/interpreter/interpreter.h"

struct lk_closed_group;

/**
 * The largest group of suspended tasks and sleeping threads of which each waits for a lock that one
 * of them has, for what one of them completes, or for a thing to which nobody else refers: an
 * event, a condition, a queue, a bare future. NULL: there is none, or there are too many to ask.
 */
struct lk_closed_group *lk_closed_group_find(struct lk_py *py);
void lk_closed_group_free(struct lk_closed_group *g);
/** True when only members have the thing, or can get at it; these are added to has. */
bool lk_closed_group_keeps(struct lk_closed_group *g, lk_addr thing, struct lk_refs *has);

#endif
