/*
 * Sentences from snapshot and findings, put together in a growing buffer. What is not known is left
 * out, never written as a number or a name; times are UTC and counted back from the moment at which
 * the snapshot was taken.
 */
#include "report/sentences.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "diagnose/wording/entity.h"
#include "report/enum_names.h"
#include "util/text.h"

#define NAME_COLUMNS 80 /* a longer name hides the sentence it stands in; JSON has it whole */

/* A phrase is put together in a growing buffer and ends in the arena. */
static const char *keep(struct lk_arena *a, struct lk_strbuf *b)
{
    const char *ret = lk_arena_strndup(a, b->s ? b->s : "", b->n);
    lk_strbuf_deinit(b);
    return ret;
}

/* A separator before everything but the first part. */
static void comma(struct lk_strbuf *b)
{
    if (b->n)
        lk_strbuf_puts(b, ", ");
}

static const char *name(struct lk_arena *a, const char *s)
{
    return lk_words_cut(a, s, NAME_COLUMNS);
}

const char *lk_sentence_thread(struct lk_arena *a, const struct lk_thread *t)
{
    const char *n = t->name && *t->name ? t->name : t->comm;
    if (!n || !*n)
        return lk_arena_printf(a, "[%" PRId64 "]", t->tid);
    return lk_arena_printf(a, "%s [%" PRId64 "]", name(a, n), t->tid);
}

static const char *task_label(struct lk_arena *a, const struct lk_task *k)
{
    const char *n = k->name && *k->name ? k->name : k->id;
    if (!k->coroutine || !*k->coroutine)
        return lk_arena_printf(a, "task %s", name(a, n));
    return lk_arena_printf(a, "task %s (%s)", name(a, n), name(a, k->coroutine));
}

static const char *extern_label(struct lk_arena *a, const struct lk_extern *e)
{
    if (!e->text || !*e->text)
        return lk_arena_printf(a, "%s %s", lk_words_extern_kind(e->kind), name(a, e->id));
    if (e->kind != LK_EXT_TIMER || e->in_ms == LK_UNKNOWN || e->in_ms == LK_FOREVER)
        return name(a, e->text);
    return lk_arena_printf(a, "%s, due in %s", name(a, e->text), lk_words_duration(a, e->in_ms));
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
        return lk_arena_printf(a, "loop %s (%s)", name(a, l->id), name(a, l->kind));
    if (k)
        return task_label(a, k);
    if (f && f->origin)
        return lk_arena_printf(a, "future %s of %s", name(a, f->id),
                               lk_words_future_origin(f->origin));
    if (f)
        return lk_arena_printf(a, "%s future %s", f->concurrent ? "concurrent" : "asyncio",
                               name(a, f->id));
    if (m)
        return lk_arena_printf(a, "%s %s", m->kind && *m->kind ? name(a, m->kind) : "lock",
                               name(a, m->id));
    if (x)
        return lk_arena_printf(a, "%s %s", name(a, x->kind), name(a, x->id));
    if (e)
        return extern_label(a, e);
    return "something unknown";
}

const char *lk_sentence_labels(struct lk_arena *a, const struct lk_snapshot *s,
                               const struct lk_refs *refs, size_t most)
{
    struct lk_strbuf b = { 0 };
    for (size_t i = 0; i < refs->n && i < most; i++) {
        comma(&b);
        lk_strbuf_puts(&b, lk_sentence_label(a, s, refs->v[i]));
    }
    if (refs->n > most)
        lk_strbuf_printf(&b, " and %s more", lk_words_number(a, (int64_t)(refs->n - most)));
    return keep(a, &b);
}

