/*
 * Which threads and tasks have a future at hand that a thread waits for, and that nobody is known
 * to complete: by the variables of their frames, the globals that the code of these names, itself
 * or through functions of the program, and what all of that leads to (a queue's items, the data of
 * a selector's keys); and run code that completes futures. The waiter's own code is what waits,
 * whoever runs it; and who waits for the next item has done with the last one (`item = queue.get()`
 * has not bound the name again yet), but for what it collects.
 */
#include "read/loops/future_hands.h"

#include "read/loops/could_end.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/leads_to.h"
#include "read/python/stdlib/code_in_reach.h"
#include "snapshot/builder.h"
#include "util/memory.h"

enum {
    MAX_LOOKS = 200000, /* objects looked at in one sample */
    SEARCH = 20000,     /* ... and for one party */
    STEPS = 5,
    MAX_NAMES = 1024,   /* of one code object */
    MAX_FUNCTIONS = 64, /* that one party's code names, one within the other */
    MAX_NESTED = 3,
};

/* Where those stand that wait for one future: the code of the program, innermost. */
struct waited_for {
    struct lk_ref future, waiter;
    lk_addr code;
    uint64_t next; /* index + 1 of another wait for the same */
};

struct search {
    struct lk_py *py;
    struct lk_map wanted; /* address -> index + 1 in waits */
    LK_VEC(struct waited_for) waits;
    struct lk_ref party; /* whose frames are looked at */
    const struct lk_pyframes *frames;
    struct lk_roots roots;
    struct lk_map functions; /* code objects */
    unsigned n_functions, budget;
    enum lk_tri completes; /* the party's code completes futures */
};

static const char *const completes[] = { "set_result", "set_exception", NULL };

/* ---- what threads wait for ------------------------------------------------------------------- */

static bool is_of_program(struct lk_py *py, const struct lk_pycode *c)
{
    return c && !lk_py_is_library(py, c->code->file);
}

static lk_addr innermost_code(struct lk_py *py, const struct lk_pyframes *frames)
{
    for (size_t i = 0; frames && i < frames->n; i++)
        if (is_of_program(py, lk_py_code(py, frames->v[i].code)))
            return frames->v[i].code;
    return 0;
}

static void add_waits(struct search *x, size_t thread)
{
    const struct lk_wait *w = &x->py->s->threads.v[thread].wait;
    for (size_t i = 0; w->kind == LK_WAIT_FUTURE && w->timeout_ms == LK_FOREVER && i < w->on.n;
         i++) {
        const struct lk_future *f = lk_future_at(x->py->s, w->on.v[i]);
        if (!f || f->enders.n || f->state != LK_FUTURE_PENDING)
            continue;
        struct waited_for wait = { .future = w->on.v[i],
                                   .waiter = lk_ref_make(LK_KIND_THREAD, thread) };
        wait.code = innermost_code(x->py, lk_py_frames_of_thread(x->py, thread));
        lk_map_get(&x->wanted, f->addr, &wait.next);
        lk_vec_add(&x->waits, wait);
        lk_map_put(&x->wanted, f->addr, x->waits.n);
    }
}

/* ---- what a party has ------------------------------------------------------------------------ */

static void add_named(struct search *x, lk_addr code, lk_addr globals, unsigned nested);

static void add_global(struct search *x, lk_addr value, unsigned nested)
{
    struct lk_py *py = x->py;
    switch (lk_py_kind(py, value)) {
    case LK_PYK_TYPE:
    case LK_PYK_MODULE: return;
    case LK_PYK_FUNCTION: {
        lk_addr code = lk_py_function_code(py, value);
        if (code && is_of_program(py, lk_py_code(py, code)))
            add_named(x, code, lk_py_ptr(py, value + py->layout.func_globals), nested + 1);
        break;
    }
    default: break;
    }
    lk_vec_add(&x->roots, value);
}

static void add_named(struct search *x, lk_addr code, lk_addr globals, unsigned nested)
{
    struct lk_py *py = x->py;
    size_t n = 0;
    if (nested > MAX_NESTED || x->n_functions == MAX_FUNCTIONS ||
        !lk_map_add(&x->functions, code, 1))
        return;
    x->n_functions++;
    lk_addr *names = lk_py_items(py, lk_py_ptr(py, code + py->layout.co_names), MAX_NAMES, &n);
    for (size_t i = 0; names && globals && i < n; i++) {
        char name[LK_PY_MAX_STR];
        lk_addr value =
            lk_py_str_raw(py, names[i], name, sizeof name) ? lk_py_dict_get(py, globals, name) : 0;
        if (value)
            add_global(x, value, nested);
    }
}

