/*
 * The lists of the text report: threads, loops, tasks, executors, locks, limits. Each has one entry
 * a group of identical entities, those that a finding names first, then the stuck, then the idle.
 */
#include "report/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/sentences.h"
#include "util/text.h"

#define MAX_GROUPS 50 /* of one list */
#define MAX_NAMES  8  /* of the members of a group */

/* One entry of a list: a single entity, or a group of identical ones. */
struct entry {
    uint32_t example, count;
    bool blamed;
    int rank; /* lower comes first */
};
struct entries {
    LK_VEC(struct entry) list;
};

struct lists {
    struct lk_terminal *p;
    struct lk_arena *arena;
    const struct lk_snapshot *snap;
    const struct lk_fold *view;
    const struct lk_render *how;
};

static int by_weight(const void *va, const void *vb)
{
    const struct entry *a = va, *b = vb;
    if (a->blamed != b->blamed)
        return a->blamed ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return a->example < b->example ? -1 : a->example > b->example;
}

/* The groups of a kind, or with --all its entities, sorted. rank may be NULL. */
static struct entries entries_of(const struct lists *l, enum lk_kind kind,
                                 int (*rank)(const struct lists *, uint32_t))
{
    const struct lk_fold_kind *vk = &l->view->kinds[kind];
    struct entries e = { 0 };
    const size_t n = l->how->all ? vk->n : vk->n_groups;
    for (size_t i = 0; i < n; i++) {
        const struct lk_group one = { .example = (uint32_t)i,
                                      .count = 1,
                                      .blamed = l->how->all && vk->blamed[i] };
        const struct lk_group *g = l->how->all ? &one : &vk->groups[i];
        lk_vec_add(&e.list, ((struct entry){ .example = g->example,
                                             .count = g->count,
                                             .blamed = g->blamed,
                                             .rank = rank ? rank(l, g->example) : 0 }));
    }
    if (n)
        qsort(e.list.v, e.list.n, sizeof *e.list.v, by_weight);
    return e;
}

static void heading(const struct lists *l, const char *title, size_t n, const char *note)
{
    lk_terminal_blank(l->p);
    const char *head =
        lk_arena_printf(l->arena, "%s (%s)", title, lk_words_number(l->arena, (int64_t)n));
    lk_terminal_two(l->p, 0, LK_INK_BOLD, head, note);
}

/* Says what was left out and stops the list; false while there is room. */
static bool list_full(const struct lists *l, const struct entries *e, size_t i)
{
    if (l->how->all || i < MAX_GROUPS)
        return false;
    size_t left = 0;
    for (size_t k = i; k < e->list.n; k++)
        left += e->list.v[k].count;
    lk_terminal_line(l->p, 2, LK_INK_PLAIN,
                     lk_arena_printf(l->arena, "... and %s more in %zu groups, --all shows them",
                                     lk_words_number(l->arena, (int64_t)left), e->list.n - i));
    return true;
}

/* Names of the members of a group, joined by commas. */
static const char *member_names(const struct lists *l, enum lk_kind kind, const struct entry *e,
                                const char *(*label)(const struct lists *, uint32_t))
{
    const struct lk_fold_kind *vk = &l->view->kinds[kind];
    struct lk_strbuf b = { 0 };
    size_t written = 0;
    for (uint32_t i = e->example; i < vk->n && written < MAX_NAMES; i = vk->next[i], written++)
        lk_strbuf_printf(&b, "%s%s", written ? ", " : "", label(l, i));
    if (e->count > written)
        lk_strbuf_printf(&b, " and %s more",
                         lk_words_number(l->arena, (int64_t)(e->count - written)));
    const char *ret = lk_arena_strndup(l->arena, b.s ? b.s : "", b.n);
    lk_strbuf_deinit(&b);
    return ret;
}

/* ---- threads ------------------------------------------------------------------------------ */

static enum lk_thread_state state_of(const struct lists *l, uint32_t i)
{
    return lk_words_thread_state(&l->snap->threads.v[i],
                                 lk_fold_blamed(l->view, lk_ref_make(LK_KIND_THREAD, i)));
}

