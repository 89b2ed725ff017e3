#include "examine/examine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "diagnose/catalog/classify.h"
#include "examine/sample/history.h"
#include "examine/sample/sample.h"
#include "examine/sample/source_lines.h"
#include "process/linux/listeners.h"
#include "process/linux/process_facts.h"
#include "read/servers/supervisor.h"
#include "snapshot/builder.h"

enum {
    SECOND_LOOK_MS = 110,
    WATCH_STEP_MS = 50, /* a look through /proc at the candidate's threads */
    NAP_MS = 20,        /* how long an interruption may go unnoticed */
};

/* One examination under way. */
struct examination {
    struct lk_session session;
    struct lk_history *history;
    struct lk_snapshot *snap;    /* the last sample */
    struct lk_snapshot *process; /* facts of the process, read once */
    uint64_t began_ms;
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
    } moved; /* all samples' moved tids, one after the other */
    struct {
        uint64_t *v;
        size_t n, cap;
    } throttle; /* periods, throttled, usec at begin and end */
};

static bool interrupted(const struct lk_examine_options *o)
{
    return o->interrupted && __atomic_load_n(o->interrupted, __ATOMIC_RELAXED);
}

/* Sleeps until ms milliseconds of the monotonic clock; false when the user wants out. */
static bool sleep_until(uint64_t ms, const struct lk_examine_options *o)
{
    for (;;) {
        uint64_t now = lk_now_ms();
        if (interrupted(o))
            return false;
        if (now >= ms)
            return true;
        uint64_t nap = LK_MIN(ms - now, (uint64_t)NAP_MS);
        struct timespec t = { 0, (long)nap * 1000000L };
        nanosleep(&t, NULL);
    }
}

static bool is_examined(const struct lk_examine_options *o, int64_t pid)
{
    for (size_t i = 0; i < o->n_together; i++)
        if (o->together[i] == pid)
            return true;
    return false;
}

/* Alive, and not merely started while the processes to examine were being listed. */
static bool is_missed(const struct lk_examine_options *o, int64_t pid)
{
    const uint64_t margin = 20, start = lk_process_start_ticks((pid_t)pid);
    return start && (!o->listed_ticks || start + margin < o->listed_ticks);
}

static bool all_children_examined(const struct lk_snapshot *s, const struct lk_examine_options *o)
{
    size_t examined = 0, missed = 0;
    for (size_t i = 0; i < s->children.n; i++) {
        const bool seen = is_examined(o, s->children.v[i].pid);
        examined += seen;
        missed += !seen && is_missed(o, s->children.v[i].pid);
    }
    return (examined || o->tree) && !missed;
}

/* At the end: children that have ended meanwhile are nobody's to look at any more. */
static void forget_ended_children(struct lk_snapshot *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->children.n; i++)
        if (lk_process_start_ticks((pid_t)s->children.v[i].pid))
            s->children.v[n++] = s->children.v[i];
    s->children.n = n;
}

/* A fresh snapshot with the facts of the process that do not change from sample to sample. */
static struct lk_snapshot *snapshot_for_sample(struct examination *x)
{
    struct lk_snapshot *s = lk_snapshot_create();
    lk_snapshot_copy_process(s, x->process);
    s->stalled_after_ms = x->session.options->stalled_after_ms;
    s->children_examined = all_children_examined(s, x->session.options);
    if (x->session.py)
        lk_py_describe(x->session.py, s);
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
    return s->python.present && !s->python.frames_read &&
           !lk_process_lives_on(lk_process_pid(x->session.target));
}

/* Takes a sample and makes it the last one. False with err when the target is gone; the one before
 * then stands. */
