/*
 * Rings of waits, and who could end one from outside. Which tasks and futures can be part of a ring
 * is told by peeling: who waits for nobody is taken away, then whoever waited for those alone, and
 * the same from the other side; what is left are rings and the ways between them. In most processes
 * nothing is, and then nobody is asked. Else all timers are, what is registered to be called, and
 * the frames of all threads and tasks that were not peeled off from the rings (a ring's own members
 * do not end it).
 */
#include "read/python/python.h"

#include <stdlib.h>

#include "read/loops/asyncio/timer_cancels.h"
#include "read/loops/other_enders.h"
#include "read/loops/registered.h"
#include "read/loops/trio/scopes.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/at_hand.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/future_object.h"

enum {
    MAX_LOOKS = 4000000, /* objects looked at in one sample */
    MAX_AT_HAND = 4096,
    MAX_MET = 256,       /* other futures that one party has at hand */
    MAX_FOLLOWED = 5000, /* tasks and threads whose methods are followed, if there are no more */
};

/* ---- which can be part of one ------------------------------------------------------------ */

/* Nodes are all entities that wait or complete, numbered by kind. */
struct peel {
    const struct lk_snapshot *s;
    size_t first[LK_KIND_EXECUTOR + 2], n;
    uint32_t *from, *to; /* edges */
    size_t n_edges, cap;
    bool *gone;
};

static const size_t none_left = SIZE_MAX;

static size_t node_of(const struct peel *p, struct lk_ref r)
{
    if (r.kind == LK_KIND_NONE || r.kind > LK_KIND_EXECUTOR)
        return none_left;
    size_t i = p->first[r.kind] + r.index;
    return i < p->first[r.kind + 1] ? i : none_left;
}

static void add_edge(struct peel *p, size_t from, struct lk_ref to)
{
    size_t end = node_of(p, to);
    if (end == none_left)
        return;
    if (p->n_edges == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 256;
        p->from = lk_xrealloc(p->from, p->cap * sizeof *p->from);
        p->to = lk_xrealloc(p->to, p->cap * sizeof *p->to);
    }
    p->from[p->n_edges] = (uint32_t)from;
    p->to[p->n_edges++] = (uint32_t)end;
}

static void add_edges(struct peel *p, size_t from, const struct lk_refs *to)
{
    for (size_t i = 0; i < to->n; i++)
        add_edge(p, from, to->v[i]);
}

static void number(struct peel *p)
{
    const struct lk_snapshot *s = p->s;
    const size_t counts[LK_KIND_EXECUTOR + 1] = {
        [LK_KIND_THREAD] = s->threads.n, [LK_KIND_LOOP] = s->loops.n,
        [LK_KIND_TASK] = s->tasks.n,     [LK_KIND_FUTURE] = s->futures.n,
        [LK_KIND_LOCK] = s->locks.n,     [LK_KIND_EXECUTOR] = s->executors.n,
    };
    for (size_t k = 0; k <= LK_KIND_EXECUTOR; k++)
        p->first[k + 1] = p->first[k] + counts[k];
    p->n = p->first[LK_KIND_EXECUTOR + 1];
}

/* The loop's thread waits for something else than its loop. */
static bool is_blocked(const struct lk_snapshot *s, const struct lk_loop *o)
{
    const struct lk_thread *t = o ? lk_thread_at(s, o->thread) : NULL;
    return t && t->wait.kind != LK_WAIT_SELECTOR;
}

/* Who may serve what a thread asks of its own process. */
static void connect_served(struct peel *p, size_t thread)
{
    const struct lk_snapshot *s = p->s;
    for (size_t i = 0; i < s->served_connections.n; i++) {
        const struct lk_served_connection *v = &s->served_connections.v[i];
        for (size_t k = 0; v->fd == s->threads.v[thread].os.far_fd && k < v->n_by; k++)
            add_edge(p, p->first[LK_KIND_THREAD] + thread, v->by[k].task);
    }
}

