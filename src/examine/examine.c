/*
 * One examination from its opening to its report: the samples that were asked for, the second look
 * and the watch that the diagnosis asks for (next_step.c), and what is read of the last sample
 * only. When the process ends meanwhile, the last whole sample stands.
 */
#include "examine/examine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/catalog/classify.h"
#include "examine/children.h"
#include "examine/last_sample.h"
#include "examine/next_step.h"
#include "examine/sample/history.h"
#include "examine/sample/sample.h"
#include "examine/sample/source_lines.h"
#include "examine/target.h"
#include "process/budget.h"
#include "process/facts.h"
#include "read/loops/read_locals.h"
#include "read/native/glibc/environ.h"
#include "read/python/stdlib/module_versions.h"
#include "read/servers/supervisor.h"
#include "snapshot/builder.h"
#include "util/redact.h"
#include "util/text.h"

enum {
    SECOND_LOOK_MS = 110,
    WATCH_STEP_MS = 50, /* a look through /proc at the candidate's threads */
    NAP_MS = 20,        /* how long an interruption may go unnoticed */
    /* What all that is read of one process may cost: with 100,000 tasks it takes a third of that.
     * What is read of the last sample only is not to go without for what came before. */
    CPU_MS = 5000,
    CPU_AFTER_MS = 1000,
    MEMORY = 256 << 20,
    MEMORY_AFTER = 32 << 20,
    /* A small process is done by then. At a deadline it is worth more to finish. */
    INTERRUPTED_MS = 30,
    DEADLINE_MS = 1000,
};

/* One examination under way. */
struct examination {
    struct lk_session session;
    struct lk_history *history;
    struct lk_snapshot *snap;     /* the last sample */
    struct lk_findings *findings; /* in the last sample; NULL: not diagnosed yet */
    struct lk_error ended;        /* why no further sample can be taken */
    bool *watched; /* by thread of the last sample, in its arena: stood still so far; NULL: none was
                      watched */
    struct lk_snapshot *process; /* facts of the process, read once */
    const char *blind;           /* it runs Python, of which nothing was found: why; NULL */
    uint64_t began_ms;
    uint64_t walked_ms;   /* when the heap was walked first and had greenlets; 0 */
    uint64_t start_ticks; /* tells a reused pid */
    /* fewest threads in uninterruptible sleep at any look: a moment of it is normal */
    int64_t d_state;
    struct {
        struct lk_sample *v;
        size_t n, cap;
    } samples;
    struct {
        int64_t *v;
        size_t n, cap;
    } moved;                     /* all samples' moved tids, one after the other */
    struct lk_throttle throttle; /* at the beginning, ... */
    bool throttle_known;         /* ... until it has been compared with a later one */
    const char *spent;           /* the budget, in a sample; NULL: it is not */
    bool cut;                    /* ... in the one that is the last */
};

static bool interrupted(const struct lk_examine_options *o)
{
    return o->interrupted && __atomic_load_n(o->interrupted, __ATOMIC_RELAXED);
}

static uint64_t now_ms(const struct examination *x)
{
    return lk_process_now_ms(x->session.target);
}

/* Sleeps until ms milliseconds of the process's clock; false when the user wants out. */
static bool sleep_until(const struct examination *x, uint64_t ms)
{
    for (;;) {
        uint64_t now = now_ms(x);
        if (interrupted(x->session.options))
            return false;
        if (now >= ms)
            return true;
        lk_process_sleep_us(x->session.target, LK_MIN(ms - now, (uint64_t)NAP_MS) * 1000);
    }
}

/* A fresh snapshot with the facts of the process that do not change from sample to sample. */
static struct lk_snapshot *snapshot_for_sample(struct examination *x)
{
    struct lk_snapshot *s = lk_snapshot_create();
    lk_snapshot_copy_process(s, x->process);
    s->stalled_after_ms = x->session.options->stalled_after_ms;
    s->one_moment = lk_process_is_moment(x->session.target);
    s->children_examined = lk_all_children_examined(x->session.target, x->session.options, s);
    if (x->session.py)
        lk_py_describe(x->session.py, s);
    if (x->blind) {
        s->python.present = true;
        s->python.why_not = lk_arena_strdup(s->arena, x->blind);
    }
    return s;
}

