/*
 * The report as JSON: the process, its Python, samples, findings, and of a set the groups. The
 * entities stand in json_entities.c. `limits` is written last: only
 * then is known what was left out. Its schema is docs/report.schema.json.
 */
#include "report/json.h"

#include <inttypes.h>
#include <string.h>

#include "diagnose/wording/entity.h"
#include "report/json_writer.h"
#include "report/process_groups.h"
#include "report/sentences.h"
#include "util/version.h"

#define FOLD_ABOVE 1000 /* the contract of the report: longer lists are folded */

/* ---- findings -------------------------------------------------------------------------------- */

static json_t *context_json(struct lk_jw *w, const struct lk_source_context *c)
{
    json_t *o = lk_json_array();
    lk_jw_append(o, lk_jw_text(w, c->before));
    lk_jw_append(o, lk_jw_text(w, c->at));
    lk_jw_append(o, lk_jw_text(w, c->after));
    return o;
}

static json_t *culprit_json(struct lk_jw *w, const struct lk_culprit *c)
{
    const bool place = c->file || c->module;
    json_t *o = lk_json_object();
    w->gap[LK_GAP_CULPRIT] += !c->function || !place || (c->file && c->line <= 0);
    lk_jw_set(o, "tid", lk_jw_number(c->tid));
    lk_jw_set(o, "task", lk_jw_raw_id(w, c->task));
    lk_jw_set(o, "function", lk_jw_text(w, c->function));
    lk_jw_set(o, "file", lk_jw_text(w, c->file));
    lk_jw_set(o, "line", lk_jw_number(c->line > 0 ? c->line : LK_UNKNOWN));
    lk_jw_set(o, "source", lk_jw_text(w, c->source));
    if (c->context)
        lk_jw_set(o, "context", context_json(w, c->context));
    w->gap[LK_GAP_SOURCE] += c->file && !c->source;
    if (c->module) {
        lk_jw_set(o, "module", lk_jw_text(w, c->module));
        lk_jw_set(o, "offset", json_integer((json_int_t)LK_MIN(c->offset, (uint64_t)INT64_MAX)));
    }
    return o;
}

static json_t *chain_json(struct lk_jw *w, const struct lk_finding *f)
{
    json_t *list = lk_json_array();
    for (size_t i = 0; i < f->chain.n && (w->all || i < LK_VIEW_LIST_MAX); i++) {
        const struct lk_edge *e = &f->chain.v[i];
        json_t *o = lk_json_object();
        lk_jw_set(o, "from", lk_jw_id(w, e->from));
        lk_jw_set(o, "to", lk_jw_id(w, e->to));
        lk_jw_set(o, "why", lk_jw_text(w, e->why ? e->why : "waits for"));
        lk_jw_set(o, "read", lk_jw_text(w, lk_words_read(e->read)));
        lk_jw_set(o, "inferred", json_boolean(e->inferred));
        lk_jw_append(list, o);
    }
    return list;
}

static json_t *held_up(struct lk_jw *w, const struct lk_finding *f)
{
    json_t *o = lk_json_object();
    lk_jw_set(o, "requests", lk_jw_known_number(w, f->held_requests, LK_GAP_HELD));
    lk_jw_set(o, "tasks", lk_jw_known_number(w, f->held_tasks, LK_GAP_HELD));
    return o;
}

static json_t *rule_docs(struct lk_jw *w, const struct lk_rule *r)
{
    size_t n = 0;
    while (r && n < LK_ARRAY_LEN(r->docs) && r->docs[n])
        n++;
    return lk_jw_texts(w, r ? r->docs : NULL, n);
}

