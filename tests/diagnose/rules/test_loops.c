/* LK201 to LK205 and LK301 to LK305: loops that are dead, left, asleep, or driven from the wrong
 * place. */
#include "make.h"

#include <string.h>

static struct lk_ref waiting_request(struct lk_snapshot *s, struct lk_ref future)
{
    struct lk_ref t = mk_thread(s, "Thread-3", RESULT, "job@/srv/app.py:30", FLASK_REQUEST, NULL);
    mk_wait(s, t, LK_WAIT_FUTURE, future);
    return t;
}

static struct lk_ref left_loop(struct lk_snapshot *s, enum lk_loop_run run)
{
    struct lk_ref o = mk_loop(s, NONE);
    O(o)->run = run;
    O(o)->closed = run == LK_LOOP_CLOSED ? LK_YES : LK_NO;
    return o;
}

/* ---- LK201, LK202, LK204 -------------------------------------------------------------- */

static void future_on_a_closed_loop(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = left_loop(s, LK_LOOP_CLOSED);
    struct lk_ref task = mk_task(s, o, "work", "async work@/srv/app.py:12", NULL);
    mk_wait(s, task, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 400));
    struct lk_ref t = waiting_request(s, mk_future(s, task));
    mk_stuck(s, t, 200); /* proven is proven at once */
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK201");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "job");
    assert_string_equal(f->list.v[0].culprits.v[1].function, "work");
    assert_int_equal(f->list.v[0].held_requests, 1);
    assert_int_equal(f->list.v[0].loops.n, 1);
    lk_findings_destroy(f);
    mk_timeout(s, t, 3000);
    mk_stuck(s, t, 5000);
    f = mk_diagnose(s);
    assert_int_equal(f->verdict, LK_STALLED);
    mk_free(s, f);
}

/* A handle that would have made the task stands in the closed loop's queue. */
static void future_in_a_closed_loops_queue(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    waiting_request(s, mk_future(s, left_loop(s, LK_LOOP_CLOSED)));
    mk_expect(s, LK_DEADLOCK, "LK201");
}

static void future_on_a_stopped_loop(void **state)
{
    (void)state;
    const enum lk_loop_run runs[] = { LK_LOOP_STOPPED, LK_LOOP_NEVER_RUN };
    for (int i = 0; i < 2; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t =
            waiting_request(s, mk_future(s, mk_ready_task(s, left_loop(s, runs[i]), "work")));
        struct lk_findings *f = mk_diagnose(s);
        assert_int_equal(f->verdict, LK_STALLED);
        assert_string_equal(f->list.v[0].rule->id, "LK201");
        assert_null(mk_find(f, "LK202")); /* blames nobody else */
        lk_findings_destroy(f);
        /* It was run between two samples. */
        s->loops.v[0].stable = false;
        f = mk_diagnose(s);
        assert_null(mk_find(f, "LK201"));
        lk_findings_destroy(f);
        s->loops.v[0].stable = true;
        /* Not yet: look on. */
        mk_stuck(s, t, 400);
        f = mk_diagnose(s);
        assert_null(mk_find(f, "LK201"));
        assert_true(mk_watches(f, t));
        mk_free(s, f);
    }
}

/* app.run() blocks; the loop has a task of its own and will never run: the waiting request and the
 * task are two culprits. */
static void never_run_loop_with_a_task_of_its_own(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = left_loop(s, LK_LOOP_NEVER_RUN);
    mk_ready_task(s, o, "heartbeat");
    waiting_request(s, mk_future(s, o));
    struct lk_findings *f = mk_diagnose(s);
    assert_int_equal(f->verdict, LK_STALLED);
    assert_non_null(mk_find(f, "LK201"));
    assert_non_null(mk_find(f, "LK202"));
    assert_string_equal(mk_find(f, "LK202")->culprits.v[0].function, "heartbeat");
    mk_free(s, f);
}

