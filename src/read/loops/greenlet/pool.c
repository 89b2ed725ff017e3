/*
 * A pool's result comes by an event that nobody but the pool sets, though anybody could: the
 * greenlet that waits for it waits for the thread that does its work, or for the pool.
 */
#include "read/loops/greenlet/pool.h"

#include "read/python/waits/resolve.h"

struct lk_ref lk_hub_pool(struct lk_py *py, lk_addr obj, const char *kind, int64_t max_workers,
                          int64_t queued)
{
    bool is_new;
    struct lk_ref ref = lk_snapshot_executor(py->s, obj, &is_new);
    struct lk_executor *x = lk_executor_at(py->s, ref);
    x->kind = kind;
    x->max_workers = max_workers;
    x->queued = queued;
    x->shutdown = LK_NO;
    return ref;
}

void lk_hub_pool_worker(struct lk_py *py, struct lk_ref pool, struct lk_ref thread)
{
    struct lk_thread *t = lk_thread_at(py->s, thread);
    if (!t)
        return;
    lk_refs_add(py->s, &lk_executor_at(py->s, pool)->workers, thread);
    t->works_for = pool;
    if (t->wait.kind == LK_WAIT_EXECUTOR_IDLE)
        lk_refs_add(py->s, &t->wait.on, pool);
}

/* The greenlets that wait for this thing wait for that one; returns how many. */
static int64_t redirect(struct lk_py *py, lk_addr from, enum lk_wait_kind kind, struct lk_ref to)
{
    const struct lk_ref lock = lk_snapshot_find(py->s, LK_KIND_LOCK, from);
    int64_t n = 0;
    for (size_t i = 0; lock.kind == LK_KIND_LOCK && i < py->s->tasks.n; i++) {
        struct lk_task *k = &py->s->tasks.v[i];
        if (k->kind != LK_TASK_GREENLET || k->wait.on.n != 1 || !lk_ref_eq(k->wait.on.v[0], lock))
            continue;
        lk_wait_on(py, &k->wait, kind, to, true);
        n++;
    }
    return n;
}

void lk_hub_job(struct lk_py *py, lk_addr event, struct lk_ref by)
{
    struct lk_thread *t = lk_thread_at(py->s, by);
    bool is_new;
    if (!event)
        return;
    struct lk_ref ref = lk_snapshot_future(py->s, event, &is_new);
    struct lk_future *f = lk_future_at(py->s, ref);
    f->cls = "result of a thread pool";
    f->concurrent = true;
    f->state = t ? LK_FUTURE_RUNNING : LK_FUTURE_PENDING;
    f->origin = LK_ORIGIN_EXECUTOR;
    f->enders_complete = true;
    lk_refs_add(py->s, &f->enders, by);
    if (t)
        t->works_on = ref;
    redirect(py, event, LK_WAIT_FUTURE, ref);
}

void lk_hub_pool_limit(struct lk_py *py, struct lk_ref pool, lk_addr semaphore)
{
    const int64_t n = semaphore ? redirect(py, semaphore, LK_WAIT_SEMAPHORE, pool) : 0;
    lk_executor_at(py->s, pool)->queued += n;
}
