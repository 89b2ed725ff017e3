/*
 * Sentences about a process: its command and runtime, what was done to it, what its threads do, and
 * what could not be read of it.
 */
#include "report/process_sentences.h"

#include <inttypes.h>
#include <string.h>

#include "diagnose/wording/entity.h"
#include "report/entity_sentences.h"
#include "report/phrase.h"
#include "util/compat.h"

/* An argument as it would be typed in the process's own folder. */
static const char *below_cwd(const struct lk_snapshot *s, const char *arg)
{
    const size_t n = s->cwd ? strlen(s->cwd) : 0;
    return n > 1 && strncmp(arg, s->cwd, n) == 0 && arg[n] == '/' && arg[n + 1] ? arg + n + 1 : arg;
}

static const char *command_line(struct lk_arena *a, const struct lk_snapshot *s, size_t most,
                                bool brief)
{
    struct lk_strbuf b = { 0 };
    for (size_t i = 0; i < s->n_cmdline && b.n < most; i++) {
        const char *arg = lk_words_safe(a, s->cmdline[i]);
        if (brief)
            arg = i ? below_cwd(s, arg) : lk_base_name(arg);
        lk_strbuf_printf(&b, "%s%s", i ? " " : "", arg);
    }
    return lk_phrase_keep(a, &b);
}

const char *lk_sentence_command(struct lk_arena *a, const struct lk_snapshot *s, size_t columns)
{
    /* Bytes enough for so many columns of the widest characters. */
    const size_t most = columns * 4;
    const char *line = command_line(a, s, most, false);
    if (lk_words_columns(line, SIZE_MAX) > columns)
        line = command_line(a, s, most, true);
    return lk_words_cut(a, *line ? line : s->comm, columns);
}

/* "package.module:name" or "module:factory()", as WSGI and ASGI servers are told their application;
 * a server that has written a title has it in brackets. */
static const char *application(struct lk_arena *a, const char *arg)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    const char *bracket = strchr(arg, '['), *at = bracket ? bracket + 1 : arg;
    size_t n[2];
    const char *begin = at;
    for (int i = 0; i < 2; i++) {
        n[i] = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.");
        if (!n[i] || !strchr(letters, *at) || (i == 0 && at[n[0]] != ':'))
            return NULL;
        at += n[i] + (i == 0);
    }
    if (*at && strcmp(at, bracket ? "]" : "()") != 0)
        return NULL;
    return lk_arena_strndup(a, begin, (size_t)(at - begin));
}

const char *lk_sentence_serves(struct lk_arena *a, const struct lk_snapshot *s)
{
    const char *app = NULL;
    struct lk_strbuf b = { 0 };
    for (size_t i = 0; i < s->n_cmdline && !app; i++)
        app = application(a, lk_words_safe(a, s->cmdline[i]));
    if (app)
        lk_strbuf_puts(&b, app);
    if (s->unit && *s->unit)
        lk_strbuf_printf(&b, "%sunit %s", b.n ? "; " : "", lk_phrase_name(a, s->unit));
    if (s->container && *s->container)
        lk_strbuf_printf(&b, "%s%s", b.n ? "; " : "", lk_phrase_name(a, s->container));
    return b.n ? lk_phrase_keep(a, &b) : NULL;
}

const char *lk_sentence_runtime(struct lk_arena *a, const struct lk_snapshot *s)
{
    const char *threads =
        lk_words_count(a, (int64_t)lk_snapshot_count(s, LK_KIND_THREAD), "thread");
    if (!s->python.present)
        return lk_arena_printf(a, "%s, %s", s->runtime ? lk_runtime_name(s->runtime) : "no Python",
                               threads);
    if (!s->python.version)
        return lk_arena_printf(a, "Python of unknown version, %s", threads);
    if (s->python.interpreters > 1)
        threads = lk_arena_printf(
            a, "%s, %s", lk_words_count(a, s->python.interpreters, "interpreter"), threads);
    return lk_arena_printf(a, "Python %s%s, %s", lk_phrase_name(a, s->python.version),
                           s->python.free_threaded == LK_YES ? " free-threaded" : "", threads);
}

