/*
 * Groups by a key of what a reader would call identical, one function a kind; then what is shown:
 * whatever a finding names, the first of each group, and by a work list all that these refer to.
 */
#include "report/folding.h"

#include <stdlib.h>
#include <string.h>

#include "util/map.h"

#define KEY_WORDS 6
#define NO_MORE   UINT32_MAX

/* What makes two entities of a kind identical to a reader. */
struct key {
    uint64_t w[KEY_WORDS];
};

/* References still to be followed. */
struct worklist {
    LK_VEC(struct lk_ref) refs;
};

static uint64_t ref_word(struct lk_ref r)
{
    return (uint64_t)r.kind << 32 | r.index;
}

static uint64_t text_word(const char *s)
{
    return s ? lk_hash_str(LK_HASH_INIT, s) : 0;
}

static uint64_t native_word(const struct lk_natstack *st)
{
    uint64_t h = LK_HASH_INIT;
    for (uint32_t i = 0; st && i < st->n; i++) {
        h = lk_hash_u64(h, st->frames[i].offset);
        h = lk_hash_u64(h, text_word(st->frames[i].module));
    }
    return h;
}

static void thread_key(const struct lk_snapshot *s, size_t i, struct key *k)
{
    const struct lk_thread *t = &s->threads.v[i];
    const bool python = t->python_stack && t->python_stack->n;
    k->w[0] = python ? (uintptr_t)t->python_stack : native_word(t->native_stack);
    const enum lk_os_wait on = t->os.on == LK_OS_NONE && t->os.syscall ? LK_OS_OTHER : t->os.on;
    k->w[1] = (uint64_t)t->role << 40 | (uint64_t)t->wait.kind << 24 | (uint64_t)on << 8 |
              (unsigned char)t->kstate;
    k->w[2] = (uint64_t)t->interpreter << 8 | (uint64_t)t->running << 2 |
              (uint64_t)t->holds_gil << 1 | (uint64_t)t->moved;
    k->w[3] = ref_word(t->running_loop);
    k->w[4] = t->wait.on.n ? ref_word(t->wait.on.v[0]) : 0;
    /* Threads that wait for a thing of their own each (a future, a timer) are alike all the same.
     */
    if (t->wait.kind != LK_WAIT_LOCK && t->wait.kind != LK_WAIT_JOIN)
        k->w[4] = 0;
}

static void loop_key(const struct lk_snapshot *s, size_t i, struct key *k)
{
    const struct lk_loop *l = &s->loops.v[i];
    k->w[0] = text_word(l->kind);
    k->w[1] = text_word(l->cls);
    k->w[2] = text_word(l->origin);
    k->w[3] = (uint64_t)l->run << 8 | (uint64_t)(l->closed + 1) << 4 | (uint64_t)(l->stopping + 1);
    k->w[4] = l->run == LK_LOOP_RUNNING ? ref_word(l->thread) : 0;
}

static void task_key(const struct lk_snapshot *s, size_t i, struct key *k)
{
    const struct lk_task *t = &s->tasks.v[i];
    k->w[0] = t->stack && t->stack->n ? (uintptr_t)t->stack : text_word(t->coroutine);
    k->w[1] = ref_word(t->loop);
    k->w[2] = (uint64_t)t->state << 3 | (uint64_t)t->started << 2 | (uint64_t)t->ready << 1 |
              (uint64_t)t->must_cancel;
    k->w[3] = (uint64_t)t->wait.kind;
}

static void future_key(const struct lk_snapshot *s, size_t i, struct key *k)
{
    const struct lk_future *f = &s->futures.v[i];
    k->w[0] = (uint64_t)f->origin;
    k->w[1] = text_word(f->cls);
    k->w[2] = ref_word(f->loop);
    k->w[3] = (uint64_t)f->state << 2 | (uint64_t)f->concurrent << 1 | (uint64_t)f->enders_complete;
}

