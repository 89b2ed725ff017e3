/* The page cache, over a fake target. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../fake_target.h"
#include "process/process_impl.h"

#define BASE UINT64_C(0x7f0000000000)

static uint8_t bytes[8 * LK_PAGE];

static int fill(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + i / LK_PAGE);
    return 0;
}

static void reads_across_page_borders(void **state)
{
    const struct fake_segment s = { BASE, bytes, sizeof(bytes) };
    struct lk_process *t = fake_target(&s, 1);
    uint8_t buf[sizeof(bytes)];
    uint64_t v;

    (void)state;
    assert_true(lk_read(t, BASE, buf, sizeof(buf)));
    assert_memory_equal(buf, bytes, sizeof(buf));
    for (size_t at = LK_PAGE - 8; at <= LK_PAGE; at++) {
        assert_true(lk_read_u64(t, BASE + at, &v));
        assert_memory_equal(&v, bytes + at, 8);
    }
    assert_true(lk_read(t, BASE, buf, 0));
    lk_process_destroy(t);
}

static void a_hole_fails_the_whole_read(void **state)
{
    const struct fake_segment s[] = { { BASE, bytes, LK_PAGE },
                                      { BASE + 2 * LK_PAGE, bytes, LK_PAGE } };
    struct lk_process *t = fake_target(s, 2);
    uint8_t buf[3 * LK_PAGE];
    uint64_t v;

    (void)state;
    assert_false(lk_read(t, BASE, buf, sizeof(buf)));
    assert_false(lk_read_u64(t, BASE + LK_PAGE - 4, &v));
    assert_true(lk_read_u64(t, BASE + LK_PAGE - 8, &v));
    assert_true(lk_read_u64(t, BASE + 2 * LK_PAGE, &v));
    assert_false(lk_read_u64(t, BASE + LK_PAGE, &v));
    assert_false(lk_read_u64(t, 0, &v));
    lk_process_destroy(t);
}

static void the_first_failed_read_is_kept(void **state)
{
    const struct fake_segment s = { BASE, bytes, LK_PAGE };
    struct lk_process *t = fake_target(&s, 1);
    struct lk_failed_read r;
    const char *before;
    uint8_t buf[16];
    char text[8];

    (void)state;
    assert_true(lk_read(t, BASE, buf, sizeof(buf)));
    assert_int_equal(lk_read_failed(t).size, 0);
    before = lk_reading(t, "a frame");
    assert_null(before);
    for (int again = 0; again < 2; again++) { /* read, and remembered to be unreadable */
        lk_read_watch(t);
        assert_false(lk_read(t, BASE + LK_PAGE - 4, buf, 12));
        assert_string_equal(lk_reading(t, "a type's name"), "a frame");
        assert_false(lk_read_cstr(t, BASE + 9 * LK_PAGE, text, sizeof(text)));
        assert_false(lk_read_senseless(t, BASE, 4));
        r = lk_read_failed(t);
        assert_int_equal(r.addr, BASE + LK_PAGE - 4);
        assert_int_equal(r.size, 12);
        assert_int_equal(r.os_errno, EFAULT);
        assert_string_equal(r.reading, "a frame");
        lk_reading(t, r.reading);
    }
    lk_read_watch(t);
    assert_false(lk_read_senseless(t, BASE + 8, 4)); /* bytes that cannot be right are one too */
    r = lk_read_failed(t);
    assert_int_equal(r.addr, BASE + 8);
    assert_int_equal(r.os_errno, 0);
    lk_read_watch(t);
    assert_false(lk_read(t, UINT64_MAX, buf, 2));
    assert_int_equal(lk_read_failed(t).os_errno, EFAULT);
    lk_process_begin_sample(t);
    assert_int_equal(lk_read_failed(t).size, 0);
    lk_process_destroy(t);
}

static void an_error_keeps_its_read(void **state)
{
    const struct lk_failed_read fault = { BASE, 8, EFAULT, "a frame" }, bad = { BASE, 8, 0, NULL };
    struct lk_error err;

    (void)state;
    assert_false(lk_error_read(&err, &fault, "the stack of thread %d could not be read", 7));
    assert_int_equal(err.code, LK_ERR_FAULT);
    assert_int_equal(err.os_errno, EFAULT);
    assert_int_equal(err.read.addr, BASE);
    assert_int_equal(err.read.size, 8);
    assert_string_equal(err.read.reading, "a frame");
    assert_string_equal(err.text, "the stack of thread 7 could not be read");
    assert_false(lk_error_read(&err, &bad, "no"));
    assert_int_equal(err.code, LK_ERR_BAD_DATA);
    assert_false(lk_error_read(NULL, &bad, "no"));
    assert_false(lk_error_set(&err, LK_ERR_USAGE, "no"));
    assert_int_equal(err.read.size, 0);
}

