/*
 * Who could end a wait that any code may end: threads and tasks that have the object at hand,
 * timers and signal handlers that lead to it, consumers to which the waiter may have given it, and
 * code of the program that may be called at any time. That somebody has it says that he could, not
 * that he will. What a party waits for in the end it cannot use before; and where all references to
 * it are those of who waits for it, nobody else can.
 */
#include "read/loops/could_end.h"

#include "read/loops/awaited.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/leads_to.h"
#include "read/python/reader/method_calls.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/code_in_reach.h"
#include "read/python/stdlib/future_object.h"
#include "read/python/stdlib/references.h"
#include "read/python/stdlib/signal_handlers.h"
#include "util/memory.h"

enum {
    MAX_LOOKS = 400000, /* objects looked at in one sample */
    SEARCH = 20000,     /* ... and from one variable */
    STEPS = 5,
    MAX_ITERATED = 16, /* slots of a value stack */
    MAX_OWN = 16,      /* things that one party waits for, in the end */
    MAX_WAITING = 64,  /* parties that wait for one thing, in the end, ... */
    COUNTED_STEPS = 8,
    MAX_COUNTED = 4000,  /* ... and objects whose references are counted for it, ... */
    MAX_COUNTS = 200000, /* ... in one sample */
    MAX_ASKS = 20000,    /* questions to the code of tasks */
};

/* Which of the things that are asked for somebody has; all: that could not be told. */
struct reached {
    struct lk_map has;
    bool looked, all;
    /* what the party waits for in the end: it may have that at hand, and cannot use it before */
    lk_addr own[MAX_OWN];
    size_t n_own;
};

/* What was found of the code of a waiter that stands at one place. */
struct of_code {
    const struct lk_pystack *stack;
    const char *const *methods;
    bool others, found, idle;
};

struct waits_for {
    struct lk_ref who;
    uint64_t next; /* index + 1 of another one that waits for the same */
};

struct lk_could_end {
    struct lk_py *py;
    const struct lk_map *wanted;
    const struct lk_ending *e;
    unsigned budget, counts, asks;
    bool others, found, idle;
    LK_VEC(struct waits_for) waiting; /* who waits, in the end, for what is asked for */
    struct lk_map waiting_by;         /* what -> index + 1 */
    struct reached *threads;          /* by thread */
    struct reached tasks;             /* all of them together */
    LK_VEC(struct of_code) codes;
    struct lk_pyframes chain; /* buffer */
};

/* False when its await chain was cut. */
static bool read_chain(struct lk_py *py, const struct lk_task *k, struct lk_pyframes *chain)
{
    bool truncated = false;
    chain->n = 0;
    if (k->state == LK_TASK_PENDING)
        lk_aio_await_chain(py, k->addr, chain, &truncated);
    return !truncated;
}

const struct lk_pyframes *lk_frames_of_party(struct lk_py *py, struct lk_ref who,
                                             struct lk_pyframes *buffer)
{
    const struct lk_task *k = lk_task_at(py->s, who);
    if (!k)
        return lk_py_frames_of_thread(py, who.index);
    if (k->kind == LK_TASK_GREENLET)
        return lk_py_frames_of_greenlet(py, who.index);
    return read_chain(py, k, buffer) && buffer->n ? buffer : NULL;
}

lk_addr lk_object_of_party(struct lk_py *py, struct lk_ref who)
{
    const struct lk_task *k = lk_task_at(py->s, who);
    uint64_t object;
    return k ? k->addr : lk_map_get(&py->thread_objects, who.index, &object) ? object : 0;
}

/* ---- who has it ------------------------------------------------------------------------------ */

/* A callback's: a server's timer has the application at hand, as everybody has. */
static bool leads(struct lk_could_end *x, lk_addr from)
{
    struct lk_leads_to l = { .wanted = x->e->obj,
                             .not_packages = true,
                             .steps = STEPS,
                             .budget = LK_MIN(x->budget, (unsigned)SEARCH) };
    unsigned before = l.budget;
    bool ret = from && lk_py_leads_to(x->py, from, &l);
    x->budget -= before - l.budget;
    return ret || x->budget == 0;
}