static json_t *finding_json(struct lk_jw *w, const struct lk_finding *f)
{
    json_t *o = lk_json_object(), *culprits = lk_json_array();
    for (size_t i = 0; i < f->culprits.n && (w->all || i < LK_VIEW_LIST_MAX); i++)
        lk_jw_append(culprits, culprit_json(w, &f->culprits.v[i]));
    lk_jw_set(o, "rule", lk_jw_text(w, f->rule ? f->rule->id : "?"));
    lk_jw_set(o, "name", lk_jw_text(w, f->rule ? f->rule->name : "?"));
    lk_jw_set(o, "severity", lk_jw_text(w, lk_verdict_name(f->severity)));
    lk_jw_set(o, "confidence", lk_jw_text(w, lk_confidence_name(f->confidence)));
    lk_jw_set(o, "fingerprint",
              json_stringn(f->fingerprint, strnlen(f->fingerprint, sizeof f->fingerprint)));
    lk_jw_set(o, "summary", lk_jw_text(w, f->summary ? f->summary : ""));
    lk_jw_set(o, "stuck_ms", lk_jw_known_number(w, f->stuck_ms, LK_GAP_FINDING_STUCK));
    const bool known = f->stuck_ms != LK_UNKNOWN;
    lk_jw_set(o, "stuck_known_by",
              lk_jw_text(w, known ? f->stuck_by_scheduler ? "scheduler" : "samples" : NULL));
    lk_jw_set(o, "stuck_by_connection", json_boolean(known && f->stuck_by_connection));
    lk_jw_set(o, "held_up", held_up(w, f));
    lk_jw_set_ids(w, o, "threads", &f->threads);
    lk_jw_set_ids(w, o, "loops", &f->loops);
    lk_jw_set_ids(w, o, "tasks", &f->tasks);
    lk_jw_set_ids(w, o, "locks", &f->locks);
    w->gap[LK_GAP_CULPRIT] += !f->culprits.n;
    lk_jw_set(o, "culprit",
              f->culprits.n ? lk_json_made(json_incref(json_array_get(culprits, 0))) : json_null());
    lk_jw_set(o, "culprits", culprits);
    lk_jw_set(o, "chain", chain_json(w, f));
    lk_jw_set(o, "evidence", lk_jw_texts(w, f->evidence.v, f->evidence.n));
    lk_jw_set(o, "remedy", lk_jw_text(w, lk_sentence_remedy(f)));
    lk_jw_set(o, "safe_now", lk_jw_text(w, lk_sentence_safe_now(f)));
    lk_jw_set(o, "docs", rule_docs(w, f->rule));
    return o;
}

/* ---- the report ------------------------------------------------------------------------------ */

static json_t *modules_json(struct lk_jw *w)
{
    const struct lk_python *p = &w->snap->python;
    json_t *o = lk_json_object();
    for (size_t i = 0; i < p->n_modules; i++)
        lk_jw_set(o, lk_words_safe(w->arena, p->modules[i].name),
                  lk_jw_text(w, p->modules[i].version));
    return o;
}

static json_t *python_json(struct lk_jw *w)
{
    const struct lk_python *p = &w->snap->python;
    if (!p->present)
        return json_null();
    json_t *o = lk_json_object();
    lk_jw_set(o, "version", lk_jw_known_text(w, p->version, LK_GAP_PYTHON));
    lk_jw_set(o, "build", lk_jw_known_text(w, p->build, LK_GAP_PYTHON));
    lk_jw_set(o, "free_threaded", lk_jw_known_tri(w, p->free_threaded, LK_GAP_PYTHON));
    if (p->interpreters > 1)
        lk_jw_set(o, "interpreters", json_integer(p->interpreters));
    lk_jw_set(o, "read_completely", json_boolean(p->frames_read));
    lk_jw_set(o, "modules", modules_json(w));
    return o;
}

static json_t *limited(int64_t limit)
{
    return limit == LK_UNKNOWN ? json_null() : json_boolean(limit != LK_FOREVER);
}

static json_t *limit_number(int64_t limit)
{
    return lk_jw_number(limit == LK_FOREVER ? LK_UNKNOWN : limit);
}