static void keep_sample(struct examination *x, struct lk_snapshot *s, int64_t at_ms)
{
    int64_t *moved;
    size_t n;
    lk_history_add(x->history, s, at_ms, &moved, &n);
    if (x->samples.n)
        lk_sample_vouch(s);
    struct lk_sample *p = lk_vec_push(&x->samples);
    *p = s->samples.v[s->samples.n - 1];
    p->at_ms = at_ms;
    p->n_moved = n;
    for (size_t i = 0; i < n; i++)
        lk_vec_add(&x->moved, moved[i]);
}

/* What could not be read to its end because the process ended meanwhile says nothing of how it was.
 */
static bool ended_under(const struct examination *x, const struct lk_snapshot *s)
{
    return s->python.present && !s->python.frames_read && !lk_process_lives_on(x->session.target);
}

static uint64_t started(const struct examination *x)
{
    return lk_machine_started(lk_process_machine(x->session.target),
                              lk_process_pid(x->session.target));
}

static void grant(struct examination *x, unsigned cpu_ms, size_t memory)
{
    const struct lk_budget b = { .cpu_ms = cpu_ms,
                                 .bytes = memory,
                                 .stop = x->session.options->interrupted,
                                 .stop_ms = { INTERRUPTED_MS, DEADLINE_MS } };
    lk_process_set_budget(x->session.target, &b);
}

/* The sample that spent the budget; the one before is whole, and stands. */
static bool is_cut(struct examination *x)
{
    const char *why = lk_process_spent(x->session.target);
    if (!why)
        return false;
    x->spent = why;
    x->cut = !x->snap;
    grant(x, CPU_AFTER_MS, MEMORY_AFTER);
    return true;
}

/* Takes a sample and makes it the last one. False when the target is gone; the one before then
 * stands, with what was found in it. */
static bool take(struct examination *x, enum lk_stop_mode stop)
{
    struct lk_error *err = &x->ended;
    if (x->spent)
        return false;
    if (started(x) != x->start_ticks)
        return lk_error_set(err, LK_ERR_NO_PROCESS, "process %d ended while it was examined",
                            lk_process_pid(x->session.target));
    struct lk_snapshot *s = snapshot_for_sample(x);
    bool ok = lk_sample_take(&x->session, stop, s, err);
    if (ok && (s->stop.zombie || ended_under(x, s)))
        ok = lk_error_set(err, LK_ERR_NO_PROCESS, "process %d ended while it was examined",
                          lk_process_pid(x->session.target));
    if (!ok || (is_cut(x) && x->snap)) {
        lk_snapshot_destroy(s);
        return false;
    }
    if (!x->began_ms)
        x->began_ms = now_ms(x);
    keep_sample(x, s, (int64_t)(now_ms(x) - x->began_ms));
    s->stop.d_state = x->d_state = LK_MIN(x->d_state, s->stop.d_state);
    s->watched_ms = (int64_t)(now_ms(x) - x->began_ms);
    lk_findings_destroy(x->findings);
    x->findings = NULL;
    lk_snapshot_destroy(x->snap);
    x->snap = s;
    x->watched = NULL;
    return true;
}

/* Writes the list of samples into the last snapshot. */
static void publish_samples(struct examination *x)
{
    struct lk_snapshot *s = x->snap;
    size_t at = 0;
    s->samples.n = 0;
    for (size_t i = 0; i < x->samples.n; i++) {
        struct lk_sample *p = lk_vec_push(&s->samples);
        *p = x->samples.v[i];
        p->moved_tids = lk_arena_array(s->arena, p->n_moved, sizeof *p->moved_tids);
        if (p->n_moved)
            memcpy(p->moved_tids, x->moved.v + at, p->n_moved * sizeof *p->moved_tids);
        at += p->n_moved;
    }
}

