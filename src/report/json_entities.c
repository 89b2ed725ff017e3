/*
 * Threads, loops, tasks, futures, locks, executors and what is outside as JSON objects of
 * docs/report.schema.json, one function a kind, and the groups of those that are folded.
 */
#include "report/json_writer.h"

#include "report/sentences.h"

/* ---- frames ---------------------------------------------------------------------------- */

static json_t *locals(struct lk_jw *w, const struct lk_locals *l)
{
    if (!l)
        return json_null();
    json_t *o = lk_json_object();
    for (size_t i = 0; i < l->n; i++)
        lk_jw_set(o, lk_words_safe(w->arena, l->v[i].name), lk_jw_text(w, l->v[i].value));
    return o;
}

static json_t *frame(struct lk_jw *w, const struct lk_pyframe *f)
{
    const struct lk_code *c = f->code;
    const bool user = c && c->cls == LK_CODE_USER, classified = c && c->cls != LK_CODE_UNSET;
    json_t *o = lk_json_object();
    lk_jw_set(o, "function", lk_jw_known_text(w, c ? c->function : NULL, LK_GAP_LINE));
    lk_jw_set(o, "qualname", lk_jw_known_text(w, c ? c->qualname : NULL, LK_GAP_LINE));
    lk_jw_set(o, "file", lk_jw_known_text(w, c ? c->file : NULL, LK_GAP_LINE));
    lk_jw_set(o, "line", lk_jw_known_number(w, f->line > 0 ? f->line : LK_UNKNOWN, LK_GAP_LINE));
    lk_jw_set(o, "user", classified ? json_boolean(user) : json_null());
    w->gap[LK_GAP_CLASS] += !classified;
    lk_jw_set(o, "source", lk_jw_text(w, f->source));
    w->gap[LK_GAP_SOURCE] += user && !f->source;
    lk_jw_set(o, "locals", locals(w, f->locals));
    return o;
}

static json_t *frames(struct lk_jw *w, const struct lk_pystack *st)
{
    uint64_t known;
    if (st && lk_map_get(w->frames, (uintptr_t)st, &known))
        return lk_json_made(json_incref((json_t *)(uintptr_t)known));
    json_t *list = lk_json_array();
    for (uint32_t i = 0; st && i < st->n; i++)
        lk_jw_append(list, frame(w, &st->frames[i]));
    w->gap[LK_GAP_CUT] += st && st->truncated;
    if (st) {
        lk_map_put(w->frames, (uintptr_t)st, (uintptr_t)list);
        json_incref(list);
    }
    return list;
}

static json_t *native_frames(struct lk_jw *w, const struct lk_natstack *st)
{
    if (!st) {
        w->gap[LK_GAP_NATIVE]++;
        return json_null();
    }
    json_t *list = lk_json_array();
    w->gap[LK_GAP_CUT] += st->truncated;
    for (uint32_t i = 0; i < st->n; i++) {
        const struct lk_natframe *f = &st->frames[i];
        json_t *o = lk_json_object();
        lk_jw_set(o, "function", lk_jw_known_text(w, f->function, LK_GAP_SYMBOL));
        lk_jw_set(o, "module", lk_jw_known_text(w, f->module, LK_GAP_SYMBOL));
        lk_jw_set(o, "offset", json_integer((json_int_t)LK_MIN(f->offset, (uint64_t)INT64_MAX)));
        lk_jw_set(o, "build_id", lk_jw_text(w, f->build_id));
        lk_jw_set(o, "file", lk_jw_text(w, f->file));
        lk_jw_set(o, "line", lk_jw_number(f->file && f->line > 0 ? f->line : LK_UNKNOWN));
        lk_jw_set(o, "inlined", json_boolean(f->inlined));
        lk_jw_append(list, o);
    }
    return list;
}

/* ---- waits ------------------------------------------------------------------------------ */

static json_t *queues(const struct lk_syscall_wait *os)
{
    if (os->queues[0] == LK_UNKNOWN && os->queues[1] == LK_UNKNOWN)
        return json_null();
    json_t *list = lk_json_array();
    lk_jw_append(list, lk_jw_number(os->queues[0]));
    lk_jw_append(list, lk_jw_number(os->queues[1]));
    return list;
}

