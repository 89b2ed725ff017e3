/* Who has a future at hand that a thread waits for. */
#ifndef LK_READ_LOOPS_FUTURE_HANDS_H
#define LK_READ_LOOPS_FUTURE_HANDS_H

#include "read/python/interpreter/interpreter.h"

/** Fills at_hand of the futures that threads wait for without a timeout, and that nobody is known
 * to complete. */
void lk_py_find_future_hands(struct lk_py *py);

#endif