/* Loops that nothing in reach leads to are looked for only when there are epoll descriptors that no
 * known loop has; tasks that no registry lists, wherever their kind is loaded. */
static void search_heap(struct examination *x)
{
    struct lk_snapshot *s = x->snap;
    int64_t known = 0;
    for (size_t i = 0; i < s->loops.n; i++)
        known += s->loops.v[i].epoll_fd != LK_UNKNOWN;
    if (!x->session.py || !lk_py_readable(x->session.py))
        return;
    s->loops_complete = s->epoll_fds != LK_UNKNOWN && s->epoll_fds <= known;
    const bool loops = !s->loops_complete;
    lk_py_search_heap(x->session.py, s, loops);
    lk_sample_weigh_found(&x->session, s);
    lk_history_add_found(x->history, s, s->watched_ms);
    if (!x->walked_ms && lk_snapshot_has_greenlets(s))
        x->walked_ms = now_ms(x);
}

/* What the process was denied of its processor quota while the samples asked for were taken. */
static void compare_throttling(struct examination *x)
{
    struct lk_throttle *a = &x->throttle, b;
    struct lk_process_halt *stop = &x->process->stop;
    if (!x->throttle_known)
        return;
    x->throttle_known = false;
    if (!lk_process_throttle(x->session.target, &b))
        return;
    if (b.periods > a->periods)
        stop->throttled_share =
            (double)(b.throttled - a->throttled) / (double)(b.periods - a->periods);
    stop->throttled_ms = (int64_t)((b.usec - a->usec) / 1000);
    x->snap->stop.throttled_share = stop->throttled_share;
    x->snap->stop.throttled_ms = stop->throttled_ms;
}

/* Reads what only a diagnosis needs of the last sample, and diagnoses it; once more when it has
 * been watched since. */
static void judge(struct examination *x)
{
    compare_throttling(x);
    if (!x->findings)
        search_heap(x);
    lk_read_listeners(&x->session, x->snap);
    lk_classify(x->snap, x->session.options->project);
    lk_findings_destroy(x->findings);
    x->findings = lk_diagnose(x->snap);
}

/* Marks the threads that more watching may accuse or acquit; true when there are any. */
static bool mark_watched(struct examination *x)
{
    const struct lk_look_again *again = &x->findings->look_again;
    x->watched = lk_arena_array(x->snap->arena, x->snap->threads.n, sizeof *x->watched);
    for (size_t i = 0; i < again->threads.n; i++)
        if (lk_thread_at(x->snap, again->threads.v[i]))
            x->watched[again->threads.v[i].index] = true;
    return again->threads.n > 0;
}

static void set_moved(struct lk_thread *t)
{
    t->moved = true;
    t->stable = false;
    t->stuck_ms = LK_UNKNOWN;
}

/* What was watched to the end of the watching: still where it was, unless the process has ended,
 * which nothing stuck does. */
static void conclude(struct examination *x)
{
    struct lk_snapshot *s = x->snap;
    int64_t watched = (int64_t)(now_ms(x) - x->began_ms);
    for (size_t i = 0; i < s->threads.n; i++)
        if (x->watched[i] && x->ended.code)
            set_moved(&s->threads.v[i]);
        else if (x->watched[i] && s->threads.v[i].stuck_ms != LK_UNKNOWN)
            s->threads.v[i].stuck_ms = LK_MAX(s->threads.v[i].stuck_ms, watched);
    s->watched_ms = watched;
}

/*
 * One look at the watched threads through /proc, stopping nobody. A thread in a wait without
 * timeout that was given the CPU has moved. Whether a thread in a timed wait moved, only a sample
 * can say.
 */