/* timeout_ms is null where there is none and where it was not read: timed tells the two apart. */
static void set_timeout(struct lk_jw *w, json_t *o, int64_t ms)
{
    lk_jw_set(o, "timed", ms == LK_UNKNOWN ? json_null() : json_boolean(ms != LK_FOREVER));
    lk_jw_set(o, "timeout_ms", lk_jw_timeout(w, ms));
}

static json_t *kernel_wait(struct lk_jw *w, const struct lk_syscall_wait *os)
{
    if (os->on == LK_OS_NONE && !os->syscall)
        return json_null();
    json_t *o = lk_json_object();
    lk_jw_set(o, "on",
              lk_jw_text(w, lk_words_os_wait(os->on == LK_OS_NONE ? LK_OS_OTHER : os->on)));
    lk_jw_set(o, "syscall", lk_jw_known_text(w, os->syscall, LK_GAP_WAIT));
    lk_jw_set(o, "fd", lk_jw_number(os->fd));
    lk_jw_set(o, "local", lk_jw_text(w, os->local));
    lk_jw_set(o, "peer", lk_jw_text(w, os->peer));
    lk_jw_set(o, "peer_is", lk_jw_text(w, lk_words_peer_is(os->peer_is)));
    lk_jw_set(o, "listening", json_boolean(os->listening));
    lk_jw_set(o, "queues", queues(os));
    lk_jw_set(o, "path", lk_jw_text(w, os->path));
    lk_jw_set(o, "child_pid", lk_jw_number(os->child_pid));
    set_timeout(w, o, os->timeout_ms);
    return o;
}

/* A task has no system call; where something outside ends its wait, that is told in the same shape.
 */
static json_t *task_wait(struct lk_jw *w, const struct lk_task *k)
{
    static const char *const on[] = {
        [LK_EXT_OUTSIDE] = "socket", [LK_EXT_TIMER] = "timer",          [LK_EXT_CHILD] = "child",
        [LK_EXT_FILE] = "file",      [LK_EXT_SELF_LISTENER] = "socket", [LK_EXT_UNKNOWN] = "other",
    };
    const struct lk_extern *e = k->wait.on.n ? lk_extern_at(w->snap, k->wait.on.v[0]) : NULL;
    if (!e)
        return json_null();
    const bool self = e->kind == LK_EXT_SELF_LISTENER, peer = self || e->kind == LK_EXT_OUTSIDE;
    json_t *o = lk_json_object();
    lk_jw_set(o, "on", lk_jw_text(w, (unsigned)e->kind < LK_ARRAY_LEN(on) ? on[e->kind] : "other"));
    lk_jw_set(o, "syscall", json_null());
    lk_jw_set(o, "fd", json_null());
    lk_jw_set(o, "local", json_null());
    lk_jw_set(o, "peer", lk_jw_text(w, peer ? e->text : NULL));
    lk_jw_set(o, "peer_is", lk_jw_text(w, self ? "this-process" : peer ? "outside" : NULL));
    lk_jw_set(o, "queues", json_null());
    lk_jw_set(o, "path", lk_jw_text(w, e->kind == LK_EXT_FILE ? e->text : NULL));
    lk_jw_set(o, "child_pid", json_null());
    set_timeout(w, o, e->kind == LK_EXT_TIMER ? e->in_ms : k->wait.timeout_ms);
    return o;
}

/* The wait as the program means it: null when it runs or is idle without a cause. */
static json_t *program_wait(struct lk_jw *w, const struct lk_wait *wait)
{
    if (wait->kind == LK_WAIT_NONE)
        return json_null();
    w->gap[LK_GAP_WAIT] += wait->kind == LK_WAIT_UNKNOWN;
    json_t *o = lk_json_object();
    lk_jw_set(o, "kind", lk_jw_text(w, lk_words_wait_kind(wait->kind)));
    lk_jw_set(o, "call", lk_jw_text(w, wait->call));
    lk_jw_set_ids(w, o, "on", &wait->on);
    lk_jw_set(o, "any", json_boolean(wait->any));
    lk_jw_set(o, "enders_complete", json_boolean(wait->complete));
    const bool known = wait->timeout_ms != LK_UNKNOWN;
    w->gap[LK_GAP_TIMEOUT] += !known;
    lk_jw_set(o, "timed", known ? json_boolean(wait->timeout_ms != LK_FOREVER) : json_null());
    lk_jw_set(o, "timeout_ms",
              lk_jw_number(wait->timeout_ms == LK_FOREVER ? LK_UNKNOWN : wait->timeout_ms));
    lk_jw_set(o, "read", lk_jw_text(w, lk_words_read(wait->read)));
    return o;
}

