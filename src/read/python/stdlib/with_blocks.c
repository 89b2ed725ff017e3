/*
 * The `with` blocks that frames are in, by the exit methods on their value stacks, and the locks
 * that a frame could take without one: what it can name and calls acquire on.
 */
#include "read/python/stdlib/with_blocks.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/type.h"
#include "read/python/interpreter/value_stack.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/method_calls.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/unit_holders.h"

enum {
    MAX_ITERATED = 64,  /* slots of a value stack looked at for generators */
    MAX_NESTED = 4,     /* context managers inside of context managers */
    MAX_CALLBACKS = 64, /* of one ExitStack */
    MAX_GLOBALS = 5000,
    MAX_ATTRS = 128,
    MAX_NAMES = 1000, /* of one code object */
};

/* ---- noting `with` blocks -------------------------------------------------------------- */

static bool is_condition(enum lk_known_class cls)
{
    return cls == LK_CLASS_CONDITION || cls == LK_CLASS_AIO_CONDITION ||
           cls == LK_CLASS_TRIO_CONDITION;
}

/* Condition.wait has given its lock back while it waits, also the wait of a frame far above the
 * `with`. */
static lk_addr given_back(struct lk_py *py, const struct lk_pyf *f)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    if (!c || strcmp(c->code->function, "wait") != 0 ||
        (!lk_ends_with(c->code->file, "/threading.py") &&
         !lk_ends_with(c->code->file, "/asyncio/locks.py") &&
         !lk_ends_with(c->code->file, "/trio/_sync.py")))
        return 0;
    lk_addr cond = lk_py_local(py, f, "self");
    enum lk_known_class cls = lk_py_known_class(py, cond, NULL);
    return is_condition(cls) ? lk_py_attr(py, cond, "_lock") : 0;
}

/** Frames from the innermost outwards, and what is known of those passed so far. */
struct inward {
    struct lk_ref holder;
    /* one of them, or more of them release something than are kept */
    bool unreadable;
    const struct lk_pyf *releasing[16]; /* they name release */
    size_t n_releasing;
    lk_addr given_back[16];
    size_t n;
};

static void note_releasing(struct lk_py *py, struct inward *in, const struct lk_pyf *f)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    if (!c)
        in->unreadable = true;
    else if (!c->code->mentions_release || lk_py_of_stdlib(py, c->code))
        return;
    else if (in->n_releasing < LK_ARRAY_LEN(in->releasing))
        in->releasing[in->n_releasing++] = f;
    else
        in->unreadable = true;
}

/* A frame from the `with` inwards could have released what the manager holds. */
static bool may_release(struct lk_py *py, const struct inward *in, lk_addr manager)
{
    enum lk_known_class cls = lk_py_known_class(py, manager, NULL);
    if (is_condition(cls))
        manager = lk_py_attr(py, manager, "_lock");
    for (size_t i = 0; i < in->n_releasing; i++)
        if (!manager || lk_py_calls_method_on(py, in->releasing[i], "release", manager) != LK_NO)
            return true;
    return in->unreadable;
}

static bool was_given_back(struct lk_py *py, const struct inward *in, lk_addr manager)
{
    enum lk_known_class cls = lk_py_known_class(py, manager, NULL);
    if (is_condition(cls))
        manager = lk_py_attr(py, manager, "_lock");
    for (size_t i = 0; i < in->n; i++)
        if (in->given_back[i] == manager)
            return true;
    return false;
}

static void note_manager(struct lk_py *py, const struct inward *in, lk_addr manager, int depth);
static bool note_frame(struct lk_py *py, const struct inward *in, const struct lk_pyf *f,
                       int depth);

/*
 * How many slots are in use below the call that a frame is in, where its depth is not known: a call
 * puts what it calls into the first free slot, so that all below the lowest callable is in use.
 * *sure: it is one that is known to block; else the frame may be in no call, and the callable be
 * stale.
 */
