/*
 * A hub runs in a greenlet of its own and switches to the thread's others when what they wait for
 * has come; only it does. It idles while its greenlet is the one that its thread runs, with nothing
 * of Python's further in than its own loop. A greenlet that was given the thread keeps it until it
 * switches to the hub: the hub is suspended meanwhile.
 */
#include "read/loops/greenlet/hub.h"

#include <string.h>

#include "read/loops/greenlet/greenlet.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"
#include "read/python/stdlib/lock_holder.h"
#include "read/python/stdlib/unit_holders.h"
#include "read/python/stdlib/with_blocks.h"
#include "read/python/waits/match.h"
#include "read/python/waits/resolve.h"
#include "read/python/waits/wait_table.h"

const struct lk_met_greenlet *lk_met_greenlet(struct lk_py *py, lk_addr obj)
{
    struct lk_reader *a = lk_reader(py);
    uint64_t at;
    return lk_map_get(&a->greenlet_at, obj, &at) ? &a->greenlets.v[at] : NULL;
}

/* ---- the hub --------------------------------------------------------------------------------- */

/* Frames that a hub's greenlet begins with, and the folder of the library. */
static const struct hub_frame {
    const char *function, *file, *folder;
} hub_frames[] = {
    { "run", "gevent/hub.py", "/gevent/" },
    { "run", "eventlet/hubs/hub.py", "/eventlet/" },
    { "run", "eventlet/hubs/asyncio.py", "/eventlet/" },
};

static const struct hub_frame *frame_row(struct lk_py *py, const struct lk_pyframes *frames)
{
    for (size_t i = 0; frames && frames->n && i < LK_ARRAY_LEN(hub_frames); i++)
        if (lk_py_frame_is(py, &frames->v[frames->n - 1], hub_frames[i].function,
                           hub_frames[i].file))
            return &hub_frames[i];
    return NULL;
}

bool lk_hub_runs(struct lk_py *py, const struct lk_pyframes *frames)
{
    return frame_row(py, frames) != NULL;
}

/* The thread that stands in this hub's run(). */
static struct lk_ref running_on(struct lk_py *py, lk_addr hub)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *f = lk_py_frames_of_thread(py, i);
        if (lk_hub_runs(py, f) && lk_py_local(py, &f->v[f->n - 1], "self") == hub)
            return lk_ref_make(LK_KIND_THREAD, i);
    }
    return lk_ref_make(LK_KIND_NONE, 0);
}

/* It waits, and all that is further in than its run() is the library's own: no callback. */
static enum lk_tri idles(struct lk_py *py, struct lk_ref thread)
{
    const struct lk_thread *t = lk_thread_at(py->s, thread);
    const struct lk_pyframes *f = lk_py_frames_of_thread(py, thread.index);
    const struct hub_frame *row = frame_row(py, f);
    if (!t->os.syscall)
        return LK_TRI_UNKNOWN;
    for (size_t i = 0; row && i < f->n; i++) {
        const struct lk_pycode *c = lk_py_code(py, f->v[i].code);
        if (!c || !strstr(c->code->file, row->folder))
            return LK_NO;
    }
    /* one that watches nothing sleeps */
    return t->os.on == LK_OS_SELECTOR || t->os.on == LK_OS_TIMER ? LK_YES : LK_NO;
}

/* The greenlet that the thread runs is no suspended one; that it waits with its thread shows. */
static void enter_current(struct lk_py *py, struct lk_ref loop, const struct lk_met_greenlet *g)
{
    struct lk_thread *t = lk_thread_at(py->s, g->thread);
    bool is_new;
    struct lk_ref ref = lk_py_task_of_kind(py, g->addr, LK_TASK_GREENLET, &is_new);
    struct lk_task *k = lk_task_at(py->s, ref);
    if (!is_new || t->current_task.kind != LK_KIND_NONE)
        return;
    k->state = LK_TASK_RUNNING;
    k->started = true;
    k->name = lk_greenlet_name(py, g->addr);
    k->wait = (struct lk_wait){ .kind = LK_WAIT_NONE, .timeout_ms = LK_FOREVER, .frame = -1 };
    k->loop = loop;
    k->thread = k->run_by = g->thread;
    k->first = g->main;
    k->stack = t->python_stack;
    if (k->stack->n && k->stack->frames[k->stack->n - 1].code)
        k->coroutine = k->stack->frames[k->stack->n - 1].code->qualname;
    t->current_task = ref;
}

