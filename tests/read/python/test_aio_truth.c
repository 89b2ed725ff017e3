/*
 * Loops, tasks, futures, locks and executors of a live CPython, read from outside and compared with
 * what the target says of itself (aio_truth.py). PYTHON names the interpreter; /usr/bin/python3
 * otherwise.
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

#include "bound_fork.h"
#include "read/python/python.h"
#include "snapshot/builder.h"

enum { TRUTH_MAX = 1 << 20 };

static struct {
    pid_t pid;
    json_t *truth;
    struct lk_process *target;
    struct lk_py *py;
    struct lk_snapshot *s;
    unsigned wrong;
} the;

static const char *const wait_names[] = {
    "NONE",      "UNKNOWN",       "LOCK",       "CONDITION", "EVENT", "SEMAPHORE", "BARRIER",
    "QUEUE_GET", "QUEUE_PUT",     "QUEUE_JOIN", "FUTURE",    "JOIN",  "GIL",       "IMPORT",
    "SELECTOR",  "EXECUTOR_IDLE", "IO",         "SLEEP",     "CHILD", "SIGNAL",    "READY",
};
static const char *const run_names[] = {
    "running", "stopped", "never", "closed", "lost", "unknown"
};
static const char *const owner_names[] = { "none", "field", "value-stack", "free" };
static const char *const future_names[] = { "pending", "running", "done", "cancelled", "unknown" };

/* ---- the target -------------------------------------------------------------------------- */

static bool is_program(const char *path)
{
    return path && access(path, X_OK) == 0;
}

