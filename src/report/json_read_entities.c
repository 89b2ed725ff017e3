/*
 * The entities of a JSON report as those of a snapshot: the way back from json_entities.c, in its
 * order. First all ids are entered, then what each entity says of others can be followed.
 */
#include "report/json_reader.h"

#include <string.h>

#include "report/enum_names.h"
#include "snapshot/builder.h"
#include "util/redact.h"
#include "util/text.h"

/* ---- names of enumerators, by number --------------------------------------------------------- */

#define BY_NUMBER(name, words, type)                                                               \
    static const char *name(int v)                                                                 \
    {                                                                                              \
        return words((type)v);                                                                     \
    }
BY_NUMBER(role_name, lk_words_role, enum lk_role)
BY_NUMBER(os_name, lk_words_os_wait, enum lk_os_wait)
BY_NUMBER(peer_name, lk_words_peer_is, enum lk_peer_is)
BY_NUMBER(wait_name, lk_words_wait_kind, enum lk_wait_kind)
BY_NUMBER(run_name, lk_words_loop_run, enum lk_loop_run)
BY_NUMBER(task_kind_name, lk_words_task_kind, enum lk_task_kind)
BY_NUMBER(task_state_name, lk_words_task_state, enum lk_task_state)
BY_NUMBER(future_state_name, lk_words_future_state, enum lk_future_state)
BY_NUMBER(origin_name, lk_words_future_origin, enum lk_future_origin)
BY_NUMBER(owner_name, lk_words_owner_by, enum lk_owner_by)
BY_NUMBER(extern_name, lk_words_extern_kind, enum lk_extern_kind)

/* ---- frames ---------------------------------------------------------------------------------- */

static uint64_t hash_of(const char *s)
{
    return s ? lk_hash_str(LK_HASH_INIT, s) : 0;
}

/* Frames of one function share its code, so that equal stacks are found to be equal. */
static const struct lk_code *code_of(struct lk_jr *r, const json_t *o)
{
    const enum lk_tri user = lk_jr_tri(o, "user");
    const struct lk_code made = {
        .function = lk_jr_text(r, o, "function"),
        .qualname = lk_jr_text(r, o, "qualname"),
        .file = lk_jr_text(r, o, "file"),
        .cls = user == LK_YES  ? LK_CODE_USER
               : user == LK_NO ? LK_CODE_STDLIB
                               : LK_CODE_UNSET,
    };
    uint64_t h = lk_hash_u64(hash_of(made.function), hash_of(made.qualname)), at;
    h = lk_hash_u64(lk_hash_u64(h, hash_of(made.file)), made.cls);
    for (; lk_map_get(&r->codes, h, &at); h++) {
        const struct lk_code *c = (const struct lk_code *)(uintptr_t)at;
        if (lk_same_text(c->function, made.function) && lk_same_text(c->qualname, made.qualname) &&
            lk_same_text(c->file, made.file) && c->cls == made.cls)
            return c;
    }
    struct lk_code *c = lk_arena_alloc(r->snap->arena, sizeof *c);
    *c = made;
    lk_map_put(&r->codes, h, (uintptr_t)c);
    return c;
}

static const struct lk_locals *locals(struct lk_jr *r, const json_t *frame)
{
    enum { MAX_LOCALS = 1000 };
    json_t *o = json_object_get(frame, "locals"), *value;
    const char *name;
    if (!json_is_object(o))
        return NULL;
    const size_t most = LK_MIN(json_object_size(o), (size_t)MAX_LOCALS);
    struct lk_locals *ret = lk_arena_alloc(r->snap->arena, sizeof *ret);
    ret->v = lk_arena_array(r->snap->arena, most, sizeof *ret->v);
    json_object_foreach(o, name, value)
    {
        const char *text = lk_jr_string(r, value);
        if (!text || ret->n == most)
            continue;
        ret->v[ret->n++] =
            (struct lk_local){ .name = lk_text_clean(r->snap->arena, name, strlen(name), SIZE_MAX),
                               .value = lk_redact_says_secret(name) ? "***" : text };
    }
    return ret;
}

/* A stack with variables is its party's own. */
static struct lk_pystack *with_locals(struct lk_jr *r, const json_t *list, struct lk_pystack *st)
{
    struct lk_pystack *own = NULL;
    for (uint32_t i = 0; i < st->n; i++) {
        const struct lk_locals *l = locals(r, json_array_get(list, i));
        if (l && !own)
            own = lk_snapshot_own_stack(r->snap, st);
        if (own)
            own->frames[i].locals = l;
    }
    return own ? own : st;
}

