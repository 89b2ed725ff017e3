#include "cm.h"

#include <jansson.h>

#include "fixtures.h"
#include "util/version.h"

static json_t *load(const struct lk_report *r, size_t n, bool set, bool all)
{
    size_t size;
    char *out =
        fixture_render("json", r, n, set, (struct lk_render){ .all = all, .native = true }, &size);
    json_error_t error;
    json_t *v = json_loadb(out, size, JSON_REJECT_DUPLICATES, &error);
    if (!v)
        fail_msg("line %d: %s", error.line, error.text);
    free(out);
    return v;
}

/* The value at a dotted path; numbers are indices. */
static json_t *at(json_t *v, const char *path)
{
    char copy[200];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *save, *key = strtok_r(copy, ".", &save); key; key = strtok_r(NULL, ".", &save)) {
        v = json_is_array(v) ? json_array_get(v, (size_t)atoi(key)) : json_object_get(v, key);
        if (!v)
            fail_msg("no %s in %s", key, path);
    }
    return v;
}

#define assert_text(v, path, want)   assert_string_equal(json_string_value(at(v, path)), want)
#define assert_number(v, path, want) assert_int_equal(json_integer_value(at(v, path)), want)

static void a_deadlock_has_what_the_schema_promises(void **state)
{
    struct lk_report r = fixture_deadlock();
    json_t *v = load(&r, 1, false, false);
    (void)state;
    assert_text(v, "schema", "loopknot.report/1");
    assert_text(v, "tool.version", lk_tool_version());
    assert_text(v, "verdict", "deadlock");
    assert_text(v, "target.python.version", "3.11.2");
    assert_number(v, "target.threads", 9);
    assert_text(v, "findings.0.rule", "LK101");
    assert_text(v, "findings.0.stuck_known_by", "scheduler");
    assert_number(v, "findings.0.held_up.requests", 3);
    assert_text(v, "findings.0.culprit.source", "return fut.result()");
    assert_number(v, "findings.0.culprits.0.line", 10);
    assert_true(json_is_null(at(v, "findings.0.culprit.task")));
    assert_text(v, "findings.0.chain.0.from", "t4712");
    assert_text(v, "findings.0.chain.3.to", "t4712");
    assert_text(v, "findings.0.chain.1.read", "asleep");
    assert_int_equal(json_array_size(at(v, "findings.0.docs")), 2);
    assert_int_equal(json_array_size(at(v, "findings.0.locks")), 0);
    assert_text(v, "samples.2.moved.0", "t4711");
    assert_text(v, "threads.0.state", "parked");
    assert_number(v, "threads.0.wait.fd", 3);
    assert_text(v, "threads.1.state", "future-wait");
    assert_text(v, "threads.1.waits_for", "f1");
    assert_text(v, "threads.1.role", "loop");
    assert_text(v, "threads.1.python.0.function", "wait");
    assert_true(json_is_true(at(v, "threads.1.python.2.user")));
    assert_text(v, "threads.1.native.0.module", "libc.so.6");
    assert_true(json_is_null(at(v, "threads.1.wait.timeout_ms")));
    assert_true(json_is_false(at(v, "threads.1.blocks.timed")));
    assert_text(v, "loops.0.thread", "t4712");
    assert_text(v, "tasks.0.loop", "o1");
    assert_text(v, "futures.0.enders.0", "k1");
    assert_int_equal(json_array_size(at(v, "executors.0.workers")), 4);
    assert_int_equal(json_array_size(at(v, "task_groups")), 0);
    json_decref(v);
    fixture_destroy(&r);
}

static bool limits_mention(json_t *v, const char *words)
{
    size_t i;
    json_t *line;
    json_array_foreach(at(v, "limits"), i,
                       line) if (strstr(json_string_value(line), words)) return true;
    return false;
}

