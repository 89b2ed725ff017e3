/*
 * The signal handlers of a Python program. The C handler only notes that a signal came; the
 * interpreter calls what signal.signal() was given, in the main thread, also while that waits for a
 * lock or at a pipe.
 *
 * Facts: Modules/signalmodule.c (3.8 to 3.11, static Handlers[NSIG]) and
 * Include/internal/pycore_signal.h (3.12 to 3.15, _PyRuntime.signals.handlers[Py_NSIG]): an array
 * of {int tripped; PyObject *func}, func being int 0 for the default, int 1 for "ignored", None for
 * what Python did not install, NULL for number 0 alone. It has no symbol in a stripped build and is
 * found by that form, in the data of the file that has _PyRuntime. Modules/readline.c and curses
 * catch SIGWINCH in C, for the size of the terminal: that ends nobody's wait.
 */
#include "read/python/stdlib/signal_handlers.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "process/facts.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/method_calls.h"
#include "read/python/reader/reader.h"

enum {
    N_SIGNALS = 65,      /* Py_NSIG on Linux */
    MAX_DATA = 8 << 20,  /* of one file's .data and .bss */
    MAX_NAMES = 64,      /* of a handler that is looked through */
    MOSTLY_DEFAULT = 30, /* signals of 64 that no program handles */
    INTERNAL = 32,       /* SIGCANCEL and SIGSETXID, which glibc lets nobody handle: None */
};

struct row {
    uint64_t tripped; /* int, and padding that is 0 */
    uint64_t func;
};

static bool has_form(const struct row *r)
{
    const uint64_t none = r[INTERNAL].func, dfl = r[SIGKILL].func;
    int defaults = 0;
    if (r[0].func || r[0].tripped || !dfl || !none || dfl == none || r[SIGSTOP].func != dfl ||
        r[INTERNAL + 1].func != none)
        return false;
    for (int i = 1; i < N_SIGNALS; i++) {
        if (r[i].tripped > 1 || !r[i].func || r[i].func % 8)
            return false;
        defaults += r[i].func == dfl;
    }
    return defaults >= MOSTLY_DEFAULT;
}

/* The mapped data around the runtime's: .data of the file, and .bss, which follows it. */
static bool data_of_runtime(struct lk_py *py, lk_addr *from, lk_addr *to)
{
    size_t n = 0, at = 0;
    const struct lk_mapping *m = lk_process_maps(py->t, &n, NULL);
    while (m && at < n && !(m[at].start <= py->runtime && py->runtime < m[at].end))
        at++;
    if (!m || at == n)
        return false;
    size_t first = at, last = at;
    while (first && m[first - 1].end == m[first].start && m[first - 1].prot[1] == 'w')
        first--;
    while (last + 1 < n && m[last + 1].start == m[last].end && m[last + 1].prot[1] == 'w' &&
           m[last + 1].path[0] != '[')
        last++;
    *from = m[first].start;
    *to = m[last].end;
    return *to - *from <= MAX_DATA;
}

static lk_addr find_table(struct lk_py *py)
{
    lk_addr from, to;
    if (!data_of_runtime(py, &from, &to))
        return 0;
    const size_t n = (size_t)(to - from) / sizeof(uint64_t);
    uint64_t *words = lk_xmalloc(n * sizeof *words);
    lk_addr ret = 0;
    if (lk_read(py->t, from, words, n * sizeof *words))
        for (size_t i = 0; !ret && i + 2 * N_SIGNALS <= n; i++)
            if (!words[i] && !words[i + 1] && words[i + 2] <= 1 &&
                has_form((const struct row *)(words + i)))
                ret = from + i * sizeof *words;
    lk_free(words);
    return ret;
}

static lk_addr table_of(struct lk_py *py)
{
    const struct lk_key none = { 0 };
    lk_addr ret = 0;
    int why;
    if (lk_process_recall(py->t, LK_FACT_SIGNAL_TABLE, &none, NULL, &ret, &why))
        return why ? 0 : ret;
    lk_process_aside(py->t);
    ret = find_table(py);
    lk_process_aside_end(py->t);
    lk_process_keep(py->t, LK_FACT_SIGNAL_TABLE, &none, 0, &ret);
    return ret;
}

