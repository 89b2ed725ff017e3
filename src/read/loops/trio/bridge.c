/*
 * Threads between tasks and loop (trio/_threads.py, 0.22 - 0.35). to_thread_run_sync keeps its task
 * in a list, task_register, which the function that delivers the worker's result has in its
 * closure; the worker's frame _handle_job (_core/_thread_cache.py) has that function in `deliver`.
 * A thread that calls back waits on a SimpleQueue: up to 0.22 its own local `q`, which the system
 * task made for it has too; later that of a message (Run), which the task that runs it has as
 * `self`: the host task for a call without a token, else a system task. Until one of them has it,
 * the message is among the loop's own entries.
 */
#include "read/loops/trio/bridge.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"

enum {
    MAX_JOBS = 1 << 16,
    MAX_NAMES = 256, /* of one code object */
};

#define THREADS      "/trio/_threads.py"
#define THREAD_CACHE "/trio/_core/_thread_cache.py"

/* ---- who may change how many tokens there are ----------------------------------------------- */

static bool names_total(struct lk_py *py, lk_addr code)
{
    const struct lk_pycode *c = lk_py_code(py, code);
    size_t n = 0;
    lk_addr *names = c && !strstr(c->code->file, "/trio/_")
                         ? lk_py_items(py, lk_py_ptr(py, code + py->layout.co_names), MAX_NAMES, &n)
                         : NULL;
    for (size_t i = 0; names && i < n; i++)
        if (lk_py_str_eq(py, names[i], "total_tokens"))
            return true;
    return false;
}

static void note_resizer(struct lk_py *py, struct lk_trio_bridge *b, const struct lk_pyf *f,
                         struct lk_ref who)
{
    uint64_t names;
    if (!lk_map_get(&b->resizing, f->code, &names)) {
        names = names_total(py, f->code);
        lk_map_put(&b->resizing, f->code, names);
    }
    if (names)
        lk_refs_add(py->s, &b->resizers, who);
}

static void tell_resizers(struct lk_py *py, const struct lk_trio_bridge *b, struct lk_ref limiter)
{
    for (size_t i = 0; i < b->resizers.n; i++)
        lk_vec_add(&py->s->at_hand, ((struct lk_at_hand){ .what = limiter,
                                                          .by = b->resizers.v[i],
                                                          .in_ms = LK_UNKNOWN,
                                                          .callback = "",
                                                          .when = "" }));
}

/* ---- threads ----------------------------------------------------------------------------- */

static const struct {
    const char *function, *local;
} asking[] = {
    { "_send_message_to_trio", "message_to_trio" },
    { "_run_fn_as_system_task", "q" },
};

static lk_addr asks_by(struct lk_py *py, const struct lk_pyf *f)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(asking); i++)
        if (lk_py_frame_is(py, f, asking[i].function, THREADS))
            return lk_py_local(py, f, asking[i].local);
    return 0;
}

static bool is_of_loop(struct lk_py *py, const struct lk_trio_bridge *b, const struct lk_pyf *f)
{
    lk_addr token = lk_py_local(py, f, "trio_token"),
            queue = token ? lk_py_attr(py, token, "_reentry_queue") : 0;
    return queue && queue == lk_py_attr(py, lk_loop_at(py->s, b->loop)->addr, "entry_queue");
}

static struct lk_future *enter_future(struct lk_py *py, lk_addr obj, const char *cls,
                                      struct lk_ref *ref)
{
    bool is_new;
    *ref = lk_snapshot_future(py->s, obj, &is_new);
    struct lk_future *f = lk_future_at(py->s, *ref);
    f->cls = cls;
    f->concurrent = true;
    f->state = LK_FUTURE_RUNNING;
    f->enders_sought = f->enders_complete = true;
    return f;
}

static void note_asking(struct lk_py *py, struct lk_trio_bridge *b, const struct lk_pyf *f)
{
    lk_addr message = asks_by(py, f);
    struct lk_ref ref;
    if (!message || !lk_py_plausible(message) || !is_of_loop(py, b, f))
        return;
    enter_future(py, message, "call into trio", &ref)->state = LK_FUTURE_PENDING;
    lk_refs_add(py->s, &b->asked, ref);
}

