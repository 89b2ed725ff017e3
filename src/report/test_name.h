/*
 * Which test a process runs, as far as its Python frames, its environment and the command lines
 * around it tell. pytest: PYTEST_CURRENT_TEST, which it sets in its own environment, else the
 * function called by pytest_pyfunc_call. unittest: the method called by TestCase._callTestMethod,
 * and what TestCase.run says while it sets up and tears down. ctest, go test, node --test: the
 * command lines.
 */
#ifndef LK_REPORT_TEST_NAME_H
#define LK_REPORT_TEST_NAME_H

#include "report/enum_names.h"

struct lk_test {
    /* "tests.test_app.TestApi", "test_get[json]", as pytest's own JUnit report has them */
    const char *group, *name;
    const char *told_by;
    const char *phase; /* "setup", "teardown"; NULL: the test itself, or not known */
};

/** The test that this process itself runs: its environment, if it has set it, then its frames. */
bool lk_test_own(struct lk_arena *a, const struct lk_snapshot *s, struct lk_test *ret);
/** "tests/test_app.py::test_get (call)" as pytest has it, else "test_get of tests.test_app"; NULL
 * where lk_test_find() finds none. */
const char *lk_sentence_test(struct lk_arena *a, const struct lk_report *reports, size_t n,
                             size_t i);
/** The same as lk_test_own(), else that of the nearest ancestor among the reports, else the
 * environment it inherited, else command lines. */
bool lk_test_find(struct lk_arena *a, const struct lk_report *reports, size_t n, size_t i,
                  struct lk_test *ret);

#endif
