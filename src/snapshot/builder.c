/*
 * Entities are entered once an address (threads: once a tid): one map a kind from that to its
 * index, and one for stacks that are alike.
 */
#include "snapshot/builder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/map.h"
#include "util/redact.h"

#define MAX_LIMITS 200
#define N_KINDS    (LK_KIND_EXTERN + 1)

/* One map a kind from address (threads: tid) to index, and one for interned stacks. */
struct index {
    struct lk_map of[N_KINDS];
    struct lk_map stacks;
};

static struct index *index_of(const struct lk_snapshot *s)
{
    return (struct index *)s->by_addr;
}

struct lk_snapshot *lk_snapshot_create(void)
{
    struct lk_arena *a = lk_arena_create();
    struct lk_snapshot *s = lk_arena_alloc(a, sizeof *s);
    s->arena = a;
    s->by_addr = lk_xcalloc(1, sizeof(struct index));
    s->uid = s->ppid = s->epoll_fds = s->supervisor_timeout_ms = LK_UNKNOWN;
    s->listens = LK_TRI_UNKNOWN;
    s->around = lk_surroundings_none;
    return s;
}

void lk_snapshot_destroy(struct lk_snapshot *s)
{
    if (!s)
        return;
    struct index *ix = index_of(s);
    for (size_t i = 0; i < N_KINDS; i++)
        lk_map_deinit(&ix->of[i]);
    lk_map_deinit(&ix->stacks);
    lk_free(ix);
    lk_free(s->children.v);
    lk_free(s->threads.v);
    lk_free(s->loops.v);
    lk_free(s->tasks.v);
    lk_free(s->futures.v);
    lk_free(s->locks.v);
    lk_free(s->executors.v);
    lk_free(s->externs.v);
    lk_free(s->cross_waits.v);
    lk_free(s->folded.v);
    lk_free(s->listeners.v);
    lk_free(s->own_connections.v);
    lk_free(s->served_connections.v);
    lk_free(s->at_hand.v);
    lk_free(s->samples.v);
    lk_free(s->limits.v);
    lk_arena_destroy(s->arena);
}

static const char *copy(struct lk_snapshot *to, const char *text)
{
    return text ? lk_arena_strdup(to->arena, text) : NULL;
}

void lk_snapshot_copy_process(struct lk_snapshot *to, const struct lk_snapshot *from)
{
    to->pid = from->pid;
    to->uid = from->uid;
    to->ppid = from->ppid;
    to->forked = from->forked;
    to->comm = copy(to, from->comm);
    to->exe = copy(to, from->exe);
    to->host = copy(to, from->host);
    to->boot_id = copy(to, from->boot_id);
    to->start_time = copy(to, from->start_time);
    to->container = copy(to, from->container);
    to->taken_at = copy(to, from->taken_at);
    to->cwd = copy(to, from->cwd);
    to->supervisor = from->supervisor;
    to->respawned_by = from->respawned_by; /* static */
    to->supervisor_timeout_ms = from->supervisor_timeout_ms;
    to->test_env = copy(to, from->test_env);
    to->test_env_own = from->test_env_own;
    to->handles_signals = from->handles_signals;
    to->caught_signals = from->caught_signals;
    to->own_handlers = from->own_handlers;
    to->handles_alarm = from->handles_alarm;
    to->runtime = from->runtime;
    to->epoll_fds = from->epoll_fds;
    to->withheld = copy(to, from->withheld);
    to->patterns = from->patterns;
    to->stop = from->stop;
    to->stop.tracer_comm = copy(to, from->stop.tracer_comm);
    to->stop.d_where = copy(to, from->stop.d_where);
    to->n_cmdline = from->n_cmdline;
    to->cmdline = lk_arena_array(to->arena, from->n_cmdline, sizeof *to->cmdline);
    for (size_t i = 0; i < from->n_cmdline; i++)
        to->cmdline[i] = lk_arena_strdup(to->arena, from->cmdline[i]);
    for (size_t i = 0; i < from->children.n; i++) {
        struct lk_child *c = lk_vec_push(&to->children);
        *c = from->children.v[i];
        c->comm = copy(to, c->comm);
    }
    for (size_t i = 0; i < from->limits.n; i++)
        lk_snapshot_limit_of(to, (struct lk_ref){ 0 }, from->limits.v[i].read, "%s",
                             from->limits.v[i].text);
    to->n_process_limits = to->limits.n;
}

