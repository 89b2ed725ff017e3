/*
 * LK407: semaphores held by those who wait for them, and those that somebody else will give back.
 */
#include "make.h"

/* Two request tasks hold a unit each and gather a task each that wants one. */
struct units {
    struct lk_ref loop, semaphore, holder[2], child[2];
};
static struct units two_batches(struct lk_snapshot *s)
{
    struct units x;
    s->watched_ms =
        s->stalled_after_ms; /* no thread of it stands still: the watch says since when */
    x.loop = mk_idle_loop(s, mk_thread(s, "main", ASYNCIO_IDLE, NULL));
    x.semaphore = mk_sync(s, "asyncio.Semaphore");
    LOCK(x.semaphore)->likely_for = "a unit of it is held by";
    LOCK(x.semaphore)->units_known = true;
    LOCK(x.semaphore)->units_held = 2;
    for (int i = 0; i < 2; i++) {
        x.holder[i] = mk_task(s, x.loop, "batch", "async batch@/srv/app.py:18", NULL);
        x.child[i] = mk_task(s, x.loop, "rpc", "async rpc@/srv/app.py:9", NULL);
        mk_wait(s, x.holder[i], LK_WAIT_FUTURE, mk_future(s, x.child[i]));
        mk_wait(s, x.child[i], LK_WAIT_SEMAPHORE, x.semaphore);
        TASK(x.child[i])->wait.complete = false;
        lk_refs_add(s, &LOCK(x.semaphore)->likely_enders, x.holder[i]);
    }
    return x;
}

static void holders_wait_for_it(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    two_batches(s);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK407");
    const struct lk_finding *v = &f->list.v[0];
    assert_int_equal(v->confidence, LK_PROBABLE);
    assert_string_equal(v->culprits.v[0].function, "batch");
    assert_int_equal(v->culprits.n, 4);
    assert_int_equal(v->held_tasks, 4);
    assert_non_null(strstr(v->summary, "2 holders were found"));
    mk_free(s, f);
}

static void all_units_are_known(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct units x = two_batches(s);
    LOCK(x.semaphore)->units_all = true;
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK407");
    assert_int_equal(f->list.v[0].confidence, LK_PROVEN);
    mk_free(s, f);

    s = mk();
    x = two_batches(s);
    LOCK(x.semaphore)->units_all = true;
    mk_timeout(s, x.child[1], 60000);
    f = mk_expect_one(s, LK_STALLED, "LK407");
    assert_non_null(strstr(f->list.v[0].safe_now, "left"));
    mk_free(s, f);

    s = mk();
    x = two_batches(s);
    LOCK(x.semaphore)->units_all = true;
    s->tasks_complete = false;
    f = mk_expect_one(s, LK_STALLED, "LK407");
    mk_free(s, f);
}

/* One of the holders, or one who may give a unit back, does not wait for it. */
static void somebody_gives_one_back(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct units x = two_batches(s);
    struct lk_ref other = mk_task(s, x.loop, "other", "async other@/srv/app.py:30", NULL);
    mk_wait(s, other, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 60000));
    lk_refs_add(s, &LOCK(x.semaphore)->likely_enders, other);
    mk_expect(s, LK_HEALTHY, NULL);

    s = mk();
    x = two_batches(s);
    LOCK(x.semaphore)->units_all = true;
    lk_refs_add(s, &LOCK(x.semaphore)->likely_enders, mk_ready_task(s, x.loop, "ready"));
    mk_expect(s, LK_HEALTHY, NULL);

    s = mk();
    x = two_batches(s);
    lk_refs_add(s, &LOCK(x.semaphore)->likely_enders,
                mk_thread(s, "other", "tick@/srv/app.py:30", NULL));
    mk_expect(s, LK_HEALTHY, NULL);

    s = mk();
    x = two_batches(s);
    LOCK(x.semaphore)->set = true;
    mk_expect(s, LK_HEALTHY, NULL);

    s = mk();
    x = two_batches(s);
    LOCK(x.semaphore)->likely_enders.n = 0; /* a signal, that any code may give */
    mk_expect(s, LK_HEALTHY, NULL);
}