/* What decides nothing has no entry in limits where it is not known. */
static json_t *environment_json(struct lk_jw *w)
{
    const struct lk_surroundings *e = &w->snap->around;
    json_t *o = lk_json_object();
    lk_jw_set(o, "kernel", lk_jw_text(w, e->kernel));
    lk_jw_set(o, "load", lk_jw_text(w, e->load));
    lk_jw_set(o, "machine_up_ms", lk_jw_number(e->machine_up_ms));
    lk_jw_set(o, "process_up_ms", lk_jw_number(e->process_up_ms));
    lk_jw_set(o, "processors", lk_jw_number(e->processors));
    lk_jw_set(o, "memory_limited", limited(e->memory_max));
    lk_jw_set(o, "memory_max", limit_number(e->memory_max));
    lk_jw_set(o, "memory_used", limit_number(e->memory_used));
    lk_jw_set(o, "cpu_limited", limited(e->cpu_thousandths));
    lk_jw_set(o, "cpu_max_thousandths", limit_number(e->cpu_thousandths));
    return o;
}

static json_t *children_json(struct lk_jw *w)
{
    json_t *list = lk_json_array();
    for (size_t i = 0; i < w->snap->children.n; i++) {
        const struct lk_child *c = &w->snap->children.v[i];
        json_t *o = lk_json_object();
        lk_jw_set(o, "pid", json_integer(c->pid));
        lk_jw_set(o, "comm", lk_jw_known_text(w, c->comm, LK_GAP_CHILD));
        lk_jw_set(o, "threads", lk_jw_known_number(w, c->threads, LK_GAP_CHILD));
        lk_jw_append(list, o);
    }
    return list;
}

static json_t *processes_waited_for(struct lk_jw *w)
{
    json_t *list = lk_json_array();
    for (size_t i = 0; i < w->snap->cross_waits.n && i < LK_VIEW_LIST_MAX; i++)
        lk_jw_append(list, json_integer(w->snap->cross_waits.v[i].pid));
    return list;
}

static void set_supervisor(struct lk_jw *w, json_t *o, const struct lk_supervisor *v)
{
    lk_jw_set(o, "supervisor", lk_jw_text(w, v ? v->name : NULL));
    lk_jw_set(o, "supervisor_kind", lk_jw_text(w, v ? lk_words_supervisor_kind(v->kind) : NULL));
    lk_jw_set(o, "supervisor_of", lk_jw_text(w, v ? v->child : NULL));
}

/* The test that pytest says it runs, of whose environment nothing else is kept. */
static json_t *test_json(struct lk_jw *w)
{
    if (!w->snap->test_env)
        return json_null();
    json_t *o = lk_json_object();
    lk_jw_set(o, "name", lk_jw_text(w, w->snap->test_env));
    lk_jw_set(o, "set_by_itself", json_boolean(w->snap->test_env_own));
    return o;
}

static json_t *target_json(struct lk_jw *w)
{
    const struct lk_snapshot *s = w->snap;
    json_t *o = lk_json_object();
    lk_jw_set(o, "pid", json_integer(s->pid));
    lk_jw_set(o, "ppid", lk_jw_number(s->ppid > 0 ? s->ppid : LK_UNKNOWN));
    lk_jw_set(o, "comm", lk_jw_known_text(w, s->comm, LK_GAP_TARGET));
    lk_jw_set(o, "exe", lk_jw_known_text(w, s->exe, LK_GAP_TARGET));
    lk_jw_set(o, "cmdline", lk_jw_texts(w, (const char *const *)s->cmdline, s->n_cmdline));
    lk_jw_set(o, "cwd", lk_jw_known_text(w, s->cwd, LK_GAP_TARGET));
    lk_jw_set(o, "uid", lk_jw_known_number(w, s->uid, LK_GAP_TARGET));
    lk_jw_set(o, "host", lk_jw_known_text(w, s->host, LK_GAP_TARGET));
    lk_jw_set(o, "boot_id", lk_jw_known_text(w, s->boot_id, LK_GAP_TARGET));
    lk_jw_set(o, "start_time", lk_jw_known_text(w, s->start_time, LK_GAP_TARGET));
    lk_jw_set(o, "container", lk_jw_text(w, s->container));
    lk_jw_set(o, "unit", lk_jw_text(w, s->unit));
    set_supervisor(w, o, s->supervisor);
    lk_jw_set(o, "runtime", lk_jw_text(w, lk_runtime_name(s->runtime)));
    lk_jw_set(o, "threads", json_integer((json_int_t)lk_snapshot_count(s, LK_KIND_THREAD)));
    lk_jw_set(o, "children", children_json(w));
    lk_jw_set(o, "python", python_json(w));
    lk_jw_set(o, "examined", json_boolean(!s->not_examined));
    lk_jw_set(o, "pytest", test_json(w));
    lk_jw_set(o, "waits_for_processes", processes_waited_for(w));
    lk_jw_set(o, "environment", environment_json(w));
    return o;
}

