/* LK101 to LK108: what a cycle contains names the rule; near misses of each are not accused. */
#include "make.h"
#include "snapshot/builder.h"

#include <stdlib.h>
#include <string.h>

/* A thread that runs a loop and blocks in a coroutine's call of result(). */
static struct lk_ref blocked_loop_thread(struct lk_snapshot *s, const char *name)
{
    return mk_thread(s, name, RESULT, "async outer@/srv/app.py:10", ASYNCIO_RUN_FOREVER, NULL);
}

/* The textbook LK101: run_coroutine_threadsafe(...).result() on the loop's own thread; two requests
 * wait behind it. */
struct self_wait {
    struct lk_ref thread, loop, outer, inner, future, request;
};
static struct self_wait self_wait(struct lk_snapshot *s)
{
    struct self_wait x;
    x.thread = blocked_loop_thread(s, "bg-loop");
    x.loop = mk_loop(s, x.thread);
    x.outer = mk_running_task(s, x.loop, "outer", x.thread);
    x.inner = mk_ready_task(s, x.loop, "inner");
    x.future = mk_future(s, x.inner);
    mk_wait(s, x.thread, LK_WAIT_FUTURE, x.future);
    THREAD(x.thread)->wait.call = "Future.result()";
    for (int i = 0; i < 2; i++) {
        x.request = mk_thread(s, "Thread-5", RESULT, "report@/srv/app.py:30", FLASK_REQUEST, NULL);
        mk_wait(s, x.request, LK_WAIT_FUTURE, mk_future(s, x.outer));
    }
    return x;
}

static void loop_waits_on_itself(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct self_wait x = self_wait(s);
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK101");
    const struct lk_finding *p = &f->list.v[0];
    assert_int_equal(p->confidence, LK_PROVEN);
    assert_int_equal(p->held_requests, 2);
    assert_int_equal(p->held_tasks, 1);
    assert_int_equal(p->stuck_ms, 10000);
    assert_false(p->needs_time);
    assert_int_equal(p->chain.n, 4);
    assert_true(lk_ref_eq(p->chain.v[0].from, x.thread));
    assert_true(lk_ref_eq(p->chain.v[1].from, x.future));
    assert_true(lk_ref_eq(p->chain.v[2].from, x.inner));
    assert_true(lk_ref_eq(p->chain.v[3].from, x.loop));
    assert_string_equal(p->chain.v[0].why, "blocks in Future.result()");
    assert_string_equal(p->chain.v[3].why, "run by");
    assert_int_equal(p->culprits.n, 2);
    assert_string_equal(p->culprits.v[0].function, "outer");
    assert_string_equal(p->culprits.v[0].file, "/srv/app.py");
    assert_int_equal(p->culprits.v[0].line, 10);
    assert_int_equal(p->culprits.v[0].tid, THREAD(x.thread)->tid);
    assert_null(p->culprits.v[0].task);
    assert_int_equal(p->culprits.v[1].tid, LK_UNKNOWN);
    assert_string_equal(p->culprits.v[1].task, TASK(x.inner)->id);
    assert_non_null(strstr(p->summary, "Thread bg-loop [4700]"));
    assert_non_null(strstr(p->summary, "outer (app.py:10)"));
    mk_free(s, f);
}

/* The task is not made yet: the callback that would make it stands in the blocked loop's queue. */
static void loop_waits_for_its_own_queue(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = blocked_loop_thread(s, "bg-loop"), o = mk_loop(s, t);
    mk_wait(s, t, LK_WAIT_FUTURE, mk_future(s, o));
    mk_expect(s, LK_DEADLOCK, "LK101");
}

/* loop thread -> executor's future -> worker -> future of the loop */
static void loop_waits_through_a_worker(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = blocked_loop_thread(s, "bg-loop"), o = mk_loop(s, t);
    struct lk_ref worker = mk_thread(s, "pool_0", RESULT, "job@/srv/app.py:20", POOL_WORKER, NULL);
    mk_wait(s, worker, LK_WAIT_FUTURE, mk_future(s, mk_ready_task(s, o, "inner")));
    mk_wait(s, t, LK_WAIT_FUTURE, mk_future(s, worker));
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK101");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "outer");
    assert_string_equal(f->list.v[0].culprits.v[1].function, "job");
    mk_free(s, f);
}

/* A view holds a lock and waits for a coroutine that blocks on that lock on the loop's thread. */
static void loop_waits_for_a_lock_of_a_waiting_view(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref view =
        mk_thread(s, "Thread-1", RESULT, "refresh_view@/srv/app.py:40", FLASK_REQUEST, NULL);
    struct lk_ref t = mk_thread(s, "bg-loop", "async refresh@/srv/app.py:12", ASYNCIO_RUN_FOREVER,
                                NULL),
                  o = mk_loop(s, t);
    struct lk_ref task = mk_running_task(s, o, "refresh", t);
    mk_wait(s, t, LK_WAIT_LOCK, mk_lock(s, "threading.RLock", view));
    mk_wait(s, view, LK_WAIT_FUTURE, mk_future(s, task));
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK101");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "refresh");
    assert_int_equal(f->list.v[0].locks.n, 1);
    assert_int_equal(f->list.v[0].held_requests, 1);
    mk_free(s, f);
}

/* The same with the lock's holder only inferred: not proven, so at most stalled. */
static void inferred_owner_is_only_probable(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref view =
        mk_thread(s, "Thread-1", RESULT, "refresh_view@/srv/app.py:40", FLASK_REQUEST, NULL);
    struct lk_ref t = mk_thread(s, "bg-loop", "async refresh@/srv/app.py:12", ASYNCIO_RUN_FOREVER,
                                NULL),
                  o = mk_loop(s, t);
    struct lk_ref lock = mk_lock(s, "threading.Lock", view);
    LOCK(lock)->owner_by = LK_OWNER_VALUE_STACK;
    LOCK(lock)->owner_certain = false;
    mk_wait(s, t, LK_WAIT_LOCK, lock);
    mk_wait(s, view, LK_WAIT_FUTURE, mk_future(s, mk_running_task(s, o, "refresh", t)));
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK101");
    assert_int_equal(f->list.v[0].confidence, LK_PROBABLE);
    lk_findings_destroy(f);
    mk_stuck(s, t, 300);
    f = mk_expect_one(s, LK_HAZARD, "LK101");
    assert_true(f->list.v[0].needs_time);
    assert_true(mk_watches(f, t));
    lk_findings_destroy(f);
    /* A certain inference is as good as a field. */
    LOCK(lock)->owner_certain = true;
    mk_expect(s, LK_DEADLOCK, "LK101");
}

/* The tasks are done, but the callbacks that copy their results stand in the queues of the two
 * blocked loops. */
