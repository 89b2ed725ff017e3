/*
 * Every interpreter that is there has threads that keep a thing to themselves, and threads whose
 * thing somebody else can get at as well (references_target.py); then the same with a heap that
 * lies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <glob.h>
#include <jansson.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/linux/process_facts.h"
#include "read/python/interpreter/runtime.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/thread_states.h"
#include "read/python/reader/class_table.h"
#include "read/python/stdlib/references.h"

enum { LIES = 40, STEPS = 8, BUDGET = 4000 };

struct program {
    pid_t pid;
    int in; /* it ends when this is closed */
    json_t *truth;
};

static bool start(struct program *p, const char *python)
{
    int in[2], out[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    p->pid = fork();
    if (p->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execl(python, python, "tests/read/python/references_target.py", (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    p->in = in[1];
    FILE *f = fdopen(out[0], "r");
    p->truth = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL);
    fclose(f);
    return p->truth != NULL;
}

static void end(struct program *p)
{
    close(p->in);
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    json_decref(p->truth);
}

static struct lk_snapshot *read_threads(struct lk_py *py, struct lk_process *t)
{
    struct lk_snapshot *s = lk_snapshot_create();
    struct lk_thread_list list = { 0 };
    assert_true(lk_process_threads(t, &list, true, NULL));
    for (size_t i = 0; i < list.n; i++)
        lk_snapshot_thread(s, list.v[i].tid, NULL);
    lk_free(list.v);
    lk_py_begin(py, s);
    lk_py_read_threads(py);
    return s;
}

/* Whether the thread of that name is all that keeps the thing. */
static bool is_kept(struct lk_py *py, const char *thread, lk_addr thing)
{
    unsigned budget = BUDGET;
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        uint64_t party = 0;
        if (!frames || strcmp(py->s->threads.v[i].name, thread) != 0)
            continue;
        lk_map_get(&py->thread_objects, i, &party);
        const struct lk_referrer by = { frames, party };
        struct lk_references *r = lk_references_find(py, &by, 1, STEPS, &budget);
        bool kept = lk_references_keep(py, r, thing, NULL, NULL);
        lk_references_free(r);
        return kept;
    }
    fail_msg("no thread %s", thread);
    return false;
}

static unsigned check(struct program *p, const char *label)
{
    struct lk_error err = { 0 };
    struct lk_process *t = lk_process_open_live(p->pid, &err);
    struct lk_py *py = t ? lk_py_open(t, &err) : NULL;
    json_t *things = json_object_get(p->truth, "things");
    unsigned wrong = 0;
    assert_non_null(py);
    lk_process_begin_sample(t);
    struct lk_snapshot *s = read_threads(py, t);
    assert_true(json_array_size(things) > 12);
    for (size_t i = 0; i < json_array_size(things); i++) {
        json_t *row = json_array_get(things, i);
        const char *name = json_string_value(json_array_get(row, 0));
        lk_addr thing = (lk_addr)json_integer_value(json_array_get(row, 1));
        bool kept = is_kept(py, name, thing);
        if (kept ? strncmp(name, "other", 5) != 0 : strncmp(name, "kept", 4) != 0)
            continue;
        print_error("%s: %s is %s\n", label, name, kept ? "kept" : "not kept");
        wrong++;
    }
    lk_snapshot_destroy(s);
    lk_py_close(py);
    lk_process_destroy(t);
    return wrong;
}

static void every_python_agrees(void **state)
{
    (void)state;
    unsigned n = 0, wrong = 0;
    static const char *const patterns[] = { "/usr/bin/python3",
                                            "~/.pyenv/versions/3.*/bin/python3" };
    for (size_t i = 0; i < LK_ARRAY_LEN(patterns); i++) {
        glob_t g;
        if (glob(patterns[i], GLOB_TILDE, NULL, &g) != 0)
            continue;
        for (size_t k = 0; k < g.gl_pathc; k++) {
            struct program p = { 0 };
            int minor = 8;
            const char *version = strstr(g.gl_pathv[k], "/3.");
            if (version)
                minor = atoi(version + 3);
            if (!lk_layout_find(LK_PYVER(3, minor)))
                continue;
            if (!start(&p, g.gl_pathv[k]))
                fail_msg("%s did not start", g.gl_pathv[k]);
            if (getenv("VERBOSE"))
                print_message("%s\n", g.gl_pathv[k]);
            wrong += check(&p, g.gl_pathv[k]);
            n++;
            end(&p);
        }
        globfree(&g);
    }
    print_message("%u interpreters\n", n);
    assert_true(n > 0);
    assert_int_equal(wrong, 0);
}

/* ---- lies ----------------------------------------------------------------------------------- */

static uint64_t seed = 88172645463325252u;
static pid_t liar;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static size_t lying_read(void *impl, lk_addr addr, void *buf, size_t n)
{
    struct iovec local = { buf, n }, remote = { (void *)(uintptr_t)addr, n };
    (void)impl;
    ssize_t got = process_vm_readv(liar, &local, 1, &remote, 1, 0);
    uint64_t *words = buf;
    for (ssize_t i = 0; i < got / 8; i++)
        if (rnd() % 300 == 0)
            words[i] = rnd() % 2 ? rnd() : words[rnd() % (uint64_t)(got / 8)];
    return got > 0 ? (size_t)got : 0;
}

static void a_lying_heap_is_survived(void **state)
{
    static const struct lk_process_ops ops = { .read = lying_read };
    struct lk_error err = { 0 };
    struct program p = { 0 };
    (void)state;
    assert_true(start(&p, "/usr/bin/python3"));
    liar = p.pid;
    struct lk_process *honest = lk_process_open_live(p.pid, &err);
    struct lk_py *py = lk_py_open(honest, &err);
    json_t *things = json_object_get(p.truth, "things");
    assert_non_null(py);
    for (unsigned i = 0; i < LIES; i++) {
        struct lk_process *bad = lk_process_create(&ops, NULL);
        uint64_t began = lk_now_ms();
        lk_process_begin_sample(honest);
        struct lk_snapshot *s = read_threads(py, honest);
        py->t = bad;
        for (size_t k = 0; k < json_array_size(things); k++)
            is_kept(py, json_string_value(json_array_get(json_array_get(things, k), 0)),
                    (lk_addr)json_integer_value(json_array_get(json_array_get(things, k), 1)));
        py->t = honest;
        lk_snapshot_destroy(s);
        lk_process_destroy(bad);
        assert_true(lk_now_ms() - began < 20000);
    }
    lk_py_close(py);
    lk_process_destroy(honest);
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_python_agrees),
        cmocka_unit_test(a_lying_heap_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
