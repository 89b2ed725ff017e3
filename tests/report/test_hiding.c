/* What is hidden in a report: by an expression, by what always is, in sentences that quote names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three above */

#include <string.h>

#include "report/hiding.h"
#include "snapshot/builder.h"

static const struct {
    const char *regex, *text, *want;
} rows[] = {
    { "b+", "abbbc", "a***c" },
    { "a", "aaa", "*********" },
    { "^a", "aaa", "***aa" },
    { "x*", "axxb", "a***b" },
    { "x*", "ab", "ab" },
    { "", "ab", NULL },
    { "(", "ab", NULL },
    { "k(un|uh)de", "/srv/kunde/kuhde.py", "/srv/***/***.py" },
    /* bytes of a character stay together, whatever the locale makes of them */
    { "\xc3", "\xc3\xa9t\xc3\xa9", "***t***" },
    { "\xa9", "\xc3\xa9t", "***t" },
};

static void expressions(void **state)
{
    (void)state;
    struct lk_arena *a = lk_arena_create();
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        struct lk_redaction r = { .n = 0 };
        struct lk_error err = { 0 };
        const bool ok = lk_redaction_add(&r, rows[i].regex, &err);
        assert_int_equal(ok, rows[i].want != NULL);
        if (ok)
            assert_string_equal(lk_redaction_hide(&r, a, rows[i].text), rows[i].want);
        else
            assert_int_equal(err.code, LK_ERR_USAGE);
        assert_null(lk_redaction_hide(&r, a, NULL));
        lk_redaction_deinit(&r);
    }
    lk_arena_destroy(a);
}

static void bounds(void **state)
{
    (void)state;
    struct lk_redaction r = { .n = 0 };
    char longest[LK_MAX_REDACTION_BYTES + 2];
    memset(longest, 'x', sizeof longest);
    longest[LK_MAX_REDACTION_BYTES + 1] = '\0';
    assert_false(lk_redaction_add(&r, longest, NULL));
    longest[LK_MAX_REDACTION_BYTES] = '\0';
    for (size_t i = 0; i < LK_MAX_REDACTIONS; i++)
        assert_true(lk_redaction_add(&r, longest, NULL));
    assert_false(lk_redaction_add(&r, "x", NULL));
    lk_redaction_deinit(&r);
}

/* A name without its marks in a sentence is still the name. */
static void quoted(void **state)
{
    (void)state;
    struct lk_snapshot *s = lk_snapshot_create();
    struct lk_findings *f = lk_findings_none("thread worker token=abcdefgh was not read");
    struct lk_report r = { s, f };
    struct lk_redaction user = { .n = 0 };
    lk_thread_at(s, lk_snapshot_thread(s, 7, NULL))->name = "worker token=abcdefgh";
    s->cwd = "/srv/kunde";
    lk_snapshot_limit(s, "/srv/kunde/x could not be read");
    assert_true(lk_redaction_add(&user, "kunde", NULL));
    struct lk_hiding h = lk_hiding_find(&r, &user);
    assert_string_equal(s->threads.v[0].name, "worker token=abcdefgh");
    lk_hiding_commit(&h, &r);
    assert_string_equal(s->threads.v[0].name, "worker token=***");
    assert_string_equal(f->verdict_why, "thread worker token=*** was not read");
    assert_string_equal(s->cwd, "/srv/***");
    assert_string_equal(s->limits.v[0].text, "/srv/***/x could not be read");
    h = lk_hiding_find(&r, &user);
    assert_int_equal(h.changes.n, 0);
    lk_hiding_commit(&h, &r);
    lk_redaction_deinit(&user);
    lk_findings_destroy(f);
    lk_snapshot_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions),
        cmocka_unit_test(bounds),
        cmocka_unit_test(quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