static void two_loops_that_keep_results(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t[2], o[2], k[2];
    for (int i = 0; i < 2; i++) {
        t[i] = mk_thread(s, "loop", RESULT, "async ask@/srv/app.py:10", ASYNCIO_RUN_FOREVER, NULL);
        o[i] = mk_loop(s, t[i]);
        k[i] = mk_task(s, o[i], "answer", NULL);
        TASK(k[i])->state = LK_TASK_DONE;
    }
    struct lk_ref a = mk_future(s, k[1]), b = mk_future(s, k[0]);
    mk_ender(s, a, o[1]); /* the queued callback was seen to lead to it */
    mk_wait(s, t[0], LK_WAIT_FUTURE, a);
    mk_wait(s, t[1], LK_WAIT_FUTURE, b);
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK102");
    assert_int_equal(f->list.v[0].chain.n, 6);
    lk_findings_destroy(f);
    /* a loop that comes round delivers */
    LOOP(o[1])->in_own_selector = LK_YES;
    mk_wait(s, t[1], LK_WAIT_SELECTOR, o[1]);
    f = mk_diagnose(s);
    assert_null(mk_find(f, "LK102"));
    assert_true(f->verdict < LK_DEADLOCK);
    mk_free(s, f);
}

/* The party that holds a lock and waits for another thing comes first, whatever its thread's
 * number. */
static void holder_comes_first(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref w = mk_thread(s, "jobs_0", "audit@/srv/app.py:7", POOL_WORKER, NULL);
    struct lk_ref view =
        mk_thread(s, "Thread-1", RESULT, "view@/srv/app.py:14", FLASK_REQUEST, NULL);
    mk_wait(s, w, LK_WAIT_LOCK, mk_lock(s, "threading.RLock", view));
    mk_wait(s, view, LK_WAIT_FUTURE, mk_future(s, w));
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK108");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "view");
    assert_string_equal(f->list.v[0].culprits.v[1].function, "audit");
    assert_true(lk_ref_eq(f->list.v[0].chain.v[0].from, view));
    mk_free(s, f);
}

/* An ASGI server's requests are tasks. */
static void requests_that_are_tasks(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct self_wait x = self_wait(s);
    for (int i = 0; i < 3; i++)
        mk_task(s, x.loop, "run_asgi", "async view@/srv/app.py:70",
                "async run_asgi@" SITE "uvicorn/protocols/http/h11_impl.py:400", NULL);
    /* one of them only waits for a thread that serves the same request */
    struct lk_ref bridge =
        mk_task(s, x.loop, "run_asgi",
                "async run_asgi@" SITE "uvicorn/protocols/http/h11_impl.py:400", NULL);
    mk_wait(s, bridge, LK_WAIT_FUTURE, mk_future(s, x.request));
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK101");
    assert_int_equal(f->list.v[0].held_requests, 5);
    mk_free(s, f);
}

static void two_loops(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref a = mk_thread(s, "orders-loop", RESULT, "async order@/srv/app.py:10",
                                ASYNCIO_RUN_FOREVER, NULL),
                  oa = mk_loop(s, a);
    struct lk_ref b = mk_thread(s, "stock-loop", RESULT, "async reserve@/srv/app.py:20",
                                ASYNCIO_RUN_FOREVER, NULL),
                  ob = mk_loop(s, b);
    mk_wait(s, a, LK_WAIT_FUTURE, mk_future(s, mk_running_task(s, ob, "reserve", b)));
    mk_wait(s, b, LK_WAIT_FUTURE, mk_future(s, mk_ready_task(s, oa, "price")));
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK102");
    assert_int_equal(f->list.v[0].loops.n, 2);
    assert_int_equal(f->list.v[0].threads.n, 2);
    assert_string_equal(f->list.v[0].culprits.v[0].function, "order");
    mk_free(s, f);
}

/* The second clothing: each request thread runs a loop of its own, and they wait for each other's.
 */
static void two_request_loops(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t[2], o[2];
    for (int i = 0; i < 2; i++) {
        t[i] = mk_thread(s, "Thread-9", RESULT, "async fetch@/srv/app.py:10", ASYNCIO_RUN_FOREVER,
                         "run_until_complete@" STDLIB "asyncio/base_events.py:640",
                         "view@/srv/app.py:50", FLASK_REQUEST, NULL);
        o[i] = mk_loop(s, t[i]);
    }
    for (int i = 0; i < 2; i++)
        mk_wait(s, t[i], LK_WAIT_FUTURE, mk_future(s, mk_ready_task(s, o[1 - i], "part")));
    struct lk_findings *f = mk_diagnose(s);
    assert_int_equal(f->verdict, LK_DEADLOCK);
    assert_string_equal(f->list.v[0].rule->id, "LK102");
    assert_int_equal(f->list.v[0].held_requests, 2);
    /* The loops in requests are another culprit: the line that runs them. */
    assert_non_null(mk_find(f, "LK301"));
    assert_string_equal(mk_find(f, "LK301")->culprits.v[0].function, "view");
    assert_int_equal(f->list.n, 2);
    mk_free(s, f);
}

static void lock_cycle(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref a = mk_thread(s, "a", "transfer@/srv/bank.py:5", NULL),
                  b = mk_thread(s, "b", "audit@/srv/bank.py:9", NULL);
    struct lk_ref la = mk_lock(s, "threading.Lock", a), lb = mk_lock(s, "threading.Lock", b);
    mk_wait(s, a, LK_WAIT_LOCK, lb);
    mk_wait(s, b, LK_WAIT_LOCK, la);
    /* And one that only waits behind them. */
    mk_wait(s, mk_thread(s, "c", "view@/srv/app.py:3", FLASK_REQUEST, NULL), LK_WAIT_LOCK, la);
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK103");
    assert_int_equal(f->list.v[0].held_requests, 1);
    assert_int_equal(f->list.v[0].threads.n, 2);
    mk_free(s, f);
}

static void lock_taken_twice(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref a = mk_thread(s, "a", "transfer@/srv/bank.py:5", NULL);
    struct lk_ref lock = mk_lock(s, "threading.Lock", a);
    LOCK(lock)->plain = true;
    mk_wait(s, a, LK_WAIT_LOCK, lock);
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK103");
    assert_non_null(strstr(f->list.v[0].remedy, "make it a threading.RLock"));
    mk_free(s, f);
    /* each kind by its own means, and by none that needs another side */
    static const char *const kinds[][2] = { { "pthread_mutex", "PTHREAD_MUTEX_RECURSIVE" },
                                            { "pthread_rwlock", "reader-writer lock" },
                                            { "odd lock", "the same thread or task holds" } };
    for (size_t i = 0; i < LK_ARRAY_LEN(kinds); i++) {
        s = mk();
        a = mk_thread(s, "a", "transfer@/srv/bank.py:5", NULL);
        mk_wait(s, a, LK_WAIT_LOCK, mk_lock(s, kinds[i][0], a));
        f = mk_diagnose(s);
        assert_true(f->list.n == 1);
        assert_non_null(strstr(f->list.v[0].remedy, kinds[i][1]));
        assert_null(strstr(f->list.v[0].remedy, "RLock"));
        assert_null(strstr(f->list.v[0].remedy, "same order"));
        mk_free(s, f);
    }
}