/* ---- entities ----------------------------------------------------------------------------- */

static json_t *thread_stuck(struct lk_jw *w, const struct lk_thread *t)
{
    if (t->stuck_ms != LK_UNKNOWN)
        return json_integer(LK_MAX(t->stuck_ms, 0));
    return t->moved || t->running ? json_integer(0)
                                  : lk_jw_known_number(w, LK_UNKNOWN, LK_GAP_STUCK);
}

static json_t *thread_json(struct lk_jw *w, size_t i)
{
    const struct lk_thread *t = &w->snap->threads.v[i];
    const bool blamed = lk_fold_blamed(w->view, lk_ref_make(LK_KIND_THREAD, i));
    const enum lk_thread_state state = lk_words_thread_state(t, blamed);
    json_t *o = lk_json_object();
    w->gap[LK_GAP_WAIT] += state == LK_TS_UNKNOWN && t->wait.kind != LK_WAIT_UNKNOWN;
    lk_jw_set(o, "id", lk_jw_raw_id(w, t->id));
    lk_jw_set(o, "tid", json_integer(t->tid));
    lk_jw_set(o, "name", lk_jw_text(w, t->name ? t->name : ""));
    lk_jw_set(o, "main", json_boolean(t->main));
    lk_jw_set(o, "role", lk_jw_text(w, lk_words_role(t->role)));
    lk_jw_set(o, "state", lk_jw_text(w, lk_words_thread_state_name(state)));
    lk_jw_set(
        o, "kernel_state",
        lk_jw_text(w, (char[]){ t->kstate > ' ' && t->kstate < 0x7f ? t->kstate : '?', '\0' }));
    lk_jw_set(o, "on_cpu", json_boolean(t->running));
    lk_jw_set(o, "in_request", json_boolean(t->in_request));
    if (t->interrupted_by)
        lk_jw_set(o, "interrupted_by", lk_jw_text(w, t->interrupted_by));
    lk_jw_set(o, "moved", json_boolean(t->moved));
    lk_jw_set(o, "stuck_ms", thread_stuck(w, t));
    if (t->again && t->stuck_ms != LK_UNKNOWN)
        lk_jw_set(o, "again", json_true());
    lk_jw_set(o, "waits_for", lk_jw_first_id(w, &t->wait.on));
    lk_jw_set_ids(w, o, "holds", &t->holds);
    lk_jw_set(o, "holds_gil", json_boolean(t->holds_gil));
    if (t->interpreter)
        lk_jw_set(o, "interpreter", json_integer(t->interpreter));
    lk_jw_set(o, "runs_loop", lk_jw_id(w, t->running_loop));
    lk_jw_set(o, "current_task", lk_jw_id(w, t->current_task));
    lk_jw_set(o, "executor", lk_jw_id(w, t->works_for));
    lk_jw_set(o, "runs_until", lk_jw_id(w, t->drives));
    lk_jw_set(o, "read", lk_jw_text(w, lk_words_read(t->read)));
    lk_jw_set(o, "wait", kernel_wait(w, &t->os));
    lk_jw_set(o, "blocks", program_wait(w, &t->wait));
    lk_jw_set(o, "python", frames(w, t->python_stack));
    lk_jw_set(o, "python_cut", json_boolean(t->python_stack && t->python_stack->truncated));
    lk_jw_set(o, "native", native_frames(w, t->native_stack));
    lk_jw_set(o, "native_cut", json_boolean(t->native_stack && t->native_stack->truncated));
    if (t->before_fork) {
        lk_jw_set(o, "before_fork", frames(w, t->before_fork));
        lk_jw_set(o, "before_fork_cut", json_boolean(t->before_fork->truncated));
    }
    return o;
}

