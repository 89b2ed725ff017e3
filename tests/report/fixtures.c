#include "fixtures.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct lk_supervisor fixture_gunicorn_master = { LK_SUPERVISOR_MASTER, "gunicorn master",
                                                       "gunicorn worker" };

static const struct lk_rule rules[] = {
    { .id = "LK101",
      .name = "loop-waits-on-itself",
      .ceiling = LK_DEADLOCK,
      .means = "a cycle through one loop",
      .remedy = "Await the coroutine instead of blocking on its future, or run the blocking code "
                "with asyncio.to_thread.",
      .docs = { "asyncio, \"Developing with asyncio\": Concurrency and Multithreading",
                "https://docs.python.org/3/library/"
                "asyncio-task.html#asyncio.run_coroutine_threadsafe" } },
    { .id = "LK202",
      .name = "orphaned-tasks",
      .ceiling = LK_HAZARD,
      .means = "nobody runs the loop",
      .remedy = "Close the loop, or run it in its own thread.",
      .docs = { "asyncio, \"Event Loop\"" } },
    { .id = "LK301",
      .name = "loop-per-request",
      .ceiling = LK_HAZARD,
      .means = "a loop in a request thread",
      .remedy = "Use an async def view.",
      .docs = { "Flask, \"Using async and await\"" } },
};

static struct lk_report create(int64_t pid, enum lk_verdict verdict)
{
    struct lk_snapshot *s = lk_snapshot_create();
    struct lk_arena *a = lk_arena_create();
    struct lk_findings *f = lk_arena_alloc(a, sizeof *f);
    f->arena = a;
    f->verdict = verdict;
    s->pid = pid;
    s->stalled_after_ms = 2000;
    return (struct lk_report){ .snap = s, .findings = f };
}

static void identity(struct lk_snapshot *s, const char *script)
{
    static char *argv[2];
    argv[0] = "python3";
    argv[1] = lk_arena_strdup(s->arena, script);
    s->cmdline = lk_arena_array(s->arena, 2, sizeof *s->cmdline);
    memcpy(s->cmdline, argv, sizeof argv);
    s->n_cmdline = 2;
    s->comm = "python3";
    s->exe = "/usr/bin/python3.11";
    s->cwd = "/srv";
    s->host = "web-3";
    s->boot_id = "7f9c24e8-3b12-4e5f-9a77-000000000001";
    s->start_time = "2026-01-31T09:00:00.000Z";
    s->taken_at = "2026-01-31T12:00:00.123Z";
    s->uid = 1000;
    s->runtime = LK_RUNTIME_PYTHON;
    s->python = (struct lk_python){ .present = true,
                                    .version = "3.11.2",
                                    .build = "release",
                                    .free_threaded = LK_NO,
                                    .frames_read = true };
    s->watched_ms = 2100;
}

static void sample(struct lk_snapshot *s, int64_t at, int64_t pause, int64_t stopped,
                   int64_t asleep, int64_t moved)
{
    struct lk_sample *m = lk_vec_push(&s->samples);
    *m = (struct lk_sample){ .at_ms = at, .pause_us = pause, .stopped = stopped, .asleep = asleep };
    if (!moved)
        return;
    m->moved_tids = lk_arena_array(s->arena, 1, sizeof *m->moved_tids);
    m->moved_tids[0] = moved;
    m->n_moved = 1;
}

/* frames[i]: function, file, class ("user", "stdlib", "framework"), source or NULL. */
struct lk_pystack *fixture_stack(struct lk_snapshot *s, size_t n, const char *const (*frames)[4],
                                 const int *lines)
{
    struct lk_pyframe *f = lk_arena_array(s->arena, n, sizeof *f);
    for (size_t i = 0; i < n; i++) {
        struct lk_code *c = lk_arena_alloc(s->arena, sizeof *c);
        c->function = c->qualname = frames[i][0];
        c->file = frames[i][1];
        c->cls = strcmp(frames[i][2], "user") == 0     ? LK_CODE_USER
                 : strcmp(frames[i][2], "stdlib") == 0 ? LK_CODE_STDLIB
                                                       : LK_CODE_FRAMEWORK;
        f[i] = (struct lk_pyframe){ .code = c, .line = lines[i], .source = frames[i][3] };
    }
    return lk_snapshot_stack(s, f, n, false);
}

