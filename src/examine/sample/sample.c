/*
 * One sample: whom to stop, what is read before, under and after the stop, and how each fact was
 * read. A thread counts as read asleep when its counters of /proc/PID/task/TID/schedstat
 * (Documentation/scheduler/sched-stats.rst) are the same before and after; else the sample is tried
 * again a few times.
 */
#include "examine/sample/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examine/sample/history.h"
#include "process/stop.h"
#include "read/loops/native/native_loops.h"
#include "read/native/native_wait.h"
#include "snapshot/builder.h"
#include "util/redact.h"
#include "util/text.h"

enum {
    STACK_COPY = 16 * 1024, /* what most native stacks need; the rest is read afterwards */
    STACK_TOP = 4 * 1024,   /* of a sleeping thread's stack, fetched ahead of the unwinding */
    /* for following tasks just before a stop; their pages are read again under it */
    TASK_BUDGET_MS = 30,
    MANY_TASKS = 5000, /* more may not all be followed within that budget */
    /* samples of which no thread may have moved; then it is said which did */
    QUICK_TRIES = 3,
    BETWEEN_TRIES_US = 2000, /* in which who waits for a processor may get one */
    /* a longer sample is not repeated: its target is large, or the machine very busy */
    QUICK_SAMPLE_US = 200000,
};

/* What the rehearsal under the stop needs. */
struct rehearsal {
    struct lk_session *session;
    struct lk_snapshot *scratch;
};

struct tids {
    int64_t *v;
    size_t n, cap;
};

static void add_threads(struct lk_session *x, struct lk_snapshot *s,
                        const struct lk_thread_list *list)
{
    pid_t pid = lk_process_pid(x->target);
    for (size_t i = 0; i < list->n; i++) {
        const struct lk_thread_facts *f = &list->v[i];
        struct lk_thread *t = lk_thread_at(s, lk_snapshot_thread(s, f->tid, NULL));
        t->comm = lk_redact_name(
            s->arena, lk_text_clean(s->arena, f->comm, strnlen(f->comm, sizeof f->comm), 128));
        t->name = t->comm;
        t->main = f->tid == pid;
        t->kstate = f->state;
        t->running = f->running;
        t->unread = f->running ? 0 : f->unread;
        t->switches = f->switches;
        t->cpu_us = f->run_ns ? f->run_ns / 1000 : f->cpu_us;
        t->off_cpu_ms = f->off_cpu_ms;
        t->read = f->running ? LK_READ_RACY : LK_READ_ASLEEP;
        t->sp = f->running || !f->syscall_known ? 0 : f->sp;
        lk_process_call(x->target, f, s->arena, &t->os);
    }
}

/* It was stopped in the very call it slept in when it was listed; a call that restarts is set back
 * to its instruction. */
static bool slept_on(const struct lk_arch *arch, const struct lk_thread_facts *f,
                     const struct lk_regs *r)
{
    uint64_t pc = r->reg[LK_REG_PC];
    return f->syscall_known && r->reg[LK_REG_SP] == f->sp &&
           (pc == f->pc || pc + arch->syscall_bytes == f->pc);
}

static void mark_stopped(const struct lk_arch *arch, struct lk_snapshot *s,
                         const struct lk_thread_list *list, const struct lk_stop_result *r)
{
    for (size_t i = 0; i < r->stopped.n; i++) {
        struct lk_thread *t =
            lk_thread_at(s, lk_snapshot_find(s, LK_KIND_THREAD, (uint64_t)r->stopped.v[i]));
        if (!t)
            continue;
        t->read = LK_READ_STOPPED;
        if (t->running || slept_on(arch, lk_thread_facts_of(list, t->tid, 0), &r->regs.v[i]))
            continue;
        /* It slept when it was listed and ran when it was stopped: what it slept in is past. */
        t->running = true;
        t->kstate = 'R';
        t->os = lk_syscall_wait_none;
    }
}

static void read_runtime(struct lk_session *x, struct lk_snapshot *s)
{
    if (x->py && lk_py_readable(x->py))
        lk_py_read(x->py, s);
    lk_native_read(x->target, s);
}

/* Before the stop: everything, so that its pages are known and are read again under the stop in few
 * calls. */
static void rehearse(struct lk_process *t, void *arg)
{
    (void)t;
    struct rehearsal *r = arg;
    if (r->session->py && lk_py_readable(r->session->py))
        lk_py_rehearse(r->session->py, r->scratch,
                       LK_MIN((unsigned)TASK_BUDGET_MS, r->session->options->max_pause_ms / 4));
    lk_native_read(r->session->target, r->scratch);
}

