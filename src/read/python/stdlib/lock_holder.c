/*
 * Who holds a lock that records no owner: a frame inside `with lock:` keeps the lock's exit method
 * on its value stack. What that proves and what not is weighed here; the object's own fields
 * (RLock, import locks) come from lock.c.
 */
#include "read/python/stdlib/lock_holder.h"

#include <stdlib.h>

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/method_calls.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/lenders.h"
#include "read/python/stdlib/likely_enders.h"
#include "read/python/stdlib/lock.h"
#include "read/python/stdlib/signal_handlers.h"
#include "read/python/stdlib/thread_object.h"
#include "read/python/stdlib/unit_holders.h"
#include "read/python/stdlib/with_blocks.h"

enum {
    OB_TYPE = 8, /* PyObject.ob_type */
};

/* ---- who else could have taken it -------------------------------------------------------- */

static bool waits_for(const struct lk_snapshot *s, struct lk_ref who, struct lk_ref lock)
{
    const struct lk_wait *w = lk_wait_of(s, who);
    return w && lk_refs_has(&w->on, lock);
}

/* Someone other than the candidate could hold it by a bare acquire(). Who waits for it does not
 * hold it. */
static bool others_reach(struct lk_py *py, struct lk_ref ref, lk_addr addr, struct lk_ref candidate)
{
    const struct lk_reader *a = lk_reader(py);
    for (size_t i = 0; i < a->reach.n; i++)
        if (a->reach.v[i].lock == addr && !lk_ref_eq(a->reach.v[i].holder, candidate) &&
            !waits_for(py->s, a->reach.v[i].holder, ref))
            return true;
    return false;
}

/* ---- owners ---------------------------------------------------------------------------- */

/* What an RLock names as its owner is a thread that runs a loop: the lock is its coroutines'. */
static bool names_loops_thread(const struct lk_snapshot *s, const struct lk_lock *l)
{
    bool ret = false;
    for (size_t i = 0; i < s->loops.n && !ret; i++)
        ret =
            s->loops.v[i].run == LK_LOOP_RUNNING && lk_ref_eq(s->loops.v[i].thread, l->owners.v[0]);
    return ret;
}

static bool is_of_loop(const struct lk_snapshot *s, struct lk_ref task, struct lk_ref thread)
{
    const struct lk_task *k = lk_task_at(s, task);
    const struct lk_loop *o = k ? lk_loop_at(s, k->loop) : NULL;
    return o && o->run == LK_LOOP_RUNNING && lk_ref_eq(o->thread, thread);
}

/* In a `with` on its own stack, and in those of coroutines of its loop. */
static void find_entered(struct lk_py *py, struct lk_ref lock, struct lk_ref thread, bool *itself,
                         bool *coroutines)
{
    const struct lk_reader *a = lk_reader(py);
    *itself = *coroutines = false;
    for (size_t i = 0; i < a->holds.n; i++) {
        const struct lk_with_hold *h = &a->holds.v[i];
        if (!lk_ref_eq(lk_py_mutex_of(py, h->manager), lock))
            continue;
        *itself |= lk_ref_eq(h->holder, thread);
        *coroutines |= is_of_loop(py->s, h->holder, thread);
    }
}

/*
 * A coroutine that has entered an RLock and is suspended left the thread that ran it as the owner.
 * It gives the lock back, not the loop, whatever that runs meanwhile. Others that the thread runs
 * may enter too, and then each has to leave it. Where nobody is seen to be in it, nor the loop in a
 * callback, the holder is unknown.
 */
