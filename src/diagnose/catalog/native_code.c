/*
 * Native code as the system's, a wrapper's, a library's or the project's, by file, module and name.
 * Facts: debug information names each file as the compiler was given it, below its working folder;
 * headers lie where gcc and clang look for them (cpp -v), Rust's own library below /rustc, or below
 * the folder that its crates were built in. Without it, demangled names tell (Itanium C++ ABI,
 * "Mangling"): a template's begins with what it returns.
 */
#include "diagnose/catalog/native_code.h"

#include <string.h>

#include "diagnose/catalog/frames.h"
#include "diagnose/catalog/match.h"
#include "util/text.h"

/* Folders of headers and of what compilers bring along: part of a path, or its beginning. */
static const char *const header_folders[] = { "/usr/include/",     "/usr/local/include/",
                                              "/usr/lib/gcc/",     "/usr/lib/llvm",
                                              "/usr/lib/clang/",   "/rustc/",
                                              "/usr/lib/rustlib/", "library/std/src/",
                                              "library/core/src/", "library/alloc/src/",
                                              "library/test/src/" };
static const char *const header_parts[] = { "/include/c++/", "/rustlib/src/" };
/* Sources of packages that were built with the program, as below site-packages. */
static const char *const package_parts[] = { "/.cargo/registry/", "/.conan/", "/vcpkg/",
                                             "/node_modules/" };

static bool holds_any(const char *path, const char *const *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strstr(path, parts[i]))
            return true;
    return false;
}

static bool is_header(const char *file)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(header_folders); i++)
        if (lk_starts_with(file, header_folders[i]))
            return true;
    return holds_any(file, header_parts, LK_ARRAY_LEN(header_parts));
}

/* Past what a template returns: "void std::f<int>(int)"; brackets may hold blanks. */
static const char *begin_of_name(const char *s)
{
    static const char anonymous[] = "(anonymous namespace)";
    const char *begin = s;
    int depth = 0;
    for (; *s; s++) {
        if (!depth && lk_starts_with(s, anonymous))
            s += sizeof anonymous - 2;
        else if (!depth && (*s == '(' || lk_starts_with(s, "operator")))
            break;
        else if (*s == '<' || *s == '{' || *s == '(' || *s == '[')
            depth++;
        else if (*s == '>' || *s == '}' || *s == ')' || *s == ']')
            depth -= depth > 0;
        else if (*s == ' ' && !depth)
            begin = s + 1;
    }
    return begin;
}

/* Of Rust's own crates: mangled (v0: the crate's name with its length), demangled, or as the older
 * scheme has it, which ends in a hash. */
static bool is_rust_library(const char *name, bool demangled)
{
    static const char *const mangled[] = { "_3std", "_4core", "_5alloc", "_4test" };
    static const char *const begins[] = {
        "std::",       "core::",       "alloc::", "test::",  "_$LT$std..",
        "_$LT$core..", "_$LT$alloc..", "<std::",  "<core::", "<alloc::"
    };
    enum { HASH = 16 };
    const size_t n = strlen(name);
    if (lk_starts_with(name, "_R"))
        return holds_any(name, mangled, LK_ARRAY_LEN(mangled));
    if (!demangled && (n < HASH + 3 || !lk_starts_with(name + n - HASH - 3, "::h") ||
                       strspn(name + n - HASH, "0123456789abcdef") != HASH))
        return false;
    for (size_t i = 0; i < LK_ARRAY_LEN(begins); i++)
        if (lk_starts_with(name, begins[i]))
            return true;
    return false;
}

static bool is_wrapper(const struct lk_natframe *f)
{
    if (f->function && is_rust_library(f->function, f->rust))
        return true;
    if (f->file && is_header(f->file))
        return true;
    return lk_pattern_is_native_wrapper(f->function ? begin_of_name(f->function) : NULL, f->module);
}

/* The link's text has " (deleted)" behind it when it is (proc(5)); a module's path never. */
static bool is_program(const struct lk_natframe *f, const char *exe)
{
    const size_t n = f->module_path ? strlen(f->module_path) : 0;
    return n && exe && strncmp(exe, f->module_path, n) == 0 &&
           (!exe[n] || strcmp(exe + n, " (deleted)") == 0);
}

enum lk_native_code lk_native_code_of(const struct lk_natframe *f, const char *exe)
{
    if (f->system)
        return LK_NATIVE_SYSTEM;
    if (is_wrapper(f))
        return LK_NATIVE_WRAPPER;
    if (f->file && holds_any(f->file, package_parts, LK_ARRAY_LEN(package_parts)))
        return LK_NATIVE_LIBRARY;
    if (f->file && !lk_starts_with(f->file, "/usr/"))
        return LK_NATIVE_PROJECT;
    return is_program(f, exe) ? LK_NATIVE_PROJECT : LK_NATIVE_LIBRARY;
}

bool lk_native_is_evaluation(const char *function)
{
    return lk_starts_with(function, "_PyEval_") || lk_starts_with(function, "PyEval_");
}

/* Rust's libtest runs each test in a thread of its own (library/test/src/lib.rs, test_main). */
bool lk_native_runs_tests(const struct lk_natstack *st)
{
    static const char *const runners[] = { "_4test9test_main", "test::test_main" };
    for (size_t i = 0; st && i < st->n; i++)
        if (st->frames[i].function &&
            holds_any(st->frames[i].function, runners, LK_ARRAY_LEN(runners)))
            return true;
    return false;
}

/* Of a stack that is all the system's: the nearest function with a name outside of the library that
 * blocks. */
static const struct lk_natframe *caller_of_system(const struct lk_natstack *st)
{
    for (size_t i = 1; i < st->n; i++) {
        const struct lk_natframe *f = &st->frames[i];
        if (f->function && f->module && st->frames[0].module &&
            strcmp(f->module, st->frames[0].module) != 0)
            return f;
    }
    return &st->frames[0];
}

const struct lk_natframe *lk_native_culprit(const struct lk_natstack *st, const char *exe)
{
    const struct lk_natframe *best = NULL;
    int most = 2 * LK_NATIVE_SYSTEM + 1;
    for (size_t i = 0; st && i < st->n; i++) {
        const struct lk_natframe *f = &st->frames[i];
        /* A library that was linked into the program (musl) has no lines where that has. */
        const int rank = 2 * (int)lk_native_code_of(f, exe) + (f->file != NULL);
        if (rank > most) {
            most = rank;
            best = f;
        }
    }
    return best || !st || !st->n ? best : caller_of_system(st);
}