static void lock_key(const struct lk_snapshot *s, size_t i, struct key *k)
{
    const struct lk_lock *l = &s->locks.v[i];
    k->w[0] = text_word(l->kind);
    k->w[1] = l->owners.n ? ref_word(l->owners.v[0]) : 0;
    k->w[2] = (uint64_t)(l->locked + 1) << 8 | (uint64_t)l->owner_by << 1 | (uint64_t)l->set;
    k->w[3] = l->waiters.n != 0;
}

static void executor_key(const struct lk_snapshot *s, size_t i, struct key *k)
{
    const struct lk_executor *x = &s->executors.v[i];
    k->w[0] = text_word(x->kind);
    k->w[1] = (uint64_t)x->max_workers;
    k->w[2] = (uint64_t)x->queued;
    k->w[3] = x->workers.n;
    k->w[4] = (uint64_t)x->shutdown;
}

static void extern_key(const struct lk_snapshot *s, size_t i, struct key *k)
{
    const struct lk_extern *e = &s->externs.v[i];
    k->w[0] = text_word(e->text);
    k->w[1] = (uint64_t)e->kind;
}

static void (*const keys[LK_N_KINDS])(const struct lk_snapshot *, size_t, struct key *) = {
    [LK_KIND_THREAD] = thread_key, [LK_KIND_LOOP] = loop_key, [LK_KIND_TASK] = task_key,
    [LK_KIND_FUTURE] = future_key, [LK_KIND_LOCK] = lock_key, [LK_KIND_EXECUTOR] = executor_key,
    [LK_KIND_EXTERN] = extern_key,
};

bool lk_fold_shown(const struct lk_fold *v, struct lk_ref r)
{
    return r.kind > LK_KIND_NONE && r.kind < LK_N_KINDS && r.index < v->kinds[r.kind].n &&
           v->kinds[r.kind].shown[r.index];
}

bool lk_fold_blamed(const struct lk_fold *v, struct lk_ref r)
{
    return r.kind > LK_KIND_NONE && r.kind < LK_N_KINDS && r.index < v->kinds[r.kind].n &&
           v->kinds[r.kind].blamed[r.index];
}

static void blame(struct lk_fold *v, struct lk_ref r)
{
    if (r.kind > LK_KIND_NONE && r.kind < LK_N_KINDS && r.index < v->kinds[r.kind].n)
        v->kinds[r.kind].blamed[r.index] = true;
}

static void blame_list(struct lk_fold *v, const struct lk_refs *list, size_t most)
{
    for (size_t i = 0; i < list->n && i < most; i++)
        blame(v, list->v[i]);
}

/* Culprits name threads by tid and tasks by id. */
static void blame_culprits(struct lk_fold *v, const struct lk_finding *f, const struct lk_map *tids,
                           const struct lk_map *task_ids, size_t most)
{
    uint64_t at;
    for (size_t i = 0; i < f->culprits.n && i < most; i++) {
        const struct lk_culprit *c = &f->culprits.v[i];
        if (c->tid != LK_UNKNOWN && lk_map_get(tids, (uint64_t)c->tid, &at))
            blame(v, lk_ref_make(LK_KIND_THREAD, at));
        if (c->task && lk_map_get(task_ids, text_word(c->task), &at))
            blame(v, lk_ref_make(LK_KIND_TASK, at));
    }
}

static void blame_findings(struct lk_fold *v, const struct lk_findings *fs, size_t most)
{
    const struct lk_snapshot *s = v->snap;
    struct lk_map tids = { 0 }, task_ids = { 0 };
    bool tasks_named = false;
    for (size_t i = 0; i < fs->list.n; i++)
        for (size_t c = 0; c < fs->list.v[i].culprits.n; c++)
            tasks_named |= fs->list.v[i].culprits.v[c].task != NULL;
    for (size_t i = 0; fs->list.n && i < s->threads.n; i++)
        lk_map_put(&tids, (uint64_t)s->threads.v[i].tid, i);
    for (size_t i = 0; tasks_named && i < s->tasks.n; i++)
        lk_map_put(&task_ids, text_word(s->tasks.v[i].id), i);
    for (size_t i = 0; i < fs->list.n; i++) {
        const struct lk_finding *f = &fs->list.v[i];
        blame_list(v, &f->threads, most);
        blame_list(v, &f->loops, most);
        blame_list(v, &f->tasks, most);
        blame_list(v, &f->locks, most);
        blame_culprits(v, f, &tids, &task_ids, most);
        for (size_t c = 0; c < f->chain.n && c < most; c++) {
            blame(v, f->chain.v[c].from);
            blame(v, f->chain.v[c].to);
        }
    }
    lk_map_deinit(&tids);
    lk_map_deinit(&task_ids);
}

