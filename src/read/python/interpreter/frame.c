/* Frames of all versions: the walk, locals and the value stack. */
#include "read/python/interpreter/frame.h"

#include <stdlib.h>

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/type.h"

enum {
    /* front of a PyFrameObject up to its block stack, or a whole _PyInterpreterFrame */
    FRAME_READ = 128,
    OWNED_BY_THREAD = 0, /* enum _frameowner */
    OWNED_BY_GENERATOR = 1,
    OWNED_BY_C = 3,    /* and above: boundary frames */
    STACKREF_TAGS = 3, /* Include/internal/pycore_stackref.h */
    STACKREF_NO_OBJECT = 2,
    STACKREF_BORROWED = 1, /* ... or an object that counts no references */
    MAX_UNWRAP = 16,
};

/* ---- one frame --------------------------------------------------------------------------- */

/* The depth if it is one, else unknown. */
static int depth_or_unknown(const struct lk_pycode *c, int64_t depth)
{
    return depth >= 0 && depth <= c->stacksize ? (int)depth : -1;
}

static bool frame_object(struct lk_py *py, lk_addr addr, struct lk_pyf *f, lk_addr *caller)
{
    const struct lk_layout *l = &py->layout;
    uint8_t b[FRAME_READ];
    const struct lk_pytype *ty = lk_py_type(py, addr);
    const struct lk_pycode *c;

    if (!ty || strcmp(ty->name, "frame") != 0 || !lk_read(py->t, addr, b, sizeof b))
        return false;
    f->code = lk_addr_in(b, l->f_code);
    if (!(c = lk_py_code(py, f->code)))
        return false;
    int64_t lasti = (int64_t)lk_i32_in(b, l->f_lasti) * l->lasti_unit;
    if (lasti >= c->code_bytes)
        return false;
    f->lasti = lasti < 0 ? -1 : (int)lasti;
    f->globals = lk_addr_in(b, l->f_globals);
    f->localsplus = addr + l->f_localsplus;
    f->stack_base = lk_addr_in(b, l->f_valuestack);
    if (f->stack_base != f->localsplus + (uint64_t)c->nlocalsplus * 8)
        return false;
    if (l->f_stackdepth != LK_OFF_NONE) {
        f->stack_depth = depth_or_unknown(c, lk_i32_in(b, l->f_stackdepth));
    } else {
        lk_addr top = lk_addr_in(b, l->f_stacktop);
        f->stack_depth =
            top >= f->stack_base ? depth_or_unknown(c, (int64_t)(top - f->stack_base) / 8) : -1;
    }
    f->gen = lk_addr_in(b, l->f_gen);
    f->generator = f->gen != 0;
    f->entry = true; /* each Python function runs in its own C call */
    *caller = lk_addr_in(b, l->f_back);
    return true;
}

/* Depth of the value stack: 3.11 - 3.13 count it from localsplus (-1 while executing), 3.14+ keep a
 * pointer. */
static int interpreter_depth(const struct lk_layout *l, const uint8_t *b, const struct lk_pyf *f,
                             const struct lk_pycode *c)
{
    if (l->if_stackpointer != LK_OFF_NONE) {
        lk_addr sp = lk_addr_in(b, l->if_stackpointer);
        return sp >= f->stack_base && (sp - f->stack_base) % 8 == 0
                   ? depth_or_unknown(c, (int64_t)(sp - f->stack_base) / 8)
                   : -1;
    }
    return depth_or_unknown(c, (int64_t)lk_i32_in(b, l->if_stacktop) - c->nlocalsplus);
}

static bool frame_interpreter(struct lk_py *py, lk_addr addr, struct lk_pyf *f, lk_addr *caller,
                              bool *is_shim)
{
    const struct lk_layout *l = &py->layout;
    uint8_t b[FRAME_READ];
    const struct lk_pycode *c;

    if (!addr || (addr & 7) || !lk_read(py->t, addr, b, l->if_size))
        return false;
    f->code = lk_addr_in(b, l->if_executable);
    if (l->stack_tagged)
        f->code &= ~(lk_addr)STACKREF_TAGS;
    *caller = lk_addr_in(b, l->if_previous);
    uint8_t owner = b[l->if_owner];
    if (owner >= OWNED_BY_C) {
        *is_shim = true;
        return owner <= OWNED_BY_C + 1;
    }
    if (!(c = lk_py_code(py, f->code)))
        return false;
    int64_t lasti = (int64_t)(lk_addr_in(b, l->if_instr) - c->start);
    if (lasti < -2 || lasti >= c->code_bytes || (lasti & 1))
        return false;
    /* Still being set up by its caller; sys._current_frames() leaves it out too
     * (_PyFrame_IsIncomplete). */
    if (owner != OWNED_BY_GENERATOR && lasti < 2 * (int64_t)c->firsttraceable)
        *is_shim = true;
    f->lasti = lasti < 0 ? -1 : (int)lasti;
    f->globals = lk_addr_in(b, l->if_globals);
    f->localsplus = addr + l->if_localsplus;
    f->stack_base = f->localsplus + (uint64_t)c->nlocalsplus * 8;
    f->stack_depth = interpreter_depth(l, b, f, c);
    f->generator = owner == OWNED_BY_GENERATOR;
    f->gen = f->generator ? addr - l->gi_iframe : 0;
    f->entry = l->if_is_entry != LK_OFF_NONE && b[l->if_is_entry] == 1;
    return true;
}