static json_t *sample_json(struct lk_jw *w, const struct lk_sample *sample,
                           const struct lk_map *tids)
{
    json_t *o = lk_json_object(), *moved = lk_json_array();
    size_t written = 0;
    uint64_t at;
    for (size_t i = 0; i < sample->n_moved && (w->all || written < LK_VIEW_LIST_MAX); i++) {
        /* A thread that has ended since is in no list of the last sample. */
        if (!lk_map_get(tids, (uint64_t)sample->moved_tids[i], &at) ||
            !lk_fold_shown(w->view, lk_ref_make(LK_KIND_THREAD, at)))
            continue;
        lk_jw_append(moved, lk_jw_id(w, lk_ref_make(LK_KIND_THREAD, at)));
        written++;
    }
    lk_jw_set(o, "at_ms", lk_jw_known_number(w, sample->at_ms, LK_GAP_SAMPLE));
    lk_jw_set(o, "pause_us", lk_jw_known_number(w, sample->pause_us, LK_GAP_SAMPLE));
    lk_jw_set(o, "stopped", lk_jw_known_number(w, sample->stopped, LK_GAP_SAMPLE));
    lk_jw_set(o, "asleep", lk_jw_known_number(w, sample->asleep, LK_GAP_SAMPLE));
    lk_jw_set(o, "moved", moved);
    if (written < sample->n_moved)
        lk_jw_set(o, "moved_folded", json_integer((json_int_t)(sample->n_moved - written)));
    return o;
}

static void write_samples(struct lk_jw *w)
{
    struct lk_map tids = { 0 };
    for (size_t i = 0; i < w->snap->threads.n; i++)
        lk_map_put(&tids, (uint64_t)w->snap->threads.v[i].tid, i);
    lk_jw_key(w, "samples");
    lk_jw_open_level(w, '[');
    for (size_t i = 0; i < w->snap->samples.n; i++) {
        lk_jw_item(w);
        lk_jw_dump(w, sample_json(w, &w->snap->samples.v[i], &tids));
    }
    lk_jw_close_level(w, ']');
    lk_map_deinit(&tids);
}

/* Numbers of 64 bits are no JSON numbers: an address is a text. */
static json_t *limit_json(struct lk_jw *w, const struct lk_limit *l, json_t *text, bool gap)
{
    const struct lk_failed_read *r = &l->read;
    const bool memory = r->size > 0;
    json_t *o = lk_json_object();
    lk_jw_set(o, "text", lk_json_made(json_incref(text)));
    lk_jw_set(o, "entity", lk_jw_id(w, l->entity));
    lk_jw_set(o, "address",
              lk_jw_text(w, memory ? lk_arena_printf(w->arena, "0x%" PRIx64, r->addr) : NULL));
    lk_jw_set(o, "size",
              memory ? json_integer((json_int_t)LK_MIN(r->size, (uint64_t)INT64_MAX))
                     : json_null());
    lk_jw_set(o, "errno",
              lk_jw_text(w, r->os_errno ? lk_words_errno(w->arena, r->os_errno) : NULL));
    lk_jw_set(o, "reading", lk_jw_text(w, r->reading));
    lk_jw_set(o, "of_null_values", json_boolean(gap));
    return o;
}

