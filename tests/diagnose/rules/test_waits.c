/* LK401, LK402, LK405, LK406, LK501, the verdict unknown, and what is healthy and must be said so.
 */
#include "make.h"

#include <string.h>

#define HANDLER "async device@/srv/app.py:12", ASYNCIO_RUN_FOREVER

/* ---- LK401, LK402 -------------------------------------------------------------------- */

static void blocking_calls(void **state)
{
    (void)state;
    const enum lk_wait_kind kinds[] = { LK_WAIT_SLEEP, LK_WAIT_IO,        LK_WAIT_CHILD,
                                        LK_WAIT_EVENT, LK_WAIT_QUEUE_GET, LK_WAIT_JOIN };
    for (size_t i = 0; i < LK_ARRAY_LEN(kinds); i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "bg-loop", HANDLER, NULL), o = mk_loop(s, t);
        struct lk_ref running = mk_running_task(s, o, "device", t);
        mk_wait(s, t, kinds[i], NONE);
        struct lk_ref other =
            mk_thread(s, "Thread-1", RESULT, "version@/srv/app.py:40", FLASK_REQUEST, NULL);
        mk_wait(s, other, LK_WAIT_FUTURE, mk_future(s, mk_ready_task(s, o, "version")));
        struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK401");
        assert_int_equal(f->list.v[0].held_requests, 1);
        assert_int_equal(f->list.v[0].held_tasks, 1);
        assert_string_equal(f->list.v[0].culprits.v[0].function, "device");
        assert_true(lk_ref_eq(f->list.v[0].tasks.v[0], running));
        lk_findings_destroy(f);
        mk_stuck(s, t, 500);
        mk_stuck(s, other, 500);
        f = mk_expect_one(s, LK_HAZARD, "LK401");
        assert_true(f->list.v[0].needs_time);
        lk_findings_destroy(f);
        /* contended, and moving */
        mk_moved(s, t);
        mk_expect(s, LK_HEALTHY, NULL);
    }
}

/* Nobody waits for the loop: a script that sleeps. */
static void blocking_call_that_nobody_waits_behind(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "main", HANDLER, NULL);
    mk_running_task(s, mk_loop(s, t), "device", t);
    mk_wait(s, t, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 90000));
    mk_expect(s, LK_HAZARD, "LK401");
}

/* A blocking call in a Flask async view: the loop runs as the work item of the bridge's pool, and
 * the bridge waits for it. */
/* The same line in each look, but the loop's other task went on: many short sleeps. */
static void short_sleeps_in_a_loop(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "loop", "async job@/srv/app.py:6", ASYNCIO_RUN_FOREVER,
                                    NULL),
                      o = mk_loop(s, t);
        mk_running_task(s, o, "job", t);
        struct lk_ref other = mk_task(s, o, "beat", "async beat@/srv/app.py:9", NULL);
        mk_wait(s, t, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 50));
        K(other)->stable = i == 0;
        /* one long sleep after all: the task changed before it */
        T(t)->stuck_by_scheduler = i == 1;
        if (i < 2)
            mk_expect(s, LK_STALLED, "LK401");
        else
            mk_expect(s, LK_HEALTHY, NULL);
    }
}

static void blocking_call_in_an_async_view(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "pool", "async render@/srv/app.py:12", ASYNCIO_RUN_FOREVER,
                                "run_until_complete@" STDLIB "asyncio/base_events.py:640",
                                "_run_event_loop@" SITE "asgiref/sync.py:248", POOL_WORKER, NULL);
    struct lk_ref o = mk_loop(s, t);
    mk_running_task(s, o, "render", t);
    mk_wait(s, t, LK_WAIT_SLEEP, NONE);
    T(t)->works_on = mk_future(s, t);
    mk_expect(s, LK_STALLED, "LK401");
}

