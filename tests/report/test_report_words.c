#include "cm.h"

#include "report/sentences.h"

static struct lk_arena *a;

static int setup(void **state)
{
    (void)state;
    a = lk_arena_create();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lk_arena_destroy(a);
    return 0;
}

static void durations_are_rounded_down(void **state)
{
    static const struct {
        int64_t ms;
        const char *want;
    } rows[] = {
        { 0, "0 ms" },
        { 999, "999 ms" },
        { 1000, "1.0 s" },
        { 2567, "2.5 s" },
        { 9999, "9.9 s" },
        { 10000, "10 s" },
        { 119999, "119 s" },
        { 120000, "2 min" },
        { 840000, "14 min" },
        { 7199999, "119 min" },
        { 7200000, "2 h 0 min" },
        { 18720000, "5 h 12 min" },
        { 172800000, "2 days" },
        { -5, "0 ms" },
        { LK_UNKNOWN, "an unknown time" },
        { LK_FOREVER, "for ever" },
    };
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++)
        assert_string_equal(lk_words_duration(a, rows[i].ms), rows[i].want);
}

static void counts_have_commas_and_plurals(void **state)
{
    (void)state;
    assert_string_equal(lk_words_count(a, 0, "task"), "0 tasks");
    assert_string_equal(lk_words_count(a, 1, "task"), "1 task");
    assert_string_equal(lk_words_count(a, 99990, "task"), "99,990 tasks");
    assert_string_equal(lk_words_count(a, 2, "child process"), "2 child processes");
    assert_string_equal(lk_words_number(a, 1234567), "1,234,567");
    assert_string_equal(lk_words_number(a, -123), "-123");
    assert_string_equal(lk_words_number(a, -1234), "-1,234");
    assert_string_equal(lk_words_number(a, INT64_MAX), "9,223,372,036,854,775,807");
}

static void safe_text_is_left_alone(void **state)
{
    static const char plain[] = "outer (app.py) \"x\"", other[] = "gr\xc3\xbc\xc3\x9f \xe4\xb8\xad";
    (void)state;
    assert_ptr_equal(lk_words_safe(a, plain), plain);
    assert_string_equal(lk_words_safe(a, other), other);
    assert_string_equal(lk_words_safe(a, NULL), "?");
    assert_string_equal(lk_words_safe(a, ""), "");
}

static void unsafe_text_is_escaped(void **state)
{
    (void)state;
    assert_string_equal(lk_words_safe(a, "a\nb"), "a\\x0ab");
    assert_string_equal(lk_words_safe(a, "\033[31m"), "\\x1b[31m");
    assert_string_equal(lk_words_safe(a, "\xff"
                                         "a"),
                        "\\xffa");
    assert_string_equal(lk_words_safe(a, "a\xe2\x80\xae"
                                         "b"),
                        "a\\u202eb");
    assert_string_equal(lk_words_safe(a, "a\x7f"), "a\\x7f");
}

static void columns_count_wide_and_combining(void **state)
{
    (void)state;
    assert_int_equal(lk_words_columns("abc", SIZE_MAX), 3);
    assert_int_equal(lk_words_columns("abc", 2), 2);
    assert_int_equal(lk_words_columns("gr\xc3\xbc", SIZE_MAX), 3);
    assert_int_equal(lk_words_columns("\xe4\xb8\xad\xe6\x96\x87", SIZE_MAX), 4);
    assert_int_equal(lk_words_columns("e\xcc\x81", SIZE_MAX), 1);
    assert_int_equal(lk_words_columns("\xf0\x9f\x98\x80", SIZE_MAX), 2);
}

static void cutting_keeps_whole_characters(void **state)
{
    (void)state;
    assert_string_equal(lk_words_cut(a, "short", 10), "short");
    assert_string_equal(lk_words_cut(a, "0123456789", 10), "0123456789");
    assert_string_equal(lk_words_cut(a, "0123456789x", 10), "0123456...");
    assert_string_equal(lk_words_cut(a, "\xe4\xb8\xad\xe6\x96\x87\xe5\xad\x97", 5),
                        "\xe4\xb8\xad...");
    assert_string_equal(lk_words_cut(a, "\xff\xff\xff\xff", 8), "\\xff\\...");
}

