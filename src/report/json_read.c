/*
 * The way back from json.c, key by key, so that a report that was read and written again is the
 * same one. jansson parses; how many values it may come to is counted before. A file is hostile:
 * whatever has not the type that the schema gives it counts as not known. Keys that are not known
 * here are left out: a newer loopknot may have more.
 */
#include "report/json_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/rules/rule_table.h"
#include "diagnose/wording/entity.h"
#include "report/enum_names.h"
#include "report/json.h"
#include "report/json_reader.h"
#include "report/json_values.h"
#include "snapshot/builder.h"
#include "util/compat.h"
#include "util/redact.h"
#include "util/text.h"

#define MAX_FOLDED (1 << 20) /* references to entities that are folded away, in all */

enum {
    MAX_RULE_ID = 16,
    MAX_ITEMS = 4096, /* of lists that formats walk more than once: children, limits, samples... */
};

/* ---- the document ---------------------------------------------------------------------------- */

bool lk_json_is_document(const char *bytes, size_t n)
{
    size_t i = 0;
    while (i < n && strchr(" \t\r\n", bytes[i]) && bytes[i])
        i++;
    return i < n && bytes[i] == '{';
}

/* Each value but the first follows an opening bracket, a comma or a colon. */
static bool is_bounded(const char *bytes, size_t n, struct lk_error *err)
{
    size_t values = 1;
    if (n > LK_REPORT_MAX_BYTES)
        return lk_error_set(err, LK_ERR_BAD_DATA,
                            "it is larger than %d MiB (was it written with --all?)",
                            LK_REPORT_MAX_BYTES >> 20);
    for (size_t i = 0; i < n; i++)
        values += bytes[i] == '{' || bytes[i] == '[' || bytes[i] == ',' || bytes[i] == ':';
    if (values > 2 * (size_t)LK_REPORT_MAX_VALUES)
        return lk_error_set(err, LK_ERR_BAD_DATA, "it holds more than %d values",
                            LK_REPORT_MAX_VALUES);
    return true;
}

static bool has_schema(const json_t *document, const char *schema)
{
    const char *s = json_string_value(json_object_get(document, "schema"));
    return s && strcmp(s, schema) == 0;
}

static size_t items(const json_t *object, const char *key, const json_t **list)
{
    const size_t n = lk_jr_list(object, key, list);
    return LK_MIN(n, (size_t)MAX_ITEMS);
}

/* ---- findings -------------------------------------------------------------------------------- */

static const char *verdict_name(int v)
{
    return lk_verdict_name((enum lk_verdict)v);
}

static const char *confidence_name(int v)
{
    return lk_confidence_name((enum lk_confidence)v);
}

static enum lk_verdict verdict(const json_t *o, const char *key)
{
    return (enum lk_verdict)lk_jr_word(o, key, verdict_name, LK_DEADLOCK + 1, LK_VERDICT_UNKNOWN);
}

/* Of a rule that this loopknot does not know, as a newer one may have, there is what the report
 * says. */
static const struct lk_rule *rule_of(struct lk_jr *r, const json_t *o)
{
    const char *id = lk_jr_text(r, o, "rule");
    const struct lk_rule *known = id ? lk_rule_by_id(id) : NULL;
    if (known || !id || strlen(id) > MAX_RULE_ID)
        return known;
    struct lk_rule *rule = lk_arena_alloc(r->snap->arena, sizeof *rule);
    const json_t *docs;
    const size_t n = lk_jr_list(o, "docs", &docs);
    rule->id = id;
    rule->name = lk_jr_text_or(r, o, "name", "?");
    rule->means = lk_jr_text_or(r, o, "summary", "?");
    rule->remedy = lk_jr_text_or(r, o, "remedy", "?");
    rule->ceiling = LK_DEADLOCK;
    for (size_t i = 0; i < n && i + 1 < LK_ARRAY_LEN(rule->docs); i++)
        rule->docs[i] = lk_jr_string(r, json_array_get(docs, i));
    return rule;
}

static struct lk_source_context *context(struct lk_jr *r, const json_t *list)
{
    if (json_array_size(list) != 3)
        return NULL;
    struct lk_source_context *c = lk_arena_alloc(r->snap->arena, sizeof *c);
    c->before = lk_jr_string(r, json_array_get(list, 0));
    c->at = lk_jr_string(r, json_array_get(list, 1));
    c->after = lk_jr_string(r, json_array_get(list, 2));
    return c;
}