static bool look(struct examination *x, struct lk_thread_list *list)
{
    struct lk_snapshot *s = x->snap;
    bool still = false;
    if (!lk_process_threads(x->session.target, list, false, &x->ended))
        return false;
    for (size_t i = 0; i < list->n; i++) {
        if (!x->watched[i])
            continue;
        struct lk_thread *t = &s->threads.v[i];
        bool gone = list->v[i].state == 'X', ran = list->v[i].switches != t->switches;
        if (gone || (ran && !t->running && !lk_wait_is_timed(t))) {
            set_moved(t);
            x->watched[i] = false;
            continue;
        }
        t->again |= ran && !t->running;
        still = true;
    }
    return still;
}

/*
 * Keeps watching until the threads that a finding accuses have stood still for --stalled-after, or
 * moved. Those that stood still, and a thread that moves by itself, or a loop whose queue changed,
 * show only in one more look at everything.
 */
static bool wait_watching(struct examination *x)
{
    const struct lk_examine_options *o = x->session.options;
    struct lk_snapshot *s = x->snap;
    struct lk_thread_list list = { 0 };
    bool alive = true;
    uint64_t end = LK_MAX(x->began_ms, x->walked_ms) + o->stalled_after_ms;
    for (size_t i = 0; i < s->threads.n; i++)
        lk_vec_push(&list)->tid = s->threads.v[i].tid;
    bool going = mark_watched(x);
    const bool later = x->findings->look_again.at_end;
    going |= later;
    while (going && now_ms(x) < end) {
        alive = sleep_until(x, LK_MIN(end, now_ms(x) + WATCH_STEP_MS));
        if (!alive)
            break;
        going = look(x, &list) || (later && !x->ended.code);
    }
    lk_free(list.v);
    return alive && going;
}

static bool wait_for_second_look(struct examination *x)
{
    uint64_t from = x->findings->look_again.at_once ? now_ms(x) : x->began_ms;
    return sleep_until(x, from + SECOND_LOOK_MS);
}

static bool wait_for_interval(struct examination *x)
{
    const struct lk_examine_options *o = x->session.options;
    return !x->samples.n || sleep_until(x, x->began_ms + (uint64_t)x->samples.n * o->interval_ms);
}

/*
 * A look that the diagnosis wants stops nobody, unless a thread is watched because it computes (or
 * waits for its turn to, the GIL): where it does so cannot be seen otherwise.
 */
static enum lk_stop_mode stop_mode(const struct examination *x)
{
    if (lk_process_is_moment(x->session.target))
        return LK_STOP_ALL; /* it stands still anyway, with all registers */
    const enum lk_stop_mode asked = x->session.options->stop;
    if (!x->findings)
        return asked;
    const struct lk_look_again *again = &x->findings->look_again;
    for (size_t i = 0; i < again->threads.n; i++) {
        const struct lk_thread *t = lk_thread_at(x->snap, again->threads.v[i]);
        if (t && (t->running || t->wait.kind == LK_WAIT_GIL))
            return asked;
    }
    return LK_STOP_NONE;
}

/*
 * Waits for the next sample, takes it, enters it in the history and diagnoses it. Of the samples
 * asked for only the last is diagnosed: the others are there to be compared with. Where none could
 * be taken, what is there is diagnosed.
 */
static void step(struct examination *x, enum lk_step why)
{
    static bool (*const wait_for[])(struct examination *) = {
        [LK_STEP_SAMPLE] = wait_for_interval,
        [LK_STEP_SECOND_LOOK] = wait_for_second_look,
        [LK_STEP_WATCH] = wait_watching,
    };
    const bool taken = wait_for[why](x) && take(x, stop_mode(x));
    if (!taken && x->watched)
        conclude(x);
    const bool more = taken && !x->snap->one_moment && x->samples.n < x->session.options->samples;
    if (x->snap && !more && (!x->findings || x->watched))
        judge(x);
}