static void loops_that_do_not_block(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    mk_idle_loop(s, mk_thread(s, "bg-loop", ASYNCIO_IDLE, NULL));
    mk_expect(s, LK_HEALTHY, NULL);
    /* in the selector, though the reader took it for I/O */
    s = mk();
    mk_loop(s, mk_thread(s, "bg-loop", ASYNCIO_IDLE, NULL));
    mk_expect(s, LK_HEALTHY, NULL);
    /* teardown: the standard library joins its own threads */
    s = mk();
    struct lk_ref t = mk_thread(s, "main", "join@" STDLIB "threading.py:1112",
                                "shutdown@" STDLIB "concurrent/futures/thread.py:235",
                                ASYNCIO_RUN_FOREVER, "main@/srv/app.py:4", NULL);
    mk_loop(s, t);
    mk_wait(s, t, LK_WAIT_JOIN, NONE);
    mk_expect(s, LK_HEALTHY, NULL);
    /* too short to be spoken of */
    s = mk();
    t = mk_thread(s, "bg-loop", HANDLER, NULL);
    mk_loop(s, t);
    mk_wait(s, t, LK_WAIT_IO, NONE);
    mk_stuck(s, t, 30);
    mk_expect(s, LK_HEALTHY, NULL);
}

static void busy_callback(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "bg-loop", "crunch@/srv/app.py:7", HANDLER, NULL),
                  o = mk_loop(s, t);
    T(t)->running = O(o)->callback_same = true;
    O(o)->turn = 4711;
    O(o)->callback_ms = 2500;
    T(t)->stable = false;
    T(t)->moved = true;
    T(t)->read = LK_READ_STOPPED;
    T(t)->wait.kind = LK_WAIT_NONE;
    T(t)->stuck_ms = LK_UNKNOWN;
    T(t)->cpu_delta_us = 2400000;
    mk_ready_task(s, o, "other");
    s->watched_ms = 2500;
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK402");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "crunch");
    lk_findings_destroy(f);
    s->watched_ms = O(o)->callback_ms = 200;
    T(t)->cpu_delta_us = 190000;
    f = mk_expect_one(s, LK_HAZARD, "LK402");
    assert_true(f->list.v[0].needs_time);
    lk_findings_destroy(f);
    /* a loop hammered by call_soon_threadsafe is busy too, with many callbacks */
    O(o)->callback_same = false;
    mk_expect(s, LK_HEALTHY, NULL);
    s = mk();
    t = mk_thread(s, "bg-loop", "crunch@/srv/app.py:7", HANDLER, NULL);
    mk_loop(s, t);
    T(t)->running = true;
    T(t)->wait.kind = LK_WAIT_NONE;
    T(t)->cpu_delta_us = 20000; /* it runs, but mostly others do */
    mk_expect(s, LK_HEALTHY, NULL);
}

/* ---- LK405, LK406 -------------------------------------------------------------------- */

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
    mk_expect(s, LK_HAZARD, "LK405");
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

/* A request that asks an upstream which does not answer. */
static struct lk_ref asking(struct lk_snapshot *s, const char *peer)
{
    struct lk_ref t =
        mk_thread(s, "Thread-1", "ask@/srv/app.py:14", "quote@/srv/app.py:20", FLASK_REQUEST, NULL);
    mk_wait(s, t, LK_WAIT_IO, lk_snapshot_extern(s, LK_EXT_OUTSIDE, peer, LK_UNKNOWN));
    T(t)->os.on = LK_OS_SOCKET;
    T(t)->os.peer = peer;
    T(t)->os.peer_is = LK_PEER_OUTSIDE;
    T(t)->os.local = "127.0.0.1:40000";
    T(t)->os.syscall = "recvfrom";
    return t;
}

static void external_wait(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = asking(s, "10.0.0.7:5432");
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_non_null(strstr(f->list.v[0].summary, "10.0.0.7:5432"));
    assert_string_equal(f->list.v[0].culprits.v[0].function, "ask");
    lk_findings_destroy(f);
    mk_stuck(s, t, 300);
    f = mk_expect_one(s, LK_HEALTHY, NULL);
    assert_true(mk_watches(f, t));
    mk_free(s, f);
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
    assert_string_equal(f->list.v[0].culprits.v[0].function, "quote");
    assert_string_equal(f->list.v[0].culprits.v[1].function, "ask_upstream");
    lk_findings_destroy(f);
    K(task)->wait.traits = LK_WAIT_LISTENS;
    f = mk_expect_one(s, LK_HEALTHY, NULL);
    lk_findings_destroy(f);
    K(task)->wait.traits = 0;
    mk_timeout(s, task, 5000); /* bounded inside */
    f = mk_diagnose(s);
    assert_null(mk_find(f, "LK406"));
    mk_free(s, f);
    /* a child process that a worker waits for */
    s = mk();
    struct lk_ref w = mk_thread(s, "pool", "convert@/srv/app.py:9", POOL_WORKER, NULL);
    mk_wait(s, w, LK_WAIT_CHILD, NONE);
    T(w)->os.child_pid = 777;
    t = mk_thread(s, "Thread-1", RESULT, "quote@/srv/app.py:20", FLASK_REQUEST, NULL);
    mk_wait(s, t, LK_WAIT_FUTURE, mk_future(s, w));
    f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_non_null(strstr(f->list.v[0].summary, "child process 777"));
    mk_free(s, f);
}

