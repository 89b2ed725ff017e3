/*
 * The verdict unknown, and what is healthy and must be said so.
 */
#include "make.h"

#include <string.h>

static const struct lk_supervisor gunicorn_master = { LK_SUPERVISOR_MASTER, "gunicorn master",
                                                      "gunicorn worker" };

/* A request joins a thread that waits for what any code may end; a main thread that joins one, and
 * a request that joins one at work. */
static void joined_in_open_wait(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = i == 1
                              ? mk_thread(s, "main", "run@/srv/app.py:3", NULL)
                              : mk_thread(s, "Thread-1", "view@/srv/app.py:3", FLASK_REQUEST, NULL);
        struct lk_ref joined = mk_thread(s, "half", "half@/srv/app.py:9", NULL);
        mk_wait(s, t, LK_WAIT_JOIN, joined);
        if (i == 2)
            mk_wait(s, joined, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 90000));
        else
            mk_wait(s, joined, LK_WAIT_CONDITION, mk_sync(s, "threading.Condition"));
        if (i == 0) {
            struct lk_findings *f = mk_expect_one(s, LK_VERDICT_UNKNOWN, NULL);
            assert_non_null(strstr(f->verdict_why, "at half (app.py:9), and who would end that"));
            mk_free(s, f);
        } else {
            mk_expect(s, LK_HEALTHY, NULL);
        }
    }
}

static void unknown(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "Thread-1", "view@/srv/app.py:3", FLASK_REQUEST, NULL);
        const char *says = "";
        switch (i) {
        case 0:
            s->supervisor = &gunicorn_master;
            for (int k = 0; k < 4; k++)
                *lk_vec_push(&s->children) = (struct lk_child){ .pid = 5000 + k };
            says =
                "4700 is a gunicorn master; its 4 workers were not examined: loopknot --tree 4700";
            break;
        case 1:
            s->python.frames_read = false;
            s->python.why_not = "Python 3.7 is not read";
            says = "Python 3.7";
            break;
        case 2:
            s->decisive_unreadable = true;
            lk_snapshot_limit(s, "the heap was not readable");
            says = "heap";
            break;
        case 3:
            s->runtime = LK_RUNTIME_JVM;
            s->python.present = false;
            says = "jvm";
            break;
        case 4:
            mk_wait(s, t, LK_WAIT_UNKNOWN, NONE);
            says = "at view (app.py:3), and what it waits for there could not be found out";
            break;
        case 5:
            THREAD(t)->os.accepted = false;
            THREAD(t)->os.peer = "127.0.0.1:8000";
            THREAD(t)->os.peer_is = LK_PEER_SELF;
            says = "this very process";
            break;
        case 7:
            mk_wait(s, t, LK_WAIT_LOCK, mk_lock(s, "threading.Lock", NONE));
            says = "who holds that";
            break;
        case 6: {
            struct lk_ref o = mk_loop(s, NONE), task = mk_ready_task(s, o, "work");
            LOOP(o)->run = LK_LOOP_UNKNOWN;
            THREAD(t)->python_stack =
                mk_stack(s, RESULT, "call@" SITE "anyio/from_thread.py:277", NULL);
            mk_wait(s, t, LK_WAIT_FUTURE, mk_future(s, task));
            says = "state of that loop";
            break;
        }
        }
        struct lk_findings *f = mk_expect_one(s, LK_VERDICT_UNKNOWN, NULL);
        assert_non_null(strstr(f->verdict_why, says));
        mk_free(s, f);
    }
}

/* Node's main thread idles below its loop, waits in a call of JavaScript's, or computes; what is
 * between the wait and the loop is not known. */
