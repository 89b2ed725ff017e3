/* Threads that wait for the GIL and are met awake: what was seen of them holds while its holder has
 * slept, and not a moment longer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "examine/sample/gil_waits.h"
#include "snapshot/builder.h"

enum { HOLDER, WAITER };

static struct lk_thread_facts asleep(int64_t tid, lk_addr sp)
{
    return (struct lk_thread_facts){ .tid = tid,
                                     .state = 'S',
                                     .syscall_known = true,
                                     .nr = 202,
                                     .args = { sp },
                                     .sp = sp,
                                     .pc = 0x1000,
                                     .switches = 7,
                                     .run_ns = 70 };
}

static void list_asleep(struct lk_thread_list *list)
{
    list->n = 0;
    lk_vec_add(list, asleep(100, 0x100));
    lk_vec_add(list, asleep(101, 0x200));
}

static void run(struct lk_thread_facts *f)
{
    f->running = true;
    f->state = 'R';
    f->syscall_known = false;
    f->nr = -1;
    f->sp = f->pc = 0;
    f->switches++;
}

/* What was read of the two: the first holds the GIL and the second is at it, read so. */
static struct lk_snapshot *snapshot(enum lk_read of_holder, enum lk_read of_waiter)
{
    struct lk_snapshot *s = lk_snapshot_create();
    for (int64_t tid = 100; tid < 102; tid++)
        lk_snapshot_thread(s, tid, NULL);
    s->threads.v[HOLDER].holds_gil = true;
    s->threads.v[HOLDER].read = of_holder;
    s->threads.v[WAITER].read = of_waiter;
    s->threads.v[WAITER].wait.kind = LK_WAIT_GIL;
    lk_refs_add(s, &s->threads.v[WAITER].wait.on, lk_ref_make(LK_KIND_THREAD, HOLDER));
    return s;
}

static void keep(struct lk_gil_waits *w, enum lk_read of_holder, enum lk_read of_waiter,
                 const struct lk_thread_list *list)
{
    struct lk_snapshot *s = snapshot(of_holder, of_waiter);
    lk_gil_waits_keep(w, s, list);
    lk_snapshot_destroy(s);
}

struct room {
    struct lk_gil_waits waits;
    struct lk_thread_list list;
};

static int setup(void **state)
{
    struct room *r = calloc(1, sizeof *r);
    list_asleep(&r->list);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct room *r = *state;
    lk_gil_waits_deinit(&r->waits);
    lk_free(r->list.v);
    free(r);
    return 0;
}

static void recalled(void **state)
{
    struct room *r = *state;
    keep(&r->waits, LK_READ_ASLEEP, LK_READ_ASLEEP, &r->list);
    run(&r->list.v[WAITER]);
    lk_gil_waits_recall(&r->waits, &r->list);
    const struct lk_thread_facts *f = &r->list.v[WAITER];
    assert_false(f->running);
    assert_int_equal(f->state, 'S');
    assert_true(f->syscall_known);
    assert_int_equal(f->nr, 202);
    assert_int_equal(f->args[0], 0x200);
    assert_int_equal(f->sp, 0x200);
    assert_int_equal(f->pc, 0x1000);
    assert_int_equal(f->switches, 8); /* that it ran is not hidden */
}

static void forgotten_once_the_holder_ran(void **state)
{
    struct room *r = *state;
    keep(&r->waits, LK_READ_ASLEEP, LK_READ_ASLEEP, &r->list);
    run(&r->list.v[WAITER]);
    r->list.v[HOLDER].switches++;
    lk_gil_waits_recall(&r->waits, &r->list);
    assert_true(r->list.v[WAITER].running);
}

static void another_thread_of_that_number(void **state)
{
    struct room *r = *state;
    keep(&r->waits, LK_READ_ASLEEP, LK_READ_ASLEEP, &r->list);
    run(&r->list.v[WAITER]);
    r->list.v[WAITER].start_time++;
    lk_gil_waits_recall(&r->waits, &r->list);
    assert_true(r->list.v[WAITER].running);
}

static void holder_that_moved_says_nothing(void **state)
{
    struct room *r = *state;
    keep(&r->waits, LK_READ_RACY, LK_READ_ASLEEP, &r->list);
    run(&r->list.v[WAITER]);
    lk_gil_waits_recall(&r->waits, &r->list);
    assert_true(r->list.v[WAITER].running);
}

/* A waiter that woke between two looks: believed from the second sample on, when its holder has
 * slept since the one before. */
static void waiter_that_moved(void **state)
{
    struct room *r = *state;
    keep(&r->waits, LK_READ_ASLEEP, LK_READ_RACY, &r->list);
    assert_int_equal(r->waits.n, 0);
    r->list.v[WAITER].switches++;
    keep(&r->waits, LK_READ_ASLEEP, LK_READ_RACY, &r->list);
    assert_int_equal(r->waits.n, 1);
    r->list.v[HOLDER].run_ns++;
    keep(&r->waits, LK_READ_ASLEEP, LK_READ_RACY, &r->list);
    assert_int_equal(r->waits.n, 0);
}

static void threads_that_came_and_went(void **state)
{
    struct room *r = *state;
    keep(&r->waits, LK_READ_ASLEEP, LK_READ_ASLEEP, &r->list);
    /* in another order, and beside a new one */
    r->list.n = 0;
    lk_vec_add(&r->list, asleep(99, 0x50));
    lk_vec_add(&r->list, asleep(101, 0x200));
    lk_vec_add(&r->list, asleep(100, 0x100));
    run(&r->list.v[1]);
    lk_gil_waits_recall(&r->waits, &r->list);
    assert_false(r->list.v[1].running);
    /* the holder is gone */
    r->list.n = 2;
    run(&r->list.v[1]);
    lk_gil_waits_recall(&r->waits, &r->list);
    assert_true(r->list.v[1].running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(recalled, setup, teardown),
        cmocka_unit_test_setup_teardown(forgotten_once_the_holder_ran, setup, teardown),
        cmocka_unit_test_setup_teardown(another_thread_of_that_number, setup, teardown),
        cmocka_unit_test_setup_teardown(holder_that_moved_says_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(waiter_that_moved, setup, teardown),
        cmocka_unit_test_setup_teardown(threads_that_came_and_went, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
