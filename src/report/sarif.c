/*
 * SARIF 2.1.0 (OASIS): one run, a result for each finding with its culprits as a code flow,
 * notifications for what could not be judged. Paths below the first process's folder are relative
 * to SRCROOT, so that code scanning finds them in the checkout.
 */
#include "report/formats.h"

#include <inttypes.h>
#include <string.h>

#include "diagnose/rules/rule_table.h"
#include "report/ci_cases.h"
#include "report/ci_issues.h"
#include "report/json_values.h"
#include "report/paths.h"
#include "report/sentences.h"
#include "util/text.h"
#include "util/version.h"

/* The address under which OASIS publishes the schema of the standard. */
#define SCHEMA      "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
#define MAX_PLACES  50 /* of one result */
#define BASE        "SRCROOT"
#define FIRST_PLACE 1 /* ids of locations within a result */

struct log {
    struct lk_arena *arena;
    const char *root; /* folder that BASE stands for; NULL */
    const struct lk_render *how;
};

/* ---- strings --------------------------------------------------------------------------------- */

/*
 * Text of a message: braces would be placeholders (SARIF 2.1.0, section 3.11.5) and "[...](...)" a
 * link (3.11.6), so the one is doubled and the other broken by a backslash.
 */
static json_t *message(const char *text)
{
    struct lk_strbuf b = { 0 };
    for (const char *s = text; *s; s++) {
        if (*s == '{' || *s == '}')
            lk_strbuf_add(&b, s, 1);
        else if (*s == ']' && s[1] == '(')
            lk_strbuf_puts(&b, "\\");
        lk_strbuf_add(&b, s, 1);
    }
    json_t *o = lk_json_object();
    lk_json_set(o, "text", json_string_nocheck(b.s ? b.s : "-"));
    lk_strbuf_deinit(&b);
    return o;
}

static json_t *plain_message(const char *text)
{
    json_t *o = lk_json_object();
    lk_json_set(o, "text", json_string_nocheck(text));
    return o;
}

