/* Executors: their workers and queues. */
#ifndef LK_READ_PYTHON_STDLIB_EXECUTOR_H
#define LK_READ_PYTHON_STDLIB_EXECUTOR_H

#include "read/python/reader/known_class.h"

/** Fills an executor that was mentioned. */
void lk_py_read_executor(struct lk_py *py, struct lk_ref executor, enum lk_known_class cls);
/** asgiref's CurrentThreadExecutor: whether an item is in its queue, or may be. */
bool lk_py_current_thread_has_work(struct lk_py *py, lk_addr executor);
/** Executors whose workers stand in the threads' frames. */
void lk_py_read_executors(struct lk_py *py);

#endif