static void locks_that_are_no_cycle(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref a = mk_thread(s, "a", "transfer@/srv/bank.py:5", NULL),
                  b = mk_thread(s, "b", "audit@/srv/bank.py:9", NULL);
    struct lk_ref lb = mk_lock(s, "threading.Lock", b);
    mk_wait(s, a, LK_WAIT_LOCK, lb);
    mk_wait(s, b, LK_WAIT_LOCK, mk_lock(s, "threading.Lock", NONE)); /* holder not known */
    mk_expect(s, LK_HEALTHY, NULL);
    /* contended locks that change hands */
    s = mk();
    a = mk_thread(s, "a", "transfer@/srv/bank.py:5", NULL);
    b = mk_thread(s, "b", "audit@/srv/bank.py:9", NULL);
    mk_wait(s, a, LK_WAIT_LOCK, mk_lock(s, "threading.Lock", b));
    mk_wait(s, b, LK_WAIT_LOCK, mk_lock(s, "threading.Lock", a));
    mk_moved(s, b);
    mk_expect(s, LK_HEALTHY, NULL);
}

/* Two workers, both waiting for items in their own pool's queue. */
static struct lk_ref starving_pool(struct lk_snapshot *s, int64_t max_workers)
{
    struct lk_ref pool = mk_pool(s, max_workers);
    for (int i = 0; i < 2; i++) {
        struct lk_ref w = mk_thread(s, "pool", RESULT, "job@/srv/app.py:20", POOL_WORKER, NULL);
        mk_worker(s, pool, w);
        mk_wait(s, w, LK_WAIT_FUTURE, mk_future(s, pool));
    }
    return pool;
}

static struct lk_ref file_lock(struct lk_snapshot *s)
{
    struct lk_ref l = mk_lock(s, "file lock", NONE);
    LOCK(l)->of_process = true;
    return l;
}

/* A file lock that the process has: proven only when none of its threads is left who could give it
 * back. */
static void lock_of_the_process(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref a = mk_thread(s, "a", "append@/srv/log.py:5", NULL);
    mk_wait(s, a, LK_WAIT_LOCK, file_lock(s));
    mk_expect(s, LK_DEADLOCK, "LK103");
    s = mk();
    a = mk_thread(s, "a", "append@/srv/log.py:5", NULL);
    mk_wait(s, a, LK_WAIT_LOCK, file_lock(s));
    mk_wait(s, mk_thread(s, "main", "main@/srv/log.py:9", NULL), LK_WAIT_JOIN, a);
    mk_expect(s, LK_DEADLOCK, "LK108");
    /* Somebody computes, sleeps or waits for input: it may be the one. */
    for (int i = 0; i < 3; i++) {
        static const enum lk_wait_kind kinds[] = { LK_WAIT_NONE, LK_WAIT_SLEEP, LK_WAIT_IO };
        s = mk();
        a = mk_thread(s, "a", "append@/srv/log.py:5", NULL);
        mk_wait(s, a, LK_WAIT_LOCK, file_lock(s));
        mk_wait(s, mk_thread(s, "b", "other@/srv/log.py:9", NULL), kinds[i], NONE);
        mk_expect(s, LK_HEALTHY, NULL);
    }
}

/* Taken by bare acquire() calls, in opposite order: nobody is left to give them back, which is
 * likely and not proven. */
static void locks_without_holders(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref one = mk_lock(s, "threading.Lock", NONE),
                      two = mk_lock(s, "threading.Lock", NONE);
        LOCK(one)->unowned = LOCK(two)->unowned = true;
        mk_wait(s, mk_thread(s, "a", "transfer@/srv/bank.py:5", NULL), LK_WAIT_LOCK, one);
        mk_wait(s, mk_thread(s, "b", "audit@/srv/bank.py:9", NULL), LK_WAIT_LOCK, two);
        if (i == 1)
            s->own_handlers = LK_YES;
        if (i == 2)
            mk_wait(s, mk_thread(s, "c", "serve@/srv/bank.py:20", NULL), LK_WAIT_IO, NONE);
        if (i)
            mk_expect(s, LK_HEALTHY, NULL);
        else
            mk_expect(s, LK_STALLED, "LK103");
    }
    struct lk_snapshot *s = mk();
    struct lk_ref parked = mk_lock(s, "threading.Lock", NONE);
    LOCK(parked)->unowned = true;
    mk_wait(s, mk_thread(s, "main", "main@/srv/bank.py:5", NULL), LK_WAIT_LOCK, parked);
    mk_expect(s, LK_HEALTHY, NULL);
}

static void reads_own_pipe(struct lk_snapshot *s, struct lk_ref thread)
{
    mk_wait(s, thread, LK_WAIT_IO, lk_snapshot_extern(s, LK_EXT_OUTSIDE, "pipe:[7]", LK_UNKNOWN));
    THREAD(thread)->os.on = LK_OS_PIPE;
    THREAD(thread)->os.peer_is = LK_PEER_SELF;
}

/* The only thread: entering a lock that is taken is stuck, a bare acquire() may be how it parks. */
static void lock_of_the_only_thread(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref a = mk_thread(s, "main", "test@/srv/test_log.py:5", NULL),
                      lock = mk_lock(s, "threading.Lock", NONE);
        lk_lock_at(s, lock)->unowned = true;
        lk_lock_at(s, lock)->locked = LK_YES;
        lk_refs_add(s, &lk_lock_at(s, lock)->waiters, a);
        mk_wait(s, a, LK_WAIT_LOCK, lock);
        THREAD(a)->wait.traits = i == 1 ? 0 : LK_WAIT_BY_WITH;
        s->own_handlers = i == 2 ? LK_YES : LK_NO;
        if (i) {
            mk_expect(s, LK_HEALTHY, NULL);
            continue;
        }
        struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK103");
        assert_null(strstr(f->list.v[0].summary, "holds itself"));
        assert_non_null(strstr(f->list.v[0].remedy, "RLock"));
        mk_free(s, f);
    }
}

/* Likely endless, never proven; and not with a handler of signals about, nor with nobody who waits
 * for the reader. */
static void join_and_pipe(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref reader = mk_thread(s, "reader", "read@/srv/pipe.py:5", NULL);
        struct lk_ref main = mk_thread(s, "main", "main@/srv/pipe.py:9", NULL);
        s->handles_signals = i ? LK_YES : LK_NO;
        reads_own_pipe(s, reader);
        mk_wait(s, main, LK_WAIT_JOIN, reader);
        if (i)
            mk_expect(s, LK_HEALTHY, NULL);
        else
            mk_expect(s, LK_STALLED, "LK108");
    }
    struct lk_snapshot *s = mk();
    reads_own_pipe(s, mk_thread(s, "main", "main@/srv/pipe.py:9", NULL));
    mk_expect(s, LK_HEALTHY, NULL);
}

