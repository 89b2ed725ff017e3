/*
 * Suspended greenlets of no hub are tasks that belong to no loop, and what they wait for is not
 * known: they can go on only in their thread.
 */
#include "make.h"

static void add_greenlets(struct lk_snapshot *s, struct lk_ref thread)
{
    for (int i = 0; i < 3; i++) {
        struct lk_ref k = mk_task(s, NONE, "greenlet", "query@/srv/db.py:12", FLASK_REQUEST, NULL);
        TASK(k)->kind = LK_TASK_GREENLET;
        TASK(k)->coroutine = "query";
        TASK(k)->thread = thread;
        TASK(k)->wait.kind = LK_WAIT_UNKNOWN;
        TASK(k)->stable = i == 0;
    }
}

static void idle_below_asyncio(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "bg-loop", ASYNCIO_IDLE, NULL), o = mk_idle_loop(s, t);
    mk_wait(s, mk_task(s, o, "spawn", "async spawn@/srv/db.py:20", NULL), LK_WAIT_SLEEP,
            lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 90000));
    add_greenlets(s, t);
    mk_expect(s, LK_HEALTHY, NULL);
}

static void not_held_up(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "bg-loop", HANDLER, NULL), o = mk_loop(s, t);
    mk_running_task(s, o, "device", t);
    mk_wait(s, t, LK_WAIT_IO, NONE);
    struct lk_ref other =
        mk_thread(s, "Thread-1", RESULT, "version@/srv/app.py:40", FLASK_REQUEST, NULL);
    mk_wait(s, other, LK_WAIT_FUTURE, mk_future(s, mk_ready_task(s, o, "version")));
    add_greenlets(s, t);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK401");
    assert_int_equal(f->list.v[0].held_tasks, 1);
    assert_int_equal(f->list.v[0].held_requests, 1);
    mk_free(s, f);
}

static void not_orphaned(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = mk_left_loop(s, LK_LOOP_CLOSED);
    mk_task(s, o, "send_mail", "async send_mail@/srv/app.py:15", NULL);
    add_greenlets(s, NONE);
    struct lk_findings *f = mk_expect_one(s, LK_HAZARD, "LK202");
    assert_int_equal(f->list.v[0].held_tasks, 1);
    assert_int_equal(f->list.v[0].tasks.n, 1);
    assert_int_equal(f->list.v[0].culprits.n, 1);
    mk_free(s, f);
}

static void held_up_by_their_threads_deadlock(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "a", "f@/srv/app.py:1", NULL);
    mk_wait(s, t, LK_WAIT_LOCK, mk_lock(s, "threading.Lock", t));
    add_greenlets(s, t);
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK103");
    assert_int_equal(f->list.v[0].held_tasks, 3);
    assert_int_equal(f->list.v[0].tasks.n, 0);
    mk_free(s, f);
}

/* The loop runs in a greenlet that is suspended, and the thread's first one sleeps, as with
 * Playwright; or it is the first that is suspended, and one that a task switched to sleeps, as with
 * SQLAlchemy: that is in the loop's way. */
static void loop_in_another_greenlet(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "main", "query@/srv/app.py:30", NULL), o = mk_loop(s, t);
        THREAD(t)->n_frame_loops = 0;
        THREAD(t)->running_loop = o;
        LOOP(o)->driven_in_python = true;
        LOOP(o)->turn = 4711;
        LOOP(o)->callback_same = true;
        mk_ready_task(s, o, "other");
        mk_wait(s, t, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 90000));
        struct lk_ref k = mk_task(s, NONE, "greenlet", ASYNCIO_RUN_FOREVER, NULL);
        TASK(k)->kind = LK_TASK_GREENLET;
        TASK(k)->wait.kind = LK_WAIT_UNKNOWN;
        TASK(k)->thread = i == 2 ? mk_thread(s, "b", "f@/srv/app.py:1", NULL) : i == 3 ? NONE : t;
        TASK(k)->first = i == 1;
        if (i == 1 || i == 2)
            mk_expect(s, LK_STALLED, "LK401");
        else
            mk_expect(s, LK_HEALTHY, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_below_asyncio),
        cmocka_unit_test(not_held_up),
        cmocka_unit_test(not_orphaned),
        cmocka_unit_test(held_up_by_their_threads_deadlock),
        cmocka_unit_test(loop_in_another_greenlet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
