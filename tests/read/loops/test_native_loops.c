/* Loops in C and C++ by stacks made by hand: which kind, and whether the thread is in the loop's
 * own wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "read/loops/native/native_loops.h"
#include "snapshot/builder.h"

#define EXE  "/srv/app"
#define UV   "/usr/lib/libuv.so.1.0.0"
#define GLIB "/usr/lib/libglib-2.0.so.0"
#define C    "/usr/lib/libc.so.6"
#define RUN  "boost::asio::detail::scheduler::run(boost::system::error_code&)"
#define TURN                                                                                       \
    "void "                                                                                        \
    "boost::asio::detail::posix_event::wait<boost::asio::detail::conditionally_enabled_mutex>("    \
    "int&)"
#define HANDLED "boost::asio::detail::executor_op<main::{lambda()#1}>::do_complete(void*, void*)"

enum { MAX_FRAMES = 6 };

struct stack {
    const char *what;
    const char *syscall;
    struct {
        const char *function, *module;
    } frames[MAX_FRAMES]; /* innermost first */
    const char *kind;     /* NULL: no loop */
    enum lk_tri idle;
};

static const struct stack stacks[] = {
    { "idle",
      "epoll_wait",
      { { "epoll_wait", C }, { NULL, UV }, { "uv_run", UV }, { "main", EXE } },
      "libuv",
      LK_YES },
    { "a callback waits",
      "futex",
      { { "pthread_cond_wait", C },
        { "uv_cond_wait", UV },
        { "on_timer", EXE },
        { NULL, UV },
        { "uv_run", UV } },
      "libuv",
      LK_NO },
    { "a callback of a stripped program",
      "futex",
      { { "futex", C }, { NULL, EXE }, { NULL, UV }, { "uv_run", UV } },
      "libuv",
      LK_NO },
    { "linked in statically",
      "epoll_wait",
      { { "epoll_wait", C }, { "uv__io_poll", EXE }, { "uv_run", EXE } },
      "libuv",
      LK_YES },
    { "a callback, linked in statically",
      "futex",
      { { "futex", C }, { "on_timer", EXE }, { "uv_run", EXE } },
      "libuv",
      LK_NO },
    { "linked in, without names",
      "futex",
      { { "futex", C }, { NULL, EXE }, { "uv_run", EXE } },
      "libuv",
      LK_TRI_UNKNOWN },
    { "a mutex of the library's own",
      "futex",
      { { "futex", C }, { NULL, UV }, { "uv_run", UV } },
      "libuv",
      LK_TRI_UNKNOWN },
    { "a sanitizer between",
      "epoll_wait",
      { { "epoll_wait", C },
        { "__interceptor_epoll_wait", "/usr/lib/libasan.so.8" },
        { NULL, UV },
        { "uv_run", UV } },
      "libuv",
      LK_YES },
    { "a loop within a callback",
      "poll",
      { { "poll", C },
        { NULL, GLIB },
        { "g_main_loop_run", GLIB },
        { "dialogue", EXE },
        { "g_main_context_dispatch", GLIB } },
      "GLib",
      LK_YES },
    { "a poll function of the program's",
      "poll",
      { { "poll", C }, { "my_poll", EXE }, { NULL, GLIB }, { "g_main_loop_run", GLIB } },
      "GLib",
      LK_TRI_UNKNOWN },
    { "a poll function that waits for a condition",
      "futex",
      { { "syscall", C },
        { "g_cond_wait_until", GLIB },
        { "my_poll", EXE },
        { NULL, GLIB },
        { "g_main_loop_run", GLIB } },
      "GLib",
      LK_TRI_UNKNOWN },
    { "a callback, of a release that has no name for what calls it",
      "futex",
      { { "syscall", C },
        { "g_cond_wait", GLIB },
        { "tick", EXE },
        { NULL, GLIB },
        { NULL, GLIB },
        { "g_main_loop_run", GLIB } },
      "GLib",
      LK_NO },
    { "a callback",
      "wait4",
      { { "wait4", C },
        { "tick", EXE },
        { NULL, GLIB },
        { "g_main_context_dispatch", GLIB },
        { NULL, GLIB },
        { "g_main_loop_run", GLIB } },
      "GLib",
      LK_NO },
    { "Qt",
      "futex",
      { { "futex", C },
        { "Window::save()", EXE },
        { "QCoreApplication::notify(QObject*, QEvent*)", "/usr/lib/libQt5Core.so.5" },
        { "QEventLoop::exec(QFlags<QEventLoop::ProcessEventsFlag>)", "/usr/lib/libQt5Core.so.5" } },
      "Qt",
      LK_NO },
    { "the turn to run Asio's loop",
      "futex",
      { { "pthread_cond_wait", C }, { TURN, EXE }, { RUN, EXE }, { "main", EXE } },
      "Asio",
      LK_YES },
    { "a handler inlined into its caller",
      "futex",
      { { "futex", C }, { HANDLED, EXE }, { RUN, EXE } },
      "Asio",
      LK_NO },
    { "a function that only begins alike",
      "futex",
      { { "futex", C }, { "uv_runner", EXE } },
      NULL,
      LK_NO },
};

