/*
 * LK202 and LK205: loops that nobody runs, with pending tasks on them, or many of the same kind
 * left behind unclosed.
 */
#include "diagnose/rules/finders.h"

#include <string.h>

#include "diagnose/catalog/classify.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/rule_words.h"

enum { MAX_LEFT = 1000 }; /* loops looked at for LK205 */

/* How the loop was found, after "by". */
static const char *found_by_words(const struct lk_loop *o)
{
    static const char *const words[] = {
        [LK_FOUND_RUNNING] = "the record of the thread that ran it",
        [LK_FOUND_TASK] = "a task on it",
        [LK_FOUND_FRAME] = "a local variable",
        [LK_FOUND_MODULE] = "a module's global",
        [LK_FOUND_HEAP] = "a walk over all objects: nothing else led to it",
        [LK_FOUND_HANDLE] = "a callback scheduled on it",
    };
    if ((unsigned)o->found_by < LK_ARRAY_LEN(words) && words[o->found_by])
        return words[o->found_by];
    return "a reference to it";
}

/* What was read while threads ran, and only once, may be torn, or be on its way to where it
 * belongs. */
static bool seen_once(struct lk_rule_context *c, enum lk_read read, bool again_the_same)
{
    bool once = read == LK_READ_RACY && !again_the_same;
    c->out->look_again.at_once |= once;
    return once;
}

/* ---- LK202 --------------------------------------------------------------------------- */

static bool nobody_runs(const struct lk_loop *o)
{
    return o->run == LK_LOOP_STOPPED || o->run == LK_LOOP_NEVER_RUN || o->run == LK_LOOP_CLOSED;
}

/* Threads outside of requests that are between two steps of the user's code: each may run a loop
 * again in a moment. */
static size_t count_bursters(const struct lk_rule_context *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        const struct lk_pyframe *p = lk_culprit_frame(t->python_stack, NULL);
        bool between = t->running || t->moved || t->wait.kind == LK_WAIT_SLEEP;
        n += between && !t->in_request && p && p->code->cls == LK_CODE_USER;
    }
    return n;
}

/* Whether a stopped loop may be one that is run in bursts. A timer of it that is long overdue says
 * no. */
static bool in_bursts(const struct lk_rule_context *c, const struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
    if (o->run != LK_LOOP_STOPPED)
        return false;
    if (o->timers > 0 && o->next_timer_ms != LK_UNKNOWN &&
        o->next_timer_ms <= -c->snap->stalled_after_ms)
        return false;
    return c->snap->watched_ms < LK_TWO_SAMPLES_MS || (t && (t->running || t->moved)) ||
           count_bursters(c) > 0;
}

static void blame_tasks(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref loop,
                        int64_t *pending)
{
    const struct lk_snapshot *s = c->snap;
    /* That its loop is closed cannot go stale, and says nothing of when the task was read. */
    bool closed = lk_loop_at(s, loop)->run == LK_LOOP_CLOSED;
    for (size_t i = 0; i < s->tasks.n; i++) {
        const struct lk_task *k = &s->tasks.v[i];
        if (!lk_ref_eq(k->loop, loop) || k->state != LK_TASK_PENDING || !k->stable ||
            seen_once(c, closed ? LK_READ_RACY : k->read, lk_seen_twice(c)))
            continue;
        ++*pending;
        /* A thousand tasks of one function are one culprit: the first. */
        struct lk_culprit p = lk_culprit_of(c, lk_ref_make(LK_KIND_TASK, i));
        bool known = false;
        for (size_t n = 0; n < f->culprits.n && !known; n++) {
            const struct lk_culprit *q = &f->culprits.v[n];
            known = q->line == p.line && q->function == p.function && q->file == p.file;
        }
        lk_finding_part(c, f, lk_ref_make(LK_KIND_TASK, i), false);
        if (!known)
            lk_finding_blame(f, p);
    }
}

static bool is_told(const struct lk_rule_context *c, struct lk_ref loop)
{
    for (size_t i = 0; i < c->out->list.n; i++)
        for (size_t k = 0; k < c->out->list.v[i].loops.n; k++)
            if (lk_ref_eq(c->out->list.v[i].loops.v[k], loop))
                return true;
    return false;
}

/*
 * Callbacks that somebody has handed over, and no task: the standard library's own are what a run
 * of the loop leaves behind. What is waited for is LK201's.
 */
static int64_t blame_callbacks(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref loop)
{
    const struct lk_loop *o = lk_loop_at(c->snap, loop);
    int64_t handed = 0;
    for (size_t i = 0;
         i < o->n_handles && o->ready_same_head && o->run != LK_LOOP_CLOSED && !is_told(c, loop);
         i++) {
        const struct lk_handle *h = &o->handles[i];
        if (h->cancelled != LK_NO || !h->frame || h->frame->code->cls == LK_CODE_STDLIB)
            continue;
        handed++;
        lk_finding_blame(f, lk_culprit_of_frame(h->frame, LK_UNKNOWN, NULL));
    }
    return handed;
}

static const char *how_left(const struct lk_loop *o)
{
    return o->run == LK_LOOP_CLOSED      ? "is closed"
           : o->run == LK_LOOP_NEVER_RUN ? "was never run"
                                         : "was stopped and is run by no thread";
}

