/* Which sample follows which: at most one second look, at most one watch, in this order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "examine/next_step.h"

static struct lk_ref a_thread = { LK_KIND_THREAD, 0 };

static void test_what_follows(void **state)
{
    (void)state;
    const struct lk_look_again nothing = { 0 }, at_once = { .at_once = true };
    const struct lk_look_again at_end = { .at_end = true };
    const struct lk_look_again threads = { .threads = { &a_thread, 1, 1 } };
    const struct lk_look_again all = { .threads = { &a_thread, 1, 1 },
                                       .at_end = true,
                                       .at_once = true };
    const struct {
        enum lk_step last;
        size_t n_samples;
        const struct lk_look_again *again;
        enum lk_step next;
    } rows[] = {
        { LK_STEP_SAMPLE, 1, &nothing, LK_STEP_NONE },
        { LK_STEP_SAMPLE, 3, &nothing, LK_STEP_NONE },
        /* one sample cannot tell whether anything moves */
        { LK_STEP_SAMPLE, 1, &threads, LK_STEP_SECOND_LOOK },
        { LK_STEP_SAMPLE, 1, &at_end, LK_STEP_SECOND_LOOK },
        { LK_STEP_SAMPLE, 2, &threads, LK_STEP_WATCH },
        { LK_STEP_SAMPLE, 3, &at_end, LK_STEP_WATCH },
        { LK_STEP_SAMPLE, 1, &at_once, LK_STEP_SECOND_LOOK },
        { LK_STEP_SAMPLE, 3, &at_once, LK_STEP_SECOND_LOOK },
        { LK_STEP_SAMPLE, 3, &all, LK_STEP_SECOND_LOOK },
        /* never a second time */
        { LK_STEP_SECOND_LOOK, 2, &at_once, LK_STEP_NONE },
        { LK_STEP_SECOND_LOOK, 4, &all, LK_STEP_WATCH },
        { LK_STEP_SECOND_LOOK, 2, &nothing, LK_STEP_NONE },
        { LK_STEP_WATCH, 5, &all, LK_STEP_NONE },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++)
        assert_int_equal(lk_step_after(rows[i].last, rows[i].n_samples, rows[i].again),
                         rows[i].next);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_what_follows) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
