/*
 * LK404: a request to the process itself that nobody is left to serve, and those that are served.
 */
#include "make.h"

enum { LISTENER_FD = 3, LISTENER_INODE = 9000 };

/* The thread's connection stands before a listener of this process that its own stack has at hand,
 * and who else holds that. */
static struct lk_listener *alone(struct lk_snapshot *s, struct lk_ref t, enum lk_tri alone)
{
    struct lk_listener *l = s->listeners.n ? &s->listeners.v[0] : lk_vec_push(&s->listeners);
    struct lk_syscall_wait *os = &THREAD(t)->os;
    l->inode = LISTENER_INODE;
    l->listening = true;
    l->queue = 1;
    l->alone = alone;
    l->fds.v = lk_arena_array(s->arena, 1, sizeof *l->fds.v);
    l->fds.n = 1;
    l->fds.v[0] = LISTENER_FD;
    os->far_fd = LK_UNKNOWN;
    os->ends_at.v = lk_arena_array(s->arena, 1, sizeof *os->ends_at.v);
    os->ends_at.v[0] = LISTENER_INODE;
    os->ends_at.n = 1;
    for (size_t i = 0; i < s->threads.n; i++)
        s->threads.v[i].sockets_complete = true;
    int64_t *at_hand = lk_arena_array(s->arena, 1, sizeof *at_hand);
    at_hand[0] = LISTENER_FD;
    THREAD(t)->sockets = at_hand;
    THREAD(t)->n_sockets = 1;
    return l;
}

static void shared_with(struct lk_snapshot *s, enum lk_share does, bool examined)
{
    struct lk_listener *l = &s->listeners.v[0];
    l->sharers.v = lk_arena_array(s->arena, 1, sizeof *l->sharers.v);
    l->sharers.v[0] =
        (struct lk_sharer){ .pid = 77, .comm = "master", .does = does, .examined = examined };
    l->sharers.n = 1;
    l->alone = LK_NO;
}

/* A request that asks this very process; frames: the server below the application's. */
static struct lk_ref asking_itself(struct lk_snapshot *s, const char *worker)
{
    struct lk_ref t = mk_thread(s, "server", "app@/srv/app.py:7",
                                "run@" STDLIB "wsgiref/handlers.py:137", worker, NULL);
    mk_wait(s, t, LK_WAIT_IO,
            lk_snapshot_extern(s, LK_EXT_SELF_LISTENER, "127.0.0.1:8000", LK_UNKNOWN));
    THREAD(t)->os.on = LK_OS_SOCKET;
    THREAD(t)->os.accepted = false;
    THREAD(t)->os.peer = "127.0.0.1:8000";
    THREAD(t)->os.peer_is = LK_PEER_SELF;
    alone(s, t, LK_YES);
    return t;
}

#define ONE_THREAD "serve_forever@" STDLIB "socketserver.py:233"
#define A_POOL     "handler_thread@" SITE "waitress/task.py:84"

