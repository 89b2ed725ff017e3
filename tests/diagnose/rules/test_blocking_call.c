/*
 * LK401 and LK402: what keeps a loop, and what only looks like it.
 */
#include "make.h"

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

/* A lock whose holder moves is passed on soon; one whose holder stands still is not. */
static void contended_lock_in_a_callback(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "bg-loop", HANDLER, NULL), o = mk_loop(s, t);
        mk_running_task(s, o, "device", t);
        struct lk_ref holder = mk_thread(s, "Thread-1", "count@/srv/app.py:40", NULL);
        mk_wait(s, holder, LK_WAIT_GIL, NONE);
        mk_wait(s, t, LK_WAIT_LOCK, mk_lock(s, "threading.Lock", holder));
        mk_stuck(s, t, i < 2 ? 500 : 5000);
        THREAD(holder)->moved = i > 0;
        if (i == 1)
            mk_expect(s, LK_HEALTHY, NULL);
        else
            mk_expect(s, LK_HAZARD, "LK401");
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
        TASK(other)->stable = i == 0;
        /* one long sleep after all: the task changed before it */
        THREAD(t)->stuck_by_scheduler = i == 1;
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
    THREAD(t)->works_on = mk_future(s, t);
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
    THREAD(t)->running = LOOP(o)->callback_same = true;
    LOOP(o)->turn = 4711;
    LOOP(o)->callback_ms = 2500;
    THREAD(t)->stable = false;
    THREAD(t)->moved = true;
    THREAD(t)->read = LK_READ_STOPPED;
    THREAD(t)->wait.kind = LK_WAIT_NONE;
    THREAD(t)->stuck_ms = LK_UNKNOWN;
    THREAD(t)->cpu_delta_us = 2400000;
    mk_ready_task(s, o, "other");
    s->watched_ms = 2500;
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK402");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "crunch");
    lk_findings_destroy(f);
    s->watched_ms = LOOP(o)->callback_ms = 200;
    THREAD(t)->cpu_delta_us = 190000;
    f = mk_expect_one(s, LK_HAZARD, "LK402");
    assert_true(f->list.v[0].needs_time);
    lk_findings_destroy(f);
    /* a loop hammered by call_soon_threadsafe is busy too, with many callbacks */
    LOOP(o)->callback_same = false;
    mk_expect(s, LK_HEALTHY, NULL);
    s = mk();
    t = mk_thread(s, "bg-loop", "crunch@/srv/app.py:7", HANDLER, NULL);
    mk_loop(s, t);
    THREAD(t)->running = true;
    THREAD(t)->wait.kind = LK_WAIT_NONE;
    THREAD(t)->cpu_delta_us = 20000; /* it runs, but mostly others do */
    mk_expect(s, LK_HEALTHY, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocking_calls),
        cmocka_unit_test(contended_lock_in_a_callback),
        cmocka_unit_test(blocking_call_that_nobody_waits_behind),
        cmocka_unit_test(short_sleeps_in_a_loop),
        cmocka_unit_test(blocking_call_in_an_async_view),
        cmocka_unit_test(loops_that_do_not_block),
        cmocka_unit_test(busy_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
