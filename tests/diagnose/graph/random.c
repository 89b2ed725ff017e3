#include "random.h"

#include "snapshot/builder.h"

struct dice {
    uint64_t state;
    struct lk_snapshot *s;
    unsigned size;
    bool wild;
};

static uint64_t roll(struct dice *d)
{
    /* xorshift64* (Vigna 2014) */
    d->state ^= d->state >> 12;
    d->state ^= d->state << 25;
    d->state ^= d->state >> 27;
    return d->state * UINT64_C(2685821657736338717);
}

static unsigned below(struct dice *d, unsigned n)
{
    return n ? (unsigned)((roll(d) >> 33) % n) : 0;
}

static bool chance(struct dice *d, unsigned percent)
{
    return below(d, 100) < percent;
}

static size_t count(const struct lk_snapshot *s, enum lk_kind k)
{
    const size_t n[] = { 0,          s->threads.n,   s->loops.n,  s->tasks.n, s->futures.n,
                         s->locks.n, s->executors.n, s->externs.n };
    return n[k];
}

static struct lk_ref of_kind(struct dice *d, enum lk_kind k)
{
    if (d->wild && chance(d, 3))
        return lk_ref_make(k, 100000 + below(d, 5));
    size_t n = count(d->s, k);
    return n ? lk_ref_make(k, below(d, (unsigned)n)) : (struct lk_ref){ LK_KIND_NONE, 0 };
}

static struct lk_ref any(struct dice *d)
{
    return of_kind(d, (enum lk_kind)(1 + below(d, LK_KIND_EXTERN)));
}

static int64_t duration(struct dice *d)
{
    const int64_t values[] = { LK_FOREVER, LK_FOREVER, LK_FOREVER, LK_UNKNOWN, 0, 150, 5000, -3 };
    return values[below(d, 8)];
}

static enum lk_tri tri(struct dice *d)
{
    return (enum lk_tri)((int)below(d, 3) - 1);
}

static enum lk_read reading(struct dice *d)
{
    return chance(d, 85) ? (chance(d, 50) ? LK_READ_ASLEEP : LK_READ_STOPPED) : LK_READ_RACY;
}

static const struct lk_code *some_code(struct dice *d)
{
    static const char *const names[] = { "run_forever", "_run_once", "run_until_complete",
                                         "run_wsgi",    "view",      "job",
                                         "result",      "_worker",   "do_GET" };
    static const char *const files[] = { "/usr/lib/python3.11/asyncio/base_events.py",
                                         "/usr/lib/python3/dist-packages/werkzeug/serving.py",
                                         "/srv/app.py",
                                         "",
                                         "<frozen runpy>",
                                         "/usr/lib/python3.11/concurrent/futures/thread.py",
                                         "app.py" };
    struct lk_code *c = lk_arena_alloc(d->s->arena, sizeof *c);
    c->function = c->qualname = names[below(d, LK_ARRAY_LEN(names))];
    c->file = files[below(d, LK_ARRAY_LEN(files))];
    return c;
}

static struct lk_pystack *some_stack(struct dice *d)
{
    struct lk_pyframe f[6] = { 0 };
    size_t n = below(d, 6);
    for (size_t i = 0; i < n; i++) {
        f[i].code = some_code(d);
        f[i].line = (int)below(d, 100);
    }
    return lk_snapshot_stack(d->s, f, n, false);
}

static void some_refs(struct dice *d, struct lk_refs *list, enum lk_kind kind, unsigned most)
{
    for (unsigned n = below(d, most + 1); n; n--)
        lk_refs_add(d->s, list, kind == LK_KIND_NONE ? any(d) : of_kind(d, kind));
}

static void some_wait(struct dice *d, struct lk_wait *w)
{
    w->kind = (enum lk_wait_kind)below(d, LK_WAIT_READY + 1 + (d->wild ? 3 : 0));
    some_refs(d, &w->on, LK_KIND_NONE, 3);
    w->any = chance(d, 50);
    w->complete = chance(d, 85);
    w->timeout_ms = duration(d);
    w->read = reading(d);
    w->frame = (int)below(d, 4) - 1;
    if (chance(d, 10))
        w->gate = of_kind(d, LK_KIND_LOCK);
}

