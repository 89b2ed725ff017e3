/* Once the budget of a process is spent nothing more is read of it, and why is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three above */

#include <errno.h>
#include <string.h>

#include "fake_target.h"
#include "process/budget.h"
#include "util/memory.h"

enum { AT = 0x10000, MANY = 50 * 1000 * 1000 };

static const uint64_t words[2] = { AT, 7 };

static struct lk_process *target(void)
{
    const struct fake_segment segment = { AT, words, sizeof words };
    return fake_target(&segment, 1);
}

/* A list that leads back to itself, walked without any bound of its own. */
static size_t walk(struct lk_process *t)
{
    lk_addr at = AT;
    size_t n = 0;
    while (n < MANY && lk_read_u64(t, at, &at))
        n++;
    return n;
}

static void expect_spent(struct lk_process *t, const char *word)
{
    char text[8];
    uint64_t value;
    struct lk_error err = { 0 };
    assert_non_null(lk_process_spent(t));
    assert_non_null(strstr(lk_process_spent(t), word));
    lk_read_watch(t);
    assert_false(lk_read_u64(t, AT, &value));
    assert_int_equal(lk_read_failed(t).os_errno, ETIME);
    assert_false(lk_read_cstr(t, AT, text, sizeof text));
    assert_int_equal(lk_process_open_path(t, "/etc/hostname", &err), -1);
    assert_int_equal(err.os_errno, ETIME);
}

static void cpu(void **state)
{
    struct lk_process *t = target();
    (void)state;
    assert_null(lk_process_spent(t));
    lk_process_set_budget(t, &(struct lk_budget){ .cpu_ms = 20 });
    assert_true(walk(t) < MANY);
    expect_spent(t, "CPU");
    lk_process_set_budget(t, &(struct lk_budget){ .cpu_ms = 10000 });
    assert_null(lk_process_spent(t));
    assert_true(lk_read_u64(t, AT, &(uint64_t){ 0 }));
    lk_process_destroy(t);
}

static void memory(void **state)
{
    enum { PART = 64 * 1024, PARTS = 100 };
    struct lk_process *t = target();
    void *parts[PARTS];
    int n = 0;
    (void)state;
    lk_process_set_budget(t, &(struct lk_budget){ .bytes = PART * PARTS / 2 });
    for (uint64_t value; n < PARTS; n++) {
        bool read = true;
        parts[n] = lk_xmalloc(PART);
        for (int i = 0; i < 300 && read; i++)
            read = lk_read_u64(t, AT, &value);
        if (!read)
            break;
    }
    assert_in_range(n, PARTS / 2 - 1, PARTS / 2 + 1);
    expect_spent(t, "memory");
    while (n >= 0)
        lk_free(parts[n--]);
    lk_process_destroy(t);
}

static void told_to_end(void **state)
{
    struct lk_process *t = target();
    volatile int stop = 0;
    (void)state;
    lk_process_set_budget(t, &(struct lk_budget){ .stop = &stop, .stop_ms = { 10, 60000 } });
    assert_true(lk_read_u64(t, AT, &(uint64_t){ 0 }));
    stop = -1; /* it may finish */
    assert_true(lk_read_u64(t, AT, &(uint64_t){ 0 }));
    lk_process_set_budget(t, &(struct lk_budget){ .stop = &stop, .stop_ms = { 10, 60000 } });
    stop = 1;
    const uint64_t before = lk_now_ms();
    assert_true(walk(t) < MANY);
    assert_true(lk_now_ms() - before < 2000); /* 10 ms, on a machine with nothing else to do */
    expect_spent(t, "told to end");
    lk_process_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(cpu), cmocka_unit_test(memory),
                                        cmocka_unit_test(told_to_end) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
