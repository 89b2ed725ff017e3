/* Interpreters, thread states, the threads' Python stacks, and the GIL. */
#include "read/python/interpreter/thread_states.h"

#include <stdlib.h>

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/tstates.h"
#include "read/python/interpreter/type.h"
#include "util/redact.h"

enum {
    MAX_INTERPRETERS = 4096,
    LIST_TRIES = 32,
    TSTATE_READ = 256, /* front of a thread state: all fields used here */
    TID_FROM = 0x80,   /* where a tid is looked for that is where no libc known here has it */
    TID_TO = 0x800,
    GIL_LAST_HOLDER = 8, /* struct _gil_runtime_state, the same in 3.8 - 3.15 */
    GIL_LOCKED = 16,
    GIL_MORE_HEAD = 8, /* of a free-threaded build */
    GIL_COND = 32,     /* cond, mutex, switch_cond, switch_mutex up to the end of the struct */
};

/* ---- the lists ---------------------------------------------------------------------------- */

static void incomplete(struct lk_py *py, const char *what)
{
    py->frames_complete = false;
    lk_snapshot_limit_of(py->s, (struct lk_ref){ 0 }, lk_read_failed(py->t), "%s", what);
}

static bool read_threads_of(struct lk_py *py, unsigned index, struct tstates *out,
                            struct lk_map *seen)
{
    const struct lk_layout *l = &py->layout;
    const lk_addr interp = py->interpreters.v[index].addr;
    uint8_t b[TSTATE_READ];
    lk_addr ts;

    if (!lk_read_u64(py->t, interp + l->is_threads_head, &ts))
        return false;
    while (ts) {
        uint64_t owner, next;
        lk_vec_add(&out->touched, ts);
        if (out->n >= LK_PY_MAX_THREADS || !lk_map_add(seen, ts, 1))
            return lk_read_senseless(py->t, ts, sizeof b);
        if (!lk_read(py->t, ts, b, sizeof b))
            return false;
        memcpy(&owner, b + l->ts_interp, 8);
        memcpy(&next, b + l->ts_next, 8);
        if (owner != interp)
            return lk_read_senseless(py->t, ts + l->ts_interp, 8);
        struct tstate *k = lk_vec_push(out);
        k->addr = ts;
        k->interp = index;
        k->tid = -1;
        k->thread = SIZE_MAX;
        memcpy(&k->ident, b + l->ts_thread_id, 8);
        if (l->ts_native_thread_id != LK_OFF_NONE)
            memcpy(&k->tid, b + l->ts_native_thread_id, 8);
        ts = next;
    }
    return true;
}

/* Where this interpreter's GIL is; 0. */
static lk_addr gil_of(struct lk_py *py, lk_addr interp)
{
    const struct lk_layout *l = &py->layout;
    lk_addr gil =
        l->rt_gil != LK_OFF_NONE ? py->runtime + l->rt_gil : lk_py_ptr(py, interp + l->is_gil);
    int32_t enabled;
    if (!py->free_threaded)
        return gil;
    /* struct _gil_runtime_state begins with `enabled` there: PYTHON_GIL=1, or an extension that
     * needs it was imported */
    return gil && lk_read_i32(py->t, gil, &enabled) && enabled ? gil + GIL_MORE_HEAD : 0;
}

static unsigned add_gil(struct lk_py *py, lk_addr gil)
{
    size_t i = 0;
    while (i < py->gils.n && py->gils.v[i].addr != gil)
        i++;
    if (i == py->gils.n)
        lk_vec_add(&py->gils, ((struct lk_py_gil){ gil, SIZE_MAX }));
    return (unsigned)i;
}

/* The lists' newest interpreter comes first; here the main one does, which is the oldest. */
static unsigned add_interpreter(struct lk_py *py, lk_addr addr)
{
    struct lk_py_interpreter *is = lk_vec_push(&py->interpreters);
    is->addr = addr;
    if (!lk_read(py->t, addr + py->layout.is_id, &is->id, sizeof is->id))
        is->id = (int64_t)py->interpreters.n; /* it has some name at least */
    if (addr == py->interp)
        is->id = 0;
    is->modules = lk_py_ptr(py, addr + py->layout.is_modules);
    if (!is->modules || lk_py_kind(py, is->modules) != LK_PYK_DICT)
        is->modules = 0;
    is->gil = add_gil(py, gil_of(py, addr));
    return (unsigned)(py->interpreters.n - 1);
}