static void fill_thread(struct dice *d, struct lk_thread *t)
{
    t->name = "t";
    t->running = chance(d, 10);
    t->moved = chance(d, 10);
    t->stable = chance(d, 85);
    t->callback_stable = chance(d, 50);
    t->read = reading(d);
    t->kstate = "RSDTtZ"[below(d, chance(d, 90) ? 2 : 6)];
    t->python_stack = some_stack(d);
    some_wait(d, &t->wait);
    t->os.on = (enum lk_os_wait)below(d, LK_OS_OTHER + 1);
    t->os.timeout_ms = duration(d);
    t->os.accepted = chance(d, 20);
    t->stuck_ms = chance(d, 60) ? 5000 : chance(d, 50) ? 300 : LK_UNKNOWN;
    t->cpu_delta_us = below(d, 300000);
    t->current_task = of_kind(d, LK_KIND_TASK);
    t->inside_cst = chance(d, 10) ? of_kind(d, LK_KIND_LOOP) : (struct lk_ref){ LK_KIND_NONE, 0 };
    if (chance(d, 20))
        t->drives = chance(d, 50) ? of_kind(d, LK_KIND_TASK) : of_kind(d, LK_KIND_FUTURE);
    if (chance(d, 50)) {
        struct lk_ref *loops = lk_arena_array(d->s->arena, 2, sizeof *loops);
        loops[0] = of_kind(d, LK_KIND_LOOP);
        loops[1] = of_kind(d, LK_KIND_LOOP);
        t->frame_loops = loops;
        t->n_frame_loops = loops[0].kind ? 1 + below(d, 2) : 0;
        t->running_loop = loops[0];
    }
}

static void fill_loop(struct dice *d, struct lk_loop *o)
{
    o->run = chance(d, 70) ? LK_LOOP_RUNNING : (enum lk_loop_run)below(d, LK_LOOP_UNKNOWN + 1);
    o->thread = of_kind(d, LK_KIND_THREAD);
    o->in_own_selector = tri(d);
    o->ready = (int64_t)below(d, 3) - (chance(d, 10) ? LK_FOREVER : 0);
    o->timers = below(d, 2);
    o->wakeup_unread = below(d, 2);
    o->watched_fds = below(d, 2);
    o->reachable = tri(d);
    o->read = reading(d);
    o->stable = chance(d, 80);
    o->ready_same_head = chance(d, 60);
    o->tasks_pending = below(d, 3);
    o->closed = tri(d);
    if (o->ready > 0) {
        o->handles = lk_arena_array(d->s->arena, 1, sizeof *o->handles);
        o->handles[0].cancelled = tri(d);
        o->handles[0].task = of_kind(d, LK_KIND_TASK);
        o->n_handles = 1;
    }
}

static void fill_task(struct dice *d, struct lk_task *k)
{
    k->name = k->coroutine = "k";
    k->loop = of_kind(d, LK_KIND_LOOP);
    k->state = chance(d, 85) ? LK_TASK_PENDING : (enum lk_task_state)below(d, 4);
    k->started = chance(d, 80);
    k->ready = chance(d, 20);
    k->must_cancel = chance(d, 5);
    k->run_by = of_kind(d, LK_KIND_THREAD);
    k->read = reading(d);
    k->stable = chance(d, 85);
    k->stack = some_stack(d);
    some_wait(d, &k->wait);
}

static void fill_future(struct dice *d, struct lk_future *f)
{
    f->state = chance(d, 85) ? LK_FUTURE_PENDING : (enum lk_future_state)below(d, 5);
    f->concurrent = chance(d, 50);
    some_refs(d, &f->enders, LK_KIND_NONE, 3);
    f->all = chance(d, 30);
    f->enders_complete = chance(d, 80);
    f->origin = chance(d, 50) ? LK_ORIGIN_GATHER : LK_ORIGIN_UNKNOWN;
    f->read = reading(d);
    f->stable = chance(d, 85);
}

