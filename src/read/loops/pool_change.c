/*
 * What would let a pool go on all workers of which wait for what stands in its queue: more workers
 * (concurrent/futures/thread.py _max_workers, _adjust_thread_count), given by any code of the
 * program; or shutdown(cancel_futures=True) by a thread that sleeps or computes meanwhile.
 */
#include "read/loops/pool_change.h"

#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/stdlib/code_in_reach.h"

enum {
    MAX_CONSTS = 1024,  /* of one code object */
    MAX_ARGUMENTS = 16, /* of one call */
};

static const char *const grows[] = { "_max_workers", "_adjust_thread_count", NULL };

/* The frame's code names an argument of a call (a tuple of names among its constants). */
static bool names_argument(struct lk_py *py, const struct lk_pyf *f, const char *name)
{
    size_t n = 0;
    lk_addr *consts =
        lk_py_items(py, lk_py_ptr(py, f->code + py->layout.co_consts), MAX_CONSTS, &n);
    for (size_t i = 0; consts && i < n; i++) {
        const int64_t len =
            lk_py_kind(py, consts[i]) == LK_PYK_TUPLE ? lk_py_len(py, consts[i]) : 0;
        for (int64_t k = 0; k < len && k < MAX_ARGUMENTS; k++)
            if (lk_py_str_eq(py, lk_py_item(py, consts[i], (size_t)k), name))
                return true;
    }
    return false;
}

/* A thread that sleeps meanwhile, shutdown(cancel_futures=True) ahead of it, or behind. */
static bool calls_off_jobs(struct lk_py *py)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        const bool moves =
            py->s->threads.v[i].running || py->s->threads.v[i].wait.kind == LK_WAIT_SLEEP;
        for (size_t k = 0; moves && frames && k < frames->n; k++) {
            const struct lk_pycode *c = lk_py_code(py, frames->v[k].code);
            if (c && !lk_py_is_library(py, c->code->file) &&
                names_argument(py, &frames->v[k], "cancel_futures"))
                return true;
        }
    }
    return false;
}

bool lk_pools_may_change(struct lk_py *py)
{
    static const struct lk_called called = { grows, NULL };
    struct lk_program_code *code = lk_program_code_read(py);
    const bool may = lk_program_code_has(code, &called) || calls_off_jobs(py);
    lk_program_code_free(code);
    return may;
}
