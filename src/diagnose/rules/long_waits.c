/*
 * Long waits of one kind told together, for the rules LK406 and LK405: threads, or tasks, that
 * wait at one place for one thing are one finding.
 */
#include "diagnose/rules/long_waits.h"

#include <string.h>

#include "diagnose/rules/finding.h"
#include "diagnose/rules/rule_words.h"

enum { MAX_GROUP = 4096 }; /* waits told together */

const char *lk_wait_group_who(const struct lk_rule_context *c, const struct lk_wait_group *g)
{
    return g->n == 1 ? lk_name(c, g->who[0])
                     : lk_print(c, "%zu %s (%s and %zu more)", g->n,
                                g->who[0].kind == LK_KIND_TASK ? "tasks" : "threads",
                                lk_name(c, g->who[0]), g->n - 1);
}

void lk_wait_group_add(struct lk_rule_context *c, struct lk_finding *f,
                       const struct lk_wait_group *g)
{
    for (size_t i = 0; i < g->n; i++) {
        const struct lk_thread *t = lk_thread_at(c->snap, g->who[i]);
        lk_finding_part(c, f, g->who[i], t != NULL);
        if (t && t->read == LK_READ_RACY && !((t->wait.traits & LK_WAIT_POLLS) && t->stable))
            lk_finding_doubt(f, LK_POSSIBLE);
    }
}

void lk_wait_group_explain(struct lk_rule_context *c, const struct lk_wait_group *g)
{
    lk_explain_all(c, g->lasts, g->n);
    lk_explain_all(c, g->who, g->n);
}

static bool is_listed(const struct lk_ref *list, size_t n, struct lk_ref r)
{
    for (size_t i = 0; i < n; i++)
        if (lk_ref_eq(list[i], r))
            return true;
    return false;
}

static bool is_explained(const struct lk_rule_context *c, struct lk_ref r)
{
    return r.kind == LK_KIND_TASK ? c->explained_tasks[r.index] : c->explained[r.index];
}

static bool same_wait(const struct lk_long_wait *a, const struct lk_long_wait *b)
{
    bool place =
        a->place == b->place || (a->place && b->place && a->place->code == b->place->code &&
                                 a->place->line == b->place->line);
    return place && (a->end == b->end || (a->end && b->end && strcmp(a->end, b->end) == 0));
}

static bool belongs(const struct lk_rule_context *c, const struct lk_long_wait *first,
                    const struct lk_long_wait *w)
{
    return !w->told && !is_explained(c, w->who) && w->who.kind == first->who.kind &&
           same_wait(first, w);
}

/* The waits like the first; several that wait for one party are one wait. */
void lk_wait_group_collect(const struct lk_rule_context *c, struct lk_long_wait *w, size_t n,
                           size_t first, struct lk_wait_group *g)
{
    size_t most = 0;
    for (size_t i = first; i < n; i++)
        most += belongs(c, &w[first], &w[i]);
    most = LK_MIN(most, (size_t)MAX_GROUP);
    g->n = 0;
    g->who = lk_arena_array(c->out->arena, most, sizeof *g->who);
    g->lasts = lk_arena_array(c->out->arena, most, sizeof *g->lasts);
    for (size_t i = first; i < n; i++) {
        if (!belongs(c, &w[first], &w[i]))
            continue;
        w[i].told = true;
        if (g->n == most || is_listed(g->lasts, g->n, w[i].last))
            continue;
        g->lasts[g->n] = w[i].last;
        g->who[g->n++] = w[i].who;
    }
}

/* Awake at each look, and back at the same place of the same call. */
static bool polls_there(const struct lk_rule_context *c, struct lk_ref r)
{
    const struct lk_thread *t = lk_thread_at(c->snap, r);
    return t && (t->wait.traits & LK_WAIT_POLLS) && t->stable;
}

bool lk_trust_what_stays(const struct lk_rule_context *c, struct lk_edge *e, size_t n)
{
    const bool again = c->snap->watched_ms >= LK_TWO_SAMPLES_MS;
    bool only_alike = false;
    for (size_t i = 0; i < n; i++) {
        const struct lk_task *k = lk_task_at(c->snap, e[i].from);
        const struct lk_future *f = lk_future_at(c->snap, e[i].from);
        const struct lk_lock *l = lk_lock_at(c->snap, e[i].from);
        const bool confirmed = (k && k->confirmed) || (f && f->confirmed),
                   stays = again && ((k && k->stable) || (f && f->stable) || (l && l->stable) ||
                                     polls_there(c, e[i].from) || polls_there(c, e[i].to));
        if (e[i].read != LK_READ_RACY || (!confirmed && !stays))
            continue;
        e[i].read = LK_READ_ASLEEP;
        only_alike |= !confirmed;
    }
    return only_alike;
}
