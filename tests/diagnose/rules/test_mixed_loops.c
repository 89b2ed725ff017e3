/*
 * LK304: loops of several kinds.
 */
#include "make.h"

static void mixed_loop_kinds(void **state)
{
    (void)state;
    for (int i = 0; i < 7; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref a = mk_thread(s, "main", ASYNCIO_IDLE, "serve@/srv/app.py:90", NULL),
                      oa = mk_idle_loop(s, a);
        struct lk_ref b = mk_thread(s, "bg", ASYNCIO_IDLE, "background@/srv/app.py:30", NULL),
                      ob = mk_idle_loop(s, b);
        LOOP(oa)->kind_id = 1;
        LOOP(ob)->kind_id = 2;
        switch (i) {
        case 1: LOOP(ob)->kind_id = 1; break;
        case 2:
            LOOP(ob)->run = LK_LOOP_STOPPED;
            LOOP(ob)->thread = NONE;
            THREAD(b)->n_frame_loops = 0;
            break;
        case 3:
            LOOP(ob)->run = LK_LOOP_CLOSED;
            LOOP(ob)->closed = LK_YES;
            break;
        case 4: LOOP(ob)->stable = false; break;
        case 6:
            THREAD(a)->python_stack = mk_stack(s, NULL);
            break; /* met awake: who runs it is not known */
        case 5: LOOP(oa)->framework_owned = LOOP(ob)->framework_owned = true; break;
        }
        struct lk_findings *f = i == 0 ? mk_expect_one(s, LK_HAZARD, "LK304") : mk_diagnose(s);
        assert_true(i == 0 || !mk_find(f, "LK304"));
        if (i == 0) {
            assert_int_equal(f->list.v[0].loops.n, 2);
            assert_string_equal(f->list.v[0].culprits.v[0].function, "serve");
            assert_string_equal(f->list.v[0].culprits.v[1].function, "background");
        }
        mk_free(s, f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixed_loop_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
