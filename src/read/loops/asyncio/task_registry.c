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
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/mention.h"
#include "read/python/reader/reader.h"

/* A rehearsal under a stop follows only as many tasks as there is time for. */
static bool out_of_time(const struct lk_py *py)
{
    return py->until_us && lk_now_us() >= py->until_us;
}

static void add_registered(struct lk_py *py, const lk_addr *tasks, size_t n)
{
    for (size_t i = 0; i < n; i += LK_AIO_PREFETCH) {
        size_t part = LK_MIN(n - i, (size_t)LK_AIO_PREFETCH);
        if (out_of_time(py))
            return;
        lk_aio_prefetch_tasks(py, tasks + i, part);
        for (size_t j = 0; j < part; j++)
            lk_aio_add_if_pending(py, tasks[i + j]);
        lk_aio_drain_tasks(py);
    }
}

/* refs: weak references; overwritten. */
static void add_referents(struct lk_py *py, lk_addr *refs, size_t n)
{
    size_t m = 0;
    lk_prefetch(py->t, refs, n, 64);
    for (size_t i = 0; i < n; i++) {
        lk_addr task = lk_py_weakref(py, refs[i]);
        if (task)
            refs[m++] = task;
    }
    add_registered(py, refs, m);
}

static void read_weakset(struct lk_py *py, lk_addr set)
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
    for (size_t i = 0; i < n && !out_of_time(py); i += LK_AIO_PREFETCH)
        add_referents(py, refs + i, LK_MIN(n - i, (size_t)LK_AIO_PREFETCH));
}

static void read_set(struct lk_py *py, lk_addr set)
{
    size_t n;
    lk_addr *tasks = set ? lk_py_items(py, set, LK_PY_MAX_ITEMS, &n) : NULL;
    if (tasks)
        add_registered(py, tasks, n);
}

/* 3.14+: circular list of struct llist_node inside the tasks, its head in a thread state or the
 * interpreter. */
static void read_list(struct lk_py *py, lk_addr head)
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
    add_registered(py, found.v, found.n);
    lk_free(found.v);
}

static void read_lists(struct lk_py *py)
{
    const struct lk_layout *l = &py->layout;
    for (size_t i = 0; i < py->s->threads.n; i++)
        if (py->s->threads.v[i].tstate)
            read_list(py, py->s->threads.v[i].tstate + l->ts_tasks_head);
    read_list(py, py->interp + l->is_asyncio_tasks_head);
}

static void index_running(struct lk_py *py)
{
    struct lk_reader *a = lk_reader(py);
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *f = lk_py_frames_of_thread(py, i);
        for (size_t j = 0; f && j < f->n; j++)
            if (f->v[j].generator && f->v[j].gen)
                lk_map_put(&a->running, f->v[j].gen, i);
    }
}

static void mark_current(struct lk_py *py, lk_addr task, struct lk_ref thread)
{
    if (!task || thread.kind != LK_KIND_THREAD || lk_py_is_none(py, task))
        return;
    struct lk_ref ref = lk_py_task(py, task);
    lk_aio_drain_tasks(py);
    struct lk_task *k = lk_task_at(py->s, ref);
    if (!k || k->state != LK_TASK_PENDING)
        return;
    /* A task whose coroutine is no Python coroutine (Cython): its frames are not on the stack. */
    k->state = LK_TASK_RUNNING;
    k->started = true;
    k->run_by = thread;
    k->wait = (struct lk_wait){ .kind = LK_WAIT_NONE, .timeout_ms = LK_FOREVER, .frame = -1 };
    if (py->s->threads.v[thread.index].current_task.kind == LK_KIND_NONE)
        py->s->threads.v[thread.index].current_task = ref;
}

static bool current_entry(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    (void)arg;
    const struct lk_loop *o = lk_loop_at(py->s, lk_py_loop(py, key, LK_FOUND_TASK));
    if (o)
        mark_current(py, value, o->thread);
    return true;
}

static void read_current(struct lk_py *py)
{
    lk_addr dict = lk_py_module_attr(py, "asyncio.tasks", "_current_tasks");
    if (dict)
        lk_py_dict_each(py, dict, current_entry, NULL);
    for (size_t i = 0; py->layout.ts_running_task != LK_OFF_NONE && i < py->s->threads.n; i++)
        if (py->s->threads.v[i].tstate)
            mark_current(py, lk_py_ptr(py, py->s->threads.v[i].tstate + py->layout.ts_running_task),
                         lk_ref_make(LK_KIND_THREAD, i));
}

void lk_aio_read_registry(struct lk_py *py)
{
    static const char *const weak[] = { "_all_tasks", "_scheduled_tasks" };

    const char *before = lk_reading(py->t, "the registry of asyncio tasks");
    index_running(py);
    if (lk_py_module_dict(py, "asyncio.tasks")) {
        for (size_t i = 0; i < LK_ARRAY_LEN(weak); i++)
            read_weakset(py, lk_py_module_attr(py, "asyncio.tasks", weak[i]));
        read_set(py, lk_py_module_attr(py, "asyncio.tasks", "_eager_tasks"));
        if (py->layout.ts_tasks_head != LK_OFF_NONE)
            read_lists(py);
        lk_aio_drain_tasks(py);
        read_current(py);
    }
    lk_reading(py->t, before);
}