static void waits_outside_that_are_fine(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = asking(s, "10.0.0.7:5432");
        switch (i) {
        case 0: T(t)->os.accepted = true; break; /* the client's own connection */
        case 1: mk_timeout(s, t, 20000); break;
        case 2: T(t)->os.timeout_ms = 20000; break;
        case 3: T(t)->os.listening = true; break;
        case 4:
            T(t)->os.fd = 0;
            T(t)->os.on = LK_OS_PIPE;
            break; /* input */
        case 5:
            T(t)->python_stack = mk_stack(s, "ask@/srv/app.py:14", NULL);
            break; /* no request, nobody waits */
        }
        mk_expect(s, LK_HEALTHY, NULL);
    }
}

/* Ten requests behind one connection are one finding. */
static void one_finding_for_one_cause(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref first = asking(s, "10.0.0.7:5432"), lock = mk_lock(s, "threading.Lock", first);
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
        asking(s, i < 4 ? "10.0.0.7:5432" : "10.0.0.8:5432");
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
    mk_wait(s, job, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 100));
    struct lk_ref t = mk_thread(s, "main", RESULT, "wait_for_job@/srv/app.py:16", NULL);
    mk_wait(s, t, LK_WAIT_FUTURE, mk_future(s, job));
    lk_findings_destroy(mk_expect_one(s, LK_HAZARD, "LK405"));
    K(job)->stable = false;
    mk_expect(s, LK_HEALTHY, NULL);
}

/* The same by the accept queue of a server without a pool. */
static void connections_nobody_accepts(void **state)
{
    (void)state;
    for (int i = 0; i < 11; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "server", "slow@/srv/app.py:7",
                                    "run@" STDLIB "wsgiref/handlers.py:137",
                                    "serve_forever@" STDLIB "socketserver.py:233", NULL),
                      other;
        mk_wait(s, t, LK_WAIT_EVENT, NONE);
        struct lk_listener *l = lk_vec_push(&s->listeners);
        *l = (struct lk_listener){
            .listening = true, .queue = 2, .alone = LK_YES, .address = "127.0.0.1:8000"
        };
        l->fds.v = lk_arena_array(s->arena, 1, sizeof *l->fds.v);
        l->fds.v[0] = 3;
        l->fds.n = 1;
        struct lk_sharer *x = l->sharers.v = lk_arena_array(s->arena, 1, sizeof *x);
        *x = (struct lk_sharer){ .pid = 77, .comm = "master" };
        switch (i) {
        case 1: l->queue = 0; break;
        case 2: l->queue = LK_UNKNOWN; break;
        case 3: l->alone = LK_TRI_UNKNOWN; break;
        case 4: mk_moved(s, t); break;
        case 5: mk_timeout(s, t, 50); break; /* many short waits */
        case 6: l->sharers.n = 1; break;     /* which may serve */
        case 7:
            l->sharers.n = 1;
            x->does = LK_SHARE_IDLE;
            l->alone = LK_NO;
            break;
        case 8: T(t)->os.fd = 3; break; /* accepts */
        case 9: mk_thread(s, "worker", "handler_thread@" SITE "waitress/task.py:84", NULL); break;
        case 10:
            other = mk_thread(s, "acceptor", "loop@/srv/app.py:90", NULL);
            T(other)->running = true;
            T(other)->stable = false;
            break;
        }
        struct lk_findings *f = mk_diagnose(s);
        if (i == 0 || i == 7) {
            assert_int_equal(f->verdict, LK_STALLED);
            assert_int_equal(mk_find(f, "LK403")->held_requests, 3);
            assert_non_null(strstr(mk_find(f, "LK403")->summary,
                                   "2 connections wait to be accepted at 127.0.0.1:8000"));
        } else {
            assert_null(mk_find(f, "LK403"));
        }
        mk_free(s, f);
    }
}