void lk_snapshot_clear_entities(struct lk_snapshot *s)
{
    struct index *ix = index_of(s);
    for (size_t i = 0; i < N_KINDS; i++)
        lk_map_clear(&ix->of[i]);
    lk_map_clear(&ix->stacks);
    s->threads.n = s->loops.n = s->tasks.n = s->futures.n = 0;
    s->locks.n = s->executors.n = s->externs.n = s->listeners.n = s->at_hand.n = 0;
    s->own_connections.n = s->served_connections.n = 0;
    s->listens = LK_TRI_UNKNOWN;
    s->at_hand_cut = false;
    s->limits.n = s->n_process_limits;
    s->decisive_unreadable = false;
    s->decisive_why = NULL;
}

/* The index a key has, or the one it gets by being pushed next (n). */
static struct lk_ref enter(struct lk_snapshot *s, enum lk_kind kind, uint64_t key, size_t n,
                           bool *fresh, bool *is_new)
{
    struct lk_map *m = &index_of(s)->of[kind];
    uint64_t at = n;
    *fresh = lk_map_add(m, key, n);
    if (!*fresh)
        lk_map_get(m, key, &at);
    if (is_new)
        *is_new = *fresh;
    return lk_ref_make(kind, at);
}

/* By hand: there may be 100,000 of them, and printf costs more than reading the task. */
static const char *make_id(struct lk_snapshot *s, char letter, uint64_t number)
{
    char text[24], *p = text + sizeof text;
    do
        *--p = (char)('0' + number % 10);
    while (number /= 10);
    *--p = letter;
    return lk_arena_strndup(s->arena, p, (size_t)(text + sizeof text - p));
}

struct lk_ref lk_snapshot_thread(struct lk_snapshot *s, int64_t tid, bool *is_new)
{
    bool fresh;
    struct lk_ref r = enter(s, LK_KIND_THREAD, (uint64_t)tid, s->threads.n, &fresh, is_new);
    if (!fresh)
        return r;
    struct lk_thread *t = lk_vec_push(&s->threads);
    t->id = make_id(s, 't', (uint64_t)tid);
    t->tid = tid;
    t->name = t->comm = "";
    t->kstate = '?';
    t->os = lk_syscall_wait_none;
    t->wait.timeout_ms = LK_UNKNOWN;
    t->wait.frame = -1;
    t->off_cpu_ms = t->stuck_ms = LK_UNKNOWN;
    t->python_stack = lk_snapshot_stack(s, NULL, 0, false);
    return r;
}

struct lk_ref lk_snapshot_loop(struct lk_snapshot *s, lk_addr addr, bool *is_new)
{
    bool fresh;
    struct lk_ref r = enter(s, LK_KIND_LOOP, addr, s->loops.n, &fresh, is_new);
    if (!fresh)
        return r;
    struct lk_loop *o = lk_vec_push(&s->loops);
    o->id = make_id(s, 'o', s->loops.n);
    o->addr = addr;
    o->kind = "asyncio";
    o->cancels = "loop.call_soon_threadsafe(task.cancel)";
    o->driven_in_python = true;
    o->cls = "";
    o->run = LK_LOOP_UNKNOWN;
    o->closed = o->stopping = o->in_own_selector = o->reachable = LK_TRI_UNKNOWN;
    o->ready = o->timers = o->next_timer_ms = o->tasks_pending = LK_UNKNOWN;
    o->turn_ms = o->callback_ms = LK_UNKNOWN;
    o->epoll_fd = o->wakeup_read_fd = o->wakeup_write_fd = o->wakeup_unread = o->watched_fds =
        LK_UNKNOWN;
    return r;
}

bool lk_snapshot_has_greenlets(const struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->tasks.n; i++)
        if (s->tasks.v[i].kind == LK_TASK_GREENLET)
            return true;
    return false;
}

