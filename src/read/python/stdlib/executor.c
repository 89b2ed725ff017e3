/* Executors: their workers, and the work items still in their queues. */
#include "read/python/stdlib/executor.h"

#include "process/linux/child_work.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/socket.h"
#include "read/python/stdlib/thread_object.h"
#include "snapshot/builder.h"

enum {
    MAX_ASKED = 16,      /* children of a pool that are looked at */
    MAX_ITEMS = 1 << 17, /* of one queue */
    /* _queue.SimpleQueue (Modules/_queuemodule.c): up to 3.12 a list and a position, from 3.13 a
       ring buffer */
    SQ_LIST = 32,
    SQ_POS = 40,
    SQ_GET = 32,
    SQ_RING = 40,
    SQ_CAP = 48,
    SQ_COUNT = 56,
    SQ_LIST_SIZE = 56,
    SQ_RING_SIZE = 72, /* tp_basicsize of either */
};

/* ---- queues -------------------------------------------------------------------------- */

static lk_addr *list_queue(struct lk_py *py, lk_addr queue, size_t *n)
{
    int64_t pos;
    lk_addr list = lk_py_ptr(py, lk_py_field(py, queue, SQ_LIST));
    if (!list || !lk_read(py->t, lk_py_field(py, queue, SQ_POS), &pos, sizeof pos) || pos < 0)
        return NULL;
    lk_addr *items = lk_py_items(py, list, MAX_ITEMS, n);
    if (!items || (uint64_t)pos >= *n) {
        *n = 0;
        return NULL;
    }
    *n -= (size_t)pos;
    return items + pos;
}

static lk_addr *ring_queue(struct lk_py *py, lk_addr queue, size_t *n)
{
    int64_t get, cap, count;
    lk_addr ring = lk_py_ptr(py, lk_py_field(py, queue, SQ_RING));
    if (!ring || !lk_read(py->t, lk_py_field(py, queue, SQ_GET), &get, sizeof get) ||
        !lk_read(py->t, lk_py_field(py, queue, SQ_CAP), &cap, sizeof cap) ||
        !lk_read(py->t, lk_py_field(py, queue, SQ_COUNT), &count, sizeof count))
        return NULL;
    if (cap <= 0 || get < 0 || get >= cap || count <= 0 || count > cap)
        return NULL;
    size_t m = (size_t)LK_MIN(count, (int64_t)MAX_ITEMS);
    uint64_t last;
    if (!lk_read_u64(py->t, ring + (uint64_t)((get + (int64_t)m - 1) % cap) * 8, &last))
        return NULL;
    lk_addr *items = lk_arena_array(py->s->arena, m, sizeof *items);
    for (size_t i = 0; i < m; i++)
        items[i] = lk_py_ptr(py, ring + (uint64_t)((get + (int64_t)i) % cap) * 8);
    *n = m;
    return items;
}

/* Items of a queue.SimpleQueue, queue.Queue, a deque or whatever a subclass puts there; false when
 * it cannot be told. */
static bool queue_items(struct lk_py *py, lk_addr queue, lk_addr **items, size_t *n)
{
    const struct lk_pytype *ty = lk_py_type(py, queue);
    *n = 0;
    *items = NULL;
    if (lk_py_kind(py, queue) == LK_PYK_DEQUE) {
        *items = lk_py_items(py, queue, MAX_ITEMS, n);
        return true;
    }
    switch (lk_py_known_class(py, queue, NULL)) {
    case LK_CLASS_SIMPLE_QUEUE:
        if (ty->basicsize == SQ_RING_SIZE)
            *items = ring_queue(py, queue, n);
        else if (ty->basicsize == SQ_LIST_SIZE)
            *items = list_queue(py, queue, n);
        else
            return false;
        return true;
    case LK_CLASS_QUEUE:
        *items = lk_py_items(py, lk_py_attr(py, queue, "queue"), MAX_ITEMS, n);
        return true;
    case LK_CLASS_PY_SIMPLE_QUEUE:
        *items = lk_py_items(py, lk_py_attr(py, queue, "_queue"), MAX_ITEMS, n);
        return true;
    default: return false;
    }
}

/* The function of a work item: `fn` up to 3.13, the first of the `task` tuple from 3.14. */
static const char *item_function(struct lk_py *py, lk_addr item)
{
    lk_addr fn = lk_py_attr(py, item, "fn"), args;
    if (!fn)
        fn = lk_py_item(py, lk_py_attr(py, item, "task"), 0);
    for (int i = 0; fn && i < 4 && lk_py_partial(py, fn, &fn, &args); i++)
        ;
    return fn ? lk_py_callable_name(py, fn) : "";
}