/* Under the stop: the frames of whoever computed on since. */
static void rehearse_threads(struct lk_process *t, void *arg)
{
    (void)t;
    struct rehearsal *r = arg;
    if (r->session->py && lk_py_readable(r->session->py))
        lk_py_rehearse_threads(r->session->py, r->scratch);
}

/* Threads that may be stopped; empty when nobody needs to be. Who computes is decided at the last
 * moment (process/stop.h). */
static void choose(const struct lk_thread_list *list, enum lk_stop_mode mode, struct tids *ret)
{
    bool needed = mode == LK_STOP_ALL;
    for (size_t i = 0; i < list->n; i++)
        needed |= list->v[i].running;
    for (size_t i = 0; needed && i < list->n; i++)
        /* D cannot stop, T and t stand already, Z and X are gone. */
        if (!strchr("DTtZX", list->v[i].state))
            lk_vec_add(ret, list->v[i].tid);
}

static bool same_run(const struct lk_thread_facts *a, const struct lk_thread_facts *b)
{
    return a->tid == b->tid && a->switches == b->switches && a->run_ns == b->run_ns &&
           !strchr("X?", b->state);
}

/* A Python thread that wakes by itself and sleeps again (a poll, the GIL): the next try may fall
 * between its wakings. */
static bool worth_another_try(const struct lk_thread *t)
{
    return t->python && !t->running && lk_wait_is_timed(t);
}

/* A Python thread that ran for a moment only, too short to be stopped, or that waits for its turn
 * on a processor: its frames are not known, the next try will have them. */
static bool ran_shortly(const struct lk_thread *t, const struct lk_thread_facts *after, bool stops)
{
    return t->python && t->running && t->read == LK_READ_RACY && (stops || after->state == 'S');
}

/* Frames alone say what a thread means to wait for, not that it does, nor with which timeout: where
 * the call it sleeps in could not be read, its wait is not known. */
static void forget_unread_waits(struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->threads.n; i++) {
        struct lk_thread *t = &s->threads.v[i];
        if (lk_wait_is_unread(t))
            t->wait = (struct lk_wait){ .kind = LK_WAIT_UNKNOWN,
                                        .timeout_ms = LK_UNKNOWN,
                                        .call = t->wait.call,
                                        .frame = t->wait.frame };
    }
}

/* Compares with the cheap second look: who ran meanwhile was not read asleep. Returns how many
 * deserve another try. */
static size_t mark_moved(struct lk_session *x, struct lk_snapshot *s,
                         const struct lk_thread_list *before, bool stops)
{
    struct lk_thread_list after = { 0 };
    size_t again = 0;
    for (size_t i = 0; i < before->n; i++)
        lk_vec_add(&after, before->v[i]);
    bool ok = lk_process_threads(x->target, &after, false, NULL);
    for (size_t i = 0; i < before->n; i++) {
        struct lk_thread *t =
            lk_thread_at(s, lk_snapshot_find(s, LK_KIND_THREAD, (uint64_t)before->v[i].tid));
        again += t && ok && i < after.n && ran_shortly(t, &after.v[i], stops);
        if (!t || t->read != LK_READ_ASLEEP ||
            (ok && i < after.n && same_run(&before->v[i], &after.v[i])))
            continue;
        t->read = LK_READ_RACY;
        again += worth_another_try(t);
    }
    lk_free(after.v);
    return again;
}

static void regs_of(const struct lk_thread_facts *f, const struct lk_stop_result *r,
                    struct lk_regs *ret)
{
    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; i < r->stopped.n && i < r->regs.n; i++) {
        if (r->stopped.v[i] == f->tid) {
            *ret = r->regs.v[i];
            return;
        }
    }
    if (f->running || !f->sp || !f->pc)
        return;
    ret->reg[LK_REG_SP] = f->sp;
    ret->reg[LK_REG_PC] = f->pc;
    ret->known = 1u << LK_REG_SP | 1u << LK_REG_PC;
}

/* The top of every stack in a few calls instead of two a thread. */
static void prefetch_stacks(struct lk_session *x, const struct lk_thread_list *list)
{
    lk_addr *sps = lk_xcalloc(list->n, sizeof *sps);
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        if (list->v[i].sp)
            sps[n++] = list->v[i].sp;
    lk_prefetch(x->target, sps, n, STACK_TOP);
    lk_free(sps);
}

