/* Which native frame is to blame: the program's own before what is linked to it, before headers,
 * loop libraries and wrappers, before the system's. */
#include "diagnose/catalog/native_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "util/base.h"

#define EXE "/usr/bin/app"

static void classes(void **state)
{
    static const struct {
        enum lk_native_code expected;
        const char *function, *module_path, *file;
    } rows[] = {
        /* by the source */
        { LK_NATIVE_PROJECT, "f", EXE, "/srv/app/main.cc" },
        { LK_NATIVE_PROJECT, "f", "/usr/lib/libown.so.1", "/home/me/own/own.c" },
        { LK_NATIVE_LIBRARY, "f", "/usr/lib/libcurl.so.4", "/usr/src/curl/lib/easy.c" },
        { LK_NATIVE_LIBRARY, "f", "/usr/lib/libcurl.so.4", NULL },
        { LK_NATIVE_WRAPPER, "f", EXE, "/usr/include/c++/12/bits/std_mutex.h" },
        { LK_NATIVE_WRAPPER, "f", EXE, "/usr/lib/llvm-14/lib/clang/14/include/x.h" },
        { LK_NATIVE_WRAPPER, "f", EXE, "/opt/gcc/include/c++/13/mutex" },
        { LK_NATIVE_WRAPPER, "f", EXE, "/rustc/90b35a62/library/std/src/sys/mutex.rs" },
        { LK_NATIVE_WRAPPER, "f", EXE, "library/std/src/sync/mpmc/mod.rs" },
        { LK_NATIVE_PROJECT, "f", EXE, "library/src/main.rs" },
        { LK_NATIVE_LIBRARY, "tokio::park", EXE,
          "/home/user/.cargo/registry/src/i/tokio-1/src/park.rs" },
        /* by the module alone */
        { LK_NATIVE_PROJECT, "f", EXE, NULL },
        { LK_NATIVE_PROJECT, NULL, EXE, NULL },
        /* by name */
        { LK_NATIVE_WRAPPER, "std::mutex::lock()", EXE, NULL },
        { LK_NATIVE_WRAPPER, "void std::condition_variable::wait<f()::{lambda(int)#1}>(x)", EXE,
          NULL },
        { LK_NATIVE_WRAPPER, "_ZNSt5mutex4lockEv", EXE, NULL },
        { LK_NATIVE_PROJECT, "void app::with<std::mutex>(std::mutex&)", EXE, NULL },
        { LK_NATIVE_PROJECT, "(anonymous namespace)::settle(std::mutex&)", EXE, NULL },
        { LK_NATIVE_PROJECT, "app::Lock::operator std::mutex&()", EXE, NULL },
        { LK_NATIVE_PROJECT, "main::{lambda()#1}::operator()() const", EXE, NULL },
        { LK_NATIVE_PROJECT, "(", EXE, NULL },
        { LK_NATIVE_WRAPPER, "_RNvMNtNtCsjrHSEGnQ3l9_3std3sys4sync5mutex4lock", EXE, NULL },
        { LK_NATIVE_PROJECT, "_RNvCs1234_3app4take", EXE, NULL },
        { LK_NATIVE_WRAPPER, "_RNvNtCs3mSbOeLENLV_4test7console17run_tests_console", EXE, NULL },
        { LK_NATIVE_WRAPPER, "core::ops::function::FnOnce::call_once::h8f847b56a0123456", EXE,
          NULL },
        { LK_NATIVE_PROJECT, "core::Scheduler::run()", EXE, NULL }, /* C++ */
        { LK_NATIVE_PROJECT, "app::take::h5cc098e87a5e4699", EXE, NULL },
        { LK_NATIVE_WRAPPER, "uv_mutex_lock", EXE, NULL },
        { LK_NATIVE_WRAPPER, "g_cond_wait", "/usr/lib/libglib-2.0.so.0", NULL },
        { LK_NATIVE_WRAPPER, "g_cond_wait", EXE, NULL },
        { LK_NATIVE_PROJECT, "g_settle", EXE, NULL },
        { LK_NATIVE_WRAPPER, NULL, "/usr/lib/libQt5Core.so.5", NULL },
        { LK_NATIVE_WRAPPER, "event_base_loop", "/usr/lib/libevent-2.1.so.7", NULL },
        { LK_NATIVE_WRAPPER, "event_base_loop", "/usr/lib/libevent-2.1.so.7",
          "/tmp/build/event.c" },
    };
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        struct lk_natframe f = { .function = rows[i].function,
                                 .module_path = rows[i].module_path,
                                 .module = strrchr(rows[i].module_path, '/') + 1,
                                 .file = rows[i].file };
        if (lk_native_code_of(&f, EXE) != rows[i].expected)
            fail_msg("row %zu: %d", i, lk_native_code_of(&f, EXE));
        f.system = true;
        assert_int_equal(lk_native_code_of(&f, EXE), LK_NATIVE_SYSTEM);
    }
    const struct lk_natframe f = { .module_path = EXE };
    assert_int_equal(lk_native_code_of(&f, EXE " (deleted)"), LK_NATIVE_PROJECT);
    assert_int_equal(lk_native_code_of(&f, EXE "2"), LK_NATIVE_LIBRARY);
    assert_int_equal(lk_native_code_of(&f, NULL), LK_NATIVE_LIBRARY);
}