/* Stuck first, idle last. */
static int thread_rank(const struct lists *l, uint32_t i)
{
    static const int ranks[] = {
        [LK_TS_STOPPED] = 0,       [LK_TS_LOCK_WAIT] = 1,  [LK_TS_FUTURE_WAIT] = 1,
        [LK_TS_JOIN] = 2,          [LK_TS_QUEUE_WAIT] = 2, [LK_TS_GIL_WAIT] = 3,
        [LK_TS_IO_WAIT] = 3,       [LK_TS_SLEEP] = 4,      [LK_TS_UNKNOWN] = 5,
        [LK_TS_RUNNING] = 6,       [LK_TS_LOOP_IDLE] = 7,  [LK_TS_PARKED] = 8,
        [LK_TS_EXECUTOR_IDLE] = 9,
    };
    const enum lk_thread_state st = state_of(l, i);
    return (unsigned)st < LK_ARRAY_LEN(ranks) ? ranks[st] : 5;
}

static const char *thread_name(const struct lists *l, uint32_t i)
{
    return lk_sentence_thread(l->arena, &l->snap->threads.v[i]);
}

/* " for 14 min", the shortest and the longest where members differ, or nothing where it is not
 * known. */
static const char *stuck_for(const struct lists *l, const struct entry *e)
{
    const struct lk_fold_kind *vk = &l->view->kinds[LK_KIND_THREAD];
    int64_t least = INT64_MAX, most = 0;
    bool again = false;
    uint32_t i = e->example;
    for (uint32_t c = 0; c < e->count && i < vk->n; c++, i = vk->next[i]) {
        const int64_t ms = l->snap->threads.v[i].stuck_ms;
        if (ms == LK_UNKNOWN)
            return "";
        again |= l->snap->threads.v[i].again;
        least = LK_MIN(least, ms);
        most = LK_MAX(most, ms);
    }
    const char *more = again ? ", again and again" : "", *from = lk_words_duration(l->arena, least),
               *to = lk_words_duration(l->arena, most);
    if (strcmp(from, to) == 0)
        return lk_arena_printf(l->arena, " for %s%s", from, more);
    return lk_arena_printf(l->arena, " for %s to %s%s", from, to, more);
}

/* What a forked process has on its stack of its parent's. */
static void parents_frames(const struct lists *l, const struct lk_pystack *st)
{
    if (!st || !st->n)
        return;
    const struct lk_pyframe *user = lk_user_frame(st), *f = user ? user : &st->frames[0];
    lk_terminal_par(l->p, 6, NULL, 0,
                    lk_arena_printf(l->arena,
                                    "forked below %s; what is outside of that is its "
                                    "parent's past%s",
                                    lk_sentence_frame(l->arena, f, 0), l->how->all ? ":" : ""),
                    0);
    if (l->how->all)
        lk_text_python_stack(l->p, l->how, st);
}

static void thread_entry(const struct lists *l, const struct entry *e)
{
    const struct lk_thread *t = &l->snap->threads.v[e->example];
    const enum lk_thread_state st = state_of(l, e->example);
    const bool python = t->python_stack && t->python_stack->n,
               native = t->native_stack && t->native_stack->n;
    const char *head =
        e->count == 1 ? thread_name(l, e->example) : lk_words_count(l->arena, e->count, "thread");
    const char *tail =
        lk_arena_printf(l->arena, " %s%s", lk_words_thread_state_name(st), stuck_for(l, e));
    lk_terminal_two(l->p, 2, e->blamed ? LK_INK_RED : LK_INK_BOLD, head, tail);
    if (e->count > 1)
        lk_terminal_par(l->p, 6, NULL, 0, member_names(l, LK_KIND_THREAD, e, thread_name), 0);
    const char *facts = lk_sentence_thread_facts(l->arena, l->snap, t);
    if (*facts && e->count == 1)
        lk_terminal_par(l->p, 6, NULL, 0, facts, 0);
    else if (e->count > 1 && t->wait.call && t->wait.kind != LK_WAIT_NONE)
        lk_terminal_par(
            l->p, 6, NULL, 0,
            lk_arena_printf(l->arena, "each blocks in %s", lk_words_safe(l->arena, t->wait.call)),
            0);
    if (lk_words_is_idle(st) && !e->blamed && !l->how->all && !l->how->verbose && !l->how->native)
        return;
    lk_text_python_stack(l->p, l->how, t->python_stack);
    parents_frames(l, t->before_fork);
    if (native && (l->how->native || !python))
        lk_text_native_stack(l->p, l->how, t->native_stack);
    if (!python && !native)
        lk_terminal_line(l->p, 6, LK_INK_PLAIN, "no stack was read");
}

