/*
 * Which processes of a set are one group, in which order they are told, and the role of each: by
 * its supervisor's name, by the command lines of CPython's multiprocessing, or by having its
 * parent's very command line.
 */
#include "report/process_groups.h"

#include <inttypes.h>
#include <string.h>

#include "util/text.h"

/* Programs of CPython's multiprocessing, by what its command lines hold
 * (Lib/multiprocessing/{spawn,forkserver,resource_tracker}.py). */
static const struct {
    const char *word, *role;
} helpers[] = {
    { "multiprocessing.resource_tracker", "multiprocessing resource tracker" },
    { "multiprocessing.semaphore_tracker", "multiprocessing semaphore tracker" },
    { "multiprocessing.forkserver", "multiprocessing fork server" },
    { "multiprocessing.spawn", "multiprocessing worker" },
};

static const char *role_of_helper(const struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->n_cmdline; i++)
        for (size_t k = 0; s->cmdline[i] && k < LK_ARRAY_LEN(helpers); k++)
            if (strstr(s->cmdline[i], helpers[k].word))
                return helpers[k].role;
    return NULL;
}

static const struct lk_snapshot *parent_of(const struct lk_report *reports, size_t n,
                                           const struct lk_snapshot *s)
{
    for (size_t i = 0; i < n; i++)
        if (reports[i].snap->pid == s->ppid)
            return reports[i].snap;
    return NULL;
}

static bool same_command(const struct lk_snapshot *a, const struct lk_snapshot *b)
{
    if (!lk_same_text(a->exe, b->exe) || !lk_same_text(a->comm, b->comm) ||
        a->n_cmdline != b->n_cmdline)
        return false;
    for (size_t i = 0; i < a->n_cmdline; i++)
        if (!lk_same_text(a->cmdline[i], b->cmdline[i]))
            return false;
    return true;
}

/* What reports[i] is to the others: "gunicorn master", "gunicorn worker", "multiprocessing worker",
 * "forked child"; NULL. */
static const char *role_of(const struct lk_report *reports, size_t n, size_t i)
{
    const struct lk_snapshot *s = reports[i].snap, *parent = parent_of(reports, n, s);
    if (s->supervisor)
        return s->supervisor->name;
    const char *role = role_of_helper(s);
    if (!role && parent && parent->supervisor)
        role = parent->supervisor->child;
    if (!role && parent && same_command(s, parent))
        role = "forked child";
    return role;
}

/* Equal reasons: the same findings in the same order, as fingerprints tell. */
static bool same_findings(const struct lk_findings *a, const struct lk_findings *b)
{
    if (a->verdict != b->verdict || a->list.n != b->list.n ||
        !lk_same_text(a->verdict_why, b->verdict_why))
        return false;
    for (size_t i = 0; i < a->list.n; i++)
        if (strcmp(a->list.v[i].fingerprint, b->list.v[i].fingerprint) != 0)
            return false;
    return true;
}

/* ---- causes before victims ---- */

static bool waits_for(const struct lk_snapshot *s, int64_t pid)
{
    for (size_t i = 0; i < s->cross_waits.n; i++)
        if (s->cross_waits.v[i].pid == pid && pid != s->pid)
            return true;
    return false;
}

/* What is wrong with one of them may be the cause of what is wrong with the other. */
static bool is_victim_of(const struct lk_report *reports, size_t i, size_t j)
{
    return i != j && reports[j].findings->verdict > LK_HEALTHY &&
           waits_for(reports[i].snap, reports[j].snap->pid);
}

/* Raises each cause to the verdict of what waits for it. */
static void raise_causes(const struct lk_report *reports, size_t n, enum lk_verdict *rank)
{
    bool changed = true;
    for (size_t round = 0; round < n && changed; round++) {
        changed = false;
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; reports[i].snap->cross_waits.n && j < n; j++)
                if (rank[j] < rank[i] && is_victim_of(reports, i, j)) {
                    rank[j] = rank[i];
                    changed = true;
                }
    }
}

