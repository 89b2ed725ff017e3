/* LK401 and LK402: one callback or many, which call it is, and what only looks like one. */
#include "make.h"

#include <string.h>

#include "diagnose/catalog/frames.h"
#include "diagnose/catalog/user_file.h"

#define CALLBACK "handler@/srv/app.py:20", ASYNCIO_RUN_FOREVER

/* A loop whose thread is in one callback for so long; a callback waits behind it. */
static struct lk_ref busy_loop(struct lk_snapshot *s, struct lk_ref t, int64_t ms)
{
    struct lk_ref o = mk_loop(s, t);
    LOOP(o)->turn = 4711;
    LOOP(o)->callback_same = true;
    LOOP(o)->callback_ms = ms;
    mk_ready_task(s, o, "other");
    return o;
}

static struct lk_ref computing(struct lk_snapshot *s, const char *frame)
{
    struct lk_ref t = mk_thread(s, "bg-loop", frame, CALLBACK, NULL);
    THREAD(t)->running = THREAD(t)->moved = true;
    THREAD(t)->stable = false;
    THREAD(t)->read = LK_READ_STOPPED;
    THREAD(t)->wait.kind = LK_WAIT_NONE;
    THREAD(t)->stuck_ms = LK_UNKNOWN;
    THREAD(t)->cpu_delta_us = 150000;
    s->watched_ms = 200;
    return t;
}

/* The loop's own clock says since when: no need to watch for --stalled-after. */
static void convicted_at_once(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    busy_loop(s, computing(s, "crunch@/srv/app.py:7"), 9000);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK402");
    assert_int_equal(f->list.v[0].stuck_ms, 9000);
    assert_int_equal(f->list.v[0].confidence, LK_PROVEN);
    mk_free(s, f);
}

static void many_short_callbacks(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = busy_loop(s, computing(s, "crunch@/srv/app.py:7"), 0);
    LOOP(o)->callback_same = false; /* though its stack was the same in all samples */
    s->threads.v[0].callback_stable = true;
    s->threads.v[0].cpu_delta_us = 200000;
    mk_expect(s, LK_HEALTHY, NULL);
}

static void identity_unknown(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = computing(s, "crunch@/srv/app.py:7"), o = busy_loop(s, t, 9000);
    LOOP(o)->turn = 0;
    LOOP(o)->callback_same = false;
    THREAD(t)->cpu_delta_us = 200000;
    mk_expect(s, LK_HEALTHY, NULL);
    s = mk();
    t = computing(s, "crunch@/srv/app.py:7");
    o = busy_loop(s, t, 9000);
    LOOP(o)->turn = 0;
    THREAD(t)->stable = true;
    THREAD(t)->cpu_delta_us = 200000;
    mk_expect(s, LK_HAZARD, "LK402"); /* never more, however long */
}

/* The outer loop's callback lasts as long as the inner loop runs; what the inner one's callbacks do
 * is not one callback of it. */
static void loop_inside_a_callback(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = computing(s, "crunch@/srv/app.py:7"), outer = busy_loop(s, t, 9000),
                  inner = mk_loop(s, t);
    struct lk_ref *both = lk_arena_array(s->arena, 2, sizeof *both);
    both[0] = inner;
    both[1] = outer;
    LOOP(inner)->turn = 42;
    LOOP(inner)->callback_ms = 0;
    THREAD(t)->frame_loops = both;
    THREAD(t)->n_frame_loops = 2;
    THREAD(t)->read = LK_READ_RACY;
    struct lk_findings *f = mk_diagnose(s);
    assert_null(mk_find(f, "LK402"));
    mk_free(s, f);
}

/* Another thread has the GIL most of the time: the callback still keeps its loop. */
static void starved_of_the_gil(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = computing(s, "crunch@/srv/app.py:7");
    THREAD(t)->cpu_delta_us = 20000;
    busy_loop(s, t, 9000);
    mk_expect(s, LK_STALLED, "LK402");
}

static void one_sample_wants_another_look(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = computing(s, "crunch@/srv/app.py:7"), o = busy_loop(s, t, 0);
    LOOP(o)->turn_ms = 9000;
    s->watched_ms = 1;
    THREAD(t)->cpu_delta_us = 0;
    struct lk_findings *f = mk_diagnose(s);
    assert_int_equal(f->verdict, LK_HEALTHY);
    assert_true(mk_watches(f, t));
    mk_free(s, f);
}

