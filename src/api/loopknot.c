/*
 * libloopknot: the functions of loopknot.h, each a few lines around a room below. All that
 * allocates in a room runs inside lk_guarded(): memory that runs out becomes a status, and d is as
 * it was.
 */
#include "loopknot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/diagnosis.h"
#include "api/file.h"
#include "api/options.h"
#include "diagnose/rules/rule_search.h"
#include "diagnose/rules/rule_table.h"
#include "diagnose/rules/rule_texts.h"
#include "examine/command_end.h"
#include "examine/cross_process.h"
#include "examine/examine.h"
#include "examine/process_set.h"
#include "process/linux/process_facts.h"
#include "process/linux/process_tree.h"
#include "process/linux/procfs.h"
#include "read/servers/supervisor.h"
#include "report/compare.h"
#include "report/json_read.h"
#include "report/rule_pages.h"
#include "report/verdict_line.h"
#include "util/redaction.h"
#include "util/text.h"
#include "util/vec.h"
#include "util/version.h"

#define LK_EXPORT __attribute__((visibility("default")))

_Static_assert((int)LOOPKNOT_DEADLOCK == (int)LK_DEADLOCK &&
                   (int)LOOPKNOT_STALLED == (int)LK_STALLED &&
                   (int)LOOPKNOT_UNKNOWN == (int)LK_VERDICT_UNKNOWN &&
                   (int)LOOPKNOT_HAZARD == (int)LK_HAZARD,
               "public and inner verdicts are the same numbers");
LK_EXPORT struct loopknot_diagnosis *loopknot_create(void)
{
    return calloc(1, sizeof(struct loopknot_diagnosis));
}

LK_EXPORT void loopknot_destroy(struct loopknot_diagnosis *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n; i++)
        lk_report_deinit(&d->v[i]);
    lk_api_forget_redaction(d);
    free(d->v);
    free(d);
}

bool lk_api_reserve(struct loopknot_diagnosis *d, size_t more)
{
    if (more <= d->cap - d->n)
        return true;
    struct lk_report *v = reallocarray(d->v, d->n + more, sizeof *v);
    if (!v)
        return false;
    d->v = v;
    d->cap = d->n + more;
    return true;
}

int lk_api_status(const struct lk_error *err)
{
    switch (err->code) {
    case LK_ERR_USAGE: return LOOPKNOT_USAGE;
    case LK_ERR_NOMEM: return LOOPKNOT_NO_MEMORY;
    default: return LOOPKNOT_NO_REPORT;
    }
}

/* A report joins the others, or message says why there is none. */
static int take_report(struct loopknot_diagnosis *d, struct lk_joint_result *r, char *message,
                       size_t size)
{
    lk_blocks_dissolve(r->blocks);
    if (r->ok) {
        d->v[d->n++] = r->report;
        if (lk_api_take_in(d, d->n - 1))
            return LOOPKNOT_OK;
        lk_error_set(&r->err, LK_ERR_NOMEM, "out of memory: the report is lost");
    }
    if (message && size)
        snprintf(message, size, "%s", r->err.text);
    return lk_api_status(&r->err);
}

LK_EXPORT int loopknot_examine(struct loopknot_diagnosis *d, pid_t pid,
                               const struct loopknot_options *o, char *message, size_t size)
{
    struct lk_examine_options inner;
    struct lk_joint_result r = { .pid = pid };
    if (!lk_api_reserve(d, 1))
        lk_error_set(&r.err, LK_ERR_NOMEM, "out of memory: process %d was not examined", (int)pid);
    else if (lk_api_options(o, &inner, &r.err) && inner.capture)
        lk_error_set(&r.err, LK_ERR_USAGE, "a capture is of one call of loopknot_examine_all()");
    else if (!r.err.code)
        lk_examine_one(pid, &inner, &r);
    return take_report(d, &r, message, size);
}

