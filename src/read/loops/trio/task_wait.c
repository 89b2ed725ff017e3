/*
 * What a suspended task waits for: the frames of its coroutines say it, and the objects that these
 * have in `self`. A task that parks keeps the queue that it is in as custom_sleep_data, for
 * Condition.notify puts it into the lock's (trio/_sync.py). Who leaves a nursery waits for all of
 * its _children (trio/_core/_run.py).
 */
#include "read/loops/trio/task_wait.h"

#include "read/loops/trio/bridge.h"
#include "read/loops/trio/frame_rows.h"
#include "read/loops/trio/scopes.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"
#include "read/python/waits/resolve.h"

enum { MEMO = 2 }; /* of lk_reader.no_row */

/* A deadline alone ends it; without one nothing that is known does. */
static bool wait_asleep(struct lk_py *py, struct lk_wait *w)
{
    if (w->timeout_ms == LK_FOREVER)
        lk_wait_on(py, w, LK_WAIT_EVENT, lk_ref_make(LK_KIND_NONE, 0), false);
    else
        lk_wait_on_extern(py, w, LK_WAIT_SLEEP, LK_EXT_TIMER, "timer", w->timeout_ms);
    return true;
}

static bool wait_for_children(struct lk_py *py, struct lk_wait *w, lk_addr nursery)
{
    size_t n = 0;
    lk_addr children = nursery ? lk_py_attr(py, nursery, "_children") : 0,
            *items = children ? lk_py_items(py, children, LK_PY_MAX_ITEMS, &n) : NULL;
    if (!children)
        return false;
    w->kind = LK_WAIT_FUTURE;
    for (size_t i = 0; items && i < n; i++)
        lk_refs_add(py->s, &w->on, lk_snapshot_find(py->s, LK_KIND_TASK, items[i]));
    w->complete = w->on.n > 0 && w->on.n == n;
    return true;
}

static bool wait_at_condition(struct lk_py *py, struct lk_wait *w, struct lk_ref task, lk_addr cond)
{
    lk_addr lock = lk_py_attr(py, cond, "_lock"),
            lot = lk_py_attr(py, lk_task_at(py->s, task)->addr, "custom_sleep_data");
    if (lock && lot && lk_py_attr(py, lock, "_lot") == lot) /* notified: it wants its lock back */
        return lk_wait_on_lock(py, w, LK_WAIT_LOCK, lk_py_lock(py, lock));
    return lk_wait_on_lock(py, w, LK_WAIT_CONDITION, lk_py_lock(py, cond));
}

static bool wait_for_process(struct lk_py *py, struct lk_wait *w, lk_addr process)
{
    int64_t pid;
    lk_addr popen = lk_py_attr(py, process, "_proc");
    if (!popen || !lk_py_int(py, lk_py_attr(py, popen, "pid"), &pid))
        return false;
    lk_wait_on_pid(py, w, pid);
    return true;
}

static bool resolve(struct lk_py *py, const struct lk_wait_run *run, struct lk_ref task,
                    struct lk_wait *w)
{
    const struct lk_wait_row *r = run->row;
    const struct lk_waiter who = { .ref = task };
    lk_addr obj = r->local ? lk_py_local(py, run->frame, r->local) : 0;
    switch (r->how) {
    case LK_HOW_SLEEP: return wait_asleep(py, w);
    case LK_HOW_SELECT:
        lk_wait_on(py, w, r->kind, lk_ref_make(LK_KIND_NONE, 0), false);
        return true;
    case LK_HOW_FUTURES: return wait_for_children(py, w, obj);
    case LK_HOW_GROUP:
        return lk_wait_on_lock(py, w, r->kind, lk_py_lock(py, lk_py_attr(py, obj, "_state")));
    case LK_HOW_WORKER: lk_wait_on(py, w, r->kind, lk_trio_pool(py, obj), true); return true;
    case LK_HOW_CHILD: return wait_for_process(py, w, obj);
    case LK_HOW_OBJECT:
        if (r->kind == LK_WAIT_CONDITION && r->cls == LK_CLASS_TRIO_CONDITION)
            return wait_at_condition(py, w, task, obj);
        break;
    default: break;
    }
    return lk_wait_resolve(py, run, run->innermost, &who, w);
}

bool lk_trio_task_wait(struct lk_py *py, struct lk_ref task, const struct lk_pyframes *frames)
{
    const struct lk_wait_rows rows = { lk_trio_wait_rows, lk_n_trio_wait_rows, MEMO };
    const struct lk_task *k = lk_task_at(py->s, task);
    struct lk_wait w = { .kind = LK_WAIT_UNKNOWN, .frame = -1 };
    struct lk_wait_run run;

    w.timeout_ms = lk_trio_deadline(py, lk_loop_at(py->s, k->loop)->addr, k->addr);
    lk_wait_match(py, &rows, frames, false, &run);
    w.frame = run.n < frames->n ? (int)run.n : frames->n ? 0 : -1;
    w.call = run.call ? run.call : "await";
    w.traits = run.traits;
    if (!run.row || !resolve(py, &run, task, &w)) {
        w.kind = LK_WAIT_UNKNOWN;
        w.on = (struct lk_refs){ 0 };
        w.complete = false;
    }
    lk_task_at(py->s, task)->wait = w;
    return run.call != NULL;
}
