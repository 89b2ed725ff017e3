/* Executors: their workers and queues. */
#ifndef LK_READ_PYTHON_STDLIB_EXECUTOR_H
#define LK_READ_PYTHON_STDLIB_EXECUTOR_H

#include "read/python/reader/known_class.h"

/** Fills an executor that was mentioned. */
void lk_py_read_executor(struct lk_py *py, struct lk_ref executor);
/** asgiref's CurrentThreadExecutor: whether an item is in its queue, or may be. */
bool lk_py_current_thread_has_work(struct lk_py *py, lk_addr executor);
/** Mentions the executors that a thread's frames work for, and reads the pools of processes. */
void lk_py_mention_executors(struct lk_py *py, size_t thread);
/** After those were read: the thread is a worker of them, whatever they say themselves. */
void lk_py_add_worker(struct lk_py *py, size_t thread);

#endif
