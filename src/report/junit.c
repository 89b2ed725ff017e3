/*
 * JUnit XML as Jenkins' xUnit plugin has it (junit-10.xsd), and Ant's schema where the time is
 * known; escaped by XML 1.0, sections 2.2 and 3.3.3.
 */
#include "report/formats.h"

#include <inttypes.h>
#include <string.h>

#include "report/ci_cases.h"
#include "report/ci_issues.h"
#include "report/sentences.h"
#include "util/version.h"

#define MAX_BODY ((size_t)256 * 1024) /* of one failure; CI servers show it in a page */

/*
 * Text of an element or attribute. Control characters never come so far, but XML 1.0 (section 2.2)
 * forbids U+FFFE and U+FFFF too, and an attribute's line ends would be read as spaces
 * (section 3.3.3).
 */
static void xml(FILE *out, const char *text, bool attribute)
{
    static const struct {
        char c;
        const char *entity;
    } entities[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" } };
    for (const char *s = text; *s; s++) {
        const char *entity = NULL;
        for (size_t i = 0; i < LK_ARRAY_LEN(entities); i++)
            if (*s == entities[i].c)
                entity = entities[i].entity;
        if (entity)
            fputs(entity, out);
        else if (strncmp(s, "\xef\xbf\xbe", 3) == 0 || strncmp(s, "\xef\xbf\xbf", 3) == 0) {
            fprintf(out, "\\uFFF%s", s[2] == '\xbe' ? "E" : "F");
            s += 2;
        } else if (attribute && (*s == '\n' || *s == '\t'))
            fprintf(out, "&#%d;", *s);
        else
            putc(*s, out);
    }
}

static void attribute(FILE *out, struct lk_arena *a, const char *name, const char *value)
{
    fprintf(out, " %s=\"", name);
    xml(out, lk_words_safe(a, value), true);
    putc('"', out);
}

static void property(FILE *out, struct lk_arena *a, const char *name, const char *value)
{
    fputs("      <property", out);
    attribute(out, a, "name", name);
    attribute(out, a, "value", value);
    fputs("/>\n", out);
}

/* How long it ran, where that is known: 0 would be a claim. */
static void time_attribute(FILE *out, const struct lk_render *how)
{
    if (how->elapsed_ms > 0)
        fprintf(out, " time=\"%" PRId64 ".%03d\"", how->elapsed_ms / 1000,
                (int)(how->elapsed_ms % 1000));
}

static const char *type_of(struct lk_arena *a, const struct lk_ci_case *c)
{
    const struct lk_finding *f = lk_ci_case_finding(c);
    if (c->verdict < LK_VERDICT_UNKNOWN)
        return "timeout";
    for (size_t i = 0; i < c->n; i++)
        if (c->reports[i].snap->stood_still == LK_RAN_TOO_LONG)
            return "timeout";
    if (c->verdict == LK_VERDICT_UNKNOWN || !f)
        return lk_verdict_name(c->verdict);
    return lk_arena_printf(a, "%s: %s", lk_verdict_name(c->verdict), lk_ci_rule(a, f));
}

/* A verdict that could not be reached is an error of the test, as Ant's schema has the word, and
 * never a success. */
static void write_case(FILE *out, struct lk_arena *a, const struct lk_ci_case *c,
                       const struct lk_render *how)
{
    const char *element = lk_ci_case_failed(c)     ? "failure"
                          : lk_ci_case_in_error(c) ? "error"
                                                   : NULL;
    fputs("    <testcase", out);
    attribute(out, a, "classname", c->group);
    attribute(out, a, "name", c->name);
    time_attribute(out, how);
    if (!element) {
        fputs("/>\n", out);
        return;
    }
    fprintf(out, ">\n      <%s", element);
    attribute(out, a, "type", type_of(a, c));
    attribute(out, a, "message", lk_ci_case_summary(a, c));
    putc('>', out);
    xml(out, lk_ci_text(a, c->reports, c->n, c->n != 1, how, MAX_BODY), false);
    fprintf(out, "</%s>\n    </testcase>\n", element);
}

static void properties(FILE *out, struct lk_arena *a, const struct lk_report *reports, size_t n,
                       const struct lk_ci_cases *cases)
{
    const struct lk_ci_issues issues = lk_ci_issues(a, reports, n);
    fputs("    <properties>\n", out);
    property(out, a, "loopknot.version", lk_tool_version());
    property(out, a, "loopknot.verdict", lk_verdict_name(lk_sentence_worst(reports, n)));
    for (size_t i = 0; i < cases->n; i++)
        if (cases->v[i].told_by)
            property(out, a, "loopknot.test_told_by", cases->v[i].told_by);
    for (size_t i = 0; i < issues.n; i++) {
        const struct lk_finding *f = issues.v[i].finding;
        property(out, a, "loopknot.finding",
                 lk_arena_printf(a, "%s %s %s %s", lk_verdict_name(f->severity), lk_ci_rule(a, f),
                                 f->fingerprint, lk_ci_pids(a, &issues.v[i])));
    }
    fputs("    </properties>\n", out);
}

/* Ant's schema knows no zone and no fraction of a second. */
static void timestamp(FILE *out, struct lk_arena *a, const struct lk_report *reports, size_t n)
{
    const char *t = n ? reports[0].snap->taken_at : NULL;
    if (t)
        attribute(out, a, "timestamp",
                  lk_arena_strndup(a, t, strnlen(t, strlen("2026-01-31T12:00:00"))));
}

static const char *host(const struct lk_report *reports, size_t n)
{
    const char *name = n ? reports[0].snap->host : NULL;
    return name && name[strspn(name, " ")] ? name : "localhost";
}

/* What does not fail is told in the suite's output, the only place where both schemas allow it. */
static void system_out(FILE *out, struct lk_arena *a, const struct lk_report *reports, size_t n,
                       const struct lk_ci_cases *cases, const struct lk_render *how)
{
    bool passed = false;
    for (size_t i = 0; i < cases->n; i++)
        passed |= !lk_ci_case_failed(&cases->v[i]) && !lk_ci_case_in_error(&cases->v[i]);
    fputs("    <system-out>", out);
    if (passed)
        xml(out, lk_ci_text(a, reports, n, n != 1, how, MAX_BODY), false);
    fputs("</system-out>\n    <system-err></system-err>\n", out);
}

bool lk_junit_write(const struct lk_report *reports, size_t n, bool set,
                    const struct lk_render *how, FILE *out)
{
    struct lk_arena *a = lk_arena_create();
    const struct lk_ci_cases cases = lk_ci_cases(a, reports, n, how);
    size_t failures = 0, errors = 0;
    (void)set;
    for (size_t i = 0; i < cases.n; i++) {
        failures += lk_ci_case_failed(&cases.v[i]);
        errors += lk_ci_case_in_error(&cases.v[i]);
    }
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite id=\"0\" "
            "package=\"loopknot\" name=\"loopknot\" "
            "tests=\"%zu\" failures=\"%zu\" errors=\"%zu\"",
            cases.n, failures, errors);
    time_attribute(out, how);
    timestamp(out, a, reports, n);
    attribute(out, a, "hostname", host(reports, n));
    fputs(">\n", out);
    properties(out, a, reports, n, &cases);
    for (size_t i = 0; i < cases.n; i++)
        write_case(out, a, &cases.v[i], how);
    system_out(out, a, reports, n, &cases, how);
    fputs("  </testsuite>\n</testsuites>\n", out);
    lk_arena_destroy(a);
    return fflush(out) == 0 && !ferror(out);
}
