/* The HTML page: what stands in it, that no name becomes markup, that it stays small. With a folder
 * as argument pages are written into it, for a real browser (tests/browser/run). */
#include "cm.h"

#include <stdio.h>

#include <jansson.h>

#include "fixtures.h"

#define MAX_PAGE (5 << 20)

static const char *const evils[] = {
    "<script>window.harmed=1</script>",
    "</script><script>window.harmed=1</script>",
    "</title><img src=x onerror=window.harmed=1>",
    "\"onmouseover=\"window.harmed=1",
    "'><svg onload=window.harmed=1>",
    "<!--<script>",
    "]]>&lt;&#x3c;",
    "$$$",
    "javascript:window.harmed=1",
    "\033[31m\n\xff\xe2\x80\xae",
    "",
};

static char *page(const struct lk_report *r, size_t n, bool set)
{
    return fixture_render("html", r, n, set, (struct lk_render){ 0 }, NULL);
}

static void the_page_says_it_all(void **state)
{
    static const char *const words[] = {
        "<!DOCTYPE html>",
        "<h1>DEADLOCK</h1>",
        "pid 4711 python3 app.py (Python 3.11.2, 9 threads)",
        "<dt>Stuck</dt><dd>for 14 min",
        "3 requests and 12 tasks held up behind it",
        "<code>/srv/app.py:10 in outer</code>, thread bg-loop [4712]<pre>return fut.result()</pre>",
        "id <code>6f1c00000000101</code>",
        "<svg role=\"img\"",
        "<b>thread bg-loop [4712]</b> blocks in Future.result() <b>",
        ", where it began",
        "<h5>Before</h5>",
        "<h5>After</h5>",
        "<li class=\"user\"><b>/srv/app.py:10 in outer</b><code>return fut.result()</code></li>",
        "<li class=\"native\">libc.so.6+0x89e0e  __futex_abstimed_wait_common</li>",
        "<summary><h3>Threads (9)</h3></summary>",
        "Which 3 threads<",
        "<h3>What could not be read (",
        "<dt>Host</dt><dd>web-3</dd>",
        "<script type=\"application/json\" id=\"report\">{",
        "Content-Security-Policy\" content=\"default-src 'none';",
    };
    struct lk_report r = fixture_deadlock();
    (void)state;
    char *out = page(&r, 1, false);
    for (size_t i = 0; i < LK_ARRAY_LEN(words); i++)
        assert_has(out, words[i]);
    free(out);
    fixture_destroy(&r);
}

/* What a page could load, or be sent to. */
static void nothing_is_loaded(void **state)
{
    static const char *const never[] = { " src=",   "<link",     "@import", "url(http",
                                         "<iframe", "fetch(",    "XMLHttp", "<object",
                                         "<form",   "innerHTML", "eval(" };
    struct lk_report r = fixture_deadlock();
    (void)state;
    char *out = page(&r, 1, false);
    for (size_t i = 0; i < LK_ARRAY_LEN(never); i++)
        assert_lacks(out, never[i]);
    free(out);
    fixture_destroy(&r);
}

/* Labels in pictures are broken into lines, each a <text>. */
static size_t tags(const char *page)
{
    return cm_occurrences(page, "<") - cm_occurrences(page, "<text") -
           cm_occurrences(page, "</text");
}

/* As many tags as with a harmless name, and the JSON report ends where its element does. */
static void no_name_is_markup(void **state)
{
    (void)state;
    struct lk_report plain = fixture_hostile("name");
    char *as = page(&plain, 1, false);
    for (size_t i = 0; i < LK_ARRAY_LEN(evils); i++) {
        struct lk_report r = fixture_hostile(evils[i]);
        char *out = page(&r, 1, false);
        assert_lacks(out, "<script>window.harmed");
        assert_lacks(out, "<img");
        assert_lacks(out, "<svg onload");
        if (*evils[i]) /* an empty name leaves out rows */
            assert_int_equal(tags(out), tags(as));
        char *json = strstr(out, "id=\"report\">");
        assert_non_null(json);
        json[0] = '\0'; /* in JSON a quote has a backslash before it */
        assert_lacks(out, "\"onmouseover");
        assert_lacks(out, "'><svg");
        json += strlen("id=\"report\">");
        char *end = strstr(json, "</script>");
        assert_non_null(end);
        json_t *v = json_loadb(json, (size_t)(end - json), JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(v);
        json_decref(v);
        free(out);
        fixture_destroy(&r);
    }
    free(as);
    fixture_destroy(&plain);
}

static void a_set_has_an_overview(void **state)
{
    struct lk_report r[] = { fixture_master(), fixture_deadlock() };
    (void)state;
    char *out = page(r, 2, true);
    assert_has(out, "<table class=\"overview\">");
    assert_has(out, "href=\"#p4711\"");
    assert_has(out, "id=\"p4711\"");
    assert_has(out, "LK101 loop-waits-on-itself");
    free(out);
    fixture_destroy(&r[0]);
    fixture_destroy(&r[1]);
}

static void pages_stay_small(void **state)
{
    static const struct {
        size_t tasks, stacks;
    } rows[] = { { 100000, 3 }, { 100000, 1000 }, { 5000, 5000 } };
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        struct lk_report r = fixture_tasks(rows[i].tasks, rows[i].stacks);
        const double began = cm_cpu_ms();
        char *out = page(&r, 1, false);
        assert_true(strlen(out) < MAX_PAGE);
        assert_true(cm_cpu_ms() - began < 2000 * CM_SLOWER);
        assert_has(out, "<h3>Tasks (");
        free(out);
        fixture_destroy(&r);
    }
}

/* ---- for a browser --------------------------------------------------------------------------- */

static void write_page(const char *folder, const char *name, const struct lk_report *r, size_t n)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.html", folder, name);
    char *text = page(r, n, n != 1);
    FILE *out = fopen(path, "w");
    if (!out || fputs(text, out) < 0 || fclose(out) != 0)
        exit(1);
    free(text);
}

static int write_all(const char *folder)
{
    struct lk_report r[] = { fixture_deadlock(), fixture_healthy(), fixture_every_value(),
                             fixture_tasks(100000, 3), fixture_tasks(100000, 1000) };
    static const char *const names[] = { "deadlock", "healthy", "every-value", "tasks-3-stacks",
                                         "tasks-1000-stacks" };
    for (size_t i = 0; i < LK_ARRAY_LEN(r); i++)
        write_page(folder, names[i], &r[i], 1);
    write_page(folder, "set", r, 2);
    for (size_t i = 0; i < LK_ARRAY_LEN(r); i++)
        fixture_destroy(&r[i]);
    for (size_t i = 0; i < LK_ARRAY_LEN(evils); i++) {
        char name[32];
        struct lk_report evil = fixture_hostile(evils[i]);
        snprintf(name, sizeof name, "hostile-%zu", i);
        write_page(folder, name, &evil, 1);
        fixture_destroy(&evil);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_says_it_all), cmocka_unit_test(nothing_is_loaded),
        cmocka_unit_test(no_name_is_markup),    cmocka_unit_test(a_set_has_an_overview),
        cmocka_unit_test(pages_stay_small),
    };
    if (argc == 2)
        return write_all(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
