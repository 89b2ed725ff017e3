/*
 * What holds up the end of a command, of reports made by hand: each case holds, and then one thing
 * is changed until it does not.
 */
#include "../diagnose/rules/make.h"

#include <string.h>

#include "examine/command_end.h"

enum { ROOT = 4700, CHILD = 4800 };

/* Two threads in a ring of locks; the main thread joins one of them. */
static struct lk_snapshot *hung(struct lk_ref *main_thread, struct lk_ref *one)
{
    struct lk_snapshot *s = mk();
    s->handles_alarm = LK_NO;
    *main_thread =
        mk_thread(s, "MainThread", "join@" STDLIB "threading.py:1112", "main@/srv/app.py:9", NULL);
    *one = mk_thread(s, "one", "take@/srv/app.py:3", NULL);
    struct lk_ref two = mk_thread(s, "two", "take@/srv/app.py:4", NULL);
    for (size_t i = 0; i < s->threads.n; i++)
        s->threads.v[i].main = i == main_thread->index;
    mk_wait(s, *one, LK_WAIT_LOCK, mk_lock(s, "threading.Lock", two));
    mk_wait(s, two, LK_WAIT_LOCK, mk_lock(s, "threading.Lock", *one));
    mk_wait(s, *main_thread, LK_WAIT_JOIN, *one);
    return s;
}

/* A parent whose main thread is in waitpid(2). */
static struct lk_snapshot *waits_for_child(struct lk_ref *main_thread)
{
    struct lk_snapshot *s = mk();
    s->handles_alarm = LK_NO;
    *main_thread = mk_thread(s, "MainThread", "main@/srv/run.py:5", NULL);
    for (size_t i = 0; i < s->threads.n; i++)
        s->threads.v[i].main = i == main_thread->index;
    struct lk_syscall_wait *os = &THREAD(*main_thread)->os;
    os->on = LK_OS_CHILD;
    os->syscall = "wait4";
    os->child_pid = CHILD;
    os->timeout_ms = LK_FOREVER;
    return s;
}

static bool is_held(struct lk_report *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        r[i].findings = mk_diagnose(r[i].snap);
    const bool ret = lk_command_end(r, n, ROOT).held;
    for (size_t i = 0; i < n; i++)
        mk_free(r[i].snap, r[i].findings);
    return ret;
}

static void within_one_process(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct lk_ref main_thread, one;
        struct lk_snapshot *s = hung(&main_thread, &one);
        s->pid = ROOT;
        switch (i) {
        case 0: break;
        case 1: mk_timeout(s, main_thread, 5000); break; /* it joins with a timeout */
        case 2: /* it does something else: the others are daemons, or it has not come to its end */
            mk_wait(s, main_thread, LK_WAIT_SLEEP,
                    lk_snapshot_extern(s, LK_EXT_TIMER, "timer", 900));
            break;
        case 3: s->handles_alarm = LK_YES; break;
        case 4: mk_timeout(s, one, 5000); break; /* no deadlock */
        case 5: mk_moved(s, main_thread); break;
        }
        struct lk_report r = { .snap = s };
        assert_int_equal(is_held(&r, 1), i == 0);
    }
}

static void through_a_child(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct lk_ref parent, child_main, one;
        struct lk_snapshot *p = waits_for_child(&parent), *s = hung(&child_main, &one);
        p->pid = ROOT;
        s->pid = CHILD;
        s->ppid = ROOT;
        switch (i) {
        case 0: break;
        case 1:
            lk_thread_at(p, parent)->os.timeout_ms = lk_thread_at(p, parent)->os.left_ms = 5000;
            break;
        case 2: lk_thread_at(p, parent)->os.child_pid = 1; break;
        case 3: p->handles_alarm = LK_YES; break; /* timeout(1) */
        case 4: mk_timeout(s, child_main, 5000); break;
        case 5: s->not_examined = true; break;
        }
        struct lk_report r[] = { { .snap = p }, { .snap = s } };
        assert_int_equal(is_held(r, 2), i == 0);
    }
}

static void one_shot_timers_are_waited_for(void **state)
{
    (void)state;
    struct lk_ref main_thread, one;
    struct lk_snapshot *s = hung(&main_thread, &one);
    struct lk_ref t = mk_thread(
        s, "Thread-9", "wait@" STDLIB "threading.py:324", "wait@" STDLIB "threading.py:622",
        "run@" STDLIB "threading.py:1376", "_bootstrap_inner@" STDLIB "threading.py:1038", NULL);
    mk_timeout(s, t, 3000);
    THREAD(t)->os.left_ms = 3000;
    s->pid = ROOT;
    struct lk_report r = { .snap = s, .findings = mk_diagnose(s) };
    const struct lk_command_end end = lk_command_end(&r, 1, ROOT);
    assert_true(end.held);
    assert_int_equal(end.spare_ms, 3000);
    mk_free(r.snap, r.findings);
}

static void where_it_stood(void **state)
{
    (void)state;
    struct lk_ref parent;
    for (int i = 0; i < 3; i++) {
        struct lk_snapshot *s = waits_for_child(&parent);
        s->pid = ROOT;
        struct lk_report r = { .snap = s, .findings = mk_diagnose(s) };
        if (i == 2) { /* a finding as bad says why */
            mk_free(r.snap, r.findings);
            struct lk_ref one;
            r.snap = hung(&parent, &one);
            r.snap->pid = ROOT;
            r.findings = mk_diagnose(r.snap);
        }
        assert_int_equal(lk_command_stood_still(&r, 1, ROOT, i == 1, 60000), i != 2);
        const struct lk_finding *f = mk_find(r.findings, "LK409");
        assert_int_equal(f != NULL, i != 2);
        if (f) {
            assert_int_equal(f->severity, LK_STALLED);
            assert_int_equal(f->culprits.v[0].line, 5);
            assert_non_null(strstr(f->summary, i ? "RAN TOO LONG" : "STOOD STILL"));
        }
        mk_free(r.snap, r.findings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(within_one_process),
        cmocka_unit_test(through_a_child),
        cmocka_unit_test(one_shot_timers_are_waited_for),
        cmocka_unit_test(where_it_stood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