static void write_limits(struct lk_jw *w)
{
    const struct lk_snapshot *s = w->snap;
    json_t *list = lk_json_array();
    for (size_t i = 0; i < s->limits.n; i++)
        lk_jw_append(list, lk_jw_text(w, s->limits.v[i].text));
    lk_jw_append_gaps(w, list);
    /* Element by element: what is known of each. Of a gap there is only its text. */
    json_t *details = lk_json_array();
    static const struct lk_limit gap;
    for (size_t i = 0; i < json_array_size(list); i++)
        lk_jw_append(details, limit_json(w, i < s->limits.n ? &s->limits.v[i] : &gap,
                                         json_array_get(list, i), i >= s->limits.n));
    lk_jw_member(w, "limits", list);
    lk_jw_member(w, "limit_details", details);
}

static json_t *ruled_out_json(struct lk_jw *w, const struct lk_findings *f)
{
    json_t *list = lk_json_array();
    for (size_t i = 0; i < f->ruled_out.n; i++) {
        const struct lk_ruled_out *r = &f->ruled_out.v[i];
        json_t *o = lk_json_object();
        lk_jw_set(o, "rule", lk_jw_text(w, r->rule ? r->rule->id : "?"));
        lk_jw_set(o, "name", lk_jw_text(w, r->rule ? r->rule->name : "?"));
        lk_jw_set_ids(w, o, "parties", &r->parties);
        lk_jw_set(o, "why", lk_jw_text(w, r->why));
        lk_jw_append(list, o);
    }
    return list;
}

static json_t *tool_json(struct lk_jw *w)
{
    json_t *o = lk_json_object();
    lk_jw_set(o, "name", lk_jw_text(w, "loopknot"));
    lk_jw_set(o, "version", lk_jw_text(w, lk_tool_version()));
    return o;
}

static void drop_frames(void *arg, size_t size)
{
    struct lk_map *frames = arg;
    (void)size;
    for (size_t i = 0; i < frames->cap; i++)
        if (frames->used[i])
            json_decref((json_t *)(uintptr_t)frames->values[i]);
    lk_map_deinit(frames);
}

static void write_report(FILE *out, int depth, const struct lk_report *r, const char *prefix,
                         const struct lk_render *how)
{
    struct lk_jw w = { .out = out,
                       .snap = r->snap,
                       .prefix = prefix,
                       .all = how->all,
                       .depth = depth,
                       .arena = lk_arena_create() };
    const bool unknown = r->findings->verdict == LK_VERDICT_UNKNOWN;
    w.frames = lk_arena_alloc(w.arena, sizeof *w.frames);
    lk_hold(w.frames, 0, drop_frames);
    w.view = lk_fold_create(w.arena, r, how->all ? SIZE_MAX : FOLD_ABOVE);
    lk_jw_open_level(&w, '{');
    lk_jw_member(&w, "schema", lk_jw_text(&w, LK_JSON_SCHEMA));
    lk_jw_member(&w, "tool", tool_json(&w));
    lk_jw_member(&w, "taken_at", lk_jw_known_text(&w, r->snap->taken_at, LK_GAP_TARGET));
    lk_jw_member(&w, "target", target_json(&w));
    lk_jw_member(&w, "verdict", lk_jw_text(&w, lk_verdict_name(r->findings->verdict)));
    lk_jw_member(
        &w, "verdict_why",
        lk_jw_text(&w, unknown ? lk_sentence_why_unknown(w.arena, r) : r->findings->verdict_why));
    lk_jw_member(&w, "withheld", lk_jw_text(&w, r->snap->withheld));
    lk_jw_member(&w, "times_may_be_longer", json_boolean(lk_sentence_may_be_longer(r->snap)));
    lk_jw_member(&w, "ended_by_run", lk_jw_text(&w, lk_words_stood_still(r->snap->stood_still)));
    lk_jw_member(&w, "stalled_after_ms", json_integer(r->snap->stalled_after_ms));
    lk_jw_member(&w, "watched_ms", json_integer(r->snap->watched_ms));
    lk_jw_member(&w, "one_moment", json_boolean(r->snap->one_moment));
    lk_jw_key(&w, "findings");
    lk_jw_open_level(&w, '[');
    for (size_t i = 0; i < r->findings->list.n; i++) {
        lk_jw_item(&w);
        lk_jw_dump(&w, finding_json(&w, &r->findings->list.v[i]));
    }
    lk_jw_close_level(&w, ']');
    lk_jw_member(&w, "ruled_out", ruled_out_json(&w, r->findings));
    write_samples(&w);
    lk_json_entities(&w);
    write_limits(&w);
    lk_jw_close_level(&w, '}');
    lk_let_go(w.frames, drop_frames);
    drop_frames(w.frames, 0);
    lk_arena_destroy(w.arena);
}