static int depth_below_call(struct lk_py *py, const struct lk_pyf *f, const struct lk_pycode *c,
                            bool *sure)
{
    struct lk_pypending pending;
    *sure = lk_py_pending_candidates(py, f, &pending, 1) > 0;
    for (int i = 0; i < LK_MIN(c->stacksize, MAX_ITERATED) && !*sure; i++) {
        lk_addr obj = lk_py_stack_slot(py, f, i);
        switch (obj ? lk_py_kind(py, obj) : LK_PYK_OTHER) {
        case LK_PYK_BUILTIN_METHOD:
        case LK_PYK_METHOD_DESCR:
        case LK_PYK_METHOD:
        case LK_PYK_FUNCTION:
        case LK_PYK_TYPE: return i;
        default: break;
        }
    }
    return *sure ? pending.slot : 0;
}

/*
 * A generator that is looped over stands on the value stack of the frame with the `for`, suspended
 * in a `with` perhaps. Only who holds it can go on with it: where that frame alone does (one
 * reference), the generator's locks are that frame's.
 */
static bool note_iterated(struct lk_py *py, const struct inward *in, const struct lk_pyf *f,
                          int depth)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    bool any = false, sure = true;
    int n = f->stack_depth;

    if (!c || depth > MAX_NESTED)
        return false;
    if (n < 0)
        n = depth_below_call(py, f, c, &sure);
    for (int i = 0; i < LK_MIN(n, MAX_ITERATED); i++) {
        lk_addr obj = lk_py_stack_slot(py, f, i);
        enum lk_pykind kind = obj ? lk_py_kind(py, obj) : LK_PYK_OTHER;
        uint32_t references; /* the lower half of ob_refcnt: 3.14 keeps flags above it */
        struct lk_pyf inner;
        if ((kind != LK_PYK_GENERATOR && kind != LK_PYK_ASYNC_GEN) ||
            lk_py_gen_state(py, obj) != LK_GEN_SUSPENDED || !lk_py_gen_frame(py, obj, &inner))
            continue;
        struct inward its = *in;
        its.unreadable |= !sure || py->free_threaded || py->debug_build ||
                          !lk_read_u32(py->t, obj, &references) || references != 1;
        note_releasing(py, &its, &inner);
        any |= note_frame(py, &its, &inner, depth + 1);
        any |= note_iterated(py, &its, &inner, depth + 1);
    }
    return any;
}

/* False when the frame's instruction is inside of no `with`. */
static bool note_frame(struct lk_py *py, const struct inward *in, const struct lk_pyf *f, int depth)
{
    struct lk_reader *a = lk_reader(py);
    lk_addr held[LK_READER_MAX_MANAGERS];
    uint64_t key = lk_hash_u64(lk_hash_u64(LK_HASH_INIT, f->code), (uint64_t)f->lasti);

    /* Whether an instruction is inside of a `with` is a matter of the code alone. */
    if (lk_map_get(&a->no_with, key, NULL))
        return false;
    size_t n = lk_py_held_managers(py, f, held, LK_ARRAY_LEN(held));
    if (n == 0)
        lk_map_put(&a->no_with, key, 1);
    for (size_t i = 0; i < n; i++)
        note_manager(py, in, held[i], depth);
    return n > 0;
}

/* @contextmanager: the `with` stands in its generator. */
static void note_generator(struct lk_py *py, const struct inward *in, lk_addr manager, int depth)
{
    struct lk_pyf f;
    lk_addr gen = lk_py_attr(py, manager, "gen");
    if (!gen || !lk_py_gen_frame(py, gen, &f))
        return;
    lk_vec_add(&lk_reader(py)->with_generators, ((struct lk_with_generator){ f, in->holder }));
    lk_py_note_releasing_frame(py, &f, in->holder, false);
    note_frame(py, in, &f, depth + 1);
}

/* ExitStack: a deque of (is_sync, bound exit method). */
static void note_exit_stack(struct lk_py *py, const struct inward *in, lk_addr manager, int depth)
{
    size_t n = 0;
    lk_addr list = lk_py_attr(py, manager, "_exit_callbacks");
    lk_addr *items = list ? lk_py_items(py, list, MAX_CALLBACKS, &n) : NULL;
    for (size_t i = 0; i < n; i++) {
        lk_addr func, self;
        if (lk_py_method(py, lk_py_item(py, items[i], 1), &func, &self))
            note_manager(py, in, self, depth + 1);
    }
}

