/*
 * Digests of position and wait, by an identity that holds from sample to sample: a thread's tid, an
 * object's address. CPython gives the address of a freed object to the next one of its size soon
 * (Objects/obmalloc.c), so names are remembered wherever a reused address could look like standing
 * still.
 */
#include "examine/sample/history.h"

#include <stdlib.h>
#include <string.h>

#include "util/map.h"

enum {
    SETTLED_MS = 1000, /* nothing in passing is in one place for so long */
    MAX_OUTER = 256,   /* outermost frames of a thread that are remembered */
};

/* The outermost frames of a thread that stood at the same instruction in all samples. */
struct outer_frames {
    uint64_t *v; /* outermost first; malloc'd */
    size_t n;
    unsigned seen; /* samples it was compared in */
    uint64_t work; /* what the thread did then: the work item, the loop it drives */
};

/* What is remembered of one entity. */
struct memory {
    uint64_t digest;
    uint64_t switches, cpu_us; /* threads */
    /* threads: of the tasks that would complete what it waits for */
    uint64_t names;
    uint64_t first_cpu_us; /* threads: at the first sample that saw it */
    int64_t since_ms;      /* position unchanged since */
    int64_t at_ms;         /* of the sample that saw it last */
    /* threads: our own stop woke it, so that it ran says nothing */
    bool stopped;
    bool again; /* threads: it ran since it came to its place, and waits there anew */
    bool sure;  /* tasks, futures: seen with this digest while their thread stood still */
    /* threads: digest of the callback a loop runs; loops: identity of that callback */
    uint64_t outer;
    unsigned seen, same; /* samples it was in; in a row with this digest */
    unsigned outer_same;
    unsigned unread;            /* loops: samples in which its thread could not be read */
    struct outer_frames frames; /* threads */
};

struct lk_history {
    struct lk_map of[LK_KIND_EXTERN + 1]; /* address or tid -> index into mem */
    struct {
        struct memory *v;
        size_t n, cap;
    } mem;
    struct lk_map found; /* loops found by a walk over the heap: address -> digest */
    unsigned samples;
    unsigned walks; /* over the heap, by which greenlets are found */
};

struct lk_history *lk_history_create(void)
{
    return lk_xcalloc(1, sizeof(struct lk_history));
}

void lk_history_destroy(struct lk_history *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < LK_ARRAY_LEN(h->of); i++)
        lk_map_deinit(&h->of[i]);
    lk_map_deinit(&h->found);
    for (size_t i = 0; i < h->mem.n; i++)
        lk_free(h->mem.v[i].frames.v);
    lk_free(h->mem.v);
    lk_free(h);
}

static struct memory *remember(struct lk_history *h, enum lk_kind kind, uint64_t key, bool *is_new)
{
    uint64_t at = h->mem.n;
    *is_new = lk_map_add(&h->of[kind], key, h->mem.n);
    if (*is_new)
        return lk_vec_push(&h->mem);
    lk_map_get(&h->of[kind], key, &at);
    return &h->mem.v[at];
}

/* The identity of an entity that holds from sample to sample: ids and indices do not. */
static uint64_t key_of(const struct lk_snapshot *s, struct lk_ref r)
{
    switch (r.kind) {
    case LK_KIND_THREAD: return (uint64_t)s->threads.v[r.index].tid;
    case LK_KIND_LOOP: return s->loops.v[r.index].addr;
    case LK_KIND_TASK: return s->tasks.v[r.index].addr;
    case LK_KIND_FUTURE: return s->futures.v[r.index].addr;
    case LK_KIND_LOCK: return s->locks.v[r.index].addr;
    case LK_KIND_EXECUTOR: return s->executors.v[r.index].addr;
    case LK_KIND_EXTERN:
    case LK_KIND_NONE: break;
    }
    return 0;
}

