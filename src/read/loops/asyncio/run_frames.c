/* Which loops each thread runs, and for whose sake: the runtime's record, and the frames that drive
 * a loop. */
#include "read/loops/asyncio/run_frames.h"

#include "read/loops/loop_kind.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/forked_threads.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/layout_table.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/future_object.h"

enum {
    OBJ_FIRST = 16, /* first field after PyObject_HEAD */
    /* PyRunningLoopHolder: rl_loop, then rl_pid (Modules/_asynciomodule.c, 3.8 - 3.11) */
    RL_PID = 8,
    MAX_NESTED = 32,
    MAX_UNTIL = 2048, /* tasks whose callbacks are looked at for what runs a loop until their end */
    MAX_BODY = 64,    /* words of an object's body */
};

/* A loop that does not say itself who runs it. */
static void set_runner(struct lk_py *py, size_t thread, struct lk_ref ref)
{
    struct lk_loop *o = lk_loop_at(py->s, ref);
    o->reachable = LK_YES;
    if (o->run == LK_LOOP_UNKNOWN && o->closed != LK_YES && !o->thread_ident) {
        o->run = LK_LOOP_RUNNING;
        o->thread = lk_ref_make(LK_KIND_THREAD, thread);
    }
}

static void set_running_loop(struct lk_py *py, size_t thread, struct lk_ref ref)
{
    if (ref.kind != LK_KIND_LOOP)
        return;
    py->s->threads.v[thread].running_loop = ref;
    set_runner(py, thread, ref);
}

/* Up to 3.12 the record is in the thread state's dict; up to 3.11 a holder with the pid that a fork
 * leaves stale. */
static lk_addr recorded_loop(struct lk_py *py, lk_addr tstate)
{
    const struct lk_layout *l = &py->layout;
    if (l->ts_running_loop != LK_OFF_NONE)
        return lk_py_ptr(py, tstate + l->ts_running_loop);
    lk_addr dict = lk_py_ptr(py, tstate + l->ts_dict);
    lk_addr held = dict ? lk_py_dict_get(py, dict, "__asyncio_running_event_loop__") : 0;
    if (!held || lk_py_is_none(py, held))
        return 0;
    if (lk_py_known_class(py, held, NULL) == LK_CLASS_LOOP)
        return held;
    int32_t pid;
    lk_addr at = lk_py_field(py, held, OBJ_FIRST);
    if (!lk_read_i32(py->t, at + RL_PID, &pid) || !lk_py_own_pid(py, pid))
        return 0;
    return lk_py_ptr(py, at);
}

/* The loop of some kind that this frame drives; NONE when it drives none. */
static struct lk_ref driven_by(struct lk_py *py, const struct lk_pyf *f)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    for (size_t i = 0; c && i < lk_n_loop_kinds; i++)
        for (const struct lk_loop_driver *d = lk_loop_kinds[i].drivers; d->function; d++) {
            if (strcmp(c->code->function, d->function) != 0 ||
                !lk_ends_with(c->code->file, d->file))
                continue;
            lk_addr obj = lk_py_local(py, f, d->local);
            if (obj && d->attr)
                obj = lk_py_attr(py, obj, d->attr);
            struct lk_ref ref = lk_py_loop(py, obj, LK_FOUND_FRAME);
            if (ref.kind == LK_KIND_LOOP)
                return ref;
        }
    return lk_ref_make(LK_KIND_NONE, 0);
}

static void note_inside_cst(struct lk_py *py, size_t thread, const struct lk_pyf *f)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    if (!c || strcmp(c->code->function, "call_soon_threadsafe") != 0)
        return;
    struct lk_ref ref = lk_py_loop(py, lk_py_local(py, f, "self"), LK_FOUND_FRAME);
    if (ref.kind == LK_KIND_LOOP)
        py->s->threads.v[thread].inside_cst = ref;
}

/* A _run_once further out than the frames that drive the same loop: one of its callbacks runs it
 * again. */
static bool runs_callbacks(struct lk_py *py, const struct lk_pyf *f)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    return c && strcmp(c->code->function, "_run_once") == 0;
}

