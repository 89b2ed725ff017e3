/*
 * Captures from the inside: what is written is read again, what nobody asked for is not there, and
 * no file, however it is cut or changed, is more than a refusal.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_target.h"
#include "process/capture/capture_file.h"
#include "process/capture/known.h"
#include "process/capture/record.h"
#include "process/capture/replay.h"
#include "process/capture/shape_members.h"
#include "process/pages.h"
#include "process/process_impl.h"
#include "util/map.h"
#include "util/text.h"
#include "util/version.h"

#define BASE UINT64_C(0x7f0000000000)

static uint8_t bytes[4 * LK_PAGE];

static int fill(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 31 + i / LK_PAGE + 1);
    memcpy(bytes + 100, "a name", 7);
    return 0;
}

static void numbers_and_text_come_back(void **state)
{
    static const int64_t numbers[] = {
        0, 1, -1, 63, 64, -64, -65, INT32_MAX, INT64_MAX, INT64_MIN
    };
    struct lk_bytes b = { 0 };
    struct lk_arena *a = lk_arena_create();
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(numbers); i++) {
        lk_bytes_signed(&b, numbers[i]);
        lk_bytes_number(&b, (uint64_t)numbers[i]);
    }
    lk_bytes_text(&b, NULL);
    lk_bytes_text(&b, "");
    lk_bytes_text(&b, "text");
    struct lk_cursor_of_bytes c = { .p = b.v, .end = b.v + b.n };
    for (size_t i = 0; i < LK_ARRAY_LEN(numbers); i++) {
        assert_true(lk_take_signed(&c) == numbers[i]);
        assert_true(lk_take_number(&c) == (uint64_t)numbers[i]);
    }
    assert_null(lk_take_text(&c, a));
    assert_string_equal(lk_take_text(&c, a), "");
    assert_string_equal(lk_take_text(&c, a), "text");
    assert_false(c.bad);
    assert_int_equal(lk_take_number(&c), 0);
    assert_true(c.bad);
    lk_arena_destroy(a);
    lk_free(b.v);
}

static void put(struct lk_known *k, lk_addr addr, const void *v, size_t n)
{
    for (const uint8_t *from = v; n; addr++, from++, n--) {
        uint8_t page[LK_PAGE] = { 0 };
        uint64_t asked[LK_PAGE_WORDS] = { 0 };
        page[addr % LK_PAGE] = *from;
        asked[addr % LK_PAGE / 64] = UINT64_C(1) << addr % 64;
        lk_known_put(k, addr - addr % LK_PAGE, page, asked);
    }
}

static void memory_is_what_was_asked_for(void **state)
{
    struct lk_known *k = lk_known_create(8), *again = lk_known_create(8);
    struct lk_bytes b = { 0 };
    uint8_t got[LK_PAGE * 2];
    (void)state;
    put(k, BASE + LK_PAGE - 8, bytes, 24); /* across a page */
    put(k, BASE + 100, bytes, 1);
    put(k, BASE + 3 * LK_PAGE, bytes, LK_PAGE);
    lk_known_lack(k, BASE + 9 * LK_PAGE, EIO);
    lk_known_write(k, &b);
    struct lk_cursor_of_bytes c = { .p = b.v, .end = b.v + b.n };
    assert_true(lk_known_read(again, &c) && c.p == c.end);
    assert_int_equal(lk_known_get(again, BASE + LK_PAGE - 8, got, 24), 0);
    assert_memory_equal(got, bytes, 24);
    assert_int_equal(lk_known_get(again, BASE + 100, got, 1), 0);
    assert_int_equal(lk_known_get(again, BASE + 3 * LK_PAGE, got, LK_PAGE), 0);
    assert_memory_equal(got, bytes, LK_PAGE);
    assert_int_equal(lk_known_get(again, BASE + LK_PAGE - 8, got, 25), ENODATA);
    assert_int_equal(lk_known_get(again, BASE + 99, got, 2), ENODATA);
    assert_int_equal(lk_known_get(again, BASE + 5 * LK_PAGE, got, 1), ENODATA);
    assert_int_equal(lk_known_get(again, BASE + 9 * LK_PAGE, got, 1), EIO);
    lk_free(b.v);
    lk_known_destroy(k);
    lk_known_destroy(again);
}

