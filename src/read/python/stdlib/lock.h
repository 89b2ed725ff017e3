/* Things that threads and tasks synchronise on. */
#ifndef LK_READ_PYTHON_STDLIB_LOCK_H
#define LK_READ_PYTHON_STDLIB_LOCK_H

#include "read/python/reader/known_class.h"

/** Fills a lock that was mentioned. */
void lk_py_read_lock(struct lk_py *py, struct lk_ref lock);
/** The lock inside of a condition or queue; 0 where there is none. */
lk_addr lk_py_inner_lock(struct lk_py *py, lk_addr obj);
/** The mutual-exclusion lock behind a lock, condition or context manager's lock attribute; NONE
 * when it is none. */
struct lk_ref lk_py_mutex_of(struct lk_py *py, lk_addr obj);
/** Objects made in C whose acquire or get blocks the thread in a futex. */
bool lk_py_is_primitive(enum lk_known_class cls);
/** Address of the sem_t of multiprocessing's SemLock, the futex word of its waiters; 0. */
lk_addr lk_py_semaphore_of(struct lk_py *py, lk_addr semlock);
/** True when a thread that sleeps on this futex word waits for this lock, RLock or SimpleQueue. */
bool lk_py_futex_is(struct lk_py *py, lk_addr obj, lk_addr futex);
/** The PyMutex-based object that a futex word stands for, 0 when it is none (3.13.x+). */
lk_addr lk_py_futex_object(struct lk_py *py, lk_addr futex);

#endif
