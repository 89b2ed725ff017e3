#include "cm.h"

#include "fixtures.h"
#include "report/enum_names.h"

#define FIRST_SCREEN 24

static char *text(const struct lk_report *r, size_t n, struct lk_render how)
{
    return fixture_render("text", r, n, false, how, NULL);
}

/* Two that wait for each other both stand on it; at one place, once. */
static void the_first_screen_has_both_sides(void **state)
{
    (void)state;
    struct lk_report r = fixture_deadlock();
    struct lk_finding *f = &r.findings->list.v[0];
    struct lk_culprit other = f->culprits.v[0];
    for (int same = 0; same < 2; same++) {
        f->culprits.n = 1;
        other.line = f->culprits.v[0].line + !same;
        lk_vec_add(&f->culprits, other);
        char *whole = text(&r, 1, (struct lk_render){ .width = 0 }),
             *end = strstr(whole, "\nFINDING ");
        assert_non_null(end);
        *end = '\0';
        assert_non_null(strstr(whole, "/srv/app.py:10 in outer"));
        assert_int_equal(strstr(whole, "/srv/app.py:11 in outer") != NULL, !same);
        free(whole);
    }
    fixture_destroy(&r);
}

/* The record begins anew when a signal's handler runs. */
static void at_least_where_it_may_be_cut_short(void **state)
{
    (void)state;
    struct lk_report r = fixture_deadlock();
    r.snap->handles_signals = LK_YES;
    char *whole = text(&r, 1, (struct lk_render){ .width = 0 });
    assert_non_null(strstr(whole, "for at least 14 min, since 11:46:00 UTC or before"));
    free(whole);
    fixture_destroy(&r);
}

static void the_first_screen_says_it_all(void **state)
{
    struct lk_report r = fixture_deadlock();
    static const char *const wanted[] = {
        "DEADLOCK  pid 4711 python3 app.py (Python 3.11.2, 9 threads)",
        "Thread bg-loop [4712] runs loop o1",
        "LK101 loop-waits-on-itself, proven",
        "for 14 min, since 11:46:00 UTC",
        "scheduler",
        "3 requests and 12 tasks",
        "/srv/app.py:10 in outer",
        "> return fut.result()",
        "Await the coroutine",
        "restart it",
        "2 of 9 threads stopped",
        "longest pause 0.9 ms",
        "2 child processes were not examined: loopknot --tree 4711",
        "LK202 orphaned-tasks (hazard)",
    };
    (void)state;
    for (int i = 0; i < 2; i++)
        lk_vec_add(&r.snap->children,
                   ((struct lk_child){ .pid = 4801 + i, .comm = "sh", .threads = 1 }));
    char *whole = text(&r, 1, (struct lk_render){ .width = 80 }),
         *end = strstr(whole, "\nFINDING ");
    assert_non_null(end);
    *end = '\0';
    char *flat = text(&r, 1, (struct lk_render){ .width = 0 });
    *strstr(flat, "\nFINDING ") = '\0';
    for (size_t i = 0; i < LK_ARRAY_LEN(wanted); i++)
        assert_has(flat, wanted[i]);
    free(whole);
    free(flat);
    fixture_destroy(&r);
}

static void the_first_screen_stays_one(void **state)
{
    struct lk_report r = fixture_deadlock();
    struct lk_finding *f = &r.findings->list.v[0];
    char words[4001];
    (void)state;
    for (size_t i = 0; i + 1 < sizeof words; i++)
        words[i] = i % 7 == 6 ? ' ' : 'w';
    words[sizeof words - 1] = '\0';
    f->summary = f->remedy = f->safe_now = words;
    r.snap->supervisor = &fixture_gunicorn_master;
    lk_vec_add(&r.snap->children, ((struct lk_child){ .pid = 4801, .comm = "sh", .threads = 1 }));
    char *out = text(&r, 1, (struct lk_render){ .width = 80 }), *end = strstr(out, "\nFINDING ");
    assert_non_null(end);
    *end = '\0';
    assert_true(cm_occurrences(out, "\n") <= FIRST_SCREEN);
    assert_has(out, "www ...\n");
    assert_has(out, "loopknot --tree 4711");
    *end = '\n';
    assert_has(end, "wwwwww www\n"); /* the finding below has it whole */
    free(out);
    fixture_destroy(&r);
}