/* Returns what could not be read; NULL when all is there. */
static const char *try_lists(struct lk_py *py, struct tstates *out)
{
    struct lk_map seen = { 0 };
    lk_addr is = lk_py_ptr(py, py->runtime + py->layout.rt_interpreters_head);
    const char *torn = NULL;

    py->interpreters.n = py->gils.n = 0;
    add_interpreter(py, py->interp);
    lk_read_watch(py->t);
    for (int i = 0; is; i++) {
        if (i == MAX_INTERPRETERS || !lk_map_add(&seen, is, 1)) {
            lk_read_senseless(py->t, is + py->layout.is_next, 8);
            torn = "the list of Python interpreters could not be read to its end";
            break;
        }
        lk_vec_add(&out->touched, is + py->layout.is_threads_head);
        lk_vec_add(&out->touched, is + py->layout.is_next);
        if (!read_threads_of(py, is == py->interp ? 0 : add_interpreter(py, is), out, &seen))
            torn = "the list of Python threads could not be read to its end";
        is = lk_py_ptr(py, is + py->layout.is_next);
    }
    lk_map_deinit(&seen);
    return torn;
}

/* Threads come and go while the list is read: a torn one is read again. */
static void read_lists(struct lk_py *py, struct tstates *out)
{
    const char *before = lk_reading(py->t, "the list of thread states");
    const char *torn = try_lists(py, out);
    for (int i = 1; torn && i < LIST_TRIES; i++) {
        lk_vec_add(&out->touched, py->runtime + py->layout.rt_interpreters_head);
        lk_process_forget(py->t, out->touched.v, out->touched.n, TSTATE_READ);
        out->n = out->touched.n = 0;
        torn = try_lists(py, out);
    }
    if (torn)
        incomplete(py, torn);
    lk_reading(py->t, before);
}

/* ---- kernel threads ------------------------------------------------------------------------- */

static bool is_tid(struct lk_py *py, int64_t tid, size_t *index)
{
    /* In a container the thread itself knows another number than we do. */
    struct lk_ref r =
        lk_snapshot_find(py->s, LK_KIND_THREAD, tid > 0 ? (uint64_t)lk_process_tid(py->t, tid) : 0);
    *index = r.index;
    return tid > 0 && r.kind == LK_KIND_THREAD;
}

static int64_t tid_at(struct lk_py *py, uint64_t ident, uint32_t offset)
{
    int32_t tid;
    return ident && (ident & 7) == 0 && lk_read_i32(py->t, ident + offset, &tid) ? tid : -1;
}

static size_t hits(struct lk_py *py, const struct tstates *ts, uint32_t offset)
{
    size_t n = 0, at;
    for (size_t i = 0; i < ts->n && i < 64; i++)
        n += is_tid(py, tid_at(py, ts->v[i].ident, offset), &at);
    return n;
}

/* ident is pthread_t, the address of struct pthread; the C library keeps the kernel's tid in it.
 * Where: found by looking. */
static void calibrate(struct lk_py *py, const struct tstates *ts)
{
    const struct lk_arch *arch = lk_process_arch(py->t);
    size_t want = LK_MIN(ts->n, (size_t)64);

    if (py->tid_offset || want == 0)
        return;
    if (hits(py, ts, arch->glibc.thread.tid))
        py->tid_offset = arch->glibc.thread.tid;
    else if (hits(py, ts, arch->musl_tid) == want)
        py->tid_offset = arch->musl_tid;
    for (uint32_t off = TID_FROM; !py->tid_offset && off < TID_TO; off += 4)
        if (hits(py, ts, off) == want)
            py->tid_offset = off;
}