struct lk_finding *fixture_finding(struct lk_report *r, const char *rule, enum lk_verdict severity)
{
    struct lk_finding *f = lk_vec_push(&r->findings->list);
    for (size_t i = 0; i < LK_ARRAY_LEN(rules); i++)
        if (strcmp(rules[i].id, rule) == 0)
            f->rule = &rules[i];
    assert(f->rule);
    f->severity = severity;
    f->confidence = severity == LK_DEADLOCK  ? LK_PROVEN
                    : severity == LK_STALLED ? LK_PROBABLE
                                             : LK_POSSIBLE;
    f->stuck_ms = LK_UNKNOWN;
    snprintf(f->fingerprint, sizeof f->fingerprint, "6f1c00000000%s", rule + 2);
    f->summary = "Something is wrong.";
    return f;
}

void fixture_edge(struct lk_finding *f, struct lk_ref from, const char *why, struct lk_ref to)
{
    lk_vec_add(&f->chain,
               ((struct lk_edge){
                   .from = from, .to = to, .why = why, .read = LK_READ_ASLEEP, .stable = true }));
}

void fixture_destroy(struct lk_report *r)
{
    for (size_t i = 0; i < r->findings->list.n; i++) {
        lk_free(r->findings->list.v[i].culprits.v);
        lk_free(r->findings->list.v[i].chain.v);
        lk_free(r->findings->list.v[i].evidence.v);
    }
    lk_free(r->findings->list.v);
    lk_arena_destroy(r->findings->arena);
    lk_snapshot_destroy(r->snap);
}

char *fixture_render(const char *format, const struct lk_report *r, size_t n, bool set,
                     struct lk_render how, size_t *size)
{
    char *out = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&out, &len);
    const struct lk_format *fmt = lk_format_by_name(format);
    assert(f && fmt);
    const bool ok = fmt->write(r, n, set, &how, f);
    assert(ok);
    (void)ok;
    fclose(f);
    if (size)
        *size = len;
    return out;
}

struct lk_report fixture_empty(void)
{
    return create(1, LK_VERDICT_UNKNOWN);
}

static struct lk_thread *thread(struct lk_snapshot *s, int64_t tid, const char *name,
                                enum lk_wait_kind kind, const char *call)
{
    struct lk_thread *t = lk_thread_at(s, lk_snapshot_thread(s, tid, NULL));
    t->name = t->comm = name;
    t->kstate = 'S';
    t->python = true;
    t->read = t->wait.read = LK_READ_ASLEEP;
    t->wait.kind = kind;
    t->wait.call = call;
    t->wait.timeout_ms = LK_FOREVER;
    t->os.on = LK_OS_FUTEX;
    t->os.syscall = "futex";
    t->os.timeout_ms = LK_FOREVER;
    t->stuck_ms = 840000;
    t->stuck_by_scheduler = true;
    return t;
}

static void native(struct lk_snapshot *s, struct lk_thread *t)
{
    struct lk_natstack *st = lk_arena_alloc(s->arena, sizeof *st);
    st->n = 2;
    st->frames = lk_arena_array(s->arena, 2, sizeof *st->frames);
    st->frames[0] = (struct lk_natframe){ .function = "__futex_abstimed_wait_common",
                                          .module = "libc.so.6",
                                          .offset = 0x89e0e,
                                          .build_id = "c5a1",
                                          .system = true };
    st->frames[1] = (struct lk_natframe){ .function = "acquire_timed",
                                          .module = "python3.11",
                                          .offset = 0x1f00,
                                          .file = "_threadmodule.c",
                                          .line = 98,
                                          .system = true };
    t->native_stack = st;
}

