/* Who holds a lock that records no owner. */
#ifndef LK_READ_PYTHON_STDLIB_LOCK_HOLDER_H
#define LK_READ_PYTHON_STDLIB_LOCK_HOLDER_H

#include "read/python/interpreter/interpreter.h"

/** Mentions what the threads' `with` blocks hold, and the tasks'. */
void lk_py_mention_held(struct lk_py *py);
/** After those were read: who holds which lock; the last step of a sample. */
void lk_py_read_owners(struct lk_py *py);

#endif