static char *start(const char *python, const char *script, pid_t *pid)
{
    int out[2];
    char *line = NULL;
    size_t cap = 0;

    if (pipe(out) != 0)
        return NULL;
    *pid = bound_fork();
    if (*pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        execl(python, python, script, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *f = fdopen(out[0], "r");
    ssize_t n = getline(&line, &cap, f);
    fclose(f);
    return n > 0 && n < TRUTH_MAX ? line : NULL;
}

static void read_sample(void)
{
    struct lk_error err = { 0 };
    struct lk_thread_list list = { 0 };

    the.s = lk_snapshot_create();
    assert_true(lk_process_identify(the.target, the.s, &err));
    lk_py_describe(the.py, the.s);
    lk_process_begin_sample(the.target);
    assert_true(lk_process_threads(the.target, &list, true, &err));
    for (size_t i = 0; i < list.n; i++) {
        const struct lk_thread_facts *f = &list.v[i];
        struct lk_thread *t = lk_thread_at(the.s, lk_snapshot_thread(the.s, f->tid, NULL));
        t->main = f->tid == the.pid;
        t->kstate = f->state;
        t->running = f->running;
        t->read = f->running ? LK_READ_RACY : LK_READ_ASLEEP;
        lk_process_call(the.target, f, the.s->arena, &t->os);
    }
    lk_free(list.v);
    lk_py_read(the.py, the.s);
    lk_py_read_at_hand(the.py, the.s);
    lk_py_search_heap(the.py, the.s, true);
}

static int set_up(void **state)
{
    const char *python = getenv("PYTHON");
    struct lk_error err = { 0 };
    (void)state;

    char *line = start(is_program(python) ? python : "/usr/bin/python3",
                       "tests/read/python/aio_truth.py", &the.pid);
    the.truth = line ? json_loads(line, 0, NULL) : NULL;
    free(line);
    if (!the.truth)
        return -1;
    the.target = lk_process_open_live(the.pid, &err);
    the.py = the.target ? lk_py_open(the.target, &err) : NULL;
    if (!the.py || !lk_py_readable(the.py))
        return -1;
    read_sample();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (the.s)
        lk_snapshot_destroy(the.s);
    lk_py_close(the.py);
    lk_process_destroy(the.target);
    json_decref(the.truth);
    kill(the.pid, SIGKILL);
    waitpid(the.pid, NULL, 0);
    return 0;
}

/* ---- names of things --------------------------------------------------------------------- */

static lk_addr addr_of(struct lk_ref r)
{
    const struct lk_snapshot *s = the.s;
    switch (r.kind) {
    case LK_KIND_LOOP: return s->loops.v[r.index].addr;
    case LK_KIND_TASK: return s->tasks.v[r.index].addr;
    case LK_KIND_FUTURE: return s->futures.v[r.index].addr;
    case LK_KIND_LOCK: return s->locks.v[r.index].addr;
    case LK_KIND_EXECUTOR: return s->executors.v[r.index].addr;
    default: return 0;
    }
}

/* As the truth names it: "k<address>", "thread:<name>", "loop:<address>", ... */
static const char *name_of(struct lk_ref r, char *buf, size_t n)
{
    static const char *const prefix[] = { "",  "thread:", "loop:",     "k",
                                          "f", "l",       "executor:", "extern" };
    if (r.kind == LK_KIND_THREAD)
        snprintf(buf, n, "thread:%s", the.s->threads.v[r.index].name);
    else if (r.kind == LK_KIND_EXTERN)
        snprintf(buf, n, "extern");
    else
        snprintf(buf, n, "%s%llu", prefix[r.kind], (unsigned long long)addr_of(r));
    return buf;
}

static struct lk_thread *thread_named(const char *name)
{
    for (size_t i = 0; i < the.s->threads.n; i++)
        if (strcmp(the.s->threads.v[i].name, name) == 0)
            return &the.s->threads.v[i];
    return NULL;
}

static struct lk_ref at(enum lk_kind kind, const json_t *entry)
{
    return lk_snapshot_find(the.s, kind,
                            (uint64_t)json_integer_value(json_object_get(entry, "addr")));
}

/* ---- comparing --------------------------------------------------------------------------- */

static void wrong(const char *what, const char *where, const char *seen, const char *expected)
{
    the.wrong++;
    print_message("%s of %s: seen %s, expected %s\n", what, where, seen, expected);
}

static void check_text(const json_t *entry, const char *key, const char *where, const char *seen)
{
    const char *expected = json_string_value(json_object_get(entry, key));
    if (expected && (!seen || strcmp(expected, seen) != 0))
        wrong(key, where, seen ? seen : "nothing", expected);
}

static void check_flag(const json_t *entry, const char *key, const char *where, bool seen)
{
    const json_t *v = json_object_get(entry, key);
    if (v && json_is_true(v) != seen)
        wrong(key, where, seen ? "true" : "false", json_is_true(v) ? "true" : "false");
}

static void check_number(const json_t *entry, const char *key, const char *where, int64_t seen)
{
    char a[32], b[32];
    const json_t *v = json_object_get(entry, key);
    if (!v || json_integer_value(v) == seen)
        return;
    snprintf(a, sizeof a, "%lld", (long long)seen);
    snprintf(b, sizeof b, "%lld", (long long)json_integer_value(v));
    wrong(key, where, a, b);
}

static bool has(const struct lk_refs *list, const char *name)
{
    char buf[200];
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(name_of(list->v[i], buf, sizeof buf), name) == 0)
            return true;
    return false;
}

/* The same set of names, in any order. prefix: put before each expected name. */
static void check_refs(const json_t *entry, const char *key, const char *where,
                       const struct lk_refs *seen, const char *prefix)
{
    const json_t *list = json_object_get(entry, key);
    char name[200], buf[200];
    if (!list)
        return;
    if (json_array_size(list) != seen->n) {
        snprintf(name, sizeof name, "%zu", json_array_size(list));
        snprintf(buf, sizeof buf, "%u", seen->n);
        wrong(key, where, buf, name);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        snprintf(name, sizeof name, "%s%s", prefix, json_is_string(v) ? json_string_value(v) : "");
        if (!has(seen, name))
            wrong(key, where, seen->n ? name_of(seen->v[0], buf, sizeof buf) : "nothing", name);
    }
}

/* `on` of threads: addresses of any kind. */
static void check_on(const json_t *entry, const char *where, const struct lk_refs *seen)
{
    const json_t *list = json_object_get(entry, "on");
    for (size_t i = 0; i < json_array_size(list); i++) {
        bool found = false;
        for (size_t j = 0; j < seen->n; j++)
            found |= addr_of(seen->v[j]) == (lk_addr)json_integer_value(json_array_get(list, i));
        if (!found)
            wrong("on", where, "something else", "the object");
    }
    if (list && json_array_size(list) != seen->n)
        wrong("number of things waited for", where, "another", "that of the truth");
}

static bool is_finite(int64_t ms)
{
    return ms != LK_FOREVER && ms != LK_UNKNOWN;
}

static void check_wait(const json_t *e, const char *where, const struct lk_wait *w)
{
    check_text(e, "kind", where, wait_names[w->kind]);
    check_text(e, "call", where, w->call);
    check_flag(e, "timeout", where, is_finite(w->timeout_ms));
    check_flag(e, "any", where, w->any);
    if (!json_object_get(e, "timeout") && is_finite(w->timeout_ms) && w->kind != LK_WAIT_SELECTOR &&
        w->kind != LK_WAIT_SLEEP)
        wrong("timeout", where, "a finite one", "none");
}

static void threads_wait_for(void **state)
{
    const char *name;
    const json_t *e;
    (void)state;
    the.wrong = 0;
    json_object_foreach(json_object_get(the.truth, "threads"), name, e)
    {
        const struct lk_thread *t = thread_named(name);
        if (!t) {
            wrong("thread", name, "nothing", "a thread");
            continue;
        }
        check_wait(e, name, &t->wait);
        check_on(e, name, &t->wait.on);
        check_refs(e, "on_threads", name, &t->wait.on, "thread:");
        check_flag(e, "current_task", name, t->current_task.kind == LK_KIND_TASK);
        if (json_object_get(e, "running_loop"))
            check_number(e, "running_loop", name, (int64_t)addr_of(t->running_loop));
        check_number(e, "drives", name, (int64_t)addr_of(t->drives));
        const struct lk_extern *x = t->wait.on.n ? lk_extern_at(the.s, t->wait.on.v[0]) : NULL;
        if (json_object_get(e, "on_kind") && !x)
            wrong("on", name, "no extern", "an extern");
        if (x)
            check_text(e, "text", name, x->text);
    }
    assert_int_equal(the.wrong, 0);
}

static void check_task_future(const json_t *e, const char *where, const struct lk_task *k)
{
    const struct lk_future *f = k->wait.on.n ? lk_future_at(the.s, k->wait.on.v[0]) : NULL;
    const char *kind = json_string_value(json_object_get(e, "enders_kind"));
    if (!json_object_get(e, "enders") && !kind)
        return;
    if (!f) {
        wrong("future", where, "none", "one");
        return;
    }
    check_refs(e, "enders", where, &f->enders, "");
    check_flag(e, "all", where, f->all);
    check_flag(e, "complete", where, f->enders_complete);
    char buf[100];
    if (kind && (!f->enders.n || strncmp(name_of(f->enders.v[0], buf, sizeof buf), kind, 1) != 0))
        wrong("ender", where, f->enders.n ? buf : "none", kind);
}

static void check_task_stack(const json_t *e, const char *where, const struct lk_task *k)
{
    const json_t *names = json_object_get(e, "stack");
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *expected = json_string_value(json_array_get(names, i));
        const char *seen = i < k->stack->n ? k->stack->frames[i].code->function : "nothing";
        if (strcmp(expected, seen) != 0)
            wrong("stack", where, seen, expected);
    }
    if (json_object_get(e, "line"))
        check_number(e, "line", where, k->stack->n ? k->stack->frames[0].line : 0);
}