static void overflowing_addresses_fail(void **state)
{
    const struct fake_segment s = { BASE, bytes, sizeof(bytes) };
    struct lk_process *t = fake_target(&s, 1);
    uint8_t buf[64];
    lk_addr top = UINT64_MAX - 7;
    char text[8];

    (void)state;
    assert_false(lk_read(t, UINT64_MAX, buf, 2));
    assert_false(lk_read(t, UINT64_MAX - 7, buf, 9));
    assert_false(lk_read(t, UINT64_MAX - 7, buf, 8)); /* fits, but there is nothing */
    assert_false(lk_read(t, BASE, buf, SIZE_MAX));
    assert_false(lk_read_cstr(t, UINT64_MAX - 2, text, sizeof(text)));
    lk_prefetch(t, &top, 1, SIZE_MAX);
    lk_prefetch(t, &top, 1, 64);
    assert_true(lk_read(t, BASE, buf, sizeof(buf)));
    lk_process_destroy(t);
}

static void a_page_is_read_once_a_sample(void **state)
{
    const struct fake_segment s = { BASE, bytes, sizeof(bytes) };
    struct fake_counts n = { 0 };
    struct lk_process *t = fake_target_counted(&s, 1, &n);
    uint64_t v;

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_true(lk_read_u64(t, BASE + (size_t)i * 8, &v));
    assert_int_equal(n.calls, 1); /* two pages of one block */
    for (int i = 0; i < 10; i++)
        assert_false(lk_read_u64(t, BASE - LK_PAGE, &v)); /* unreadable is remembered too */
    assert_int_equal(n.calls, 2);

    bytes[0] ^= 0xff; /* the target goes on: seen in the next sample only */
    assert_true(lk_read_u64(t, BASE, &v));
    assert_memory_not_equal(&v, bytes, 8);
    lk_process_begin_sample(t);
    assert_true(lk_read_u64(t, BASE, &v));
    assert_memory_equal(&v, bytes, 8);
    assert_int_equal(n.calls, 3);
    lk_process_destroy(t);
}

/* What one try needed is copied in one call for the next; what is new is read, and counted. */
static void a_further_try_copies_at_once(void **state)
{
    const struct fake_segment s = { BASE, bytes, sizeof(bytes) };
    struct fake_counts n = { 0 };
    struct lk_process *t = fake_target_counted(&s, 1, &n);
    uint64_t v;

    (void)state;
    assert_true(lk_read_u64(t, BASE, &v));
    assert_false(lk_read_u64(t, BASE - LK_PAGE, &v));
    n.calls = 0;
    bytes[0] ^= 0xff;
    lk_process_begin_try(t);
    assert_true(lk_process_reread(t));
    assert_int_equal(n.calls, 1);
    assert_true(lk_read_u64(t, BASE, &v));
    assert_memory_equal(&v, bytes, 8);
    assert_false(lk_read_u64(t, BASE - LK_PAGE, &v));
    assert_int_equal(lk_process_n_read(t), 0);
    assert_true(lk_read_u64(t, BASE + 4 * LK_PAGE, &v));
    assert_true(lk_process_n_read(t) > 0);

    /* what a stop has copied is not read again */
    assert_true(lk_pages_pin_begin(t->pages));
    assert_true(lk_read_u64(t, BASE, &v));
    assert_true(lk_pages_pin_end(t->pages));
    assert_false(lk_process_reread(t));
    bytes[0] ^= 0xff;
    assert_true(lk_read_u64(t, BASE, &v));
    assert_memory_equal(&v, bytes, 8);
    lk_process_destroy(t);
}

static void prefetch_takes_one_call(void **state)
{
    static uint8_t one[LK_PAGE];
    struct fake_segment s[500];
    lk_addr addrs[700];
    struct fake_counts n = { 0 };
    struct lk_process *t;
    uint64_t v;

    (void)state;
    for (size_t i = 0; i < 500; i++)
        s[i] = (struct fake_segment){ BASE + i * 64 * LK_PAGE, one, LK_PAGE };
    for (size_t i = 0; i < 700; i++)
        addrs[i] = BASE + (i % 600) * 64 * LK_PAGE + 8; /* twice some, unreadable others */
    t = fake_target_counted(s, 500, &n);
    lk_prefetch(t, addrs, 700, 16);
    assert_int_equal(n.calls, 1);
    assert_int_equal(n.pages, 600);
    for (size_t i = 0; i < 600; i++)
        assert_int_equal(lk_read_u64(t, addrs[i], &v), i < 500);
    assert_int_equal(n.calls, 1);
    lk_prefetch(t, addrs, 700, 0);
    lk_prefetch(t, addrs, 0, 16);
    assert_int_equal(n.calls, 1);
    lk_process_destroy(t);
}