/* Processes in the same state for the same reason, as lk_process_groups_create folds them. */
static json_t *groups_json(struct lk_jw *w, const struct lk_report *reports, size_t n)
{
    const struct lk_process_groups set = lk_process_groups_create(w->arena, reports, n, false);
    json_t *list = lk_json_array();
    for (size_t i = 0; i < set.n_groups; i++) {
        const struct lk_process_groups_group *g = &set.groups[i];
        const struct lk_findings *fs = reports[g->members[0]].findings;
        json_t *o = lk_json_object(), *pids = lk_json_array(), *prints = lk_json_array();
        for (size_t k = 0; k < g->n; k++)
            lk_jw_append(pids, json_integer(reports[g->members[k]].snap->pid));
        for (size_t k = 0; k < fs->list.n; k++)
            lk_jw_append(prints, lk_jw_text(w, fs->list.v[k].fingerprint));
        lk_jw_set(o, "verdict", lk_jw_text(w, lk_verdict_name(fs->verdict)));
        lk_jw_set(o, "role", lk_jw_text(w, g->role));
        lk_jw_set(o, "pids", pids);
        lk_jw_set(o, "fingerprints", prints);
        lk_jw_append(list, o);
    }
    return list;
}

static void write_set(FILE *out, const struct lk_report *reports, size_t n,
                      const struct lk_render *how)
{
    struct lk_jw w = { .out = out, .prefix = "", .arena = lk_arena_create() };
    lk_jw_open_level(&w, '{');
    lk_jw_member(&w, "schema", lk_jw_text(&w, LK_JSON_SET_SCHEMA));
    lk_jw_member(&w, "verdict", lk_jw_text(&w, lk_verdict_name(lk_sentence_worst(reports, n))));
    lk_jw_key(&w, "reports");
    lk_jw_open_level(&w, '[');
    const size_t *order = lk_process_order(w.arena, reports, n);
    for (size_t i = 0; i < n; i++) {
        const struct lk_report *r = &reports[order[i]];
        char prefix[32];
        snprintf(prefix, sizeof prefix, "%" PRId64 "/", r->snap->pid);
        lk_jw_item(&w);
        write_report(out, w.depth, r, prefix, how);
    }
    lk_jw_close_level(&w, ']');
    lk_jw_member(&w, "groups", groups_json(&w, reports, n));
    lk_jw_close_level(&w, '}');
    lk_arena_destroy(w.arena);
}

bool lk_json_write(const struct lk_report *reports, size_t n, bool as_set,
                   const struct lk_render *how, FILE *out)
{
    if (as_set || n != 1)
        write_set(out, reports, n, how);
    else
        write_report(out, 0, &reports[0], "", how);
    putc('\n', out);
    return fflush(out) == 0 && !ferror(out);
}
