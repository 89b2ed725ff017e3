/*
 * The work lists of what was mentioned, and who reads what is on them. Reading mentions more, which
 * is put onto the lists in its turn, so that chains of any length need no recursion.
 */
#include "read/loops/drain.h"

#include "read/loops/asyncio/future_enders.h"
#include "read/loops/asyncio/task.h"
#include "read/loops/asyncio/task_registry.h"
#include "read/loops/loop_kind.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/mention.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/executor.h"
#include "read/python/stdlib/future_object.h"
#include "read/python/stdlib/lock.h"

enum { FEW = 32 }; /* tasks whose pages are not worth fetching together */

static const struct lk_loop_kind *kind_of(struct lk_py *py, lk_addr obj)
{
    for (size_t i = 0; i < lk_n_loop_kinds; i++)
        if (lk_loop_kinds[i].cls &&
            lk_py_isinstance(py, obj, lk_loop_kinds[i].module, lk_loop_kinds[i].cls))
            return &lk_loop_kinds[i];
    return NULL;
}

static void read_loop(struct lk_py *py, struct lk_ref ref)
{
    struct lk_loop *o = lk_loop_at(py->s, ref);
    const struct lk_loop_kind *kind = kind_of(py, o->addr);

    o->driven_in_python = kind && kind->driven_in_python;
    if (kind) {
        o->kind = kind->name;
        o->cancels = kind->cancels;
        o->alone = kind->alone;
        o->offload = kind->offload;
        o->kind_id = 1 + (uint64_t)(kind - lk_loop_kinds);
        kind->read_loop(py, o->addr, ref);
        return;
    }
    const struct lk_pytype *ty = lk_py_type(py, o->addr);
    const char *module = ty ? lk_py_type_module(py, ty) : "";
    o->kind = lk_arena_strndup(py->s->arena, module, strcspn(module, "."));
    o->kind_id =
        lk_hash_str(LK_HASH_INIT, o->kind); /* no table has it: its package stands for it */
}

/* ---- all but tasks -------------------------------------------------------------------------- */

static bool drain_one(struct lk_py *py, enum lk_kind kind,
                      void (*read)(struct lk_py *py, struct lk_ref ref))
{
    struct lk_reader *a = lk_reader(py);
    bool any = a->todo[kind].n > 0;
    for (size_t i = 0; i < a->todo[kind].n; i++) /* it grows */
        read(py, lk_ref_make(kind, a->todo[kind].v[i]));
    a->todo[kind].n = 0;
    return any;
}

static void drain_small(struct lk_py *py)
{
    static const struct {
        enum lk_kind kind;
        void (*read)(struct lk_py *py, struct lk_ref ref);
    } readers[] = {
        { LK_KIND_FUTURE, lk_aio_read_future },
        { LK_KIND_LOCK, lk_py_read_lock },
        { LK_KIND_EXECUTOR, lk_py_read_executor },
    };
    bool any = true;
    while (any) {
        any = false;
        for (size_t i = 0; i < LK_ARRAY_LEN(readers); i++)
            any |= drain_one(py, readers[i].kind, readers[i].read);
    }
}

static void read_loop_and_queues(struct lk_py *py, struct lk_ref ref)
{
    read_loop(py, ref);
    drain_small(py);
}

void lk_drain(struct lk_py *py)
{
    struct lk_reader *a = lk_reader(py);
    drain_small(py);
    a->reading_loops = true;
    drain_one(py, LK_KIND_LOOP, read_loop_and_queues);
    a->reading_loops = false;
}

/* ---- tasks ---------------------------------------------------------------------------------- */

/* What a task waits for is told by its loop's queues and timers, too: that comes first. */
static void read_after_loop(struct lk_py *py, struct lk_ref task, const struct lk_aio_fut *f)
{
    lk_py_loop(py, f->loop, LK_FOUND_TASK);
    lk_drain(py);
    lk_aio_read_task(py, task, f);
    lk_drain(py);
}

static void prefetch_todo(struct lk_py *py, size_t from)
{
    const struct lk_reader *a = lk_reader(py);
    lk_addr tasks[LK_AIO_PREFETCH];
    size_t n = LK_MIN(a->todo[LK_KIND_TASK].n - from, (size_t)LK_AIO_PREFETCH);
    for (size_t i = 0; i < n; i++)
        tasks[i] = py->s->tasks.v[a->todo[LK_KIND_TASK].v[from + i]].addr;
    lk_aio_prefetch_tasks(py, tasks, n);
}