static void threads(const struct lists *l)
{
    struct entries e = entries_of(l, LK_KIND_THREAD, thread_rank);
    heading(l, "THREADS", lk_snapshot_count(l->snap, LK_KIND_THREAD),
            "stuck first; innermost frame first; * is your code; idle: no stack");
    for (size_t i = 0; i < e.list.n && !list_full(l, &e, i); i++)
        thread_entry(l, &e.list.v[i]);
    lk_free(e.list.v);
}

/* ---- loops, tasks, executors, locks --------------------------------------------------------- */

static const char *loop_name(const struct lists *l, uint32_t i)
{
    return l->snap->loops.v[i].id;
}

static const char *task_name(const struct lists *l, uint32_t i)
{
    const struct lk_task *k = &l->snap->tasks.v[i];
    return k->name && *k->name ? lk_words_cut(l->arena, k->name, 60) : k->id;
}

static void loop_entry(const struct lists *l, const struct entry *e)
{
    const struct lk_loop *o = &l->snap->loops.v[e->example];
    const char *facts = lk_sentence_loop(l->arena, l->snap, o);
    if (e->count == 1) {
        lk_terminal_par(l->p, 2, o->id, 6, facts, 0);
        return;
    }
    lk_terminal_line(l->p, 2, LK_INK_BOLD,
                     lk_arena_printf(l->arena, "%s alike: %s",
                                     lk_words_count(l->arena, e->count, "loop"),
                                     member_names(l, LK_KIND_LOOP, e, loop_name)));
    lk_terminal_par(l->p, 8, NULL, 0, lk_arena_printf(l->arena, "%s is %s", o->id, facts), 0);
}

static void task_entry(const struct lists *l, const struct entry *e)
{
    const struct lk_task *k = &l->snap->tasks.v[e->example];
    const char *facts = lk_sentence_task(l->arena, l->snap, k);
    const char *coroutine =
        k->coroutine && *k->coroutine ? lk_words_cut(l->arena, k->coroutine, 80) : "(no coroutine)";
    if (e->count == 1) {
        lk_terminal_par(l->p, 2, lk_arena_printf(l->arena, "%s", task_name(l, e->example)), 4,
                        lk_arena_printf(l->arena, "%s, %s", coroutine, facts), 0);
    } else {
        lk_terminal_par(l->p, 2, lk_words_count(l->arena, e->count, "task"), 4,
                        lk_arena_printf(l->arena, "%s: %s", coroutine,
                                        member_names(l, LK_KIND_TASK, e, task_name)),
                        0);
        lk_terminal_par(l->p, 6, NULL, 0,
                        lk_arena_printf(l->arena, "%s is %s", task_name(l, e->example), facts), 0);
    }
    /* A running task's frames stand on its thread's stack, which was shown above. */
    if (!lk_thread_at(l->snap, k->run_by))
        lk_text_python_stack(l->p, l->how, k->stack);
}

static void executor_entry(const struct lists *l, const struct entry *e)
{
    const struct lk_executor *x = &l->snap->executors.v[e->example];
    const char *facts = lk_sentence_executor(l->arena, l->snap, x);
    const char *head =
        e->count == 1 ? x->id : lk_arena_printf(l->arena, "%u alike, %s:", e->count, x->id);
    lk_terminal_par(l->p, 2, head, 6, facts, 0);
}