/* Finds each thread state's kernel thread. After a fork the stored native id may be the parent's:
 * then pthread's word counts. */
static void match_threads(struct lk_py *py, struct tstates *ts)
{
    for (size_t i = 0; i < ts->n; i++) {
        struct tstate *k = &ts->v[i];
        size_t at;
        if (k->tid > 0 && is_tid(py, k->tid, &at)) {
            k->thread = at;
            continue;
        }
        calibrate(py, ts);
        k->tid = py->tid_offset ? tid_at(py, k->ident, py->tid_offset) : -1;
        if (is_tid(py, k->tid, &at))
            k->thread = at;
    }
    if (py->interpreters.n > 1)
        lk_py_place_tstates(py, ts);
}

/* Those without a thread; an interpreter keeps its first state though nobody is in it. */
static void count_lost(struct lk_py *py, const struct tstates *ts)
{
    size_t lost = 0, code = 0;

    for (size_t i = 0; i < ts->n; i++) {
        const struct tstate *k = &ts->v[i];
        if (k->thread != SIZE_MAX || (k->interp && !lk_py_has_frames(py, k->addr)))
            continue;
        lost++;
        code += k->interp != 0;
    }
    if (lost)
        lk_snapshot_limit(py->s,
                          "%zu Python thread state%s no kernel thread (just started, ended, or "
                          "left behind by a fork)",
                          lost, lost == 1 ? " has" : "s have");
    if (lost && lost == ts->n)
        py->frames_complete = false;
    if (code)
        lk_snapshot_limit_decides(py->s,
                                  "on which thread the code of %zu Python thread state%s of "
                                  "subinterpreters runs could not be found out",
                                  code, code == 1 ? "" : "s");
}

/* ---- frames --------------------------------------------------------------------------------- */

/* Brings what the walks start from into the page cache with few calls: C frames (3.11, 3.12), then
 * top frames. */
static void prefetch_tops(struct lk_py *py, const struct tstates *ts)
{
    const struct lk_layout *l = &py->layout;
    lk_addr *a = lk_xcalloc(ts->n + 1, sizeof *a);
    uint32_t at = l->frame_kind == LK_FRAME_OBJECT   ? l->ts_frame
                  : l->frame_kind == LK_FRAME_CFRAME ? l->ts_cframe
                                                     : l->ts_current_frame;
    size_t n = 0, m = 0;

    for (size_t i = 0; i < ts->n; i++)
        if ((a[n] = lk_py_ptr(py, ts->v[i].addr + at)) != 0)
            n++;
    lk_prefetch(py->t, a, n, l->frame_kind == LK_FRAME_CFRAME ? 32 : 256);
    for (size_t i = 0; l->frame_kind == LK_FRAME_CFRAME && i < n; i++)
        if ((a[m] = lk_py_ptr(py, a[i] + l->cframe_current)) != 0)
            m++;
    lk_prefetch(py->t, a, m, 256);
    lk_free(a);
}

/* A running thread that nobody stopped rewrites its frames while they are read: a stack that looks
 * right may be wrong. */
static bool torn_by_running(const struct lk_thread *t)
{
    return t->running && t->read == LK_READ_RACY;
}

static void keep_frames(struct lk_py *py, size_t index, struct lk_pyframes *frames, bool truncated)
{
    struct lk_pyframe *v = lk_xcalloc(frames->n + 1, sizeof *v);
    uint64_t old;

    /* A thread that is in several interpreters: the inner one was met first. */
    if (lk_map_get(&py->frames_of, index, &old)) {
        const struct lk_pyframes *inner = (const struct lk_pyframes *)(uintptr_t)old;
        struct lk_pyframes both = { 0 };
        for (size_t i = 0; i < inner->n; i++)
            *lk_vec_push(&both) = inner->v[i];
        for (size_t i = 0; i < frames->n; i++)
            *lk_vec_push(&both) = frames->v[i];
        lk_free(frames->v);
        *frames = both;
        v = lk_xrealloc(v, (frames->n + 1) * sizeof *v);
    }
    for (size_t i = 0; i < frames->n; i++)
        v[i] = lk_py_snapshot_frame(py, &frames->v[i]);
    py->s->threads.v[index].python_stack = lk_snapshot_stack(py->s, v, frames->n, truncated);
    lk_map_put(&py->frames_of, index, (uintptr_t)lk_py_frames_keep(py, frames));
    lk_free(v);
}