static void connect(struct peel *p)
{
    const struct lk_snapshot *s = p->s;
    for (size_t i = 0; i < s->threads.n; i++) {
        if (s->threads.v[i].wait.kind != LK_WAIT_SELECTOR)
            add_edges(p, p->first[LK_KIND_THREAD] + i, &s->threads.v[i].wait.on);
        add_edge(p, p->first[LK_KIND_THREAD] + i, s->threads.v[i].drives);
        connect_served(p, i);
    }
    for (size_t i = 0; i < s->loops.n; i++)
        if (is_blocked(s, &s->loops.v[i]))
            add_edge(p, p->first[LK_KIND_LOOP] + i, s->loops.v[i].thread);
    for (size_t i = 0; i < s->tasks.n; i++)
        if (is_blocked(s, lk_loop_at(s, s->tasks.v[i].loop)))
            add_edge(p, p->first[LK_KIND_TASK] + i, s->tasks.v[i].loop);
    for (size_t i = 0; i < s->tasks.n; i++)
        if (s->tasks.v[i].state == LK_TASK_PENDING)
            add_edges(p, p->first[LK_KIND_TASK] + i, &s->tasks.v[i].wait.on);
        else
            add_edge(p, p->first[LK_KIND_TASK] + i, s->tasks.v[i].run_by);
    for (size_t i = 0; i < s->futures.n; i++)
        add_edges(p, p->first[LK_KIND_FUTURE] + i, &s->futures.v[i].enders);
    for (size_t i = 0; i < s->locks.n; i++) {
        add_edges(p, p->first[LK_KIND_LOCK] + i, &s->locks.v[i].owners);
        add_edges(p, p->first[LK_KIND_LOCK] + i, &s->locks.v[i].likely_enders);
    }
    for (size_t i = 0; i < s->executors.n; i++)
        add_edges(p, p->first[LK_KIND_EXECUTOR] + i, &s->executors.v[i].workers);
}

/* Takes away, one after the other, all nodes without an edge that begins (or ends) there. */
static void peel_side(struct peel *p, const uint32_t *here, const uint32_t *there)
{
    size_t *start = lk_xcalloc(p->n + 2, sizeof *start);
    uint32_t *back = lk_xcalloc(p->n_edges + 1, sizeof *back),
             *left = lk_xcalloc(p->n + 1, sizeof *left),
             *queue = lk_xcalloc(p->n + 1, sizeof *queue);
    size_t head = 0, tail = 0;

    for (size_t e = 0; e < p->n_edges; e++)
        if (!p->gone[here[e]] && !p->gone[there[e]]) {
            left[here[e]]++;
            start[there[e] + 2]++;
        }
    for (size_t i = 2; i < p->n + 2; i++)
        start[i] += start[i - 1];
    for (size_t e = 0; e < p->n_edges; e++)
        if (!p->gone[here[e]] && !p->gone[there[e]])
            back[start[there[e] + 1]++] = here[e];
    for (size_t i = 0; i < p->n; i++)
        if (!p->gone[i] && left[i] == 0)
            queue[tail++] = (uint32_t)i;
    for (; head < tail; head++) {
        uint32_t i = queue[head];
        p->gone[i] = true;
        for (size_t e = start[i]; e < start[i + 1]; e++)
            if (--left[back[e]] == 0)
                queue[tail++] = back[e];
    }
    lk_free(start);
    lk_free(back);
    lk_free(left);
    lk_free(queue);
}

/* address -> packed ref of the tasks and futures that are left, and one must be that somebody else
 * can end; and of the pools. */