/* What the first screen says whole is not said again below; what it cuts, is. */
static void nothing_is_said_twice(void **state)
{
    struct lk_report r = fixture_deadlock();
    (void)state;
    r.findings->list.n = 1;
    for (int width = 0; width <= 120; width += 60) {
        char *out = text(&r, 1, (struct lk_render){ .width = width }),
             *end = strstr(out, "\nTHREADS ");
        assert_non_null(end);
        *end = '\0';
        assert_int_equal(cm_occurrences(out, "  Stuck "), 1);
        assert_int_equal(cm_occurrences(out, "> return fut.result()"), 1);
        assert_true(width == 60 || cm_occurrences(out, "  Change ") == 1);
        assert_int_equal(cm_occurrences(out, "  Chain "), 1);
        free(out);
    }
    fixture_destroy(&r);
}

static void long_places_take_two_lines(void **state)
{
    struct lk_report r = fixture_deadlock();
    struct lk_culprit *c = &r.findings->list.v[0].culprits.v[0];
    char path[90];
    (void)state;
    memset(path, 'p', sizeof path - 1);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    c->file = path;
    char *out = text(&r, 1, (struct lk_render){ .width = 100 });
    assert_has(out, "ppp:10 in outer\n          in thread bg-loop [4712]\n");
    free(out);
    fixture_destroy(&r);
}

static void a_chain_is_drawn_line_by_line(void **state)
{
    struct lk_report r = fixture_deadlock();
    (void)state;
    char *out = text(&r, 1, (struct lk_render){ 0 });
    assert_has(
        out,
        "  Chain   thread bg-loop [4712]\n"
        "            blocks in Future.result()       --> future f1 of run_coroutine_threadsafe\n"
        "            set by run_coroutine_threadsafe --> task Task-8 (inner)\n"
        "            scheduled on                    --> loop o1 (asyncio)\n"
        "            run by                          --> thread bg-loop [4712], where it began\n");
    free(out);
    fixture_destroy(&r);
}

static void doubtful_edges_say_so(void **state)
{
    struct lk_report r = fixture_deadlock();
    (void)state;
    r.findings->list.v[0].chain.v[1].inferred = true;
    r.findings->list.v[0].chain.v[2].read = LK_READ_RACY;
    char *out = text(&r, 1, (struct lk_render){ 0 });
    assert_has(out, "task Task-8 (inner) (inferred)");
    assert_has(out, "loop o1 (asyncio) (read while it may have run)");
    free(out);
    fixture_destroy(&r);
}

static void identical_threads_are_one_entry(void **state)
{
    struct lk_report r = fixture_deadlock();
    (void)state;
    char *out = text(&r, 1, (struct lk_render){ 0 });
    assert_has(out, "  3 threads  future-wait for 12 min to 14 min\n");
    assert_has(out, "  4 threads  executor-idle for 14 min\n");
    assert_int_equal(cm_occurrences(out, "    * /srv/app.py:22 in report\n"), 1);
    assert_true(strstr(out, "bg-loop [4712]  future-wait") < strstr(out, "3 threads"));
    assert_true(strstr(out, "3 threads") < strstr(out, "4 threads"));
    assert_lacks(out, "native:");
    free(out);
    out = text(&r, 1, (struct lk_render){ .all = true, .native = true });
    assert_int_equal(cm_occurrences(out, "    * /srv/app.py:22 in report\n"), 3);
    assert_has(out, "libc.so.6+0x89e0e  __futex_abstimed_wait_common\n");
    assert_has(out, "_threadmodule.c:98  acquire_timed  (python3.11)\n");
    free(out);
    fixture_destroy(&r);
}

/* Of what libraries do between your frames only how much of it there is; the innermost frame stays.
 */
static void runs_of_library_frames_fold(void **state)
{
    static const char *const frames[][4] = {
        { "select", "/usr/lib/python3.11/selectors.py", "stdlib", NULL },
        { "a", "/srv/venv/lib/python3.11/site-packages/flask/app.py", "framework", NULL },
        { "b", "/srv/venv/lib/python3.11/site-packages/flask/views.py", "framework", NULL },
        { "c", "/usr/lib/python3.11/threading.py", "stdlib", NULL },
        { "view", "/srv/app.py", "user", "return 1" },
        { "d", "<frozen importlib._bootstrap>", "stdlib", NULL },
        { "e", "/usr/lib/python3.11/threading.py", "stdlib", NULL },
    };
    struct lk_report r = fixture_deadlock();
    (void)state;
    r.snap->threads.v[1].python_stack =
        fixture_stack(r.snap, 7, frames, (int[]){ 1, 2, 3, 4, 5, 6, 7 });
    char *out = text(&r, 1, (struct lk_render){ 0 });
    assert_has(out, "      /usr/lib/python3.11/selectors.py:1 in select\n"
                    "      ... 3 frames of flask, threading\n"
                    "    * /srv/app.py:5 in view\n"
                    "          return 1\n"
                    "      <frozen importlib._bootstrap>:6 in d\n");
    free(out);
    out = text(&r, 1, (struct lk_render){ .all = true });
    assert_lacks(out, " frames of ");
    assert_has(out, "flask/views.py:3 in b\n");
    free(out);
    fixture_destroy(&r);
}