static void what_is_unknown_is_null_and_in_limits(void **state)
{
    struct lk_report r = fixture_healthy();
    json_t *v = load(&r, 1, false, false);
    (void)state;
    assert_false(limits_mention(v, "for how long a thread"));
    assert_number(v, "threads.9.stuck_ms", 0);
    json_decref(v);
    r.snap->threads.v[0].stuck_ms = LK_UNKNOWN;
    r.snap->threads.v[0].wait.timeout_ms = LK_UNKNOWN;
    lk_loop_at(r.snap, lk_snapshot_loop(r.snap, 1, NULL))->kind = "asyncio";
    v = load(&r, 1, false, false);
    assert_true(json_is_null(at(v, "threads.0.stuck_ms")));
    assert_true(limits_mention(v, "for how long a thread"));
    assert_true(json_is_null(at(v, "threads.0.blocks.timed")));
    assert_true(limits_mention(v, "timeout"));
    assert_true(json_is_null(at(v, "loops.0.running")));
    assert_true(limits_mention(v, "event loop"));
    json_decref(v);
    fixture_destroy(&r);
}

static void limits_have_details(void **state)
{
    struct lk_report r = fixture_deadlock();
    json_t *v = load(&r, 1, false, false), *line;
    size_t i;
    (void)state;
    assert_true(json_array_size(at(v, "limits")) > 4); /* gaps too */
    assert_int_equal(json_array_size(at(v, "limits")), json_array_size(at(v, "limit_details")));
    json_array_foreach(at(v, "limits"), i, line) assert_true(
        json_equal(line, json_object_get(json_array_get(at(v, "limit_details"), i), "text")));
    assert_true(json_is_null(at(v, "limit_details.0.address")));
    assert_true(json_is_null(at(v, "limit_details.0.errno")));
    assert_text(v, "limit_details.1.entity", "t4712");
    assert_text(v, "limit_details.1.address", "0x7f00");
    assert_number(v, "limit_details.1.size", 72);
    assert_text(v, "limit_details.1.errno", "EFAULT");
    assert_text(v, "limit_details.1.reading", "a frame");
    assert_text(v, "limit_details.2.entity", "o1");
    assert_true(json_is_null(at(v, "limit_details.2.errno")));
    assert_true(json_is_null(at(v, "limit_details.3.address")));
    assert_true(json_is_null(at(v, "limit_details.3.size")));
    assert_text(v, "limit_details.3.errno", "EACCES");
    json_decref(v);
    fixture_destroy(&r);
}

static void a_hundred_thousand_tasks_fold(void **state)
{
    struct lk_report r = fixture_tasks(100000, 3);
    size_t size;
    (void)state;
    const double before = cm_cpu_ms();
    char *out = fixture_render("json", &r, 1, false, (struct lk_render){ 0 }, &size);
    const double ms = cm_cpu_ms() - before;
    if (ms > 150 * CM_SLOWER)
        fail_msg("took %.0f ms", ms);
    assert_true(size < 40000);
    free(out);
    json_t *v = load(&r, 1, false, false), *group;
    size_t i;
    json_int_t hidden = 0;
    json_array_foreach(at(v, "task_groups"), i, group)
    {
        hidden += json_integer_value(json_object_get(group, "count"));
        assert_int_equal(json_array_size(json_object_get(group, "stack")), 3);
    }
    assert_int_equal(hidden + (json_int_t)json_array_size(at(v, "tasks")), 100000);
    json_decref(v);
    fixture_destroy(&r);
}

static bool listed(json_t *v, const char *list, const char *id)
{
    size_t i;
    json_t *entity;
    json_array_foreach(at(v, list), i,
                       entity) if (strcmp(json_string_value(json_object_get(entity, "id")), id) ==
                                   0) return true;
    return false;
}

static void what_a_finding_names_is_never_folded(void **state)
{
    struct lk_report r = fixture_tasks(5000, 1);
    json_t *v = load(&r, 1, false, false);
    (void)state;
    assert_true(listed(v, "tasks", "k5000"));
    assert_true(listed(v, "tasks", "k4999"));   /* by its culprit */
    assert_true(listed(v, "futures", "f5000")); /* what it waits for */
    assert_false(listed(v, "tasks", "k3000"));
    assert_int_equal(json_array_size(at(v, "tasks")), 3);
    json_decref(v);
    fixture_destroy(&r);
}

