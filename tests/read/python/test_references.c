/*
 * Every interpreter that is there has threads that keep a thing to themselves, and threads whose
 * thing somebody else can get at as well (references_target.py); then the same with a heap that
 * lies.
 */
#include "lying_target.h"
#include "told_target.h"

#include "process/linux/process_facts.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/reader/class_table.h"
#include "read/python/stdlib/references.h"

enum { LIES = 40, STEPS = 8, BUDGET = 4000 };

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

static void check(struct program *p, const char *label)
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
    assert_int_equal(wrong, 0);
}

static const char *const scripts[] = { "references_target.py", NULL };

static void every_python_agrees(void **state)
{
    (void)state;
    unsigned n = each_python(scripts, check);
    print_message("%u interpreters\n", n);
    assert_true(n > 0);
}

/* ---- lies ----------------------------------------------------------------------------------- */

static void a_lying_heap_is_survived(void **state)
{
    static const struct lk_process_ops ops = { .read = lying_read };
    struct lk_error err = { 0 };
    struct program p = { 0 };
    (void)state;
    assert_true(start(&p, NULL, "/usr/bin/python3", scripts[0]));
    liar.pid = p.pid;
    liar.one_in = 300;
    struct lk_process *honest = lk_process_open_live(p.pid, &err);
    struct lk_py *py = lk_py_open(honest, &err);
    json_t *things = json_object_get(p.truth, "things");
    assert_non_null(py);
    for (unsigned i = 0; i < LIES; i++) {
        struct lk_process *bad = lk_process_create(&ops, NULL);
        uint64_t began = lk_now_ms();
        liar.salt = i;
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