static struct lk_culprit culprit(struct lk_jr *r, const json_t *o)
{
    const int64_t offset = lk_jr_number(o, "offset");
    return (struct lk_culprit){ .tid = lk_jr_number(o, "tid"),
                                .task = lk_jr_id(r, o, "task"),
                                .function = lk_jr_text(r, o, "function"),
                                .file = lk_jr_text(r, o, "file"),
                                .line = lk_jr_line(o),
                                .source = lk_jr_text(r, o, "source"),
                                .context = context(r, json_object_get(o, "context")),
                                .module = lk_jr_text(r, o, "module"),
                                .offset = offset > 0 ? (uint64_t)offset : 0 };
}

static struct lk_edge edge(struct lk_jr *r, const json_t *o)
{
    return (struct lk_edge){
        .from = lk_jr_ref(r, o, "from"),
        .to = lk_jr_ref(r, o, "to"),
        .why = lk_jr_text(r, o, "why"),
        .read = lk_jr_read(o),
        .inferred = lk_jr_bool(o, "inferred"),
        .stable = true,
    };
}

/* A text that may be empty, but must be there. */
static const char *or_mark(const char *s)
{
    return s ? s : "?";
}

static void read_finding(struct lk_jr *r, const json_t *o, struct lk_finding *f)
{
    const json_t *list;
    const char *print = lk_jr_text_or(r, o, "fingerprint", ""),
               *known_by = json_string_value(json_object_get(o, "stuck_known_by"));
    const json_t *held = json_object_get(o, "held_up");
    f->rule = rule_of(r, o);
    f->severity = verdict(o, "severity");
    f->confidence = (enum lk_confidence)lk_jr_word(o, "confidence", confidence_name, LK_PROVEN + 1,
                                                   LK_POSSIBLE);
    snprintf(f->fingerprint, sizeof f->fingerprint, "%.*s", (int)strspn(print, "0123456789abcdef"),
             print);
    f->summary = lk_jr_text(r, o, "summary");
    f->stuck_ms = lk_jr_number(o, "stuck_ms");
    f->stuck_by_scheduler = known_by && strcmp(known_by, "scheduler") == 0;
    f->stuck_by_connection = lk_jr_bool(o, "stuck_by_connection");
    f->held_requests = lk_jr_number(held, "requests");
    f->held_tasks = lk_jr_number(held, "tasks");
    lk_jr_refs(r, o, "threads", LK_KIND_THREAD, &f->threads);
    lk_jr_refs(r, o, "loops", LK_KIND_LOOP, &f->loops);
    lk_jr_refs(r, o, "tasks", LK_KIND_TASK, &f->tasks);
    lk_jr_refs(r, o, "locks", LK_KIND_LOCK, &f->locks);
    for (size_t i = 0, n = items(o, "culprits", &list); i < n; i++)
        lk_vec_add(&f->culprits, culprit(r, json_array_get(list, i)));
    for (size_t i = 0, n = items(o, "chain", &list); i < n; i++)
        lk_vec_add(&f->chain, edge(r, json_array_get(list, i)));
    for (size_t i = 0, n = items(o, "evidence", &list); i < n; i++)
        lk_vec_add(&f->evidence, or_mark(lk_jr_string(r, json_array_get(list, i))));
    f->remedy = lk_jr_text(r, o, "remedy");
    f->safe_now = lk_jr_text(r, o, "safe_now");
}

static void read_ruled_out(struct lk_jr *r, const json_t *report, struct lk_findings *f)
{
    const json_t *list;
    for (size_t i = 0, n = items(report, "ruled_out", &list); i < n; i++) {
        const json_t *o = json_array_get(list, i);
        struct lk_ruled_out *to = lk_vec_push(&f->ruled_out);
        to->rule = rule_of(r, o);
        to->why = lk_jr_text_or(r, o, "why", "?");
        lk_jr_refs(r, o, "parties", LK_KIND_THREAD, &to->parties);
    }
}

/* ---- the process ----------------------------------------------------------------------------- */

static const char *runtime_name(int v)
{
    return lk_runtime_name((enum lk_runtime)v);
}

static const char *supervisor_name(int v)
{
    return lk_words_supervisor_kind((enum lk_supervisor_kind)v);
}

static const char *stood_still_name(int v)
{
    return lk_words_stood_still((enum lk_stood_still)v);
}