static void node_main_thread(void **state)
{
    (void)state;
    static const char *const cases[][5] = {
        { "epoll_pwait", "uv__io_poll", "uv_run", "node::SpinEventLoopInternal(node::Environment*)",
          NULL },
        { "epoll_pwait", "uv_run", "node::SyncProcessRunner::TryInitializeAndRunLoop()",
          "node::SpinEventLoopInternal(node::Environment*)", "in execSync()" },
        { "futex", "v8::internal::FutexEmulation::WaitSync()", "uv_run",
          "node::SpinEventLoopInternal(node::Environment*)", "in Atomics.wait()" },
        { "futex", NULL, "uv_run", "node::SpinEventLoopInternal(node::Environment*)",
          "cannot be read" },
        { "futex", "uv_cond_wait", "worker", "start_thread", NULL },
        { "futex", "uv_mutex_lock", "on_timer", "uv_run", "cannot be read" },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(cases); i++) {
        struct lk_snapshot *s = mk();
        struct lk_thread *t = THREAD(mk_thread(s, "node", NULL));
        struct lk_natframe frames[4] = { 0 };
        for (size_t k = 0; k < 4; k++) {
            frames[k].function = cases[i][k];
            frames[k].system = k == 0 || (cases[i][k] && strcmp(cases[i][k], "start_thread") == 0);
        }
        struct lk_natstack stack = { .n = 4, .frames = frames };
        s->runtime = LK_RUNTIME_NODE;
        s->python.present = false;
        t->native_stack = &stack;
        struct lk_findings *f =
            mk_expect_one(s, cases[i][4] ? LK_VERDICT_UNKNOWN : LK_HEALTHY, NULL);
        if (cases[i][4])
            assert_non_null(strstr(f->verdict_why, cases[i][4]));
        mk_free(s, f);
    }
}

/* A request asks its own server, and a thread beside it runs: a worker where it was read and can be
 * one, not known where it was left alone. */
static void unread_beside_own_request(void **state)
{
    (void)state;
    for (int read = 0; read < 2; read++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "Thread-1", "view@/srv/app.py:3", FLASK_REQUEST, NULL),
                      beside = mk_thread(s, "beat", "beat@/srv/app.py:9", NULL);
        mk_wait(s, t, LK_WAIT_IO, NONE);
        THREAD(t)->os.accepted = false;
        THREAD(t)->os.peer = "127.0.0.1:8000";
        THREAD(t)->os.peer_is = LK_PEER_SELF;
        THREAD(beside)->running = true;
        THREAD(beside)->read = read ? LK_READ_STOPPED : LK_READ_RACY;
        if (!read)
            THREAD(beside)->python_stack = mk_stack(s, NULL);
        struct lk_findings *f = mk_expect_one(s, read ? LK_HEALTHY : LK_VERDICT_UNKNOWN, NULL);
        if (!read) {
            assert_non_null(strstr(f->verdict_why, "1 thread was met running and not read"));
            assert_true(mk_watches(f, beside));
        }
        mk_free(s, f);
    }
}

static void known_all_the_same(void **state)
{
    (void)state;
    /* a wait that was not found out decides nothing in a library's own thread */
    struct lk_snapshot *s = mk();
    mk_wait(s, mk_thread(s, "blas", NULL), LK_WAIT_UNKNOWN, NONE);
    mk_expect(s, LK_HEALTHY, NULL);
    /* a lock used as a signal, by a thread that serves no request */
    s = mk();
    mk_wait(s, mk_thread(s, "main", "main@/srv/app.py:3", NULL), LK_WAIT_LOCK,
            mk_lock(s, "threading.Lock", NONE));
    mk_expect(s, LK_HEALTHY, NULL);
    /* nor before it has lasted */
    s = mk();
    struct lk_ref t = mk_thread(s, "Thread-1", "view@/srv/app.py:3", FLASK_REQUEST, NULL);
    mk_wait(s, t, LK_WAIT_UNKNOWN, NONE);
    mk_stuck(s, t, 200);
    struct lk_findings *f = mk_expect_one(s, LK_HEALTHY, NULL);
    assert_true(mk_watches(f, t));
    mk_free(s, f);
    /* the children are examined in the same run */
    s = mk();
    s->supervisor = &gunicorn_master;
    s->children_examined = true;
    *lk_vec_push(&s->children) = (struct lk_child){ .pid = 5000 };
    mk_expect(s, LK_HEALTHY, NULL);
    /* a proven deadlock is worse than what could not be read */
    s = mk();
    s->decisive_unreadable = true;
    t = mk_thread(s, "a", "f@/srv/app.py:1", NULL);
    mk_wait(s, t, LK_WAIT_LOCK, mk_lock(s, "threading.Lock", t));
    mk_expect(s, LK_DEADLOCK, "LK103");
}

/* An interpreter that is just being taken down: nothing of Python could be read. */
static struct lk_snapshot *ending(void)
{
    struct lk_snapshot *s = mk();
    s->python.frames_read = false;
    s->python.passing = true;
    s->python.why_not = "the interpreter is just being set up or taken down";
    return s;
}