static void a_thousand_are_not_folded_and_all_shows_all(void **state)
{
    struct lk_report r = fixture_tasks(1000, 1);
    json_t *v = load(&r, 1, false, false);
    (void)state;
    assert_int_equal(json_array_size(at(v, "tasks")), 1000);
    assert_int_equal(json_array_size(at(v, "task_groups")), 0);
    json_decref(v);
    fixture_destroy(&r);
    r = fixture_tasks(1001, 1);
    v = load(&r, 1, false, false);
    assert_int_equal(json_array_size(at(v, "tasks")), 3);
    json_decref(v);
    v = load(&r, 1, false, true);
    assert_int_equal(json_array_size(at(v, "tasks")), 1001);
    assert_int_equal(json_array_size(at(v, "future_groups")), 0);
    json_decref(v);
    fixture_destroy(&r);
}

/* 2,000 threads wait for one lock: its list of waiters names those that are listed and counts the
 * others. */
static void long_lists_of_references_fold_too(void **state)
{
    struct lk_report r = fixture_empty();
    struct lk_snapshot *s = r.snap;
    (void)state;
    struct lk_ref l = lk_snapshot_lock(s, 1, NULL);
    for (int64_t i = 0; i < 2000; i++) {
        struct lk_ref t = lk_snapshot_thread(s, i + 1, NULL);
        struct lk_thread *th = lk_thread_at(s, t);
        th->wait.kind = LK_WAIT_LOCK;
        th->kstate = 'S';
        lk_refs_add(s, &th->wait.on, l);
        lk_refs_add(s, &lk_lock_at(s, l)->waiters, t);
    }
    json_t *v = load(&r, 1, false, false);
    assert_int_equal(json_array_size(at(v, "threads")), 1);
    assert_number(v, "thread_groups.0.count", 1999);
    assert_text(v, "thread_groups.0.example", "t1");
    assert_int_equal(json_array_size(at(v, "locks.0.waiters")), 1);
    assert_number(v, "locks.0.waiters_folded", 1999);
    json_decref(v);
    fixture_destroy(&r);
}

static void a_set_has_the_pid_in_its_ids(void **state)
{
    struct lk_report r[2] = { fixture_healthy(), fixture_deadlock() };
    json_t *v = load(r, 2, false, false);
    (void)state;
    assert_text(v, "schema", "loopknot.report-set/1");
    assert_text(v, "verdict", "deadlock");
    assert_text(v, "reports.0.verdict", "healthy");
    assert_text(v, "reports.1.schema", "loopknot.report/1");
    assert_text(v, "reports.1.threads.1.id", "4711/t4712");
    assert_text(v, "reports.1.findings.0.chain.3.to", "4711/t4712");
    assert_text(v, "reports.1.futures.0.enders.0", "4711/k1");
    json_decref(v);
    v = load(r, 1, true, false);
    assert_text(v, "schema", "loopknot.report-set/1");
    assert_int_equal(json_array_size(at(v, "reports")), 1);
    json_decref(v);
    v = load(r, 0, true, false);
    assert_text(v, "verdict", "unknown");
    json_decref(v);
    fixture_destroy(&r[0]);
    fixture_destroy(&r[1]);
}

static void a_full_disk_is_an_error(void **state)
{
    struct lk_report r = fixture_deadlock();
    (void)state;
    for (size_t i = 0; i < lk_n_formats; i++) {
        FILE *full = fopen("/dev/full", "w");
        assert_non_null(full);
        assert_false(lk_formats[i].write(&r, 1, false, &(struct lk_render){ 0 }, full));
        fclose(full);
    }
    fixture_destroy(&r);
}

static void formats_are_found_by_name(void **state)
{
    (void)state;
    assert_non_null(lk_format_by_name("text"));
    assert_non_null(lk_format_by_name("json"));
    assert_non_null(lk_format_by_name("markdown"));
    assert_null(lk_format_by_name("yaml"));
    for (size_t i = 0; i < lk_n_formats; i++)
        assert_true(*lk_formats[i].help != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadlock_has_what_the_schema_promises),
        cmocka_unit_test(what_is_unknown_is_null_and_in_limits),
        cmocka_unit_test(limits_have_details),
        cmocka_unit_test(a_hundred_thousand_tasks_fold),
        cmocka_unit_test(what_a_finding_names_is_never_folded),
        cmocka_unit_test(a_thousand_are_not_folded_and_all_shows_all),
        cmocka_unit_test(long_lists_of_references_fold_too),
        cmocka_unit_test(a_set_has_the_pid_in_its_ids),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(formats_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
