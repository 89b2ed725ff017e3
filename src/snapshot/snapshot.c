/* From a reference to the entity, its id, wait or stack; nothing here knows where an entity came
 * from. */
#include "snapshot/snapshot.h"

const struct lk_syscall_wait lk_syscall_wait_none = { .nr = -1,
                                                      .fd = LK_UNKNOWN,
                                                      .queues = { LK_UNKNOWN, LK_UNKNOWN },
                                                      .child_pid = LK_UNKNOWN,
                                                      .timeout_ms = LK_UNKNOWN,
                                                      .left_ms = LK_UNKNOWN,
                                                      .far_fd = LK_UNKNOWN,
                                                      .peer_pid = LK_UNKNOWN };

const struct lk_surroundings lk_surroundings_none = {
    .machine_up_ms = LK_UNKNOWN,
    .process_up_ms = LK_UNKNOWN,
    .processors = LK_UNKNOWN,
    .memory_max = LK_UNKNOWN,
    .memory_used = LK_UNKNOWN,
    .cpu_thousandths = LK_UNKNOWN,
};

#define LK_ACCESSOR(name, type, enumerator, list)                                                  \
    struct type *name(const struct lk_snapshot *s, struct lk_ref r)                                \
    {                                                                                              \
        return r.kind == (enumerator) && r.index < s->list.n ? &s->list.v[r.index] : NULL;         \
    }

LK_ACCESSOR(lk_thread_at, lk_thread, LK_KIND_THREAD, threads)
LK_ACCESSOR(lk_loop_at, lk_loop, LK_KIND_LOOP, loops)
LK_ACCESSOR(lk_task_at, lk_task, LK_KIND_TASK, tasks)
LK_ACCESSOR(lk_future_at, lk_future, LK_KIND_FUTURE, futures)
LK_ACCESSOR(lk_lock_at, lk_lock, LK_KIND_LOCK, locks)
LK_ACCESSOR(lk_executor_at, lk_executor, LK_KIND_EXECUTOR, executors)
LK_ACCESSOR(lk_extern_at, lk_extern, LK_KIND_EXTERN, externs)

struct lk_wait *lk_wait_of(const struct lk_snapshot *s, struct lk_ref thread_or_task)
{
    struct lk_thread *t = lk_thread_at(s, thread_or_task);
    struct lk_task *k = lk_task_at(s, thread_or_task);
    return t ? &t->wait : k ? &k->wait : NULL;
}

const struct lk_pystack *lk_stack_of(const struct lk_snapshot *s, struct lk_ref thread_or_task)
{
    const struct lk_thread *t = lk_thread_at(s, thread_or_task);
    const struct lk_task *k = lk_task_at(s, thread_or_task);
    return t ? t->python_stack : k ? k->stack : NULL;
}

size_t lk_snapshot_listed(const struct lk_snapshot *s, enum lk_kind kind)
{
    const size_t listed[] = {
        [LK_KIND_NONE] = 0,
        [LK_KIND_THREAD] = s->threads.n,
        [LK_KIND_LOOP] = s->loops.n,
        [LK_KIND_TASK] = s->tasks.n,
        [LK_KIND_FUTURE] = s->futures.n,
        [LK_KIND_LOCK] = s->locks.n,
        [LK_KIND_EXECUTOR] = s->executors.n,
        [LK_KIND_EXTERN] = s->externs.n,
    };
    return (unsigned)kind < LK_ARRAY_LEN(listed) ? listed[kind] : 0;
}

size_t lk_snapshot_count(const struct lk_snapshot *s, enum lk_kind kind)
{
    size_t n = lk_snapshot_listed(s, kind);
    for (size_t i = 0; i < s->folded.n; i++)
        n += s->folded.v[i].like.kind == kind ? s->folded.v[i].count : 0;
    return n;
}

#define LK_ID(list) (r.index < s->list.n ? s->list.v[r.index].id : NULL)

const char *lk_ref_id(const struct lk_snapshot *s, struct lk_ref r)
{
    switch (r.kind) {
    case LK_KIND_THREAD: return LK_ID(threads);
    case LK_KIND_LOOP: return LK_ID(loops);
    case LK_KIND_TASK: return LK_ID(tasks);
    case LK_KIND_FUTURE: return LK_ID(futures);
    case LK_KIND_LOCK: return LK_ID(locks);
    case LK_KIND_EXECUTOR: return LK_ID(executors);
    case LK_KIND_EXTERN: return LK_ID(externs);
    case LK_KIND_NONE: break;
    }
    return NULL;
}

bool lk_stands_at(const struct lk_thread *t, const struct lk_listener *l)
{
    for (size_t i = 0; i < l->fds.n; i++) {
        if (t->os.fd == l->fds.v[i])
            return true;
        for (size_t k = 0; k < t->os.fds.n; k++)
            if (t->os.fds.v[k] == l->fds.v[i])
                return true;
    }
    return false;
}
