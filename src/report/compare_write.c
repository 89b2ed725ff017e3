/*
 * A comparison in words: the verdicts, the findings by what became of them, and of processes that
 * are in both the threads by what they did meanwhile; and the same as JSON
 * (loopknot.comparison/1).
 */
#include "report/compare.h"

#include <inttypes.h>
#include <string.h>

#include "report/json_values.h"
#include "report/merged_stack.h"
#include "report/sentences.h"
#include "report/terminal.h"

#define MAX_THREADS     20 /* of one kind of motion, unless all are asked for */
#define COMMAND_COLUMNS 60

static const char *const changes[LK_N_CHANGES] = {
    [LK_CHANGE_NEW] = "new", [LK_CHANGE_GONE] = "gone", [LK_CHANGE_STILL] = "still"
};

static const struct {
    const char *name, *title;
    bool listed;
} motions[LK_N_MOTIONS] = {
    [LK_MOTION_STUCK] = { "stuck", "STILL AT THE SAME PLACE", true },
    [LK_MOTION_BACK] = { "back", "AT THE SAME PLACE AGAIN: MOVED MEANWHILE", true },
    [LK_MOTION_MOVED] = { "moved", "MOVED", true },
    [LK_MOTION_IDLE] = { "idle", "idle before and after", false },
    [LK_MOTION_NEW] = { "new", "NEW THREADS", true },
    [LK_MOTION_GONE] = { "gone", "THREADS THAT ENDED", true },
};

/* ---- text ------------------------------------------------------------------------------------ */

static void side(struct lk_terminal *p, const char *name, struct lk_side s, enum lk_verdict v)
{
    if (!s.n) {
        lk_terminal_two(p, 2, LK_INK_BOLD, name, " nothing");
        return;
    }
    const struct lk_snapshot *first = s.v[0].snap;
    const char *what = s.n == 1
                           ? lk_arena_printf(p->arena, "pid %" PRId64 " %s", first->pid,
                                             lk_sentence_command(p->arena, first, COMMAND_COLUMNS))
                           : lk_words_count(p->arena, (int64_t)s.n, "process");
    lk_terminal_two(p, 2, LK_INK_BOLD, name,
                    lk_arena_printf(p->arena, " %s, on %s at %s: %s", what,
                                    lk_words_safe(p->arena, first->host),
                                    lk_words_safe(p->arena, first->taken_at), lk_verdict_name(v)));
}

static const char *stuck_words(struct lk_terminal *p, const struct lk_change_of_finding *f)
{
    if (!f->before || !f->after || f->before->stuck_ms == LK_UNKNOWN ||
        f->after->stuck_ms == LK_UNKNOWN)
        return "";
    return lk_arena_printf(p->arena, "; stuck for %s, then for %s",
                           lk_words_duration(p->arena, f->before->stuck_ms),
                           lk_words_duration(p->arena, f->after->stuck_ms));
}

static void finding(struct lk_terminal *p, const struct lk_change_of_finding *c)
{
    const struct lk_finding *f = c->told;
    const bool worse = c->before && c->after && c->before->severity != c->after->severity;
    const char *was =
        worse ? lk_arena_printf(p->arena, " (it was %s)", lk_verdict_name(c->before->severity))
              : "";
    lk_terminal_two(p, 2, c->change == LK_CHANGE_GONE ? LK_INK_GREEN : LK_INK_RED,
                    lk_arena_printf(p->arena, "%-5s", changes[c->change]),
                    lk_arena_printf(p->arena, "%s: %s%s, %s%s", lk_sentence_rule(p->arena, f->rule),
                                    lk_verdict_name(f->severity), was, f->fingerprint,
                                    stuck_words(p, c)));
    if (f->culprits.n)
        lk_terminal_line(p, 8, LK_INK_PLAIN, lk_sentence_place(p->arena, &f->culprits.v[0]));
}

static const char *innermost(struct lk_terminal *p, const struct lk_thread *t)
{
    const struct lk_merged_stack m =
        lk_merged_stack(p->arena, t->python_stack->n ? NULL : t->native_stack, t->python_stack);
    const char *user = lk_merged_user_frame(p->arena, t->python_stack);
    if (user)
        return user;
    return m.n ? lk_merged_frame_name(p->arena, &m.v[0]) : "no stack was read";
}

static void thread(struct lk_terminal *p, const struct lk_motion_of_thread *m)
{
    const struct lk_thread *t = m->told;
    const char *now = innermost(p, t), *was = m->before ? innermost(p, m->before) : now;
    const char *stuck =
        m->after && t->stuck_ms != LK_UNKNOWN && m->motion == LK_MOTION_STUCK
            ? lk_arena_printf(p->arena, ", for %s", lk_words_duration(p->arena, t->stuck_ms))
            : "";
    const char *where =
        strcmp(now, was) == 0 ? now : lk_arena_printf(p->arena, "%s, then %s", was, now);
    lk_terminal_par(p, 4, "", 0,
                    lk_arena_printf(p->arena, "%s %s at %s%s", lk_sentence_thread(p->arena, t),
                                    lk_words_thread_state_name(lk_words_thread_state(t, false)),
                                    where, stuck),
                    0);
}

