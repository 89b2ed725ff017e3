/*
 * When it cannot be said that all is well: what could not be read, and which candidate that would
 * have decided.
 */
#include "diagnose/rules/why_unknown.h"

#include <string.h>

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/rules/accept_queue.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/kept_gil.h"
#include "diagnose/rules/loop_callback.h"
#include "diagnose/rules/nobody_left.h"
#include "diagnose/rules/other_runtime.h"
#include "diagnose/rules/own_requests.h"
#include "diagnose/rules/polls_in_vain.h"
#include "diagnose/rules/requests.h"
#include "diagnose/rules/rule_words.h"
#include "diagnose/rules/unread_of_core.h"
#include "diagnose/wording/entity.h"
#include "util/text.h"

static const char *unexamined_children(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    if (!s->supervisor || !s->children.n || s->children_examined)
        return NULL;
    bool one = s->children.n == 1;
    bool workers = s->supervisor->kind == LK_SUPERVISOR_MASTER;
    return lk_print(
        c, "%lld is %s%s; its %s not examined: loopknot --tree %lld", (long long)s->pid,
        lk_supervisor_article(s->supervisor), s->supervisor->name,
        one ? (workers ? "worker was" : "child was")
            : lk_print(c, "%zu %s were", s->children.n, workers ? "workers" : "children"),
        (long long)s->pid);
}

/* A wait that was not found out decides something only where a request or a loop depends on it. */
static bool decides(const struct lk_rule_context *c, size_t i)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    struct lk_loop *o = lk_loop_of_thread(c, lk_ref_make(LK_KIND_THREAD, i));
    return lk_serves_request(c, lk_ref_make(LK_KIND_THREAD, i)) ||
           (o && o->in_own_selector != LK_YES && !lk_is_cell(t));
}

static bool waits_for_itself_by_socket(const struct lk_thread *t)
{
    return t->in_request && t->wait.kind == LK_WAIT_IO && t->os.peer &&
           t->os.peer_is == LK_PEER_SELF && !t->os.accepted &&
           (t->os.timeout_ms == LK_FOREVER || t->os.timeout_ms == LK_UNKNOWN);
}

static bool is_unknown_loop(const struct lk_graph *g, const struct lk_node *n, void *arg)
{
    (void)arg;
    const struct lk_loop *o = lk_loop_at(g->snap, n->ref);
    return o && o->run == LK_LOOP_UNKNOWN;
}

/* A loop that still runs callbacks, and which ones could not be read; NULL. */
static const struct lk_loop *loop_with_unread_queue(const struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->loops.n; i++)
        if (s->loops.v[i].ready == LK_UNKNOWN && s->loops.v[i].run == LK_LOOP_RUNNING &&
            !s->loops.v[i].native)
            return &s->loops.v[i];
    return NULL;
}

/* Which of its calls that run a loop is of a kind that was to be read and was not: there are more
 * of them than loops that it was found to run. */
static bool unread_call(const struct lk_thread *t, size_t *ret)
{
    const struct lk_pystack *st = t->python_stack;
    size_t outermost, drive;
    unsigned marks;
    for (size_t nth = t->n_frame_loops; (drive = lk_drive_call(st, nth, &outermost, &marks)); nth++)
        for (size_t k = drive - 1; k <= outermost && (marks & LK_MARK_UNREAD); k++)
            if (st->frames[k].code->marks & LK_MARK_UNREAD) {
                *ret = k;
                return true;
            }
    return false;
}

/* Its tasks and what these wait for are not known. */
static const char *loop_of_unread_kind(struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_pystack *st = c->snap->threads.v[i].python_stack;
        const struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
        size_t k;
        if (!unread_call(&c->snap->threads.v[i], &k))
            continue;
        const struct lk_culprit p = lk_culprit_of(c, thread);
        return lk_print(c,
                        "%s runs a loop of %s, a kind that is not read: what its tasks wait for is "
                        "not known; the thread stands at %s%s",
                        lk_name(c, thread), st->frames[k].code->call, lk_place(c, &p),
                        c->snap->threads.v[i].in_request ? ", in a request" : "");
    }
    return NULL;
}