static void read_current(struct lk_py *py, struct lk_ref loop, const struct lk_pyf *f)
{
    const struct lk_loop_kind *kind = lk_loop_kind_of(lk_loop_at(py->s, loop));
    if (kind && kind->read_current)
        kind->read_current(py, loop, f);
}

static void read_frame_loops(struct lk_py *py, size_t thread)
{
    const struct lk_pyframes *frames = lk_py_frames_of_thread(py, thread);
    struct lk_ref found[MAX_NESTED];
    size_t n = 0, last = 0;

    for (size_t i = 0; frames && i < frames->n && n < LK_ARRAY_LEN(found); i++) {
        struct lk_ref ref = driven_by(py, &frames->v[i]);
        if (ref.kind != LK_KIND_LOOP)
            continue;
        read_current(py, ref, &frames->v[i]);
        if (n == 0 || !lk_ref_eq(found[n - 1], ref) ||
            (i != last + 1 && runs_callbacks(py, &frames->v[i])))
            found[n++] = ref;
        last = i;
    }
    /* A loop that runs in C: only the record tells. */
    struct lk_thread *t = &py->s->threads.v[thread];
    const struct lk_loop *o = lk_loop_at(py->s, t->running_loop);
    if (n == 0 && o && !o->driven_in_python)
        found[n++] = t->running_loop;
    for (size_t i = 0; i < n; i++)
        set_runner(py, thread, found[i]);
    struct lk_ref *copy = lk_arena_array(py->s->arena, n, sizeof *copy);
    if (n)
        memcpy(copy, found, n * sizeof *copy);
    t->frame_loops = copy;
    t->n_frame_loops = n;
}

/* ---- until when a loop is run -------------------------------------------------------------- */

/* Where a frame that runs a loop until something is done keeps that. */
static const struct until_row {
    const char *function, *file, *local;
} until_rows[] = {
    { "run_until_complete", "/asyncio/base_events.py", "future" },
    { "run_until_complete", "/nest_asyncio.py", "f" },
    /* over a run_until_complete that is made in C */
    { "run", "/asyncio/runners.py", "task" },
};

static struct lk_ref until_of(struct lk_py *py, const struct lk_pyf *f)
{
    struct lk_ref none = lk_ref_make(LK_KIND_NONE, 0);
    for (size_t i = 0; i < LK_ARRAY_LEN(until_rows); i++)
        if (lk_py_frame_is(py, f, until_rows[i].function, until_rows[i].file)) {
            lk_addr obj = lk_py_local(py, f, until_rows[i].local);
            return obj ? lk_py_future(py, obj) : none;
        }
    return none;
}

static struct lk_ref loop_of(const struct lk_snapshot *s, struct lk_ref ref)
{
    const struct lk_future *f = lk_future_at(s, ref);
    const struct lk_task *k = lk_task_at(s, ref);
    return f ? f->loop : k ? k->loop : lk_ref_make(LK_KIND_NONE, 0);
}

/*
 * The frames that drive the innermost loop stand next to each other (_run_once, run_forever,
 * run_until_complete). A run_forever of its own ends only when somebody stops the loop, whatever
 * stands further out.
 */
static struct lk_ref until_by_frames(struct lk_py *py, const struct lk_pyframes *frames)
{
    struct lk_ref loop = lk_ref_make(LK_KIND_NONE, 0), until = loop;
    size_t i = 0;

    while (i < frames->n && (loop = driven_by(py, &frames->v[i])).kind != LK_KIND_LOOP)
        i++;
    for (; i < frames->n && until.kind == LK_KIND_NONE &&
           lk_ref_eq(driven_by(py, &frames->v[i]), loop);
         i++)
        until = until_of(py, &frames->v[i]);
    return until;
}

/* A loop that runs in C: the innermost runner's task. */
static struct lk_ref until_by_runner(struct lk_py *py, const struct lk_pyframes *frames)
{
    struct lk_ref until = lk_ref_make(LK_KIND_NONE, 0);
    for (size_t i = 0; i < frames->n && until.kind == LK_KIND_NONE; i++)
        until = until_of(py, &frames->v[i]);
    return until;
}