static void executor_starvation(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref pool = starving_pool(s, 2);
    struct lk_ref request =
        mk_thread(s, "Thread-1", RESULT, "view@/srv/app.py:40", FLASK_REQUEST, NULL);
    mk_wait(s, request, LK_WAIT_FUTURE, mk_future(s, pool));
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK104");
    assert_int_equal(f->list.v[0].threads.n, 2);
    assert_int_equal(f->list.v[0].culprits.n, 2);
    assert_int_equal(f->list.v[0].held_requests, 1);
    lk_findings_destroy(f);
    /* another thread has it at hand, and is going to let it go on */
    struct lk_ref other = mk_thread(s, "grower", "grow@/srv/app.py:50", NULL);
    lk_vec_add(&s->at_hand, ((struct lk_at_hand){ .what = pool, .by = other, .callback = "" }));
    f = mk_expect_one(s, LK_STALLED, "LK104");
    mk_free(s, f);
}

/* Through a task of an idle loop that awaits an item of the same pool. */
static void executor_starvation_through_a_task(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref pool = mk_pool(s, 1),
                  w = mk_thread(s, "pool", RESULT, "job@/srv/app.py:20", POOL_WORKER, NULL);
    struct lk_ref o = mk_idle_loop(s, mk_thread(s, "bg-loop", ASYNCIO_IDLE, NULL));
    struct lk_ref task = mk_task(s, o, "inner", "async inner@/srv/app.py:8", NULL);
    mk_worker(s, pool, w);
    mk_wait(s, task, LK_WAIT_FUTURE, mk_future(s, pool));
    mk_wait(s, w, LK_WAIT_FUTURE, mk_future(s, task));
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK104");
    assert_int_equal(f->list.v[0].loops.n, 0);
    assert_non_null(strstr(f->list.v[0].safe_now, "Cancel task inner"));
    mk_free(s, f);
}

static void pools_that_go_on(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    starving_pool(s, 3); /* may still grow */
    THREAD(lk_ref_make(LK_KIND_THREAD, 0))->stuck_ms =
        THREAD(lk_ref_make(LK_KIND_THREAD, 1))->stuck_ms = 100;
    mk_expect(s, LK_HEALTHY, NULL);
    s = mk();
    struct lk_ref pool = starving_pool(s, 3), free_worker = mk_thread(s, "pool", POOL_WORKER, NULL);
    mk_wait(s, free_worker, LK_WAIT_EXECUTOR_IDLE, pool);
    mk_worker(s, pool, free_worker); /* one is idle */
    mk_expect(s, LK_HEALTHY, NULL);
    s = mk();
    pool = starving_pool(s, 3);
    struct lk_ref busy = mk_thread(s, "pool", "job@/srv/app.py:22", POOL_WORKER, NULL);
    mk_worker(s, pool, busy);
    mk_moved(s, busy); /* a saturated pool that still finishes requests */
    mk_expect(s, LK_HEALTHY, NULL);
}

static void await_ring(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = mk_idle_loop(s, mk_thread(s, "main", ASYNCIO_IDLE, NULL));
    struct lk_ref a = mk_task(s, o, "a", "async a@/srv/app.py:1", NULL),
                  b = mk_task(s, o, "b", "async b@/srv/app.py:2", NULL);
    mk_wait(s, a, LK_WAIT_FUTURE, b);
    mk_wait(s, b, LK_WAIT_FUTURE, a);
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK105");
    assert_int_equal(f->list.v[0].culprits.n, 2);
    assert_int_equal(f->list.v[0].held_tasks, 2);
    mk_free(s, f);
}

/* A task outside of the ring awaits it with a timeout: that cancels its way down into the ring. Not
 * through a shield. */
static void await_ring_below_a_timeout(void **state)
{
    (void)state;
    static const enum lk_future_origin origins[] = { LK_ORIGIN_GATHER, LK_ORIGIN_SHIELD,
                                                     LK_ORIGIN_WAIT };
    for (size_t i = 0; i < LK_ARRAY_LEN(origins); i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref o = mk_idle_loop(s, mk_thread(s, "main", ASYNCIO_IDLE, NULL));
        struct lk_ref a = mk_task(s, o, "a", "async a@/srv/app.py:1", NULL),
                      b = mk_task(s, o, "b", "async b@/srv/app.py:2", NULL);
        struct lk_ref request = mk_task(s, o, "request", "async request@/srv/app.py:3", NULL),
                      between = mk_future(s, a);
        mk_wait(s, a, LK_WAIT_FUTURE, b);
        mk_wait(s, b, LK_WAIT_FUTURE, a);
        FUTURE(between)->origin = origins[i];
        mk_wait(s, request, LK_WAIT_FUTURE, between);
        TASK(request)->wait.timeout_ms = 5000;
        mk_expect(s, i ? LK_DEADLOCK : LK_HAZARD, "LK105");
    }
}

struct ring {
    struct lk_snapshot *s;
    struct lk_ref main, loop, a, b, future; /* future: what a awaits, where it is not b itself */
};

/* a awaits b, b awaits a: the tasks themselves, or a by way of a shield. */
static struct ring mk_ring(bool direct)
{
    struct ring r = { .s = mk() };
    struct lk_snapshot *s = r.s;
    r.main = mk_thread(s, "main", ASYNCIO_IDLE, NULL);
    r.loop = mk_idle_loop(s, r.main);
    r.a = mk_task(s, r.loop, "a", "async a@/srv/app.py:1", NULL);
    r.b = mk_task(s, r.loop, "b", "async b@/srv/app.py:2", NULL);
    r.future = direct ? r.b : mk_future(s, r.b);
    if (!direct)
        FUTURE(r.future)->origin = LK_ORIGIN_SHIELD;
    mk_wait(s, r.a, LK_WAIT_FUTURE, r.future);
    mk_wait(s, r.b, LK_WAIT_FUTURE, r.a);
    TASK(r.b)->wait.traits = LK_WAIT_DIRECT;
    TASK(r.a)->wait.traits = direct ? LK_WAIT_DIRECT : 0;
    return r;
}

static void mk_at_hand(struct ring *r, struct lk_ref what, struct lk_ref by, enum lk_hand hand)
{
    lk_vec_add(
        &r->s->at_hand,
        ((struct lk_at_hand){
            .what = what, .by = by, .hand = hand, .in_ms = 30000, .callback = "Watch.expire" }));
}

/* A timer that has a member at hand may end the ring; one that has other tasks at hand may not. */
static void await_ring_and_timers(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct ring r = mk_ring(false);
        struct lk_snapshot *s = r.s;
        struct lk_ref other = mk_task(s, r.loop, "other", "async other@/srv/app.py:3", NULL);
        struct lk_ref far = mk_idle_loop(s, mk_thread(s, "far", ASYNCIO_IDLE, NULL));
        struct lk_ref away = mk_left_loop(s, LK_LOOP_CLOSED);
        const struct {
            struct lk_ref what, by;
            enum lk_verdict is;
        } cases[] = {
            { r.a, r.loop, LK_HAZARD },     { r.future, r.loop, LK_HAZARD },
            { NONE, r.loop, LK_HAZARD },    { r.a, far, LK_HAZARD },
            { other, r.loop, LK_DEADLOCK }, { r.a, away, LK_DEADLOCK },
        };
        mk_at_hand(&r, cases[i].what, cases[i].by, LK_HAND_TIMER);
        struct lk_findings *f = lk_diagnose(s);
        const struct lk_finding *p = mk_find(f, "LK105");
        assert_non_null(p);
        assert_int_equal(p->severity, cases[i].is);
        assert_int_equal(strstr(p->summary, "Watch.expire in 30 s") != NULL, i < 4);
        mk_free(s, f);
    }
}