/* ---- LK401 --------------------------------------------------------------------------- */

static struct lk_ref sleeping(struct lk_snapshot *s, const char *frame)
{
    struct lk_ref t = mk_thread(s, "bg-loop", frame, CALLBACK, NULL);
    mk_wait(s, t, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 40));
    THREAD(t)->wait.timeout_ms = 40;
    THREAD(t)->wait.call = "time.sleep()";
    return t;
}

/* A polling loop within one callback: no call of it is long. */
static void short_sleeps_in_one_callback(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = sleeping(s, "poll@/srv/app.py:7"), o = busy_loop(s, t, 9000);
    THREAD(t)->moved = true;
    THREAD(t)->stable = false;
    mk_stuck(s, t, 20);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK401");
    assert_int_equal(f->list.v[0].stuck_ms, 9000);
    lk_findings_destroy(f);
    /* many callbacks, each with a short sleep */
    LOOP(o)->callback_same = false;
    LOOP(o)->callback_ms = 20;
    mk_expect(s, LK_HEALTHY, NULL);
}

/* The same place in all samples, and yet another callback each time. */
static void short_sleeps_in_many_callbacks(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = sleeping(s, "poll@/srv/app.py:7"), o = busy_loop(s, t, 20);
    LOOP(o)->callback_same = false;
    mk_stuck(s, t, 3000);
    mk_expect(s, LK_HEALTHY, NULL);
}

static void debuggers_prompt(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "MainThread", "cmdloop@" STDLIB "cmd.py:126",
                                "interaction@" STDLIB "pdb.py:480", CALLBACK, NULL);
    mk_wait(s, t, LK_WAIT_IO, lk_snapshot_extern(s, LK_EXT_FILE, "/dev/pts/3", LK_UNKNOWN));
    busy_loop(s, t, 9000);
    mk_expect(s, LK_HEALTHY, NULL);
}

/* ---- LK401: names -------------------------------------------------------------------- */

static struct lk_patterns *patterns(const char *text)
{
    struct lk_error err;
    struct lk_patterns *p = lk_patterns_parse("x", text, strlen(text), &err);
    assert_non_null(p);
    return p;
}

static struct lk_natstack *natives(struct lk_snapshot *s, const char *const *names, size_t n)
{
    struct lk_natstack *st = lk_arena_alloc(s->arena, sizeof *st);
    st->n = (uint32_t)n;
    st->frames = lk_arena_array(s->arena, n, sizeof *st->frames);
    for (size_t i = 0; i < n; i++)
        st->frames[i] = (struct lk_natframe){ .function = names[i], .module = "libx.so.1" };
    return st;
}

static void says(struct lk_snapshot *s, const char *words)
{
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK401");
    if (!strstr(f->list.v[0].summary, words))
        fail_msg("'%s' does not say '%s'", f->list.v[0].summary, words);
    lk_findings_destroy(f);
}

/* A futex in an extension: the reader knows no more than the system call. */
static struct lk_ref unknown_wait(struct lk_snapshot *s)
{
    static const char *const names[] = {
        "futex_wait",  "acme_wait_long",           "acme_submit",
        "method_call", "_PyEval_EvalFrameDefault", "acme_wait_outer"
    };
    struct lk_ref t = mk_thread(s, "bg-loop", CALLBACK, NULL);
    THREAD(t)->wait.kind = LK_WAIT_UNKNOWN;
    THREAD(t)->os.syscall = "futex";
    THREAD(t)->native_stack = natives(s, names, LK_ARRAY_LEN(names));
    busy_loop(s, t, 9000);
    return t;
}

