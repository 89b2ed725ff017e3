/*
 * LK405 and LK406: long waits for a future, or for something outside, and those that are fine.
 */
#include "make.h"

#include <string.h>

static void unbounded_wait(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "Thread-1", RESULT, "pay@/srv/app.py:16", FLASK_REQUEST, NULL);
    mk_wait(s, t, LK_WAIT_FUTURE, mk_bare_future(s));
    struct lk_findings *f = mk_expect_one(s, LK_HAZARD, "LK405");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "pay");
    lk_findings_destroy(f);
    mk_stuck(s, t, 300); /* not yet */
    f = mk_expect_one(s, LK_HEALTHY, NULL);
    assert_true(mk_watches(f, t));
    lk_findings_destroy(f);
    mk_stuck(s, t, 3000);
    mk_timeout(s, t, 1000); /* bounded */
    mk_expect(s, LK_HEALTHY, NULL);
    /* a coroutine that sleeps long */
    s = mk();
    t = mk_thread(s, "Thread-1", RESULT, "pay@/srv/app.py:16", FLASK_REQUEST, NULL);
    struct lk_ref o = mk_idle_loop(s, mk_thread(s, "bg-loop", ASYNCIO_IDLE, NULL)),
                  task = mk_task(s, o, "slow", "async slow@/srv/app.py:3", NULL);
    mk_wait(s, task, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 3600000));
    mk_wait(s, t, LK_WAIT_FUTURE, mk_future(s, task));
    mk_expect(s, LK_HEALTHY, NULL);
}

static void waits_for_futures_that_are_fine(void **state)
{
    (void)state;
    /* a framework's own bridge */
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "Thread-1", RESULT, "call@" SITE "anyio/from_thread.py:277",
                                "view@/srv/app.py:5", FLASK_REQUEST, NULL);
    mk_wait(s, t, LK_WAIT_FUTURE, mk_bare_future(s));
    mk_expect(s, LK_HEALTHY, NULL);
    /* a slow job in a worker that makes progress */
    s = mk();
    t = mk_thread(s, "Thread-1", RESULT, "import_view@/srv/app.py:16", FLASK_REQUEST, NULL);
    struct lk_ref w = mk_thread(s, "jobs_0", "import_rows@/srv/app.py:9", POOL_WORKER, NULL);
    mk_moved(s, w);
    mk_wait(s, t, LK_WAIT_FUTURE, mk_future(s, w));
    mk_expect(s, LK_HEALTHY, NULL);
}

static void external_wait(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_asking(s, "10.0.0.7:5432");
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_non_null(strstr(f->list.v[0].summary, "10.0.0.7:5432"));
    assert_string_equal(f->list.v[0].culprits.v[0].function, "ask");
    lk_findings_destroy(f);
    mk_stuck(s, t, 300);
    f = mk_expect_one(s, LK_HEALTHY, NULL);
    assert_true(mk_watches(f, t));
    mk_free(s, f);
}

/* A library that asks in C, five times a second, whether the answer has come. */
static void external_wait_by_polls(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_asking(s, "the gRPC server 10.0.0.7:50051");
    THREAD(t)->os.timeout_ms = THREAD(t)->os.left_ms = 200;
    lk_findings_destroy(mk_expect_one(s, LK_HEALTHY, NULL));
    THREAD(t)->wait.traits |= LK_WAIT_POLLS;
    THREAD(t)->wait.call_id = 4711;
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK406");
    lk_findings_destroy(f);
    mk_timeout(s, t, 1000);
    mk_expect(s, LK_HEALTHY, NULL);
}

/* Through a coroutine: the caller waits for its result. */
static void external_wait_of_a_coroutine(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = mk_idle_loop(s, mk_thread(s, "bg-loop", ASYNCIO_IDLE, NULL));
    struct lk_ref task = mk_task(s, o, "ask_upstream", "async ask_upstream@/srv/app.py:9", NULL);
    struct lk_ref t = mk_thread(s, "Thread-1", RESULT, "quote@/srv/app.py:20", FLASK_REQUEST, NULL);
    mk_wait(s, task, LK_WAIT_IO,
            lk_snapshot_extern(s, LK_EXT_OUTSIDE, "10.0.0.7:5432", LK_UNKNOWN));
    mk_wait(s, t, LK_WAIT_FUTURE, mk_future(s, task));
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_int_equal(f->list.v[0].culprits.n, 2);
    /* nearest to the cause; the sentence is about who waits */
    assert_string_equal(f->list.v[0].culprits.v[0].function, "ask_upstream");
    assert_string_equal(f->list.v[0].culprits.v[1].function, "quote");
    assert_non_null(strstr(f->list.v[0].summary, "Future.result() at quote (app.py:20)"));
    lk_findings_destroy(f);
    TASK(task)->wait.traits = LK_WAIT_LISTENS;
    f = mk_expect_one(s, LK_HEALTHY, NULL);
    lk_findings_destroy(f);
    TASK(task)->wait.traits = 0;
    mk_timeout(s, task, 5000); /* bounded inside */
    f = mk_diagnose(s);
    assert_null(mk_find(f, "LK406"));
    mk_free(s, f);
    /* a child process that a worker waits for */
    s = mk();
    struct lk_ref w = mk_thread(s, "pool", "convert@/srv/app.py:9", POOL_WORKER, NULL);
    mk_wait(s, w, LK_WAIT_CHILD, NONE);
    THREAD(w)->os.child_pid = 777;
    t = mk_thread(s, "Thread-1", RESULT, "quote@/srv/app.py:20", FLASK_REQUEST, NULL);
    mk_wait(s, t, LK_WAIT_FUTURE, mk_future(s, w));
    f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_non_null(strstr(f->list.v[0].summary, "child process 777"));
    mk_free(s, f);
}

