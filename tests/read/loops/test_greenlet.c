/*
 * Suspended greenlets of a live process, read from outside and compared with what it says of them
 * itself (greenlet_truth.py), and the same heap when it lies. PYTHON names the interpreter;
 * /usr/bin/python3 otherwise. Skipped where that has no greenlet.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>
#include <cmocka.h>

#include "../python/lying_target.h"
#include "bound_fork.h"
#include "read/loops/greenlet/greenlet.h"
#include "read/loops/greenlet/tasks.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/reader/reader.h"

enum {
    SEEDS = 200,
    LIMIT_MS = 20000, /* of one sample, also under sanitizers on a busy machine */
};

static struct {
    pid_t pid;
    FILE *to, *from;
    struct lk_process *target;
    struct lk_py *py;
    json_t *truth;
    lk_addr *addrs; /* of all greenlets, by the truth */
    size_t n;
} the;

/* ---- the target -------------------------------------------------------------------------- */

static void start(const char *how)
{
    const char *python = getenv("PYTHON");
    int in[2], out[2];
    if (!python || access(python, X_OK) != 0)
        python = "/usr/bin/python3";
    if (pipe(in) != 0 || pipe(out) != 0)
        return;
    the.pid = bound_fork();
    if (the.pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[1]);
        close(out[0]);
        execl(python, python, "-u", "tests/read/loops/greenlet_truth.py", how, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    the.to = fdopen(in[1], "w");
    the.from = fdopen(out[0], "r");
}

/* how: as greenlet_truth.py has it; NULL greenlets in every state. */
static int set_up_with(const char *how)
{
    struct lk_error err = { 0 };
    char line[64];

    memset(&the, 0, sizeof the);
    start(how);
    if (!fgets(line, sizeof line, the.from))
        return 0; /* no greenlet there */
    the.target = lk_process_open_live(the.pid, &err);
    the.py = the.target ? lk_py_open(the.target, &err) : NULL;
    return the.py && lk_py_readable(the.py) ? 0 : -1;
}

static int set_up(void **state)
{
    (void)state;
    return set_up_with(NULL);
}

static int tear_down(void **state)
{
    (void)state;
    if (the.py)
        lk_py_close(the.py);
    if (the.target)
        lk_process_destroy(the.target);
    json_decref(the.truth);
    free(the.addrs);
    kill(the.pid, SIGKILL);
    waitpid(the.pid, NULL, 0);
    fclose(the.to);
    fclose(the.from);
    return 0;
}

static bool all_asleep(const struct lk_thread_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (!list->v[i].syscall_known)
            return false;
    return true;
}

/* Once all of them sleep: on a busy machine they are still on their way when they have said that
 * they are ready, and where a stack is that runs nobody knows. */
static struct lk_snapshot *threads_of(struct lk_process *t)
{
    enum { TRIES = 500, PAUSE_US = 10000 };
    struct lk_snapshot *s = lk_snapshot_create();
    struct lk_thread_list list = { 0 };
    for (int i = 0; i < TRIES; i++) {
        list.n = 0;
        assert_true(lk_process_threads(t, &list, true, NULL));
        if (all_asleep(&list))
            break;
        usleep(PAUSE_US);
    }
    for (size_t i = 0; i < list.n; i++) {
        struct lk_thread *k = lk_thread_at(s, lk_snapshot_thread(s, list.v[i].tid, NULL));
        k->sp = list.v[i].syscall_known ? list.v[i].sp : 0;
        k->main = list.v[i].tid == the.pid;
    }
    lk_free(list.v);
    return s;
}

static struct lk_snapshot *read_sample(void)
{
    lk_process_begin_sample(the.target);
    struct lk_snapshot *s = threads_of(the.target);
    lk_py_read(the.py, s);
    lk_py_search_heap(the.py, s, false);
    return s;
}

/* After the reading, since to ask changes what is asked for. */
static void ask_for_truth(void)
{
    char *line = NULL;
    size_t cap = 0;
    fputs("\n", the.to);
    fflush(the.to);
    assert_true(getline(&line, &cap, the.from) > 0);
    the.truth = json_loads(line, 0, NULL);
    free(line);
    assert_non_null(the.truth);
    the.n = json_array_size(the.truth);
    the.addrs = calloc(the.n, sizeof *the.addrs);
    for (size_t i = 0; i < the.n; i++)
        the.addrs[i] =
            (lk_addr)json_integer_value(json_object_get(json_array_get(the.truth, i), "addr"));
}

/* ---- the truth --------------------------------------------------------------------------- */

static bool says(const struct lk_snapshot *s, const char *text)
{
    bool found = false;
    for (size_t i = 0; i < s->limits.n; i++)
        found |= strstr(s->limits.v[i].text, text) != NULL;
    return found;
}

static void check_stack(const json_t *entry, const struct lk_pystack *st)
{
    const json_t *frames = json_object_get(entry, "stack");
    assert_int_equal(st->n, json_array_size(frames));
    assert_false(st->truncated);
    for (size_t i = 0; i < st->n; i++) {
        const json_t *f = json_array_get(frames, i);
        assert_string_equal(st->frames[i].code->function, json_string_value(json_array_get(f, 0)));
        assert_int_equal(st->frames[i].line, json_integer_value(json_array_get(f, 1)));
    }
}

static void check_task(const struct lk_snapshot *s, const json_t *entry)
{
    const struct lk_task *k = lk_task_at(
        s, lk_snapshot_find(s, LK_KIND_TASK,
                            (uint64_t)json_integer_value(json_object_get(entry, "addr"))));
    const struct lk_thread *t = k ? lk_thread_at(s, k->thread) : NULL;
    assert_non_null(k);
    assert_int_equal(k->kind, LK_TASK_GREENLET);
    assert_int_equal(k->state, LK_TASK_PENDING);
    assert_int_equal(k->loop.kind, LK_KIND_NONE);
    assert_true(lk_starts_with(k->name, json_string_value(json_object_get(entry, "class"))));
    assert_int_equal(k->wait.kind, LK_WAIT_NONE); /* for whoever switches to it */
    assert_non_null(t);
    assert_int_equal(t->tid, json_integer_value(json_object_get(entry, "tid")));
    check_stack(entry, k->stack);
}

static void suspended_greenlets_are_tasks(void **state)
{
    size_t suspended = 0;
    (void)state;
    if (!the.py)
        skip();
    struct lk_snapshot *s = read_sample();
    ask_for_truth();
    for (size_t i = 0; i < the.n; i++) {
        const json_t *entry = json_array_get(the.truth, i);
        if (!json_is_true(json_object_get(entry, "suspended")))
            continue;
        check_task(s, entry);
        suspended++;
    }
    assert_true(suspended > 30);
    assert_int_equal(s->tasks.n, suspended); /* none that runs, has not started, or is over */
    assert_false(says(s, "suspended greenlets"));
    assert_false(s->decisive_unreadable); /* no hub switches them */
    assert_true(s->tasks_complete);
    lk_snapshot_destroy(s);
}

/* ---- a heap that lies ---------------------------------------------------------------------- */

static struct lk_snapshot *read_lies(const struct lk_process_ops *ops)
{
    struct lk_process *bad = lk_process_create(ops, NULL);
    struct lk_snapshot *s = threads_of(the.target);
    uint64_t began = lk_now_ms();
    lk_process_begin_sample(the.target);
    lk_py_read(the.py, s); /* honest, so that what is to be tested is reached */
    the.py->t = bad;
    lk_greenlet_read_tasks(the.py, the.addrs, the.n, true);
    lk_reader_end(the.py);
    the.py->t = the.target;
    lk_process_destroy(bad);
    assert_true(lk_now_ms() - began <= LIMIT_MS);
    return s;
}

static void lying_greenlets_are_survived(void **state)
{
    static const struct lk_process_ops ops = { .read = lying_read };
    static const unsigned rates[] = { 10, 50, 200, 1000, 10000 };
    (void)state;
    if (!the.py)
        skip();
    liar.pid = the.pid;
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        liar.salt = seed;
        liar.one_in = rates[seed % LK_ARRAY_LEN(rates)];
        struct lk_snapshot *s = read_lies(&ops);
        assert_true(s->tasks.n <= the.n);
        lk_snapshot_destroy(s);
    }
}