/* A loop run in bursts: stopped when looked at, but not the same all the time. */
static void burst_loop_is_healthy(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = left_loop(s, LK_LOOP_STOPPED),
                  scheduler = mk_thread(s, "scheduler", "run_in_bursts@/srv/app.py:9", NULL);
    O(o)->stable = false;
    mk_wait(s, scheduler, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 20));
    mk_stuck(s, scheduler, 10);
    struct lk_ref task = mk_task(s, o, "double", "async double@/srv/app.py:12", NULL);
    mk_wait(s, task, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 20));
    mk_stuck(s, waiting_request(s, mk_future(s, task)), 40);
    struct lk_findings *f = mk_diagnose(s);
    assert_int_equal(f->list.n, 0);
    assert_int_equal(f->verdict, LK_HEALTHY);
    lk_findings_destroy(f);
    /* and one that was seen between two bursts in all samples, or in the only one there is */
    O(o)->stable = true;
    f = mk_diagnose(s);
    assert_int_equal(f->list.n, 0);
    lk_findings_destroy(f);
    s->watched_ms = 0;
    f = mk_diagnose(s);
    assert_int_equal(f->list.n, 0);
    lk_findings_destroy(f);
    /* a timer that is long overdue says that nobody has run it */
    s->watched_ms = 200;
    O(o)->timers = 1;
    O(o)->next_timer_ms = -9000;
    mk_expect(s, LK_HAZARD, "LK202");
}

/* One look while threads run may be torn: it asks for another one, and says nothing. */
static void seen_once_while_it_ran(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    mk_task(s, left_loop(s, LK_LOOP_CLOSED), "send_mail", "async send_mail@/srv/app.py:15", NULL);
    for (int i = 0; i < 3; i++)
        O(left_loop(s, LK_LOOP_NEVER_RUN))->read = LK_READ_RACY;
    s->tasks.v[0].read = LK_READ_RACY;
    s->watched_ms = 0;
    struct lk_findings *f = lk_diagnose(s);
    assert_int_equal(f->list.n, 0);
    assert_true(f->look_again.at_once);
    lk_findings_destroy(f);
    s->watched_ms = 100;
    f = lk_diagnose(s);
    assert_non_null(mk_find(f, "LK202"));
    assert_non_null(mk_find(f, "LK205"));
    assert_false(f->look_again.at_once);
    mk_free(s, f);
}

static void orphaned_tasks(void **state)
{
    (void)state;
    const enum lk_loop_run runs[] = { LK_LOOP_STOPPED, LK_LOOP_NEVER_RUN, LK_LOOP_CLOSED };
    for (int i = 0; i < 3; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref o = left_loop(s, runs[i]);
        for (int k = 0; k < 3; k++)
            mk_task(s, o, "send_mail", "async send_mail@/srv/app.py:15", NULL);
        struct lk_findings *f = mk_expect_one(s, LK_HAZARD, "LK202");
        assert_int_equal(f->list.v[0].held_tasks, 3);
        assert_int_equal(f->list.v[0].culprits.n, 1);
        assert_int_equal(f->list.v[0].culprits.v[0].line, 15);
        assert_int_equal(f->list.v[0].culprits.v[0].tid, LK_UNKNOWN);
        lk_findings_destroy(f);
        for (size_t k = 0; k < s->tasks.n; k++)
            s->tasks.v[k].state = LK_TASK_DONE;
        mk_expect(s, LK_HEALTHY, NULL);
    }
}