static void read_queue(struct lk_py *py, struct lk_ref ref, lk_addr queue)
{
    lk_addr *items;
    size_t n, kept = 0;
    int64_t queued = 0;

    if (!queue || !queue_items(py, queue, &items, &n))
        return;
    size_t keep = LK_MIN(n, (size_t)LK_READER_KEEP_ITEMS);
    struct lk_item *list = lk_arena_array(py->s->arena, keep, sizeof *list);
    for (size_t i = 0; i < n; i++) {
        if (lk_py_known_class(py, items[i], NULL) != LK_CLASS_WORK_ITEM)
            continue; /* None: a wake-up */
        queued++;
        lk_addr future = lk_py_attr(py, items[i], "future");
        lk_py_future_set_by(py, future, ref, true, LK_ORIGIN_EXECUTOR);
        if (kept == keep)
            continue;
        list[kept].future = lk_py_future(py, future);
        list[kept].fd = lk_py_item_connection(py, items[i]);
        list[kept++].function = item_function(py, items[i]);
    }
    struct lk_executor *x = lk_executor_at(py->s, ref);
    x->queued = queued;
    x->items = list;
    x->n_items = kept;
}

/* ---- executors ----------------------------------------------------------------------- */

static void add_worker(struct lk_py *py, struct lk_ref ref, struct lk_ref thread)
{
    if (thread.kind != LK_KIND_THREAD || ref.kind != LK_KIND_EXECUTOR)
        return;
    struct lk_executor *x = lk_executor_at(py->s, ref);
    lk_refs_add(py->s, &x->workers, thread);
    /* A request's own thread that idles for a bridge is no pool worker. */
    struct lk_thread *t = lk_thread_at(py->s, thread);
    if (t->works_for.kind == LK_KIND_NONE && lk_py_known_class(py, x->addr, NULL) == LK_CLASS_POOL)
        t->works_for = ref;
}

/* Neither shut down nor broken, and the interpreter is not about to end. */
static bool runs(struct lk_py *py, struct lk_ref ref, lk_addr obj)
{
    lk_addr broken = lk_py_attr(py, obj, "_broken"),
            exit = lk_py_module_attr(py, "concurrent.futures.thread", "_shutdown");
    return lk_executor_at(py->s, ref)->shutdown == LK_NO &&
           (!broken || lk_py_bool(py, broken) == LK_NO) && exit && lk_py_bool(py, exit) == LK_NO;
}

static void read_pool(struct lk_py *py, struct lk_ref ref, lk_addr obj)
{
    struct lk_executor *x = lk_executor_at(py->s, ref);
    size_t n = 0;
    int64_t max;

    if (lk_py_int(py, lk_py_attr(py, obj, "_max_workers"), &max))
        x->max_workers = max;
    x->shutdown = lk_py_bool(py, lk_py_attr(py, obj, "_shutdown"));
    lk_addr set = lk_py_attr(py, obj, "_threads");
    lk_addr *threads = set ? lk_py_items(py, set, LK_PY_MAX_THREADS, &n) : NULL;
    size_t gone = 0;
    for (size_t i = 0; i < n; i++) {
        bool known;
        gone += lk_py_thread_is_gone(py, threads[i]);
        add_worker(py, ref, lk_py_thread_of_object(py, threads[i], &known));
    }
    /* Workers end when the pool is shut down, or broken by its initializer; else only a fork takes
     * them away. */
    lk_executor_at(py->s, ref)->lost_in_fork = n > 0 && gone == n && runs(py, ref, obj);
    read_queue(py, ref, lk_py_attr(py, obj, "_work_queue"));
}

/* asgiref/current_thread_executor.py: a queue.Queue up to 3.8, from 3.9 on a deque and a Condition.
 */
static lk_addr work_of_current_thread(struct lk_py *py, lk_addr executor)
{
    lk_addr queue = lk_py_attr(py, executor, "_work_queue");
    return queue ? queue : lk_py_attr(py, executor, "_work_items");
}

bool lk_py_current_thread_has_work(struct lk_py *py, lk_addr executor)
{
    lk_addr *items;
    size_t n;
    lk_addr queue = work_of_current_thread(py, executor);
    return !queue || !queue_items(py, queue, &items, &n) || n > 0;
}

