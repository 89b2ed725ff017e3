/*
 * A finding as a graph: the nodes and edges of its chain, and what is held up behind it.
 * Nodes are found by their reference; in a long chain by the group of alike ones they belong to
 * (folding.h). Bounded: MAX_NODES of the chain, MAX_BEHIND of what is held up.
 */
#include "report/drawing.h"

#include <string.h>

#include "report/merged_stack.h"
#include "report/phrase.h"
#include "report/sentences.h"
#include "util/map.h"

#define LONG_CHAIN 12 /* nodes: from there on what is alike is one node */
#define MAX_NODES  40
#define MAX_EDGES  80
#define MAX_BEHIND 8
#define MAX_STEPS  6 /* from what is held up to the chain */

struct making {
    struct lk_arena *arena;
    const struct lk_report *report;
    const struct lk_finding *finding;
    const struct lk_fold *view;
    struct lk_map at; /* node's key -> its index */
    bool merge;
    struct lk_drawing d;
};

static uint64_t key_of(struct lk_ref r)
{
    return (uint64_t)r.kind << 32 | r.index;
}

/* The first member of the group that an entity belongs to. */
static struct lk_ref example_of(const struct lk_fold *v, struct lk_ref r)
{
    if (r.kind <= LK_KIND_NONE || r.kind >= LK_N_KINDS || r.index >= v->kinds[r.kind].n)
        return r;
    const struct lk_fold_kind *vk = &v->kinds[r.kind];
    return lk_ref_make(r.kind, vk->groups[vk->group_of[r.index]].example);
}

static const struct lk_culprit *culprit_of(const struct making *m, struct lk_ref r)
{
    const struct lk_thread *t = lk_thread_at(m->report->snap, r);
    const struct lk_task *k = lk_task_at(m->report->snap, r);
    for (size_t i = 0; (t || k) && i < m->finding->culprits.n; i++) {
        const struct lk_culprit *c = &m->finding->culprits.v[i];
        if ((t && c->tid == t->tid) || (k && c->task && strcmp(c->task, k->id) == 0))
            return c;
    }
    return NULL;
}

static const char *place_of(const struct making *m, struct lk_ref r)
{
    const struct lk_culprit *c = culprit_of(m, r);
    if (!c)
        return lk_merged_user_frame(m->arena, lk_stack_of(m->report->snap, r));
    return lk_phrase_place(m->arena, c->function, lk_or_else(c->file, c->module), c->line);
}

/* The node of an entity, made where there is none; SIZE_MAX where there is no room. */
static size_t node_of(struct making *m, struct lk_ref r, bool chain)
{
    const struct lk_ref one = m->merge ? example_of(m->view, r) : r;
    uint64_t at;
    struct lk_drawing *d = &m->d;
    if (lk_map_get(&m->at, key_of(one), &at))
        return at;
    if (d->n_nodes == MAX_NODES + (chain ? 0 : MAX_BEHIND))
        return SIZE_MAX;
    lk_map_put(&m->at, key_of(one), d->n_nodes);
    d->nodes[d->n_nodes] = (struct lk_drawing_node){
        .ref = r,
        .label = lk_sentence_label(m->arena, m->report->snap, r),
        .place = place_of(m, r),
        .culprit = culprit_of(m, r) != NULL,
        .chain = chain,
    };
    return d->n_nodes++;
}

static void edge(struct making *m, size_t from, size_t to, const char *why, const char *doubt,
                 bool chain)
{
    struct lk_drawing *d = &m->d;
    for (size_t i = 0; i < d->n_edges; i++) {
        struct lk_drawing_edge *e = &d->edges[i];
        if (e->from == from && e->to == to && strcmp(e->why, why) == 0) {
            e->count++;
            return;
        }
    }
    if (from == SIZE_MAX || to == SIZE_MAX || d->n_edges == MAX_EDGES + MAX_BEHIND)
        return;
    d->edges[d->n_edges++] = (struct lk_drawing_edge){
        .from = from, .to = to, .why = why, .doubt = doubt, .count = 1, .chain = chain
    };
}

static size_t distinct_nodes(const struct lk_finding *f)
{
    struct lk_map seen = { 0 };
    for (size_t i = 0; i < f->chain.n; i++) {
        lk_map_put(&seen, key_of(f->chain.v[i].from), 1);
        lk_map_put(&seen, key_of(f->chain.v[i].to), 1);
    }
    const size_t n = seen.n;
    lk_map_deinit(&seen);
    return n;
}

static void draw_chain(struct making *m)
{
    const struct lk_finding *f = m->finding;
    struct lk_map counted = { 0 };
    for (size_t i = 0; i < f->chain.n; i++) {
        const struct lk_edge *e = &f->chain.v[i];
        const struct lk_ref ends[] = { e->from, e->to };
        size_t at[2];
        for (size_t k = 0; k < 2; k++) {
            at[k] = node_of(m, ends[k], true);
            if (at[k] != SIZE_MAX && lk_map_add(&counted, key_of(ends[k]), 1))
                m->d.nodes[at[k]].count++;
        }
        edge(m, at[0], at[1], e->why ? e->why : "waits for", lk_sentence_edge_doubt(e), true);
    }
    lk_map_deinit(&counted);
    m->d.n_chain = m->d.n_nodes;
    m->d.ring = f->chain.n > 1 && lk_ref_eq(f->chain.v[f->chain.n - 1].to, f->chain.v[0].from);
}

