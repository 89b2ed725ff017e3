/*
 * A process is in both sides when host, boot, pid and start are the same; then threads are compared
 * by their ids and stacks. Findings are compared by rule and fingerprint, which leave out what two
 * runs or machines differ in.
 */
#include "report/compare.h"

#include <string.h>

#include "report/enum_names.h"
#include "util/map.h"
#include "util/text.h"

/* ---- findings -------------------------------------------------------------------------------- */

static bool same_finding(const struct lk_finding *a, const struct lk_finding *b)
{
    return lk_same_text(a->rule ? a->rule->id : NULL, b->rule ? b->rule->id : NULL) &&
           strcmp(a->fingerprint, b->fingerprint) == 0;
}

/* The worst of a side that is the same; findings of a report are sorted. */
static const struct lk_finding *find(struct lk_side s, const struct lk_finding *f)
{
    const struct lk_finding *worst = NULL;
    for (size_t i = 0; i < s.n; i++)
        for (size_t k = 0; k < s.v[i].findings->list.n; k++) {
            const struct lk_finding *g = &s.v[i].findings->list.v[k];
            if (same_finding(f, g) && (!worst || g->severity > worst->severity))
                worst = g;
        }
    return worst;
}

/* Each once, of whatever number of processes have it. */
static void add_findings(struct lk_comparison *c, struct lk_side of, struct lk_side other,
                         bool later)
{
    for (size_t i = 0; i < of.n; i++)
        for (size_t k = 0; k < of.v[i].findings->list.n; k++) {
            const struct lk_finding *f = &of.v[i].findings->list.v[k], *g = find(other, f);
            if (find(of, f) != f || (g && !later))
                continue;
            c->findings[c->n_findings++] = (struct lk_change_of_finding){
                .change = g       ? LK_CHANGE_STILL
                          : later ? LK_CHANGE_NEW
                                  : LK_CHANGE_GONE,
                .report = &of.v[i],
                .told = f,
                .before = later ? g : f,
                .after = later ? f : NULL,
            };
            c->same &= g && g->severity == f->severity;
        }
}

/* ---- threads --------------------------------------------------------------------------------- */

static bool same_process(const struct lk_snapshot *a, const struct lk_snapshot *b)
{
    return a->pid == b->pid && a->start_time && lk_same_text(a->start_time, b->start_time) &&
           lk_same_text(a->host, b->host) && lk_same_text(a->boot_id, b->boot_id);
}

static bool same_code(const struct lk_code *a, const struct lk_code *b)
{
    return a && b && lk_same_text(a->qualname, b->qualname) && lk_same_text(a->file, b->file);
}

static bool same_python(const struct lk_pystack *a, const struct lk_pystack *b)
{
    if (a->n != b->n)
        return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (a->frames[i].line != b->frames[i].line ||
            !same_code(a->frames[i].code, b->frames[i].code))
            return false;
    return true;
}

static bool same_native(const struct lk_natstack *a, const struct lk_natstack *b)
{
    if (!a || !b || a->n != b->n)
        return a == b;
    for (uint32_t i = 0; i < a->n; i++)
        if (a->frames[i].offset != b->frames[i].offset ||
            !lk_same_text(a->frames[i].module, b->frames[i].module))
            return false;
    return true;
}

static bool same_place(const struct lk_thread *a, const struct lk_thread *b)
{
    if (a->python_stack->n || b->python_stack->n)
        return same_python(a->python_stack, b->python_stack);
    return same_native(a->native_stack, b->native_stack);
}

static bool is_idle(const struct lk_thread *t)
{
    return lk_words_is_idle(lk_words_thread_state(t, false));
}

/* A thread that is at its old place but stands there for a shorter time than before has been away.
 */