static void lost_in_fork(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    waiting_request(s, mk_future(s, mk_ready_task(s, left_loop(s, LK_LOOP_LOST_IN_FORK), "work")));
    mk_expect(s, LK_DEADLOCK, "LK204");
    s = mk();
    struct lk_ref lock = mk_lock(s, "threading.Lock", NONE);
    L(lock)->lost_in_fork = true;
    mk_wait(s, mk_thread(s, "main", "handle@/srv/app.py:9", NULL), LK_WAIT_LOCK, lock);
    mk_expect(s, LK_DEADLOCK, "LK204");
    s = mk();
    struct lk_ref pool = mk_pool(s, 4);
    X(pool)->lost_in_fork = true;
    waiting_request(s, mk_future(s, pool));
    mk_expect(s, LK_DEADLOCK, "LK204");
    /* The parent's loop is in the child too, and nobody waits for it. */
    s = mk();
    mk_ready_task(s, left_loop(s, LK_LOOP_LOST_IN_FORK), "work");
    mk_expect(s, LK_HEALTHY, NULL);
}

/* ---- LK203 --------------------------------------------------------------------------- */

static struct lk_ref sleeping_loop(struct lk_snapshot *s)
{
    struct lk_ref t = mk_thread(s, "bg-loop", ASYNCIO_IDLE, NULL), o = mk_idle_loop(s, t);
    struct lk_handle *h = lk_arena_array(s->arena, 1, sizeof *h);
    struct lk_pyframe *p = lk_arena_alloc(s->arena, sizeof *p);
    *p = mk_stack(s, "deliver@/srv/app.py:21", NULL)->frames[0];
    h->callback = "deliver";
    h->frame = p;
    h->stable = true;
    O(o)->handles = h;
    O(o)->n_handles = 1;
    O(o)->ready = 1;
    O(o)->ready_same_head = true;
    s->watched_ms = 2500;
    return o;
}

static void lost_wakeup(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    sleeping_loop(s);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK203");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "deliver");
    mk_free(s, f);
    /* the task that was created from another thread */
    s = mk();
    struct lk_ref o = sleeping_loop(s);
    O(o)->handles[0].frame = NULL;
    O(o)->handles[0].task = mk_ready_task(s, o, "compute");
    waiting_request(s, mk_future(s, O(o)->handles[0].task));
    f = mk_expect_one(s, LK_STALLED, "LK203");
    assert_int_equal(f->list.v[0].held_requests, 1);
    assert_string_equal(f->list.v[0].culprits.v[0].task, K(O(o)->handles[0].task)->id);
    lk_findings_destroy(f);
    s->watched_ms = 200;
    f = mk_expect_one(s, LK_HAZARD, "LK203");
    assert_true(f->list.v[0].needs_time);
    mk_free(s, f);
    /* nothing is left that could wake it */
    s = mk();
    o = sleeping_loop(s);
    O(o)->reachable = LK_NO;
    mk_expect(s, LK_DEADLOCK, "LK203");
}

static void no_lost_wakeup(void **state)
{
    (void)state;
    for (int i = 0; i < 9; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref o = sleeping_loop(s), t = O(o)->thread,
                      other = mk_thread(s, "hammer", "push@/srv/app.py:4", NULL);
        switch (i) {
        case 0: O(o)->wakeup_unread = 1; break;
        case 1: O(o)->wakeup_unread = LK_UNKNOWN; break;
        case 2: O(o)->ready_same_head = false; break;
        case 3: O(o)->handles[0].cancelled = LK_YES; break;
        case 4: O(o)->handles[0].cancelled = LK_TRI_UNKNOWN; break;
        case 5: T(other)->inside_cst = o; break;
        case 6: mk_moved(s, t); break;
        case 7:
            T(t)->wait.kind = LK_WAIT_GIL;
            O(o)->in_own_selector = LK_NO;
            break;
        case 8:
            O(o)->ready = 0;
            O(o)->n_handles = 0;
            break;
        }
        mk_expect(s, LK_HEALTHY, NULL);
    }
}

/* ---- LK205 --------------------------------------------------------------------------- */

