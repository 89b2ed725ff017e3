/*
 * Suspended greenlets hang on no thread state: a thread shows the one that it runs, and nothing of
 * the others, the program's own main code among them. What they wait for, and which locks they
 * hold, is not read. Below asyncio (SQLAlchemy, Playwright) a greenlet's parent is the greenlet of
 * a task that was read; a hub (gevent, eventlet) switches by a schedule of its own.
 */
#include "read/loops/greenlet/tasks.h"

#include <stdlib.h>

#include "read/loops/greenlet/greenlet.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/reader/mention.h"

enum {
    BUDGET_MS = 2000,
    CLOCK_EVERY = 64, /* greenlets between two looks at the clock */
};

struct reading {
    struct lk_greenlet_layout layout;
    struct lk_map current;
    struct lk_pyframes frames; /* buffer */
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

static struct lk_pystack *stack_of(struct lk_py *py, struct reading *r, const struct lk_greenlet *g)
{
    r->frames.n = 0;
    bool whole = lk_greenlet_frames(py, g, &r->frames);
    struct lk_pyframe *v = lk_xcalloc(r->frames.n + 1, sizeof *v);
    for (size_t i = 0; i < r->frames.n; i++)
        v[i] = lk_py_snapshot_frame(py, &r->frames.v[i]);
    struct lk_pystack *st = lk_snapshot_stack(py->s, v, r->frames.n, !whole);
    lk_free(v);
    if (!whole)
        note_unread(py, r, g);
    return st;
}

static void enter(struct lk_py *py, struct reading *r, const struct lk_greenlet *g)
{
    bool is_new;
    struct lk_ref ref = lk_py_task_of_kind(py, g->addr, LK_TASK_GREENLET, &is_new);
    struct lk_task *k = lk_task_at(py->s, ref);
    if (!is_new)
        return;
    k->state = LK_TASK_PENDING;
    k->started = true;
    k->name = lk_py_class_name(py, g->addr);
    k->wait.kind = LK_WAIT_UNKNOWN;
    k->thread = lk_greenlet_thread(py, g);
    k->first = g->main;
    k->stack = stack_of(py, r, g);
    if (k->stack->n && k->stack->frames[k->stack->n - 1].code)
        k->coroutine = k->stack->frames[k->stack->n - 1].code->qualname;
    r->entered++;
}

static void enter_all(struct lk_py *py, struct reading *r, const lk_addr *greenlets, size_t n)
{
    uint64_t deadline = lk_now_ms() + BUDGET_MS;
    lk_greenlet_find_current(py, &r->layout, greenlets, n, &r->current);
    for (size_t i = 0; i < n && !r->cut; i++) {
        lk_read_watch(py->t);
        struct lk_greenlet g = lk_greenlet_read(py, &r->layout, greenlets[i], &r->current);
        if (g.state == LK_GREENLET_UNREADABLE)
            note_unread(py, r, &g);
        r->switched |=
            g.state == LK_GREENLET_SUSPENDED || (g.state == LK_GREENLET_CURRENT && !g.main);
        if (g.state == LK_GREENLET_SUSPENDED)
            enter(py, r, &g);
        r->cut = i % CLOCK_EVERY == 0 && lk_now_ms() > deadline;
    }
}

/* Libraries with a hub of their own, and where each keeps what it has patched: an empty dict if
 * nothing. */
static const struct hub {
    const char *module, *patcher, *patched;
} hubs[] = {
    { "gevent.hub", "gevent.monkey", "saved" },
    { "eventlet.hubs.hub", "eventlet.patcher", "already_patched" },
};

static bool has_patched(struct lk_py *py, const struct hub *h)
{
    lk_addr patched = lk_py_module_attr(py, h->patcher, h->patched);
    return patched ? lk_py_len(py, patched) != 0 : lk_py_module_dict(py, h->patcher) != 0;
}

/*
 * Where a hub switches them, what is seen on the threads is the hub alone: that decides. A library
 * that was imported and no more has no hub that ever ran, and patched nothing.
 */
static bool may_have_hub(struct lk_py *py, const struct reading *r, bool whole)
{
    bool any = false;
    for (size_t i = 0; i < LK_ARRAY_LEN(hubs); i++)
        any |= lk_py_module_dict(py, hubs[i].module) &&
               (r->switched || !whole || has_patched(py, &hubs[i]));
    return any;
}

static const char *limit_of(const struct reading *r, bool known, bool all, bool hub)
{
    if (!known || (!all && !r->entered))
        return "suspended greenlets (gevent, eventlet and the like) are not read: what they wait "
               "for, and which locks they hold, is not known";
    if (!all || r->cut || r->unread)
        return "not all suspended greenlets could be read; what they wait for, and which locks "
               "they hold, is not known";
    return hub || r->entered ? "of suspended greenlets (gevent, eventlet and the like) only the "
                               "stacks are read: what they wait for, and which locks they hold, is "
                               "not known"
                             : NULL;
}

static void say_limits(struct lk_py *py, const struct reading *r, bool known, bool all)
{
    bool hub = may_have_hub(py, r, known && all && !r->cut && !r->unread);
    const char *limit = limit_of(r, known, all, hub);
    if (limit)
        lk_snapshot_limit_of(py->s, r->first, r->failed, "%s", limit);
    if (limit && hub)
        lk_snapshot_limit_decides(py->s, "%s", limit);
}

void lk_greenlet_read_tasks(struct lk_py *py, const lk_addr *greenlets, size_t n, bool all)
{
    struct reading r = { 0 };
    const char *before = lk_reading(py->t, "a greenlet");
    lk_read_watch(py->t);
    bool known = n == 0 || lk_greenlet_layout_find(py, greenlets, n, &r.layout);
    if (!known)
        r.failed = lk_read_failed(py->t);
    if (n && known)
        enter_all(py, &r, greenlets, n);
    lk_reading(py->t, before);
    say_limits(py, &r, known, all);
    lk_map_deinit(&r.current);
    lk_free(r.frames.v);
}
