/*
 * From strings of a target to bytes of a report: redaction and cleaning of any bytes, then every
 * format over snapshots whose strings, numbers and references are damaged. Reports stay whole: JSON
 * that parses, and no control character anywhere.
 */
#include <jansson.h>
#include <string.h>

#include "../report/fixtures.h"
#include "fuzz.h"
#include "util/redact.h"
#include "util/text.h"

enum { CAP = 512 };

static const char *const seeds[] = {
    "--password=hunter2",
    "-phunter2",
    "postgres://user:secret@db:5432/app?token=abc",
    "AWS_SECRET_ACCESS_KEY=abcdefghijklmnop",
    "Authorization: Bearer eyJhbGciOi.J9.abc",
    "curl -u user:pw https://x",
    "{\"api_key\": \"0123456789abcdef\"}",
    "/srv/app.py",
    "\xf0\x9f\x98\x80 \xc3\xa9 \xe2\x80\xae \033[31m ::error:: ]]> <script>",
};

/* Valid UTF-8 without anything that moves a cursor or ends a line; the formats' own newlines are
 * for the caller. */
static void check_clean(const char *s, size_t n, bool newlines)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)s[i];
        CHECK((c >= 0x20 || (newlines && c == '\n')) && c != 0x7f);
        CHECK(c != 0xc2 || (unsigned char)s[i + 1] >= 0xa0); /* C1 controls are U+0080 to U+009F */
    }
    json_t *j = json_stringn(s, n); /* NULL for invalid UTF-8 */
    CHECK(j);
    json_decref(j);
}

static char *some_bytes(size_t *n)
{
    const char *seed = seeds[fuzz_below(sizeof seeds / sizeof seeds[0])];
    uint8_t buf[CAP];
    memcpy(buf, seed, strlen(seed));
    *n = fuzz_mutate(buf, strlen(seed), CAP);
    char *s = lk_xmalloc(*n + 1);
    memcpy(s, buf, *n);
    s[*n] = '\0';
    return s;
}

static void strings(void)
{
    struct lk_arena *a = lk_arena_create();
    size_t n, m;
    char *s = some_bytes(&n), *previous = some_bytes(&m);
    const size_t max = 8 + fuzz_below(CAP);
    const char *clean = lk_text_clean(a, s, n, max);
    check_clean(clean, strlen(clean), false);
    /* the last escape stays whole */
    CHECK(strlen(clean) <= max + strlen("\\u202e") - 1 + strlen("..."));
    const char *hidden = lk_redact(a, s, fuzz_below(2) ? previous : NULL);
    CHECK(hidden && strlen(hidden) <= 4 * strlen(s) + 16);
    lk_free(s);
    lk_free(previous);
    lk_arena_destroy(a);
}

/* ---- reports ------------------------------------------------------------------------------ */

static struct lk_ref any_ref(void)
{
    return (struct lk_ref){ .kind = (enum lk_kind)fuzz_below(LK_KIND_EXTERN + 2),
                            .index = (uint32_t)fuzz_below(12) };
}

static int64_t any_number(void)
{
    static const int64_t numbers[] = { LK_UNKNOWN, LK_FOREVER,       0,         1,        -5, 999,
                                       60000,      INT64_C(1) << 40, INT64_MAX, INT64_MIN };
    return numbers[fuzz_below(sizeof numbers / sizeof numbers[0])];
}

static void damage_refs(struct lk_refs *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (!fuzz_below(3))
            r->v[i] = any_ref();
}

static void damage_wait(struct lk_wait *w)
{
    w->kind = (enum lk_wait_kind)fuzz_below(64);
    w->timeout_ms = any_number();
    damage_refs(&w->on);
}

