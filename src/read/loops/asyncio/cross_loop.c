/*
 * Tasks that await what belongs to another loop. Awaiting such a future itself is refused
 * (Task.__step, "attached to a different loop"), and since 3.10 a primitive refuses a second loop's
 * waiter (asyncio/mixins.py). Two ways remain: asyncio.wait() of another loop's futures (3.11+: it
 * asks for no loop), whose callback completes the waiter from the other loop's thread; and a
 * primitive whose waiter is completed by code that runs on another loop (queue.put_nowait,
 * event.set, lock.release). Neither wakes the waiter's loop.
 */
#include "read/loops/asyncio/cross_loop.h"

#include <stdlib.h>

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/future_object.h"

enum {
    MAX_ITEMS = 64, /* futures of one wait() that are looked at */
    MAX_TASKS = 64, /* of other loops that are searched for a primitive */
    MAX_ATTRS = 64, /* of the objects their frames work on */
};

static void set_crossing(struct lk_py *py, struct lk_ref task, struct lk_ref what,
                         struct lk_ref other, bool done)
{
    struct lk_task *k = lk_task_at(py->s, task);
    k->crosses = what;
    k->crosses_loop = other;
    k->crosses_done = done;
}

/* ---- asyncio.wait() -------------------------------------------------------------------- */

static void note_wait(struct lk_py *py, struct lk_ref task, const struct lk_aio_fut *f,
                      const struct lk_pyf *frame)
{
    size_t n = 0;
    lk_addr set = lk_py_local(py, frame, "fs"), first = 0, loop = 0;
    lk_addr *items = set ? lk_py_items(py, set, MAX_ITEMS, &n) : NULL;
    bool all_done = true;

    for (size_t i = 0; i < n; i++) {
        struct lk_aio_fut item;
        if (!lk_aio_read_fut(py, items[i], &item) || item.cls == LK_CLASS_CFUTURE)
            continue;
        all_done &= item.state > 0;
        if (item.loop && f->loop && item.loop != f->loop && !first) {
            first = items[i];
            loop = item.loop;
        }
    }
    struct lk_ref other =
        first ? lk_py_loop(py, loop, LK_FOUND_TASK) : lk_ref_make(LK_KIND_NONE, 0);
    if (other.kind != LK_KIND_LOOP)
        return;
    /* Its waiter is done as soon as enough of them are, and then its wake-up is in its own loop's
     * queue. */
    bool woken = lk_map_get(&lk_reader(py)->ready, lk_task_at(py->s, task)->addr, NULL);
    set_crossing(py, task, lk_py_future(py, first), other, all_done || woken);
}

/* ---- primitives ------------------------------------------------------------------------ */

/** An object looked for in the frames of another loop's code. */
struct hunt {
    lk_addr object;
    bool found;
};

static bool is_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct hunt *h = arg;
    h->found = value == h->object ||
               (strcmp(name, "self") == 0 && lk_py_has_value(py, value, h->object, MAX_ATTRS));
    return !h->found;
}

static bool in_frames(struct lk_py *py, const struct lk_pyframes *frames, lk_addr object)
{
    struct hunt h = { .object = object };
    for (size_t i = 0; frames && i < frames->n && !h.found; i++)
        lk_py_local_each(py, &frames->v[i], is_local, &h);
    return h.found;
}

static bool task_has(struct lk_py *py, const struct lk_task *k, lk_addr object)
{
    struct lk_pyframes frames = { 0 };
    bool truncated, ret = lk_aio_await_chain(py, k->addr, &frames, &truncated) &&
                          in_frames(py, &frames, object);
    lk_free(frames.v);
    return ret;
}

/* A running loop, not this one, whose tasks or thread have the object at hand. */
static struct lk_ref user_of(struct lk_py *py, lk_addr object, struct lk_ref loop)
{
    struct lk_snapshot *s = py->s;
    for (size_t i = 0; i < s->threads.n; i++) {
        struct lk_ref on = s->threads.v[i].n_frame_loops ? s->threads.v[i].frame_loops[0]
                                                         : lk_ref_make(LK_KIND_NONE, 0);
        if (on.kind == LK_KIND_LOOP && !lk_ref_eq(on, loop) &&
            in_frames(py, lk_py_frames_of_thread(py, i), object))
            return on;
    }
    size_t looked_at = 0;
    for (size_t i = 0; i < s->tasks.n && looked_at < MAX_TASKS; i++) {
        const struct lk_task *k = &s->tasks.v[i];
        const struct lk_loop *o = lk_loop_at(s, k->loop);
        if (k->state != LK_TASK_PENDING || lk_ref_eq(k->loop, loop) || !o ||
            o->run != LK_LOOP_RUNNING)
            continue;
        looked_at++;
        if (task_has(py, k, object))
            return k->loop;
    }
    return lk_ref_make(LK_KIND_NONE, 0);
}

/* A task whose waiter is done, and whose loop sleeps all the same: somebody completed it without
 * waking the loop. */
static bool is_left_asleep(const struct lk_snapshot *s, const struct lk_task *k)
{
    const struct lk_loop *o = lk_loop_at(s, k->loop);
    return k->ready && o && o->in_own_selector == LK_YES && o->wakeup_unread == 0;
}

void lk_aio_finish_cross_loop(struct lk_py *py)
{
    struct lk_reader *a = lk_reader(py);
    for (size_t i = 0; i < a->on_primitive.n; i++) {
        struct lk_ref task = lk_ref_make(LK_KIND_TASK, a->on_primitive.v[i].task);
        lk_addr object = a->on_primitive.v[i].object;
        const struct lk_task *k = lk_task_at(py->s, task);
        if (!is_left_asleep(py->s, k))
            continue;
        struct lk_ref other = user_of(py, object, k->loop);
        if (other.kind == LK_KIND_LOOP)
            set_crossing(py, task, lk_py_lock(py, object), other, true);
    }
}

/* ---- both ------------------------------------------------------------------------------ */

static bool in_file(struct lk_py *py, const struct lk_pyf *f, const char *end)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    return c && lk_ends_with(c->code->file, end);
}

void lk_aio_note_cross_loop(struct lk_py *py, struct lk_ref task, const struct lk_aio_fut *f,
                            const struct lk_pyframes *frames)
{
    struct lk_reader *a = lk_reader(py);
    const struct lk_pyf *innermost = frames->n ? &frames->v[frames->n - 1] : NULL;
    if (!innermost)
        return;
    if (lk_py_frame_is(py, innermost, "_wait", "/asyncio/tasks.py")) {
        note_wait(py, task, f, innermost);
        return;
    }
    if (!in_file(py, innermost, "/asyncio/locks.py") &&
        !in_file(py, innermost, "/asyncio/queues.py"))
        return;
    lk_addr self = lk_py_local(py, innermost, "self");
    if (lk_map_get(&a->ready, lk_task_at(py->s, task)->addr, NULL) && self)
        lk_vec_add(&a->on_primitive, ((struct lk_aio_on_primitive){ task.index, self }));
}
