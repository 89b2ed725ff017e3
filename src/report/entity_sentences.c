/*
 * Sentences about threads, loops, tasks, locks, executors and frames. What is not known is left
 * out, never written as a number or a name.
 */
#include "report/entity_sentences.h"

#include <inttypes.h>
#include <string.h>

#include "diagnose/wording/entity.h"
#include "report/phrase.h"

const char *lk_sentence_thread(struct lk_arena *a, const struct lk_thread *t)
{
    const char *n = t->name && *t->name ? t->name : t->comm;
    if (!n || !*n)
        return lk_arena_printf(a, "[%" PRId64 "]", t->tid);
    return lk_arena_printf(a, "%s [%" PRId64 "]", lk_phrase_name(a, n), t->tid);
}

static const char *task_label(struct lk_arena *a, const struct lk_task *k)
{
    const char *n = k->name && *k->name ? k->name : k->id;
    if (!k->coroutine || !*k->coroutine)
        return lk_arena_printf(a, "task %s", lk_phrase_name(a, n));
    return lk_arena_printf(a, "task %s (%s)", lk_phrase_name(a, n),
                           lk_phrase_name(a, k->coroutine));
}

static const char *extern_label(struct lk_arena *a, const struct lk_extern *e)
{
    if (!e->text || !*e->text)
        return lk_arena_printf(a, "%s %s", lk_words_extern_kind(e->kind), lk_phrase_name(a, e->id));
    if (e->kind != LK_EXT_TIMER || e->in_ms == LK_UNKNOWN || e->in_ms >= LK_SOMETIME)
        return lk_phrase_name(a, e->text);
    return lk_arena_printf(a, "%s, due in %s", lk_phrase_name(a, e->text),
                           lk_words_duration(a, e->in_ms));
}

const char *lk_sentence_label(struct lk_arena *a, const struct lk_snapshot *s, struct lk_ref r)
{
    const struct lk_thread *t = lk_thread_at(s, r);
    const struct lk_loop *l = lk_loop_at(s, r);
    const struct lk_task *k = lk_task_at(s, r);
    const struct lk_future *f = lk_future_at(s, r);
    const struct lk_lock *m = lk_lock_at(s, r);
    const struct lk_executor *x = lk_executor_at(s, r);
    const struct lk_extern *e = lk_extern_at(s, r);
    if (t)
        return lk_arena_printf(a, "thread %s", lk_sentence_thread(a, t));
    if (l)
        return lk_arena_printf(a, "loop %s (%s)", lk_phrase_name(a, l->id),
                               lk_phrase_name(a, l->kind));
    if (k)
        return task_label(a, k);
    if (f && f->origin)
        return lk_arena_printf(a, "future %s of %s", lk_phrase_name(a, f->id),
                               lk_words_future_origin(f->origin));
    if (f)
        return lk_arena_printf(a, "%s future %s", f->concurrent ? "concurrent" : "asyncio",
                               lk_phrase_name(a, f->id));
    if (m)
        return lk_entity_lock(a, m);
    if (x)
        return lk_arena_printf(a, "%s %s", lk_phrase_name(a, x->kind), lk_phrase_name(a, x->id));
    if (e)
        return extern_label(a, e);
    return "something unknown";
}

/* Labels joined by commas, at most `most` of them, then "and N more". Empty string for none. */
static const char *labels(struct lk_arena *a, const struct lk_snapshot *s,
                          const struct lk_refs *refs, size_t most)
{
    struct lk_strbuf b = { 0 };
    for (size_t i = 0; i < refs->n && i < most; i++) {
        lk_phrase_comma(&b);
        lk_strbuf_puts(&b, lk_sentence_label(a, s, refs->v[i]));
    }
    if (refs->n > most)
        lk_strbuf_printf(&b, " and %s more", lk_words_number(a, (int64_t)(refs->n - most)));
    return lk_phrase_keep(a, &b);
}