static void pass_on_to_tasks(struct lk_py *py)
{
    for (size_t i = 0; i < py->s->locks.n; i++) {
        struct lk_lock *l = &py->s->locks.v[i];
        const struct lk_thread *t =
            l->type == LK_LOCK_TYPE_THREADING && l->owner_by == LK_OWNER_FIELD && l->owners.n == 1
                ? lk_thread_at(py->s, l->owners.v[0])
                : NULL;
        bool itself, coroutines;
        if (!t || !names_loops_thread(py->s, l))
            continue;
        find_entered(py, lk_ref_make(LK_KIND_LOCK, i), l->owners.v[0], &itself, &coroutines);
        l = &py->s->locks.v[i];
        if (!coroutines && (itself || t->wait.kind != LK_WAIT_SELECTOR))
            continue;
        l->owner_by = LK_OWNER_NONE;
        l->owner_certain = false;
        l->owners.n = 0;
        l->owners_all = true;
    }
}

static void add_hold(struct lk_py *py, const struct lk_with_hold *h, struct lk_map *doubtful)
{
    struct lk_ref ref = lk_py_mutex_of(py, h->manager);
    struct lk_lock *l = lk_lock_at(py->s, ref);

    if (!l || l->locked == LK_NO || l->owner_by == LK_OWNER_FIELD)
        return;
    l->owner_by = LK_OWNER_VALUE_STACK;
    lk_refs_add(py->s, &l->owners, h->holder);
    if (h->may_release)
        lk_map_put(doubtful, ref.index, 1);
}

/* threading.Timer: whether what it is going to call gives the lock back. */
static bool timer_gives_back(struct lk_py *py, const struct lk_pyf *f, lk_addr lock)
{
    lk_addr timer = lk_py_timer_of_frame(py, f),
            function = timer ? lk_py_attr(py, timer, "function") : 0;
    return function && lk_py_callable_reaches(py, function, "release", lock) != LK_NO;
}

static bool frame_gives_back(struct lk_py *py, const struct lk_pyf *f, lk_addr lock)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    if (!c)
        return false;
    if (lk_py_of_stdlib(py, c->code))
        return timer_gives_back(py, f, lock);
    return c->code->mentions_release && lk_py_calls_method_on(py, f, "release", lock) == LK_YES;
}

/* Of a thread, or of a greenlet; NULL. */
static const struct lk_pyframes *frames_of(struct lk_py *py, struct lk_ref who)
{
    return who.kind == LK_KIND_THREAD ? lk_py_frames_of_thread(py, who.index)
                                      : lk_py_frames_of_greenlet(py, who.index);
}

static bool gives_back(struct lk_py *py, struct lk_ref ref, lk_addr addr, struct lk_ref candidate,
                       struct lk_ref who)
{
    const struct lk_pyframes *frames = frames_of(py, who);
    if (!frames || lk_ref_eq(who, candidate) || waits_for(py->s, who, ref))
        return false;
    for (size_t j = 0; j < frames->n; j++)
        if (frame_gives_back(py, &frames->v[j], addr))
            return true;
    return false;
}

/* A Lock may be given back by a thread that did not take it: a watchdog, a timer. */
static bool others_give_back(struct lk_py *py, struct lk_ref ref, lk_addr addr,
                             struct lk_ref candidate)
{
    for (size_t i = 0; i < py->s->threads.n; i++)
        if (gives_back(py, ref, addr, candidate, lk_ref_make(LK_KIND_THREAD, i)))
            return true;
    for (size_t i = 0; i < py->s->tasks.n && py->frames_of_task.n; i++)
        if (gives_back(py, ref, addr, candidate, lk_ref_make(LK_KIND_TASK, i)))
            return true;
    return false;
}

static bool waits_for_ever(const struct lk_thread *t)
{
    return t && t->wait.kind == LK_WAIT_LOCK && t->wait.timeout_ms == LK_FOREVER &&
           t->wait.on.n == 1;
}

/* A Lock names no holder. Where each thread there is waits for it, none of them can be who gives it
 * back. */
static bool nobody_left(const struct lk_py *py, const struct lk_lock *l)
{
    if (!l->mutex || l->locked != LK_YES || l->owners.n || l->owner_by != LK_OWNER_NONE ||
        l->waiters.n != py->s->threads.n)
        return false;
    for (size_t i = 0; i < l->waiters.n; i++)
        if (!waits_for_ever(lk_thread_at(py->s, l->waiters.v[i])))
            return false;
    return l->waiters.n > 0;
}