/* The group of a key: the map leads from its hash to a group, and different keys with one hash take
 * the next ones. */
static size_t find_group(struct lk_map *m, const struct key *k, struct key *known, size_t n_groups)
{
    uint64_t h = lk_hash(LK_HASH_INIT, k, sizeof *k), at;
    for (; lk_map_get(m, h, &at); h++)
        if (memcmp(&known[at], k, sizeof *k) == 0)
            return at;
    lk_map_put(m, h, n_groups);
    known[n_groups] = *k;
    return n_groups;
}

static void make_groups(struct lk_fold *v, struct lk_arena *a, enum lk_kind kind)
{
    struct lk_fold_kind *vk = &v->kinds[kind];
    if (!vk->n)
        return;
    struct lk_map m = { 0 };
    struct lk_group *groups = lk_xcalloc(vk->n, sizeof *groups);
    struct key *known = lk_xcalloc(vk->n, sizeof *known);
    uint32_t *last = lk_xcalloc(vk->n, sizeof *last);
    for (size_t i = 0; i < vk->n; i++) {
        struct key k = { 0 };
        keys[kind](v->snap, i, &k);
        k.w[KEY_WORDS - 1] = vk->blamed[i];
        const size_t g = find_group(&m, &k, known, vk->n_groups);
        vk->next[i] = NO_MORE;
        vk->group_of[i] = (uint32_t)g;
        if (g == vk->n_groups) {
            groups[g] = (struct lk_group){ .example = (uint32_t)i, .blamed = vk->blamed[i] };
            vk->n_groups++;
        } else {
            vk->next[last[g]] = (uint32_t)i;
        }
        groups[g].count++;
        last[g] = (uint32_t)i;
    }
    vk->groups = lk_arena_array(a, vk->n_groups, sizeof *groups);
    memcpy(vk->groups, groups, vk->n_groups * sizeof *groups);
    lk_free(groups);
    lk_free(known);
    lk_free(last);
    lk_map_deinit(&m);
}

static void show(struct lk_fold *v, struct worklist *todo, struct lk_ref r)
{
    if (r.kind <= LK_KIND_NONE || r.kind >= LK_N_KINDS || r.index >= v->kinds[r.kind].n)
        return;
    bool *shown = &v->kinds[r.kind].shown[r.index];
    if (*shown)
        return;
    *shown = true;
    lk_vec_add(&todo->refs, r);
}

/* The single references of an entity; its lists may leave out what is folded, a single reference
 * may not. */
static void show_references(struct lk_fold *v, struct worklist *todo, struct lk_ref r)
{
    const struct lk_thread *t = lk_thread_at(v->snap, r);
    const struct lk_loop *l = lk_loop_at(v->snap, r);
    const struct lk_task *k = lk_task_at(v->snap, r);
    const struct lk_future *f = lk_future_at(v->snap, r);
    const struct lk_lock *m = lk_lock_at(v->snap, r);
    const struct lk_executor *x = lk_executor_at(v->snap, r);
    if (t) {
        show(v, todo, t->running_loop);
        show(v, todo, t->current_task);
        show(v, todo, t->works_for);
    }
    if (t && t->wait.on.n)
        show(v, todo, t->wait.on.v[0]);
    if (l)
        show(v, todo, l->thread);
    if (k) {
        show(v, todo, k->loop);
        show(v, todo, k->run_by);
        if (k->wait.on.n)
            show(v, todo, k->wait.on.v[0]);
    }
    if (f)
        show(v, todo, f->loop);
    if (m)
        show(v, todo, m->loop);
    if (m && m->owners.n)
        show(v, todo, m->owners.v[0]);
    for (size_t i = 0; x && i < x->n_items && i < LK_VIEW_LIST_MAX; i++)
        show(v, todo, x->items[i].future);
}