/* What it is about to call is not known, so neither is who waits for that. Of a loop that moved
 * while it was read a queue may be torn. */
static const char *loop_without_queue(struct lk_rule_context *c)
{
    const struct lk_loop *o = loop_with_unread_queue(c->snap);
    const struct lk_thread *t = o ? lk_thread_at(c->snap, o->thread) : NULL;
    if (c->halted || !t || t->moved || t->read == LK_READ_RACY)
        return NULL;
    struct lk_culprit p = lk_culprit_of(c, o->thread);
    return lk_print(c, "the queue of loop %s (%s), which %s runs at %s, could not be found", o->id,
                    o->cls ? o->cls : o->kind, lk_name(c, o->thread), lk_place(c, &p));
}

/* A lock that is held, by whom could not be found out. */
static bool is_held_by_unknown(const struct lk_graph *g, const struct lk_node *n, void *arg)
{
    (void)arg;
    const struct lk_lock *l = lk_lock_at(g->snap, n->ref);
    return l && l->mutex && l->locked == LK_YES && !l->owners.n && !l->lost_in_fork &&
           !l->owner_gone && l->owner_by != LK_OWNER_FREE;
}

/*
 * The thread that this one joins, which waits for what any code may end: parked on purpose as a
 * consumer, but not where a request waits for its end. NULL.
 */
static const struct lk_thread *joined_in_open_wait(const struct lk_rule_context *c, size_t i)
{
    static const enum lk_wait_kind open[] = { LK_WAIT_CONDITION, LK_WAIT_EVENT,
                                              LK_WAIT_SEMAPHORE, LK_WAIT_BARRIER,
                                              LK_WAIT_QUEUE_GET, LK_WAIT_QUEUE_PUT,
                                              LK_WAIT_QUEUE_JOIN };
    const struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
    const struct lk_wait *w = &c->snap->threads.v[i].wait;
    const struct lk_thread *joined =
        w->kind == LK_WAIT_JOIN && w->on.n == 1 ? lk_thread_at(c->snap, w->on.v[0]) : NULL;
    if (!joined || lk_graph_node(c->graph, thread)->life != LK_LIFE_OPEN ||
        joined->wait.timeout_ms != LK_FOREVER || !lk_serves_request(c, thread))
        return NULL;
    for (size_t k = 0; k < LK_ARRAY_LEN(open); k++)
        if (joined->wait.kind == open[k])
            return joined;
    return NULL;
}

/* The next look reads what ran at this one. */
static const char *asks_itself_in_vain(struct lk_rule_context *c, struct lk_ref thread)
{
    const struct lk_thread *t = lk_thread_at(c->snap, thread);
    const struct lk_culprit p = lk_culprit_of(c, thread);
    size_t unread = 0;
    for (size_t i = 0; i < c->snap->threads.n; i++)
        if (lk_thread_is_unread(&c->snap->threads.v[i])) {
            lk_watch(c, lk_ref_make(LK_KIND_THREAD, i));
            unread++;
        }
    return lk_print(
        c,
        "%s has waited for %s at %s for an answer from this very process, and no worker "
        "was found that is left to give it%s",
        lk_name(c, thread), lk_duration(c, lk_stuck(c, t)), lk_place(c, &p),
        unread ? lk_print(c, "; %s met running and not read",
                          unread == 1 ? "1 thread was" : lk_print(c, "%zu threads were", unread))
               : "");
}

