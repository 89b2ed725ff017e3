/* eventlet: its hubs as loops, and what its greenlets wait for. */
#ifndef LK_READ_LOOPS_EVENTLET_EVENTLET_H
#define LK_READ_LOOPS_EVENTLET_EVENTLET_H

#include "read/python/interpreter/class.h"

/** What the walk over the heap is to find: hubs are the kind's tasks. */
extern const struct lk_class_name lk_eventlet_parts[];
/** After the greenlets were entered: struct lk_loop_kind, read_tasks. */
void lk_eventlet_read(struct lk_py *py, const lk_addr *parts, size_t n, bool all);

#endif
