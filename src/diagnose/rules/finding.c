/*
 * Making a finding: its parts, culprits, chain and evidence, what it holds up, its fingerprint, and
 * the caps that its confidence sets on its severity. Facts: where signal.alarm may end a wait
 * (CPython Modules/_threadmodule.c acquire_timed runs handlers) no wait of the main thread is
 * proven.
 */
#include "diagnose/rules/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/native_code.h"
#include "diagnose/rules/requests.h"
#include "diagnose/rules/rule_words.h"
#include "util/map.h"
#include "util/text.h"

enum { MAX_TOLD = 24 }; /* edges of a chain that are also told as evidence */

/* ---- culprits ------------------------------------------------------------------------ */

struct lk_culprit lk_culprit_of_frame(const struct lk_pyframe *p, int64_t tid, const char *task)
{
    struct lk_culprit k = { .tid = tid, .task = task };
    if (p && p->code) {
        k.function = p->code->function;
        k.file = p->code->file;
        k.line = p->line;
        k.source = p->source;
        k.context = p->context;
    }
    return k;
}

static struct lk_culprit native_culprit(const struct lk_rule_context *c, const struct lk_thread *t)
{
    const struct lk_natframe *f = lk_native_culprit(t->native_stack, c->snap->exe);
    struct lk_culprit k = { .tid = t->tid };
    if (f) {
        k.function = f->function;
        k.file = f->file;
        k.line = f->line;
        k.source = f->source;
        k.module = f->module;
        k.offset = f->offset;
    }
    return k;
}

static bool is_native(const struct lk_thread *t)
{
    return t->native_stack && t->native_stack->n && !(t->python_stack && t->python_stack->n);
}

struct lk_culprit lk_culprit_of(const struct lk_rule_context *c, struct lk_ref r)
{
    const struct lk_thread *t = lk_thread_at(c->snap, r);
    const struct lk_task *k = lk_task_at(c->snap, r);
    if (k) {
        const struct lk_pyframe *p = lk_culprit_frame(k->stack, NULL);
        if (!p && k->stack && k->stack->n)
            p = &k->stack->frames[0];
        struct lk_culprit ret = lk_culprit_of_frame(p, LK_UNKNOWN, k->id);
        if (!p)
            ret.function = k->coroutine;
        return ret;
    }
    if (!t)
        return (struct lk_culprit){ .tid = LK_UNKNOWN };
    const struct lk_pyframe *p = lk_culprit_frame(t->python_stack, NULL);
    /* All of it is the standard library: the native stack, the coroutine that gave it the work, or
     * else the innermost frame, says where. */
    if (!p && is_native(t))
        return native_culprit(c, t);
    const struct lk_ref task = p ? lk_ref_make(LK_KIND_NONE, 0) : lk_task_behind(c, r);
    if (task.kind == LK_KIND_TASK)
        return lk_culprit_of(c, task);
    if (!p && t->python_stack && t->python_stack->n)
        p = &t->python_stack->frames[0];
    return lk_culprit_of_frame(p, t->tid, NULL);
}

static bool same_culprit(const struct lk_culprit *a, const struct lk_culprit *b)
{
    return a->tid == b->tid && lk_same_text(a->task, b->task) && a->line == b->line &&
           lk_same_text(a->function, b->function) && lk_same_text(a->file, b->file);
}

void lk_finding_blame(struct lk_finding *f, struct lk_culprit p)
{
    for (size_t i = 0; i < f->culprits.n; i++)
        if (same_culprit(&f->culprits.v[i], &p))
            return;
    if (f->culprits.n < LK_MAX_CULPRITS)
        lk_vec_add(&f->culprits, p);
}

bool lk_is_project(const struct lk_rule_context *c, struct lk_ref r)
{
    const struct lk_thread *t = lk_thread_at(c->snap, r);
    if (t && is_native(t))
        return lk_native_code_of(lk_native_culprit(t->native_stack, c->snap->exe), c->snap->exe) ==
               LK_NATIVE_PROJECT;
    const struct lk_pyframe *p = lk_culprit_frame(lk_stack_of(c->snap, r), NULL);
    return p && p->code->cls == LK_CODE_USER && !p->code->site;
}