/* The kernel's view: the call, its descriptor and what stands behind it. */
static void os_part(struct lk_strbuf *b, struct lk_arena *a, const struct lk_syscall_wait *os)
{
    if (!os->syscall)
        return;
    lk_phrase_comma(b);
    lk_strbuf_printf(b, "in %s", lk_phrase_name(a, os->syscall));
    if (os->fd != LK_UNKNOWN)
        lk_strbuf_printf(b, " on fd %" PRId64, os->fd);
    if (os->peer)
        lk_strbuf_printf(b, " to %s", lk_phrase_name(a, os->peer));
    else if (os->listening && os->local)
        lk_strbuf_printf(b, ", listening on %s", lk_phrase_name(a, os->local));
    if (os->peer_is == LK_PEER_SELF)
        lk_strbuf_puts(b, " (this very process)");
    else if (os->peer_is == LK_PEER_TREE)
        lk_strbuf_puts(b, " (a process of the same tree)");
    if (os->path)
        lk_strbuf_printf(b, " on %s", lk_phrase_name(a, os->path));
    if (os->on == LK_OS_CHILD && os->child_pid != LK_UNKNOWN && os->child_pid > 0)
        lk_strbuf_printf(b, " for child %" PRId64, os->child_pid);
}

static bool waits_for_timer(const struct lk_snapshot *s, const struct lk_wait *w)
{
    for (size_t i = 0; i < w->on.n; i++) {
        const struct lk_extern *e = lk_extern_at(s, w->on.v[i]);
        if (e && e->kind == LK_EXT_TIMER)
            return true;
    }
    return false;
}

/* A timer is what ends the wait: "due in 3 s, no timeout" would read as a contradiction. */
static void timeout_part(struct lk_strbuf *b, struct lk_arena *a, int64_t timeout_ms, bool timer)
{
    if (timeout_ms == LK_FOREVER && !timer)
        lk_strbuf_puts(b, ", no timeout");
    else if (timeout_ms == LK_FOREVER)
        return;
    else if (timeout_ms != LK_UNKNOWN)
        lk_strbuf_printf(b, ", times out in %s", lk_words_duration(a, timeout_ms));
}

/* Where the program's own reason is known, descriptor and peer would only say it twice. */
static bool kernel_tells_more(const struct lk_wait *w, const struct lk_syscall_wait *os)
{
    if (!os)
        return false;
    return w->kind == LK_WAIT_UNKNOWN || w->kind == LK_WAIT_NONE || w->kind == LK_WAIT_SIGNAL ||
           ((w->kind == LK_WAIT_IO || w->kind == LK_WAIT_CHILD) && !w->on.n);
}

/* What a thread or task waits for: call, thing, file descriptor and peer, time left. NULL when it
 * does not wait. os is NULL for a task. */
static const char *wait_words(struct lk_arena *a, const struct lk_snapshot *s,
                              const struct lk_wait *w, const struct lk_syscall_wait *os)
{
    struct lk_strbuf b = { 0 };
    if (w->kind == LK_WAIT_SELECTOR || w->kind == LK_WAIT_EXECUTOR_IDLE || w->kind == LK_WAIT_READY)
        return NULL;
    if (w->call && w->kind != LK_WAIT_NONE)
        lk_strbuf_printf(&b, "blocks in %s", lk_phrase_name(a, w->call));
    if (w->on.n && w->kind != LK_WAIT_NONE) {
        lk_phrase_comma(&b);
        lk_strbuf_printf(&b, "waits for %s%s", w->on.n > 1 ? w->any ? "any of " : "all of " : "",
                         labels(a, s, &w->on, 3));
    }
    if (kernel_tells_more(w, os))
        os_part(&b, a, os);
    if (b.n && w->kind != LK_WAIT_NONE)
        timeout_part(&b, a, w->timeout_ms, waits_for_timer(s, w));
    return b.n ? lk_phrase_keep(a, &b) : NULL;
}

const char *lk_sentence_thread_facts(struct lk_arena *a, const struct lk_snapshot *s,
                                     const struct lk_thread *t)
{
    struct lk_strbuf b = { 0 };
    const char *wait = t->running ? NULL : wait_words(a, s, &t->wait, &t->os);
    if (wait)
        lk_strbuf_puts(&b, wait);
    if (t->main) {
        lk_phrase_comma(&b);
        lk_strbuf_puts(&b, "the main thread");
    }
    if (t->interpreter) {
        lk_phrase_comma(&b);
        lk_strbuf_printf(&b, "in Python interpreter %lld", (long long)t->interpreter);
    }
    if (t->interrupted_by) {
        lk_phrase_comma(&b);
        lk_strbuf_printf(&b, "interrupted by %s(), a signal's handler that waits for loopknot",
                         lk_phrase_name(a, t->interrupted_by));
    }
    if (lk_loop_at(s, t->running_loop)) {
        lk_phrase_comma(&b);
        lk_strbuf_printf(&b, "runs %s", lk_sentence_label(a, s, t->running_loop));
    }
    if (lk_executor_at(s, t->works_for)) {
        lk_phrase_comma(&b);
        lk_strbuf_printf(&b, "a worker of %s", lk_sentence_label(a, s, t->works_for));
    }
    if (t->in_request) {
        lk_phrase_comma(&b);
        lk_strbuf_puts(&b, "serves a request");
    }
    if (t->holds.n) {
        lk_phrase_comma(&b);
        lk_strbuf_printf(&b, "holds %s", labels(a, s, &t->holds, 4));
    }
    if (t->holds_gil) {
        lk_phrase_comma(&b);
        lk_strbuf_puts(&b, "holds the GIL");
    }
    return lk_phrase_keep(a, &b);
}