/* The parent of this process, where that is what it was forked from: their types stand at the same
 * addresses. NULL. */
static struct lk_process *open_parent(struct lk_py *py, lk_addr type)
{
    struct lk_error err = { 0 };
    lk_addr name, theirs;
    struct lk_process *t =
        py->s->ppid > 1 ? lk_process_open_other(py->t, (pid_t)py->s->ppid, &err) : NULL;
    if (t && lk_read_u64(py->t, type + py->layout.tp_name, &name) &&
        lk_read_u64(t, type + py->layout.tp_name, &theirs) && name == theirs)
        return t;
    lk_process_destroy(t);
    return NULL;
}

/* A lock that was taken before the fork is one in the parent too, at the same address. */
static enum lk_tri parent_has(struct lk_py *py, lk_addr lock)
{
    lk_addr type, theirs = 0;
    if (!lk_read_u64(py->t, lk_py_field(py, lock, OB_TYPE), &type))
        return LK_TRI_UNKNOWN;
    struct lk_process *parent = open_parent(py, type);
    if (!parent)
        return LK_TRI_UNKNOWN;
    bool is = lk_read_u64(parent, lk_py_field(py, lock, OB_TYPE), &theirs) && theirs == type;
    lk_process_destroy(parent);
    return is ? LK_YES : LK_NO;
}

/* Left behind by a thread of the parent: it was there at the fork, and nothing of this process may
 * give it back, a handler neither. */
void lk_py_find_lost_locks(struct lk_py *py)
{
    if (!py->s->forked || !py->frames_complete)
        return;
    for (size_t i = 0; i < py->s->locks.n; i++) {
        struct lk_lock *l = &py->s->locks.v[i];
        if (!nobody_left(py, l) || lk_py_handlers_release(py, l->addr) != LK_NO)
            continue;
        enum lk_tri inherited = parent_has(py, l->addr);
        l->lost_in_fork = inherited != LK_NO;
        l->owner_certain = inherited == LK_YES;
    }
}

static void set_holds(struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->locks.n; i++) {
        const struct lk_lock *l = &s->locks.v[i];
        struct lk_ref ref = lk_ref_make(LK_KIND_LOCK, i);
        for (size_t j = 0; j < l->owners.n; j++) {
            struct lk_thread *t = lk_thread_at(s, l->owners.v[j]);
            struct lk_task *k = lk_task_at(s, l->owners.v[j]);
            if (t)
                lk_refs_add(s, &t->holds, ref);
            else if (k)
                lk_refs_add(s, &k->holds, ref);
        }
    }
}

/* What a timer of a loop calls. */
static bool timers_give_back(struct lk_py *py, lk_addr lock)
{
    for (size_t i = 0; i < py->timers.n; i++)
        if (lk_py_callable_reaches(py, py->timers.v[i].callback, "release", lock) != LK_NO)
            return true;
    return false;
}

static void note_bare_acquires(struct lk_py *py, enum lk_kind kind, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct lk_ref who = lk_ref_make(kind, i);
        const struct lk_pyframes *frames = frames_of(py, who);
        if (frames)
            lk_py_note_bare_acquires(py, frames, who);
    }
}

static bool is_to_be_weighed(const struct lk_lock *l)
{
    return l->owner_by == LK_OWNER_VALUE_STACK && (l->owners.n == 1 || l->owners_all) &&
           l->waiters.n && l->locked == LK_YES;
}

static bool nobody_else(struct lk_py *py, size_t lock)
{
    const struct lk_lock *l = &py->s->locks.v[lock];
    const struct lk_ref ref = lk_ref_make(LK_KIND_LOCK, lock);
    return !others_reach(py, ref, l->addr, l->owners.v[0]) &&
           !others_give_back(py, ref, l->addr, l->owners.v[0]);
}