static uint64_t digest_refs(uint64_t d, const struct lk_snapshot *s, const struct lk_refs *refs)
{
    d = lk_hash_u64(d, refs->n);
    for (size_t i = 0; i < refs->n; i++)
        d = lk_hash_u64(lk_hash_u64(d, refs->v[i].kind), key_of(s, refs->v[i]));
    return d;
}

/* In whichever order they were found: a walk over the heap meets its objects in another one when
 * the collector has run. */
static uint64_t digest_set(uint64_t d, const struct lk_snapshot *s, const struct lk_refs *refs)
{
    uint64_t all = 0;
    for (size_t i = 0; i < refs->n; i++)
        all += lk_hash_u64(lk_hash_u64(LK_HASH_INIT, refs->v[i].kind), key_of(s, refs->v[i]));
    return lk_hash_u64(lk_hash_u64(d, refs->n), all);
}

static uint64_t digest_frames(uint64_t d, const struct lk_pystack *st, size_t from)
{
    for (size_t i = from; i < st->n; i++) {
        d = lk_hash_u64(d, st->frames[i].code ? st->frames[i].code->addr : 0);
        d = lk_hash_u64(d, st->frames[i].lasti);
    }
    return lk_hash_u64(d, st->n - LK_MIN(from, (size_t)st->n));
}

static uint64_t digest_native(uint64_t d, const struct lk_natstack *st)
{
    for (size_t i = 0; st && i < st->n; i++)
        d = lk_hash_u64(d, st->frames[i].offset);
    return d;
}

/* Of a call that polls: where it was called, and which call it is. */
static uint64_t digest_polled(uint64_t d, const struct lk_wait *w, const struct lk_pystack *st)
{
    return digest_frames(lk_hash_u64(d, w->call_id), st, (size_t)LK_MAX(w->frame, 0));
}

static uint64_t digest_thread(const struct lk_snapshot *s, const struct lk_thread *t)
{
    uint64_t d = lk_hash_u64(LK_HASH_INIT, t->wait.kind);
    d = digest_refs(d, s, &t->wait.on);
    /* the next request in the same function is progress */
    d = lk_hash_u64(d, key_of(s, t->works_on));
    d = lk_hash_u64(d, key_of(s, t->current_task));
    if (t->wait.traits & LK_WAIT_POLLS)
        return digest_polled(d, &t->wait, t->python_stack);
    d = lk_hash_u64(d, (uint64_t)t->os.nr);
    d = lk_hash_u64(d, (uint64_t)t->os.fd);
    if (!lk_wait_is_timed(t))
        d = lk_hash_u64(d, t->os.futex);
    return t->python_stack->n ? digest_frames(d, t->python_stack, 0)
                              : digest_native(d, t->native_stack);
}

/* Identity of the callback a loop's thread runs: its frames outside of the innermost ones that a
 * busy callback changes. */
static uint64_t digest_callback(const struct lk_snapshot *s, const struct lk_thread *t)
{
    const struct lk_pystack *st = t->python_stack;
    return st->n >= 2
               ? digest_frames(lk_hash_u64(LK_HASH_INIT, key_of(s, t->current_task)), st, st->n / 2)
               : 0;
}

/*
 * How many outermost frames have stood where they stand since the first sample; 0 while there is
 * but one to compare. What a thread does further in does not matter: a loop that is run for ever
 * below a request may turn. A read that raced with the thread may be torn and says nothing.
 */
