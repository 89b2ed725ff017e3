/*
 * The greatest fixed point: at first everybody who waits for something untimed is a member, then
 * those are left out whose wait somebody else may end, until nobody is. Who may end a wait that any
 * code may end is known where all references to the thing were found (references.c). What a member
 * has at hand it cannot use before its own wait ends.
 */
#include "read/loops/closed_group.h"

#include "read/loops/could_end.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/references.h"
#include "util/memory.h"

enum {
    MAX_MEMBERS = 1000, /* more are not asked: it would take longer than the sample */
    MAX_LOOKS = 60000,  /* objects looked at for references */
    STEPS = 8,
    MAX_RELAYS = 8,     /* futures that hand on one another's end */
    MAX_ASKS = 1000000, /* whether what is waited for is closed, in all */
};

struct member {
    struct lk_ref ref;
    struct lk_pyframes frames; /* a copy */
};

struct lk_closed_group {
    struct lk_py *py;
    LK_VEC(struct member) members;
    bool *in;            /* by member */
    struct lk_map index; /* packed ref -> member + 1 */
    struct lk_references *references;
    unsigned asks; /* left; what is not asked is not closed */
};

/* ---- who waits at all ------------------------------------------------------------------------ */

static bool may_be_member(const struct lk_snapshot *s, struct lk_ref who)
{
    const struct lk_task *k = lk_task_at(s, who);
    const struct lk_wait *w = lk_wait_of(s, who);
    if (k && (k->state != LK_TASK_PENDING || k->ready || k->kind != LK_TASK_COROUTINE))
        return false;
    return w->on.n && w->timeout_ms == LK_FOREVER && w->kind != LK_WAIT_SELECTOR &&
           w->kind != LK_WAIT_EXECUTOR_IDLE && w->kind != LK_WAIT_IO;
}

static void add_member(struct lk_closed_group *g, struct lk_ref who, struct lk_pyframes *buffer)
{
    const struct lk_pyframes *f =
        may_be_member(g->py->s, who) ? lk_frames_of_party(g->py, who, buffer) : NULL;
    if (!f)
        return;
    struct member *m = lk_vec_push(&g->members);
    m->ref = who;
    for (size_t i = 0; i < f->n; i++)
        lk_vec_add(&m->frames, f->v[i]);
    lk_map_put(&g->index, lk_ref_pack(who), g->members.n);
}

static void add_members(struct lk_closed_group *g)
{
    const struct lk_snapshot *s = g->py->s;
    struct lk_pyframes buffer = { 0 };
    for (size_t i = 0; i < s->threads.n; i++)
        add_member(g, lk_ref_make(LK_KIND_THREAD, i), &buffer);
    for (size_t i = 0; i < s->tasks.n && g->members.n <= MAX_MEMBERS; i++)
        add_member(g, lk_ref_make(LK_KIND_TASK, i), &buffer);
    lk_free(buffer.v);
}

static void find_references(struct lk_closed_group *g)
{
    struct lk_referrer *by = lk_xcalloc(g->members.n, sizeof *by);
    unsigned budget = MAX_LOOKS;
    for (size_t i = 0; i < g->members.n; i++)
        by[i] = (struct lk_referrer){ &g->members.v[i].frames,
                                      lk_object_of_party(g->py, g->members.v[i].ref) };
    g->references = lk_references_find(g->py, by, g->members.n, STEPS, &budget);
    lk_free(by);
}

/* ---- whose wait only members may end --------------------------------------------------------- */

static bool is_in(const struct lk_closed_group *g, struct lk_ref who)
{
    uint64_t at;
    return lk_map_get(&g->index, lk_ref_pack(who), &at) && g->in[at - 1];
}

static bool all_in(const struct lk_closed_group *g, const struct lk_refs *refs)
{
    for (size_t i = 0; i < refs->n; i++)
        if (!is_in(g, refs->v[i]))
            return false;
    return refs->n > 0;
}

