/* Thread ids of an inner pid namespace: the line NSpid, and a real process in one (needs root;
 * skipped without). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "child.h"
#include "process/live/pid_namespace.h"

static void nspid_is_parsed(void **state)
{
    static const struct {
        const char *text;
        int levels;
        int64_t inner;
    } rows[] = {
        { "Name:\ta\nNSpid:\t4711\nKthread:\t0\n", 1, 4711 },
        { "Name:\ta\nNSpid:\t4711\t12\n", 2, 12 },
        { "Name:\ta\nNSpid:\t4711\t12\t1", 3, 1 },
        { "Name:\tNSpid:\t1\nNStgid:\t5\n", 0, 0 }, /* a name that looks like it */
        { "Name:\ta\nNSpid:\t\n", 0, 0 },
        { "Name:\ta\nNSpid:\t-3\n", 0, 0 },
        { "Name:\ta\nNSpid:\tx\n", 0, 0 },
        { "", 0, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t inner = 0;
        int levels;
        assert_int_equal(lk_pid_ns_parse(rows[i].text, &inner, &levels), rows[i].levels > 0);
        assert_int_equal(levels, rows[i].levels);
        assert_int_equal(inner, rows[i].inner);
    }
}

static void *wait_for_ever(void *arg)
{
    struct child *c = arg;
    atomic_store(&c->tid[1], own_tid());
    atomic_fetch_add(&c->ready, 1);
    for (;;)
        pause();
    return NULL;
}

static void run_two_threads(struct child *c)
{
    pthread_t t;
    atomic_store(&c->tid[0], own_tid());
    pthread_create(&t, NULL, wait_for_ever, c);
    atomic_fetch_add(&c->ready, 1);
    for (;;)
        pause();
}

/* The first process of a new namespace is the one forked after unshare; this one only waits for it.
 */
static void run_nested(struct child *c)
{
    if (unshare(CLONE_NEWPID) != 0) {
        atomic_store(&c->bad, 1);
        atomic_store(&c->ready, 2);
        for (;;)
            pause();
    }
    pid_t inner = fork();
    if (inner == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run_two_threads(c);
    }
    atomic_store(&c->flag, inner);
    for (;;)
        pause();
}

static void ids_of_one_namespace_are_the_same(void **state)
{
    struct child *c = child_page();
    pid_t pid = child_start(run_two_threads, c);
    struct lk_error err;
    (void)state;
    assert_true(wait_until(atomic_load(&c->ready) == 2));
    struct lk_process *t = lk_process_open_live(pid, &err);
    assert_non_null(t);
    lk_process_begin_sample(t);
    assert_int_equal(lk_process_tid(t, pid), pid);
    assert_int_equal(lk_process_tid(t, 1), 1); /* whoever asks finds no such thread in the list */
    lk_process_destroy(t);
    child_end(pid);
    munmap(c, sizeof *c);
}

static void inner_ids_lead_to_outer_ones(void **state)
{
    struct child *c = child_page();
    pid_t pid = child_start(run_nested, c);
    struct lk_error err;
    (void)state;
    assert_true(wait_until(atomic_load(&c->ready) == 2));
    if (atomic_load(&c->bad)) {
        child_end(pid);
        munmap(c, sizeof *c);
        skip();
    }
    assert_true(wait_until(atomic_load(&c->flag) > 0));
    const pid_t outer = (pid_t)atomic_load(&c->flag);
    struct lk_process *t = lk_process_open_live(outer, &err);
    assert_non_null(t);
    struct lk_thread_list list = { 0 };
    for (int sample = 0; sample < 2; sample++) {
        lk_process_begin_sample(t);
        list.n = 0;
        assert_true(lk_process_threads(t, &list, true, &err));
        assert_int_equal(list.n, 2);
        assert_int_equal(atomic_load(&c->tid[0]), 1); /* gettid() in there */
        assert_int_equal(lk_process_tid(t, 1), outer);
        const int64_t second = lk_process_tid(t, atomic_load(&c->tid[1]));
        assert_true(second != outer && (second == list.v[0].tid || second == list.v[1].tid));
        assert_int_equal(lk_process_tid(t, outer + 100000), -1);
    }
    lk_free(list.v);
    lk_process_destroy(t);
    kill(outer, SIGKILL);
    child_end(pid);
    munmap(c, sizeof *c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nspid_is_parsed),
        cmocka_unit_test(ids_of_one_namespace_are_the_same),
        cmocka_unit_test(inner_ids_lead_to_outer_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
