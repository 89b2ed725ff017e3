/* The items of queues. */
#ifndef LK_READ_PYTHON_READER_QUEUE_ITEMS_H
#define LK_READ_PYTHON_READER_QUEUE_ITEMS_H

#include "read/python/interpreter/interpreter.h"

/** Items of a queue.SimpleQueue, queue.Queue, a deque or whatever a subclass puts there; false when
 * it cannot be told. */
bool lk_py_queue_items(struct lk_py *py, lk_addr queue, lk_addr **items, size_t *n);

#endif
