/* Random snapshots through all rules: no crash (under ASan and UBSan), and no verdict beyond what
 * the graph allows. */
#include "../graph/random.h"
#include "make.h"

#include <stdlib.h>
#include <string.h>

/* What must hold of every finding, whatever was read. */
static void check_finding(const struct lk_snapshot *s, const struct lk_finding *f)
{
    assert_non_null(f->rule);
    assert_non_null(f->summary);
    assert_non_null(f->remedy);
    assert_non_null(f->safe_now);
    assert_int_equal(strlen(f->fingerprint), 16);
    assert_true(f->severity >= LK_HAZARD && f->severity <= LK_DEADLOCK &&
                f->severity != LK_VERDICT_UNKNOWN);
    assert_true(f->severity <= f->rule->ceiling || f->nothing_left);
    if (f->severity == LK_DEADLOCK)
        assert_int_equal(f->confidence, LK_PROVEN);
    if (f->severity == LK_STALLED)
        assert_true(f->confidence >= LK_PROBABLE);
    assert_true(f->held_requests >= 0 && f->held_requests <= (int64_t)(s->threads.n + s->tasks.n));
    assert_true(f->held_tasks >= 0 && f->held_tasks <= (int64_t)s->tasks.n + 100);
    for (size_t i = 0; i < f->chain.n; i++) {
        assert_non_null(lk_ref_id(s, f->chain.v[i].from));
        assert_non_null(lk_ref_id(s, f->chain.v[i].to));
        assert_non_null(f->chain.v[i].why);
    }
}

/* A deadlock's chain: every party is dead with all timeouts counted, every edge was read well and
 * twice. */
static void check_deadlock(const struct lk_graph *g, const struct lk_finding *f)
{
    if (f->severity != LK_DEADLOCK || f->nothing_left)
        return;
    assert_true(f->chain.n > 0);
    for (size_t i = 0; i < f->chain.n; i++) {
        assert_int_equal(lk_graph_node(g, f->chain.v[i].from)->life, LK_LIFE_DEAD);
        assert_true(f->chain.v[i].read >= LK_READ_ASLEEP);
        assert_true(f->chain.v[i].stable);
        assert_false(f->chain.v[i].inferred);
    }
}

/* Threads that run, or that moved and are not long stuck, are never accused of a deadlock. */
static void check_threads(const struct lk_snapshot *s, const struct lk_finding *f)
{
    for (size_t i = 0; f->severity == LK_DEADLOCK && i < f->threads.n; i++) {
        const struct lk_thread *t = lk_thread_at(s, f->threads.v[i]);
        assert_false(t->running);
        assert_true(!t->moved || t->stuck_ms >= s->stalled_after_ms);
    }
}

static void random_snapshots(void **state)
{
    (void)state;
    const char *runs = getenv("FUZZ_RUNS");
    uint64_t n = runs ? strtoull(runs, NULL, 10) : 20000;
    unsigned verdicts[LK_DEADLOCK + 1] = { 0 };
    for (uint64_t seed = 1; seed <= n; seed++) {
        struct lk_snapshot *s = random_snapshot(seed * 7919, 1 + seed % 12, seed % 2);
        lk_classify(s, seed % 5 ? NULL : "/srv");
        struct lk_graph *g = lk_graph_build(s);
        struct lk_findings *f = lk_diagnose(s);
        enum lk_verdict worst = LK_HEALTHY;
        for (size_t i = 0; i < f->list.n; i++) {
            check_finding(s, &f->list.v[i]);
            check_deadlock(g, &f->list.v[i]);
            check_threads(s, &f->list.v[i]);
            worst = LK_MAX(worst, f->list.v[i].severity);
            if (i)
                assert_true(f->list.v[i - 1].severity >= f->list.v[i].severity);
        }
        assert_true(f->verdict == worst || (f->verdict == LK_VERDICT_UNKNOWN &&
                                            worst < LK_VERDICT_UNKNOWN && f->verdict_why));
        verdicts[f->verdict]++;
        lk_findings_destroy(f);
        lk_graph_destroy(g);
        lk_snapshot_destroy(s);
    }
    print_message("healthy %u, hazard %u, unknown %u, stalled %u, deadlock %u\n", verdicts[0],
                  verdicts[1], verdicts[2], verdicts[3], verdicts[4]);
    for (size_t i = 0; i < LK_ARRAY_LEN(verdicts); i++)
        assert_true(verdicts[i] > 0);
}

/* 2,000 requests behind one lock whose holder is in a cycle; 100,000 tasks behind a blocked loop.
 */
static void large_snapshots_stay_cheap(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "bg-loop", RESULT, "async outer@/srv/app.py:10",
                                ASYNCIO_RUN_FOREVER, NULL),
                  o = mk_loop(s, t);
    mk_wait(s, t, LK_WAIT_FUTURE, mk_future(s, mk_ready_task(s, o, "inner")));
    struct lk_pystack *st = mk_stack(s, "async other@/srv/app.py:44", NULL);
    for (int i = 0; i < 100000; i++) {
        struct lk_ref k = mk_task(s, o, "other", NULL);
        TASK(k)->stack = st;
        mk_wait(s, k, LK_WAIT_SLEEP, NONE);
    }
    struct lk_ref lock = mk_lock(s, "threading.Lock", t);
    struct lk_pystack *request = mk_stack(s, "view@/srv/app.py:3", FLASK_REQUEST, NULL);
    for (int i = 0; i < 2000; i++) {
        struct lk_ref r = mk_thread(s, "Thread", NULL);
        THREAD(r)->python_stack = request;
        mk_wait(s, r, LK_WAIT_LOCK, lock);
    }
    lk_classify(s, NULL);
    uint64_t start = lk_now_ms();
    struct lk_findings *f = lk_diagnose(s);
    uint64_t ms = lk_now_ms() - start;
    print_message("diagnosis of 2,001 threads and 100,001 tasks: %llu ms\n",
                  (unsigned long long)ms);
    assert_int_equal(f->list.n, 1);
    assert_int_equal(f->list.v[0].held_requests, 2000);
    assert_int_equal(f->list.v[0].held_tasks, 100001);
    assert_true(ms < 3000);
    mk_free(s, f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_snapshots),
        cmocka_unit_test(large_snapshots_stay_cheap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