/* Nothing tells a main greenlet any more: no field can be found. */
static size_t read_without_mains(void *impl, lk_addr addr, void *buf, size_t n)
{
    liar.one_in = UINT32_MAX;
    size_t got = lying_read(impl, addr, buf, n);
    for (size_t i = 0; i < got / 8; i++)
        if (lk_word_at(buf, i * 8) == UINT64_MAX)
            memset((char *)buf + i * 8, 0, 8);
    return got;
}

static void unknown_layouts_are_said(void **state)
{
    static const struct lk_process_ops ops = { .read = read_without_mains };
    (void)state;
    if (!the.py)
        skip();
    liar.pid = the.pid;
    struct lk_snapshot *s = read_lies(&ops);
    assert_int_equal(s->tasks.n, 0);
    assert_true(says(s, "suspended greenlets (gevent, eventlet and the like) are not read"));
    assert_false(s->decisive_unreadable);
    lk_snapshot_destroy(s);
}

/* ---- a library with a hub -------------------------------------------------------------------- */

static void expect_nothing_decides(const char *how)
{
    assert_int_equal(set_up_with(how), 0);
    if (the.py) {
        struct lk_snapshot *s = read_sample();
        assert_false(s->decisive_unreadable);
        lk_snapshot_destroy(s);
    }
    tear_down(NULL);
}

/* Its modules are there, and no hub is: whoever switches greenlets is somebody else. */
static void modules_alone_are_no_hub(void **state)
{
    (void)state;
    expect_nothing_decides("switched");
    expect_nothing_decides("patched");
    expect_nothing_decides("imported");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suspended_greenlets_are_tasks),
        cmocka_unit_test(lying_greenlets_are_survived),
        cmocka_unit_test(unknown_layouts_are_said),
    };
    static const struct CMUnitTest with_hub[] = { cmocka_unit_test(modules_alone_are_no_hub) };
    return cmocka_run_group_tests(tests, set_up, tear_down) +
           cmocka_run_group_tests(with_hub, NULL, NULL);
}
