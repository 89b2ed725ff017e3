/*
 * Who holds the units of a semaphore and would give one back: threads and tasks that are inside of
 * `with semaphore:`, and those in code that is still to call its release(). The object itself
 * records no holder, and only a BoundedSemaphore how many units there are (CPython Lib/threading.py
 * _initial_value, Lib/asyncio/locks.py _bound_value, 3.8 - 3.15), or anyio's limiter
 * (anyio/_backends/_asyncio.py, 3.0 - 4.16), gevent's and eventlet's (eventlet/semaphore.py
 * original_counter); a greenlet that is in a pool of greenlets has a unit until it ends. Where each
 * unit is held by a `with` that was found, and nobody else may give one back, the holders are
 * known; else they are likely.
 */
#include "read/python/stdlib/unit_holders.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/method_calls.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/signal_handlers.h"
#include "read/python/stdlib/thread_object.h"

enum {
    MAX_ASKED = 20000,     /* questions to code in one sample */
    MAX_ATTRS = 64,        /* of the object of one `with` */
    MAX_RELEASING = 20000, /* frames of tasks that are kept */
    MAX_ARGS = 4,          /* of a callback that are looked at */
};

struct search {
    struct lk_py *py;
    struct lk_lock *lock;
    struct lk_refs by_with, by_code, maybe;
    int64_t units; /* held by a with */
    bool sure;     /* nobody but these may give one back */
    unsigned *left;
};

static bool names_release(struct lk_py *py, const struct lk_pyf *f)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    if (c && lk_py_of_stdlib(py, c->code))
        return lk_py_frame_is(py, f, "run", "/threading.py"); /* what a Timer calls may */
    return c && c->code->mentions_release;
}

/* Of the program's own or of a library: not the standard library's acquire() itself. */
static bool is_own(struct lk_py *py, const struct lk_pyf *f)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    return c && !lk_py_of_stdlib(py, c->code);
}

bool lk_py_note_releasing_frame(struct lk_py *py, const struct lk_pyf *f, struct lk_ref holder,
                                bool takes)
{
    struct lk_reader *a = lk_reader(py);
    if (!names_release(py, f))
        return false;
    if (a->releasing.n < MAX_RELEASING)
        lk_vec_add(&a->releasing, ((struct lk_releasing){ *f, holder, takes }));
    else
        a->releasing_cut = true;
    return true;
}

size_t lk_py_note_releasing(struct lk_py *py, const struct lk_pyframes *frames,
                            bool innermost_first, struct lk_ref holder)
{
    bool innermost = true;
    size_t noted = 0;
    for (size_t i = 0; i < frames->n; i++) {
        const struct lk_pyf *f = &frames->v[innermost_first ? i : frames->n - 1 - i];
        noted += lk_py_note_releasing_frame(py, f, holder, innermost);
        innermost &= !is_own(py, f);
    }
    return noted;
}

static void add_with_blocks(struct search *x)
{
    const struct lk_reader *a = lk_reader(x->py);
    for (size_t i = 0; i < x->py->green_holds.n; i++) {
        const struct lk_green_hold *h = &x->py->green_holds.v[i];
        if (h->manager != x->lock->addr)
            continue;
        x->units++;
        lk_refs_add(x->py->s, &x->by_with, lk_ref_make(LK_KIND_THREAD, h->thread));
    }
    for (size_t i = 0; i < a->holds.n; i++) {
        const struct lk_with_hold *h = &a->holds.v[i];
        if (h->manager != x->lock->addr)
            continue;
        x->units++;
        x->sure &= !h->may_release;
        lk_refs_add(x->py->s, &x->by_with, h->holder);
    }
}

static bool is_callable(struct lk_py *py, lk_addr obj)
{
    switch (lk_py_kind(py, obj)) {
    case LK_PYK_FUNCTION:
    case LK_PYK_METHOD:
    case LK_PYK_BUILTIN_METHOD:
    case LK_PYK_PARTIAL: return true;
    default: return false;
    }
}

/* A callable that is yet to be called, by a loop or by what is done. */
static bool may_give_back(struct search *x, lk_addr callable)
{
    lk_addr func, self = 0, args;
    lk_py_partial(x->py, callable, &callable, &args);
    if (!lk_py_method(x->py, callable, &func, &self))
        func = callable;
    if (self == x->lock->addr)
        return true;
    lk_addr code = func ? lk_py_function_code(x->py, func) : 0;
    const struct lk_pycode *c = code ? lk_py_code(x->py, code) : NULL;
    if (c ? !c->code->mentions_release : self != 0)
        return false;
    return lk_py_callable_reaches(x->py, callable, "release", x->lock->addr) != LK_NO;
}

/* Nor need it be the callback itself: what it is given to call. */
static bool call_may_give_back(struct search *x, lk_addr callback, lk_addr args)
{
    bool ret = may_give_back(x, callback);
    for (size_t i = 0; args && i < MAX_ARGS && !ret; i++) {
        lk_addr arg = lk_py_item(x->py, args, i);
        if (!arg)
            break;
        ret = arg == x->lock->addr || (is_callable(x->py, arg) && may_give_back(x, arg));
    }
    return ret;
}