static void note_manager(struct lk_py *py, const struct inward *in, lk_addr manager, int depth)
{
    enum lk_known_class cls = lk_py_known_class(py, manager, NULL);

    if (depth > MAX_NESTED)
        return;
    if (cls == LK_CLASS_OTHER)
        lk_vec_add(&lk_reader(py)->with_others, ((struct lk_with_other){ manager, in->holder }));
    else if (cls == LK_CLASS_GENERATOR_CM) {
        note_generator(py, in, manager, depth);
    } else if (cls == LK_CLASS_EXIT_STACK) {
        note_exit_stack(py, in, manager, depth);
    } else if (lk_class_synchronizes(cls) && !was_given_back(py, in, manager)) {
        struct lk_with_hold hold = { manager, in->holder, may_release(py, in, manager) };
        lk_vec_add(&lk_reader(py)->holds, hold);
    }
}

bool lk_py_note_with_blocks(struct lk_py *py, const struct lk_pyframes *frames,
                            bool innermost_first, struct lk_ref holder)
{
    struct inward in = { .holder = holder };
    bool any = false;
    for (size_t i = 0; i < frames->n; i++) {
        const struct lk_pyf *f = &frames->v[innermost_first ? i : frames->n - 1 - i];
        note_releasing(py, &in, f);
        any |= note_frame(py, &in, f, 0);
        any |= note_iterated(py, &in, f, 0);
        lk_addr back = given_back(py, f);
        if (back && in.n < LK_ARRAY_LEN(in.given_back))
            in.given_back[in.n++] = back;
    }
    return any;
}

/* ---- who else could have taken it -------------------------------------------------------- */

struct collect {
    struct lk_ref holder;
    const struct lk_pyf *frame;
    const lk_addr *names; /* co_names of the frame's code: what it can name */
    size_t n_names;
    unsigned left;
};

static void add_reach(struct lk_py *py, lk_addr obj, struct collect *c)
{
    enum lk_known_class cls = lk_py_known_class(py, obj, NULL);
    if (is_condition(cls)) {
        obj = lk_py_attr(py, obj, "_lock");
        cls = lk_py_known_class(py, obj, NULL);
    }
    if ((cls == LK_CLASS_LOCK || cls == LK_CLASS_AIO_LOCK) &&
        lk_py_calls_method_on(py, c->frame, "acquire", obj) != LK_NO)
        lk_vec_add(&lk_reader(py)->reach, ((struct lk_bare_acquire){ obj, c->holder }));
}

/* Names in code and keys of dicts are interned (Objects/codeobject.c intern_strings), so equal ones
 * are one object. */
static bool reach_entry(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct collect *c = arg;
    for (size_t i = 0; i < c->n_names; i++) {
        if (c->names[i] == key) {
            add_reach(py, value, c);
            break;
        }
    }
    return --c->left > 0;
}

static bool reach_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct collect *c = arg;
    add_reach(py, value, c);
    if (strcmp(name, "self") == 0) {
        c->left = MAX_ATTRS;
        lk_py_attr_each(py, value, reach_entry, c);
    }
    return true;
}

size_t lk_py_note_bare_acquires(struct lk_py *py, const struct lk_pyframes *frames,
                                struct lk_ref holder)
{
    struct collect c = { .holder = holder };
    size_t n = 0;

    for (size_t i = 0; i < frames->n; i++) {
        const struct lk_pyf *f = &frames->v[i];
        const struct lk_pycode *code = lk_py_code(py, f->code);
        if (!code || !code->code->mentions_acquire || lk_py_of_stdlib(py, code->code))
            continue;
        n++;
        c.frame = f;
        c.names =
            lk_py_items(py, lk_py_ptr(py, f->code + py->layout.co_names), MAX_NAMES, &c.n_names);
        lk_py_local_each(py, f, reach_local, &c);
        c.left = MAX_GLOBALS;
        if (f->globals)
            lk_py_dict_each(py, f->globals, reach_entry, &c);
    }
    return n;
}