/* The threads of the deadlock: the loop's, three requests, four idle pool workers, the main thread
 * in accept. */
static void deadlock_threads(struct lk_snapshot *s)
{
    static const char *const blocked[][4] = {
        { "wait", "/usr/lib/python3.11/threading.py", "stdlib", NULL },
        { "Future.result", "/usr/lib/python3.11/concurrent/futures/_base.py", "stdlib", NULL },
        { "outer", "/srv/app.py", "user", "return fut.result()" },
        { "Handle._run", "/usr/lib/python3.11/asyncio/events.py", "stdlib", NULL },
        { "BaseEventLoop.run_forever", "/usr/lib/python3.11/asyncio/base_events.py", "stdlib",
          NULL },
    };
    static const char *const view[][4] = {
        { "wait", "/usr/lib/python3.11/threading.py", "stdlib", NULL },
        { "Future.result", "/usr/lib/python3.11/concurrent/futures/_base.py", "stdlib", NULL },
        { "report", "/srv/app.py", "user",
          "return asyncio.run_coroutine_threadsafe(outer(), LOOP).result()" },
        { "Flask.dispatch_request", "/usr/lib/python3/dist-packages/flask/app.py", "framework",
          NULL },
    };
    static const char *const idle[][4] = {
        { "_worker", "/usr/lib/python3.11/concurrent/futures/thread.py", "stdlib", NULL },
    };
    struct lk_thread *t = thread(s, 4711, "python3", LK_WAIT_IO, "socket.accept()");
    t->main = true;
    t->os = (struct lk_syscall_wait){ .on = LK_OS_SOCKET,
                                      .syscall = "accept4",
                                      .nr = 288,
                                      .fd = 3,
                                      .local = "127.0.0.1:8000",
                                      .listening = true,
                                      .child_pid = LK_UNKNOWN,
                                      .timeout_ms = LK_FOREVER,
                                      .queues = { 2, 0 } };
    t->python_stack = fixture_stack(s, 1, idle, (int[]){ 81 });
    t = thread(s, 4712, "bg-loop", LK_WAIT_FUTURE, "Future.result()");
    t->role = LK_ROLE_LOOP;
    t->python_stack = fixture_stack(s, 5, blocked, (int[]){ 320, 451, 10, 80, 607 });
    native(s, t);
    struct lk_pystack *views = fixture_stack(s, 4, view, (int[]){ 320, 451, 22, 1799 });
    for (int i = 0; i < 3; i++) {
        t = thread(s, 4713 + i,
                   lk_arena_printf(s->arena, "Thread-%d (process_request_thread)", i + 1),
                   LK_WAIT_FUTURE, "Future.result()");
        t->role = LK_ROLE_REQUEST;
        t->in_request = true;
        t->stuck_ms = 840000 - i * 60000;
        t->python_stack = views;
    }
    struct lk_pystack *pool = fixture_stack(s, 1, idle, (int[]){ 81 });
    for (int i = 0; i < 4; i++) {
        t = thread(s, 4716 + i, lk_arena_printf(s->arena, "pool_%d", i), LK_WAIT_EXECUTOR_IDLE,
                   NULL);
        t->role = LK_ROLE_EXECUTOR;
        t->python_stack = pool;
    }
}