static void read_native(struct lk_session *x, struct lk_snapshot *s,
                        const struct lk_thread_list *list, const struct lk_stop_result *r)
{
    if (!x->unwinder)
        return;
    prefetch_stacks(x, list);
    struct lk_regs *regs = lk_xcalloc(list->n + 1, sizeof *regs);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are meant */
    struct lk_natstack **stacks = lk_xcalloc(list->n + 1, sizeof *stacks);
    for (size_t i = 0; i < list->n; i++)
        regs_of(&list->v[i], r, &regs[i]);
    lk_unwind_all(x->unwinder, regs, list->n, s->arena, stacks);
    for (size_t i = 0; i < list->n; i++) {
        struct lk_thread *t =
            lk_thread_at(s, lk_snapshot_find(s, LK_KIND_THREAD, (uint64_t)list->v[i].tid));
        if (t && regs[i].known)
            t->native_stack = stacks[i];
    }
    lk_free(stacks);
    lk_free(regs);
}

static bool stop_and_copy(struct lk_session *x, enum lk_stop_mode mode,
                          const struct lk_thread_list *list, struct lk_stop_result *res)
{
    struct tids tids = { 0 };
    choose(list, mode, &tids);
    bool stopped = false;
    if (tids.n) {
        struct rehearsal r = { .session = x, .scratch = lk_snapshot_create() };
        struct lk_error err = { 0 };
        add_threads(x, r.scratch, list);
        for (size_t i = 0; i < r.scratch->threads.n; i++)
            r.scratch->threads.v[i].read = LK_READ_STOPPED; /* so that every stack is rehearsed */
        const struct lk_stop_request how = { .tids = tids.v,
                                             .n = tids.n,
                                             .whom = mode == LK_STOP_ALL ? LK_STOP_ANY
                                                                         : LK_STOP_COMPUTING,
                                             .max_pause_ms = x->options->max_pause_ms,
                                             .stack_bytes = STACK_COPY,
                                             .prepare = rehearse,
                                             .collect = rehearse_threads,
                                             .arg = &r };
        stopped = lk_stop_collect(x->target, &how, res, &err);
        if (!stopped)
            x->stop_error = err;
        lk_snapshot_destroy(r.scratch);
    }
    lk_free(tids.v);
    /* Everybody may have gone to sleep meanwhile: then nothing was copied, and the sleepers are
     * read where they are. */
    return stopped && res->stopped.n > 0;
}

static void note_sample(struct lk_snapshot *s, const struct lk_stop_result *r)
{
    struct lk_sample *p = lk_vec_push(&s->samples);
    p->pause_us = r->stopped.n ? r->pause_us : 0;
    p->stopped = (int64_t)r->stopped.n;
    for (size_t i = 0; i < s->threads.n; i++)
        p->asleep += s->threads.v[i].read == LK_READ_ASLEEP;
    if (r->overflow)
        lk_snapshot_limit(s, "more was read under the stop than could be kept; what was read again "
                             "later may be torn");
    if (r->deadline)
        lk_snapshot_limit(s, "the stop was ended at --max-pause before everything was copied; what "
                             "was read later may be torn");
}

/* Lists the threads and what their states alone tell. False with err when the process is gone, or
 * is just going. */
static bool list_threads(struct lk_session *x, struct lk_snapshot *s, struct lk_thread_list *list,
                         struct lk_error *err)
{
    pid_t pid = lk_process_pid(x->target);
    if (!lk_process_threads(x->target, list, true, err))
        return false;
    lk_gil_waits_recall(&x->gil_waits, list);
    lk_process_halt(x->target, list, s->arena, &s->stop);
    if (s->stop.main_gone && !lk_process_lives_on(x->target))
        return lk_error_set(err, LK_ERR_NO_PROCESS, "process %d ended while it was examined", pid);
    return true;
}

/*
 * Facts of runtimes and native stacks, from scratch, for one try. False: too much moved, try again.
 * To walk a process takes longer than a server's loop sleeps, on a loaded machine; to copy the
 * pages that the first try needed does not. So each further try does that, looks who slept
 * meanwhile, and walks the copy.
 */
