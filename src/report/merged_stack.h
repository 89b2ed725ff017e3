/*
 * One stack of a thread, native and Python frames together: the native frames inside of what its
 * innermost Python function calls, then the Python frames. The frames between (the interpreter's)
 * and outside of them say nothing more.
 */
#ifndef LK_REPORT_MERGED_STACK_H
#define LK_REPORT_MERGED_STACK_H

#include "snapshot/snapshot.h"

/** One of the two is set. */
struct lk_merged_frame {
    const struct lk_natframe *native;
    const struct lk_pyframe *python;
};

/** Innermost first. */
struct lk_merged_stack {
    struct lk_merged_frame *v;
    size_t n;
    bool cut; /* its outermost frames could not be read */
};

/** Either stack may be NULL; without Python frames all native ones. The result lives in arena. */
struct lk_merged_stack lk_merged_stack(struct lk_arena *a, const struct lk_natstack *native,
                                       const struct lk_pystack *python);

/** A frame in one line, its file without folders: "f (app.py:12)", "futex_wait
 * (libc.so.6)". Belongs to the arena. */
const char *lk_merged_frame_name(struct lk_arena *a, const struct lk_merged_frame *f);
/** The same of the innermost frame of the user's; NULL where there is none. */
const char *lk_merged_user_frame(struct lk_arena *a, const struct lk_pystack *st);

#endif
