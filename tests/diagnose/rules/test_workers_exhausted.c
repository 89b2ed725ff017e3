/*
 * LK403: no worker of a server finishes a request, by its pool's queue and by its accept queue.
 */
#include "make.h"

#include <string.h>

static void workers_exhausted(void **state)
{
    (void)state;
    for (int i = 0; i < 7; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref pool = mk_pool(s, 2), t[2];
        for (int k = 0; k < 2; k++) {
            t[k] = i == 4 ? mk_thread(s, "jobs_0", "work@/srv/app.py:9", POOL_WORKER, NULL)
                          : mk_thread(s, "ThreadPoolExecutor-0_0", "view@/srv/app.py:9",
                                      "handle_request@" SITE "gunicorn/workers/gthread.py:270",
                                      POOL_WORKER, NULL);
            mk_wait(s, t[k], LK_WAIT_EVENT, NONE);
            mk_worker(s, pool, t[k]);
        }
        EXECUTOR(pool)->queued = i == 2 ? 0 : 3;
        switch (i) {
        case 1: mk_moved(s, t[1]); break;
        case 3: EXECUTOR(pool)->max_workers = 8; break;
        case 5: mk_stuck(s, t[1], 200); break;
        case 6:
            mk_wait(s, t[1], LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 100));
            break;
        }
        struct lk_findings *f =
            i == 0 ? mk_expect_one(s, LK_STALLED, "LK403") : mk_expect_one(s, LK_HEALTHY, NULL);
        if (i == 0) {
            assert_int_equal(f->list.v[0].held_requests, 5);
            assert_int_equal(f->list.v[0].culprits.n, 2);
        }
        if (i == 5)
            assert_true(mk_watches(f, t[1]));
        mk_free(s, f);
    }
}

/* A socket that listens at descriptor 3, of this process alone; two connections stand before it. */
static struct lk_listener *listening(struct lk_snapshot *s)
{
    struct lk_listener *l = lk_vec_push(&s->listeners);
    *l = (struct lk_listener){ .listening = true, .queue = 2, .alone = LK_YES };
    l->fds.v = lk_arena_array(s->arena, 1, sizeof *l->fds.v);
    l->fds.v[0] = 3;
    l->fds.n = 1;
    return l;
}

/* The same by the accept queue of a server without a pool. */
static void connections_nobody_accepts(void **state)
{
    (void)state;
    for (int i = 0; i < 11; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "server", "slow@/srv/app.py:7",
                                    "run@" STDLIB "wsgiref/handlers.py:137",
                                    "serve_forever@" STDLIB "socketserver.py:233", NULL),
                      other;
        mk_wait(s, t, LK_WAIT_EVENT, NONE);
        struct lk_listener *l = listening(s);
        l->address = "127.0.0.1:8000";
        struct lk_sharer *x = l->sharers.v = lk_arena_array(s->arena, 1, sizeof *x);
        *x = (struct lk_sharer){ .pid = 77, .comm = "master" };
        switch (i) {
        case 1: l->queue = 0; break;
        case 2: l->queue = LK_UNKNOWN; break;
        case 3: l->alone = LK_TRI_UNKNOWN; break;
        case 4: mk_moved(s, t); break;
        case 5: mk_timeout(s, t, 50); break; /* many short waits */
        case 6: l->sharers.n = 1; break;     /* which may serve */
        case 7:
            l->sharers.n = 1;
            x->does = LK_SHARE_IDLE;
            l->alone = LK_NO;
            break;
        case 8: THREAD(t)->os.fd = 3; break; /* accepts */
        case 9: mk_thread(s, "worker", "handler_thread@" SITE "waitress/task.py:84", NULL); break;
        case 10:
            other = mk_thread(s, "acceptor", "loop@/srv/app.py:90", NULL);
            THREAD(other)->running = true;
            THREAD(other)->stable = false;
            break;
        }
        struct lk_findings *f = mk_diagnose(s);
        if (i == 0 || i == 7) {
            assert_int_equal(f->verdict, LK_STALLED);
            assert_int_equal(mk_find(f, "LK403")->held_requests, 3);
            assert_non_null(strstr(mk_find(f, "LK403")->summary,
                                   "2 connections wait to be accepted at 127.0.0.1:8000"));
        } else {
            assert_null(mk_find(f, "LK403"));
        }
        mk_free(s, f);
    }
}

/* The one thread that would accept waits for what a client sends next. */
static void client_that_keeps_a_server(void **state)
{
    (void)state;
    enum { KEPT, AHEAD, UNREAD, TIMED, NOT_AT_HAND, NO_CLIENT, CASES };
    for (int i = 0; i < CASES; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t =
            mk_thread(s, "server", "handle_one_request@" STDLIB "http/server.py:400",
                      "serve_forever@" STDLIB "socketserver.py:233", "main@/srv/app.py:9", NULL);
        struct lk_ref e =
            lk_snapshot_extern(s, LK_EXT_OUTSIDE, "client 127.0.0.1:4000", LK_UNKNOWN);
        static const int64_t at_hand[] = { 3 };
        mk_wait(s, t, LK_WAIT_IO, e);
        lk_extern_at(s, e)->client = i != NO_CLIENT;
        THREAD(t)->os.accepted = i != NO_CLIENT;
        THREAD(t)->sockets = at_hand;
        THREAD(t)->n_sockets = i != NOT_AT_HAND;
        struct lk_listener *l = listening(s);
        l->asking = i == AHEAD ? 0 : i == UNREAD ? LK_UNKNOWN : 1;
        if (i == TIMED)
            mk_timeout(s, t, 5000);
        struct lk_findings *f = mk_diagnose(s);
        const struct lk_finding *told = mk_find(f, "LK403");
        if (i == KEPT) {
            assert_int_equal(told->severity, LK_STALLED);
            assert_int_equal(told->held_requests, 1);
        } else if (i == UNREAD) {
            assert_int_equal(told->severity, LK_HAZARD);
        } else {
            assert_null(told);
        }
        mk_free(s, f);
    }
}

/* A server that has not come to accept yet: clients have asked, or have not; its main thread goes
 * on by itself; a thread stands at the listener; another process may serve it. */
static void clients_left_outside(void **state)
{
    (void)state;
    enum { LEFT, SILENT_CLIENTS, UNASKED, RETRIES, STANDS, SHARED, TOO_EARLY, N };
    for (int i = 0; i < N; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "MainThread", "connect@/srv/app.py:3", NULL);
        mk_wait(s, t, LK_WAIT_EVENT, mk_sync(s, "threading.Event"));
        THREAD(t)->main = true;
        struct lk_listener *l = listening(s);
        l->asking = i == SILENT_CLIENTS ? 0 : i == UNASKED ? LK_UNKNOWN : 1;
        if (i == RETRIES)
            THREAD(t)->os.timeout_ms = 8000;
        if (i == STANDS)
            THREAD(t)->os.fd = 3;
        if (i == SHARED)
            l->alone = LK_TRI_UNKNOWN;
        if (i == TOO_EARLY)
            THREAD(t)->stuck_ms = 10;
        struct lk_findings *f = mk_diagnose(s);
        assert_int_equal(f->verdict, i == LEFT ? LK_VERDICT_UNKNOWN : LK_HEALTHY);
        if (i == LEFT)
            assert_non_null(strstr(f->verdict_why, "nobody accepts there: thread MainThread"));
        mk_free(s, f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_left_outside),
        cmocka_unit_test(workers_exhausted),
        cmocka_unit_test(connections_nobody_accepts),
        cmocka_unit_test(client_that_keeps_a_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
