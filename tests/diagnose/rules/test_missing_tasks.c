/*
 * A list of tasks that was cut: what is concluded from somebody's absence is less sure then, rule
 * by rule, for a task that was not read may be the one that acts. What no task can change stays
 * proven.
 */
#include "make.h"

/* Snapshot by snapshot: the verdict with the whole list, and with a cut one. */
static void expect_less(struct lk_snapshot *s, const char *rule, enum lk_verdict whole,
                        enum lk_verdict cut, enum lk_confidence confidence)
{
    lk_findings_destroy(mk_expect_one(s, whole, rule));
    s->tasks_complete = false;
    struct lk_findings *f = mk_expect_one(s, cut, rule);
    assert_int_equal(f->list.v[0].confidence, confidence);
    mk_free(s, f);
}

/* The loop's own thread blocks: no task of that loop can do anything, read or not. */
static void blocked_loop_stays_proven(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t =
        mk_thread(s, "bg-loop", RESULT, "async outer@/srv/app.py:10", ASYNCIO_RUN_FOREVER, NULL);
    struct lk_ref o = mk_loop(s, t);
    mk_wait(s, t, LK_WAIT_FUTURE, mk_future(s, mk_ready_task(s, o, "inner")));
    expect_less(s, "LK101", LK_DEADLOCK, LK_DEADLOCK, LK_PROVEN);
}

static void locks_stay_proven(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref a = mk_thread(s, "a", "f@/srv/app.py:1", NULL),
                  b = mk_thread(s, "b", "g@/srv/app.py:2", NULL);
    mk_wait(s, a, LK_WAIT_LOCK, mk_lock(s, "threading.Lock", b));
    mk_wait(s, b, LK_WAIT_LOCK, mk_lock(s, "threading.Lock", a));
    expect_less(s, "LK103", LK_DEADLOCK, LK_DEADLOCK, LK_PROVEN);
}

static void pool_item_may_be_cancelled(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref pool = mk_pool(s, 1),
                  w = mk_thread(s, "pool", RESULT, "job@/srv/app.py:20", POOL_WORKER, NULL);
    mk_worker(s, pool, w);
    mk_wait(s, w, LK_WAIT_FUTURE, mk_future(s, pool));
    expect_less(s, "LK104", LK_DEADLOCK, LK_STALLED, LK_PROBABLE);
}

static void ring_may_be_cancelled(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = mk_idle_loop(s, mk_thread(s, "main", ASYNCIO_IDLE, NULL));
    struct lk_ref a = mk_task(s, o, "a", "async a@/srv/app.py:1", NULL),
                  b = mk_task(s, o, "b", "async b@/srv/app.py:2", NULL);
    mk_wait(s, a, LK_WAIT_FUTURE, b);
    mk_wait(s, b, LK_WAIT_FUTURE, a);
    s->watched_ms = 2500;
    expect_less(s, "LK105", LK_DEADLOCK, LK_STALLED, LK_PROBABLE);
}

static void event_may_be_set(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref view = mk_thread(s, "Thread-1", "wait@" STDLIB "threading.py:629",
                                   "work_view@/srv/app.py:20", FLASK_REQUEST, NULL);
    struct lk_ref worker = mk_thread(s, "worker", "work@/srv/app.py:12", NULL);
    struct lk_ref event = mk_sync(s, "threading.Event");
    lk_refs_add(s, &LOCK(event)->likely_enders, worker);
    LOCK(event)->likely_for = "would be set by the code of";
    mk_wait(s, view, LK_WAIT_EVENT, event);
    THREAD(view)->wait.complete = false;
    mk_wait(s, worker, LK_WAIT_LOCK, mk_lock(s, "threading.RLock", view));
    expect_less(s, "LK108", LK_STALLED, LK_HAZARD, LK_POSSIBLE);
}

static void future_on_a_dead_loop_may_be_cancelled(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = mk_left_loop(s, LK_LOOP_CLOSED);
    mk_waiting_request(s, mk_future(s, mk_task(s, o, "work", "async work@/srv/app.py:12", NULL)));
    LOOP(o)->framework_owned = true; /* its pending task is no finding of its own */
    expect_less(s, "LK201", LK_DEADLOCK, LK_STALLED, LK_PROBABLE);
    s = mk();
    mk_waiting_request(
        s, mk_future(s, mk_ready_task(s, mk_left_loop(s, LK_LOOP_LOST_IN_FORK), "work")));
    expect_less(s, "LK204", LK_DEADLOCK, LK_STALLED, LK_PROBABLE);
    s = mk();
    struct lk_ref pool = mk_pool(s, 4);
    EXECUTOR(pool)->lost_in_fork = true;
    mk_waiting_request(s, mk_future(s, pool));
    expect_less(s, "LK204", LK_DEADLOCK, LK_STALLED, LK_PROBABLE);
}

