/* Names as compilers make them (c++filt and rustc print the same), and names made to be large. */
#include "read/native/elf/demangle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *mangled, const char *text, bool rust)
{
    char name[512];
    strcpy(name, mangled);
    assert_int_equal(lk_demangle(name, sizeof name), rust);
    assert_string_equal(name, text);
}

static void names(void **state)
{
    (void)state;
    check("_ZNSt5mutex4lockEv", "std::mutex::lock()", false);
    check("_ZN4core3fmt5write17h8f847b56a0123456E", "core::fmt::write::h8f847b56a0123456", false);
    check("_RNvMNtNtCsjrHSEGnQ3l9_3std3sys5mutexNtB2_5Mutex4lock", "<std::sys::mutex::Mutex>::lock",
          true);
    check("_RNvCs1234_3app4take", "app::take", true);
    check("main", "main", false);
    check("_Z", "_Z", false);
    check("_R", "_R", false);
    check("_RNvC3ap", "_RNvC3ap", false);
    check("_Reset", "_Reset", false);
}

static void what_does_not_fit_is_cut(void **state)
{
    char name[10] = "_Z3foov";
    (void)state;
    lk_demangle(name, 4);
    assert_string_equal(name, "foo");
}

/* Each level names the one before it twice. */
static void doubling_stays_mangled(void **state)
{
    char name[512] = "_RNvC1a1b", before[512];
    (void)state;
    for (int i = 0; i < 40; i++)
        strcat(name, "TB0_B0_E");
    strcpy(before, name);
    assert_false(lk_demangle(name, sizeof name));
    assert_string_equal(name, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(what_does_not_fit_is_cut),
        cmocka_unit_test(doubling_stays_mangled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