struct lk_ref lk_snapshot_task(struct lk_snapshot *s, lk_addr addr, bool *is_new)
{
    bool fresh;
    struct lk_ref r = enter(s, LK_KIND_TASK, addr, s->tasks.n, &fresh, is_new);
    if (!fresh)
        return r;
    struct lk_task *k = lk_vec_push(&s->tasks);
    k->id = make_id(s, 'k', s->tasks.n);
    k->addr = addr;
    k->name = k->coroutine = "";
    k->wait.timeout_ms = LK_UNKNOWN;
    k->wait.frame = -1;
    k->stuck_ms = LK_UNKNOWN;
    k->stack = lk_snapshot_stack(s, NULL, 0, false);
    return r;
}

struct lk_ref lk_snapshot_future(struct lk_snapshot *s, lk_addr addr, bool *is_new)
{
    bool fresh;
    struct lk_ref r = enter(s, LK_KIND_FUTURE, addr, s->futures.n, &fresh, is_new);
    if (!fresh)
        return r;
    struct lk_future *f = lk_vec_push(&s->futures);
    f->id = make_id(s, 'f', s->futures.n);
    f->addr = addr;
    f->cls = "";
    f->state = LK_FUTURE_STATE_UNKNOWN;
    return r;
}

struct lk_ref lk_snapshot_lock(struct lk_snapshot *s, lk_addr addr, bool *is_new)
{
    bool fresh;
    struct lk_ref r = enter(s, LK_KIND_LOCK, addr, s->locks.n, &fresh, is_new);
    if (!fresh)
        return r;
    struct lk_lock *l = lk_vec_push(&s->locks);
    l->id = make_id(s, 'l', s->locks.n);
    l->addr = addr;
    l->kind = "";
    l->locked = LK_TRI_UNKNOWN;
    l->units = LK_UNKNOWN;
    return r;
}

struct lk_ref lk_snapshot_executor(struct lk_snapshot *s, lk_addr addr, bool *is_new)
{
    bool fresh;
    struct lk_ref r = enter(s, LK_KIND_EXECUTOR, addr, s->executors.n, &fresh, is_new);
    if (!fresh)
        return r;
    struct lk_executor *x = lk_vec_push(&s->executors);
    x->id = make_id(s, 'x', s->executors.n);
    x->addr = addr;
    x->kind = "ThreadPoolExecutor";
    x->max_workers = x->queued = LK_UNKNOWN;
    x->shutdown = LK_TRI_UNKNOWN;
    return r;
}

struct lk_ref lk_snapshot_extern(struct lk_snapshot *s, enum lk_extern_kind kind, const char *text,
                                 int64_t in_ms)
{
    struct lk_extern *e = lk_vec_push(&s->externs);
    e->id = make_id(s, 'e', s->externs.n);
    e->kind = kind;
    e->text = lk_redact_name(s->arena, lk_arena_strdup(s->arena, text));
    e->in_ms = in_ms;
    e->quiet_ms = LK_UNKNOWN;
    return lk_ref_make(LK_KIND_EXTERN, s->externs.n - 1);
}

struct lk_ref lk_snapshot_find(const struct lk_snapshot *s, enum lk_kind kind, uint64_t key)
{
    uint64_t at;
    if (!lk_map_get(&index_of(s)->of[kind], key, &at))
        return lk_ref_make(LK_KIND_NONE, 0);
    return lk_ref_make(kind, at);
}

void lk_refs_add(struct lk_snapshot *s, struct lk_refs *list, struct lk_ref r)
{
    if (r.kind == LK_KIND_NONE)
        return;
    /* Long lists (waiters of one lock) are built in order, so a repeat is looked for near the end
     * only. */
    size_t from = list->n > 64 ? list->n - 64 : 0;
    for (size_t i = from; i < list->n; i++)
        if (lk_ref_eq(list->v[i], r))
            return;
    if (list->n == list->cap) {
        uint32_t cap = list->cap ? list->cap * 2 : 2;
        if (cap < list->cap)
            lk_out_of_memory();
        struct lk_ref *v = lk_arena_array(s->arena, cap, sizeof *v);
        if (list->n)
            memcpy(v, list->v, list->n * sizeof *v);
        list->v = v;
        list->cap = cap;
    }
    list->v[list->n++] = r;
}

