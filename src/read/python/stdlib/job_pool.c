/*
 * multiprocessing.pool (CPython Lib/multiprocessing/pool.py, 3.8 - 3.15). Its thread in
 * _handle_workers has all of it in its locals: `cache`, the results that are not there yet by
 * number of the job, `pool`, the workers, `processes`, how many there are to be, and the queues. A
 * task is a tuple that begins with its job's number, and so is the local `task` of a worker at
 * work. A worker process that ends (os._exit, a signal) takes its job with it: another worker takes
 * its place, and the result never comes.
 */
#include "read/python/stdlib/job_pool.h"

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
#include "read/python/stdlib/lock.h"
#include "read/python/stdlib/pool_children.h"
#include "read/python/stdlib/socket.h"
#include "read/python/stdlib/thread_object.h"
#include "snapshot/builder.h"

#define POOL "/multiprocessing/pool.py"

struct job_pool {
    lk_addr cache, in, out, tasks;
    lk_addr *workers;
    size_t n_workers;
    int64_t processes;
};

/* ---- results by the number of their job ---------------------------------------------- */

struct by_number {
    int64_t number;
    lk_addr found;
};

static bool has_number(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct by_number *x = arg;
    int64_t n;
    if (lk_py_int(py, key, &n) && n == x->number)
        x->found = value;
    return !x->found;
}

static void set_by(struct lk_py *py, const struct job_pool *p, lk_addr number, struct lk_ref by)
{
    struct by_number x = { 0 };
    if (!number || !lk_py_int(py, number, &x.number))
        return;
    lk_py_dict_each(py, p->cache, has_number, &x);
    if (lk_py_known_class(py, x.found, NULL) == LK_CLASS_POOL_RESULT)
        lk_py_future_set_by(py, x.found, by, true, LK_ORIGIN_EXECUTOR);
}

/* ---- ThreadPool -------------------------------------------------------------------------- */

/* What this worker has in hand. */
static void read_worker(struct lk_py *py, const struct job_pool *p, struct lk_ref thread)
{
    const struct lk_pyframes *frames = lk_py_frames_of_thread(py, thread.index);
    for (size_t i = 0; frames && i < frames->n; i++)
        if (lk_py_frame_is(py, &frames->v[i], "worker", POOL))
            set_by(py, p, lk_py_local(py, &frames->v[i], "job"), thread);
}

static void read_queued(struct lk_py *py, const struct job_pool *p, struct lk_ref pool)
{
    lk_addr *items;
    size_t n;
    if (!lk_py_queue_items(py, p->in, &items, &n))
        return;
    for (size_t i = 0; i < n; i++)
        if (lk_py_kind(py, items[i]) == LK_PYK_TUPLE)
            set_by(py, p, lk_py_item(py, items[i], 0), pool);
    lk_executor_at(py->s, pool)->queued = (int64_t)n;
}

static void read_threads(struct lk_py *py, const struct job_pool *p, lk_addr list)
{
    bool is_new, known;
    struct lk_ref pool = lk_snapshot_executor(py->s, list, &is_new);
    struct lk_executor *x = lk_executor_at(py->s, pool);
    x->kind = "multiprocessing ThreadPool";
    x->max_workers = p->processes;
    for (size_t i = 0; i < p->n_workers; i++) {
        struct lk_ref thread = lk_py_thread_of_object(py, p->workers[i], &known);
        struct lk_thread *t = lk_thread_at(py->s, thread);
        if (!t)
            continue;
        lk_refs_add(py->s, &x->workers, thread);
        t->works_for = pool;
        read_worker(py, p, thread);
    }
    read_queued(py, p, pool);
}

/* ---- Pool -------------------------------------------------------------------------------- */

static int64_t pid_of(struct lk_py *py, lk_addr process)
{
    int64_t pid;
    lk_addr v = lk_py_attr(py, lk_py_attr(py, process, "_popen"), "pid");
    return v && lk_py_int(py, v, &pid) ? pid : 0;
}

/* The end of a pipe that this process reads, or would. */
static int64_t reading_end(struct lk_py *py, lk_addr queue)
{
    int64_t fd;
    lk_addr v = lk_py_attr(py, lk_py_attr(py, queue, "_reader"), "_handle");
    return v && lk_py_int(py, v, &fd) ? fd : LK_UNKNOWN;
}

static bool is_empty_pipe(struct lk_py *py, lk_addr queue)
{
    int64_t fd = reading_end(py, queue);
    return fd != LK_UNKNOWN && lk_process_unread(py->t, fd) == 0;
}