static void self_request(void **state)
{
    (void)state;
    static const enum lk_verdict verdicts[] = {
        LK_DEADLOCK, LK_STALLED,  LK_STALLED,  LK_STALLED,  LK_STALLED, LK_STALLED,
        LK_STALLED,  LK_STALLED,  LK_DEADLOCK, LK_DEADLOCK, LK_STALLED, LK_STALLED,
        LK_STALLED,  LK_DEADLOCK, LK_STALLED,  LK_DEADLOCK,
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(verdicts); i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = asking_itself(s, ONE_THREAD), other;
        switch (i) {
        case 1: shared_with(s, LK_SHARE_UNKNOWN, true); break;
        case 2: THREAD(t)->os.timeout_ms = 60000; break;
        case 3: mk_timeout(s, t, 60000); break;
        case 4: s->supervisor_timeout_ms = 30000; break;
        case 5: /* another thread has the listener at hand */
            other = mk_thread(s, "jobs", "jobs@/srv/app.py:60", NULL);
            mk_wait(s, other, LK_WAIT_CONDITION, NONE);
            THREAD(other)->sockets = THREAD(t)->sockets;
            THREAD(other)->n_sockets = 1;
            THREAD(other)->sockets_complete = true;
            break;
        case 6: alone(s, t, LK_TRI_UNKNOWN); break;
        case 7: shared_with(s, LK_SHARE_IDLE, false); break;
        case 8: shared_with(s, LK_SHARE_IDLE, true); break;
        case 9: shared_with(s, LK_SHARE_WAITS, true); break;
        case 10: THREAD(t)->n_sockets = 0; break; /* nobody is seen to accept there */
        case 11: THREAD(t)->os.ends_at.n = 0; break;
        case 12: /* a thread that may have it at hand, for all that was read */
            mk_wait(s, mk_thread(s, "jobs", "jobs@/srv/app.py:60", NULL), LK_WAIT_CONDITION, NONE);
            break;
        case 13:
            other = mk_thread(s, "jobs", "jobs@/srv/app.py:60", NULL);
            mk_wait(s, other, LK_WAIT_CONDITION, NONE);
            THREAD(other)->sockets_complete = true;
            break;
        case 14: /* might be killed by a supervisor whose timeout was not read */
            THREAD(t)->python_stack =
                mk_stack(s, "app@/srv/app.py:7",
                         "handle_request@" SITE "gunicorn/workers/sync.py:179", NULL);
            break;
        case 15: /* an idle loop that watches something else */
            other = mk_thread(s, "loop", ASYNCIO_IDLE, NULL);
            mk_idle_loop(s, other);
            THREAD(other)->os.on = LK_OS_SELECTOR;
            THREAD(other)->os.fds.v = lk_arena_array(s->arena, 1, sizeof(int64_t));
            THREAD(other)->os.fds.v[0] = 44;
            THREAD(other)->os.fds.n = 1;
            THREAD(other)->sockets_complete = true;
            break;
        }
        struct lk_findings *f = mk_expect_one(s, verdicts[i], "LK404");
        assert_string_equal(f->list.v[0].culprits.v[0].function, "app");
        assert_int_equal(f->list.v[0].held_requests, 1);
        mk_free(s, f);
    }
    /* the loop's own thread, in a callback that is no request */
    for (int i = 0; i < 2; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t =
            mk_thread(s, "loop", "async tick@/srv/app.py:7", ASYNCIO_RUN_FOREVER, NULL);
        mk_running_task(s, mk_loop(s, t), "tick", t);
        mk_wait(s, t, LK_WAIT_IO,
                lk_snapshot_extern(s, LK_EXT_SELF_LISTENER, "127.0.0.1:8000", LK_UNKNOWN));
        THREAD(t)->os.on = LK_OS_SOCKET;
        THREAD(t)->os.peer_is = LK_PEER_SELF;
        THREAD(t)->os.peer = "127.0.0.1:8000";
        alone(s, t, LK_YES);
        THREAD(t)->n_sockets = i == 0;
        mk_free(s, i == 0 ? mk_expect_one(s, LK_DEADLOCK, "LK404")
                          : mk_expect_one(s, LK_HAZARD, "LK401"));
    }
    /* both workers of a pool; a thread of its own accepts */
    struct lk_snapshot *s = mk();
    struct lk_ref acceptor = mk_thread(s, "main", "serve@/srv/app.py:90", NULL);
    THREAD(acceptor)->os.on = LK_OS_SELECTOR;
    asking_itself(s, A_POOL);
    asking_itself(s, A_POOL);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK404");
    assert_int_equal(f->list.v[0].held_requests, 2);
    mk_free(s, f);
    /* the same, the connections accepted, and queued for that pool; or for a pool that may grow, or
     * not found in a queue */
    for (int i = 0; i < 3; i++) {
        s = mk();
        struct lk_ref w[2] = { asking_itself(s, A_POOL), asking_itself(s, A_POOL) },
                      x = mk_pool(s, i == 1 ? 3 : 2);
        acceptor = mk_thread(s, "main", "serve@/srv/app.py:90", NULL);
        THREAD(acceptor)->os.on = LK_OS_SELECTOR;
        struct lk_item *items = lk_arena_array(s->arena, 2, sizeof *items);
        for (int k = 0; k < 2; k++) {
            mk_worker(s, x, w[k]);
            THREAD(w[k])->os.far_fd = 20 + k;
            items[k] = (struct lk_item){ .function = "handle", .fd = i == 2 ? LK_UNKNOWN : 20 + k };
        }
        EXECUTOR(x)->items = items;
        EXECUTOR(x)->n_items = 2;
        f = mk_diagnose(s);
        if (i == 1) /* a worker may yet be started */
            assert_null(mk_find(f, "LK404"));
        else
            assert_int_equal(mk_find(f, "LK404")->severity, i == 0 ? LK_DEADLOCK : LK_STALLED);
        mk_free(s, f);
    }
}