LK_EXPORT int loopknot_examine_core(struct loopknot_diagnosis *d, const struct loopknot_core *core,
                                    const struct loopknot_options *o, char *message, size_t size)
{
    struct lk_examine_options inner;
    struct lk_core_request request;
    struct lk_joint_result r = { 0 };
    if (!lk_api_reserve(d, 1))
        lk_error_set(&r.err, LK_ERR_NOMEM, "out of memory: the core was not examined");
    else if (lk_api_options(o, &inner, &r.err) && lk_api_core(core, &request, &r.err)) {
        inner.core = &request;
        inner.capture = NULL;
        lk_examine_one(0, &inner, &r);
    }
    if (!r.ok && r.err.code == LK_ERR_NOMEM)
        lk_error_set(&r.err, LK_ERR_NOMEM, "out of memory: the core was not examined");
    return take_report(d, &r, message, size);
}

struct tree {
    pid_t root, *pids;
    size_t max, n;
    int why; /* errno: not listed to the end */
};

static void list_tree(void *arg)
{
    struct tree *t = arg;
    lk_procfs_watch();
    t->n = lk_tree_list(t->root, t->pids, t->max);
    t->why = lk_procfs_ran_out();
}

LK_EXPORT size_t loopknot_tree(pid_t root, pid_t *pids, size_t max)
{
    struct tree t = { .root = root, .pids = pids, .max = max };
    const bool ok = lk_guarded(list_tree, &t, NULL);
    errno = !ok ? ENOMEM : t.why ? t.why : t.n ? 0 : ESRCH;
    return ok ? t.n : 0;
}

struct supervisor {
    pid_t pid;
    const struct lk_supervisor *is;
};

static void look_for_supervisor(void *arg)
{
    struct supervisor *s = arg;
    s->is = lk_supervisor_of(lk_machine_here(), s->pid);
}

LK_EXPORT const char *loopknot_supervisor(pid_t pid)
{
    struct supervisor s = { .pid = pid };
    errno = lk_guarded(look_for_supervisor, &s, NULL) ? 0 : ENOMEM;
    return s.is && s.is->kind != LK_SUPERVISOR_SESSION ? s.is->name : NULL;
}

/* A file that is read. */
struct loading {
    const char *file;
    bool ok;
    struct lk_reports reports;
    struct lk_error err;
};

/* What is no report is refused by its first byte: a core or an archive need not be read whole. */
static void load_reports(void *arg)
{
    enum { MAX_SHOWN = 200 };
    struct loading *l = arg;
    struct lk_arena *a = lk_arena_create();
    const char *name = lk_text_clean(a, l->file, strlen(l->file), MAX_SHOWN);
    struct lk_error why = { 0 };
    size_t n;
    char *bytes = lk_api_read_file(l->file, name, "reports are", LK_API_STREAM, LK_REPORT_MAX_BYTES,
                                   &n, &l->err);
    if (bytes && !lk_json_is_document(bytes, n))
        lk_error_set(&l->err, LK_ERR_BAD_DATA, "%s: is no report that loopknot has written as JSON",
                     name);
    else if (bytes && !(l->ok = lk_json_read(bytes, n, &l->reports, &why)))
        lk_error_set(&l->err, why.code, "%s: %s", name, why.text);
    lk_free(bytes);
    lk_arena_destroy(a);
}

