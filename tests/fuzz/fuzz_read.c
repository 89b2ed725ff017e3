/*
 * JSON reports as files that anybody may have written: bytes of real ones are damaged, what is
 * still taken is written in every format, and what is refused says so in one line.
 */
#include <stdio.h>
#include <string.h>

#include "../report/fixtures.h"
#include "fuzz.h"
#include "report/json_read.h"

enum { CAP = 1 << 16 };

static char *seeds[4];
static size_t sizes[4];

static void make_seeds(void)
{
    struct lk_report r[] = { fixture_deadlock(), fixture_every_value(), fixture_master() };
    for (size_t i = 0; i < LK_ARRAY_LEN(r); i++)
        seeds[i] = fixture_render("json", &r[i], 1, i == 2, (struct lk_render){ 0 }, &sizes[i]);
    seeds[3] = fixture_render("json", r, 2, true, (struct lk_render){ 0 }, &sizes[3]);
    for (size_t i = 0; i < LK_ARRAY_LEN(r); i++)
        fixture_destroy(&r[i]);
}

static void release(struct lk_reports *r)
{
    for (size_t i = 0; i < r->n; i++) {
        lk_findings_destroy(r->v[i].findings);
        lk_snapshot_destroy(r->v[i].snap);
    }
    lk_free(r->v);
}

/* Values of one place in another: the document stays one, its types do not. */
static void swap_words(char *s, size_t n)
{
    static const char *const values[] = {
        "null", "true", "[]  ", "{}  ", "7   ", "\"x\" ", "-1  "
    };
    for (size_t i = 0, times = fuzz_below(8); i < times; i++) {
        char *at = s + fuzz_below(n);
        at = memmem(at, (size_t)(s + n - at), ": null", 6);
        if (at)
            memcpy(at + 2, values[fuzz_below(LK_ARRAY_LEN(values))], 4);
    }
}

static void one(uint64_t round)
{
    static uint8_t buf[CAP];
    const size_t i = fuzz_below(LK_ARRAY_LEN(seeds));
    size_t n = LK_MIN(sizes[i], (size_t)CAP);
    struct lk_reports r;
    struct lk_error err;
    (void)round;
    memcpy(buf, seeds[i], n);
    swap_words((char *)buf, n);
    if (fuzz_below(2))
        n = fuzz_mutate(buf, n, CAP);
    if (!lk_json_read((const char *)buf, n, &r, &err)) {
        CHECK(err.text[0] && !strchr(err.text, '\n'));
        return;
    }
    for (size_t f = 0; f < lk_n_formats; f++)
        free(fixture_render(lk_formats[f].name, r.v, r.n, r.set,
                            (struct lk_render){ .native = true, .verbose = 1 }, NULL));
    release(&r);
}

int main(int argc, char **argv)
{
    make_seeds();
    return fuzz_run(argc, argv, one);
}
