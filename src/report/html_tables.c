/*
 * The tables of the page: threads, tasks, loops, locks, executors, a row for each group of what is
 * alike (folding.h), with its stack below; the timeline over the samples; and waits that are no
 * finding. A row and its stack are one <tbody>, which the script sorts, filters and folds.
 */
#include "report/html_writer.h"

#include <stdlib.h>
#include <string.h>

#include "report/merged_stack.h"
#include "report/phrase.h"
#include "report/sentences.h"
#include "util/map.h"

enum {
    MAX_ROWS = 300, /* of a table, unless all are asked for: the page stays small */
    MAX_FRAMES = 60,
    MAX_NAMES = 40, /* of a group's members */
    MAX_STEPS = 8,
    MAX_TIMELINE = 60,
    SOURCE_COLUMNS = 160,
};

/* ---- stacks ---------------------------------------------------------------------------------- */

static void frame(struct lk_html *h, const struct lk_merged_frame *f)
{
    if (f->native) {
        lk_html_put(h, "<li class=\"native\">$</li>", lk_sentence_native(h->arena, f->native));
        return;
    }
    const bool user = lk_is_user_frame(f->python);
    lk_html_put(h, user ? "<li class=\"user\"><b>$</b>" : "<li>$",
                lk_sentence_frame(h->arena, f->python, 0));
    if (user && f->python->source && *f->python->source)
        lk_html_put(h, "<code>$</code>", lk_words_cut(h->arena, f->python->source, SOURCE_COLUMNS));
    const struct lk_locals *l = f->python->locals;
    lk_html_raw(h, l && l->n ? "<ul class=\"locals\">" : "");
    for (size_t i = 0; l && i < l->n; i++)
        lk_html_put(h, "<li><code>$</code></li>", lk_sentence_local(h->arena, &l->v[i]));
    lk_html_raw(h, l && l->n ? "</ul></li>" : "</li>");
}