static bool same_stack(const struct lk_pystack *st, const struct lk_pyframe *f, size_t n,
                       bool truncated)
{
    if (st->n != n || st->truncated != truncated)
        return false;
    for (size_t i = 0; i < n; i++)
        if (st->frames[i].code != f[i].code || st->frames[i].line != f[i].line ||
            st->frames[i].lasti != f[i].lasti)
            return false;
    return true;
}

struct lk_pystack *lk_snapshot_stack(struct lk_snapshot *s, const struct lk_pyframe *frames,
                                     size_t n, bool truncated)
{
    uint64_t h = lk_hash_u64(LK_HASH_INIT, n * 2 + truncated), found;
    for (size_t i = 0; i < n; i++) {
        h = lk_hash_u64(h, (uintptr_t)frames[i].code);
        h = lk_hash_u64(h, (uint64_t)frames[i].line << 32 | frames[i].lasti);
    }
    struct lk_map *stacks = &index_of(s)->stacks;
    /* Different stacks with one hash take the next keys. */
    for (; lk_map_get(stacks, h, &found); h++)
        if (same_stack((struct lk_pystack *)(uintptr_t)found, frames, n, truncated))
            return (struct lk_pystack *)(uintptr_t)found;
    struct lk_pystack *st = lk_arena_alloc(s->arena, sizeof *st);
    st->n = (uint32_t)n;
    st->truncated = truncated;
    st->frames = lk_arena_array(s->arena, n, sizeof *frames);
    if (n)
        memcpy(st->frames, frames, n * sizeof *frames);
    lk_map_put(stacks, h, (uintptr_t)st);
    return st;
}

struct lk_pystack *lk_snapshot_own_stack(struct lk_snapshot *s, const struct lk_pystack *st)
{
    struct lk_pystack *ret = lk_arena_alloc(s->arena, sizeof *ret);
    *ret = *st;
    ret->frames = lk_arena_array(s->arena, st->n, sizeof *st->frames);
    if (st->n)
        memcpy(ret->frames, st->frames, st->n * sizeof *st->frames);
    return ret;
}

static void forget_locals(struct lk_pystack *st)
{
    for (uint32_t i = 0; st && i < st->n; i++)
        st->frames[i].locals = NULL;
}

void lk_snapshot_forget_locals(struct lk_snapshot *s, const struct lk_refs *keep)
{
    for (size_t i = 0; i < s->threads.n; i++)
        if (!lk_refs_has(keep, lk_ref_make(LK_KIND_THREAD, i)))
            forget_locals(s->threads.v[i].python_stack);
    for (size_t i = 0; i < s->tasks.n; i++)
        if (!lk_refs_has(keep, lk_ref_make(LK_KIND_TASK, i)))
            forget_locals(s->tasks.v[i].stack);
}

LK_PRINTF(3, 0)
static const char *add_limit(struct lk_snapshot *s, struct lk_limit limit, const char *fmt,
                             va_list ap)
{
    char text[600];
    vsnprintf(text, sizeof text, fmt, ap);
    for (size_t i = 0; i < s->limits.n; i++)
        if (strcmp(s->limits.v[i].text, text) == 0)
            return s->limits.v[i].text;
    limit.text = lk_arena_strdup(s->arena, text);
    if (s->limits.n < MAX_LIMITS)
        lk_vec_add(&s->limits, limit);
    return limit.text;
}

void lk_snapshot_limit(struct lk_snapshot *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add_limit(s, (struct lk_limit){ 0 }, fmt, ap);
    va_end(ap);
}

void lk_snapshot_limit_decides(struct lk_snapshot *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    s->decisive_unreadable = true;
    s->decisive_why = add_limit(s, (struct lk_limit){ 0 }, fmt, ap);
    va_end(ap);
}

void lk_snapshot_limit_of(struct lk_snapshot *s, struct lk_ref entity, struct lk_failed_read read,
                          const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add_limit(s, (struct lk_limit){ .entity = entity, .read = read }, fmt, ap);
    va_end(ap);
}

void lk_snapshot_limit_os(struct lk_snapshot *s, int errnum, const char *reading, const char *fmt,
                          ...)
{
    const struct lk_failed_read read = { .os_errno = errnum, .reading = reading };
    va_list ap;
    va_start(ap, fmt);
    add_limit(s, (struct lk_limit){ .read = read }, fmt, ap);
    va_end(ap);
}
