/*
 * Calls that poll: a library's code, or C code, below a frame of the program sleeps in short slices
 * and looks in between whether what it waits for has come (lock files, a busy database file, the
 * state of a connection). The wait is the call's, which the program's frame made; of the slice only
 * says that it is one. Which call it is the variables on the way tell, and the numbers that their
 * objects keep: where they change the call counts its tries, gets on, or is the next one. Moments
 * and delays (floats) change while nothing gets on.
 */
#include "read/python/waits/polling_call.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/type.h"
#include "read/python/waits/lock_call.h"
#include "util/text.h"

enum {
    MAX_SLICE_MS = 1000, /* of a sleep that is one of many */
    MAX_INNER = 16,      /* frames of one call */
    MAX_ATTRS = 64,      /* of one object */
};

static bool is_number_above_zero(struct lk_py *py, lk_addr obj)
{
    double number;
    return lk_py_number(py, obj, &number) && number > 0;
}

/* Names by which libraries bound such a call; -1 and None are no bound. */
static bool bounds(struct lk_py *py, const char *name, lk_addr value)
{
    static const char *const words[] = { "timeout", "deadline", "until",  "expir", "max",
                                         "retries", "attempts", "retry_", "end",   "limit" };
    for (size_t i = 0; i < LK_ARRAY_LEN(words); i++)
        if (strstr(name, words[i]))
            return is_number_above_zero(py, value);
    return false;
}

struct call {
    uint64_t id;
    unsigned left; /* attributes */
    bool inner;    /* the frame being looked at is not the program's */
    bool bounded;
};

static void note(struct call *c, uint64_t is)
{
    c->id = lk_hash_u64(c->id ? c->id : LK_HASH_INIT, is);
}

static bool note_attr(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct call *c = arg;
    char name[LK_PY_MAX_STR];
    int64_t number;
    if (lk_py_int(py, value, &number))
        note(c, (uint64_t)number);
    c->bounded |= lk_py_str_raw(py, key, name, sizeof name) && bounds(py, name, value);
    return !c->bounded && c->left-- > 0;
}

static bool note_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct call *c = arg;
    double moment;
    c->bounded |= c->inner && bounds(py, name, value);
    if (lk_py_float(py, value, &moment))
        return true;
    note(c, value);
    c->left = MAX_ATTRS;
    if (c->inner && lk_py_kind(py, value) == LK_PYK_OTHER)
        lk_py_attr_each(py, value, note_attr, c);
    return true;
}

static bool is_library(struct lk_py *py, const struct lk_pyf *f)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    return c && lk_py_is_library(py, c->code->file);
}

/* The frame of the program that made the call; frames->n: none is near. */
static size_t find_caller(struct lk_py *py, const struct lk_pyframes *frames)
{
    size_t i = 0;
    while (i < frames->n && is_library(py, &frames->v[i]))
        i++;
    return i <= MAX_INNER ? i : frames->n;
}

/* The standard library's own calls have rows of their own. */
static bool stdlib_sleeps(struct lk_py *py, const struct lk_pyframes *frames)
{
    const struct lk_pycode *c = lk_py_code(py, frames->v[0].code);
    return !c || lk_py_of_stdlib(py, c->code);
}

/* It asked for that sleep itself: how its own loop ends nobody can say but it. */
static bool sleeps_itself(struct lk_py *py, const struct lk_pyf *f)
{
    return lk_py_calls_builtin(py, f, "sleep") || lk_py_calls_builtin(py, f, "select") ||
           lk_py_calls_builtin(py, f, "poll");
}

void lk_py_read_polling_call(struct lk_py *py, const struct lk_thread *t,
                             const struct lk_pyframes *frames, struct lk_wait *w)
{
    struct call c = { 0 };
    if (w->kind != LK_WAIT_SLEEP || t->os.on != LK_OS_TIMER || t->n_frame_loops ||
        t->os.timeout_ms > MAX_SLICE_MS || stdlib_sleeps(py, frames))
        return;
    const size_t caller = find_caller(py, frames);
    if (caller == frames->n || (caller == 0 && sleeps_itself(py, &frames->v[0])))
        return;
    for (size_t i = 0; i <= caller; i++) {
        c.inner = i < caller;
        lk_py_local_each(py, &frames->v[i], note_local, &c);
    }
    if (c.bounded || !c.id)
        return;
    const struct lk_pycode *code = lk_py_code(py, frames->v[caller ? caller - 1 : 0].code);
    w->traits |= LK_WAIT_POLLS;
    w->call_id = c.id;
    w->frame = (int)caller;
    w->call =
        caller && code ? lk_arena_printf(py->s->arena, "%s()", code->code->function) : w->call;
}