/* What the thread waits for without a pause does one short thing after the other. */
static void coroutine_of_many_questions(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref w = mk_thread(s, "pool", RUN_UNTIL, "_run_event_loop@" SITE "asgiref/sync.py:231",
                                POOL_WORKER, NULL);
    struct lk_ref task = mk_task(s, mk_idle_loop(s, w), "ask", "async ask@/srv/app.py:9", NULL);
    struct lk_ref t = mk_waiting_request(s, mk_future(s, w));
    mk_wait(s, task, LK_WAIT_IO,
            lk_snapshot_extern(s, LK_EXT_OUTSIDE, "10.0.0.7:5432", LK_UNKNOWN));
    THREAD(w)->drives = task;
    assert_true(lk_thread_at(s, t)->wait.kind == LK_WAIT_FUTURE);
    lk_findings_destroy(mk_expect_one(s, LK_STALLED, "LK406"));
    TASK(task)->stuck_ms = 8;
    TASK(task)->stable = false;
    s->watched_ms = 5000;
    mk_expect(s, LK_HEALTHY, NULL);
}

static void waits_outside_that_are_fine(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_asking(s, "10.0.0.7:5432");
        switch (i) {
        case 0: THREAD(t)->os.accepted = true; break; /* the client's own connection */
        case 1: mk_timeout(s, t, 20000); break;
        case 2: THREAD(t)->os.timeout_ms = 20000; break;
        case 3: THREAD(t)->os.listening = true; break;
        case 4:
            THREAD(t)->os.fd = 0;
            THREAD(t)->os.on = LK_OS_PIPE;
            break; /* input */
        case 5:
            THREAD(t)->python_stack = mk_stack(s, "ask@/srv/app.py:14", NULL);
            break; /* no request, nobody waits */
        }
        mk_expect(s, LK_HEALTHY, NULL);
    }
}

/* ---- requests that are tasks --------------------------------------------------------------- */

#define RUN_ASGI "async run_asgi@" SITE "uvicorn/protocols/http/h11_impl.py:373"

static struct lk_ref peer(struct lk_snapshot *s)
{
    return lk_snapshot_extern(s, LK_EXT_OUTSIDE, "10.0.0.7:5432", LK_UNKNOWN);
}

static struct lk_ref serving_loop(struct lk_snapshot *s)
{
    return mk_idle_loop(s, mk_thread(s, "MainThread", ASYNCIO_IDLE, NULL));
}

/* A request that awaits something of the outside itself. */
static struct lk_ref mk_asking_task(struct lk_snapshot *s, struct lk_ref loop)
{
    struct lk_ref k = mk_task(s, loop, "run_asgi", "async quote@/srv/app.py:9", RUN_ASGI, NULL);
    mk_wait(s, k, LK_WAIT_IO, peer(s));
    TASK(k)->wait.complete = false;
    TASK(k)->stuck_ms = 10000;
    return k;
}

static void request_that_awaits_the_outside(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref k = mk_asking_task(s, serving_loop(s));
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_non_null(strstr(f->list.v[0].summary, "10.0.0.7:5432"));
    assert_string_equal(f->list.v[0].culprits.v[0].function, "quote");
    assert_int_equal(f->list.v[0].held_requests, 1);
    assert_int_equal(f->list.v[0].stuck_ms, 10000);
    lk_findings_destroy(f);
    TASK(k)->read = TASK(k)->wait.read = LK_READ_RACY; /* met awake, and as it slept */
    f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_int_equal(f->list.v[0].confidence, LK_PROBABLE); /* alike in all samples */
    lk_findings_destroy(f);
    TASK(k)->stable = false;
    lk_findings_destroy(mk_expect_one(s, LK_HAZARD, "LK406"));
    TASK(k)->stable = TASK(k)->confirmed = true;
    f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_int_equal(f->list.v[0].confidence, LK_PROVEN);
    lk_findings_destroy(f);
    TASK(k)->stuck_ms = 300; /* not yet */
    s->watched_ms = 300;
    f = mk_expect_one(s, LK_HEALTHY, NULL);
    assert_true(f->look_again.at_end);
    mk_free(s, f);
}