static bool try_sample(struct lk_session *x, enum lk_stop_mode mode, struct lk_snapshot *s, int nth,
                       struct lk_error *err, bool *gone)
{
    struct lk_thread_list list = { 0 };
    struct lk_stop_result stop = { 0 };
    if (nth == 1)
        lk_process_begin_sample(x->target);
    else
        lk_process_begin_try(x->target);
    if (x->unwinder)
        lk_unwinder_refresh(x->unwinder);
    const uint64_t began = lk_process_now_us(x->target);
    *gone = !list_threads(x, s, &list, err);
    if (*gone) {
        lk_free(list.v);
        return false;
    }
    bool stopped = mode != LK_STOP_NONE && stop_and_copy(x, mode, &list, &stop);
    add_threads(x, s, &list);
    mark_stopped(lk_process_arch(x->target), s, &list, &stop);
    const bool copied = nth > 1 && !stopped && lk_process_reread(x->target);
    size_t restless = 0;
    /* The copied pages are from within the stop, or were just read: the look that proves sleep
     * comes right after that. */
    if (stopped || copied)
        restless = mark_moved(x, s, &list, stopped || mode != LK_STOP_NONE);
    read_runtime(x, s);
    if (!stopped && !(copied && lk_process_n_read(x->target) == 0))
        restless = mark_moved(x, s, &list, mode != LK_STOP_NONE);
    const bool again = restless && !stopped && nth < QUICK_TRIES &&
                       lk_process_now_us(x->target) - began < QUICK_SAMPLE_US;
    if (!again) {
        if (x->py && lk_py_readable(x->py)) {
            lk_py_seek_enders(x->py, s);
            lk_py_read_at_hand(x->py, s);
        }
        read_native(x, s, &list, &stop);
        lk_read_native_loops(s);
        note_sample(s, &stop);
        lk_gil_waits_keep(&x->gil_waits, s, &list);
        forget_unread_waits(s);
    }
    lk_stop_result_deinit(&stop);
    lk_free(list.v);
    return !again;
}

static void raise(struct lk_snapshot *s, const struct lk_refs *on, enum lk_read read)
{
    for (size_t i = 0; i < on->n; i++) {
        struct lk_future *f = lk_future_at(s, on->v[i]);
        if (f)
            f->read = LK_MAX(f->read, read);
    }
}

static enum lk_read weakest(const struct lk_snapshot *s, const struct lk_refs *threads,
                            enum lk_read none)
{
    enum lk_read ret = LK_READ_STOPPED;
    for (size_t i = 0; i < threads->n; i++) {
        const struct lk_thread *t = lk_thread_at(s, threads->v[i]);
        const struct lk_task *k = lk_task_at(s, threads->v[i]);
        ret = LK_MIN(ret, t ? t->read : k ? k->read : LK_READ_RACY);
    }
    return threads->n ? ret : none;
}

static void weigh_loops_and_tasks(struct lk_snapshot *s, enum lk_read unowned)
{
    for (size_t i = 0; i < s->loops.n; i++) {
        struct lk_loop *o = &s->loops.v[i];
        const struct lk_thread *t = lk_thread_at(s, o->thread);
        /* A loop never comes back from being closed, so that fact cannot go stale. */
        o->read = t ? t->read : o->run == LK_LOOP_CLOSED ? LK_READ_ASLEEP : unowned;
    }
    for (size_t i = 0; i < s->tasks.n; i++) {
        struct lk_task *k = &s->tasks.v[i];
        const struct lk_loop *o = lk_loop_at(s, k->loop);
        k->read = k->wait.read = o ? o->read : unowned;
        /* Some were read after the stop had ended: nobody vouches for them. */
        if (k->read == LK_READ_STOPPED && s->tasks.n > MANY_TASKS)
            k->read = k->wait.read = LK_READ_RACY;
    }
}

/*
 * How each fact was read follows from whose it is: a wait is its waiter's, a pending future is
 * vouched for by whoever sleeps on it (setting it would have woken them), a lock's holder by the
 * holder, a queue by its workers. What belongs to nobody counts as read asleep only when no thread
 * at all ran meanwhile.
 */
