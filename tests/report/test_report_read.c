/* JSON reports read back: written again, in whatever format, they are what they were; and whatever
 * else a file holds is refused in one line. */
#include "cm.h"

#include <stdio.h>

#include "diagnose/rules/rule_table.h"
#include "fixtures.h"
#include "report/json_read.h"

static void reports_destroy(struct lk_reports *r)
{
    for (size_t i = 0; i < r->n; i++) {
        lk_findings_destroy(r->v[i].findings);
        lk_snapshot_destroy(r->v[i].snap);
    }
    lk_free(r->v);
}

static struct lk_reports read_text(const char *json)
{
    struct lk_reports r;
    struct lk_error err;
    if (!lk_json_read(json, strlen(json), &r, &err))
        fail_msg("%s in:\n%.3000s", err.text, json);
    return r;
}

/* The fixtures' rules say other things than the real ones, which a reader takes by their ids. */
static void use_real_rules(struct lk_report *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < r[i].findings->list.n; k++) {
            struct lk_finding *f = &r[i].findings->list.v[k];
            f->rule = lk_rule_by_id(f->rule->id);
        }
}

static void check_formats(const struct lk_report *r, size_t n, bool set)
{
    char *json = fixture_render("json", r, n, set, (struct lk_render){ .native = true }, NULL);
    struct lk_reports again = read_text(json);
    assert_int_equal(again.n, n);
    assert_int_equal(again.set, set);
    for (size_t f = 0; f < lk_n_formats; f++)
        for (int native = 0; native < 2; native++) {
            const struct lk_render how = { .width = 100, .native = native, .verbose = native };
            char *first = fixture_render(lk_formats[f].name, r, n, set, how, NULL),
                 *second = fixture_render(lk_formats[f].name, again.v, n, set, how, NULL);
            if (strcmp(first, second) != 0) {
                size_t at = 0;
                while (first[at] == second[at])
                    at++;
                at = at > 200 ? at - 200 : 0;
                fail_msg("%s: written\n%.600s\n----- read and written again\n%.600s",
                         lk_formats[f].name, first + at, second + at);
            }
            free(first);
            free(second);
        }
    reports_destroy(&again);
    free(json);
}

static void check_round_trip(struct lk_report r)
{
    use_real_rules(&r, 1);
    check_formats(&r, 1, false);
    check_formats(&r, 1, true);
    fixture_destroy(&r);
}

static void what_is_read_is_what_was_written(void **state)
{
    (void)state;
    check_round_trip(fixture_deadlock());
    check_round_trip(fixture_healthy());
    check_round_trip(fixture_master());
    check_round_trip(fixture_every_value());
    check_round_trip(fixture_tasks(500, 7));
}

/* Of what is folded the names are gone, the numbers are not. */
static void folded_tasks_stay_counted(void **state)
{
    struct lk_report r = fixture_tasks(5000, 3);
    (void)state;
    use_real_rules(&r, 1);
    char *first = fixture_render("json", &r, 1, false, (struct lk_render){ 0 }, NULL);
    struct lk_reports again = read_text(first);
    char *second = fixture_render("json", again.v, 1, false, (struct lk_render){ 0 }, NULL),
         *text = fixture_render("text", again.v, 1, false, (struct lk_render){ 0 }, NULL);
    assert_string_equal(first, second);
    assert_has(text, "TASKS (5,000)");
    assert_has(text, "1,666 tasks");
    free(first);
    free(second);
    free(text);
    reports_destroy(&again);
    fixture_destroy(&r);
}

static void names_stay_what_they_are(void **state)
{
    static const char *const evils[] = {
        "\033[31mred", "line\nend", "\xff\xfe",     "\"\\u0000", "",
        "</script>",   "4711/t1",   "\xe2\x80\xaex"
    };
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(evils); i++)
        check_round_trip(fixture_hostile(evils[i]));
}

static void a_set_stays_a_set(void **state)
{
    struct lk_report r[] = { fixture_deadlock(), fixture_healthy(), fixture_master() };
    (void)state;
    r[1].snap->pid = 4800;
    r[2].snap->pid = 4900;
    use_real_rules(r, 3);
    check_formats(r, 3, true);
    for (size_t i = 0; i < 3; i++)
        fixture_destroy(&r[i]);
}

