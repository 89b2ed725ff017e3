/*
 * LK202 and LK205: loops that nobody runs, with tasks on them or many of them.
 */
#include "make.h"

/* app.run() blocks; the loop has a task of its own and will never run: the waiting request and the
 * task are two culprits. */
static void never_run_loop_with_a_task_of_its_own(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = mk_left_loop(s, LK_LOOP_NEVER_RUN);
    mk_ready_task(s, o, "heartbeat");
    mk_waiting_request(s, mk_future(s, o));
    struct lk_findings *f = mk_diagnose(s);
    assert_int_equal(f->verdict, LK_STALLED);
    assert_non_null(mk_find(f, "LK201"));
    assert_non_null(mk_find(f, "LK202"));
    assert_string_equal(mk_find(f, "LK202")->culprits.v[0].function, "heartbeat");
    mk_free(s, f);
}

/* A scheduler hands its jobs to a loop whose thread has ended. */
static void callbacks_on_a_stopped_loop(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref o = mk_left_loop(s, LK_LOOP_STOPPED);
        struct lk_handle *h = lk_arena_array(s->arena, 1, sizeof *h);
        struct lk_pyframe *p = lk_arena_alloc(s->arena, sizeof *p);
        const char *frame = i == 1 ? "_run@" STDLIB "asyncio/events.py:80" : "tick@/srv/app.py:21";
        *p = mk_stack(s, frame, NULL)->frames[0];
        h->callback = "tick";
        h->frame = p;
        h->cancelled = i == 2 ? LK_YES : LK_NO;
        LOOP(o)->handles = h;
        LOOP(o)->n_handles = 1;
        LOOP(o)->ready = 1;
        LOOP(o)->ready_same_head = i != 3;
        LOOP(o)->run = i == 4 ? LK_LOOP_CLOSED : LK_LOOP_STOPPED;
        if (i == 5) /* LK201 tells it */
            mk_waiting_request(s, mk_future(s, o));
        struct lk_findings *f = mk_diagnose(s);
        assert_int_equal(mk_find(f, "LK202") != NULL, i == 0);
        if (i == 0)
            assert_string_equal(mk_find(f, "LK202")->culprits.v[0].function, "tick");
        mk_free(s, f);
    }
}

/* A loop run in bursts: stopped when looked at, but not the same all the time. */
static void burst_loop_is_healthy(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = mk_left_loop(s, LK_LOOP_STOPPED),
                  scheduler = mk_thread(s, "scheduler", "run_in_bursts@/srv/app.py:9", NULL);
    LOOP(o)->stable = false;
    mk_wait(s, scheduler, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 20));
    mk_stuck(s, scheduler, 10);
    struct lk_ref task = mk_task(s, o, "double", "async double@/srv/app.py:12", NULL);
    mk_wait(s, task, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 20));
    mk_stuck(s, mk_waiting_request(s, mk_future(s, task)), 40);
    struct lk_findings *f = mk_diagnose(s);
    assert_int_equal(f->list.n, 0);
    assert_int_equal(f->verdict, LK_HEALTHY);
    lk_findings_destroy(f);
    /* and one that was seen between two bursts in all samples, or in the only one there is */
    LOOP(o)->stable = true;
    f = mk_diagnose(s);
    assert_int_equal(f->list.n, 0);
    lk_findings_destroy(f);
    s->watched_ms = 0;
    f = mk_diagnose(s);
    assert_int_equal(f->list.n, 0);
    lk_findings_destroy(f);
    /* a timer that is long overdue says that nobody has run it */
    s->watched_ms = 200;
    LOOP(o)->timers = 1;
    LOOP(o)->next_timer_ms = -9000;
    mk_expect(s, LK_HAZARD, "LK202");
}

/* One look while threads run may be torn: it asks for another one, and says nothing. */
static void seen_once_while_it_ran(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    mk_task(s, mk_left_loop(s, LK_LOOP_CLOSED), "send_mail", "async send_mail@/srv/app.py:15",
            NULL);
    for (int i = 0; i < 3; i++)
        LOOP(mk_left_loop(s, LK_LOOP_NEVER_RUN))->read = LK_READ_RACY;
    s->tasks.v[0].read = LK_READ_RACY;
    s->watched_ms = 0;
    struct lk_findings *f = lk_diagnose(s);
    assert_int_equal(f->list.n, 0);
    assert_true(f->look_again.at_once);
    lk_findings_destroy(f);
    s->watched_ms = 100;
    f = lk_diagnose(s);
    assert_non_null(mk_find(f, "LK202"));
    assert_non_null(mk_find(f, "LK205"));
    assert_false(f->look_again.at_once);
    mk_free(s, f);
}

