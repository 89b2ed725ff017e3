/* Who else could end a wait, by code of the program's own. */
#ifndef LK_READ_LOOPS_OTHER_ENDERS_H
#define LK_READ_LOOPS_OTHER_ENDERS_H

#include "read/python/interpreter/interpreter.h"

/**
 * Fills at_hand of the futures that threads wait for without a timeout, and that nobody is known to
 * complete, or only a task of a closed loop; and takes the certainty from owners of locks that
 * somebody else may give back.
 */
void lk_py_find_other_enders(struct lk_py *py);
/** Adds to at_hand who has one of a ring's members at hand, and is going to complete or cancel it;
 * or one of its pools, and lets that go on. Both: address -> packed ref. */
void lk_py_find_ring_enders(struct lk_py *py, const struct lk_map *members,
                            const struct lk_map *pools);

#endif
