/*
 * LK108 across processes: a thread waits for other processes, each of which cannot act before this
 * one does. Which ones those are was decided over all processes that were examined together
 * (snapshot.h, struct lk_cross_wait).
 */
#include "diagnose/rules/context.h"

static const struct lk_cross_wait *next_link(const struct lk_rule_context *c, size_t thread,
                                             const struct lk_cross_wait *after)
{
    const struct lk_snapshot *s = c->snap;
    for (const struct lk_cross_wait *l = after ? after + 1 : s->links.v;
         l && l < s->links.v + s->links.n; l++)
        if (l->thread == thread)
            return l;
    return NULL;
}

void lk_finding_say_links(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref thread)
{
    if (!lk_thread_at(c->snap, thread))
        return;
    for (const struct lk_cross_wait *l = NULL; (l = next_link(c, thread.index, l));) {
        if (l->waits)
            lk_finding_say(c, f, "%s cannot act before this one: %s", l->what, l->waits);
        else if (l->finding && l->verdict >= LK_STALLED)
            lk_finding_say(c, f, "%s is itself %s, which is to be mended first: %s", l->what,
                           l->verdict == LK_DEADLOCK ? "deadlocked" : "stalled", l->finding);
    }
}

/* A ring is proven when all its processes slept on while each of them was read. */
static bool is_verified(const struct lk_rule_context *c, size_t thread)
{
    bool any = false;
    for (const struct lk_cross_wait *l = NULL; (l = next_link(c, thread, l));) {
        if (!l->verified)
            return false;
        any = true;
    }
    return any;
}

static void make_chain(struct lk_rule_context *c, struct lk_finding *f, size_t i)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    const struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
    const bool stable = t->stable;
    for (const struct lk_cross_wait *l = NULL; (l = next_link(c, i, l));) {
        const struct lk_edge ring[] = {
            { thread, l->via, lk_print(c, "blocks in %s", lk_blocks_in(c, t)), t->read, false,
              stable },
            { l->via, thread, lk_print(c, "%s, which is for", l->waits ? l->waits : "it waits"),
              t->read, false, stable },
        };
        lk_finding_chain(c, f, ring, LK_ARRAY_LEN(ring));
        return;
    }
}

static void tell(struct lk_rule_context *c, size_t i)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    const struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
    const struct lk_cross_wait *first = next_link(c, i, NULL);
    struct lk_finding f = lk_finding_start(c, "LK108");
    lk_finding_part(c, &f, thread, true);
    make_chain(c, &f, i);
    lk_finding_since(c, &f, t);
    if (!is_verified(c, i) || !lk_seen_long_enough(c, t))
        lk_finding_doubt(&f, LK_PROBABLE);
    f.severity = f.confidence == LK_PROVEN ? LK_DEADLOCK
                 : lk_is_stalled(c, t)     ? LK_STALLED
                                           : LK_HAZARD;
    if (f.severity != LK_DEADLOCK && lk_may_stall(c, t))
        lk_watch(c, thread);
    f.summary = lk_print(
        c, "%s blocks in %s at %s on %s, which in turn waits for this process: neither can go on",
        lk_name(c, thread), lk_blocks_in(c, t),
        f.culprits.n ? lk_place(c, &f.culprits.v[0]) : "an unknown place", first->what);
    lk_finding_say_links(c, &f, thread);
    lk_finding_say(c, &f,
                   "no other process holds the other end, and no other thread of the processes in "
                   "this ring can act");
    f.remedy = "Read a child's output before waiting for its end: use communicate() (which reads "
               "both pipes) or send the output to a "
               "file, get from a multiprocessing queue before join(), and close the ends of pipes "
               "that a process does not use. A "
               "timeout on the wait turns the hang into an error.";
    f.safe_now = lk_print(c,
                          "Ending either side frees the other: kill -TERM %lld ends the one that "
                          "this thread waits for.",
                          (long long)first->pid);
    lk_finding_held(c, &f, thread);
    lk_finding_file(c, &f);
    lk_explain(c, thread);
}

void lk_find_process_cycles(struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->threads.n; i++)
        if (c->snap->threads.v[i].mute && next_link(c, i, NULL) && !c->explained[i])
            tell(c, i);
}