/* One guilty line stands between its neighbours, of two each by itself. */
static void the_guilty_line_has_neighbours(void **state)
{
    struct lk_source_context x = { "    def outer():", "        return fut.result()", "" };
    struct lk_report r = fixture_deadlock();
    struct lk_finding *f = &r.findings->list.v[0];
    (void)state;
    f->culprits.v[0].context = &x;
    char *out = text(&r, 1, (struct lk_render){ 0 });
    assert_has(out, "            def outer():\n          >     return fut.result()\n  Change");
    free(out);
    struct lk_culprit other = f->culprits.v[0];
    other.line++;
    lk_vec_add(&f->culprits, other);
    out = text(&r, 1, (struct lk_render){ 0 });
    assert_lacks(out, "def outer():");
    free(out);
    fixture_destroy(&r);
}

static void the_head_says_what_is_served(void **state)
{
    struct lk_report r = fixture_deadlock();
    char *const argv[] = { "gunicorn", "-b", "localhost:8000", "shop.web:make_app()" };
    (void)state;
    r.snap->cmdline = (char **)argv;
    r.snap->n_cmdline = 4;
    r.snap->unit = "shop.service";
    char *out = text(&r, 1, (struct lk_render){ 0 });
    assert_has(out, "\n  Serves  shop.web:make_app; unit shop.service");
    free(out);
    fixture_destroy(&r);
}

static void a_lock_has_its_name(void **state)
{
    struct lk_report r = fixture_deadlock();
    struct lk_lock *l = &r.snap->locks.v[0];
    (void)state;
    l->name = "server.AUDIT";
    lk_refs_add(r.snap, &l->waiters, lk_ref_make(LK_KIND_THREAD, 0));
    char *out = text(&r, 1, (struct lk_render){ .all = true });
    assert_has(out, " server.AUDIT");
    free(out);
    fixture_destroy(&r);
}

/* What `loopknot run` ends is not to be ended by whoever reads of it. */
static void what_is_ended_needs_nothing(void **state)
{
    struct lk_report r = fixture_deadlock();
    (void)state;
    char *out = text(&r, 1, (struct lk_render){ .ended = true });
    assert_has(out, "  Now     Nothing: loopknot run ends");
    assert_lacks(out, "restart it");
    free(out);
    fixture_destroy(&r);
}

