/*
 * Tasks of trio (trio/_core/_run.py Task, 0.22 - 0.35): the Runner's set `tasks` has all of them.
 * One with a _next_send_fn is to make a step, at once or with the others that were ready when the
 * loop's turn began; the one that makes it has its coroutine on the thread's stack. All are entered
 * before any is read, since locks name their owners and nurseries their children.
 */
#include "read/loops/trio/tasks.h"

#include "read/loops/asyncio/coroutine_task.h"
#include "read/loops/asyncio/setters.h"
#include "read/loops/trio/bridge.h"
#include "read/loops/trio/loop.h"
#include "read/loops/trio/task_wait.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"
#include "read/python/stdlib/unit_holders.h"
#include "read/python/stdlib/with_blocks.h"
#include "read/python/waits/resolve.h"
#include "util/redact.h"

enum {
    TASK_SIZE = 256, /* a Task with its slots: 0.22 has 26 of them */
    PREFETCH = 1024,
};

/* ---- entering ---------------------------------------------------------------------------- */

static void enter(struct lk_py *py, struct lk_ref loop, lk_addr obj)
{
    bool is_new;
    int64_t steps;
    struct lk_ref ref = lk_py_task_of_kind(py, obj, LK_TASK_COROUTINE, &is_new);
    lk_addr name = lk_trio_attr(py, obj, "name");
    const char *text = name ? lk_py_str(py, name) : NULL;
    struct lk_task *k = lk_task_at(py->s, ref);
    k->name = text ? lk_redact_name(py->s->arena, text) : "";
    k->loop = loop;
    k->state = LK_TASK_PENDING;
    k->started = true;
    k->ready = lk_trio_attr(py, obj, "_next_send_fn") != 0;
    if (lk_py_int(py, lk_trio_attr(py, obj, "_schedule_points"), &steps))
        k->salt = 1 + (uint64_t)steps; /* that it went on shows, wherever it is again */
}

/* How many of them are tasks: of a set that was read while it changed not all need be. */
static size_t enter_all(struct lk_py *py, struct lk_ref loop, const lk_addr *tasks, size_t n)
{
    size_t entered = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % PREFETCH == 0)
            lk_prefetch(py->t, tasks + i, LK_MIN(n - i, (size_t)PREFETCH), TASK_SIZE);
        if (lk_py_known_class(py, tasks[i], NULL) != LK_CLASS_TRIO_TASK ||
            !lk_trio_attr(py, tasks[i], "coro"))
            continue;
        enter(py, loop, tasks[i]);
        entered++;
    }
    return entered;
}

/* What the loop runs for itself: the root of all tasks, and what waits for other threads' calls. */
static bool is_inner(const struct lk_pystack *st)
{
    const struct lk_code *c = st->n ? st->frames[st->n - 1].code : NULL;
    return c && (lk_ends_with(c->file, "/trio/_core/_run.py") ||
                 lk_ends_with(c->file, "/trio/_core/_entry_queue.py"));
}

/* ---- reading ----------------------------------------------------------------------------- */

static void read_suspended(struct lk_py *py, struct lk_ref ref, lk_addr coro,
                           struct lk_trio_bridge *b)
{
    struct lk_reader *a = lk_reader(py);
    lk_addr leaf = 0;
    const char *leaf_type = NULL;
    bool truncated = false;

    a->chain.n = 0;
    lk_py_await_chain(py, coro, &a->chain, &leaf, &leaf_type, &truncated);
    struct lk_aio_chain *c = lk_coro_chain(py, &a->chain, truncated);
    struct lk_task *k = lk_task_at(py->s, ref);
    k->stack = c->stack;
    k->started = !(a->chain.n == 1 && a->chain.v[0].lasti < 0);
    k->http = c->asgi && lk_coro_serves_http(py, &a->chain);
    lk_trio_note_frames(py, b, &a->chain, ref);
    if (lk_task_at(py->s, ref)->ready) {
        struct lk_wait w = { .timeout_ms = LK_FOREVER, .frame = -1 };
        lk_wait_on(py, &w, LK_WAIT_READY, b->loop, true);
        lk_task_at(py->s, ref)->wait = w;
    } else {
        b->waiting++;
        b->strange += !lk_trio_task_wait(py, ref, &a->chain);
    }
    if (c->plain)
        return;
    bool special = lk_aio_note_setters(py, &a->chain, ref) > 0;
    special |= lk_py_note_with_blocks(py, &a->chain, false, ref);
    special |= lk_py_note_bare_acquires(py, &a->chain, ref) > 0;
    special |= lk_py_note_releasing(py, &a->chain, false, ref) > 0;
    c->plain = !special;
}

