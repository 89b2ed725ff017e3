/* LK302: what a task awaits across loops, and when that is a hang. */
#include "make.h"

#include <string.h>

/* A sleeping loop with a task that waits for a task of another sleeping loop. */
struct two {
    struct lk_snapshot *s;
    struct lk_ref loop, other, waiter, awaited;
};

static struct two two_loops(void)
{
    struct two w = { .s = mk() };
    struct lk_snapshot *s = w.s;
    w.loop = mk_idle_loop(s, mk_thread(s, "a", ASYNCIO_IDLE, NULL));
    w.other = mk_idle_loop(s, mk_thread(s, "b", ASYNCIO_IDLE, NULL));
    w.waiter = mk_task(s, w.loop, "view", "async _wait@" STDLIB "asyncio/tasks.py:525",
                       "async view@/srv/app.py:9", NULL);
    w.awaited = mk_task(s, w.other, "refresh", "async refresh@/srv/app.py:4", NULL);
    mk_wait(s, w.awaited, LK_WAIT_FUTURE, mk_bare_future(s));
    mk_wait(s, w.waiter, LK_WAIT_FUTURE, w.awaited);
    TASK(w.waiter)->crosses = w.awaited;
    TASK(w.waiter)->crosses_loop = w.other;
    return w;
}

static void complete(struct two *w)
{
    struct lk_snapshot *s = w->s;
    TASK(w->awaited)->state = LK_TASK_DONE;
    TASK(w->waiter)->crosses_done = TASK(w->waiter)->ready = true;
    mk_wait(s, w->waiter, LK_WAIT_READY, w->loop);
    LOOP(w->loop)->wakeup_unread = 0;
}

static void pending_is_a_hazard(void **state)
{
    (void)state;
    struct two w = two_loops();
    struct lk_findings *f = mk_expect_one(w.s, LK_HAZARD, "LK302");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "view");
    assert_int_equal(f->list.v[0].loops.n, 2);
    assert_false(f->list.v[0].needs_time);
    mk_free(w.s, f);
}

static void done_and_asleep_is_a_hang(void **state)
{
    (void)state;
    struct two w = two_loops();
    complete(&w);
    w.s->watched_ms = 2500;
    mk_expect(w.s, LK_STALLED, "LK302");
    w = two_loops();
    complete(&w);
    struct lk_snapshot *s = w.s;
    s->watched_ms = 300;
    mk_stuck(s, LOOP(w.loop)->thread, 300);
    struct lk_findings *f = mk_expect_one(s, LK_HAZARD, "LK302"); /* not yet */
    assert_true(f->list.v[0].needs_time);
    mk_free(s, f);
}

static void about_to_be_woken(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct two w = two_loops();
        struct lk_snapshot *s = w.s;
        complete(&w);
        s->watched_ms = 2500;
        if (i == 0)
            LOOP(w.loop)->wakeup_unread = 1;
        else if (i == 1)
            LOOP(w.loop)->in_own_selector = LK_NO;
        else
            mk_moved(s, LOOP(w.loop)->thread);
        struct lk_findings *f = mk_diagnose(s);
        assert_true(f->verdict <= LK_HAZARD);
        mk_free(s, f);
    }
}

static void same_loop_is_none(void **state)
{
    (void)state;
    struct two w = two_loops();
    struct lk_snapshot *s = w.s;
    TASK(w.waiter)->crosses_loop = w.loop;
    mk_expect(s, LK_HEALTHY, NULL);
    w = two_loops();
    s = w.s;
    TASK(w.waiter)->crosses_loop = TASK(w.waiter)->crosses = NONE;
    mk_expect(s, LK_HEALTHY, NULL);
}

static void lock_held_on_another_loop(void **state)
{
    (void)state;
    for (int same = 0; same < 2; same++) {
        struct two w = two_loops();
        struct lk_snapshot *s = w.s;
        TASK(w.waiter)->crosses_loop = TASK(w.waiter)->crosses = NONE;
        struct lk_ref lock = mk_lock(s, "asyncio.Lock", w.awaited);
        LOCK(lock)->loop = w.loop;
        if (same)
            TASK(w.awaited)->loop = w.loop;
        mk_wait(s, w.waiter, LK_WAIT_LOCK, lock);
        mk_expect(s, same ? LK_HEALTHY : LK_HAZARD, same ? NULL : "LK302");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pending_is_a_hazard),       cmocka_unit_test(done_and_asleep_is_a_hang),
        cmocka_unit_test(about_to_be_woken),         cmocka_unit_test(same_loop_is_none),
        cmocka_unit_test(lock_held_on_another_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
