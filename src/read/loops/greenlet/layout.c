/*
 * Layouts differ from release to release and from CPython to CPython, so no table says where the
 * fields are: the target's greenlets do. Facts of greenlet 1.1 to 3.5 (greenlet.c, TGreenlet.hpp,
 * TStackState.hpp): stack_start, stack_stop, stack_copy, stack_saved and stack_prev follow each
 * other; stack_start is 1 until the first switch away; stack_stop is -1 in the main greenlet of a
 * thread alone, 0 in one that has not started;
 * top_frame is among the four words behind. Greenlet 2 moved all this out of the Python object,
 * which kept a weak reference list, a dict and a pointer (PyGreenlet, 40 bytes).
 */
#include "read/loops/greenlet/layout.h"

#include <stdlib.h>

#include "read/python/interpreter/container.h"
#include "read/python/interpreter/type.h"

enum {
    SAMPLE = 512,         /* greenlets that are looked at */
    CPP_SIZE = 40,        /* sizeof(PyGreenlet) of greenlet 2 and later; its last word */
    CPP_INNER = 32,       /* ... points to the C++ part */
    FIRST_STOP = 3,       /* below: object header, or virtual table, and stack_start */
    LAST_STOP = 12,       /* 0x60: the largest seen is 0x50 (CPython 3.8 - 3.10) */
    BEHIND_PREV = 4,      /* from stack_stop to the word behind stack_prev */
    FRAME_WORDS = 4,      /* among which top_frame is */
    F_FRAME = 24,         /* PyFrameObject.f_frame since 3.11: Include/internal/pycore_frame.h */
    NEEDED_WORDS = 18,    /* the least that a greenlet has */
    MAX_STACK = 64 << 20, /* of C stack, of one greenlet */
};
#define MAIN_STOP UINT64_MAX

struct words {
    lk_addr obj;
    uint64_t w[LK_GREENLET_WORDS];
};

struct population {
    struct words *v;
    size_t n;
};

bool lk_greenlet_words(struct lk_py *py, const struct lk_greenlet_layout *l, lk_addr obj,
                       uint64_t ret[LK_GREENLET_WORDS])
{
    lk_addr at = l->in_object ? obj : lk_py_ptr(py, obj + l->inner);
    memset(ret, 0, LK_GREENLET_WORDS * sizeof *ret);
    return at && (lk_read(py->t, at, ret, LK_GREENLET_WORDS * sizeof *ret) ||
                  lk_read(py->t, at, ret, NEEDED_WORDS * sizeof *ret));
}

lk_addr lk_greenlet_first_frame(struct lk_py *py, lk_addr top_frame)
{
    const struct lk_pytype *ty = top_frame ? lk_py_type(py, top_frame) : NULL;
    if (!ty || strcmp(ty->name, "frame") != 0)
        return 0;
    return py->layout.frame_kind == LK_FRAME_OBJECT
               ? top_frame
               : lk_py_ptr(py, lk_py_field(py, top_frame, F_FRAME));
}

/* ---- which generation of the library -------------------------------------------------------- */

/* greenlet.greenlet itself, among the bases of one: of a subclass the size says nothing. */
static const struct lk_pytype *base_type(struct lk_py *py, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    int64_t n = ty && lk_py_kind(py, ty->mro) == LK_PYK_TUPLE ? lk_py_len(py, ty->mro) : 0;
    for (int64_t i = 0; i < n && i < LK_PY_MAX_MRO; i++) {
        const struct lk_pytype *b = lk_py_type_at(py, lk_py_item(py, ty->mro, (size_t)i));
        if (b && strcmp(b->name, "greenlet.greenlet") == 0)
            return b;
    }
    return NULL;
}

static bool find_generation(struct lk_py *py, const lk_addr *greenlets, size_t n,
                            struct lk_greenlet_layout *ret)
{
    const struct lk_pytype *ty = NULL;
    for (size_t i = 0; i < n && i < SAMPLE && !ty; i++)
        ty = base_type(py, greenlets[i]);
    if (!ty)
        return false;
    ret->in_object = ty->basicsize != CPP_SIZE;
    ret->inner = CPP_INNER;
    return true;
}

/* ---- the fields ------------------------------------------------------------------------------ */

static bool may_be_main(const uint64_t *w)
{
    bool any = false;
    for (size_t i = FIRST_STOP; i <= LAST_STOP; i++)
        any |= w[i] == MAIN_STOP;
    return any;
}