static json_t *loop_json(struct lk_jw *w, size_t i)
{
    const struct lk_loop *l = &w->snap->loops.v[i];
    const bool due_unknown =
        (l->next_timer_ms == LK_UNKNOWN || l->next_timer_ms == LK_SOMETIME) && l->timers != 0;
    json_t *o = lk_json_object();
    lk_jw_set(o, "id", lk_jw_raw_id(w, l->id));
    lk_jw_set(o, "kind", lk_jw_text(w, l->kind ? l->kind : "unknown"));
    lk_jw_set(o, "class", lk_jw_text(w, l->cls ? l->cls : ""));
    lk_jw_set(o, "thread", lk_jw_id(w, l->thread));
    lk_jw_set(o, "state", lk_jw_text(w, lk_words_loop_run(l->run)));
    w->gap[LK_GAP_LOOP] += l->run == LK_LOOP_UNKNOWN;
    lk_jw_set(o, "running",
              l->run == LK_LOOP_UNKNOWN ? json_null() : json_boolean(l->run == LK_LOOP_RUNNING));
    lk_jw_set(o, "closed", lk_jw_known_tri(w, l->closed, LK_GAP_LOOP));
    lk_jw_set(o, "stopping", lk_jw_known_tri(w, l->stopping, LK_GAP_LOOP));
    lk_jw_set(o, "ready", lk_jw_known_number(w, l->ready, LK_GAP_LOOP));
    lk_jw_set(o, "timers", lk_jw_known_number(w, l->timers, LK_GAP_LOOP));
    w->gap[LK_GAP_LOOP] += due_unknown;
    lk_jw_set(o, "next_timer_ms", lk_jw_number(l->next_timer_ms));
    lk_jw_set(o, "tasks_pending", lk_jw_known_number(w, l->tasks_pending, LK_GAP_LOOP));
    lk_jw_set(o, "in_selector", lk_jw_known_tri(w, l->in_own_selector, LK_GAP_LOOP));
    lk_jw_set(o, "origin", lk_jw_text(w, l->origin));
    lk_jw_set(o, "read", lk_jw_text(w, lk_words_read(l->read)));
    return o;
}

static json_t *task_json(struct lk_jw *w, size_t i)
{
    const struct lk_task *k = &w->snap->tasks.v[i];
    json_t *o = lk_json_object();
    lk_jw_set(o, "id", lk_jw_raw_id(w, k->id));
    lk_jw_set(o, "kind", lk_jw_text(w, lk_words_task_kind(k->kind)));
    lk_jw_set(o, "name", lk_jw_text(w, k->name ? k->name : ""));
    lk_jw_set(o, "loop", lk_jw_id(w, k->loop));
    w->gap[LK_GAP_LOOP] += k->kind == LK_TASK_COROUTINE && k->loop.kind == LK_KIND_NONE;
    lk_jw_set(o, "state", lk_jw_text(w, lk_words_task_state(k->state)));
    lk_jw_set(o, "cancelled", json_boolean(k->state == LK_TASK_CANCELLED));
    lk_jw_set(o, "started", json_boolean(k->started));
    lk_jw_set(o, "ready", json_boolean(k->ready));
    lk_jw_set(o, "stuck_ms", lk_jw_number(k->stuck_ms < 0 ? LK_UNKNOWN : k->stuck_ms));
    lk_jw_set(o, "cancel_requested", json_boolean(k->must_cancel));
    lk_jw_set(o, "waits_for", lk_jw_first_id(w, &k->wait.on));
    lk_jw_set(o, "run_by", lk_jw_id(w, k->run_by));
    lk_jw_set(o, "thread", lk_jw_id(w, k->thread));
    lk_jw_set_ids(w, o, "holds", &k->holds);
    lk_jw_set(o, "coroutine", lk_jw_text(w, k->coroutine ? k->coroutine : ""));
    lk_jw_set(o, "read", lk_jw_text(w, lk_words_read(k->read)));
    lk_jw_set(o, "stack", frames(w, k->stack));
    lk_jw_set(o, "stack_cut", json_boolean(k->stack && k->stack->truncated));
    lk_jw_set(o, "wait", task_wait(w, k));
    lk_jw_set(o, "blocks", program_wait(w, &k->wait));
    return o;
}

static json_t *future_json(struct lk_jw *w, size_t i)
{
    const struct lk_future *f = &w->snap->futures.v[i];
    json_t *o = lk_json_object();
    lk_jw_set(o, "id", lk_jw_raw_id(w, f->id));
    lk_jw_set(o, "kind", lk_jw_text(w, f->concurrent ? "concurrent" : "asyncio"));
    lk_jw_set(o, "class", lk_jw_text(w, f->cls ? f->cls : ""));
    lk_jw_set(o, "state", lk_jw_known_text(w, lk_words_future_state(f->state), LK_GAP_FUTURE));
    lk_jw_set(o, "loop", lk_jw_id(w, f->loop));
    lk_jw_set(o, "origin", lk_jw_text(w, lk_words_future_origin(f->origin)));
    lk_jw_set_ids(w, o, "enders", &f->enders);
    lk_jw_set(o, "enders_all_needed", json_boolean(f->all));
    lk_jw_set(o, "enders_complete", json_boolean(f->enders_complete));
    lk_jw_set(o, "read", lk_jw_text(w, lk_words_read(f->read)));
    return o;
}

