/*
 * Sentences about findings: whom they blame, for how long, what is held up, how sure they are.
 * Times are UTC and counted back from the moment at which the snapshot was taken.
 */
#include "report/finding_sentences.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "diagnose/wording/entity.h"
#include "report/entity_sentences.h"
#include "report/phrase.h"

const char *lk_sentence_rule(struct lk_arena *a, const struct lk_rule *rule)
{
    return rule ? lk_arena_printf(a, "%s %s", rule->id, rule->name) : "no rule";
}

const char *lk_sentence_place(struct lk_arena *a, const struct lk_culprit *c)
{
    const char *function = c->function ? lk_phrase_name(a, c->function) : "(no name)";
    if (c->file && c->line > 0)
        return lk_arena_printf(a, "%s:%d in %s", lk_words_safe(a, c->file), c->line, function);
    if (c->file)
        return lk_arena_printf(a, "%s in %s", lk_words_safe(a, c->file), function);
    if (c->module)
        return lk_arena_printf(a, "%s+0x%" PRIx64 " in %s", lk_words_safe(a, c->module), c->offset,
                               function);
    return function;
}

const char *lk_sentence_culprit(struct lk_arena *a, const struct lk_snapshot *s,
                                const struct lk_culprit *c)
{
    for (size_t i = 0; c->tid != LK_UNKNOWN && i < s->threads.n; i++)
        if (s->threads.v[i].tid == c->tid)
            return lk_sentence_label(a, s, lk_ref_make(LK_KIND_THREAD, i));
    for (size_t i = 0; c->task && i < s->tasks.n; i++)
        if (strcmp(s->tasks.v[i].id, c->task) == 0)
            return lk_sentence_label(a, s, lk_ref_make(LK_KIND_TASK, i));
    return NULL;
}

/* Of the digits of a fraction of a second. */
static int64_t milliseconds(const char *digits)
{
    int64_t ms = 0;
    for (int i = 0; i < 3; i++)
        ms = ms * 10 + (*digits >= '0' && *digits <= '9' ? *digits++ - '0' : 0);
    return ms;
}

/* "11:46:00 UTC" of the moment stuck_ms before the snapshot was taken; with the date when it is
 * another day. */
