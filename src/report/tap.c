/*
 * TAP version 13 (testanything.org), with a YAML 1.2 block below each test point. Names of the
 * target are escaped so that they can be neither a directive nor a line of their own.
 */
#include "report/formats.h"

#include <inttypes.h>
#include <string.h>

#include "report/ci_cases.h"
#include "report/ci_issues.h"
#include "report/json_values.h"
#include "report/sentences.h"

#define MAX_BODY ((size_t)64 * 1024)

/* A description ends at " # ": what follows would be a directive such as SKIP. */
static void description(FILE *out, const char *text)
{
    for (const char *s = text; *s; s++) {
        if (*s == '#' || *s == '\\')
            putc('\\', out);
        putc(*s, out);
    }
}

/* A value of the YAML block as a double-quoted scalar: what JSON escapes, YAML 1.2 (section 7.3.1)
 * reads alike. */
static void value(FILE *out, struct lk_arena *a, const char *key, const char *text)
{
    json_t *v = lk_ci_json(a, text);
    fprintf(out, "  %s: ", key);
    json_dumpf(v, out, JSON_ENCODE_ANY);
    putc('\n', out);
    lk_json_release(v);
}

/* Lines as a literal block: each is indented, empty ones too, so none of them can end the block or
 * be read as TAP. */
static void lines(FILE *out, const char *key, const char *text)
{
    fprintf(out, "  %s: |\n", key);
    while (*text) {
        const size_t n = strcspn(text, "\n");
        fprintf(out, "    %.*s\n", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

static bool fails(const struct lk_ci_case *c)
{
    return lk_ci_case_failed(c) || lk_ci_case_in_error(c);
}

static void diagnosis(FILE *out, struct lk_arena *a, const struct lk_ci_case *c,
                      const struct lk_render *how)
{
    const struct lk_finding *f = lk_ci_case_finding(c);
    const struct lk_culprit *place = f ? lk_ci_place(f) : NULL;
    fputs("  ---\n", out);
    value(out, a, "message", lk_ci_case_summary(a, c));
    value(out, a, "severity", fails(c) ? "fail" : "comment");
    value(out, a, "verdict", lk_verdict_name(c->verdict));
    if (c->told_by)
        value(out, a, "test_told_by", c->told_by);
    if (how->elapsed_ms > 0)
        fprintf(out, "  duration_ms: %" PRId64 "\n", how->elapsed_ms);
    if (f) {
        value(out, a, "rule", lk_ci_rule(a, f));
        value(out, a, "fingerprint", f->fingerprint);
        value(out, a, "remedy", lk_sentence_remedy(f));
    }
    if (place) {
        value(out, a, "file", place->file);
        if (place->line > 0)
            fprintf(out, "  line: %d\n", place->line);
    }
    if (fails(c))
        lines(out, "report", lk_ci_text(a, c->reports, c->n, c->n != 1, how, MAX_BODY));
    fputs("  ...\n", out);
}

static void point(FILE *out, struct lk_arena *a, size_t number, const struct lk_ci_case *c,
                  const struct lk_render *how)
{
    fprintf(out, "%s %zu - ", fails(c) ? "not ok" : "ok", number);
    description(out, lk_arena_printf(a, "%s: %s", c->group, c->name));
    putc('\n', out);
    if (fails(c) || c->verdict != LK_HEALTHY)
        diagnosis(out, a, c, how);
}

bool lk_tap_write(const struct lk_report *reports, size_t n, bool set, const struct lk_render *how,
                  FILE *out)
{
    struct lk_arena *a = lk_arena_create();
    const struct lk_ci_cases cases = lk_ci_cases(a, reports, n, how);
    (void)set;
    fprintf(out, "TAP version 13\n1..%zu\n", cases.n);
    /* Nothing was examined: whoever counts points must not take that for a success. */
    if (!n)
        fputs("Bail out! No process was examined.\n", out);
    for (size_t i = 0; n && i < cases.n; i++)
        point(out, a, i + 1, &cases.v[i], how);
    lk_arena_destroy(a);
    return fflush(out) == 0 && !ferror(out);
}
