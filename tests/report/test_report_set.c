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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_equal_members),
        cmocka_unit_test(keeps_other_findings_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