static void deadlock_finding(struct lk_report *r, struct lk_ref t, struct lk_ref f, struct lk_ref k,
                             struct lk_ref o)
{
    struct lk_snapshot *s = r->snap;
    struct lk_finding *x = fixture_finding(r, "LK101", LK_DEADLOCK);
    x->summary = "Thread bg-loop [4712] runs loop o1 and blocks in Future.result() in outer(), "
                 "waiting for task Task-8 "
                 "(inner), which only loop o1 can run.";
    x->stuck_ms = 840000;
    x->stuck_by_scheduler = true;
    x->held_requests = 3;
    x->held_tasks = 12;
    lk_refs_add(s, &x->threads, t);
    lk_refs_add(s, &x->loops, o);
    lk_refs_add(s, &x->tasks, k);
    lk_vec_add(&x->culprits, ((struct lk_culprit){ .tid = 4712,
                                                   .function = "outer",
                                                   .file = "/srv/app.py",
                                                   .line = 10,
                                                   .source = "return fut.result()" }));
    fixture_edge(x, t, "blocks in Future.result()", f);
    fixture_edge(x, f, "set by run_coroutine_threadsafe", k);
    fixture_edge(x, k, "scheduled on", o);
    fixture_edge(x, o, "run by", t);
    lk_vec_add(&x->evidence, "thread 4712 slept in the same futex call in all 3 samples; its "
                             "switch counters did not change");
    lk_vec_add(&x->evidence,
               "the loop's ready queue holds the step of Task-8, the same in all samples");
    x->safe_now = "Nothing in this process can be cancelled from outside to free it; the 3 "
                  "requests are lost: restart it.";
}

struct lk_report fixture_deadlock(void)
{
    struct lk_report r = create(4711, LK_DEADLOCK);
    struct lk_snapshot *s = r.snap;
    identity(s, "app.py");
    deadlock_threads(s);
    struct lk_ref o = lk_snapshot_loop(s, 0x1000, NULL), f = lk_snapshot_future(s, 0x2000, NULL);
    struct lk_ref k = lk_snapshot_task(s, 0x3000, NULL), f2 = lk_snapshot_future(s, 0x2100, NULL);
    struct lk_ref t = lk_snapshot_find(s, LK_KIND_THREAD, 4712),
                  x = lk_snapshot_executor(s, 0x4000, NULL);
    struct lk_ref m = lk_snapshot_lock(s, 0x5000, NULL);
    *lk_loop_at(s, o) = (struct lk_loop){ .id = "o1",
                                          .addr = 0x1000,
                                          .kind = "asyncio",
                                          .cls = "_UnixSelectorEventLoop",
                                          .thread = t,
                                          .run = LK_LOOP_RUNNING,
                                          .closed = LK_NO,
                                          .stopping = LK_NO,
                                          .ready = 1,
                                          .timers = 2,
                                          .next_timer_ms = 1200,
                                          .tasks_pending = 12,
                                          .in_own_selector = LK_NO,
                                          .read = LK_READ_ASLEEP };
    lk_thread_at(s, t)->running_loop = o;
    lk_refs_add(s, &lk_thread_at(s, t)->wait.on, f);
    for (int i = 0; i < 3; i++)
        lk_refs_add(
            s, &lk_thread_at(s, lk_snapshot_find(s, LK_KIND_THREAD, 4713u + (unsigned)i))->wait.on,
            f2);
    struct lk_task *task = lk_task_at(s, k);
    task->name = "Task-8";
    task->coroutine = "inner";
    task->loop = o;
    task->ready = true;
    task->read = LK_READ_ASLEEP;
    task->wait.kind = LK_WAIT_READY;
    task->wait.timeout_ms = LK_FOREVER;
    lk_refs_add(s, &task->wait.on, o);
    for (unsigned i = 0; i < 2; i++) {
        struct lk_future *fut = &s->futures.v[i];
        *fut = (struct lk_future){ .id = fut->id,
                                   .addr = fut->addr,
                                   .concurrent = true,
                                   .cls = "Future",
                                   .loop = o,
                                   .state = LK_FUTURE_PENDING,
                                   .origin = LK_ORIGIN_RUN_COROUTINE_THREADSAFE,
                                   .enders_complete = i == 0 };
    }
    lk_refs_add(s, &lk_future_at(s, f)->enders, k);
    for (unsigned i = 0; i < 4; i++) {
        struct lk_ref w = lk_snapshot_find(s, LK_KIND_THREAD, 4716u + i);
        lk_refs_add(s, &lk_executor_at(s, x)->workers, w);
        lk_thread_at(s, w)->works_for = x;
    }
    lk_executor_at(s, x)->max_workers = 4;
    lk_executor_at(s, x)->queued = 0;
    lk_executor_at(s, x)->shutdown = LK_NO;
    lk_lock_at(s, m)->kind = "threading.Lock";
    lk_lock_at(s, m)->mutex = true;
    lk_lock_at(s, m)->locked = LK_YES;
    sample(s, 0, 900, 2, 7, 0);
    sample(s, 100, 700, 2, 7, 0);
    sample(s, 200, 800, 2, 7, 4711);
    deadlock_finding(&r, t, f, k, o);
    struct lk_finding *second = fixture_finding(&r, "LK202", LK_HAZARD);
    second->summary = "Loop o2 has 1 pending task and nobody runs it.";
    lk_snapshot_limit(
        s, "the heap was not walked: loops that no thread, task or module names are not listed");
    lk_snapshot_limit_of(s, t, (struct lk_failed_read){ 0x7f00, 72, EFAULT, "a frame" },
                         "the Python stacks of 1 thread could not be read to the end");
    lk_snapshot_limit_of(s, o, (struct lk_failed_read){ 0x7f10, 8, 0, "a list" },
                         "the timers of a loop could not be read");
    lk_snapshot_limit_os(s, EACCES, "the link exe", "exe of the process could not be read");
    return r;
}

