/*
 * What a forked child lost: locks held by, and pools served by, threads that exist only in its
 * parent (fork_truth.py). PYTHON names the interpreter; /usr/bin/python3 otherwise.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>
#include <cmocka.h>

#include "bound_fork.h"
#include "read/python/python.h"
#include "snapshot/builder.h"

static struct {
    pid_t parent, pid; /* pid: the forked child, which is looked at */
    json_t *truth;
    struct lk_process *target;
    struct lk_py *py;
    struct lk_snapshot *s;
} the;

static json_t *start(const char *python)
{
    int out[2];
    if (pipe(out) != 0)
        return NULL;
    the.parent = bound_fork();
    if (the.parent == 0) {
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        execl(python, python, "tests/read/python/fork_truth.py", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *f = fdopen(out[0], "r");
    json_t *truth = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL);
    fclose(f);
    return truth;
}

/* It has just told its truth: until it sleeps again, its own frame may change under the reader's
 * eyes. */
static bool comes_to_rest(struct lk_thread_list *list, struct lk_error *err)
{
    for (int tries = 0; tries < 500; tries++) {
        size_t asleep = 0;
        if (!lk_process_threads(the.target, list, true, err))
            return false;
        for (size_t i = 0; i < list->n; i++)
            asleep += list->v[i].state == 'S' && list->v[i].syscall_known;
        if (asleep == list->n)
            return true;
        lk_free(list->v);
        *list = (struct lk_thread_list){ 0 };
        usleep(20000);
    }
    return false;
}

static int set_up(void **state)
{
    const char *python = getenv("PYTHON");
    struct lk_error err = { 0 };
    struct lk_thread_list list = { 0 };
    (void)state;

    the.truth = start(python && access(python, X_OK) == 0 ? python : "/usr/bin/python3");
    the.pid = (pid_t)json_integer_value(json_object_get(the.truth, "pid"));
    the.target = the.pid > 0 ? lk_process_open_live(the.pid, &err) : NULL;
    the.py = the.target ? lk_py_open(the.target, &err) : NULL;
    if (!the.py || !lk_py_readable(the.py))
        return -1;
    the.s = lk_snapshot_create();
    if (!lk_process_identify(the.target, the.s, &err))
        return -1;
    if (!comes_to_rest(&list, &err))
        return -1;
    lk_process_begin_sample(the.target);
    for (size_t i = 0; i < list.n; i++) {
        struct lk_thread *t = lk_thread_at(the.s, lk_snapshot_thread(the.s, list.v[i].tid, NULL));
        t->read = LK_READ_ASLEEP;
        lk_process_call(the.target, &list.v[i], the.s->arena, &t->os);
    }
    lk_free(list.v);
    lk_py_read(the.py, the.s);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (the.pid > 0)
        kill(the.pid, SIGKILL);
    kill(the.parent, SIGKILL);
    waitpid(the.parent, NULL, 0);
    if (the.s)
        lk_snapshot_destroy(the.s);
    lk_py_close(the.py);
    if (the.target)
        lk_process_destroy(the.target);
    json_decref(the.truth);
    return 0;
}

static lk_addr address(const json_t *entry)
{
    return (lk_addr)json_integer_value(json_array_get(entry, 0));
}

static bool is_lost(const json_t *entry)
{
    return json_is_true(json_array_get(entry, 1));
}

static void locks_of_the_parents_threads_are_lost(void **state)
{
    const char *name;
    const json_t *e;
    (void)state;
    json_object_foreach(json_object_get(the.truth, "locks"), name, e)
    {
        const struct lk_lock *l =
            lk_lock_at(the.s, lk_snapshot_find(the.s, LK_KIND_LOCK, address(e)));
        print_message("lock %s\n", name);
        assert_non_null(l);
        assert_int_equal(l->locked, LK_YES);
        assert_int_equal(l->lost_in_fork, is_lost(e));
        assert_int_equal(l->owners.n, is_lost(e) ? 0 : 1);
        assert_int_equal(l->waiters.n, 1);
    }
}

static void pools_of_the_parents_threads_are_lost(void **state)
{
    const char *name;
    const json_t *e;
    (void)state;
    json_object_foreach(json_object_get(the.truth, "pools"), name, e)
    {
        const struct lk_executor *x =
            lk_executor_at(the.s, lk_snapshot_find(the.s, LK_KIND_EXECUTOR, address(e)));
        print_message("pool %s\n", name);
        assert_non_null(x);
        assert_int_equal(x->lost_in_fork, is_lost(e));
        assert_int_equal(x->workers.n, is_lost(e) ? 0 : 1);
        assert_int_equal(x->queued, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locks_of_the_parents_threads_are_lost),
        cmocka_unit_test(pools_of_the_parents_threads_are_lost),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