static enum lk_step next_step(const struct examination *x, enum lk_step last)
{
    if (!x->findings)
        return x->snap ? LK_STEP_SAMPLE : LK_STEP_NONE;
    if (x->ended.code || x->spent || interrupted(x->session.options) || x->snap->one_moment)
        return LK_STEP_NONE;
    return lk_step_after(last, x->samples.n, &x->findings->look_again);
}

/* A process that cannot be asked for want of descriptors has not ended. */
static void tell_end_from_want(const struct examination *x, struct lk_error *err)
{
    const int why = lk_process_ran_out(x->session.target);
    if (err->code == LK_ERR_NO_PROCESS && why)
        lk_error_os(err, why, "process %d could not be examined to the end",
                    lk_process_pid(x->session.target));
}

static void note_withheld(struct examination *x)
{
    const struct lk_error *w = lk_process_withheld(x->session.target);
    if (!w)
        return;
    x->process->withheld = lk_arena_strdup(x->process->arena, w->text);
    lk_snapshot_limit_os(x->process, w->os_errno, "files in /proc", "%s", w->text);
}

static bool open_session(struct examination *x, pid_t pid, const struct lk_examine_options *o,
                         struct lk_error *err)
{
    struct lk_session *p = &x->session;
    struct lk_error why = { 0 };
    p->options = o;
    p->target = lk_target_open(pid, o, err);
    if (!p->target)
        return false;
    grant(x, CPU_MS, MEMORY);
    x->start_ticks = started(x);
    x->process = lk_snapshot_create();
    if (!lk_process_identify(p->target, x->process, err)) {
        tell_end_from_want(x, err);
        return false;
    }
    note_withheld(x);
    lk_supervisor_read(p->target, x->process);
    x->process->patterns = o->patterns;
    p->py = lk_py_open(p->target, &why);
    if (!p->py && why.code == LK_ERR_BAD_DATA)
        x->blind = lk_text_clean(x->process->arena, why.text, strlen(why.text), sizeof why.text);
    if (o->native || !p->py || !lk_py_readable(p->py)) {
        p->unwinder = lk_unwinder_create(p->target, &why);
        if (!p->unwinder)
            lk_snapshot_limit_os(x->process, why.os_errno, "the list of mappings",
                                 "native stacks were not read: %s", why.text);
        else if (!lk_unwinder_use(p->unwinder, o->unwinder))
            lk_snapshot_limit(x->process, "libunwind is not installed: native stacks were read by "
                                          "loopknot's own unwinder");
    }
    return true;
}

static void close_session(struct examination *x)
{
    lk_unwinder_destroy(x->session.unwinder);
    lk_py_close(x->session.py);
    lk_target_close(x->session.target, x->session.options);
    lk_gil_waits_deinit(&x->session.gil_waits);
    lk_history_destroy(x->history);
    lk_snapshot_destroy(x->process);
    lk_free(x->samples.v);
    lk_free(x->moved.v);
}

/* Debug information is costly, so it is read once, of the last sample. */
static void read_lines(struct examination *x)
{
    struct lk_snapshot *s = x->snap;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are meant */
    struct lk_natstack **stacks = lk_xcalloc(s->threads.n + 1, sizeof *stacks);
    size_t n = 0;
    for (size_t i = 0; i < s->threads.n; i++)
        if (s->threads.v[i].native_stack)
            stacks[n++] = s->threads.v[i].native_stack;
    if (x->session.unwinder)
        lk_unwind_lines(x->session.unwinder, stacks, n, s->arena);
    lk_free(stacks);
}

/* What a process has put into its own environment since it began is what it runs itself. */
static void read_test(struct examination *x)
{
    struct lk_snapshot *s = x->snap;
    const char *now = x->session.py
                          ? lk_redact_name(s->arena, lk_environ_get(x->session.target, s->arena,
                                                                    LK_TEST_VARIABLE))
                          : NULL;
    if (!now || (s->test_env && strcmp(now, s->test_env) == 0))
        return;
    s->test_env = now;
    s->test_env_own = true;
}