static size_t outer_frames_same(struct outer_frames *o, const struct lk_snapshot *s,
                                const struct lk_thread *t)
{
    const struct lk_pystack *st = t->python_stack;
    size_t same = 0, n = LK_MIN(st->n, (size_t)MAX_OUTER);
    uint64_t work = lk_hash_u64(LK_HASH_INIT, key_of(s, t->works_on));
    if (t->n_frame_loops)
        work = lk_hash_u64(work, key_of(s, t->frame_loops[t->n_frame_loops - 1]));
    if (t->read == LK_READ_RACY)
        return o->seen > 1 ? o->n : 0;
    bool first = !o->seen || o->work != work;
    if (first && !o->v)
        o->v = lk_xcalloc(MAX_OUTER, sizeof *o->v);
    for (; same < n && (first || same < o->n); same++) {
        const struct lk_pyframe *f = &st->frames[st->n - 1 - same];
        uint64_t at = lk_hash_u64(lk_hash_u64(LK_HASH_INIT, f->code ? f->code->addr : 0), f->lasti);
        if (!first && o->v[same] != at)
            break;
        o->v[same] = at;
    }
    o->n = same;
    o->work = work;
    o->seen = first ? 1 : o->seen + 1;
    return o->seen > 1 ? o->n : 0;
}

static uint64_t digest_task(const struct lk_snapshot *s, const struct lk_task *k)
{
    /* With the name: CPython soon gives the address of a finished task to a new one. */
    uint64_t d = lk_hash_str(LK_HASH_INIT, k->name);
    d = lk_hash_u64(d, (uint64_t)k->state * 4 + k->ready * 2 + k->started);
    d = lk_hash_u64(d, k->wait.kind);
    d = lk_hash_u64(d, k->salt);
    if (k->wait.traits & LK_WAIT_POLLS)
        return digest_polled(d, &k->wait, k->stack);
    return digest_frames(digest_refs(d, s, &k->wait.on), k->stack, 0);
}

static uint64_t head_handle(const struct lk_loop *o)
{
    for (size_t i = 0; i < o->n_handles; i++)
        if (o->handles[i].cancelled != LK_YES)
            return o->handles[i].addr;
    return 0;
}

static uint64_t digest_loop(const struct lk_snapshot *s, const struct lk_loop *o)
{
    uint64_t d = lk_hash_u64(LK_HASH_INIT, o->run);
    d = lk_hash_u64(d, key_of(s, o->thread));
    return lk_hash_u64(d, head_handle(o));
}

static uint64_t digest_future(const struct lk_snapshot *s, const struct lk_future *f)
{
    uint64_t d = lk_hash_u64(LK_HASH_INIT, f->state);
    return digest_refs(lk_hash_u64(d, f->enders_complete), s, &f->enders);
}

static uint64_t digest_lock(const struct lk_snapshot *s, const struct lk_lock *l)
{
    uint64_t h = digest_refs(lk_hash_u64(LK_HASH_INIT, (uint64_t)l->locked), s, &l->owners);
    return l->units_known ? digest_set(h, s, &l->likely_enders) : h;
}

bool lk_wait_is_timed(const struct lk_thread *t)
{
    return t->wait.kind == LK_WAIT_GIL || (t->wait.traits & LK_WAIT_POLLS) ||
           (t->os.timeout_ms != LK_FOREVER && t->os.timeout_ms != LK_UNKNOWN) ||
           (t->wait.timeout_ms != LK_FOREVER && t->wait.timeout_ms != LK_UNKNOWN);
}

/* Enters a digest; true when it is what all of so many looks have shown. */
static bool enter_of(struct lk_history *h, enum lk_kind kind, uint64_t key, uint64_t digest,
                     unsigned looks)
{
    bool is_new;
    struct memory *m = remember(h, kind, key, &is_new);
    m->same = m->seen && m->digest == digest ? m->same + 1 : 1;
    m->digest = digest;
    m->seen++;
    /* New in a later sample: stable means "as in every sample", so it must have been there from the
     * first. */
    return m->same == looks;
}

static bool enter(struct lk_history *h, enum lk_kind kind, uint64_t key, uint64_t digest)
{
    return enter_of(h, kind, key, digest, h->samples);
}

/*
 * The same for what does not come and go as loops and locks do: tasks and futures that wait for one
 * another. One that came to its place after the first sample is stable as well when it is still
 * there much later.
 */