static void what_is_beyond_the_bound_is_told(void **state)
{
    struct lk_known *k = lk_known_create(2), *again = lk_known_create(2);
    struct lk_bytes b = { 0 };
    uint8_t got[8];
    (void)state;
    put(k, BASE, bytes, 2 * LK_PAGE);
    assert_false(lk_known_is_cut(k));
    put(k, BASE + 2 * LK_PAGE - 8, bytes, 16); /* half of it fits */
    lk_known_lack(k, BASE + 9 * LK_PAGE, EIO);
    assert_true(lk_known_is_cut(k));
    lk_known_write(k, &b);
    struct lk_cursor_of_bytes c = { .p = b.v, .end = b.v + b.n }, passed = c;
    assert_true(lk_known_read(again, &c) && c.p == c.end && lk_known_is_cut(again));
    assert_true(lk_known_read(NULL, &passed) && passed.p == c.end);
    assert_int_equal(lk_known_get(again, BASE + 2 * LK_PAGE - 8, got, 8), 0);
    assert_memory_equal(got, bytes, 8);
    assert_int_equal(lk_known_get(again, BASE + 2 * LK_PAGE, got, 8), EFBIG);
    assert_int_equal(lk_known_get(again, BASE + 9 * LK_PAGE, got, 8), EFBIG);
    /* the last page of all: what follows it is not the first one */
    lk_known_destroy(k);
    k = lk_known_create(8);
    lk_known_lack(k, UINT64_MAX - LK_PAGE + 1, EIO);
    lk_known_lack(k, UINT64_MAX - LK_PAGE + 1, EIO);
    assert_int_equal(lk_known_get(k, UINT64_MAX - 7, got, 8), EIO);
    assert_int_equal(lk_known_get(k, 0, got, 8), ENODATA);
    lk_free(b.v);
    lk_known_destroy(k);
    lk_known_destroy(again);
}

/* What is as it was is not written again; what one sample did not ask for the next one has anew. */
static void samples_are_told_by_what_changed(void **state)
{
    struct lk_known *k = lk_known_create(8), *again = lk_known_create(8);
    struct lk_bytes b[5] = { { 0 } };
    uint8_t got[8], other[8] = { 1, 2, 3 };
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        if (i)
            lk_known_next(k);
        if (i != 3)
            put(k, BASE, i == 2 ? other : bytes, 8);
        if (i == 4)
            put(k, BASE + 8, bytes, 1);
        put(k, BASE + 3 * LK_PAGE, bytes, 200);
        lk_known_lack(k, BASE + 9 * LK_PAGE, i == 2 ? EFAULT : EIO);
        lk_known_write(k, &b[i]);
    }
    assert_true(b[1].n < 20 && b[0].n > 200 && b[2].n < b[0].n && b[4].n > b[3].n);
    for (size_t i = 0; i < 5; i++) {
        struct lk_cursor_of_bytes c = { .p = b[i].v, .end = b[i].v + b[i].n };
        if (i)
            lk_known_next(again);
        assert_true(lk_known_read(again, &c) && c.p == c.end);
        assert_int_equal(lk_known_get(again, BASE, got, 8), i == 3 ? ENODATA : 0);
        if (i != 3)
            assert_memory_equal(got, i == 2 ? other : bytes, 8);
        assert_int_equal(lk_known_get(again, BASE + 8, got, 1), i == 4 ? 0 : ENODATA);
        assert_int_equal(lk_known_get(again, BASE + 3 * LK_PAGE + 192, got, 8), 0);
        assert_int_equal(lk_known_get(again, BASE + 9 * LK_PAGE, got, 1), i == 2 ? EFAULT : EIO);
        lk_free(b[i].v);
    }
    lk_known_destroy(k);
    k = lk_known_create(8); /* as it was, of what never was */
    struct lk_cursor_of_bytes c = { .p = (const uint8_t *)"\0\1\1", .end = NULL };
    c.end = c.p + 4;
    assert_false(lk_known_read(k, &c));
    lk_known_destroy(k);
    lk_known_destroy(again);
}