struct lk_report fixture_healthy(void)
{
    struct lk_report r = create(5000, LK_HEALTHY);
    struct lk_snapshot *s = r.snap;
    identity(s, "web.py");
    struct lk_thread *t = thread(s, 5000, "python3", LK_WAIT_SELECTOR, NULL);
    t->role = LK_ROLE_LOOP;
    t->os.on = LK_OS_SELECTOR;
    t->os.syscall = "epoll_wait";
    for (int i = 0; i < 8; i++)
        thread(s, 5001 + i, lk_arena_printf(s->arena, "pool_%d", i), LK_WAIT_EXECUTOR_IDLE, NULL)
            ->role = LK_ROLE_EXECUTOR;
    for (int i = 0; i < 2; i++) {
        t = thread(s, 5009 + i, lk_arena_printf(s->arena, "Thread-%d", i + 1), LK_WAIT_NONE, NULL);
        t->running = t->moved = t->in_request = true;
        t->kstate = 'R';
        t->stuck_ms = LK_UNKNOWN;
        t->os = (struct lk_syscall_wait){
            .nr = -1, .fd = LK_UNKNOWN, .child_pid = LK_UNKNOWN, .timeout_ms = LK_UNKNOWN
        };
    }
    sample(s, 0, 300, 2, 9, 5009);
    return r;
}

struct lk_report fixture_master(void)
{
    struct lk_report r = create(6000, LK_VERDICT_UNKNOWN);
    identity(r.snap, "/usr/bin/gunicorn");
    thread(r.snap, 6000, "gunicorn", LK_WAIT_IO, "select.select()");
    r.snap->supervisor = &fixture_gunicorn_master;
    for (int i = 0; i < 4; i++)
        lk_vec_add(&r.snap->children,
                   ((struct lk_child){ .pid = 6001 + i, .comm = "gunicorn", .threads = 5 }));
    r.findings->verdict_why = "6000 is a gunicorn master and none of its workers was examined";
    return r;
}

