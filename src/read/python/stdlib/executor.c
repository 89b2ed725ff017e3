/* Executors: their workers, and the work items still in their queues. */
#include "read/python/stdlib/executor.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"
#include "read/python/reader/queue_items.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/job_pool.h"
#include "read/python/stdlib/pool_children.h"
#include "read/python/stdlib/socket.h"
#include "read/python/stdlib/thread_object.h"
#include "snapshot/builder.h"

/* ---- queues -------------------------------------------------------------------------- */

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

    if (!queue || !lk_py_queue_items(py, queue, &items, &n))
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
    if (lk_refs_has(&x->workers, thread))
        return;
    lk_refs_add(py->s, &x->workers, thread);
    /* A request's own thread that idles for a bridge is no pool worker. */
    struct lk_thread *t = lk_thread_at(py->s, thread);
    if (t->works_for.kind == LK_KIND_NONE && lk_py_known_class(py, x->addr, NULL) == LK_CLASS_POOL)
        t->works_for = ref;
}

/* Of no interpreter: which of them a pool belongs to it does not say. */
static bool is_exiting(struct lk_py *py)
{
    bool known = false;
    for (size_t i = 0; i < py->interpreters.n; i++) {
        lk_addr exit = lk_py_module_attr_in(py, i, "concurrent.futures.thread", "_shutdown");
        if (exit && lk_py_bool(py, exit) != LK_NO)
            return true;
        known |= exit != 0;
    }
    return !known;
}

/* Neither shut down nor broken, and the interpreter is not about to end. */
static bool runs(struct lk_py *py, struct lk_ref ref, lk_addr obj)
{
    lk_addr broken = lk_py_attr(py, obj, "_broken");
    return lk_executor_at(py->s, ref)->shutdown == LK_NO &&
           (!broken || lk_py_bool(py, broken) == LK_NO) && !is_exiting(py);
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
    /* Workers end when the pool is shut down, or broken by its initializer; else a fork takes them
     * away, or an exception that _WorkItem.run lets out: a future that was completed by others. */
    bool lost = n > 0 && gone == n && runs(py, ref, obj);
    lk_executor_at(py->s, ref)->lost_in_fork = lost && py->s->forked;
    lk_executor_at(py->s, ref)->workers_gone =
        lost && !py->s->forked && (int64_t)n >= lk_executor_at(py->s, ref)->max_workers &&
        lk_executor_at(py->s, ref)->max_workers != LK_UNKNOWN;
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
    return !queue || !lk_py_queue_items(py, queue, &items, &n) || n > 0;
}

/* asgiref: runs items on the thread that waits in run_until_future. */
static void read_current_thread_executor(struct lk_py *py, struct lk_ref ref, lk_addr obj)
{
    bool known;
    lk_executor_at(py->s, ref)->max_workers = 1;
    add_worker(py, ref, lk_py_thread_of_object(py, lk_py_attr(py, obj, "_work_thread"), &known));
    read_queue(py, ref, work_of_current_thread(py, obj));
}

void lk_py_read_executor(struct lk_py *py, struct lk_ref ref)
{
    lk_addr obj = lk_executor_at(py->s, ref)->addr;
    enum lk_known_class cls = lk_py_known_class(py, obj, NULL);
    if (cls == LK_CLASS_POOL)
        read_pool(py, ref, obj);
    else if (cls == LK_CLASS_CURRENT_THREAD_EXECUTOR)
        read_current_thread_executor(py, ref, obj);
}

/* ---- process pools ------------------------------------------------------------------- */

static bool count_child(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct lk_pool_children *c = arg;
    int64_t pid;
    (void)value;
    if (lk_py_int(py, key, &pid) && pid > 0)
        lk_pool_child_add(py, c, pid);
    return c->n < LK_PY_MAX_THREADS;
}

static bool set_by(struct lk_py *py, lk_addr key, lk_addr item, void *arg)
{
    const struct lk_ref *by = arg;
    (void)key;
    lk_py_future_set_by(py, lk_py_attr(py, item, "future"), *by, true,
                        by->kind == LK_KIND_THREAD ? LK_ORIGIN_HANDED_ON : LK_ORIGIN_EXECUTOR);
    return true;
}

/* It hands one result on, and stands in a callback of that one's future. */
static bool is_in_callback(struct lk_py *py, size_t thread)
{
    const struct lk_pyframes *f = lk_py_frames_of_thread(py, thread);
    for (size_t i = 0; f && i < f->n; i++)
        if (lk_py_frame_is(py, &f->v[i], "_invoke_callbacks", "/concurrent/futures/_base.py"))
            return true;
    return false;
}

/*
 * A ProcessPoolExecutor's thread keeps the pending items, by number, and the processes that work
 * them off, by pid. It hands all results on, and calls the futures' callbacks: none comes while it
 * is in one.
 */
static void read_process_pool(struct lk_py *py, size_t thread, lk_addr processes, lk_addr pending)
{
    struct lk_pool_children c = { 0 };
    struct lk_ref by = lk_ref_make(LK_KIND_THREAD, thread);
    if (!processes || !pending || !lk_process_answers(py->t))
        return;
    lk_py_dict_each(py, processes, count_child, &c);
    if (!is_in_callback(py, thread))
        by = lk_pool_children_extern(py, &c);
    lk_py_dict_each(py, pending, set_by, &by);
}

/* Its management thread: a method from 3.9 on, a function before. */
static void read_if_process_pool(struct lk_py *py, size_t thread, const struct lk_pyf *f)
{
    static const char file[] = "/concurrent/futures/process.py";
    if (lk_py_frame_is(py, f, "run", file)) {
        lk_addr self = lk_py_local(py, f, "self");
        read_process_pool(py, thread, lk_py_attr(py, self, "processes"),
                          lk_py_attr(py, self, "pending_work_items"));
    } else if (lk_py_frame_is(py, f, "_queue_management_worker", file)) {
        read_process_pool(py, thread, lk_py_local(py, f, "processes"),
                          lk_py_local(py, f, "pending_work_items"));
    }
}

/* ---- the executors of the threads that work for one -------------------------------------- */

/* What a frame of a pool's worker works for; NONE where it is no such frame. */
static struct lk_ref worked_for(struct lk_py *py, const struct lk_pyf *f)
{
    if (!lk_py_frame_is(py, f, "_worker", "/concurrent/futures/thread.py"))
        return lk_ref_make(LK_KIND_NONE, 0);
    return lk_py_executor(py, lk_py_weakref(py, lk_py_local(py, f, "executor_reference")));
}

void lk_py_mention_executors(struct lk_py *py, size_t thread)
{
    const struct lk_pyframes *f = lk_py_frames_of_thread(py, thread);
    for (size_t j = 0; f && j < f->n; j++) {
        if (lk_py_frame_is(py, &f->v[j], "run_until_future", "/asgiref/current_thread_executor.py"))
            lk_py_executor(py, lk_py_local(py, &f->v[j], "self"));
        else if (lk_py_frame_is(py, &f->v[j], "_handle_workers", "/multiprocessing/pool.py"))
            lk_py_read_job_pool(py, &f->v[j]);
        else if (worked_for(py, &f->v[j]).kind == LK_KIND_NONE)
            read_if_process_pool(py, thread, &f->v[j]);
    }
}

void lk_py_add_worker(struct lk_py *py, size_t thread)
{
    const struct lk_pyframes *f = lk_py_frames_of_thread(py, thread);
    for (size_t j = 0; f && j < f->n; j++)
        add_worker(py, worked_for(py, &f->v[j]), lk_ref_make(LK_KIND_THREAD, thread));
}