static void damage_finding(struct lk_finding *f)
{
    f->stuck_ms = any_number();
    f->held_requests = any_number();
    f->held_tasks = any_number();
    f->severity = (enum lk_verdict)fuzz_below(LK_DEADLOCK + 1);
    f->confidence = (enum lk_confidence)fuzz_below(8);
    for (size_t i = 0; i < f->chain.n; i++) {
        f->chain.v[i].to = any_ref();
        f->chain.v[i].read = (enum lk_read)fuzz_below(8);
    }
    for (size_t i = 0; i < f->culprits.n; i++) {
        f->culprits.v[i].line = (int)any_number();
        f->culprits.v[i].tid = any_number();
    }
    damage_refs(&f->threads);
    damage_refs(&f->tasks);
}

static void damage_report(struct lk_report *r)
{
    struct lk_snapshot *s = r->snap;
    for (size_t i = 0; i < s->threads.n; i++) {
        struct lk_thread *t = &s->threads.v[i];
        t->stuck_ms = any_number();
        t->kstate = (char)fuzz_below(256);
        t->running_loop = any_ref();
        t->current_task = any_ref();
        t->os.on = (enum lk_os_wait)fuzz_below(32);
        t->os.timeout_ms = any_number();
        damage_wait(&t->wait);
        damage_refs(&t->holds);
    }
    for (size_t i = 0; i < s->tasks.n; i++) {
        s->tasks.v[i].loop = any_ref();
        s->tasks.v[i].run_by = any_ref();
        s->tasks.v[i].state = (enum lk_task_state)fuzz_below(16);
        damage_wait(&s->tasks.v[i].wait);
    }
    for (size_t i = 0; i < s->loops.n; i++) {
        s->loops.v[i].thread = any_ref();
        s->loops.v[i].run = (enum lk_loop_run)fuzz_below(16);
        s->loops.v[i].next_timer_ms = any_number();
    }
    for (size_t i = 0; i < s->futures.n; i++) {
        s->futures.v[i].state = (enum lk_future_state)fuzz_below(16);
        damage_refs(&s->futures.v[i].enders);
    }
    for (size_t i = 0; i < r->findings->list.n; i++)
        damage_finding(&r->findings->list.v[i]);
    r->findings->verdict = (enum lk_verdict)fuzz_below(LK_DEADLOCK + 1);
}

static void reports(void)
{
    size_t n, size;
    char *evil = some_bytes(&n);
    struct lk_report r[2] = { fuzz_below(2) ? fixture_hostile(evil) : fixture_every_value(),
                              fixture_deadlock() };
    const struct lk_render how = { .width = (int)fuzz_below(140),
                                   .all = fuzz_below(2),
                                   .native = fuzz_below(2),
                                   .verbose = (int)fuzz_below(2),
                                   .command = fuzz_below(2) ? evil : NULL,
                                   .test = fuzz_below(4) ? NULL : evil,
                                   .elapsed_ms = any_number(),
                                   .ended = fuzz_below(2) };
    const size_t count = 1 + fuzz_below(2);
    damage_report(&r[0]);
    damage_report(&r[1]);
    r[0].snap->ppid = fuzz_below(2) ? r[1].snap->pid : r[0].snap->pid;
    r[1].snap->ppid = r[0].snap->pid;
    r[0].snap->test_env = fuzz_below(2) ? evil : "a.py::T::test_x[1] (call)";
    r[0].snap->test_env_own = fuzz_below(2);
    for (size_t i = 0; i < lk_n_formats; i++) {
        char *out = fixture_render(lk_formats[i].name, r, count, fuzz_below(2), how, &size);
        check_clean(out, size, true);
        if (strcmp(lk_formats[i].name, "json") == 0 || strcmp(lk_formats[i].name, "sarif") == 0 ||
            strcmp(lk_formats[i].name, "gitlab") == 0) {
            json_t *j = json_loadb(out, size, JSON_REJECT_DUPLICATES, NULL);
            CHECK(j);
            json_decref(j);
        }
        free(out);
    }
    fixture_destroy(&r[0]);
    fixture_destroy(&r[1]);
    lk_free(evil);
}

static void one(uint64_t round)
{
    strings();
    if (round % 8 == 0)
        reports();
}

int main(int argc, char **argv)
{
    return fuzz_run(argc, argv, one);
}