static bool enter_waiter(struct lk_history *h, enum lk_kind kind, uint64_t key, uint64_t digest,
                         int64_t at_ms, enum lk_read read, bool *sure, unsigned looks)
{
    bool is_new;
    const bool always = enter_of(h, kind, key, digest, looks);
    struct memory *m = remember(h, kind, key, &is_new);
    if (m->same == 1)
        m->since_ms = h->samples == 1 ? 0 : at_ms; /* what was watched begins before it is read */
    m->sure = read >= LK_READ_ASLEEP || (m->sure && m->same > 1);
    *sure = m->sure;
    return always || at_ms - m->since_ms >= SETTLED_MS;
}

static void enter_task(struct lk_history *h, struct lk_snapshot *s, struct lk_task *k,
                       int64_t at_ms, unsigned looks)
{
    bool is_new;
    k->stable = enter_waiter(h, LK_KIND_TASK, k->addr, digest_task(s, k), at_ms, k->read,
                             &k->confirmed, looks);
    const struct memory *m = remember(h, LK_KIND_TASK, k->addr, &is_new);
    const bool waits = k->state == LK_TASK_PENDING && !k->ready && m->same > 1;
    k->stuck_ms = waits ? at_ms - m->since_ms : LK_UNKNOWN;
}

/*
 * Names of the tasks that would complete what a thread waits for; 0 where there are none. CPython
 * gives the addresses of a finished request's future and task to those of the next one: only the
 * name shows that it is another.
 */
static uint64_t names_of_enders(const struct lk_snapshot *s, const struct lk_thread *t)
{
    uint64_t d = 0;
    for (size_t i = 0; i < t->wait.on.n; i++) {
        const struct lk_future *f = lk_future_at(s, t->wait.on.v[i]);
        for (size_t k = 0; f && k < f->enders.n; k++) {
            const struct lk_task *task = lk_task_at(s, f->enders.v[k]);
            if (task && task->name)
                d = lk_hash_str(d ? d : LK_HASH_INIT, task->name);
        }
    }
    return d;
}

static bool enter_thread(struct lk_history *h, struct lk_snapshot *s, struct lk_thread *t,
                         int64_t at_ms)
{
    bool is_new;
    t->digest = digest_thread(s, t);
    struct memory *m = remember(h, LK_KIND_THREAD, (uint64_t)t->tid, &is_new);
    bool scheduled = !is_new && m->switches != t->switches;
    const uint64_t names = names_of_enders(s, t);
    bool same = !is_new && m->digest == t->digest && !(names && m->names && names != m->names);
    m->names = names;
    /* Being given the CPU in a wait without a timeout means the wait ended and another began. */
    bool moved =
        !is_new && (!same || (scheduled && !m->stopped && !t->running && !lk_wait_is_timed(t)));
    uint64_t outer = digest_callback(s, t);
    m->outer_same = !is_new && m->outer == outer ? m->outer_same + 1 : 1;
    m->outer = outer;
    if (is_new)
        m->first_cpu_us = t->cpu_us;
    if (is_new || moved) {
        m->since_ms = at_ms;
        m->same = 0;
        m->again = false;
    } else if (scheduled && !m->stopped) {
        m->again = true;
    }
    m->same++;
    m->seen++;
    m->digest = t->digest;
    m->switches = t->switches;
    m->stopped = t->read == LK_READ_STOPPED;
    m->cpu_us = t->cpu_us;
    t->moved = moved || (m->seen > m->same);
    t->stable = m->same == h->samples;
    t->callback_stable = outer && m->outer_same == h->samples;
    t->outer_frames_same = outer_frames_same(&m->frames, s, t);
    t->cpu_delta_us = t->cpu_us - LK_MIN(t->cpu_us, m->first_cpu_us);
    t->stuck_ms = t->running ? LK_UNKNOWN : at_ms - m->since_ms;
    t->stuck_by_scheduler = false;
    t->again = m->again && !t->running;
    /* A clock that is a little off must not say that it slept longer than since it was seen to run.
     */
    if (scheduled && t->off_cpu_ms != LK_UNKNOWN)
        t->off_cpu_ms = LK_MIN(t->off_cpu_ms, at_ms - m->at_ms);
    m->at_ms = at_ms;
    /* The scheduler's record says since when it has not run at all: no progress is possible without
     * running. It was read before all else: it is of no use when the thread ran since. */
    if (!t->running && t->read != LK_READ_RACY && t->off_cpu_ms != LK_UNKNOWN &&
        t->off_cpu_ms > t->stuck_ms) {
        t->stuck_ms = t->off_cpu_ms;
        t->stuck_by_scheduler = true;
    }
    if (!t->running && t->wait.lasted_ms > t->stuck_ms) {
        t->stuck_ms = t->wait.lasted_ms;
        t->stuck_by_scheduler = false;
    }
    return moved;
}