/* Of a thread's greenlets without a frame of their own one runs: a main one only if no other. */
static const struct lk_met_greenlet *current_of(struct lk_py *py, struct lk_ref thread)
{
    const struct lk_reader *a = lk_reader(py);
    const struct lk_met_greenlet *found = NULL;
    for (size_t i = 0; i < a->greenlets.n; i++) {
        const struct lk_met_greenlet *g = &a->greenlets.v[i];
        if (g->current && lk_ref_eq(g->thread, thread) && (!found || found->main))
            found = g;
    }
    return found;
}

static void take_greenlets(struct lk_py *py, struct lk_ref loop, struct lk_ref thread)
{
    for (size_t i = 0; i < py->s->tasks.n; i++) {
        struct lk_task *k = &py->s->tasks.v[i];
        if (k->kind == LK_TASK_GREENLET && k->loop.kind == LK_KIND_NONE &&
            lk_ref_eq(k->thread, thread))
            k->loop = loop;
    }
}

void lk_hub_rides(struct lk_py *py, struct lk_ref loop)
{
    const struct lk_loop *o = lk_loop_at(py->s, loop);
    if (!o || o->thread.kind != LK_KIND_THREAD)
        return;
    lk_reader(py)->hubs++;
    take_greenlets(py, loop, o->thread);
}

struct lk_ref lk_hub_loop(struct lk_py *py, lk_addr obj, lk_addr greenlet, const char *kind)
{
    const struct lk_met_greenlet *g = lk_met_greenlet(py, greenlet);
    struct lk_ref on = running_on(py, obj);
    const bool runs = on.kind == LK_KIND_THREAD;
    bool is_new;
    if (!runs && g && !g->dead)
        on = g->thread;
    if (on.kind != LK_KIND_THREAD) {
        /* its thread has ended, or it has never begun */
        lk_reader(py)->hubs_unread += !g || g->current || g->suspended;
        return on;
    }
    struct lk_ref ref = lk_snapshot_loop(py->s, obj, &is_new);
    struct lk_loop *o = lk_loop_at(py->s, ref);
    lk_reader(py)->hubs++;
    o->kind = kind;
    o->kind_id = lk_hash_str(LK_HASH_INIT, kind);
    o->cancels = "its kill(), called in another greenlet of that hub,";
    o->cls = lk_py_class_label(py, obj);
    o->driven_in_python = false;
    o->found_by = LK_FOUND_HEAP;
    o->thread = on;
    o->run = LK_LOOP_RUNNING;
    o->closed = o->stopping = LK_NO;
    o->reachable = LK_YES;
    o->ready = 0;
    o->in_own_selector = runs ? idles(py, on) : g->current ? LK_TRI_UNKNOWN : LK_NO;
    struct lk_thread *t = lk_thread_at(py->s, on);
    if (t->running_loop.kind == LK_KIND_NONE)
        t->running_loop = ref;
    const struct lk_met_greenlet *current = runs || g->current ? NULL : current_of(py, on);
    if (current)
        enter_current(py, ref, current);
    take_greenlets(py, ref, on);
    return ref;
}

void lk_hub_has_loop(struct lk_py *py, struct lk_ref hub, lk_addr loop)
{
    lk_map_put(&lk_reader(py)->hub_of_loop, loop, hub.index);
}

struct lk_ref lk_hub_of_loop(struct lk_py *py, lk_addr watcher)
{
    enum { FIRST = 2, WORDS = 8 };
    uint64_t w[WORDS], at;
    lk_addr loop = lk_py_attr(py, watcher, "loop");
    const struct lk_map *m = &lk_reader(py)->hub_of_loop;
    if (loop && lk_map_get(m, loop, &at))
        return lk_ref_make(LK_KIND_LOOP, at);
    for (size_t i = FIRST; lk_read(py->t, watcher, w, sizeof w) && i < WORDS; i++)
        if (lk_map_get(m, w[i], &at))
            return lk_ref_make(LK_KIND_LOOP, at);
    return lk_ref_make(LK_KIND_NONE, 0);
}

/* ---- waits ----------------------------------------------------------------------------------- */

