/*
 * One run of the rules over one snapshot: builds the graph, has each rule looked for in its order,
 * sorts what they found and gives the verdict. Pure: no clock, no input or output.
 */
#include "diagnose/rules/rules.h"

#include <stdlib.h>
#include <string.h>

#include "diagnose/rules/cycle_search.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/requests.h"
#include "diagnose/rules/rule_table.h"
#include "diagnose/rules/rule_words.h"
#include "diagnose/rules/why_unknown.h"
#include "snapshot/builder.h"

static int64_t weight(const struct lk_finding *f)
{
    return f->held_requests * 1000000 + f->held_tasks;
}

/* Worst first; then the surer, the more that waits behind it, the rule's number. */
static int compare_findings(const void *a, const void *b)
{
    const struct lk_finding *x = a, *y = b;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    if (x->confidence != y->confidence)
        return x->confidence > y->confidence ? -1 : 1;
    if (weight(x) != weight(y))
        return weight(x) > weight(y) ? -1 : 1;
    if (x->rule != y->rule)
        return x->rule < y->rule ? -1 : 1;
    uint32_t i = x->threads.n ? x->threads.v[0].index : UINT32_MAX,
             k = y->threads.n ? y->threads.v[0].index : UINT32_MAX;
    return i < k ? -1 : i > k ? 1 : strcmp(x->fingerprint, y->fingerprint);
}

struct lk_findings *lk_diagnose(struct lk_snapshot *s)
{
    struct lk_findings *f = lk_xcalloc(1, sizeof *f);
    f->arena = lk_arena_create();
    struct lk_rule_context c = {
        .snap = s, .graph = lk_graph_build(s), .out = f, .rules = lk_rules
    };
    c.explained = lk_xcalloc(s->threads.n, sizeof *c.explained);
    c.explained_tasks = lk_xcalloc(s->tasks.n, sizeof *c.explained_tasks);
    c.serves = lk_xcalloc(c.graph->n_nodes, sizeof *c.serves);
    c.mark = lk_xcalloc(c.graph->n_nodes, sizeof *c.mark);
    c.halted = lk_is_halted(s);
    lk_follow_requests(&c);
    for (size_t i = 0; i < lk_n_rules; i++)
        lk_rules[lk_rule_order[i]].find(&c);
    const char *why = lk_why_unknown(&c);
    if (f->list.n)
        qsort(f->list.v, f->list.n, sizeof *f->list.v, compare_findings);
    f->verdict = f->list.n ? f->list.v[0].severity : LK_HEALTHY;
    if (why && f->verdict < LK_VERDICT_UNKNOWN) {
        f->verdict = LK_VERDICT_UNKNOWN;
        f->verdict_why = lk_capitalized(&c, why);
    }
    /* Names of limits and of the runtime live in the snapshot; what findings say lives in their own
     * arena. */
    if (f->verdict_why)
        f->verdict_why = lk_arena_strdup(f->arena, f->verdict_why);
    lk_wait_cycles_destroy(c.cycles);
    lk_free(c.explained);
    lk_free(c.explained_tasks);
    lk_free(c.serves);
    lk_free(c.mark);
    lk_graph_destroy(c.graph);
    return f;
}

struct lk_findings *lk_findings_none(const char *why)
{
    struct lk_findings *f = lk_xcalloc(1, sizeof *f);
    f->arena = lk_arena_create();
    f->verdict = LK_VERDICT_UNKNOWN;
    f->verdict_why = lk_arena_strdup(f->arena, why);
    return f;
}

static void add_party(struct lk_snapshot *s, struct lk_refs *list, struct lk_ref r)
{
    enum { MAX_PARTIES = 64 };
    if (list->n < MAX_PARTIES && lk_stack_of(s, r))
        lk_refs_add(s, list, r);
}

static void add_parties(struct lk_snapshot *s, struct lk_refs *list, const struct lk_refs *of)
{
    for (uint32_t i = 0; i < of->n; i++)
        add_party(s, list, of->v[i]);
}

void lk_findings_parties(const struct lk_findings *f, struct lk_snapshot *s, struct lk_refs *ret)
{
    for (size_t i = 0; i < f->list.n; i++)
        for (size_t e = 0; e < f->list.v[i].chain.n; e++) {
            add_party(s, ret, f->list.v[i].chain.v[e].from);
            add_party(s, ret, f->list.v[i].chain.v[e].to);
        }
    for (size_t i = 0; i < f->list.n; i++) {
        add_parties(s, ret, &f->list.v[i].threads);
        add_parties(s, ret, &f->list.v[i].tasks);
    }
}

void lk_findings_destroy(struct lk_findings *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->list.n; i++)
        lk_finding_drop(&f->list.v[i]);
    lk_free(f->list.v);
    lk_free(f->ruled_out.v);
    lk_free(f->look_again.threads.v);
    lk_arena_destroy(f->arena);
    lk_free(f);
}

const char *lk_verdict_name(enum lk_verdict v)
{
    static const char *const names[] = {
        [LK_HEALTHY] = "healthy", [LK_HAZARD] = "hazard",     [LK_VERDICT_UNKNOWN] = "unknown",
        [LK_STALLED] = "stalled", [LK_DEADLOCK] = "deadlock",
    };
    return (size_t)v < LK_ARRAY_LEN(names) ? names[v] : "unknown";
}

const char *lk_confidence_name(enum lk_confidence c)
{
    static const char *const names[] = {
        [LK_POSSIBLE] = "possible", [LK_PROBABLE] = "probable", [LK_PROVEN] = "proven"
    };
    return (size_t)c < LK_ARRAY_LEN(names) ? names[c] : "possible";
}