/* Cancelling one of tasks that await each other themselves ends nothing; whatever else code may do,
 * and where that was not tried, it may. */
static void direct_ring_and_cancellations(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct ring r = mk_ring(i != 1);
        struct lk_snapshot *s = r.s;
        mk_at_hand(&r, r.a, r.loop, i == 2 ? LK_HAND_TIMER : LK_HAND_TIMER_CANCELS);
        TASK(r.a)->wait.timeout_ms = 30000; /* ... and what it cancels has that timeout */
        if (i == 3)
            s->python.hex = 0x030e00f0;
        if (i == 4)
            TASK(r.b)->wait.traits = 0; /* of a class with a cancel() of its own */
        if (i == 5)
            s->python.hex = 0;
        mk_expect(s, i ? LK_HAZARD : LK_DEADLOCK, "LK105");
    }
}

/* Who has a member at hand and does not wait for the ring may cancel it. */
static void await_ring_and_watchers(void **state)
{
    (void)state;
    for (int i = 0; i < 7; i++) {
        struct ring r = mk_ring(i == 6);
        struct lk_snapshot *s = r.s;
        struct lk_ref watchdog = mk_thread(s, "watchdog", "watch@/srv/app.py:9", NULL);
        struct lk_ref task = mk_task(s, r.loop, "task", "async task@/srv/app.py:3", NULL);
        mk_wait(s, watchdog, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 1000));
        mk_wait(s, task, LK_WAIT_FUTURE, i == 1 ? mk_bare_future(s) : r.a);
        if (i == 5)
            mk_timeout(s, task, 5000); /* it may cancel what it has waited for */
        const struct lk_ref who[] = { watchdog, task, task, r.main, r.b, task, watchdog };
        static const enum lk_verdict is[] = { LK_HAZARD,   LK_HAZARD, LK_DEADLOCK, LK_DEADLOCK,
                                              LK_DEADLOCK, LK_HAZARD, LK_HAZARD };
        mk_at_hand(&r, r.b, who[i], LK_HAND_FRAME);
        struct lk_findings *f = mk_expect_one(s, is[i], "LK105");
        const struct lk_finding *p = mk_find(f, "LK105");
        assert_int_equal(p->confidence, i == 0 || i == 1 || i == 6 ? LK_PROBABLE : LK_PROVEN);
        mk_free(s, f);
    }
}

/* So may what is registered to be called, if what calls it can come about. */
static void await_ring_and_callbacks(void **state)
{
    (void)state;
    for (int i = 0; i < 7; i++) {
        struct ring r = mk_ring(i == 5 || i == 6);
        struct lk_snapshot *s = r.s;
        struct lk_ref task = mk_task(s, r.loop, "task", "async task@/srv/app.py:3", NULL);
        struct lk_ref away = mk_left_loop(s, LK_LOOP_CLOSED);
        const struct {
            struct lk_ref by;
            enum lk_verdict is;
        } cases[] = {
            { r.loop, LK_HAZARD },                          /* a descriptor that its loop watches */
            { NONE, LK_HAZARD },                            /* a signal */
            { away, LK_DEADLOCK },   { task, LK_DEADLOCK }, /* which waits for the ring */
            { r.b, LK_DEADLOCK },                           /* and a member */
            { r.loop, LK_DEADLOCK }, { r.loop, LK_HAZARD },
        };
        mk_wait(s, task, LK_WAIT_FUTURE, r.a);
        mk_at_hand(&r, r.a, cases[i].by, i == 5 ? LK_HAND_CALLBACK_CANCELS : LK_HAND_CALLBACK);
        s->at_hand.v[0].when = "that is done";
        mk_expect(s, cases[i].is, "LK105");
    }
}

/* What waits for all of a group goes on when one of them fails that is no part of the ring. */
static void await_ring_and_failures(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct ring r = mk_ring(false);
        struct lk_snapshot *s = r.s;
        struct lk_ref other = mk_task(s, r.loop, "other", "async other@/srv/app.py:3", NULL);
        mk_wait(s, other, LK_WAIT_FUTURE, i == 3 ? r.a : mk_bare_future(s));
        FUTURE(r.future)->all = true;
        FUTURE(r.future)->fails_early = i > 0; /* 0: return_exceptions=True */
        FUTURE(r.future)->origin = LK_ORIGIN_GATHER;
        if (i != 2)
            lk_refs_add(s, &FUTURE(r.future)->enders, other);
        mk_expect(s, i == 1 ? LK_HAZARD : LK_DEADLOCK, "LK105");
    }
}

/* The future that the loop's thread blocks on may be cancelled from elsewhere; a task of that loop
 * may not, for the loop does not run, nor may work that a pool has begun. */
static void own_loop_and_watchers(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref main = mk_thread(s, "main", "outer@/srv/app.py:9", NULL);
        struct lk_ref loop = mk_loop(s, main);
        struct lk_ref task = mk_task(s, loop, "inner", "async inner@/srv/app.py:3", NULL);
        struct lk_ref future = mk_future(s, task);
        struct lk_ref watchdog = mk_thread(s, "watchdog", "watch@/srv/app.py:20", NULL);
        FUTURE(future)->concurrent = true;
        FUTURE(future)->state = i == 3 ? LK_FUTURE_RUNNING : LK_FUTURE_PENDING;
        mk_wait(s, main, LK_WAIT_FUTURE, future);
        mk_wait(s, watchdog, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 1000));
        struct ring r = { .s = s };
        mk_at_hand(&r, i == 2 ? task : future, i ? watchdog : main, LK_HAND_FRAME);
        struct lk_findings *f = lk_diagnose(s);
        const struct lk_finding *p = mk_find(f, "LK101");
        assert_non_null(p);
        assert_int_equal(p->severity == LK_DEADLOCK, i != 1);
        mk_free(s, f);
    }
}

/* What could not be read proves nothing. */
static void await_ring_and_unread_enders(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct ring r = mk_ring(false);
        struct lk_snapshot *s = r.s;
        struct lk_ref far = mk_idle_loop(s, mk_thread(s, "far", ASYNCIO_IDLE, NULL));
        s->at_hand_cut = i == 0;
        LOOP(r.loop)->timers_unread = i == 1;
        LOOP(far)->timers_unread = i == 2;
        mk_expect(s, i == 2 ? LK_DEADLOCK : LK_HAZARD, "LK105");
    }
}

/* An alarm may be set that ends the main thread's wait; the other threads' waits go on after any
 * signal. */