static void self_requests_that_are_served(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = asking_itself(s, i == 0 ? "process_request_thread@" STDLIB
                                                    "socketserver.py:683"
                                           : i < 3 ? A_POOL
                                                   : ONE_THREAD),
                      other;
        s->listeners.v[0].queue = i < 3 ? 0 : 1; /* a thread of its own accepts */
        switch (i) {
        case 1: mk_thread(s, "waitress-1", A_POOL, NULL); break; /* an idle worker */
        case 2: /* a worker that serves another request */
            other = mk_thread(s, "waitress-1", "slow@/srv/app.py:9",
                              "run@" STDLIB "wsgiref/handlers.py:137", A_POOL, NULL);
            mk_wait(s, other, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 60000));
            break;
        case 3: /* a second server */
            other = mk_thread(s, "metrics", "serve_forever@" STDLIB "socketserver.py:232", NULL);
            THREAD(other)->os.on = LK_OS_SELECTOR;
            break;
        case 4: mk_moved(s, mk_thread(s, "metrics", "work@/srv/app.py:99", NULL)); break;
        case 5:
            mk_stuck(s, t, 20);
            shared_with(s, LK_SHARE_UNKNOWN, false);
            break;                                             /* a moment */
        case 6: shared_with(s, LK_SHARE_SERVES, false); break; /* another process accepts there */
        case 7: /* a thread polls the asked listener */
            other = mk_thread(s, "prices", "serve_forever@" STDLIB "socketserver.py:232", NULL);
            THREAD(other)->os.on = LK_OS_SELECTOR;
            THREAD(other)->os.fds.v = lk_arena_array(s->arena, 1, sizeof(int64_t));
            THREAD(other)->os.fds.v[0] = LISTENER_FD;
            THREAD(other)->os.fds.n = 1;
            break;
        }
        struct lk_findings *f = mk_diagnose(s);
        assert_null(mk_find(f, "LK404"));
        assert_true(f->verdict <= LK_VERDICT_UNKNOWN);
        if (i == 5)
            assert_true(mk_watches(f, t));
        mk_free(s, f);
    }
}

/*
 * The request that serves what is asked waits for a lock that the asking one holds; or for another
 * one's, or a second thread has that connection at hand, too, or nobody is seen to have it. A
 * thread between two requests may only remember it: then it is likely.
 */
static void self_request_under_a_lock(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct lk_snapshot *s = mk();
        const char *worker = "process_request_thread@" STDLIB "socketserver.py:683";
        struct lk_ref t = asking_itself(s, worker),
                      server = mk_thread(s, "Thread-2", "price@/srv/app.py:9",
                                         "run@" STDLIB "wsgiref/handlers.py:137", worker, NULL),
                      sleeper = mk_thread(s, "jobs", "work@/srv/app.py:99", NULL);
        mk_wait(s, sleeper, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 60000));
        mk_wait(s, server, LK_WAIT_LOCK, mk_lock(s, "threading.Lock", i == 1 ? sleeper : t));
        s->listeners.v[0].queue = 0;
        int64_t *at_hand = lk_arena_array(s->arena, 1, sizeof *at_hand);
        at_hand[0] = THREAD(t)->os.far_fd = 20;
        THREAD(server)->sockets = at_hand;
        THREAD(server)->n_sockets = i != 3;
        if (i == 4)
            THREAD(sleeper)->os.on = LK_OS_SELECTOR;
        if (i == 2 || i == 4) {
            THREAD(sleeper)->sockets = at_hand;
            THREAD(sleeper)->n_sockets = 1;
        }
        struct lk_findings *f = mk_diagnose(s);
        const struct lk_finding *found = mk_find(f, "LK404");
        assert_true((found != NULL) == (i == 0 || i == 4));
        if (found) {
            assert_int_equal(found->severity, i == 0 ? LK_DEADLOCK : LK_STALLED);
            assert_int_equal(found->held_requests, 2);
        }
        mk_free(s, f);
    }
}