/* Since when the loop has run the callback it runs now: since it was first seen in it, or by the
 * loop's own clock. */
static void enter_callback(struct lk_history *h, struct lk_loop *o, const struct lk_thread *t,
                           int64_t at_ms, unsigned looks)
{
    bool is_new;
    struct memory *m = remember(h, LK_KIND_LOOP, o->addr, &is_new);
    /* Asked for the first time after several samples, in which its thread's stack told. */
    const bool before = is_new && looks < h->samples && t && t->callback_stable;
    /* Its thread was met running and not read: another look, at the same turn, says what it did. */
    if (!o->turn && t && lk_thread_is_unread(t)) {
        m->unread++;
        return;
    }
    bool same = m->outer_same && m->outer == o->turn;
    m->outer_same = same ? m->outer_same + 1 : 1;
    m->outer = o->turn;
    if (!same)
        m->since_ms = before ? 0 : at_ms;
    o->callback_same = o->turn && m->outer_same + m->unread == looks;
    o->callback_ms = o->turn ? at_ms - m->since_ms : LK_UNKNOWN;
    /* A moment that was read once while its thread ran may be torn; the same one twice is not. */
    bool certain = m->outer_same > 1 || (t && t->read >= LK_READ_ASLEEP);
    if (o->turn && o->turn_first && certain && o->turn_ms != LK_UNKNOWN)
        o->callback_ms = LK_MAX(o->callback_ms, o->turn_ms);
}

/* One look tells where everything is, and nothing of before. */
static void forget_times(struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->threads.n; i++) {
        s->threads.v[i].stuck_ms = LK_UNKNOWN;
        s->threads.v[i].stuck_by_scheduler = false;
    }
    for (size_t i = 0; i < s->tasks.n; i++)
        s->tasks.v[i].stuck_ms = LK_UNKNOWN;
    for (size_t i = 0; i < s->loops.n; i++)
        s->loops.v[i].callback_ms = LK_UNKNOWN;
}

void lk_history_add(struct lk_history *h, struct lk_snapshot *s, int64_t at_ms, int64_t **moved,
                    size_t *n_moved)
{
    h->samples++;
    *moved = lk_arena_array(s->arena, s->threads.n, sizeof **moved);
    *n_moved = 0;
    for (size_t i = 0; i < s->threads.n; i++)
        if (enter_thread(h, s, &s->threads.v[i], at_ms))
            (*moved)[(*n_moved)++] = s->threads.v[i].tid;
    for (size_t i = 0; i < s->tasks.n; i++)
        enter_task(h, s, &s->tasks.v[i], at_ms, h->samples);
    for (size_t i = 0; i < s->loops.n; i++) {
        struct lk_loop *o = &s->loops.v[i];
        o->stable = enter(h, LK_KIND_LOOP, o->addr, digest_loop(s, o));
        o->ready_same_head = o->stable && head_handle(o);
        enter_callback(h, o, lk_thread_at(s, o->thread), at_ms, h->samples);
    }
    for (size_t i = 0; i < s->futures.n; i++)
        s->futures.v[i].stable = enter_waiter(
            h, LK_KIND_FUTURE, s->futures.v[i].addr, digest_future(s, &s->futures.v[i]), at_ms,
            s->futures.v[i].read, &s->futures.v[i].confirmed, h->samples);
    for (size_t i = 0; i < s->locks.n; i++)
        s->locks.v[i].stable =
            enter(h, LK_KIND_LOCK, s->locks.v[i].addr, digest_lock(s, &s->locks.v[i]));
    if (s->one_moment)
        forget_times(s);
}

