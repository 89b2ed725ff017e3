/*
 * Frames of threads as the interpreter has them, of tasks by their await chains (Python's awaiting
 * protocol), with the greenlets that their coroutines run.
 */
#include "read/loops/parties.h"

#include "read/python/interpreter/code.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/future_object.h"
#include "util/memory.h"

enum { MAX_TASKS = 5000 }; /* more are not asked each: it would take longer than the sample */

static void add_party(struct lk_parties *p, struct lk_ref ref, const struct lk_pyframes *frames,
                      bool innermost_first)
{
    struct lk_party *to = lk_vec_push(p);
    to->ref = ref;
    for (size_t i = 0; i < frames->n; i++)
        lk_vec_add(&to->frames, frames->v[innermost_first ? i : frames->n - 1 - i]);
}

static void add_tasks(struct lk_py *py, struct lk_parties *p)
{
    struct lk_pyframes chain = { 0 };
    for (size_t i = 0; i < py->s->tasks.n; i++) {
        const struct lk_task *k = &py->s->tasks.v[i];
        struct lk_aio_fut f;
        lk_addr leaf;
        const char *leaf_type;
        bool truncated = false;
        if (k->kind != LK_TASK_COROUTINE || k->state != LK_TASK_PENDING ||
            !lk_aio_read_fut(py, k->addr, &f) || !f.coro)
            continue;
        chain.n = 0;
        lk_py_await_chain(py, f.coro, &chain, &leaf, &leaf_type, &truncated);
        lk_reader(py)->join_chain(py, &chain);
        add_party(p, lk_ref_make(LK_KIND_TASK, i), &chain, false);
    }
    lk_free(chain.v);
}

bool lk_parties_read(struct lk_py *py, struct lk_parties *ret)
{
    if (py->s->tasks.n > MAX_TASKS)
        return false;
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        if (frames)
            add_party(ret, lk_ref_make(LK_KIND_THREAD, i), frames, true);
    }
    add_tasks(py, ret);
    return true;
}

void lk_parties_deinit(struct lk_parties *p)
{
    for (size_t i = 0; i < p->n; i++)
        lk_free(p->v[i].frames.v);
    lk_free(p->v);
}

struct roots {
    lk_addr *v;
    size_t n, cap;
};

static bool add_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    (void)py;
    (void)name;
    struct roots *r = arg;
    if (value)
        lk_vec_add(r, value);
    return true;
}

void lk_party_lead_to(struct lk_py *py, const struct lk_party *p, struct lk_leads_to *x)
{
    struct roots roots = { 0 };
    for (size_t i = 0; i < p->frames.n; i++) {
        const struct lk_pycode *c = lk_py_code(py, p->frames.v[i].code);
        if (c && strcmp(c->code->function, "<module>") != 0)
            lk_py_local_each(py, &p->frames.v[i], add_local, &roots);
    }
    lk_py_lead_to(py, roots.v, roots.n, x);
    lk_free(roots.v);
}