static void native_calls(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = unknown_wait(s);
    says(s, "blocks in futex() at handler");
    struct lk_patterns *p = patterns("blocking native libx:acme_wait_* as waiting for the device");
    s->patterns = p;
    says(s, "blocks in waiting for the device [futex()] at handler");
    lk_patterns_destroy(p);
    s->patterns = p = patterns("blocking native acme_*"); /* the outermost of one call */
    says(s, "blocks in acme_submit() [futex()]");
    /* A name makes a wait a blocking call before it has lasted long. */
    mk_stuck(s, t, 400);
    s->loops.v[0].callback_ms = 400;
    s->watched_ms = 400;
    struct lk_findings *f = mk_expect_one(s, LK_HAZARD, "LK401");
    lk_findings_destroy(f);
    lk_patterns_destroy(p);
    s->patterns = NULL;
    f = mk_diagnose(s);
    assert_null(mk_find(f, "LK401"));
    mk_free(s, f);
}

/* Functions made in C have no frame: their Python name, or ctypes' name of a symbol. */
static void calls_without_a_frame(void **state)
{
    (void)state;
    static const struct {
        const char *callee, *pattern, *words;
    } rows[] = {
        { "posix:read", "blocking python posix:read as a read of ours",
          "blocks in a read of ours [read()]" },
        { "_queue:SimpleQueue.get", "blocking python _queue:SimpleQueue.get",
          "blocks in SimpleQueue.get() [read()]" },
        { "sem_wait", "blocking native sem_wait as the semaphore",
          "blocks in the semaphore [read()]" },
        { "sem_wait", "blocking native libx:sem_wait",
          "blocks in read() at" }, /* of which library is not known */
        { "posix:read", "blocking python posix:read2", "blocks in read() at" },
        { "posix:read", "blocking native read", "blocks in read() at" },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "bg-loop", CALLBACK, NULL);
        mk_wait(s, t, LK_WAIT_IO, NONE);
        THREAD(t)->wait.call = "read()";
        THREAD(t)->callees[0] = "builtins:print";
        THREAD(t)->callees[1] = rows[i].callee;
        THREAD(t)->n_callees = 2;
        busy_loop(s, t, 9000);
        struct lk_patterns *p = patterns(rows[i].pattern);
        s->patterns = p;
        says(s, rows[i].words);
        lk_patterns_destroy(p);
        lk_snapshot_destroy(s);
    }
}

static void python_and_system_calls(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t =
        mk_thread(s, "bg-loop", "readinto@" STDLIB "socket.py:706", "_send@/srv/acme/db.py:8",
                  "query@/srv/acme/db.py:30", CALLBACK, NULL);
    mk_wait(s, t, LK_WAIT_IO, lk_snapshot_extern(s, LK_EXT_OUTSIDE, "10.0.0.7:5432", LK_UNKNOWN));
    THREAD(t)->wait.call = "socket.recv_into()";
    THREAD(t)->os.syscall = "recvfrom";
    busy_loop(s, t, 9000);
    says(s, "blocks in socket.recv_into() (10.0.0.7:5432) at _send");
    struct lk_patterns *p = patterns("framework acme\nblocking python acme.db:query as a query");
    s->patterns = p;
    for (size_t i = 0; i < THREAD(t)->python_stack->n; i++) /* classified anew */
        ((struct lk_code *)THREAD(t)->python_stack->frames[i].code)->cls = LK_CODE_UNSET;
    says(s, "blocks in a query [socket.recv_into(), 10.0.0.7:5432] at handler");
    lk_patterns_destroy(p);
    s->patterns = p = patterns("blocking syscall recvfrom as a read");
    for (size_t i = 0; i < THREAD(t)->python_stack->n; i++)
        ((struct lk_code *)THREAD(t)->python_stack->frames[i].code)->cls = LK_CODE_UNSET;
    says(s, "blocks in a read [socket.recv_into(), 10.0.0.7:5432] at _send");
    lk_patterns_destroy(p);
    lk_snapshot_destroy(s);
}

/* ---- whom it is in the way of ------------------------------------------------------------ */

#define RUN_COROUTINE ASYNCIO_RUN_FOREVER, "run_until_complete@" STDLIB "asyncio/base_events.py:640"

/* A thread that runs one coroutine on a loop of its own, which waits for an event with a timeout.
 */