/* What a thread of the parent holds no task gives back. */
static void lock_lost_in_fork_stays_proven(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref lock = mk_lock(s, "threading.Lock", NONE);
    LOCK(lock)->lost_in_fork = LOCK(lock)->owner_certain = true;
    mk_wait(s, mk_thread(s, "main", "handle@/srv/app.py:9", NULL), LK_WAIT_LOCK, lock);
    expect_less(s, "LK204", LK_DEADLOCK, LK_DEADLOCK, LK_PROVEN);
}

/* Nothing is left that could wake the loop: as far as was seen. */
static void loop_may_be_woken(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = mk_idle_loop(s, mk_thread(s, "bg-loop", ASYNCIO_IDLE, NULL));
    struct lk_handle *h = lk_arena_array(s->arena, 1, sizeof *h);
    struct lk_pyframe *p = lk_arena_alloc(s->arena, sizeof *p);
    *p = mk_stack(s, "deliver@/srv/app.py:21", NULL)->frames[0];
    *h = (struct lk_handle){ .callback = "deliver", .frame = p, .stable = true };
    LOOP(o)->handles = h;
    LOOP(o)->n_handles = 1;
    LOOP(o)->ready = 1;
    LOOP(o)->ready_same_head = true;
    LOOP(o)->reachable = LK_NO;
    s->watched_ms = 2500;
    expect_less(s, "LK203", LK_DEADLOCK, LK_STALLED, LK_PROVEN);
}

static void leaked_loops_may_be_held(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    for (int i = 0; i < 3; i++)
        LOOP(mk_left_loop(s, LK_LOOP_NEVER_RUN))->found_by = LK_FOUND_HEAP;
    expect_less(s, "LK205", LK_HAZARD, LK_HAZARD, LK_PROBABLE);
}

static void future_may_be_set(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    mk_waiting_request(s, mk_bare_future(s));
    expect_less(s, "LK405", LK_HAZARD, LK_HAZARD, LK_PROBABLE);
}

static void wait_outside_may_be_timed(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = mk_idle_loop(s, mk_thread(s, "bg-loop", ASYNCIO_IDLE, NULL));
    struct lk_ref task = mk_task(s, o, "ask_upstream", "async ask_upstream@/srv/app.py:9", NULL);
    mk_wait(s, task, LK_WAIT_IO,
            lk_snapshot_extern(s, LK_EXT_OUTSIDE, "10.0.0.7:5432", LK_UNKNOWN));
    mk_waiting_request(s, mk_future(s, task));
    expect_less(s, "LK406", LK_STALLED, LK_STALLED, LK_PROBABLE);
}

/* Of a process without Python there are no tasks to miss. */
static void native_process_misses_none(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    s->python.present = false;
    struct lk_ref pool = mk_pool(s, 1),
                  w = mk_thread(s, "pool", RESULT, "job@/srv/app.py:20", POOL_WORKER, NULL);
    mk_worker(s, pool, w);
    mk_wait(s, w, LK_WAIT_FUTURE, mk_future(s, pool));
    expect_less(s, "LK104", LK_DEADLOCK, LK_DEADLOCK, LK_PROVEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocked_loop_stays_proven),
        cmocka_unit_test(locks_stay_proven),
        cmocka_unit_test(pool_item_may_be_cancelled),
        cmocka_unit_test(ring_may_be_cancelled),
        cmocka_unit_test(event_may_be_set),
        cmocka_unit_test(future_on_a_dead_loop_may_be_cancelled),
        cmocka_unit_test(lock_lost_in_fork_stays_proven),
        cmocka_unit_test(loop_may_be_woken),
        cmocka_unit_test(leaked_loops_may_be_held),
        cmocka_unit_test(future_may_be_set),
        cmocka_unit_test(wait_outside_may_be_timed),
        cmocka_unit_test(native_process_misses_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