static bool is_greenlet(const struct lk_snapshot *s, struct lk_ref r)
{
    const struct lk_task *k = lk_task_at(s, r);
    return k && k->kind == LK_TASK_GREENLET;
}

/* Greenlets wait for it, or have it: it is told by them. */
static bool is_of_greenlets(const struct lk_snapshot *s, const struct lk_lock *l)
{
    bool any = false;
    for (size_t i = 0; i < l->waiters.n && !any; i++)
        any = is_greenlet(s, l->waiters.v[i]);
    for (size_t i = 0; i < l->owners.n && !any; i++)
        any = is_greenlet(s, l->owners.v[i]);
    return any;
}

/* Seen once it is not seen to stay. But it has not gone on while its thread did not run. */
static void enter_greenlet(struct lk_history *h, struct lk_snapshot *s, struct lk_task *k,
                           int64_t at_ms)
{
    const struct lk_thread *t = lk_thread_at(s, k->thread);
    const bool still = k->read >= LK_READ_ASLEEP && t && t->stuck_by_scheduler;
    enter_task(h, s, k, at_ms, h->walks);
    k->stable &= h->walks > 1 || s->one_moment || (still && t->stuck_ms >= at_ms);
    k->once = h->walks == 1 && !s->one_moment;
    if (k->state != LK_TASK_PENDING || k->ready)
        return;
    k->stuck_ms = k->stuck_ms == LK_UNKNOWN ? 0 : k->stuck_ms;
    if (still)
        k->stuck_ms = LK_MAX(k->stuck_ms, t->stuck_ms);
}

/* What a walk over the heap tells is compared with what the walks before it told; the identity of
 * a lock that other samples told too differs by that. */
static void add_greenlets(struct lk_history *h, struct lk_snapshot *s, int64_t at_ms)
{
    const uint64_t of_walk = 1;
    h->walks++;
    for (size_t i = 0; i < s->tasks.n; i++)
        if (s->tasks.v[i].kind == LK_TASK_GREENLET)
            enter_greenlet(h, s, &s->tasks.v[i], at_ms);
    for (size_t i = 0; i < s->locks.n; i++) {
        struct lk_lock *l = &s->locks.v[i];
        if (is_of_greenlets(s, l))
            l->stable = enter_of(h, LK_KIND_LOCK, l->addr | of_walk, digest_lock(s, l), h->walks) &&
                        (h->walks > 1 || s->one_moment);
    }
}

/* Since the first sample: then what it alone does is as it was. */
static bool has_not_run(const struct lk_thread *t, int64_t at_ms)
{
    return t && t->read >= LK_READ_ASLEEP && t->stuck_by_scheduler && t->stuck_ms >= at_ms;
}

void lk_history_add_found(struct lk_history *h, struct lk_snapshot *s, int64_t at_ms)
{
    for (size_t i = 0; i < s->loops.n; i++) {
        struct lk_loop *o = &s->loops.v[i];
        uint64_t before = 0, now = digest_loop(s, o);
        if (o->found_by != LK_FOUND_HEAP)
            continue;
        o->stable = s->one_moment || has_not_run(lk_thread_at(s, o->thread), at_ms) ||
                    (lk_map_get(&h->found, o->addr, &before) && before == now);
        lk_map_put(&h->found, o->addr, now);
        if (o->turn)
            enter_callback(h, o, lk_thread_at(s, o->thread), at_ms, h->walks + 1);
    }
    add_greenlets(h, s, at_ms);
}
