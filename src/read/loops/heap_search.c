/*
 * Every loop of the process, and every task that no registry lists: one walk over the collector's
 * generations for all kinds. Both are containers, so each is in exactly one of these lists
 * (Include/internal/pycore_gc.h). Never under a stop; each object found is read anew and checked.
 */
#include <stdlib.h>
#include <string.h>

#include "read/loops/drain.h"
#include "read/loops/loop_kind.h"
#include "read/loops/read.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/layout_table.h"
#include "read/python/interpreter/type.h"
#include "read/python/python.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"
#include "read/python/reader/reader.h"

enum {
    HEAD_SIZE = 16, /* PyGC_Head stands right before the object */
    OB_TYPE = 8,
    GENERATION_SIZE = 24, /* struct gc_generation {PyGC_Head head; int threshold; int count} */
    N_GENERATIONS = 3,
    MAX_GC_STATE = 4096, /* generation0 points into the state it stands in */
    MAX_INTERPRETERS = 256,
    MAX_KINDS = 32,
    MAX_TASKS = 1 << 20, /* of one kind */
    TRIES = 10,
    BETWEEN_US = 5000,
    BUDGET_MS = 3000,
    CLOCK_EVERY = 4096, /* objects between two looks at the clock */
};
#define MAX_OBJECTS (UINT64_C(64) << 20)
#define LINK_MASK   (~UINT64_C(3)) /* the low bits of both links are flags */

/* What a type's objects are, as bits: loops, what a kind wants (FIRST_KIND << its row). */
#define LOOP       UINT64_C(1)
#define FIRST_KIND UINT64_C(2)

struct walk {
    bool loops;            /* are wanted */
    bool kinds[MAX_KINDS]; /* whose tasks are */
    struct lk_map types;   /* type address -> what its objects are: bits */
    uint64_t last_type, last_is;
    struct lk_addrs found_loops, found_tasks[MAX_KINDS];
    uint64_t objects;
    uint64_t deadline;
    bool timed_out, too_many;
    struct lk_failed_read failed; /* where the last try ended */
};

/* ---- what is wanted -------------------------------------------------------------------------- */

/* A kind whose library is not loaded has no tasks. */
static bool want_kinds(struct lk_py *py, struct walk *w)
{
    bool any = false;
    for (size_t i = 0; i < lk_n_loop_kinds && i < MAX_KINDS; i++) {
        const struct lk_loop_kind *k = &lk_loop_kinds[i];
        w->kinds[i] = k->read_tasks && lk_py_module_dict(py, k->task_module);
        any |= w->kinds[i];
    }
    return any;
}

static bool is_wanted(struct lk_py *py, const struct lk_loop_kind *k, lk_addr obj)
{
    bool is = lk_py_isinstance(py, obj, k->task_module, k->task_cls);
    for (const struct lk_class_name *p = k->parts; p && p->name && !is; p++)
        is = lk_py_isinstance(py, obj, p->module, p->name);
    return is;
}

static uint64_t what_is(struct lk_py *py, const struct walk *w, lk_addr obj)
{
    uint64_t ret = w->loops && lk_py_known_class(py, obj, NULL) == LK_CLASS_LOOP ? LOOP : 0;
    for (size_t i = 0; i < lk_n_loop_kinds && i < MAX_KINDS; i++)
        if (w->kinds[i] && is_wanted(py, &lk_loop_kinds[i], obj))
            ret |= FIRST_KIND << i;
    return ret;
}

static uint64_t what_are(struct lk_py *py, struct walk *w, uint64_t type, lk_addr obj)
{
    uint64_t is;
    if (type == w->last_type)
        return w->last_is;
    if (!lk_map_get(&w->types, type, &is)) {
        is = what_is(py, w, obj);
        lk_map_put(&w->types, type, is);
    }
    w->last_type = type;
    w->last_is = is;
    return is;
}

static void note(struct walk *w, uint64_t is, lk_addr obj)
{
    if (is & LOOP)
        lk_vec_add(&w->found_loops, obj);
    for (size_t i = 0; is >= FIRST_KIND && i < MAX_KINDS; i++) {
        if (!(is & FIRST_KIND << i))
            continue;
        if (w->found_tasks[i].n < MAX_TASKS)
            lk_vec_add(&w->found_tasks[i], obj);
        else
            w->too_many = true;
    }
}

/* ---- the walk -------------------------------------------------------------------------------- */