bool lk_py_frame(struct lk_py *py, lk_addr addr, struct lk_pyf *f, lk_addr *caller, bool *is_shim)
{
    *f = (struct lk_pyf){ .addr = addr, .stack_depth = -1, .lasti = -1 };
    *caller = 0;
    *is_shim = false;
    if (py->layout.frame_kind == LK_FRAME_OBJECT)
        return frame_object(py, addr, f, caller);
    return frame_interpreter(py, addr, f, caller, is_shim);
}

/* ---- the walk ------------------------------------------------------------------------------ */

static bool top_frame(struct lk_py *py, lk_addr tstate, lk_addr *ret)
{
    const struct lk_layout *l = &py->layout;
    lk_addr cframe;

    switch (l->frame_kind) {
    case LK_FRAME_OBJECT: return lk_read_u64(py->t, tstate + l->ts_frame, ret);
    case LK_FRAME_CFRAME:
        return lk_read_u64(py->t, tstate + l->ts_cframe, &cframe) &&
               lk_read_u64(py->t, cframe + l->cframe_current, ret);
    case LK_FRAME_CURRENT: return lk_read_u64(py->t, tstate + l->ts_current_frame, ret);
    }
    return false;
}

static bool walk_frames(struct lk_py *py, lk_addr at, struct lk_pyframes *ret, bool *truncated)
{
    lk_addr next, mark = 0;
    size_t first = ret->n;

    for (unsigned steps = 0; at; steps++, at = next) {
        struct lk_pyf f;
        bool shim;
        /* A torn list may be cyclic: the frame met at each power of two of steps is remembered. */
        if (at == mark || ret->n - first >= LK_PY_MAX_FRAMES || steps > 2 * LK_PY_MAX_FRAMES ||
            !lk_py_frame(py, at, &f, &next, &shim)) {
            lk_read_senseless(py->t, at, LK_MAX(py->layout.if_size, (uint32_t)sizeof at));
            *truncated = true;
            break;
        }
        if ((steps & (steps - 1)) == 0)
            mark = at;
        if (!shim)
            *lk_vec_push(ret) = f;
        else if (ret->n > first)
            ret->v[ret->n - 1].entry = true;
    }
    return !*truncated || ret->n > first;
}

/* 3.13+: the frame by which _PyEval_EvalFrameDefault was entered last is a local variable of it; 0
 * where no code is evaluated (3.15 has a frame in the thread state then). */
static lk_addr entry_frame(struct lk_py *py, lk_addr at)
{
    lk_addr next;
    bool any = false;
    for (unsigned i = 0; at && i < LK_PY_MAX_FRAMES; i++, at = next) {
        struct lk_pyf f;
        bool shim;
        if (!lk_py_frame(py, at, &f, &next, &shim))
            return 0;
        if (shim && !f.localsplus) /* not one that is being set up */
            return any ? at : 0;
        any |= !shim;
    }
    return 0;
}

bool lk_py_has_frames(struct lk_py *py, lk_addr tstate)
{
    lk_addr top;
    return top_frame(py, tstate, &top) && top &&
           (py->layout.frame_kind != LK_FRAME_CURRENT || entry_frame(py, top));
}

lk_addr lk_py_place_on_stack(struct lk_py *py, lk_addr tstate)
{
    const struct lk_layout *l = &py->layout;
    lk_addr top;

    if (!top_frame(py, tstate, &top) || !top)
        return 0;
    return l->ts_cframe != LK_OFF_NONE         ? lk_py_ptr(py, tstate + l->ts_cframe)
           : l->frame_kind == LK_FRAME_CURRENT ? entry_frame(py, top)
                                               : 0;
}

/* _PyCFrame is a local variable of _PyEval_EvalFrameDefault: below the stack pointer nothing lives.
 */
bool lk_py_left_python(struct lk_py *py, lk_addr tstate, lk_addr sp)
{
    const struct lk_layout *l = &py->layout;
    lk_addr cframe;
    if (l->frame_kind != LK_FRAME_CFRAME || !sp ||
        !lk_read_u64(py->t, tstate + l->ts_cframe, &cframe) || cframe >= sp)
        return false;
    const struct lk_mapping *stack = lk_process_mapping_at(py->t, sp);
    return stack && stack == lk_process_mapping_at(py->t, cframe);
}

