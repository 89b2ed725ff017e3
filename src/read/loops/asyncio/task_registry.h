/* All tasks of the process. */
#ifndef LK_READ_LOOPS_ASYNCIO_TASK_REGISTRY_H
#define LK_READ_LOOPS_ASYNCIO_TASK_REGISTRY_H

#include "read/python/interpreter/interpreter.h"

void lk_aio_read_registry(struct lk_py *py);

#endif
