/* What each thread waits for. */
#ifndef LK_READ_PYTHON_WAITS_THREAD_WAIT_H
#define LK_READ_PYTHON_WAITS_THREAD_WAIT_H

#include "read/python/interpreter/interpreter.h"

void lk_py_read_thread_wait(struct lk_py *py, size_t thread);
/** After what the threads wait for has been read. */
void lk_py_finish_thread_waits(struct lk_py *py);

#endif
