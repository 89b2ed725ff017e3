/*
 * LK301 and LK305: loops that request threads run.
 */
#include "make.h"

#define RUN_UNTIL ASYNCIO_IDLE, "run_until_complete@" STDLIB "asyncio/base_events.py:640"

static void loop_per_request(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    for (int i = 0; i < 2; i++)
        mk_idle_loop(s, mk_thread(s, "Thread-1", RUN_UNTIL, "fetch_view@/srv/app.py:19",
                                  FLASK_REQUEST, NULL));
    struct lk_findings *f = mk_expect_one(s, LK_HAZARD, "LK301");
    assert_int_equal(f->list.v[0].threads.n, 2);
    assert_int_equal(f->list.v[0].loops.n, 2);
    assert_string_equal(f->list.v[0].culprits.v[0].function, "fetch_view");
    mk_free(s, f);
    s = mk();
    mk_idle_loop(s, mk_thread(s, "Thread-1", RUN_UNTIL, "run@" STDLIB "asyncio/runners.py:118",
                              "run@" STDLIB "asyncio/runners.py:190", "helper@/srv/lib.py:4",
                              "index@/srv/app.py:9",
                              "handle_request@" SITE "gunicorn/workers/gthread.py:320", NULL));
    f = mk_expect_one(s, LK_HAZARD, "LK301");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "helper");
    mk_free(s, f);
    /* uvloop leaves no frame of its own */
    s = mk();
    mk_idle_loop(s, mk_thread(s, "Thread-1", "fetch_view@/srv/app.py:19", FLASK_REQUEST, NULL));
    mk_expect(s, LK_HAZARD, "LK301");
}

static void loops_for_requests_that_are_fine(void **state)
{
    (void)state;
    /* asgiref's bridge on the request's own stack */
    struct lk_snapshot *s = mk();
    mk_idle_loop(s,
                 mk_thread(s, "Thread-1", RUN_UNTIL, "_run_event_loop@" SITE "asgiref/sync.py:248",
                           "__call__@" SITE "asgiref/sync.py:204", "view@/srv/app.py:19",
                           FLASK_REQUEST, NULL));
    mk_expect(s, LK_HEALTHY, NULL);
    /* a Flask async view in flight: the loop is in a one-worker pool's thread, the request waits in
     * the bridge */
    s = mk();
    struct lk_ref request =
        mk_thread(s, "Thread-1", "get@" STDLIB "queue.py:171",
                  "run_until_future@" SITE "asgiref/current_thread_executor.py:40",
                  "__call__@" SITE "asgiref/sync.py:218", FLASK_REQUEST, NULL);
    mk_wait(s, request, LK_WAIT_QUEUE_GET, mk_sync(s, "queue.Queue"));
    mk_idle_loop(s, mk_thread(s, "pool", RUN_UNTIL, "_run_event_loop@" SITE "asgiref/sync.py:248",
                              POOL_WORKER, NULL));
    mk_expect(s, LK_HEALTHY, NULL);
    /* tornado under load: the thread slept in its selector a moment before it came to this stack */
    s = mk();
    struct lk_ref busy =
        mk_thread(s, "main", "iterencode@" STDLIB "json/encoder.py:263", "get@/srv/app.py:19",
                  "_execute@" SITE "tornado/web.py:2004", RUN_UNTIL, NULL);
    mk_idle_loop(s, busy);
    THREAD(busy)->read = THREAD(busy)->wait.read = LK_READ_RACY;
    struct lk_findings *torn = mk_diagnose(s);
    assert_null(mk_find(torn, "LK301"));
    mk_free(s, torn);
    /* a main thread's asyncio.run, a handler of an aiohttp server running in it */
    s = mk();
    mk_idle_loop(s, mk_thread(s, "main", RUN_UNTIL, "run@" STDLIB "asyncio/runners.py:118",
                              "main@/srv/app.py:50", NULL));
    mk_expect(s, LK_HEALTHY, NULL);
}

static void run_forever_in_request(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "Thread-1", ASYNCIO_IDLE, "start_listening@/srv/app.py:19",
                                FLASK_REQUEST, NULL);
    mk_idle_loop(s, t);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK305");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "start_listening");
    assert_int_equal(f->list.v[0].held_requests, 1);
    lk_findings_destroy(f);
    mk_stuck(s, t, 300);
    f = mk_expect_one(s, LK_HAZARD, "LK305");
    assert_true(f->list.v[0].needs_time);
    lk_findings_destroy(f);
    /* Its callbacks run, the request below them does not go on. */
    THREAD(t)->moved = true;
    THREAD(t)->stable = false;
    s->watched_ms = 2500;
    THREAD(t)->callback_stable = false;
    THREAD(t)->outer_frames_same--; /* the innermost frame */
    f = mk_expect_one(s, LK_STALLED, "LK305");
    lk_findings_destroy(f);
    THREAD(t)->outer_frames_same = 1; /* outside of the request */
    mk_expect(s, LK_HAZARD, "LK305");
    /* The process-wide loop in a thread of its own is what is recommended. */
    s = mk();
    mk_idle_loop(s, mk_thread(s, "bg-loop", ASYNCIO_IDLE, "run@" STDLIB "threading.py:975", NULL));
    mk_expect(s, LK_HEALTHY, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loop_per_request),
        cmocka_unit_test(loops_for_requests_that_are_fine),
        cmocka_unit_test(run_forever_in_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