/* Where the walk had to end. What it read on its way, and may have failed to, is not why. */
static bool torn(struct lk_py *py, struct walk *w, lk_addr at, size_t size)
{
    uint64_t o[4];
    const char *before = lk_reading(py->t, "the garbage collector's list of objects");
    lk_read_watch(py->t);
    if (lk_read(py->t, at, o, LK_MIN(size, sizeof o)))
        lk_read_senseless(py->t, at, size);
    w->failed = lk_read_failed(py->t);
    lk_reading(py->t, before);
    return false;
}

/* There are too many of them to be kept. */
static bool read_aside(struct lk_py *py, lk_addr at, void *ret, size_t n)
{
    lk_process_aside(py->t);
    const bool ok = lk_read(py->t, at, ret, n);
    lk_process_aside_end(py->t);
    return ok;
}

/* One circular list. False when it is torn, too long or the time is up. */
static bool walk_list(struct lk_py *py, struct walk *w, lk_addr head)
{
    uint64_t o[4]; /* next, prev, reference count, type */
    lk_addr prev = head;

    if (!lk_read(py->t, head, o, HEAD_SIZE))
        return torn(py, w, head, HEAD_SIZE);
    lk_addr cur = o[0] & LINK_MASK;
    while (cur != head) {
        if (!cur || !read_aside(py, cur, o, sizeof o) || (o[1] & LINK_MASK) != prev ||
            ++w->objects > MAX_OBJECTS)
            return torn(py, w, cur ? cur : prev, sizeof o);
        if (w->objects % CLOCK_EVERY == 0 && lk_now_ms() > w->deadline) {
            w->timed_out = true;
            return false;
        }
        note(w, what_are(py, w, o[3], cur + HEAD_SIZE), cur + HEAD_SIZE);
        prev = cur;
        cur = o[0] & LINK_MASK;
    }
    return true;
}

/* state: the structure the layout's is_gc_* offsets count from. */
static bool walk_state(struct lk_py *py, struct walk *w, lk_addr state)
{
    const struct lk_layout *l = &py->layout;
    int32_t collecting;
    uint64_t first;
    lk_addr at = state + l->is_gc_generation0;

    if (!lk_read_i32(py->t, state + l->is_gc_collecting, &collecting) || collecting != 0)
        return torn(py, w, state + l->is_gc_collecting, sizeof collecting);
    /* generation0 points to the first of the generations, close to itself: builds differ in where
     * exactly. */
    if (!lk_read_u64(py->t, at, &first) || first < at - MAX_GC_STATE || first > at + MAX_GC_STATE)
        return torn(py, w, at, sizeof first);
    for (size_t i = 0; i < N_GENERATIONS; i++)
        if (!walk_list(py, w, first + i * GENERATION_SIZE))
            return false;
    return walk_list(py, w, state + l->is_gc_permanent);
}

static bool walk_all(struct lk_py *py, struct walk *w)
{
    const struct lk_layout *l = &py->layout;
    lk_addr interp;

    if (l->is_gc == LK_OFF_NONE) /* 3.8: one collector for the process */
        return walk_state(py, w, py->runtime);
    interp = lk_py_ptr(py, py->runtime + l->rt_interpreters_head);
    for (size_t i = 0; interp && i < MAX_INTERPRETERS; i++) {
        if (!walk_state(py, w, interp))
            return false;
        interp = lk_py_ptr(py, interp + l->is_next);
    }
    return interp == 0;
}

/* ---- what was found -------------------------------------------------------------------------- */

static void add_loops(struct lk_py *py, const struct walk *w)
{
    lk_loops_begin(py);
    for (size_t i = 0; i < w->found_loops.n; i++)
        lk_py_loop(py, w->found_loops.v[i], LK_FOUND_HEAP);
    lk_drain(py);
    /* The queue of a loop found only now may hold what a future waits for. */
    for (size_t i = 0; i < py->s->futures.n; i++)
        if (py->s->futures.v[i].enders.n == 0)
            lk_vec_add(&lk_reader(py)->enders_todo, (uint32_t)i);
    lk_find_enders(py);
    lk_loops_finish(py);
}

static void add_tasks(struct lk_py *py, const struct walk *w, bool all)
{
    py->hub_callbacks.n = 0;
    for (size_t i = 0; i < lk_n_loop_kinds && i < MAX_KINDS; i++)
        if (w->kinds[i])
            lk_loop_kinds[i].read_tasks(py, w->found_tasks[i].v, w->found_tasks[i].n,
                                        all && !w->too_many);
    lk_drain(py);
    for (size_t i = 0; i < lk_n_loop_kinds && i < MAX_KINDS; i++)
        if (w->kinds[i] && lk_loop_kinds[i].finish_tasks)
            lk_loop_kinds[i].finish_tasks(py);
    lk_drain(py);
    for (size_t i = 0; i < lk_n_loop_kinds && i < MAX_KINDS; i++)
        if (w->kinds[i] && lk_loop_kinds[i].settle_tasks)
            lk_loop_kinds[i].settle_tasks(py);
}