static void errors_come_back(void **state)
{
    struct lk_error err = { .code = LK_ERR_PERMISSION, .os_errno = EACCES, .text = "a gate" }, ret;
    struct lk_bytes b = { 0 };
    (void)state;
    lk_bytes_error(&b, NULL);
    lk_bytes_error(&b, &err);
    err.code = LK_OK; /* it failed, whatever it forgot to say */
    lk_bytes_error(&b, &err);
    lk_bytes_number(&b, LK_ERR_TIMEOUT + 1);
    struct lk_cursor_of_bytes c = { .p = b.v, .end = b.v + b.n };
    assert_true(lk_take_error(&c, &ret));
    assert_false(lk_take_error(&c, &ret));
    assert_int_equal(ret.code, LK_ERR_PERMISSION);
    assert_int_equal(ret.os_errno, EACCES);
    assert_string_equal(ret.text, "a gate");
    assert_false(lk_take_error(&c, NULL));
    assert_false(c.bad);
    assert_false(lk_take_error(&c, &ret));
    assert_true(c.bad && ret.code == LK_ERR_BAD_DATA && ret.text[0]);
    lk_free(b.v);
}

/* What no process ever answers, of a kind that a reader relies on. */
static void answers_that_cannot_be_are_refused(void **state)
{
    static const struct {
        enum lk_fact what;
        uint8_t bytes[4];
        size_t n;
        bool ok;
    } cases[] = {
        { LK_FACT_LIVES_ON, { 1 }, 1, true },
        { LK_FACT_LIVES_ON, { 2 }, 1, false },
        { LK_FACT_CHILD_WORK, { 2 * LK_CHILD_RUNS }, 1, true },
        { LK_FACT_CHILD_WORK, { 2 * (LK_CHILD_RUNS + 1) }, 1, false },
        { LK_FACT_CHILD_WORK, { 1 }, 1, false }, /* -1 */
        { LK_FACT_CONNECTIONS, { 0 }, 1, true },
        { LK_FACT_CONNECTIONS, { 1, 6, 1, 1 }, 4, true },
        { LK_FACT_CONNECTIONS, { 1, 6, 1, 0 }, 4, false }, /* without a peer */
        { LK_FACT_CONNECTIONS, { 9, 6, 1, 1 }, 4, false },
    };
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(cases); i++) {
        const struct lk_shape *s = lk_shape_of(cases[i].what);
        struct lk_arena *a = lk_arena_create();
        struct lk_cursor_of_bytes c = { .p = cases[i].bytes, .end = cases[i].bytes + cases[i].n };
        assert_int_equal(lk_shape_read(s, &c, a, lk_arena_alloc(a, lk_shape_size(s))), cases[i].ok);
        lk_arena_destroy(a);
    }
}

static void answers_come_back(void **state)
{
    const struct lk_shape *shape = lk_shape_of(LK_FACT_CALL);
    struct lk_arena *a = lk_arena_create();
    uint64_t inodes[] = { 7, UINT64_MAX };
    int64_t fds[] = { 3, -1, 1 << 20 };
    struct lk_syscall_wait w = lk_syscall_wait_none, ret = { 0 };
    struct lk_bytes b = { 0 };
    (void)state;
    w.on = LK_OS_SOCKET;
    w.syscall = "recvfrom";
    w.args[0] = 5;
    w.args[4] = UINT64_MAX;
    w.peer = "127.0.0.1:80\x1b[31m"; /* a file may hold anything: it is escaped on its way in */
    w.ends_at.v = inodes;
    w.ends_at.n = LK_ARRAY_LEN(inodes);
    w.fds.v = fds;
    w.fds.n = LK_ARRAY_LEN(fds);
    lk_shape_write(shape, &w, &b);
    for (size_t cut = 0; cut < b.n; cut++) {
        struct lk_cursor_of_bytes c = { .p = b.v, .end = b.v + cut };
        assert_false(lk_shape_read(shape, &c, a, &ret));
    }
    struct lk_cursor_of_bytes c = { .p = b.v, .end = b.v + b.n };
    assert_true(lk_shape_read(shape, &c, a, &ret) && c.p == c.end);
    assert_int_equal(ret.on, LK_OS_SOCKET);
    assert_string_equal(ret.syscall, "recvfrom");
    assert_memory_equal(ret.args, w.args, sizeof w.args);
    assert_string_equal(ret.peer, "127.0.0.1:80\\x1b[31m");
    assert_null(ret.local);
    assert_int_equal(ret.timeout_ms, LK_UNKNOWN);
    assert_int_equal(ret.ends_at.n, 2);
    assert_true(ret.ends_at.v[1] == UINT64_MAX);
    assert_int_equal(ret.fds.n, 3);
    assert_int_equal(ret.fds.v[2], 1 << 20);
    lk_free(b.v);
    lk_arena_destroy(a);
}