static struct lk_task *waiter(struct lk_py *py, lk_addr greenlet)
{
    struct lk_task *k = lk_task_at(py->s, lk_snapshot_find(py->s, LK_KIND_TASK, greenlet));
    return k && k->kind == LK_TASK_GREENLET && k->state == LK_TASK_PENDING ? k : NULL;
}

void lk_hub_waits(struct lk_py *py, lk_addr greenlet, enum lk_wait_kind kind, struct lk_ref on,
                  bool complete, const char *call)
{
    struct lk_task *k = waiter(py, greenlet);
    if (!k || k->ready)
        return;
    struct lk_wait *w = &k->wait;
    if (lk_refs_has(&w->on, on))
        return;
    if (w->kind == LK_WAIT_UNKNOWN) {
        lk_wait_on(py, w, kind, on, complete);
        w->call = call;
        w->frame = 0;
        return;
    }
    /* a second thing that would wake it: either is enough */
    lk_refs_add(py->s, &w->on, on);
    w->any = w->on.n > 1;
    w->complete &= complete && on.kind != LK_KIND_NONE;
}

bool lk_hub_knows_wait(struct lk_py *py, lk_addr greenlet)
{
    const struct lk_task *k = waiter(py, greenlet);
    return k && k->wait.kind != LK_WAIT_UNKNOWN;
}

void lk_hub_ready(struct lk_py *py, lk_addr greenlet, struct lk_ref loop)
{
    struct lk_task *k = waiter(py, greenlet);
    if (!k)
        return;
    k->ready = true;
    lk_wait_on(py, &k->wait, LK_WAIT_READY, loop, true);
}

void lk_hub_timeout(struct lk_py *py, lk_addr greenlet, int64_t in_ms)
{
    struct lk_task *k = waiter(py, greenlet);
    if (!k || k->wait.timeout_ms == LK_UNKNOWN)
        return;
    k->wait.timeout_ms = in_ms == LK_UNKNOWN ? in_ms : LK_MIN(k->wait.timeout_ms, LK_MAX(in_ms, 0));
}

void lk_hub_timer(struct lk_py *py, struct lk_ref loop, lk_addr callback, lk_addr args,
                  int64_t in_ms)
{
    if (callback && loop.kind == LK_KIND_LOOP)
        lk_vec_add(&py->timers, ((struct lk_py_timer){ loop.index, callback, args, in_ms }));
}

void lk_hub_calls(struct lk_py *py, lk_addr of, lk_addr callback, lk_addr args)
{
    if (callback)
        lk_vec_add(&py->hub_callbacks,
                   ((struct lk_hub_callback){ .of = of, .callback = callback, .args = args }));
}

void lk_hub_pooled(struct lk_py *py, lk_addr greenlet, lk_addr semaphore, lk_addr size)
{
    struct lk_lock *l = semaphore ? lk_lock_at(py->s, lk_py_lock(py, semaphore)) : NULL;
    int64_t n;
    if (!l)
        return;
    if (size && lk_py_int(py, size, &n))
        l->units = n;
    lk_vec_add(&py->hub_callbacks,
               ((struct lk_hub_callback){ .of = greenlet, .gives_back = semaphore }));
}

/* ---- what the frames say --------------------------------------------------------------------- */

/* The calls that registered this wait are the innermost ones: of the thing itself, or of a lock
 * that is made of it; more of them where gevent is not compiled. */
static bool is_call_of(struct lk_py *py, const struct lk_pyframes *frames, const struct lk_wait *w)
{
    enum { NEAR = 12 };
    const struct lk_lock *l = w->on.n == 1 ? lk_lock_at(py->s, w->on.v[0]) : NULL;
    for (size_t i = 0; l && i < LK_MIN(frames->n, (size_t)NEAR); i++) {
        lk_addr self = lk_py_local(py, &frames->v[i], "self");
        if (self && (self == l->addr || lk_py_attr(py, self, "_block") == l->addr))
            return true;
    }
    return false;
}

/* A patched threading.Thread is a greenlet: its ident is that one's address. */
static bool join_greenlet(struct lk_py *py, struct lk_wait *w, lk_addr thread)
{
    int64_t ident;
    lk_addr v = thread ? lk_py_attr(py, thread, "_ident") : 0;
    if (!v || !lk_py_int(py, v, &ident))
        return false;
    struct lk_ref task = lk_snapshot_find(py->s, LK_KIND_TASK, (lk_addr)ident);
    lk_wait_on(py, w, LK_WAIT_JOIN, task, true);
    return task.kind == LK_KIND_TASK;
}