static void leaked_loops(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    for (int i = 0; i < 4; i++) {
        struct lk_ref o = left_loop(s, i % 2 ? LK_LOOP_STOPPED : LK_LOOP_NEVER_RUN);
        O(o)->found_by = LK_FOUND_HEAP;
        O(o)->stable = false; /* found once, after the samples */
    }
    struct lk_findings *f = mk_expect_one(s, LK_HAZARD, "LK205");
    assert_int_equal(f->list.v[0].loops.n, 4);
    assert_int_equal(f->list.v[0].culprits.n, 0);
    mk_free(s, f);
}

static void loops_that_are_no_leak(void **state)
{
    (void)state;
    /* threads that each run a loop of their own in bursts */
    struct lk_snapshot *b = mk();
    for (int i = 0; i < 3; i++) {
        lk_loop_at(b, left_loop(b, LK_LOOP_STOPPED))->found_by = LK_FOUND_HEAP;
        mk_wait(b, mk_thread(b, "burster", "run@/srv/app.py:9", NULL), LK_WAIT_SLEEP, NONE);
    }
    mk_expect(b, LK_HEALTHY, NULL);
    struct lk_snapshot *s = mk();
    left_loop(s, LK_LOOP_STOPPED); /* one idle leftover */
    mk_expect(s, LK_HEALTHY, NULL);
    s = mk();
    left_loop(s, LK_LOOP_STOPPED); /* ... beside uvloop */
    struct lk_ref uv =
        mk_idle_loop(s, mk_thread(s, "main", "run@" STDLIB "asyncio/runners.py:44", NULL));
    O(uv)->kind = "uvloop";
    O(uv)->cls = "uvloop.Loop";
    mk_expect(s, LK_HEALTHY, NULL);
    s = mk();
    for (int i = 0; i < 3; i++)
        left_loop(s, LK_LOOP_CLOSED);
    mk_expect(s, LK_HEALTHY, NULL);
    s = mk();
    for (int i = 0; i < 3; i++)
        O(left_loop(s, LK_LOOP_STOPPED))->origin = "asgiref.sync";
    mk_expect(s, LK_HEALTHY, NULL);
    s = mk();
    for (int i = 0; i < 3; i++)
        O(left_loop(s, LK_LOOP_STOPPED))->stable = false; /* it was not stopped all the time */
    mk_expect(s, LK_HEALTHY, NULL);
    s = mk();
    for (int i = 0; i < 3; i++)
        O(left_loop(s, LK_LOOP_NEVER_RUN))->found_by = LK_FOUND_FRAME; /* about to be used */
    mk_expect(s, LK_HEALTHY, NULL);
    s = mk();
    O(left_loop(s, LK_LOOP_STOPPED))->origin = "app.A";
    O(left_loop(s, LK_LOOP_STOPPED))->origin = "other.B";
    mk_expect(s, LK_HEALTHY, NULL);
}

/* ---- LK301, LK305 -------------------------------------------------------------------- */

#define RUN_UNTIL ASYNCIO_IDLE, "run_until_complete@" STDLIB "asyncio/base_events.py:640"

static void loop_per_request(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    for (int i = 0; i < 2; i++)
        mk_idle_loop(s, mk_thread(s, "Thread-1", RUN_UNTIL, "fetch_view@/srv/app.py:19",
                                  FLASK_REQUEST, NULL));
    struct lk_findings *f = mk_expect_one(s, LK_HAZARD, "LK301");
    assert_int_equal(f->list.v[0].threads.n, 2);
    assert_int_equal(f->list.v[0].loops.n, 2);
    assert_string_equal(f->list.v[0].culprits.v[0].function, "fetch_view");
    mk_free(s, f);
    s = mk();
    mk_idle_loop(s, mk_thread(s, "Thread-1", RUN_UNTIL, "run@" STDLIB "asyncio/runners.py:118",
                              "run@" STDLIB "asyncio/runners.py:190", "helper@/srv/lib.py:4",
                              "index@/srv/app.py:9",
                              "handle_request@" SITE "gunicorn/workers/gthread.py:320", NULL));
    f = mk_expect_one(s, LK_HAZARD, "LK301");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "helper");
    mk_free(s, f);
    /* uvloop leaves no frame of its own */
    s = mk();
    mk_idle_loop(s, mk_thread(s, "Thread-1", "fetch_view@/srv/app.py:19", FLASK_REQUEST, NULL));
    mk_expect(s, LK_HAZARD, "LK301");
}