static void requests_that_are_fine(void **state)
{
    (void)state;
    for (int i = 0; i < 7; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref o = serving_loop(s), k = mk_asking_task(s, o);
        switch (i) {
        case 0: lk_extern_at(s, TASK(k)->wait.on.v[0])->client = true; break;
        case 1: mk_timeout(s, k, 60000); break;
        case 2: /* no request */
            TASK(k)->stack = mk_stack(s, "async listen@/srv/app.py:9", NULL);
            break;
        case 3: /* what is streamed comes when there is something */
            TASK(k)->stack = mk_stack(s, "async chunks@/srv/app.py:9",
                                      "async StreamingResponse.stream_response@" SITE
                                      "starlette/responses.py:250",
                                      RUN_ASGI, NULL);
            break;
        case 4: TASK(k)->stuck_ms = LK_UNKNOWN; break; /* it moves */
        case 5:                                        /* either this or that */
            mk_wait(s, k, LK_WAIT_FUTURE, mk_future(s, peer(s)));
            mk_wait_also(s, k, mk_bare_future(s), true);
            break;
        case 6: TASK(k)->ready = true; break;
        }
        mk_expect(s, LK_HEALTHY, NULL);
    }
}

/* All are counted, though not all are listed. */
static void many_requests_at_one_place(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = serving_loop(s);
    for (int i = 0; i < 300; i++)
        mk_asking_task(s, o);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_int_equal(f->list.v[0].held_requests, 300);
    assert_non_null(strstr(f->list.v[0].summary, "300 tasks"));
    mk_free(s, f);
}

/* Where the kernel knows when something came last, that is how long the wait has lasted. */
static void quiet_connection(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref k = mk_asking_task(s, serving_loop(s));
    struct lk_extern *e = lk_extern_at(s, TASK(k)->wait.on.v[0]);
    e->quiet_ms = 500; /* at one place again and again */
    lk_findings_destroy(mk_expect_one(s, LK_HEALTHY, NULL));
    e->quiet_ms = 60000;
    TASK(k)->stuck_ms = 200;
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_int_equal(f->list.v[0].stuck_ms, 60000);
    lk_findings_destroy(f);
    TASK(k)->stuck_ms = LK_UNKNOWN; /* a connection of a pool that it has just been given */
    f = mk_expect_one(s, LK_HEALTHY, NULL);
    mk_free(s, f);
}

/* The frames of a worker thread say nothing of the request that it works for. */
static void request_that_awaits_a_thread(void **state)
{
    (void)state;
    for (int pool = 0; pool < 2; pool++) {
        struct lk_snapshot *s = mk();
        struct lk_ref k = mk_task(s, serving_loop(s), "run_asgi",
                                  "async run_in_threadpool@" SITE "starlette/concurrency.py:41",
                                  RUN_ASGI, NULL),
                      w = mk_thread(s, "AnyIO worker thread", "ask@/srv/app.py:33",
                                    "run@" SITE "anyio/_backends/_asyncio.py:867", NULL);
        mk_wait(s, w, LK_WAIT_IO, peer(s));
        THREAD(w)->os.on = LK_OS_SOCKET;
        THREAD(w)->os.peer = "10.0.0.7:5432";
        THREAD(w)->os.timeout_ms = LK_FOREVER;
        struct lk_ref work = mk_future(s, w);
        mk_wait(s, k, LK_WAIT_FUTURE, pool ? mk_future(s, work) : work);
        struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK406");
        assert_int_equal(f->list.v[0].culprits.n, 1);
        assert_string_equal(f->list.v[0].culprits.v[0].function, "ask");
        assert_int_equal(f->list.v[0].held_requests, 1);
        lk_findings_destroy(f);
        mk_stuck(s, w, 300);
        f = mk_expect_one(s, LK_HEALTHY, NULL);
        assert_true(mk_watches(f, w));
        lk_findings_destroy(f);
        mk_stuck(s, w, 10000);
        THREAD(w)->os.timeout_ms = 5000; /* bounded */
        mk_expect(s, LK_HEALTHY, NULL);
    }
}

