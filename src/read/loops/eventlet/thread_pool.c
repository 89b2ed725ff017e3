/*
 * eventlet/tpool.py, 0.30 - 0.41: one pool a process, whose threads all begin with the first work;
 * _reqq is a queue.Queue of (Event, function, args, kwargs), and the Event of what a thread works
 * on is a local variable of its tworker().
 */
#include "read/loops/eventlet/thread_pool.h"

#include "read/loops/greenlet/pool.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/stdlib/thread_object.h"

enum { MAX_WORKERS = 4096, MAX_ITEMS = 4096 };

#define MODULE "eventlet.tpool"

static void read_work(struct lk_py *py, struct lk_ref thread)
{
    const struct lk_pyframes *f = lk_py_frames_of_thread(py, thread.index);
    for (size_t i = 0; f && i < f->n; i++) {
        if (!lk_py_frame_is(py, &f->v[i], "tworker", "eventlet/tpool.py"))
            continue;
        lk_addr event = lk_py_local(py, &f->v[i], "e");
        if (event && !lk_py_is_none(py, event))
            lk_hub_job(py, event, thread);
    }
}

static void read_workers(struct lk_py *py, struct lk_ref pool, lk_addr threads)
{
    size_t n = 0;
    bool known;
    lk_addr *v = lk_py_items(py, threads, MAX_WORKERS, &n);
    for (size_t i = 0; v && i < n; i++) {
        struct lk_ref thread = lk_py_thread_of_object(py, v[i], &known);
        if (thread.kind != LK_KIND_THREAD)
            continue;
        lk_hub_pool_worker(py, pool, thread);
        read_work(py, thread);
    }
}

void lk_eventlet_read_pool(struct lk_py *py)
{
    lk_addr threads = lk_py_module_attr(py, MODULE, "_threads"),
            size = lk_py_module_attr(py, MODULE, "_nthreads"),
            queue = lk_py_module_attr(py, MODULE, "_reqq");
    lk_addr deque = queue ? lk_py_attr(py, queue, "queue") : 0;
    int64_t max;
    size_t n = 0;
    if (!threads || lk_py_len(py, threads) <= 0 || !size || !lk_py_int(py, size, &max) || !deque)
        return;
    struct lk_ref pool = lk_hub_pool(py, threads, "eventlet.tpool", max, lk_py_len(py, deque));
    read_workers(py, pool, threads);
    lk_addr *v = lk_py_items(py, deque, MAX_ITEMS, &n);
    for (size_t i = 0; v && i < n; i++)
        lk_hub_job(py, lk_py_item(py, v[i], 0), pool);
}
