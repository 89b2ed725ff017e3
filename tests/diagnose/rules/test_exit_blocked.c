/*
 * LK408: a program that is over waits for a thread or child that nothing ends; services that are
 * all threads, and ends that come by themselves.
 */
#include "make.h"

#include <string.h>

#define JOINS                                                                                      \
    "_wait_for_tstate_lock@" STDLIB "threading.py:1132", "join@" STDLIB "threading.py:1112"
#define GETS "wait@" STDLIB "threading.py:320", "get@" STDLIB "queue.py:171"

/* The main thread is in the interpreter's end and joins. */
static struct lk_ref mk_ending(struct lk_snapshot *s, struct lk_ref joined)
{
    struct lk_ref m = mk_thread(s, "MainThread", "_shutdown@" STDLIB "threading.py:1583", NULL);
    THREAD(m)->main = true;
    mk_wait(s, m, LK_WAIT_JOIN, joined);
    return m;
}

static struct lk_ref mk_mailer(struct lk_snapshot *s)
{
    struct lk_ref t = mk_thread(s, "mailer", GETS, "send_all@/srv/app.py:20", NULL);
    mk_wait(s, t, LK_WAIT_QUEUE_GET, mk_sync(s, "queue.Queue"));
    return t;
}

static void left_behind(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_mailer(s);
    mk_ending(s, t);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK408");
    const struct lk_finding *k = &f->list.v[0];
    assert_non_null(strstr(k->summary, "The program is ending"));
    assert_non_null(strstr(k->summary, "send_all (app.py:20)"));
    assert_non_null(strstr(k->remedy, "sentinel"));
    assert_int_equal(k->culprits.n, 1);
    assert_string_equal(k->culprits.v[0].function, "send_all");
    lk_findings_destroy(f);
    mk_stuck(s, t, 300); /* not yet */
    f = mk_expect_one(s, LK_HEALTHY, NULL);
    assert_true(mk_watches(f, t));
    lk_findings_destroy(f);
    mk_moved(s, t);
    mk_expect(s, LK_HEALTHY, NULL);
}

static void ends_by_itself(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_mailer(s);
        if (i == 0)
            mk_timeout(s, t, 60000);
        if (i == 1)
            mk_wait(s, t, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 600000));
        if (i == 2) { /* what it waits for is computed */
            struct lk_ref w = mk_thread(s, "jobs_0", "rows@/srv/app.py:9", POOL_WORKER, NULL);
            THREAD(w)->running = true;
            mk_wait(s, t, LK_WAIT_FUTURE, mk_future(s, w));
        }
        if (i == 3) { /* a service */
            mk_wait(s, t, LK_WAIT_IO, lk_snapshot_extern(s, LK_EXT_OUTSIDE, "a peer", LK_UNKNOWN));
            THREAD(t)->wait.traits = LK_WAIT_LISTENS;
        }
        struct lk_ref m = mk_ending(s, t);
        if (i == 4) /* another one that it waits for moves */
        {
            struct lk_ref w = mk_thread(s, "feeder", "feed@/srv/app.py:9", NULL);
            mk_moved(s, w);
            mk_wait_also(s, m, w, false);
        }
        mk_expect(s, LK_HEALTHY, NULL);
    }
}

/* A thread joined by the program itself is its business. */
static void no_end_of_the_program(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref m = mk_thread(s, "MainThread", JOINS, "<module>@/srv/app.py:40", NULL);
    THREAD(m)->main = true;
    mk_wait(s, m, LK_WAIT_JOIN, mk_mailer(s));
    mk_expect(s, LK_HEALTHY, NULL);
}

/* Beside a daemon that may bring letters, or awaiting them from outside: a service, since whenever
 * it has stood still. */
