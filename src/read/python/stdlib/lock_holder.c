/*
 * Who holds a lock that records no owner: a frame inside `with lock:` keeps the lock's exit method
 * on its value stack. What that proves and what not is weighed here; the object's own fields
 * (RLock, import locks) come from lock.c.
 */
#include "read/python/reader/reader.h"

#include <stdlib.h>

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/type.h"
#include "read/python/interpreter/value_stack.h"
#include "read/python/reader/entities.h"
#include "read/python/reader/method_calls.h"

enum {
    MAX_ITERATED = 64,  /* slots of a value stack looked at for generators */
    MAX_NESTED = 4,     /* context managers inside of context managers */
    MAX_CALLBACKS = 64, /* of one ExitStack */
    MAX_GLOBALS = 5000,
    MAX_ATTRS = 128,
    MAX_NAMES = 1000, /* of one code object */
};

/* ---- noting `with` blocks -------------------------------------------------------------- */

/* The standard library releases the locks it was given in Condition.wait only, which is dealt with
 * below. */
bool lk_py_of_stdlib(struct lk_py *py, const struct lk_code *c)
{
    if (lk_starts_with(c->file, "<frozen "))
        return true;
    for (const char *p = py->stdlib; p && *p;) {
        size_t n = strcspn(p, ":");
        if (n && strncmp(c->file, p, n) == 0 && c->file[n] == '/')
            return !strstr(c->file, "/site-packages/") && !strstr(c->file, "/dist-packages/");
        p += n + (p[n] == ':');
    }
    return false;
}

/* Condition.wait has given its lock back while it waits, also the wait of a frame far above the
 * `with`. */
static lk_addr given_back(struct lk_py *py, const struct lk_pyf *f)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    if (!c || strcmp(c->code->function, "wait") != 0 ||
        (!lk_ends_with(c->code->file, "/threading.py") &&
         !lk_ends_with(c->code->file, "/asyncio/locks.py")))
        return 0;
    lk_addr cond = lk_py_local(py, f, "self");
    enum lk_known_class cls = lk_py_known_class(py, cond, NULL);
    return cls == LK_CLASS_CONDITION || cls == LK_CLASS_AIO_CONDITION
               ? lk_py_attr(py, cond, "_lock")
               : 0;
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
    if (cls == LK_CLASS_CONDITION || cls == LK_CLASS_AIO_CONDITION)
        manager = lk_py_attr(py, manager, "_lock");
    for (size_t i = 0; i < in->n_releasing; i++)
        if (!manager || lk_py_calls_method_on(py, in->releasing[i], "release", manager) != LK_NO)
            return true;
    return in->unreadable;
}

