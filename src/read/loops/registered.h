/* Callbacks that are registered to be called when something happens. */
#ifndef LK_READ_LOOPS_REGISTERED_H
#define LK_READ_LOOPS_REGISTERED_H

#include "read/python/interpreter/interpreter.h"

struct lk_registered {
    struct lk_ref by; /* the task, future or loop that calls it; none: it may be called any time */
    lk_addr callback, args; /* args: a tuple; 0 none */
    const char *when;       /* it is called "when ..." */
    bool cancels;           /* known to do nothing but cancel tasks */
};
typedef void lk_registered_fn(struct lk_py *py, const struct lk_registered *r, void *arg);

/** Done-callbacks of one task or future of the program's own, or of a task group. */
void lk_py_each_done_callback(struct lk_py *py, lk_addr future, struct lk_ref by,
                              lk_registered_fn *fn, void *arg);
/**
 * Those that loops call for descriptors and signals, the program's own signal handlers, and
 * finalizers of weakref.
 */
void lk_py_each_registered(struct lk_py *py, lk_registered_fn *fn, void *arg);

#endif
