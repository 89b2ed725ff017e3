/* The picture of a finding, its drawing for graphviz, and stacks for flame graphs. With a folder as
 * argument every fixture is written into it in both formats (tests/e2e/reports.py). */
#include "cm.h"

#include <stdio.h>

#include "fixtures.h"
#include "report/drawing.h"
#include "report/merged_stack.h"

static const char *const evils[] = { "a\"b", "a\\", "\\", "\"; x -> y; \"", "a;b 3", "</svg>", "" };

static struct lk_drawing drawing(struct lk_arena *a, const struct lk_report *r)
{
    return lk_drawing_create(a, r, &r->findings->list.v[0], lk_fold_create(a, r, SIZE_MAX));
}

static void a_ring_and_what_waits_behind_it(void **state)
{
    struct lk_report r = fixture_deadlock();
    struct lk_arena *a = lk_arena_create();
    (void)state;
    lk_refs_add(r.snap, &r.snap->futures.v[1].enders, lk_ref_make(LK_KIND_TASK, 0));
    const struct lk_drawing d = drawing(a, &r);
    assert_true(d.ring);
    assert_int_equal(d.n_chain, 4);
    assert_int_equal(d.n_nodes, 5);
    assert_true(d.nodes[0].culprit && d.nodes[0].chain);
    assert_string_equal(d.nodes[0].place, "outer (app.py:10)");
    assert_string_equal(d.nodes[4].label, "3 threads");
    assert_string_equal(d.nodes[4].place, "report (app.py:22)");
    assert_false(d.nodes[4].chain);
    assert_int_equal(d.n_edges, 5);
    lk_arena_destroy(a);
    fixture_destroy(&r);
}

/* A ring of many tasks with one stack: one node that stands for all of them. */
static void a_long_ring_is_folded(void **state)
{
    struct lk_report r = fixture_tasks(300, 1);
    struct lk_arena *a = lk_arena_create();
    struct lk_finding *f = &r.findings->list.v[0];
    (void)state;
    f->chain.n = f->culprits.n = 0;
    f->tasks.n = 0;
    for (size_t i = 0; i < 300; i++)
        fixture_edge(f, lk_ref_make(LK_KIND_TASK, i), "awaits",
                     lk_ref_make(LK_KIND_TASK, (i + 1) % 300));
    const struct lk_drawing d = drawing(a, &r);
    assert_true(d.ring);
    assert_int_equal(d.n_chain, 1);
    assert_int_equal(d.nodes[0].count, 300);
    assert_string_equal(d.nodes[0].label, "300 tasks");
    assert_int_equal(d.edges[0].count, 300);
    lk_arena_destroy(a);
    fixture_destroy(&r);
}

/* However long a chain of different parties is, its picture is bounded. */
static void a_picture_is_bounded(void **state)
{
    struct lk_report r = fixture_tasks(500, 500);
    struct lk_arena *a = lk_arena_create();
    struct lk_finding *f = &r.findings->list.v[0];
    (void)state;
    f->chain.n = f->culprits.n = 0;
    for (size_t i = 0; i < 499; i++)
        fixture_edge(f, lk_ref_make(LK_KIND_TASK, i), "awaits", lk_ref_make(LK_KIND_TASK, i + 1));
    const struct lk_drawing d = drawing(a, &r);
    assert_false(d.ring);
    assert_in_range(d.n_nodes, 10, 60);
    assert_in_range(d.n_edges, 9, 100);
    lk_arena_destroy(a);
    fixture_destroy(&r);
}

static void dot_draws_the_chain(void **state)
{
    struct lk_report r = fixture_deadlock();
    (void)state;
    char *out = fixture_render("dot", &r, 1, false, (struct lk_render){ 0 }, NULL);
    assert_has(out, "digraph loopknot {\n");
    assert_has(out, "label=\"LK101 loop-waits-on-itself: deadlock, proven (6f1c00000000101)\"");
    assert_has(out, "p0f0n0 -> p0f0n1 [label=\"blocks in Future.result()\", color=red];");
    assert_has(out, "p0f0n3 -> p0f0n0 [label=\"run by\", color=red];");
    free(out);
    fixture_destroy(&r);
}

static void dot_quotes(void **state)
{
    struct lk_report r = fixture_hostile("x\"\\");
    (void)state;
    char *out = fixture_render("dot", &r, 1, false, (struct lk_render){ 0 }, NULL);
    assert_has(out, "x\\\"\\\\");
    for (const char *s = out; (s = strstr(s, "x\"")) != NULL; s++)
        fail_msg("a quote that is not escaped:\n%s", out);
    free(out);
    fixture_destroy(&r);
}