static bool find_ring_members(struct lk_py *py, struct lk_map *wanted, struct lk_map *pools)
{
    const struct lk_snapshot *s = py->s;
    struct peel p = { .s = s };
    bool tasks = false;
    number(&p);
    connect(&p);
    p.gone = lk_xcalloc(p.n + 1, sizeof *p.gone);
    peel_side(&p, p.from, p.to);
    peel_side(&p, p.to, p.from);
    for (size_t i = 0; i < s->executors.n; i++)
        if (!p.gone[p.first[LK_KIND_EXECUTOR] + i] && s->executors.v[i].addr)
            lk_map_put(pools, s->executors.v[i].addr,
                       lk_ref_pack(lk_ref_make(LK_KIND_EXECUTOR, i)));
    for (size_t i = 0; i < s->tasks.n; i++)
        if (!p.gone[p.first[LK_KIND_TASK] + i]) {
            lk_map_put(wanted, s->tasks.v[i].addr, lk_ref_pack(lk_ref_make(LK_KIND_TASK, i)));
            tasks = true;
        }
    for (size_t i = 0; i < s->futures.n; i++)
        /* nobody cancels the results of multiprocessing's pools (multiprocessing/pool.py) */
        if (!p.gone[p.first[LK_KIND_FUTURE] + i] &&
            lk_py_known_class(py, s->futures.v[i].addr, NULL) != LK_CLASS_POOL_RESULT) {
            lk_map_put(wanted, s->futures.v[i].addr, lk_ref_pack(lk_ref_make(LK_KIND_FUTURE, i)));
            tasks |= s->futures.v[i].concurrent && s->futures.v[i].state == LK_FUTURE_PENDING;
        }
    lk_free(p.from);
    lk_free(p.to);
    lk_free(p.gone);
    return tasks;
}

/* ---- scopes that cancel them ---------------------------------------------------------------- */

struct scope_search {
    struct lk_map *wanted, *scopes;
    uint64_t task;
};

static void want_scope(struct lk_py *py, lk_addr scope, void *arg)
{
    struct scope_search *x = arg;
    (void)py;
    if (lk_map_add(x->wanted, scope, x->task))
        lk_map_put(x->scopes, scope, 1);
}

/* Tasks of trio are cancelled by the scopes and nurseries that they are in: who has one of these at
 * hand has them. */
static void find_scopes(struct lk_py *py, struct lk_map *wanted, struct lk_map *scopes)
{
    struct scope_search x = { wanted, scopes, 0 };
    for (size_t i = 0; i < py->s->tasks.n; i++) {
        lk_addr task = py->s->tasks.v[i].addr;
        if (lk_py_known_class(py, task, NULL) == LK_CLASS_TRIO_TASK &&
            lk_map_get(wanted, task, &x.task))
            lk_trio_each_scope(py, task, want_scope, &x);
    }
}

static bool names_cancel(struct lk_py *py, lk_addr code)
{
    static const char *const cancels[] = { "cancel", "cancel_scope" };
    enum { MAX_NAMES = 256 };
    size_t n = 0;
    lk_addr *names = lk_py_items(py, lk_py_ptr(py, code + py->layout.co_names), MAX_NAMES, &n);
    for (size_t i = 0; names && i < n; i++)
        for (size_t k = 0; k < LK_ARRAY_LEN(cancels); k++)
            if (lk_py_str_eq(py, names[i], cancels[k]))
                return true;
    return n == MAX_NAMES;
}

/* Nothing that is known ends its wait: it goes on when it is cancelled itself (sleep_forever). */
static bool waits_for_its_end(const struct lk_snapshot *s, struct lk_ref who)
{
    const struct lk_task *k = lk_task_at(s, who);
    return k && k->wait.kind == LK_WAIT_EVENT && !k->wait.on.n && k->wait.timeout_ms == LK_FOREVER;
}

/* A server's frame, that begins its handlers, has their nursery at hand; for its end, if it sleeps
 * until then. */
static void drop_librarys_scopes(struct lk_py *py, const struct lk_pyf *f, struct lk_ref who,
                                 struct lk_at_hand_search *x, size_t before)
{
    const struct lk_pycode *c = x->scopes->n ? lk_py_code(py, f->code) : NULL;
    if (!c || x->found.n == before || !lk_py_is_library(py, c->code->file) ||
        (names_cancel(py, f->code) && !waits_for_its_end(py->s, who)))
        return;
    for (size_t i = before; i < x->found.n;)
        if (lk_map_get(x->scopes, x->found.v[i], NULL))
            x->found.v[i] = x->found.v[--x->found.n];
        else
            i++;
}

/* ---- who has them at hand ---------------------------------------------------------------- */

static void add_at_hand(struct lk_py *py, struct lk_at_hand h)
{
    if (py->s->at_hand.n >= MAX_AT_HAND)
        py->s->at_hand_cut = true;
    else
        lk_vec_add(&py->s->at_hand, h);
}