/* Redacted as when it was read from a process: an older report may show more, or one by hand. */
static void read_command(struct lk_jr *r, const json_t *o)
{
    struct lk_snapshot *s = r->snap;
    const json_t *list;
    const char *previous = NULL;
    s->n_cmdline = lk_jr_list(o, "cmdline", &list);
    s->cmdline = lk_arena_array(s->arena, s->n_cmdline, sizeof *s->cmdline);
    for (size_t i = 0; i < s->n_cmdline; i++) {
        const char *arg = lk_or_else(lk_jr_string(r, json_array_get(list, i)), "");
        s->cmdline[i] = lk_redact(s->arena, arg, previous);
        previous = arg;
    }
}

static void read_children(struct lk_jr *r, const json_t *o)
{
    const json_t *list;
    for (size_t i = 0, n = items(o, "children", &list); i < n; i++) {
        const json_t *child = json_array_get(list, i);
        lk_vec_add(&r->snap->children,
                   ((struct lk_child){ .pid = lk_jr_number(child, "pid"),
                                       .comm = lk_jr_text(r, child, "comm"),
                                       .threads = lk_jr_number(child, "threads") }));
    }
}

static void read_supervisor(struct lk_jr *r, const json_t *o)
{
    const char *name = lk_jr_text(r, o, "supervisor");
    if (!name)
        return;
    struct lk_supervisor *v = lk_arena_alloc(r->snap->arena, sizeof *v);
    *v = (struct lk_supervisor){
        .kind = (enum lk_supervisor_kind)lk_jr_word(o, "supervisor_kind", supervisor_name,
                                                    LK_SUPERVISOR_OF_SERVERS + 1,
                                                    LK_SUPERVISOR_PROGRAM),
        .name = name,
        .child = lk_jr_text(r, o, "supervisor_of"),
    };
    r->snap->supervisor = v;
}

static void read_python(struct lk_jr *r, const json_t *o)
{
    r->snap->python = (struct lk_python){
        .present = json_is_object(o),
        .version = lk_jr_text(r, o, "version"),
        .build = lk_jr_text(r, o, "build"),
        .free_threaded = lk_jr_tri(o, "free_threaded"),
        .interpreters = (unsigned)LK_MIN(LK_MAX(lk_jr_number(o, "interpreters"), (int64_t)0),
                                         (int64_t)UINT16_MAX),
        .frames_read = lk_jr_bool(o, "read_completely"),
    };
}

static void read_modules(struct lk_jr *r, const json_t *o)
{
    struct lk_python *p = &r->snap->python;
    json_t *all = json_object_get(o, "modules"), *version;
    const char *name;
    const size_t most = json_is_object(all) ? LK_MIN(json_object_size(all), (size_t)MAX_ITEMS) : 0;
    p->modules = lk_arena_array(r->snap->arena, most, sizeof *p->modules);
    json_object_foreach(all, name, version)
    {
        const char *text = lk_jr_string(r, version);
        if (text && p->n_modules < most)
            p->modules[p->n_modules++] = (struct lk_module_version){
                lk_text_clean(r->snap->arena, name, strlen(name), SIZE_MAX), text
            };
    }
}

static int64_t limit_of(const json_t *o, const char *limited, const char *key)
{
    return lk_jr_tri(o, limited) == LK_NO ? LK_FOREVER : lk_jr_number(o, key);
}

static void read_environment(struct lk_jr *r, const json_t *o)
{
    r->snap->around = (struct lk_surroundings){
        .kernel = lk_jr_text(r, o, "kernel"),
        .load = lk_jr_text(r, o, "load"),
        .machine_up_ms = lk_jr_number(o, "machine_up_ms"),
        .process_up_ms = lk_jr_number(o, "process_up_ms"),
        .processors = lk_jr_number(o, "processors"),
        .memory_max = limit_of(o, "memory_limited", "memory_max"),
        .memory_used = lk_jr_number(o, "memory_used"),
        .cpu_thousandths = limit_of(o, "cpu_limited", "cpu_max_thousandths"),
    };
}