/* Whether something that i waits for, and that does not wait for i, is still to be told. */
static bool has_cause_left(const struct lk_report *reports, size_t n, size_t i, const bool *told,
                           const enum lk_verdict *rank)
{
    for (size_t j = 0; reports[i].snap->cross_waits.n && j < n; j++)
        if (!told[j] && rank[j] == rank[i] && is_victim_of(reports, i, j) &&
            !is_victim_of(reports, j, i))
            return true;
    return false;
}

/* The next to be told: of the worst rank, causes before victims, in the order in which they were
 * examined; a longer ring in that order too. */
static size_t next_process(const struct lk_report *reports, size_t n, const bool *told,
                           const enum lk_verdict *rank)
{
    size_t first = n;
    for (int v = LK_DEADLOCK; v >= LK_HEALTHY && first == n; v--)
        for (size_t i = 0; i < n; i++) {
            if (told[i] || rank[i] != (enum lk_verdict)v)
                continue;
            if (!has_cause_left(reports, n, i, told, rank))
                return i;
            first = LK_MIN(first, i);
        }
    return first;
}

size_t *lk_process_order(struct lk_arena *a, const struct lk_report *reports, size_t n)
{
    enum lk_verdict *rank = lk_arena_array(a, n, sizeof *rank); /* of no one: all alike */
    bool *told = lk_arena_array(a, n, sizeof *told);
    size_t *ret = lk_arena_array(a, n, sizeof *ret);
    for (size_t i = 0; i < n; i++)
        rank[i] = LK_HEALTHY;
    for (size_t k = 0; k < n; k++) {
        ret[k] = next_process(reports, n, told, rank);
        told[ret[k]] = true;
    }
    return ret;
}

struct lk_process_groups
lk_process_groups_create(struct lk_arena *a, const struct lk_report *reports, size_t n, bool apart)
{
    struct lk_process_groups set = { .groups = lk_arena_array(a, n, sizeof *set.groups) };
    enum lk_verdict *rank = lk_arena_array(a, n, sizeof *rank);
    bool *told = lk_arena_array(a, n, sizeof *told);
    for (size_t i = 0; i < n; i++)
        rank[i] = reports[i].findings->verdict;
    raise_causes(reports, n, rank);
    for (size_t k = 0; k < n; k++) {
        const size_t i = next_process(reports, n, told, rank);
        told[i] = true;
        const char *role = role_of(reports, n, i);
        size_t g = apart ? set.n_groups : 0;
        for (; g < set.n_groups; g++) {
            const struct lk_report *example = &reports[set.groups[g].members[0]];
            if (same_findings(example->findings, reports[i].findings) &&
                lk_same_text(set.groups[g].role, role) &&
                same_command(example->snap, reports[i].snap))
                break;
        }
        struct lk_process_groups_group *group = &set.groups[g];
        if (g == set.n_groups) {
            *group = (struct lk_process_groups_group){
                .role = role, .members = lk_arena_array(a, n, sizeof *group->members)
            };
            set.n_groups++;
        }
        group->members[group->n++] = i;
    }
    return set;
}

const char *lk_process_groups_pids(struct lk_arena *a, const struct lk_report *reports,
                                   const struct lk_process_groups_group *g, size_t most)
{
    struct lk_strbuf b = { 0 };
    const size_t shown = g->n > most ? most : g->n;
    lk_strbuf_puts(&b, "pid ");
    for (size_t i = 0; i < shown; i++)
        lk_strbuf_printf(&b, "%s%" PRId64,
                         !i              ? ""
                         : i + 1 == g->n ? " and "
                                         : ", ",
                         reports[g->members[i]].snap->pid);
    if (shown < g->n)
        lk_strbuf_printf(&b, " and %zu more", g->n - shown);
    const char *ret = lk_arena_strdup(a, b.s);
    lk_strbuf_deinit(&b);
    return ret;
}