/* A wait of the standard library ends in one of the hub's: it is what the program waits for. */
static void name_wait(struct lk_py *py, struct lk_ref ref)
{
    const struct lk_wait_rows rows = { lk_thread_wait_rows, lk_n_thread_wait_rows, 0 };
    const struct lk_pyframes *frames = lk_py_frames_of_greenlet(py, ref.index);
    struct lk_task *k = lk_task_at(py->s, ref);
    struct lk_wait w = { .timeout_ms = k->wait.timeout_ms, .frame = -1 };
    const struct lk_waiter who = { .ref = ref };
    struct lk_wait_run run;

    if (!frames || !frames->n)
        return;
    lk_wait_match(py, &rows, frames, true, &run);
    if (!run.row || !is_call_of(py, frames, &k->wait))
        return;
    w.frame = run.n < frames->n ? (int)run.n : -1;
    w.call = run.call;
    w.traits = run.traits;
    if (run.row->how == LK_HOW_JOIN
            ? join_greenlet(py, &w, lk_py_local(py, run.frame, run.row->local))
            : lk_wait_resolve(py, &run, run.innermost, &who, &w))
        lk_task_at(py->s, ref)->wait = w;
}

/* ---- owners ---------------------------------------------------------------------------------- */

/* Which greenlet an RLock's owner is: the greenlet itself, or its address for an ident. */
static lk_addr owner_of(struct lk_py *py, lk_addr lock)
{
    int64_t ident;
    lk_addr owner = lk_py_attr(py, lock, "_owner");
    if (!owner || lk_py_is_none(py, owner))
        return 0;
    return lk_py_int(py, owner, &ident) ? (lk_addr)ident : owner;
}

static void read_owner(struct lk_py *py, struct lk_ref ref)
{
    struct lk_lock *l = lk_lock_at(py->s, ref);
    const enum lk_known_class cls = lk_py_known_class(py, l->addr, NULL);
    if (cls != LK_CLASS_PYRLOCK && cls != LK_CLASS_GREEN_RLOCK)
        return;
    const lk_addr owner = owner_of(py, l->addr);
    const struct lk_met_greenlet *g = owner ? lk_met_greenlet(py, owner) : NULL;
    if (!owner && cls == LK_CLASS_GREEN_RLOCK) {
        l->locked = LK_NO;
        l->owner_by = LK_OWNER_FREE;
    }
    if (!g)
        return;
    struct lk_ref task = lk_snapshot_find(py->s, LK_KIND_TASK, owner);
    l->locked = LK_YES;
    l->lost_in_fork = false;
    l->owner_gone = g->dead;
    l->owner_by = LK_OWNER_FIELD;
    l->owner_certain = true;
    l->owners = (struct lk_refs){ 0 };
    lk_refs_add(py->s, &l->owners, task);
}

static void add_waiters(struct lk_py *py, struct lk_ref task)
{
    const struct lk_wait *w = &lk_task_at(py->s, task)->wait;
    for (size_t i = 0; i < w->on.n; i++) {
        struct lk_lock *l = lk_lock_at(py->s, w->on.v[i]);
        if (l)
            lk_refs_add(py->s, &l->waiters, task);
    }
}

void lk_hub_finish(struct lk_py *py)
{
    for (size_t i = 0; i < py->s->tasks.n; i++) {
        const struct lk_ref task = lk_ref_make(LK_KIND_TASK, i);
        const struct lk_pyframes *frames = lk_py_frames_of_greenlet(py, i);
        if (py->s->tasks.v[i].kind != LK_TASK_GREENLET || !frames)
            continue;
        name_wait(py, task);
        lk_py_note_with_blocks(py, frames, true, task);
        lk_py_note_releasing(py, frames, true, task);
        add_waiters(py, task);
    }
    lk_py_mention_noted(py);
}

void lk_hub_settle(struct lk_py *py)
{
    for (size_t i = 0; i < py->s->locks.n; i++)
        read_owner(py, lk_ref_make(LK_KIND_LOCK, i));
    lk_py_read_owners_of_tasks(py);
}