static const char *undecided_wait(struct lk_rule_context *c, size_t i)
{
    struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
    const struct lk_thread *t = &c->snap->threads.v[i];
    struct lk_edge path[LK_MAX_CHAIN];
    const struct lk_culprit p = lk_culprit_of(c, thread);
    if (t->wait.kind == LK_WAIT_UNKNOWN && decides(c, i))
        return lk_print(c,
                        "%s has stood still for %s at %s%s%s%s, and what it waits for there could "
                        "not be found out",
                        lk_name(c, thread), lk_duration(c, lk_stuck(c, t)), lk_place(c, &p),
                        t->os.syscall ? ", in " : "", t->os.syscall ? t->os.syscall : "",
                        t->os.syscall ? "()" : "");
    if (lk_polls_in_vain(c, thread))
        return lk_print(c,
                        "%s has stood in %s at %s for %s: that sleeps in short slices, and what it "
                        "looks for in between could not be found out",
                        lk_name(c, thread), lk_or_else(t->wait.call, "a call"), lk_place(c, &p),
                        lk_duration(c, lk_stuck(c, t)));
    if (waits_for_itself_by_socket(t) && !lk_someone_may_answer(c, thread))
        return asks_itself_in_vain(c, thread);
    size_t n = t->wait.kind == LK_WAIT_FUTURE
                   ? lk_graph_path(c->graph, thread, is_unknown_loop, NULL, path, LK_MAX_CHAIN)
                   : 0;
    if (n && n <= LK_MAX_CHAIN)
        return lk_print(
            c,
            "%s has waited for %s at %s for something that %s must bring about, and the "
            "state of that loop could not be read",
            lk_name(c, thread), lk_duration(c, lk_stuck(c, t)), lk_place(c, &p),
            lk_name(c, path[n - 1].to));
    const struct lk_thread *joined = joined_in_open_wait(c, i);
    if (joined) {
        const struct lk_culprit at = lk_culprit_of(c, t->wait.on.v[0]);
        return lk_print(
            c,
            "%s has waited for %s at %s for the end of %s, which waits in %s at %s, and "
            "who would end that was not found",
            lk_name(c, thread), lk_duration(c, lk_stuck(c, t)), lk_place(c, &p),
            lk_name(c, t->wait.on.v[0]), lk_blocks_in(c, joined), lk_place(c, &at));
    }
    if (lk_graph_node(c->graph, thread)->life == LK_LIFE_OPEN && decides(c, i))
        n = lk_graph_path(c->graph, thread, is_held_by_unknown, NULL, path, LK_MAX_CHAIN);
    if (n && n <= LK_MAX_CHAIN)
        return lk_print(c,
                        "%s has waited for %s at %s for %s, and who holds that could not be found "
                        "out",
                        lk_name(c, thread), lk_duration(c, lk_stuck(c, t)), lk_place(c, &p),
                        lk_name(c, path[n - 1].to));
    return NULL;
}

static const char *undecided_waits(struct lk_rule_context *c)
{
    const char *why = NULL;
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        bool old = lk_is_stalled(c, t);
        if (c->explained[i] || (!old && !lk_may_stall(c, t)))
            continue;
        const char *text = undecided_wait(c, i);
        if (text && !old)
            lk_watch(c, lk_ref_make(LK_KIND_THREAD, i));
        else if (text && !why)
            why = text;
    }
    return why;
}

/* The other end of what it reads or writes was not found. */
static bool waits_for_unknown_end(const struct lk_snapshot *s, const struct lk_task *k)
{
    const struct lk_extern *e = k->wait.on.n == 1 ? lk_extern_at(s, k->wait.on.v[0]) : NULL;
    return k->state == LK_TASK_PENDING && !k->ready && k->wait.kind == LK_WAIT_IO &&
           k->wait.timeout_ms == LK_FOREVER && !(k->wait.traits & LK_WAIT_LISTENS) && e &&
           e->kind == LK_EXT_UNKNOWN && (s->one_moment || !*lk_or_else(e->text, ""));
}

/* Whether there is a deadline is not known. */
static bool may_be_timed(const struct lk_task *k)
{
    return k->state == LK_TASK_PENDING && !k->ready && (k->wait.traits & LK_WAIT_HIDES_DEADLINE) &&
           k->wait.timeout_ms == LK_UNKNOWN;
}