void lk_find_orphaned_tasks(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    for (size_t i = 0; i < s->loops.n; i++) {
        const struct lk_loop *o = &s->loops.v[i];
        struct lk_ref loop = lk_ref_make(LK_KIND_LOOP, i);
        if (!nobody_runs(o) || !o->stable || o->framework_owned || in_bursts(c, o))
            continue;
        struct lk_finding f = lk_finding_start(c, LK_RULE_LK202);
        int64_t pending = 0;
        blame_tasks(c, &f, loop, &pending);
        int64_t handed = pending ? 0 : blame_callbacks(c, &f, loop);
        if (!pending && !handed) {
            lk_finding_drop(&f);
            continue;
        }
        lk_finding_part(c, &f, loop, false);
        f.held_tasks = pending;
        f.summary = lk_print(c, "%s %s pending on %s, which %s: %s",
                             lk_count(c, pending + handed, pending ? "task" : "callback"),
                             pending + handed == 1 ? "is" : "are", lk_name(c, loop), how_left(o),
                             lk_place(c, &f.culprits.v[0]));
        lk_finding_say(c, &f, "%s %s, in all samples; it was found by %s", lk_name(c, loop),
                       how_left(o), found_by_words(o));
        f.safe_now = handed ? "Running the loop again (loop.run_forever() in a thread of its own) "
                              "lets them run; nothing is known to wait for them."
                     : o->run == LK_LOOP_CLOSED
                         ? "Nothing waits for these tasks; they end with the process."
                         : "Running the loop to their end (loop.run_until_complete), or cancelling "
                           "the tasks and closing "
                           "the loop, frees what they hold.";
        lk_finding_file(c, &f);
    }
}

/* ---- LK205 --------------------------------------------------------------------------- */

/* A thread has user code on its stack, or may have. Else what frames hold is what idle servers and
 * pools still remember. */
static bool user_code_is_live(const struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        const struct lk_pyframe *p = lk_culprit_frame(t->python_stack, NULL);
        if (t->running || t->in_request || (p && p->code->cls == LK_CODE_USER))
            return true;
    }
    return false;
}

static bool is_left_behind(struct lk_rule_context *c, const struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
    if (o->run != LK_LOOP_STOPPED && o->run != LK_LOOP_NEVER_RUN)
        return false;
    /* The heap is walked after the samples: what only that walk finds, no frame, task or module led
     * to in any of them. */
    bool heap = o->found_by == LK_FOUND_HEAP;
    if (o->closed == LK_YES || o->framework_owned || (!o->stable && !heap))
        return false;
    /* In the hands of a frame it is in use, or about to be; so it is when its thread runs it in
     * bursts. */
    const bool in_use =
        o->found_by == LK_FOUND_FRAME && (o->run != LK_LOOP_STOPPED || user_code_is_live(c));
    return !in_use && !(t && t->moved) &&
           !seen_once(c, o->read, o->stable && (heap || lk_seen_twice(c)));
}

static bool same_origin(const struct lk_loop *a, const struct lk_loop *b)
{
    const char *x = a->origin ? a->origin : "", *y = b->origin ? b->origin : "";
    return strcmp(a->cls ? a->cls : "", b->cls ? b->cls : "") == 0 && strcmp(x, y) == 0;
}

static void tell_leak(struct lk_rule_context *c, const size_t *left, size_t n)
{
    const struct lk_snapshot *s = c->snap;
    const struct lk_loop *o = &s->loops.v[left[0]];
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK205);
    int64_t tasks = 0;
    for (size_t i = 0; i < n; i++) {
        const struct lk_loop *p = &s->loops.v[left[i]];
        lk_finding_part(c, &f, lk_ref_make(LK_KIND_LOOP, left[i]), false);
        tasks += p->tasks_pending != LK_UNKNOWN ? p->tasks_pending : 0;
    }
    f.held_tasks = tasks;
    const char *from = o->origin ? lk_print(c, " from %s", o->origin) : "";
    f.summary = lk_print(c,
                         "%zu event loops%s (%s) were left behind, neither running nor closed: "
                         "each keeps an epoll descriptor and a socket pair",
                         n, from, o->cls ? o->cls : o->kind);
    /* A task that was not read may hold them. */
    if (!o->stable || !lk_seen_twice(c) || lk_tasks_may_be_missing(c))
        lk_finding_doubt(&f, LK_PROBABLE);
    for (size_t i = 0; i < n && i < 8; i++)
        lk_finding_say(c, &f, "%s is neither running nor closed; it was found by %s",
                       lk_name(c, lk_ref_make(LK_KIND_LOOP, left[i])),
                       found_by_words(&s->loops.v[left[i]]));
    if (s->epoll_fds != LK_UNKNOWN)
        lk_finding_say(c, &f, "the process has %s open",
                       lk_count(c, s->epoll_fds, "epoll descriptor"));
    f.safe_now = "Nothing is held up by it. Closing the loops (loop.close()) gives their "
                 "descriptors back; a restart does too.";
    lk_finding_file(c, &f);
}

void lk_find_leaked_loops(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    /* A thread that is between two bursts has one loop that is not left behind. */
    size_t bursters = count_bursters(c), n = 0;
    size_t *left = lk_arena_array(c->out->arena, MAX_LEFT, sizeof *left);
    size_t *group = lk_arena_array(c->out->arena, MAX_LEFT, sizeof *group);
    bool *told = lk_arena_array(c->out->arena, MAX_LEFT, sizeof *told);
    for (size_t i = 0; i < s->loops.n && n < MAX_LEFT; i++)
        if (is_left_behind(c, &s->loops.v[i]))
            left[n++] = i;
    for (size_t i = 0; i < n; i++) {
        size_t members = 0;
        for (size_t k = i; k < n && !told[i]; k++) {
            if (told[k] || !same_origin(&s->loops.v[left[i]], &s->loops.v[left[k]]))
                continue;
            group[members++] = left[k];
            told[k] = k != i;
        }
        told[i] = true;
        if (members >= 2 + bursters)
            tell_leak(c, group, members);
    }
}
