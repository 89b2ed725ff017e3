/*
 * Follows the waits that were read, from one party to what each of them needs: a task's awaits, a
 * group's members, a future's only enders, who has a lock (asyncio/taskgroups.py __aexit__,
 * asyncio/tasks.py gather, asyncio/locks.py; concurrent/futures/_base.py result).
 */
#include "read/loops/awaited.h"

#include "snapshot/builder.h"

enum { MOST = 64 /* parties of one walk */ };

struct walk {
    struct lk_ref todo[MOST];
    size_t n;
    bool locks; /* lead to their owners */
};

static void add(struct walk *w, const struct lk_refs *on, bool all)
{
    for (size_t i = 0; (all || on->n == 1) && i < on->n && w->n < MOST; i++) {
        bool known = false;
        for (size_t k = 0; k < w->n && !known; k++)
            known = lk_ref_eq(w->todo[k], on->v[i]);
        if (!known)
            w->todo[w->n++] = on->v[i];
    }
}

static void add_needed(const struct lk_snapshot *s, struct walk *w, struct lk_ref at)
{
    const struct lk_future *f = lk_future_at(s, at);
    const struct lk_lock *l = lk_lock_at(s, at);
    const struct lk_wait *wait = lk_wait_of(s, at);
    if (wait && wait->timeout_ms == LK_FOREVER)
        add(w, &wait->on, !wait->any);
    if (f && f->enders_complete)
        add(w, &f->enders, f->all);
    if (w->locks && l && l->mutex && l->locked == LK_YES)
        add(w, &l->owners, false);
}

static lk_addr bare(const struct lk_snapshot *s, struct lk_ref at)
{
    const struct lk_lock *l = lk_lock_at(s, at);
    const struct lk_future *f = lk_future_at(s, at);
    return l ? l->addr : f && !f->enders.n ? f->addr : 0;
}

size_t lk_awaited_things(const struct lk_snapshot *s, struct lk_ref who, bool locks, lk_addr *ret,
                         size_t max)
{
    struct walk w = { .todo = { who }, .n = 1, .locks = locks };
    size_t n = 0;
    for (size_t i = 0; i < w.n; i++) {
        lk_addr addr = bare(s, w.todo[i]);
        if (addr && n < max)
            ret[n++] = addr;
        add_needed(s, &w, w.todo[i]);
    }
    return n;
}
