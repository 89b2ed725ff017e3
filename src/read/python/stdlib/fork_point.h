/* Where a forked process began: the frame that forked, and what stands outside of it. */
#ifndef LK_READ_PYTHON_STDLIB_FORK_POINT_H
#define LK_READ_PYTHON_STDLIB_FORK_POINT_H

#include "read/python/interpreter/interpreter.h"

/**
 * After the threads are read. In a process that is a copy of its parent the frames outside of the
 * one that forked are the parent's past: they leave the thread's stack for its `before_fork`.
 */
void lk_py_cut_at_fork(struct lk_py *py);

#endif