/* A job of a task queue is asked for as a request is. */
/* A request waits for the answer of a thread that has its question as its work. */
static struct lk_snapshot *asked(struct lk_ref *request, struct lk_ref *worker)
{
    struct lk_snapshot *s = mk();
    struct lk_ref e = mk_sync(s, "threading.Event");
    *request = mk_thread(s, "Thread-1", "view@/srv/app.py:3", FLASK_REQUEST, NULL);
    *worker = mk_thread(s, "worker", "work@/srv/app.py:30", NULL);
    mk_wait(s, *request, LK_WAIT_EVENT, e);
    mk_wait(s, *worker, LK_WAIT_IO,
            lk_snapshot_extern(s, LK_EXT_OUTSIDE, "10.0.0.7:80", LK_UNKNOWN));
    LOCK(e)->worked_on_by = *worker;
    return s;
}

static void answer_of_a_worker(void **state)
{
    (void)state;
    struct lk_ref request, worker;
    struct lk_snapshot *s = asked(&request, &worker);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_int_equal(f->list.v[0].confidence, LK_PROBABLE);
    assert_non_null(strstr(f->list.v[0].summary, "through thread worker"));
    assert_int_equal(f->list.v[0].chain.n, 3);
    mk_free(s, f);
    for (int i = 0; i < 4; i++) {
        s = asked(&request, &worker);
        if (i == 0) /* nobody is known to work on it: a long poll */
            lk_lock_at(s, THREAD(request)->wait.on.v[0])->worked_on_by = NONE;
        if (i == 1)
            mk_timeout(s, worker, 5000);
        if (i == 2)
            mk_moved(s, worker);
        if (i == 3)
            mk_timeout(s, request, 5000);
        mk_expect(s, LK_HEALTHY, NULL);
    }
}

static void own(struct lk_snapshot *s, const char *local, struct lk_ref by)
{
    lk_vec_add(
        &s->own_connections,
        ((struct lk_own_connection){ .fd = 9, .local = local, .peer = "10.0.0.7:5432", .by = by }));
}

/* What a database keeps it keeps for a connection, which may be one of the same process. */
static void own_connection_to_a_server(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = mk_idle_loop(s, mk_thread(s, "bg-loop", ASYNCIO_IDLE, NULL)),
                  task = mk_task(s, o, "order", "execute@" SITE "asyncpg/connection.py:354",
                                 "async order@/srv/app.py:9", NULL),
                  t = mk_thread(s, "Thread-1", RESULT, "view@/srv/app.py:20", FLASK_REQUEST, NULL),
                  other = mk_thread(s, "Thread-2", "reserve@/srv/app.py:40", FLASK_REQUEST, NULL);
    struct lk_ref e = lk_snapshot_extern(s, LK_EXT_OUTSIDE, "10.0.0.7:5432", LK_UNKNOWN);
    lk_extern_at(s, e)->local = "10.0.0.1:4000";
    mk_wait(s, task, LK_WAIT_IO, e);
    mk_wait(s, t, LK_WAIT_FUTURE, mk_future(s, task));
    mk_wait(s, other, LK_WAIT_EVENT, mk_sync(s, "threading.Event"));
    own(s, "10.0.0.1:4000", task); /* the one that is waited on */
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_non_null(strstr(f->list.v[0].summary, "10.0.0.7:5432 (PostgreSQL), without a timeout"));
    assert_null(strstr(f->list.v[0].summary, "deadlock"));
    assert_null(strstr(f->list.v[0].summary, "another connection"));
    assert_non_null(strstr(f->list.v[0].safe_now, "client_port in (4000)"));
    assert_non_null(strstr(f->list.v[0].remedy, "lock_timeout"));
    lk_findings_destroy(f);
    own(s, "10.0.0.1:4001", other);
    f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_non_null(strstr(f->list.v[0].summary, "Thread-2"));
    assert_non_null(strstr(f->list.v[0].summary, "which waits itself at reserve"));
    assert_non_null(strstr(f->list.v[0].safe_now, "client_port in (4000, 4001)"));
    lk_findings_destroy(f);
    own(s, "10.0.0.1:4002", task); /* nearer */
    f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_non_null(strstr(f->list.v[0].summary, "that task has another connection"));
    assert_non_null(strstr(f->list.v[0].summary, "10.0.0.1:4002"));
    lk_findings_destroy(f);
    /* one that sleeps, or asks the server itself, goes on by itself */
    s->own_connections.n = 2;
    mk_wait(s, other, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 9000));
    f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_null(strstr(f->list.v[0].summary, "Thread-2"));
    mk_free(s, f);
}

/* A driver that wakes up now and then waits as long all the same; that nothing has come meanwhile
 * the connection says. */