/* While its hub turns it may be about to be woken, or another one at its place. */
static bool is_still_greenlet(const struct lk_task *k)
{
    return k->kind == LK_TASK_GREENLET && k->read >= LK_READ_ASLEEP;
}

/* A lock that is held, by nobody who was found, nor is anybody known who would give it back. */
static const struct lk_lock *lock_of_nobody(const struct lk_snapshot *s, const struct lk_task *k)
{
    const struct lk_lock *l = k->wait.on.n == 1 ? lk_lock_at(s, k->wait.on.v[0]) : NULL;
    return k->state == LK_TASK_PENDING && !k->ready && k->wait.kind == LK_WAIT_LOCK && l &&
                   (l->unended == LK_WAIT_LOCK || is_still_greenlet(k)) && l->locked == LK_YES &&
                   !l->owners.n && !l->owner_gone
               ? l
               : NULL;
}

/* A greenlet that nothing is known to wake. */
static bool waits_for_unknown(const struct lk_task *k)
{
    return is_still_greenlet(k) && k->state == LK_TASK_PENDING && !k->ready &&
           k->wait.kind == LK_WAIT_UNKNOWN;
}

/* The task's own place, or where it is no code of the project's, that of a task that awaits it. */
static const char *place_behind(struct lk_rule_context *c, struct lk_ref task)
{
    const struct lk_snapshot *s = c->snap;
    struct lk_ref at = task;
    for (size_t i = 0; i < s->tasks.n && !lk_is_project(c, at); i++)
        if (lk_refs_has(&s->tasks.v[i].wait.on, task))
            at = lk_ref_make(LK_KIND_TASK, i);
    const struct lk_culprit p = lk_culprit_of(c, at);
    return lk_place(c, &p);
}

/* What is not known of a request's task, or of one that it waits for; NULL: nothing. */
static const char *missing_of_task(struct lk_rule_context *c, const struct lk_task *k)
{
    const struct lk_lock *l = lock_of_nobody(c->snap, k);
    return may_be_timed(k)                     ? "whether that has a deadline"
           : waits_for_unknown_end(c->snap, k) ? "what is at the other end"
           : waits_for_unknown(k)              ? "what it waits for"
           : l ? lk_print(c, "who holds %s %s", lk_or_else(l->kind, "lock"), l->id)
               : NULL;
}

/* Requests that are tasks, and what these wait for. */
static const char *undecided_task_waits(struct lk_rule_context *c)
{
    const char *why = NULL;
    for (size_t i = 0; i < c->snap->tasks.n && !why; i++) {
        const struct lk_task *k = &c->snap->tasks.v[i];
        const struct lk_ref task = lk_ref_make(LK_KIND_TASK, i);
        const char *missing = c->explained_tasks[i] ? NULL : missing_of_task(c, k);
        if (!missing || !lk_serves_request(c, task))
            continue;
        if (lk_task_is_stalled(c, k))
            why = lk_print(c, "%s has waited for %s in %s at %s, and %s could not be found out",
                           lk_name(c, task), lk_duration(c, lk_task_stuck(c, k)),
                           lk_or_else(k->wait.call, "an await"), place_behind(c, task), missing);
        else if (lk_task_may_stall(c, k))
            c->out->look_again.at_end = true;
    }
    return why;
}

/* A future that nobody is known to complete, and a queue in which the one who does may stand. That
 * the wait has no timeout (LK405) says less, and does not stand for it. */
static const char *future_of_unread_queue(struct lk_rule_context *c)
{
    const struct lk_loop *o = loop_with_unread_queue(c->snap);
    const char *why = NULL;
    for (size_t i = 0; o && i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
        if (t->wait.kind != LK_WAIT_FUTURE || lk_graph_node(c->graph, thread)->life != LK_LIFE_OPEN)
            continue;
        if (lk_may_stall(c, t))
            lk_watch(c, thread);
        struct lk_culprit p = lk_culprit_of(c, thread);
        if (lk_is_stalled(c, t) && !why)
            why = lk_print(c,
                           "%s has waited for %s at %s for a future that a callback of loop %s "
                           "(%s) may complete, and the queue of that loop could not be read",
                           lk_name(c, thread), lk_duration(c, lk_stuck(c, t)), lk_place(c, &p),
                           o->id, o->cls ? o->cls : o->kind);
    }
    return why;
}