/* What there is none of is not told. */
static void loop_contents(struct lk_strbuf *b, struct lk_arena *a, const struct lk_loop *l)
{
    if (l->tasks_pending > 0)
        lk_strbuf_printf(b, "; %s pending", lk_words_count(a, l->tasks_pending, "task"));
    if (l->ready > 0)
        lk_strbuf_printf(b, "; %s ready", lk_words_count(a, l->ready, "callback"));
    if (l->timers > 0) {
        lk_strbuf_printf(b, "; %s", lk_words_count(a, l->timers, "timer"));
        if (l->next_timer_ms != LK_UNKNOWN && l->next_timer_ms < LK_SOMETIME)
            lk_strbuf_printf(b, ", the next in %s", lk_words_duration(a, l->next_timer_ms));
    }
}

const char *lk_sentence_loop(struct lk_arena *a, const struct lk_snapshot *s,
                             const struct lk_loop *l)
{
    static const char *const run[] = {
        [LK_LOOP_RUNNING] = "running",
        [LK_LOOP_STOPPED] = "stopped, not closed",
        [LK_LOOP_NEVER_RUN] = "never run, not closed",
        [LK_LOOP_CLOSED] = "closed",
        [LK_LOOP_LOST_IN_FORK] = "lost in a fork: its thread is in the parent process",
    };
    struct lk_strbuf b = { 0 };
    lk_strbuf_puts(&b, lk_phrase_name(a, l->kind));
    if (l->cls && *l->cls)
        lk_strbuf_printf(&b, " %s", lk_phrase_name(a, l->cls));
    lk_strbuf_printf(&b, ", %s",
                     (unsigned)l->run < LK_ARRAY_LEN(run) ? run[l->run]
                                                          : "running or not is unknown");
    if (lk_thread_at(s, l->thread))
        lk_strbuf_printf(&b, "%s%s", l->run == LK_LOOP_RUNNING ? " in " : ", last in ",
                         lk_sentence_label(a, s, l->thread));
    if (l->stopping == LK_YES)
        lk_strbuf_puts(&b, ", asked to stop");
    if (l->in_own_selector == LK_YES)
        lk_strbuf_puts(&b, ", asleep in its selector");
    loop_contents(&b, a, l);
    if (l->origin)
        lk_strbuf_printf(&b, "; found at %s", lk_phrase_name(a, l->origin));
    return lk_phrase_keep(a, &b);
}

const char *lk_sentence_task(struct lk_arena *a, const struct lk_snapshot *s,
                             const struct lk_task *k)
{
    struct lk_strbuf b = { 0 };
    if (k->kind == LK_TASK_GREENLET)
        lk_strbuf_puts(&b, k->state == LK_TASK_RUNNING ? "a greenlet" : "a suspended greenlet");
    else
        lk_strbuf_puts(&b,
                       k->state == LK_TASK_CANCELLED ? "cancelled" : lk_words_task_state(k->state));
    if (k->state == LK_TASK_PENDING && !k->started)
        lk_strbuf_puts(&b, ", not started");
    if (k->ready)
        lk_strbuf_puts(&b, ", ready to go on");
    if (k->must_cancel)
        lk_strbuf_puts(&b, ", cancellation asked for");
    if (lk_loop_at(s, k->loop))
        lk_strbuf_printf(&b, ", on %s", lk_sentence_label(a, s, k->loop));
    if (lk_thread_at(s, k->thread))
        lk_strbuf_printf(&b, " of %s", lk_sentence_label(a, s, k->thread));
    if (lk_thread_at(s, k->run_by))
        lk_strbuf_printf(&b, ", its step is on the stack of %s",
                         lk_sentence_label(a, s, k->run_by));
    const char *wait = k->state == LK_TASK_PENDING ? wait_words(a, s, &k->wait, NULL) : NULL;
    if (wait)
        lk_strbuf_printf(&b, ", %s", wait);
    if (k->holds.n)
        lk_strbuf_printf(&b, ", holds %s", labels(a, s, &k->holds, 4));
    return lk_phrase_keep(a, &b);
}

