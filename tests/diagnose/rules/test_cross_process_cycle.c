/* LK108 across processes: what links between examined processes prove, and what they do not. */
#include "make.h"

#include <string.h>

/* A parent in waitpid for a child that blocks on a pipe which only the parent reads. */
static struct lk_snapshot *parent(struct lk_ref *thread, bool no_answer)
{
    struct lk_snapshot *s = mk();
    struct lk_ref child = lk_snapshot_extern(s, LK_EXT_CHILD, "child 4712", LK_UNKNOWN);
    *thread = mk_thread(s, "MainThread", "_try_wait@" STDLIB "subprocess.py:1955",
                        "convert@/srv/app.py:4", NULL);
    mk_wait(s, *thread, LK_WAIT_CHILD, child);
    THREAD(*thread)->no_answer = no_answer;
    lk_vec_add(
        &s->cross_waits,
        ((struct lk_cross_wait){
            .thread = thread->index,
            .pid = 4712,
            .what = "child process 4712",
            .via = child,
            .waits = no_answer ? "its thread yes [4712] blocks in write() on pipe:[1]" : NULL,
            .verdict = LK_HEALTHY,
            .verified = true }));
    return s;
}

static void ring(void **state)
{
    (void)state;
    struct lk_ref t;
    struct lk_snapshot *s = parent(&t, true);
    struct lk_findings *f = mk_expect_one(s, LK_DEADLOCK, "LK108");
    assert_string_equal(f->list.v[0].culprits.v[0].function, "convert");
    assert_true(f->list.v[0].chain.n == 2 && lk_ref_eq(f->list.v[0].chain.v[1].to, t));
    assert_non_null(strstr(f->list.v[0].summary, "4712"));
    assert_null(strstr(f->list.v[0].remedy, "timeout")); /* which would leave the pipe full */
    mk_free(s, f);
}

/* A victim has no remedy of its own: what it waits for is to be mended. */
static void child_that_is_deadlocked(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref child = lk_snapshot_extern(s, LK_EXT_CHILD, "child 4712", LK_UNKNOWN);
    struct lk_ref t = mk_thread(s, "Thread-1", "_try_wait@" STDLIB "subprocess.py:1955",
                                "view@/srv/app.py:4", FLASK_REQUEST, NULL);
    mk_wait(s, t, LK_WAIT_CHILD, child);
    lk_vec_add(&s->cross_waits, ((struct lk_cross_wait){ .thread = t.index,
                                                         .pid = 4712,
                                                         .what = "child process 4712",
                                                         .via = child,
                                                         .verdict = LK_HEALTHY }));
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_non_null(strstr(f->list.v[0].remedy, "timeout"));
    lk_findings_destroy(f);
    s->cross_waits.v[0].verdict = LK_DEADLOCK;
    s->cross_waits.v[0].finding = "2 threads each hold a lock";
    f = mk_expect_one(s, LK_STALLED, "LK406");
    assert_non_null(strstr(f->list.v[0].remedy, "child process 4712, for which this waits, is "
                                                "itself deadlocked"));
    assert_null(strstr(f->list.v[0].remedy, "timeout"));
    mk_free(s, f);
}

/* A ring of file locks alone. */
static void ring_of_locks(void **state)
{
    (void)state;
    struct lk_ref t;
    struct lk_snapshot *s = parent(&t, true);
    s->cross_waits.v[0].by_locks = true;
    mk_expect(s, LK_DEADLOCK, "LK103");
}

/* What waits for the ring inside the process is explained by it. */
static void joined_by_another(void **state)
{
    (void)state;
    struct lk_ref t;
    struct lk_snapshot *s = parent(&t, true);
    struct lk_ref other =
        mk_thread(s, "Thread-1", "join@" STDLIB "threading.py:1112", "stop@/srv/app.py:9", NULL);
    mk_wait(s, other, LK_WAIT_JOIN, t);
    mk_expect(s, LK_DEADLOCK, "LK108");
}