#define RUN_ASGI "async run_asgi@" SITE "uvicorn/protocols/http/h11_impl.py:373"

/*
 * A view on a thread of an ASGI server asks the server itself; the task that serves that waits for
 * the only thread there is. Which task it is its frames say, and nobody else may end the wait.
 */
static void self_request_behind_a_loop(void **state)
{
    (void)state;
    static const enum lk_verdict verdicts[] = {
        LK_DEADLOCK, LK_STALLED, LK_STALLED, LK_STALLED,  LK_STALLED,
        LK_DEADLOCK, LK_STALLED, LK_STALLED, LK_DEADLOCK,
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(verdicts); i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref server = mk_thread(s, "main", ASYNCIO_IDLE, NULL),
                      loop = mk_idle_loop(s, server), pool = mk_pool(s, 1),
                      t = asking_itself(s, "run@" STDLIB "concurrent/futures/thread.py:58"),
                      first =
                          mk_task(s, loop, "run_asgi", "async quote@/srv/app.py:3", RUN_ASGI, NULL),
                      inner =
                          mk_task(s, loop, "run_asgi", "async price@/srv/app.py:5", RUN_ASGI, NULL),
                      beside = mk_task(s, loop, "run", "async run@" SITE "server/tcp.py:44", NULL),
                      client = lk_snapshot_extern(s, LK_EXT_OUTSIDE, "client", LK_UNKNOWN);
        lk_extern_at(s, client)->client = true;
        mk_worker(s, pool, t);
        mk_wait(s, first, LK_WAIT_FUTURE, mk_future(s, t));
        mk_wait(s, inner, LK_WAIT_FUTURE, mk_future(s, pool));
        mk_wait(s, beside, LK_WAIT_IO, client);
        EXECUTOR(pool)->queued = 1;
        s->listeners.v[0].queue = 0;
        THREAD(t)->os.far_fd = 20;
        THREAD(server)->sockets_complete = true;
        struct lk_served_connection *v = lk_vec_push(&s->served_connections);
        *v = (struct lk_served_connection){ .fd = 20, .n_by = 2, .seen_to = 6 };
        v->by[0].task = i == 5 ? beside : inner;
        v->by[0].far = 1;
        v->by[1].task = i == 5 ? inner : first;
        v->by[1].far = i == 1 ? 1 : 5;
        switch (i) {
        case 2: v->seen_to = 0; break;
        case 3: mk_timeout(s, inner, 60000); break;
        case 4: { /* a timer cancels the task that serves it */
            struct lk_at_hand *h = lk_vec_push(&s->at_hand);
            *h = (struct lk_at_hand){ .what = inner,
                                      .by = loop,
                                      .hand = LK_HAND_TIMER_CANCELS,
                                      .in_ms = 60000,
                                      .callback = "cancel" };
            break;
        }
        case 6: v->n_by = 0; break; /* nobody is seen to have it */
        case 7:
        case 8: /* a thread beside them, of which not all sockets were read in the first case */
            THREAD(mk_thread(s, "helper", "work@/srv/app.py:99", NULL))->sockets_complete = i == 8;
            break;
        default: break;
        }
        struct lk_findings *f = mk_diagnose(s);
        assert_non_null(mk_find(f, "LK404"));
        assert_int_equal(mk_find(f, "LK404")->severity, verdicts[i]);
        mk_free(s, f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(self_request),
        cmocka_unit_test(self_requests_that_are_served),
        cmocka_unit_test(self_request_under_a_lock),
        cmocka_unit_test(self_request_behind_a_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
