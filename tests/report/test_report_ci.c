/*
 * The formats that CI servers read. With a folder as argument every fixture is written into it in
 * every one of these formats, for validation against their schemas (tests/e2e/formats.py).
 */
#include "cm.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/rules/rule_table.h"
#include "fixtures.h"
#include "report/ci_issues.h"
#include "report/paths.h"
#include "report/test_name.h"

static const char *const formats[] = { "junit", "sarif", "github", "gitlab", "tap" };

static const char *const evils[] = {
    "]]>",
    "<![CDATA[x]]>",
    "</failure><testcase name='x'/>",
    "&lt;&#0;&x;",
    "\"'",
    "\xef\xbf\xbf \xef\xbf\xbe",
    "\xff\xfe",
    "a\nnot ok 9 - forged\n...\n",
    "::error file=x,line=1::forged",
    "##[error]forged",
    "%0A::set-output name=x::y",
    "a:b,c%d",
    "{0} {x} [a](http://h) [b](1)",
    "# SKIP",
    "\\# TODO",
    "  ---\n  ...\n1..9",
    "Bail out!",
    "\xe2\x80\xae\xe2\x80\xa8",
    "../../x",
    "<string>",
    "",
    " ",
    "..",
    "/",
    "//",
    "/srv/../etc/passwd",
    "\xf0\x9f\xa6\x84 \xc3\xa4\xcc\x88",
};

static char *render(const char *format, const struct lk_report *r, size_t n, struct lk_render how)
{
    size_t size;
    char *out = fixture_render(format, r, n, n != 1, how, &size);
    assert_int_equal(size, strlen(out));
    return out;
}

static void destroy(struct lk_report *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fixture_destroy(&r[i]);
}

static json_t *parsed(const char *format, const struct lk_report *r, size_t n)
{
    json_error_t error;
    char *out = render(format, r, n, (struct lk_render){ 0 });
    json_t *v = json_loads(out, JSON_REJECT_DUPLICATES, &error);
    if (!v)
        fail_msg("%s: %s\n%s", format, error.text, out);
    free(out);
    return v;
}

/* ---- junit ----------------------------------------------------------------------------------- */

static void junit_of(struct lk_report r, const char *element, const char *counts)
{
    char *out = render("junit", &r, 1, (struct lk_render){ 0 });
    const char *all[] = { "<failure ", "<error ", "<skipped" };
    assert_has(out, counts);
    for (size_t i = 0; i < LK_ARRAY_LEN(all); i++)
        assert_int_equal(cm_occurrences(out, all[i]), element && strcmp(all[i], element) == 0);
    assert_lacks(out, " time=\"");
    free(out);
    fixture_destroy(&r);
}

static void junit_says_what_failed(void **state)
{
    (void)state;
    junit_of(fixture_deadlock(), "<failure ", "tests=\"1\" failures=\"1\" errors=\"0\"");
    junit_of(fixture_hostile("x"), "<failure ", "tests=\"1\" failures=\"1\" errors=\"0\"");
    junit_of(fixture_master(), "<error ", "tests=\"1\" failures=\"0\" errors=\"1\"");
    junit_of(fixture_empty(), "<error ", "tests=\"1\" failures=\"0\" errors=\"1\"");
    junit_of(fixture_healthy(), NULL, "tests=\"1\" failures=\"0\" errors=\"0\"");
    junit_of(fixture_tasks(4, 2), NULL, "tests=\"1\" failures=\"0\" errors=\"0\"");
}

static void junit_holds_the_diagnosis(void **state)
{
    struct lk_report r = fixture_deadlock(), hazard = fixture_tasks(4, 2);
    (void)state;
    char *out =
        render("junit", &r, 1, (struct lk_render){ .command = "pytest -q", .elapsed_ms = 61007 });
    assert_has(out, "<testcase classname=\"loopknot\" name=\"pytest -q\" time=\"61.007\">");
    assert_has(out, "<failure type=\"deadlock: LK101 loop-waits-on-itself\" message=\"");
    assert_has(out, "/srv/app.py:10 in outer");
    assert_has(out, "<system-out></system-out>");
    free(out);
    out =
        render("junit", &r, 1, (struct lk_render){ .command = "make check", .test = "suite one" });
    assert_has(out, "<testcase classname=\"loopknot\" name=\"suite one\">");
    free(out);
    out = render("junit", &hazard, 1, (struct lk_render){ 0 });
    assert_has(out, "<system-out>HAZARD");
    free(out);
    fixture_destroy(&r);
    fixture_destroy(&hazard);
}