static void alarm_and_main_thread(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref a = mk_thread(s, "a", "one@/srv/app.py:1", NULL),
                      b = mk_thread(s, "b", "two@/srv/app.py:2", NULL);
        struct lk_ref la = mk_lock(s, "threading.RLock", a), lb = mk_lock(s, "threading.RLock", b);
        mk_wait(s, a, LK_WAIT_LOCK, lb);
        mk_wait(s, b, LK_WAIT_LOCK, la);
        THREAD(a)->main = i != 1;
        s->handles_alarm = i == 2 ? LK_NO : LK_YES;
        mk_expect(s, i ? LK_DEADLOCK : LK_STALLED, "LK103");
    }
}

/* Through a gather: all of its children are needed, one of which awaits the gatherer. */
static void await_ring_through_gather(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = mk_idle_loop(s, mk_thread(s, "main", ASYNCIO_IDLE, NULL));
    struct lk_ref a = mk_task(s, o, "a", "async a@/srv/app.py:1", NULL),
                  b = mk_task(s, o, "b", "async b@/srv/app.py:2", NULL);
    struct lk_ref gather = mk_future(s, mk_ready_task(s, o, "c"));
    mk_ender(s, gather, b);
    FUTURE(gather)->all = true;
    FUTURE(gather)->origin = LK_ORIGIN_GATHER;
    mk_wait(s, a, LK_WAIT_FUTURE, gather);
    mk_wait(s, b, LK_WAIT_FUTURE, a);
    lk_classify(s, NULL);
    struct lk_findings *f = lk_diagnose(s);
    assert_non_null(mk_find(f, "LK105"));
    lk_findings_destroy(f);
    FUTURE(gather)->all = false; /* FIRST_COMPLETED: the other one will do */
    mk_expect(s, LK_HEALTHY, NULL);
}

static void lock_across_await(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "bg-loop", "async second@/srv/app.py:14", ASYNCIO_RUN_FOREVER,
                                NULL),
                  o = mk_loop(s, t);
    struct lk_ref holder = mk_task(s, o, "first", "async first@/srv/app.py:9", NULL);
    mk_wait(s, holder, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 500));
    mk_running_task(s, o, "second", t);
    mk_wait(s, t, LK_WAIT_LOCK, mk_lock(s, "threading.Lock", holder));
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK106");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "second");
    assert_string_equal(f->list.v[0].culprits.v[1].function, "first");
    mk_free(s, f);
    /* Held by a coroutine of another, living loop: it will be given back. */
    s = mk();
    t = mk_thread(s, "bg-loop", "async second@/srv/app.py:14", ASYNCIO_RUN_FOREVER, NULL);
    mk_loop(s, t);
    struct lk_ref other = mk_idle_loop(s, mk_thread(s, "other", ASYNCIO_IDLE, NULL));
    holder = mk_task(s, other, "first", "async first@/srv/app.py:9", NULL);
    mk_wait(s, holder, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 500));
    mk_wait(s, t, LK_WAIT_LOCK, mk_lock(s, "threading.Lock", holder));
    mk_stuck(s, t, 50);
    mk_expect(s, LK_HEALTHY, NULL);
}

static void gil_inversion(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref holder = mk_thread(s, "a", "render@/srv/app.py:5", NULL),
                  waiter = mk_thread(s, "b", "callback@/srv/app.py:9", NULL);
    THREAD(holder)->holds_gil = true;
    mk_wait(s, waiter, LK_WAIT_GIL, holder);
    mk_timeout(s, waiter, 5); /* asks again every 5 ms: no end of the wait */
    mk_wait(s, holder, LK_WAIT_LOCK, mk_lock(s, "pthread_mutex", waiter));
    mk_expect(s, LK_DEADLOCK, "LK107");
    s = mk();
    holder = mk_thread(s, "a", "render@/srv/app.py:5", NULL);
    waiter = mk_thread(s, "b", "callback@/srv/app.py:9", NULL);
    THREAD(holder)->running = true;
    mk_wait(s, waiter, LK_WAIT_GIL, holder);
    mk_expect(s, LK_HEALTHY, NULL);
}

static void lock_and_future(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref view =
        mk_thread(s, "Thread-1", RESULT, "reload_view@/srv/app.py:40", FLASK_REQUEST, NULL);
    struct lk_ref w = mk_thread(s, "pool", "reload@/srv/app.py:20", POOL_WORKER, NULL);
    mk_wait(s, w, LK_WAIT_LOCK, mk_lock(s, "threading.RLock", view));
    mk_wait(s, view, LK_WAIT_FUTURE, mk_future(s, w));
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK108");
    assert_int_equal(f->list.v[0].held_requests, 1);
    mk_free(s, f);
}

static void join_and_lock(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref a = mk_thread(s, "main", "stop@/srv/app.py:40", NULL),
                  b = mk_thread(s, "worker", "work@/srv/app.py:20", NULL);
    mk_wait(s, a, LK_WAIT_JOIN, b);
    mk_wait(s, b, LK_WAIT_LOCK, mk_lock(s, "threading.Lock", a));
    mk_expect(s, LK_DEADLOCK, "LK108");
    /* a main thread joining a server thread */
    s = mk();
    a = mk_thread(s, "main", "stop@/srv/app.py:40", NULL);
    b = mk_thread(s, "server", "serve@/srv/app.py:20", NULL);
    mk_wait(s, a, LK_WAIT_JOIN, b);
    mk_expect(s, LK_HEALTHY, NULL);
}

/* A thread drives its loop with a lock in its hands; the task it drives it for needs that lock in
 * another thread. */
static void lock_around_a_driven_loop(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "main", ASYNCIO_IDLE,
                                "run_until_complete@" STDLIB "asyncio/base_events.py:640",
                                "go@/srv/app.py:5", NULL);
    struct lk_ref o = mk_idle_loop(s, t), task = mk_task(s, o, "x", "async x@/srv/app.py:9", NULL);
    struct lk_ref w = mk_thread(s, "pool", "job@/srv/app.py:20", POOL_WORKER, NULL);
    mk_wait(s, task, LK_WAIT_FUTURE, mk_future(s, w));
    mk_wait(s, w, LK_WAIT_LOCK, mk_lock(s, "threading.Lock", t));
    THREAD(t)->drives = task;
    mk_expect(s, LK_DEADLOCK, "LK108");
}

/* ---- what a cycle must not be called ------------------------------------------------- */

static void timed_cycle_is_never_a_deadlock(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct self_wait x = self_wait(s);
    mk_timeout(s, x.thread, 4000);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK101");
    assert_non_null(strstr(f->list.v[0].summary, "4.0 s"));
    lk_findings_destroy(f);
    mk_stuck(s, x.thread, 500);
    f = mk_expect_one(s, LK_HAZARD, "LK101");
    assert_true(f->list.v[0].needs_time);
    lk_findings_destroy(f);
    /* a wait with a timeout in a loop: it moves */
    mk_moved(s, x.thread);
    for (size_t i = 1; i < s->threads.n; i++)
        mk_stuck(s, lk_ref_make(LK_KIND_THREAD, i), 100);
    mk_expect(s, LK_HEALTHY, NULL);
}