static enum lk_motion motion_of(const struct lk_thread *a, const struct lk_thread *b)
{
    if (is_idle(a) && is_idle(b))
        return LK_MOTION_IDLE;
    if (!same_place(a, b))
        return LK_MOTION_MOVED;
    const bool away = b->moved || b->running ||
                      (a->stuck_ms != LK_UNKNOWN && b->stuck_ms != LK_UNKNOWN &&
                       a->stuck_by_scheduler == b->stuck_by_scheduler && b->stuck_ms < a->stuck_ms);
    return away ? LK_MOTION_BACK : LK_MOTION_STUCK;
}

static void add_motion(struct lk_comparison *c, const struct lk_report *r, enum lk_motion motion,
                       const struct lk_thread *before, const struct lk_thread *after)
{
    c->threads[c->n_threads++] = (struct lk_motion_of_thread){
        .motion = motion,
        .report = r,
        .told = after ? after : before,
        .before = before,
        .after = after,
    };
}

static void add_threads(struct lk_comparison *c, const struct lk_report *before,
                        const struct lk_report *after)
{
    const struct lk_snapshot *a = before->snap, *b = after->snap;
    struct lk_map was = { 0 }, is = { 0 };
    uint64_t at;
    for (size_t i = 0; i < a->threads.n; i++)
        lk_map_put(&was, (uint64_t)a->threads.v[i].tid, i);
    for (size_t i = 0; i < b->threads.n; i++) {
        const struct lk_thread *t = &b->threads.v[i], *old = NULL;
        lk_map_put(&is, (uint64_t)t->tid, i);
        if (lk_map_get(&was, (uint64_t)t->tid, &at))
            old = &a->threads.v[at];
        add_motion(c, after, old ? motion_of(old, t) : LK_MOTION_NEW, old, t);
    }
    for (size_t i = 0; i < a->threads.n; i++)
        if (!lk_map_get(&is, (uint64_t)a->threads.v[i].tid, &at))
            add_motion(c, before, LK_MOTION_GONE, &a->threads.v[i], NULL);
    lk_map_deinit(&was);
    lk_map_deinit(&is);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static enum lk_verdict worst(struct lk_side s)
{
    enum lk_verdict v = s.n ? LK_HEALTHY : LK_VERDICT_UNKNOWN;
    for (size_t i = 0; i < s.n; i++)
        v = LK_MAX(v, s.v[i].findings->verdict);
    return v;
}

/* What may be told at the most: each finding and each thread of both sides once. */
static void make_room(struct lk_comparison *c, struct lk_arena *arena)
{
    const struct lk_side sides[] = { c->a, c->b };
    size_t findings = 0, threads = 0;
    for (size_t s = 0; s < LK_ARRAY_LEN(sides); s++)
        for (size_t i = 0; i < sides[s].n; i++) {
            findings += sides[s].v[i].findings->list.n;
            threads += sides[s].v[i].snap->threads.n;
        }
    c->findings = lk_arena_array(arena, findings, sizeof *c->findings);
    c->threads = lk_arena_array(arena, threads, sizeof *c->threads);
}

/* A set from a file may hold one process twice: a report of either side is compared once. */
static void add_processes(struct lk_comparison *c, struct lk_arena *arena)
{
    bool *compared = lk_arena_array(arena, c->a.n, sizeof *compared);
    for (size_t i = 0; i < c->b.n; i++)
        for (size_t k = 0; k < c->a.n; k++) {
            if (compared[k] || !same_process(c->a.v[k].snap, c->b.v[i].snap))
                continue;
            add_threads(c, &c->a.v[k], &c->b.v[i]);
            compared[k] = true;
            c->in_both++;
            break;
        }
}

struct lk_comparison lk_compare(struct lk_arena *arena, struct lk_side before, struct lk_side after)
{
    struct lk_comparison c = {
        .a = before, .b = after, .verdict_a = worst(before), .verdict_b = worst(after)
    };
    c.same = c.verdict_a == c.verdict_b;
    make_room(&c, arena);
    add_findings(&c, after, before, true);
    add_findings(&c, before, after, false);
    add_processes(&c, arena);
    return c;
}