/* asgiref: runs items on the thread that waits in run_until_future. */
static void read_current_thread_executor(struct lk_py *py, struct lk_ref ref, lk_addr obj)
{
    bool known;
    lk_executor_at(py->s, ref)->max_workers = 1;
    add_worker(py, ref, lk_py_thread_of_object(py, lk_py_attr(py, obj, "_work_thread"), &known));
    read_queue(py, ref, work_of_current_thread(py, obj));
}

void lk_py_read_executor(struct lk_py *py, struct lk_ref ref, enum lk_known_class cls)
{
    lk_addr obj = lk_executor_at(py->s, ref)->addr;
    if (cls == LK_CLASS_POOL)
        read_pool(py, ref, obj);
    else if (cls == LK_CLASS_CURRENT_THREAD_EXECUTOR)
        read_current_thread_executor(py, ref, obj);
}

/* ---- process pools ------------------------------------------------------------------- */

struct pool_children {
    int64_t first;
    size_t n;
    enum lk_child_does does;
};

static bool count_child(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct pool_children *c = arg;
    int64_t pid;
    (void)value;
    if (!lk_py_int(py, key, &pid) || pid <= 0)
        return true;
    if (c->n++ == 0 || pid < c->first)
        c->first = pid;
    if (c->n <= MAX_ASKED && c->does != LK_CHILD_RUNS)
        c->does = LK_MAX(c->does, lk_child_work(py->t, (pid_t)pid));
    return c->n < LK_PY_MAX_THREADS;
}

static bool set_by_child(struct lk_py *py, lk_addr key, lk_addr item, void *arg)
{
    (void)key;
    lk_py_future_set_by(py, lk_py_attr(py, item, "future"), *(struct lk_ref *)arg, true,
                        LK_ORIGIN_EXECUTOR);
    return true;
}

/* A ProcessPoolExecutor's thread keeps the pending items, by number, and the processes that work
 * them off, by pid. */
static void read_process_pool(struct lk_py *py, lk_addr processes, lk_addr pending)
{
    struct pool_children c = { 0 };
    if (!processes || !pending || !lk_reader_kernel(py))
        return;
    lk_py_dict_each(py, processes, count_child, &c);
    if (c.n == 0)
        return;
    const char *text =
        c.n == 1 ? lk_arena_printf(py->s->arena, "child process %lld", (long long)c.first)
                 : lk_arena_printf(py->s->arena, "child process %lld and %zu more of its pool",
                                   (long long)c.first, c.n - 1);
    struct lk_ref child = lk_snapshot_extern(py->s, LK_EXT_CHILD, text, LK_UNKNOWN);
    lk_extern_at(py->s, child)->child = c.does;
    lk_extern_at(py->s, child)->pool = true;
    lk_py_dict_each(py, pending, set_by_child, &child);
}

/* Its management thread: a method from 3.9 on, a function before. */
static void read_if_process_pool(struct lk_py *py, const struct lk_pyf *f)
{
    static const char file[] = "/concurrent/futures/process.py";
    if (lk_py_frame_is(py, f, "run", file)) {
        lk_addr self = lk_py_local(py, f, "self");
        read_process_pool(py, lk_py_attr(py, self, "processes"),
                          lk_py_attr(py, self, "pending_work_items"));
    } else if (lk_py_frame_is(py, f, "_queue_management_worker", file)) {
        read_process_pool(py, lk_py_local(py, f, "processes"),
                          lk_py_local(py, f, "pending_work_items"));
    }
}

/* ---- the executors of the threads that work for one -------------------------------------- */

void lk_py_read_executors(struct lk_py *py)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *f = lk_py_frames_of_thread(py, i);
        for (size_t j = 0; f && j < f->n; j++) {
            if (lk_py_frame_is(py, &f->v[j], "_worker", "/concurrent/futures/thread.py"))
                add_worker(py,
                           lk_py_executor(py, lk_py_weakref(py, lk_py_local(py, &f->v[j],
                                                                            "executor_reference"))),
                           lk_ref_make(LK_KIND_THREAD, i));
            else if (lk_py_frame_is(py, &f->v[j], "run_until_future",
                                    "/asgiref/current_thread_executor.py"))
                lk_py_executor(py, lk_py_local(py, &f->v[j], "self"));
            else
                read_if_process_pool(py, &f->v[j]);
        }
    }
}
