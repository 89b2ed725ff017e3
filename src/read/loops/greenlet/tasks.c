/*
 * Suspended greenlets hang on no thread state: a thread shows the one that it runs, and nothing of
 * the others, the program's own main code among them. Below asyncio (SQLAlchemy, Playwright) a
 * greenlet's parent is the greenlet of a task that was read; a hub (gevent, eventlet) switches by a
 * schedule of its own, and what its greenlets wait for its own reader tells.
 */
#include "read/loops/greenlet/tasks.h"

#include <stdlib.h>

#include "read/loops/greenlet/greenlet.h"
#include "read/loops/greenlet/hub.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/reader/mention.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/lock_holder.h"

enum {
    TRIES = 3,
    BUDGET_MS = 2000,
    CLOCK_EVERY = 64, /* greenlets between two looks at the clock */
};

struct reading {
    struct lk_greenlet_layout layout;
    struct lk_map current;
    struct lk_pyframes frames; /* of the one read last */
    bool whole;                /* ... to their end */
    size_t entered, unread;
    bool switched;                /* somebody has switched from one to another */
    struct lk_failed_read failed; /* of the first one that could not be read */
    struct lk_ref first;          /* that one, where it is listed */
    bool cut;
};

static void note_unread(struct lk_py *py, struct reading *r, const struct lk_greenlet *g)
{
    if (r->unread++)
        return;
    r->failed = lk_read_failed(py->t);
    r->first = lk_snapshot_find(py->s, LK_KIND_TASK, g->addr);
}

/* What was freed since the walk has no references, or is something else already. */
static bool is_gone(struct lk_py *py, lk_addr obj)
{
    uint32_t references; /* the lower half of ob_refcnt: 3.14 keeps flags above it */
    return !lk_read_u32(py->t, obj, &references) || references == 0 ||
           !lk_py_isinstance(py, obj, NULL, "greenlet.greenlet");
}

static bool has_moved(struct lk_py *py, const struct reading *r, lk_addr obj, uint64_t *before)
{
    uint64_t now[LK_GREENLET_WORDS] = { 0 };
    const bool moved = is_gone(py, obj) || !lk_greenlet_words(py, &r->layout, obj, now) ||
                       memcmp(before, now, sizeof now) != 0;
    memcpy(before, now, sizeof now);
    return moved;
}

/*
 * One that is suspended stands still, whatever its thread does: what cannot be read and does not
 * change is a greenlet that cannot be read. Of one that changes nobody needs to know.
 */
static struct lk_greenlet read_one(struct lk_py *py, struct reading *r, lk_addr obj, bool *moves)
{
    uint64_t words[LK_GREENLET_WORDS] = { 0 };
    struct lk_greenlet g;
    *moves = false;
    for (int i = 0; i < TRIES; i++) {
        if (i)
            lk_process_forget_all(py->t);
        *moves = i && has_moved(py, r, obj, words);
        if (!i)
            (void)lk_greenlet_words(py, &r->layout, obj, words);
        g = lk_greenlet_read(py, &r->layout, obj, &r->current);
        r->frames.n = 0;
        r->whole = g.state != LK_GREENLET_SUSPENDED || lk_greenlet_frames(py, &g, &r->frames);
        if (g.state != LK_GREENLET_UNREADABLE && r->whole)
            return g;
    }
    lk_process_forget_all(py->t); /* what moves meanwhile is not torn */
    *moves |= has_moved(py, r, obj, words);
    return g;
}

static struct lk_pystack *stack_of(struct lk_py *py, struct reading *r, const struct lk_greenlet *g)
{
    bool whole = r->whole;
    struct lk_pyframe *v = lk_xcalloc(r->frames.n + 1, sizeof *v);
    for (size_t i = 0; i < r->frames.n; i++)
        v[i] = lk_py_snapshot_frame(py, &r->frames.v[i]);
    struct lk_pystack *st = lk_snapshot_stack(py->s, v, r->frames.n, !whole);
    lk_free(v);
    if (!whole)
        note_unread(py, r, g);
    return st;
}

static void enter(struct lk_py *py, struct reading *r, const struct lk_greenlet *g,
                  struct lk_ref thread)
{
    bool is_new;
    struct lk_pystack *stack = stack_of(py, r, g);
    if (lk_hub_runs(py, &r->frames)) /* it is its thread's loop */
        return;
    struct lk_ref ref = lk_py_task_of_kind(py, g->addr, LK_TASK_GREENLET, &is_new);
    struct lk_task *k = lk_task_at(py->s, ref);
    if (!is_new)
        return;
    k->state = LK_TASK_PENDING;
    k->started = true;
    k->name = lk_greenlet_name(py, g->addr);
    k->wait = (struct lk_wait){ .kind = LK_WAIT_UNKNOWN, .timeout_ms = LK_FOREVER, .frame = -1 };
    k->thread = thread;
    k->first = g->main;
    k->salt = g->salt;
    k->stack = stack;
    lk_map_put(&py->frames_of_task, ref.index,
               (uint64_t)(uintptr_t)lk_py_frames_keep(py, &r->frames));
    if (k->stack->n && k->stack->frames[k->stack->n - 1].code)
        k->coroutine = k->stack->frames[k->stack->n - 1].code->qualname;
    r->entered++;
}