/*
 * Without a runner too: uvloop's run_until_complete (uvloop/loop.pyx, 0.14 - 0.23) adds to the
 * future it runs for a function of its own, made in C, which has that name among the words of its
 * body.
 */
static bool ends_a_run(struct lk_py *py, lk_addr callback)
{
    const struct lk_pytype *ty = callback ? lk_py_type(py, callback) : NULL;
    uint64_t w[MAX_BODY];
    char name[96];
    if (!ty || !lk_ends_with(ty->name, "cython_function_or_method"))
        return false;
    size_t n = LK_MIN((size_t)LK_MAX(ty->basicsize, 0) / 8, (size_t)MAX_BODY);
    if (!n || !lk_read(py->t, callback, w, n * 8))
        return false;
    for (size_t i = 0; i < n; i++)
        if (lk_py_plausible(w[i]) && lk_py_kind(py, w[i]) == LK_PYK_STR &&
            lk_py_str_raw(py, w[i], name, sizeof name) &&
            lk_ends_with(name, "run_until_complete.<locals>.done_cb"))
            return true;
    return false;
}

static struct lk_ref until_by_callback(struct lk_py *py, struct lk_ref loop)
{
    struct lk_ref found = lk_ref_make(LK_KIND_NONE, 0);
    for (size_t i = 0; i < py->s->tasks.n && i < MAX_UNTIL; i++) {
        const struct lk_task *k = &py->s->tasks.v[i];
        struct lk_aio_fut f;
        if (k->state != LK_TASK_PENDING || !lk_ref_eq(k->loop, loop) ||
            !lk_aio_read_fut(py, k->addr, &f) || !ends_a_run(py, f.callback0))
            continue;
        if (found.kind != LK_KIND_NONE)
            return lk_ref_make(LK_KIND_NONE, 0);
        found = lk_ref_make(LK_KIND_TASK, i);
    }
    return found;
}

struct lk_ref lk_aio_read_until(struct lk_py *py, size_t thread)
{
    struct lk_thread *t = &py->s->threads.v[thread];
    const struct lk_pyframes *frames = lk_py_frames_of_thread(py, thread);
    struct lk_ref none = lk_ref_make(LK_KIND_NONE, 0);
    if (!frames || t->n_frame_loops == 0)
        return none;
    const struct lk_loop *o = lk_loop_at(py->s, t->frame_loops[0]);
    const struct lk_loop_kind *kind = o ? lk_loop_kind_of(o) : NULL;
    if (kind && kind->until) {
        t->drives = lk_snapshot_find(py->s, LK_KIND_TASK, kind->until(py, o->addr));
        return none;
    }
    bool in_c = t->n_frame_loops == 1 && o && !o->driven_in_python;
    t->drives = until_by_frames(py, frames);
    if (t->drives.kind != LK_KIND_NONE || !in_c)
        return none;
    struct lk_ref until = until_by_runner(py, frames);
    return until.kind != LK_KIND_NONE ? until : until_by_callback(py, t->frame_loops[0]);
}

void lk_aio_set_until(struct lk_py *py, size_t thread, struct lk_ref until)
{
    struct lk_thread *t = &py->s->threads.v[thread];
    if (lk_ref_eq(loop_of(py->s, until), t->frame_loops[0]))
        t->drives = until;
}

/* ---- the loops ----------------------------------------------------------------------------- */

static struct lk_ref mention_recorded(struct lk_py *py, size_t thread)
{
    return lk_py_loop(py, recorded_loop(py, py->s->threads.v[thread].tstate), LK_FOUND_RUNNING);
}

void lk_aio_mention_drivers(struct lk_py *py, size_t thread)
{
    const struct lk_pyframes *frames = lk_py_frames_of_thread(py, thread);
    mention_recorded(py, thread);
    for (size_t i = 0; frames && i < frames->n; i++) {
        note_inside_cst(py, thread, &frames->v[i]);
        driven_by(py, &frames->v[i]);
    }
}

void lk_aio_read_drivers(struct lk_py *py, size_t thread)
{
    set_running_loop(py, thread, mention_recorded(py, thread));
    read_frame_loops(py, thread);
}
