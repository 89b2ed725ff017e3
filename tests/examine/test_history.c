/* Since when a thread has stood still: by the samples that saw it, or by the scheduler's record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "examine/sample/history.h"
#include "snapshot/builder.h"

enum { AT_MS = 100, ASLEEP_MS = 4000 };

/* What one sample says of a thread that had slept so long when its facts were read. */
static struct lk_thread stuck_by(enum lk_read read, int64_t off_cpu_ms)
{
    struct lk_history *h = lk_history_create();
    struct lk_snapshot *s = lk_snapshot_create();
    int64_t *moved;
    size_t n;
    lk_snapshot_thread(s, 100, NULL);
    struct lk_thread *t = &s->threads.v[0];
    t->kstate = 'S';
    t->read = read;
    t->off_cpu_ms = off_cpu_ms;
    lk_history_add(h, s, AT_MS, &moved, &n);
    struct lk_thread ret = s->threads.v[0];
    lk_snapshot_destroy(s);
    lk_history_destroy(h);
    return ret;
}

static void sleeper_by_the_scheduler(void **state)
{
    (void)state;
    struct lk_thread t = stuck_by(LK_READ_ASLEEP, ASLEEP_MS);
    assert_int_equal(t.stuck_ms, ASLEEP_MS);
    assert_true(t.stuck_by_scheduler);
    t = stuck_by(LK_READ_ASLEEP, LK_UNKNOWN);
    assert_int_equal(t.stuck_ms, 0);
    assert_false(t.stuck_by_scheduler);
}

/* It ran after its facts were read: the record of before is of no use. */
static void sleeper_that_wakes_meanwhile(void **state)
{
    (void)state;
    struct lk_thread t = stuck_by(LK_READ_RACY, ASLEEP_MS);
    assert_int_equal(t.stuck_ms, 0);
    assert_false(t.stuck_by_scheduler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sleeper_by_the_scheduler),
        cmocka_unit_test(sleeper_that_wakes_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
