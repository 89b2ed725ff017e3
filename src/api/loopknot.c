/* libloopknot: the functions of loopknot.h, each a few lines around a room below. */
#include "loopknot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/options.h"
#include "diagnose/rules/rule_search.h"
#include "diagnose/rules/rule_table.h"
#include "diagnose/rules/rule_texts.h"
#include "examine/cross_process.h"
#include "examine/examine.h"
#include "examine/process_set.h"
#include "process/linux/process_facts.h"
#include "process/linux/process_tree.h"
#include "report/rule_pages.h"
#include "util/vec.h"
#include "util/version.h"

#define LK_EXPORT __attribute__((visibility("default")))

struct loopknot_diagnosis {
    struct lk_report *v;
    size_t n, cap;
};

_Static_assert((int)LOOPKNOT_DEADLOCK == (int)LK_DEADLOCK &&
                   (int)LOOPKNOT_STALLED == (int)LK_STALLED &&
                   (int)LOOPKNOT_UNKNOWN == (int)LK_VERDICT_UNKNOWN &&
                   (int)LOOPKNOT_HAZARD == (int)LK_HAZARD,
               "public and inner verdicts are the same numbers");
LK_EXPORT struct loopknot_diagnosis *loopknot_create(void)
{
    return lk_xcalloc(1, sizeof(struct loopknot_diagnosis));
}

LK_EXPORT void loopknot_destroy(struct loopknot_diagnosis *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n; i++)
        lk_report_deinit(&d->v[i]);
    lk_free(d->v);
    lk_free(d);
}

static int status_of(const struct lk_error *err)
{
    return err->code == LK_ERR_USAGE ? LOOPKNOT_USAGE : LOOPKNOT_NO_REPORT;
}

LK_EXPORT int loopknot_examine(struct loopknot_diagnosis *d, pid_t pid,
                               const struct loopknot_options *o, char *message, size_t size)
{
    struct lk_examine_options inner;
    struct lk_error err = { 0 };
    struct lk_report r;
    if (lk_api_options(o, &inner, &err) && lk_examine_live(pid, &inner, &r, &err)) {
        lk_vec_add(d, r);
        return LOOPKNOT_OK;
    }
    if (message && size)
        snprintf(message, size, "%s", err.text);
    return status_of(&err);
}

LK_EXPORT size_t loopknot_tree(pid_t root, pid_t *pids, size_t max)
{
    return lk_tree_list(root, pids, max);
}

LK_EXPORT int loopknot_examine_all(struct loopknot_diagnosis *d, const pid_t *pids, size_t n,
                                   const struct loopknot_options *o, unsigned deadline_ms,
                                   void (*complain)(pid_t pid, bool gone, const char *message,
                                                    void *arg),
                                   void *arg)
{
    struct lk_examine_options inner;
    struct lk_error err = { 0 };
    if (!lk_api_options(o, &inner, &err)) {
        if (complain)
            complain(0, false, err.text, arg);
        return status_of(&err);
    }
    struct lk_joint_result *results = lk_xcalloc(n, sizeof *results);
    const size_t before = d->n;
    inner.together = pids;
    inner.n_together = n;
    inner.listed_ticks = lk_process_ticks_now();
    lk_examine_together(pids, n, &inner, deadline_ms, results);
    for (size_t i = 0; i < n; i++)
        if (results[i].ok)
            lk_vec_add(d, results[i].report);
        else if (complain)
            complain(pids[i], results[i].err.code == LK_ERR_NO_PROCESS, results[i].err.text, arg);
    lk_free(results);
    lk_examine_link(d->v + before, d->n - before);
    return d->n > before ? LOOPKNOT_OK : LOOPKNOT_NO_REPORT;
}

LK_EXPORT size_t loopknot_count(const struct loopknot_diagnosis *d)
{
    return d->n;
}

LK_EXPORT enum loopknot_verdict loopknot_verdict_of(const struct loopknot_diagnosis *d,
                                                    size_t index)
{
    return index < d->n ? (enum loopknot_verdict)d->v[index].findings->verdict : LOOPKNOT_UNKNOWN;
}

LK_EXPORT size_t loopknot_finding_count(const struct loopknot_diagnosis *d, size_t index)
{
    return index < d->n ? d->v[index].findings->list.n : 0;
}

static long long known(int64_t n)
{
    return n == LK_UNKNOWN ? -1 : n;
}