/* Where the mangled name said Rust, the plain one is enough. */
static void names_of_rust(void **state)
{
    static const struct {
        enum lk_native_code expected;
        const char *function;
    } rows[] = {
        { LK_NATIVE_WRAPPER, "core::fmt::write" },
        { LK_NATIVE_WRAPPER, "<std::sync::Mutex<T>>::lock" },
        { LK_NATIVE_WRAPPER, "test::console::run_tests_console" },
        { LK_NATIVE_PROJECT, "<app::Take as core::fmt::Display>::fmt" },
        { LK_NATIVE_PROJECT, "app::take::<core::option::Option<u8>>" },
    };
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        const struct lk_natframe f = {
            .function = rows[i].function, .module_path = EXE, .module = "app", .rust = true
        };
        assert_int_equal(lk_native_code_of(&f, EXE), rows[i].expected);
    }
}

static void the_frame_to_blame(void **state)
{
    struct lk_natframe v[] = {
        { .function = "futex_wait", .module = "libc.so.6", .system = true },
        { .function = "uv_cond_wait",
          .module = "libuv.so.1",
          .module_path = "/usr/lib/libuv.so.1" },
        { .function = "dns_ask", .module = "libdns.so", .module_path = "/usr/lib/libdns.so" },
        { .function = "ask", .module = "app", .module_path = EXE },
        { .function = "main", .module = "app", .module_path = EXE },
        { .function = "_start", .module = "libc.so.6", .system = true },
    };
    struct lk_natstack s = { .n = LK_ARRAY_LEN(v), .frames = v };
    (void)state;
    assert_string_equal(lk_native_culprit(&s, EXE)->function, "ask");
    assert_string_equal(lk_native_culprit(&s, NULL)->function, "dns_ask");
    s.n = 2;
    assert_string_equal(lk_native_culprit(&s, EXE)->function, "uv_cond_wait");
    s.n = 1;
    assert_string_equal(lk_native_culprit(&s, EXE)->function, "futex_wait");
    v[1] = (struct lk_natframe){ .module = "python3.11", .system = true };
    v[2] = (struct lk_natframe){ .function = "take_gil", .module = "python3.11", .system = true };
    v[3] = v[5];
    s.n = 4; /* all of it the system's */
    assert_string_equal(lk_native_culprit(&s, EXE)->function, "take_gil");
    s.n = 0;
    assert_null(lk_native_culprit(&s, EXE));
    assert_null(lk_native_culprit(NULL, EXE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes),
        cmocka_unit_test(names_of_rust),
        cmocka_unit_test(the_frame_to_blame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
