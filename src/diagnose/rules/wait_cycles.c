/*
 * LK101 to LK108, LK407: cycles of the wait-for graph, found in cycle_search.c. Here is what each
 * rule says of its own, and how sure it may be: a deadlock is proven where every party that could
 * end it is part of the cycle and no wait in it has a timeout.
 */
#include "diagnose/rules/finders.h"

#include <stdlib.h>
#include <string.h>

#include "diagnose/rules/cross_process_cycle.h"
#include "diagnose/rules/cycle_search.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/rule_words.h"

/* The summary of a finding, before what is added of timeouts. where: the place of its first
 * culprit. */
typedef const char *(*say_summary)(const struct lk_rule_context *c, const struct lk_wait_cycle *k,
                                   const char *where);

/* ---- words --------------------------------------------------------------------------- */

/* "thread a [1] in f (x.py:3), task Task-2 (g) in g (x.py:9)" */
static const char *participants(const struct lk_rule_context *c, const struct lk_wait_cycle *k,
                                enum lk_kind only, size_t most)
{
    const char *text = "";
    size_t n = 0, all = k->executors ? k->chain.n : k->n_cycle;
    for (size_t i = 0; i < all; i++) {
        struct lk_ref r = k->chain.v[i].from;
        if (r.kind != LK_KIND_THREAD && r.kind != LK_KIND_TASK)
            continue;
        if (only != LK_KIND_NONE && r.kind != only)
            continue;
        if (n++ >= most)
            return lk_print(c, "%s and others", text);
        struct lk_culprit p = lk_culprit_of(c, r);
        text = lk_print(c, "%s%s%s in %s", text, *text ? ", " : "", lk_name(c, r), lk_place(c, &p));
    }
    return text;
}

/* "thread a [1] (blocks in Future.result()) -> future f1 (its work item runs on) -> thread b [2]
 * ..." */
static const char *spelled_out(const struct lk_rule_context *c, const struct lk_wait_cycle *k)
{
    enum { MOST = 16 };
    const char *text = lk_name(c, k->root);
    for (size_t i = 0; i < k->n_cycle && i < MOST; i++)
        text = lk_print(c, "%s (%s) -> %s", text, k->chain.v[i].why, lk_name(c, k->chain.v[i].to));
    return k->n_cycle > MOST ? lk_print(c, "%s -> ...", text) : text;
}

static struct lk_ref first_of(const struct lk_wait_cycle *k, enum lk_kind kind)
{
    for (size_t i = 0; i < k->n_cycle; i++)
        if (k->chain.v[i].from.kind == kind)
            return k->chain.v[i].from;
    return (struct lk_ref){ LK_KIND_NONE, 0 };
}

/* The other threads of the cycle; the only one is named. */
static const char *by_way_of(const struct lk_rule_context *c, const struct lk_wait_cycle *k)
{
    if (k->threads > 2)
        return lk_print(c, " (by way of %s)", lk_count(c, (int64_t)k->threads - 1, "other thread"));
    for (size_t i = 1; i < k->n_cycle; i++) {
        struct lk_ref r = k->chain.v[i].from;
        struct lk_culprit p = lk_culprit_of(c, r);
        if (r.kind == LK_KIND_THREAD && !lk_ref_eq(r, k->root))
            return lk_print(c, " (by way of %s in %s)", lk_name(c, r), lk_place(c, &p));
    }
    return "";
}

static const char *say_own_loop(const struct lk_rule_context *c, const struct lk_wait_cycle *k,
                                const char *where)
{
    const struct lk_thread *t = lk_thread_at(c->snap, k->root);
    struct lk_ref awaited = k->chain.v[0].to;
    struct lk_ref task = first_of(k, LK_KIND_TASK);
    if (task.kind != LK_KIND_NONE && k->threads == 1)
        awaited = task;
    const char *ends = awaited.kind == LK_KIND_LOCK     ? "is given back"
                       : awaited.kind == LK_KIND_FUTURE ? "is completed"
                                                        : "can go on";
    return lk_print(c,
                    "%s runs %s and blocks in %s at %s on %s, which %s only when that loop runs "
                    "again%s: the loop waits for itself",
                    lk_name(c, k->root), lk_name(c, first_of(k, LK_KIND_LOOP)), lk_blocks_in(c, t),
                    where, lk_name(c, awaited), ends, by_way_of(c, k));
}