static void xml_forbids_some_characters(void **state)
{
    struct lk_report r = fixture_hostile("a]]>b<&\"\xef\xbf\xbf\xef\xbf\xbe"
                                         "c");
    (void)state;
    char *out = render("junit", &r, 1, (struct lk_render){ .command = "x\ty\n<\"&>" });
    assert_has(out, "a]]&gt;b&lt;&amp;&quot;\\uFFFF\\uFFFEc");
    assert_lacks(out, "]]>");
    assert_lacks(out, "\xef\xbf\xbf");
    assert_has(out, "name=\"x\\x09y\\x0a&lt;&quot;&amp;&gt;\"");
    free(out);
    fixture_destroy(&r);
}

static void one_case_for_a_command_else_one_for_each_process(void **state)
{
    struct lk_report r[] = { fixture_healthy(), fixture_deadlock(), fixture_master() };
    (void)state;
    char *out = render("junit", r, 3, (struct lk_render){ 0 });
    assert_has(out, "tests=\"3\" failures=\"1\" errors=\"1\"");
    assert_has(out, "name=\"pid 5000 python3 web.py\"");
    free(out);
    out = render("junit", r, 3, (struct lk_render){ .command = "make" });
    assert_has(out, "tests=\"1\" failures=\"1\" errors=\"0\"");
    assert_has(out, "name=\"make\"");
    free(out);
    out = render("tap", r, 3, (struct lk_render){ .command = "make" });
    assert_has(out, "1..1\nnot ok 1 - loopknot: make\n");
    free(out);
    destroy(r, 3);
}

/* ---- names of tests -------------------------------------------------------------------------- */

static void own_test(const char *value, const char *group, const char *name)
{
    struct lk_report r = fixture_deadlock();
    struct lk_arena *a = lk_arena_create();
    struct lk_test t = { 0 };
    r.snap->test_env = value;
    r.snap->test_env_own = true;
    assert_int_equal(lk_test_own(a, r.snap, &t), group != NULL);
    if (group) {
        assert_string_equal(t.group, group);
        assert_string_equal(t.name, name);
        assert_string_equal(t.told_by, "PYTEST_CURRENT_TEST");
    }
    lk_arena_destroy(a);
    fixture_destroy(&r);
}

static void node_ids_are_split_as_pytest_does(void **state)
{
    (void)state;
    own_test("tests/api/test_app.py::test_get (call)", "tests.api.test_app", "test_get");
    own_test("test_app.py::TestApi::TestInner::test_get[a::b/c.py (call)] (setup)",
             "test_app.TestApi.TestInner", "test_get[a::b/c.py (call)]");
    own_test("test_app.py::TestApi::test_get (teardown)", "test_app.TestApi", "test_get");
    own_test("docs/x.rst::x.rst (call)", "docs.x.rst", "x.rst");
    own_test("", NULL, NULL);
    own_test("::", NULL, NULL);
    own_test("::x", NULL, NULL);
    own_test("x::", NULL, NULL);
    own_test("x.py::[", "x", "[");
    own_test("x.py::a::[::]::", "x.a", "[::]::");
}