static void lines_keep_to_the_width(void **state)
{
    struct lk_report r = fixture_deadlock();
    (void)state;
    char *out = text(&r, 1, (struct lk_render){ .width = 72 });
    for (char *save, *line = strtok_r(out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        /* Places, sources and stacks are not broken: they are there to be copied. */
        if (strstr(line, "/usr/") || strstr(line, "> ") || strstr(line, "http") ||
            strstr(line, "LOOP).result") || strstr(line, "THREADS"))
            continue;
        if (lk_words_columns(line, SIZE_MAX) > 72)
            fail_msg("too wide: %s", line);
    }
    free(out);
    fixture_destroy(&r);
}

static void narrow_terminals_end(void **state)
{
    struct lk_report r = fixture_deadlock();
    (void)state;
    for (int width = 1; width < 30; width++)
        free(text(&r, 1, (struct lk_render){ .width = width }));
    fixture_destroy(&r);
}

static void colour_is_balanced_and_optional(void **state)
{
    struct lk_report r = fixture_deadlock();
    (void)state;
    char *out = text(&r, 1, (struct lk_render){ .color = true });
    assert_has(out, "\033[1;31mDEADLOCK\033[0m");
    assert_int_equal(cm_occurrences(out, "\033["), 2 * cm_occurrences(out, "\033[0m"));
    free(out);
    out = text(&r, 1, (struct lk_render){ .color = false });
    assert_lacks(out, "\033");
    free(out);
    fixture_destroy(&r);
}

static void healthy_says_why(void **state)
{
    struct lk_report r = fixture_healthy();
    (void)state;
    char *out = text(&r, 1, (struct lk_render){ 0 });
    assert_has(out, "HEALTHY  pid 5000 python3 web.py");
    assert_has(out, "1 loop idle, 8 pool workers idle, 2 requests moving");
    free(out);
    fixture_destroy(&r);
}

static void unknown_says_what_was_not_judged(void **state)
{
    struct lk_report r = fixture_master();
    (void)state;
    char *out = text(&r, 1, (struct lk_render){ 0 });
    assert_has(out, "UNKNOWN  pid 6000");
    assert_has(out, "none of its workers was examined");
    assert_has(out,
               "6000 is a gunicorn master; its 4 workers were not examined: loopknot --tree 6000");
    free(out);
    fixture_destroy(&r);
}

/* Children that are in the same set were examined. */
/* With --verbose each limit says what is known of it; without, only its sentence. */
static void verbose_says_where_a_read_failed(void **state)
{
    static const char *const details[] = {
        "thread bg-loop [4712]; a frame, 72 bytes at 0x7f00: EFAULT (Bad address)",
        "loop o1 (asyncio); a list, 8 bytes at 0x7f10: they can be read, but cannot be right",
        "the link exe: EACCES (Permission denied)",
    };
    struct lk_report r = fixture_deadlock();
    (void)state;
    for (int verbose = 0; verbose < 2; verbose++) {
        char *out = text(&r, 1, (struct lk_render){ .verbose = verbose }),
             *page = fixture_render("markdown", &r, 1, false,
                                    (struct lk_render){ .verbose = verbose }, NULL);
        assert_has(out, "- the Python stacks of 1 thread could not be read to the end\n");
        for (size_t i = 0; i < LK_ARRAY_LEN(details); i++)
            assert_int_equal(strstr(out, details[i]) != NULL, verbose);
        assert_int_equal(strstr(page, "72 bytes at 0x7f00: EFAULT") != NULL, verbose);
        free(out);
        free(page);
    }
    fixture_destroy(&r);
}

static void a_set_lists_its_reports(void **state)
{
    struct lk_report r[2] = { fixture_master(), fixture_deadlock() };
    (void)state;
    r[1].snap->pid = 6001;
    char *out = text(r, 2, (struct lk_render){ 0 });
    assert_has(out, "DEADLOCK  2 processes: 1 deadlock, 1 unknown\n");
    assert_has(out, "LK101 loop-waits-on-itself at /srv/app.py:10 in outer\n");
    /* the worst first */
    assert_true(strstr(out, "\nDEADLOCK  pid 6001") < strstr(out, "\nUNKNOWN  pid 6000"));
    assert_has(out, "its 3 workers were not examined: loopknot --tree 6000");
    free(out);
    fixture_destroy(&r[0]);
    fixture_destroy(&r[1]);
}

/* GitHub's limit for a comment; what does not fit is told, with the command that shows it. */
static void a_ticket_has_room_for_the_page(void **state)
{
    struct lk_report r = fixture_tasks(3000, 2000);
    struct lk_finding *f = &r.findings->list.v[0];
    size_t size;
    (void)state;
    for (size_t i = 0; i < 3000; i++)
        lk_vec_add(&f->evidence, "something that was seen, told in a sentence of some length, and "
                                 "once more, so that it gets even longer than it was before");
    for (size_t i = 0; i < 2000; i++)
        fixture_edge(f, lk_ref_make(LK_KIND_TASK, i), "awaits the one that was made just after it",
                     lk_ref_make(LK_KIND_TASK, i + 1));
    for (size_t i = 0; i < 30; i++) {
        struct lk_finding *more = fixture_finding(&r, "LK202", LK_HAZARD);
        for (size_t k = 0; k < 30; k++)
            lk_vec_add(&more->evidence,
                       "a long sentence that nobody will read to its end, but that "
                       "takes its room all the same, as such sentences do");
    }
    char *out = fixture_render("markdown", &r, 1, false, (struct lk_render){ 0 }, &size);
    assert_in_range(size, 20000, 65536);
    assert_has(out, "**Cut here:** ");
    assert_has(out, "`loopknot --format markdown --all 7000`");
    assert_int_equal(cm_occurrences(out, "<details>"), cm_occurrences(out, "</details>"));
    free(out);
    out = fixture_render("markdown", &r, 1, false, (struct lk_render){ .all = true }, &size);
    assert_true(size > 65536);
    assert_lacks(out, "**Cut here:** ");
    free(out);
    fixture_destroy(&r);
}

static void markdown_draws_the_chain(void **state)
{
    struct lk_report r = fixture_deadlock();
    (void)state;
    char *out = fixture_render("markdown", &r, 1, false, (struct lk_render){ 0 }, NULL);
    assert_has(out, "```mermaid\nflowchart TD\n");
    assert_has(out, "  n0[\"thread bg-loop #91;4712#93;<br/>outer (app.py:10)\"]:::culprit\n");
    assert_has(out, "  n0 -->|\"blocks in Future.result()\"| n1\n");
    assert_has(out, "<details><summary>Environment</summary>");
    assert_has(out, "<details><summary>Who moved (");
    assert_lacks(out, "Cut here");
    free(out);
    fixture_destroy(&r);
}

static void an_empty_report_is_one(void **state)
{
    struct lk_report r = fixture_empty();
    (void)state;
    for (size_t i = 0; i < lk_n_formats; i++) {
        char *out = fixture_render(lk_formats[i].name, &r, 1, false,
                                   (struct lk_render){ .all = true }, NULL);
        /* without a thread there is no stack */
        assert_true(strlen(out) > 20 || strcmp(lk_formats[i].name, "collapsed") == 0);
        free(out);
    }
    char *out = text(NULL, 0, (struct lk_render){ 0 });
    assert_has(out, "UNKNOWN  0 processes: none was examined");
    free(out);
    fixture_destroy(&r);
}

static void every_value_prints(void **state)
{
    struct lk_report r = fixture_every_value();
    (void)state;
    for (size_t i = 0; i < lk_n_formats; i++) {
        for (int all = 0; all < 2; all++) {
            char *out = fixture_render(lk_formats[i].name, &r, 1, false,
                                       (struct lk_render){ .all = all }, NULL);
            assert_lacks(out, "(null)");
            free(out);
        }
    }
    fixture_destroy(&r);
}

static void a_hundred_thousand_tasks_fold(void **state)
{
    (void)state;
    for (size_t stacks = 3; stacks <= 100000; stacks += 99997) {
        struct lk_report r = fixture_tasks(100000, stacks);
        const double before = cm_cpu_ms();
        char *out = text(&r, 1, (struct lk_render){ .width = 100 });
        const double ms = cm_cpu_ms() - before;
        /* With as many stacks as tasks nothing folds; the limit is for the usual case. */
        if (ms > (stacks == 3 ? 100 : 300) * CM_SLOWER)
            fail_msg("%zu stacks took %.0f ms", stacks, ms);
        assert_true(strlen(out) < 40000);
        assert_has(out, "TASKS (100,000)");
        assert_has(out, stacks == 3 ? "  33,333 tasks fetch: Task-1, Task-4," : "--all shows them");
        free(out);
        fixture_destroy(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_screen_says_it_all),
        cmocka_unit_test(the_first_screen_has_both_sides),
        cmocka_unit_test(at_least_where_it_may_be_cut_short),
        cmocka_unit_test(the_first_screen_stays_one),
        cmocka_unit_test(nothing_is_said_twice),
        cmocka_unit_test(long_places_take_two_lines),
        cmocka_unit_test(a_chain_is_drawn_line_by_line),
        cmocka_unit_test(doubtful_edges_say_so),
        cmocka_unit_test(identical_threads_are_one_entry),
        cmocka_unit_test(runs_of_library_frames_fold),
        cmocka_unit_test(the_guilty_line_has_neighbours),
        cmocka_unit_test(the_head_says_what_is_served),
        cmocka_unit_test(a_lock_has_its_name),
        cmocka_unit_test(what_is_ended_needs_nothing),
        cmocka_unit_test(lines_keep_to_the_width),
        cmocka_unit_test(narrow_terminals_end),
        cmocka_unit_test(colour_is_balanced_and_optional),
        cmocka_unit_test(healthy_says_why),
        cmocka_unit_test(unknown_says_what_was_not_judged),
        cmocka_unit_test(verbose_says_where_a_read_failed),
        cmocka_unit_test(a_set_lists_its_reports),
        cmocka_unit_test(an_empty_report_is_one),
        cmocka_unit_test(a_ticket_has_room_for_the_page),
        cmocka_unit_test(markdown_draws_the_chain),
        cmocka_unit_test(every_value_prints),
        cmocka_unit_test(a_hundred_thousand_tasks_fold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