static bool holder_is_inferred(const struct lk_wait_cycle *k)
{
    for (size_t i = 0; i < k->n_cycle; i++)
        if (k->chain.v[i].from.kind == LK_KIND_LOCK && k->chain.v[i].inferred)
            return true;
    return false;
}

static const char *say_many_loops(const struct lk_rule_context *c, const struct lk_wait_cycle *k,
                                  const char *where)
{
    (void)where;
    return lk_print(c, "%zu event loops wait for each other: %s", k->loops,
                    participants(c, k, LK_KIND_THREAD, 4));
}

static const char *say_locks(const struct lk_rule_context *c, const struct lk_wait_cycle *k,
                             const char *where)
{
    if (k->threads == 1 && holder_is_inferred(k))
        return lk_print(c,
                        "%s waits in %s for %s, which is taken, and no other thread was found that "
                        "would give it back",
                        lk_name(c, k->root), where, lk_name(c, first_of(k, LK_KIND_LOCK)));
    if (k->threads == 1)
        return lk_print(c, "%s waits in %s for %s, which it holds itself", lk_name(c, k->root),
                        where, lk_name(c, first_of(k, LK_KIND_LOCK)));
    if (k->greenlets == 1 && !k->threads)
        return lk_print(c, "%s waits in %s for %s, which it holds itself", lk_name(c, k->root),
                        where, lk_name(c, first_of(k, LK_KIND_LOCK)));
    return lk_print(c, "%zu %s each hold a lock that another one of them waits for: %s",
                    k->threads + k->greenlets,
                    !k->greenlets ? "threads"
                    : k->threads  ? "threads and greenlets"
                                  : "greenlets",
                    participants(c, k, LK_KIND_NONE, 4));
}

static const char *say_pool(const struct lk_rule_context *c, const struct lk_wait_cycle *k,
                            const char *where)
{
    (void)where;
    return lk_print(c,
                    "all workers of %s wait for work that is still in that same pool's queue: %s",
                    lk_name(c, first_of(k, LK_KIND_EXECUTOR)), participants(c, k, LK_KIND_NONE, 3));
}

static const char *say_tasks(const struct lk_rule_context *c, const struct lk_wait_cycle *k,
                             const char *where)
{
    (void)where;
    return lk_print(c, "%s await each other in a ring: %s", lk_count(c, (int64_t)k->tasks, "task"),
                    participants(c, k, LK_KIND_TASK, 4));
}

static const char *say_lock_across_await(const struct lk_rule_context *c,
                                         const struct lk_wait_cycle *k, const char *where)
{
    struct lk_culprit holder = lk_culprit_of(c, first_of(k, LK_KIND_TASK));
    return lk_print(c,
                    "%s is suspended in %s with %s in its hands, and %s, which runs its loop, "
                    "blocks on that lock in %s",
                    lk_name(c, first_of(k, LK_KIND_TASK)), lk_place(c, &holder),
                    lk_name(c, first_of(k, LK_KIND_LOCK)), lk_name(c, k->root), where);
}

static const char *say_gil(const struct lk_rule_context *c, const struct lk_wait_cycle *k,
                           const char *where)
{
    (void)where;
    return lk_print(c, "the holder of the GIL waits for a lock whose holder waits for the GIL: %s",
                    participants(c, k, LK_KIND_NONE, 4));
}

/* Who holds units of a semaphore and waits for it: the first is told with its place, and where the
 * cycle asks for one. */
static const char *say_units(const struct lk_rule_context *c, const struct lk_wait_cycle *k,
                             const char *where)
{
    struct lk_ref lock = first_of(k, LK_KIND_LOCK);
    const struct lk_lock *l = lk_lock_at(c->snap, lock);
    struct lk_culprit asks = { .tid = LK_UNKNOWN };
    for (size_t i = 0; i < k->n_cycle; i++)
        if (lk_ref_eq(k->chain.v[i].to, lock))
            asks = lk_culprit_of(c, k->chain.v[i].from);
    return lk_print(c,
                    "all who hold %s wait until it is given back: %s found, the first of them in "
                    "%s, and what they wait for asks for it in %s",
                    lk_name(c, lock),
                    l->likely_enders.n == 1 ? "1 holder was"
                                            : lk_print(c, "%u holders were", l->likely_enders.n),
                    where, lk_place(c, &asks));
}