/* A stack under a runner's frame; the innermost of the test's frames first. */
static void framed_test(const char *const (*frames)[4], size_t n, const char *qualname,
                        const char *group, const char *name)
{
    struct lk_report r = fixture_healthy();
    struct lk_arena *a = lk_arena_create();
    struct lk_test t = { 0 };
    struct lk_thread *main_thread = &r.snap->threads.v[0];
    const int lines[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    main_thread->main = true;
    main_thread->python_stack = fixture_stack(r.snap, n, frames, lines);
    for (size_t i = 0; i < n; i++)
        if (strcmp(frames[i][0], "test_it") == 0)
            ((struct lk_code *)(uintptr_t)main_thread->python_stack->frames[i].code)->qualname =
                qualname;
    assert_int_equal(lk_test_own(a, r.snap, &t), group != NULL);
    if (group) {
        assert_string_equal(t.group, group);
        assert_string_equal(t.name, name);
    }
    lk_arena_destroy(a);
    fixture_destroy(&r);
}

static void frames_name_the_test(void **state)
{
    static const char *const pytest[][4] = {
        { "acquire", "/usr/lib/python3.11/threading.py", "stdlib", NULL },
        { "helper", "/srv/app.py", "user", NULL },
        { "test_it", "/srv/tests/test_app.py", "user", NULL },
        { "patched", "/usr/lib/python3.11/unittest/mock.py", "stdlib", NULL },
        { "pytest_pyfunc_call", "/usr/lib/python3/dist-packages/_pytest/python.py", "framework",
          NULL },
        { "test_other", "/srv/tests/conftest.py", "user", NULL },
    };
    static const char *const unittest[][4] = {
        { "test_it", "/srv/test_unit.py", "user", NULL },
        { "_callTestMethod", "/usr/lib/python3.11/unittest/case.py", "stdlib", NULL },
    };
    static const char *const neither[][4] = {
        { "test_it", "/srv/test_unit.py", "user", NULL },
        { "pytest_pyfunc_call", "/srv/mine.py", "user", NULL },
    };
    (void)state;
    framed_test(pytest, 6, "TestApp.test_it", "tests.test_app.TestApp", "test_it");
    framed_test(unittest, 2, "Case.test_it", "test_unit.Case", "test_it");
    framed_test(neither, 2, "test_it", NULL, NULL);
    framed_test(pytest, 2, "x", NULL, NULL);
}

static void set_command(struct lk_report *r, int64_t pid, int64_t ppid, const char *a,
                        const char *b, const char *c)
{
    char **v = lk_arena_array(r->snap->arena, 3, sizeof *v);
    const char *args[] = { a, b, c };
    size_t n = 0;
    for (; n < 3 && args[n]; n++)
        v[n] = lk_arena_strdup(r->snap->arena, args[n]);
    r->snap->cmdline = v;
    r->snap->n_cmdline = n;
    r->snap->pid = pid;
    r->snap->ppid = ppid;
}

/* The test found for the last of three generations. */
static void found(struct lk_report *r, size_t i, const char *group, const char *name)
{
    struct lk_arena *a = lk_arena_create();
    struct lk_test t = { 0 };
    assert_int_equal(lk_test_find(a, r, 3, i, &t), group != NULL);
    if (group) {
        assert_string_equal(t.group, group);
        assert_string_equal(t.name, name);
    }
    lk_arena_destroy(a);
}

static void relatives_and_command_lines_name_the_test(void **state)
{
    struct lk_report r[] = { fixture_healthy(), fixture_healthy(), fixture_deadlock() };
    (void)state;
    set_command(&r[0], 10, 1, "/usr/bin/ctest", NULL, NULL);
    set_command(&r[1], 11, 10, "python3", "-m", "server");
    set_command(&r[2], 12, 11, "python3", "-m", "worker");
    found(r, 2, "ctest", "python3 -m server");
    r[2].snap->test_env = "t.py::test_old (setup)";
    found(r, 2, "t", "test_old");
    r[0].snap->test_env = "t.py::test_now (call)";
    r[0].snap->test_env_own = true;
    found(r, 2, "t", "test_now");
    r[0].snap->test_env = r[2].snap->test_env = NULL;
    set_command(&r[0], 10, 1, "node", "--test", NULL);
    set_command(&r[1], 11, 10, "/usr/bin/node", "--enable-source-maps", "/srv/a.test.js");
    found(r, 2, "node", "a.test.js");
    set_command(&r[0], 10, 1, "go", "test", NULL);
    set_command(&r[1], 11, 10, "/tmp/go-build1/b001/shop.test", "-test.timeout=10m0s", NULL);
    found(r, 2, "go test", "shop");
    set_command(&r[1], 11, 10, "/tmp/go-build1/b001/shop.test", "-test.paniconexit0",
                "-test.run=^TestCart$");
    found(r, 2, "shop", "TestCart");
    set_command(&r[1], 11, 10, "shop.test", "-test.paniconexit0", "-test.run=^TestCart|TestX$");
    found(r, 2, "go test", "shop");
    set_command(&r[1], 11, 10, "/srv/shop.test", "serve", NULL);
    found(r, 2, NULL, NULL);
    r[0].snap->ppid = 12; /* a circle of parents ends */
    found(r, 2, NULL, NULL);
    destroy(r, 3);
}

static void a_hanging_test_is_the_case(void **state)
{
    struct lk_report r[] = { fixture_healthy(), fixture_deadlock(), fixture_hostile("x") };
    (void)state;
    set_command(&r[0], 10, 1, "pytest", "-n2", NULL);
    set_command(&r[1], 11, 10, "python3", NULL, NULL);
    set_command(&r[2], 12, 10, "python3", NULL, NULL);
    r[1].snap->test_env = "t.py::test_one (call)";
    r[2].snap->test_env = "t.py::test_two (call)";
    r[1].snap->test_env_own = r[2].snap->test_env_own = true;
    char *out = render("junit", r, 3, (struct lk_render){ .command = "pytest -n2" });
    assert_has(out, "tests=\"2\" failures=\"2\" errors=\"0\"");
    assert_has(out, "<testcase classname=\"t\" name=\"test_one\">");
    assert_has(out, "<testcase classname=\"t\" name=\"test_two\">");
    free(out);
    r[2].findings->verdict = LK_HEALTHY;
    out = render("junit", r, 3, (struct lk_render){ .command = "pytest -n2" });
    assert_has(out, "tests=\"1\" failures=\"1\" errors=\"0\"");
    assert_lacks(out, "test_two\"");
    free(out);
    destroy(r, 3);
}

/* ---- sarif ----------------------------------------------------------------------------------- */

static json_t *at(json_t *v, const char *path)
{
    char step[64];
    while (v && *path) {
        const size_t n = strcspn(path, ".");
        snprintf(step, sizeof step, "%.*s", (int)n, path);
        v = json_is_array(v) ? json_array_get(v, (size_t)atoi(step)) : json_object_get(v, step);
        path += n + (path[n] == '.');
    }
    return v;
}

static void assert_text(json_t *v, const char *path, const char *wanted)
{
    const char *text = json_string_value(at(v, path));
    if (!text || strcmp(text, wanted) != 0)
        fail_msg("%s is \"%s\", not \"%s\"", path, text ? text : "(none)", wanted);
}

static void sarif_names_rule_place_and_fingerprint(void **state)
{
    struct lk_report r = fixture_deadlock();
    (void)state;
    json_t *log = parsed("sarif", &r, 1), *run = at(log, "runs.0"), *result = at(run, "results.0");
    assert_text(log, "version", "2.1.0");
    assert_text(run, "tool.driver.name", "loopknot");
    assert_int_equal(json_array_size(at(run, "tool.driver.rules")), lk_n_rules);
    assert_text(result, "ruleId", "LK101");
    assert_text(json_array_get(at(run, "tool.driver.rules"),
                               (size_t)json_integer_value(at(result, "ruleIndex"))),
                "id", "LK101");
    assert_text(result, "level", "error");
    assert_text(result, "locations.0.physicalLocation.artifactLocation.uri", "app.py");
    assert_text(result, "locations.0.physicalLocation.artifactLocation.uriBaseId", "SRCROOT");
    assert_int_equal(
        json_integer_value(at(result, "locations.0.physicalLocation.region.startLine")), 10);
    assert_text(result, "partialFingerprints.loopknotFingerprint/v1",
                r.findings->list.v[0].fingerprint);
    assert_text(run, "originalUriBaseIds.SRCROOT.uri", "file:///srv/");
    assert_text(run, "results.1.level", "note"); /* a hazard that is only possible */
    json_decref(log);
    fixture_destroy(&r);
}

static void findings_of_many_processes_are_told_once(void **state)
{
    struct lk_report r[] = { fixture_healthy(), fixture_deadlock(), fixture_deadlock() };
    (void)state;
    r[2].snap->pid = 9999;
    json_t *log = parsed("sarif", r, 3);
    assert_int_equal(json_array_size(at(log, "runs.0.results")), 2);
    assert_int_equal(json_integer_value(at(log, "runs.0.results.0.occurrenceCount")), 2);
    json_decref(log);
    json_t *list = parsed("gitlab", r, 3);
    assert_int_equal(json_array_size(list), 2);
    json_decref(list);
    char *out = render("github", r, 3, (struct lk_render){ 0 });
    assert_int_equal(cm_occurrences(out, "\n::error "), 1);
    free(out);
    destroy(r, 3);
}

static void sarif_messages_hold_no_markup(void **state)
{
    struct lk_report r = fixture_hostile("{0} [a](http://h)");
    (void)state;
    json_t *log = parsed("sarif", &r, 1);
    const char *text = json_string_value(at(log, "runs.0.results.0.message.text"));
    assert_has(text, "{{0}} [a\\](http://h)");
    json_decref(log);
    fixture_destroy(&r);
    r = fixture_hostile("/a b/%x\xc3\xa4.py");
    log = parsed("sarif", &r, 1);
    assert_text(log, "runs.0.results.0.locations.0.physicalLocation.artifactLocation.uri",
                "file:///a%20b/%25x%C3%A4.py");
    json_decref(log);
    fixture_destroy(&r);
}

static void what_is_unknown_is_notified(void **state)
{
    struct lk_report r = fixture_master();
    (void)state;
    json_t *log = parsed("sarif", &r, 1);
    assert_int_equal(json_array_size(at(log, "runs.0.results")), 0);
    assert_int_equal(json_array_size(at(log, "runs.0.invocations.0.toolExecutionNotifications")),
                     1);
    json_decref(log);
    json_t *list = parsed("gitlab", &r, 1);
    assert_text(list, "0.severity", "info");
    assert_text(list, "0.location.path", "/usr/bin/python3.11");
    json_decref(list);
    char *out = render("github", &r, 1, (struct lk_render){ 0 });
    assert_has(out, "::warning title=unknown::pid 6000");
    free(out);
    fixture_destroy(&r);
}

/* A finding may have no culprit, or one of which only a module is known. */
static void places_may_be_unknown(void **state)
{
    struct lk_report r = fixture_deadlock();
    (void)state;
    r.findings->list.v[0].culprits.n = 0;
    json_t *log = parsed("sarif", &r, 1);
    assert_int_equal(json_array_size(at(log, "runs.0.results.0.locations")), 1);
    assert_int_equal(json_integer_value(
                         at(log, "runs.0.results.0.locations.0.physicalLocation.region.startLine")),
                     1);
    json_decref(log);
    r.findings->list.v[0].culprits.n = 1;
    r.findings->list.v[0].culprits.v[0] =
        (struct lk_culprit){ .tid = 1, .function = "poll", .module = "libx.so", .offset = 16 };
    log = parsed("sarif", &r, 1);
    assert_text(log, "runs.0.results.0.locations.0.physicalLocation.artifactLocation.uri",
                "file:///usr/bin/python3.11");
    assert_text(log, "runs.0.results.0.locations.0.logicalLocations.0.name", "poll");
    json_decref(log);
    json_t *list = parsed("gitlab", &r, 1);
    assert_text(list, "0.location.path", "libx.so");
    json_decref(list);
    char *out = render("github", &r, 1, (struct lk_render){ 0 });
    assert_has(out, "::error title=deadlock%3A LK101");
    free(out);
    out = render("tap", &r, 1, (struct lk_render){ 0 });
    assert_lacks(out, "  file:");
    free(out);
    fixture_destroy(&r);
}

/* ---- github, gitlab, tap --------------------------------------------------------------------- */

static void github_escapes(void **state)
{
    struct lk_report r = fixture_hostile("/a,b:c%d.py");
    (void)state;
    char *out = render("github", &r, 1, (struct lk_render){ 0 });
    assert_has(out, "::error file=/a%2Cb%3Ac%25d.py,line=1,title=stalled%3A LK101 "
                    "loop-waits-on-itself::/a,b:c%25d.py%0AWhere");
    free(out);
    fixture_destroy(&r);
    for (size_t i = 0; i < LK_ARRAY_LEN(evils); i++) {
        r = fixture_hostile(evils[i]);
        out = render("github", &r, 1, (struct lk_render){ 0 });
        assert_int_equal(cm_occurrences(out, "\n"), 2);
        assert_int_equal(strncmp(out, "loopknot ", 9), 0);
        assert_int_equal(strncmp(strchr(out, '\n') + 1, "::error ", 8), 0);
        assert_null(memmem(out, strcspn(out, "\n"), "##[", 3));
        free(out);
        fixture_destroy(&r);
    }
}

static void gitlab_fingerprints_are_unique(void **state)
{
    struct lk_report r[] = { fixture_master(), fixture_master(), fixture_every_value(),
                             fixture_deadlock() };
    char seen[16][17];
    (void)state;
    json_t *list = parsed("gitlab", r, 4);
    const size_t n = json_array_size(list);
    assert_true(n >= 7 && n <= 16);
    for (size_t i = 0; i < n; i++) {
        snprintf(seen[i], sizeof seen[i], "%s",
                 json_string_value(at(json_array_get(list, i), "fingerprint")));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(seen[i], seen[k]);
    }
    assert_text(list, "0.severity", "blocker");
    json_decref(list);
    destroy(r, 4);
}

/* Whatever a name holds: each line is version, plan, a point, or stands indented in its block. */
static void tap_is_tap(void **state)
{
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(evils); i++) {
        struct lk_report r = fixture_hostile(evils[i]);
        char *out = render("tap", &r, 1, (struct lk_render){ .command = evils[i] }), *save;
        size_t n = 0;
        for (char *line = strtok_r(out, "\n", &save); line;
             line = strtok_r(NULL, "\n", &save), n++) {
            const char *wanted[] = { "TAP version 13", "1..1", "not ok 1 - loopknot: ", "  ---" };
            assert_int_equal(strncmp(line, n < 4 ? wanted[n] : "  ", n < 4 ? strlen(wanted[n]) : 2),
                             0);
            if (n == 2)
                for (char *c = line; (c = strchr(c, '#')); c++)
                    assert_int_equal(c[-1], '\\');
        }
        free(out);
        fixture_destroy(&r);
    }
    char *out = render("tap", NULL, 0, (struct lk_render){ .command = "make" });
    assert_has(out, "TAP version 13\n1..1\nBail out! ");
    free(out);
    struct lk_report r = fixture_healthy();
    out = render("tap", &r, 1, (struct lk_render){ .command = "make" });
    assert_string_equal(out, "TAP version 13\n1..1\nok 1 - loopknot: make\n");
    free(out);
    fixture_destroy(&r);
}

