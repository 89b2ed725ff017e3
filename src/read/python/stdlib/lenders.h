/* Pools of anything that is lent: who waits for one, and who has one of theirs. */
#ifndef LK_READ_PYTHON_STDLIB_LENDERS_H
#define LK_READ_PYTHON_STDLIB_LENDERS_H

#include "read/python/interpreter/interpreter.h"

/** After all waits and `with` blocks were read: what waits for a pool waits for a unit of it. */
void lk_py_find_lenders(struct lk_py *py);

#endif