static void collapsed_has_a_line_a_stack(void **state)
{
    struct lk_report r = fixture_deadlock();
    (void)state;
    char *out = fixture_render("collapsed", &r, 1, false, (struct lk_render){ 0 }, NULL);
    assert_has(out, "python3 [4711];threads: future-wait;Flask.dispatch_request (app.py:1799);"
                    "report (app.py:22);Future.result (_base.py:451);wait (threading.py:320) 3\n");
    assert_has(out, "python3 [4711];threads: executor-idle;_worker (thread.py:81) 4\n");
    free(out);
    out = fixture_render("collapsed", &r, 1, false, (struct lk_render){ .native = true }, NULL);
    assert_has(out, ";wait (threading.py:320);acquire_timed (_threadmodule.c:98);"
                    "__futex_abstimed_wait_common (libc.so.6) 1\n");
    free(out);
    fixture_destroy(&r);
}

/* A name can neither begin a frame nor end the stack. */
static void collapsed_keeps_its_separators(void **state)
{
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(evils); i++) {
        struct lk_report r = fixture_hostile(evils[i]), plain = fixture_hostile("name");
        char *out = fixture_render("collapsed", &r, 1, false, (struct lk_render){ 0 }, NULL),
             *as = fixture_render("collapsed", &plain, 1, false, (struct lk_render){ 0 }, NULL);
        assert_int_equal(cm_occurrences(out, ";"), cm_occurrences(as, ";"));
        for (char *save, *line = strtok_r(out, "\n", &save); line;
             line = strtok_r(NULL, "\n", &save)) {
            const char *count = strrchr(line, ' ');
            assert_non_null(count);
            assert_true(count[1] && strspn(count + 1, "0123456789") == strlen(count + 1));
        }
        free(out);
        free(as);
        fixture_destroy(&r);
        fixture_destroy(&plain);
    }
}

static void native_frames_end_at_the_interpreter(void **state)
{
    struct lk_natframe native[] = {
        { .function = "futex_wait", .module = "libc.so.6" },
        { .function = "lock_acquire", .module = "python3.11" },
        { .function = "_PyEval_EvalFrameDefault", .module = "python3.11" },
        { .function = "main", .module = "python3.11" },
    };
    const struct lk_natstack n = { .n = 4, .frames = native };
    struct lk_pyframe python[] = { { .line = 1 }, { .line = 2 } };
    const struct lk_pystack p = { .n = 2, .frames = python };
    struct lk_arena *a = lk_arena_create();
    (void)state;
    struct lk_merged_stack m = lk_merged_stack(a, &n, &p);
    assert_int_equal(m.n, 4);
    assert_ptr_equal(m.v[1].native, &native[1]);
    assert_ptr_equal(m.v[2].python, &python[0]);
    assert_int_equal(lk_merged_stack(a, &n, NULL).n, 4);
    assert_int_equal(lk_merged_stack(a, NULL, &p).n, 2);
    assert_int_equal(lk_merged_stack(a, NULL, NULL).n, 0);
    lk_arena_destroy(a);
}

/* ---- for other programs ---------------------------------------------------------------------- */

static void write_both(const char *folder, size_t number, struct lk_report r)
{
    static const char *const formats[] = { "dot", "collapsed" };
    for (size_t f = 0; f < LK_ARRAY_LEN(formats); f++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%zu.%s", folder, number, formats[f]);
        char *text = fixture_render(formats[f], &r, 1, false, (struct lk_render){ 0 }, NULL);
        FILE *out = fopen(path, "w");
        if (!out || fputs(text, out) < 0 || fclose(out) != 0)
            exit(1);
        free(text);
    }
    fixture_destroy(&r);
}

static int write_all(const char *folder)
{
    size_t number = 0;
    write_both(folder, number++, fixture_deadlock());
    write_both(folder, number++, fixture_healthy());
    write_both(folder, number++, fixture_empty());
    write_both(folder, number++, fixture_every_value());
    write_both(folder, number++, fixture_tasks(300, 20));
    for (size_t i = 0; i < LK_ARRAY_LEN(evils); i++)
        write_both(folder, number++, fixture_hostile(evils[i]));
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_and_what_waits_behind_it),
        cmocka_unit_test(a_long_ring_is_folded),
        cmocka_unit_test(a_picture_is_bounded),
        cmocka_unit_test(dot_draws_the_chain),
        cmocka_unit_test(dot_quotes),
        cmocka_unit_test(collapsed_has_a_line_a_stack),
        cmocka_unit_test(collapsed_keeps_its_separators),
        cmocka_unit_test(native_frames_end_at_the_interpreter),
    };
    if (argc == 2)
        return write_all(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