struct lk_report fixture_tasks(size_t n, size_t stacks)
{
    struct lk_report r = create(7000, LK_HAZARD);
    struct lk_snapshot *s = r.snap;
    identity(s, "many.py");
    struct lk_ref o = lk_snapshot_loop(s, 1, NULL);
    struct lk_thread *t = thread(s, 7000, "python3", LK_WAIT_SELECTOR, NULL);
    t->running_loop = o;
    *lk_loop_at(s, o) = (struct lk_loop){ .id = "o1",
                                          .kind = "asyncio",
                                          .cls = "_UnixSelectorEventLoop",
                                          .run = LK_LOOP_RUNNING,
                                          .thread = lk_snapshot_find(s, LK_KIND_THREAD, 7000),
                                          .tasks_pending = (int64_t)n,
                                          .ready = 0,
                                          .timers = 0 };
    static const char *const frames[][4] = {
        { "leaf", "/srv/many.py", "user", "await fut" },
        { "middle", "/srv/many.py", "user", "await leaf(fut)" },
        { "fetch", "/srv/many.py", "user", "await middle(fut)" },
    };
    struct lk_pystack **st = lk_arena_array(s->arena, stacks, sizeof *st);
    for (size_t i = 0; i < stacks; i++)
        st[i] = fixture_stack(s, 3, frames, (int[]){ (int)i + 1, 20, 30 });
    for (size_t i = 0; i < n; i++) {
        struct lk_task *k = lk_task_at(s, lk_snapshot_task(s, 0x100000 + i * 64, NULL));
        struct lk_ref f = lk_snapshot_future(s, 0x90000000 + i * 64, NULL);
        k->name = lk_arena_printf(s->arena, "Task-%zu", i + 1);
        k->coroutine = "fetch";
        k->loop = o;
        k->started = true;
        k->stack = st[i % stacks];
        k->read = LK_READ_ASLEEP;
        k->wait.kind = LK_WAIT_FUTURE;
        k->wait.timeout_ms = LK_FOREVER;
        lk_refs_add(s, &k->wait.on, f);
        lk_future_at(s, f)->state = LK_FUTURE_PENDING;
        lk_future_at(s, f)->loop = o;
        lk_future_at(s, f)->cls = "Future";
    }
    struct lk_finding *x = fixture_finding(&r, "LK202", LK_HAZARD);
    x->summary = "A task waits.";
    lk_refs_add(s, &x->tasks, lk_ref_make(LK_KIND_TASK, n - 1));
    lk_vec_add(&x->culprits, ((struct lk_culprit){ .tid = LK_UNKNOWN,
                                                   .task = s->tasks.v[n - 2].id,
                                                   .function = "fetch",
                                                   .file = "/srv/many.py",
                                                   .line = 30 }));
    sample(s, 0, 0, 0, 1, 0);
    return r;
}

/* ---- hostile ------------------------------------------------------------------------------ */

static void hostile_target(struct lk_snapshot *s, const char *evil)
{
    char **argv = lk_arena_array(s->arena, 2, sizeof *argv);
    argv[0] = argv[1] = lk_arena_strdup(s->arena, evil);
    s->cmdline = argv;
    s->n_cmdline = 2;
    s->comm = s->exe = s->cwd = s->host = s->boot_id = s->start_time = s->container = evil;
    s->taken_at = "2026-01-31T12:00:00.123Z";
    struct lk_supervisor *v = lk_arena_alloc(s->arena, sizeof *v);
    v->name = v->child = evil;
    s->supervisor = v;
    s->python =
        (struct lk_python){ .present = true, .version = evil, .build = evil, .why_not = evil };
    lk_vec_add(&s->children, ((struct lk_child){ .pid = 2, .comm = evil, .threads = LK_UNKNOWN }));
    lk_vec_add(&s->limits, ((struct lk_limit){ .text = evil,
                                               .entity = lk_ref_make(LK_KIND_THREAD, 0),
                                               .read = { .addr = UINT64_MAX,
                                                         .size = UINT64_MAX,
                                                         .os_errno = 4711,
                                                         .reading = evil } }));
    sample(s, 0, 1, 1, 1, 999999);
}