static void threads(struct lk_terminal *p, const struct lk_comparison *c, enum lk_motion motion,
                    bool all)
{
    size_t n = 0, told = 0;
    for (size_t i = 0; i < c->n_threads; i++)
        n += c->threads[i].motion == motion;
    if (!n)
        return;
    lk_terminal_blank(p);
    if (!motions[motion].listed) {
        lk_terminal_line(p, 2, LK_INK_DIM,
                         lk_arena_printf(p->arena, "%s %s",
                                         lk_words_count(p->arena, (int64_t)n, "thread"),
                                         motions[motion].title));
        return;
    }
    lk_terminal_two(p, 0, LK_INK_BOLD, motions[motion].title,
                    lk_arena_printf(p->arena, "(%zu)", n));
    for (size_t i = 0; i < c->n_threads; i++) {
        if (c->threads[i].motion != motion || (!all && told == MAX_THREADS))
            continue;
        thread(p, &c->threads[i]);
        told++;
    }
    if (told < n)
        lk_terminal_line(p, 4, LK_INK_PLAIN,
                         lk_arena_printf(p->arena, "and %zu more, --all shows them", n - told));
}

static bool write_text(const struct lk_comparison *c, const struct lk_render *how, FILE *out)
{
    struct lk_terminal p = {
        .out = out, .color = how->color, .width = how->width, .arena = lk_arena_create()
    };
    size_t count[LK_N_CHANGES] = { 0 };
    for (size_t i = 0; i < c->n_findings; i++)
        count[c->findings[i].change]++;
    lk_terminal_two(&p, 0, c->same ? LK_INK_GREEN : LK_INK_RED, c->same ? "SAME" : "DIFFERS",
                    lk_arena_printf(p.arena, " %s, then %s: %zu new, %zu gone, %zu still there",
                                    lk_verdict_name(c->verdict_a), lk_verdict_name(c->verdict_b),
                                    count[LK_CHANGE_NEW], count[LK_CHANGE_GONE],
                                    count[LK_CHANGE_STILL]));
    lk_terminal_blank(&p);
    side(&p, "A", c->a, c->verdict_a);
    side(&p, "B", c->b, c->verdict_b);
    if (c->n_findings)
        lk_terminal_blank(&p);
    for (size_t i = 0; i < c->n_findings; i++)
        finding(&p, &c->findings[i]);
    for (unsigned m = 0; m < LK_N_MOTIONS; m++)
        threads(&p, c, m, how->all);
    if (!c->in_both) {
        lk_terminal_blank(&p);
        lk_terminal_line(&p, 2, LK_INK_DIM, "no process is in both: threads are not compared");
    }
    lk_arena_destroy(p.arena);
    return fflush(out) == 0 && !ferror(out);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static json_t *number(int64_t n)
{
    return n == LK_UNKNOWN ? json_null() : json_integer(n);
}

static json_t *side_json(struct lk_arena *a, struct lk_side s, enum lk_verdict v)
{
    json_t *o = lk_json_object(), *pids = lk_json_array();
    for (size_t i = 0; i < s.n; i++)
        lk_json_append(pids, json_integer(s.v[i].snap->pid));
    lk_json_set(o, "verdict", json_string(lk_verdict_name(v)));
    lk_json_set(o, "pids", pids);
    lk_json_set(o, "host",
                s.n && s.v[0].snap->host ? lk_ci_json(a, s.v[0].snap->host) : json_null());
    lk_json_set(o, "taken_at",
                s.n && s.v[0].snap->taken_at ? lk_ci_json(a, s.v[0].snap->taken_at) : json_null());
    return o;
}

static json_t *severity(const struct lk_finding *f)
{
    return f ? json_string(lk_verdict_name(f->severity)) : json_null();
}

static json_t *finding_json(struct lk_arena *a, const struct lk_change_of_finding *c)
{
    const struct lk_finding *f = c->told;
    json_t *o = lk_json_object();
    lk_json_set(o, "change", json_string(changes[c->change]));
    lk_json_set(o, "rule", lk_ci_json(a, f->rule ? f->rule->id : "?"));
    lk_json_set(o, "fingerprint", json_string(f->fingerprint));
    lk_json_set(o, "severity_before", severity(c->before));
    lk_json_set(o, "severity_after", severity(c->after));
    lk_json_set(o, "stuck_ms_before", number(c->before ? c->before->stuck_ms : LK_UNKNOWN));
    lk_json_set(o, "stuck_ms_after", number(c->after ? c->after->stuck_ms : LK_UNKNOWN));
    lk_json_set(o, "summary", lk_ci_json(a, f->summary ? f->summary : ""));
    return o;
}

static bool write_json(const struct lk_comparison *c, FILE *out)
{
    struct lk_arena *a = lk_arena_create();
    json_t *o = lk_json_object(), *findings = lk_json_array(), *list = lk_json_array();
    for (size_t i = 0; i < c->n_findings; i++)
        lk_json_append(findings, finding_json(a, &c->findings[i]));
    for (size_t i = 0; i < c->n_threads; i++) {
        const struct lk_motion_of_thread *m = &c->threads[i];
        json_t *t = lk_json_object();
        lk_json_set(t, "pid", json_integer(m->report->snap->pid));
        lk_json_set(t, "tid", json_integer(m->told->tid));
        lk_json_set(t, "motion", json_string(motions[m->motion].name));
        lk_json_append(list, t);
    }
    lk_json_set(o, "schema", json_string("loopknot.comparison/1"));
    lk_json_set(o, "same", json_boolean(c->same));
    lk_json_set(o, "a", side_json(a, c->a, c->verdict_a));
    lk_json_set(o, "b", side_json(a, c->b, c->verdict_b));
    lk_json_set(o, "findings", findings);
    lk_json_set(o, "threads", list);
    const bool ok = lk_ci_dump(o, out);
    lk_arena_destroy(a);
    return ok;
}

int lk_comparison_write(const struct lk_comparison *c, const char *format,
                        const struct lk_render *how, FILE *out)
{
    if (strcmp(format, "text") == 0)
        return write_text(c, how, out) ? 0 : -1;
    if (strcmp(format, "json") == 0)
        return write_json(c, out) ? 0 : -1;
    return 2;
}