/* A timeout of which it is not known whether there is one opens the wait. */
static void unknown_timeout_proves_nothing(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct self_wait x = self_wait(s);
    mk_timeout(s, x.thread, LK_UNKNOWN);
    struct lk_findings *f = mk_diagnose(s);
    assert_true(f->verdict < LK_DEADLOCK);
    assert_null(mk_find(f, "LK101"));
    mk_free(s, f);
}

/* The loop's future is a bare one: other code may set it. At most stalled, and the reason is the
 * blocking call. */
static void open_future_is_no_cycle(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct self_wait x = self_wait(s);
    FUTURE(x.future)->enders_complete = false;
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK401");
    assert_int_equal(f->list.v[0].held_requests, 2);
    mk_free(s, f);
}

static void racy_edge_is_only_possible(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct self_wait x = self_wait(s);
    THREAD(x.thread)->read = THREAD(x.thread)->wait.read = LK_READ_RACY;
    struct lk_findings *f = mk_diagnose(s);
    assert_true(f->verdict <= LK_HAZARD);
    mk_free(s, f);
    /* A future is nobody's: read alike each time while some thread ran it is probable, and seen
     * while that slept it is proven. */
    for (int i = 0; i < 3; i++) {
        s = mk();
        x = self_wait(s);
        FUTURE(x.future)->read = LK_READ_RACY;
        FUTURE(x.future)->stable = i > 0;
        FUTURE(x.future)->confirmed = i == 2;
        f = mk_diagnose(s);
        const struct lk_finding *found = mk_find(f, "LK101");
        assert_true(i > 0 || f->verdict <= LK_HAZARD);
        assert_true(i == 0 || found->severity == (i == 1 ? LK_STALLED : LK_DEADLOCK));
        assert_true(f->look_again.at_once == (i == 1));
        mk_free(s, f);
    }
    /* Young and racy: look again, say nothing. */
    s = mk();
    struct lk_ref a = mk_thread(s, "a", "f@/srv/x.py:1", NULL),
                  lock = mk_lock(s, "threading.Lock", a);
    mk_wait(s, a, LK_WAIT_LOCK, lock);
    LOCK(lock)->read = LK_READ_RACY;
    mk_stuck(s, a, 100);
    f = mk_expect_one(s, LK_HEALTHY, NULL);
    assert_true(mk_watches(f, a));
    mk_free(s, f);
}

static void changed_edge_is_not_proven(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct self_wait x = self_wait(s);
    TASK(x.inner)->stable = false;
    struct lk_findings *f = mk_diagnose(s);
    assert_true(f->verdict < LK_STALLED);
    mk_free(s, f);
}

/* One sample alone proves nothing, unless the scheduler's record says that nothing has run since.
 */
static void one_sample_needs_the_scheduler(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct self_wait x = self_wait(s);
    s->watched_ms = 0;
    for (size_t i = 0; i < s->threads.n; i++)
        mk_stuck(s, lk_ref_make(LK_KIND_THREAD, i), 0);
    struct lk_findings *f = mk_diagnose(s);
    assert_int_equal(f->verdict, LK_HAZARD);
    assert_int_equal(mk_find(f, "LK101")->confidence, LK_PROBABLE);
    lk_findings_destroy(f);
    mk_stuck(s, x.thread, 840000);
    THREAD(x.thread)->stuck_by_scheduler = true;
    f = mk_diagnose(s);
    assert_int_equal(f->verdict, LK_DEADLOCK);
    assert_true(mk_find(f, "LK101")->stuck_by_scheduler);
    mk_free(s, f);
}

/* The awaited task was cancelled already: its loop will run it, and that is all it needs. */
static void cancelled_task_does_not_wait(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = mk_idle_loop(s, mk_thread(s, "main", ASYNCIO_IDLE, NULL));
    struct lk_ref a = mk_task(s, o, "a", "async a@/srv/app.py:1", NULL),
                  b = mk_task(s, o, "b", "async b@/srv/app.py:2", NULL);
    mk_wait(s, a, LK_WAIT_FUTURE, b);
    mk_wait(s, b, LK_WAIT_FUTURE, a);
    TASK(b)->must_cancel = true;
    mk_expect(s, LK_HEALTHY, NULL);
}

/* Condition.wait: notified by any code, but it needs the lock again, which is held for ever. */
static void condition_needs_its_lock_again(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref a = mk_thread(s, "a", "take@/srv/app.py:1", NULL),
                  b = mk_thread(s, "b", "put@/srv/app.py:2", NULL);
    struct lk_ref lock = mk_lock(s, "threading.Lock", b);
    mk_wait(s, a, LK_WAIT_CONDITION, mk_sync(s, "threading.Condition"));
    THREAD(a)->wait.gate = lock;
    mk_wait(s, b, LK_WAIT_JOIN, a);
    mk_expect(s, LK_DEADLOCK, "LK108");
    s = mk();
    a = mk_thread(s, "a", "take@/srv/app.py:1", NULL);
    mk_wait(s, a, LK_WAIT_CONDITION, mk_sync(s, "threading.Condition"));
    THREAD(a)->wait.gate = mk_lock(s, "threading.Lock", NONE);
    LOCK(THREAD(a)->wait.gate)->locked = LK_NO;
    mk_expect(s, LK_HEALTHY, NULL);
}

/* The fingerprint of a loop that waits on itself in this frame, beside `others` threads. */
static const char *fingerprint_of(const char *frame, int others, char ret[17])
{
    struct lk_snapshot *s = mk();
    for (int i = 0; i < others; i++)
        mk_thread(s, "main", "serve@/srv/app.py:1", NULL);
    struct lk_ref t = mk_thread(s, "bg-loop", RESULT, frame, ASYNCIO_RUN_FOREVER, NULL),
                  o = mk_loop(s, t);
    mk_wait(s, t, LK_WAIT_FUTURE, mk_future(s, mk_ready_task(s, o, "inner")));
    struct lk_findings *f = mk_diagnose(s);
    memcpy(ret, f->list.v[0].fingerprint, 17);
    mk_free(s, f);
    return ret;
}

/* The same hang in another run, with other threads, lines and folders: the same fingerprint;
 * another function or module: another one. */
static void fingerprints(void **state)
{
    (void)state;
    char first[17], other[17];
    fingerprint_of("async outer@/srv/app.py:10", 0, first);
    assert_string_equal(fingerprint_of("async outer@/srv/app.py:10", 3, other), first);
    assert_string_equal(fingerprint_of("async outer@/srv/app.py:177", 0, other), first);
    assert_string_equal(fingerprint_of("async outer@/home/x/checkout/app.py:10", 0, other), first);
    assert_string_equal(fingerprint_of("async outer@app/__init__.py:10", 0, other), first);
    assert_string_equal(fingerprint_of("async outer@/opt/app/__main__.py:10", 0, other), first);
    assert_string_not_equal(fingerprint_of("async another@/srv/app.py:10", 0, other), first);
    assert_string_not_equal(fingerprint_of("async outer@/srv/apps.py:10", 0, other), first);
    assert_string_not_equal(fingerprint_of("async outer@/srv/__init__.py:10", 0, other), first);
    assert_string_not_equal(fingerprint_of("async outer@__init__.py:10", 0, other), first);
}