static void stack(struct lk_html *h, const struct lk_natstack *native,
                  const struct lk_pystack *python)
{
    const struct lk_merged_stack m = lk_merged_stack(h->arena, native, python);
    const size_t n = h->how->all ? m.n : LK_MIN(m.n, (size_t)MAX_FRAMES);
    if (!m.n)
        return;
    lk_html_put(h, "<details class=\"fold\" open><summary>Stack, $</summary><ol class=\"stack\">",
                lk_words_count(h->arena, (int64_t)m.n, "frame"));
    for (size_t i = 0; i < n; i++)
        frame(h, &m.v[i]);
    if (n < m.n)
        lk_html_put(h, "<li>$ more</li>", lk_html_number(h, (int64_t)(m.n - n)));
    if (m.cut)
        lk_html_raw(h, "<li>the rest of this stack could not be read</li>");
    lk_html_raw(h, "</ol></details>");
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* One row: what the group is called, and its other cells. */
struct table {
    const char *title, *noun;
    enum lk_kind kind;
    const char *heads[5]; /* up to the first NULL */
    void (*row)(struct lk_html *h, const struct lk_group *g);
    bool (*quiet)(const struct lk_html *h, const struct lk_group *g); /* only counted; NULL none */
};

static const char *name_of(struct lk_html *h, struct lk_ref r)
{
    const struct lk_thread *t = lk_thread_at(h->report->snap, r);
    const struct lk_task *k = lk_task_at(h->report->snap, r);
    if (t)
        return lk_sentence_thread(h->arena, t);
    return k && k->name && *k->name ? k->name : lk_ref_id(h->report->snap, r);
}

/* "bg-loop [4712]"; of several how many. */
static void name_cell(struct lk_html *h, const struct table *t, const struct lk_group *g)
{
    if (g->count == 1)
        lk_html_put(h, "<th scope=\"row\">$</th>", name_of(h, lk_ref_make(t->kind, g->example)));
    else
        lk_html_put(h, "<th scope=\"row\" data-sort=\"$\">$</th>",
                    lk_html_number(h, -(int64_t)g->count),
                    lk_words_count(h->arena, (int64_t)g->count, t->noun));
}

/* Who the several are, in a row of its own. */
static void names_row(struct lk_html *h, const struct table *t, const struct lk_group *g)
{
    const struct lk_fold_kind *vk = &h->view->kinds[t->kind];
    size_t columns = 0;
    while (columns < LK_ARRAY_LEN(t->heads) && t->heads[columns])
        columns++;
    if (g->count == 1)
        return;
    lk_html_put(h,
                "</tr>\n<tr><td colspan=\"$\"><details class=\"fold\" open><summary>Which $"
                "</summary>",
                lk_html_number(h, (int64_t)columns),
                lk_words_count(h->arena, (int64_t)g->count, t->noun));
    size_t written = 0;
    for (uint32_t i = g->example; i < vk->n && (h->how->all || written < MAX_NAMES);
         i = vk->next[i], written++)
        lk_html_put(h, "$$", written ? ", " : "", name_of(h, lk_ref_make(t->kind, i)));
    if (written < g->count)
        lk_html_put(h, " and $ more", lk_words_number(h->arena, (int64_t)(g->count - written)));
    lk_html_raw(h, "</details></td>");
}

static void stuck_cell(struct lk_html *h, int64_t ms)
{
    if (ms == LK_UNKNOWN)
        lk_html_raw(h, "<td data-sort=\"-1\"></td>");
    else
        lk_html_put(h, "<td data-sort=\"$\">$</td>", lk_html_number(h, ms),
                    lk_words_duration(h->arena, ms));
}

static const char *user_place(struct lk_html *h, const struct lk_pystack *st)
{
    const char *place = lk_merged_user_frame(h->arena, st);
    return place ? place : "";
}

static void thread_row(struct lk_html *h, const struct lk_group *g)
{
    const struct lk_thread *t = &h->report->snap->threads.v[g->example];
    const char *state = lk_words_thread_state_name(lk_words_thread_state(t, g->blamed));
    lk_html_put(h, "<td><span class=\"state $\">$</span></td>", state, state);
    stuck_cell(h, t->stuck_ms);
    lk_html_put(
        h, "<td><code>$</code></td><td>$</td>", user_place(h, t->python_stack),
        g->count == 1 ? lk_sentence_thread_facts(h->arena, h->report->snap, t)
        : t->wait.call && t->wait.kind != LK_WAIT_NONE
            ? lk_arena_printf(h->arena, "each blocks in %s", lk_phrase_name(h->arena, t->wait.call))
            : "");
    lk_html_raw(h, "</tr>\n<tr><td colspan=\"5\">");
    stack(h, t->native_stack, t->python_stack);
    if (t->before_fork && t->before_fork->n) {
        lk_html_raw(h, "<p>Forked; what follows is its parent's past:</p>");
        stack(h, NULL, t->before_fork);
    }
    lk_html_raw(h, "</td>");
}

static void task_row(struct lk_html *h, const struct lk_group *g)
{
    const struct lk_snapshot *s = h->report->snap;
    const struct lk_task *k = &s->tasks.v[g->example];
    lk_html_put(h, "<td>$</td>",
                k->state == LK_TASK_CANCELLED ? "cancelled" : lk_words_task_state(k->state));
    stuck_cell(h, k->stuck_ms);
    lk_html_put(h, "<td>$<br><code>$</code></td><td>$</td>",
                lk_phrase_name(h->arena, k->coroutine && *k->coroutine ? k->coroutine : "-"),
                user_place(h, k->stack), lk_sentence_task(h->arena, s, k));
    lk_html_raw(h, "</tr>\n<tr><td colspan=\"5\">");
    if (!lk_thread_at(s, k->run_by))
        stack(h, NULL, k->stack);
    lk_html_raw(h, "</td>");
}

static void loop_row(struct lk_html *h, const struct lk_group *g)
{
    const struct lk_loop *l = &h->report->snap->loops.v[g->example];
    lk_html_put(h, "<td>$</td><td>$</td>", lk_words_loop_run(l->run),
                lk_sentence_loop(h->arena, h->report->snap, l));
}

static void executor_row(struct lk_html *h, const struct lk_group *g)
{
    const struct lk_executor *x = &h->report->snap->executors.v[g->example];
    lk_html_put(h, "<td>$</td>", lk_sentence_executor(h->arena, h->report->snap, x));
}

static void lock_row(struct lk_html *h, const struct lk_group *g)
{
    const struct lk_lock *l = &h->report->snap->locks.v[g->example];
    lk_html_put(h, "<td data-sort=\"$\">$</td><td>$</td>", lk_html_number(h, (int64_t)l->waiters.n),
                lk_html_number(h, (int64_t)l->waiters.n),
                lk_sentence_lock(h->arena, h->report->snap, l));
}

static bool is_quiet_lock(const struct lk_html *h, const struct lk_group *g)
{
    const struct lk_lock *l = &h->report->snap->locks.v[g->example];
    return !g->blamed && !l->waiters.n && !l->owners.n;
}

static const struct table tables[] = {
    { .title = "Threads",
      .noun = "thread",
      .kind = LK_KIND_THREAD,
      .heads = { "Thread", "State", "For", "Your code", "What it does" },
      .row = thread_row },
    { .title = "Tasks",
      .noun = "task",
      .kind = LK_KIND_TASK,
      .heads = { "Task", "State", "For", "Coroutine", "What it does" },
      .row = task_row },
    { .title = "Loops",
      .noun = "loop",
      .kind = LK_KIND_LOOP,
      .heads = { "Loop", "State", "What it is" },
      .row = loop_row },
    { .title = "Locks and queues",
      .noun = "lock or queue",
      .kind = LK_KIND_LOCK,
      .heads = { "Lock", "Waiters", "What it is" },
      .row = lock_row,
      .quiet = is_quiet_lock },
    { .title = "Executors",
      .noun = "executor",
      .kind = LK_KIND_EXECUTOR,
      .heads = { "Executor", "What it is" },
      .row = executor_row },
};

/* ---- tables ---------------------------------------------------------------------------------- */

static void table_head(struct lk_html *h, const struct table *t)
{
    lk_html_raw(h, "<div class=\"scroll\"><table class=\"sortable\"><thead><tr>");
    for (size_t i = 0; i < LK_ARRAY_LEN(t->heads) && t->heads[i]; i++)
        lk_html_put(h, "<th scope=\"col\">$</th>", t->heads[i]);
    lk_html_raw(h, "</tr></thead>\n");
}

/* Those that a finding names first. */
static size_t table_rows(struct lk_html *h, const struct table *t, size_t *quiet)
{
    const struct lk_fold_kind *vk = &h->view->kinds[t->kind];
    size_t rows = 0, left = 0;
    for (int blamed = 1; blamed >= 0; blamed--)
        for (size_t i = 0; i < vk->n_groups; i++) {
            const struct lk_group *g = &vk->groups[i];
            if (g->blamed != blamed)
                continue;
            if (t->quiet && !h->how->all && t->quiet(h, g)) {
                *quiet += g->count;
                continue;
            }
            if (!h->how->all && rows == MAX_ROWS) {
                left += g->count;
                continue;
            }
            lk_html_raw(h, g->blamed ? "<tbody class=\"blamed\"><tr>" : "<tbody><tr>");
            name_cell(h, t, g);
            t->row(h, g);
            names_row(h, t, g);
            lk_html_raw(h, "</tr></tbody>\n");
            rows++;
        }
    return left;
}

static void table(struct lk_html *h, const struct table *t)
{
    const size_t n = lk_snapshot_count(h->report->snap, t->kind);
    size_t quiet = 0;
    if (!n)
        return;
    lk_html_put(h, "<details class=\"section\" open><summary><h3>$ ($)</h3></summary>\n", t->title,
                lk_words_number(h->arena, (int64_t)n));
    table_head(h, t);
    const size_t left = table_rows(h, t, &quiet);
    lk_html_raw(h, "</table></div>\n");
    if (quiet)
        lk_html_put(h, "<p class=\"dim\">$ with no known holder and no waiter.</p>",
                    lk_words_number(h->arena, (int64_t)quiet));
    if (left)
        lk_html_put(h, "<p class=\"dim\">... and $ more: --all shows them.</p>",
                    lk_words_number(h->arena, (int64_t)left));
    lk_html_raw(h, "</details>\n");
}

/* ---- waits that are no finding --------------------------------------------------------------- */

/* What is idle or runs waits for nothing, what is stopped or unknown is told elsewhere. */
static bool is_wait(enum lk_thread_state s)
{
    return !lk_words_is_idle(s) && s != LK_TS_RUNNING && s != LK_TS_STOPPED && s != LK_TS_UNKNOWN;
}

/* It stands behind something that a finding names. */
static bool is_held_up(const struct lk_html *h, struct lk_ref r)
{
    for (size_t i = 0; i < MAX_STEPS && r.kind != LK_KIND_NONE; i++) {
        if (lk_fold_blamed(h->view, r))
            return true;
        r = lk_drawing_next(h->report->snap, r);
    }
    return false;
}

static const char *why_none(struct lk_html *h, const struct lk_thread *t)
{
    if (t->moved)
        return "it moved while it was watched";
    if (t->wait.timeout_ms != LK_UNKNOWN && t->wait.timeout_ms != LK_FOREVER)
        return lk_arena_printf(h->arena, "it times out in %s",
                               lk_words_duration(h->arena, t->wait.timeout_ms));
    return "what it waits for can still come: nothing was found that keeps it from that";
}

static void other_waits(struct lk_html *h)
{
    const struct lk_snapshot *s = h->report->snap;
    const struct lk_fold_kind *vk = &h->view->kinds[LK_KIND_THREAD];
    size_t rows = 0;
    for (size_t i = 0; i < vk->n_groups && rows < MAX_ROWS; i++) {
        const struct lk_group *g = &vk->groups[i];
        const struct lk_thread *t = &s->threads.v[g->example];
        const struct lk_ref r = lk_ref_make(LK_KIND_THREAD, g->example);
        if (!is_wait(lk_words_thread_state(t, false)) || is_held_up(h, r))
            continue;
        const char *place = user_place(h, t->python_stack);
        if (!rows++)
            lk_html_raw(
                h, "<details class=\"section\" open><summary><h3>Waits that are no finding</h3>"
                   "</summary><ul>\n");
        lk_html_put(
            h, *place ? "<li><b>$</b> $ <code>$</code>: $</li>\n" : "<li><b>$</b> $$: $</li>\n",
            g->count == 1 ? lk_sentence_thread(h->arena, t)
                          : lk_words_count(h->arena, (int64_t)g->count, "thread"),
            lk_words_thread_state_name(lk_words_thread_state(t, false)), place, why_none(h, t));
    }
    if (rows)
        lk_html_raw(h, "</ul></details>\n");
}

/* What a rule weighed and did not find to be so. */
static void ruled_out(struct lk_html *h)
{
    const struct lk_findings *f = h->report->findings;
    if (!f->ruled_out.n)
        return;
    lk_html_raw(h, "<details class=\"section\" open><summary><h3>Near misses that were ruled out"
                   "</h3></summary><ul>\n");
    for (size_t i = 0; i < f->ruled_out.n; i++) {
        const struct lk_ruled_out *r = &f->ruled_out.v[i];
        lk_html_put(h, "<li><b>$</b> $: $</li>\n", lk_sentence_rule(h->arena, r->rule),
                    lk_sentence_parties(h->arena, h->report->snap, r), r->why);
    }
    lk_html_raw(h, "</ul></details>\n");
}

/* ---- timeline -------------------------------------------------------------------------------- */

static bool moved_in(const struct lk_sample *m, int64_t tid)
{
    for (size_t i = 0; i < m->n_moved; i++)
        if (m->moved_tids[i] == tid)
            return true;
    return false;
}

static void timeline_head(struct lk_html *h)
{
    const struct lk_snapshot *s = h->report->snap;
    lk_html_raw(
        h, "<div class=\"scroll\"><table class=\"timeline\"><thead><tr><th scope=\"col\">Thread"
           "</th>");
    for (size_t i = 0; i < s->samples.n; i++) {
        const struct lk_sample *m = &s->samples.v[i];
        lk_html_put(h, "<th scope=\"col\">sample $<br><span class=\"dim\">at $$</span></th>",
                    lk_html_number(h, (int64_t)i + 1),
                    m->at_ms == LK_UNKNOWN ? "?" : lk_words_duration(h->arena, m->at_ms),
                    m->stopped > 0 && m->pause_us != LK_UNKNOWN
                        ? lk_arena_printf(h->arena, ", %s stopped for %.1f ms",
                                          lk_words_number(h->arena, m->stopped),
                                          (double)m->pause_us / 1000)
                        : "");
    }
    lk_html_raw(h, "</tr></thead><tbody>\n");
}

/* Of the first sample there is none before it. */
static void timeline_row(struct lk_html *h, const char *name, int64_t tid, bool known, bool blamed)
{
    const struct lk_snapshot *s = h->report->snap;
    lk_html_put(h, "<tr class=\"$\"><th scope=\"row\">$</th>", blamed ? "blamed" : "", name);
    for (size_t i = 0; i < s->samples.n; i++)
        lk_html_raw(h, !i ? "<td class=\"first\">seen</td>"
                       : known && moved_in(&s->samples.v[i], tid)
                           ? "<td class=\"moved\">moved</td>"
                           : "<td class=\"stood\">stood</td>");
    lk_html_raw(h, "</tr>\n");
}

void lk_html_timeline(struct lk_html *h)
{
    const struct lk_snapshot *s = h->report->snap;
    const bool few = s->threads.n <= MAX_TIMELINE;
    size_t stood = 0, rows = 0;
    struct lk_map moved = { 0 };
    if (s->samples.n < 2 || !s->threads.n)
        return;
    for (size_t i = 0; i < s->samples.n; i++)
        for (size_t k = 0; k < s->samples.v[i].n_moved; k++)
            lk_map_put(&moved, (uint64_t)s->samples.v[i].moved_tids[k], 1);
    lk_html_raw(
        h, "<details class=\"section\" open><summary><h3>Who moved, who stood</h3></summary>\n");
    timeline_head(h);
    for (size_t i = 0; i < s->threads.n; i++) {
        const struct lk_thread *t = &s->threads.v[i];
        const bool blamed = lk_fold_blamed(h->view, lk_ref_make(LK_KIND_THREAD, i));
        if ((few || blamed || lk_map_get(&moved, (uint64_t)t->tid, NULL)) && rows < MAX_TIMELINE) {
            timeline_row(h, lk_sentence_thread(h->arena, t), t->tid, true, blamed);
            rows++;
        } else
            stood++;
    }
    if (stood)
        timeline_row(h,
                     lk_arena_printf(h->arena, "%s more",
                                     lk_words_count(h->arena, (int64_t)stood, "thread")),
                     0, false, false);
    lk_html_raw(h, "</tbody></table></div></details>\n");
    lk_map_deinit(&moved);
}

void lk_html_tables(struct lk_html *h)
{
    ruled_out(h);
    other_waits(h);
    for (size_t i = 0; i < LK_ARRAY_LEN(tables); i++)
        table(h, &tables[i]);
}