/* 100 MiB through a cache of 40: everything right, before and after it forgets, and no more memory
 * than that. */
static void the_cache_is_bounded(void **state)
{
    enum { PAGES = 100 << 20 >> 12, USUAL = 40 << 20 >> 12 };
    uint64_t *big = mmap(NULL, (size_t)PAGES * LK_PAGE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const struct fake_segment s = { BASE, big, (size_t)PAGES * LK_PAGE };
    struct fake_counts n = { 0 };
    struct lk_process *t = fake_target_counted(&s, 1, &n);
    uint64_t v;

    (void)state;
    assert_ptr_not_equal(big, MAP_FAILED);
    for (size_t i = 0; i < PAGES; i++)
        big[i * LK_PAGE / 8] = i + 1;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < PAGES; i++) {
            assert_true(lk_read_u64(t, BASE + i * LK_PAGE, &v));
            assert_int_equal(v, i + 1);
        }
    }
    assert_in_range(n.pages, 2 * PAGES - USUAL, 2 * PAGES);
    assert_true(lk_read(t, BASE, big, 30 << 20)); /* a large read goes in chunks */
    assert_int_equal(big[LK_PAGE / 8], 2);
    lk_process_destroy(t);
    munmap(big, (size_t)PAGES * LK_PAGE);
}

/* What a forked helper reads while pinning is in the parent's cache, and is kept while other pages
 * come and go. */