/* Where it is, for the readers of hubs. */
static struct lk_ref meet(struct lk_py *py, const struct lk_greenlet *g)
{
    struct lk_reader *a = lk_reader(py);
    struct lk_met_greenlet met = { .addr = g->addr,
                                   .thread = lk_greenlet_thread(py, g),
                                   .main = g->main,
                                   .current = g->state == LK_GREENLET_CURRENT,
                                   .suspended = g->state == LK_GREENLET_SUSPENDED,
                                   .dead = g->state == LK_GREENLET_DEAD };
    if (lk_map_add(&a->greenlet_at, g->addr, a->greenlets.n))
        lk_vec_add(&a->greenlets, met);
    return met.thread;
}

static void enter_all(struct lk_py *py, struct reading *r, const lk_addr *greenlets, size_t n)
{
    uint64_t deadline = lk_now_ms() + BUDGET_MS;
    lk_greenlet_find_current(py, &r->layout, greenlets, n, &r->current);
    for (size_t i = 0; i < n && !r->cut; i++) {
        lk_read_watch(py->t);
        bool moves;
        struct lk_greenlet g = read_one(py, r, greenlets[i], &moves);
        r->cut = i % CLOCK_EVERY == 0 && lk_now_ms() > deadline;
        if (moves && (g.state == LK_GREENLET_UNREADABLE || !r->whole))
            continue;
        if (g.state == LK_GREENLET_UNREADABLE)
            note_unread(py, r, &g);
        r->switched |=
            g.state == LK_GREENLET_SUSPENDED || (g.state == LK_GREENLET_CURRENT && !g.main);
        struct lk_ref thread = meet(py, &g);
        if (g.state == LK_GREENLET_SUSPENDED)
            enter(py, r, &g, thread);
    }
}

/* Libraries with a hub of their own. */
static const char *const hubs[] = { "gevent.hub", "eventlet.hubs.hub" };

/*
 * Where a hub switches them, what is seen on the threads is the hub alone: that decides. A library
 * that was imported and no more has no hub that ever ran.
 */
static bool may_have_hub(struct lk_py *py, bool switched)
{
    bool any = false;
    for (size_t i = 0; i < LK_ARRAY_LEN(hubs) && switched; i++)
        any |= lk_py_module_dict(py, hubs[i]) != 0;
    return any;
}

static const char *limit_of(const struct reading *r, bool known, bool all)
{
    if (!known || (!all && !r->entered))
        return "suspended greenlets (gevent, eventlet and the like) are not read: what they wait "
               "for, and which locks they hold, is not known";
    return !all || r->cut || r->unread
               ? "not all suspended greenlets could be read; what they wait for, and which locks "
                 "they hold, is not known"
               : NULL;
}

static void say_limits(struct lk_py *py, const struct reading *r, bool known, bool all)
{
    const char *limit = limit_of(r, known, all);
    bool hub = may_have_hub(py, r->switched || limit);
    lk_reader(py)->greenlets_cut = limit != NULL;
    if (limit)
        lk_snapshot_limit_of(py->s, r->first, r->failed, "%s", limit);
    if (limit && hub)
        lk_snapshot_limit_decides(py->s, "%s", limit);
}

/* Those of a hub that wait for nothing that its reader knows. One of no hub waits for whoever
 * switches to it; where a hub should be and none was found, that decides. */
static void say_unknown_waits(struct lk_py *py)
{
    const bool hubless = !lk_reader(py)->hubs && lk_reader(py)->hubs_unread;
    for (size_t i = 0; i < py->s->tasks.n; i++) {
        struct lk_task *k = &py->s->tasks.v[i];
        if (k->kind != LK_TASK_GREENLET || k->wait.kind != LK_WAIT_UNKNOWN)
            continue;
        if (k->loop.kind == LK_KIND_NONE && !hubless) {
            k->wait.kind = LK_WAIT_NONE;
            continue;
        }
        if (hubless)
            lk_snapshot_limit_decides(py->s, "the hub that switches greenlets was not found: what "
                                             "they wait for is not known");
        lk_snapshot_limit_of(py->s, lk_ref_make(LK_KIND_TASK, i), (struct lk_failed_read){ 0 },
                             "what some suspended greenlets wait for is not known");
        return;
    }
}

static bool none_suspended(const struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->tasks.n; i++)
        if (s->tasks.v[i].kind == LK_TASK_GREENLET && s->tasks.v[i].state == LK_TASK_PENDING)
            return false;
    return true;
}

void lk_greenlet_finish_tasks(struct lk_py *py)
{
    lk_hub_finish(py);
    say_unknown_waits(py);
}

void lk_greenlet_settle_tasks(struct lk_py *py)
{
    lk_hub_settle(py);
    if (none_suspended(py->s) && !lk_reader(py)->greenlets_cut)
        lk_py_find_lost_locks(py);
}

static bool find_layout(struct lk_py *py, struct reading *r, const lk_addr *greenlets, size_t n)
{
    bool found = n == 0;
    for (int i = 0; i < TRIES && !found; i++) {
        if (i)
            lk_process_forget_all(py->t);
        found = lk_greenlet_layout_find(py, greenlets, n, &r->layout);
    }
    return found;
}

void lk_greenlet_read_tasks(struct lk_py *py, const lk_addr *greenlets, size_t n, bool all)
{
    struct reading r = { 0 };
    const char *before = lk_reading(py->t, "a greenlet");
    lk_read_watch(py->t);
    bool known = find_layout(py, &r, greenlets, n);
    if (!known)
        r.failed = lk_read_failed(py->t);
    if (n && known)
        enter_all(py, &r, greenlets, n);
    lk_reading(py->t, before);
    say_limits(py, &r, known, all);
    lk_map_deinit(&r.current);
    lk_free(r.frames.v);
}