static const char *say_any(const struct lk_rule_context *c, const struct lk_wait_cycle *k,
                           const char *where)
{
    (void)where;
    return lk_print(c, "a cycle of waits: %s", spelled_out(c, k));
}

/* A task of the chain that could be told to stop, because its own loop is not part of it. */
static struct lk_ref cancellable(const struct lk_rule_context *c, const struct lk_wait_cycle *k)
{
    for (size_t i = 0; i < k->n_cycle; i++) {
        const struct lk_task *t = lk_task_at(c->snap, k->chain.v[i].from);
        const struct lk_node *loop = t ? lk_graph_node(c->graph, t->loop) : NULL;
        if (loop && t->state == LK_TASK_PENDING && loop->life == LK_LIFE_LIVE)
            return k->chain.v[i].from;
    }
    return (struct lk_ref){ LK_KIND_NONE, 0 };
}

static const char *cycle_safe_now(const struct lk_rule_context *c, const struct lk_finding *f,
                                  const struct lk_wait_cycle *k)
{
    struct lk_ref task = cancellable(c, k);
    if (k->timed && k->timer)
        return lk_print(c,
                        "A timer calls %s in %s, which may cancel or complete what it is about; "
                        "until then wait.",
                        *k->timer ? k->timer : "code that could not be named",
                        lk_duration(c, k->left_ms));
    if (k->timed)
        return lk_print(
            c, "It ends by itself when the timeout in or around the chain runs out%s.",
            k->left_ms == LK_FOREVER ? "" : lk_print(c, " (%s left)", lk_duration(c, k->left_ms)));
    if (k->soft)
        return lk_print(c,
                        "Whatever ends one of these waits (a set() or release() from other code) "
                        "frees it; none is known to come. Or else %s",
                        lk_end_process_words(c));
    if (k->direct)
        return lk_print(c,
                        "Cancelling one of these tasks ends nothing: the cancellation runs round "
                        "the ring into RecursionError. %s",
                        lk_capitalized(c, lk_end_process_words(c)));
    const struct lk_task *k_task = lk_task_at(c->snap, task);
    const struct lk_loop *o = k_task ? lk_loop_at(c->snap, k_task->loop) : NULL;
    if (o && o->cancels)
        return lk_print(c, "Cancel %s: its loop still runs, so %s reaches it. Or else %s",
                        lk_name(c, task), o->cancels, lk_end_process_words(c));
    if (f->confidence < LK_PROVEN)
        return lk_print(c,
                        "Nothing that would free it was found; that is not certain. Cancelling "
                        "does not interrupt a blocked "
                        "thread. Unless it moves by itself, %s",
                        lk_end_process_words(c));
    return lk_print(c,
                    "Nothing inside frees it: no wait has a timeout, and a blocked thread cannot "
                    "be cancelled. %s",
                    lk_capitalized(c, lk_end_process_words(c)));
}

/* ---- the finding --------------------------------------------------------------------- */

/* True when it is worth telling. */
static bool judge_cycle(struct lk_rule_context *c, struct lk_finding *f,
                        const struct lk_wait_cycle *k)
{
    const bool over = lk_watched_long(c);
    int64_t age = k->has_thread ? k->stuck_ms : k->steady ? c->snap->watched_ms : 0;
    bool old = c->snap->one_moment || age >= c->snap->stalled_after_ms;
    if (k->only_alike && f->confidence == LK_PROVEN)
        c->out->look_again.at_once = true; /* the next look may find its thread asleep */
    if (k->greenlets && !k->steady) {      /* what a sample reads only if asked */
        c->out->look_again.at_once = true;
        lk_finding_doubt(f, LK_PROBABLE);
    }
    if (!k->seen_long_enough || k->only_alike)
        lk_finding_doubt(f, LK_PROBABLE);
    /* A soft one rests on nothing but that nobody was found. */
    if (k->soft || k->tasks_may_end)
        lk_finding_doubt_absence(c, f, k->soft ? LK_POSSIBLE : LK_PROBABLE);
    if (k->watcher.kind != LK_KIND_NONE || k->callback || k->failing.kind != LK_KIND_NONE ||
        k->enders_unread)
        lk_finding_doubt(f, LK_PROBABLE);
    if (f->confidence == LK_PROVEN && !k->timed) {
        f->severity = LK_DEADLOCK;
        return true;
    }
    f->severity = old ? LK_STALLED : LK_HAZARD;
    f->needs_time = !old && k->may_stall;
    c->out->look_again.at_end |= !over && !k->has_thread && !c->halted;
    /* Tasks that soon make room for others: each such ring ends. */
    if (over && !k->has_thread && !k->steady)
        return false;
    if (old || (f->confidence > LK_POSSIBLE && !k->soft && !k->only_alike))
        return !k->soft || k->hard;
    if (k->soft && !k->hard)
        return false;
    /* Seen once, by a reader that a running thread may have outrun: look again before saying
     * anything. */
    for (size_t i = 0; f->needs_time && i < f->threads.n; i++)
        lk_watch(c, f->threads.v[i]);
    return false;
}