/* The thread is in this interpreter. */
static void be_in(const struct lk_py *py, const struct tstate *k, struct lk_thread *t)
{
    t->tstate = k->addr;
    t->interpreter = py->interpreters.v[k->interp].id;
    t->gil = py->interpreters.v[k->interp].gil;
}

static void meet(struct lk_py *py, const struct tstate *k, struct lk_thread *t)
{
    t->python = true;
    t->main = t->tid == py->s->pid;
    if (!t->tstate)
        be_in(py, k, t);
    if (k->moved)
        return;
    t->ident = k->ident;
    lk_map_put(&py->by_ident, k->ident, k->thread);
}

/* 3.8 and 3.9 do not say where code is evaluated: what a state of another interpreter than that of
 * the thread's frames runs may be on another thread's stack. */
static bool outer_is_uncertain(struct lk_py *py, const struct tstate *k)
{
    struct lk_thread *t = &py->s->threads.v[k->thread];
    if (k->on_stack || !t->python_stack->n || !lk_py_has_frames(py, k->addr))
        return false;
    lk_snapshot_limit_decides(py->s,
                              "thread %lld has frames in several Python interpreters, and CPython "
                              "%s does not say which of them run on its stack",
                              (long long)t->tid, py->version);
    return true;
}

static void read_stacks(struct lk_py *py, const struct tstates *ts)
{
    struct lk_pyframes frames = { 0 };
    struct lk_ref skipped_first = { 0 }, torn_first = { 0 };
    struct lk_failed_read failed = { 0 };
    size_t skipped = 0, torn = 0;

    prefetch_tops(py, ts);
    for (size_t i = 0; i < ts->n; i++) {
        const struct tstate *k = &ts->v[i];
        bool truncated = false;
        if (k->thread == SIZE_MAX)
            continue;
        struct lk_thread *t = &py->s->threads.v[k->thread];
        meet(py, k, t);
        if (torn_by_running(t)) {
            if (!skipped++)
                skipped_first = lk_ref_make(LK_KIND_THREAD, k->thread);
            continue;
        }
        frames.n = 0;
        if (lk_py_left_python(py, k->addr, t->sp)) {
            t->outside_python = true;
            continue;
        }
        if (outer_is_uncertain(py, k))
            continue;
        if (!lk_py_thread_frames(py, k->addr, &frames, &truncated) ||
            (truncated && frames.n < LK_PY_MAX_FRAMES)) {
            if (!torn++) {
                torn_first = lk_ref_make(LK_KIND_THREAD, k->thread);
                failed = lk_read_failed(py->t);
            }
        } else
            t->outside_python = !frames.n && !t->python_stack->n;
        if (frames.n && !t->python_stack->n)
            be_in(py, k, t);
        if (frames.n)
            keep_frames(py, k->thread, &frames, truncated);
    }
    lk_free(frames.v);
    if (skipped)
        lk_snapshot_limit_of(py->s, skipped_first, (struct lk_failed_read){ 0 },
                             "%zu running thread%s not stopped; %s not read", skipped,
                             skipped == 1 ? " was" : "s were",
                             skipped == 1 ? "its Python stack was" : "their Python stacks were");
    if (torn)
        lk_snapshot_limit_of(py->s, torn_first, failed,
                             "the Python stacks of %zu thread%s could not be read to the end", torn,
                             torn == 1 ? "" : "s");
}

/* ---- names ---------------------------------------------------------------------------------- */