static void lock_entry(const struct lists *l, const struct entry *e)
{
    const struct lk_lock *m = &l->snap->locks.v[e->example];
    const char *facts = lk_sentence_lock(l->arena, l->snap, m);
    const char *head =
        e->count == 1 ? m->id : lk_arena_printf(l->arena, "%u alike, %s:", e->count, m->id);
    lk_terminal_par(l->p, 2, head, 6, facts, 0);
}

/* A task that waits for nothing to be told comes last. */
static int task_rank(const struct lists *l, uint32_t i)
{
    const struct lk_task *k = &l->snap->tasks.v[i];
    return k->state == LK_TASK_RUNNING ? 0 : k->state == LK_TASK_PENDING ? 1 : 2;
}

static int lock_rank(const struct lists *l, uint32_t i)
{
    const struct lk_lock *m = &l->snap->locks.v[i];
    return m->waiters.n ? 0 : m->owners.n ? 1 : 2;
}

static void list(const struct lists *l, const char *title, enum lk_kind kind, const char *note,
                 int (*rank)(const struct lists *, uint32_t),
                 void (*one)(const struct lists *, const struct entry *))
{
    if (!l->view->kinds[kind].n)
        return;
    struct entries e = entries_of(l, kind, rank);
    heading(l, title, lk_snapshot_count(l->snap, kind), note);
    for (size_t i = 0; i < e.list.n && !list_full(l, &e, i); i++)
        one(l, &e.list.v[i]);
    lk_free(e.list.v);
}

/* Locks that nobody holds and nobody waits for are only counted, beside others, unless a finding
 * names them. */
static void locks(const struct lists *l)
{
    struct entries e = entries_of(l, LK_KIND_LOCK, lock_rank);
    size_t told = 0, quiet = 0;
    for (size_t i = 0; i < e.list.n; i++) {
        if (!l->how->all && !e.list.v[i].blamed && e.list.v[i].rank == 2) {
            quiet += e.list.v[i].count;
            continue;
        }
        if (!told++)
            heading(l, "LOCKS AND QUEUES", lk_snapshot_count(l->snap, LK_KIND_LOCK), NULL);
        if (list_full(l, &e, i))
            break;
        lock_entry(l, &e.list.v[i]);
    }
    if (told && quiet)
        lk_terminal_line(l->p, 2, LK_INK_PLAIN,
                         lk_arena_printf(l->arena, "%s with no known holder and no waiter",
                                         lk_words_number(l->arena, (int64_t)quiet)));
    lk_free(e.list.v);
}

static void limits(const struct lists *l)
{
    if (!l->snap->limits.n)
        return;
    heading(l, "WHAT COULD NOT BE READ", l->snap->limits.n, NULL);
    for (size_t i = 0; i < l->snap->limits.n; i++) {
        const struct lk_limit *limit = &l->snap->limits.v[i];
        const char *more = l->how->verbose ? lk_sentence_limit(l->arena, l->snap, limit) : NULL;
        lk_terminal_par(l->p, 2, "-", 2, limit->text, 0);
        if (more)
            lk_terminal_par(l->p, 4, "", 2, more, 0);
    }
}

void lk_text_lists(struct lk_terminal *p, const struct lk_report *r, const struct lk_render *how)
{
    const struct lists l = { .p = p,
                             .arena = p->arena,
                             .snap = r->snap,
                             .how = how,
                             .view = lk_fold_create(p->arena, r, SIZE_MAX) };
    if (r->snap->threads.n)
        threads(&l);
    list(&l, "LOOPS", LK_KIND_LOOP, NULL, NULL, loop_entry);
    list(&l, "TASKS", LK_KIND_TASK, "identical await chains folded", task_rank, task_entry);
    list(&l, "EXECUTORS", LK_KIND_EXECUTOR, NULL, NULL, executor_entry);
    if (r->snap->locks.n)
        locks(&l);
    limits(&l);
}
