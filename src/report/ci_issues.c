#include "report/ci_issues.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/sentences.h"
#include "report/test_name.h"
#include "report/text.h"
#include "util/text.h"

#define PIDS_NAMED      12
#define PLACES_NAMED    6
#define COMMAND_COLUMNS 160
#define TEXT_COLUMNS    100

static const char *keep(struct lk_arena *a, struct lk_strbuf *b)
{
    const char *ret = lk_arena_strndup(a, b->s ? b->s : "", b->n);
    lk_strbuf_deinit(b);
    return ret;
}

/* ---- findings told once ---------------------------------------------------------------------- */

static bool same_finding(const struct lk_finding *a, const struct lk_finding *b)
{
    return a->rule == b->rule && a->severity == b->severity &&
           strcmp(a->fingerprint, b->fingerprint) == 0;
}

static void add_issue(struct lk_arena *a, struct lk_ci_issues *list, const struct lk_report *r,
                      const struct lk_finding *f, size_t most)
{
    struct lk_ci_issue *i = list->v;
    while (i < list->v + list->n && !same_finding(i->finding, f))
        i++;
    if (i == list->v + list->n) {
        *i = (struct lk_ci_issue){ .report = r,
                                   .finding = f,
                                   .pids = lk_arena_array(a, most, sizeof *i->pids) };
        list->n++;
    }
    /* One process may have a finding twice: its fingerprint leaves out what tells the two apart. */
    if (!i->n || i->pids[i->n - 1] != r->snap->pid)
        i->pids[i->n++] = r->snap->pid;
}

struct lk_ci_issues lk_ci_issues(struct lk_arena *a, const struct lk_report *reports, size_t n)
{
    struct lk_ci_issues list = { 0 };
    size_t all = 0;
    for (size_t i = 0; i < n; i++)
        all += reports[i].findings->list.n;
    list.v = lk_arena_array(a, all, sizeof *list.v);
    for (int severity = LK_DEADLOCK; severity >= LK_HEALTHY; severity--)
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < reports[i].findings->list.n; k++)
                if ((int)reports[i].findings->list.v[k].severity == severity)
                    add_issue(a, &list, &reports[i], &reports[i].findings->list.v[k], n);
    return list;
}

/* ---- places ---------------------------------------------------------------------------------- */

bool lk_ci_has_file(const struct lk_culprit *c)
{
    return c->file && *c->file && *c->file != '<';
}

const struct lk_culprit *lk_ci_place(const struct lk_finding *f)
{
    for (size_t i = 0; i < f->culprits.n; i++)
        if (lk_ci_has_file(&f->culprits.v[i]))
            return &f->culprits.v[i];
    return NULL;
}

const char *lk_ci_path(struct lk_arena *a, const struct lk_snapshot *s, const char *file)
{
    const char *safe = lk_words_safe(a, file);
    const char *from = *safe != '/' && s->cwd && *s->cwd == '/'
                           ? lk_arena_printf(a, "%s/%s", lk_words_safe(a, s->cwd), safe)
                           : safe;
    char *path = lk_arena_alloc(a, strlen(from) + 1), *to = path;
    while (*from) {
        const size_t part = strcspn(from, "/");
        const bool nothing = part == 1 && *from == '.';
        if (part && !nothing) {
            memcpy(to, from, part);
            to += part;
        }
        from += part;
        if (*from == '/' && (to == path || to[-1] != '/') && (!nothing || to == path))
            *to++ = '/';
        from += strspn(from, "/");
    }
    *to = '\0';
    return *path ? path : safe;
}

const char *lk_ci_below(const char *folder, const char *path)
{
    size_t n = folder ? strlen(folder) : 0;
    while (n > 1 && folder[n - 1] == '/')
        n--;
    /* Everything lies below "/": that would say nothing. */
    if (n < 2 || *folder != '/' || strncmp(folder, path, n) != 0 || path[n] != '/' || !path[n + 1])
        return NULL;
    return strstr(path, "/../") || lk_ends_with(path, "/..") ? NULL : path + n + 1;
}

/* ---- sentences ------------------------------------------------------------------------------- */

const char *lk_ci_rule(struct lk_arena *a, const struct lk_finding *f)
{
    return f->rule ? lk_arena_printf(a, "%s %s", f->rule->id, f->rule->name) : "loopknot";
}