static void add_found(struct lk_py *py, struct lk_at_hand_search *x, struct lk_at_hand h)
{
    uint64_t ref;
    for (size_t i = 0; i < x->found.n; i++)
        if (lk_map_get(x->wanted, x->found.v[i], &ref)) {
            h.what = lk_ref_unpack(ref);
            add_at_hand(py, h);
        }
    x->found.n = 0;
}

static const char *callback_name(struct lk_py *py, lk_addr callback)
{
    struct lk_pyframe f;
    lk_addr func, args;
    if (lk_py_callable_frame(py, callback, &f))
        return f.code->qualname;
    return lk_py_callable_name(py, lk_py_partial(py, callback, &func, &args) ? func : callback);
}

static void ask_timer(struct lk_py *py, const struct lk_py_timer *timer,
                      struct lk_at_hand_search *x)
{
    struct lk_at_hand h = { .by = lk_ref_make(LK_KIND_LOOP, timer->loop),
                            .hand = LK_HAND_TIMER_CANCELS,
                            .in_ms = timer->in_ms,
                            .callback = callback_name(py, timer->callback) };
    size_t n;
    lk_addr *cancelled = lk_aio_timer_cancels(py, timer->callback, &n);
    if (h.in_ms == LK_FOREVER) /* call_later(math.inf) */
        return;
    for (size_t i = 0; cancelled && i < n; i++)
        if (lk_map_get(x->wanted, cancelled[i], NULL))
            lk_vec_add(&x->found, cancelled[i]);
    x->unknown = false;
    if (!cancelled) {
        h.hand = LK_HAND_TIMER;
        lk_py_at_hand_of_callback(py, timer->callback, timer->args, x);
    }
    add_found(py, x, h);
    if (x->unknown)
        add_at_hand(py, h);
}

static void ask_registered(struct lk_py *py, const struct lk_registered *r, void *arg)
{
    struct lk_at_hand_search *x = arg;
    if (!*x->left)
        return;
    lk_py_at_hand_of_callback(py, r->callback, r->args, x);
    struct lk_at_hand h = { .by = r->by,
                            .hand = r->cancels ? LK_HAND_CALLBACK_CANCELS : LK_HAND_CALLBACK,
                            .in_ms = LK_UNKNOWN,
                            .callback = x->found.n ? callback_name(py, r->callback) : "",
                            .when = r->when };
    add_found(py, x, h);
}

static void ask_done_callbacks(struct lk_py *py, struct lk_at_hand_search *x)
{
    const struct lk_snapshot *s = py->s;
    for (size_t i = 0; i < s->tasks.n && *x->left; i++)
        if (s->tasks.v[i].kind == LK_TASK_COROUTINE && s->tasks.v[i].state == LK_TASK_PENDING)
            lk_py_each_done_callback(py, s->tasks.v[i].addr, lk_ref_make(LK_KIND_TASK, i),
                                     ask_registered, x);
    for (size_t i = 0; i < s->futures.n && *x->left; i++)
        lk_py_each_done_callback(py, s->futures.v[i].addr, lk_ref_make(LK_KIND_FUTURE, i),
                                 ask_registered, x);
}

/* Futures that somebody has at hand, and may complete: their callbacks are as good as his. */
static void ask_met(struct lk_py *py, struct lk_ref who, struct lk_at_hand_search *x)
{
    size_t n = x->met.n, asked = 0; /* it grows */
    for (size_t i = 0; i < n && *x->left; i++) {
        if (lk_snapshot_find(py->s, LK_KIND_TASK, x->met.v[i]).kind != LK_KIND_NONE)
            continue;
        if (asked++ == MAX_MET) {
            x->cut = true;
            break;
        }
        lk_py_each_done_callback(py, x->met.v[i], who, ask_registered, x);
    }
    x->met.n = 0;
}

/* A task that fails has the others of its group cancelled (anyio/_backends/_asyncio.py: 3.x in
 * TaskGroup._run_wrapped_task around the coroutine, 4.x in task_done, a callback of the task). */