static void wait_that_polls(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_asking(s, "10.0.0.7:5432");
    struct lk_extern *e = lk_extern_at(s, THREAD(t)->wait.on.v[0]);
    THREAD(t)->os.timeout_ms = 100;
    lk_findings_destroy(mk_expect_one(s, LK_HEALTHY, NULL));
    THREAD(t)->wait.traits = LK_WAIT_POLLS;
    e->quiet_ms = 100;
    lk_findings_destroy(mk_expect_one(s, LK_HEALTHY, NULL));
    e->quiet_ms = LK_UNKNOWN;
    lk_findings_destroy(mk_expect_one(s, LK_HEALTHY, NULL));
    e->quiet_ms = 9000;
    mk_expect(s, LK_STALLED, "LK406");
}

static void job_that_waits_for_the_outside(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_asking(s, "10.0.0.7:5432");
    THREAD(t)->python_stack =
        mk_stack(s, "ask@/srv/tasks.py:14", "trace_task@" SITE "celery/app/trace.py:477", NULL);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_int_equal(f->list.v[0].held_requests, 1);
    mk_free(s, f);
}

static void job_that_waits_for_a_job(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t =
        mk_thread(s, "MainThread", "_socket_readable@" SITE "celery/backends/redis.py:201",
                  "get@" SITE "celery/result.py:261", "outer@/srv/jobs.py:11",
                  "trace_task@" SITE "celery/app/trace.py:450", NULL);
    mk_wait(s, t, LK_WAIT_IO,
            lk_snapshot_extern(s, LK_EXT_OUTSIDE, "the result of another job", LK_UNKNOWN));
    THREAD(t)->wait.traits = LK_WAIT_POLLS | LK_WAIT_FOR_JOB;
    THREAD(t)->os.timeout_ms = 1000; /* the slice's */
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "outer");
    assert_non_null(strstr(f->list.v[0].remedy, "inside a job"));
    assert_int_equal(f->list.v[0].held_requests, 1);
    lk_findings_destroy(f);
    mk_timeout(s, t, 60000); /* the call's */
    mk_expect(s, LK_HEALTHY, NULL);
}

/* Ten requests behind one connection are one finding. */
static void one_finding_for_one_cause(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref first = mk_asking(s, "10.0.0.7:5432"), lock = mk_lock(s, "threading.Lock", first);
    for (int i = 0; i < 9; i++)
        mk_wait(s, mk_thread(s, "Thread-2", "view@/srv/app.py:33", FLASK_REQUEST, NULL),
                LK_WAIT_LOCK, lock);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_int_equal(f->list.v[0].held_requests, 10);
    mk_free(s, f);
}

/* Requests that wait at one place for one peer are one finding; another peer is another. */
static void one_finding_for_one_place(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    for (int i = 0; i < 5; i++)
        mk_asking(s, i < 4 ? "10.0.0.7:5432" : "10.0.0.8:5432");
    struct lk_findings *f = mk_diagnose(s);
    assert_int_equal(f->list.n, 2);
    assert_int_equal(f->list.v[0].threads.n, 4);
    assert_int_equal(f->list.v[0].culprits.n, 4);
    assert_int_equal(f->list.v[0].held_requests, 4);
    assert_non_null(strstr(f->list.v[0].summary, "4 threads"));
    assert_int_equal(f->list.v[1].held_requests, 1);
    mk_free(s, f);
}

/* A job that goes on from step to step is waited for, not forgotten. */
static void future_that_is_worked_on(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref bg = mk_thread(s, "bg", ASYNCIO_IDLE, NULL), o = mk_idle_loop(s, bg);
    struct lk_ref job = mk_task(s, o, "job", "async job@/srv/app.py:50", NULL);
    mk_wait(s, job, LK_WAIT_FUTURE, mk_bare_future(s));
    struct lk_ref t = mk_thread(s, "main", RESULT, "wait_for_job@/srv/app.py:16", NULL);
    mk_wait(s, t, LK_WAIT_FUTURE, mk_future(s, job));
    lk_findings_destroy(mk_expect_one(s, LK_HAZARD, "LK405"));
    TASK(job)->stable = false;
    mk_expect(s, LK_HEALTHY, NULL);
}

/* ---- enders that are known and alive ------------------------------------------------------- */

/* The main thread, or a request, waits for a job; returns the worker that runs it. */
static struct lk_ref waits_for_job(struct lk_snapshot *s, bool request)
{
    struct lk_ref w = mk_thread(s, "jobs_0", "job@/srv/app.py:9", POOL_WORKER, NULL),
                  f = mk_future(s, w);
    struct lk_ref t = request ? mk_waiting_request(s, f)
                              : mk_thread(s, "main", RESULT, "main@/srv/app.py:30", NULL);
    mk_wait(s, t, LK_WAIT_FUTURE, f);
    return w;
}

