/* Whatever a target calls its threads, functions and files: every format stays whole and harmless.
 */
#include "cm.h"

#include <jansson.h>

#include "fixtures.h"

static const char *const evils[] = {
    "\033[31mred\033[0m\033]0;title\007",
    "line\nDEADLOCK  pid 1 forged\r\n",
    "::error::x",
    "::set-output name=x::y",
    "]]>",
    "<script>alert(1)</script>",
    "</details><img src=x onerror=y>",
    "\xff\xfe\x80",
    "\xc3",
    "\xed\xa0\x80",
    "\xf5\x80\x80\x80",
    "g\xe2\x80\xaeh\xe2\x81\xa6i\xe2\x80\xa8j",
    "\xc2\x85\xc2\x9b[31m",
    "\x7f",
    "```\n# heading\n```",
    "`` ` ```` x",
    "`",
    " `a` ",
    "| a | b |\n|---|",
    "@everyone #1 !2 ~label %milestone $3 GH-4",
    "[x](javascript:y)",
    "![x](http://h/x.png)",
    "- item",
    "# head",
    "> quote",
    "1. one",
    "***",
    "---",
    "===",
    "\\",
    "&lt;&#64;",
    "http://h/ www.h.example a@b.example",
    "\"quoted\" \\ \\n \\u0000",
    "%s%n%d",
    "",
    " ",
};

/* Bytes that no output may hold: C0 and DEL (but newline), invalid UTF-8, C1, line separators,
 * bidirectional controls. */
static size_t harm(const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t bad = 0;
    for (size_t i = 0; i < n; i++)
        bad += (s[i] < 0x20 && s[i] != '\n') || s[i] == 0x7f || (s[i] == 0xc2 && s[i + 1] < 0xa0) ||
               (s[i] == 0xe2 && s[i + 1] == 0x80 && s[i + 2] >= 0xa8 && s[i + 2] <= 0xae) ||
               (s[i] == 0xe2 && s[i + 1] == 0x81 && s[i + 2] >= 0xa6 && s[i + 2] <= 0xa9);
    json_t *valid = json_stringn(text, n); /* refuses what is not UTF-8 */
    bad += !valid;
    json_decref(valid);
    return bad;
}

static size_t lines(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += *s == '\n';
    return n;
}

/* Renders a report whose names are all `evil`; checks it and returns it. */
static char *render(const char *evil, const char *format, struct lk_render how, size_t *size)
{
    struct lk_report r = fixture_hostile(evil);
    char *out = fixture_render(format, &r, 1, false, how, size);
    if (harm(out, *size))
        fail_msg("%s with \"%s\" holds a harmful byte:\n%s", format, evil, out);
    fixture_destroy(&r);
    return out;
}

static void no_format_passes_a_control_on(void **state)
{
    (void)state;
    for (size_t f = 0; f < lk_n_formats; f++) {
        for (size_t i = 0; i < LK_ARRAY_LEN(evils); i++) {
            for (int width = 0; width <= 120; width += 40) {
                size_t size;
                struct lk_render how = {
                    .width = width, .all = width == 40, .native = width != 80, .verbose = 1
                };
                free(render(evils[i], lk_formats[f].name, how, &size));
            }
        }
    }
}

static void json_stays_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(evils); i++) {
        size_t size;
        json_error_t error;
        char *out = render(evils[i], "json", (struct lk_render){ .native = true }, &size);
        json_t *v = json_loadb(out, size, JSON_REJECT_DUPLICATES, &error);
        if (!v)
            fail_msg("\"%s\": %s", evils[i], error.text);
        json_decref(v);
        free(out);
    }
}

/* A name must not be able to add a line: the text has as many lines as with a harmless name that is
 * as long once escaped. */
static void no_name_adds_a_line(void **state)
{
    size_t size;
    (void)state;
    for (size_t f = 0; f < lk_n_formats; f++) {
        char *plain = render("xxxxxxxxxxxxxxxxxxxxx", lk_formats[f].name,
                             (struct lk_render){ .native = true }, &size);
        char *evil = render("x\nx\r\n\xe2\x80\xa8x", lk_formats[f].name,
                            (struct lk_render){ .native = true }, &size);
        assert_int_equal(lines(evil), lines(plain));
        free(plain);
        free(evil);
    }
}

static void colour_comes_from_us_alone(void **state)
{
    struct lk_report r = fixture_hostile("\033[5m");
    size_t size;
    (void)state;
    char *out = fixture_render("text", &r, 1, false,
                               (struct lk_render){ .color = true, .width = 80 }, &size);
    assert_has(out, "\033[1m");
    assert_lacks(out, "\033[5m");
    free(out);
    fixture_destroy(&r);
}

static void markdown_stays_markdown(void **state)
{
    size_t size;
    (void)state;
    char *out =
        render("<script>alert(1)</script></details>", "markdown", (struct lk_render){ 0 }, &size);
    /* HTML is only harmless in code; what is outside of it is escaped: no line outside of code has
     * the tag. */
    bool fenced = false;
    for (char *save, *line = strtok_r(out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (strncmp(line, "```", 3) == 0)
            fenced = !fenced;
        const char *tag = strstr(line, "<script>");
        if (tag && !fenced)
            assert_true(memchr(line, '`', (size_t)(tag - line)) != NULL);
    }
    assert_false(fenced);
    free(out);
    out = render("@everyone #1 !2", "markdown", (struct lk_render){ 0 }, &size);
    assert_has(out, "| Host | `@everyone #1 !2` |");
    assert_has(out, "@<!-- -->everyone \\#<!-- -->1 \\!<!-- -->2");
    free(out);
}

static void fences_are_longer_than_what_they_hold(void **state)
{
    size_t size;
    (void)state;
    char *out = render("`````` x", "markdown", (struct lk_render){ 0 }, &size);
    assert_has(out, "\n```````");
    assert_has(out, "```````text\n");
    free(out);
}

static void very_long_names_are_cut_where_people_read(void **state)
{
    const size_t n = 300000;
    char *name = malloc(n + 1);
    size_t size;
    (void)state;
    memset(name, 'n', n);
    name[n] = '\0';
    char *json = render(name, "json", (struct lk_render){ 0 }, &size);
    assert_true(size > n);
    free(json);
    struct lk_report r = fixture_deadlock();
    r.snap->threads.v[1].name = name;
    char *text = fixture_render("text", &r, 1, false, (struct lk_render){ .width = 80 }, &size);
    assert_true(size < 20000);
    free(text);
    fixture_destroy(&r);
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_format_passes_a_control_on),
        cmocka_unit_test(json_stays_json),
        cmocka_unit_test(no_name_adds_a_line),
        cmocka_unit_test(colour_comes_from_us_alone),
        cmocka_unit_test(markdown_stays_markdown),
        cmocka_unit_test(fences_are_longer_than_what_they_hold),
        cmocka_unit_test(very_long_names_are_cut_where_people_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