static const char *clock_time(struct lk_arena *a, const struct lk_snapshot *s, int64_t stuck_ms)
{
    struct tm tm = { 0 };
    const int64_t ten_years_ms = INT64_C(10) * 366 * 86400 * 1000;
    const char *end = s->taken_at ? strptime(s->taken_at, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    if (!end || (*end != 'Z' && *end != '.') || stuck_ms < 0 || stuck_ms > ten_years_ms)
        return NULL;
    const int64_t fraction_ms = *end == '.' ? milliseconds(end + 1) : 0;
    const time_t taken = timegm(&tm),
                 since = (time_t)(((int64_t)taken * 1000 + fraction_ms - stuck_ms) / 1000);
    char text[64];
    struct tm then;
    if (!gmtime_r(&since, &then))
        return NULL;
    const bool today = then.tm_yday == tm.tm_yday && then.tm_year == tm.tm_year;
    if (!strftime(text, sizeof text, today ? "%H:%M:%S UTC" : "%Y-%m-%d %H:%M:%S UTC", &then))
        return NULL;
    return lk_arena_strdup(a, text);
}

bool lk_sentence_is_stuck(const struct lk_finding *f)
{
    return f->severity != LK_HAZARD || f->stuck_ms != LK_UNKNOWN || f->held_requests > 0 ||
           f->held_tasks > 0;
}

/* The scheduler's record begins anew when a thread wakes for a moment and waits on, as for a
 * signal's handler, and when it is stopped and continued. */
bool lk_sentence_may_be_longer(const struct lk_snapshot *s)
{
    return s->handles_signals != LK_NO || s->handles_alarm == LK_YES || s->stop.job_stopped ||
           s->stop.tracer_pid || s->stop.frozen;
}

const char *lk_sentence_since(struct lk_arena *a, const struct lk_snapshot *s,
                              const struct lk_finding *f)
{
    if (f->stuck_ms == LK_UNKNOWN)
        return "for how long is not known";
    const char *at = clock_time(a, s, f->stuck_ms), *lasted = lk_words_duration(a, f->stuck_ms);
    if (f->stuck_by_connection)
        return lk_arena_printf(a, "for %s, in which nothing came or went on the connection",
                               lasted);
    /* longer than it was looked at: a loop's turn, a library's call say when they began */
    if (!f->stuck_by_scheduler && f->stuck_ms > s->watched_ms)
        return lk_arena_printf(a, "for %s, by the program's own record", lasted);
    if (!f->stuck_by_scheduler)
        return lk_arena_printf(a, "for at least %s: it did not move while it was watched", lasted);
    const bool cut = lk_sentence_may_be_longer(s);
    if (!at)
        return lk_arena_printf(a, "for %s%s, by the kernel scheduler's record",
                               cut ? "at least " : "", lasted);
    return lk_arena_printf(a, "for %s%s, since %s%s, by the kernel scheduler's record",
                           cut ? "at least " : "", lasted, at, cut ? " or before" : "");
}

/* "1 request and 3 tasks"; NULL for none. */
static const char *requests_and_tasks(struct lk_arena *a, int64_t r, int64_t k)
{
    if (r <= 0 && k <= 0)
        return NULL;
    if (r <= 0 || k <= 0)
        return lk_words_count(a, r > 0 ? r : k, r > 0 ? "request" : "task");
    return lk_arena_printf(a, "%s and %s", lk_words_count(a, r, "request"),
                           lk_words_count(a, k, "task"));
}

const char *lk_sentence_concerned(struct lk_arena *a, const struct lk_finding *f)
{
    if (f->severity != LK_HAZARD || f->stuck_ms != LK_UNKNOWN)
        return NULL;
    return requests_and_tasks(a, f->held_requests, f->held_tasks);
}

const char *lk_sentence_held(struct lk_arena *a, const struct lk_finding *f)
{
    const int64_t r = f->held_requests, k = f->held_tasks;
    const char *counted = requests_and_tasks(a, r, k);
    return counted ? lk_arena_printf(a, "%s held up behind it", counted) : NULL;
}

const char *lk_sentence_stuck(struct lk_arena *a, const struct lk_snapshot *s,
                              const struct lk_finding *f)
{
    const char *since = f->stuck_ms == LK_UNKNOWN ? NULL : lk_sentence_since(a, s, f),
               *held = lk_sentence_held(a, f);
    if (!lk_sentence_is_stuck(f) || !since || !held)
        return lk_sentence_is_stuck(f) ? (since ? since : held) : NULL;
    return lk_arena_printf(a, "%s; %s", since, held);
}

const char *lk_sentence_confidence(enum lk_confidence c)
{
    static const char *const means[] = {
        [LK_POSSIBLE] = "possible: it looks like this, but part of it was read while its owner ran "
                        "or is a guess",
        [LK_PROBABLE] = "probable: all seen agrees with it, but part of it is inferred, not read",
        [LK_PROVEN] = "proven: every link was read from a thread or task that stood still, first "
                      "and last sample alike",
    };
    return (unsigned)c < LK_ARRAY_LEN(means) ? means[c] : means[LK_POSSIBLE];
}

const char *lk_sentence_remedy(const struct lk_finding *f)
{
    if (f->remedy && *f->remedy)
        return f->remedy;
    return f->rule && f->rule->remedy ? f->rule->remedy : "no advice is known for this";
}

const char *lk_sentence_safe_now(const struct lk_finding *f)
{
    if (f->safe_now && *f->safe_now)
        return f->safe_now;
    return f->severity == LK_HAZARD ? NULL : "nothing is known that can be ended without harm";
}

const char *lk_sentence_now(const struct lk_render *how, const struct lk_finding *f)
{
    const char *now = lk_sentence_safe_now(f);
    return how->ended && now
               ? "Nothing: loopknot run ends the command with all that it has started."
               : now;
}

enum lk_verdict lk_sentence_worst(const struct lk_report *reports, size_t n)
{
    enum lk_verdict worst = n ? LK_HEALTHY : LK_VERDICT_UNKNOWN;
    for (size_t i = 0; i < n; i++)
        worst = LK_MAX(worst, reports[i].findings->verdict);
    return worst;
}

const char *lk_sentence_edge_doubt(const struct lk_edge *e)
{
    if (e->inferred)
        return " (inferred)";
    return e->read == LK_READ_RACY ? " (read while it may have run)" : "";
}

const char *lk_sentence_parties(struct lk_arena *a, const struct lk_snapshot *s,
                                const struct lk_ruled_out *r)
{
    enum { MOST = 4 };
    const char *ret = "";
    for (uint32_t i = 0; i < r->parties.n && i < MOST; i++)
        ret =
            lk_arena_printf(a, "%s%s%s", ret, i ? ", " : "", lk_entity_name(a, s, r->parties.v[i]));
    return r->parties.n > MOST ? lk_arena_printf(a, "%s and %s more", ret,
                                                 lk_words_number(a, (int64_t)r->parties.n - MOST))
                               : ret;
}