/* Two samples of a fake, in each of which something else was read. */
static struct lk_bytes record_fake(void)
{
    const struct fake_segment s = { BASE, bytes, sizeof bytes };
    struct lk_process *t = fake_target(&s, 1);
    struct lk_bytes tape;
    uint64_t v;
    char text[32];
    lk_error_set(&t->withheld, LK_ERR_PERMISSION, "a gate");
    lk_record_start(t);
    lk_process_begin_sample(t);
    assert_true(lk_read_u64(t, BASE + 8, &v));
    assert_true(lk_read_cstr(t, BASE + 100, text, sizeof text));
    assert_false(lk_read_u64(t, BASE - LK_PAGE, &v));
    lk_process_aside(t);
    assert_true(lk_read_u64(t, BASE + 200, &v));
    lk_process_aside_end(t);
    lk_process_begin_sample(t);
    assert_true(lk_read_u64(t, BASE + LK_PAGE, &v));
    assert_true(lk_record_end(t, &tape));
    assert_true(lk_read_u64(t, BASE + 16, &v)); /* it goes on as it was */
    lk_process_destroy(t);
    return tape;
}

static void a_record_answers_again(void **state)
{
    struct lk_bytes tape = record_fake();
    struct lk_error err = { 0 };
    uint64_t v;
    char text[32];
    (void)state;
    struct lk_process *t = lk_replay_open(7, tape.v, tape.n, &err);
    assert_non_null(t);
    assert_non_null(lk_process_withheld(t));
    assert_string_equal(lk_process_withheld(t)->text, "a gate");
    assert_false(lk_read_u64(t, BASE + 8, &v)); /* before the first sample nothing was read */
    lk_process_begin_sample(t);
    assert_true(lk_read_u64(t, BASE + 8, &v));
    assert_memory_equal(&v, bytes + 8, 8);
    assert_true(lk_read_cstr(t, BASE + 100, text, sizeof text));
    assert_string_equal(text, "a name");
    assert_false(lk_read_u64(t, BASE + 200, &v));
    assert_int_equal(lk_read_failed(t).os_errno, ENODATA);
    lk_process_begin_sample(t);
    assert_false(lk_read_u64(t, BASE + 8, &v));
    assert_true(lk_read_u64(t, BASE + LK_PAGE, &v));
    assert_int_equal(lk_process_open_path(t, "/etc/passwd", &err), -1);
    struct lk_thread_list list = { 0 };
    assert_false(lk_process_threads(t, &list, true, &err));
    for (int i = 0; i < 3; i++) /* past the last sample there is nothing */
        lk_process_begin_sample(t);
    assert_false(lk_read_u64(t, BASE + LK_PAGE, &v));
    lk_process_destroy(t);
    lk_free(tape.v);
}