/* A path as part of a URI (RFC 3986, section 3.3). */
static const char *uri(struct lk_arena *a, const char *path)
{
    struct lk_strbuf b = { 0 };
    for (const char *s = path; *s; s++) {
        const bool keep = (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') ||
                          (*s >= 'A' && *s <= 'Z') || strchr("-._~/", *s);
        lk_strbuf_printf(&b, keep ? "%c" : "%%%02X", (unsigned char)*s);
    }
    const char *ret = lk_arena_strdup(a, b.s ? b.s : "");
    lk_strbuf_deinit(&b);
    return ret;
}

/* ---- rules ----------------------------------------------------------------------------------- */

static const char *level_of(enum lk_verdict v, enum lk_confidence c)
{
    if (v >= LK_STALLED)
        return "error";
    return v == LK_HAZARD && c == LK_POSSIBLE ? "note" : "warning";
}

static json_t *help(struct log *l, const struct lk_rule *r)
{
    struct lk_strbuf text = { 0 }, md = { 0 };
    lk_strbuf_printf(&text, "%s\n\nWhat to change: %s\n", r->means, r->remedy);
    lk_strbuf_printf(&md, "**%s %s**: %s\n\n**What to change:** %s\n", r->id, r->name, r->means,
                     r->remedy);
    for (size_t d = 0; d < LK_ARRAY_LEN(r->docs) && r->docs[d]; d++) {
        lk_strbuf_printf(&text, "%s%s\n", d ? "" : "\nRead:\n", r->docs[d]);
        lk_strbuf_printf(&md, "%s- %s\n", d ? "" : "\n**Read**\n\n", r->docs[d]);
    }
    json_t *o = lk_json_object();
    lk_json_set(o, "text", json_string_nocheck(lk_arena_strdup(l->arena, text.s)));
    lk_json_set(o, "markdown", json_string_nocheck(lk_arena_strdup(l->arena, md.s)));
    lk_strbuf_deinit(&text);
    lk_strbuf_deinit(&md);
    return o;
}

static json_t *rule(struct log *l, const struct lk_rule *r)
{
    json_t *o = lk_json_object(), *configuration = lk_json_object();
    lk_json_set(o, "id", json_string(r->id));
    lk_json_set(o, "name", json_string(r->name));
    lk_json_set(o, "shortDescription", plain_message(r->name));
    lk_json_set(o, "fullDescription", plain_message(r->means));
    lk_json_set(o, "help", help(l, r));
    for (size_t d = 0; d < LK_ARRAY_LEN(r->docs) && r->docs[d]; d++)
        if (lk_starts_with(r->docs[d], "https://") && !json_object_get(o, "helpUri"))
            lk_json_set(o, "helpUri", json_string(r->docs[d]));
    lk_json_set(configuration, "level", json_string(level_of(r->ceiling, LK_PROVEN)));
    lk_json_set(o, "defaultConfiguration", configuration);
    return o;
}

static json_t *tool(struct log *l)
{
    json_t *o = lk_json_object(), *driver = lk_json_object(), *rules = lk_json_array();
    for (size_t i = 0; i < lk_n_rules; i++)
        lk_json_append(rules, rule(l, &lk_rules[i]));
    lk_json_set(driver, "name", json_string("loopknot"));
    lk_json_set(driver, "version", json_string(lk_tool_version()));
    lk_json_set(driver, "semanticVersion", json_string(lk_tool_version()));
    lk_json_set(driver, "rules", rules);
    lk_json_set(o, "driver", driver);
    return o;
}

/* ---- places ---------------------------------------------------------------------------------- */

static json_t *artifact(struct log *l, const struct lk_snapshot *s, const char *file)
{
    const char *path = lk_ci_path(l->arena, s, file), *below = lk_ci_below(l->root, path);
    json_t *o = lk_json_object();
    if (below) {
        lk_json_set(o, "uri", json_string_nocheck(uri(l->arena, below)));
        lk_json_set(o, "uriBaseId", json_string(BASE));
    } else {
        lk_json_set(o, "uri",
                    json_string_nocheck(lk_arena_printf(
                        l->arena, "%s%s", *path == '/' ? "file://" : "", uri(l->arena, path))));
    }
    return o;
}

/* GitHub shows no result without a file and a line: where no source is known, the program,
 * from its first line. */
static json_t *physical(struct log *l, const struct lk_snapshot *s, const struct lk_culprit *c)
{
    const bool known = lk_ci_has_file(c);
    json_t *o = lk_json_object(), *region = lk_json_object();
    lk_json_set(o, "artifactLocation",
                artifact(l, s,
                         known     ? c->file
                         : s->exe  ? s->exe
                         : s->comm ? s->comm
                                   : "unknown"));
    lk_json_set(region, "startLine", json_integer(known && c->line > 0 ? c->line : 1));
    if (known && c->line > 0 && c->source && *c->source)
        lk_json_set(region, "snippet", plain_message(lk_words_safe(l->arena, c->source)));
    lk_json_set(o, "region", region);
    return o;
}

/* Where a culprit stands, with what it does there. */
static json_t *location(struct log *l, const struct lk_snapshot *s, const struct lk_culprit *c,
                        size_t id)
{
    json_t *o = lk_json_object();
    const char *who = lk_sentence_culprit(l->arena, s, c), *where = lk_sentence_place(l->arena, c);
    if (id)
        lk_json_set(o, "id", json_integer((json_int_t)id));
    lk_json_set(o, "message",
                message(who ? lk_arena_printf(l->arena, "%s at %s", who, where) : where));
    lk_json_set(o, "physicalLocation", physical(l, s, c));
    if (c->function && *c->function) {
        json_t *logical = lk_json_object(), *list = lk_json_array();
        lk_json_set(logical, "name", lk_ci_json(l->arena, c->function));
        lk_json_set(logical, "kind", json_string("function"));
        lk_json_append(list, logical);
        lk_json_set(o, "logicalLocations", list);
    }
    return o;
}

/* The culprits in the order of the chain, as steps that a viewer can walk through. */
static json_t *code_flow(struct log *l, const struct lk_ci_issue *i)
{
    json_t *steps = lk_json_array(), *thread = lk_json_object(), *threads = lk_json_array(),
           *flow = lk_json_object(), *list = lk_json_array();
    for (size_t k = 0; k < i->finding->culprits.n && k < MAX_PLACES; k++) {
        json_t *step = lk_json_object();
        lk_json_set(step, "location", location(l, i->report->snap, &i->finding->culprits.v[k], 0));
        lk_json_append(steps, step);
    }
    lk_json_set(thread, "locations", steps);
    lk_json_append(threads, thread);
    lk_json_set(flow, "message", message("each waits for the next, the last one for the first"));
    lk_json_set(flow, "threadFlows", threads);
    lk_json_append(list, flow);
    return list;
}

/* Whether the chain ends where it began: only then is the order of the culprits a way round. */
static bool is_ring(const struct lk_finding *f)
{
    return f->chain.n > 1 && lk_ref_eq(f->chain.v[0].from, f->chain.v[f->chain.n - 1].to);
}

static void places(struct log *l, json_t *o, const struct lk_ci_issue *i)
{
    const struct lk_finding *f = i->finding;
    const struct lk_snapshot *s = i->report->snap;
    static const struct lk_culprit nowhere = { .tid = LK_UNKNOWN };
    const struct lk_culprit *main = lk_ci_place(f);
    json_t *first = lk_json_array(), *related = lk_json_array();
    if (!main && f->culprits.n)
        main = &f->culprits.v[0];
    lk_json_append(first, location(l, s, main ? main : &nowhere, 0));
    for (size_t k = 0; k < f->culprits.n && json_array_size(related) < MAX_PLACES; k++)
        if (&f->culprits.v[k] != main)
            lk_json_append(related, location(l, s, &f->culprits.v[k], FIRST_PLACE + k));
    lk_json_set(o, "locations", first);
    if (json_array_size(related))
        lk_json_set(o, "relatedLocations", related);
    else
        lk_json_release(related);
    if (is_ring(f) && f->culprits.n > 1)
        lk_json_set(o, "codeFlows", code_flow(l, i));
}

/* ---- results --------------------------------------------------------------------------------- */

static json_t *result(struct log *l, const struct lk_ci_issue *i)
{
    const struct lk_finding *f = i->finding;
    const struct lk_rule *known = f->rule ? lk_rule_by_id(f->rule->id) : NULL;
    json_t *o = lk_json_object(), *prints = lk_json_object(), *properties = lk_json_object(),
           *pids = lk_json_array();
    if (f->rule)
        lk_json_set(o, "ruleId", json_string(f->rule->id));
    if (known)
        lk_json_set(o, "ruleIndex", json_integer(known - lk_rules));
    lk_json_set(o, "level", json_string(level_of(f->severity, f->confidence)));
    lk_json_set(o, "message", message(lk_ci_message(l->arena, i, l->how)));
    places(l, o, i);
    lk_json_set(prints, "loopknotFingerprint/v1", json_string(f->fingerprint));
    lk_json_set(o, "partialFingerprints", prints);
    lk_json_set(o, "occurrenceCount", json_integer((json_int_t)i->n));
    for (size_t k = 0; k < i->n; k++)
        lk_json_append(pids, json_integer(i->pids[k]));
    lk_json_set(properties, "severity", json_string(lk_verdict_name(f->severity)));
    lk_json_set(properties, "confidence", json_string(lk_confidence_name(f->confidence)));
    lk_json_set(properties, "pids", pids);
    lk_json_set(o, "properties", properties);
    return o;
}

static json_t *notification(const char *level, const char *text)
{
    json_t *o = lk_json_object();
    lk_json_set(o, "level", json_string(level));
    lk_json_set(o, "message", message(text));
    return o;
}

static json_t *not_judged(struct log *l, const struct lk_report *r)
{
    return notification(
        "warning", lk_arena_printf(l->arena, "pid %" PRId64 " (%s) could not be judged: %s",
                                   r->snap->pid, lk_sentence_command(l->arena, r->snap, 80),
                                   lk_words_safe(l->arena, lk_sentence_why_unknown(l->arena, r))));
}

/* Our own run: it succeeded, since there is a report; what it could not judge is told as
 * notifications. */
static json_t *invocations(struct log *l, const struct lk_report *reports, size_t n,
                           const struct lk_render *how)
{
    json_t *o = lk_json_object(), *list = lk_json_array(), *notes = lk_json_array();
    lk_json_set(o, "executionSuccessful", json_boolean(n > 0));
    if (n && reports[0].snap->taken_at)
        lk_json_set(o, "endTimeUtc", lk_ci_json(l->arena, reports[0].snap->taken_at));
    if (n && reports[0].snap->host)
        lk_json_set(o, "machine", lk_ci_json(l->arena, reports[0].snap->host));
    if (how->ended && lk_sentence_worst(reports, n) < LK_STALLED)
        lk_json_append(notes, notification("error", lk_ci_ended(l->arena, how->elapsed_ms)));
    for (size_t i = 0; i < n; i++)
        if (reports[i].findings->verdict == LK_VERDICT_UNKNOWN)
            lk_json_append(notes, not_judged(l, &reports[i]));
    lk_json_set(o, "toolExecutionNotifications", notes);
    lk_json_append(list, o);
    return list;
}

/* ---- the log --------------------------------------------------------------------------------- */

static void set_base(struct log *l, json_t *run)
{
    json_t *ids = lk_json_object(), *base = lk_json_object();
    const char *end = lk_ends_with(l->root, "/") ? "" : "/";
    lk_json_set(
        base, "uri",
        json_string_nocheck(lk_arena_printf(l->arena, "file://%s%s", uri(l->arena, l->root), end)));
    lk_json_set(base, "description",
                plain_message("the checkout, or the working directory of the examined process"));
    lk_json_set(ids, BASE, base);
    lk_json_set(run, "originalUriBaseIds", ids);
}

static json_t *run_of(struct log *l, const struct lk_report *reports, size_t n,
                      const struct lk_render *how)
{
    const struct lk_ci_issues issues = lk_ci_issues(l->arena, reports, n);
    json_t *run = lk_json_object(), *results = lk_json_array(), *automation = lk_json_object(),
           *properties = lk_json_object();
    for (size_t i = 0; i < issues.n; i++)
        lk_json_append(results, result(l, &issues.v[i]));
    lk_json_set(automation, "id", json_string("loopknot/"));
    lk_json_set(properties, "verdict", json_string(lk_verdict_name(lk_sentence_worst(reports, n))));
    lk_json_set(run, "tool", tool(l));
    lk_json_set(run, "automationDetails", automation);
    lk_json_set(run, "invocations", invocations(l, reports, n, how));
    if (l->root)
        set_base(l, run);
    lk_json_set(run, "columnKind", json_string("utf16CodeUnits"));
    lk_json_set(run, "results", results);
    lk_json_set(run, "properties", properties);
    return run;
}

bool lk_sarif_write(const struct lk_report *reports, size_t n, bool set,
                    const struct lk_render *how, FILE *out)
{
    struct log l = { .arena = lk_arena_create(), .how = how };
    json_t *log = lk_json_object(), *runs = lk_json_array();
    (void)set;
    /* The folder of the first process, which is the root of a tree: the checkout, where CI starts
     * its commands. */
    if (how->checkout)
        l.root = lk_words_safe(l.arena, how->checkout);
    else if (n && reports[0].snap->cwd && *reports[0].snap->cwd == '/' && reports[0].snap->cwd[1])
        l.root = lk_words_safe(l.arena, reports[0].snap->cwd);
    lk_json_append(runs, run_of(&l, reports, n, how));
    lk_json_set(log, "$schema", json_string(SCHEMA));
    lk_json_set(log, "version", json_string("2.1.0"));
    lk_json_set(log, "runs", runs);
    lk_arena_destroy(l.arena);
    return lk_ci_dump(log, out);
}