static struct lk_ref private_loop(struct lk_snapshot *s)
{
    struct lk_ref t = mk_thread(s, "beat", "async beat@/srv/app.py:9", RUN_COROUTINE, NULL),
                  o = mk_loop(s, t);
    THREAD(t)->drives = mk_running_task(s, o, "beat", t);
    LOOP(o)->tasks_pending = 1;
    mk_wait(s, t, LK_WAIT_EVENT, mk_sync(s, "threading.Event"));
    mk_timeout(s, t, 9000);
    return o;
}

static void nobody_behind_a_private_loop(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    private_loop(s);
    mk_expect(s, LK_HEALTHY, NULL);
    for (int i = 0; i < 9; i++) {
        s = mk();
        struct lk_ref o = private_loop(s), t = LOOP(o)->thread;
        switch (i) {
        case 0: LOOP(o)->timers = 1; break;
        case 1: LOOP(o)->timers = LK_UNKNOWN; break;
        case 2: LOOP(o)->watched_fds = 1; break;
        case 3: LOOP(o)->watched_fds = LK_UNKNOWN; break;
        case 4: THREAD(t)->drives = NONE; break; /* run_forever(): for whoever comes */
        case 5: THREAD(t)->works_on = mk_bare_future(s); break;
        case 6: s->tasks_complete = false; break;
        case 7: LOOP(o)->ready = 1; break;
        default: mk_task(s, o, "other", "async other@/srv/app.py:30", NULL); break;
        }
        struct lk_findings *f = mk_diagnose(s);
        assert_non_null(mk_find(f, "LK401"));
        mk_free(s, f);
    }
}

/* A test that runs is asked for, and so is a request. */
static void asked_for_on_a_private_loop(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref o = private_loop(s);
    s->test_env_own = true;
    THREAD(LOOP(o)->thread)->main = true;
    mk_expect(s, LK_HAZARD, "LK401");
    for (int i = 0; i < 2; i++) {
        s = mk();
        struct lk_ref job = mk_thread(s, "main", "async send@/srv/app.py:9", RUN_COROUTINE,
                                      i ? "trace_task@" SITE "celery/app/trace.py:450"
                                        : "_callTestMethod@" STDLIB "unittest/case.py:579",
                                      NULL);
        o = mk_loop(s, job);
        THREAD(job)->drives = mk_running_task(s, o, "send", job);
        mk_wait(s, job, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 90000));
        mk_expect(s, LK_HAZARD, "LK401");
    }
    s = mk();
    struct lk_ref t = mk_thread(s, "Thread-1", "async ask@/srv/app.py:9", RUN_COROUTINE,
                                "view@/srv/app.py:14", FLASK_REQUEST, NULL);
    o = mk_loop(s, t);
    THREAD(t)->drives = mk_running_task(s, o, "ask", t);
    mk_wait(s, t, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 90000));
    struct lk_findings *f = mk_diagnose(s);
    assert_non_null(mk_find(f, "LK401"));
    mk_free(s, f);
}

static void computes_on_a_private_loop(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = computing(s, "crunch@/srv/app.py:7"), o = mk_loop(s, t);
    LOOP(o)->turn = 4711;
    LOOP(o)->callback_same = true;
    LOOP(o)->callback_ms = 9000;
    THREAD(t)->drives = mk_running_task(s, o, "crunch", t);
    struct lk_findings *f = mk_expect_one(s, LK_HEALTHY, NULL);
    lk_findings_destroy(f);
    mk_ready_task(s, o, "other");
    mk_expect(s, LK_STALLED, "LK402");
}

static struct lk_ref asleep_in(struct lk_snapshot *s, struct lk_ref t)
{
    struct lk_ref o = mk_loop(s, t);
    LOOP(o)->timers = 1;
    mk_running_task(s, o, "cell", t);
    mk_task(s, o, "poll", "async poll@" SITE "ipykernel/kernelbase.py:500", NULL);
    mk_wait(s, t, LK_WAIT_SLEEP, lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 90000));
    return o;
}