static bool take(struct examination *x, enum lk_stop_mode stop, struct lk_error *err)
{
    if (lk_process_start_ticks(lk_process_pid(x->session.target)) != x->start_ticks)
        return lk_error_set(err, LK_ERR_NO_PROCESS, "process %d ended while it was examined",
                            lk_process_pid(x->session.target));
    struct lk_snapshot *s = snapshot_for_sample(x);
    bool ok = lk_sample_take(&x->session, stop, s, err);
    if (ok && (s->stop.zombie || ended_under(x, s)))
        ok = lk_error_set(err, LK_ERR_NO_PROCESS, "process %d ended while it was examined",
                          lk_process_pid(x->session.target));
    if (!ok) {
        lk_snapshot_destroy(s);
        return false;
    }
    if (!x->began_ms)
        x->began_ms = lk_now_ms();
    keep_sample(x, s, (int64_t)(lk_now_ms() - x->began_ms));
    s->stop.d_state = x->d_state = LK_MIN(x->d_state, s->stop.d_state);
    s->watched_ms = (int64_t)(lk_now_ms() - x->began_ms);
    lk_snapshot_destroy(x->snap);
    x->snap = s;
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

static void note_limits(struct examination *x)
{
    struct lk_snapshot *s = x->snap;
    size_t racy = 0;
    for (size_t i = 0; i < s->threads.n; i++)
        racy += s->threads.v[i].read == LK_READ_RACY;
    if (x->session.stop_error[0])
        lk_snapshot_limit(s, "running threads were not stopped: %s", x->session.stop_error);
    if (racy)
        lk_snapshot_limit(
            s, "%zu of %zu threads ran while they were read; what is said of them is not proven",
            racy, s->threads.n);
}

/* What is asked of the kernel once the entities of the last sample are known: it may have changed
 * while they were watched. */
static void read_listeners(struct examination *x)
{
    lk_listeners_read(x->session.target, x->snap, x->session.options->together,
                      x->session.options->n_together);
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
    if (loops)
        lk_history_add_found(x->history, s);
}

/* Marks the threads that more watching may accuse or acquit; true when there are any. */
static bool candidates(const struct lk_snapshot *s, const struct lk_findings *f, bool *mark)
{
    memset(mark, 0, s->threads.n);
    for (size_t i = 0; i < f->look_again.threads.n; i++)
        if (lk_thread_at(s, f->look_again.threads.v[i]))
            mark[f->look_again.threads.v[i].index] = true;
    return f->look_again.threads.n > 0;
}

static void set_moved(struct lk_thread *t)
{
    t->moved = true;
    t->stable = false;
    t->stuck_ms = LK_UNKNOWN;
}

/* What was watched to the end of the watching: still where it was, unless the process has ended,
 * which nothing stuck does. */
static void conclude(struct examination *x, const bool *mark, bool ended)
{
    struct lk_snapshot *s = x->snap;
    int64_t watched = (int64_t)(lk_now_ms() - x->began_ms);
    for (size_t i = 0; i < s->threads.n; i++)
        if (mark[i] && ended)
            set_moved(&s->threads.v[i]);
        else if (mark[i] && s->threads.v[i].stuck_ms != LK_UNKNOWN)
            s->threads.v[i].stuck_ms = LK_MAX(s->threads.v[i].stuck_ms, watched);
    s->watched_ms = watched;
}

/*
 * One look at the candidate's threads through /proc, stopping nobody. A thread in a wait without
 * timeout that was given the CPU has moved. Whether a thread in a timed wait moved, only a sample
 * can say.
 */
static bool look(struct examination *x, struct lk_thread_list *list, bool *mark,
                 struct lk_error *ended)
{
    struct lk_snapshot *s = x->snap;
    bool still = false;
    if (!lk_process_threads(x->session.target, list, false, ended))
        return false;
    for (size_t i = 0; i < list->n; i++) {
        if (!mark[i])
            continue;
        struct lk_thread *t = &s->threads.v[i];
        bool gone = list->v[i].state == 'X', ran = list->v[i].switches != t->switches;
        if (gone || (ran && !t->running && !lk_wait_is_timed(t))) {
            set_moved(t);
            mark[i] = false;
            continue;
        }
        still = true;
    }
    return still;
}

/*
 * A look while watching stops nobody, unless a thread is watched because it computes (or waits for
 * its turn to, the GIL): where it does so cannot be seen otherwise.
 */
static enum lk_stop_mode stop_for(const struct examination *x, const struct lk_findings *f)
{
    for (size_t i = 0; i < f->look_again.threads.n; i++) {
        const struct lk_thread *t = lk_thread_at(x->snap, f->look_again.threads.v[i]);
        if (t && (t->running || t->wait.kind == LK_WAIT_GIL))
            return x->session.options->stop;
    }
    return LK_STOP_NONE;
}

/* Keeps watching until the threads that a finding accuses have stood still for --stalled-after, or
 * moved. */
static void watch(struct examination *x, struct lk_findings **f, struct lk_error *ended)
{
    const struct lk_examine_options *o = x->session.options;
    struct lk_snapshot *s = x->snap;
    bool *mark = lk_xcalloc(s->threads.n, sizeof *mark);
    struct lk_thread_list list = { 0 };
    bool alive = true;
    uint64_t end = x->began_ms + o->stalled_after_ms;
    for (size_t i = 0; i < s->threads.n; i++)
        lk_vec_push(&list)->tid = s->threads.v[i].tid;
    bool going = candidates(s, *f, mark);
    const bool later = (*f)->look_again.at_end;
    going |= later;
    while (going && lk_now_ms() < end) {
        alive = sleep_until(LK_MIN(end, lk_now_ms() + WATCH_STEP_MS), o);
        if (!alive)
            break;
        going = look(x, &list, mark, ended) || (later && !ended->code);
    }
    /* Also a thread that moves by itself, or a loop whose queue changed, shows only in one more
     * look at everything. */
    if (alive && going && take(x, stop_for(x, *f), ended)) {
        search_heap(x);
        read_listeners(x);
        lk_classify(x->snap, o->project);
    } else {
        conclude(x, mark, ended->code);
        read_listeners(x);
    }
    free(mark);
    free(list.v);
    lk_findings_destroy(*f);
    *f = lk_diagnose(x->snap);
}

/*
 * With --samples 1 a second look shortly after often decides what one alone cannot (threads that
 * another tool has just interrupted look freshly asleep), long before --stalled-after has passed.
 * So it does for loops that seem left behind.
 */
static void second_look(struct examination *x, struct lk_findings **f, struct lk_error *ended)
{
    const struct lk_examine_options *o = x->session.options;
    uint64_t from = (*f)->look_again.at_once ? lk_now_ms() : x->began_ms;
    if (!sleep_until(from + SECOND_LOOK_MS, o) || !take(x, stop_for(x, *f), ended))
        return;
    search_heap(x);
    read_listeners(x);
    lk_classify(x->snap, o->project);
    lk_findings_destroy(*f);
    *f = lk_diagnose(x->snap);
}

static void read_throttling(struct examination *x, bool first)
{
    static const size_t fields = 3;
    uint64_t v[3] = { 0 };
    if (!lk_process_throttle_read(lk_process_pid(x->session.target), &v[0], &v[1], &v[2]))
        return;
    for (size_t i = 0; i < fields; i++)
        lk_vec_add(&x->throttle, v[i]);
    if (first || x->throttle.n < 2 * fields)
        return;
    const uint64_t *a = x->throttle.v, *b = a + fields;
    struct lk_process_halt *stop = &x->process->stop;
    if (b[0] > a[0])
        stop->throttled_share = (double)(b[1] - a[1]) / (double)(b[0] - a[0]);
    stop->throttled_ms = (int64_t)((b[2] - a[2]) / 1000);
    x->snap->stop.throttled_share = stop->throttled_share;
    x->snap->stop.throttled_ms = stop->throttled_ms;
}

static bool open_session(struct examination *x, pid_t pid, const struct lk_examine_options *o,
                         struct lk_error *err)
{
    struct lk_session *p = &x->session;
    struct lk_error why = { 0 };
    p->options = o;
    p->target = lk_process_open_live(pid, err);
    if (!p->target)
        return false;
    x->start_ticks = lk_process_start_ticks(pid);
    x->process = lk_snapshot_create();
    if (!lk_process_facts_read(pid, x->process, err))
        return false;
    lk_supervisor_read(x->process);
    x->process->patterns = o->patterns;
    p->py = lk_py_open(p->target, &why);
    if (o->native || !p->py || !lk_py_readable(p->py)) {
        p->unwinder = lk_unwinder_create(p->target, &why);
        if (!p->unwinder)
            lk_snapshot_limit(x->process, "native stacks were not read: %s", why.text);
    }
    return true;
}

static void close_session(struct examination *x)
{
    lk_unwinder_destroy(x->session.unwinder);
    lk_py_close(x->session.py);
    lk_process_destroy(x->session.target);
    lk_gil_waits_deinit(&x->session.gil_waits);
    lk_history_destroy(x->history);
    lk_snapshot_destroy(x->process);
    free(x->samples.v);
    free(x->moved.v);
    free(x->throttle.v);
}

/* Debug information is costly: only the innermost native frames of threads without user Python
 * frames get file:line. */
static void read_lines(struct examination *x)
{
    struct lk_snapshot *s = x->snap;
    for (size_t i = 0; x->session.unwinder && i < s->threads.n; i++)
        if (s->threads.v[i].native_stack)
            lk_unwind_lines(x->session.unwinder, s->threads.v[i].native_stack, s->arena);
}

/* What a process has put into its own environment since it began is what it runs itself. */
static void read_test(struct examination *x)
{
    struct lk_snapshot *s = x->snap;
    const char *now =
        x->session.py ? lk_py_getenv(x->session.target, s->arena, LK_TEST_VARIABLE) : NULL;
    if (!now || (s->test_env && strcmp(now, s->test_env) == 0))
        return;
    s->test_env = now;
    s->test_env_own = true;
}

static void sample_all(struct examination *x, struct lk_error *err)
{
    const struct lk_examine_options *o = x->session.options;
    for (unsigned i = 0; i < LK_MAX(o->samples, 1u); i++) {
        if (i && !sleep_until(x->began_ms + (uint64_t)i * o->interval_ms, o))
            return;
        if (!take(x, o->stop, err))
            return;
    }
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
    read_throttling(&x, true);
    struct lk_error ended = { 0 };
    sample_all(&x, &ended);
    if (!x.snap) {
        *err = ended;
        close_session(&x);
        return false;
    }
    read_throttling(&x, false);
    search_heap(&x);
    read_listeners(&x);
    lk_classify(x.snap, o->project);
    struct lk_findings *f = lk_diagnose(x.snap);
    if (!ended.code && ((x.samples.n == 1 && (f->look_again.threads.n || f->look_again.at_end)) ||
                        f->look_again.at_once))
        second_look(&x, &f, &ended);
    if (!ended.code && !interrupted(o) && (f->look_again.threads.n || f->look_again.at_end))
        watch(&x, &f, &ended);
    /* Texts of lines are wanted in findings too, so they are read before the last diagnosis. */
    lk_findings_destroy(f);
    lk_sources_read(x.session.target, x.snap);
    read_lines(&x);
    read_test(&x);
    if (ended.code)
        lk_snapshot_limit(x.snap, "%s; this is what was seen before", ended.text);
    if (interrupted(o))
        lk_snapshot_limit(x.snap, "%s: fewer samples than asked for",
                          *o->interrupted == LK_DEADLINE_PASSED ? "its deadline has passed"
                                                                : "interrupted");
    publish_samples(&x);
    note_limits(&x);
    forget_ended_children(x.snap);
    ret->findings = lk_diagnose(x.snap);
    ret->snap = x.snap;
    close_session(&x);
    return true;
}

void lk_report_deinit(struct lk_report *r)
{
    lk_findings_destroy(r->findings);
    lk_snapshot_destroy(r->snap);
    memset(r, 0, sizeof *r);
}
