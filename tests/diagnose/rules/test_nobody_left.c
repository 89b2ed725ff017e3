/*
 * LK410: a lock whose owner has ended, and a process in which nobody is left who could act.
 */
#include "make.h"

#include <string.h>

/* A request that waits for an RLock whose owner is gone. */
static struct lk_ref waits_for_the_dead(struct lk_snapshot *s, struct lk_ref *lock)
{
    struct lk_ref t = mk_thread(s, "Thread-3", "total@/srv/meter.py:20", FLASK_REQUEST, NULL);
    *lock = mk_lock(s, "threading.RLock", NONE);
    LOCK(*lock)->owner_by = LK_OWNER_FIELD;
    LOCK(*lock)->owner_gone = true;
    mk_wait(s, t, LK_WAIT_LOCK, *lock);
    return t;
}

static void owner_has_ended(void **state)
{
    (void)state;
    struct lk_ref lock;
    struct lk_snapshot *s = mk();
    struct lk_ref t = waits_for_the_dead(s, &lock);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK410");
    assert_non_null(strstr(f->list.v[0].summary, "has ended"));
    assert_string_equal(f->list.v[0].culprits.v[0].function, "total");
    assert_int_equal(f->list.v[0].held_requests, 1);
    lk_findings_destroy(f);
    /* not for long yet */
    mk_stuck(s, t, 300);
    f = mk_expect_one(s, LK_HEALTHY, NULL);
    assert_true(mk_watches(f, t));
    lk_findings_destroy(f);
    /* bounded */
    mk_stuck(s, t, 3000);
    mk_timeout(s, t, 1000);
    mk_expect(s, LK_HEALTHY, NULL);
}

static void all_that_wait_are_counted(void **state)
{
    (void)state;
    struct lk_ref lock;
    struct lk_snapshot *s = mk();
    waits_for_the_dead(s, &lock);
    struct lk_ref other = mk_thread(s, "Thread-4", "total@/srv/meter.py:20", FLASK_REQUEST, NULL);
    mk_wait(s, other, LK_WAIT_LOCK, lock);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK410");
    assert_int_equal(f->list.v[0].held_requests, 2);
    assert_int_equal(f->list.v[0].threads.n, 2);
    mk_free(s, f);
}

/* The main thread joins a queue; its consumer waits at a barrier. All others have ended. */
static struct lk_snapshot *all_wait(void)
{
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "MainThread", "join@" STDLIB "queue.py:90",
                                "main@/srv/parcels.py:30", NULL),
                  w = mk_thread(s, "scales", "weigh@/srv/parcels.py:9", NULL);
    mk_wait(s, t, LK_WAIT_QUEUE_JOIN, mk_sync(s, "queue.Queue"));
    mk_wait(s, w, LK_WAIT_BARRIER, mk_sync(s, "threading.Barrier"));
    for (size_t i = 0; i < s->threads.n; i++)
        s->threads.v[i].os.on = LK_OS_FUTEX;
    s->own_handlers = s->handles_alarm = LK_NO;
    return s;
}

static void nobody_is_left(void **state)
{
    (void)state;
    struct lk_snapshot *s = all_wait();
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK410");
    assert_non_null(strstr(f->list.v[0].summary, "all 2 threads"));
    assert_string_equal(f->list.v[0].culprits.v[0].function, "main");
    assert_int_equal(f->list.v[0].confidence, LK_PROBABLE);
    mk_free(s, f);
}

enum {
    NATIVE_THREAD,
    A_TIMEOUT,
    A_HANDLER,
    UNKNOWN_HANDLER,
    ALARM,
    CHILD,
    A_LOOP,
    IO,
    SHARED,
    N_CHANGES
};

static void change(struct lk_snapshot *s, int what)
{
    struct lk_ref w = lk_ref_make(LK_KIND_THREAD, 1);
    switch (what) {
    case NATIVE_THREAD: THREAD(w)->python = false; break;
    case A_TIMEOUT: mk_timeout(s, w, 60000); break;
    case A_HANDLER: s->own_handlers = LK_YES; break;
    case UNKNOWN_HANDLER: s->own_handlers = LK_TRI_UNKNOWN; break;
    case ALARM: s->handles_alarm = LK_YES; break;
    case CHILD: lk_vec_add(&s->children, ((struct lk_child){ .pid = 5000, .comm = "sort" })); break;
    case A_LOOP: mk_idle_loop(s, mk_thread(s, "bg-loop", ASYNCIO_IDLE, NULL)); break;
    case IO:
        mk_wait(s, w, LK_WAIT_IO, lk_snapshot_extern(s, LK_EXT_OUTSIDE, "10.0.0.7:80", LK_UNKNOWN));
        THREAD(w)->os.on = LK_OS_SOCKET;
        break;
    case SHARED: mk_wait(s, w, LK_WAIT_LOCK, mk_sync(s, "multiprocessing semaphore")); break;
    default: break;
    }
}

static void one_that_may_act_is_enough(void **state)
{
    (void)state;
    for (int i = 0; i < N_CHANGES; i++) {
        struct lk_snapshot *s = all_wait();
        change(s, i);
        struct lk_findings *f = mk_diagnose(s);
        assert_null(mk_find(f, "LK410"));
        mk_free(s, f);
    }
}

/* Parked on purpose: until the process is told to end, or for the next item. */
static void parked(void **state)
{
    (void)state;
    static const enum lk_wait_kind kinds[] = { LK_WAIT_EVENT, LK_WAIT_CONDITION, LK_WAIT_QUEUE_GET,
                                               LK_WAIT_LOCK };
    for (size_t i = 0; i < LK_ARRAY_LEN(kinds); i++) {
        struct lk_snapshot *s = all_wait();
        for (size_t k = 0; k < s->threads.n; k++)
            mk_wait(s, lk_ref_make(LK_KIND_THREAD, k), kinds[i], mk_sync(s, "threading.Event"));
        mk_expect(s, LK_HEALTHY, NULL);
    }
    struct lk_snapshot *s = all_wait();
    mk_wait(s, lk_ref_make(LK_KIND_THREAD, 1), LK_WAIT_QUEUE_GET, mk_sync(s, "queue.Queue"));
    mk_wait(s, lk_ref_make(LK_KIND_THREAD, 0), LK_WAIT_JOIN, lk_ref_make(LK_KIND_THREAD, 1));
    mk_expect(s, LK_HEALTHY, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owner_has_ended), cmocka_unit_test(all_that_wait_are_counted),
        cmocka_unit_test(nobody_is_left),  cmocka_unit_test(one_that_may_act_is_enough),
        cmocka_unit_test(parked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