/* Threads that have stood still for long behind a loop; the first of them in *first. */
static int64_t stalled_behind(struct lk_rule_context *c, struct lk_ref loop, struct lk_ref *first)
{
    const size_t at = c->graph->first[LK_KIND_THREAD];
    int64_t n = 0;
    lk_graph_held_up(c->graph, loop, c->mark);
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        if (!c->mark[at + i] || !lk_is_stalled(c, t) || t->wait.kind != LK_WAIT_FUTURE)
            continue;
        if (!n++)
            *first = lk_ref_make(LK_KIND_THREAD, i);
    }
    return n;
}

/* A loop whose thread was met running, for a moment too short to be stopped in: what keeps it was
 * not seen, and others wait for it. */
static const char *loop_not_read(struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->loops.n; i++) {
        const struct lk_loop *o = &c->snap->loops.v[i];
        const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
        const struct lk_ref loop = lk_ref_make(LK_KIND_LOOP, i);
        struct lk_ref first = o->thread;
        if (c->halted || o->run != LK_LOOP_RUNNING || !t || !lk_thread_is_unread(t))
            continue;
        int64_t n = stalled_behind(c, loop, &first);
        if (!n)
            continue;
        c->out->look_again.at_once = true;
        struct lk_culprit p = lk_culprit_of(c, first);
        return lk_print(c,
                        "%s, which runs %s, was met running and could not be read, and %s for what "
                        "it runs: %s for %s, at %s",
                        lk_name(c, o->thread), lk_name(c, loop),
                        n == 1 ? "1 thread waits" : lk_print(c, "%lld threads wait", (long long)n),
                        lk_name(c, first),
                        lk_duration(c, lk_stuck(c, lk_thread_at(c->snap, first))), lk_place(c, &p));
    }
    return NULL;
}

/*
 * Of an interpreter that is just being set up or taken down nothing can be read but that its
 * threads run. That is all there is to know as long as none of them stands still.
 */
static const char *stuck_in_passing(struct lk_rule_context *c)
{
    const char *why = NULL;
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
        if (lk_may_stall(c, t))
            lk_watch(c, thread);
        if (!lk_is_stalled(c, t) || why)
            continue;
        struct lk_culprit p = lk_culprit_of(c, thread);
        why = lk_print(c, "%s. %s has stood still for %s in %s() at %s", c->snap->python.why_not,
                       lk_name(c, thread), lk_duration(c, lk_stuck(c, t)),
                       t->os.syscall ? t->os.syscall : "a call", lk_place(c, &p));
    }
    return why;
}

static const char *unread_python(struct lk_rule_context *c)
{
    const struct lk_python *p = &c->snap->python;
    if (!p->present || p->frames_read)
        return NULL;
    if (p->passing && p->why_not)
        return stuck_in_passing(c);
    if (p->why_not && c->snap->one_moment)
        return lk_print(c,
                        "%s: the limits below say which files the core leaves out; loopknot core "
                        "CORE EXE names the program, --sysroot DIR where all of them are",
                        p->why_not);
    return p->why_not ? p->why_not
                      : "the Python threads, loops and tasks could not be read to the end";
}