static void every_enumerator_has_its_name(void **state)
{
    (void)state;
    for (int i = 0; i < LK_TS_UNKNOWN; i++)
        assert_string_not_equal(lk_words_thread_state_name((enum lk_thread_state)i), "unknown");
    for (int i = 0; i <= LK_WAIT_READY; i++)
        if (i != LK_WAIT_UNKNOWN)
            assert_string_not_equal(lk_words_wait_kind((enum lk_wait_kind)i), "unknown");
    for (int i = 0; i < LK_LOOP_UNKNOWN; i++)
        assert_string_not_equal(lk_words_loop_run((enum lk_loop_run)i), "unknown");
    for (int i = 0; i < LK_EXT_UNKNOWN; i++)
        assert_string_not_equal(lk_words_extern_kind((enum lk_extern_kind)i), "unknown");
    for (int i = LK_OS_FUTEX; i < LK_OS_OTHER; i++)
        assert_string_not_equal(lk_words_os_wait((enum lk_os_wait)i), "other");
    assert_null(lk_words_future_state(LK_FUTURE_STATE_UNKNOWN));
    assert_string_equal(lk_words_future_state(LK_FUTURE_CANCELLED), "cancelled");
    assert_string_equal(lk_words_task_state(LK_TASK_CANCELLED), "done");
    assert_string_equal(lk_words_owner_by(LK_OWNER_VALUE_STACK), "value-stack");
}

static void values_out_of_range_are_unknown(void **state)
{
    (void)state;
    assert_string_equal(lk_words_thread_state_name((enum lk_thread_state)99), "unknown");
    assert_string_equal(lk_words_wait_kind((enum lk_wait_kind) - 1), "unknown");
    assert_string_equal(lk_words_read((enum lk_read)77), "racy");
    assert_string_equal(lk_words_role((enum lk_role)77), "other");
    assert_string_equal(lk_words_os_wait((enum lk_os_wait)77), "other");
    assert_non_null(lk_sentence_confidence((enum lk_confidence)9));
}

static void states_follow_the_wait(void **state)
{
    static const struct {
        struct lk_thread t;
        bool blamed;
        enum lk_thread_state want;
    } rows[] = {
        { { .kstate = 'T', .wait.kind = LK_WAIT_FUTURE }, false, LK_TS_STOPPED },
        { { .kstate = 't', .running = true }, false, LK_TS_RUNNING },
        { { .kstate = 'S', .wait.kind = LK_WAIT_FUTURE }, false, LK_TS_FUTURE_WAIT },
        { { .kstate = 'S', .wait.kind = LK_WAIT_SELECTOR }, false, LK_TS_LOOP_IDLE },
        { { .kstate = 'S', .wait.kind = LK_WAIT_EVENT }, false, LK_TS_PARKED },
        { { .kstate = 'S', .wait.kind = LK_WAIT_EVENT }, true, LK_TS_LOCK_WAIT },
        { { .kstate = 'S', .wait.kind = LK_WAIT_SIGNAL }, false, LK_TS_PARKED },
        { { .kstate = 'S', .wait.kind = LK_WAIT_IO, .os.listening = true }, false, LK_TS_PARKED },
        { { .kstate = 'S', .wait.kind = LK_WAIT_IO }, false, LK_TS_IO_WAIT },
        { { .kstate = 'S', .wait.kind = LK_WAIT_NONE }, false, LK_TS_UNKNOWN },
        { { .kstate = 'R', .wait.kind = LK_WAIT_NONE }, false, LK_TS_RUNNING },
        { { .kstate = 'S', .wait.kind = LK_WAIT_NONE, .os.on = LK_OS_SELECTOR },
          false,
          LK_TS_IO_WAIT },
        { { .kstate = 'S', .wait.kind = LK_WAIT_NONE, .os.on = LK_OS_TIMER }, false, LK_TS_SLEEP },
        { { .kstate = 'S', .wait.kind = LK_WAIT_NONE, .os.on = LK_OS_SOCKET, .os.listening = true },
          false,
          LK_TS_PARKED },
        { { .kstate = 'S', .wait.kind = LK_WAIT_NONE, .os.on = LK_OS_FUTEX }, false, LK_TS_PARKED },
        { { .kstate = 'S', .wait.kind = LK_WAIT_UNKNOWN, .os.on = LK_OS_FUTEX },
          false,
          LK_TS_UNKNOWN },
        { { .kstate = 'S', .wait.kind = LK_WAIT_UNKNOWN, .os.on = LK_OS_SOCKET },
          false,
          LK_TS_IO_WAIT },
        { { .kstate = 'S', .wait.kind = LK_WAIT_GIL }, false, LK_TS_GIL_WAIT },
        { { .kstate = 'S', .wait.kind = LK_WAIT_JOIN }, false, LK_TS_JOIN },
    };
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++)
        assert_int_equal(lk_words_thread_state(&rows[i].t, rows[i].blamed), rows[i].want);
}