static void hostile_entities(struct lk_snapshot *s, const char *evil)
{
    const char *frames[1][4] = { { evil, evil, "user", evil } };
    struct lk_ref t = lk_snapshot_thread(s, 1, NULL), o = lk_snapshot_loop(s, 1, NULL),
                  k = lk_snapshot_task(s, 2, NULL);
    struct lk_ref f = lk_snapshot_future(s, 3, NULL), l = lk_snapshot_lock(s, 4, NULL),
                  x = lk_snapshot_executor(s, 5, NULL);
    struct lk_ref e = lk_snapshot_extern(s, LK_EXT_OUTSIDE, evil, LK_UNKNOWN);
    struct lk_thread *th = thread(s, 1, evil, LK_WAIT_IO, evil);
    th->os.local = th->os.peer = th->os.path = th->os.syscall = evil;
    th->os.peer_is = LK_PEER_OUTSIDE;
    th->python_stack = fixture_stack(s, 1, (const char *const(*)[4])frames, (int[]){ 1 });
    native(s, th);
    th->native_stack->frames[0].function = th->native_stack->frames[0].module = evil;
    th->native_stack->frames[0].build_id = th->native_stack->frames[0].file = evil;
    lk_refs_add(s, &th->wait.on, e);
    lk_refs_add(s, &th->holds, l);
    th->running_loop = o;
    *lk_loop_at(s, o) =
        (struct lk_loop){ .id = "o1", .kind = evil, .cls = evil, .origin = evil, .thread = t };
    *lk_task_at(s, k) = (struct lk_task){ .id = "k1",
                                          .name = evil,
                                          .coroutine = evil,
                                          .loop = o,
                                          .stack = th->python_stack,
                                          .wait = { .kind = LK_WAIT_FUTURE, .call = evil } };
    lk_refs_add(s, &lk_task_at(s, k)->wait.on, f);
    *lk_future_at(s, f) = (struct lk_future){ .id = "f1", .cls = evil, .loop = o };
    lk_lock_at(s, l)->kind = evil;
    lk_refs_add(s, &lk_lock_at(s, l)->owners, t);
    lk_executor_at(s, x)->kind = evil;
    lk_executor_at(s, x)->n_items = 1;
    lk_executor_at(s, x)->items = lk_arena_alloc(s->arena, sizeof(struct lk_item));
    lk_executor_at(s, x)->items[0] = (struct lk_item){ .future = f, .function = evil };
}

struct lk_report fixture_hostile(const char *evil)
{
    struct lk_report r = create(1, LK_STALLED);
    struct lk_snapshot *s = r.snap;
    hostile_target(s, evil);
    hostile_entities(s, evil);
    struct lk_finding *f = fixture_finding(&r, "LK101", LK_STALLED);
    f->summary = f->remedy = f->safe_now = evil;
    lk_refs_add(s, &f->threads, lk_ref_make(LK_KIND_THREAD, 0));
    lk_vec_add(&f->culprits,
               ((struct lk_culprit){
                   .tid = 1, .function = evil, .file = evil, .line = 1, .source = evil }));
    lk_vec_add(
        &f->culprits,
        ((struct lk_culprit){ .tid = LK_UNKNOWN, .task = "k1", .function = evil, .module = evil }));
    fixture_edge(f, lk_ref_make(LK_KIND_THREAD, 0), evil, lk_ref_make(LK_KIND_TASK, 0));
    fixture_edge(f, lk_ref_make(LK_KIND_TASK, 0), evil, lk_ref_make(LK_KIND_THREAD, 0));
    lk_vec_add(&f->evidence, evil);
    r.findings->verdict_why = evil;
    return r;
}

/* ---- every value ---------------------------------------------------------------------------- */