static void tasks_are_all_there(void **state)
{
    static const char *const states[] = { "pending", "running", "done", "cancelled" };
    size_t i;
    const json_t *e;
    (void)state;
    the.wrong = 0;
    json_array_foreach(json_object_get(the.truth, "tasks"), i, e)
    {
        const struct lk_task *k = lk_task_at(the.s, at(LK_KIND_TASK, e));
        const char *where = json_string_value(json_object_get(e, "name"));
        where = where ? where : json_string_value(json_object_get(e, "coroutine"));
        if (!k) {
            wrong("task", where, "nothing", "a task");
            continue;
        }
        check_text(e, "name", where, k->name);
        check_text(e, "state", where, states[k->state]);
        check_text(e, "coroutine", where, k->coroutine);
        check_flag(e, "started", where, k->started);
        check_flag(e, "ready", where, k->ready);
        check_wait(e, where, &k->wait);
        check_refs(e, "on", where, &k->wait.on, "");
        check_task_future(e, where, k);
        check_task_stack(e, where, k);
        check_number(e, "loop", where, (int64_t)addr_of(k->loop));
        const struct lk_extern *x = k->wait.on.n ? lk_extern_at(the.s, k->wait.on.v[0]) : NULL;
        if (x)
            check_text(e, "text", where, x->text);
        const json_t *ms = json_object_get(e, "ext_ms");
        if (ms && (!x || x->in_ms < json_integer_value(json_array_get(ms, 0)) ||
                   x->in_ms > json_integer_value(json_array_get(ms, 1))))
            wrong("time left", where, "another", "that of the timer");
    }
    int64_t pending = 0;
    for (i = 0; i < the.s->tasks.n; i++)
        pending += the.s->tasks.v[i].state <= LK_TASK_RUNNING;
    check_number(the.truth, "all_tasks", "the process", pending);
    assert_true(the.s->tasks_complete);
    assert_int_equal(the.wrong, 0);
}