void lk_drain_tasks(struct lk_py *py)
{
    struct lk_reader *a = lk_reader(py);
    lk_drain(py);
    for (size_t i = 0; i < a->todo[LK_KIND_TASK].n; i++) {
        struct lk_ref ref = lk_ref_make(LK_KIND_TASK, a->todo[LK_KIND_TASK].v[i]);
        struct lk_aio_fut f;
        if (i % LK_AIO_PREFETCH == 0 && a->todo[LK_KIND_TASK].n - i > FEW)
            prefetch_todo(py, i);
        if (lk_aio_read_fut(py, lk_task_at(py->s, ref)->addr, &f))
            read_after_loop(py, ref, &f);
    }
    a->todo[LK_KIND_TASK].n = 0;
}

/* Finished tasks are left out unless something refers to them. */
static void read_if_pending(struct lk_py *py, lk_addr task)
{
    struct lk_aio_fut f;
    bool is_new;

    if (!lk_aio_read_fut(py, task, &f) || f.state > 0 ||
        (f.cls != LK_CLASS_TASK && f.cls != LK_CLASS_PYTASK))
        return;
    struct lk_ref ref = lk_snapshot_task(py->s, task, &is_new);
    if (is_new)
        read_after_loop(py, ref, &f);
}

/* A rehearsal under a stop follows only as many tasks as there is time for. */
static bool take_registered(struct lk_py *py, const lk_addr *tasks, size_t n)
{
    if (py->until_us && lk_now_us() >= py->until_us)
        return false;
    lk_aio_prefetch_tasks(py, tasks, n);
    for (size_t i = 0; i < n; i++)
        read_if_pending(py, tasks[i]);
    lk_drain_tasks(py);
    return true;
}

static void read_current(struct lk_py *py, const struct lk_aio_current *c)
{
    struct lk_ref loop = c->loop ? lk_py_loop(py, c->loop, LK_FOUND_TASK) : c->thread;
    lk_drain(py);
    const struct lk_loop *o = lk_loop_at(py->s, loop);
    struct lk_ref thread = o ? o->thread : c->thread;
    if (thread.kind != LK_KIND_THREAD)
        return;
    struct lk_ref task = lk_py_task(py, c->task);
    lk_drain_tasks(py);
    lk_aio_mark_current(py, task, thread);
}

/* Tasks that no registry of the process lists, but their loop. */
static void read_members(struct lk_py *py)
{
    for (size_t i = 0; i < py->s->loops.n; i++) { /* it grows */
        const struct lk_loop_kind *kind = lk_loop_kind_of(&py->s->loops.v[i]);
        if (kind && kind->read_members)
            kind->read_members(py, lk_ref_make(LK_KIND_LOOP, i));
    }
    for (size_t i = 0; i < lk_n_loop_kinds; i++)
        if (lk_loop_kinds[i].read_calls && lk_py_module_dict(py, lk_loop_kinds[i].module))
            lk_loop_kinds[i].read_calls(py);
}

void lk_read_registered(struct lk_py *py)
{
    struct lk_aio_currents current = { 0 };
    const char *before = lk_reading(py->t, "the registry of asyncio tasks");

    lk_aio_index_running(py);
    if (lk_py_module_dict(py, "asyncio.tasks")) {
        lk_aio_each_registered(py, take_registered);
        lk_drain_tasks(py);
        lk_aio_list_current(py, &current);
    }
    for (size_t i = 0; i < current.n; i++)
        read_current(py, &current.v[i]);
    lk_free(current.v);
    lk_reading(py->t, before);
    read_members(py);
}

/* ---- enders of futures ---------------------------------------------------------------------- */

void lk_find_enders(struct lk_py *py)
{
    struct lk_reader *a = lk_reader(py);
    do {
        lk_drain_tasks(py);
        while (a->relays_todo.n) {
            lk_aio_mention_relay(py, a->relays_todo.v[--a->relays_todo.n]);
            lk_drain(py);
        }
        for (size_t i = 0; i < a->enders_todo.n; i++) { /* it grows */
            lk_aio_find_enders(py, lk_ref_make(LK_KIND_FUTURE, a->enders_todo.v[i]));
            lk_drain(py);
        }
        a->enders_todo.n = 0;
    } while (a->todo[LK_KIND_TASK].n || a->relays_todo.n);
    for (size_t i = 0; i < py->s->futures.n; i++) { /* they grow */
        lk_aio_find_enders_by_hand(py, lk_ref_make(LK_KIND_FUTURE, i));
        lk_drain(py);
    }
}