const char *lk_sentence_lock(struct lk_arena *a, const struct lk_snapshot *s,
                             const struct lk_lock *l)
{
    struct lk_strbuf b = { 0 };
    lk_strbuf_puts(&b, l->kind && *l->kind ? lk_phrase_name(a, l->kind) : "lock");
    if (l->name)
        lk_strbuf_printf(&b, " %s", lk_phrase_name(a, l->name));
    if (l->owners.n) {
        lk_strbuf_printf(&b, ", held by %s", labels(a, s, &l->owners, 3));
        if (!l->owner_certain)
            lk_strbuf_puts(&b, " (inferred)");
    } else if (l->mutex && l->locked == LK_YES) {
        lk_strbuf_puts(&b, ", locked, its holder is not known");
    } else if (l->mutex && l->locked == LK_NO) {
        lk_strbuf_puts(&b, ", free");
    }
    if (l->waiters.n)
        lk_strbuf_printf(&b, ", %s: %s", lk_words_count(a, (int64_t)l->waiters.n, "waiter"),
                         labels(a, s, &l->waiters, 6));
    return lk_phrase_keep(a, &b);
}

const char *lk_sentence_executor(struct lk_arena *a, const struct lk_snapshot *s,
                                 const struct lk_executor *x)
{
    struct lk_strbuf b = { 0 };
    lk_strbuf_printf(&b, "%s, %s", lk_phrase_name(a, x->kind),
                     lk_words_count(a, (int64_t)x->workers.n, "worker"));
    if (x->max_workers != LK_UNKNOWN)
        lk_strbuf_printf(&b, " of at most %s", lk_words_number(a, x->max_workers));
    if (x->queued > 0)
        lk_strbuf_printf(&b, ", %s in its queue", lk_words_count(a, x->queued, "item"));
    if (x->shutdown == LK_YES)
        lk_strbuf_puts(&b, ", shut down");
    if (x->workers.n)
        lk_strbuf_printf(&b, ": %s", labels(a, s, &x->workers, 6));
    return lk_phrase_keep(a, &b);
}

const char *lk_sentence_native(struct lk_arena *a, const struct lk_natframe *f)
{
    const char *function = f->function ? lk_phrase_name(a, f->function) : "(no symbol)";
    const char *module = f->module ? lk_phrase_name(a, f->module) : "(no module)";
    if (f->file)
        return lk_arena_printf(a, "%s:%d  %s  (%s%s)", lk_words_safe(a, f->file), f->line, function,
                               module, f->inlined ? ", inlined" : "");
    return lk_arena_printf(a, "%s+0x%" PRIx64 "  %s", module, f->offset, function);
}

/* The front of a path goes first, folder by folder: the file and its nearest folders tell more. */
static const char *path_within(struct lk_arena *a, const char *path, size_t columns)
{
    const char *from = path;
    while (lk_words_columns(from, SIZE_MAX) + (from > path ? 3 : 0) > columns) {
        const char *slash = strchr(from + 1, '/');
        if (!slash || !slash[1])
            break;
        from = slash;
    }
    return from > path ? lk_arena_printf(a, "...%s", from) : path;
}

const char *lk_sentence_frame(struct lk_arena *a, const struct lk_pyframe *f, size_t columns)
{
    const char *file = lk_words_safe(a, f->code ? f->code->file : NULL);
    const char *fn = f->code && f->code->qualname ? f->code->qualname
                     : f->code                    ? f->code->function
                                                  : NULL;
    const char *rest = f->line ? lk_arena_printf(a, ":%d in %s", f->line, lk_phrase_name(a, fn))
                               : lk_arena_printf(a, " in %s", lk_phrase_name(a, fn));
    const size_t taken = lk_words_columns(rest, SIZE_MAX);
    if (columns && *file == '/')
        file = path_within(a, file, columns > taken ? columns - taken : 1);
    return lk_arena_printf(a, "%s%s", file, rest);
}

const char *lk_sentence_local(struct lk_arena *a, const struct lk_local *l)
{
    return lk_arena_printf(a, "%s = %s", l->name, l->value);
}
