/* The text of the lines that frames stand at: whichever file and line, in whatever order, and what
 * is not there stays unknown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "examine/sample/source_lines.h"
#include "snapshot/builder.h"

static const struct {
    const char *path, *text;
} files[] = {
    { "/srv/app.py", "import a\n\n    def f():  \n\treturn 1\r\nlast\n" },
    { "/srv/other.py", "only\nunfinished" },
    { "/srv/empty.py", "" },
};

static unsigned opened;

static int open_path(void *impl, const char *path, struct lk_error *err)
{
    (void)impl, (void)err;
    for (size_t i = 0; i < LK_ARRAY_LEN(files); i++) {
        if (strcmp(files[i].path, path) != 0)
            continue;
        const size_t n = strlen(files[i].text);
        const int fd = memfd_create("source", MFD_CLOEXEC);
        opened++;
        assert_int_equal(pwrite(fd, files[i].text, n, 0), (ssize_t)n);
        return fd;
    }
    return -1;
}

static size_t read_nothing(void *impl, lk_addr addr, void *buf, size_t n)
{
    (void)impl, (void)addr, (void)buf, (void)n;
    return 0;
}

static void destroy_nothing(void *impl)
{
    (void)impl;
}

static const struct lk_process_ops ops = { .read = read_nothing,
                                           .open_path = open_path,
                                           .destroy = destroy_nothing };

static const struct {
    const char *file;
    int line;
    enum lk_code_class cls;
    const char *source;
} rows[] = {
    { "/srv/app.py", 4, LK_CODE_USER, "return 1" },
    { "/srv/other.py", 2, LK_CODE_USER, "unfinished" },
    { "/srv/app.py", 1, LK_CODE_USER, "import a" },
    { "/srv/app.py", 4, LK_CODE_USER, "return 1" },
    { "/srv/app.py", 3, LK_CODE_USER, "def f():" },
    { "/srv/app.py", 2, LK_CODE_USER, "" },
    { "/srv/app.py", 5, LK_CODE_USER, "last" },
    { "/srv/app.py", 6, LK_CODE_USER, NULL }, /* the file has changed since */
    { "/srv/app.py", INT32_MAX, LK_CODE_USER, NULL },
    { "/srv/app.py", 0, LK_CODE_USER, NULL },
    { "/srv/app.py", 1, LK_CODE_STDLIB, NULL }, /* not shown */
    { "/srv/other.py", 1, LK_CODE_USER, "only" },
    { "/srv/other.py", 3, LK_CODE_USER, NULL },
    { "/srv/empty.py", 1, LK_CODE_USER, NULL },
    { "/srv/missing.py", 1, LK_CODE_USER, NULL },
    { "<string>", 1, LK_CODE_USER, NULL },
};

static void test_lines(void **state)
{
    (void)state;
    struct lk_snapshot *s = lk_snapshot_create();
    struct lk_code code[LK_ARRAY_LEN(rows)] = { 0 };
    struct lk_pyframe frames[LK_ARRAY_LEN(rows)] = { 0 };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        code[i].file = rows[i].file;
        code[i].function = code[i].qualname = "f";
        code[i].cls = rows[i].cls;
        frames[i].code = &code[i];
        frames[i].line = rows[i].line;
    }
    struct lk_pystack *st = lk_snapshot_stack(s, frames, LK_ARRAY_LEN(rows), false);
    lk_snapshot_thread(s, 100, NULL);
    s->threads.v[0].python_stack = st;
    struct lk_process *t = lk_process_create(&ops, NULL);
    opened = 0;
    lk_sources_read(t, s);
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        if (rows[i].source)
            assert_string_equal(st->frames[i].source, rows[i].source);
        else
            assert_null(st->frames[i].source);
    }
    assert_int_equal(opened, LK_ARRAY_LEN(files)); /* each once */
    lk_process_destroy(t);
    lk_snapshot_destroy(s);
}

static int open_large(void *impl, const char *path, struct lk_error *err)
{
    enum { SIZE = 8 << 20, LINES = 4096 };
    static const char end[] = "  last\n";
    char lines[LINES];
    const int fd = memfd_create("source", MFD_CLOEXEC);
    (void)impl, (void)path, (void)err;
    opened++;
    memset(lines, '\n', sizeof lines);
    assert_int_equal(pwrite(fd, lines, sizeof lines, 0), LINES);
    assert_int_equal(ftruncate(fd, SIZE), 0); /* one long line of zeros */
    assert_int_equal(pwrite(fd, "\n", 1, SIZE - 1), 1);
    assert_int_equal(pwrite(fd, end, sizeof end - 1, SIZE), sizeof end - 1);
    return fd;
}

/* Many large files: as many as fit into the bound, and it is said that there were more. What stands
 * early in a file of any size costs no more than what is before it. */
static void test_large(void **state)
{
    enum { LINES = 4096, FILES = 20 };
    static const struct lk_process_ops large = { .read = read_nothing,
                                                 .open_path = open_large,
                                                 .destroy = destroy_nothing };
    struct lk_snapshot *s = lk_snapshot_create();
    struct lk_code code[2 * FILES] = { 0 };
    struct lk_pyframe frames[2 * FILES] = { 0 };
    char names[2 * FILES][16];
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < 2 * FILES; i++) {
        snprintf(names[i], sizeof names[i], "/srv/%zu.py", i);
        code[i].file = names[i];
        code[i].function = code[i].qualname = "f";
        code[i].cls = LK_CODE_USER;
        frames[i].code = &code[i];
        frames[i].line = i < FILES ? 2 : LINES + 2;
    }
    struct lk_pystack *st = lk_snapshot_stack(s, frames, 2 * FILES, false);
    lk_snapshot_thread(s, 100, NULL);
    s->threads.v[0].python_stack = st;
    struct lk_process *t = lk_process_create(&large, NULL);
    lk_sources_read(t, s);
    for (size_t i = 0; i < FILES; i++)
        assert_string_equal(st->frames[i].source, "");
    for (size_t i = FILES; i < 2 * FILES && st->frames[i].source; i++, n++)
        assert_string_equal(st->frames[i].source, "last");
    assert_in_range(n, 6, 8);
    assert_int_equal(s->limits.n, 1);
    lk_process_destroy(t);
    lk_snapshot_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines),
                                        cmocka_unit_test(test_large) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
