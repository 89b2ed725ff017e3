/*
 * The readers of loops, tasks, futures and locks over a heap that lies: a live target's pages with
 * random words changed. They must end, within a bound of time and memory, whatever they read. What
 * they say of such a heap does not matter here.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lying_target.h"
#include "read/python/interpreter/interpreter.h"

enum {
    LIMIT_MS = 20000, /* of one sample, also under sanitizers on a busy machine */
};

/* A program that is read, and how often. */
struct victim {
    const char *program;
    unsigned seeds;
};

/* *state: which. */
static int set_up(void **state)
{
    static const char *const python = "/usr/bin/python3";
    const char *program = ((const struct victim *)*state)->program;
    int out[2];
    char line[16];

    if (pipe(out) != 0)
        return -1;
    liar.pid = fork();
    if (liar.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(out[1], STDOUT_FILENO);
        execl(python, python, program, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    ssize_t n = read(out[0], line, sizeof line);
    close(out[0]);
    return n > 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    kill(liar.pid, SIGKILL);
    waitpid(liar.pid, NULL, 0);
    return 0;
}

static struct lk_snapshot *threads_of(struct lk_process *t)
{
    struct lk_snapshot *s = lk_snapshot_create();
    struct lk_thread_list list = { 0 };
    assert_true(lk_process_threads(t, &list, true, NULL));
    for (size_t i = 0; i < list.n; i++) {
        struct lk_thread *k = lk_thread_at(s, lk_snapshot_thread(s, list.v[i].tid, NULL));
        lk_process_call(t, &list.v[i], s->arena, &k->os);
    }
    lk_free(list.v);
    return s;
}

/* How many limits of the garbage collector's lists say at which address the walk ended. */
static size_t told(const struct lk_snapshot *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->limits.n; i++) {
        const struct lk_limit *l = &s->limits.v[i];
        assert_true(l->read.size == 0 || l->read.reading != NULL);
        n += lk_starts_with(l->text, "the heap could not be walked") && l->read.size > 0;
    }
    return n;
}

static void a_lying_heap_is_survived(void **state)
{
    static const struct lk_process_ops ops = { .read = lying_read };
    static const unsigned rates[] = { 200, 600, 2000, 10000 };
    const struct victim *victim = *state;
    struct lk_error err = { 0 };
    struct lk_process *honest = lk_process_open_live(liar.pid, &err);
    assert_non_null(honest);
    struct lk_py *py = lk_py_open(honest, &err);
    assert_non_null(py);
    assert_true(lk_py_readable(py));
    size_t with_address = 0;
    for (unsigned seed = 0; seed < victim->seeds; seed++) {
        struct lk_process *bad = lk_process_create(&ops, NULL);
        liar.salt = seed;
        liar.one_in = rates[seed % LK_ARRAY_LEN(rates)];
        struct lk_snapshot *s = threads_of(honest);
        uint64_t began = lk_now_ms();
        py->t = bad;
        lk_py_read(py, s);
        lk_py_read_at_hand(py, s);
        lk_py_search_heap(py, s, true);
        py->t = honest;
        uint64_t took = lk_now_ms() - began;
        with_address += told(s);
        lk_snapshot_destroy(s);
        lk_process_destroy(bad);
        if (took > LIMIT_MS)
            print_message("seed %u took %llu ms\n", seed, (unsigned long long)took);
        assert_true(took <= LIMIT_MS);
    }
    assert_true(with_address > 0);
    lk_py_close(py);
    lk_process_destroy(honest);
}

int main(void)
{
    struct victim asyncio = { "tests/read/python/aio_truth.py", 120 },
                  trio = { "tests/read/loops/trio_target.py", 60 };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate_setup_teardown(a_lying_heap_is_survived, set_up, tear_down,
                                                 &asyncio),
        cmocka_unit_test_prestate_setup_teardown(a_lying_heap_is_survived, set_up, tear_down,
                                                 &trio),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