/* A command that was ended is no success, however healthy its processes were. */
static void what_was_ended_failed(void **state)
{
    struct lk_report r[] = { fixture_healthy(), fixture_healthy() };
    const struct lk_render how = { .command = "pytest -q", .elapsed_ms = 61000, .ended = true };
    (void)state;
    char *out = render("junit", r, 2, how);
    assert_has(out, "tests=\"1\" failures=\"1\" errors=\"0\"");
    assert_has(out, "<failure type=\"timeout\" message=\"the command was ended after 61 s: nothing "
                    "in it is known to hang\">HEALTHY");
    free(out);
    r[1].snap->test_env = "t.py::test_slow (call)";
    r[1].snap->test_env_own = true;
    out = render("junit", r, 2, how);
    assert_has(out, "<testcase classname=\"t\" name=\"test_slow\" time=\"61.000\">");
    free(out);
    out = render("tap", r, 2, how);
    assert_has(out,
               "not ok 1 - t: test_slow\n  ---\n  message: \"the command was ended after 61 s");
    free(out);
    out = render("github", r, 2, how);
    assert_has(out, "\n::error title=timeout::the command was ended after 61 s: pytest -q\n");
    free(out);
    destroy(r, 2);
    r[0] = fixture_master();
    out = render("junit", r, 1, how);
    assert_has(out, "<failure type=\"unknown\" message=\"the command was ended after 61 s: pid "
                    "6000 could not be judged");
    free(out);
    fixture_destroy(&r[0]);
}