/* A string that ends at a page which cannot be read: nothing stands behind it, no NUL either. */
static void a_string_is_recorded_as_far_as_it_was_read(void **state)
{
    static uint8_t page[LK_PAGE];
    const struct fake_segment s = { BASE, page, sizeof page };
    struct lk_process *t = fake_target(&s, 1);
    struct lk_error err = { 0 };
    struct lk_bytes tape;
    char text[32];
    uint8_t v;
    (void)state;
    memset(page, 'x', sizeof page);
    lk_record_start(t);
    lk_process_begin_sample(t);
    assert_true(lk_read_cstr(t, BASE + LK_PAGE - 4, text, sizeof text));
    assert_string_equal(text, "xxxx");
    assert_true(lk_read_cstr(t, BASE, text, 4));
    assert_string_equal(text, "xxx");
    assert_true(lk_record_end(t, &tape));
    lk_process_destroy(t);
    t = lk_replay_open(7, tape.v, tape.n, &err);
    lk_process_begin_sample(t);
    assert_true(lk_read_cstr(t, BASE + LK_PAGE - 4, text, sizeof text));
    assert_string_equal(text, "xxxx");
    assert_false(lk_read_u8(t, BASE + LK_PAGE, &v));
    assert_true(lk_read_cstr(t, BASE, text, 4));
    assert_string_equal(text, "xxx");
    assert_false(lk_read_u8(t, BASE + 3, &v));
    lk_process_destroy(t);
    lk_free(tape.v);
}

/* A bit a byte is set while it is read, and the page kept when it is to go: however it goes, what
 * is kept is what was read, the last time, in that sample. */
static void pages_are_kept_before_they_go(void **state)
{
    enum { PAGES = 12000 }; /* more than the cache holds */
    uint8_t *all = calloc(PAGES, LK_PAGE);
    const struct fake_segment s = { BASE, all, (size_t)PAGES * LK_PAGE };
    struct lk_process *t = fake_target(&s, 1);
    struct lk_error err = { 0 };
    struct lk_bytes tape;
    uint64_t v;
    (void)state;
    for (size_t i = 0; i < PAGES; i++)
        all[i * LK_PAGE + 8] = (uint8_t)(i % 251);
    lk_record_start(t);
    lk_process_begin_sample(t);
    for (size_t i = 0; i < PAGES; i++)
        assert_true(lk_read_u64(t, BASE + i * LK_PAGE + 8, &v));
    assert_true(lk_read_u64(t, BASE + 64, &v) && lk_read_u64(t, BASE + 128, &v));
    all[64] = all[128] = 7;
    lk_process_forget(t, &(lk_addr){ BASE + 64 }, 1, 8);
    assert_true(lk_read_u64(t, BASE + 64, &v) && v == 7);
    lk_process_aside(t);
    assert_true(lk_read_u64(t, BASE + 256, &v));
    lk_process_aside_end(t);
    lk_process_begin_try(t); /* the next sample, of the same pages */
    assert_true(lk_process_reread(t));
    all[64] = 9;
    assert_true(lk_read_u64(t, BASE + 64, &v) && v == 7);
    assert_int_equal(lk_process_n_read(t), 0);
    assert_true(lk_record_end(t, &tape));
    lk_process_destroy(t);
    t = lk_replay_open(7, tape.v, tape.n, &err);
    lk_process_begin_sample(t);
    for (size_t i = 0; i < PAGES; i++)
        assert_true(lk_read_u64(t, BASE + i * LK_PAGE + 8, &v) && v == i % 251);
    assert_true(lk_read_u64(t, BASE + 64, &v) && v == 0);
    assert_true(lk_read_u64(t, BASE + 128, &v) && v == 0);
    lk_process_forget(t, &(lk_addr){ BASE + 64 }, 1, 8);
    assert_true(lk_read_u64(t, BASE + 64, &v) && v == 7);
    assert_int_equal(lk_process_n_missing(t), 0);
    assert_false(lk_read_u64(t, BASE + 256, &v));
    assert_int_equal(lk_process_n_missing(t), 1);
    lk_process_begin_try(t);
    assert_true(lk_process_reread(t));
    assert_true(lk_read_u64(t, BASE + 64, &v) && v == 7);
    assert_int_equal(lk_process_n_read(t), 0);
    assert_false(lk_read_u64(t, BASE + 128, &v));
    lk_process_destroy(t);
    lk_free(tape.v);
    free(all);
}

/* What is torn is read anew within a sample: each reading comes back as it was, what was not read
 * again stays known, and a reader that forgets less than the one of then finds what it wants too.
 */
