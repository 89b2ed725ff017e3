/*
 * LK201 and LK204: waits for what only a loop that is closed, stopped or lost in a fork brings
 * about.
 */
#include "make.h"

static void future_on_a_closed_loop(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = mk_left_loop(s, LK_LOOP_CLOSED);
    struct lk_ref task = mk_task(s, o, "work", "async work@/srv/app.py:12", NULL);
    mk_wait(s, task, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 400));
    struct lk_ref t = mk_waiting_request(s, mk_future(s, task));
    mk_stuck(s, t, 200); /* proven is proven at once */
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK201");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "job");
    assert_string_equal(f->list.v[0].culprits.v[1].function, "work");
    assert_int_equal(f->list.v[0].held_requests, 1);
    assert_int_equal(f->list.v[0].loops.n, 1);
    lk_findings_destroy(f);
    mk_timeout(s, t, 3000);
    mk_stuck(s, t, 5000);
    f = mk_diagnose(s);
    assert_int_equal(f->verdict, LK_STALLED);
    mk_free(s, f);
}

/* A handle that would have made the task stands in the closed loop's queue. */
static void future_in_a_closed_loops_queue(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    mk_waiting_request(s, mk_future(s, mk_left_loop(s, LK_LOOP_CLOSED)));
    mk_expect(s, LK_DEADLOCK, "LK201");
}

/* Somebody who sleeps has it in a table, and completes futures. */
static void future_in_hands(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref f = mk_future(s, mk_left_loop(s, LK_LOOP_CLOSED)),
                  janitor = mk_thread(s, "janitor", "fail_old@/srv/app.py:30", NULL);
    mk_waiting_request(s, f);
    mk_wait(s, janitor, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 90000));
    lk_findings_destroy(mk_expect_one(s, LK_DEADLOCK, "LK201"));
    lk_refs_add(s, &FUTURE(f)->at_hand, janitor);
    mk_expect(s, LK_STALLED, "LK201");
}

static void future_on_a_stopped_loop(void **state)
{
    (void)state;
    const enum lk_loop_run runs[] = { LK_LOOP_STOPPED, LK_LOOP_NEVER_RUN };
    for (int i = 0; i < 2; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t =
            mk_waiting_request(s, mk_future(s, mk_ready_task(s, mk_left_loop(s, runs[i]), "work")));
        struct lk_findings *f = mk_diagnose(s);
        assert_int_equal(f->verdict, LK_STALLED);
        assert_string_equal(f->list.v[0].rule->id, "LK201");
        assert_null(mk_find(f, "LK202")); /* blames nobody else */
        lk_findings_destroy(f);
        /* It was run between two samples. */
        s->loops.v[0].stable = false;
        f = mk_diagnose(s);
        assert_null(mk_find(f, "LK201"));
        lk_findings_destroy(f);
        s->loops.v[0].stable = true;
        /* Not yet: look on. */
        mk_stuck(s, t, 400);
        f = mk_diagnose(s);
        assert_null(mk_find(f, "LK201"));
        assert_true(mk_watches(f, t));
        mk_free(s, f);
    }
}

static void lost_in_fork(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    mk_waiting_request(
        s, mk_future(s, mk_ready_task(s, mk_left_loop(s, LK_LOOP_LOST_IN_FORK), "work")));
    mk_expect(s, LK_DEADLOCK, "LK204");
    s = mk();
    struct lk_ref lock = mk_lock(s, "threading.Lock", NONE);
    LOCK(lock)->lost_in_fork = LOCK(lock)->owner_certain = true;
    mk_wait(s, mk_thread(s, "main", "handle@/srv/app.py:9", NULL), LK_WAIT_LOCK, lock);
    mk_expect(s, LK_DEADLOCK, "LK204");
    /* that the parent has the lock too could not be read */
    s = mk();
    lock = mk_lock(s, "threading.Lock", NONE);
    LOCK(lock)->lost_in_fork = true;
    mk_wait(s, mk_thread(s, "main", "handle@/srv/app.py:9", NULL), LK_WAIT_LOCK, lock);
    mk_expect(s, LK_STALLED, "LK204");
    s = mk();
    struct lk_ref pool = mk_pool(s, 4);
    EXECUTOR(pool)->lost_in_fork = true;
    mk_waiting_request(s, mk_future(s, pool));
    mk_expect(s, LK_DEADLOCK, "LK204");
    /* The parent's loop is in the child too, and nobody waits for it. */
    s = mk();
    mk_ready_task(s, mk_left_loop(s, LK_LOOP_LOST_IN_FORK), "work");
    mk_expect(s, LK_HEALTHY, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(future_on_a_closed_loop),
        cmocka_unit_test(future_in_a_closed_loops_queue),
        cmocka_unit_test(future_in_hands),
        cmocka_unit_test(future_on_a_stopped_loop),
        cmocka_unit_test(lost_in_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