/* What a `for` goes through has no name: it stands below the call that has not returned. How many
 * slots are in use is not known then; a generator that stands in one of the others was there a
 * moment ago. */
static void add_stack(struct lk_py *py, const struct lk_pyf *f, const struct lk_pycode *c,
                      struct lk_roots *r)
{
    int n = f->stack_depth < 0 ? c->stacksize : f->stack_depth;
    for (int i = 0; i < LK_MIN(n, MAX_ITERATED); i++) {
        lk_addr obj = lk_py_stack_slot(py, f, i);
        if (obj && (f->stack_depth >= 0 || lk_py_kind(py, obj) == LK_PYK_GENERATOR))
            lk_vec_add(r, obj);
    }
}

static bool is_own(const struct reached *r, lk_addr obj)
{
    for (size_t i = 0; i < r->n_own; i++)
        if (r->own[i] == obj)
            return true;
    return false;
}

static void note_met(struct lk_py *py, lk_addr obj, void *arg)
{
    (void)py;
    struct reached *r = arg;
    if (!is_own(r, obj))
        lk_map_put(&r->has, obj, 1);
}

static void lead(struct lk_could_end *x, const struct lk_roots *roots, bool of_library,
                 struct reached *to)
{
    struct lk_leads_to l = { .each = x->wanted,
                             .met = note_met,
                             .arg = to,
                             .not_packages = true,
                             .not_librarys = of_library,
                             .steps = STEPS,
                             .budget = LK_MIN(x->budget, (unsigned)SEARCH) };
    unsigned before = l.budget;
    to->all |= lk_py_lead_to(x->py, roots->v, roots->n, &l);
    x->budget -= before - l.budget;
}

static void reach(struct lk_could_end *x, const struct lk_pyframes *frames, struct reached *to)
{
    struct lk_roots roots[2] = { 0 }; /* the program's, libraries' */
    for (size_t i = 0; frames && i < frames->n; i++) {
        const struct lk_pycode *c = lk_py_code(x->py, frames->v[i].code);
        struct lk_roots *r = &roots[c && lk_py_is_library(x->py, c->code->file)];
        lk_py_add_roots(x->py, &frames->v[i], r);
        if (c)
            add_stack(x->py, &frames->v[i], c, r);
    }
    for (int i = 0; i < 2; i++) {
        lead(x, &roots[i], i == 1, to);
        lk_free(roots[i].v);
    }
}

static bool reaches(const struct lk_could_end *x, const struct reached *r)
{
    return r->all || lk_map_get(&r->has, x->e->obj, NULL);
}

static bool may_call(struct lk_could_end *x, const struct lk_pyf *f)
{
    for (const char *const *m = x->e->methods; *m; m++)
        if (lk_py_will_call_method_on(x->py, f, *m, x->e->obj) != LK_NO)
            return true;
    return false;
}

/* A frame of the program is going to end it. */
static void ask_frames(struct lk_could_end *x, const struct lk_pyframes *frames)
{
    for (size_t i = 0; frames && i < frames->n && !x->found; i++) {
        const struct lk_pycode *c = lk_py_code(x->py, frames->v[i].code);
        x->found |= c && !lk_py_is_library(x->py, c->code->file) && may_call(x, &frames->v[i]);
    }
}

static bool only_serves(struct lk_py *py, const struct lk_thread *t)
{
    if (t->wait.kind == LK_WAIT_SELECTOR || t->wait.kind == LK_WAIT_EXECUTOR_IDLE ||
        (t->wait.traits & LK_WAIT_LISTENS) || t->os.listening)
        return true;
    /* between two looks; what it calls of the program may be a request */
    const struct lk_pystack *st = t->python_stack;
    for (uint32_t i = 0; i < st->n && lk_py_is_library(py, st->frames[i].code->file); i++)
        if (strcmp(st->frames[i].code->function, "serve_forever") == 0)
            return true;
    return false;
}

