/*
 * LK303: a loop inside a loop, or of two threads.
 */
#include "make.h"

static void nested_loop(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "bg-loop", RUN_UNTIL, "sync_helper@/srv/app.py:8",
                                "async handler@/srv/app.py:20", ASYNCIO_RUN_FOREVER, NULL);
    struct lk_ref outer = mk_loop(s, t);
    mk_idle_loop(s, t);
    struct lk_findings *f = mk_expect_one(s, LK_HAZARD, "LK303");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "sync_helper");
    lk_findings_destroy(f);
    LOOP(outer)->ready = 2;
    LOOP(outer)->ready_same_head = true;
    s->watched_ms = 2500;
    mk_expect(s, LK_STALLED, "LK303");
}

static void loop_of_two_threads(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref a = mk_thread(s, "a", RUN_UNTIL, "f@/srv/app.py:8", NULL),
                  b = mk_thread(s, "b", RUN_UNTIL, "g@/srv/app.py:9", NULL);
    struct lk_ref o = mk_idle_loop(s, a);
    THREAD(b)->frame_loops = THREAD(a)->frame_loops;
    THREAD(b)->n_frame_loops = 1;
    mk_wait(s, b, LK_WAIT_SELECTOR, o);
    struct lk_findings *f = mk_expect_one(s, LK_HAZARD, "LK303");
    assert_int_equal(f->list.v[0].culprits.n, 2);
    lk_findings_destroy(f);
    THREAD(b)->read = LK_READ_RACY; /* read while it may just have been leaving */
    mk_expect(s, LK_HEALTHY, NULL);
}

static void declared_nester(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "main", "select@" STDLIB "selectors.py:468",
                                "_run_once@" SITE "nest_asyncio.py:115",
                                "run_until_complete@" SITE "nest_asyncio.py:84",
                                "cell@/srv/app.py:8", ASYNCIO_RUN_FOREVER, NULL);
    mk_loop(s, t);
    mk_idle_loop(s, t);
    mk_expect(s, LK_HEALTHY, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_loop),
        cmocka_unit_test(loop_of_two_threads),
        cmocka_unit_test(declared_nester),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
