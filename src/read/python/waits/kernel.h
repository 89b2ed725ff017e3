/* Waits by the kernel's word. */
#ifndef LK_READ_PYTHON_WAITS_KERNEL_H
#define LK_READ_PYTHON_WAITS_KERNEL_H

#include "read/python/interpreter/interpreter.h"

/** What the thread's system call waits for. */
void lk_wait_in_kernel(struct lk_py *py, const struct lk_syscall_wait *os, struct lk_ref thread,
                       struct lk_wait *w);

#endif