/* Names whose use ends nobody's wait: flags, logs, the end of the process. */
static bool is_harmless(const char *name)
{
    static const char *const names[] = {
        "sys",     "os",        "exit",      "_exit",       "SystemExit",   "KeyboardInterrupt",
        "signal",  "Signals",   "name",      "getpid",      "log",          "logger",
        "logging", "getLogger", "debug",     "info",        "warning",      "error",
        "print",   "stderr",    "traceback", "print_stack", "faulthandler", "dump_traceback",
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static bool may_act(struct lk_py *py, const struct lk_code *code)
{
    char name[LK_PY_MAX_STR];
    lk_addr names = lk_py_ptr(py, code->addr + py->layout.co_names);
    int64_t n = lk_py_kind(py, names) == LK_PYK_TUPLE ? lk_py_len(py, names) : -1;
    if (n < 0 || n > MAX_NAMES)
        return true;
    for (int64_t i = 0; i < n; i++)
        if (!lk_py_str_raw(py, lk_py_item(py, names, (size_t)i), name, sizeof name) ||
            !is_harmless(name))
            return true;
    return false;
}

/* Callables made in C (default_int_handler) end nobody's wait. */
bool lk_py_handler_is_own(struct lk_py *py, lk_addr callable)
{
    struct lk_pyframe f;
    lk_addr func, args;
    if (lk_py_partial(py, callable, &func, &args))
        callable = func;
    return lk_py_callable_frame(py, callable, &f) && f.code &&
           !lk_py_is_library(py, f.code->file) && may_act(py, f.code);
}

static bool read_table(struct lk_py *py, struct row rows[N_SIGNALS])
{
    if (!py->signal_table)
        py->signal_table = table_of(py);
    return py->signal_table && lk_read(py->t, py->signal_table, rows, N_SIGNALS * sizeof *rows) &&
           has_form(rows);
}

bool lk_py_is_handler(struct lk_py *py, lk_addr code)
{
    struct row rows[N_SIGNALS];
    struct lk_pyframe f;
    bool found = false;
    for (int i = 1; read_table(py, rows) && i < N_SIGNALS && !found; i++)
        if (rows[i].func != rows[SIGKILL].func && lk_py_callable_frame(py, rows[i].func, &f) &&
            f.code)
            found = f.code->addr == code;
    return found;
}

/* A core has this table alone: code in C may have installed what is not in it. */
static void read_without_kernel(struct lk_py *py, const struct row rows[N_SIGNALS])
{
    struct lk_reader *a = lk_reader(py);
    struct lk_snapshot *s = py->s;
    bool own = false;
    for (int i = 1; i < N_SIGNALS; i++) {
        const enum lk_pykind kind = (enum lk_pykind)lk_py_kind(py, rows[i].func);
        if (kind == LK_PYK_INT || kind == LK_PYK_NONE || lk_signal_is_usual(i))
            continue;
        a->handlers.v[a->handlers.n++] = rows[i].func;
        own |= lk_py_handler_is_own(py, rows[i].func);
        if (lk_signal_is_of_timers(i))
            s->handles_alarm = LK_YES;
    }
    a->handlers.known = true;
    s->handles_signals = a->handlers.n ? LK_YES : LK_TRI_UNKNOWN;
    s->own_handlers = own ? LK_YES : LK_TRI_UNKNOWN;
}

void lk_py_read_signal_handlers(struct lk_py *py)
{
    struct lk_reader *a = lk_reader(py);
    struct lk_snapshot *s = py->s;
    struct row rows[N_SIGNALS];
    a->handlers.n = 0;
    a->handlers.known = s->handles_signals == LK_NO;
    if (s->one_moment && read_table(py, rows))
        read_without_kernel(py, rows);
    if (s->one_moment || s->handles_signals != LK_YES || !read_table(py, rows))
        return;
    bool own = false, foreign = false;
    for (int i = 1; i < N_SIGNALS; i++) {
        if (!(s->caught_signals & UINT64_C(1) << (i - 1)))
            continue;
        enum lk_pykind kind = (enum lk_pykind)lk_py_kind(py, rows[i].func);
        if (kind == LK_PYK_INT || kind == LK_PYK_NONE) {
            foreign |= i != SIGWINCH; /* installed by code in C */
            continue;
        }
        a->handlers.v[a->handlers.n++] = rows[i].func;
        own |= lk_py_handler_is_own(py, rows[i].func);
    }
    a->handlers.known = true;
    s->own_handlers = own ? LK_YES : foreign ? LK_TRI_UNKNOWN : LK_NO;
    if (!foreign && !a->handlers.n)
        s->handles_signals = LK_NO;
}

enum lk_tri lk_py_handlers_release(struct lk_py *py, lk_addr lock)
{
    const struct lk_reader *a = lk_reader(py);
    if (!a->handlers.known)
        return LK_TRI_UNKNOWN;
    for (size_t i = 0; i < a->handlers.n; i++)
        if (lk_py_handler_is_own(py, a->handlers.v[i]) ||
            lk_py_callable_reaches(py, a->handlers.v[i], "release", lock) == LK_YES)
            return LK_YES;
    return LK_NO;
}