static void ask_group(struct lk_py *py, const struct lk_pyf *f, struct lk_ref who,
                      struct lk_at_hand_search *x)
{
    size_t n;
    if (!lk_py_frame_is(py, f, "_run_wrapped_task", "/anyio/_backends/_asyncio.py"))
        return;
    lk_addr *tasks =
        lk_aio_scope_cancels(py, lk_py_attr(py, lk_py_local(py, f, "self"), "cancel_scope"), &n);
    for (size_t i = 0; tasks && i < n; i++)
        if (lk_map_get(x->wanted, tasks[i], NULL))
            lk_vec_add(&x->found, tasks[i]);
    add_found(py, x,
              (struct lk_at_hand){ .by = who,
                                   .hand = LK_HAND_CALLBACK_CANCELS,
                                   .in_ms = LK_UNKNOWN,
                                   .callback = "the cancel scope of its task group",
                                   .when = "that fails" });
}

static void ask_frames(struct lk_py *py, const struct lk_pyframes *frames, struct lk_ref who,
                       struct lk_at_hand_search *x)
{
    x->met.n = 0;
    for (size_t i = 0; i < frames->n && *x->left; i++) {
        const size_t before = x->found.n;
        lk_py_at_hand_of_frame(py, &frames->v[i], x);
        drop_librarys_scopes(py, &frames->v[i], who, x, before);
    }
    add_found(py, x, (struct lk_at_hand){ .by = who, .in_ms = LK_UNKNOWN, .callback = "" });
    ask_met(py, who, x);
    for (size_t i = 0; i < frames->n; i++)
        ask_group(py, &frames->v[i], who, x);
}

static void ask_task(struct lk_py *py, size_t index, struct lk_at_hand_search *x)
{
    const struct lk_task *k = &py->s->tasks.v[index];
    struct lk_pyframes chain = { 0 };
    bool truncated;

    if (k->state != LK_TASK_PENDING || lk_map_get(x->wanted, k->addr, NULL))
        return;
    if (k->kind == LK_TASK_GREENLET) {
        const struct lk_pyframes *frames = lk_py_frames_of_greenlet(py, index);
        if (frames)
            ask_frames(py, frames, lk_ref_make(LK_KIND_TASK, index), x);
        return;
    }
    if (!lk_aio_await_chain(py, k->addr, &chain, &truncated))
        return;
    x->cut |= truncated;
    if (!lk_trio_outlasts(py, &chain, x->scopes))
        ask_frames(py, &chain, lk_ref_make(LK_KIND_TASK, index), x);
    lk_free(chain.v);
}

void lk_py_read_at_hand(struct lk_py *py, struct lk_snapshot *s)
{
    struct lk_map wanted = { 0 }, pools = { 0 }, scopes = { 0 }, slotted = { 0 }, owned = { 0 };
    unsigned left = MAX_LOOKS;
    struct lk_at_hand_search x = {
        .wanted = &wanted, .scopes = &scopes, .owned = &owned, .slotted = &slotted, .left = &left
    };

    if (s == py->s && s->python.frames_read && find_ring_members(py, &wanted, &pools)) {
        lk_py_find_ring_enders(py, &wanted, &pools);
        find_scopes(py, &wanted, &scopes);
        x.methods = py->s->tasks.n + py->s->threads.n <= MAX_FOLLOWED;
        for (size_t i = 0; i < py->timers.n; i++)
            ask_timer(py, &py->timers.v[i], &x);
        ask_done_callbacks(py, &x);
        lk_py_each_registered(py, ask_registered, &x);
        for (size_t i = 0; i < py->s->threads.n; i++) {
            const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
            if (frames)
                ask_frames(py, frames, lk_ref_make(LK_KIND_THREAD, i), &x);
        }
        for (size_t i = 0; i < py->s->tasks.n; i++)
            ask_task(py, i, &x);
        py->s->at_hand_cut |= left == 0 || x.cut;
    }
    lk_free(x.found.v);
    lk_free(x.met.v);
    lk_map_deinit(&wanted);
    lk_map_deinit(&pools);
    lk_map_deinit(&scopes);
    lk_map_deinit(&slotted);
    lk_map_deinit(&owned);
    lk_reader_end(py);
}
