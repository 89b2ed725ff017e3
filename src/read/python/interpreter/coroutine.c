/* Generators, coroutines and async generators: state, frame, what they await. */
#include "read/python/interpreter/coroutine.h"

#include "read/python/interpreter/class.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/type.h"

enum {
    /* first member after the head: ags_gen, agt_gen, cw_coroutine, anext's wrapped, FutureIter's
       future */
    INNER = 16,
    OP_YIELD_FROM = 72, /* 3.8 - 3.10 */
    /* 3.11, 3.12: oparg of the RESUME after a yield: 1 yield, 2 yield from, 3 await */
    RESUME_AWAIT = 2,
    V13_AWAIT = -1, /* gi_frame_state of the versions, Include/internal/pycore_frame.h */
    V15_AWAIT = 2,
    V15_AWAIT_LOCKED = 3,
};

static bool is_gen(enum lk_pykind k)
{
    return k == LK_PYK_COROUTINE || k == LK_PYK_GENERATOR || k == LK_PYK_ASYNC_GEN;
}

/* 3.8, 3.9: NULL frame, f_executing and f_lasti tell. */
static enum lk_gen_state state_by_frame(struct lk_py *py, lk_addr frame)
{
    const struct lk_layout *l = &py->layout;
    uint8_t executing;
    int32_t lasti;

    if (!lk_read_u8(py->t, frame + l->f_executing, &executing) ||
        !lk_read_i32(py->t, frame + l->f_lasti, &lasti))
        return LK_GEN_UNKNOWN;
    return executing ? LK_GEN_EXECUTING : lasti < 0 ? LK_GEN_CREATED : LK_GEN_SUSPENDED;
}

/* 3.10 f_state and 3.11 - 3.12 gi_frame_state share their numbers. */
static enum lk_gen_state state_v11(int8_t v)
{
    return v == -2   ? LK_GEN_CREATED
           : v == -1 ? LK_GEN_SUSPENDED
           : v == 0  ? LK_GEN_EXECUTING
           : v > 0   ? LK_GEN_FINISHED
                     : LK_GEN_UNKNOWN;
}

static enum lk_gen_state state_v13(int8_t v)
{
    return v == -3                     ? LK_GEN_CREATED
           : v == -2 || v == V13_AWAIT ? LK_GEN_SUSPENDED
           : v == 0                    ? LK_GEN_EXECUTING
           : v > 0                     ? LK_GEN_FINISHED
                                       : LK_GEN_UNKNOWN;
}

static enum lk_gen_state state_v15(int8_t v)
{
    static const enum lk_gen_state states[] = { LK_GEN_CREATED,   LK_GEN_SUSPENDED,
                                                LK_GEN_SUSPENDED, LK_GEN_SUSPENDED,
                                                LK_GEN_EXECUTING, LK_GEN_FINISHED };
    return v >= 0 && (size_t)v < LK_ARRAY_LEN(states) ? states[v] : LK_GEN_UNKNOWN;
}

/* State of something known to be a generator. raw (may be NULL): gi_frame_state as it stands. */
static enum lk_gen_state gen_state(struct lk_py *py, lk_addr gen, int8_t *raw)
{
    const struct lk_layout *l = &py->layout;
    lk_addr frame = 0;
    uint8_t v;

    if (l->frame_kind == LK_FRAME_OBJECT) {
        if (!lk_read_u64(py->t, gen + l->gi_frame, &frame))
            return LK_GEN_UNKNOWN;
        if (!frame)
            return LK_GEN_FINISHED;
        if (l->gen_state_kind == LK_GENSTATE_FRAME)
            return state_by_frame(py, frame);
    }
    if (!lk_read_u8(py->t, frame ? frame + l->f_state : gen + l->gi_frame_state, &v))
        return LK_GEN_UNKNOWN;
    if (raw)
        *raw = (int8_t)v;
    switch (l->gen_state_kind) {
    case LK_GENSTATE_V13: return state_v13((int8_t)v);
    case LK_GENSTATE_V15: return state_v15((int8_t)v);
    default: return state_v11((int8_t)v);
    }
}

enum lk_gen_state lk_py_gen_state(struct lk_py *py, lk_addr gen)
{
    return is_gen(lk_py_kind(py, gen)) ? gen_state(py, gen, NULL) : LK_GEN_UNKNOWN;
}