static bool add_if_collected(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct lk_roots *r = arg;
    const enum lk_pykind kind = lk_py_kind(py, value);
    if (strcmp(name, "self") == 0 || kind == LK_PYK_LIST || kind == LK_PYK_DICT ||
        kind == LK_PYK_SET || kind == LK_PYK_DEQUE || kind == LK_PYK_CELL)
        lk_vec_add(r, value);
    return true;
}

static void add_frame(struct search *x, const struct lk_pyf *f)
{
    const struct lk_wait *w = lk_wait_of(x->py->s, x->party);
    const struct lk_pycode *c = lk_py_code(x->py, f->code);
    if (!c || lk_py_of_stdlib(x->py, c->code))
        return;
    if (w->kind == LK_WAIT_QUEUE_GET)
        lk_py_local_each(x->py, f, add_if_collected, &x->roots);
    else
        lk_py_add_roots(x->py, f, &x->roots);
    if (is_of_program(x->py, c) && strcmp(c->code->function, "<module>") != 0)
        add_named(x, f->code, f->globals, 0);
}

static bool runs(const struct lk_pyframes *frames, lk_addr code)
{
    for (size_t i = 0; i < frames->n; i++)
        if (frames->v[i].code == code)
            return true;
    return false;
}

static void note_met(struct lk_py *py, lk_addr obj, void *arg)
{
    struct search *x = arg;
    uint64_t at = 0;
    lk_map_get(&x->wanted, obj, &at);
    if (!at)
        return;
    struct lk_future *f = lk_future_at(py->s, x->waits.v[at - 1].future);
    for (; at; at = x->waits.v[at - 1].next) {
        const struct waited_for *w = &x->waits.v[at - 1];
        if (lk_ref_eq(w->waiter, x->party) || runs(x->frames, w->code))
            return;
    }
    if (x->completes == LK_TRI_UNKNOWN) {
        const struct lk_reach_query q = { .waiter = x->frames,
                                          .methods = completes,
                                          .budget = &x->budget };
        x->completes = lk_py_frames_will_call(py, &q);
    }
    if (x->completes)
        lk_refs_add(py->s, &f->at_hand, x->party);
}

static void ask(struct search *x, struct lk_ref party, const struct lk_pyframes *frames)
{
    struct lk_leads_to l = { .each = &x->wanted,
                             .met = note_met,
                             .arg = x,
                             .not_packages = true,
                             .steps = STEPS,
                             .budget = LK_MIN(x->budget, (unsigned)SEARCH) };
    const unsigned before = l.budget;
    x->party = party;
    x->frames = frames;
    x->roots.n = 0;
    x->n_functions = 0;
    x->completes = LK_TRI_UNKNOWN;
    for (size_t i = 0; i < frames->n; i++)
        add_frame(x, &frames->v[i]);
    lk_py_lead_to(x->py, x->roots.v, x->roots.n, &l);
    x->budget -= before - l.budget;
    lk_map_deinit(&x->functions);
}

void lk_py_find_future_hands(struct lk_py *py)
{
    struct search x = { .py = py, .budget = MAX_LOOKS };
    struct lk_pyframes chain = { 0 };
    for (size_t i = 0; i < py->s->threads.n; i++)
        add_waits(&x, i);
    for (size_t i = 0; x.waits.n && i < py->s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        if (frames)
            ask(&x, lk_ref_make(LK_KIND_THREAD, i), frames);
    }
    for (size_t i = 0; x.waits.n && i < py->s->tasks.n && py->s->tasks.n <= LK_MAX_ASKED_TASKS;
         i++) {
        const struct lk_pyframes *frames =
            lk_frames_of_party(py, lk_ref_make(LK_KIND_TASK, i), &chain);
        if (frames)
            ask(&x, lk_ref_make(LK_KIND_TASK, i), frames);
    }
    lk_map_deinit(&x.wanted);
    lk_free(x.waits.v);
    lk_free(x.roots.v);
    lk_free(chain.v);
}
