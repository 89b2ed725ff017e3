/*
 * Which processes of a set are one group, and the role of each: by its supervisor's name, by the
 * command lines of CPython's multiprocessing, or by having its parent's very command line.
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

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_command(const struct lk_snapshot *a, const struct lk_snapshot *b)
{
    if (!same_text(a->exe, b->exe) || !same_text(a->comm, b->comm) || a->n_cmdline != b->n_cmdline)
        return false;
    for (size_t i = 0; i < a->n_cmdline; i++)
        if (!same_text(a->cmdline[i], b->cmdline[i]))
            return false;
    return true;
}

const char *lk_process_groups_role(const struct lk_report *reports, size_t n, size_t i)
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
        !same_text(a->verdict_why, b->verdict_why))
        return false;
    for (size_t i = 0; i < a->list.n; i++)
        if (strcmp(a->list.v[i].fingerprint, b->list.v[i].fingerprint) != 0)
            return false;
    return true;
}

struct lk_process_groups
lk_process_groups_create(struct lk_arena *a, const struct lk_report *reports, size_t n, bool apart)
{
    struct lk_process_groups set = { .groups = lk_arena_array(a, n, sizeof *set.groups) };
    for (size_t k = 0; k < n * (LK_DEADLOCK + 1); k++) {
        const size_t i = k % n; /* worst first, and then in the order in which they were examined */
        if (reports[i].findings->verdict != (enum lk_verdict)(LK_DEADLOCK - k / n))
            continue;
        const char *role = lk_process_groups_role(reports, n, i);
        size_t g = apart ? set.n_groups : 0;
        for (; g < set.n_groups; g++) {
            const struct lk_report *example = &reports[set.groups[g].members[0]];
            if (same_findings(example->findings, reports[i].findings) &&
                same_text(set.groups[g].role, role) && same_command(example->snap, reports[i].snap))
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