static void weigh(struct lk_py *py, const struct lk_map *doubtful)
{
    bool collected = false;

    for (size_t i = 0; i < py->s->locks.n; i++) {
        struct lk_lock *l = &py->s->locks.v[i];
        if (!is_to_be_weighed(l) || lk_map_get(doubtful, i, NULL))
            continue;
        if (!collected)
            note_bare_acquires(py, LK_KIND_THREAD, py->s->threads.n);
        collected = true;
        l->owner_certain = nobody_else(py, i);
    }
}

/* What was certain of threads is so only if no greenlet can have it either. */
static void weigh_with_greenlets(struct lk_py *py, const struct lk_map *doubtful)
{
    note_bare_acquires(py, LK_KIND_THREAD, py->s->threads.n);
    note_bare_acquires(py, LK_KIND_TASK, py->s->tasks.n);
    for (size_t i = 0; i < py->s->locks.n; i++) {
        struct lk_lock *l = &py->s->locks.v[i];
        if (l->owner_by != LK_OWNER_VALUE_STACK)
            continue;
        const struct lk_task *k = l->owners.n == 1 ? lk_task_at(py->s, l->owners.v[0]) : NULL;
        const bool greenlet = k && k->kind == LK_TASK_GREENLET;
        l->owner_certain =
            is_to_be_weighed(l) &&
            (greenlet ? !lk_map_get(doubtful, i, NULL) && !timers_give_back(py, l->addr)
                      : l->owner_certain) &&
            nobody_else(py, i);
    }
}

/* Who waits for these is read later, with the greenlets. */
static void keep_green_holds(struct lk_py *py)
{
    const struct lk_reader *a = lk_reader(py);
    py->green_holds.n = 0;
    for (size_t i = 0; i < a->holds.n; i++) {
        const struct lk_with_hold *h = &a->holds.v[i];
        if (h->holder.kind == LK_KIND_THREAD &&
            lk_py_known_class(py, h->manager, NULL) == LK_CLASS_GREEN_SEMAPHORE)
            lk_vec_add(&py->green_holds, ((struct lk_green_hold){ h->manager, h->holder.index }));
    }
}

void lk_py_mention_held(struct lk_py *py)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        if (frames)
            lk_py_note_with_blocks(py, frames, true, lk_ref_make(LK_KIND_THREAD, i));
    }
    keep_green_holds(py);
    lk_py_mention_noted(py);
}

void lk_py_mention_noted(struct lk_py *py)
{
    const struct lk_reader *a = lk_reader(py);
    for (size_t i = 0; i < a->holds.n; i++)
        lk_py_mutex_of(py, a->holds.v[i].manager);
}

void lk_py_read_owners(struct lk_py *py)
{
    struct lk_reader *a = lk_reader(py);
    struct lk_map doubtful = { 0 };

    pass_on_to_tasks(py);
    for (size_t i = 0; i < a->holds.n; i++)
        add_hold(py, &a->holds.v[i], &doubtful);
    weigh(py, &doubtful);
    if (!lk_py_module_dict(py, "greenlet")) /* one that is suspended may have it */
        lk_py_find_lost_locks(py);
    lk_py_find_lenders(py);
    lk_py_find_likely_enders(py);
    lk_py_find_unit_holders(py, false);
    set_holds(py->s);
    lk_map_deinit(&doubtful);
}

void lk_py_read_owners_of_tasks(struct lk_py *py)
{
    const struct lk_reader *a = lk_reader(py);
    struct lk_map doubtful = { 0 };

    for (size_t i = 0; i < a->holds.n; i++)
        add_hold(py, &a->holds.v[i], &doubtful);
    weigh_with_greenlets(py, &doubtful);
    lk_py_read_signal_handlers(py);
    lk_py_find_unit_holders(py, true);
    set_holds(py->s);
    lk_map_deinit(&doubtful);
}