static void loops_for_requests_that_are_fine(void **state)
{
    (void)state;
    /* asgiref's bridge on the request's own stack */
    struct lk_snapshot *s = mk();
    mk_idle_loop(s,
                 mk_thread(s, "Thread-1", RUN_UNTIL, "_run_event_loop@" SITE "asgiref/sync.py:248",
                           "__call__@" SITE "asgiref/sync.py:204", "view@/srv/app.py:19",
                           FLASK_REQUEST, NULL));
    mk_expect(s, LK_HEALTHY, NULL);
    /* a Flask async view in flight: the loop is in a one-worker pool's thread, the request waits in
     * the bridge */
    s = mk();
    struct lk_ref request =
        mk_thread(s, "Thread-1", "get@" STDLIB "queue.py:171",
                  "run_until_future@" SITE "asgiref/current_thread_executor.py:40",
                  "__call__@" SITE "asgiref/sync.py:218", FLASK_REQUEST, NULL);
    mk_wait(s, request, LK_WAIT_QUEUE_GET, mk_sync(s, "queue.Queue"));
    mk_idle_loop(s, mk_thread(s, "pool", RUN_UNTIL, "_run_event_loop@" SITE "asgiref/sync.py:248",
                              POOL_WORKER, NULL));
    mk_expect(s, LK_HEALTHY, NULL);
    /* a main thread's asyncio.run, a handler of an aiohttp server running in it */
    s = mk();
    mk_idle_loop(s, mk_thread(s, "main", RUN_UNTIL, "run@" STDLIB "asyncio/runners.py:118",
                              "main@/srv/app.py:50", NULL));
    mk_expect(s, LK_HEALTHY, NULL);
}

static void run_forever_in_request(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "Thread-1", ASYNCIO_IDLE, "start_listening@/srv/app.py:19",
                                FLASK_REQUEST, NULL);
    mk_idle_loop(s, t);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK305");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "start_listening");
    assert_int_equal(f->list.v[0].held_requests, 1);
    lk_findings_destroy(f);
    mk_stuck(s, t, 300);
    f = mk_expect_one(s, LK_HAZARD, "LK305");
    assert_true(f->list.v[0].needs_time);
    lk_findings_destroy(f);
    /* Its callbacks run, the request below them does not go on. */
    T(t)->moved = true;
    T(t)->stable = false;
    s->watched_ms = 2500;
    f = mk_expect_one(s, LK_STALLED, "LK305");
    lk_findings_destroy(f);
    T(t)->callback_stable = false;
    mk_expect(s, LK_HAZARD, "LK305");
    /* The process-wide loop in a thread of its own is what is recommended. */
    s = mk();
    mk_idle_loop(s, mk_thread(s, "bg-loop", ASYNCIO_IDLE, "run@" STDLIB "threading.py:975", NULL));
    mk_expect(s, LK_HEALTHY, NULL);
}

/* ---- LK303 --------------------------------------------------------------------------- */

static void nested_loop(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "bg-loop", RUN_UNTIL, "sync_helper@/srv/app.py:8",
                                "async handler@/srv/app.py:20", ASYNCIO_RUN_FOREVER, NULL);
    struct lk_ref outer = mk_loop(s, t);
    mk_idle_loop(s, t);
    struct lk_findings *f = mk_expect_one(s, LK_HAZARD, "LK303");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "sync_helper");
    lk_findings_destroy(f);
    O(outer)->ready = 2;
    O(outer)->ready_same_head = true;
    s->watched_ms = 2500;
    mk_expect(s, LK_STALLED, "LK303");
}

