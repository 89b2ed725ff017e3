/*
 * Who could end a wait by code of the program's own, though something else is known to: threads,
 * tasks, timers and signal handlers that have a future or a lock at hand which somebody waits for,
 * or a member of a ring, and that are going to run code which completes or cancels it, gives it
 * back, or lets a pool go on: more workers (concurrent/futures/thread.py _max_workers,
 * _adjust_thread_count), shutdown(cancel_futures=True). They have it by the variables of their
 * frames, the globals that the code of these is still to name, itself or through functions of the
 * program, and what all of that leads to (a queue's items, the data of a selector's keys). What it
 * is done to the code tells, as far as that can be followed (method_calls.h): a table of locks that
 * is counted is not opened by code that gives back something else. They also call what their data
 * holds: a scheduler's events, a table of commands, an attribute of self; but not what a Thread, a
 * task or a pool is to run, which is on the way already. Code that takes a lock too gives
 * back what it took. The waiter's own code is what waits, whoever runs it; and who waits for the
 * next item has done with the last one (`item = queue.get()` has not bound the name again yet), but
 * for what it collects.
 */
#include "read/loops/other_enders.h"

#include "read/loops/awaited.h"
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
#include "read/python/reader/known_class.h"
#include "read/python/reader/leads_to.h"
#include "read/python/reader/names_ahead.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/code_in_reach.h"
#include "read/python/stdlib/signal_handlers.h"
#include "snapshot/builder.h"
#include "util/memory.h"

enum {
    MAX_LOOKS = 400000, /* objects looked at in one sample */
    SEARCH = 20000,     /* ... and for one party */
    STEPS = 5,
    MAX_NAMES = 1024,   /* of one code object */
    MAX_FUNCTIONS = 64, /* that one party's code names, one within the other */
    MAX_NESTED = 3,
    MAX_OWN = 16,
    MAX_AT_HAND = 4096,
    CALLABLE_STEPS = 4,    /* from a frame to what it may call: self, table, list, function */
    CALLABLE_SEARCH = 500, /* objects looked at for that, of one party */
    MAX_CALLABLES = 16,
};

/* kill() and throw() are for greenlets */
static const char *const completes[] = { "set_result", "set_exception", "cancel", "kill",
                                         "killall",    "throw",         NULL };
static const char *const releases[] = { "release", NULL };
static const char *const grows[] = { "_adjust_thread_count", NULL };

enum ends { COMPLETES, RELEASES, GROWS, N_ENDS };

static const struct lk_called ends[] = {
    [COMPLETES] = { .methods = completes },
    [RELEASES] = { .methods = releases, .unless = "acquire" },
    [GROWS] = { .methods = grows,
                .sets = "_max_workers",
                .argument = "cancel_futures",
                .argument_of = "shutdown" },
};

/* One wait for one thing, and where it stands: the code of the program, innermost. */
struct waited_for {
    struct lk_ref thing, waiter;
    lk_addr code;
    uint64_t next; /* index + 1 of another wait for the same */
};

struct search {
    struct lk_py *py;
    struct lk_map wanted; /* address -> index + 1 in waits */
    LK_VEC(struct waited_for) waits;
    struct lk_program_code *code; /* read when somebody has something */
    struct lk_ref party;          /* whose frames are looked at */
    const struct lk_pyframes *frames;
    /* functions that are yet to be called: by a timer, for a signal, out of its data */
    lk_addr callables[MAX_CALLABLES];
    size_t n_callables;
    struct lk_map calls;    /* code of a function -> what that does, as bits, + 1 */
    struct lk_at_hand hand; /* of a ring's member, as it is told */
    struct lk_roots roots;
    struct lk_map functions; /* code objects */
    unsigned n_functions, budget;
    lk_addr own[MAX_OWN]; /* what the party waits for in the end: it cannot use that before */
    size_t n_own;
    struct lk_map places; /* stack -> what its code does, as bits, + 1: alike wherever it stands */
    unsigned does;        /* the party's code: bits of enum ends */
    bool wanted_ends[N_ENDS];
    unsigned by_data; /* of these bits, what is only held to be called counts too: it may be done,
                         which is no promise to who waits for it */
    void (*met)(struct lk_py *py, lk_addr obj, void *arg);
};

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

