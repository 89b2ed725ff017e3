/*
 * dump_python PID [COROUTINE...]: what the Python reader sees of a live process, as JSON.
 * Coroutines are given as addresses. compare_truth.py sets this against what the process says of
 * itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "read/python/interpreter/class.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/runtime.h"
#include "read/python/interpreter/thread_states.h"
#include "read/python/interpreter/value_stack.h"

static void string(const char *s)
{
    putchar('"');
    for (; s && *s; s++)
        if (*s == '"' || *s == '\\')
            printf("\\%c", *s);
        else
            putchar(*s);
    putchar('"');
}

static void frame_row(struct lk_py *py, const struct lk_pyf *f)
{
    struct lk_pyframe p = lk_py_snapshot_frame(py, f);
    printf("[");
    string(p.code->function);
    printf(",%d,%d]", p.line, f->lasti);
}

static void objects(struct lk_py *py, const struct lk_pyframes *frames)
{
    lk_addr held[64];
    const char *sep = "";

    printf(",\"held\":[");
    for (size_t i = 0; frames && i < frames->n; i++) {
        size_t n = lk_py_held_managers(py, &frames->v[i], held, LK_ARRAY_LEN(held));
        for (size_t k = 0; k < n; k++, sep = ",") {
            printf("%s[%llu,", sep, (unsigned long long)held[k]);
            string(lk_py_class_name(py, held[k]));
            printf("]");
        }
    }
    printf("],\"pending\":[");
    struct lk_pypending p[8];
    size_t n =
        frames && frames->n ? lk_py_pending_candidates(py, &frames->v[0], p, LK_ARRAY_LEN(p)) : 0;
    for (size_t i = 0; i < n; i++) {
        printf("%s[%llu,", i ? "," : "", (unsigned long long)p[i].self);
        string(p[i].method);
        printf("]");
    }
    printf("]");
}

static void threads(struct lk_py *py)
{
    printf("\"threads\":[");
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_thread *t = &py->s->threads.v[i];
        uint64_t at = 0;
        lk_map_get(&py->frames_of, i, &at);
        const struct lk_pyframes *frames = (const struct lk_pyframes *)(uintptr_t)at;
        printf("%s{\"tid\":%lld,\"ident\":%llu,\"python\":%s,\"gil\":%s,\"gil_wait\":%s,"
               "\"truncated\":%s,\"name\":",
               i ? ",\n" : "", (long long)t->tid, (unsigned long long)t->ident,
               t->python ? "true" : "false", t->holds_gil ? "true" : "false",
               t->wait.kind == LK_WAIT_GIL ? "true" : "false",
               t->python_stack->truncated ? "true" : "false");
        string(t->name);
        printf(",\"frames\":[");
        for (size_t k = 0; frames && k < frames->n; k++) {
            printf("%s", k ? "," : "");
            frame_row(py, &frames->v[k]);
        }
        printf("]");
        objects(py, frames);
        printf("}");
    }
    printf("]");
}

static void coroutine(struct lk_py *py, lk_addr addr)
{
    struct lk_pyframes frames = { 0 };
    lk_addr leaf;
    const char *leaf_type;
    bool truncated;

    lk_py_await_chain(py, addr, &frames, &leaf, &leaf_type, &truncated);
    printf("{\"address\":%llu,\"end\":%llu,\"end_type\":", (unsigned long long)addr,
           (unsigned long long)leaf);
    string(leaf_type);
    printf(",\"truncated\":%s,\"frames\":[", truncated ? "true" : "false");
    for (size_t i = 0; i < frames.n; i++) {
        printf("%s", i ? "," : "");
        frame_row(py, &frames.v[i]);
    }
    printf("]}");
    lk_free(frames.v);
}

static bool add_threads(struct lk_process *t, struct lk_snapshot *s)
{
    struct lk_thread_list list = { 0 };

    if (!lk_process_threads(t, &list, true, NULL))
        return false;
    for (size_t i = 0; i < list.n; i++) {
        struct lk_thread *k = lk_thread_at(s, lk_snapshot_thread(s, list.v[i].tid, NULL));
        k->running = list.v[i].running;
        k->read = list.v[i].running ? LK_READ_RACY : LK_READ_ASLEEP;
        if (list.v[i].syscall_known && list.v[i].nr == SYS_futex) {
            k->os.on = LK_OS_FUTEX;
            k->os.futex = list.v[i].args[0];
        }
    }
    lk_free(list.v);
    return true;
}

int main(int argc, char **argv)
{
    struct lk_error err = { 0 };
    struct lk_process *t = argc > 1 ? lk_process_open_live((pid_t)atoi(argv[1]), &err) : NULL;
    struct lk_py *py = t ? lk_py_open(t, &err) : NULL;

    if (!py) {
        fprintf(stderr, "dump_python: %s\n", err.text);
        lk_process_destroy(t);
        return 1;
    }
    struct lk_snapshot *s = lk_snapshot_create();
    s->pid = atoi(argv[1]);
    lk_process_begin_sample(t);
    add_threads(t, s);
    printf("{");
    if (lk_py_readable(py)) {
        lk_py_begin(py, s);
        lk_py_read_threads(py);
        lk_py_read_gil(py);
        threads(py);
        printf(",\"coroutines\":[");
        for (int i = 2; i < argc; i++) {
            printf("%s", i > 2 ? ",\n" : "");
            coroutine(py, strtoull(argv[i], NULL, 0));
        }
        printf("],");
    }
    lk_py_describe(py, s);
    printf("\"version\":");
    string(s->python.version);
    printf(",\"build\":");
    string(s->python.build);
    printf(",\"stdlib\":");
    string(s->python.stdlib);
    printf(",\"own_folders\":");
    string(s->python.own_folders);
    printf(",\"prefix\":");
    string(s->python.prefix);
    printf(",\"readable\":%s,\"why_not\":", lk_py_readable(py) ? "true" : "false");
    string(s->python.why_not);
    printf(",\"limits\":[");
    for (size_t i = 0; i < s->limits.n; i++) {
        printf("%s", i ? "," : "");
        string(s->limits.v[i].text);
    }
    printf("]}\n");
    lk_snapshot_destroy(s);
    lk_py_close(py);
    lk_process_destroy(t);
    return 0;
}