/* Threads: each is in a `with` and enters another one. */
static void threads_that_nest(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref semaphore = mk_sync(s, "threading.BoundedSemaphore"), t[2];
    LOCK(semaphore)->likely_for = "a unit of it is held by";
    LOCK(semaphore)->units_known = LOCK(semaphore)->units_all = true;
    LOCK(semaphore)->units_held = 2;
    for (int i = 0; i < 2; i++) {
        t[i] =
            mk_thread(s, "view", "stamp@/srv/app.py:5", "file@/srv/app.py:12", FLASK_REQUEST, NULL);
        mk_wait(s, t[i], LK_WAIT_SEMAPHORE, semaphore);
        THREAD(t[i])->wait.complete = false;
        lk_refs_add(s, &LOCK(semaphore)->likely_enders, t[i]);
    }
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK407");
    assert_int_equal(f->list.v[0].held_requests, 2);
    mk_free(s, f);
}

/* A limit of worker threads: a task holds a unit for each, and the thread waits for a task that
 * wants one. The threads are told, not the tasks that stand for them. */
static void threads_that_tasks_stand_for(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref loop = mk_idle_loop(s, mk_thread(s, "main", ASYNCIO_IDLE, NULL));
    struct lk_ref limiter = mk_sync(s, "anyio.CapacityLimiter");
    LOCK(limiter)->likely_for = "a unit of it is held by";
    LOCK(limiter)->units_known = LOCK(limiter)->units_all = true;
    for (int i = 0; i < 2; i++) {
        struct lk_ref worker = mk_thread(s, "worker", RESULT, "report@/srv/app.py:7", NULL);
        struct lk_ref holder = mk_task(s, loop, "view", "async app@/srv/app.py:20", NULL);
        struct lk_ref child = mk_task(s, loop, "load", "async load@/srv/app.py:3", NULL);
        mk_wait(s, holder, LK_WAIT_FUTURE, mk_future(s, worker));
        mk_wait(s, worker, LK_WAIT_FUTURE, mk_future(s, child));
        mk_wait(s, child, LK_WAIT_SEMAPHORE, limiter);
        TASK(child)->wait.complete = false;
        lk_refs_add(s, &LOCK(limiter)->likely_enders, holder);
    }
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK407");
    for (size_t i = 0; i < f->list.v[0].culprits.n; i++)
        assert_string_not_equal(f->list.v[0].culprits.v[i].function, "app");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "report");
    mk_free(s, f);
}

/* Where a lock with one holder is in the ring too, that is no matter of units. */
static void ring_with_a_lock(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref semaphore = mk_sync(s, "threading.BoundedSemaphore");
    struct lk_ref a = mk_thread(s, "a", "f@/srv/app.py:1", NULL),
                  b = mk_thread(s, "b", "g@/srv/app.py:2", NULL);
    LOCK(semaphore)->likely_for = "a unit of it is held by";
    LOCK(semaphore)->units_known = LOCK(semaphore)->units_all = true;
    lk_refs_add(s, &LOCK(semaphore)->likely_enders, a);
    mk_wait(s, a, LK_WAIT_LOCK, mk_lock(s, "threading.RLock", b));
    mk_wait(s, b, LK_WAIT_SEMAPHORE, semaphore);
    THREAD(b)->wait.complete = false;
    mk_free(s, mk_expect_one(s, LK_DEADLOCK, "LK108"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holders_wait_for_it),          cmocka_unit_test(all_units_are_known),
        cmocka_unit_test(somebody_gives_one_back),      cmocka_unit_test(threads_that_nest),
        cmocka_unit_test(threads_that_tasks_stand_for), cmocka_unit_test(ring_with_a_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