static void forget_found(struct walk *w)
{
    lk_map_clear(&w->types);
    w->last_type = 0;
    w->found_loops.n = 0;
    for (size_t i = 0; i < MAX_KINDS; i++)
        w->found_tasks[i].n = 0;
    w->objects = 0;
    w->failed = (struct lk_failed_read){ 0 };
}

static void walk_deinit(struct walk *w)
{
    lk_map_deinit(&w->types);
    lk_free(w->found_loops.v);
    for (size_t i = 0; i < MAX_KINDS; i++)
        lk_free(w->found_tasks[i].v);
}

/* Tries until the lists hold together from one end to the other, or the time is up. */
static bool walk_to_end(struct lk_py *py, struct walk *w)
{
    bool ended = walk_all(py, w);
    for (int i = 1; i < TRIES && !ended && !w->timed_out; i++) {
        lk_process_sleep_us(py->t, BETWEEN_US); /* it may be collecting */
        /* Pages of different moments do not fit together; what is kept of them is the end. */
        lk_process_aside(py->t);
        lk_process_begin_sample(py->t);
        lk_process_aside_end(py->t);
        forget_found(w);
        ended = walk_all(py, w);
    }
    return ended;
}

static void take_list(struct lk_addrs *to, const struct lk_addrs *from)
{
    for (size_t i = 0; i < from->n && i < MAX_TASKS; i++)
        lk_vec_add(to, from->v[i]);
}

static bool recalled(struct lk_py *py, struct walk *w, const struct lk_key *key, bool *ended)
{
    struct lk_heap_fact f = { 0 };
    int why;
    if (!lk_process_recall(py->t, LK_FACT_HEAP, key, py->s->arena, &f, &why))
        return false;
    *ended = !why && f.ended;
    w->timed_out = f.timed_out;
    w->too_many = f.too_many;
    w->failed = f.failed;
    for (size_t i = 0; !why && i < f.n && i < MAX_KINDS + 1; i++)
        take_list(i ? &w->found_tasks[i - 1] : &w->found_loops, &f.v[i]);
    return true;
}

static bool find_all(struct lk_py *py, struct walk *w)
{
    const struct lk_key key = { .n = w->loops };
    struct lk_addrs lists[MAX_KINDS + 1] = { 0 };
    bool ended;
    if (recalled(py, w, &key, &ended))
        return ended;
    py->on_own_way = true; /* a capture has what the walk found, not what it met */
    ended = walk_to_end(py, w);
    py->on_own_way = false;
    lists[0] = w->found_loops;
    memcpy(lists + 1, w->found_tasks, sizeof w->found_tasks);
    const struct lk_heap_fact f = { .v = lists,
                                    .n = MAX_KINDS + 1,
                                    .ended = ended,
                                    .timed_out = w->timed_out,
                                    .too_many = w->too_many,
                                    .failed = w->failed };
    lk_process_keep(py->t, LK_FACT_HEAP, &key, 0, &f);
    return ended;
}

void lk_py_search_heap(struct lk_py *py, struct lk_snapshot *s, bool loops)
{
    struct walk w = { .loops = loops, .deadline = lk_now_ms() + BUDGET_MS };

    if (!py->readable || !py->runtime)
        return;
    py->s = s;
    const size_t known = s->tasks.n;
    bool tasks = want_kinds(py, &w);
    if (!loops && !tasks)
        return;
    if (py->free_threaded) {
        if (loops)
            lk_snapshot_limit(s, "a free-threaded build keeps no list of its objects: loops that "
                                 "nothing refers to are not found");
        add_tasks(py, &w, false);
        return;
    }
    bool ended = find_all(py, &w);
    if (loops) {
        add_loops(py, &w);
        s->loops_complete = ended;
    }
    if (loops && !ended)
        lk_snapshot_limit_of(
            s, (struct lk_ref){ 0 }, w.failed,
            "the heap could not be walked to its end; there may be loops that are not listed");
    add_tasks(py, &w, ended);
    lk_reader_end(py);
    if (s->tasks.n > known) { /* there may be rings that were not known */
        s->at_hand.n = 0;
        lk_py_read_at_hand(py, s);
    }
    walk_deinit(&w);
}