static void set_up_or_taken_down(void **state)
{
    (void)state;
    struct lk_snapshot *s = ending();
    struct lk_ref t = mk_thread(s, "main", NULL);
    THREAD(t)->os.syscall = "munmap";
    struct lk_findings *f = mk_expect_one(s, LK_VERDICT_UNKNOWN, NULL);
    assert_non_null(strstr(f->verdict_why, "has stood still for 10 s in munmap()"));
    lk_findings_destroy(f);
    mk_stuck(s, t, 200);
    f = mk_expect_one(s, LK_HEALTHY, NULL);
    assert_true(mk_watches(f, t));
    lk_findings_destroy(f);
    mk_moved(s, t);
    f = mk_expect_one(s, LK_HEALTHY, NULL);
    assert_false(mk_watches(f, t));
    mk_free(s, f);
    /* it runs, but another thread does not */
    s = ending();
    t = mk_thread(s, "main", NULL);
    THREAD(t)->running = true;
    mk_thread(s, "worker", NULL);
    mk_expect(s, LK_VERDICT_UNKNOWN, NULL);
    /* the same of an interpreter that is merely not read */
    s = ending();
    s->python.passing = false;
    THREAD(mk_thread(s, "main", NULL))->running = true;
    mk_expect(s, LK_VERDICT_UNKNOWN, NULL);
}

/* Nobody is known to complete the future: a callback in a queue that could not be read may be to.
 */
static struct lk_snapshot *wait_beside_loop(int64_t ready, enum lk_loop_run run)
{
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "Thread-1", RESULT, "view@/srv/app.py:3", FLASK_REQUEST, NULL);
    struct lk_ref o = mk_idle_loop(s, mk_thread(s, "bg-loop", ASYNCIO_IDLE, NULL));
    mk_wait(s, t, LK_WAIT_FUTURE, mk_bare_future(s));
    LOOP(o)->ready = ready;
    LOOP(o)->run = run;
    return s;
}

static void unread_queue(void **state)
{
    (void)state;
    struct lk_snapshot *s = wait_beside_loop(LK_UNKNOWN, LK_LOOP_RUNNING);
    /* LK405 is told, and is not the verdict */
    struct lk_findings *f = mk_expect_one(s, LK_VERDICT_UNKNOWN, "LK405");
    assert_non_null(strstr(f->verdict_why, "the queue of that loop could not be read"));
    mk_free(s, f);
    /* read, and nothing in it; or of a loop that runs no callback any more */
    mk_expect(wait_beside_loop(0, LK_LOOP_RUNNING), LK_HAZARD, "LK405");
    mk_expect(wait_beside_loop(LK_UNKNOWN, LK_LOOP_CLOSED), LK_HAZARD, "LK405");
}

/* The GIL in the hands of a thread that sleeps in a C call, and another Python thread. */
static struct lk_snapshot *kept_gil(bool asks, bool runs, int64_t ms)
{
    struct lk_snapshot *s = mk();
    struct lk_ref holder = mk_thread(s, "main", "look_up@/srv/app.py:3", NULL);
    THREAD(holder)->holds_gil = true;
    THREAD(holder)->os.syscall = "futex";
    mk_stuck(s, holder, ms);
    struct lk_ref other = mk_thread(s, "walker", "walk@/srv/app.py:9", NULL);
    THREAD(other)->python = true;
    if (asks)
        mk_wait(s, other, LK_WAIT_GIL, holder);
    THREAD(other)->running = runs;
    if (runs)
        THREAD(other)->read = LK_READ_RACY;
    return s;
}

static void gil_kept(void **state)
{
    (void)state;
    struct lk_snapshot *s = kept_gil(true, false, 20000);
    struct lk_findings *f = mk_expect_one(s, LK_VERDICT_UNKNOWN, NULL);
    assert_non_null(strstr(f->verdict_why, "1 thread waits for it"));
    mk_free(s, f);
    /* met on its way to a processor: it may ask for the GIL, it may compute without */
    s = kept_gil(false, true, 20000);
    f = mk_expect_one(s, LK_VERDICT_UNKNOWN, NULL);
    assert_non_null(strstr(f->verdict_why, "1 thread that ran could not be read"));
    assert_true(f->look_again.at_once);
    mk_free(s, f);
    /* nobody wants it, or not for long yet */
    mk_expect(kept_gil(false, false, 20000), LK_HEALTHY, NULL);
    mk_expect(kept_gil(true, false, 200), LK_HEALTHY, NULL);
}

