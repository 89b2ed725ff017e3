/* How a set of reports is folded: by verdict, role, command and findings; worst first. */
#include "cm.h"

#include <string.h>

#include "fixtures.h"
#include "report/process_groups.h"

static struct lk_report with_pid(struct lk_report r, int64_t pid, int64_t parent)
{
    r.snap->pid = pid;
    r.snap->ppid = parent;
    return r;
}

static void folds_equal_members(void **state)
{
    (void)state;
    struct lk_report r[] = {
        with_pid(fixture_healthy(), 10, 1),  with_pid(fixture_deadlock(), 11, 10),
        with_pid(fixture_healthy(), 12, 10), with_pid(fixture_deadlock(), 13, 10),
        with_pid(fixture_healthy(), 14, 10),
    };
    r[0].snap->supervisor = &fixture_gunicorn_master;
    struct lk_arena *a = lk_arena_create();
    struct lk_process_groups set = lk_process_groups_create(a, r, 5, false);
    assert_int_equal(set.n_groups, 3);
    assert_int_equal(set.groups[0].n, 2);
    assert_int_equal(r[set.groups[0].members[0]].snap->pid, 11);
    assert_int_equal(r[set.groups[0].members[1]].snap->pid, 13);
    assert_string_equal(set.groups[0].role, "gunicorn worker");
    assert_string_equal(set.groups[1].role, "gunicorn master");
    assert_int_equal(set.groups[2].n, 2);
    assert_string_equal(lk_process_groups_pids(a, r, &set.groups[0], 9), "pid 11 and 13");
    assert_string_equal(lk_process_groups_pids(a, r, &set.groups[0], 1), "pid 11 and 1 more");
    assert_int_equal(lk_process_groups_create(a, r, 5, true).n_groups, 5);
    lk_arena_destroy(a);
    for (size_t i = 0; i < 5; i++)
        fixture_destroy(&r[i]);
}

/* The same rule at another place is another hang. */
static void keeps_other_findings_apart(void **state)
{
    (void)state;
    struct lk_report r[] = { with_pid(fixture_deadlock(), 11, 1),
                             with_pid(fixture_deadlock(), 13, 1) };
    memcpy(r[1].findings->list.v[0].fingerprint, "0000000000000000", 17);
    struct lk_arena *a = lk_arena_create();
    assert_int_equal(lk_process_groups_create(a, r, 2, false).n_groups, 2);
    lk_arena_destroy(a);
    fixture_destroy(&r[0]);
    fixture_destroy(&r[1]);
}

static const struct lk_report *nth(const struct lk_process_groups *set, const struct lk_report *r,
                                   size_t i)
{
    return &r[set->groups[i].members[0]];
}

/* Who waits for whose process decides, before the verdict and the order of the tree do. */
static void causes_come_before_victims(void **state)
{
    (void)state;
    struct lk_report r[] = { with_pid(fixture_deadlock(), 10, 1),
                             with_pid(fixture_deadlock(), 11, 10),
                             with_pid(fixture_deadlock(), 12, 11),
                             with_pid(fixture_healthy(), 13, 10) };
    struct lk_arena *a = lk_arena_create();
    for (int64_t i = 0; i < 2; i++) /* 10 waits for 11, and 11 for 12 */
        lk_vec_add(&r[i].snap->cross_waits, ((struct lk_cross_wait){ .pid = 11 + i }));
    lk_vec_add(&r[0].snap->cross_waits, ((struct lk_cross_wait){ .pid = 13 }));
    r[1].findings->verdict = LK_HAZARD;
    r[2].findings->verdict = LK_STALLED;
    struct lk_process_groups set = lk_process_groups_create(a, r, 4, true);
    static const int64_t order[] = { 12, 11, 10, 13 };
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(nth(&set, r, i)->snap->pid, order[i]);
    /* in a ring it begins with the first of the tree */
    lk_vec_add(&r[2].snap->cross_waits, ((struct lk_cross_wait){ .pid = 10 }));
    set = lk_process_groups_create(a, r, 4, true);
    static const int64_t ring[] = { 10, 12, 11, 13 };
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(nth(&set, r, i)->snap->pid, ring[i]);
    lk_arena_destroy(a);
    for (size_t i = 0; i < 4; i++)
        fixture_destroy(&r[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_equal_members),
        cmocka_unit_test(keeps_other_findings_apart),
        cmocka_unit_test(causes_come_before_victims),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