static bool was_given_back(struct lk_py *py, const struct inward *in, lk_addr manager)
{
    enum lk_known_class cls = lk_py_known_class(py, manager, NULL);
    if (cls == LK_CLASS_CONDITION || cls == LK_CLASS_AIO_CONDITION)
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
 * A generator that is looped over stands on the value stack of the frame with the `for`, suspended
 * in a `with` perhaps. Only who holds it can go on with it: where that frame alone does (one
 * reference), the generator's locks are that frame's.
 */
static bool note_iterated(struct lk_py *py, const struct inward *in, const struct lk_pyf *f,
                          int depth)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    struct lk_pypending pending = { .slot = -1 };
    bool any = false;
    int n = f->stack_depth;

    if (!c || depth > MAX_NESTED)
        return false;
    /* What is above a call that has not returned, its depth unknown, is stale. */
    if (n < 0)
        n = lk_py_pending_candidates(py, f, &pending, 1) ? pending.slot : 0;
    for (int i = 0; i < LK_MIN(n, MAX_ITERATED); i++) {
        lk_addr obj = lk_py_stack_slot(py, f, i);
        enum lk_pykind kind = obj ? lk_py_kind(py, obj) : LK_PYK_OTHER;
        uint32_t references; /* the lower half of ob_refcnt: 3.14 keeps flags above it */
        struct lk_pyf inner;
        if ((kind != LK_PYK_GENERATOR && kind != LK_PYK_ASYNC_GEN) ||
            lk_py_gen_state(py, obj) != LK_GEN_SUSPENDED || !lk_py_gen_frame(py, obj, &inner))
            continue;
        struct inward its = *in;
        its.unreadable |= py->free_threaded || py->debug_build ||
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
    if (gen && lk_py_gen_frame(py, gen, &f))
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

    if (depth > MAX_NESTED || cls == LK_CLASS_OTHER)
        return;
    if (cls == LK_CLASS_GENERATOR_CM) {
        note_generator(py, in, manager, depth);
    } else if (cls == LK_CLASS_EXIT_STACK) {
        note_exit_stack(py, in, manager, depth);
    } else if (cls >= LK_CLASS_LOCK && cls <= LK_CLASS_AIO_QUEUE &&
               !was_given_back(py, in, manager)) {
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
    if (cls == LK_CLASS_CONDITION || cls == LK_CLASS_AIO_CONDITION) {
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

static bool waits_for(const struct lk_snapshot *s, struct lk_ref who, struct lk_ref lock)
{
    const struct lk_thread *t = lk_thread_at(s, who);
    const struct lk_task *k = lk_task_at(s, who);
    const struct lk_wait *w = t ? &t->wait : k ? &k->wait : NULL;
    for (size_t i = 0; w && i < w->on.n; i++)
        if (lk_ref_eq(w->on.v[i], lock))
            return true;
    return false;
}

/* Someone other than the candidate could hold it by a bare acquire(). Who waits for it does not
 * hold it. */
static bool others_reach(struct lk_py *py, struct lk_ref ref, lk_addr addr, struct lk_ref candidate)
{
    const struct lk_reader *a = lk_reader(py);
    for (size_t i = 0; i < a->reach.n; i++)
        if (a->reach.v[i].lock == addr && !lk_ref_eq(a->reach.v[i].holder, candidate) &&
            !waits_for(py->s, a->reach.v[i].holder, ref))
            return true;
    return false;
}

/* ---- owners ---------------------------------------------------------------------------- */

static void add_hold(struct lk_py *py, const struct lk_with_hold *h, struct lk_map *doubtful)
{
    struct lk_ref ref = lk_py_mutex_of(py, h->manager);
    struct lk_lock *l = lk_lock_at(py->s, ref);

    if (!l || l->locked == LK_NO || l->owner_by == LK_OWNER_FIELD)
        return;
    l->owner_by = LK_OWNER_VALUE_STACK;
    lk_refs_add(py->s, &l->owners, h->holder);
    if (h->may_release)
        lk_map_put(doubtful, ref.index, 1);
}

/* threading.Timer: whether what it is going to call gives the lock back. */
static bool timer_gives_back(struct lk_py *py, const struct lk_pyf *f, const struct lk_pycode *c,
                             lk_addr lock)
{
    if (strcmp(c->code->function, "run") != 0 || !lk_ends_with(c->code->file, "/threading.py"))
        return false;
    lk_addr function = lk_py_attr(py, lk_py_local(py, f, "self"), "function");
    return function && lk_py_callable_reaches(py, function, "release", lock) != LK_NO;
}

static bool frame_gives_back(struct lk_py *py, const struct lk_pyf *f, lk_addr lock)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    if (!c)
        return false;
    if (lk_py_of_stdlib(py, c->code))
        return timer_gives_back(py, f, c, lock);
    return c->code->mentions_release && lk_py_calls_method_on(py, f, "release", lock) == LK_YES;
}

/* A Lock may be given back by a thread that did not take it: a watchdog, a timer. */
static bool others_give_back(struct lk_py *py, struct lk_ref ref, lk_addr addr,
                             struct lk_ref candidate)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        if (!frames || lk_ref_eq(thread, candidate) || waits_for(py->s, thread, ref))
            continue;
        for (size_t j = 0; j < frames->n; j++)
            if (frame_gives_back(py, &frames->v[j], addr))
                return true;
    }
    return false;
}

static void set_holds(struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->locks.n; i++) {
        const struct lk_lock *l = &s->locks.v[i];
        struct lk_ref ref = lk_ref_make(LK_KIND_LOCK, i);
        for (size_t j = 0; j < l->owners.n; j++) {
            struct lk_thread *t = lk_thread_at(s, l->owners.v[j]);
            struct lk_task *k = lk_task_at(s, l->owners.v[j]);
            if (t)
                lk_refs_add(s, &t->holds, ref);
            else if (k)
                lk_refs_add(s, &k->holds, ref);
        }
    }
}

static void weigh(struct lk_py *py, const struct lk_map *doubtful)
{
    bool collected = false;

    for (size_t i = 0; i < py->s->locks.n; i++) {
        struct lk_lock *l = &py->s->locks.v[i];
        if (l->owner_by != LK_OWNER_VALUE_STACK || l->owners.n != 1 || l->waiters.n == 0 ||
            l->locked != LK_YES)
            continue;
        if (lk_map_get(doubtful, i, NULL))
            continue;
        for (size_t j = 0; !collected && j < py->s->threads.n; j++) {
            const struct lk_pyframes *frames = lk_py_frames_of_thread(py, j);
            if (frames)
                lk_py_note_bare_acquires(py, frames, lk_ref_make(LK_KIND_THREAD, j));
        }
        collected = true;
        struct lk_ref ref = lk_ref_make(LK_KIND_LOCK, i);
        l->owner_certain = !others_reach(py, ref, l->addr, l->owners.v[0]) &&
                           !others_give_back(py, ref, l->addr, l->owners.v[0]);
    }
}

void lk_py_read_owners(struct lk_py *py)
{
    struct lk_reader *a = lk_reader(py);
    struct lk_map doubtful = { 0 };

    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        if (frames)
            lk_py_note_with_blocks(py, frames, true, lk_ref_make(LK_KIND_THREAD, i));
    }
    for (size_t i = 0; i < a->holds.n; i++)
        add_hold(py, &a->holds.v[i], &doubtful);
    weigh(py, &doubtful);
    lk_py_find_lost_locks(py);
    lk_py_find_likely_enders(py);
    set_holds(py->s);
    lk_map_deinit(&doubtful);
    lk_reader_end(py);
}
