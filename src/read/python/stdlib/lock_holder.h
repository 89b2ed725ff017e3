/* Who holds a lock that records no owner. */
#ifndef LK_READ_PYTHON_STDLIB_LOCK_HOLDER_H
#define LK_READ_PYTHON_STDLIB_LOCK_HOLDER_H

#include "read/python/interpreter/interpreter.h"

/** Mentions what the threads' `with` blocks hold, and the tasks'. */
void lk_py_mention_held(struct lk_py *py);
/** After those were read: who holds which lock; the last step of a sample. */
void lk_py_read_owners(struct lk_py *py);

/** Locks that only threads of the parent could give back; where there are greenlets, when it is
 * known that none is suspended. */
void lk_py_find_lost_locks(struct lk_py *py);
/** Mentions what `with` blocks hold that were noted later: those of greenlets. */
void lk_py_mention_noted(struct lk_py *py);
/** After those were read: the same for what frames_of_task has. */
void lk_py_read_owners_of_tasks(struct lk_py *py);

#endif