/* ---- LK404 --------------------------------------------------------------------------- */

enum { LISTENER_FD = 3, LISTENER_INODE = 9000 };

/* The thread's connection stands before a listener of this process that its own stack has at hand,
 * and who else holds that. */
static struct lk_listener *alone(struct lk_snapshot *s, struct lk_ref t, enum lk_tri alone)
{
    struct lk_listener *l = s->listeners.n ? &s->listeners.v[0] : lk_vec_push(&s->listeners);
    struct lk_syscall_wait *os = &T(t)->os;
    l->inode = LISTENER_INODE;
    l->listening = true;
    l->queue = 1;
    l->alone = alone;
    l->fds.v = lk_arena_array(s->arena, 1, sizeof *l->fds.v);
    l->fds.n = 1;
    l->fds.v[0] = LISTENER_FD;
    os->far_fd = LK_UNKNOWN;
    os->ends_at.v = lk_arena_array(s->arena, 1, sizeof *os->ends_at.v);
    os->ends_at.v[0] = LISTENER_INODE;
    os->ends_at.n = 1;
    for (size_t i = 0; i < s->threads.n; i++)
        s->threads.v[i].sockets_complete = true;
    int64_t *at_hand = lk_arena_array(s->arena, 1, sizeof *at_hand);
    at_hand[0] = LISTENER_FD;
    T(t)->sockets = at_hand;
    T(t)->n_sockets = 1;
    return l;
}

static void shared_with(struct lk_snapshot *s, enum lk_share does, bool examined)
{
    struct lk_listener *l = &s->listeners.v[0];
    l->sharers.v = lk_arena_array(s->arena, 1, sizeof *l->sharers.v);
    l->sharers.v[0] =
        (struct lk_sharer){ .pid = 77, .comm = "master", .does = does, .examined = examined };
    l->sharers.n = 1;
    l->alone = LK_NO;
}

/* A request that asks this very process; frames: the server below the application's. */
static struct lk_ref asking_itself(struct lk_snapshot *s, const char *worker)
{
    struct lk_ref t = mk_thread(s, "server", "app@/srv/app.py:7",
                                "run@" STDLIB "wsgiref/handlers.py:137", worker, NULL);
    mk_wait(s, t, LK_WAIT_IO,
            lk_snapshot_extern(s, LK_EXT_SELF_LISTENER, "127.0.0.1:8000", LK_UNKNOWN));
    T(t)->os.on = LK_OS_SOCKET;
    T(t)->os.accepted = false;
    T(t)->os.peer = "127.0.0.1:8000";
    T(t)->os.peer_is = LK_PEER_SELF;
    alone(s, t, LK_YES);
    return t;
}

#define ONE_THREAD "serve_forever@" STDLIB "socketserver.py:233"
#define A_POOL     "handler_thread@" SITE "waitress/task.py:84"