/* A server's idle worker takes requests, not what one of them has made. */
static bool runs_program(struct lk_py *py, const struct lk_pystack *stack)
{
    for (uint32_t i = 0; i < stack->n; i++)
        if (stack->frames[i].code && !lk_py_is_library(py, stack->frames[i].code->file))
            return true;
    return false;
}

/* Of what a waiter has given to a consumer, that one does what it is told. */
static bool serves_waiter(struct lk_could_end *x, const struct lk_pyframes *waiter,
                          const struct lk_thread *t)
{
    if ((t->wait.kind != LK_WAIT_QUEUE_GET && t->wait.kind != LK_WAIT_CONDITION) ||
        !runs_program(x->py, t->python_stack))
        return false;
    for (size_t i = 0; i < t->wait.on.n; i++) {
        const struct lk_lock *l = lk_lock_at(x->py->s, t->wait.on.v[i]);
        struct lk_reach_query q = { .waiter = waiter, .budget = &x->budget };
        if (l) {
            q.obj = l->addr;
            if (lk_py_code_has(x->py, &q))
                return true;
        }
    }
    return false;
}

/* Code names things alike wherever it stands at the same place: it is asked once. */
static void ask_consumers(struct lk_could_end *x)
{
    const struct lk_snapshot *s = x->py->s;
    struct lk_map places = { 0 };
    for (size_t i = 0; i < x->e->waiters->n && !x->found; i++) {
        const struct lk_ref waiter = x->e->waiters->v[i];
        if (!lk_map_add(&places, (uintptr_t)lk_stack_of(s, waiter), 1))
            continue;
        const struct lk_pyframes *frames = lk_frames_of_party(x->py, waiter, &x->chain);
        for (size_t k = 0; frames && k < s->threads.n && !x->found; k++)
            x->found |= !lk_refs_has(x->e->waiters, lk_ref_make(LK_KIND_THREAD, k)) &&
                        serves_waiter(x, frames, &s->threads.v[k]);
    }
    lk_map_deinit(&places);
}

static void ask_threads(struct lk_could_end *x)
{
    const struct lk_snapshot *s = x->py->s;
    for (size_t i = 0; i < s->threads.n && !x->found; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(x->py, i);
        if (lk_refs_has(x->e->waiters, lk_ref_make(LK_KIND_THREAD, i)) ||
            only_serves(x->py, &s->threads.v[i]))
            continue;
        x->found |= !frames && s->threads.v[i].python; /* they were not read */
        struct reached *r = &x->threads[i];
        if (!r->looked) {
            r->n_own = lk_awaited_things(s, lk_ref_make(LK_KIND_THREAD, i), true, r->own, MAX_OWN);
            reach(x, frames, r);
        }
        r->looked = true;
        if (is_own(r, x->e->obj))
            continue;
        x->found |= reaches(x, r);
        ask_frames(x, frames);
    }
}

static void reach_tasks(struct lk_could_end *x)
{
    struct lk_py *py = x->py;
    x->tasks.all |= py->s->tasks.n > LK_MAX_ASKED_TASKS; /* any of them may */
    for (size_t i = 0; i < py->s->tasks.n && !x->tasks.all; i++) {
        const struct lk_task *k = &py->s->tasks.v[i];
        /* what a greenlet has is not read */
        x->tasks.all |= k->kind != LK_TASK_COROUTINE || !read_chain(py, k, &x->chain);
        x->tasks.n_own =
            lk_awaited_things(py->s, lk_ref_make(LK_KIND_TASK, i), true, x->tasks.own, MAX_OWN);
        if (!x->tasks.all && x->chain.n)
            reach(x, &x->chain, &x->tasks);
    }
}

static bool is_waiting(const struct lk_could_end *x, struct lk_ref who)
{
    uint64_t at = 0;
    for (lk_map_get(&x->waiting_by, x->e->obj, &at); at; at = x->waiting.v[at - 1].next)
        if (lk_ref_eq(x->waiting.v[at - 1].who, who))
            return true;
    return false;
}

