/*
 * Test names by what each runner makes visible: pytest's PYTEST_CURRENT_TEST and unittest's frames
 * (the sources stand at the tables), the command lines of ctest, go test and node --test, the
 * frames of Rust's tests.
 */
#include "report/test_name.h"

#include <string.h>

#include "diagnose/catalog/native_code.h"
#include "report/paths.h"
#include "util/text.h"

#define MAX_ANCESTORS   64
#define COMMAND_COLUMNS 160

/* ---- names ----------------------------------------------------------------------------------- */

/* "tests/test_app.py" as the module it is imported as. */
static const char *dotted(struct lk_arena *a, const char *file, size_t n)
{
    if (n > 3 && strncmp(file + n - 3, ".py", 3) == 0)
        n -= 3;
    char *s = lk_arena_strndup(a, file, n);
    for (char *c = s; *c; c++)
        if (*c == '/')
            *c = '.';
    return s;
}

/*
 * A pytest node id and phase: "tests/test_app.py::TestApi::test_get[a::b] (call)"
 * (_pytest/runner.py, _update_current_test_var). What stands in brackets are parameters, which may
 * hold anything.
 */
static bool parse_node_id(struct lk_arena *a, const char *text, struct lk_test *ret)
{
    static const struct {
        const char *end, *phase;
    } phases[] = { { " (setup)", "setup" }, { " (call)", NULL }, { " (teardown)", "teardown" } };
    const char *safe = lk_words_safe(a, text);
    size_t n = strlen(safe);
    ret->phase = NULL;
    for (size_t i = 0; i < LK_ARRAY_LEN(phases); i++)
        if (lk_ends_with(safe, phases[i].end)) {
            n = strlen(safe) - strlen(phases[i].end);
            ret->phase = phases[i].phase;
        }
    const char *id = lk_arena_strndup(a, safe, n);
    const char *file_end = strstr(id, "::");
    if (!file_end || file_end == id)
        return false;
    const char *bracket = strchr(file_end, '['), *name = file_end + 2, *next;
    while ((next = strstr(name, "::")) && (!bracket || next < bracket))
        name = next + 2;
    if (!*name)
        return false;
    ret->group = dotted(a, id, (size_t)(file_end - id));
    if (name > file_end + 2) {
        /* The classes between file and function. */
        struct lk_strbuf b = { 0 };
        lk_strbuf_puts(&b, ret->group);
        for (const char *c = file_end + 2; c < name; c = strstr(c, "::") + 2)
            lk_strbuf_printf(&b, ".%.*s", (int)(strstr(c, "::") - c), c);
        ret->group = lk_arena_strdup(a, b.s);
        lk_strbuf_deinit(&b);
    }
    ret->name = name;
    return true;
}

/* A function as the runners would name it: module (and class) of it, and its own name. */
static bool name_of_code(struct lk_arena *a, const struct lk_snapshot *s,
                         const struct lk_code *code, struct lk_test *ret)
{
    const char *q = lk_words_safe(a, code->qualname ? code->qualname : code->function);
    const char *last = strrchr(q, '.');
    const char *path = lk_ci_path(a, s, code->file), *below = lk_ci_below(s->cwd, path);
    const char *file = below ? below : lk_base_name(path);
    ret->phase = NULL;
    ret->group = dotted(a, file, strlen(file));
    if (last)
        ret->group = lk_arena_printf(a, "%s.%.*s", ret->group, (int)(last - q), q);
    ret->name = last ? last + 1 : q;
    return *ret->name != '\0';
}

/* ---- frames ---------------------------------------------------------------------------------- */

/* The functions that call a test and what belongs to it, in each runner: _pytest/python.py,
 * unittest/case.py and unittest/async_case.py. */