static bool is_kept(const struct lk_closed_group *g, lk_addr thing)
{
    return lk_references_keep(g->py, g->references, thing, g->in, NULL);
}

static bool lock_is_closed(const struct lk_closed_group *g, const struct lk_lock *l)
{
    if (l->lost_in_fork || l->of_process || l->set)
        return false;
    return l->mutex ? l->locked == LK_YES && l->owner_certain && all_in(g, &l->owners)
                    : is_kept(g, l->addr);
}

static bool is_closed(struct lk_closed_group *g, struct lk_ref end, unsigned relays);

/* all: each of them is needed; else any one is enough. */
static bool ends_are_closed(struct lk_closed_group *g, const struct lk_refs *ends, bool all,
                            unsigned relays)
{
    size_t closed = 0;
    for (size_t i = 0; i < ends->n; i++)
        closed += is_closed(g, ends->v[i], relays);
    return ends->n && (all ? closed > 0 : closed == ends->n);
}

static bool is_closed(struct lk_closed_group *g, struct lk_ref end, unsigned relays)
{
    const struct lk_lock *l = lk_lock_at(g->py->s, end);
    const struct lk_future *f = lk_future_at(g->py->s, end);
    if (!g->asks)
        return false;
    g->asks--;
    if (l)
        return lock_is_closed(g, l);
    if (!f)
        return is_in(g, end);
    if (f->state != LK_FUTURE_PENDING || !relays)
        return false;
    if (!f->enders.n)
        return is_kept(g, f->addr);
    /* a member of a gather() that fails ends it before the others */
    return f->enders_complete &&
           ends_are_closed(g, &f->enders, f->all && !f->fails_early, relays - 1);
}

static bool leave_out(struct lk_closed_group *g)
{
    bool any = false;
    for (size_t i = 0; i < g->members.n; i++) {
        const struct lk_wait *w = lk_wait_of(g->py->s, g->members.v[i].ref);
        const bool all = !w->any && !(w->traits & LK_WAIT_FAILS_EARLY);
        if (!g->in[i] || ends_are_closed(g, &w->on, all, MAX_RELAYS))
            continue;
        g->in[i] = false;
        any = true;
    }
    return any;
}

static bool has_members(const struct lk_closed_group *g)
{
    for (size_t i = 0; i < g->members.n; i++)
        if (g->in[i])
            return true;
    return false;
}

struct lk_closed_group *lk_closed_group_find(struct lk_py *py)
{
    struct lk_closed_group *g = lk_xcalloc(1, sizeof *g);
    g->py = py;
    g->asks = MAX_ASKS;
    add_members(g);
    if (g->members.n && g->members.n <= MAX_MEMBERS) {
        g->in = lk_xcalloc(g->members.n, sizeof *g->in);
        memset(g->in, true, g->members.n * sizeof *g->in);
        find_references(g);
        while (leave_out(g))
            ;
        if (has_members(g))
            return g;
    }
    lk_closed_group_free(g);
    return NULL;
}

void lk_closed_group_free(struct lk_closed_group *g)
{
    if (!g)
        return;
    if (g->references)
        lk_references_free(g->references);
    for (size_t i = 0; i < g->members.n; i++)
        lk_free(g->members.v[i].frames.v);
    lk_map_deinit(&g->index);
    lk_free(g->members.v);
    lk_free(g->in);
    lk_free(g);
}

bool lk_closed_group_keeps(struct lk_closed_group *g, lk_addr thing, struct lk_refs *has)
{
    bool *by = lk_xcalloc(g->members.n, sizeof *by);
    const bool kept = lk_references_keep(g->py, g->references, thing, g->in, by);
    for (size_t i = 0; i < g->members.n && kept; i++)
        if (by[i])
            lk_refs_add(g->py->s, has, g->members.v[i].ref);
    lk_free(by);
    return kept;
}