/* Some from everywhere, and those that may be main ones, of which there may be one among many. */
static struct population look(struct lk_py *py, const struct lk_greenlet_layout *l,
                              const lk_addr *greenlets, size_t n)
{
    struct population p = { .v = lk_xcalloc(LK_MIN(n, (size_t)2 * SAMPLE) + 1, sizeof *p.v) };
    size_t step = (n + SAMPLE - 1) / SAMPLE, mains = 0;
    for (size_t i = 0; i < n && p.n < (size_t)2 * SAMPLE; i++) {
        struct words *k = &p.v[p.n];
        k->obj = greenlets[i];
        if (!lk_greenlet_words(py, l, greenlets[i], k->w))
            continue;
        bool main = may_be_main(k->w) && mains < SAMPLE;
        mains += main;
        p.n += main || i % step == 0;
    }
    return p;
}

/* Whether the words from stop - 1 on can be the C stack of a greenlet in any of its states. */
static bool is_stack(const uint64_t *w, unsigned stop)
{
    uint64_t start = w[stop - 1], end = w[stop], copy = w[stop + 1], saved = w[stop + 2];
    if (end == MAIN_STOP)
        return start != 0;
    if (start <= 1) /* not started, or over; began, and was never switched away from since */
        return saved == 0 && end < LK_USER_END;
    return start < end && end - start <= MAX_STACK && saved <= end - start &&
           (saved == 0 || lk_py_plausible(copy));
}

/* Most, since some may be torn. */
static bool most(size_t some, size_t of)
{
    return some > 0 && some * 4 >= of * 3;
}

/* Zeros fit everywhere: of the places where most fit, the one at which most tell something. */
static unsigned find_stop(const struct population *p)
{
    unsigned best = 0;
    size_t best_tell = 0;
    for (unsigned stop = FIRST_STOP; stop <= LAST_STOP; stop++) {
        size_t mains = 0, fit = 0, tell = 0;
        for (size_t i = 0; i < p->n; i++) {
            const uint64_t *w = p->v[i].w;
            const bool fits = is_stack(w, stop);
            mains += w[stop] == MAIN_STOP;
            fit += fits;
            tell += fits && w[stop] != 0;
        }
        if (!mains || !most(fit, p->n) || tell <= best_tell)
            continue;
        best = stop;
        best_tell = tell;
    }
    return best;
}

/* The first of the words behind stack_prev in which most frames stand; 0 where nobody has any. */
static unsigned find_frame(struct lk_py *py, const struct population *p, unsigned stop)
{
    unsigned best = 0;
    size_t best_n = 0;
    for (unsigned at = stop + BEHIND_PREV; at < stop + BEHIND_PREV + FRAME_WORDS; at++) {
        size_t frames = 0;
        for (size_t i = 0; i < p->n; i++)
            frames += lk_greenlet_first_frame(py, p->v[i].w[at]) != 0;
        if (frames > best_n) {
            best_n = frames;
            best = at;
        }
    }
    return best;
}

/* The word that names the same frame as top_frame does, without its object. */
static unsigned find_current(struct lk_py *py, const struct population *p, unsigned frame)
{
    for (unsigned at = frame + 1; at < LK_GREENLET_WORDS; at++) {
        size_t frames = 0, same = 0;
        for (size_t i = 0; i < p->n; i++) {
            lk_addr first = lk_greenlet_first_frame(py, p->v[i].w[frame]);
            frames += first != 0;
            same += first && p->v[i].w[at] == first;
        }
        if (most(same, frames))
            return at;
    }
    return 0;
}

/* Of a main greenlet: the word that points to {main greenlet, current greenlet}
 * (TThreadState.hpp). */
static unsigned find_state(struct lk_py *py, const struct population *p, unsigned stop)
{
    for (unsigned at = stop + BEHIND_PREV; at < LK_GREENLET_WORDS; at++)
        for (size_t i = 0; i < p->n; i++)
            if (p->v[i].w[stop] == MAIN_STOP && lk_py_plausible(p->v[i].w[at]) &&
                lk_py_ptr(py, p->v[i].w[at]) == p->v[i].obj)
                return at;
    return 0;
}

static bool find_fields(struct lk_py *py, const struct population *p,
                        struct lk_greenlet_layout *ret)
{
    ret->stop = find_stop(p);
    if (!ret->stop)
        return false;
    ret->frame = find_frame(py, p, ret->stop);
    if (!ret->in_object)
        ret->state = find_state(py, p, ret->stop);
    if (!ret->frame || py->layout.frame_kind == LK_FRAME_OBJECT)
        return true;
    /* Two words that name one frame prove both, and where a frame object names its frame. */
    ret->current = find_current(py, p, ret->frame);
    return ret->current != 0;
}

bool lk_greenlet_layout_find(struct lk_py *py, const lk_addr *greenlets, size_t n,
                             struct lk_greenlet_layout *ret)
{
    *ret = (struct lk_greenlet_layout){ 0 };
    if (!find_generation(py, greenlets, n, ret))
        return false;
    struct population p = look(py, ret, greenlets, n);
    bool found = find_fields(py, &p, ret);
    lk_free(p.v);
    return found;
}
