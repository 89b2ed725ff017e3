/*
 * A kind of event loop, and the kind of task that it runs, as the readers see it: one folder below
 * read/loops, one row in kind_table.c. A function may be absent: then the kind has no such thing.
 * What the diagnosis needs to know of a kind are fields of struct lk_loop, never the kind's name.
 */
#ifndef LK_READ_LOOPS_LOOP_KIND_H
#define LK_READ_LOOPS_LOOP_KIND_H

#include "read/python/interpreter/class.h"
#include "read/python/reader/reader.h"

enum { LK_LOOP_MAX_DRIVERS = 8 };

struct lk_loop_kind {
    const char *name; /* loops[].kind in reports */

    /* ---- the loop; NULL class = this kind has tasks, but no loop object of its own ---- */
    const char *module, *cls; /* the class that its loops are of, or derive from */
    bool alone; /* it has no interface in common with others: one beside another is no accident */
    bool driven_in_python; /* frames of Python stand on a thread's stack while it runs the loop */
    const char *offload; /* how code on it has a blocking call made elsewhere; NULL: as asyncio's */
    const char *cancels; /* the call by which another thread has a task cancelled */
    /* the frames that say so: those of functions that run a loop, which a local variable holds */
    struct lk_loop_driver {
        const char *function, *file; /* end of the file's path; "": any */
        const char *local;
        const char *attr; /* attribute of the local that is the loop; NULL: the local itself */
    } drivers[LK_LOOP_MAX_DRIVERS]; /* ended by a NULL function */
    /** Which callback it runs now, by such a frame (lk_aio_set_turn). */
    void (*read_current)(struct lk_py *py, struct lk_ref loop, const struct lk_pyf *driver);
    /** Fills the loop's fields, and mentions what its queues name. */
    void (*read_loop)(struct lk_py *py, lk_addr obj, struct lk_ref loop);
    /** Enters the tasks that the loop itself lists, with state, stack and wait. */
    void (*read_members)(struct lk_py *py, struct lk_ref loop);
    /** Enters, as futures, what threads wait for that code of this kind will do. Called where
     * `module` is loaded, after the tasks have been read. */
    void (*read_calls)(struct lk_py *py);
    /** The task until whose end the loop is run; 0. */
    lk_addr (*until)(struct lk_py *py, lk_addr loop);
    /** Descriptor of a transport made by this kind of loop; LK_UNKNOWN. */
    int64_t (*transport_fd)(struct lk_py *py, lk_addr transport);

    /** Puts what a coroutine runs in a task of this kind into its await chain (outermost first). */
    void (*join_chain)(struct lk_py *py, struct lk_pyframes *chain);

    /* ---- its tasks, where no registry lists them: the walk over the heap finds them ---- */
    const char *task_module, *task_cls; /* the class that they are of, or derive from */
    /* what else the walk is to find for it, since that tells what its tasks wait for: ended by a
     * row without names; NULL. An object may be of interest to several kinds. */
    const struct lk_class_name *parts;
    /** Enters them, with state and stack; parts are among them. Called when task_module is loaded,
     * after a sample, never under a stop. all: the walk came to its end, there are no others. */
    void (*read_tasks)(struct lk_py *py, const lk_addr *tasks, size_t n, bool all);
    /** Called after all kinds' read_tasks, when what they mentioned has been read; mentions more.
     */
    void (*finish_tasks)(struct lk_py *py);
    /** Called when that has been read, too. */
    void (*settle_tasks)(struct lk_py *py);
};

extern const struct lk_loop_kind lk_loop_kinds[];
extern const size_t lk_n_loop_kinds;

/** The kind that a loop was read as; NULL for one that no row has. */
const struct lk_loop_kind *lk_loop_kind_of(const struct lk_loop *o);

#endif