/* A request waits for what a loop runs, whose thread was met running in the last sample. */
static struct lk_snapshot *loop_met_running(bool read, int64_t ms)
{
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "Thread-1", RESULT, "view@/srv/app.py:3", FLASK_REQUEST, NULL);
    struct lk_ref runner = mk_thread(s, "bg-loop", read ? "work@/srv/app.py:9" : NULL, NULL);
    struct lk_ref o = mk_idle_loop(s, runner);
    LOOP(o)->in_own_selector = LK_NO;
    THREAD(runner)->wait.kind = LK_WAIT_NONE;
    THREAD(runner)->python = THREAD(runner)->running = THREAD(runner)->moved = true;
    THREAD(runner)->read = LK_READ_RACY;
    mk_wait(s, t, LK_WAIT_FUTURE, mk_future(s, mk_ready_task(s, o, "work")));
    mk_stuck(s, t, ms);
    return s;
}

static void unread_loop(void **state)
{
    (void)state;
    struct lk_snapshot *s = loop_met_running(false, 20000);
    struct lk_findings *f = mk_expect_one(s, LK_VERDICT_UNKNOWN, NULL);
    assert_non_null(strstr(f->verdict_why, "was met running and could not be read"));
    assert_true(f->look_again.at_once);
    mk_free(s, f);
    mk_expect(loop_met_running(false, 200), LK_HEALTHY, NULL);
    mk_expect(loop_met_running(true, 20000), LK_HEALTHY, NULL);
}

static void healthy(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref main =
        mk_thread(s, "main", "wait@" STDLIB "threading.py:320", "main@/srv/app.py:70", NULL);
    mk_wait(s, main, LK_WAIT_EVENT, mk_sync(s, "threading.Event")); /* ended by a signal handler */
    mk_wait(s, mk_thread(s, "pauser", "main@/srv/app.py:70", NULL), LK_WAIT_SIGNAL, NONE);
    mk_wait(s, mk_thread(s, "joiner", "main@/srv/app.py:70", NULL), LK_WAIT_JOIN, main);
    struct lk_ref o = mk_idle_loop(s, mk_thread(s, "bg-loop", ASYNCIO_IDLE, NULL));
    /* await asyncio.Future() */
    struct lk_ref parked = mk_task(s, o, "main", "async main@/srv/app.py:60", NULL);
    struct lk_ref bare = mk_bare_future(s);
    FUTURE(bare)->concurrent = false;
    mk_wait(s, parked, LK_WAIT_FUTURE, bare);
    struct lk_ref pool = mk_pool(s, 2), w = mk_thread(s, "pool_0", POOL_WORKER, NULL);
    mk_worker(s, pool, w);
    mk_wait(s, w, LK_WAIT_EXECUTOR_IDLE, pool);
    struct lk_ref consumer =
        mk_thread(s, "consumer", "get@" STDLIB "queue.py:171", "consume@/srv/app.py:5", NULL);
    mk_wait(s, consumer, LK_WAIT_QUEUE_GET, mk_sync(s, "queue.Queue"));
    mk_wait(s, mk_thread(s, "watcher", "watch@/srv/app.py:5", NULL), LK_WAIT_CONDITION,
            mk_sync(s, "threading.Condition"));
    struct lk_ref acceptor =
        mk_thread(s, "server", "serve_forever@" STDLIB "socketserver.py:232", NULL);
    THREAD(acceptor)->os.listening = true;
    mk_thread(s, "Thread-7", "handle_one_request@" SITE "werkzeug/serving.py:360",
              "process_request_thread@" STDLIB "socketserver.py:683", NULL);
    /* a long poll */
    struct lk_ref poll = mk_thread(s, "poller", RESULT, "poll@/srv/app.py:9", FLASK_REQUEST, NULL);
    mk_wait(s, poll, LK_WAIT_FUTURE, mk_future(s, parked));
    mk_timeout(s, poll, 50000);
    mk_expect(s, LK_HEALTHY, NULL);
    mk_expect(mk(), LK_HEALTHY, NULL);
}

/* With CAP_SYS_PTRACE alone: what a thread means to wait for, by its frames, is no finding; a
 * thread that was held, or moved, is none of those. */