static void nothing_examined_is_no_success(void **state)
{
    (void)state;
    for (size_t f = 0; f < LK_ARRAY_LEN(formats); f++)
        free(render(formats[f], NULL, 0, (struct lk_render){ 0 }));
    char *out = render("junit", NULL, 0, (struct lk_render){ .command = "make" });
    assert_has(out, "tests=\"1\" failures=\"0\" errors=\"1\"");
    free(out);
}

static void paths(void **state)
{
    static const struct {
        const char *cwd, *file, *path, *below;
    } rows[] = {
        { "/srv", "/srv/app.py", "/srv/app.py", "app.py" },
        { "/srv", "./a/./b.py", "/srv/a/b.py", "a/b.py" },
        { "/srv/", "app.py", "/srv/app.py", "app.py" },
        { "/srv", "/srv/./app.py", "/srv/app.py", "app.py" },
        { "/srv", "/srv2/app.py", "/srv2/app.py", NULL },
        { "/srv", "/srv", "/srv", NULL },
        { "/srv", "../x.py", "/srv/../x.py", NULL },
        { "/", "/app.py", "/app.py", NULL },
        { NULL, "app.py", "app.py", NULL },
        { "gone", "app.py", "app.py", NULL },
        { "/srv", "//srv//app.py", "/srv/app.py", "app.py" },
        { "/srv", ".hidden", "/srv/.hidden", ".hidden" },
        { "/srv", "/", "/", NULL },
        { "/srv", "a/..", "/srv/a/..", NULL },
    };
    struct lk_report r = fixture_healthy();
    struct lk_arena *a = lk_arena_create();
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        r.snap->cwd = rows[i].cwd;
        const char *path = lk_ci_path(a, r.snap, rows[i].file),
                   *below = lk_ci_below(rows[i].cwd, path);
        assert_string_equal(path, rows[i].path);
        assert_string_equal(below ? below : "(none)", rows[i].below ? rows[i].below : "(none)");
    }
    lk_arena_destroy(a);
    fixture_destroy(&r);
}