static struct lk_pystack *python_stack(struct lk_jr *r, const json_t *o, const char *key,
                                       const char *cut)
{
    const json_t *list;
    const size_t n = lk_jr_list(o, key, &list);
    struct lk_pyframe *frames = lk_xcalloc(n + 1, sizeof *frames);
    for (size_t i = 0; i < n; i++) {
        const json_t *f = json_array_get(list, i);
        frames[i] = (struct lk_pyframe){ .code = code_of(r, f),
                                         .line = lk_jr_line(f),
                                         .source = lk_jr_text(r, f, "source") };
    }
    struct lk_pystack *st = lk_snapshot_stack(r->snap, frames, n, lk_jr_bool(o, cut));
    lk_free(frames);
    return with_locals(r, list, st);
}

static struct lk_natstack *native_stack(struct lk_jr *r, const json_t *o)
{
    const json_t *list;
    const size_t n = lk_jr_list(o, "native", &list);
    if (!json_is_array(list))
        return NULL;
    struct lk_natstack *st = lk_arena_alloc(r->snap->arena, sizeof *st);
    st->n = (uint32_t)n;
    st->truncated = lk_jr_bool(o, "native_cut");
    st->frames = lk_arena_array(r->snap->arena, n, sizeof *st->frames);
    for (size_t i = 0; i < n; i++) {
        const json_t *f = json_array_get(list, i);
        const int64_t offset = lk_jr_number(f, "offset");
        st->frames[i] = (struct lk_natframe){ .function = lk_jr_text(r, f, "function"),
                                              .module = lk_jr_text(r, f, "module"),
                                              .offset = offset > 0 ? (uint64_t)offset : 0,
                                              .build_id = lk_jr_text(r, f, "build_id"),
                                              .file = lk_jr_text(r, f, "file"),
                                              .line = lk_jr_line(f),
                                              .inlined = lk_jr_bool(f, "inlined") };
    }
    return st;
}

/* ---- waits ----------------------------------------------------------------------------------- */

static int64_t timeout(const json_t *o)
{
    const enum lk_tri timed = lk_jr_tri(o, "timed");
    const int64_t ms = lk_jr_number(o, "timeout_ms");
    return timed == LK_NO ? LK_FOREVER : timed == LK_YES && ms == LK_UNKNOWN ? LK_SOMETIME : ms;
}

static void kernel_wait(struct lk_jr *r, const json_t *o, struct lk_syscall_wait *os)
{
    const json_t *w = json_object_get(o, "wait"), *queues;
    if (!json_is_object(w))
        return;
    os->on = (enum lk_os_wait)lk_jr_word(w, "on", os_name, LK_OS_OTHER + 1, LK_OS_OTHER);
    os->syscall = lk_jr_text(r, w, "syscall");
    os->fd = lk_jr_number(w, "fd");
    os->local = lk_jr_text(r, w, "local");
    os->peer = lk_jr_text(r, w, "peer");
    os->peer_is =
        (enum lk_peer_is)lk_jr_word(w, "peer_is", peer_name, LK_PEER_TREE + 1, LK_PEER_UNKNOWN);
    os->listening = lk_jr_bool(w, "listening");
    os->path = lk_jr_text(r, w, "path");
    os->child_pid = lk_jr_number(w, "child_pid");
    os->timeout_ms = timeout(w);
    for (size_t i = 0; i < 2; i++) {
        const json_t *q = lk_jr_list(w, "queues", &queues) == 2 ? json_array_get(queues, i) : NULL;
        os->queues[i] = json_is_integer(q) ? json_integer_value(q) : LK_UNKNOWN;
    }
}

static void program_wait(struct lk_jr *r, const json_t *o, struct lk_wait *wait)
{
    const json_t *b = json_object_get(o, "blocks");
    wait->kind =
        (enum lk_wait_kind)lk_jr_word(b, "kind", wait_name, LK_WAIT_READY + 1, LK_WAIT_NONE);
    wait->call = lk_jr_text(r, b, "call");
    lk_jr_refs(r, b, "on", LK_KIND_FUTURE, &wait->on);
    wait->any = lk_jr_bool(b, "any");
    wait->complete = lk_jr_bool(b, "enders_complete");
    wait->timeout_ms = timeout(b);
    wait->read = lk_jr_read(b);
    const struct lk_ref first = lk_jr_ref(r, o, "waits_for");
    if (!wait->on.n && first.kind != LK_KIND_NONE)
        lk_refs_add(r->snap, &wait->on, first);
}