const char *lk_sentence_looked(struct lk_arena *a, const struct lk_snapshot *s)
{
    int64_t pause_us = LK_UNKNOWN, stopped = 0;
    if (s->one_moment)
        return "at a core dump, which is one moment; nothing was done to the process";
    for (size_t i = 0; i < s->samples.n; i++) {
        pause_us = LK_MAX(pause_us, s->samples.v[i].pause_us);
        stopped = LK_MAX(stopped, s->samples.v[i].stopped);
    }
    struct lk_strbuf b = { 0 };
    lk_strbuf_puts(&b, lk_words_count(a, (int64_t)s->samples.n, "sample"));
    if (s->watched_ms > 0)
        lk_strbuf_printf(&b, ", watched for %s", lk_words_duration(a, s->watched_ms));
    if (!s->samples.n)
        lk_strbuf_puts(&b, ", only /proc was read; no thread stopped");
    else if (stopped == 0)
        lk_strbuf_puts(&b, "; no thread stopped");
    else
        lk_strbuf_printf(
            &b, "; %s of %s stopped for it", lk_words_number(a, stopped),
            lk_words_count(a, (int64_t)lk_snapshot_count(s, LK_KIND_THREAD), "thread"));
    if (stopped > 0 && pause_us != LK_UNKNOWN)
        lk_strbuf_printf(&b, ", longest pause %" PRId64 ".%" PRId64 " ms", pause_us / 1000,
                         pause_us % 1000 / 100);
    lk_strbuf_puts(&b, ", nothing written");
    return lk_phrase_keep(a, &b);
}

static bool examined(const struct lk_report *reports, size_t n, int64_t pid)
{
    for (size_t i = 0; i < n; i++)
        if (reports[i].snap->pid == pid)
            return true;
    return false;
}

const char *lk_sentence_children(struct lk_arena *a, const struct lk_report *reports, size_t n,
                                 size_t i)
{
    const struct lk_snapshot *s = reports[i].snap;
    int64_t missing = 0;
    for (size_t c = 0; c < s->children.n; c++)
        missing += !examined(reports, n, s->children.v[c].pid);
    if (!missing)
        return NULL;
    const bool master = s->supervisor && s->supervisor->kind == LK_SUPERVISOR_MASTER;
    struct lk_strbuf b = { 0 };
    if (s->supervisor)
        lk_strbuf_printf(&b, "%" PRId64 " is %s%s; its ", s->pid,
                         lk_supervisor_article(s->supervisor),
                         lk_phrase_name(a, s->supervisor->name));
    lk_strbuf_printf(
        &b, "%s %s not examined:", lk_words_count(a, missing, master ? "worker" : "child process"),
        missing == 1 ? "was" : "were");
    return lk_phrase_keep(a, &b);
}

const char *lk_sentence_children_command(struct lk_arena *a, const struct lk_snapshot *s)
{
    return lk_arena_printf(a, "loopknot --tree %" PRId64, s->pid);
}

/* The rows of a census; a thread counts in the first that fits. */
enum census {
    CENSUS_LOOP_IDLE,
    CENSUS_POOL_IDLE,
    CENSUS_REQUEST_MOVES,
    CENSUS_REQUEST_WAITS,
    CENSUS_RUNS,
    CENSUS_PARKED,
    CENSUS_SLEEPS,
    CENSUS_STOPPED,
    CENSUS_UNKNOWN,
    CENSUS_WAITS,
    CENSUS_COUNT
};

static enum census census_of(const struct lk_thread *t)
{
    const enum lk_thread_state st = lk_words_thread_state(t, false);
    if (st == LK_TS_LOOP_IDLE)
        return CENSUS_LOOP_IDLE;
    if (st == LK_TS_EXECUTOR_IDLE)
        return CENSUS_POOL_IDLE;
    if (st == LK_TS_STOPPED)
        return CENSUS_STOPPED;
    if (t->in_request)
        return t->moved || st == LK_TS_RUNNING ? CENSUS_REQUEST_MOVES : CENSUS_REQUEST_WAITS;
    if (t->moved || st == LK_TS_RUNNING)
        return CENSUS_RUNS;
    if (st == LK_TS_PARKED)
        return CENSUS_PARKED;
    if (st == LK_TS_SLEEP)
        return CENSUS_SLEEPS;
    return st == LK_TS_UNKNOWN ? CENSUS_UNKNOWN : CENSUS_WAITS;
}