static void jobs_that_are_alive(void **state)
{
    (void)state;
    static const struct {
        enum lk_wait_kind kind;
        int64_t timeout;
        enum lk_verdict alone, of_request;
    } rows[] = {
        { LK_WAIT_SLEEP, LK_FOREVER, LK_HEALTHY, LK_HEALTHY },
        { LK_WAIT_EVENT, 5000, LK_HEALTHY, LK_HEALTHY }, /* polls */
        { LK_WAIT_QUEUE_GET, LK_FOREVER, LK_HEALTHY, LK_HAZARD },
        { LK_WAIT_CONDITION, LK_FOREVER, LK_HEALTHY, LK_HAZARD },
        { LK_WAIT_EVENT, LK_FOREVER, LK_HAZARD, LK_HAZARD },
        { LK_WAIT_SEMAPHORE, LK_FOREVER, LK_HAZARD, LK_HAZARD },
        { LK_WAIT_QUEUE_PUT, LK_FOREVER, LK_HAZARD, LK_HAZARD },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++)
        for (int request = 0; request < 2; request++) {
            struct lk_snapshot *s = mk();
            struct lk_ref w = waits_for_job(s, request),
                          on = rows[i].kind == LK_WAIT_SLEEP
                                   ? lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 90000)
                                   : mk_sync(s, "threading.Event");
            mk_wait(s, w, rows[i].kind, on);
            mk_timeout(s, w, rows[i].timeout);
            s->own_handlers = LK_YES; /* which might set it */
            enum lk_verdict v = request ? rows[i].of_request : rows[i].alone;
            mk_expect(s, v, v == LK_HAZARD ? "LK405" : NULL);
        }
}

/* Nobody is known to complete it; a worker has it at hand. */
static void future_in_hands(void **state)
{
    (void)state;
    static const struct {
        enum lk_wait_kind kind;
        int64_t timeout;
        bool stable;
        enum lk_verdict verdict;
    } rows[] = {
        { LK_WAIT_SLEEP, LK_FOREVER, true, LK_HEALTHY },
        { LK_WAIT_IO, 200, true, LK_HEALTHY },                /* polls */
        { LK_WAIT_QUEUE_GET, LK_FOREVER, true, LK_HAZARD },   /* has done with it */
        { LK_WAIT_IO, LK_FOREVER, true, LK_HAZARD },          /* a peer that may never answer */
        { LK_WAIT_CONDITION, LK_FOREVER, false, LK_HEALTHY }, /* moves */
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref f = mk_bare_future(s),
                      w = mk_thread(s, "batches", "work@/srv/app.py:9", NULL);
        mk_waiting_request(s, f);
        mk_wait(s, w, rows[i].kind, mk_sync(s, "threading.Event"));
        mk_timeout(s, w, rows[i].timeout);
        THREAD(w)->stable = rows[i].stable;
        lk_findings_destroy(mk_expect_one(s, LK_HAZARD, "LK405"));
        lk_refs_add(s, &FUTURE(f)->at_hand, w);
        mk_expect(s, rows[i].verdict, rows[i].verdict == LK_HAZARD ? "LK405" : NULL);
    }
}

/* All are needed: one that sleeps does not stand for one of which nobody knows who wakes it. */
static void each_job_counts(void **state)
{
    (void)state;
    for (int any = 0; any < 2; any++) {
        struct lk_snapshot *s = mk();
        struct lk_ref w = waits_for_job(s, false), t = lk_ref_make(LK_KIND_THREAD, 1),
                      other = mk_thread(s, "jobs_1", "job@/srv/app.py:9", POOL_WORKER, NULL);
        mk_wait(s, w, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 90000));
        mk_wait(s, other, LK_WAIT_EVENT, mk_sync(s, "threading.Event"));
        mk_wait_also(s, t, mk_future(s, other), any);
        mk_expect(s, any ? LK_HEALTHY : LK_HAZARD, any ? NULL : "LK405");
    }
}

static void children_at_work(void **state)
{
    (void)state;
    for (int does = LK_CHILD_UNKNOWN; does <= LK_CHILD_RUNS; does++)
        for (int request = 0; request < 2; request++) {
            struct lk_snapshot *s = mk();
            struct lk_ref e = lk_snapshot_extern(s, LK_EXT_CHILD, "child process 4712", LK_UNKNOWN),
                          f = mk_future(s, e),
                          t = request ? mk_waiting_request(s, f)
                                      : mk_thread(s, "main", RESULT, "main@/srv/app.py:30", NULL);
            lk_extern_at(s, e)->pool = true;
            lk_extern_at(s, e)->child = (enum lk_child_does)does;
            mk_wait(s, t, LK_WAIT_FUTURE, f);
            if (does == LK_CHILD_RUNS || (!request && does == LK_CHILD_WAITS))
                mk_expect(s, LK_HEALTHY, NULL);
            else
                mk_expect(s, request ? LK_STALLED : LK_HAZARD, request ? "LK406" : "LK405");
        }
}

