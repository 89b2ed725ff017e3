/*
 * A kind of event loop, and the kind of task that it runs, as the readers see it: one folder below
 * read/loops, one row in kind_table.c. A function may be absent: then the kind has no such thing.
 * What the diagnosis needs to know of a kind are fields of struct lk_loop, never the kind's name.
 */
#ifndef LK_READ_LOOPS_LOOP_KIND_H
#define LK_READ_LOOPS_LOOP_KIND_H

#include "read/python/reader/reader.h"

struct lk_loop_kind {
    const char *name; /* loops[].kind in reports */

    /* ---- the loop; NULL class = this kind has tasks, but no loop object of its own ---- */
    const char *module, *cls; /* the class that its loops are of, or derive from */
    bool driven_in_python; /* frames of Python stand on a thread's stack while it runs the loop */
    /** Fills the loop's fields, and mentions what its queues name. */
    void (*read_loop)(struct lk_py *py, lk_addr obj, struct lk_ref loop);
    /** Descriptor of a transport made by this kind of loop; LK_UNKNOWN. */
    int64_t (*transport_fd)(struct lk_py *py, lk_addr transport);

    /** Puts what a coroutine runs in a task of this kind into its await chain (outermost first). */
    void (*join_chain)(struct lk_py *py, struct lk_pyframes *chain);

    /* ---- its tasks, where no registry lists them: the walk over the heap finds them ---- */
    const char *task_module, *task_cls; /* the class that they are of, or derive from */
    /** Enters them, with state and stack. Called when task_module is loaded, after a sample, never
     * under a stop. all: the walk came to its end, there are no others. */
    void (*read_tasks)(struct lk_py *py, const lk_addr *tasks, size_t n, bool all);
};

extern const struct lk_loop_kind lk_loop_kinds[];
extern const size_t lk_n_loop_kinds;

#endif