static void expect_of_cell(enum lk_verdict verdict, bool with_users_task, const char *frame)
{
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "main", "<module>@/tmp/ipykernel_1/2.py:1", frame,
                                "execute_request@" SITE "ipykernel/kernelbase.py:300",
                                ASYNCIO_RUN_FOREVER, "start@" SITE "ipykernel/kernelapp.py:700",
                                NULL),
                  o = asleep_in(s, t);
    if (with_users_task)
        mk_task(s, o, "mine", "async mine@/tmp/ipykernel_1/1.py:3", NULL);
    struct lk_findings *f = mk_expect_one(s, verdict, with_users_task ? "LK401" : NULL);
    if (with_users_task)
        assert_non_null(strstr(f->list.v[0].summary, "wait until this cell is done"));
    mk_free(s, f);
}

static void cells(void **state)
{
    (void)state;
    expect_of_cell(LK_HEALTHY, false, "run_code@" SITE "IPython/core/interactiveshell.py:3550");
    expect_of_cell(LK_HAZARD, true, "run_code@" SITE "IPython/core/interactiveshell.py:3550");
    /* a line with await: a task of its own */
    struct lk_snapshot *s = mk();
    asleep_in(s, mk_thread(s, "main", "<module>@<console>:1", ASYNCIO_RUN_FOREVER, NULL));
    mk_expect(s, LK_HEALTHY, NULL);
    /* a task that a cell made is none, nor is a loop that a cell or a script runs */
    s = mk();
    asleep_in(s, mk_thread(s, "main", "mine@<console>:1", ASYNCIO_RUN_FOREVER, NULL));
    mk_expect(s, LK_STALLED, "LK401");
    s = mk();
    asleep_in(s, mk_thread(s, "main", "async serve@<stdin>:9", RUN_COROUTINE, "<module>@<stdin>:20",
                           NULL));
    mk_expect(s, LK_STALLED, "LK401");
}

#define LIFESPAN                                                                                   \
    "async lifespan@/srv/app.py:17", "async main@" SITE "uvicorn/lifespan/on.py:86",               \
        ASYNCIO_RUN_FOREVER

static struct lk_ref starting_server(struct lk_snapshot *s)
{
    struct lk_ref t = mk_thread(s, "main", LIFESPAN, NULL), o = asleep_in(s, t);
    mk_task(s, o, "serve", "async startup@" SITE "uvicorn/lifespan/on.py:57",
            "async startup@" SITE "uvicorn/server.py:94", NULL);
    return o;
}

static void listen_at(struct lk_snapshot *s, bool listening)
{
    struct lk_listener *l = lk_vec_push(&s->listeners);
    l->listening = listening;
    l->queue = 0;
}

static void start_of_a_server(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    starting_server(s);
    listen_at(s, false); /* an accepted connection to itself */
    struct lk_findings *f = mk_expect_one(s, LK_HAZARD, "LK401");
    assert_non_null(strstr(f->list.v[0].summary, "the server is still starting"));
    lk_findings_destroy(f);
    listen_at(s, true); /* a socket that was bound before, or given: clients may wait */
    mk_expect(s, LK_STALLED, "LK401");
    /* one that never listens, and one on its way to */
    for (int i = 0; i < 2; i++) {
        s = mk();
        struct lk_ref t = mk_thread(s, "main", "load@/srv/app.py:7", "async main@/srv/app.py:20",
                                    ASYNCIO_RUN_FOREVER, NULL);
        ((struct lk_code *)THREAD(t)->python_stack->frames[1].code)->mentions_serve = i;
        asleep_in(s, t);
        mk_expect(s, i ? LK_HAZARD : LK_STALLED, "LK401");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convicted_at_once),
        cmocka_unit_test(many_short_callbacks),
        cmocka_unit_test(identity_unknown),
        cmocka_unit_test(loop_inside_a_callback),
        cmocka_unit_test(starved_of_the_gil),
        cmocka_unit_test(one_sample_wants_another_look),
        cmocka_unit_test(short_sleeps_in_one_callback),
        cmocka_unit_test(short_sleeps_in_many_callbacks),
        cmocka_unit_test(debuggers_prompt),
        cmocka_unit_test(native_calls),
        cmocka_unit_test(calls_without_a_frame),
        cmocka_unit_test(python_and_system_calls),
        cmocka_unit_test(nobody_behind_a_private_loop),
        cmocka_unit_test(asked_for_on_a_private_loop),
        cmocka_unit_test(computes_on_a_private_loop),
        cmocka_unit_test(cells),
        cmocka_unit_test(start_of_a_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