static void self_request(void **state)
{
    (void)state;
    static const enum lk_verdict verdicts[] = {
        LK_DEADLOCK, LK_STALLED,  LK_STALLED,  LK_STALLED,  LK_STALLED, LK_STALLED,
        LK_STALLED,  LK_STALLED,  LK_DEADLOCK, LK_DEADLOCK, LK_STALLED, LK_STALLED,
        LK_STALLED,  LK_DEADLOCK, LK_STALLED,  LK_DEADLOCK,
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(verdicts); i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = asking_itself(s, ONE_THREAD), other;
        switch (i) {
        case 1: shared_with(s, LK_SHARE_UNKNOWN, true); break;
        case 2: T(t)->os.timeout_ms = 60000; break;
        case 3: mk_timeout(s, t, 60000); break;
        case 4: s->supervisor_timeout_ms = 30000; break;
        case 5: /* another thread has the listener at hand */
            other = mk_thread(s, "jobs", "jobs@/srv/app.py:60", NULL);
            mk_wait(s, other, LK_WAIT_CONDITION, NONE);
            T(other)->sockets = T(t)->sockets;
            T(other)->n_sockets = 1;
            T(other)->sockets_complete = true;
            break;
        case 6: alone(s, t, LK_TRI_UNKNOWN); break;
        case 7: shared_with(s, LK_SHARE_IDLE, false); break;
        case 8: shared_with(s, LK_SHARE_IDLE, true); break;
        case 9: shared_with(s, LK_SHARE_WAITS, true); break;
        case 10: T(t)->n_sockets = 0; break; /* nobody is seen to accept there */
        case 11: T(t)->os.ends_at.n = 0; break;
        case 12: /* a thread that may have it at hand, for all that was read */
            mk_wait(s, mk_thread(s, "jobs", "jobs@/srv/app.py:60", NULL), LK_WAIT_CONDITION, NONE);
            break;
        case 13:
            other = mk_thread(s, "jobs", "jobs@/srv/app.py:60", NULL);
            mk_wait(s, other, LK_WAIT_CONDITION, NONE);
            T(other)->sockets_complete = true;
            break;
        case 14: /* might be killed by a supervisor whose timeout was not read */
            T(t)->python_stack =
                mk_stack(s, "app@/srv/app.py:7",
                         "handle_request@" SITE "gunicorn/workers/sync.py:179", NULL);
            break;
        case 15: /* an idle loop that watches something else */
            other = mk_thread(s, "loop", ASYNCIO_IDLE, NULL);
            mk_idle_loop(s, other);
            T(other)->os.on = LK_OS_SELECTOR;
            T(other)->os.fds.v = lk_arena_array(s->arena, 1, sizeof(int64_t));
            T(other)->os.fds.v[0] = 44;
            T(other)->os.fds.n = 1;
            T(other)->sockets_complete = true;
            break;
        }
        struct lk_findings *f = mk_expect_one(s, verdicts[i], "LK404");
        assert_string_equal(f->list.v[0].culprits.v[0].function, "app");
        assert_int_equal(f->list.v[0].held_requests, 1);
        mk_free(s, f);
    }
    /* the loop's own thread, in a callback that is no request */
    for (int i = 0; i < 2; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t =
            mk_thread(s, "loop", "async tick@/srv/app.py:7", ASYNCIO_RUN_FOREVER, NULL);
        mk_running_task(s, mk_loop(s, t), "tick", t);
        mk_wait(s, t, LK_WAIT_IO,
                lk_snapshot_extern(s, LK_EXT_SELF_LISTENER, "127.0.0.1:8000", LK_UNKNOWN));
        T(t)->os.on = LK_OS_SOCKET;
        T(t)->os.peer_is = LK_PEER_SELF;
        T(t)->os.peer = "127.0.0.1:8000";
        alone(s, t, LK_YES);
        T(t)->n_sockets = i == 0;
        mk_free(s, i == 0 ? mk_expect_one(s, LK_DEADLOCK, "LK404")
                          : mk_expect_one(s, LK_HAZARD, "LK401"));
    }
    /* both workers of a pool; a thread of its own accepts */
    struct lk_snapshot *s = mk();
    struct lk_ref acceptor = mk_thread(s, "main", "serve@/srv/app.py:90", NULL);
    T(acceptor)->os.on = LK_OS_SELECTOR;
    asking_itself(s, A_POOL);
    asking_itself(s, A_POOL);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK404");
    assert_int_equal(f->list.v[0].held_requests, 2);
    mk_free(s, f);
    /* the same, the connections accepted, and queued for that pool; or for a pool that may grow, or
     * not found in a queue */
    for (int i = 0; i < 3; i++) {
        s = mk();
        struct lk_ref w[2] = { asking_itself(s, A_POOL), asking_itself(s, A_POOL) },
                      x = mk_pool(s, i == 1 ? 3 : 2);
        acceptor = mk_thread(s, "main", "serve@/srv/app.py:90", NULL);
        T(acceptor)->os.on = LK_OS_SELECTOR;
        struct lk_item *items = lk_arena_array(s->arena, 2, sizeof *items);
        for (int k = 0; k < 2; k++) {
            mk_worker(s, x, w[k]);
            T(w[k])->os.far_fd = 20 + k;
            items[k] = (struct lk_item){ .function = "handle", .fd = i == 2 ? LK_UNKNOWN : 20 + k };
        }
        X(x)->items = items;
        X(x)->n_items = 2;
        f = mk_diagnose(s);
        if (i == 1) /* a worker may yet be started */
            assert_null(mk_find(f, "LK404"));
        else
            assert_int_equal(mk_find(f, "LK404")->severity, i == 0 ? LK_DEADLOCK : LK_STALLED);
        mk_free(s, f);
    }
}