static void orphaned_tasks(void **state)
{
    (void)state;
    const enum lk_loop_run runs[] = { LK_LOOP_STOPPED, LK_LOOP_NEVER_RUN, LK_LOOP_CLOSED };
    for (int i = 0; i < 3; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref o = mk_left_loop(s, runs[i]);
        for (int k = 0; k < 3; k++)
            mk_task(s, o, "send_mail", "async send_mail@/srv/app.py:15", NULL);
        struct lk_findings *f = mk_expect_one(s, LK_HAZARD, "LK202");
        assert_int_equal(f->list.v[0].held_tasks, 3);
        assert_int_equal(f->list.v[0].culprits.n, 1);
        assert_int_equal(f->list.v[0].culprits.v[0].line, 15);
        assert_int_equal(f->list.v[0].culprits.v[0].tid, LK_UNKNOWN);
        lk_findings_destroy(f);
        for (size_t k = 0; k < s->tasks.n; k++)
            s->tasks.v[k].state = LK_TASK_DONE;
        mk_expect(s, LK_HEALTHY, NULL);
    }
}

static void leaked_loops(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    for (int i = 0; i < 4; i++) {
        struct lk_ref o = mk_left_loop(s, i % 2 ? LK_LOOP_STOPPED : LK_LOOP_NEVER_RUN);
        LOOP(o)->found_by = LK_FOUND_HEAP;
        LOOP(o)->stable = false; /* found once, after the samples */
    }
    struct lk_findings *f = mk_expect_one(s, LK_HAZARD, "LK205");
    assert_int_equal(f->list.v[0].loops.n, 4);
    assert_int_equal(f->list.v[0].culprits.n, 0);
    mk_free(s, f);
}

static void loops_that_are_no_leak(void **state)
{
    (void)state;
    /* threads that each run a loop of their own in bursts */
    struct lk_snapshot *b = mk();
    for (int i = 0; i < 3; i++) {
        lk_loop_at(b, mk_left_loop(b, LK_LOOP_STOPPED))->found_by = LK_FOUND_HEAP;
        mk_wait(b, mk_thread(b, "burster", "run@/srv/app.py:9", NULL), LK_WAIT_SLEEP, NONE);
    }
    mk_expect(b, LK_HEALTHY, NULL);
    struct lk_snapshot *s = mk();
    mk_left_loop(s, LK_LOOP_STOPPED); /* one idle leftover */
    mk_expect(s, LK_HEALTHY, NULL);
    s = mk();
    mk_left_loop(s, LK_LOOP_STOPPED); /* ... beside uvloop */
    struct lk_ref uv =
        mk_idle_loop(s, mk_thread(s, "main", "run@" STDLIB "asyncio/runners.py:44", NULL));
    LOOP(uv)->kind = "uvloop";
    LOOP(uv)->cls = "uvloop.Loop";
    mk_expect(s, LK_HEALTHY, NULL);
    s = mk();
    for (int i = 0; i < 3; i++)
        mk_left_loop(s, LK_LOOP_CLOSED);
    mk_expect(s, LK_HEALTHY, NULL);
    s = mk();
    for (int i = 0; i < 3; i++)
        LOOP(mk_left_loop(s, LK_LOOP_STOPPED))->origin = "asgiref.sync";
    mk_expect(s, LK_HEALTHY, NULL);
    s = mk();
    for (int i = 0; i < 3; i++)
        LOOP(mk_left_loop(s, LK_LOOP_STOPPED))->stable =
            false; /* it was not stopped all the time */
    mk_expect(s, LK_HEALTHY, NULL);
    s = mk();
    for (int i = 0; i < 3; i++)
        LOOP(mk_left_loop(s, LK_LOOP_NEVER_RUN))->found_by = LK_FOUND_FRAME; /* about to be used */
    mk_expect(s, LK_HEALTHY, NULL);
    s = mk();
    LOOP(mk_left_loop(s, LK_LOOP_STOPPED))->origin = "app.A";
    LOOP(mk_left_loop(s, LK_LOOP_STOPPED))->origin = "other.B";
    mk_expect(s, LK_HEALTHY, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callbacks_on_a_stopped_loop),
        cmocka_unit_test(never_run_loop_with_a_task_of_its_own),
        cmocka_unit_test(burst_loop_is_healthy),
        cmocka_unit_test(seen_once_while_it_ran),
        cmocka_unit_test(orphaned_tasks),
        cmocka_unit_test(leaked_loops),
        cmocka_unit_test(loops_that_are_no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