static void service_of_threads(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_mailer(s), m = mk_ending(s, t);
        struct lk_ref d = mk_thread(s, "listener", "listen@/srv/app.py:30", NULL);
        THREAD(d)->python = true;
        mk_wait(s, d, LK_WAIT_IO, lk_snapshot_extern(s, LK_EXT_OUTSIDE, "a peer", LK_UNKNOWN));
        if (i & 1) /* the end waits for it, too */
            mk_wait_also(s, m, d, false);
        mk_stuck(s, m, i & 2 ? 3000 : 9900);
        mk_expect(s, LK_HEALTHY, NULL);
    }
}

static void callback_at_exit(void **state)
{
    (void)state;
    struct lk_natframe frames[] = { { .function = "futex" }, { .function = "Py_FinalizeEx" } };
    struct lk_natstack native = { .n = 2, .frames = frames };
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_mailer(s);
    struct lk_ref m = mk_thread(s, "MainThread", JOINS, "stop@/srv/app.py:50", NULL);
    THREAD(m)->main = true;
    THREAD(m)->native_stack = &native;
    mk_wait(s, m, LK_WAIT_JOIN, t);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK408");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "stop");
    lk_findings_destroy(f);
    mk_timeout(s, m, 5000);
    mk_expect(s, LK_HEALTHY, NULL);
}

static void default_executor(void **state)
{
    (void)state;
    for (int timed = 0; timed < 2; timed++) {
        struct lk_snapshot *s = mk();
        struct lk_ref m = mk_thread(s, "MainThread", RUN_UNTIL, "<module>@/srv/app.py:33", NULL);
        struct lk_ref t = mk_mailer(s), o = mk_idle_loop(s, m);
        struct lk_ref d = mk_thread(s, "_do_shutdown", JOINS,
                                    "shutdown@" STDLIB "concurrent/futures/thread.py:235", NULL);
        mk_wait(s, d, LK_WAIT_JOIN, t);
        struct lk_ref f = mk_future(s, d),
                      k = mk_task(s, o, "Task-3",
                                  "async close@" STDLIB "asyncio/base_events.py:573", NULL);
        FUTURE(f)->concurrent = false;
        FUTURE(f)->origin = LK_ORIGIN_SHUTDOWN_DEFAULT_EXECUTOR;
        mk_wait(s, k, LK_WAIT_FUTURE, f);
        if (timed)
            mk_timeout(s, k, 240000);
        THREAD(m)->main = true;
        THREAD(m)->drives = k;
        struct lk_findings *r = mk_expect_one(s, LK_STALLED, "LK408");
        assert_string_equal(r->list.v[0].culprits.v[0].function, "<module>");
        assert_true(!timed == !strstr(r->list.v[0].summary, "at most"));
        mk_free(s, r);
    }
}

static void children(void **state)
{
    (void)state;
    for (int does = LK_CHILD_UNKNOWN; does <= LK_CHILD_RUNS; does++) {
        struct lk_snapshot *s = mk();
        struct lk_ref m =
            mk_thread(s, "MainThread", "poll@" STDLIB "multiprocessing/popen_fork.py:27",
                      "_exit_function@" STDLIB "multiprocessing/util.py:357", NULL);
        struct lk_ref e = lk_snapshot_extern(s, LK_EXT_CHILD, "child 9", LK_UNKNOWN);
        THREAD(m)->main = true;
        lk_extern_at(s, e)->child = (enum lk_child_does)does;
        mk_wait(s, m, LK_WAIT_CHILD, e);
        if (does >= LK_CHILD_WAITS)
            mk_expect(s, LK_HEALTHY, NULL);
        else
            mk_expect(s, does == LK_CHILD_STANDS ? LK_STALLED : LK_HAZARD, "LK408");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(left_behind),
        cmocka_unit_test(ends_by_itself),
        cmocka_unit_test(no_end_of_the_program),
        cmocka_unit_test(service_of_threads),
        cmocka_unit_test(callback_at_exit),
        cmocka_unit_test(default_executor),
        cmocka_unit_test(children),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