/* Two knots apart are two findings; a thread behind one of them is none of its own. */
static void one_finding_a_knot(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    for (int i = 0; i < 2; i++) {
        struct lk_ref a = mk_thread(s, "a", i ? "f@/srv/x.py:1" : "g@/srv/x.py:2", NULL),
                      b = mk_thread(s, "b", "h@/srv/x.py:3", NULL);
        struct lk_ref la = mk_lock(s, "threading.Lock", a);
        mk_wait(s, b, LK_WAIT_LOCK, la);
        mk_wait(s, a, LK_WAIT_LOCK, mk_lock(s, "threading.Lock", b));
        mk_wait(s, mk_thread(s, "c", RESULT, "view@/srv/app.py:3", FLASK_REQUEST, NULL),
                LK_WAIT_FUTURE, mk_future(s, a));
    }
    struct lk_findings *f = mk_diagnose(s);
    assert_int_equal(f->list.n, 2);
    assert_int_equal(f->list.v[0].held_requests, 1);
    assert_int_equal(f->list.v[1].held_requests, 1);
    mk_free(s, f);
}

/* A view with a lock in its hands waits for an Event; the thread whose code would set it wants the
 * lock. */
struct soft {
    struct lk_ref view, worker, event, lock;
};
static struct soft event_and_lock(struct lk_snapshot *s)
{
    struct soft x;
    x.view = mk_thread(s, "Thread-1", "wait@" STDLIB "threading.py:629", "work_view@/srv/app.py:20",
                       FLASK_REQUEST, NULL);
    x.worker = mk_thread(s, "worker", "work@/srv/app.py:12", NULL);
    x.event = mk_sync(s, "threading.Event");
    x.lock = mk_lock(s, "threading.RLock", x.view);
    lk_refs_add(s, &LOCK(x.event)->likely_enders, x.worker);
    LOCK(x.event)->likely_for = "would be set by the code of";
    mk_wait(s, x.view, LK_WAIT_EVENT, x.event);
    THREAD(x.view)->wait.complete = false;
    mk_wait(s, x.worker, LK_WAIT_LOCK, x.lock);
    return x;
}

static void event_behind_a_lock_is_stalled(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    event_and_lock(s);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK108");
    assert_int_equal(f->list.v[0].confidence, LK_PROBABLE);
    assert_string_equal(f->list.v[0].culprits.v[0].function, "work_view");
    mk_free(s, f);
}

/* Each of these may end it, or wakes up by itself. */
static void event_that_may_be_set(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct soft x = event_and_lock(s);
    lk_refs_add(s, &LOCK(x.event)->likely_enders,
                mk_thread(s, "other", "tick@/srv/app.py:30", NULL));
    mk_expect(s, LK_HEALTHY, NULL);

    s = mk();
    x = event_and_lock(s);
    mk_moved(s, x.worker);
    THREAD(x.worker)->stuck_ms = 0;
    mk_expect(s, LK_HEALTHY, NULL);

    s = mk();
    x = event_and_lock(s);
    mk_timeout(s, x.view, 60000);
    struct lk_findings *f = mk_diagnose(s);
    assert_int_not_equal(f->verdict, LK_DEADLOCK);
    mk_free(s, f);
}

/* Two threads that wake each other by Events are at rest when nobody needs either of them. */
static void threads_parked_on_events(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t[2], event[2];
    for (int i = 0; i < 2; i++) {
        t[i] = mk_thread(s, "stage", "wait@" STDLIB "threading.py:629", "run@/srv/app.py:5", NULL);
        event[i] = mk_sync(s, "threading.Event");
    }
    for (int i = 0; i < 2; i++) {
        lk_refs_add(s, &LOCK(event[i])->likely_enders, t[1 - i]);
        mk_wait(s, t[i], LK_WAIT_EVENT, event[i]);
        THREAD(t[i])->wait.complete = false;
    }
    mk_expect(s, LK_HEALTHY, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loop_waits_on_itself),
        cmocka_unit_test(loop_waits_for_its_own_queue),
        cmocka_unit_test(loop_waits_through_a_worker),
        cmocka_unit_test(loop_waits_for_a_lock_of_a_waiting_view),
        cmocka_unit_test(inferred_owner_is_only_probable),
        cmocka_unit_test(two_loops_that_keep_results),
        cmocka_unit_test(holder_comes_first),
        cmocka_unit_test(requests_that_are_tasks),
        cmocka_unit_test(two_loops),
        cmocka_unit_test(two_request_loops),
        cmocka_unit_test(lock_cycle),
        cmocka_unit_test(lock_taken_twice),
        cmocka_unit_test(locks_that_are_no_cycle),
        cmocka_unit_test(lock_of_the_process),
        cmocka_unit_test(locks_without_holders),
        cmocka_unit_test(join_and_pipe),
        cmocka_unit_test(executor_starvation),
        cmocka_unit_test(executor_starvation_through_a_task),
        cmocka_unit_test(pools_that_go_on),
        cmocka_unit_test(await_ring),
        cmocka_unit_test(await_ring_through_gather),
        cmocka_unit_test(await_ring_below_a_timeout),
        cmocka_unit_test(await_ring_and_timers),
        cmocka_unit_test(direct_ring_and_cancellations),
        cmocka_unit_test(await_ring_and_watchers),
        cmocka_unit_test(await_ring_and_callbacks),
        cmocka_unit_test(await_ring_and_failures),
        cmocka_unit_test(own_loop_and_watchers),
        cmocka_unit_test(await_ring_and_unread_enders),
        cmocka_unit_test(lock_of_the_only_thread),
        cmocka_unit_test(alarm_and_main_thread),
        cmocka_unit_test(lock_across_await),
        cmocka_unit_test(gil_inversion),
        cmocka_unit_test(lock_and_future),
        cmocka_unit_test(join_and_lock),
        cmocka_unit_test(lock_around_a_driven_loop),
        cmocka_unit_test(timed_cycle_is_never_a_deadlock),
        cmocka_unit_test(unknown_timeout_proves_nothing),
        cmocka_unit_test(open_future_is_no_cycle),
        cmocka_unit_test(racy_edge_is_only_possible),
        cmocka_unit_test(changed_edge_is_not_proven),
        cmocka_unit_test(one_sample_needs_the_scheduler),
        cmocka_unit_test(cancelled_task_does_not_wait),
        cmocka_unit_test(condition_needs_its_lock_again),
        cmocka_unit_test(fingerprints),
        cmocka_unit_test(one_finding_a_knot),
        cmocka_unit_test(event_behind_a_lock_is_stalled),
        cmocka_unit_test(event_that_may_be_set),
        cmocka_unit_test(threads_parked_on_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