/* A coroutine on an idle loop: the next item, clients; or nothing that could come to that loop. */
static void coroutines_that_are_alive(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref o = mk_idle_loop(s, mk_thread(s, "bg-loop", ASYNCIO_IDLE, NULL)),
                      k = mk_task(s, o, "serve", "async serve@/srv/app.py:3", NULL),
                      t = mk_thread(s, "main", RESULT, "main@/srv/app.py:30", NULL);
        mk_wait(s, k, i == 0 ? LK_WAIT_QUEUE_GET : LK_WAIT_EVENT, mk_sync(s, "asyncio.Event"));
        LOOP(o)->watched_fds = i == 1;
        LOOP(o)->timers = i == 2;
        mk_wait(s, t, LK_WAIT_FUTURE, mk_future(s, k));
        mk_expect(s, i < 3 ? LK_HEALTHY : LK_HAZARD, i < 3 ? NULL : "LK405");
    }
}

/* ---- what any code may end ------------------------------------------------------------------ */

/* A request that waits in this way for something that nobody was found to end. */
static struct lk_ref waits_for_nobody(struct lk_snapshot *s, enum lk_wait_kind kind)
{
    struct lk_ref t = mk_thread(s, "Thread-1", "wait@" STDLIB "threading.py:629",
                                "print_page@/srv/print.py:30", FLASK_REQUEST, NULL),
                  on = mk_sync(s, "threading.Event");
    LOCK(on)->unended = kind;
    LOCK(on)->lent = true;
    mk_wait(s, t, kind, on);
    return t;
}

static void nobody_was_found(void **state)
{
    (void)state;
    static const struct {
        enum lk_wait_kind kind;
        bool told;
    } rows[] = {
        { LK_WAIT_EVENT, true },     { LK_WAIT_SEMAPHORE, true },  { LK_WAIT_BARRIER, true },
        { LK_WAIT_QUEUE_PUT, true }, { LK_WAIT_QUEUE_JOIN, true }, { LK_WAIT_QUEUE_GET, true },
        { LK_WAIT_CONDITION, true }, { LK_WAIT_LOCK, false },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        struct lk_snapshot *s = mk();
        waits_for_nobody(s, rows[i].kind);
        mk_expect(s, rows[i].told ? LK_HAZARD : LK_HEALTHY, rows[i].told ? "LK405" : NULL);
    }
    struct lk_snapshot *s = mk();
    waits_for_nobody(s, LK_WAIT_EVENT);
    struct lk_findings *f = mk_expect_one(s, LK_HAZARD, "LK405");
    assert_int_equal(f->list.v[0].confidence, LK_PROBABLE);
    assert_int_equal(f->list.v[0].held_requests, 1);
    assert_int_equal(f->list.v[0].locks.n, 1);
    assert_string_equal(f->list.v[0].culprits.v[0].function, "print_page");
    assert_non_null(strstr(f->list.v[0].evidence.v[0], "nobody was found who would set it"));
    mk_free(s, f);
}

static void somebody_may(void **state)
{
    (void)state;
    enum { FOUND, OTHER_WAY, BOUNDED, NO_REQUEST, LIBRARY, NOT_LENT, N };
    for (int i = 0; i < N; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = waits_for_nobody(s, i == NOT_LENT ? LK_WAIT_QUEUE_GET : LK_WAIT_EVENT);
        struct lk_lock *l = LOCK(THREAD(t)->wait.on.v[0]);
        l->unended = i == FOUND ? LK_WAIT_NONE : i == OTHER_WAY ? LK_WAIT_QUEUE_PUT : l->unended;
        l->lent = false;
        if (i == BOUNDED)
            mk_timeout(s, t, 1000);
        if (i == NO_REQUEST)
            THREAD(t)->python_stack = mk_stack(s, "print_page@/srv/print.py:30", NULL);
        if (i == LIBRARY)
            THREAD(t)->python_stack = mk_stack(s, "flush@" SITE "spooler/client.py:30",
                                               "view@/srv/app.py:3", FLASK_REQUEST, NULL);
        mk_expect(s, LK_HEALTHY, NULL);
    }
}