static const struct caller {
    const char *function, *file, *runner, *phase;
} callers[] = {
    { "pytest_pyfunc_call", "/_pytest/python.py", "the frames of pytest", NULL },
    { "_callTestMethod", "/unittest/case.py", "the frames of unittest", NULL },
    { "_callTestMethod", "/unittest/async_case.py", "the frames of unittest", NULL },
    { "_callSetUp", "/unittest/case.py", "the frames of unittest", "setup" },
    { "_callSetUp", "/unittest/async_case.py", "the frames of unittest", "setup" },
    { "_callTearDown", "/unittest/case.py", "the frames of unittest", "teardown" },
    { "_callTearDown", "/unittest/async_case.py", "the frames of unittest", "teardown" },
    { "_callCleanup", "/unittest/case.py", "the frames of unittest", "teardown" },
    { "_callCleanup", "/unittest/async_case.py", "the frames of unittest", "teardown" },
};

static const struct caller *caller_of(const struct lk_code *c)
{
    for (size_t i = 0; c && c->function && c->file && i < LK_ARRAY_LEN(callers); i++)
        if (strcmp(c->function, callers[i].function) == 0 && lk_ends_with(c->file, callers[i].file))
            return &callers[i];
    return NULL;
}

static bool is_named_test(const struct lk_code *c)
{
    return c->function && strncmp(c->function, "test", 4) == 0;
}

/*
 * The test among the `end` innermost frames: the outermost one that is named as both runners want
 * it, else the outermost user function. Wrappers (mock.patch, plugins for async tests) may stand
 * between caller and test.
 */
static const struct lk_code *test_within(const struct lk_pystack *st, size_t end)
{
    const struct lk_code *user = NULL;
    for (size_t i = end; i-- > 0;) {
        const struct lk_code *c = st->frames[i].code;
        if (!c || c->cls == LK_CODE_STDLIB || c->cls == LK_CODE_FRAMEWORK || c->site)
            continue;
        if (is_named_test(c))
            return c;
        if (!user && c->cls == LK_CODE_USER)
            user = c;
    }
    return user;
}

/* The loop may run for a future that a task sets. */
static const struct lk_task *driven_task(const struct lk_snapshot *s, struct lk_ref drives)
{
    const struct lk_future *f = lk_future_at(s, drives);
    return lk_task_at(s, f && f->enders.n == 1 ? f->enders.v[0] : drives);
}

static bool name_of_unit_test(struct lk_arena *a, const struct lk_snapshot *s, const char *phase,
                              struct lk_test *ret)
{
    if (!s->unit_test.name || !s->unit_test.group)
        return false;
    ret->group = lk_words_safe(a, s->unit_test.group);
    ret->name = lk_words_safe(a, s->unit_test.name);
    ret->phase = phase;
    return true;
}

static bool test_of_thread(struct lk_arena *a, const struct lk_snapshot *s,
                           const struct lk_thread *t, struct lk_test *ret)
{
    const struct lk_pystack *st = t->python_stack;
    for (size_t i = 0; st && i < st->n; i++) {
        const struct caller *by = caller_of(st->frames[i].code);
        if (!by)
            continue;
        const struct lk_code *c = by->phase ? NULL : test_within(st, i);
        /* An asynchronous test that awaits is the task for which the loop runs. */
        const struct lk_task *k = driven_task(s, t->drives);
        if (!c && !by->phase && k && k->stack)
            c = test_within(k->stack, k->stack->n);
        ret->told_by = by->runner;
        return c ? name_of_code(a, s, c, ret) : t->main && name_of_unit_test(a, s, by->phase, ret);
    }
    return false;
}

static bool test_of_frames(struct lk_arena *a, const struct lk_snapshot *s, struct lk_test *ret)
{
    for (int main_thread = 1; main_thread >= 0; main_thread--)
        for (size_t i = 0; i < s->threads.n; i++)
            if (s->threads.v[i].main == (main_thread == 1) &&
                test_of_thread(a, s, &s->threads.v[i], ret))
                return true;
    return false;
}

/* ---- command lines --------------------------------------------------------------------------- */