void lk_finding_blame_chain(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref who,
                            const struct lk_edge *chain, size_t n, bool only)
{
    for (int project = 1; project >= 0 && (project || !only || !f->culprits.n); project--)
        for (size_t i = n + 1; i-- > 0;) {
            const struct lk_ref r = i ? chain[i - 1].to : who;
            if (lk_is_project(c, r) == project)
                lk_finding_part(c, f, r, !only || project || !f->culprits.n);
        }
}

/* ---- findings ------------------------------------------------------------------------ */

struct lk_finding lk_finding_start(const struct lk_rule_context *c, enum lk_rule_id rule)
{
    struct lk_finding f = { .rule = &c->rules[rule],
                            .severity = LK_HAZARD,
                            .confidence = LK_PROVEN,
                            .stuck_ms = LK_UNKNOWN };
    f.remedy = f.rule->remedy;
    return f;
}

/* Where a finding lists entities of each kind; 0 where it does not. */
static const size_t list_offset[] = {
    [LK_KIND_THREAD] = offsetof(struct lk_finding, threads),
    [LK_KIND_LOOP] = offsetof(struct lk_finding, loops),
    [LK_KIND_TASK] = offsetof(struct lk_finding, tasks),
    [LK_KIND_LOCK] = offsetof(struct lk_finding, locks),
    [LK_KIND_EXTERN] = 0,
};

static void list_part(struct lk_rule_context *c, struct lk_refs *list, struct lk_ref r)
{
    if (list->n >= LK_MAX_LISTED || !lk_ref_id(c->snap, r) || lk_refs_has(list, r))
        return;
    if (!list->v) {
        list->v = lk_arena_array(c->out->arena, LK_MAX_LISTED, sizeof *list->v);
        list->cap = LK_MAX_LISTED;
    }
    list->v[list->n++] = r;
}

void lk_finding_part(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref r, bool blame)
{
    if ((size_t)r.kind < LK_ARRAY_LEN(list_offset) && list_offset[r.kind])
        list_part(c, (struct lk_refs *)(void *)((char *)f + list_offset[r.kind]), r);
    /* A task whose step is on a thread's stack is that thread's doing: it is no participant of its
     * own. */
    const struct lk_task *k = lk_task_at(c->snap, r);
    bool on_thread = k && k->state == LK_TASK_RUNNING && lk_thread_at(c->snap, k->run_by);
    if (blame && !on_thread && (r.kind == LK_KIND_THREAD || r.kind == LK_KIND_TASK))
        lk_finding_blame(f, lk_culprit_of(c, r));
}

void lk_finding_doubt(struct lk_finding *f, enum lk_confidence most)
{
    f->confidence = LK_MIN(f->confidence, most);
}

void lk_finding_doubt_absence(struct lk_rule_context *c, struct lk_finding *f,
                              enum lk_confidence most)
{
    if (!lk_tasks_may_be_missing(c))
        return;
    lk_finding_doubt(f, most);
    lk_finding_say(c, f,
                   "the list of tasks could not be read to the end: one that was not read may end "
                   "the wait");
}

