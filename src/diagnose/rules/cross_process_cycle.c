/*
 * LK108, of file locks alone LK103, across processes: a thread waits for other processes, each of
 * which cannot act before this one does. Which ones those are was decided over all processes that
 * were examined together (snapshot.h, struct lk_cross_wait).
 */
#include "diagnose/rules/cross_process_cycle.h"

#include "diagnose/rules/cross_process_waits.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/rule_words.h"

/* A ring is proven when all its processes slept on while each of them was read. */
static bool is_verified(const struct lk_rule_context *c, size_t thread)
{
    bool any = false;
    for (const struct lk_cross_wait *l = NULL; (l = lk_next_cross_wait(c, thread, l));) {
        if (!l->verified)
            return false;
        any = true;
    }
    return any;
}

static void add_ring(struct lk_rule_context *c, struct lk_finding *f, size_t i)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    const struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
    const bool stable = t->stable;
    for (const struct lk_cross_wait *l = NULL; (l = lk_next_cross_wait(c, i, l));) {
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

static const char read_first[] =
    "Read a child's output before waiting for its end: use communicate() (which reads both pipes) "
    "or send the output to a file, get from a multiprocessing queue before join(), and close the "
    "ends of pipes that a process does not use.";

static void tell_ring(struct lk_rule_context *c, size_t i)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    const struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
    const struct lk_cross_wait *first = lk_next_cross_wait(c, i, NULL);
    struct lk_finding f = lk_finding_start(c, first->by_locks ? LK_RULE_LK103 : LK_RULE_LK108);
    lk_finding_part(c, &f, thread, true);
    add_ring(c, &f, i);
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
    lk_finding_say_cross_waits(c, &f, thread);
    lk_finding_say(c, &f,
                   "no other process %s, and no other thread of the processes in this ring can act",
                   first->by_locks ? "has that lock" : "holds the other end");
    if (!first->by_locks)
        f.remedy = read_first;
    f.safe_now = lk_print(c,
                          "Ending either side frees the other: kill -TERM %lld ends the one that "
                          "this thread waits for.",
                          (long long)first->pid);
    lk_finding_held(c, &f, thread);
    lk_finding_file(c, &f);
    lk_explain(c, thread);
}

/* Each process that reads the full pipe has a thread that waits for this one to end. */
static bool is_to_be_read_first(const struct lk_rule_context *c, size_t i)
{
    const struct lk_cross_wait *l = lk_next_cross_wait(c, i, NULL);
    for (; l && l->awaits; l = lk_next_cross_wait(c, i, l))
        if (!lk_next_cross_wait(c, i, l))
            return lk_is_stalled(c, &c->snap->threads.v[i]);
    return false;
}

/* The other side of a wait for a child that nobody reads. Another thread of the reader could read:
 * no proof. */
static void tell_unread(struct lk_rule_context *c, size_t i)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    const struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
    const struct lk_cross_wait *l = lk_next_cross_wait(c, i, NULL);
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK108);
    const struct lk_edge ring[] = {
        { thread, l->via, lk_print(c, "blocks in %s", lk_blocks_in(c, t)), t->read, false,
          t->stable },
        { l->via, thread, l->awaits, t->read, true, t->stable },
    };
    lk_finding_part(c, &f, thread, true);
    lk_finding_chain(c, &f, ring, LK_ARRAY_LEN(ring));
    lk_finding_since(c, &f, t);
    lk_finding_doubt(&f, LK_PROBABLE);
    f.severity = LK_STALLED;
    f.summary = lk_print(
        c, "%s blocks in %s at %s on %s: the pipe is full, and %s instead of reading it",
        lk_name(c, thread), lk_blocks_in(c, t),
        f.culprits.n ? lk_place(c, &f.culprits.v[0]) : "an unknown place", l->what, l->awaits);
    lk_finding_say_cross_waits(c, &f, thread);
    f.remedy = read_first;
    f.safe_now = lk_print(c, "Ending this process frees the other: kill -TERM %lld.",
                          (long long)c->snap->pid);
    lk_finding_held(c, &f, thread);
    lk_finding_file(c, &f);
    lk_explain(c, thread);
}

void lk_tell_process_cycles(struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->threads.n; i++)
        if (c->snap->threads.v[i].no_answer && lk_next_cross_wait(c, i, NULL) && !c->explained[i])
            tell_ring(c, i);
        else if (!c->explained[i] && is_to_be_read_first(c, i))
            tell_unread(c, i);
}