static void loops_are_all_there(void **state)
{
    size_t i;
    const json_t *e;
    (void)state;
    the.wrong = 0;
    json_array_foreach(json_object_get(the.truth, "loops"), i, e)
    {
        const struct lk_loop *o = lk_loop_at(the.s, at(LK_KIND_LOOP, e));
        char where[32];
        snprintf(where, sizeof where, "loop %zu", i);
        if (!o) {
            wrong("loop", where, "nothing", "a loop");
            continue;
        }
        const struct lk_thread *t = lk_thread_at(the.s, o->thread);
        check_text(e, "run", where, run_names[o->run]);
        check_text(e, "thread", where, t ? t->name : NULL);
        check_flag(e, "closed", where, o->closed == LK_YES);
        check_flag(e, "own", where, o->in_own_selector == LK_YES);
        check_number(e, "ready", where, o->ready);
        if (json_object_get(e, "creates"))
            check_number(e, "creates", where,
                         o->n_handles ? (int64_t)addr_of(o->handles[0].creates) : 0);
    }
    assert_true(the.s->loops_complete);
    assert_int_equal(the.s->loops.n, json_array_size(json_object_get(the.truth, "loops")));
    assert_int_equal(the.wrong, 0);
}

static void futures_name_their_enders(void **state)
{
    size_t i;
    const json_t *e;
    (void)state;
    the.wrong = 0;
    json_array_foreach(json_object_get(the.truth, "futures"), i, e)
    {
        const struct lk_future *f = lk_future_at(the.s, at(LK_KIND_FUTURE, e));
        char where[32];
        snprintf(where, sizeof where, "future %zu", i);
        if (!f) {
            wrong("future", where, "nothing", "a future");
            continue;
        }
        check_text(e, "state", where, future_names[f->state]);
        check_refs(e, "enders", where, &f->enders, "");
        check_flag(e, "complete", where, f->enders_complete);
    }
    assert_int_equal(the.wrong, 0);
}

static void executors_list_their_queues(void **state)
{
    size_t i;
    const json_t *e;
    (void)state;
    the.wrong = 0;
    json_array_foreach(json_object_get(the.truth, "executors"), i, e)
    {
        const struct lk_executor *x = lk_executor_at(the.s, at(LK_KIND_EXECUTOR, e));
        assert_non_null(x);
        check_refs(e, "workers", x->id, &x->workers, "thread:");
        check_number(e, "max_workers", x->id, x->max_workers);
        check_number(e, "queued", x->id, x->queued);
    }
    assert_int_equal(the.wrong, 0);
}