/* One of the processes moved while the others were read. */
static void not_verified(void **state)
{
    (void)state;
    struct lk_ref t;
    struct lk_snapshot *s = parent(&t, true);
    s->cross_waits.v[0].verified = false;
    mk_expect(s, LK_STALLED, "LK108");
}

static void child_that_can_act(void **state)
{
    (void)state;
    struct lk_ref t;
    struct lk_snapshot *s = parent(&t, false);
    mk_expect(s, LK_HEALTHY, NULL);
}

/* The child of a parent that waits for its end instead of reading its pipe, and could read it. */
static struct lk_snapshot *writer(struct lk_ref *thread)
{
    struct lk_snapshot *s = mk();
    struct lk_ref pipe = lk_snapshot_extern(s, LK_EXT_OUTSIDE, "pipe:[1]", LK_UNKNOWN);
    *thread = mk_thread(s, "MainThread", "report@/srv/child.py:7", NULL);
    mk_wait(s, *thread, LK_WAIT_IO, pipe);
    lk_vec_add(&s->cross_waits,
               ((struct lk_cross_wait){
                   .thread = thread->index,
                   .pid = 4700,
                   .what = "process 4700, which reads from pipe:[1]",
                   .via = pipe,
                   .awaits = "its thread MainThread [4700] waits for this process to end",
                   .verdict = LK_HEALTHY,
                   .verified = true }));
    return s;
}

static void unread_writer(void **state)
{
    (void)state;
    struct lk_ref t;
    struct lk_snapshot *s = writer(&t);
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK108");
    assert_int_equal(f->list.v[0].confidence, LK_PROBABLE);
    assert_non_null(strstr(f->list.v[0].summary, "instead of reading it"));
    mk_free(s, f);
    s = writer(&t);
    mk_stuck(s, t, 200); /* not yet */
    mk_expect(s, LK_HEALTHY, NULL);
    s = writer(&t); /* somebody else has the other end, too */
    struct lk_cross_wait other = s->cross_waits.v[0];
    other.pid = 4800;
    other.awaits = NULL;
    lk_vec_add(&s->cross_waits, other);
    mk_expect(s, LK_HEALTHY, NULL);
}

static void thread_that_moves(void **state)
{
    (void)state;
    struct lk_ref t;
    struct lk_snapshot *s = parent(&t, false);
    mk_moved(s, t);
    mk_expect(s, LK_HEALTHY, NULL);
}

/* A request that waits for a child which is itself deadlocked: held up from outside, and where to
 * look is said. */
static void child_in_a_deadlock(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref child = lk_snapshot_extern(s, LK_EXT_CHILD, "child 4712", LK_UNKNOWN);
    struct lk_ref t = mk_thread(s, "Thread-1", "_try_wait@" STDLIB "subprocess.py:1955",
                                "convert@/srv/app.py:4", FLASK_REQUEST, NULL);
    mk_wait(s, t, LK_WAIT_CHILD, child);
    lk_vec_add(&s->cross_waits, ((struct lk_cross_wait){ .thread = t.index,
                                                         .pid = 4712,
                                                         .what = "child process 4712",
                                                         .via = child,
                                                         .verdict = LK_DEADLOCK,
                                                         .finding = "LK101 loop-waits-on-itself: x",
                                                         .verified = true }));
    struct lk_findings *f = mk_expect_one(s, LK_STALLED, "LK406");
    bool said = false;
    for (size_t i = 0; i < f->list.v[0].evidence.n; i++)
        said |=
            strstr(f->list.v[0].evidence.v[i], "child process 4712 is itself deadlocked") != NULL;
    assert_true(said);
    mk_free(s, f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring),
        cmocka_unit_test(child_that_is_deadlocked),
        cmocka_unit_test(ring_of_locks),
        cmocka_unit_test(joined_by_another),
        cmocka_unit_test(not_verified),
        cmocka_unit_test(child_that_can_act),
        cmocka_unit_test(unread_writer),
        cmocka_unit_test(thread_that_moves),
        cmocka_unit_test(child_in_a_deadlock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