LK_EXPORT int loopknot_load(struct loopknot_diagnosis *d, const char *file, char *message,
                            size_t size)
{
    struct loading l = { .file = file };
    const bool enough = lk_guarded(load_reports, &l, NULL);
    if (enough && l.ok && lk_api_reserve(d, l.reports.n)) {
        memcpy(d->v + d->n, l.reports.v, l.reports.n * sizeof *d->v);
        d->n += l.reports.n;
        d->set |= l.reports.set;
        lk_free(l.reports.v);
        if (lk_api_take_in(d, d->n - l.reports.n))
            return LOOPKNOT_OK;
        l.reports.n = 0;
        l.reports.v = NULL;
    }
    if (!enough || l.ok) {
        for (size_t i = 0; enough && i < l.reports.n; i++)
            lk_report_deinit(&l.reports.v[i]);
        if (enough)
            lk_free(l.reports.v);
        lk_error_set(&l.err, LK_ERR_NOMEM, "out of memory");
    }
    if (message && size)
        snprintf(message, size, "%s", l.err.text);
    return l.err.code == LK_ERR_NOMEM ? LOOPKNOT_NO_MEMORY : LOOPKNOT_NO_REPORT;
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

LK_EXPORT pid_t loopknot_pid_of(const struct loopknot_diagnosis *d, size_t index)
{
    return index < d->n ? (pid_t)d->v[index].snap->pid : -1;
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

/* A question on the end of a command. */
struct ending {
    const struct loopknot_diagnosis *d;
    pid_t root;
    bool too_long;
    long long ms;
    struct lk_command_end end;
};

static void ask_end(void *arg)
{
    struct ending *e = arg;
    e->end = lk_command_end(e->d->v, e->d->n, e->root);
}

LK_EXPORT bool loopknot_command_end(const struct loopknot_diagnosis *d, pid_t root,
                                    struct loopknot_command_end *ret)
{
    struct ending e = { .d = d, .root = root };
    if (ret->size < sizeof *ret || !lk_guarded(ask_end, &e, NULL) || e.end.at >= d->n)
        return false;
    ret->held = e.end.held;
    ret->left_ms = known(e.end.held ? e.end.spare_ms : e.end.left_ms);
    ret->still_ms = e.end.still_ms;
    ret->runs = e.end.runs;
    snprintf(ret->fingerprint, sizeof ret->fingerprint, "%s",
             e.end.finding ? e.end.finding->fingerprint : "");
    return true;
}

static void stand_still(void *arg)
{
    const struct ending *e = arg;
    lk_command_stood_still(e->d->v, e->d->n, e->root, e->too_long, e->ms);
}

LK_EXPORT int loopknot_stood_still(struct loopknot_diagnosis *d, pid_t root, bool too_long,
                                   long long ms)
{
    struct ending e = { .d = d, .root = root, .too_long = too_long, .ms = ms };
    return lk_guarded(stand_still, &e, NULL) && lk_api_hide(d, 0) ? LOOPKNOT_OK
                                                                  : LOOPKNOT_NO_MEMORY;
}

LK_EXPORT const char *loopknot_verdict_name(enum loopknot_verdict v)
{
    return lk_verdict_name((enum lk_verdict)v);
}

/* One of the writers under way. */
struct writing {
    const struct loopknot_diagnosis *d;
    const struct lk_format *format;
    bool set;
    const char *const *words;
    size_t n;
    const char *name; /* of the format */
    struct lk_render how;
    FILE *out;
    int status;
};

/* A stream says by errno alone that its buffer, or jansson in between, lacked memory. */
static int written(struct writing *w, void *arg, void (*work)(void *arg))
{
    errno = 0;
    if (!lk_guarded(work, arg, NULL)) {
        errno = ENOMEM;
        return LOOPKNOT_NO_MEMORY;
    }
    return w->status == LOOPKNOT_WRITE_ERROR && errno == ENOMEM ? LOOPKNOT_NO_MEMORY : w->status;
}

static void write_reports(void *arg)
{
    struct writing *w = arg;
    struct lk_arena *a = lk_arena_create();
    w->how.command = lk_redaction_hide(w->d->redaction, a, w->how.command);
    w->how.test = lk_redaction_hide(w->d->redaction, a, w->how.test);
    const bool ok = w->format->write(w->d->v, w->d->n, w->set, &w->how, w->out);
    w->status = ok && fflush(w->out) == 0 ? LOOPKNOT_OK : LOOPKNOT_WRITE_ERROR;
    lk_arena_destroy(a);
}

LK_EXPORT int loopknot_write(const struct loopknot_diagnosis *d, const char *format,
                             const struct loopknot_render *how, FILE *out)
{
    struct loopknot_render known;
    struct writing w = { .d = d, .format = lk_format_by_name(format), .out = out };
    if (!w.format || !lk_api_render(how, &known))
        return LOOPKNOT_USAGE;
    w.set = known.set || d->set;
    w.how = (struct lk_render){
        .color = known.color,
        .width = known.width,
        .all = known.all,
        .native = known.native,
        .verbose = known.verbose,
        .command = known.command,
        .test = known.test,
        .elapsed_ms = known.elapsed_ms,
        .ended = known.ended,
        .checkout = known.checkout,
    };
    return written(&w, &w, write_reports);
}

static bool plain_render(const struct loopknot_render *how, struct lk_render *ret)
{
    struct loopknot_render known;
    if (!lk_api_render(how, &known))
        return false;
    *ret = (struct lk_render){ .color = known.color, .width = known.width };
    return true;
}

static void write_verdict(void *arg)
{
    struct writing *w = arg;
    const bool ok = lk_verdict_line_write(w->d->v, w->d->n, &w->how, w->out);
    w->status = ok ? LOOPKNOT_OK : LOOPKNOT_WRITE_ERROR;
}

LK_EXPORT int loopknot_write_verdict(const struct loopknot_diagnosis *d,
                                     const struct loopknot_render *how, FILE *out)
{
    struct writing w = { .d = d, .out = out };
    return plain_render(how, &w.how) ? written(&w, &w, write_verdict) : LOOPKNOT_USAGE;
}

/* Two diagnoses that are compared. */
struct comparing {
    struct writing w;
    const struct loopknot_diagnosis *after;
    bool same;
};

static void compare_reports(void *arg)
{
    struct comparing *c = arg;
    struct lk_arena *a = lk_arena_create();
    const struct lk_comparison seen = lk_compare(a, (struct lk_side){ c->w.d->v, c->w.d->n },
                                                 (struct lk_side){ c->after->v, c->after->n });
    c->same = seen.same;
    c->w.status = lk_comparison_write(&seen, c->w.name, &c->w.how, c->w.out);
    lk_arena_destroy(a);
}

LK_EXPORT int loopknot_compare(const struct loopknot_diagnosis *before,
                               const struct loopknot_diagnosis *after, const char *format,
                               const struct loopknot_render *how, FILE *out, bool *same)
{
    struct loopknot_render known;
    struct comparing c = { .w = { .d = before, .name = format, .out = out }, .after = after };
    if (!lk_api_render(how, &known))
        return LOOPKNOT_USAGE;
    c.w.how = (struct lk_render){ .color = known.color, .width = known.width, .all = known.all };
    const int status = written(&c.w, &c, compare_reports);
    if (same)
        *same = c.same;
    return status;
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

static void write_rules(void *arg)
{
    struct writing *w = arg;
    w->status = lk_rules_write(w->name, &w->how, w->out);
}

LK_EXPORT int loopknot_write_rules(const char *format, const struct loopknot_render *how, FILE *out)
{
    struct writing w = { .name = format, .out = out };
    return plain_render(how, &w.how) ? written(&w, &w, write_rules) : LOOPKNOT_USAGE;
}

static void write_explanations(void *arg)
{
    struct writing *w = arg;
    w->status = lk_explanations_write(w->words, w->n, w->name, &w->how, w->out);
}

LK_EXPORT int loopknot_write_explanations(const char *const *words, size_t n, const char *format,
                                          const struct loopknot_render *how, FILE *out)
{
    struct writing w = { .words = words, .n = n, .name = format, .out = out };
    return plain_render(how, &w.how) ? written(&w, &w, write_explanations) : LOOPKNOT_USAGE;
}

LK_EXPORT const char *loopknot_version(void)
{
    return lk_tool_version();
}
