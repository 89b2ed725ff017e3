/*
 * All tasks of the process, by asyncio's registries: weak sets up to 3.13 (Lib/asyncio/tasks.py),
 * from 3.14 linked lists in the thread states and the interpreter
 * (Include/internal/pycore_tstate.h); and which of them execute.
 */
#include "read/loops/asyncio/task_registry.h"

#include <stdlib.h>

#include "read/loops/asyncio/task.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/layout_table.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/reader.h"

static bool give(struct lk_py *py, const lk_addr *tasks, size_t n, lk_aio_task_taker take)
{
    bool more = true;
    for (size_t i = 0; i < n && more; i += LK_AIO_PREFETCH)
        more = take(py, tasks + i, LK_MIN(n - i, (size_t)LK_AIO_PREFETCH));
    return more;
}

/* refs: weak references; overwritten. */
static bool give_referents(struct lk_py *py, lk_addr *refs, size_t n, lk_aio_task_taker take)
{
    size_t m = 0;
    lk_prefetch(py->t, refs, n, 64);
    for (size_t i = 0; i < n; i++) {
        lk_addr task = lk_py_weakref(py, refs[i]);
        if (task)
            refs[m++] = task;
    }
    return give(py, refs, m, take);
}

static void read_weakset(struct lk_py *py, lk_addr set, lk_aio_task_taker take)
{
    size_t n;
    lk_read_watch(py->t);
    lk_addr data = set ? lk_py_attr(py, set, "data") : 0;
    int64_t len = data ? lk_py_len(py, data) : -1;
    if (!data || len < 0) {
        if (set)
            lk_reader_cut_tasks(py);
        return;
    }
    lk_addr *refs = lk_py_items(py, data, LK_PY_MAX_ITEMS, &n);
    if ((int64_t)n < len)
        lk_reader_cut_tasks(py);
    bool more = true;
    for (size_t i = 0; i < n && more; i += LK_AIO_PREFETCH)
        more = give_referents(py, refs + i, LK_MIN(n - i, (size_t)LK_AIO_PREFETCH), take);
}

static void read_set(struct lk_py *py, lk_addr set, lk_aio_task_taker take)
{
    size_t n;
    lk_addr *tasks = set ? lk_py_items(py, set, LK_PY_MAX_ITEMS, &n) : NULL;
    if (tasks)
        give(py, tasks, n, take);
}

/* 3.14+: circular list of struct llist_node inside the tasks, its head in a thread state or the
 * interpreter. */
static void read_list(struct lk_py *py, lk_addr head, lk_aio_task_taker take)
{
    LK_VEC(lk_addr) found = { 0 };
    lk_read_watch(py->t);
    lk_addr prev = head, node = lk_py_ptr(py, head);

    while (node && node != head && found.n < LK_PY_MAX_TASKS) {
        uint64_t back;
        /* node->prev must lead back, so a torn or cyclic list ends here. */
        if (!lk_read_u64(py->t, node + 8, &back) || back != prev) {
            lk_read_senseless(py->t, node + 8, sizeof back);
            lk_reader_cut_tasks(py);
            break;
        }
        lk_vec_add(&found, node - py->layout.task_node);
        prev = node;
        node = lk_py_ptr(py, node);
    }
    if (!node) {
        lk_read_senseless(py->t, prev, sizeof node);
        lk_reader_cut_tasks(py);
    }
    give(py, found.v, found.n, take);
    lk_free(found.v);
}

static void read_lists(struct lk_py *py, lk_aio_task_taker take)
{
    const struct lk_layout *l = &py->layout;
    for (size_t i = 0; i < py->tstates.n; i++)
        if (py->tstates.v[i].thread != SIZE_MAX)
            read_list(py, py->tstates.v[i].addr + l->ts_tasks_head, take);
    for (size_t i = 0; i < py->interpreters.n; i++)
        read_list(py, py->interpreters.v[i].addr + l->is_asyncio_tasks_head, take);
}

void lk_aio_each_registered(struct lk_py *py, lk_aio_task_taker take)
{
    static const char *const weak[] = { "_all_tasks", "_scheduled_tasks" };

    for (size_t k = 0; k < py->interpreters.n; k++) {
        for (size_t i = 0; i < LK_ARRAY_LEN(weak); i++)
            read_weakset(py, lk_py_module_attr_in(py, k, "asyncio.tasks", weak[i]), take);
        read_set(py, lk_py_module_attr_in(py, k, "asyncio.tasks", "_eager_tasks"), take);
    }
    if (py->layout.ts_tasks_head != LK_OFF_NONE)
        read_lists(py, take);
}

/* ---- which of them execute ------------------------------------------------------------------ */

void lk_aio_index_running(struct lk_py *py)
{
    struct lk_reader *a = lk_reader(py);
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *f = lk_py_frames_of_thread(py, i);
        for (size_t j = 0; f && j < f->n; j++)
            if (f->v[j].generator && f->v[j].gen)
                lk_map_put(&a->running, f->v[j].gen, i);
    }
}

void lk_aio_mark_current(struct lk_py *py, struct lk_ref ref, struct lk_ref thread)
{
    struct lk_task *k = lk_task_at(py->s, ref);
    struct lk_thread *t = lk_thread_at(py->s, thread);
    if (!k || !t || k->state != LK_TASK_PENDING)
        return;
    /* A task whose coroutine is no Python coroutine (Cython): its frames are not on the stack. */
    k->state = LK_TASK_RUNNING;
    k->started = true;
    k->run_by = thread;
    k->wait = (struct lk_wait){ .kind = LK_WAIT_NONE, .timeout_ms = LK_FOREVER, .frame = -1 };
    if (t->current_task.kind == LK_KIND_NONE)
        t->current_task = ref;
}

static bool current_entry(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct lk_aio_currents *list = arg;
    (void)py;
    lk_vec_add(list, ((struct lk_aio_current){ .loop = key, .task = value }));
    return true;
}

void lk_aio_list_current(struct lk_py *py, struct lk_aio_currents *list)
{
    for (size_t i = 0; i < py->interpreters.n; i++) {
        lk_addr dict = lk_py_module_attr_in(py, i, "asyncio.tasks", "_current_tasks");
        if (dict)
            lk_py_dict_each(py, dict, current_entry, list);
    }
    for (size_t i = 0; py->layout.ts_running_task != LK_OFF_NONE && i < py->tstates.n; i++) {
        const struct lk_py_tstate *k = &py->tstates.v[i];
        lk_addr task =
            k->thread != SIZE_MAX ? lk_py_ptr(py, k->addr + py->layout.ts_running_task) : 0;
        if (task)
            lk_vec_add(list, ((struct lk_aio_current){
                                 .thread = lk_ref_make(LK_KIND_THREAD, k->thread), .task = task }));
    }
}
