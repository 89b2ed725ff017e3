/* Reports pass docs/report.schema.json and tests/validate_report.py, and broken ones do not. Runs
 * in the top folder. */
#include "cm.h"

#include <jansson.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixtures.h"

#define PYTHON    "/usr/bin/python3"
#define VALIDATOR "tests/validate_report.py"

/* The validator's exit status for a document. */
static int validate(json_t *document)
{
    char path[] = "/tmp/loopknot-schema-XXXXXX", command[200];
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(json_dumpfd(document, fd, 0), 0);
    close(fd);
    snprintf(command, sizeof command, "%s %s %s >&2", PYTHON, VALIDATOR, path);
    const int status = system(command);
    unlink(path);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static json_t *document(struct lk_report *reports, size_t n, bool set)
{
    size_t size;
    char *out =
        fixture_render("json", reports, n, set, (struct lk_render){ .native = true }, &size);
    json_t *v = json_loadb(out, size, 0, NULL);
    assert_non_null(v);
    free(out);
    return v;
}

static void check(struct lk_report r)
{
    for (int set = 0; set < 2; set++) {
        json_t *v = document(&r, 1, set);
        assert_int_equal(validate(v), 0);
        json_decref(v);
    }
    fixture_destroy(&r);
}

static void reports_are_valid(void **state)
{
    (void)state;
    check(fixture_empty());
    check(fixture_deadlock());
    check(fixture_healthy());
    check(fixture_master());
    check(fixture_every_value());
    check(fixture_tasks(3000, 2));
    check(fixture_hostile("\033[31m\n::error::\xff]]><script>`|`\xe2\x80\xae"));
}

/* Each breaks a valid report in one way; "path" leads to an object, whose key gets a value. */
static const struct mutation {
    const char *path, *key, *value; /* value is JSON; NULL removes the key */
} mutations[] = {
    { "", "schema", "\"loopknot.report/2\"" },
    { "", "findings", NULL },
    { "", "verdict", "\"fine\"" },
    { "", "verdict", "\"healthy\"" },
    { "", "limits", "[]" },
    { "", "limit_details", "[]" },
    { "limit_details.1", "entity", "\"t9\"" },
    { "limit_details.1", "address", "32512" },
    { "limit_details.1", "text", "\"another\"" },
    { "limit_details.1", "errno", "\"14\"" },
    { "", "taken_at", "\"yesterday\"" },
    { "target", "threads", "8" },
    { "target", "python", "{}" },
    { "findings.0", "confidence", "\"possible\"" },
    { "findings.0", "severity", "\"hazard\"" },
    { "findings.0", "threads", "[\"t1\"]" },
    { "findings.0", "threads", "[\"o1\"]" },
    { "findings.0", "culprit", "null" },
    { "findings.0", "stuck_known_by", "null" },
    { "findings.0.chain.0", "to", "\"f99\"" },
    { "findings.0.chain.0", "read", "\"seen\"" },
    { "threads.1", "waits_for", "\"f99\"" },
    { "threads.1", "state", "\"busy\"" },
    { "threads.1", "id", "\"t4711\"" },
    { "threads.1", "stuck_ms", "-1" },
    { "threads.1", "name", "\"a\\u001bb\"" },
    { "threads.1", "name", "\"a\\u202eb\"" },
    { "threads.1.python.0", "qualname", "\"Thread._bootstrap\"" },
    { "threads.1.wait", "timeout_ms", "-1" },
    { "threads.1", "python", NULL },
    { "loops.0", "thread", "\"k1\"" },
    { "futures.0", "enders", "[\"k2\"]" },
    { "samples.2", "moved", "[4711]" },
};

static json_t *at(json_t *v, const char *path)
{
    char copy[200];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *save, *key = strtok_r(copy, ".", &save); key; key = strtok_r(NULL, ".", &save))
        v = json_is_array(v) ? json_array_get(v, (size_t)atoi(key)) : json_object_get(v, key);
    assert_non_null(v);
    return v;
}

static void broken_reports_are_not(void **state)
{
    struct lk_report r = fixture_deadlock();
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(mutations); i++) {
        const struct mutation *m = &mutations[i];
        json_t *v = document(&r, 1, false), *object = at(v, m->path);
        assert_non_null(json_object_get(object, m->key));
        if (m->value)
            json_object_set_new(object, m->key, json_loads(m->value, JSON_DECODE_ANY, NULL));
        else
            json_object_del(object, m->key);
        if (validate(v) != 1)
            fail_msg("%s.%s = %s passes", m->path, m->key, m->value ? m->value : "(absent)");
        json_decref(v);
    }
    fixture_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_are_valid),
        cmocka_unit_test(broken_reports_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
