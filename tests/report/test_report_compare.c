/* Two reports compared: findings by rule and fingerprint, threads by process, id and place. */
#include "cm.h"

#include <stdio.h>

#include "fixtures.h"
#include "report/compare.h"

static struct lk_side one(const struct lk_report *r)
{
    return (struct lk_side){ r, 1 };
}

static char *written(const struct lk_comparison *c, const char *format)
{
    char *out = NULL;
    size_t n;
    FILE *f = open_memstream(&out, &n);
    const struct lk_render how = { .width = 100 };
    assert_int_equal(lk_comparison_write(c, format, &how, f), 0);
    fclose(f);
    return out;
}

static size_t count(const struct lk_comparison *c, enum lk_motion m)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_threads; i++)
        n += c->threads[i].motion == m;
    return n;
}

static void the_same_hang_later(void **state)
{
    struct lk_report a = fixture_deadlock(), b = fixture_deadlock();
    struct lk_arena *arena = lk_arena_create();
    (void)state;
    b.snap->threads.v[2].stuck_ms = 1000; /* it went on and came back */
    b.snap->threads.v[3].moved = true;
    b.snap->threads.v[4].python_stack = b.snap->threads.v[1].python_stack;
    const struct lk_comparison c = lk_compare(arena, one(&a), one(&b));
    assert_true(c.same);
    assert_int_equal(c.n_findings, a.findings->list.n);
    assert_int_equal(c.findings[0].change, LK_CHANGE_STILL);
    assert_int_equal(count(&c, LK_MOTION_BACK), 2);
    assert_int_equal(count(&c, LK_MOTION_MOVED), 1);
    assert_int_equal(count(&c, LK_MOTION_STUCK), 1);
    assert_int_equal(count(&c, LK_MOTION_IDLE), 5);
    char *text = written(&c, "text");
    assert_has(text, "SAME  deadlock, then deadlock: 0 new, 0 gone, ");
    assert_has(text, "still LK101 loop-waits-on-itself: deadlock, 6f1c00000000101");
    assert_has(text, "bg-loop [4712] future-wait at outer (app.py:10), for 14 min");
    free(text);
    lk_arena_destroy(arena);
    fixture_destroy(&a);
    fixture_destroy(&b);
}

static void another_process_shows_no_threads(void **state)
{
    struct lk_report a = fixture_deadlock(), b = fixture_healthy();
    struct lk_arena *arena = lk_arena_create();
    (void)state;
    b.snap->start_time = "2026-01-31T13:00:00.000Z"; /* the pid was given to another one */
    const struct lk_comparison c = lk_compare(arena, one(&a), one(&b)),
                               back = lk_compare(arena, one(&b), one(&a)),
                               none = lk_compare(arena, (struct lk_side){ 0 }, one(&a));
    assert_false(c.same || back.same || none.same);
    assert_int_equal(c.in_both, 0);
    assert_int_equal(c.n_threads, 0);
    assert_int_equal(c.findings[0].change, LK_CHANGE_GONE);
    assert_int_equal(back.findings[0].change, LK_CHANGE_NEW);
    free(written(&none, "text"));
    free(written(&none, "json"));
    lk_arena_destroy(arena);
    fixture_destroy(&a);
    fixture_destroy(&b);
}

/* A finding that got worse is no other one, but it differs. */
static void a_worse_finding_differs(void **state)
{
    struct lk_report a = fixture_deadlock(), b = fixture_deadlock();
    struct lk_arena *arena = lk_arena_create();
    (void)state;
    a.findings->list.v[0].severity = LK_STALLED;
    const struct lk_comparison c = lk_compare(arena, one(&a), one(&b));
    assert_false(c.same);
    assert_int_equal(c.findings[0].change, LK_CHANGE_STILL);
    char *text = written(&c, "text");
    assert_has(text, "deadlock (it was stalled)");
    free(text);
    lk_arena_destroy(arena);
    fixture_destroy(&a);
    fixture_destroy(&b);
}

static void threads_come_and_go(void **state)
{
    struct lk_report a = fixture_deadlock(), b = fixture_deadlock();
    struct lk_arena *arena = lk_arena_create();
    (void)state;
    b.snap->threads.v[8].tid = 9999;
    const struct lk_comparison c = lk_compare(arena, one(&a), one(&b));
    assert_int_equal(count(&c, LK_MOTION_NEW), 1);
    assert_int_equal(count(&c, LK_MOTION_GONE), 1);
    char *json = written(&c, "json");
    assert_has(json, "\"schema\": \"loopknot.comparison/1\"");
    assert_has(json, "\"motion\": \"gone\"");
    free(json);
    lk_arena_destroy(arena);
    fixture_destroy(&a);
    fixture_destroy(&b);
}

/* A set from a file may name one process as often as it likes, and give its findings no rule. */
static void a_process_that_is_there_twice_is_compared_once(void **state)
{
    enum { TIMES = 50 };
    struct lk_report a = fixture_deadlock(), b[TIMES];
    struct lk_arena *arena = lk_arena_create();
    (void)state;
    for (size_t i = 0; i < TIMES; i++) {
        b[i] = fixture_deadlock();
        b[i].snap->threads.n = 0;
        b[i].findings->list.v[0].rule = NULL;
    }
    const struct lk_side many = { b, TIMES };
    const struct lk_comparison c = lk_compare(arena, one(&a), many),
                               back = lk_compare(arena, many, one(&a));
    assert_int_equal(c.in_both, 1);
    assert_int_equal(c.n_threads, a.snap->threads.n);
    assert_int_equal(back.in_both, 1);
    assert_int_equal(back.n_threads, a.snap->threads.n);
    assert_int_equal(c.findings[0].change, LK_CHANGE_NEW);
    assert_false(c.same || back.same);
    lk_arena_destroy(arena);
    for (size_t i = 0; i < TIMES; i++)
        fixture_destroy(&b[i]);
    fixture_destroy(&a);
}

static void names_are_harmless(void **state)
{
    struct lk_report a = fixture_hostile("\033[31m\n\xff"), b = fixture_hostile("\033[32m\n\xff");
    struct lk_arena *arena = lk_arena_create();
    (void)state;
    const struct lk_comparison c = lk_compare(arena, one(&a), one(&b));
    char *text = written(&c, "text"), *json = written(&c, "json");
    assert_lacks(text, "\033");
    assert_lacks(json, "\033");
    free(text);
    free(json);
    lk_arena_destroy(arena);
    fixture_destroy(&a);
    fixture_destroy(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_hang_later),
        cmocka_unit_test(another_process_shows_no_threads),
        cmocka_unit_test(a_worse_finding_differs),
        cmocka_unit_test(threads_come_and_go),
        cmocka_unit_test(a_process_that_is_there_twice_is_compared_once),
        cmocka_unit_test(names_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