const char *lk_sentence_census(struct lk_arena *a, const struct lk_snapshot *s)
{
    static const struct {
        const char *noun, *what;
    } rows[CENSUS_COUNT] = {
        [CENSUS_LOOP_IDLE] = { "loop", "idle" },
        [CENSUS_POOL_IDLE] = { "pool worker", "idle" },
        [CENSUS_REQUEST_MOVES] = { "request", "moving" },
        [CENSUS_REQUEST_WAITS] = { "request", "waiting" },
        [CENSUS_RUNS] = { "thread", "moving" },
        [CENSUS_PARKED] = { "thread", "parked (accept, event, signal)" },
        [CENSUS_SLEEPS] = { "thread", "asleep for a set time" },
        [CENSUS_STOPPED] = { "thread", "stopped" },
        [CENSUS_UNKNOWN] = { "thread", "in a wait that was not recognised" },
        [CENSUS_WAITS] = { "thread", "waiting" },
    };
    int64_t count[CENSUS_COUNT] = { 0 };
    for (size_t i = 0; i < s->threads.n; i++)
        count[census_of(&s->threads.v[i])]++;
    for (size_t i = 0; i < s->folded.n; i++) {
        const struct lk_thread *t = lk_thread_at(s, s->folded.v[i].like);
        if (t)
            count[census_of(t)] += s->folded.v[i].count;
    }
    struct lk_strbuf b = { 0 };
    for (size_t i = 0; i < CENSUS_COUNT; i++) {
        if (!count[i])
            continue;
        lk_phrase_comma(&b);
        lk_strbuf_printf(&b, "%s %s", lk_words_count(a, count[i], rows[i].noun), rows[i].what);
    }
    return b.n ? lk_phrase_keep(a, &b) : "no thread was read";
}

const char *lk_sentence_limit(struct lk_arena *a, const struct lk_snapshot *s,
                              const struct lk_limit *l)
{
    const struct lk_failed_read *r = &l->read;
    const bool memory = r->size > 0, whose = l->entity.kind != LK_KIND_NONE;
    if (!memory && !r->os_errno)
        return whose ? lk_sentence_label(a, s, l->entity) : NULL;
    const char *reason =
        r->os_errno ? strerrordesc_np(r->os_errno) : "they can be read, but cannot be right";
    struct lk_strbuf b = { 0 };
    if (whose)
        lk_strbuf_printf(&b, "%s; ", lk_sentence_label(a, s, l->entity));
    lk_strbuf_puts(&b, r->reading ? r->reading : "reading");
    if (memory)
        lk_strbuf_printf(&b, ", %s at 0x%" PRIx64,
                         lk_words_count(a, (int64_t)LK_MIN(r->size, (uint64_t)INT64_MAX), "byte"),
                         r->addr);
    lk_strbuf_puts(&b, ": ");
    if (r->os_errno)
        lk_strbuf_printf(&b, "%s (%s)", lk_words_errno(a, r->os_errno), reason ? reason : "?");
    else
        lk_strbuf_puts(&b, reason);
    return lk_phrase_keep(a, &b);
}

const char *lk_sentence_why_unknown(struct lk_arena *a, const struct lk_report *r)
{
    const struct lk_snapshot *s = r->snap;
    if (r->findings->verdict_why && *r->findings->verdict_why)
        return r->findings->verdict_why;
    if (s->python.present && s->python.why_not)
        return s->python.why_not;
    if (s->limits.n)
        return lk_arena_printf(a, "too little could be read to judge: %s", s->limits.v[0].text);
    return "too little could be read to judge";
}