static void pinned_pages_come_from_the_helper(void **state)
{
    enum { PAGES = 60 << 20 >> 12, PINNED = 2000 };
    uint64_t *big = mmap(NULL, (size_t)PAGES * LK_PAGE, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const struct fake_segment s = { BASE, big, (size_t)PAGES * LK_PAGE };
    struct fake_counts n = { 0 };
    struct lk_process *t = fake_target_counted(&s, 1, &n);
    uint64_t v;
    pid_t pid;
    int status;

    (void)state;
    big[0] = 1;
    assert_true(lk_read_u64(t, BASE, &v));
    big[0] = 2; /* read before the stop: not what the helper must see */
    assert_true(lk_pages_pin_begin(t->pages));
    pid = fork();
    if (pid == 0) {
        bool ok = lk_read_u64(t, BASE, &v) && v == 2;

        lk_pages_populate(t->pages, 1 << 20);
        for (size_t i = 0; i < PINNED; i++)
            ok = ok && lk_read_u64(t, BASE + i * LK_PAGE, &v);
        _exit(ok ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(lk_pages_pin_end(t->pages));
    memset(big, 0xee, (size_t)PAGES * LK_PAGE);
    n.calls = 0;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < PINNED; i++) {
            assert_true(lk_read_u64(t, BASE + i * LK_PAGE, &v));
            assert_int_equal(v, i == 0 ? 2 : 0);
        }
        if (round == 0) {
            assert_int_equal(n.calls, 0);
            for (size_t i = PINNED; i < PAGES; i++) /* pushes everything out that is not pinned */
                assert_true(lk_read_u64(t, BASE + i * LK_PAGE, &v));
        }
    }
    lk_process_begin_sample(t);
    assert_true(lk_read_u64(t, BASE, &v));
    assert_int_equal(v, UINT64_C(0xeeeeeeeeeeeeeeee));
    lk_process_destroy(t);
    munmap(big, (size_t)PAGES * LK_PAGE);
}

/* More than can be pinned: all reads are still right, and the loss is told. */
static void too_much_to_pin_is_told(void **state)
{
    enum { PAGES = 196 << 20 >> 12 };
    uint64_t *big = mmap(NULL, (size_t)PAGES * LK_PAGE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    const struct fake_segment s = { BASE, big, (size_t)PAGES * LK_PAGE };
    struct lk_process *t = fake_target(&s, 1);
    uint64_t v;

    (void)state;
    big[(size_t)(PAGES - 1) * LK_PAGE / 8] = 77;
    assert_true(lk_pages_pin_begin(t->pages));
    for (size_t i = 0; i < PAGES; i++)
        assert_true(lk_read_u64(t, BASE + i * LK_PAGE, &v));
    assert_int_equal(v, 77);
    assert_true(lk_read_u64(t, BASE + (size_t)(PAGES - 2) * LK_PAGE, &v));
    assert_int_equal(v, 0);
    assert_false(lk_pages_pin_end(t->pages));
    assert_true(lk_read_u64(t, BASE + (size_t)(PAGES - 1) * LK_PAGE, &v));
    assert_int_equal(v, 77);
    lk_process_destroy(t);
    munmap(big, (size_t)PAGES * LK_PAGE);
}

static void strings_end_where_they_can(void **state)
{
    static char text[LK_PAGE];
    const struct fake_segment s = { BASE, text, LK_PAGE };
    struct lk_process *t = fake_target(&s, 1);
    char buf[64];

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text + LK_PAGE - 6, "hello", 6);
    assert_true(lk_read_cstr(t, BASE + LK_PAGE - 6, buf, sizeof(buf)));
    assert_string_equal(buf, "hello");
    assert_true(lk_read_cstr(t, BASE + LK_PAGE - 6, buf, 4));
    assert_string_equal(buf, "hel");
    assert_true(lk_read_cstr(t, BASE + LK_PAGE - 6, buf, 1));
    assert_string_equal(buf, "");
    assert_false(lk_read_cstr(t, BASE + LK_PAGE - 6, buf, 0));
    text[LK_PAGE - 1] = '!'; /* no NUL before the unreadable page */
    lk_process_begin_sample(t);
    assert_true(lk_read_cstr(t, BASE + LK_PAGE - 6, buf, sizeof(buf)));
    assert_string_equal(buf, "hello!");
    assert_false(lk_read_cstr(t, BASE + LK_PAGE, buf, sizeof(buf)));
    lk_process_destroy(t);
}

static void mappings_are_found_by_address(void **state)
{
    const struct fake_segment s[] = { { BASE + 8 * LK_PAGE, bytes, 1 },
                                      { BASE + 100, bytes, LK_PAGE },
                                      { BASE + 2 * LK_PAGE, bytes, 1 } };
    struct fake_counts n = { 0 };
    struct lk_process *t = fake_target_counted(s, 3, &n);
    const struct lk_mapping *m;
    size_t count;

    (void)state;
    m = lk_process_maps(t, &count, NULL);
    assert_int_equal(count, 2);
    assert_int_equal(m[0].start, BASE);
    assert_int_equal(m[0].end, BASE + 3 * LK_PAGE);
    assert_ptr_equal(lk_process_mapping_at(t, BASE + 3 * LK_PAGE - 1), &m[0]);
    assert_null(lk_process_mapping_at(t, BASE + 3 * LK_PAGE));
    assert_ptr_equal(lk_process_mapping_at(t, BASE + 8 * LK_PAGE), &m[1]);
    assert_null(lk_process_mapping_at(t, BASE - 1));
    assert_null(lk_process_mapping_at(t, UINT64_MAX));
    assert_int_equal(n.maps, 1);
    lk_process_begin_sample(t);
    assert_non_null(lk_process_mapping_at(t, BASE));
    assert_int_equal(n.maps, 2);
    lk_process_destroy(t);
}

static void what_a_target_lacks_is_refused(void **state)
{
    struct lk_process *t = fake_target(NULL, 0);
    const struct lk_mapping m = { .path = "" };
    struct lk_thread_list list = { 0 };
    struct lk_error err;
    uint64_t v;

    (void)state;
    assert_int_equal(lk_process_pid(t), 0);
    assert_false(lk_read_u64(t, BASE, &v));
    assert_int_equal(lk_process_open_path(t, "/etc/passwd", &err), -1);
    assert_int_equal(err.code, LK_ERR_UNSUPPORTED);
    assert_int_equal(lk_process_open_mapping(t, &m, &err), -1);
    assert_false(lk_process_threads(t, &list, true, &err));
    assert_int_equal(err.code, LK_ERR_UNSUPPORTED);
    lk_process_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_across_page_borders),
        cmocka_unit_test(a_hole_fails_the_whole_read),
        cmocka_unit_test(the_first_failed_read_is_kept),
        cmocka_unit_test(an_error_keeps_its_read),
        cmocka_unit_test(overflowing_addresses_fail),
        cmocka_unit_test(a_page_is_read_once_a_sample),
        cmocka_unit_test(a_further_try_copies_at_once),
        cmocka_unit_test(prefetch_takes_one_call),
        cmocka_unit_test(the_cache_is_bounded),
        cmocka_unit_test(pinned_pages_come_from_the_helper),
        cmocka_unit_test(too_much_to_pin_is_told),
        cmocka_unit_test(strings_end_where_they_can),
        cmocka_unit_test(mappings_are_found_by_address),
        cmocka_unit_test(what_a_target_lacks_is_refused),
    };

    return cmocka_run_group_tests(tests, fill, NULL);
}