/* A rule that a newer loopknot has is told by what its report says. */
static void an_unknown_rule_is_told(void **state)
{
    struct lk_report r = fixture_deadlock();
    (void)state;
    char *json = fixture_render("json", &r, 1, false, (struct lk_render){ 0 }, NULL), *id;
    while ((id = strstr(json, "\"LK101\"")))
        memcpy(id, "\"LK999\"", 7);
    struct lk_reports again = read_text(json);
    char *text = fixture_render("text", again.v, 1, false, (struct lk_render){ 0 }, NULL);
    assert_has(text, "(LK999 loop-waits-on-itself, proven)");
    assert_has(text, "Await the coroutine instead of blocking on its future");
    free(text);
    for (size_t f = 0; f < lk_n_formats; f++)
        free(fixture_render(lk_formats[f].name, again.v, 1, false, (struct lk_render){ 0 }, NULL));
    reports_destroy(&again);
    free(json);
    fixture_destroy(&r);
}

/* Nor are its words markup: in a set they also stand in the list at the top. */
static void an_unknown_rule_is_escaped(void **state)
{
    struct lk_report r = fixture_deadlock();
    (void)state;
    char *json = fixture_render("json", &r, 1, true, (struct lk_render){ 0 }, NULL), *id;
    while ((id = strstr(json, "\"LK101\"")))
        memcpy(id, "\"<b>`|\"", 7);
    struct lk_reports again = read_text(json);
    static const char *const formats[] = { "markdown", "html", "junit" };
    for (size_t f = 0; f < LK_ARRAY_LEN(formats); f++) {
        char *text = fixture_render(formats[f], again.v, 1, true, (struct lk_render){ 0 }, NULL);
        assert_lacks(text, "<b>`");
        assert_has(text, "&lt;b");
        free(text);
    }
    reports_destroy(&again);
    free(json);
    fixture_destroy(&r);
}

static void secrets_of_others_are_hidden(void **state)
{
    (void)state;
    struct lk_reports r =
        read_text("{\"schema\": \"loopknot.report/1\", \"target\": {\"pid\": 7, \"cmdline\": "
                  "[\"x\", \"--password\", \"hunter2\", \"postgres://u:hunter3@db/x\"]}}");
    char *text = fixture_render("text", r.v, 1, false, (struct lk_render){ 0 }, NULL);
    assert_lacks(text, "hunter");
    assert_has(text, "UNKNOWN");
    free(text);
    reports_destroy(&r);
}

/* ---- what is refused ---------------------------------------------------------------------------
 */

static void check_refused(const char *bytes, size_t n, const char *why)
{
    struct lk_reports r;
    struct lk_error err;
    if (lk_json_read(bytes, n, &r, &err))
        fail_msg("taken: %.200s", bytes);
    assert_has(err.text, why);
    assert_null(strchr(err.text, '\n'));
    assert_null(strchr(err.text, '\033'));
    assert_null(r.v);
}

static void other_files_are_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "", "no JSON" },
        { "{", "no JSON" },
        { "{\"schema\": \"loopknot.report/1\", \033[31m\n", "no JSON" },
        { "{}", "schema" },
        { "[]", "schema" },
        { "{\"schema\": 1}", "schema" },
        { "{\"schema\": \"loopknot.report/2\"}", "schema" },
        { "{\"schema\": \"loopknot.report/1\"}", "no process id" },
        { "{\"schema\": \"loopknot.report/1\", \"target\": {\"pid\": \"7\"}}", "no process id" },
        { "{\"schema\": \"loopknot.report-set/1\"}", "without reports" },
        { "{\"schema\": \"loopknot.report-set/1\", \"reports\": [{}]}", "another schema" },
    };
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++)
        check_refused(rows[i].text, strlen(rows[i].text), rows[i].why);
}

static void a_cut_report_is_refused(void **state)
{
    struct lk_report r = fixture_deadlock();
    size_t n;
    (void)state;
    char *json = fixture_render("json", &r, 1, false, (struct lk_render){ 0 }, &n);
    for (size_t cut = 1; cut < n - 2; cut += 97)
        check_refused(json, cut, "no JSON");
    free(json);
    fixture_destroy(&r);
}

static void deep_and_wide_files_are_refused(void **state)
{
    const size_t n = 2 * (size_t)LK_REPORT_MAX_VALUES + 2;
    char *bytes = malloc(n);
    (void)state;
    memset(bytes, '[', n);
    check_refused(bytes, 100000, "no JSON");
    check_refused(bytes, n, "values");
    free(bytes);
    bytes = malloc(LK_REPORT_MAX_BYTES + 1);
    memset(bytes, ' ', LK_REPORT_MAX_BYTES + 1);
    check_refused(bytes, LK_REPORT_MAX_BYTES + 1, "64 MiB");
    free(bytes);
}