static void loop_of_two_threads(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref a = mk_thread(s, "a", RUN_UNTIL, "f@/srv/app.py:8", NULL),
                  b = mk_thread(s, "b", RUN_UNTIL, "g@/srv/app.py:9", NULL);
    struct lk_ref o = mk_idle_loop(s, a);
    T(b)->frame_loops = T(a)->frame_loops;
    T(b)->n_frame_loops = 1;
    mk_wait(s, b, LK_WAIT_SELECTOR, o);
    struct lk_findings *f = mk_expect_one(s, LK_HAZARD, "LK303");
    assert_int_equal(f->list.v[0].culprits.n, 2);
    lk_findings_destroy(f);
    T(b)->read = LK_READ_RACY; /* read while it may just have been leaving */
    mk_expect(s, LK_HEALTHY, NULL);
}

static void declared_nester(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "main", "select@" STDLIB "selectors.py:468",
                                "_run_once@" SITE "nest_asyncio.py:115",
                                "run_until_complete@" SITE "nest_asyncio.py:84",
                                "cell@/srv/app.py:8", ASYNCIO_RUN_FOREVER, NULL);
    mk_loop(s, t);
    mk_idle_loop(s, t);
    mk_expect(s, LK_HEALTHY, NULL);
}

/* ---- LK304 --------------------------------------------------------------------------- */

static void mixed_loop_kinds(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref a = mk_thread(s, "main", ASYNCIO_IDLE, "serve@/srv/app.py:90", NULL),
                      oa = mk_idle_loop(s, a);
        struct lk_ref b = mk_thread(s, "bg", ASYNCIO_IDLE, "background@/srv/app.py:30", NULL),
                      ob = mk_idle_loop(s, b);
        O(oa)->kind = "asyncio";
        O(ob)->kind = "uvloop";
        switch (i) {
        case 1: O(ob)->kind = "asyncio"; break;
        case 2:
            O(ob)->run = LK_LOOP_STOPPED;
            O(ob)->thread = NONE;
            T(b)->n_frame_loops = 0;
            break;
        case 3:
            O(ob)->run = LK_LOOP_CLOSED;
            O(ob)->closed = LK_YES;
            break;
        case 4: O(ob)->stable = false; break;
        case 5: O(oa)->framework_owned = O(ob)->framework_owned = true; break;
        }
        struct lk_findings *f = i == 0 ? mk_expect_one(s, LK_HAZARD, "LK304") : mk_diagnose(s);
        assert_true(i == 0 || !mk_find(f, "LK304"));
        if (i == 0) {
            assert_int_equal(f->list.v[0].loops.n, 2);
            assert_string_equal(f->list.v[0].culprits.v[0].function, "serve");
            assert_string_equal(f->list.v[0].culprits.v[1].function, "background");
        }
        mk_free(s, f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixed_loop_kinds),
        cmocka_unit_test(future_on_a_closed_loop),
        cmocka_unit_test(future_in_a_closed_loops_queue),
        cmocka_unit_test(future_on_a_stopped_loop),
        cmocka_unit_test(never_run_loop_with_a_task_of_its_own),
        cmocka_unit_test(burst_loop_is_healthy),
        cmocka_unit_test(orphaned_tasks),
        cmocka_unit_test(seen_once_while_it_ran),
        cmocka_unit_test(lost_in_fork),
        cmocka_unit_test(lost_wakeup),
        cmocka_unit_test(no_lost_wakeup),
        cmocka_unit_test(leaked_loops),
        cmocka_unit_test(loops_that_are_no_leak),
        cmocka_unit_test(loop_per_request),
        cmocka_unit_test(loops_for_requests_that_are_fine),
        cmocka_unit_test(run_forever_in_request),
        cmocka_unit_test(nested_loop),
        cmocka_unit_test(loop_of_two_threads),
        cmocka_unit_test(declared_nester),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