/* ---- entities -------------------------------------------------------------------------------- */

static void read_thread(struct lk_jr *r, const json_t *o, size_t i)
{
    struct lk_thread *t = &r->snap->threads.v[i];
    const char *state = json_string_value(json_object_get(o, "kernel_state"));
    t->name = t->comm = lk_jr_text_or(r, o, "name", "");
    t->main = lk_jr_bool(o, "main");
    t->role = (enum lk_role)lk_jr_word(o, "role", role_name, LK_ROLE_EXECUTOR + 1, LK_ROLE_OTHER);
    t->kstate = state && *state ? *state : '?';
    t->running = lk_jr_bool(o, "on_cpu");
    t->in_request = lk_jr_bool(o, "in_request");
    t->interrupted_by = lk_jr_text(r, o, "interrupted_by");
    t->moved = lk_jr_bool(o, "moved");
    t->stuck_ms = lk_jr_number(o, "stuck_ms");
    /* What moves has no such time; the report says 0. */
    if (t->stuck_ms < 0 || (t->stuck_ms == 0 && (t->moved || t->running)))
        t->stuck_ms = LK_UNKNOWN;
    t->again = lk_jr_bool(o, "again");
    lk_jr_refs(r, o, "holds", LK_KIND_LOCK, &t->holds);
    t->holds_gil = lk_jr_bool(o, "holds_gil");
    t->interpreter = LK_MAX(lk_jr_number(o, "interpreter"), (int64_t)0);
    t->running_loop = lk_jr_ref(r, o, "runs_loop");
    t->current_task = lk_jr_ref(r, o, "current_task");
    t->works_for = lk_jr_ref(r, o, "executor");
    t->drives = lk_jr_ref(r, o, "runs_until");
    t->read = lk_jr_read(o);
    kernel_wait(r, o, &t->os);
    program_wait(r, o, &t->wait);
    t->python_stack = python_stack(r, o, "python", "python_cut");
    t->python = t->python_stack->n > 0;
    t->native_stack = native_stack(r, o);
    if (json_is_array(json_object_get(o, "before_fork")))
        t->before_fork = python_stack(r, o, "before_fork", "before_fork_cut");
}

static void read_loop(struct lk_jr *r, const json_t *o, size_t i)
{
    struct lk_loop *l = &r->snap->loops.v[i];
    l->kind = lk_jr_text_or(r, o, "kind", "unknown");
    l->cls = lk_jr_text_or(r, o, "class", "");
    l->thread = lk_jr_ref(r, o, "thread");
    l->run = (enum lk_loop_run)lk_jr_word(o, "state", run_name, LK_LOOP_UNKNOWN, LK_LOOP_UNKNOWN);
    l->closed = lk_jr_tri(o, "closed");
    l->stopping = lk_jr_tri(o, "stopping");
    l->ready = lk_jr_number(o, "ready");
    l->timers = lk_jr_number(o, "timers");
    l->next_timer_ms = lk_jr_number(o, "next_timer_ms");
    l->tasks_pending = lk_jr_number(o, "tasks_pending");
    l->in_own_selector = lk_jr_tri(o, "in_selector");
    l->origin = lk_jr_text(r, o, "origin");
    l->read = lk_jr_read(o);
}

static void read_task(struct lk_jr *r, const json_t *o, size_t i)
{
    struct lk_task *k = &r->snap->tasks.v[i];
    k->kind =
        (uint8_t)lk_jr_word(o, "kind", task_kind_name, LK_TASK_GREENLET + 1, LK_TASK_COROUTINE);
    k->name = lk_jr_text_or(r, o, "name", "");
    k->loop = lk_jr_ref(r, o, "loop");
    k->state = lk_jr_bool(o, "cancelled")
                   ? LK_TASK_CANCELLED
                   : (enum lk_task_state)lk_jr_word(o, "state", task_state_name, LK_TASK_DONE + 1,
                                                    LK_TASK_PENDING);
    k->started = lk_jr_bool(o, "started");
    k->ready = lk_jr_bool(o, "ready");
    k->stuck_ms = lk_jr_number(o, "stuck_ms");
    k->must_cancel = lk_jr_bool(o, "cancel_requested");
    k->run_by = lk_jr_ref(r, o, "run_by");
    k->thread = lk_jr_ref(r, o, "thread");
    lk_jr_refs(r, o, "holds", LK_KIND_LOCK, &k->holds);
    k->coroutine = lk_jr_text_or(r, o, "coroutine", "");
    k->read = lk_jr_read(o);
    k->stack = python_stack(r, o, "stack", "stack_cut");
    program_wait(r, o, &k->wait);
}