/* The thread that hands results on (or tasks) waits for the next one. */
static bool hands_on_nothing(struct lk_py *py, const struct job_pool *p)
{
    size_t idle = 0;
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *f = lk_py_frames_of_thread(py, i);
        const struct lk_thread *t = &py->s->threads.v[i];
        for (size_t k = 0; f && k < f->n; k++) {
            bool results = lk_py_frame_is(py, &f->v[k], "_handle_results", POOL);
            if ((!results && !lk_py_frame_is(py, &f->v[k], "_handle_tasks", POOL)) ||
                lk_py_local(py, &f->v[k], "cache") != p->cache)
                continue;
            idle += !t->running && t->os.on == (results ? LK_OS_PIPE : LK_OS_FUTEX);
        }
    }
    return idle == 2;
}

/* Nothing is on its way to a worker or from one, and each waits for the next job. */
static bool all_idle(struct lk_py *py, const struct job_pool *p)
{
    lk_addr *items;
    size_t n;
    int64_t fd = reading_end(py, p->in);
    lk_addr lock = lk_py_attr(py, lk_py_attr(py, p->in, "_rlock"), "_semlock");
    if (fd == LK_UNKNOWN || !lk_py_queue_items(py, p->tasks, &items, &n) || n ||
        !is_empty_pipe(py, p->in) || !lock)
        return false;
    const char *pipe = lk_process_fd_name(py->t, fd, py->s->arena);
    lk_addr turn = lk_py_semaphore_of(py, lock);
    for (size_t i = 0; pipe && i < p->n_workers; i++)
        if (!lk_process_child_idles(py->t, pid_of(py, p->workers[i]), pipe, turn))
            return false;
    return pipe && is_empty_pipe(py, p->out) && hands_on_nothing(py, p);
}

struct setter {
    struct lk_ref by;
    bool lost;
    enum lk_future_origin origin;
};

static bool set_result_by(struct lk_py *py, lk_addr key, lk_addr result, void *arg)
{
    const struct setter *by = arg;
    (void)key;
    if (lk_py_known_class(py, result, NULL) != LK_CLASS_POOL_RESULT)
        return true;
    if (by->lost)
        lk_map_put(&lk_reader(py)->lost_jobs, result, 1);
    else
        lk_py_future_set_by(py, result, by->by, true, by->origin);
    return true;
}

static void read_processes(struct lk_py *py, const struct job_pool *p)
{
    enum { MOST = 64 }; /* workers that are asked whether they are idle */
    struct lk_pool_children c = { 0 };
    if (!lk_process_answers(py->t))
        return;
    for (size_t i = 0; i < p->n_workers; i++) {
        int64_t pid = pid_of(py, p->workers[i]);
        if (pid <= 0)
            return;
        lk_pool_child_add(py, &c, pid);
    }
    struct setter by = { .by = lk_pool_children_extern(py, &c), .origin = LK_ORIGIN_EXECUTOR };
    by.lost = p->n_workers <= MOST && (int64_t)p->n_workers == p->processes &&
              c.does != LK_CHILD_RUNS && all_idle(py, p);
    lk_py_dict_each(py, p->cache, set_result_by, &by);
}

/* The thread that hands all results on, where it stands in the callback of one (ApplyResult._set):
 * no other one comes meanwhile. */
static void read_hand(struct lk_py *py, const struct job_pool *p)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *f = lk_py_frames_of_thread(py, i);
        bool hands = false, calls = false;
        for (size_t k = 0; f && k < f->n; k++) {
            hands |= lk_py_frame_is(py, &f->v[k], "_handle_results", POOL) &&
                     lk_py_local(py, &f->v[k], "cache") == p->cache;
            calls |= lk_py_frame_is(py, &f->v[k], "_set", POOL);
        }
        struct setter by = { .by = lk_ref_make(LK_KIND_THREAD, i), .origin = LK_ORIGIN_HANDED_ON };
        if (hands && calls)
            lk_py_dict_each(py, p->cache, set_result_by, &by);
    }
}

void lk_py_read_job_pool(struct lk_py *py, const struct lk_pyf *f)
{
    struct job_pool p = {
        .cache = lk_py_local(py, f, "cache"),
        .in = lk_py_local(py, f, "inqueue"),
        .out = lk_py_local(py, f, "outqueue"),
        .tasks = lk_py_local(py, f, "taskqueue"),
    };
    lk_addr list = lk_py_local(py, f, "pool"), processes = lk_py_local(py, f, "processes");
    p.workers = list ? lk_py_items(py, list, LK_PY_MAX_THREADS, &p.n_workers) : NULL;
    if (!p.workers || !p.n_workers || !p.cache || lk_py_len(py, p.cache) <= 0 || !processes ||
        !lk_py_int(py, processes, &p.processes))
        return;
    read_hand(py, &p);
    if (lk_py_known_class(py, p.workers[0], NULL) == LK_CLASS_THREAD)
        read_threads(py, &p, list);
    else
        read_processes(py, &p);
}