/* Of one that judge_cycle() does not find worth telling. */
static const char *why_no_cycle(const struct lk_wait_cycle *k)
{
    if (!k->has_thread && !k->steady)
        return "its tasks made room for others while they were watched";
    if (k->soft && !k->hard)
        return "other code may end any of its waits, and nothing but that speaks for a cycle";
    return "it was seen once only, and a thread of it may have run meanwhile";
}

/* A ring of one: a thread or task that waits for what it holds itself has no other side. */
static const char *remedy_of_one(const struct lk_rule_context *c, const struct lk_wait_cycle *k)
{
    static const char any[] =
        "Do not take again what the same thread or task holds: give it up before, or split off a "
        "part that is called with it held.";
    static const char *const remedies[LK_N_LOCK_TYPES] = {
        [LK_LOCK_TYPE_THREADING] =
            "Do not take a lock again that the same thread holds: make it a threading.RLock, or "
            "split off a part that is called with the lock held. Code that interrupts (signal "
            "handlers, __del__, callbacks of weakref) takes no lock; it leaves its work to a "
            "SimpleQueue or to the main loop.",
        [LK_LOCK_TYPE_PTHREAD_MUTEX] =
            "Do not lock a mutex again that the same thread holds: split off a part that is called "
            "with it held, or make it recursive (PTHREAD_MUTEX_RECURSIVE, std::recursive_mutex). "
            "Signal handlers lock no mutex.",
        [LK_LOCK_TYPE_PTHREAD_RWLOCK] =
            "A reader-writer lock cannot be taken for writing by who has it for reading, nor twice "
            "for writing: give it up before, or split off a part that is called with it held.",
        [LK_LOCK_TYPE_ASYNCIO] =
            "asyncio.Lock is not reentrant: do not take it again in the task that holds it; split "
            "off a part that is called with the lock held.",
        [LK_LOCK_TYPE_FILE] = "Do not lock a file again by another descriptor of the same process "
                              "while it is locked: "
                              "share one open file, or close the other one before.",
    };
    const struct lk_lock *own = lk_lock_at(c->snap, first_of(k, LK_KIND_LOCK));
    if (k->threads + k->tasks != 1 || k->loops || k->n_cycle != 2 || !own)
        return NULL;
    const bool python = own->type == LK_LOCK_TYPE_THREADING || own->type == LK_LOCK_TYPE_ASYNCIO;
    return remedies[own->type] && (own->mutex || !python) ? remedies[own->type] : any;
}

/* Where a lock is held around a wait for a loop, giving it up is the nearest change: the rule's
 * advice is about the wait. */
static const char *cycle_remedy(const struct lk_rule_context *c, const struct lk_finding *f,
                                const struct lk_wait_cycle *k)
{
    const char *one = remedy_of_one(c, k);
    if (one)
        return one;
    for (size_t i = 0; k->loops && i < k->n_cycle; i++) {
        struct lk_ref holder = k->chain.v[i].from,
                      lock = k->chain.v[i ? i - 1 : k->n_cycle - 1].from;
        struct lk_culprit p = lk_culprit_of(c, holder);
        if (holder.kind == LK_KIND_THREAD && lk_cycle_holds_and_waits(c, k, i))
            return lk_print(c, "Give %s up before waiting: %s holds it in %s. %s", lk_name(c, lock),
                            lk_name(c, holder), lk_place(c, &p), f->remedy);
    }
    return f->remedy;
}