static const char *argument(const struct lk_snapshot *s, size_t i)
{
    return i < s->n_cmdline && s->cmdline[i] ? s->cmdline[i] : "";
}

static const char *program(const struct lk_snapshot *s)
{
    return lk_base_name(argument(s, 0));
}

static const char *joined(struct lk_arena *a, const struct lk_snapshot *s)
{
    struct lk_strbuf b = { 0 };
    for (size_t i = 0; i < s->n_cmdline; i++)
        lk_strbuf_printf(&b, "%s%s", i ? " " : "", lk_words_safe(a, argument(s, i)));
    const char *ret = lk_words_cut(a, lk_arena_strdup(a, b.s ? b.s : "?"), COMMAND_COLUMNS);
    lk_strbuf_deinit(&b);
    return ret;
}

/* ctest tells its tests nothing of their names: the command of the child it started is what is
 * known. */
static bool of_ctest(struct lk_arena *a, const struct lk_snapshot *s,
                     const struct lk_snapshot *parent, struct lk_test *ret)
{
    if (!parent || strcmp(program(parent), "ctest") != 0)
        return false;
    *ret = (struct lk_test){ .group = "ctest",
                             .name = joined(a, s),
                             .told_by = "the command that ctest started" };
    return true;
}

/* "go test" builds PACKAGE.test and starts it with -test. flags (go help test); -test.run=^Name$
 * names a single test. */