static void read_target(struct lk_jr *r, const json_t *o)
{
    struct lk_snapshot *s = r->snap;
    const json_t *pytest = json_object_get(o, "pytest"), *list;
    s->ppid = lk_jr_number(o, "ppid");
    s->comm = lk_jr_text(r, o, "comm");
    s->exe = lk_jr_text(r, o, "exe");
    s->cwd = lk_jr_text(r, o, "cwd");
    s->uid = lk_jr_number(o, "uid");
    s->host = lk_jr_text(r, o, "host");
    s->boot_id = lk_jr_text(r, o, "boot_id");
    s->start_time = lk_jr_text(r, o, "start_time");
    s->container = lk_jr_text(r, o, "container");
    s->unit = lk_jr_text(r, o, "unit");
    s->runtime = (enum lk_runtime)lk_jr_word(o, "runtime", runtime_name, LK_RUNTIME_NATIVE + 1,
                                             LK_RUNTIME_UNKNOWN);
    s->not_examined = json_is_false(json_object_get(o, "examined"));
    s->test_env = lk_jr_text(r, pytest, "name");
    s->test_env_own = lk_jr_bool(pytest, "set_by_itself");
    read_command(r, o);
    read_children(r, o);
    read_supervisor(r, o);
    read_python(r, json_object_get(o, "python"));
    read_modules(r, json_object_get(o, "python"));
    read_environment(r, json_object_get(o, "environment"));
    for (size_t i = 0, n = items(o, "waits_for_processes", &list); i < n; i++) {
        const json_t *pid = json_array_get(list, i);
        if (json_is_integer(pid))
            lk_vec_add(&s->cross_waits, ((struct lk_cross_wait){ .pid = json_integer_value(pid) }));
    }
}

/* A thread that moved and has ended since is in no list. */
static void read_samples(struct lk_jr *r, const json_t *report)
{
    const json_t *list, *moved;
    for (size_t i = 0, n = items(report, "samples", &list); i < n; i++) {
        const json_t *o = json_array_get(list, i);
        struct lk_sample *s = lk_vec_push(&r->snap->samples);
        struct lk_refs threads;
        lk_jr_refs(r, o, "moved", LK_KIND_THREAD, &threads);
        *s = (struct lk_sample){ .at_ms = lk_jr_number(o, "at_ms"),
                                 .pause_us = lk_jr_number(o, "pause_us"),
                                 .stopped = lk_jr_number(o, "stopped"),
                                 .asleep = lk_jr_number(o, "asleep"),
                                 .n_moved = threads.n };
        lk_jr_list(o, "moved", &moved);
        s->moved_tids = lk_arena_array(r->snap->arena, threads.n, sizeof *s->moved_tids);
        for (size_t k = 0; k < threads.n; k++) {
            const struct lk_thread *t = lk_thread_at(r->snap, threads.v[k]);
            s->moved_tids[k] = t ? t->tid : LK_UNKNOWN;
        }
    }
}

/* The way back from lk_words_errno(). */
static int errno_of(const char *name)
{
    enum { MOST = 200 };
    int number;
    if (name && sscanf(name, "errno %d", &number) == 1)
        return number;
    for (int i = 1; name && i < MOST; i++) {
        const char *known = strerrorname_np(i);
        if (known && strcmp(known, name) == 0)
            return i;
    }
    return 0;
}

/* What only counts the nulls of the report is said anew when it is written again. */
static void read_limits(struct lk_jr *r, const json_t *report)
{
    const json_t *list;
    for (size_t i = 0, n = items(report, "limit_details", &list); i < n; i++) {
        const json_t *o = json_array_get(list, i);
        const char *address = json_string_value(json_object_get(o, "address"));
        const int64_t size = lk_jr_number(o, "size");
        if (lk_jr_bool(o, "of_null_values"))
            continue;
        lk_vec_add(&r->snap->limits,
                   ((struct lk_limit){ .text = lk_jr_text_or(r, o, "text", "?"),
                                       .entity = lk_jr_ref(r, o, "entity"),
                                       .read = { .addr = address ? strtoull(address, NULL, 16) : 0,
                                                 .size = size > 0 ? (uint64_t)size : 0,
                                                 .os_errno = errno_of(json_string_value(
                                                     json_object_get(o, "errno"))),
                                                 .reading = lk_jr_text(r, o, "reading") } }));
    }
}

/* ---- reports --------------------------------------------------------------------------------- */