bool lk_py_thread_frames(struct lk_py *py, lk_addr tstate, struct lk_pyframes *ret, bool *truncated)
{
    const char *before = lk_reading(py->t, "a thread state");
    lk_addr at;
    bool ok;

    *truncated = false;
    lk_read_watch(py->t);
    ok = top_frame(py, tstate, &at);
    lk_reading(py->t, "a frame");
    ok = ok && walk_frames(py, at, ret, truncated);
    lk_reading(py->t, before);
    return ok;
}

struct lk_pyframes *lk_py_frames_keep(struct lk_py *py, const struct lk_pyframes *frames)
{
    struct lk_pyframes *ret = lk_arena_alloc(lk_py_arena(py), sizeof *ret);

    ret->n = ret->cap = frames->n;
    ret->v = lk_arena_array(lk_py_arena(py), frames->n, sizeof *ret->v);
    if (frames->n)
        memcpy(ret->v, frames->v, frames->n * sizeof *ret->v);
    return ret;
}

/* ---- slots: locals and value stack ----------------------------------------------------------- */

/* The object in a slot; 3.14+ tag the pointer (bit 1 set: no object at all). */
static lk_addr slot(struct lk_py *py, lk_addr at)
{
    uint64_t v;

    if (!lk_read_u64(py->t, at, &v))
        return 0;
    if (py->layout.stack_tagged) {
        if (v & STACKREF_NO_OBJECT)
            return 0;
        v &= ~(uint64_t)STACKREF_TAGS;
    }
    return lk_py_plausible(v) ? v : 0;
}

lk_addr lk_py_stack_slot(struct lk_py *py, const struct lk_pyf *f, int i)
{
    return i < 0 ? 0 : slot(py, f->stack_base + (uint64_t)i * 8);
}

int lk_py_slots(struct lk_py *py, const struct lk_pyf *f)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    return c ? c->nlocalsplus + LK_MAX(f->stack_depth, 0) : 0;
}

lk_addr lk_py_slot_owns(struct lk_py *py, const struct lk_pyf *f, int i)
{
    lk_addr at = f->localsplus + (uint64_t)i * 8;
    uint64_t v;
    if (py->layout.stack_tagged && lk_read_u64(py->t, at, &v) && (v & STACKREF_BORROWED))
        return 0;
    return slot(py, at);
}

/* Value of local i, a cell opened. */
static lk_addr local_value(struct lk_py *py, const struct lk_pyf *f, const struct lk_pycode *c,
                           int i)
{
    lk_addr v = slot(py, f->localsplus + (uint64_t)i * 8);

    /* An argument that becomes a cell is a plain value until the frame's first instructions ran. */
    if (v && (c->local_kinds[i] & LK_PY_LOCAL_SHARED) && lk_py_kind(py, v) == LK_PYK_CELL)
        return lk_py_cell(py, v);
    return v;
}

lk_addr lk_py_local(struct lk_py *py, const struct lk_pyf *f, const char *name)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);

    if (!c || !lk_py_code_locals(py, c))
        return 0;
    for (int i = 0; i < c->nlocalsplus; i++)
        if (strcmp(c->local_names[i], name) == 0) {
            lk_addr v = local_value(py, f, c, i);
            if (v) /* 3.8 - 3.10: an argument that is a cell too stands twice, once empty */
                return v;
        }
    return 0;
}

void lk_py_local_each(struct lk_py *py, const struct lk_pyf *f,
                      bool (*fn)(struct lk_py *, const char *name, lk_addr value, void *),
                      void *arg)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);

    if (!c || !lk_py_code_locals(py, c))
        return;
    for (int i = 0; i < c->nlocalsplus; i++) {
        lk_addr v = local_value(py, f, c, i);
        if (v && !fn(py, c->local_names[i], v, arg))
            return;
    }
}

/* ---- the snapshot's view --------------------------------------------------------------------- */

struct lk_pyframe lk_py_snapshot_frame(struct lk_py *py, const struct lk_pyf *f)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);

    return (struct lk_pyframe){
        .code = c ? c->code : NULL,
        .line = c ? lk_py_code_line(py, c, f->lasti) : 0,
        .lasti = f->lasti < 0 ? 0 : (uint32_t)f->lasti,
    };
}

bool lk_py_callable_frame(struct lk_py *py, lk_addr callable, struct lk_pyframe *ret)
{
    lk_addr func, other;
    const struct lk_pycode *c;

    for (int i = 0; i < MAX_UNWRAP; i++) {
        if (lk_py_kind(py, callable) == LK_PYK_FUNCTION) {
            if (!(c = lk_py_code(py, lk_py_function_code(py, callable))))
                return false;
            *ret = (struct lk_pyframe){ .code = c->code, .line = c->code->firstlineno };
            return true;
        }
        if (!lk_py_method(py, callable, &func, &other) &&
            !lk_py_partial(py, callable, &func, &other))
            return false;
        callable = func;
    }
    return false;
}

bool lk_py_frame_is(struct lk_py *py, const struct lk_pyf *f, const char *function,
                    const char *file_suffix)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    return c && strcmp(c->code->function, function) == 0 &&
           lk_ends_with(c->code->file, file_suffix);
}