static void commands_lose_what_is_known_first(void **state)
{
    struct lk_snapshot s = { .cwd = "/srv/shop", .comm = "python3", .n_cmdline = 3 };
    char *words[] = { "/usr/bin/python3", "/srv/shop/app.py", "/srv/shop" };
    (void)state;
    s.cmdline = words;
    assert_string_equal(lk_sentence_command(a, &s, 80),
                        "/usr/bin/python3 /srv/shop/app.py /srv/shop");
    assert_string_equal(lk_sentence_command(a, &s, 40), "python3 app.py /srv/shop");
    assert_string_equal(lk_sentence_command(a, &s, 20), "python3 app.py /s...");
    s.n_cmdline = 0;
    assert_string_equal(lk_sentence_command(a, &s, 20), "python3");
}

static void frames_lose_their_first_folders(void **state)
{
    struct lk_code code = { .file = "/usr/lib/python3/dist-packages/flask/app.py",
                            .function = "run",
                            .qualname = "Flask.run" };
    struct lk_pyframe f = { .code = &code, .line = 7 };
    (void)state;
    assert_string_equal(lk_sentence_frame(a, &f, 0),
                        "/usr/lib/python3/dist-packages/flask/app.py:7 in Flask.run");
    assert_string_equal(lk_sentence_frame(a, &f, 58),
                        "/usr/lib/python3/dist-packages/flask/app.py:7 in Flask.run");
    assert_string_equal(lk_sentence_frame(a, &f, 57),
                        ".../lib/python3/dist-packages/flask/app.py:7 in Flask.run");
    assert_string_equal(lk_sentence_frame(a, &f, 40), ".../flask/app.py:7 in Flask.run");
    assert_string_equal(lk_sentence_frame(a, &f, 1), ".../app.py:7 in Flask.run");
    code.file = "<frozen importlib._bootstrap>";
    assert_string_equal(lk_sentence_frame(a, &f, 10),
                        "<frozen importlib._bootstrap>:7 in Flask.run");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_lose_what_is_known_first),
        cmocka_unit_test(frames_lose_their_first_folders),
        cmocka_unit_test(durations_are_rounded_down),
        cmocka_unit_test(counts_have_commas_and_plurals),
        cmocka_unit_test(safe_text_is_left_alone),
        cmocka_unit_test(unsafe_text_is_escaped),
        cmocka_unit_test(columns_count_wide_and_combining),
        cmocka_unit_test(cutting_keeps_whole_characters),
        cmocka_unit_test(every_enumerator_has_its_name),
        cmocka_unit_test(values_out_of_range_are_unknown),
        cmocka_unit_test(states_follow_the_wait),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