static void fill_lock(struct dice *d, struct lk_lock *l)
{
    l->kind = "threading.Lock";
    l->type = LK_LOCK_TYPE_THREADING;
    l->mutex = chance(d, 85);
    l->locked = chance(d, 80) ? LK_YES : tri(d);
    some_refs(d, &l->owners, chance(d, 80) ? LK_KIND_THREAD : LK_KIND_TASK, 2);
    l->owner_by = (enum lk_owner_by)below(d, 4);
    l->owner_certain = chance(d, 70);
    l->lost_in_fork = chance(d, 3);
    l->owner_gone = l->owners.n == 0 && chance(d, 3);
    l->next_may_end = chance(d, 50);
    l->unended = chance(d, 20) ? (enum lk_wait_kind)below(d, LK_WAIT_FUTURE) : LK_WAIT_NONE;
    l->lent = chance(d, 20);
    l->set = chance(d, 5);
    l->read = reading(d);
    l->stable = chance(d, 85);
}

static void fill_executor(struct dice *d, struct lk_executor *x)
{
    some_refs(d, &x->workers, LK_KIND_THREAD, 3);
    x->max_workers = chance(d, 80) ? (int64_t)x->workers.n : LK_UNKNOWN;
    x->lost_in_fork = chance(d, 3);
    x->read = reading(d);
}

static void fill_process(struct dice *d)
{
    struct lk_snapshot *s = d->s;
    s->pid = 1;
    s->stalled_after_ms = 2000;
    s->watched_ms = chance(d, 30) ? 0 : chance(d, 50) ? 200 : 2500;
    s->python.present = true;
    s->python.frames_read = chance(d, 95);
    s->python.stdlib = "/usr/lib/python3.11";
    s->stop.job_stopped = chance(d, 2);
    s->stop.tracer_pid = chance(d, 2) ? 77 : 0;
    s->stop.d_state = chance(d, 5);
    s->decisive_unreadable = chance(d, 3);
}

struct lk_snapshot *random_snapshot(uint64_t seed, unsigned size, bool wild)
{
    struct dice d = { .state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1,
                      .s = lk_snapshot_create(),
                      .size = size,
                      .wild = wild };
    struct lk_snapshot *s = d.s;
    for (unsigned n = 1 + below(&d, size); n; n--)
        lk_snapshot_thread(s, 100 + (int64_t)n, NULL);
    for (unsigned n = below(&d, size / 2 + 1); n; n--)
        lk_snapshot_loop(s, 0x1000 + n * 64, NULL);
    for (unsigned n = below(&d, size + 1); n; n--)
        lk_snapshot_task(s, 0x2000 + n * 64, NULL);
    for (unsigned n = below(&d, size + 1); n; n--)
        lk_snapshot_future(s, 0x100000 + n * 64, NULL);
    for (unsigned n = below(&d, size / 2 + 1); n; n--)
        lk_snapshot_lock(s, 0x200000 + n * 64, NULL);
    for (unsigned n = below(&d, size / 3 + 1); n; n--)
        lk_snapshot_executor(s, 0x300000 + n * 64, NULL);
    for (unsigned n = below(&d, 3); n; n--)
        lk_snapshot_extern(s, (enum lk_extern_kind)below(&d, LK_EXT_UNKNOWN + 1), "x", 500);
    fill_process(&d);
    for (size_t i = 0; i < s->threads.n; i++)
        fill_thread(&d, &s->threads.v[i]);
    for (size_t i = 0; i < s->loops.n; i++)
        fill_loop(&d, &s->loops.v[i]);
    for (size_t i = 0; i < s->tasks.n; i++)
        fill_task(&d, &s->tasks.v[i]);
    for (size_t i = 0; i < s->futures.n; i++)
        fill_future(&d, &s->futures.v[i]);
    for (size_t i = 0; i < s->locks.n; i++)
        fill_lock(&d, &s->locks.v[i]);
    for (size_t i = 0; i < s->executors.n; i++)
        fill_executor(&d, &s->executors.v[i]);
    return s;
}
