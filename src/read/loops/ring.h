/* Rings of waits: who could end one from outside. */
#ifndef LK_READ_LOOPS_RING_H
#define LK_READ_LOOPS_RING_H

#include "read/python/interpreter/interpreter.h"

/**
 * Fills s->at_hand: the timers, threads and tasks that have a task or future at hand which can be
 * part of a ring of waits. After all waits, owners and enders are known.
 */
void lk_py_read_at_hand(struct lk_py *py);

#endif