static void unread_calls(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "bg", "sleep@" STDLIB "time.py:1",
                                    "async outer@/srv/app.py:3", ASYNCIO_RUN_FOREVER, NULL);
        mk_loop(s, t);
        THREAD(t)->unread = 13;
        if (i == 1)
            mk_moved(s, t);
        if (i == 2)
            THREAD(t)->read = LK_READ_STOPPED;
        if (i == 3)
            s->ran_out = 24;
        struct lk_findings *f = mk_diagnose(s);
        assert_true(f->verdict < LK_STALLED || i == 2);
        if (i == 0 || i == 3) {
            assert_int_equal(f->verdict, LK_VERDICT_UNKNOWN);
            assert_non_null(strstr(f->verdict_why, "Permission denied"));
        }
        mk_free(s, f);
    }
}

static void loop_without_queue(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "bg", ASYNCIO_IDLE, NULL), o = mk_idle_loop(s, t);
        LOOP(o)->ready = LK_UNKNOWN;
        if (i == 1)
            THREAD(t)->read = LK_READ_RACY; /* torn */
        if (i == 2)
            LOOP(o)->ready = 0;
        struct lk_findings *f = mk_diagnose(s);
        assert_int_equal(f->verdict == LK_VERDICT_UNKNOWN, i == 0);
        mk_free(s, f);
    }
}

/* A request's task reads or writes something, and what is at the other end was not found. */
static void task_at_unknown_end(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "MainThread", ASYNCIO_IDLE, NULL), o = mk_idle_loop(s, t),
                      k = mk_task(s, o, "run_asgi", "async copy@/srv/app.py:9",
                                  i == 1 ? "async start@/srv/app.py:30"
                                         : "async run_asgi@" SITE
                                           "uvicorn/protocols/http/h11_impl.py:373",
                                  NULL),
                      end = lk_snapshot_extern(s, LK_EXT_UNKNOWN, i == 2 ? "pipe:[1]" : "",
                                               LK_UNKNOWN);
        struct lk_wait *w = &lk_task_at(s, k)->wait;
        w->kind = i == 3 ? LK_WAIT_FUTURE : LK_WAIT_IO;
        w->timeout_ms = i == 4 ? 5000 : LK_FOREVER;
        w->call = "StreamWriter.drain()";
        lk_refs_add(s, &w->on, end);
        lk_task_at(s, k)->stuck_ms = 10 * s->stalled_after_ms;
        lk_task_at(s, k)->ready = i == 5;
        struct lk_findings *f = mk_diagnose(s);
        assert_int_equal(f->verdict == LK_VERDICT_UNKNOWN, i == 0);
        if (i == 0)
            assert_non_null(strstr(f->verdict_why,
                                   "in StreamWriter.drain() at copy (app.py:9), and what is at"));
        mk_free(s, f);
    }
}

/* A request waits for a task of a library's, which keeps its deadline in C. */
static void hidden_deadline(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref o = mk_idle_loop(s, mk_thread(s, "MainThread", ASYNCIO_IDLE, NULL)),
                      call = mk_task(s, o, "_invoke", "async _invoke@" SITE "grpc/aio/_call.py:577",
                                     NULL),
                      view = mk_task(
                          s, o, "run_asgi", "async price@/srv/app.py:9",
                          "async run_asgi@" SITE "uvicorn/protocols/http/h11_impl.py:373", NULL);
        mk_wait(s, view, LK_WAIT_FUTURE, call);
        mk_wait(s, call, LK_WAIT_IO,
                lk_snapshot_extern(s, LK_EXT_OUTSIDE, "the gRPC server", LK_UNKNOWN));
        TASK(call)->wait.call = "a gRPC call";
        if (i == 0)
            TASK(call)->wait.traits = LK_WAIT_HIDES_DEADLINE;
        TASK(call)->wait.timeout_ms = i == 2 ? LK_FOREVER : LK_UNKNOWN;
        struct lk_findings *f = mk_diagnose(s);
        assert_int_equal(f->verdict, i == 0   ? LK_VERDICT_UNKNOWN
                                     : i == 1 ? LK_HEALTHY
                                              : LK_STALLED);
        if (i == 0)
            assert_non_null(strstr(f->verdict_why,
                                   "in a gRPC call at price (app.py:9), and whether "
                                   "that has a deadline could not be found out"));
        mk_free(s, f);
    }
}

/* A request polls below a library's frame: alone; while another request is past the call, or native
 * code computes; in a call that counts as moved; in a thread that serves nobody. */
