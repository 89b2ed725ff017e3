/* Mentions: the same address always gives the same entity; what is new goes onto a work list. */
#ifndef LK_READ_PYTHON_READER_MENTION_H
#define LK_READ_PYTHON_READER_MENTION_H

#include "read/python/reader/known_class.h"
#include "read/python/reader/reader.h"

/** Kind NONE for what is no loop. Until the driver has read it, an entity has its class, and what
 * that says, and no more; so it is with those below. */
struct lk_ref lk_py_loop(struct lk_py *py, lk_addr obj, enum lk_found_by found_by);
struct lk_ref lk_py_task(struct lk_py *py, lk_addr obj);
/** Enters a task that is none of asyncio's: its reader fills it, no work list does. */
struct lk_ref lk_py_task_of_kind(struct lk_py *py, lk_addr obj, enum lk_task_kind kind,
                                 bool *is_new);
/** asyncio's or a concurrent one; a Task gives its task. */
struct lk_ref lk_py_future(struct lk_py *py, lk_addr obj);
struct lk_ref lk_py_executor(struct lk_py *py, lk_addr obj);
/** Any synchronisation object. */
struct lk_ref lk_py_lock(struct lk_py *py, lk_addr obj);
/** Records that ref will set this future; the first mention wins. known: nothing else sets it. */
void lk_py_future_set_by(struct lk_py *py, lk_addr future, struct lk_ref by, bool known,
                         enum lk_future_origin origin);

#endif