static json_t *lock_json(struct lk_jw *w, size_t i)
{
    const struct lk_lock *l = &w->snap->locks.v[i];
    const bool owner_unknown = l->mutex && l->locked == LK_YES && !l->owners.n;
    json_t *o = lk_json_object();
    w->gap[LK_GAP_OWNER] += owner_unknown;
    lk_jw_set(o, "id", lk_jw_raw_id(w, l->id));
    lk_jw_set(o, "kind", lk_jw_text(w, l->kind && *l->kind ? l->kind : "lock"));
    lk_jw_set(o, "name", lk_jw_text(w, l->name));
    if (l->name)
        lk_jw_set(o, "name_shared", json_boolean(l->shared_name));
    lk_jw_set(o, "mutex", json_boolean(l->mutex));
    lk_jw_set(o, "set", json_boolean(l->set));
    lk_jw_set(o, "locked", l->mutex ? lk_jw_known_tri(w, l->locked, LK_GAP_OWNER) : json_null());
    lk_jw_set(o, "owner", lk_jw_first_id(w, &l->owners));
    lk_jw_set(o, "owner_known_by",
              lk_jw_text(w, l->owners.n ? lk_words_owner_by(l->owner_by) : "none"));
    lk_jw_set(o, "owner_certain", json_boolean(l->owners.n && l->owner_certain));
    lk_jw_set_ids(w, o, "owners", &l->owners);
    lk_jw_set_ids(w, o, "waiters", &l->waiters);
    lk_jw_set(o, "loop", lk_jw_id(w, l->loop));
    lk_jw_set(o, "read", lk_jw_text(w, lk_words_read(l->read)));
    return o;
}

static json_t *executor_json(struct lk_jw *w, size_t i)
{
    const struct lk_executor *x = &w->snap->executors.v[i];
    json_t *o = lk_json_object(), *items = lk_json_array();
    for (size_t q = 0; q < x->n_items && q < LK_VIEW_LIST_MAX; q++) {
        json_t *it = lk_json_object();
        lk_jw_set(it, "future", lk_jw_id(w, x->items[q].future));
        lk_jw_set(it, "function", lk_jw_text(w, x->items[q].function));
        lk_jw_append(items, it);
    }
    lk_jw_set(o, "id", lk_jw_raw_id(w, x->id));
    lk_jw_set(o, "kind", lk_jw_text(w, x->kind ? x->kind : "executor"));
    lk_jw_set_ids(w, o, "workers", &x->workers);
    lk_jw_set(o, "max_workers", lk_jw_known_number(w, x->max_workers, LK_GAP_EXECUTOR));
    lk_jw_set(o, "queued", lk_jw_known_number(w, x->queued, LK_GAP_EXECUTOR));
    lk_jw_set(o, "shutdown", lk_jw_known_tri(w, x->shutdown, LK_GAP_EXECUTOR));
    lk_jw_set(o, "items", items);
    lk_jw_set(o, "read", lk_jw_text(w, lk_words_read(x->read)));
    return o;
}

static json_t *extern_json(struct lk_jw *w, size_t i)
{
    const struct lk_extern *e = &w->snap->externs.v[i];
    json_t *o = lk_json_object();
    lk_jw_set(o, "id", lk_jw_raw_id(w, e->id));
    lk_jw_set(o, "kind", lk_jw_text(w, lk_words_extern_kind(e->kind)));
    lk_jw_set(o, "text", lk_jw_text(w, e->text ? e->text : ""));
    lk_jw_set(o, "in_ms", lk_jw_number(e->in_ms == LK_FOREVER ? LK_UNKNOWN : e->in_ms));
    return o;
}

/* ---- groups -------------------------------------------------------------------------------- */

static void thread_group(struct lk_jw *w, json_t *o, size_t i)
{
    const struct lk_thread *t = &w->snap->threads.v[i];
    lk_jw_set(o, "state",
              lk_jw_text(w, lk_words_thread_state_name(lk_words_thread_state(t, false))));
    lk_jw_set(o, "stack", frames(w, t->python_stack));
}