static void push_thread(struct lk_snapshot *s, const struct stack *x)
{
    struct lk_ref r = lk_snapshot_thread(s, (int64_t)(100 + s->threads.n), NULL);
    struct lk_thread *t = lk_thread_at(s, r);
    struct lk_natstack *st = lk_arena_array(s->arena, 1, sizeof *st);
    st->frames = lk_arena_array(s->arena, MAX_FRAMES, sizeof *st->frames);
    for (; st->n < MAX_FRAMES && x->frames[st->n].module; st->n++) {
        st->frames[st->n].function = x->frames[st->n].function;
        st->frames[st->n].module_path = x->frames[st->n].module;
        st->frames[st->n].module = strrchr(x->frames[st->n].module, '/') + 1;
        st->frames[st->n].system = strcmp(x->frames[st->n].module, C) == 0;
    }
    t->native_stack = st;
    t->os.syscall = x->syscall;
    t->read = LK_READ_ASLEEP;
}

static struct lk_snapshot *snapshot(void)
{
    struct lk_snapshot *s = lk_snapshot_create();
    s->exe = EXE;
    s->runtime = LK_RUNTIME_NATIVE;
    return s;
}

static void kinds_and_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(stacks); i++) {
        struct lk_snapshot *s = snapshot();
        push_thread(s, &stacks[i]);
        lk_read_native_loops(s);
        if (s->loops.n != (stacks[i].kind != NULL))
            fail_msg("%s: %zu loops", stacks[i].what, s->loops.n);
        if (s->loops.n && (strcmp(s->loops.v[0].kind, stacks[i].kind) != 0 ||
                           s->loops.v[0].in_own_selector != stacks[i].idle))
            fail_msg("%s: %s, %d", stacks[i].what, s->loops.v[0].kind,
                     s->loops.v[0].in_own_selector);
        lk_snapshot_destroy(s);
    }
}

static const struct stack *stack_of(const char *what)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(stacks); i++)
        if (strcmp(stacks[i].what, what) == 0)
            return &stacks[i];
    fail();
    return NULL;
}

/* Whoever is free takes what comes; where all are in callbacks nobody does. */
static void threads_that_share_a_loop(void **state)
{
    (void)state;
    const char *const second[] = { "a handler inlined into its caller",
                                   "the turn to run Asio's loop" };
    const enum lk_tri first_is[] = { LK_NO, LK_TRI_UNKNOWN };
    for (size_t i = 0; i < LK_ARRAY_LEN(second); i++) {
        struct lk_snapshot *s = snapshot();
        push_thread(s, stack_of("a handler inlined into its caller"));
        push_thread(s, stack_of(second[i]));
        lk_read_native_loops(s);
        assert_int_equal(s->loops.n, 2);
        assert_int_equal(s->loops.v[0].in_own_selector, first_is[i]);
        lk_snapshot_destroy(s);
    }
}

/* A thread of Python has its loops read by their objects; one that runs may be anywhere; other
 * runtimes' loops are theirs. */
static void left_alone(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct lk_snapshot *s = snapshot();
        push_thread(s, stack_of("a callback waits"));
        s->threads.v[0].python = i == 0;
        s->threads.v[0].running = i == 1;
        s->runtime = i == 2 ? LK_RUNTIME_NODE : LK_RUNTIME_NATIVE;
        lk_read_native_loops(s);
        assert_int_equal(s->loops.n, 0);
        lk_snapshot_destroy(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_and_places),
        cmocka_unit_test(threads_that_share_a_loop),
        cmocka_unit_test(left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