struct lk_ref lk_drawing_next(const struct lk_snapshot *s, struct lk_ref r)
{
    const struct lk_thread *t = lk_thread_at(s, r);
    const struct lk_task *k = lk_task_at(s, r);
    const struct lk_future *f = lk_future_at(s, r);
    const struct lk_lock *l = lk_lock_at(s, r);
    const struct lk_loop *o = lk_loop_at(s, r);
    const struct lk_refs *list = t   ? &t->wait.on
                                 : f ? &f->enders
                                 : l ? &l->owners
                                 : k ? &k->wait.on
                                     : NULL;
    if (k && lk_thread_at(s, k->run_by))
        return k->run_by;
    if (list && list->n)
        return list->v[0];
    return k ? k->loop : o ? o->thread : (struct lk_ref){ 0 };
}

/* The node of the chain that a waiter stands behind; SIZE_MAX where that is none. */
static size_t behind_which(const struct making *m, struct lk_ref r)
{
    for (size_t i = 0; i < MAX_STEPS; i++) {
        uint64_t at;
        r = lk_drawing_next(m->report->snap, r);
        if (r.kind == LK_KIND_NONE)
            break;
        if (lk_map_get(&m->at, key_of(m->merge ? example_of(m->view, r) : r), &at))
            return at < m->d.n_chain ? at : SIZE_MAX;
    }
    return SIZE_MAX;
}

/* What waits for the chain and is no part of it: one node a group of alike ones. */
static void draw_behind(struct making *m, enum lk_kind kind)
{
    const struct lk_snapshot *s = m->report->snap;
    const struct lk_fold_kind *vk = &m->view->kinds[kind];
    size_t drawn = 0;
    for (size_t g = 0; g < vk->n_groups; g++) {
        const struct lk_ref r = lk_ref_make(kind, vk->groups[g].example);
        const struct lk_wait *w =
            kind == LK_KIND_THREAD ? &s->threads.v[r.index].wait : &s->tasks.v[r.index].wait;
        uint64_t at;
        if (lk_map_get(&m->at, key_of(r), &at))
            continue;
        const size_t to = w->on.n ? behind_which(m, r) : SIZE_MAX;
        if (to == SIZE_MAX)
            continue;
        const size_t from = drawn++ < MAX_BEHIND / 2 ? node_of(m, r, false) : SIZE_MAX;
        m->d.left_out += from == SIZE_MAX ? vk->groups[g].count : 0;
        if (from == SIZE_MAX)
            continue;
        struct lk_drawing_node *n = &m->d.nodes[from];
        n->count = vk->groups[g].count;
        if (n->count > 1)
            n->label = lk_words_count(m->arena, n->count, lk_drawing_kind(kind));
        edge(m, from, to,
             w->call ? lk_arena_printf(m->arena, "blocks in %s", lk_phrase_name(m->arena, w->call))
                     : "waits for",
             "", false);
    }
}

struct lk_drawing lk_drawing_create(struct lk_arena *a, const struct lk_report *r,
                                    const struct lk_finding *f, const struct lk_fold *view)
{
    struct making m = { .arena = a, .report = r, .finding = f, .view = view };
    m.d.nodes = lk_arena_array(a, MAX_NODES + MAX_BEHIND, sizeof *m.d.nodes);
    m.d.edges = lk_arena_array(a, MAX_EDGES + MAX_BEHIND, sizeof *m.d.edges);
    m.merge = distinct_nodes(f) > LONG_CHAIN;
    draw_chain(&m);
    for (size_t i = 0; i < m.d.n_nodes; i++)
        if (m.d.nodes[i].count > 1)
            m.d.nodes[i].label =
                lk_words_count(a, m.d.nodes[i].count, lk_drawing_kind(m.d.nodes[i].ref.kind));
    draw_behind(&m, LK_KIND_THREAD);
    draw_behind(&m, LK_KIND_TASK);
    lk_map_deinit(&m.at);
    return m.d;
}

const char *lk_drawing_kind(enum lk_kind k)
{
    static const char *const names[] = {
        [LK_KIND_THREAD] = "thread",        [LK_KIND_LOOP] = "loop", [LK_KIND_TASK] = "task",
        [LK_KIND_FUTURE] = "future",        [LK_KIND_LOCK] = "lock", [LK_KIND_EXECUTOR] = "pool",
        [LK_KIND_EXTERN] = "thing outside",
    };
    return (unsigned)k < LK_ARRAY_LEN(names) && names[k] ? names[k] : "thing";
}
