/*
 * The states, by greenlet's own rules (TGreenlet.hpp, TStackState.hpp: started, active, main): not
 * started while stack_stop is 0, over once stack_start is 0 again, and it has a top_frame only
 * while it is suspended. The chain of frames ends at its own first one; it never goes on into the
 * parent. A greenlet goes on on the C stack that it began on, so the mapping that holds stack_stop
 * is its thread's stack.
 */
#include "read/loops/greenlet/greenlet.h"

#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/type.h"
#include "util/text.h"

#define MAIN_STOP UINT64_MAX

enum {
    BEHIND_PREV = 4, /* from stack_stop: copy, saved and prev change while it is suspended */
};

/* ---- state ----------------------------------------------------------------------------------- */

void lk_greenlet_find_current(struct lk_py *py, const struct lk_greenlet_layout *l,
                              const lk_addr *greenlets, size_t n, struct lk_map *ret)
{
    for (size_t i = 0; l->state && i < n; i++) {
        uint64_t w[LK_GREENLET_WORDS], state[2]; /* main, current: TThreadState.hpp */
        if (lk_greenlet_words(py, l, greenlets[i], w) && w[l->stop] == MAIN_STOP &&
            lk_py_plausible(w[l->state]) && lk_read(py->t, w[l->state], state, sizeof state) &&
            state[0] == greenlets[i])
            lk_map_put(ret, state[1], 1);
    }
}

static enum lk_greenlet_state state_of(const struct lk_greenlet *g, uint64_t stop, uint64_t frame,
                                       const struct lk_map *current)
{
    if (stop == 0)
        return g->start == 0 ? LK_GREENLET_UNSTARTED : LK_GREENLET_UNREADABLE;
    if (g->start == 0)
        return LK_GREENLET_DEAD;
    if (frame)
        return g->first_frame ? LK_GREENLET_SUSPENDED : LK_GREENLET_UNREADABLE;
    /* One that waits in code made in C has no frame either. A main one may be of a thread that has
     * ended. */
    return g->main || !current->n || lk_map_get(current, g->addr, NULL) ? LK_GREENLET_CURRENT
                                                                        : LK_GREENLET_SUSPENDED;
}

struct lk_greenlet lk_greenlet_read(struct lk_py *py, const struct lk_greenlet_layout *l,
                                    lk_addr obj, const struct lk_map *current)
{
    struct lk_greenlet g = { .addr = obj };
    uint64_t w[LK_GREENLET_WORDS];

    if (!lk_greenlet_words(py, l, obj, w))
        return g;
    uint64_t stop = w[l->stop], frame = l->frame ? w[l->frame] : 0;
    g.main = stop == MAIN_STOP;
    g.start = w[l->stop - 1];
    g.copy = w[l->stop + 1];
    g.saved = w[l->stop + 2];
    /* A main one's start is 1 until it is first switched away from. */
    g.stack = g.main ? g.start : stop;
    g.first_frame = lk_greenlet_first_frame(py, frame);
    if (l->current && g.first_frame != w[l->current])
        g.first_frame = 0; /* torn: the two must name one frame */
    for (size_t i = l->stop + BEHIND_PREV; i <= LK_MAX(l->frame, l->current); i++)
        g.salt = lk_hash_u64(g.salt, w[i]);
    g.state = state_of(&g, stop, frame, current);
    return g;
}

/* ---- frames ---------------------------------------------------------------------------------- */

/* The frames of C calls stand on the C stack, which others use meanwhile: what this greenlet had
 * there was copied away. */
static lk_addr where_kept(const struct lk_greenlet *g, lk_addr frame)
{
    return frame >= g->start && frame - g->start < g->saved ? g->copy + (frame - g->start) : frame;
}

bool lk_greenlet_frames(struct lk_py *py, const struct lk_greenlet *g, struct lk_pyframes *ret)
{
    lk_addr at = g->first_frame, next, mark = 0;

    for (unsigned steps = 0; at; steps++, at = next) {
        struct lk_pyf f;
        bool shim;
        /* A torn list may be cyclic: the frame met at each power of two of steps is remembered. */
        if (at == mark || ret->n >= LK_PY_MAX_FRAMES || steps > 2 * LK_PY_MAX_FRAMES ||
            !lk_py_frame(py, where_kept(g, at), &f, &next, &shim))
            return false;
        if ((steps & (steps - 1)) == 0)
            mark = at;
        if (!shim)
            *lk_vec_push(ret) = f;
        else if (ret->n)
            ret->v[ret->n - 1].entry = true;
    }
    return true;
}

/* ---- thread ---------------------------------------------------------------------------------- */

static bool lies_in(const struct lk_mapping *m, lk_addr a)
{
    return a >= m->start && a < m->end;
}

const char *lk_greenlet_name(struct lk_py *py, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    return lk_arena_printf(py->s->arena, "%s at 0x%llx", ty ? lk_last_part(ty->name) : "greenlet",
                           (unsigned long long)obj);
}

struct lk_ref lk_greenlet_thread(struct lk_py *py, const struct lk_greenlet *g)
{
    struct lk_ref ret = lk_ref_make(LK_KIND_NONE, 0);
    const struct lk_mapping *m = g->stack > 1 ? lk_process_mapping_at(py->t, g->stack) : NULL;
    for (size_t i = 0; m && i < py->s->threads.n; i++) {
        const struct lk_thread *t = &py->s->threads.v[i];
        /* Of a running thread its pthread_t is known, which glibc keeps at the top of its stack;
         * the kernel names the main thread's. */
        if (!lies_in(m, t->sp) &&
            (t->main ? strcmp(m->path, "[stack]") != 0 : !lies_in(m, t->ident)))
            continue;
        if (ret.kind != LK_KIND_NONE)
            return lk_ref_make(LK_KIND_NONE, 0); /* two stacks in one mapping */
        ret = lk_ref_make(LK_KIND_THREAD, i);
    }
    return ret;
}