static void moments_come_back_in_their_order(void **state)
{
    static uint8_t page[LK_PAGE];
    const struct fake_segment s = { BASE, page, sizeof page };
    struct lk_process *t = fake_target(&s, 1);
    struct lk_error err = { 0 };
    struct lk_bytes tape;
    uint8_t v;
    (void)state;
    lk_record_start(t);
    for (int sample = 0; sample < 2; sample++) {
        lk_process_begin_sample(t);
        page[8] = (uint8_t)(10 * sample);
        page[9] = 5;
        assert_true(lk_read_u8(t, BASE + 9, &v));
        for (uint8_t i = 0; i < 3; i++) {
            assert_true(lk_read_u8(t, BASE + 8, &v) && v == page[8]);
            page[8]++;
            lk_process_forget_all(t);
        }
        assert_true(lk_read_u8(t, BASE + 10, &v));
    }
    assert_true(lk_record_end(t, &tape));
    lk_process_destroy(t);
    for (int times = 0; times < 5; times++) { /* forgotten so often in the first sample */
        t = lk_replay_open(7, tape.v, tape.n, &err);
        lk_process_begin_sample(t);
        for (uint8_t i = 0; i < times; i++) {
            if (i < 3)
                assert_true(lk_read_u8(t, BASE + 8, &v) && v == i);
            lk_process_forget_all(t);
        }
        assert_true(lk_read_u8(t, BASE + 9, &v) && v == 5);
        assert_true(lk_read_u8(t, BASE + 10, &v));
        lk_process_begin_sample(t);
        assert_true(lk_read_u8(t, BASE + 8, &v) && v == 10);
        assert_int_equal(lk_process_n_missing(t), 0);
        assert_false(lk_read_u8(t, BASE + 11, &v));
        lk_process_destroy(t);
    }
    lk_free(tape.v);
}

static uint64_t digest_of(const struct lk_shape *s, uint64_t h, int depth)
{
    assert_true(depth < 10);
    for (size_t i = 0; i < s->n; i++) {
        const struct member *m = &s->members[i];
        const bool sized = m->kind == NAME || m->kind == WORDS;
        h = lk_hash_u64(lk_hash_u64(h, m->kind), sized ? m->count_at : 0);
        h = m->of ? digest_of(m->of, h, depth + 1) : h;
    }
    return lk_hash_u64(h, s->n);
}

/* An old capture is read by the tables of today. Where this fails, a type that stands in captures
 * has another form: raise VERSION in capture_file.c, and OLDEST unless both forms are read. A fact
 * that is new at the end of its list, or a word at the end of an enumeration, changes no old
 * capture, and an older loopknot passes over it. */
static void the_form_of_what_is_kept_has_a_version(void **state)
{
    uint64_t h = LK_HASH_INIT;
    (void)state;
    for (int i = 0; i <= LK_FACT_BACKLOG_ASKS; i++)
        if (lk_shape_of((enum lk_fact)i))
            h = digest_of(lk_shape_of((enum lk_fact)i), lk_hash_u64(h, (uint64_t)i), 0);
    h = digest_of(&lk_shape_thread, digest_of(&lk_shape_mapping, h, 0), 0);
    h = digest_of(&lk_shape_regs, h, 0);
    assert_int_equal(h, UINT64_C(0x1aac20783dddf4f5));
}

/* Readers look mappings up by halves. */
static void mappings_out_of_order_are_refused(void **state)
{
    static const struct {
        lk_addr start, end;
        bool ok;
    } second[] = { { 0x3000, 0x4000, true },
                   { 0x2000, 0x3000, true },
                   { 0x1000, 0x2000, false },
                   { 0x4000, 0x3000, false },
                   { 0x3000, 0x3000, false } };
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(second); i++) {
        const struct lk_mapping m[] = {
            { .start = 0x1000, .end = 0x2000, .path = "" },
            { .start = second[i].start, .end = second[i].end, .path = "" }
        };
        struct lk_bytes b = { 0 };
        struct lk_error err = { 0 };
        size_t n;
        lk_bytes_put(&b, "P\2", 2);
        lk_shape_write(&lk_shape_mapping, &m[0], &b);
        lk_shape_write(&lk_shape_mapping, &m[1], &b);
        struct lk_process *t = lk_replay_open(7, b.v, b.n, &err);
        assert_non_null(t);
        assert_int_equal(lk_process_maps(t, &n, &err) != NULL, second[i].ok);
        assert_int_equal(n, second[i].ok ? 2 : 0);
        lk_process_destroy(t);
        lk_free(b.v);
    }
}