/* Frame of something known to be an unfinished generator. */
static bool gen_frame(struct lk_py *py, lk_addr gen, enum lk_gen_state state, struct lk_pyf *f)
{
    const struct lk_layout *l = &py->layout;
    lk_addr at = l->frame_kind == LK_FRAME_OBJECT ? lk_py_ptr(py, gen + l->gi_frame)
                                                  : gen + l->gi_iframe,
            caller;
    bool shim;

    if (!at || !lk_py_frame(py, at, f, &caller, &shim) || f->gen != gen)
        return false;
    if (state == LK_GEN_CREATED) /* 3.11+ have run the instruction that makes the generator */
        f->lasti = -1;
    return true;
}

bool lk_py_gen_frame(struct lk_py *py, lk_addr gen, struct lk_pyf *f)
{
    enum lk_gen_state state = lk_py_gen_state(py, gen);
    return state != LK_GEN_UNKNOWN && state != LK_GEN_FINISHED && gen_frame(py, gen, state, f);
}

/* Whether the instruction after the last one says "yield from" or "await" (up to 3.12, where no
 * state does). */
static bool awaits_by_code(struct lk_py *py, lk_addr gen, const struct lk_pyf *f)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    uint8_t next[2];

    if (!c || f->lasti < 0 || f->lasti + 4 > c->code_bytes ||
        !lk_read(py->t, c->start + (uint64_t)f->lasti + 2, next, sizeof next))
        return false;
    if (py->layout.frame_kind == LK_FRAME_OBJECT)
        return next[0] == OP_YIELD_FROM;
    return next[1] >= RESUME_AWAIT || lk_py_kind(py, gen) == LK_PYK_COROUTINE;
}

static lk_addr gen_awaits(struct lk_py *py, lk_addr gen, const struct lk_pyf *f, int8_t raw)
{
    if (f->stack_depth <= 0)
        return 0;
    switch (py->layout.gen_state_kind) {
    case LK_GENSTATE_V13: return raw == V13_AWAIT ? lk_py_stack_slot(py, f, f->stack_depth - 1) : 0;
    case LK_GENSTATE_V15: /* the top slot is an index */
        return raw == V15_AWAIT || raw == V15_AWAIT_LOCKED
                   ? lk_py_stack_slot(py, f, f->stack_depth - 2)
                   : 0;
    default: return awaits_by_code(py, gen, f) ? lk_py_stack_slot(py, f, f->stack_depth - 1) : 0;
    }
}

/* One generator of a chain: adds its frame; what it awaits, 0 when the chain ends here. */
static lk_addr chain_step(struct lk_py *py, lk_addr gen, struct lk_pyframes *frames, bool *torn)
{
    struct lk_pyf f;
    int8_t raw = 0;
    enum lk_gen_state state = gen_state(py, gen, &raw);

    if (state == LK_GEN_FINISHED)
        return 0;
    if (state == LK_GEN_UNKNOWN || !gen_frame(py, gen, state, &f)) {
        *torn = true;
        return 0;
    }
    *lk_vec_push(frames) = f;
    return state == LK_GEN_SUSPENDED ? gen_awaits(py, gen, &f, raw) : 0;
}

bool lk_py_await_chain(struct lk_py *py, lk_addr coro, struct lk_pyframes *frames, lk_addr *leaf,
                       const char **leaf_type, bool *truncated)
{
    lk_addr at = coro, mark = 0;
    size_t first = frames->n;

    *leaf = 0;
    *leaf_type = NULL;
    *truncated = false;
    for (unsigned step = 0; at; step++) {
        enum lk_pykind k = lk_py_kind(py, at);
        if (step >= LK_PY_MAX_CHAIN || at == mark) { /* mark: a torn chain may be cyclic */
            *truncated = true;
            break;
        }
        if ((step & (step - 1)) == 0)
            mark = at;
        if (is_gen(k)) {
            at = chain_step(py, at, frames, truncated);
            /* A future written in Python is awaited through its generator, whose self it is. */
            const struct lk_pyf *f = frames->n > first ? &frames->v[frames->n - 1] : NULL;
            if (f && !at && k == LK_PYK_GENERATOR &&
                lk_py_frame_is(py, f, "__await__", "asyncio/futures.py"))
                *leaf = lk_py_local(py, f, "self");
        } else if (k == LK_PYK_ASYNC_GEN_ASEND || k == LK_PYK_ASYNC_GEN_ATHROW ||
                   k == LK_PYK_CORO_WRAPPER || k == LK_PYK_ANEXT) {
            at = lk_py_ptr(py, lk_py_field(py, at, INNER));
        } else {
            *leaf = k == LK_PYK_FUTUREITER ? lk_py_ptr(py, lk_py_field(py, at, INNER)) : at;
            if (k != LK_PYK_FUTUREITER && k != LK_PYK_TASK && k != LK_PYK_FUTURE)
                *leaf_type = lk_py_class_name(py, at);
            break;
        }
    }
    return frames->n > first || *leaf != 0;
}