/* Who may end a ring of tasks from outside. */
static void say_enders(struct lk_rule_context *c, struct lk_finding *f,
                       const struct lk_wait_cycle *k)
{
    if (k->watcher.kind != LK_KIND_NONE)
        lk_finding_say(c, f,
                       "%s does not wait for the ring and has one of its members at hand: it may "
                       "cancel it",
                       lk_name(c, k->watcher));
    if (k->callback)
        lk_finding_say(c, f,
                       "%s is called when %s%s%s, and has a member of the ring at hand: it may "
                       "cancel or complete it",
                       *k->callback->callback ? k->callback->callback : "a callback",
                       k->callback->by.kind == LK_KIND_NONE ? "" : lk_name(c, k->callback->by),
                       k->callback->by.kind == LK_KIND_NONE ? "" : ": ", k->callback->when);
    if (k->failing.kind != LK_KIND_NONE)
        lk_finding_say(c, f,
                       "%s is waited for together with a member of the ring: if it fails, that "
                       "wait ends",
                       lk_name(c, k->failing));
    if (k->enders_unread)
        lk_finding_say(c, f,
                       "not all timers and frames could be read: one of them may end the wait");
    if (k->direct)
        lk_finding_say(c, f,
                       "the tasks await each other themselves: cancelling one of them runs round "
                       "the ring into RecursionError and ends nothing");
}

static void say_unit_count(struct lk_rule_context *c, struct lk_finding *f,
                           const struct lk_wait_cycle *k)
{
    for (size_t i = 0; i < k->n_cycle; i++) {
        struct lk_ref lock = k->chain.v[i].from;
        const struct lk_lock *l = lk_lock_at(c->snap, lock);
        if (!l)
            continue;
        if (l->units_counted) {
            lk_finding_say(c, f, "%s has no unit left; %s out, by its own count, and %s found",
                           lk_name(c, lock),
                           l->units_held == 1 ? "1 is"
                                              : lk_print(c, "%lld are", (long long)l->units_held),
                           l->units_held == 1 ? "it was" : "all were");
            continue;
        }
        lk_finding_say(c, f,
                       "%s has no unit left; %s %s found in a with block or in code that is "
                       "yet to give it back%s",
                       lk_name(c, lock), lk_count(c, l->units_held, "unit"),
                       l->units_held == 1 ? "was" : "were",
                       l->units_all ? ", which is all it has"
                                    : "; how many it has, or who else may give one back, is not "
                                      "known");
    }
}

static void describe(struct lk_rule_context *c, struct lk_finding *f, const struct lk_wait_cycle *k,
                     say_summary say)
{
    const char *where = f->culprits.n ? lk_place(c, &f->culprits.v[0]) : "an unknown place";
    f->summary = say(c, k, where);
    if (k->timed && k->timer)
        f->summary = lk_print(c, "%s; a timer that calls %s in %s may end it", f->summary,
                              *k->timer ? k->timer : "code that could not be named",
                              lk_duration(c, k->left_ms));
    else if (!k->timed && k->rule == LK_RULE_LK101 && f->confidence == LK_PROVEN)
        f->summary = lk_print(c, "%s, and the call cannot return", f->summary);
    else if (k->timed)
        f->summary = lk_print(
            c, "%s; a timeout ends it%s", f->summary,
            k->left_ms == LK_FOREVER ? "" : lk_print(c, " in %s", lk_duration(c, k->left_ms)));
    if (f->stuck_ms != LK_UNKNOWN)
        lk_finding_say(c, f, "no thread of the chain made progress for %s, by %s",
                       lk_duration(c, f->stuck_ms),
                       f->stuck_by_scheduler ? "the scheduler's own record" : "comparing samples");
    say_enders(c, f, k);
    if (f->rule->id == c->rules[LK_RULE_LK407].id)
        say_unit_count(c, f, k);
    if (k->soft)
        lk_finding_say(c, f,
                       "other code could end one of these waits, but none that is at work and "
                       "would was found");
    else if (!k->timed && k->watcher.kind == LK_KIND_NONE && f->confidence < LK_PROVEN)
        lk_finding_say(
            c, f,
            "no wait in the chain has a timeout, and no other party that could end it was found");
    else if (!k->timed && f->confidence == LK_PROVEN)
        lk_finding_say(
            c, f,
            "no wait in the chain has a timeout, and every party that could end it is part of it");
    f->safe_now = cycle_safe_now(c, f, k);
    f->remedy = cycle_remedy(c, f, k);
}

