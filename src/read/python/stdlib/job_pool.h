/* multiprocessing.Pool and ThreadPool: who works on what is asked of them. */
#ifndef LK_READ_PYTHON_STDLIB_JOB_POOL_H
#define LK_READ_PYTHON_STDLIB_JOB_POOL_H

#include "read/python/interpreter/interpreter.h"

/** f: the frame of the thread that replaces the pool's workers. */
void lk_py_read_job_pool(struct lk_py *py, const struct lk_pyf *f);

#endif