static void read_future(struct lk_jr *r, const json_t *o, size_t i)
{
    struct lk_future *f = &r->snap->futures.v[i];
    const char *kind = json_string_value(json_object_get(o, "kind"));
    f->concurrent = kind && strcmp(kind, "concurrent") == 0;
    f->cls = lk_jr_text_or(r, o, "class", "");
    f->state = (enum lk_future_state)lk_jr_word(o, "state", future_state_name,
                                                LK_FUTURE_STATE_UNKNOWN, LK_FUTURE_STATE_UNKNOWN);
    f->loop = lk_jr_ref(r, o, "loop");
    f->origin = (enum lk_future_origin)lk_jr_word(o, "origin", origin_name, LK_N_ORIGINS,
                                                  LK_ORIGIN_UNKNOWN);
    lk_jr_refs(r, o, "enders", LK_KIND_TASK, &f->enders);
    f->all = lk_jr_bool(o, "enders_all_needed");
    f->enders_complete = lk_jr_bool(o, "enders_complete");
    f->read = lk_jr_read(o);
}

static void read_lock(struct lk_jr *r, const json_t *o, size_t i)
{
    struct lk_lock *l = &r->snap->locks.v[i];
    l->kind = lk_jr_text_or(r, o, "kind", "lock");
    l->name = lk_jr_text(r, o, "name");
    l->shared_name = lk_jr_bool(o, "name_shared");
    l->locked = lk_jr_tri(o, "locked");
    l->mutex = lk_jr_bool(o, "mutex") || l->locked != LK_TRI_UNKNOWN;
    l->set = lk_jr_bool(o, "set");
    lk_jr_refs(r, o, "owners", LK_KIND_THREAD, &l->owners);
    l->owner_by = (enum lk_owner_by)lk_jr_word(o, "owner_known_by", owner_name,
                                               LK_OWNER_VALUE_STACK + 1, LK_OWNER_NONE);
    l->owner_certain = lk_jr_bool(o, "owner_certain");
    lk_jr_refs(r, o, "waiters", LK_KIND_THREAD, &l->waiters);
    l->loop = lk_jr_ref(r, o, "loop");
    l->read = lk_jr_read(o);
}

static void read_executor(struct lk_jr *r, const json_t *o, size_t i)
{
    struct lk_executor *x = &r->snap->executors.v[i];
    const json_t *items;
    x->kind = lk_jr_text_or(r, o, "kind", "executor");
    lk_jr_refs(r, o, "workers", LK_KIND_THREAD, &x->workers);
    x->max_workers = lk_jr_number(o, "max_workers");
    x->queued = lk_jr_number(o, "queued");
    x->shutdown = lk_jr_tri(o, "shutdown");
    x->n_items = lk_jr_list(o, "items", &items);
    x->items = lk_arena_array(r->snap->arena, x->n_items, sizeof *x->items);
    for (size_t k = 0; k < x->n_items; k++) {
        const json_t *item = json_array_get(items, k);
        x->items[k] = (struct lk_item){ .future = lk_jr_ref(r, item, "future"),
                                        .function = lk_jr_text(r, item, "function"),
                                        .fd = LK_UNKNOWN };
    }
    x->read = lk_jr_read(o);
}

static void read_extern(struct lk_jr *r, const json_t *o, size_t i)
{
    struct lk_extern *e = &r->snap->externs.v[i];
    e->kind =
        (enum lk_extern_kind)lk_jr_word(o, "kind", extern_name, LK_EXT_UNKNOWN, LK_EXT_UNKNOWN);
    e->text = lk_jr_text_or(r, o, "text", "");
    e->in_ms = lk_jr_number(o, "in_ms");
}

/* ---- the lists ------------------------------------------------------------------------------- */