/* What the chain's edge from this party leads to; none. */
static struct lk_ref next_in_chain(const struct lk_wait_cycle *k, struct lk_ref from)
{
    for (size_t i = 0; i < k->chain.n; i++)
        if (lk_ref_eq(k->chain.v[i].from, from))
            return k->chain.v[i].to;
    return (struct lk_ref){ LK_KIND_NONE, 0 };
}

/* A task that holds a unit for a worker thread: the code that waits is that thread's. */
static bool is_to_blame(const struct lk_rule_context *c, const struct lk_wait_cycle *k,
                        struct lk_ref r)
{
    struct lk_ref future = next_in_chain(k, r);
    return k->rule != LK_RULE_LK407 || !lk_task_at(c->snap, r) || future.kind != LK_KIND_FUTURE ||
           next_in_chain(k, future).kind != LK_KIND_THREAD;
}

static void tell_cycle(struct lk_rule_context *c, const struct lk_wait_cycle *k, say_summary say)
{
    struct lk_finding f = lk_finding_start(c, k->rule);
    for (size_t i = 0; i < k->chain.n; i++) {
        const struct lk_thread *t = lk_thread_at(c->snap, k->chain.v[i].from);
        lk_finding_part(c, &f, k->chain.v[i].from, is_to_blame(c, k, k->chain.v[i].from));
        const struct lk_task *task = lk_task_at(c->snap, k->chain.v[i].from);
        if (t)
            lk_finding_since(c, &f, t);
        else if (task)
            lk_finding_since_task(c, &f, task);
    }
    lk_finding_chain(c, &f, k->chain.v, k->chain.n);
    if (!judge_cycle(c, &f, k)) {
        const struct lk_refs *who = f.threads.n ? &f.threads : &f.tasks;
        lk_rule_out(c, k->rule, who->v, who->n, why_no_cycle(k));
        lk_finding_drop(&f);
        return;
    }
    struct lk_ref *members = lk_xcalloc(k->chain.n, sizeof *members);
    for (size_t i = 0; i < k->chain.n; i++)
        members[i] = k->chain.v[i].from;
    describe(c, &f, k, say);
    lk_finding_held_by(c, &f, members, k->chain.n);
    lk_finding_file(c, &f);
    lk_explain_all(c, members, k->chain.n);
    lk_free(members);
}

static void tell_cycles_of(struct lk_rule_context *c, enum lk_rule_id rule, say_summary say)
{
    const struct lk_wait_cycles *all = lk_wait_cycles(c);
    for (size_t i = 0; i < all->n; i++)
        if (all->v[i].rule == rule)
            tell_cycle(c, &all->v[i], say);
}

/* ---- the rules ----------------------------------------------------------------------- */

void lk_find_loop_waits_on_itself(struct lk_rule_context *c)
{
    tell_cycles_of(c, LK_RULE_LK101, say_own_loop);
}

void lk_find_cross_loop_cycle(struct lk_rule_context *c)
{
    tell_cycles_of(c, LK_RULE_LK102, say_many_loops);
}

void lk_find_lock_cycle(struct lk_rule_context *c)
{
    tell_cycles_of(c, LK_RULE_LK103, say_locks);
}

void lk_find_executor_starvation(struct lk_rule_context *c)
{
    tell_cycles_of(c, LK_RULE_LK104, say_pool);
}

void lk_find_await_cycle(struct lk_rule_context *c)
{
    tell_cycles_of(c, LK_RULE_LK105, say_tasks);
}

void lk_find_lock_held_across_await(struct lk_rule_context *c)
{
    tell_cycles_of(c, LK_RULE_LK106, say_lock_across_await);
}

void lk_find_gil_inversion(struct lk_rule_context *c)
{
    tell_cycles_of(c, LK_RULE_LK107, say_gil);
}

void lk_find_held_by_its_waiters(struct lk_rule_context *c)
{
    tell_cycles_of(c, LK_RULE_LK407, say_units);
}

void lk_find_wait_cycle(struct lk_rule_context *c)
{
    tell_cycles_of(c, LK_RULE_LK108, say_any);
    lk_tell_process_cycles(c);
}