/* The next request would end it, and comes no more; where it may, all is well. */
static void nobody_comes_any_more(void **state)
{
    (void)state;
    enum { CLOSED, LISTENS, NOT_KNOWN, TEST, JOB, N };
    for (int i = 0; i < N; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = waits_for_nobody(s, LK_WAIT_BARRIER),
                      other = mk_thread(s, "clock", "tick@/srv/clock.py:9", NULL);
        mk_wait(s, other, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 60000));
        LOCK(THREAD(t)->wait.on.v[0])->next_may_end = true;
        s->listens = i == LISTENS ? LK_YES : i == NOT_KNOWN ? LK_TRI_UNKNOWN : LK_NO;
        s->unit_test.name = i == TEST ? "test_meal" : NULL;
        if (i == JOB)
            THREAD(t)->python_stack =
                mk_stack(s, "wait@" STDLIB "threading.py:629", "print_page@/srv/print.py:30",
                         "trace_task@" SITE "celery/app/trace.py:451", NULL);
        mk_expect(s, i == CLOSED ? LK_HAZARD : LK_HEALTHY, i == CLOSED ? "LK405" : NULL);
    }
}

/* A request's task waits for something to which nobody else refers. */
static void nobody_else_has_it(void **state)
{
    (void)state;
    enum { FUTURE_OF_IT, RELAYED, NEXT_ITEM, SOUGHT_IN_VAIN, LIBRARY, BOUNDED, NOT_KEPT, N };
    for (int i = 0; i < N; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref k = mk_task(s, serving_loop(s), "run_asgi",
                                  i == LIBRARY ? "async read@" SITE "store/client.py:9"
                                               : "async knitted@/srv/app.py:9",
                                  RUN_ASGI, NULL),
                      bare = mk_bare_future(s), on = bare;
        const bool queue = i == NEXT_ITEM || i == NOT_KEPT;
        FUTURE(bare)->unended = i != SOUGHT_IN_VAIN;
        FUTURE(bare)->kept_by_waiters = true;
        if (i == RELAYED)
            on = mk_future(s, bare);
        if (queue) {
            on = mk_sync(s, "asyncio.Queue");
            LOCK(on)->unended = LK_WAIT_QUEUE_GET;
            LOCK(on)->kept_by_waiters = i == NEXT_ITEM;
        }
        mk_wait(s, k, queue ? LK_WAIT_QUEUE_GET : LK_WAIT_FUTURE, on);
        if (i == BOUNDED)
            lk_task_at(s, k)->wait.timeout_ms = 5000;
        lk_task_at(s, k)->stuck_ms = 10 * s->stalled_after_ms;
        if (i > NEXT_ITEM) {
            mk_expect(s, LK_HEALTHY, NULL);
            continue;
        }
        struct lk_findings *f = mk_expect_one(s, LK_HAZARD, "LK405");
        assert_int_equal(f->list.v[0].confidence, LK_PROBABLE);
        assert_int_equal(f->list.v[0].held_requests, 1);
        assert_string_equal(f->list.v[0].culprits.v[0].function, "knitted");
        assert_non_null(strstr(f->list.v[0].evidence.v[0],
                               i == NEXT_ITEM ? "nobody else can put something into it"
                                              : "nobody else can complete it"));
        mk_free(s, f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_was_found),
        cmocka_unit_test(nobody_else_has_it),
        cmocka_unit_test(somebody_may),
        cmocka_unit_test(nobody_comes_any_more),
        cmocka_unit_test(unbounded_wait),
        cmocka_unit_test(waits_for_futures_that_are_fine),
        cmocka_unit_test(external_wait),
        cmocka_unit_test(external_wait_by_polls),
        cmocka_unit_test(external_wait_of_a_coroutine),
        cmocka_unit_test(coroutine_of_many_questions),
        cmocka_unit_test(waits_outside_that_are_fine),
        cmocka_unit_test(request_that_awaits_the_outside),
        cmocka_unit_test(requests_that_are_fine),
        cmocka_unit_test(many_requests_at_one_place),
        cmocka_unit_test(quiet_connection),
        cmocka_unit_test(request_that_awaits_a_thread),
        cmocka_unit_test(answer_of_a_worker),
        cmocka_unit_test(job_that_waits_for_the_outside),
        cmocka_unit_test(job_that_waits_for_a_job),
        cmocka_unit_test(own_connection_to_a_server),
        cmocka_unit_test(wait_that_polls),
        cmocka_unit_test(one_finding_for_one_cause),
        cmocka_unit_test(one_finding_for_one_place),
        cmocka_unit_test(future_that_is_worked_on),
        cmocka_unit_test(jobs_that_are_alive),
        cmocka_unit_test(future_in_hands),
        cmocka_unit_test(each_job_counts),
        cmocka_unit_test(children_at_work),
        cmocka_unit_test(coroutines_that_are_alive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