/* A threading.Timer's by what it is to call. */
static enum lk_tri gives_back(struct search *x, const struct lk_pyf *f)
{
    lk_addr timer = lk_py_timer_of_frame(x->py, f);
    if (!timer)
        return is_own(x->py, f) ? lk_py_will_call_method_on(x->py, f, "release", x->lock->addr)
                                : LK_NO;
    return call_may_give_back(x, lk_py_attr(x->py, timer, "function"),
                              lk_py_attr(x->py, timer, "args"))
               ? LK_YES
               : LK_NO;
}

/* A frame that names release. takes: it is the one that calls acquire(), if that is what is waited
 * for: what it asks for it does not hold yet. */
static void ask_frame(struct search *x, const struct lk_pyf *f, struct lk_ref who, bool takes)
{
    if (!*x->left || (takes && lk_refs_has(&x->lock->waiters, who)))
        return;
    --*x->left;
    enum lk_tri ends = gives_back(x, f);
    if (ends == LK_NO)
        return;
    lk_refs_add(x->py->s, ends == LK_YES ? &x->by_code : &x->maybe, who);
    x->sure &= lk_refs_has(&x->by_with, who);
}

static void ask_threads(struct search *x)
{
    for (size_t i = 0; i < x->py->s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(x->py, i);
        bool innermost = true;
        for (size_t k = 0; frames && k < frames->n; k++) {
            if (names_release(x->py, &frames->v[k]))
                ask_frame(x, &frames->v[k], lk_ref_make(LK_KIND_THREAD, i), innermost);
            innermost &= !is_own(x->py, &frames->v[k]);
        }
        x->sure &= frames != NULL || !x->py->s->threads.v[i].python;
    }
}

static void ask_tasks(struct search *x)
{
    const struct lk_reader *a = lk_reader(x->py);
    for (size_t i = 0; i < a->releasing.n; i++)
        ask_frame(x, &a->releasing.v[i].frame, a->releasing.v[i].holder, a->releasing.v[i].takes);
    x->sure &= !a->releasing_cut && !a->tasks_cut && !a->greenlets_cut;
}

/* Leaving a `with` of that object calls release, and it has the semaphore among its attributes. */
static bool exit_gives_back(struct search *x, lk_addr manager)
{
    static const char *const exits[] = { "__exit__", "__aexit__" };
    const struct lk_pytype *ty = lk_py_type(x->py, manager);
    bool releases = false;
    for (size_t i = 0; ty && i < LK_ARRAY_LEN(exits); i++) {
        lk_addr func = lk_py_type_attr(x->py, ty, exits[i]);
        const struct lk_pycode *c =
            func ? lk_py_code(x->py, lk_py_function_code(x->py, func)) : NULL;
        releases |= c && c->code->mentions_release;
    }
    return releases && lk_py_has_value(x->py, manager, x->lock->addr, MAX_ATTRS);
}

static void ask_other_blocks(struct search *x)
{
    const struct lk_reader *a = lk_reader(x->py);
    for (size_t i = 0; i < a->with_others.n && *x->left; i++) {
        --*x->left;
        if (!exit_gives_back(x, a->with_others.v[i].manager))
            continue;
        lk_refs_add(x->py->s, &x->by_code, a->with_others.v[i].holder);
        x->sure = false;
    }
}

/* What a done-callback gives back is given back when its task or future is done. */
static void ask_callbacks(struct search *x)
{
    const struct lk_reader *a = lk_reader(x->py);
    for (size_t i = 0; i < a->release_callbacks.n && *x->left; i++) {
        const struct lk_release_callback *c = &a->release_callbacks.v[i];
        --*x->left;
        if (!may_give_back(x, c->callback))
            continue;
        struct lk_ref of = lk_snapshot_find(x->py->s, LK_KIND_TASK, c->of);
        if (of.kind == LK_KIND_NONE)
            of = lk_snapshot_find(x->py->s, LK_KIND_FUTURE, c->of);
        lk_refs_add(x->py->s, &x->maybe, of);
        x->sure = false;
    }
}

/* A timer that gives a unit back: a rate limit, that nobody is stuck at; or who else is no party
 * of the process. */
static bool timer_gives_back(struct search *x)
{
    for (size_t i = 0; i < x->py->timers.n && *x->left; i++) {
        --*x->left;
        if (call_may_give_back(x, x->py->timers.v[i].callback, x->py->timers.v[i].args))
            return true;
    }
    return false;
}