static uint32_t sum(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* What a report that was read again had folded away belongs to the group of what it is like. */
static void count_folded(struct lk_fold *v)
{
    const struct lk_snapshot *s = v->snap;
    for (size_t i = 0; i < s->folded.n; i++) {
        const struct lk_ref like = s->folded.v[i].like;
        if (!lk_ref_id(s, like))
            continue;
        struct lk_fold_kind *vk = &v->kinds[like.kind];
        struct lk_group *g = &vk->groups[vk->group_of[like.index]];
        g->count = sum(g->count, s->folded.v[i].count);
        g->hidden = sum(g->hidden, s->folded.v[i].count);
    }
}

static void choose_shown(struct lk_fold *v, size_t threshold)
{
    struct worklist todo = { 0 };
    for (unsigned kind = LK_KIND_THREAD; kind < LK_N_KINDS; kind++) {
        struct lk_fold_kind *vk = &v->kinds[kind];
        vk->folded = vk->n > threshold;
        for (size_t i = 0; i < vk->n; i++)
            if (!vk->folded || vk->blamed[i])
                show(v, &todo, lk_ref_make(kind, i));
        for (size_t g = 0; vk->folded && g < vk->n_groups; g++)
            show(v, &todo, lk_ref_make(kind, vk->groups[g].example));
    }
    while (todo.refs.n)
        show_references(v, &todo, todo.refs.v[--todo.refs.n]);
    lk_free(todo.refs.v);
    for (unsigned kind = LK_KIND_THREAD; kind < LK_N_KINDS; kind++) {
        struct lk_fold_kind *vk = &v->kinds[kind];
        for (size_t g = 0; g < vk->n_groups; g++)
            for (uint32_t i = vk->groups[g].example; i != NO_MORE; i = vk->next[i])
                vk->groups[g].hidden += !vk->shown[i];
    }
}

struct lk_fold *lk_fold_create(struct lk_arena *a, const struct lk_report *r, size_t threshold)
{
    const struct lk_snapshot *s = r->snap;
    struct lk_fold *v = lk_arena_alloc(a, sizeof *v);
    const size_t n[LK_N_KINDS] = {
        [LK_KIND_THREAD] = s->threads.n, [LK_KIND_LOOP] = s->loops.n,
        [LK_KIND_TASK] = s->tasks.n,     [LK_KIND_FUTURE] = s->futures.n,
        [LK_KIND_LOCK] = s->locks.n,     [LK_KIND_EXECUTOR] = s->executors.n,
        [LK_KIND_EXTERN] = s->externs.n,
    };
    v->snap = s;
    for (unsigned kind = LK_KIND_THREAD; kind < LK_N_KINDS; kind++) {
        struct lk_fold_kind *vk = &v->kinds[kind];
        vk->n = n[kind];
        vk->blamed = lk_arena_array(a, vk->n, sizeof *vk->blamed);
        vk->shown = lk_arena_array(a, vk->n, sizeof *vk->shown);
        vk->next = lk_arena_array(a, vk->n, sizeof *vk->next);
        vk->group_of = lk_arena_array(a, vk->n, sizeof *vk->group_of);
    }
    blame_findings(v, r->findings, threshold == SIZE_MAX ? SIZE_MAX : LK_VIEW_LIST_MAX);
    for (unsigned kind = LK_KIND_THREAD; kind < LK_N_KINDS; kind++)
        make_groups(v, a, kind);
    choose_shown(v, threshold);
    count_folded(v);
    return v;
}