static void note_worker(struct lk_py *py, struct lk_trio_bridge *b, const struct lk_pyf *f,
                        size_t thread)
{
    if (!lk_py_frame_is(py, f, "_handle_job", THREAD_CACHE))
        return;
    lk_addr deliver = lk_py_local(py, f, "deliver"),
            report = deliver ? lk_py_closure(py, deliver, "report_back_in_trio_thread_fn") : 0,
            task = report ? lk_py_closure(py, report, "task_register") : 0;
    if (task)
        lk_map_put(&b->workers, task, thread);
}

void lk_trio_note_threads(struct lk_py *py, struct lk_trio_bridge *b)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        for (size_t k = 0; frames && k < frames->n; k++) {
            note_resizer(py, b, &frames->v[k], lk_ref_make(LK_KIND_THREAD, i));
            note_asking(py, b, &frames->v[k]);
            note_worker(py, b, &frames->v[k], i);
        }
    }
}

/* ---- tasks --------------------------------------------------------------------------------- */

/* Functions that a task runs for a thread, and where they have what the thread waits for. */
static const struct {
    const char *function, *local;
} running[] = {
    { "run", "self" },
    { "run_system", "self" },
    { "await_in_trio_thread_task", "q" },
};

static void note_run(struct lk_py *py, const struct lk_pyf *f, struct lk_ref task)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(running); i++) {
        if (!lk_py_frame_is(py, f, running[i].function, THREADS))
            continue;
        struct lk_ref ref =
            lk_snapshot_find(py->s, LK_KIND_FUTURE, lk_py_local(py, f, running[i].local));
        struct lk_future *asked = lk_future_at(py->s, ref);
        if (asked) {
            asked->state = LK_FUTURE_RUNNING;
            lk_refs_add(py->s, &asked->enders, task);
        }
    }
}

/* What to_thread.run_sync waits for: in that frame, one object for each of its calls. */
static void note_job(struct lk_py *py, struct lk_trio_bridge *b, const struct lk_pyf *f,
                     struct lk_ref task)
{
    struct lk_ref ref;
    uint64_t thread;
    if (b->jobs.n >= MAX_JOBS || !lk_py_frame_is(py, f, "to_thread_run_sync", THREADS))
        return;
    struct lk_trio_job job = { .limiter = lk_py_local(py, f, "limiter"),
                               .placeholder = lk_py_local(py, f, "placeholder"),
                               .task_register = lk_py_local(py, f, "task_register"),
                               .task = task };
    lk_vec_add(&b->jobs, job);
    if (!job.task_register || !lk_map_get(&b->workers, job.task_register, &thread))
        return;
    struct lk_future *done = enter_future(py, job.task_register, "trio.to_thread.run_sync()", &ref);
    done->origin = LK_ORIGIN_EXECUTOR;
    lk_refs_add(py->s, &done->enders, lk_ref_make(LK_KIND_THREAD, thread));
    py->s->threads.v[thread].works_on = ref;
}

void lk_trio_note_frames(struct lk_py *py, struct lk_trio_bridge *b,
                         const struct lk_pyframes *frames, struct lk_ref task)
{
    for (size_t i = 0; i < frames->n; i++) {
        const struct lk_pycode *c = lk_py_code(py, frames->v[i].code);
        note_resizer(py, b, &frames->v[i], task);
        if (!c || !lk_ends_with(c->code->file, THREADS))
            continue;
        note_run(py, &frames->v[i], task);
        note_job(py, b, &frames->v[i], task);
    }
}

/* ---- limiters ------------------------------------------------------------------------------ */

struct lk_ref lk_trio_pool(struct lk_py *py, lk_addr limiter)
{
    bool is_new;
    int64_t total;
    struct lk_ref ref = lk_snapshot_executor(py->s, limiter, &is_new);
    struct lk_executor *x = lk_executor_at(py->s, ref);
    if (!is_new)
        return ref;
    x->kind = "trio.CapacityLimiter";
    x->shutdown = LK_NO;
    x->max_workers =
        lk_py_int(py, lk_py_attr(py, limiter, "_total_tokens"), &total) ? total : LK_UNKNOWN;
    lk_addr lot = lk_py_attr(py, limiter, "_lot");
    int64_t parked = lot ? lk_py_len(py, lk_py_attr(py, lot, "_parked")) : -1;
    x->queued = parked >= 0 ? parked : LK_UNKNOWN;
    return ref;
}