static uint8_t *write_file(const char *path, size_t *n)
{
    struct lk_bytes tape = record_fake(), none = { 0 };
    int64_t pids[] = { 7 };
    struct lk_error err = { 0 };
    struct stat st;
    struct lk_capture *c = lk_capture_create();
    assert_false(lk_capture_is_used(c));
    const struct lk_capture_head head = { .samples = 2,
                                          .pids = pids,
                                          .n_pids = 1,
                                          .tool = lk_tool_version(),
                                          .cpu = lk_arch_own()->name };
    lk_capture_add(c, 7, &tape);
    lk_capture_set_head(c, &head);
    lk_capture_add_machine(c, &none);
    assert_true(lk_capture_is_used(c));
    assert_true(lk_capture_write(c, path, &err));
    lk_capture_destroy(c);
    lk_free(tape.v);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    FILE *f = fopen(path, "r");
    uint8_t *v = malloc((size_t)st.st_size);
    assert_true(f && v && fread(v, (size_t)st.st_size, 1, f) == 1);
    fclose(f);
    *n = (size_t)st.st_size;
    return v;
}

static bool loads(const uint8_t *v, size_t n, struct lk_error *err)
{
    struct lk_capture_file *f = lk_capture_load(v, n, err);
    struct lk_process *t = f ? lk_capture_open(f, 7, err) : NULL;
    lk_process_destroy(t);
    lk_capture_unload(f);
    return t != NULL;
}

static void files_that_are_not_whole_are_refused(void **state)
{
    char path[] = "/tmp/test_captureXXXXXX";
    struct lk_error err = { 0 };
    size_t n, taken = 0;
    (void)state;
    close(mkstemp(path));
    uint8_t *v = write_file(path, &n);
    assert_true(loads(v, n, &err));
    struct lk_capture_file *f = lk_capture_load(v, n, &err);
    assert_non_null(f);
    assert_int_equal(lk_capture_head(f)->samples, 2);
    assert_null(lk_capture_open(f, 8, &err));
    lk_capture_unload(f);
    for (size_t cut = 0; cut < n; cut++) {
        uint8_t *part = malloc(cut + 1); /* exactly as large, so that a step beyond is seen */
        memcpy(part, v, cut);
        assert_false(loads(part, cut, &err));
        assert_true(err.text[0] && !strchr(err.text, '\n'));
        free(part);
    }
    for (size_t i = 0; i < n; i++) {
        v[i] ^= 0x40;
        taken += loads(v, n, &err);
        v[i] ^= 0x40;
    }
    /* What the last section says of itself but its kind, the machine's kind and process, which are
     * not asked for, the head's process. */
    assert_int_equal(taken, 28 + 8 + 4);
    v[8] = 1; /* the one before, in which a sample is one moment */
    assert_true(loads(v, n, &err));
    v[8] = 3;
    assert_false(loads(v, n, &err));
    assert_non_null(strstr(err.text, "newer loopknot"));
    v[8] = 0;
    assert_false(loads(v, n, &err));
    assert_null(strstr(err.text, "newer loopknot"));
    free(v);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_text_come_back),
        cmocka_unit_test(memory_is_what_was_asked_for),
        cmocka_unit_test(what_is_beyond_the_bound_is_told),
        cmocka_unit_test(samples_are_told_by_what_changed),
        cmocka_unit_test(errors_come_back),
        cmocka_unit_test(answers_come_back),
        cmocka_unit_test(answers_that_cannot_be_are_refused),
        cmocka_unit_test(a_string_is_recorded_as_far_as_it_was_read),
        cmocka_unit_test(pages_are_kept_before_they_go),
        cmocka_unit_test(moments_come_back_in_their_order),
        cmocka_unit_test(the_form_of_what_is_kept_has_a_version),
        cmocka_unit_test(mappings_out_of_order_are_refused),
        cmocka_unit_test(a_record_answers_again),
        cmocka_unit_test(files_that_are_not_whole_are_refused),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