static void polls_in_vain(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "Thread-1", "acquire@" SITE "padlock.py:9",
                                    "view@/srv/app.py:3", i == 4 ? NULL : FLASK_REQUEST, NULL);
        struct lk_ref timer = lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 50);
        mk_wait(s, t, LK_WAIT_SLEEP, timer);
        THREAD(t)->wait.traits = LK_WAIT_POLLS;
        THREAD(t)->wait.frame = 1;
        THREAD(t)->stable = i != 3;
        if (i == 1) {
            struct lk_ref other =
                mk_thread(s, "Thread-2", "view@/srv/app.py:4", FLASK_REQUEST, NULL);
            THREAD(other)->python_stack->frames[0].code = THREAD(t)->python_stack->frames[1].code;
            THREAD(other)->python_stack->frames[0].lasti = 40;
            mk_wait(s, other, LK_WAIT_SLEEP, timer);
        }
        if (i == 2) {
            struct lk_ref native = mk_thread(s, "blas", NULL);
            THREAD(native)->python = false;
            THREAD(native)->running = true;
        }
        struct lk_findings *f = mk_expect_one(s, i == 0 ? LK_VERDICT_UNKNOWN : LK_HEALTHY, NULL);
        if (i == 0)
            assert_non_null(strstr(f->verdict_why, ": that sleeps in short slices"));
        mk_free(s, f);
    }
}

/* A lock that is held, by whom was sought in vain, or not sought. */
static void task_at_lock_of_nobody(void **state)
{
    (void)state;
    for (int sought = 0; sought < 2; sought++) {
        struct lk_snapshot *s = mk();
        struct lk_ref bg = mk_thread(s, "main", ASYNCIO_IDLE, NULL), o = mk_idle_loop(s, bg);
        struct lk_ref k = mk_task(s, o, "Task-7", "async view@/srv/app.py:7", NULL),
                      l = mk_lock(s, "asyncio.Lock", NONE);
        TASK(k)->http = true;
        TASK(k)->stuck_ms = 9000;
        mk_wait(s, k, LK_WAIT_LOCK, l);
        LOCK(l)->locked = LK_YES;
        LOCK(l)->unended = sought ? LK_WAIT_LOCK : LK_WAIT_NONE;
        struct lk_findings *f = mk_expect_one(s, sought ? LK_VERDICT_UNKNOWN : LK_HEALTHY, NULL);
        if (sought)
            assert_non_null(strstr(f->verdict_why, "who holds asyncio.Lock l1 could not be found"));
        mk_free(s, f);
    }
}

static void loop_of_an_unread_kind(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t =
            i == 0 ? mk_thread(s, "MainThread", "get_events@" SITE "trio/_core/_io_epoll.py:243",
                               "run@" SITE "trio/_core/_run.py:2294", "main@/srv/app.py:30", NULL)
                   : mk_thread(s, "MainThread", "view@/srv/app.py:7",
                               "Route.handle@" SITE "starlette/routing.py:297",
                               "unrolled_run@" SITE "trio/_core/_run.py:2620",
                               "run@" SITE "trio/_core/_run.py:2294", NULL);
        mk_wait(s, t, i == 0 ? LK_WAIT_IO : LK_WAIT_SLEEP, NONE);
        struct lk_findings *f = mk_expect_one(s, LK_VERDICT_UNKNOWN, NULL);
        assert_non_null(strstr(f->verdict_why, "runs a loop of trio, a kind that is not read"));
        if (i == 1)
            assert_non_null(strstr(f->verdict_why, "stands at view (app.py:7), in a request"));
        mk_free(s, f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown),
        cmocka_unit_test(node_main_thread),
        cmocka_unit_test(joined_in_open_wait),
        cmocka_unit_test(unread_queue),
        cmocka_unit_test(gil_kept),
        cmocka_unit_test(unread_loop),
        cmocka_unit_test(unread_beside_own_request),
        cmocka_unit_test(known_all_the_same),
        cmocka_unit_test(set_up_or_taken_down),
        cmocka_unit_test(healthy),
        cmocka_unit_test(unread_calls),
        cmocka_unit_test(loop_without_queue),
        cmocka_unit_test(task_at_unknown_end),
        cmocka_unit_test(polls_in_vain),
        cmocka_unit_test(task_at_lock_of_nobody),
        cmocka_unit_test(loop_of_an_unread_kind),
        cmocka_unit_test(hidden_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