static void self_requests_that_are_served(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = asking_itself(s, i == 0 ? "process_request_thread@" STDLIB
                                                    "socketserver.py:683"
                                           : i < 3 ? A_POOL
                                                   : ONE_THREAD),
                      other;
        s->listeners.v[0].queue = i < 3 ? 0 : 1; /* a thread of its own accepts */
        switch (i) {
        case 1: mk_thread(s, "waitress-1", A_POOL, NULL); break; /* an idle worker */
        case 2: /* a worker that serves another request */
            other = mk_thread(s, "waitress-1", "slow@/srv/app.py:9",
                              "run@" STDLIB "wsgiref/handlers.py:137", A_POOL, NULL);
            mk_wait(s, other, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 60000));
            break;
        case 3: /* a second server */
            other = mk_thread(s, "metrics", "serve_forever@" STDLIB "socketserver.py:232", NULL);
            T(other)->os.on = LK_OS_SELECTOR;
            break;
        case 4: mk_moved(s, mk_thread(s, "metrics", "work@/srv/app.py:99", NULL)); break;
        case 5:
            mk_stuck(s, t, 20);
            shared_with(s, LK_SHARE_UNKNOWN, false);
            break;                                             /* a moment */
        case 6: shared_with(s, LK_SHARE_SERVES, false); break; /* another process accepts there */
        case 7: /* a thread polls the asked listener */
            other = mk_thread(s, "prices", "serve_forever@" STDLIB "socketserver.py:232", NULL);
            T(other)->os.on = LK_OS_SELECTOR;
            T(other)->os.fds.v = lk_arena_array(s->arena, 1, sizeof(int64_t));
            T(other)->os.fds.v[0] = LISTENER_FD;
            T(other)->os.fds.n = 1;
            break;
        }
        struct lk_findings *f = mk_diagnose(s);
        assert_null(mk_find(f, "LK404"));
        assert_true(f->verdict <= LK_VERDICT_UNKNOWN);
        if (i == 5)
            assert_true(mk_watches(f, t));
        mk_free(s, f);
    }
}

/* ---- LK403 --------------------------------------------------------------------------- */

static void workers_exhausted(void **state)
{
    (void)state;
    for (int i = 0; i < 7; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref pool = mk_pool(s, 2), t[2];
        for (int k = 0; k < 2; k++) {
            t[k] = i == 4 ? mk_thread(s, "jobs_0", "work@/srv/app.py:9", POOL_WORKER, NULL)
                          : mk_thread(s, "ThreadPoolExecutor-0_0", "view@/srv/app.py:9",
                                      "handle_request@" SITE "gunicorn/workers/gthread.py:270",
                                      POOL_WORKER, NULL);
            mk_wait(s, t[k], LK_WAIT_EVENT, NONE);
            mk_worker(s, pool, t[k]);
        }
        X(pool)->queued = i == 2 ? 0 : 3;
        switch (i) {
        case 1: mk_moved(s, t[1]); break;
        case 3: X(pool)->max_workers = 8; break;
        case 5: mk_stuck(s, t[1], 200); break;
        case 6:
            mk_wait(s, t[1], LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 100));
            break;
        }
        struct lk_findings *f =
            i == 0 ? mk_expect_one(s, LK_STALLED, "LK403") : mk_expect_one(s, LK_HEALTHY, NULL);
        if (i == 0) {
            assert_int_equal(f->list.v[0].held_requests, 5);
            assert_int_equal(f->list.v[0].culprits.n, 2);
        }
        if (i == 5)
            assert_true(mk_watches(f, t[1]));
        mk_free(s, f);
    }
}

/* ---- LK501 --------------------------------------------------------------------------- */