static bool name_thread(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    int64_t ident;
    uint64_t at;
    (void)arg;

    /* in the main interpreter, whose are named first, a thread has its own name */
    if (!lk_py_int(py, key, &ident) || !lk_map_get(&py->by_ident, (uint64_t)ident, &at) ||
        lk_map_get(&py->thread_objects, at, NULL))
        return true;
    lk_map_put(&py->thread_objects, at, value);
    lk_addr name = lk_py_attr(py, value, "_name");
    const char *s = name ? lk_py_str(py, name) : NULL;
    if (s && *s)
        py->s->threads.v[at].name = lk_redact_name(py->s->arena, s);
    return true;
}

static void name_threads(struct lk_py *py)
{
    for (size_t i = 0; i < py->interpreters.n; i++) {
        lk_addr active = lk_py_module_attr_in(py, i, "threading", "_active");
        if (active)
            lk_py_dict_each(py, active, name_thread, NULL);
    }
}

/* ---- GIL ------------------------------------------------------------------------------------ */

static void mark_holders(struct lk_py *py, const struct tstates *ts)
{
    for (size_t i = 0; i < py->gils.n; i++) {
        int32_t locked;
        lk_addr holder;
        /* last_holder stays after a release: it means something only while the GIL is locked. */
        if (!py->gils.v[i].addr || !lk_read_i32(py->t, py->gils.v[i].addr + GIL_LOCKED, &locked) ||
            locked != 1 || !lk_read_u64(py->t, py->gils.v[i].addr + GIL_LAST_HOLDER, &holder))
            continue;
        for (size_t j = 0; j < ts->n; j++)
            if (ts->v[j].addr == holder && ts->v[j].thread != SIZE_MAX) {
                py->gils.v[i].holder = ts->v[j].thread;
                py->s->threads.v[ts->v[j].thread].holds_gil = true;
            }
    }
}

static void keep_tstates(struct lk_py *py, const struct tstates *ts)
{
    py->tstates.n = 0;
    for (size_t i = 0; i < ts->n; i++)
        lk_vec_add(&py->tstates, ((struct lk_py_tstate){ ts->v[i].addr, ts->v[i].thread }));
    py->s->python.interpreters = (unsigned)py->interpreters.n;
    py->s->python.gils = (unsigned)py->gils.n;
}

void lk_py_read_threads(struct lk_py *py)
{
    struct tstates ts = { 0 };

    read_lists(py, &ts);
    match_threads(py, &ts);
    count_lost(py, &ts);
    read_stacks(py, &ts);
    mark_holders(py, &ts);
    name_threads(py);
    keep_tstates(py, &ts);
    lk_free(ts.touched.v);
    lk_free(ts.v);
}

/* _gil_runtime_state ends with two pairs of a condition variable and a mutex; these are of the same
 * size in glibc and musl. */
static size_t gil_bytes(const struct lk_py *py)
{
    const struct lk_glibc_layout *l = &lk_process_arch(py->t)->glibc;
    return GIL_COND + 2 * ((size_t)l->cond_size + l->mutex.size);
}

/* The GIL that a word of memory is part of; NULL. */
static const struct lk_py_gil *gil_at(const struct lk_py *py, lk_addr word)
{
    const size_t bytes = gil_bytes(py);
    for (size_t i = 0; i < py->gils.n; i++) {
        const lk_addr gil = py->gils.v[i].addr;
        if (gil && word >= gil + GIL_COND && word < gil + bytes)
            return &py->gils.v[i];
    }
    return NULL;
}

void lk_py_read_gil(struct lk_py *py)
{
    struct lk_snapshot *s = py->s;

    for (size_t i = 0; i < s->threads.n; i++) {
        struct lk_thread *t = &s->threads.v[i];
        const struct lk_py_gil *gil = t->os.on == LK_OS_FUTEX ? gil_at(py, t->os.futex) : NULL;
        if (!gil)
            continue;
        t->wait.kind = LK_WAIT_GIL;
        t->wait.call = "the GIL";
        t->wait.read = t->read;
        /* the kernel's timeout is the switch interval: it waits again */
        t->wait.timeout_ms = LK_FOREVER;
        if (gil->holder != SIZE_MAX && gil->holder != i) {
            lk_refs_add(s, &t->wait.on, lk_ref_make(LK_KIND_THREAD, gil->holder));
            t->wait.complete = true;
        }
    }
}