static void read_task(struct lk_py *py, struct lk_ref ref, struct lk_trio_bridge *b)
{
    lk_addr coro = lk_trio_attr(py, lk_task_at(py->s, ref)->addr, "coro");
    uint64_t thread;
    if (lk_coro_thread(py, coro, &thread)) {
        lk_coro_set_running(py, ref, (size_t)thread, coro);
        lk_task_at(py->s, ref)->ready = false;
        if (lk_py_frames_of_thread(py, (size_t)thread))
            lk_trio_note_frames(py, b, lk_py_frames_of_thread(py, (size_t)thread), ref);
    } else {
        read_suspended(py, ref, coro, b);
    }
    struct lk_task *k = lk_task_at(py->s, ref);
    k->coroutine = lk_coro_name(py, coro, k->stack);
    k->inner = is_inner(k->stack);
}

/* One may have been read while it moved; most of them are of a release that is not known. */
static void say_strange(struct lk_py *py, struct lk_ref loop)
{
    const char *id = lk_loop_at(py->s, loop)->id;
    lk_snapshot_limit_decides(py->s, "what the tasks of loop %s (trio) wait for could not be told",
                              id);
}

static void read_all(struct lk_py *py, struct lk_ref loop, const lk_addr *tasks, size_t n)
{
    struct lk_trio_bridge b = { .loop = loop };
    int64_t ready = 0;
    lk_trio_note_threads(py, &b);
    for (size_t i = 0; i < n; i++) {
        struct lk_ref ref = lk_snapshot_find(py->s, LK_KIND_TASK, tasks[i]);
        if (ref.kind == LK_KIND_NONE)
            continue;
        if (py->until_us && lk_now_us() >= py->until_us)
            break;
        read_task(py, ref, &b);
        ready += lk_task_at(py->s, ref)->ready && !lk_task_at(py->s, ref)->inner;
    }
    lk_trio_join_bridge(py, &b);
    if (b.strange * 2 > b.waiting)
        say_strange(py, loop);
    lk_trio_bridge_deinit(&b);
    lk_loop_at(py->s, loop)->ready = ready;
}

static void say_unreadable(struct lk_py *py, struct lk_ref loop)
{
    const struct lk_loop *o = lk_loop_at(py->s, loop);
    lk_read_senseless(py->t, o->addr, TASK_SIZE);
    lk_snapshot_limit_of(py->s, loop, lk_read_failed(py->t),
                         "the tasks of loop %s (trio) could not be read", o->id);
    lk_snapshot_limit_decides(py->s, "the tasks of loop %s (trio) could not be read", o->id);
}

void lk_trio_read_tasks(struct lk_py *py, struct lk_ref loop)
{
    const char *before = lk_reading(py->t, "the tasks of a trio runner");
    const struct lk_loop *o = lk_loop_at(py->s, loop);
    size_t n = 0, entered = 0;
    lk_read_watch(py->t);
    lk_addr set = lk_py_attr(py, o->addr, "tasks");
    int64_t len = o->closed == LK_YES ? 0 : set ? lk_py_len(py, set) : -1;
    lk_addr *tasks = len > 0 ? lk_py_items(py, set, LK_PY_MAX_ITEMS, &n) : NULL;
    entered = enter_all(py, loop, tasks, n);
    if (len < 0 || (len > 0 && !entered))
        say_unreadable(py, loop);
    else if ((int64_t)entered < len)
        lk_reader_cut_tasks(py);
    if (entered)
        read_all(py, loop, tasks, n);
    lk_reading(py->t, before);
}