static void ask_tasks(struct lk_could_end *x)
{
    const struct lk_snapshot *s = x->py->s;
    if (!x->tasks.looked)
        reach_tasks(x);
    x->tasks.looked = true;
    x->found |= reaches(x, &x->tasks);
    for (size_t i = 0; i < s->tasks.n && !x->found; i++) {
        const struct lk_ref task = lk_ref_make(LK_KIND_TASK, i);
        x->found |= x->asks == 0;
        if (is_waiting(x, task) || x->found)
            continue;
        x->asks--;
        ask_frames(x, lk_frames_of_party(x->py, task, &x->chain));
    }
}

static bool is_reached_by(struct lk_could_end *x, lk_addr callback, lk_addr args)
{
    for (const char *const *m = x->e->methods; *m; m++)
        if (lk_py_callable_reaches(x->py, callback, *m, x->e->obj) == LK_YES)
            return true;
    return leads(x, callback) || leads(x, args);
}

/* Timers, handlers, and what stands in queues of loops and pools, whatever it is. */
static void ask_callbacks(struct lk_could_end *x)
{
    const struct lk_snapshot *s = x->py->s;
    const struct lk_reader *a = lk_reader(x->py);
    x->found |= !a->handlers.known;
    for (size_t i = 0; i < a->handlers.n && !x->found; i++)
        x->found |= is_reached_by(x, a->handlers.v[i], 0);
    for (size_t i = 0; i < x->py->timers.n && !x->found; i++)
        x->found |= is_reached_by(x, x->py->timers.v[i].callback, x->py->timers.v[i].args);
    for (size_t i = 0; i < s->loops.n; i++)
        x->found |= s->loops.v[i].ready != 0;
    for (size_t i = 0; i < s->executors.n; i++)
        x->found |= s->executors.v[i].queued != 0;
}

static struct of_code ask_code_of(struct lk_could_end *x, struct lk_ref waiter,
                                  const struct lk_pystack *stack)
{
    struct of_code ret = { stack, x->e->methods, x->others, false, false };
    struct lk_reach_query q = {
        .obj = x->e->obj,
        .methods = x->e->methods,
        .unless = x->e->unless,
        .others = x->others,
        .kept = x->e->lends,
        .budget = &x->budget,
        .idle = &ret.idle,
    };
    q.waiter = lk_frames_of_party(x->py, waiter, &x->chain);
    ret.found = !q.waiter || lk_py_code_is_in_reach(x->py, &q);
    return ret;
}

/* As ask_consumers, and for all things together. */
static void ask_code(struct lk_could_end *x)
{
    for (size_t i = 0; i < x->e->waiters->n && !x->found; i++) {
        const struct lk_ref waiter = x->e->waiters->v[i];
        const struct lk_pystack *stack = lk_stack_of(x->py->s, waiter);
        size_t k = 0;
        while (k < x->codes.n &&
               (x->codes.v[k].stack != stack || x->codes.v[k].methods != x->e->methods ||
                x->codes.v[k].others != x->others))
            k++;
        if (k == x->codes.n)
            lk_vec_add(&x->codes, ask_code_of(x, waiter, stack));
        x->found |= x->codes.v[k].found;
        x->idle |= x->codes.v[k].idle;
    }
}

/* ---- whether anybody else can ---------------------------------------------------------------- */

struct waiting {
    struct lk_pyframes frames[MAX_WAITING]; /* copies */
    struct lk_referrer by[MAX_WAITING];
    size_t n;
};

static void note_waiting(struct lk_could_end *x, struct lk_ref who)
{
    lk_addr v[MAX_OWN];
    const size_t n = lk_awaited_things(x->py->s, who, false, v, MAX_OWN);
    for (size_t i = 0; i < n; i++) {
        uint64_t next = 0;
        if (!lk_map_get(x->wanted, v[i], NULL))
            continue;
        lk_map_get(&x->waiting_by, v[i], &next);
        lk_vec_add(&x->waiting, ((struct waits_for){ who, next }));
        lk_map_put(&x->waiting_by, v[i], x->waiting.n);
    }
}