static void loop_group(struct lk_jw *w, json_t *o, size_t i)
{
    lk_jw_set(o, "state", lk_jw_text(w, lk_words_loop_run(w->snap->loops.v[i].run)));
    lk_jw_set(o, "kind",
              lk_jw_text(w, w->snap->loops.v[i].kind ? w->snap->loops.v[i].kind : "unknown"));
}

static void task_group(struct lk_jw *w, json_t *o, size_t i)
{
    const struct lk_task *k = &w->snap->tasks.v[i];
    lk_jw_set(o, "loop", lk_jw_id(w, k->loop));
    lk_jw_set(o, "state", lk_jw_text(w, lk_words_task_state(k->state)));
    lk_jw_set(o, "stack", frames(w, k->stack));
}

static void future_group(struct lk_jw *w, json_t *o, size_t i)
{
    const struct lk_future *f = &w->snap->futures.v[i];
    lk_jw_set(o, "loop", lk_jw_id(w, f->loop));
    lk_jw_set(o, "state", lk_jw_known_text(w, lk_words_future_state(f->state), LK_GAP_FUTURE));
    lk_jw_set(o, "kind", lk_jw_text(w, f->concurrent ? "concurrent" : "asyncio"));
}

static void lock_group(struct lk_jw *w, json_t *o, size_t i)
{
    lk_jw_set(o, "kind", lk_jw_text(w, w->snap->locks.v[i].kind));
}

static void executor_group(struct lk_jw *w, json_t *o, size_t i)
{
    lk_jw_set(o, "kind", lk_jw_text(w, w->snap->executors.v[i].kind));
}

static void extern_group(struct lk_jw *w, json_t *o, size_t i)
{
    lk_jw_set(o, "kind", lk_jw_text(w, lk_words_extern_kind(w->snap->externs.v[i].kind)));
}

/* The lists of a report, in its order. */
static const struct section {
    enum lk_kind kind;
    const char *list, *groups;
    json_t *(*one)(struct lk_jw *w, size_t i);
    void (*group)(struct lk_jw *w, json_t *o, size_t i);
} sections[] = {
    { LK_KIND_THREAD, "threads", "thread_groups", thread_json, thread_group },
    { LK_KIND_LOOP, "loops", "loop_groups", loop_json, loop_group },
    { LK_KIND_TASK, "tasks", "task_groups", task_json, task_group },
    { LK_KIND_FUTURE, "futures", "future_groups", future_json, future_group },
    { LK_KIND_LOCK, "locks", "lock_groups", lock_json, lock_group },
    { LK_KIND_EXECUTOR, "executors", "executor_groups", executor_json, executor_group },
    { LK_KIND_EXTERN, "externs", "extern_groups", extern_json, extern_group },
};

static void write_list(struct lk_jw *w, const struct section *s)
{
    const struct lk_fold_kind *vk = &w->view->kinds[s->kind];
    lk_jw_key(w, s->list);
    lk_jw_open_level(w, '[');
    for (size_t i = 0; i < vk->n; i++) {
        if (!vk->shown[i])
            continue;
        lk_jw_item(w);
        lk_jw_dump(w, s->one(w, i));
    }
    lk_jw_close_level(w, ']');
}

static void write_groups(struct lk_jw *w, const struct section *s)
{
    const struct lk_fold_kind *vk = &w->view->kinds[s->kind];
    lk_jw_key(w, s->groups);
    lk_jw_open_level(w, '[');
    for (size_t g = 0; g < vk->n_groups; g++) {
        const struct lk_group *group = &vk->groups[g];
        if (!group->hidden)
            continue;
        json_t *o = lk_json_object();
        lk_jw_set(o, "count", json_integer(group->hidden));
        lk_jw_set(o, "example", lk_jw_id(w, lk_ref_make(s->kind, group->example)));
        s->group(w, o, group->example);
        lk_jw_item(w);
        lk_jw_dump(w, o);
    }
    lk_jw_close_level(w, ']');
}

void lk_json_entities(struct lk_jw *w)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(sections); i++)
        write_list(w, &sections[i]);
    for (size_t i = 0; i < LK_ARRAY_LEN(sections); i++)
        write_groups(w, &sections[i]);
}