/* What was not there to be read may decide anything. */
static void note_ran_out(struct examination *x)
{
    struct lk_snapshot *s = x->snap;
    s->ran_out = lk_process_ran_out(x->session.target);
    if (s->ran_out)
        lk_snapshot_limit_decides(s, "files in /proc could not be opened: %s%s",
                                  strerror(s->ran_out),
                                  s->ran_out == EMFILE ? " (raise ulimit -Hn)" : "");
}

/* Where it was spent after the last sample, what was to be read then lacks. */
static void note_spent(struct examination *x)
{
    const char *after = lk_process_spent(x->session.target);
    if (x->cut || after)
        lk_snapshot_limit_decides(x->snap, "%s: not all was read", after ? after : x->spent);
    else if (x->spent)
        lk_snapshot_limit(x->snap, "%s: fewer samples than asked for", x->spent);
}

/* What belongs to the report, but needs to be read of the last sample only. */
static void complete(struct examination *x)
{
    const struct lk_examine_options *o = x->session.options;
    read_lines(x);
    lk_sources_read(x->session.target, x->snap);
    read_test(x);
    lk_process_surroundings(x->session.target, x->snap->arena, &x->snap->around);
    x->snap->unit = lk_process_unit(x->session.target, x->snap->arena);
    if (x->session.py && !x->ended.code)
        lk_py_read_module_versions(x->session.py, x->snap);
    if (x->ended.code)
        lk_snapshot_limit_os(x->snap, x->ended.os_errno, "the list of threads",
                             "%s; this is what was seen before", x->ended.text);
    if (interrupted(o))
        lk_snapshot_limit(x->snap, "%s: fewer samples than asked for",
                          *o->interrupted == LK_DEADLINE_PASSED ? "its deadline has passed"
                                                                : "interrupted");
    publish_samples(x);
    lk_note_moving(&x->session, x->snap);
    note_ran_out(x);
    note_spent(x);
    lk_target_note_gaps(x->session.target, x->session.options, x->snap);
    lk_forget_ended_children(x->session.target, x->snap);
}

bool lk_examine_live(pid_t pid, const struct lk_examine_options *o, struct lk_report *ret,
                     struct lk_error *err)
{
    struct examination x = { .d_state = INT64_MAX };
    memset(ret, 0, sizeof *ret);
    if (!open_session(&x, pid, o, err)) {
        close_session(&x);
        return false;
    }
    x.history = lk_history_create();
    x.throttle_known = lk_process_throttle(x.session.target, &x.throttle);
    for (enum lk_step k = LK_STEP_SAMPLE; k != LK_STEP_NONE; k = next_step(&x, k))
        step(&x, k);
    tell_end_from_want(&x, &x.ended);
    if (!x.snap) {
        *err = x.ended;
        close_session(&x);
        return false;
    }
    complete(&x);
    /* Findings quote lines and limits, so the last diagnosis comes when those are known. */
    lk_findings_destroy(x.findings);
    ret->findings = lk_diagnose(x.snap);
    ret->snap = x.snap;
    if (o->locals)
        lk_read_values(&x.session, x.snap, ret->findings, &x.ended);
    close_session(&x);
    return true;
}

struct lk_report lk_report_missed(const struct lk_machine *m, pid_t pid, const struct lk_error *why)
{
    struct lk_report r = { .snap = lk_snapshot_create(), .findings = lk_findings_none(why->text) };
    struct lk_error ignored;
    if (why->code != LK_ERR_TIMEOUT) /* who does not answer would not do so now */
        (void)lk_machine_identify(m, pid, r.snap, &ignored);
    r.snap->pid = pid;
    r.snap->not_examined = true;
    lk_snapshot_limit_os(r.snap, why->os_errno, "the process", "%s", why->text);
    return r;
}

void lk_report_deinit(struct lk_report *r)
{
    lk_findings_destroy(r->findings);
    lk_snapshot_destroy(r->snap);
    memset(r, 0, sizeof *r);
}