static void stopped_process(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        static const enum lk_verdict verdicts[] = { LK_STALLED, LK_STALLED, LK_STALLED, LK_HAZARD,
                                                    LK_HAZARD,  LK_STALLED, LK_STALLED, LK_HAZARD };
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "main", "serve@/srv/app.py:3", NULL);
        switch (i) {
        case 0: s->stop.job_stopped = true; break;
        case 1: s->stop.frozen = true; break;
        case 2:
            s->stop.tracer_pid = 99;
            s->stop.tracer_comm = "gdb";
            T(t)->kstate = 't';
            break;
        case 3:
            s->stop.tracer_pid = 99;
            s->stop.tracer_comm = "strace";
            break;
        case 4: s->stop.main_gone = true; break;
        case 5:
            s->stop.d_state = 1;
            T(t)->kstate = 'D';
            break;
        case 6:
            s->stop.throttled_share = 0.97;
            s->stop.throttled_ms = 3000;
            break;
        case 7:
            s->stop.throttled_share = 0.6;
            s->stop.throttled_ms = 100;
            break;
        }
        mk_expect(s, verdicts[i], "LK501");
    }
}

/* What does not move in a stopped process is not for that reason stuck. */
static void stopped_process_stalls_nobody(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    s->stop.job_stopped = true;
    asking(s, "10.0.0.7:5432");
    struct lk_ref t = mk_thread(s, "bg-loop", HANDLER, NULL), o = mk_loop(s, t);
    mk_wait(s, t, LK_WAIT_SLEEP, NONE);
    mk_ready_task(s, o, "other");
    mk_expect(s, LK_STALLED, "LK501");
}

/* ---- unknown ------------------------------------------------------------------------- */

static void unknown(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "Thread-1", "view@/srv/app.py:3", FLASK_REQUEST, NULL);
        const char *says = "";
        switch (i) {
        case 0:
            s->supervisor = "gunicorn master";
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
            s->runtime = "jvm";
            s->python.present = false;
            says = "jvm";
            break;
        case 4:
            mk_wait(s, t, LK_WAIT_UNKNOWN, NONE);
            says = "could not be found out";
            break;
        case 5:
            T(t)->os.accepted = false;
            T(t)->os.peer = "127.0.0.1:8000";
            T(t)->os.peer_is = LK_PEER_SELF;
            says = "this very process";
            break;
        case 7:
            mk_wait(s, t, LK_WAIT_LOCK, mk_lock(s, "threading.Lock", NONE));
            says = "who holds that";
            break;
        case 6: {
            struct lk_ref o = mk_loop(s, NONE), task = mk_ready_task(s, o, "work");
            O(o)->run = LK_LOOP_UNKNOWN;
            T(t)->python_stack = mk_stack(s, RESULT, "call@" SITE "anyio/from_thread.py:277", NULL);
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
    s->supervisor = "gunicorn master";
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

/* ---- healthy ------------------------------------------------------------------------- */

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
    F(bare)->concurrent = false;
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
    T(acceptor)->os.listening = true;
    mk_thread(s, "Thread-7", "handle_one_request@" SITE "werkzeug/serving.py:360",
              "process_request_thread@" STDLIB "socketserver.py:683", NULL);
    /* a long poll */
    struct lk_ref poll = mk_thread(s, "poller", RESULT, "poll@/srv/app.py:9", FLASK_REQUEST, NULL);
    mk_wait(s, poll, LK_WAIT_FUTURE, mk_future(s, parked));
    mk_timeout(s, poll, 50000);
    mk_expect(s, LK_HEALTHY, NULL);
    mk_expect(mk(), LK_HEALTHY, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocking_calls),
        cmocka_unit_test(blocking_call_that_nobody_waits_behind),
        cmocka_unit_test(short_sleeps_in_a_loop),
        cmocka_unit_test(blocking_call_in_an_async_view),
        cmocka_unit_test(loops_that_do_not_block),
        cmocka_unit_test(busy_callback),
        cmocka_unit_test(unbounded_wait),
        cmocka_unit_test(waits_for_futures_that_are_fine),
        cmocka_unit_test(external_wait),
        cmocka_unit_test(external_wait_of_a_coroutine),
        cmocka_unit_test(waits_outside_that_are_fine),
        cmocka_unit_test(one_finding_for_one_cause),
        cmocka_unit_test(one_finding_for_one_place),
        cmocka_unit_test(future_that_is_worked_on),
        cmocka_unit_test(workers_exhausted),
        cmocka_unit_test(connections_nobody_accepts),
        cmocka_unit_test(self_request),
        cmocka_unit_test(self_requests_that_are_served),
        cmocka_unit_test(stopped_process),
        cmocka_unit_test(stopped_process_stalls_nobody),
        cmocka_unit_test(unknown),
        cmocka_unit_test(known_all_the_same),
        cmocka_unit_test(healthy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