static void index_waiting(struct lk_could_end *x)
{
    const struct lk_snapshot *s = x->py->s;
    for (size_t i = 0; i < s->threads.n; i++)
        note_waiting(x, lk_ref_make(LK_KIND_THREAD, i));
    for (size_t i = 0; i < s->tasks.n && s->tasks.n <= LK_MAX_ASKED_TASKS; i++)
        note_waiting(x, lk_ref_make(LK_KIND_TASK, i));
}

static void add_waiting(struct lk_could_end *x, struct waiting *w, struct lk_ref who)
{
    const struct lk_pyframes *f =
        w->n < MAX_WAITING ? lk_frames_of_party(x->py, who, &x->chain) : NULL;
    for (size_t i = 0; f && i < f->n; i++)
        lk_vec_add(&w->frames[w->n], f->v[i]);
    if (!f)
        return;
    w->by[w->n] = (struct lk_referrer){ &w->frames[w->n], lk_object_of_party(x->py, who) };
    w->n++;
}

bool lk_kept_by_waiters(struct lk_could_end *x, const struct lk_ending *e)
{
    static const unsigned steps[] = { 2, COUNTED_STEPS }; /* most are kept in variables */
    struct waiting w = { .n = 0 };
    uint64_t at = 0;
    bool kept = false;
    x->e = e;
    for (lk_map_get(&x->waiting_by, e->obj, &at); at; at = x->waiting.v[at - 1].next)
        add_waiting(x, &w, x->waiting.v[at - 1].who);
    for (size_t i = 0; i < LK_ARRAY_LEN(steps) && w.n && !kept; i++) {
        unsigned budget = LK_MIN(x->counts, (unsigned)MAX_COUNTED);
        const unsigned before = budget;
        struct lk_references *r = lk_references_find(x->py, w.by, w.n, steps[i], &budget);
        kept = lk_references_keep(x->py, r, e->obj, NULL, NULL);
        lk_references_free(r);
        x->counts -= before - budget;
    }
    for (size_t i = 0; i < w.n; i++)
        lk_free(w.frames[i].v);
    return kept;
}

/* ---- all together ---------------------------------------------------------------------------- */

struct lk_could_end *lk_could_end_new(struct lk_py *py, const struct lk_map *wanted)
{
    struct lk_could_end *x = lk_xcalloc(1, sizeof *x);
    x->py = py;
    x->wanted = wanted;
    x->budget = MAX_LOOKS;
    x->counts = MAX_COUNTS;
    x->asks = MAX_ASKS;
    x->threads = lk_xcalloc(py->s->threads.n, sizeof *x->threads);
    lk_py_read_signal_handlers(py);
    index_waiting(x);
    return x;
}

void lk_could_end_free(struct lk_could_end *x)
{
    for (size_t i = 0; i < x->py->s->threads.n; i++)
        lk_map_deinit(&x->threads[i].has);
    lk_map_deinit(&x->tasks.has);
    lk_map_deinit(&x->waiting_by);
    lk_free(x->waiting.v);
    lk_free(x->codes.v);
    lk_free(x->chain.v);
    lk_free(x->threads);
    lk_free(x);
}

enum lk_ends_it lk_could_end(struct lk_could_end *x, const struct lk_ending *e, bool *idle)
{
    static void (*const ask[])(struct lk_could_end *) = { ask_callbacks, ask_threads, ask_tasks,
                                                          ask_consumers };
    x->e = e;
    x->found = !x->budget;
    x->idle = false;
    for (size_t i = 0; i < LK_ARRAY_LEN(ask) && !x->found; i++)
        ask[i](x);
    const bool at_hand = x->found;
    bool next = false;
    for (int others = e->others; others < 2 && !at_hand; others++) {
        x->others = others;
        x->found = false;
        ask_code(x);
        next |= x->found && !others;
    }
    *idle = x->idle;
    return x->found || !x->budget ? LK_ENDS_SOMEBODY : next ? LK_ENDS_NEXT : LK_ENDS_NOBODY;
}