/* The same of what a hub is to call; true where that is the end of no greenlet. */
static bool hub_gives_back(struct search *x)
{
    for (size_t i = 0; i < x->py->hub_callbacks.n && *x->left; i++) {
        const struct lk_hub_callback *c = &x->py->hub_callbacks.v[i];
        --*x->left;
        if (c->gives_back ? c->gives_back != x->lock->addr
                          : !call_may_give_back(x, c->callback, c->args))
            continue;
        struct lk_ref of = lk_snapshot_find(x->py->s, LK_KIND_TASK, c->of);
        if (of.kind == LK_KIND_NONE) /* one that is yet to begin, too */
            return true;
        lk_refs_add(x->py->s, c->gives_back ? &x->by_code : &x->maybe, of);
        x->sure = false;
    }
    return false;
}

/* How many units there are; LK_UNKNOWN: any number may be given back. */
static int64_t units_of(struct lk_py *py, const struct lk_lock *l)
{
    int64_t n;
    static const char *const fields[] = { "_initial_value", "_bound_value", "_max_value",
                                          "_total_tokens", "original_counter" };
    if (l->units != LK_UNKNOWN)
        return l->units;
    for (size_t i = 0; i < LK_ARRAY_LEN(fields); i++) {
        lk_addr bound = lk_py_attr(py, l->addr, fields[i]);
        if (bound && lk_py_int(py, bound, &n))
            return n;
    }
    return LK_UNKNOWN;
}

/* Each that waits for it takes a unit. */
static bool is_waited_for(const struct lk_py *py, const struct lk_lock *l)
{
    for (size_t i = 0; i < l->waiters.n; i++) {
        const struct lk_thread *t = lk_thread_at(py->s, l->waiters.v[i]);
        const struct lk_task *k = lk_task_at(py->s, l->waiters.v[i]);
        if ((t && t->wait.kind != LK_WAIT_SEMAPHORE) || (k && k->wait.kind != LK_WAIT_SEMAPHORE))
            return false;
    }
    return l->waiters.n > 0 && !l->set;
}

/* Whether nobody stuck holds them: a timer gives one back, or what has not begun. */
static bool is_given_back(struct search *x)
{
    bool ret = timer_gives_back(x);
    return hub_gives_back(x) || ret;
}

static void find_for(struct lk_py *py, struct lk_lock *l, unsigned *left)
{
    struct search x = { .py = py, .lock = l, .sure = true, .left = left };
    int64_t all = units_of(py, l);
    add_with_blocks(&x);
    ask_threads(&x);
    ask_tasks(&x);
    ask_other_blocks(&x);
    ask_callbacks(&x);
    const bool given_back = is_given_back(&x), some_with = x.by_with.n > 0;
    for (size_t i = 0; i < x.by_code.n; i++)
        lk_refs_add(py->s, &x.by_with, x.by_code.v[i]);
    /* Units that nobody was found to hold may be given back by anybody. */
    if (!x.by_with.n || (all != LK_UNKNOWN && x.units + (int64_t)x.by_code.n < all) || given_back ||
        !*left)
        return;
    for (size_t i = 0; i < x.maybe.n; i++)
        lk_refs_add(py->s, &x.by_with, x.maybe.v[i]);
    l->likely_enders = x.by_with;
    l->likely_for = some_with ? "a unit of it is held by" : "would be released by the code of";
    l->units_known = true;
    l->units_held = x.units;
    l->units_all = all != LK_UNKNOWN && x.units == all && x.sure &&
                   lk_py_handlers_release(py, l->addr) == LK_NO;
}

/* What greenlets do with it is known behind what all others do. */
static void add_greenlets(struct lk_py *py, struct lk_lock *l, unsigned *left)
{
    struct search x = { .py = py, .lock = l, .sure = true, .left = left };
    if (!l->units_known)
        return;
    add_with_blocks(&x);
    ask_tasks(&x);
    const struct lk_refs *found[] = { &x.by_with, &x.by_code, &x.maybe };
    for (size_t i = 0; i < LK_ARRAY_LEN(found); i++)
        for (size_t k = 0; k < found[i]->n; k++)
            lk_refs_add(py->s, &l->likely_enders, found[i]->v[k]);
    l->units_known = !is_given_back(&x) && *left;
    l->units_all &= l->units_known && x.sure && !x.units;
    if (!l->units_known)
        l->likely_enders = (struct lk_refs){ 0 };
}

void lk_py_find_unit_holders(struct lk_py *py, bool of_greenlets)
{
    unsigned left = MAX_ASKED;
    for (size_t i = 0; i < py->s->locks.n && left; i++) {
        struct lk_lock *l = &py->s->locks.v[i];
        if (!is_waited_for(py, l))
            continue;
        switch (lk_py_known_class(py, l->addr, NULL)) {
        case LK_CLASS_SEMAPHORE:
        case LK_CLASS_AIO_SEMAPHORE:
        case LK_CLASS_TRIO_SEMAPHORE:
        case LK_CLASS_LIMITER: (of_greenlets ? add_greenlets : find_for)(py, l, &left); break;
        case LK_CLASS_GREEN_SEMAPHORE:
            if (of_greenlets)
                find_for(py, l, &left);
            break;
        default: break;
        }
    }
}