struct lk_report fixture_every_value(void)
{
    struct lk_report r = create(8000, LK_DEADLOCK);
    struct lk_snapshot *s = r.snap;
    static const char states[] = "RSDTtZXI?";
    static const enum lk_verdict severities[] = { LK_DEADLOCK, LK_STALLED, LK_HAZARD };
    identity(s, "all.py");
    int64_t tid = 8000;
    for (int k = LK_WAIT_NONE; k <= LK_WAIT_READY; k++)
        thread(s, tid++, "wait", (enum lk_wait_kind)k, "call()")->role = (enum lk_role)(k % 4);
    for (int o = LK_OS_NONE; o <= LK_OS_OTHER; o++) {
        struct lk_thread *t = thread(s, tid++, "kernel", LK_WAIT_UNKNOWN, NULL);
        t->os.on = (enum lk_os_wait)o;
        t->os.listening = o % 2;
        t->os.child_pid = o == LK_OS_CHILD ? 5 : LK_UNKNOWN;
        t->os.timeout_ms = o % 2 ? 1000 : LK_UNKNOWN;
        t->wait.timeout_ms = o % 2 ? 1000 : LK_UNKNOWN;
        t->read = t->wait.read = (enum lk_read)(o % 3);
    }
    for (size_t i = 0; states[i]; i++)
        thread(s, tid++, "state", LK_WAIT_NONE, NULL)->kstate = states[i];
    for (int i = LK_LOOP_RUNNING; i <= LK_LOOP_UNKNOWN; i++) {
        struct lk_loop *l = lk_loop_at(s, lk_snapshot_loop(s, (lk_addr)i + 1, NULL));
        l->run = (enum lk_loop_run)i;
        l->closed = l->stopping = l->in_own_selector = (enum lk_tri)(i % 3 - 1);
        l->read = (enum lk_read)(i % 3);
    }
    for (int i = LK_EXT_OUTSIDE; i <= LK_EXT_UNKNOWN; i++)
        lk_snapshot_extern(s, (enum lk_extern_kind)i, "thing", i % 2 ? 5000 : LK_UNKNOWN);
    for (int i = LK_TASK_PENDING; i <= LK_TASK_CANCELLED + 6; i++) {
        struct lk_task *k = lk_task_at(s, lk_snapshot_task(s, (lk_addr)i + 1, NULL));
        k->state = (enum lk_task_state)(i % 4);
        k->kind = (enum lk_task_kind)(i / 4 % 2);
        k->loop = lk_ref_make(LK_KIND_LOOP, 0);
        k->wait.kind = LK_WAIT_SLEEP;
        k->must_cancel = k->ready = i % 2;
        lk_refs_add(s, &k->wait.on, lk_ref_make(LK_KIND_EXTERN, (size_t)i % 6));
    }
    for (int i = LK_FUTURE_PENDING; i <= LK_FUTURE_STATE_UNKNOWN; i++)
        lk_future_at(s, lk_snapshot_future(s, (lk_addr)i + 1, NULL))->state =
            (enum lk_future_state)i;
    for (int i = LK_OWNER_NONE; i <= LK_OWNER_FREE; i++) {
        struct lk_lock *l = lk_lock_at(s, lk_snapshot_lock(s, (lk_addr)i + 1, NULL));
        l->kind = "threading.Lock";
        l->mutex = i % 2;
        l->locked = i == LK_OWNER_FREE ? LK_NO : LK_YES;
        l->owner_by = (enum lk_owner_by)i;
        if (i == LK_OWNER_FIELD || i == LK_OWNER_VALUE_STACK)
            lk_refs_add(s, &l->owners, lk_ref_make(LK_KIND_THREAD, 0));
        lk_refs_add(s, &l->waiters, lk_ref_make(LK_KIND_THREAD, 1));
    }
    for (int i = 0; i < 3; i++)
        lk_executor_at(s, lk_snapshot_executor(s, (lk_addr)i + 1, NULL))->shutdown =
            (enum lk_tri)(i - 1);
    for (int i = 0; i < 3; i++) {
        struct lk_finding *f = fixture_finding(&r, "LK301", severities[i]);
        f->confidence = (enum lk_confidence)(2 - i);
        f->held_requests = i == 0 ? LK_UNKNOWN : i - 1;
        f->held_tasks = i == 1 ? LK_UNKNOWN : i;
    }
    return r;
}