const char *lk_ci_pids(struct lk_arena *a, const struct lk_ci_issue *i)
{
    struct lk_strbuf b = { 0 };
    for (size_t k = 0; k < i->n && k < PIDS_NAMED; k++)
        lk_strbuf_printf(&b, "%s%" PRId64, k ? ", " : "pid ", i->pids[k]);
    if (i->n > PIDS_NAMED)
        lk_strbuf_printf(&b, " and %zu more", i->n - PIDS_NAMED);
    return keep(a, &b);
}

const char *lk_ci_message(struct lk_arena *a, const struct lk_ci_issue *i)
{
    const struct lk_finding *f = i->finding;
    const struct lk_snapshot *s = i->report->snap;
    struct lk_strbuf b = { 0 };
    lk_strbuf_printf(&b, "%s", lk_words_safe(a, f->summary ? f->summary : lk_ci_rule(a, f)));
    for (size_t k = 0; k < f->culprits.n && k < PLACES_NAMED; k++) {
        const char *who = lk_sentence_culprit(a, s, &f->culprits.v[k]);
        lk_strbuf_printf(&b, "\nWhere: %s%s%s", lk_sentence_place(a, &f->culprits.v[k]),
                         who ? ", " : "", who ? who : "");
    }
    if (f->culprits.n > PLACES_NAMED)
        lk_strbuf_printf(&b, "\nand %zu more places", f->culprits.n - PLACES_NAMED);
    if (lk_sentence_is_stuck(f))
        lk_strbuf_printf(&b, "\nStuck: %s; %s", lk_sentence_since(a, s, f), lk_sentence_held(a, f));
    lk_strbuf_printf(&b, "\nChange: %s", lk_words_safe(a, lk_sentence_remedy(f)));
    if (lk_sentence_safe_now(f))
        lk_strbuf_printf(&b, "\nNow: %s", lk_words_safe(a, lk_sentence_safe_now(f)));
    lk_strbuf_printf(&b, "\nIn %s (%s)", lk_ci_pids(a, i),
                     lk_sentence_command(a, s, COMMAND_COLUMNS));
    return keep(a, &b);
}

const char *lk_ci_text(struct lk_arena *a, const struct lk_report *reports, size_t n, bool set,
                       size_t most)
{
    const struct lk_render how = { .width = TEXT_COLUMNS, .native = true };
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        return "";
    lk_text_write(reports, n, set, &how, f);
    fclose(f);
    const char *ret = lk_arena_strdup(a, text ? text : "");
    if (text && size > most) {
        while (most && text[most - 1] != '\n')
            most--;
        ret = lk_arena_printf(a, "%.*s[cut here: the text report has it whole]\n", (int)most, text);
    }
    free(text);
    return ret;
}

/* ---- test cases ------------------------------------------------------------------------------ */

#define OWN_GROUP "loopknot"

static struct lk_ci_case *case_named(struct lk_ci_cases *list, const struct lk_test *t)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->v[i].group, t->group) == 0 && strcmp(list->v[i].name, t->name) == 0)
            return &list->v[i];
    list->v[list->n] =
        (struct lk_ci_case){ .group = t->group, .name = t->name, .told_by = t->told_by };
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
    if (f && f->summary)
        return lk_words_safe(a, f->summary);
    return lk_arena_printf(a, "%s%s", ended,
                           c->n ? lk_verdict_name(c->verdict) : "no process was examined");
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static json_t *made(json_t *value)
{
    if (!value)
        free(lk_xmalloc(SIZE_MAX)); /* ends the process with its line on memory */
    return value;
}

json_t *lk_ci_json(struct lk_arena *a, const char *s)
{
    return made(json_string_nocheck(lk_words_safe(a, s)));
}

void lk_ci_set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, made(value)) != 0)
        made(NULL);
}

void lk_ci_append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, made(value)) != 0)
        made(NULL);
}

bool lk_ci_dump(json_t *value, FILE *out)
{
    const bool ok = json_dumpf(made(value), out, JSON_INDENT(2)) == 0;
    json_decref(value);
    putc('\n', out);
    return ok && fflush(out) == 0 && !ferror(out);
}