static bool read_report(const json_t *o, bool in_set, struct lk_reports *ret, struct lk_error *err)
{
    const json_t *target = json_object_get(o, "target"), *list;
    const int64_t pid = lk_jr_number(target, "pid");
    if (!has_schema(o, LK_JSON_SCHEMA) || pid == LK_UNKNOWN)
        return lk_error_set(err, LK_ERR_BAD_DATA,
                            "one of its reports has another schema, or no process id");
    struct lk_jr r = { .snap = lk_snapshot_create(), .prefix = "", .folded_left = MAX_FOLDED };
    struct lk_snapshot *s = r.snap;
    struct lk_findings *f = lk_findings_none("");
    lk_vec_add(ret, ((struct lk_report){ .snap = s, .findings = f }));
    if (in_set)
        r.prefix = lk_arena_printf(s->arena, "%" PRId64 "/", pid);
    s->pid = pid;
    s->taken_at = lk_jr_text(&r, o, "taken_at");
    s->withheld = lk_jr_text(&r, o, "withheld");
    s->handles_alarm = lk_jr_bool(o, "times_may_be_longer") ? LK_YES : LK_NO;
    s->stood_still = lk_jr_word(o, "ended_by_run", stood_still_name, LK_RAN_TOO_LONG + 1, LK_MOVES);
    s->stalled_after_ms = LK_MAX(lk_jr_number(o, "stalled_after_ms"), 0);
    s->watched_ms = LK_MAX(lk_jr_number(o, "watched_ms"), 0);
    s->one_moment = lk_jr_bool(o, "one_moment");
    read_target(&r, target);
    lk_jr_entities(&r, o);
    read_samples(&r, o);
    read_limits(&r, o);
    f->verdict = verdict(o, "verdict");
    f->verdict_why = lk_jr_text(&r, o, "verdict_why");
    for (size_t i = 0, n = lk_jr_list(o, "findings", &list);
         i < n && ret->n_findings < LK_REPORT_MAX_FINDINGS; i++, ret->n_findings++)
        read_finding(&r, json_array_get(list, i), lk_vec_push(&f->list));
    read_ruled_out(&r, o, f);
    lk_map_deinit(&r.ids);
    lk_map_deinit(&r.codes);
    return true;
}

static bool read_document(const json_t *document, struct lk_reports *ret, struct lk_error *err)
{
    const json_t *list;
    if (has_schema(document, LK_JSON_SCHEMA))
        return read_report(document, false, ret, err);
    if (!has_schema(document, LK_JSON_SET_SCHEMA))
        return lk_error_set(err, LK_ERR_BAD_DATA, "its schema is neither %s nor %s", LK_JSON_SCHEMA,
                            LK_JSON_SET_SCHEMA);
    const size_t n = lk_jr_list(document, "reports", &list);
    if (n > LK_REPORT_MAX_MEMBERS)
        return lk_error_set(err, LK_ERR_BAD_DATA, "more than %d reports in one set",
                            LK_REPORT_MAX_MEMBERS);
    ret->set = true;
    for (size_t i = 0; i < n; i++)
        if (!read_report(json_array_get(list, i), true, ret, err))
            return false;
    return n > 0 || lk_error_set(err, LK_ERR_BAD_DATA, "it is a set without reports");
}

/* jansson's words may quote the file. */
static bool refuse_syntax(const json_error_t *why, struct lk_error *err)
{
    struct lk_arena *a = lk_arena_create();
    lk_error_set(err, LK_ERR_BAD_DATA, "no JSON: line %d, column %d: %s", why->line, why->column,
                 lk_words_safe(a, why->text));
    lk_arena_destroy(a);
    return false;
}

bool lk_json_read(const char *bytes, size_t n, struct lk_reports *ret, struct lk_error *err)
{
    json_error_t why;
    *ret = (struct lk_reports){ 0 };
    if (!is_bounded(bytes, n, err))
        return false;
    errno = 0;
    json_t *document = json_loadb(bytes, n, 0, &why);
    /* jansson takes a word that it has no memory for to be wrong: only malloc(3) tells */
    if (!document && errno == ENOMEM)
        lk_out_of_memory();
    if (!document)
        return refuse_syntax(&why, err);
    lk_json_made(document);
    const bool ok = read_document(document, ret, err);
    lk_json_release(document);
    for (size_t i = 0; !ok && i < ret->n; i++) {
        lk_findings_destroy(ret->v[i].findings);
        lk_snapshot_destroy(ret->v[i].snap);
    }
    if (!ok) {
        lk_free(ret->v);
        ret->v = NULL;
        ret->n = ret->cap = 0;
    }
    return ok;
}