static struct loopknot_finding public_finding(const struct lk_finding *f)
{
    const struct lk_culprit none = { 0 }, *c = f->culprits.n ? &f->culprits.v[0] : &none;
    return (struct loopknot_finding){
        .rule = f->rule ? f->rule->id : NULL,
        .name = f->rule ? f->rule->name : NULL,
        .severity = (enum loopknot_verdict)f->severity,
        .confidence = lk_confidence_name(f->confidence),
        .summary = f->summary,
        .fingerprint = f->fingerprint,
        .function = c->function,
        .file = c->file,
        .line = c->line,
        .stuck_ms = known(f->stuck_ms),
        .held_requests = known(f->held_requests),
        .held_tasks = known(f->held_tasks),
    };
}

/* A newer program's struct may be larger than ours: what we do not know of it becomes 0. */
LK_EXPORT bool loopknot_finding(const struct loopknot_diagnosis *d, size_t index, size_t finding,
                                struct loopknot_finding *ret)
{
    const size_t size = ret->size;
    if (finding >= loopknot_finding_count(d, index) || size < sizeof ret->size)
        return false;
    struct loopknot_finding f = public_finding(&d->v[index].findings->list.v[finding]);
    f.size = size;
    memset(ret, 0, size);
    memcpy(ret, &f, LK_MIN(size, sizeof f));
    return true;
}

LK_EXPORT enum loopknot_verdict loopknot_verdict(const struct loopknot_diagnosis *d)
{
    enum loopknot_verdict worst = d->n ? LOOPKNOT_HEALTHY : LOOPKNOT_UNKNOWN;
    for (size_t i = 0; i < d->n; i++)
        worst = LK_MAX(worst, loopknot_verdict_of(d, i));
    return worst;
}

LK_EXPORT const char *loopknot_verdict_name(enum loopknot_verdict v)
{
    return lk_verdict_name((enum lk_verdict)v);
}

LK_EXPORT int loopknot_write(const struct loopknot_diagnosis *d, const char *format,
                             const struct loopknot_render *how, FILE *out)
{
    const struct lk_format *f = lk_format_by_name(format);
    struct loopknot_render known;
    if (!f || !lk_api_render(how, &known))
        return LOOPKNOT_USAGE;
    const struct lk_render inner = {
        .color = known.color,
        .width = known.width,
        .all = known.all,
        .native = known.native,
        .verbose = known.verbose,
        .command = known.command,
        .test = known.test,
        .elapsed_ms = known.elapsed_ms,
        .ended = known.ended,
    };
    errno = 0;
    bool ok = f->write(d->v, d->n, known.set, &inner, out);
    return ok && fflush(out) == 0 ? LOOPKNOT_OK : LOOPKNOT_WRITE_ERROR;
}

LK_EXPORT const char *loopknot_format(size_t index, const char **help)
{
    if (index >= lk_n_formats)
        return NULL;
    if (help)
        *help = lk_formats[index].help;
    return lk_formats[index].name;
}

LK_EXPORT const char *loopknot_rule(size_t index, const char **name, const char **ceiling,
                                    const char **means, const char **remedy,
                                    const char *const **docs)
{
    if (index >= lk_n_rules)
        return NULL;
    const struct lk_rule *r = &lk_rules[index];
    if (name)
        *name = r->name;
    if (ceiling)
        *ceiling = lk_verdict_name(r->ceiling);
    if (means)
        *means = r->means;
    if (remedy)
        *remedy = r->remedy;
    if (docs)
        *docs = r->docs;
    return r->id;
}

LK_EXPORT const char *loopknot_rule_find(const char *word, const char **nearest,
                                         const char **nearest_name)
{
    const struct lk_rule *r = lk_rule_by_word(word);
    if (r)
        return r->id;
    r = lk_rule_nearest(word);
    if (nearest)
        *nearest = r->id;
    if (nearest_name)
        *nearest_name = r->name;
    return NULL;
}

static bool plain_render(const struct loopknot_render *how, struct lk_render *ret)
{
    struct loopknot_render known;
    if (!lk_api_render(how, &known))
        return false;
    *ret = (struct lk_render){ .color = known.color, .width = known.width };
    return true;
}

LK_EXPORT int loopknot_write_rules(const char *format, const struct loopknot_render *how, FILE *out)
{
    struct lk_render inner;
    errno = 0;
    return plain_render(how, &inner) ? lk_rules_write(format, &inner, out) : LOOPKNOT_USAGE;
}

LK_EXPORT int loopknot_write_explanations(const char *const *words, size_t n, const char *format,
                                          const struct loopknot_render *how, FILE *out)
{
    struct lk_render inner;
    errno = 0;
    return plain_render(how, &inner) ? lk_explanations_write(words, n, format, &inner, out)
                                     : LOOPKNOT_USAGE;
}

LK_EXPORT const char *loopknot_version(void)
{
    return lk_tool_version();
}
