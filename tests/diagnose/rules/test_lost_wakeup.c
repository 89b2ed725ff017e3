/*
 * LK203: a callback in the queue of a loop that nobody woke.
 */
#include "make.h"

static struct lk_ref sleeping_loop(struct lk_snapshot *s)
{
    struct lk_ref t = mk_thread(s, "bg-loop", ASYNCIO_IDLE, NULL), o = mk_idle_loop(s, t);
    struct lk_handle *h = lk_arena_array(s->arena, 1, sizeof *h);
    struct lk_pyframe *p = lk_arena_alloc(s->arena, sizeof *p);
    *p = mk_stack(s, "deliver@/srv/app.py:21", NULL)->frames[0];
    h->callback = "deliver";
    h->frame = p;
    h->stable = true;
    LOOP(o)->handles = h;
    LOOP(o)->n_handles = 1;
    LOOP(o)->ready = 1;
    LOOP(o)->ready_same_head = true;
    s->watched_ms = 2500;
    return o;
}

static void lost_wakeup(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    sleeping_loop(s);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK203");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "deliver");
    mk_free(s, f);
    /* the task that was created from another thread */
    s = mk();
    struct lk_ref o = sleeping_loop(s);
    LOOP(o)->handles[0].frame = NULL;
    LOOP(o)->handles[0].task = mk_ready_task(s, o, "compute");
    mk_waiting_request(s, mk_future(s, LOOP(o)->handles[0].task));
    f = mk_expect_one(s, LK_STALLED, "LK203");
    assert_int_equal(f->list.v[0].held_requests, 1);
    assert_string_equal(f->list.v[0].culprits.v[0].task, TASK(LOOP(o)->handles[0].task)->id);
    lk_findings_destroy(f);
    s->watched_ms = 200;
    f = mk_expect_one(s, LK_HAZARD, "LK203");
    assert_true(f->list.v[0].needs_time);
    mk_free(s, f);
    /* nothing is left that could wake it */
    s = mk();
    o = sleeping_loop(s);
    LOOP(o)->reachable = LK_NO;
    mk_expect(s, LK_DEADLOCK, "LK203");
}

static void no_lost_wakeup(void **state)
{
    (void)state;
    for (int i = 0; i < 9; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref o = sleeping_loop(s), t = LOOP(o)->thread,
                      other = mk_thread(s, "hammer", "push@/srv/app.py:4", NULL);
        switch (i) {
        case 0: LOOP(o)->wakeup_unread = 1; break;
        case 1: LOOP(o)->wakeup_unread = LK_UNKNOWN; break;
        case 2: LOOP(o)->ready_same_head = false; break;
        case 3: LOOP(o)->handles[0].cancelled = LK_YES; break;
        case 4: LOOP(o)->handles[0].cancelled = LK_TRI_UNKNOWN; break;
        case 5: THREAD(other)->inside_cst = o; break;
        case 6: mk_moved(s, t); break;
        case 7:
            THREAD(t)->wait.kind = LK_WAIT_GIL;
            LOOP(o)->in_own_selector = LK_NO;
            break;
        case 8:
            LOOP(o)->ready = 0;
            LOOP(o)->n_handles = 0;
            break;
        }
        mk_expect(s, LK_HEALTHY, NULL);
    }
}

/* What a request that failed has left in another loop's queue holds nobody up. */
static void nobody_waits(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = sleeping_loop(s);
    *LOOP(o)->handles[0].frame =
        mk_stack(s, "_sock_write_done@" STDLIB "asyncio/selector_events.py:662", NULL)->frames[0];
    LOOP(o)->tasks_pending = 0;
    struct lk_findings *f = mk_expect_one(s, LK_HEALTHY, NULL);
    lk_findings_destroy(f);
    LOOP(o)->ready = 40; /* not all of them were read */
    f = mk_expect_one(s, LK_STALLED, "LK203");
    lk_findings_destroy(f);
    LOOP(o)->ready = 1;
    LOOP(o)->tasks_pending = 1; /* the callback may let it go on */
    mk_expect(s, LK_STALLED, "LK203");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lost_wakeup),
        cmocka_unit_test(no_lost_wakeup),
        cmocka_unit_test(nobody_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
