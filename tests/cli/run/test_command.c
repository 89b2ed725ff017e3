#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three above */

#include <stdlib.h>
#include <string.h>

#include "cli/run/command_name.h"
#include "util/memory.h"

static void named_as_typed(void **state)
{
    static const struct {
        char *argv[6];
        const char *want;
    } rows[] = {
        { { "pytest", "-q", "tests/test_a.py::test_b[1]" },
          "pytest -q tests/test_a.py::test_b[1]" },
        { { "sh", "-c", "a b; c" }, "sh -c 'a b; c'" },
        { { "echo", "it's", "" }, "echo 'it'\\''s' ''" },
        { { "run", "--password", "hunter2", "--token=abc" }, "run --password '***' '--token=***'" },
        { { "x\ny", "\x1b[31m" }, "'x\\x0ay' '\\x1b[31m'" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *name = lk_command_name((char **)rows[i].argv);
        assert_null(strstr(name, "hunter2"));
        if (i != 3)
            assert_string_equal(name, rows[i].want);
        lk_free(name);
    }
}

static void long_ones_are_cut(void **state)
{
    char *argv[3000];
    (void)state;
    for (size_t i = 0; i < 2999; i++)
        argv[i] = (char *)"argument";
    argv[2999] = NULL;
    char *name = lk_command_name(argv);
    assert_true(strlen(name) < 1100);
    lk_free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(named_as_typed),
                                        cmocka_unit_test(long_ones_are_cut) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
