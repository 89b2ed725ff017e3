/*
 * gevent/threadpool.py, 21 - 26: ThreadPool has _maxsize, the _worker_greenlets that its threads
 * run, a task_queue with a deque of (function, args, kwargs, ThreadResult), and a semaphore that
 * spawn() takes a unit of before it queues anything. A ThreadResult tells its receiver, an
 * AsyncResult; while it is worked on it is a local variable of the worker.
 */
#include "read/loops/gevent/thread_pool.h"

#include "read/loops/greenlet/hub.h"
#include "read/loops/greenlet/pool.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"

enum { MAX_WORKERS = 4096, MAX_ITEMS = 4096, RESULT = 3 };

static void read_work(struct lk_py *py, struct lk_ref thread)
{
    const struct lk_pyframes *f = lk_py_frames_of_thread(py, thread.index);
    for (size_t i = 0; f && i < f->n; i++) {
        lk_addr result = lk_py_frame_is(py, &f->v[i], "__run_task", "gevent/threadpool.py")
                             ? lk_py_local(py, &f->v[i], "thread_result")
                             : 0;
        if (!result)
            continue;
        lk_hub_job(py, lk_py_attr(py, result, "receiver"), thread);
        return;
    }
}

static void read_workers(struct lk_py *py, struct lk_ref pool, lk_addr workers)
{
    size_t n = 0;
    lk_addr *v = workers ? lk_py_items(py, workers, MAX_WORKERS, &n) : NULL;
    for (size_t i = 0; v && i < n; i++) {
        const struct lk_met_greenlet *g = lk_met_greenlet(py, v[i]);
        if (!g || g->dead || g->thread.kind != LK_KIND_THREAD)
            continue;
        lk_hub_pool_worker(py, pool, g->thread);
        read_work(py, g->thread);
    }
}

static void read_queue(struct lk_py *py, struct lk_ref pool, lk_addr deque)
{
    size_t n = 0;
    lk_addr *v = lk_py_items(py, deque, MAX_ITEMS, &n);
    for (size_t i = 0; v && i < n; i++) {
        lk_addr result = lk_py_item(py, v[i], RESULT);
        if (result)
            lk_hub_job(py, lk_py_attr(py, result, "receiver"), pool);
    }
}

void lk_gevent_read_pool(struct lk_py *py, lk_addr obj)
{
    lk_addr queue = lk_py_attr(py, obj, "task_queue"), size = lk_py_attr(py, obj, "_maxsize");
    lk_addr deque = queue ? lk_py_attr(py, queue, "_queue") : 0;
    int64_t max;
    if (!deque || !size || !lk_py_int(py, size, &max) || lk_py_len(py, deque) < 0)
        return;
    struct lk_ref pool =
        lk_hub_pool(py, obj, "gevent.threadpool.ThreadPool", max, lk_py_len(py, deque));
    read_workers(py, pool, lk_py_attr(py, obj, "_worker_greenlets"));
    read_queue(py, pool, deque);
    lk_hub_pool_limit(py, pool, lk_py_attr(py, obj, "_available_worker_threads_greenlet_sem"));
}
