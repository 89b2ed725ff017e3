/*
 * Test cases as CI servers show them: one for each test that hangs, else one for the command that
 * was run, else one for each process. What a case says is told from its worst finding.
 */
#include "report/ci_cases.h"

#include <inttypes.h>
#include <string.h>

#include "report/sentences.h"
#include "report/test_name.h"

#define COMMAND_COLUMNS 160

#define OWN_GROUP "loopknot"

static struct lk_ci_case *case_named(struct lk_ci_cases *list, const struct lk_test *t)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->v[i].group, t->group) == 0 && strcmp(list->v[i].name, t->name) == 0)
            return &list->v[i];
    list->v[list->n] = (struct lk_ci_case){
        .group = t->group, .name = t->name, .told_by = t->told_by, .phase = t->phase
    };
    return &list->v[list->n++];
}

static void add_to_case(struct lk_arena *a, struct lk_ci_case *c, const struct lk_report *r,
                        size_t most)
{
    struct lk_report *room = (struct lk_report *)(uintptr_t)c->reports;
    if (!room)
        c->reports = room = lk_arena_array(a, most, sizeof *room);
    room[c->n++] = *r;
    c->verdict = LK_MAX(c->verdict, r->findings->verdict);
}

/* A case for all that was run: everything belongs to it, also beside cases of running tests. */
static struct lk_ci_cases whole_command(struct lk_arena *a, const struct lk_report *reports,
                                        size_t n, const struct lk_render *how)
{
    struct lk_ci_cases list = { .v = lk_arena_alloc(a, sizeof *list.v), .n = 1 };
    struct lk_test t = { .group = OWN_GROUP,
                         .name = lk_words_safe(a, how->test ? how->test : how->command) };
    const bool told = how->test != NULL;
    list.v[0] = (struct lk_ci_case){ .group = t.group,
                                     .name = t.name,
                                     .told_by = told ? "the caller" : NULL,
                                     .verdict = lk_sentence_worst(reports, n),
                                     .reports = reports,
                                     .n = n };
    return list;
}

/* Cases of the tests that hang; none when there is no trouble, or no test is known. */
static struct lk_ci_cases running_tests(struct lk_arena *a, const struct lk_report *reports,
                                        size_t n, bool ended)
{
    struct lk_ci_cases list = { .v = lk_arena_array(a, n, sizeof *list.v) };
    const enum lk_verdict worst = lk_sentence_worst(reports, n);
    /* Ended without trouble: whatever ran took too long. */
    const enum lk_verdict least =
        worst >= LK_VERDICT_UNKNOWN ? LK_MIN(worst, LK_STALLED) : LK_HEALTHY;
    for (size_t i = 0; i < n && (worst >= LK_VERDICT_UNKNOWN || ended); i++) {
        struct lk_test t;
        if (reports[i].findings->verdict >= least && lk_test_find(a, reports, n, i, &t))
            add_to_case(a, case_named(&list, &t), &reports[i], n);
    }
    if (list.n == 1) { /* one test: whatever was seen belongs to it */
        list.v[0].reports = reports;
        list.v[0].n = n;
        list.v[0].verdict = worst;
    }
    return list;
}

static struct lk_ci_cases each_process(struct lk_arena *a, const struct lk_report *reports,
                                       size_t n)
{
    struct lk_ci_cases list = { .v = lk_arena_array(a, n, sizeof *list.v), .n = n };
    for (size_t i = 0; i < n; i++) {
        struct lk_ci_case *c = &list.v[i];
        struct lk_test t = { 0 };
        if (!lk_test_own(a, reports[i].snap, &t)) {
            t.group = OWN_GROUP;
            t.name = lk_arena_printf(a, "pid %" PRId64 " %s", reports[i].snap->pid,
                                     lk_sentence_command(a, reports[i].snap, COMMAND_COLUMNS));
        }
        *c = (struct lk_ci_case){ .group = t.group,
                                  .name = t.name,
                                  .told_by = t.told_by,
                                  .phase = t.phase,
                                  .reports = &reports[i],
                                  .n = 1,
                                  .verdict = reports[i].findings->verdict };
    }
    return list;
}

struct lk_ci_cases lk_ci_cases(struct lk_arena *a, const struct lk_report *reports, size_t n,
                               const struct lk_render *how)
{
    struct lk_ci_cases list = { 0 };
    if (!how->command && !how->test)
        return each_process(a, reports, n);
    if (!how->test)
        list = running_tests(a, reports, n, how->ended);
    if (!list.n)
        list = whole_command(a, reports, n, how);
    for (size_t i = 0; i < list.n; i++) {
        list.v[i].ended = how->ended;
        list.v[i].elapsed_ms = how->elapsed_ms;
    }
    return list;
}

bool lk_ci_case_failed(const struct lk_ci_case *c)
{
    return c->verdict >= LK_STALLED || c->ended;
}

bool lk_ci_case_in_error(const struct lk_ci_case *c)
{
    return c->verdict == LK_VERDICT_UNKNOWN && !c->ended;
}

const char *lk_ci_ended(struct lk_arena *a, int64_t elapsed_ms)
{
    return elapsed_ms > 0 ? lk_arena_printf(a, "the command was ended after %s",
                                            lk_words_duration(a, elapsed_ms))
                          : "the command was ended";
}

const struct lk_finding *lk_ci_case_finding(const struct lk_ci_case *c)
{
    const struct lk_finding *worst = NULL;
    for (size_t i = 0; i < c->n; i++) {
        const struct lk_findings *f = c->reports[i].findings;
        if (f->list.n && (!worst || f->list.v[0].severity > worst->severity))
            worst = &f->list.v[0];
    }
    return worst;
}

const char *lk_ci_case_summary(struct lk_arena *a, const struct lk_ci_case *c)
{
    const struct lk_finding *f = lk_ci_case_finding(c);
    const char *ended = c->ended ? lk_arena_printf(a, "%s: ", lk_ci_ended(a, c->elapsed_ms)) : "";
    for (size_t i = 0; i < c->n && c->verdict == LK_VERDICT_UNKNOWN; i++)
        if (c->reports[i].findings->verdict == LK_VERDICT_UNKNOWN)
            return lk_arena_printf(a, "%spid %" PRId64 " could not be judged: %s", ended,
                                   c->reports[i].snap->pid,
                                   lk_words_safe(a, lk_sentence_why_unknown(a, &c->reports[i])));
    if (c->verdict < LK_VERDICT_UNKNOWN && c->ended)
        return lk_arena_printf(a, "%snothing in it is known to hang", ended);
    if (f && f->summary && f->alone) /* where, not why: it was ended for that */
        return lk_arena_printf(a, "%s%s", ended, lk_words_safe(a, f->summary));
    if (f && f->summary)
        return lk_arena_printf(a, "%s%s",
                               c->phase ? lk_arena_printf(a, "in its %s: ", c->phase) : "",
                               lk_words_safe(a, f->summary));
    return lk_arena_printf(a, "%s%s", ended,
                           c->n ? lk_verdict_name(c->verdict) : "no process was examined");
}