/* ---- for the schemas ------------------------------------------------------------------------- */

static void write_one(const char *folder, const char *name, const struct lk_report *r, size_t n,
                      struct lk_render how)
{
    for (size_t f = 0; f < LK_ARRAY_LEN(formats); f++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s.%s", folder, name, formats[f]);
        char *text = fixture_render(formats[f], r, n, n != 1, how, NULL);
        FILE *out = fopen(path, "w");
        if (!out || fputs(text, out) < 0 || fclose(out) != 0)
            exit(1);
        free(text);
    }
}

static int write_all(const char *folder)
{
    struct lk_report r[] = { fixture_deadlock(), fixture_healthy(),     fixture_master(),
                             fixture_empty(),    fixture_every_value(), fixture_tasks(3, 1) };
    const size_t n = LK_ARRAY_LEN(r);
    char name[64];
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "fixture-%zu", i);
        write_one(folder, name, &r[i], 1, (struct lk_render){ .elapsed_ms = (int64_t)i * 1234 });
    }
    write_one(folder, "set", r, n, (struct lk_render){ 0 });
    write_one(folder, "command", r, n,
              (struct lk_render){ .command = "make check", .elapsed_ms = 60000 });
    write_one(folder, "ended", &r[1], 1,
              (struct lk_render){ .command = "make check", .elapsed_ms = 60000, .ended = true });
    write_one(folder, "nothing", r, 0, (struct lk_render){ .command = "make check" });
    destroy(r, n);
    for (size_t i = 0; i < LK_ARRAY_LEN(evils); i++) {
        struct lk_report evil = fixture_hostile(evils[i]);
        snprintf(name, sizeof name, "hostile-%zu", i);
        write_one(folder, name, &evil, 1, (struct lk_render){ .command = evils[i] });
        fixture_destroy(&evil);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(junit_says_what_failed),
        cmocka_unit_test(junit_holds_the_diagnosis),
        cmocka_unit_test(xml_forbids_some_characters),
        cmocka_unit_test(one_case_for_a_command_else_one_for_each_process),
        cmocka_unit_test(node_ids_are_split_as_pytest_does),
        cmocka_unit_test(frames_name_the_test),
        cmocka_unit_test(relatives_and_command_lines_name_the_test),
        cmocka_unit_test(a_hanging_test_is_the_case),
        cmocka_unit_test(sarif_names_rule_place_and_fingerprint),
        cmocka_unit_test(findings_of_many_processes_are_told_once),
        cmocka_unit_test(sarif_messages_hold_no_markup),
        cmocka_unit_test(what_is_unknown_is_notified),
        cmocka_unit_test(places_may_be_unknown),
        cmocka_unit_test(github_escapes),
        cmocka_unit_test(gitlab_fingerprints_are_unique),
        cmocka_unit_test(tap_is_tap),
        cmocka_unit_test(what_was_ended_failed),
        cmocka_unit_test(nothing_examined_is_no_success),
        cmocka_unit_test(paths),
    };
    if (argc == 2)
        return write_all(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