static void add_wait(struct search *x, struct lk_ref thing, lk_addr addr, struct lk_ref waiter)
{
    struct waited_for w = { .thing = thing, .waiter = waiter };
    if (waiter.kind == LK_KIND_THREAD)
        w.code = innermost_code(x->py, lk_py_frames_of_thread(x->py, waiter.index));
    lk_map_get(&x->wanted, addr, &w.next);
    x->wanted_ends[thing.kind == LK_KIND_LOCK ? RELEASES : COMPLETES] = true;
    lk_vec_add(&x->waits, w);
    lk_map_put(&x->wanted, addr, x->waits.n);
}

/* Nobody is known to complete it, or who would is on a loop that has been closed. */
static bool is_doubtful(const struct lk_snapshot *s, const struct lk_future *f)
{
    bool closed = f->enders.n > 0;
    for (size_t i = 0; i < f->enders.n && closed; i++) {
        const struct lk_task *k = lk_task_at(s, f->enders.v[i]);
        const struct lk_loop *o = lk_loop_at(s, k ? k->loop : f->enders.v[i]);
        closed = o && o->run == LK_LOOP_CLOSED;
    }
    return f->state == LK_FUTURE_PENDING && (!f->enders.n || closed);
}

static void add_futures(struct search *x, size_t thread)
{
    const struct lk_wait *w = &x->py->s->threads.v[thread].wait;
    for (size_t i = 0; w->kind == LK_WAIT_FUTURE && w->timeout_ms == LK_FOREVER && i < w->on.n;
         i++) {
        const struct lk_future *f = lk_future_at(x->py->s, w->on.v[i]);
        if (f && is_doubtful(x->py->s, f))
            add_wait(x, w->on.v[i], f->addr, lk_ref_make(LK_KIND_THREAD, thread));
    }
}