static struct lk_ref enter_thread(struct lk_jr *r, const json_t *o, uint64_t number)
{
    const int64_t tid = lk_jr_number(o, "tid");
    return lk_snapshot_thread(r->snap, tid == LK_UNKNOWN ? -(int64_t)number : tid, NULL);
}
#define ENTER(name, make)                                                                          \
    static struct lk_ref name(struct lk_jr *r, const json_t *o, uint64_t number)                   \
    {                                                                                              \
        (void)o;                                                                                   \
        return make(r->snap, number, NULL);                                                        \
    }
ENTER(enter_loop, lk_snapshot_loop)
ENTER(enter_task, lk_snapshot_task)
ENTER(enter_future, lk_snapshot_future)
ENTER(enter_lock, lk_snapshot_lock)
ENTER(enter_executor, lk_snapshot_executor)
static struct lk_ref enter_extern(struct lk_jr *r, const json_t *o, uint64_t number)
{
    (void)o;
    (void)number;
    return lk_snapshot_extern(r->snap, LK_EXT_UNKNOWN, "", LK_UNKNOWN);
}

static const char **id_of(struct lk_snapshot *s, struct lk_ref r)
{
    switch (r.kind) {
    case LK_KIND_THREAD: return &s->threads.v[r.index].id;
    case LK_KIND_LOOP: return &s->loops.v[r.index].id;
    case LK_KIND_TASK: return &s->tasks.v[r.index].id;
    case LK_KIND_FUTURE: return &s->futures.v[r.index].id;
    case LK_KIND_LOCK: return &s->locks.v[r.index].id;
    case LK_KIND_EXECUTOR: return &s->executors.v[r.index].id;
    case LK_KIND_EXTERN: return &s->externs.v[r.index].id;
    case LK_KIND_NONE: break;
    }
    return NULL;
}

/* As in json_entities.c. */
static const struct section {
    const char *list, *groups;
    struct lk_ref (*enter)(struct lk_jr *r, const json_t *o, uint64_t number);
    void (*read)(struct lk_jr *r, const json_t *o, size_t i);
} sections[] = {
    { "threads", "thread_groups", enter_thread, read_thread },
    { "loops", "loop_groups", enter_loop, read_loop },
    { "tasks", "task_groups", enter_task, read_task },
    { "futures", "future_groups", enter_future, read_future },
    { "locks", "lock_groups", enter_lock, read_lock },
    { "executors", "executor_groups", enter_executor, read_executor },
    { "externs", "extern_groups", enter_extern, read_extern },
};

static void enter_list(struct lk_jr *r, const json_t *report, const struct section *s)
{
    const json_t *list;
    const size_t n = lk_jr_list(report, s->list, &list);
    for (size_t i = 0; i < n; i++) {
        const json_t *o = json_array_get(list, i);
        const struct lk_ref ref = s->enter(r, o, i + 1);
        const char *id = lk_jr_id(r, o, "id");
        if (id)
            *id_of(r->snap, ref) = id;
        lk_jr_enter(r, id, ref);
    }
}

/* Two entries that name one thread are one. */
static void read_list(struct lk_jr *r, const json_t *report, const struct section *s)
{
    const json_t *list;
    const size_t n = lk_jr_list(report, s->list, &list);
    for (size_t i = 0; i < n; i++) {
        const json_t *o = json_array_get(list, i);
        s->read(r, o, s->enter == enter_extern ? i : s->enter(r, o, i + 1).index);
    }
}

static void read_groups(struct lk_jr *r, const json_t *report, const struct section *s)
{
    const json_t *list;
    const size_t n = lk_jr_list(report, s->groups, &list);
    for (size_t i = 0; i < n; i++) {
        const json_t *o = json_array_get(list, i);
        const struct lk_ref like = lk_jr_ref(r, o, "example");
        const int64_t count = lk_jr_number(o, "count");
        if (like.kind != LK_KIND_NONE && count > 0)
            lk_vec_add(
                &r->snap->folded,
                ((struct lk_folded){ .like = like, .count = (uint32_t)LK_MIN(count, 1000000000) }));
    }
}

void lk_jr_entities(struct lk_jr *r, const json_t *report)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(sections); i++)
        enter_list(r, report, &sections[i]);
    for (size_t i = 0; i < LK_ARRAY_LEN(sections); i++) {
        read_list(r, report, &sections[i]);
        read_groups(r, report, &sections[i]);
    }
}
