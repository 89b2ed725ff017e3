/* Tasks: all registries of a version, and for each pending task its state, await chain and stack.
 */
#include "read/loops/asyncio/task.h"

#include <stdlib.h>

#include "read/loops/asyncio/callback.h"
#include "read/loops/asyncio/coroutine_task.h"
#include "read/loops/asyncio/cross_loop.h"
#include "read/loops/asyncio/frame_rows.h"
#include "read/loops/asyncio/setters.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/layout_table.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/mention.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/future_object.h"
#include "read/python/stdlib/unit_holders.h"
#include "read/python/stdlib/with_blocks.h"
#include "read/python/waits/task_wait.h"
#include "util/redact.h"

enum {
    OBJ_HEAD = 256, /* bytes of a task, coroutine or future that are looked at */
};

/* ---- one task ------------------------------------------------------------------------ */

/* A str, or since 3.12 an int n for "Task-n" (Modules/_asynciomodule.c task_name). */
static const char *task_name(struct lk_py *py, lk_addr name)
{
    int64_t n;
    if (name && lk_py_int(py, name, &n))
        return lk_arena_printf(py->s->arena, "Task-%lld", (long long)n);
    const char *s = name ? lk_py_str(py, name) : NULL;
    return s ? lk_redact_name(py->s->arena, s) : "";
}

static void read_suspended(struct lk_py *py, struct lk_ref ref, const struct lk_aio_fut *f)
{
    struct lk_reader *a = lk_reader(py);
    lk_addr leaf = 0;
    const char *leaf_type = NULL;
    bool truncated = false;

    a->chain.n = 0;
    if (f->coro)
        lk_py_await_chain(py, f->coro, &a->chain, &leaf, &leaf_type, &truncated);
    a->join_chain(py, &a->chain);
    struct lk_aio_chain *c = lk_coro_chain(py, &a->chain, truncated);
    struct lk_task *k = lk_task_at(py->s, ref);
    k->stack = c->stack;
    k->started = !(a->chain.n == 1 && a->chain.v[0].lasti < 0);
    k->http = c->asgi && lk_coro_serves_http(py, &a->chain);
    if (c->plain) {
        lk_py_task_wait(py, ref, f, &a->chain, NULL);
        return;
    }
    const struct lk_wait_rows rows = { lk_task_wait_rows, lk_n_task_wait_rows, 1 };
    bool special = lk_aio_note_setters(py, &a->chain, ref) > 0;
    special |= lk_py_note_with_blocks(py, &a->chain, false, ref);
    special |= lk_py_note_bare_acquires(py, &a->chain, ref) > 0;
    special |= lk_py_note_releasing(py, &a->chain, false, ref) > 0;
    special |= lk_py_task_wait(py, ref, f, &a->chain, &rows);
    lk_aio_note_cross_loop(py, ref, f, &a->chain);
    c->plain = !special;
}

void lk_aio_read_task(struct lk_py *py, struct lk_ref ref, const struct lk_aio_fut *f)
{
    struct lk_reader *a = lk_reader(py);
    struct lk_ref o = lk_py_loop(py, f->loop, LK_FOUND_TASK);
    struct lk_task *k = lk_task_at(py->s, ref);
    uint64_t thread, loop;

    k->name = task_name(py, f->name);
    k->must_cancel = f->must_cancel;
    k->state = f->state <= 0 ? LK_TASK_PENDING : f->state == 1 ? LK_TASK_CANCELLED : LK_TASK_DONE;
    k->loop = o;
    k->ready =
        lk_map_get(&a->ready, k->addr, &loop) && o.kind == LK_KIND_LOOP && loop == o.index + 1;
    lk_aio_index_callbacks(py, k->addr, f);
    if (f->state < 0) { /* may be anything */
        k->wait.kind = LK_WAIT_UNKNOWN;
        a->cut_task = a->tasks_cut ? a->cut_task : ref;
        a->tasks_cut = true;
    }
    if (f->state != 0) {
        k->started = true;
        k->coroutine = lk_coro_name(py, f->coro, k->stack);
        return;
    }
    if (lk_coro_thread(py, f->coro, &thread))
        lk_coro_set_running(py, ref, (size_t)thread, f->coro);
    else
        read_suspended(py, ref, f);
    k = lk_task_at(py->s, ref);
    k->coroutine = lk_coro_name(py, f->coro, k->stack);
}

/* Brings in what reading these tasks will touch, level by level, with few system calls. */
void lk_aio_prefetch_tasks(struct lk_py *py, const lk_addr *tasks, size_t n)
{
    const struct lk_layout *l = &py->layout;
    lk_addr next[2 * LK_AIO_PREFETCH];
    size_t m = 0;

    lk_prefetch(py->t, tasks, n, l->task_size);
    for (size_t i = 0; i < n; i++) {
        uint64_t coro, waiter;
        if (lk_read_u64(py->t, tasks[i] + l->task_coro, &coro) && coro)
            next[m++] = coro;
        if (lk_read_u64(py->t, tasks[i] + l->task_fut_waiter, &waiter) && waiter)
            next[m++] = waiter;
    }
    lk_prefetch(py->t, next, m, OBJ_HEAD);
}