static void check_owner(const char *where, const struct lk_lock *l, const char *owner)
{
    const struct lk_task *k = l->owners.n ? lk_task_at(the.s, l->owners.v[0]) : NULL;
    const struct lk_thread *t = l->owners.n ? lk_thread_at(the.s, l->owners.v[0]) : NULL;
    char seen[200] = "nobody";
    if (k)
        snprintf(seen, sizeof seen, "task:%s", k->name);
    else if (t)
        snprintf(seen, sizeof seen, "%s", t->name);
    if (strcmp(seen, owner) != 0)
        wrong("owner", where, seen, owner);
}

static void locks_name_their_owners(void **state)
{
    size_t i;
    const json_t *e;
    (void)state;
    the.wrong = 0;
    json_array_foreach(json_object_get(the.truth, "locks"), i, e)
    {
        const struct lk_lock *l = lk_lock_at(the.s, at(LK_KIND_LOCK, e));
        const json_t *owners = json_object_get(e, "owners");
        char where[64];
        snprintf(where, sizeof where, "lock %zu", i);
        if (!l) {
            wrong("lock", where, "nothing", "a lock");
            continue;
        }
        check_text(e, "kind", where, l->kind);
        check_text(e, "by", where, owner_names[l->owner_by]);
        check_flag(e, "certain", where, l->owner_certain);
        if (owners)
            check_owner(where, l,
                        json_array_size(owners) ? json_string_value(json_array_get(owners, 0))
                                                : "nobody");
        if (!l->waiters.n || l->locked != LK_YES || !l->mutex)
            wrong("state", where, "free or not waited for", "locked, with waiters");
    }
    assert_int_equal(the.wrong, 0);
}

/* "ends" of "Patience.ends", the name of a thread or task. */
static const char *name_of_hand(const struct lk_at_hand *h)
{
    const struct lk_task *k = lk_task_at(the.s, h->by);
    const struct lk_thread *t = lk_thread_at(the.s, h->by);
    const char *dot = strrchr(h->callback, '.');
    return t ? t->name : k ? k->name : dot ? dot + 1 : h->callback;
}

static bool is_listed(const json_t *names, const char *name)
{
    size_t i;
    const json_t *e;
    json_array_foreach(names, i, e)
    {
        if (strcmp(json_string_value(e), name) == 0)
            return true;
    }
    return false;
}

static void who_has_a_ring_at_hand(void **state)
{
    const json_t *truth = json_object_get(the.truth, "at_hand"), *e;
    size_t i;
    (void)state;
    the.wrong = 0;
    for (i = 0; i < the.s->at_hand.n; i++) {
        const struct lk_at_hand *h = &the.s->at_hand.v[i];
        const struct lk_task *k = lk_task_at(the.s, h->what);
        const char *name = name_of_hand(h);
        if (lk_future_at(the.s, h->what)) /* which loop-stuck waits for itself */
            continue;
        const json_t *names = json_object_get(truth, h->hand == LK_HAND_FRAME ? "by" : "timers");
        if (!k || strncmp(k->name, "ring_", 5) != 0 || !is_listed(names, name))
            wrong("at hand", name, k ? k->name : "no task", "nothing");
        if ((h->hand == LK_HAND_TIMER_CANCELS) != (strcmp(name, "cancel") == 0))
            wrong("at hand", name, "cancels and no more", "the other way round");
    }
    static const char *const kinds[] = { "by", "timers" };
    for (size_t kind = 0; kind < 2; kind++)
        json_array_foreach(json_object_get(truth, kinds[kind]), i, e)
        {
            bool found = false;
            for (size_t j = 0; j < the.s->at_hand.n && !found; j++)
                found = (the.s->at_hand.v[j].hand != LK_HAND_FRAME) == (bool)kind &&
                        strcmp(name_of_hand(&the.s->at_hand.v[j]), json_string_value(e)) == 0;
            if (!found)
                wrong("at hand", json_string_value(e), "nothing", kinds[kind]);
        }
    assert_int_equal(the.wrong, 0);
    assert_false(the.s->at_hand_cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_wait_for),
        cmocka_unit_test(tasks_are_all_there),
        cmocka_unit_test(loops_are_all_there),
        cmocka_unit_test(futures_name_their_enders),
        cmocka_unit_test(executors_list_their_queues),
        cmocka_unit_test(locks_name_their_owners),
        cmocka_unit_test(who_has_a_ring_at_hand),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
