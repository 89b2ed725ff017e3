/*
 * Every loop of the process: a walk over the collector's generations. Loops are containers, so each
 * is in exactly one of these lists (Include/internal/pycore_gc.h). Never under a stop; each object
 * found is read anew and checked.
 */
#include <stdlib.h>

#include "read/loops/asyncio/future_enders.h"
#include "read/loops/read.h"
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
    TRIES = 3,
    BUDGET_MS = 3000,
    CLOCK_EVERY = 4096, /* objects between two looks at the clock */
};
#define MAX_OBJECTS (UINT64_C(64) << 20)
#define LINK_MASK   (~UINT64_C(3)) /* the low bits of both links are flags */

struct walk {
    struct lk_map types; /* type address -> 1 a loop's, 0 not */
    uint64_t last_type;
    bool last_is_loop;
    LK_VEC(lk_addr) found;
    uint64_t objects;
    uint64_t deadline;
    bool timed_out;
};

static bool loop_type(struct lk_py *py, struct walk *w, uint64_t type, lk_addr obj)
{
    uint64_t is;
    if (type == w->last_type)
        return w->last_is_loop;
    if (!lk_map_get(&w->types, type, &is)) {
        is = lk_py_known_class(py, obj, NULL) == LK_CLASS_LOOP;
        lk_map_put(&w->types, type, is);
    }
    w->last_type = type;
    w->last_is_loop = is;
    return is;
}

/* One circular list. False when it is torn, too long or the time is up. */
static bool walk_list(struct lk_py *py, struct walk *w, lk_addr head)
{
    uint64_t o[4]; /* next, prev, reference count, type */
    lk_addr prev = head;

    if (!lk_read(py->t, head, o, HEAD_SIZE))
        return false;
    lk_addr cur = o[0] & LINK_MASK;
    while (cur != head) {
        if (!cur || !lk_read(py->t, cur, o, sizeof o) || (o[1] & LINK_MASK) != prev ||
            ++w->objects > MAX_OBJECTS)
            return false;
        if (w->objects % CLOCK_EVERY == 0 && lk_now_ms() > w->deadline) {
            w->timed_out = true;
            return false;
        }
        if (loop_type(py, w, o[3], cur + HEAD_SIZE))
            lk_vec_add(&w->found, cur + HEAD_SIZE);
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
        return false;
    /* generation0 points to the first of the generations, close to itself: builds differ in where
     * exactly. */
    if (!lk_read_u64(py->t, at, &first) || first < at - MAX_GC_STATE || first > at + MAX_GC_STATE)
        return false;
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

static void add_found(struct lk_py *py, const struct walk *w)
{
    lk_loops_begin(py);
    for (size_t i = 0; i < w->found.n; i++)
        lk_py_loop(py, w->found.v[i], LK_FOUND_HEAP);
    /* The queue of a loop found only now may hold what a future waits for. */
    for (size_t i = 0; i < py->s->futures.n; i++)
        if (py->s->futures.v[i].enders.n == 0)
            lk_vec_add(&lk_reader(py)->futures_todo, (uint32_t)i);
    lk_aio_find_enders(py);
    lk_loops_finish(py);
    lk_reader_end(py);
}

void lk_py_find_all_loops(struct lk_py *py, struct lk_snapshot *s)
{
    bool ended = false;

    if (!py->readable || !py->runtime)
        return;
    py->s = s;
    if (py->free_threaded) {
        lk_snapshot_limit(s, "a free-threaded build keeps no list of its objects: loops that "
                             "nothing refers to are not found");
        return;
    }
    uint64_t deadline = lk_now_ms() + BUDGET_MS;
    for (int i = 0; i < TRIES && !ended; i++) {
        struct walk w = { .deadline = deadline };
        if (i > 0)
            lk_process_begin_sample(py->t); /* pages of different moments do not fit together */
        ended = walk_all(py, &w);
        if (ended || i == TRIES - 1 || w.timed_out)
            add_found(py, &w);
        lk_map_deinit(&w.types);
        free(w.found.v);
        if (w.timed_out)
            break;
    }
    s->loops_complete = ended;
    if (!ended)
        lk_snapshot_limit(
            s, "the heap could not be walked to its end; there may be loops that are not listed");
}