/* Numbers of a file are no memory, and wrong types and references nothing that is relied upon. */
static void nonsense_is_unknown(void **state)
{
    static const char *const members[] = {
        "\"tasks\": [{\"id\": \"k1\"}], \"task_groups\": [{\"count\": 999999999999, \"example\": "
        "\"k1\"}]",
        "\"executors\": [{\"id\": \"x1\", \"workers\": [], \"workers_folded\": 999999999999}]",
        "\"threads\": [7, null, \"x\", {}, [], {\"id\": 5, \"tid\": {}}]",
        "\"threads\": [{\"id\": \"t1\", \"tid\": 1, \"python\": [[], 1, {\"line\": 1e300}]}]",
        "\"taken_at\": \"2026-01-31T12:00:00.1e400\", \"findings\": [{\"stuck_ms\": 7}]",
        "\"threads\": [{\"id\": \"t1\", \"tid\": 1, \"stuck_ms\": -9223372036854775808, "
        "\"native\": [{\"offset\": -1}]}]",
        "\"threads\": [{\"id\": \"t1\", \"tid\": 1, \"waits_for\": \"t1\", \"holds\": [\"t1\", "
        "\"t2\"]}]",
        "\"threads\": [{\"id\": \"t1\", \"tid\": 1}, {\"id\": \"t1\", \"tid\": 1}]",
        "\"loops\": {}, \"tasks\": \"x\", \"findings\": 7, \"samples\": [7], \"limit_details\": "
        "[[]]",
        "\"findings\": [{}], \"verdict\": \"deadlock\"",
        "\"findings\": [{\"rule\": \"LK101\", \"chain\": [{}], \"culprits\": [{}], "
        "\"fingerprint\": \"\\\"><script>\"}]",
        "\"findings\": [{\"rule\": \""
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "\"}]",
    };
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(members); i++) {
        char json[1000];
        snprintf(json, sizeof json,
                 "{\"schema\": \"loopknot.report/1\", \"target\": {\"pid\": 7}, %s}", members[i]);
        struct lk_reports r = read_text(json);
        for (size_t f = 0; f < lk_n_formats; f++)
            free(fixture_render(lk_formats[f].name, r.v, 1, false,
                                (struct lk_render){ .native = true, .verbose = 1 }, NULL));
        reports_destroy(&r);
    }
}

/* What is walked pair by pair is bounded. */
static void wide_files_take_no_time(void **state)
{
    enum { MANY = 100000 };
    size_t n;
    char *json = NULL;
    FILE *f = open_memstream(&json, &n);
    (void)state;
    fputs("{\"schema\": \"loopknot.report/1\", \"target\": {\"pid\": 7}, \"findings\": [{}", f);
    for (int i = 0; i < MANY; i++)
        fprintf(f, ", {\"rule\": \"LK101\", \"fingerprint\": \"%x\"}", i);
    fputs("], \"threads\": [{\"tid\": 1, \"id\": \"t1\"}", f);
    for (int i = 2; i < MANY; i++)
        fprintf(f, ", {\"tid\": %d, \"id\": \"t%d\"}", i, i);
    for (int s = 0; s < 3; s++) {
        fputs(s ? "]}, {\"moved\": [\"t1\"" : "], \"samples\": [{\"moved\": [\"t1\"", f);
        for (int i = 2; i < MANY; i++)
            fprintf(f, ", \"t%d\"", i);
    }
    fputs("]}]}", f);
    fclose(f);
    const double began = cm_cpu_ms();
    struct lk_reports r = read_text(json);
    for (size_t i = 0; i < lk_n_formats; i++)
        free(fixture_render(lk_formats[i].name, r.v, 1, false, (struct lk_render){ 0 }, NULL));
    assert_true(cm_cpu_ms() - began < 10000 * CM_SLOWER);
    reports_destroy(&r);
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_what_was_written),
        cmocka_unit_test(folded_tasks_stay_counted),
        cmocka_unit_test(names_stay_what_they_are),
        cmocka_unit_test(a_set_stays_a_set),
        cmocka_unit_test(an_unknown_rule_is_told),
        cmocka_unit_test(an_unknown_rule_is_escaped),
        cmocka_unit_test(secrets_of_others_are_hidden),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(a_cut_report_is_refused),
        cmocka_unit_test(deep_and_wide_files_are_refused),
        cmocka_unit_test(nonsense_is_unknown),
        cmocka_unit_test(wide_files_take_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