/* Of a lock that records its owner nobody else can give it back. */
static void add_lock(struct search *x, size_t lock)
{
    const struct lk_lock *l = &x->py->s->locks.v[lock];
    for (size_t i = 0; l->owner_by == LK_OWNER_VALUE_STACK && l->owner_certain && i < l->waiters.n;
         i++)
        add_wait(x, lk_ref_make(LK_KIND_LOCK, lock), l->addr, l->waiters.v[i]);
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

/* ahead: by index, which of the names count; NULL: all. */
static void add_globals(struct search *x, lk_addr code, lk_addr globals, const uint8_t *ahead,
                        unsigned nested)
{
    struct lk_py *py = x->py;
    size_t n = 0;
    lk_addr *names = lk_py_items(py, lk_py_ptr(py, code + py->layout.co_names), MAX_NAMES, &n);
    for (size_t i = 0; names && globals && i < n; i++) {
        char name[LK_PY_MAX_STR];
        lk_addr value = (!ahead || ahead[i]) && lk_py_str_raw(py, names[i], name, sizeof name)
                            ? lk_py_dict_get(py, globals, name)
                            : 0;
        if (value)
            add_global(x, value, nested);
    }
}

static void add_named(struct search *x, lk_addr code, lk_addr globals, unsigned nested)
{
    if (nested > MAX_NESTED || x->n_functions == MAX_FUNCTIONS ||
        !lk_map_add(&x->functions, code, 1))
        return;
    x->n_functions++;
    add_globals(x, code, globals, NULL, nested);
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
    size_t n = 0;
    if (is_of_program(x->py, c))
        add_globals(x, f->code, f->globals, lk_py_names_ahead(x->py, f, &n), 0);
}

static bool runs(const struct lk_pyframes *frames, lk_addr code)
{
    for (size_t i = 0; i < frames->n; i++)
        if (frames->v[i].code == code)
            return true;
    return false;
}

static bool is_own(const struct search *x, lk_addr obj)
{
    for (size_t i = 0; i < x->n_own; i++)
        if (x->own[i] == obj)
            return true;
    return false;
}

/* It waits for all there is: of what it has at hand nothing matters. */
static bool waits_for_all(const struct search *x)
{
    size_t n = 0;
    for (size_t i = 0; i < x->n_own; i++)
        n += lk_map_get(&x->wanted, x->own[i], NULL);
    return n >= x->wanted.n;
}

static const struct lk_program_code *code_of_program(struct search *x)
{
    if (!x->code)
        x->code = lk_program_code_read(x->py);
    return x->code;
}

/* Of what stands in these frames, or of a function that is yet to be called: as bits. */
static unsigned read_does(struct search *x, const struct lk_pyframes *frames, lk_addr func)
{
    const struct lk_program_code *code = code_of_program(x);
    unsigned ret = 0;
    for (unsigned i = 0; i < N_ENDS; i++)
        if (x->wanted_ends[i] &&
            (frames ? lk_program_code_calls(x->py, code, frames, &ends[i], 0)
                    : lk_program_code_function_calls(x->py, code, func, &ends[i], 0)))
            ret |= 1u << i;
    return ret;
}

/* Of what its code does something is done to this, or may be. */
static bool does_to(struct search *x, enum ends how, lk_addr obj)
{
    if (!(x->does & 1u << how))
        return false;
    bool ret = x->frames && lk_program_code_calls(x->py, x->code, x->frames, &ends[how], obj);
    for (size_t i = 0; i < x->n_callables && !ret; i++)
        ret = lk_program_code_function_calls(x->py, x->code, x->callables[i], &ends[how], obj);
    return ret;
}

static unsigned does(struct search *x, struct lk_ref party, const struct lk_pyframes *frames)
{
    const uint64_t place = (uintptr_t)lk_stack_of(x->py->s, party);
    uint64_t known = 0;
    if (!lk_map_get(&x->places, place, &known)) {
        known = read_does(x, frames, 0) + 1;
        lk_map_put(&x->places, place, known);
    }
    return (unsigned)(known - 1);
}

static void note_met(struct lk_py *py, lk_addr obj, void *arg)
{
    struct search *x = arg;
    uint64_t at = 0;
    lk_map_get(&x->wanted, obj, &at);
    if (!at || is_own(x, obj))
        return;
    struct lk_future *f = lk_future_at(py->s, x->waits.v[at - 1].thing);
    struct lk_lock *l = lk_lock_at(py->s, x->waits.v[at - 1].thing);
    for (; at; at = x->waits.v[at - 1].next) {
        const struct waited_for *w = &x->waits.v[at - 1];
        if (lk_ref_eq(w->waiter, x->party) || (w->code && x->frames && runs(x->frames, w->code)))
            return;
    }
    if (f && x->party.kind != LK_KIND_NONE && does_to(x, COMPLETES, obj))
        lk_refs_add(py->s, &f->at_hand, x->party);
    else if (l && l->owner_certain && !lk_refs_has(&l->owners, x->party) &&
             does_to(x, RELEASES, obj))
        l->owner_certain = false;
}

static void begin(struct search *x, struct lk_ref party, const struct lk_pyframes *frames)
{
    x->party = party;
    x->frames = frames;
    x->n_callables = 0;
    x->hand = (struct lk_at_hand){ .by = party, .in_ms = LK_UNKNOWN, .callback = "" };
    x->roots.n = 0;
    x->n_functions = 0;
    x->n_own = 0;
}

static void seek(struct search *x)
{
    struct lk_leads_to l = { .each = &x->wanted,
                             .met = x->met,
                             .arg = x,
                             .not_packages = true,
                             .steps = STEPS,
                             .budget = LK_MIN(x->budget, (unsigned)SEARCH) };
    const unsigned before = l.budget;
    lk_py_lead_to(x->py, x->roots.v, x->roots.n, &l);
    x->budget -= before - l.budget;
}

static unsigned function_does(struct search *x, lk_addr func, lk_addr code)
{
    uint64_t known = 0;
    if (!lk_map_get(&x->calls, code, &known)) {
        known = read_does(x, NULL, func) + 1;
        lk_map_put(&x->calls, code, known);
    }
    return (unsigned)(known - 1);
}

static bool add_function(struct search *x, lk_addr func, unsigned of)
{
    struct lk_py *py = x->py;
    const lk_addr code =
        func && lk_py_kind(py, func) == LK_PYK_FUNCTION ? lk_py_function_code(py, func) : 0;
    const unsigned does = code ? function_does(x, func, code) & of : 0;
    if (!does || x->n_callables == MAX_CALLABLES)
        return false;
    x->does |= does;
    x->callables[x->n_callables++] = func;
    add_named(x, code, lk_py_ptr(py, func + py->layout.func_globals), 0);
    return true;
}

/* What a timer calls, or is called for a signal: what it is called on and with, and what its code
 * names. */
static bool add_callable(struct search *x, lk_addr callable, lk_addr args)
{
    lk_addr func = 0, self = 0, inner = 0, given;
    if (lk_py_partial(x->py, callable, &inner, &given))
        lk_vec_add(&x->roots, callable);
    if (!lk_py_method(x->py, inner ? inner : callable, &func, &self))
        func = inner ? inner : callable;
    if (!add_function(x, func, ~0u))
        return false;
    lk_vec_add(&x->roots, callable);
    if (args)
        lk_vec_add(&x->roots, args);
    return true;
}

/* ---- what its data holds to be called ------------------------------------------------------ */

/* Not the code of a waiter, which waits whoever runs it, nor what the party stands in. */
static void note_callable(struct lk_py *py, lk_addr func, void *arg)
{
    struct search *x = arg;
    const lk_addr code = lk_py_function_code(py, func);
    if (runs(x->frames, code))
        return;
    for (size_t i = 0; i < x->waits.n; i++)
        if (x->waits.v[i].code == code)
            return;
    if (add_function(x, func, x->by_data))
        lk_vec_add(&x->roots, func);
}

/* Loops, tasks, futures, pools and threads are what is run already; of a thread's own class its
 * object is what it has at hand. */
static bool may_be_opened(struct lk_py *py, lk_addr obj, unsigned far, void *arg)
{
    const struct search *x = arg;
    const enum lk_known_class cls = lk_py_known_class(py, obj, NULL);
    const enum lk_pykind kind = lk_py_kind(py, obj);
    uint64_t own = 0;
    (void)far;
    if (x->party.kind == LK_KIND_THREAD)
        lk_map_get(&py->thread_objects, x->party.index, &own);
    return own == obj ||
           ((cls < LK_CLASS_LOOP || cls > LK_CLASS_THREAD) && kind != LK_PYK_COROUTINE &&
            kind != LK_PYK_GENERATOR && kind != LK_PYK_ASYNC_GEN);
}

static bool any_function_does(struct search *x)
{
    bool ret = false;
    for (unsigned i = 0; i < N_ENDS && !ret; i++)
        ret = x->wanted_ends[i] && (x->by_data & 1u << i) &&
              lk_program_code_has(code_of_program(x), &ends[i]);
    return ret;
}

/* A scheduler of the standard library has its events among its own variables. */
static void add_callables(struct search *x)
{
    struct lk_leads_to l = { .visit = may_be_opened,
                             .function = note_callable,
                             .arg = x,
                             .not_packages = true,
                             .steps = CALLABLE_STEPS,
                             .budget = LK_MIN(x->budget, (unsigned)CALLABLE_SEARCH) };
    const unsigned before = l.budget;
    struct lk_roots from = { 0 };
    for (size_t i = 0; i < x->roots.n; i++)
        lk_vec_add(&from, x->roots.v[i]);
    for (size_t i = 0; i < x->frames->n; i++) {
        const struct lk_pycode *c = lk_py_code(x->py, x->frames->v[i].code);
        if (c && lk_py_of_stdlib(x->py, c->code))
            lk_py_add_roots(x->py, &x->frames->v[i], &from);
    }
    lk_py_lead_to(x->py, from.v, from.n, &l);
    lk_free(from.v);
    x->budget -= before - l.budget;
}

/* threading.Timer.run: its function is yet to be called. */
static void add_timer(struct search *x, const struct lk_pyf *f)
{
    if (!lk_py_frame_is(x->py, f, "run", "/threading.py"))
        return;
    const lk_addr self = lk_py_local(x->py, f, "self"),
                  function = lk_py_attr(x->py, self, "function");
    if (function)
        add_callable(x, function, lk_py_attr(x->py, self, "args"));
}

static void ask(struct search *x, struct lk_ref party, const struct lk_pyframes *frames)
{
    begin(x, party, frames);
    x->does = does(x, party, frames);
    x->n_own = lk_awaited_things(x->py->s, party, true, x->own, MAX_OWN);
    for (size_t i = 0; i < frames->n; i++)
        add_timer(x, &frames->v[i]);
    const bool asks_data = any_function_does(x);
    if ((x->does || asks_data) && !waits_for_all(x)) {
        for (size_t i = 0; i < frames->n; i++)
            add_frame(x, &frames->v[i]);
        if (asks_data)
            add_callables(x);
        if (x->does)
            seek(x);
    }
    lk_map_deinit(&x->functions);
}

static void ask_callable(struct search *x, lk_addr callable, lk_addr args, struct lk_at_hand hand)
{
    begin(x, hand.by, NULL);
    x->does = 0;
    x->hand = hand;
    if (add_callable(x, callable, args))
        seek(x);
    lk_map_deinit(&x->functions);
}

static const char *name_of(struct lk_py *py, lk_addr callable)
{
    struct lk_pyframe f;
    return lk_py_callable_frame(py, callable, &f) ? f.code->qualname : "";
}

static void ask_handlers(struct search *x)
{
    const struct lk_reader *a = lk_reader(x->py);
    lk_py_read_signal_handlers(x->py);
    for (size_t i = 0; i < a->handlers.n; i++)
        ask_callable(x, a->handlers.v[i], 0,
                     (struct lk_at_hand){ .hand = LK_HAND_CALLBACK,
                                          .in_ms = LK_UNKNOWN,
                                          .callback = name_of(x->py, a->handlers.v[i]),
                                          .when = "a signal comes" });
}

static void ask_timers(struct search *x)
{
    for (size_t i = 0; i < x->py->timers.n; i++) {
        const struct lk_py_timer *t = &x->py->timers.v[i];
        if (t->in_ms != LK_FOREVER)
            ask_callable(x, t->callback, t->args,
                         (struct lk_at_hand){ .by = lk_ref_make(LK_KIND_LOOP, t->loop),
                                              .hand = LK_HAND_TIMER,
                                              .in_ms = t->in_ms,
                                              .callback = name_of(x->py, t->callback) });
    }
}

static void ask_all(struct search *x)
{
    const struct lk_snapshot *s = x->py->s;
    struct lk_pyframes chain = { 0 };
    for (size_t i = 0; i < s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(x->py, i);
        if (frames)
            ask(x, lk_ref_make(LK_KIND_THREAD, i), frames);
    }
    for (size_t i = 0; i < s->tasks.n && s->tasks.n <= LK_MAX_ASKED_TASKS; i++) {
        const struct lk_ref task = lk_ref_make(LK_KIND_TASK, i);
        const struct lk_pyframes *frames = lk_frames_of_party(x->py, task, &chain);
        if (frames)
            ask(x, task, frames);
    }
    lk_free(chain.v);
}

static void end_search(struct search *x)
{
    lk_program_code_free(x->code);
    lk_map_deinit(&x->wanted);
    lk_map_deinit(&x->places);
    lk_map_deinit(&x->calls);
    lk_free(x->waits.v);
    lk_free(x->roots.v);
}

/* Not everybody was asked: what was not looked at is not nobody's. A thread's lock no task gives
 * back but in its own function. */
static void doubt_locks(struct search *x)
{
    const bool all = x->budget == 0;
    for (size_t i = 0; i < x->waits.n; i++) {
        struct lk_lock *l = lk_lock_at(x->py->s, x->waits.v[i].thing);
        if (l && (all || l->type == LK_LOCK_TYPE_ASYNCIO))
            l->owner_certain = false;
    }
}

void lk_py_find_other_enders(struct lk_py *py)
{
    struct search x = { .py = py, .budget = MAX_LOOKS, .met = note_met, .by_data = 1u << RELEASES };
    const struct lk_snapshot *s = py->s;
    for (size_t i = 0; i < s->threads.n; i++)
        add_futures(&x, i);
    for (size_t i = 0; i < s->locks.n; i++)
        add_lock(&x, i);
    if (x.waits.n)
        ask_all(&x);
    if (x.wanted_ends[RELEASES]) {
        ask_timers(&x);
        ask_handlers(&x);
    }
    if (!x.budget || s->tasks.n > LK_MAX_ASKED_TASKS)
        doubt_locks(&x);
    end_search(&x);
}

static void note_member(struct lk_py *py, lk_addr obj, void *arg)
{
    struct search *x = arg;
    uint64_t member;
    if (!lk_map_get(&x->wanted, obj, &member))
        return;
    struct lk_at_hand h = x->hand;
    h.what = lk_ref_unpack(member);
    if (!does_to(x, h.what.kind == LK_KIND_EXECUTOR ? GROWS : COMPLETES, obj))
        return;
    if (py->s->at_hand.n >= MAX_AT_HAND)
        py->s->at_hand_cut = true;
    else
        lk_vec_add(&py->s->at_hand, h);
}

static void want_members(struct search *x, const struct lk_map *members)
{
    for (size_t i = 0; i < members->cap; i++)
        if (members->used[i])
            lk_map_put(&x->wanted, members->keys[i], members->values[i]);
}

void lk_py_find_ring_enders(struct lk_py *py, const struct lk_map *members,
                            const struct lk_map *pools)
{
    struct search x = {
        .py = py, .budget = MAX_LOOKS, .met = note_member, .by_data = 1u << COMPLETES | 1u << GROWS
    };
    want_members(&x, members);
    want_members(&x, pools);
    x.wanted_ends[COMPLETES] = true;
    x.wanted_ends[GROWS] = pools->n > 0;
    ask_all(&x);
    ask_timers(&x);
    ask_handlers(&x);
    py->s->at_hand_cut |= x.budget == 0;
    end_search(&x);
}