/* Threads that sleep in calls that could not be read, and were not seen to get on. */
static const char *unread_calls(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    const struct lk_thread *first = NULL;
    int64_t n = 0;
    for (size_t i = 0; i < s->threads.n; i++) {
        const struct lk_thread *t = &s->threads.v[i];
        if (c->halted || !lk_wait_is_unread(t) || t->moved)
            continue;
        first = first ? first : t;
        n++;
    }
    if (!n)
        return NULL;
    struct lk_culprit p = lk_culprit_of(c, lk_ref_make(LK_KIND_THREAD, first - s->threads.v));
    return lk_print(c, "what %s for was not read (%s at %s): %s",
                    n == 1 ? "1 thread waits" : lk_print(c, "%lld threads wait", (long long)n),
                    n == 1 ? "it is" : "the first is", lk_place(c, &p),
                    s->withheld ? s->withheld : strerror(first->unread));
}

/* A consumer that is parked on a condition may be so on purpose. */
static bool is_in_condition(const struct lk_thread *t)
{
    const struct lk_natstack *st = t->native_stack;
    for (size_t i = 0; st && i < st->n; i++) {
        const char *name = st->frames[i].function;
        if (name && strstr(name, "pthread_cond_"))
            return true;
    }
    return false;
}

/*
 * A process without an interpreter all of whose threads wait untimed for a word in memory, at least
 * one of them for what was not recognised (musl's and Rust's own locks): none is left to wake
 * another. One thread alone may wait for another process.
 */
static const char *all_wait_for_words(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    size_t first = SIZE_MAX;
    bool stalled = true;
    if (s->python.present || s->runtime != LK_RUNTIME_NATIVE || s->threads.n < 2)
        return NULL;
    for (size_t i = 0; i < s->threads.n; i++) {
        const struct lk_thread *t = &s->threads.v[i];
        if (t->os.on != LK_OS_FUTEX || t->running || t->moved || t->wait.timeout_ms != LK_FOREVER ||
            is_in_condition(t))
            return NULL;
        stalled &= lk_is_stalled(c, t);
        if (t->wait.kind == LK_WAIT_UNKNOWN && (first == SIZE_MAX || s->threads.v[first].main))
            first = i;
    }
    for (size_t i = 0; first != SIZE_MAX && !stalled && i < s->threads.n; i++)
        if (lk_may_stall(c, &s->threads.v[i]))
            lk_watch(c, lk_ref_make(LK_KIND_THREAD, i));
    if (first == SIZE_MAX || !stalled)
        return NULL;
    const struct lk_culprit p = lk_culprit_of(c, lk_ref_make(LK_KIND_THREAD, first));
    return lk_print(c,
                    "all %zu threads wait in futex() without a timeout, and what for was not "
                    "recognised: %s does at %s",
                    s->threads.n, lk_name(c, lk_ref_make(LK_KIND_THREAD, first)), lk_place(c, &p));
}

const char *lk_why_unknown(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    const char *children = unexamined_children(c), *python = unread_python(c),
               *runtime = lk_stuck_in_other_runtime(c), *waits = undecided_waits(c);
    const char *gil = lk_gil_is_kept(c), *queue = future_of_unread_queue(c),
               *loop = loop_not_read(c), *no_queue = loop_without_queue(c),
               *kind = loop_of_unread_kind(c), *words = all_wait_for_words(c);
    const char *unread = unread_calls(c), *tasks = undecided_task_waits(c),
               *core = lk_unread_of_core(c), *outside = lk_clients_left_outside(c),
               *shared = lk_shared_lock_of_nobody(c);
    if (children)
        return children;
    if (unread)
        return unread;
    if (python)
        return python;
    if (s->decisive_unreadable)
        return s->decisive_why ? s->decisive_why
               : s->limits.n   ? s->limits.v[s->limits.n - 1].text
                               : "something that decides whether all is well could not be read";
    if (c->passing)
        return lk_print(c, "%s; whether that lasts is not known, since a core dump is one moment",
                        c->passing);
    return runtime    ? runtime
           : gil      ? gil
           : loop     ? loop
           : queue    ? queue
           : no_queue ? no_queue
           : waits    ? waits
           : tasks    ? tasks
           : words    ? words
           : core     ? core
           : outside  ? outside
           : shared   ? shared
                      : kind;
}