void lk_finding_say(struct lk_rule_context *c, struct lk_finding *f, const char *fmt, ...)
{
    char text[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    lk_vec_add(&f->evidence, lk_arena_strdup(c->out->arena, text));
}

static const char *read_words(const struct lk_edge *e)
{
    switch (e->read) {
    case LK_READ_STOPPED: return "read while its thread was stopped";
    case LK_READ_ASLEEP: return "read while its thread slept, the same before and after";
    case LK_READ_RACY: break;
    }
    return "read while its thread ran: not certain";
}

/* An edge that lowers the confidence is told by itself; of the others the chain tells, and how they
 * were read is said once. */
static bool is_plain(const struct lk_edge *e)
{
    return e->read != LK_READ_RACY && e->stable && !e->inferred;
}

static void say_edge(struct lk_rule_context *c, struct lk_finding *f, const struct lk_edge *e)
{
    lk_finding_say(c, f, "%s: %s %s (%s%s%s)", lk_name(c, e->from), lk_or_else(e->why, "waits for"),
                   lk_name(c, e->to), read_words(e),
                   e->stable ? ", unchanged in all samples" : ", not the same in all samples",
                   e->inferred ? "; inferred from the code" : "");
}

static void say_plain(struct lk_rule_context *c, struct lk_finding *f, size_t stopped,
                      size_t asleep, size_t n)
{
    const char *links = stopped + asleep == n ? (n == 1 ? "the link" : "all links")
                                              : lk_count(c, (int64_t)(stopped + asleep), "link");
    const char *verb = stopped + asleep == 1 ? "was" : "were";
    if (stopped + asleep && c->snap->one_moment)
        lk_finding_say(c, f, "%s of the chain %s there in the core dump's one moment", links, verb);
    else if (stopped + asleep)
        lk_finding_say(c, f, "%s of the chain %s read while %s, and %s the same in all samples",
                       links, verb,
                       !stopped  ? "the thread slept, which it did before and after"
                       : !asleep ? "the thread was stopped"
                                 : "the thread slept or was stopped",
                       verb);
}

/*
 * signal.alarm() with a handler that raises is how code bounds what it does in the main thread, and
 * handlers run in that thread also while it waits for a lock (Modules/_threadmodule.c
 * acquire_timed). Nothing in /proc tells whether an alarm is set.
 */
static void doubt_for_alarm(struct lk_rule_context *c, struct lk_finding *f,
                            const struct lk_edge *edges, size_t n)
{
    for (size_t i = 0; i < n && c->snap->handles_alarm == LK_YES; i++) {
        const struct lk_thread *t = lk_thread_at(c->snap, edges[i].from);
        if (!t || !t->main)
            continue;
        lk_finding_doubt(f, LK_PROBABLE);
        lk_finding_say(c, f,
                       "the process handles SIGALRM: an alarm whose handler raises would end the "
                       "main thread's wait, and "
                       "whether one is set cannot be read from outside");
        return;
    }
}

void lk_finding_chain(struct lk_rule_context *c, struct lk_finding *f, const struct lk_edge *edges,
                      size_t n)
{
    size_t stopped = 0, asleep = 0, told = 0;
    doubt_for_alarm(c, f, edges, n);
    for (size_t i = 0; i < n; i++) {
        const struct lk_edge *e = &edges[i];
        if (e->read == LK_READ_RACY || !e->stable)
            lk_finding_doubt(f, LK_POSSIBLE);
        else if (e->inferred)
            lk_finding_doubt(f, LK_PROBABLE);
        if (is_plain(e))
            *(e->read == LK_READ_STOPPED ? &stopped : &asleep) += 1;
        else if (told++ < MAX_TOLD)
            say_edge(c, f, e);
        if (f->chain.n >= LK_MAX_CHAIN)
            continue;
        struct lk_edge copy = *e;
        copy.why = lk_arena_strdup(c->out->arena, lk_or_else(e->why, "waits for"));
        lk_vec_add(&f->chain, copy);
    }
    say_plain(c, f, stopped, asleep, n);
}

void lk_finding_since_task(const struct lk_rule_context *c, struct lk_finding *f,
                           const struct lk_task *k)
{
    int64_t ms = lk_task_stuck(c, k);
    if (ms < 0 || (f->stuck_ms != LK_UNKNOWN && f->stuck_ms <= ms))
        return;
    f->stuck_ms = ms;
    f->stuck_by_scheduler = false;
    f->stuck_by_connection = ms > k->stuck_ms;
}

void lk_finding_since(const struct lk_rule_context *c, struct lk_finding *f,
                      const struct lk_thread *t)
{
    int64_t ms = t ? lk_stuck(c, t) : -1;
    if (ms < 0 || (f->stuck_ms != LK_UNKNOWN && f->stuck_ms <= ms))
        return;
    f->stuck_ms = ms;
    f->stuck_by_scheduler = t->stuck_by_scheduler;
}

static void mark_node(struct lk_rule_context *c, struct lk_ref r)
{
    const struct lk_node *n = lk_graph_node(c->graph, r);
    if (n)
        c->mark[n - c->graph->nodes] = true;
}

static bool is_explained(const struct lk_rule_context *c, struct lk_ref r)
{
    return r.kind == LK_KIND_THREAD ? c->explained[r.index]
                                    : r.kind == LK_KIND_TASK && c->explained_tasks[r.index];
}

/*
 * What waits for any one of several, a worker or a unit of a pool, is held up by none of them
 * alone: it is told with the last of them.
 */
static void mark_held_together(struct lk_rule_context *c, const struct lk_ref *roots, size_t n)
{
    const struct lk_graph *g = c->graph;
    struct lk_ref *all = lk_xcalloc(g->n_nodes + n, sizeof *all);
    size_t told = 0;
    for (size_t i = 0; i < g->n_nodes; i++)
        if (is_explained(c, g->nodes[i].ref))
            all[told++] = g->nodes[i].ref;
    if (told) {
        bool *before = lk_xcalloc(g->n_nodes, sizeof *before),
             *together = lk_xcalloc(g->n_nodes, sizeof *together);
        lk_graph_held_up_by(g, all, told, before);
        memcpy(all + told, roots, n * sizeof *roots);
        lk_graph_held_up_by(g, all, told + n, together);
        for (size_t i = 0; i < g->n_nodes; i++)
            c->mark[i] |= together[i] && !before[i];
        lk_free(before);
        lk_free(together);
    }
    lk_free(all);
}

void lk_finding_held_by(struct lk_rule_context *c, struct lk_finding *f, const struct lk_ref *roots,
                        size_t n)
{
    const struct lk_snapshot *s = c->snap;
    const struct lk_graph *g = c->graph;
    lk_graph_held_up_by(g, roots, n, c->mark);
    mark_held_together(c, roots, n);
    for (size_t i = 0; i < n; i++)
        mark_node(c, roots[i]);
    for (size_t i = 0; i < f->threads.n; i++)
        mark_node(c, f->threads.v[i]);
    f->held_requests = f->held_tasks = 0;
    for (size_t i = 0; i < s->threads.n; i++)
        f->held_requests +=
            c->mark[g->first[LK_KIND_THREAD] + i] && lk_is_request_thread(s, &s->threads.v[i]);
    for (size_t i = 0; i < s->tasks.n; i++) {
        if (!c->mark[g->first[LK_KIND_TASK] + i])
            continue;
        f->held_tasks += s->tasks.v[i].state == LK_TASK_PENDING && !s->tasks.v[i].inner;
        f->held_requests += lk_is_request_task(s, &s->tasks.v[i]);
    }
    for (size_t i = 0; i < s->executors.n; i++)
        f->held_requests += lk_queued_requests(c, lk_ref_make(LK_KIND_EXECUTOR, i));
}

void lk_finding_held(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref root)
{
    lk_finding_held_by(c, f, &root, 1);
}

/*
 * What a place's module is called wherever it is installed: "app" for /srv/app.py, "shop" for
 * /srv/shop/__init__.py (and __main__.py), "_speedups" for a library of any Python, version and
 * machine.
 */
static uint64_t hash_module(uint64_t h, const char *path)
{
    const char *name = lk_base_name(path);
    if (lk_starts_with(name, "__init__.") || lk_starts_with(name, "__main__.")) {
        const char *end = name > path ? name - 1 : path, *folder = end;
        while (folder > path && folder[-1] != '/')
            folder--;
        return lk_hash(h, folder, (size_t)(end - folder));
    }
    static const char *const suffixes[] = { ".py", ".so", ".cpython-", ".abi3." };
    size_t n = strlen(name);
    for (size_t i = 0; i < LK_ARRAY_LEN(suffixes); i++) {
        const char *at = strstr(name, suffixes[i]);
        if (at && at > name)
            n = LK_MIN(n, (size_t)(at - name));
    }
    return lk_hash(h, name, n);
}

/* Equal for the same hang in another run, on another machine, after an edit elsewhere: of the rule
 * and the functions and modules of the chain's parties, in whatever order and number; neither
 * threads, addresses, lines nor folders count. */
static void make_fingerprint(struct lk_finding *f)
{
    uint64_t sum = 0, seen[LK_MAX_CULPRITS];
    size_t n = 0;
    for (size_t i = 0; i < f->culprits.n; i++) {
        const struct lk_culprit *p = &f->culprits.v[i];
        uint64_t h = lk_hash_str(LK_HASH_INIT, lk_or_else(p->function, ""));
        h = hash_module(h, lk_or_else(p->file, lk_or_else(p->module, "")));
        bool again = false;
        for (size_t k = 0; k < n; k++)
            again |= seen[k] == h;
        if (again)
            continue;
        seen[n++] = h;
        sum += h;
    }
    uint64_t h = lk_hash_u64(lk_hash_str(LK_HASH_INIT, f->rule->id), sum);
    snprintf(f->fingerprint, sizeof f->fingerprint, "%016llx", (unsigned long long)h);
}

/* By whom it is blamed already; NULL. */
static const struct lk_rule *blamed_before(const struct lk_rule_context *c,
                                           const struct lk_culprit *p)
{
    for (size_t i = 0; i < c->out->list.n; i++) {
        const struct lk_finding *f = &c->out->list.v[i];
        for (size_t k = 0; k < f->culprits.n; k++)
            if (same_culprit(&f->culprits.v[k], p))
                return f->rule;
    }
    return NULL;
}

/* Waits of the same kind for the same reason are one near miss. */
static struct lk_ruled_out *near_miss(struct lk_rule_context *c, const struct lk_rule *rule,
                                      const char *why)
{
    enum { MOST = 50 };
    for (size_t i = 0; i < c->out->ruled_out.n; i++) {
        struct lk_ruled_out *r = &c->out->ruled_out.v[i];
        if (r->rule == rule && strcmp(r->why, why) == 0)
            return r;
    }
    if (c->out->ruled_out.n == MOST)
        return NULL;
    struct lk_ruled_out *r = lk_vec_push(&c->out->ruled_out);
    r->rule = rule;
    r->why = why;
    return r;
}

void lk_rule_out(struct lk_rule_context *c, enum lk_rule_id rule, const struct lk_ref *who,
                 size_t n, const char *why)
{
    struct lk_ruled_out *r = near_miss(c, &c->rules[rule], why);
    for (size_t i = 0; r && i < n; i++)
        list_part(c, &r->parties, who[i]);
}

static bool adds_a_culprit(const struct lk_rule_context *c, const struct lk_finding *f)
{
    if (!f->culprits.n || !c->out->list.n)
        return true;
    for (size_t i = 0; i < f->culprits.n; i++)
        if (!blamed_before(c, &f->culprits.v[i]))
            return true;
    return false;
}

void lk_finding_drop(struct lk_finding *f)
{
    lk_free(f->culprits.v);
    lk_free(f->chain.v);
    lk_free(f->evidence.v);
}

/* A finding of less may stand where one of more lacked just what could not be read of a thread. */
static void doubt_for_unread(struct lk_rule_context *c, struct lk_finding *f)
{
    if (c->snap->ran_out)
        lk_finding_doubt(f, LK_POSSIBLE);
    for (size_t i = 0; i < f->threads.n; i++) {
        const struct lk_thread *t = lk_thread_at(c->snap, f->threads.v[i]);
        if (!t || !lk_wait_is_unread(t))
            continue;
        lk_finding_doubt(f, LK_POSSIBLE);
        lk_finding_say(c, f, "the call that %s sleeps in could not be read: %s",
                       lk_name(c, f->threads.v[i]), strerror(t->unread));
        return;
    }
}

/* What one moment shows may be over in the next; that it stands still is not said of it. */
static void judge_moment(struct lk_rule_context *c, struct lk_finding *f, enum lk_verdict lasting)
{
    f->stuck_ms = LK_UNKNOWN;
    if (f->severity > LK_STALLED || lasting != LK_STALLED)
        return;
    f->severity = LK_HAZARD;
    lk_finding_say(c, f, "whether it lasts is not known: a core dump is one moment");
    if (!f->rule->slow && !c->passing)
        c->passing = f->summary;
}

bool lk_finding_file(struct lk_rule_context *c, struct lk_finding *f)
{
    static const enum lk_verdict most[] = {
        [LK_POSSIBLE] = LK_HAZARD, [LK_PROBABLE] = LK_STALLED, [LK_PROVEN] = LK_DEADLOCK
    };
    if (!f->alone)
        doubt_for_unread(c, f);
    enum lk_verdict ceiling = f->nothing_left ? LK_DEADLOCK : f->rule->ceiling;
    const enum lk_verdict lasting = LK_MIN(f->severity, ceiling);
    f->severity = LK_MIN(lasting, most[f->confidence]);
    if (c->snap->one_moment)
        judge_moment(c, f, lasting);
    if (!f->alone && !adds_a_culprit(c, f)) {
        const struct lk_refs *who = f->threads.n ? &f->threads : &f->tasks;
        lk_rule_out(c, (enum lk_rule_id)(f->rule - c->rules), who->v, who->n,
                    lk_print(c, "what it would blame is blamed by %s already",
                             blamed_before(c, &f->culprits.v[0])->id));
        lk_finding_drop(f);
        return false;
    }
    make_fingerprint(f);
    f->summary = lk_capitalized(c, f->summary);
    for (size_t i = 0; f->needs_time && i < f->threads.n; i++)
        lk_watch(c, f->threads.v[i]);
    lk_vec_add(&c->out->list, *f);
    return true;
}