static bool of_go(struct lk_arena *a, const struct lk_snapshot *s, const struct lk_snapshot *parent,
                  struct lk_test *ret)
{
    const char *name = program(s), *run = NULL;
    bool flags = false;
    (void)parent;
    for (size_t i = 1; i < s->n_cmdline; i++) {
        flags |= lk_starts_with(argument(s, i), "-test.");
        if (lk_starts_with(argument(s, i), "-test.run=^"))
            run = argument(s, i) + strlen("-test.run=^");
    }
    const size_t n = strlen(name);
    if (n < 6 || !lk_ends_with(name, ".test") || !flags)
        return false;
    const char *package = lk_arena_strndup(a, name, n - 5);
    *ret = (struct lk_test){ .group = "go test",
                             .name = package,
                             .told_by = "the command line of go test" };
    if (run &&
        run[strspn(run, "0123456789_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] ==
            '$' &&
        lk_ends_with(run, "$"))
        *ret = (struct lk_test){ .group = package,
                                 .name = lk_arena_strndup(a, run, strlen(run) - 1),
                                 .told_by = ret->told_by };
    return true;
}

/* "crate::module::test::{closure}::h0123456789abcdef" to "crate", "module::test"; false: no such
 * name. */
static bool parse_rust_name(struct lk_arena *a, const char *function, struct lk_test *ret)
{
    enum { HASH = 16 };
    char *name = lk_arena_strdup(a, function), *cut = strstr(name, "::_$u7b$"), *colons;
    const size_t n = strlen(name);
    if (cut)
        *cut = '\0';
    else if (n > HASH + 3 && lk_starts_with(name + n - HASH - 3, "::h"))
        name[n - HASH - 3] = '\0';
    if (!(colons = strstr(name, "::")) || strchr(name, '<'))
        return false;
    *colons = '\0';
    *ret = (struct lk_test){ .group = lk_words_safe(a, name),
                             .name = lk_words_safe(a, colons + 2),
                             .told_by = "the frames of Rust's test runner" };
    return *ret->name != '\0';
}

/* The outermost function of the program's own in the first thread that has one. */
static bool of_rust(struct lk_arena *a, const struct lk_snapshot *s,
                    const struct lk_snapshot *parent, struct lk_test *ret)
{
    bool runs_tests = false;
    (void)parent;
    for (size_t i = 0; i < s->threads.n; i++)
        runs_tests |= s->threads.v[i].main && lk_native_runs_tests(s->threads.v[i].native_stack);
    for (size_t i = 0; runs_tests && i < s->threads.n; i++) {
        const struct lk_thread *t = &s->threads.v[i];
        for (size_t k = t->native_stack && !t->main ? t->native_stack->n : 0; k-- > 0;) {
            const struct lk_natframe *f = &t->native_stack->frames[k];
            if (f->function && f->file && lk_native_code_of(f, s->exe) == LK_NATIVE_PROJECT)
                return parse_rust_name(a, f->function, ret);
        }
    }
    return false;
}

static bool is_node(const struct lk_snapshot *s)
{
    return strcmp(program(s), "node") == 0 || strcmp(program(s), "nodejs") == 0;
}

/* "node --test" starts a process for each test file, whose last argument that is no option is that
 * file. */
static bool of_node(struct lk_arena *a, const struct lk_snapshot *s,
                    const struct lk_snapshot *parent, struct lk_test *ret)
{
    bool runner = false;
    const char *file = NULL;
    for (size_t i = 1; parent && is_node(parent) && i < parent->n_cmdline; i++)
        runner |= strcmp(argument(parent, i), "--test") == 0;
    for (size_t i = 1; runner && is_node(s) && i < s->n_cmdline; i++)
        if (*argument(s, i) != '-')
            file = argument(s, i);
    if (!file)
        return false;
    const char *path = lk_ci_path(a, s, file), *below = lk_ci_below(s->cwd, path);
    *ret = (struct lk_test){ .group = "node",
                             .name = below ? below : path,
                             .told_by = "the command line of node --test" };
    return true;
}

static bool (*const runners[])(struct lk_arena *, const struct lk_snapshot *,
                               const struct lk_snapshot *, struct lk_test *) = {
    of_rust,
    of_ctest,
    of_go,
    of_node,
};

/* ---- the whole ------------------------------------------------------------------------------- */

bool lk_test_own(struct lk_arena *a, const struct lk_snapshot *s, struct lk_test *ret)
{
    if (s->test_env && s->test_env_own && parse_node_id(a, s->test_env, ret)) {
        ret->told_by = "PYTEST_CURRENT_TEST";
        return true;
    }
    return test_of_frames(a, s, ret);
}

static const struct lk_snapshot *parent_of(const struct lk_report *reports, size_t n,
                                           const struct lk_snapshot *s)
{
    for (size_t i = 0; i < n; i++)
        if (reports[i].snap->pid == s->ppid && reports[i].snap != s)
            return reports[i].snap;
    return NULL;
}

bool lk_test_find(struct lk_arena *a, const struct lk_report *reports, size_t n, size_t i,
                  struct lk_test *ret)
{
    const struct lk_snapshot *s = reports[i].snap, *line[MAX_ANCESTORS] = { s };
    size_t depth = 1;
    while (depth < MAX_ANCESTORS && (line[depth] = parent_of(reports, n, line[depth - 1])))
        depth++;
    for (size_t k = 0; k < depth; k++)
        if (lk_test_own(a, line[k], ret))
            return true;
    if (s->test_env && parse_node_id(a, s->test_env, ret)) {
        ret->told_by = "PYTEST_CURRENT_TEST as it was when the process began";
        return true;
    }
    for (size_t k = 0; k < depth; k++)
        for (size_t r = 0; r < LK_ARRAY_LEN(runners); r++)
            if (runners[r](a, line[k], k + 1 < depth ? line[k + 1] : NULL, ret))
                return true;
    return false;
}

const char *lk_sentence_test(struct lk_arena *a, const struct lk_report *reports, size_t n,
                             size_t i)
{
    struct lk_test t = { 0 };
    const struct lk_snapshot *s = reports[i].snap;
    if (!lk_test_find(a, reports, n, i, &t))
        return NULL;
    if (s->test_env && s->test_env_own)
        return lk_words_safe(a, s->test_env);
    return lk_arena_printf(a, "%s of %s%s%s%s", lk_words_safe(a, t.name), lk_words_safe(a, t.group),
                           t.phase ? " (" : "", t.phase ? t.phase : "", t.phase ? ")" : "");
}