static void weigh(struct lk_snapshot *s)
{
    enum lk_read unowned = LK_READ_ASLEEP;
    for (size_t i = 0; i < s->threads.n; i++) {
        s->threads.v[i].wait.read = s->threads.v[i].read;
        if (s->threads.v[i].read == LK_READ_RACY)
            unowned = LK_READ_RACY;
    }
    weigh_loops_and_tasks(s, unowned);
    for (size_t i = 0; i < s->futures.n; i++)
        s->futures.v[i].read = unowned;
    for (size_t i = 0; i < s->threads.n; i++)
        raise(s, &s->threads.v[i].wait.on, s->threads.v[i].read);
    for (size_t i = 0; i < s->tasks.n; i++)
        raise(s, &s->tasks.v[i].wait.on, s->tasks.v[i].read);
    for (size_t i = 0; i < s->futures.n; i++)
        raise(s, &s->futures.v[i].enders, s->futures.v[i].read);
    for (size_t i = 0; i < s->locks.n; i++)
        s->locks.v[i].read = weakest(s, &s->locks.v[i].owners, unowned);
    for (size_t i = 0; i < s->executors.n; i++)
        s->executors.v[i].read = weakest(s, &s->executors.v[i].workers, unowned);
}

static void list_known(const struct lk_snapshot *s, struct lk_thread_list *list)
{
    for (size_t i = 0; i < s->threads.n; i++) {
        struct lk_thread_facts *f = lk_vec_push(list);
        f->tid = s->threads.v[i].tid;
    }
}

/* How what a thread's greenlets are was read: RACY where it has run since its sample. */
static enum lk_read read_since(const struct lk_snapshot *s, struct lk_ref thread,
                               const struct lk_thread_list *now)
{
    const struct lk_thread *t = lk_thread_at(s, thread);
    if (s->one_moment)
        return t ? t->read : LK_READ_RACY;
    return t && t->read == LK_READ_ASLEEP && thread.index < now->n &&
                   now->v[thread.index].switches == t->switches
               ? LK_READ_ASLEEP
               : LK_READ_RACY;
}

void lk_sample_weigh_found(const struct lk_session *x, struct lk_snapshot *s)
{
    struct lk_thread_list now = { 0 };
    if (!lk_snapshot_has_greenlets(s))
        return;
    list_known(s, &now);
    if (!lk_process_threads(x->target, &now, false, NULL))
        now.n = 0;
    for (size_t i = 0; i < s->tasks.n; i++) {
        struct lk_task *k = &s->tasks.v[i];
        struct lk_loop *o = lk_loop_at(s, k->loop);
        if (k->kind != LK_TASK_GREENLET)
            continue;
        k->read = k->wait.read = read_since(s, k->thread, &now);
        if (o)
            o->read = k->read;
    }
    for (size_t i = 0; i < s->locks.n; i++) {
        struct lk_lock *l = &s->locks.v[i];
        l->read =
            weakest(s, l->owners.n || !l->units_known ? &l->owners : &l->likely_enders, l->read);
    }
    lk_free(now.v);
}

/*
 * ceval_gil.h take_gil wakes every few milliseconds to ask for the GIL, and sleeps again. That such
 * a thread was in there when it was listed is all there is to read of it: nothing of Python's, and
 * no lock of its own, changes until it has the GIL.
 */
static bool is_vouched_for(const struct lk_snapshot *s, const struct lk_thread *t)
{
    const struct lk_thread *holder = t->wait.on.n == 1 ? lk_thread_at(s, t->wait.on.v[0]) : NULL;
    return t->wait.kind == LK_WAIT_GIL && !t->running && holder && holder->holds_gil &&
           holder->read == LK_READ_ASLEEP && holder->stable && !holder->moved;
}

void lk_sample_vouch(struct lk_snapshot *s)
{
    bool any = false;
    for (size_t i = 0; i < s->threads.n; i++) {
        struct lk_thread *t = &s->threads.v[i];
        if (!is_vouched_for(s, t))
            continue;
        if (t->read == LK_READ_RACY)
            t->read = t->wait.read = LK_READ_ASLEEP;
        /* Met awake in one of the samples: it was on its way into this wait, or just asking again.
         */
        t->stable = true;
        t->moved = false;
        any = true;
    }
    for (size_t i = 0; any && i < s->locks.n; i++)
        if (s->locks.v[i].owners.n)
            s->locks.v[i].read = weakest(s, &s->locks.v[i].owners, s->locks.v[i].read);
}

bool lk_sample_take(struct lk_session *x, enum lk_stop_mode stop, struct lk_snapshot *s,
                    struct lk_error *err)
{
    for (int i = 1; i <= QUICK_TRIES; i++) {
        bool gone = false;
        if (try_sample(x, stop, s, i, err, &gone)) {
            weigh(s);
            return true;
        }
        if (gone)
            return false;
        lk_snapshot_clear_entities(s);
        lk_process_sleep_us(x->target, BETWEEN_TRIES_US);
    }
    return false;
}
