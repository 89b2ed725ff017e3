/* A thread's frames, and the thread that Python knows by an ident (the address of its pthread). */
#include "read/python/interpreter/thread_lookup.h"

#include "read/python/interpreter/interpreter.h"

const struct lk_pyframes *lk_py_frames_of_thread(struct lk_py *py, size_t thread)
{
    uint64_t v;
    if (!lk_map_get(&py->frames_of, thread, &v))
        return NULL;
    return (const struct lk_pyframes *)(uintptr_t)v;
}

const struct lk_pyframes *lk_py_frames_of_greenlet(struct lk_py *py, size_t task)
{
    uint64_t v;
    return lk_map_get(&py->frames_of_task, task, &v) ? (const struct lk_pyframes *)(uintptr_t)v
                                                     : NULL;
}

struct lk_ref lk_py_thread_by_ident(struct lk_py *py, uint64_t ident)
{
    uint64_t i;
    if (ident && lk_map_get(&py->by_ident, ident, &i) && i < py->s->threads.n)
        return lk_ref_make(LK_KIND_THREAD, i);
    return lk_ref_make(LK_KIND_NONE, 0);
}