static bool has_token(struct lk_py *py, lk_addr limiter, lk_addr placeholder)
{
    size_t n = 0;
    lk_addr borrowers = lk_py_attr(py, limiter, "_borrowers"),
            *items = borrowers ? lk_py_items(py, borrowers, LK_PY_MAX_ITEMS, &n) : NULL;
    for (size_t i = 0; items && i < n; i++)
        if (items[i] == placeholder)
            return true;
    return false;
}

static void add_worker(struct lk_py *py, const struct lk_trio_bridge *b,
                       const struct lk_trio_job *job)
{
    uint64_t thread;
    if (!job->placeholder || !lk_map_get(&b->workers, job->task_register, &thread) ||
        lk_py_known_class(py, job->limiter, NULL) != LK_CLASS_TRIO_LIMITER ||
        !has_token(py, job->limiter, job->placeholder))
        return;
    struct lk_ref pool = lk_trio_pool(py, job->limiter);
    py->s->threads.v[thread].works_for = pool;
    lk_refs_add(py->s, &lk_executor_at(py->s, pool)->workers, lk_ref_make(LK_KIND_THREAD, thread));
}

/* Whom a limiter's tokens were given to, where that are tasks or their workers. */
static struct lk_ref borrower(struct lk_py *py, const struct lk_trio_bridge *b, lk_addr obj)
{
    for (size_t i = 0; i < b->jobs.n; i++)
        if (b->jobs.v[i].placeholder == obj)
            return b->jobs.v[i].task;
    return lk_snapshot_find(py->s, LK_KIND_TASK, obj);
}

/* A task gives its own token back; that other code does, for it, nobody writes. */
static void read_borrowers(struct lk_py *py, const struct lk_trio_bridge *b, struct lk_ref ref)
{
    struct lk_lock *l = lk_lock_at(py->s, ref);
    size_t n = 0;
    int64_t total;
    lk_addr borrowers = lk_py_attr(py, l->addr, "_borrowers"),
            *items = borrowers ? lk_py_items(py, borrowers, LK_PY_MAX_ITEMS, &n) : NULL;
    if (l->set || !items || !n || !lk_py_int(py, lk_py_attr(py, l->addr, "_total_tokens"), &total))
        return;
    bool all = (int64_t)n >= total;
    for (size_t i = 0; i < n; i++) {
        struct lk_ref task = borrower(py, b, items[i]);
        all &= task.kind == LK_KIND_TASK;
        if (task.kind == LK_KIND_TASK)
            lk_refs_add(py->s, &l->likely_enders, task);
    }
    if (!all) {
        l->likely_enders = (struct lk_refs){ 0 };
        return;
    }
    l->likely_for = "a token of it is held by";
    l->units_known = l->units_all = l->units_counted = true;
    l->units_held = (int64_t)n;
    tell_resizers(py, b, ref);
}

/* ---- all together -------------------------------------------------------------------------- */

void lk_trio_join_bridge(struct lk_py *py, struct lk_trio_bridge *b)
{
    for (size_t i = 0; i < b->asked.n; i++) {
        struct lk_future *f = lk_future_at(py->s, b->asked.v[i]);
        if (!f->enders.n)
            lk_refs_add(py->s, &f->enders, b->loop);
    }
    for (size_t i = 0; i < b->jobs.n; i++)
        add_worker(py, b, &b->jobs.v[i]);
    for (size_t i = 0; i < py->s->locks.n; i++) {
        const struct lk_lock *l = &py->s->locks.v[i];
        if (lk_py_known_class(py, l->addr, NULL) == LK_CLASS_TRIO_LIMITER && !l->units_known)
            read_borrowers(py, b, lk_ref_make(LK_KIND_LOCK, i));
    }
    for (size_t i = 0; i < py->s->executors.n; i++)
        if (lk_py_known_class(py, py->s->executors.v[i].addr, NULL) == LK_CLASS_TRIO_LIMITER)
            tell_resizers(py, b, lk_ref_make(LK_KIND_EXECUTOR, i));
}

void lk_trio_bridge_deinit(struct lk_trio_bridge *b)
{
    lk_map_deinit(&b->workers);
    lk_map_deinit(&b->resizing);
    lk_free(b->jobs.v);
}
