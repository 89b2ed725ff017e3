/*
 * GitLab's code quality report: a list of issues with the fields that GitLab reads (description,
 * check_name, fingerprint, severity, location), paths relative to the folder of the process.
 */
#include "report/formats.h"

#include <inttypes.h>
#include <string.h>

#include "report/ci_issues.h"
#include "report/json_values.h"
#include "report/paths.h"
#include "report/sentences.h"
#include "util/map.h"

/* A severity of GitLab for each of ours. */
static const char *severity_of(const struct lk_finding *f)
{
    static const char *const names[] = { [LK_HAZARD] = "minor",
                                         [LK_VERDICT_UNKNOWN] = "info",
                                         [LK_STALLED] = "critical",
                                         [LK_DEADLOCK] = "blocker" };
    if (f->severity == LK_HAZARD && f->confidence == LK_POSSIBLE)
        return "info";
    return (size_t)f->severity < LK_ARRAY_LEN(names) && names[f->severity] ? names[f->severity]
                                                                           : "info";
}

/* Each issue must have a path: where no source file is known, the module that blocks or the
 * program. */
static json_t *location(struct lk_arena *a, const struct lk_snapshot *s, const struct lk_finding *f,
                        const char *checkout)
{
    const struct lk_culprit *c = f ? lk_ci_place(f) : NULL;
    const char *module = f && f->culprits.n ? f->culprits.v[0].module : NULL;
    const char *path = lk_ci_path(a, s, c ? c->file : module ? module : s->exe ? s->exe : s->comm);
    const char *in = checkout ? lk_ci_below(checkout, path) : NULL;
    const char *below = in ? in : lk_ci_below(s->cwd, path);
    json_t *o = lk_json_object(), *lines = lk_json_object();
    lk_json_set(lines, "begin", json_integer(c && c->line > 0 ? c->line : 1));
    lk_json_set(o, "path", lk_ci_json(a, below ? below : path));
    lk_json_set(o, "lines", lines);
    return o;
}

/* Fingerprints must differ within a report: a second issue with one that was given out gets
 * another, the same in each run. */
static json_t *fingerprint(struct lk_map *given, uint64_t print)
{
    char text[17];
    for (uint64_t again = 1; !lk_map_add(given, print, 0); again++)
        print = lk_hash_u64(print, again);
    snprintf(text, sizeof text, "%016" PRIx64, print);
    return lk_json_made(json_string(text));
}

static json_t *issue(const char *name, json_t *description, json_t *print, const char *severity,
                     json_t *where)
{
    json_t *o = lk_json_object();
    lk_json_set(o, "description", description);
    lk_json_set(o, "check_name", json_string(name));
    lk_json_set(o, "fingerprint", print);
    lk_json_set(o, "severity", json_string(severity));
    lk_json_set(o, "location", where);
    return o;
}

static json_t *of_finding(struct lk_arena *a, struct lk_map *given, const struct lk_ci_issue *i,
                          const char *checkout)
{
    const struct lk_finding *f = i->finding;
    const char *summary = f->summary ? f->summary : lk_ci_rule(a, f);
    const uint64_t print = lk_hash_str(LK_HASH_INIT, f->fingerprint);
    return issue(f->rule ? f->rule->id : "loopknot",
                 lk_ci_json(a, lk_arena_printf(a, "%s: %s (%s)", lk_ci_rule(a, f),
                                               lk_words_safe(a, summary), lk_ci_pids(a, i))),
                 fingerprint(given, print), severity_of(f),
                 location(a, i->report->snap, f, checkout));
}

static json_t *not_judged(struct lk_arena *a, struct lk_map *given, const struct lk_report *r,
                          const char *checkout)
{
    const char *why = lk_words_safe(a, lk_sentence_why_unknown(a, r));
    const uint64_t print =
        lk_hash_str(lk_hash_str(LK_HASH_INIT, "unknown"), lk_words_safe(a, r->snap->comm));
    return issue("unknown",
                 lk_ci_json(a, lk_arena_printf(a, "pid %" PRId64 " could not be judged: %s",
                                               r->snap->pid, why)),
                 fingerprint(given, print), "info", location(a, r->snap, NULL, checkout));
}

bool lk_gitlab_write(const struct lk_report *reports, size_t n, bool set,
                     const struct lk_render *how, FILE *out)
{
    struct lk_arena *a = lk_arena_create();
    const struct lk_ci_issues issues = lk_ci_issues(a, reports, n);
    struct lk_map given = { 0 };
    json_t *list = lk_json_array();
    (void)set;
    for (size_t i = 0; i < issues.n; i++)
        lk_json_append(list, of_finding(a, &given, &issues.v[i], how->checkout));
    for (size_t i = 0; i < n; i++)
        if (reports[i].findings->verdict == LK_VERDICT_UNKNOWN)
            lk_json_append(list, not_judged(a, &given, &reports[i], how->checkout));
    lk_map_deinit(&given);
    lk_arena_destroy(a);
    return lk_ci_dump(list, out);
}