/* The kernel's view: the call, its descriptor and what stands behind it. */
static void os_part(struct lk_strbuf *b, struct lk_arena *a, const struct lk_syscall_wait *os)
{
    if (!os->syscall)
        return;
    comma(b);
    lk_strbuf_printf(b, "in %s", name(a, os->syscall));
    if (os->fd != LK_UNKNOWN)
        lk_strbuf_printf(b, " on fd %" PRId64, os->fd);
    if (os->peer)
        lk_strbuf_printf(b, " to %s", name(a, os->peer));
    else if (os->listening && os->local)
        lk_strbuf_printf(b, ", listening on %s", name(a, os->local));
    if (os->peer_is == LK_PEER_SELF)
        lk_strbuf_puts(b, " (this very process)");
    else if (os->peer_is == LK_PEER_TREE)
        lk_strbuf_puts(b, " (a process of the same tree)");
    if (os->path)
        lk_strbuf_printf(b, " on %s", name(a, os->path));
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

const char *lk_sentence_wait(struct lk_arena *a, const struct lk_snapshot *s,
                             const struct lk_wait *w, const struct lk_syscall_wait *os)
{
    struct lk_strbuf b = { 0 };
    if (w->kind == LK_WAIT_SELECTOR || w->kind == LK_WAIT_EXECUTOR_IDLE || w->kind == LK_WAIT_READY)
        return NULL;
    if (w->call && w->kind != LK_WAIT_NONE)
        lk_strbuf_printf(&b, "blocks in %s", name(a, w->call));
    if (w->on.n && w->kind != LK_WAIT_NONE) {
        comma(&b);
        lk_strbuf_printf(&b, "waits for %s%s", w->on.n > 1 ? w->any ? "any of " : "all of " : "",
                         lk_sentence_labels(a, s, &w->on, 3));
    }
    if (kernel_tells_more(w, os))
        os_part(&b, a, os);
    if (b.n && w->kind != LK_WAIT_NONE)
        timeout_part(&b, a, w->timeout_ms, waits_for_timer(s, w));
    return b.n ? keep(a, &b) : NULL;
}

const char *lk_sentence_thread_facts(struct lk_arena *a, const struct lk_snapshot *s,
                                     const struct lk_thread *t)
{
    struct lk_strbuf b = { 0 };
    const char *wait = t->running ? NULL : lk_sentence_wait(a, s, &t->wait, &t->os);
    if (wait)
        lk_strbuf_puts(&b, wait);
    if (t->main) {
        comma(&b);
        lk_strbuf_puts(&b, "the main thread");
    }
    if (lk_loop_at(s, t->running_loop)) {
        comma(&b);
        lk_strbuf_printf(&b, "runs %s", lk_sentence_label(a, s, t->running_loop));
    }
    if (lk_executor_at(s, t->works_for)) {
        comma(&b);
        lk_strbuf_printf(&b, "a worker of %s", lk_sentence_label(a, s, t->works_for));
    }
    if (t->in_request) {
        comma(&b);
        lk_strbuf_puts(&b, "serves a request");
    }
    if (t->holds.n) {
        comma(&b);
        lk_strbuf_printf(&b, "holds %s", lk_sentence_labels(a, s, &t->holds, 4));
    }
    if (t->holds_gil) {
        comma(&b);
        lk_strbuf_puts(&b, "holds the GIL");
    }
    return keep(a, &b);
}

static void loop_contents(struct lk_strbuf *b, struct lk_arena *a, const struct lk_loop *l)
{
    if (l->tasks_pending != LK_UNKNOWN)
        lk_strbuf_printf(b, "; %s pending", lk_words_count(a, l->tasks_pending, "task"));
    if (l->ready != LK_UNKNOWN)
        lk_strbuf_printf(b, "; %s ready", lk_words_count(a, l->ready, "callback"));
    if (l->timers != LK_UNKNOWN && l->timers > 0) {
        lk_strbuf_printf(b, "; %s", lk_words_count(a, l->timers, "timer"));
        if (l->next_timer_ms != LK_UNKNOWN)
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
    lk_strbuf_puts(&b, name(a, l->kind));
    if (l->cls && *l->cls)
        lk_strbuf_printf(&b, " %s", name(a, l->cls));
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
        lk_strbuf_printf(&b, "; found at %s", name(a, l->origin));
    return keep(a, &b);
}

const char *lk_sentence_task(struct lk_arena *a, const struct lk_snapshot *s,
                             const struct lk_task *k)
{
    struct lk_strbuf b = { 0 };
    if (k->kind == LK_TASK_GREENLET)
        lk_strbuf_puts(&b, "a suspended greenlet");
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
    const char *wait = k->state == LK_TASK_PENDING ? lk_sentence_wait(a, s, &k->wait, NULL) : NULL;
    if (wait)
        lk_strbuf_printf(&b, ", %s", wait);
    if (k->holds.n)
        lk_strbuf_printf(&b, ", holds %s", lk_sentence_labels(a, s, &k->holds, 4));
    return keep(a, &b);
}

const char *lk_sentence_lock(struct lk_arena *a, const struct lk_snapshot *s,
                             const struct lk_lock *l)
{
    struct lk_strbuf b = { 0 };
    lk_strbuf_puts(&b, l->kind && *l->kind ? name(a, l->kind) : "lock");
    if (l->owners.n) {
        lk_strbuf_printf(&b, ", held by %s", lk_sentence_labels(a, s, &l->owners, 3));
        if (!l->owner_certain)
            lk_strbuf_puts(&b, " (inferred)");
    } else if (l->mutex && l->locked == LK_YES) {
        lk_strbuf_puts(&b, ", locked, its holder is not known");
    } else if (l->mutex && l->locked == LK_NO) {
        lk_strbuf_puts(&b, ", free");
    }
    if (l->waiters.n)
        lk_strbuf_printf(&b, ", %s: %s", lk_words_count(a, (int64_t)l->waiters.n, "waiter"),
                         lk_sentence_labels(a, s, &l->waiters, 6));
    return keep(a, &b);
}

const char *lk_sentence_executor(struct lk_arena *a, const struct lk_snapshot *s,
                                 const struct lk_executor *x)
{
    struct lk_strbuf b = { 0 };
    lk_strbuf_printf(&b, "%s, %s", name(a, x->kind),
                     lk_words_count(a, (int64_t)x->workers.n, "worker"));
    if (x->max_workers != LK_UNKNOWN)
        lk_strbuf_printf(&b, " of at most %s", lk_words_number(a, x->max_workers));
    if (x->queued != LK_UNKNOWN)
        lk_strbuf_printf(&b, ", %s in its queue", lk_words_count(a, x->queued, "item"));
    if (x->shutdown == LK_YES)
        lk_strbuf_puts(&b, ", shut down");
    if (x->workers.n)
        lk_strbuf_printf(&b, ": %s", lk_sentence_labels(a, s, &x->workers, 6));
    return keep(a, &b);
}

const char *lk_sentence_native(struct lk_arena *a, const struct lk_natframe *f)
{
    const char *function = f->function ? name(a, f->function) : "(no symbol)";
    const char *module = f->module ? name(a, f->module) : "(no module)";
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
    const char *rest = f->line ? lk_arena_printf(a, ":%d in %s", f->line, name(a, fn))
                               : lk_arena_printf(a, " in %s", name(a, fn));
    const size_t taken = lk_words_columns(rest, SIZE_MAX);
    if (columns && *file == '/')
        file = path_within(a, file, columns > taken ? columns - taken : 1);
    return lk_arena_printf(a, "%s%s", file, rest);
}

/* An argument as it would be typed in the process's own folder. */
static const char *below_cwd(const struct lk_snapshot *s, const char *arg)
{
    const size_t n = s->cwd ? strlen(s->cwd) : 0;
    return n > 1 && strncmp(arg, s->cwd, n) == 0 && arg[n] == '/' && arg[n + 1] ? arg + n + 1 : arg;
}

static const char *command_line(struct lk_arena *a, const struct lk_snapshot *s, size_t most,
                                bool brief)
{
    struct lk_strbuf b = { 0 };
    for (size_t i = 0; i < s->n_cmdline && b.n < most; i++) {
        const char *arg = lk_words_safe(a, s->cmdline[i]);
        if (brief)
            arg = i ? below_cwd(s, arg) : lk_base_name(arg);
        lk_strbuf_printf(&b, "%s%s", i ? " " : "", arg);
    }
    return keep(a, &b);
}

const char *lk_sentence_command(struct lk_arena *a, const struct lk_snapshot *s, size_t columns)
{
    /* Bytes enough for so many columns of the widest characters. */
    const size_t most = columns * 4;
    const char *line = command_line(a, s, most, false);
    if (lk_words_columns(line, SIZE_MAX) > columns)
        line = command_line(a, s, most, true);
    return lk_words_cut(a, *line ? line : s->comm, columns);
}

const char *lk_sentence_runtime(struct lk_arena *a, const struct lk_snapshot *s)
{
    const char *threads = lk_words_count(a, (int64_t)s->threads.n, "thread");
    if (!s->python.present)
        return lk_arena_printf(a, "%s, %s", s->runtime ? lk_runtime_name(s->runtime) : "no Python",
                               threads);
    if (!s->python.version)
        return lk_arena_printf(a, "Python of unknown version, %s", threads);
    return lk_arena_printf(a, "Python %s%s, %s", name(a, s->python.version),
                           s->python.free_threaded == LK_YES ? " free-threaded" : "", threads);
}

const char *lk_sentence_looked(struct lk_arena *a, const struct lk_snapshot *s)
{
    int64_t pause_us = LK_UNKNOWN, stopped = 0;
    for (size_t i = 0; i < s->samples.n; i++) {
        pause_us = LK_MAX(pause_us, s->samples.v[i].pause_us);
        stopped = LK_MAX(stopped, s->samples.v[i].stopped);
    }
    struct lk_strbuf b = { 0 };
    lk_strbuf_puts(&b, lk_words_count(a, (int64_t)s->samples.n, "sample"));
    if (s->watched_ms > 0)
        lk_strbuf_printf(&b, ", watched for %s", lk_words_duration(a, s->watched_ms));
    if (!s->samples.n)
        lk_strbuf_puts(&b, ", only /proc was read; no thread was stopped");
    else if (stopped == 0)
        lk_strbuf_puts(&b, "; no thread was stopped");
    else
        lk_strbuf_printf(&b, "; %s of %s stopped for it", lk_words_number(a, stopped),
                         lk_words_count(a, (int64_t)s->threads.n, "thread"));
    if (stopped > 0 && pause_us != LK_UNKNOWN)
        lk_strbuf_printf(&b, ", longest pause %" PRId64 ".%" PRId64 " ms", pause_us / 1000,
                         pause_us % 1000 / 100);
    lk_strbuf_puts(&b, "; nothing was written to the process");
    return keep(a, &b);
}

static bool examined(const struct lk_report *reports, size_t n, int64_t pid)
{
    for (size_t i = 0; i < n; i++)
        if (reports[i].snap->pid == pid)
            return true;
    return false;
}

const char *lk_sentence_children(struct lk_arena *a, const struct lk_report *reports, size_t n,
                                 size_t i)
{
    const struct lk_snapshot *s = reports[i].snap;
    int64_t missing = 0;
    for (size_t c = 0; c < s->children.n; c++)
        missing += !examined(reports, n, s->children.v[c].pid);
    if (!missing)
        return NULL;
    const bool master = s->supervisor && s->supervisor->kind == LK_SUPERVISOR_MASTER;
    struct lk_strbuf b = { 0 };
    if (s->supervisor)
        lk_strbuf_printf(&b, "%" PRId64 " is %s%s; its ", s->pid,
                         lk_supervisor_article(s->supervisor), name(a, s->supervisor->name));
    lk_strbuf_printf(
        &b, "%s %s not examined:", lk_words_count(a, missing, master ? "worker" : "child process"),
        missing == 1 ? "was" : "were");
    return keep(a, &b);
}

const char *lk_sentence_children_command(struct lk_arena *a, const struct lk_snapshot *s)
{
    return lk_arena_printf(a, "loopknot --tree %" PRId64, s->pid);
}

/* The rows of a census; a thread counts in the first that fits. */
enum census {
    CENSUS_LOOP_IDLE,
    CENSUS_POOL_IDLE,
    CENSUS_REQUEST_MOVES,
    CENSUS_REQUEST_WAITS,
    CENSUS_RUNS,
    CENSUS_PARKED,
    CENSUS_SLEEPS,
    CENSUS_STOPPED,
    CENSUS_UNKNOWN,
    CENSUS_WAITS,
    CENSUS_COUNT
};

static enum census census_of(const struct lk_thread *t)
{
    const enum lk_thread_state st = lk_words_thread_state(t, false);
    if (st == LK_TS_LOOP_IDLE)
        return CENSUS_LOOP_IDLE;
    if (st == LK_TS_EXECUTOR_IDLE)
        return CENSUS_POOL_IDLE;
    if (st == LK_TS_STOPPED)
        return CENSUS_STOPPED;
    if (t->in_request)
        return t->moved || st == LK_TS_RUNNING ? CENSUS_REQUEST_MOVES : CENSUS_REQUEST_WAITS;
    if (t->moved || st == LK_TS_RUNNING)
        return CENSUS_RUNS;
    if (st == LK_TS_PARKED)
        return CENSUS_PARKED;
    if (st == LK_TS_SLEEP)
        return CENSUS_SLEEPS;
    return st == LK_TS_UNKNOWN ? CENSUS_UNKNOWN : CENSUS_WAITS;
}

const char *lk_sentence_census(struct lk_arena *a, const struct lk_snapshot *s)
{
    static const struct {
        const char *noun, *what;
    } rows[CENSUS_COUNT] = {
        [CENSUS_LOOP_IDLE] = { "loop", "idle" },
        [CENSUS_POOL_IDLE] = { "pool worker", "idle" },
        [CENSUS_REQUEST_MOVES] = { "request", "moving" },
        [CENSUS_REQUEST_WAITS] = { "request", "waiting" },
        [CENSUS_RUNS] = { "thread", "moving" },
        [CENSUS_PARKED] = { "thread", "parked (accept, event, signal)" },
        [CENSUS_SLEEPS] = { "thread", "asleep for a set time" },
        [CENSUS_STOPPED] = { "thread", "stopped" },
        [CENSUS_UNKNOWN] = { "thread", "in a wait that was not recognised" },
        [CENSUS_WAITS] = { "thread", "waiting" },
    };
    int64_t count[CENSUS_COUNT] = { 0 };
    for (size_t i = 0; i < s->threads.n; i++)
        count[census_of(&s->threads.v[i])]++;
    struct lk_strbuf b = { 0 };
    for (size_t i = 0; i < CENSUS_COUNT; i++) {
        if (!count[i])
            continue;
        comma(&b);
        lk_strbuf_printf(&b, "%s %s", lk_words_count(a, count[i], rows[i].noun), rows[i].what);
    }
    return b.n ? keep(a, &b) : "no thread was read";
}

const char *lk_sentence_limit(struct lk_arena *a, const struct lk_snapshot *s,
                              const struct lk_limit *l)
{
    const struct lk_failed_read *r = &l->read;
    const bool memory = r->size > 0, whose = l->entity.kind != LK_KIND_NONE;
    if (!memory && !r->os_errno)
        return whose ? lk_sentence_label(a, s, l->entity) : NULL;
    const char *reason =
        r->os_errno ? strerrordesc_np(r->os_errno) : "they can be read, but cannot be right";
    struct lk_strbuf b = { 0 };
    if (whose)
        lk_strbuf_printf(&b, "%s; ", lk_sentence_label(a, s, l->entity));
    lk_strbuf_puts(&b, r->reading ? r->reading : "reading");
    if (memory)
        lk_strbuf_printf(&b, ", %s at 0x%" PRIx64,
                         lk_words_count(a, (int64_t)LK_MIN(r->size, (uint64_t)INT64_MAX), "byte"),
                         r->addr);
    lk_strbuf_puts(&b, ": ");
    if (r->os_errno)
        lk_strbuf_printf(&b, "%s (%s)", lk_words_errno(a, r->os_errno), reason ? reason : "?");
    else
        lk_strbuf_puts(&b, reason);
    const char *ret = lk_arena_strdup(a, b.s);
    lk_strbuf_deinit(&b);
    return ret;
}

const char *lk_sentence_why_unknown(struct lk_arena *a, const struct lk_report *r)
{
    const struct lk_snapshot *s = r->snap;
    if (r->findings->verdict_why && *r->findings->verdict_why)
        return r->findings->verdict_why;
    if (s->python.present && s->python.why_not)
        return s->python.why_not;
    if (s->limits.n)
        return lk_arena_printf(a, "too little could be read to judge: %s", s->limits.v[0].text);
    return "too little could be read to judge";
}

const char *lk_sentence_place(struct lk_arena *a, const struct lk_culprit *c)
{
    const char *function = c->function ? name(a, c->function) : "(no name)";
    if (c->file && c->line > 0)
        return lk_arena_printf(a, "%s:%d in %s", lk_words_safe(a, c->file), c->line, function);
    if (c->file)
        return lk_arena_printf(a, "%s in %s", lk_words_safe(a, c->file), function);
    if (c->module)
        return lk_arena_printf(a, "%s+0x%" PRIx64 " in %s", lk_words_safe(a, c->module), c->offset,
                               function);
    return function;
}

const char *lk_sentence_culprit(struct lk_arena *a, const struct lk_snapshot *s,
                                const struct lk_culprit *c)
{
    for (size_t i = 0; c->tid != LK_UNKNOWN && i < s->threads.n; i++)
        if (s->threads.v[i].tid == c->tid)
            return lk_sentence_label(a, s, lk_ref_make(LK_KIND_THREAD, i));
    for (size_t i = 0; c->task && i < s->tasks.n; i++)
        if (strcmp(s->tasks.v[i].id, c->task) == 0)
            return task_label(a, &s->tasks.v[i]);
    return NULL;
}

/* "11:46:00 UTC" of the moment stuck_ms before the snapshot was taken; with the date when it is
 * another day. */
static const char *clock_time(struct lk_arena *a, const struct lk_snapshot *s, int64_t stuck_ms)
{
    struct tm tm = { 0 };
    const int64_t ten_years_ms = INT64_C(10) * 366 * 86400 * 1000;
    const char *end = s->taken_at ? strptime(s->taken_at, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    if (!end || (*end != 'Z' && *end != '.') || stuck_ms < 0 || stuck_ms > ten_years_ms)
        return NULL;
    const int64_t fraction_ms = *end == '.' ? (int64_t)(strtod(end, NULL) * 1000) : 0;
    const time_t taken = timegm(&tm),
                 since = (time_t)(((int64_t)taken * 1000 + fraction_ms - stuck_ms) / 1000);
    char text[64];
    struct tm then;
    if (!gmtime_r(&since, &then))
        return NULL;
    const bool today = then.tm_yday == tm.tm_yday && then.tm_year == tm.tm_year;
    if (!strftime(text, sizeof text, today ? "%H:%M:%S UTC" : "%Y-%m-%d %H:%M:%S UTC", &then))
        return NULL;
    return lk_arena_strdup(a, text);
}

bool lk_sentence_is_stuck(const struct lk_finding *f)
{
    return f->severity != LK_HAZARD || f->stuck_ms != LK_UNKNOWN || f->held_requests > 0 ||
           f->held_tasks > 0;
}

/* The scheduler's record begins anew when a thread wakes for a moment and waits on, as for a
 * signal's handler, and when it is stopped and continued. */
static bool may_be_cut_short(const struct lk_snapshot *s)
{
    return s->handles_signals != LK_NO || s->handles_alarm == LK_YES || s->stop.job_stopped ||
           s->stop.tracer_pid || s->stop.frozen;
}

const char *lk_sentence_since(struct lk_arena *a, const struct lk_snapshot *s,
                              const struct lk_finding *f)
{
    if (f->stuck_ms == LK_UNKNOWN)
        return "for how long is not known";
    const char *at = clock_time(a, s, f->stuck_ms), *lasted = lk_words_duration(a, f->stuck_ms);
    if (f->stuck_by_connection)
        return lk_arena_printf(a, "for %s, in which nothing came or went on the connection",
                               lasted);
    if (!f->stuck_by_scheduler)
        return lk_arena_printf(a, "for at least %s: it did not move while it was watched", lasted);
    const bool cut = may_be_cut_short(s);
    if (!at)
        return lk_arena_printf(a, "for %s%s, by the kernel scheduler's record",
                               cut ? "at least " : "", lasted);
    return lk_arena_printf(a, "for %s%s, since %s%s, by the kernel scheduler's record",
                           cut ? "at least " : "", lasted, at, cut ? " or before" : "");
}

/* "1 request and 3 tasks"; NULL for none. */
static const char *requests_and_tasks(struct lk_arena *a, int64_t r, int64_t k)
{
    if (r <= 0 && k <= 0)
        return NULL;
    if (r <= 0 || k <= 0)
        return lk_words_count(a, r > 0 ? r : k, r > 0 ? "request" : "task");
    return lk_arena_printf(a, "%s and %s", lk_words_count(a, r, "request"),
                           lk_words_count(a, k, "task"));
}

const char *lk_sentence_concerned(struct lk_arena *a, const struct lk_finding *f)
{
    if (f->severity != LK_HAZARD || f->stuck_ms != LK_UNKNOWN)
        return NULL;
    return requests_and_tasks(a, f->held_requests, f->held_tasks);
}

const char *lk_sentence_held(struct lk_arena *a, const struct lk_finding *f)
{
    const int64_t r = f->held_requests, k = f->held_tasks;
    if (r == LK_UNKNOWN && k == LK_UNKNOWN)
        return "how much is held up behind it is not known";
    const char *counted = requests_and_tasks(a, r, k);
    return counted ? lk_arena_printf(a, "%s held up behind it", counted)
                   : "no request and no task is known to be held up behind it";
}

const char *lk_sentence_confidence(enum lk_confidence c)
{
    static const char *const means[] = {
        [LK_POSSIBLE] = "possible: it looks like this, but part of it was read while its owner ran "
                        "or is a guess",
        [LK_PROBABLE] = "probable: all seen agrees with it, but part of it is inferred, not read",
        [LK_PROVEN] = "proven: every link was read from a thread or task that stood still, first "
                      "and last sample alike",
    };
    return (unsigned)c < LK_ARRAY_LEN(means) ? means[c] : means[LK_POSSIBLE];
}

const char *lk_sentence_remedy(const struct lk_finding *f)
{
    if (f->remedy && *f->remedy)
        return f->remedy;
    return f->rule && f->rule->remedy ? f->rule->remedy : "no advice is known for this";
}

const char *lk_sentence_safe_now(const struct lk_finding *f)
{
    if (f->safe_now && *f->safe_now)
        return f->safe_now;
    return f->severity == LK_HAZARD ? NULL : "nothing is known that can be ended without harm";
}

enum lk_verdict lk_sentence_worst(const struct lk_report *reports, size_t n)
{
    enum lk_verdict worst = n ? LK_HEALTHY : LK_VERDICT_UNKNOWN;
    for (size_t i = 0; i < n; i++)
        worst = LK_MAX(worst, reports[i].findings->verdict);
    return worst;
}

const char *lk_sentence_edge_doubt(const struct lk_edge *e)
{
    if (e->inferred)
        return " (inferred)";
    return e->read == LK_READ_RACY ? " (read while it may have run)" : "";
}
