/* The graph against brute force on random snapshots, and its cost on large ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "diagnose/graph/graph.h"
#include "random.h"
#include "snapshot/builder.h"

#if defined(__SANITIZE_ADDRESS__)
enum { SLOWER = 8 };
#else
enum { SLOWER = 1 };
#endif

static size_t index_of(const struct lk_graph *g, struct lk_ref r)
{
    return (size_t)(lk_graph_node(g, r) - g->nodes);
}

/* ---- the definition, word by word ---------------------------------------------------- */

static enum lk_life life_by_definition(const struct lk_graph *g, const struct lk_node *n,
                                       const enum lk_life *now, bool timed)
{
    enum lk_life must = LK_LIFE_LIVE, group = LK_LIFE_DEAD;
    for (size_t e = 0; e < n->n_must; e++)
        must = LK_MIN(must, now[index_of(g, n->edges[e].to)]);
    if (n->n_edges > n->n_must) {
        group = n->all ? LK_LIFE_LIVE : LK_LIFE_DEAD;
        for (size_t e = n->n_must; e < n->n_edges; e++) {
            enum lk_life to = now[index_of(g, n->edges[e].to)];
            group = n->all ? LK_MIN(group, to) : LK_MAX(group, to);
        }
    }
    group = LK_MAX(group, n->base);
    if (n->open)
        group = LK_MAX(group, LK_LIFE_OPEN);
    if (timed && n->timeout_ms != LK_FOREVER)
        group = LK_MAX(group, LK_LIFE_TIMED);
    return LK_MIN(must, group);
}

/* The least fixed point: from DEAD upwards until nothing changes. */
static void check_life(const struct lk_graph *g, bool timed)
{
    enum lk_life *now = lk_xcalloc(g->n_nodes, sizeof *now);
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < g->n_nodes; i++) {
            enum lk_life life = life_by_definition(g, &g->nodes[i], now, timed);
            changed |= life != now[i];
            now[i] = life;
        }
    }
    for (size_t i = 0; i < g->n_nodes; i++)
        assert_int_equal(timed ? g->nodes[i].life : g->nodes[i].life_untimed, now[i]);
    lk_free(now);
}

/* Reachability over blocking edges, by Floyd and Warshall. */
static bool *reach(const struct lk_graph *g)
{
    size_t n = g->n_nodes;
    bool *r = lk_xcalloc(n * n, sizeof *r);
    for (size_t i = 0; i < n; i++)
        for (size_t e = 0; e < g->nodes[i].n_edges; e++)
            if (lk_graph_blocks(g, &g->nodes[i].edges[e]))
                r[i * n + index_of(g, g->nodes[i].edges[e].to)] = true;
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; r[i * n + k] && j < n; j++)
                r[i * n + j] |= r[k * n + j];
    return r;
}

/* A knot by definition: what is still dead when every node outside of the component is taken to be
 * alive. */
static void check_knot(const struct lk_graph *g, int scc)
{
    enum lk_life *now = lk_xcalloc(g->n_nodes, sizeof *now);
    for (size_t i = 0; i < g->n_nodes; i++)
        now[i] = g->nodes[i].scc == scc ? LK_LIFE_DEAD : LK_LIFE_LIVE;
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < g->n_nodes; i++) {
            enum lk_life life =
                g->nodes[i].scc == scc ? life_by_definition(g, &g->nodes[i], now, false) : now[i];
            if (g->nodes[i].dead_end)
                life = now[i];
            changed |= life != now[i];
            now[i] = life;
        }
    }
    for (size_t k = 0; k < g->sccs[scc].n; k++) {
        uint32_t i = g->sccs[scc].members[k];
        if (!g->nodes[i].dead_end)
            assert_int_equal(g->nodes[i].knot, now[i] == LK_LIFE_DEAD);
    }
    lk_free(now);
}

static void check_cycles(const struct lk_graph *g, const bool *r)
{
    size_t n = g->n_nodes;
    struct lk_edge cycle[256];
    for (size_t i = 0; i < n; i++) {
        const struct lk_node *a = &g->nodes[i];
        assert_int_equal(a->scc >= 0, a->life_untimed == LK_LIFE_DEAD);
        for (size_t j = 0; j < n && a->scc >= 0; j++)
            if (i != j && g->nodes[j].scc >= 0)
                assert_int_equal(a->scc == g->nodes[j].scc, r[i * n + j] && r[j * n + i]);
        size_t length = lk_graph_cycle(g, a->ref, cycle, 256);
        if (length)
            assert_true(a->knot && r[i * n + i] && length <= n);
        for (size_t e = 0; e < length; e++) {
            assert_true(lk_ref_eq(cycle[e].to, cycle[(e + 1) % length].from));
            assert_true(lk_graph_blocks(g, &cycle[e]));
        }
        if (length)
            assert_true(lk_ref_eq(cycle[0].from, a->ref));
    }
}

/* Held up by definition: alive or not now, dead once ref is dead and timeouts do not count. */
static void check_held_up(const struct lk_graph *g, size_t root)
{
    bool *mark = lk_xcalloc(g->n_nodes, sizeof *mark), *now = lk_xcalloc(g->n_nodes, sizeof *now);
    lk_graph_held_up(g, g->nodes[root].ref, mark);
    now[root] = true;
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < g->n_nodes; i++) {
            const struct lk_node *n = &g->nodes[i];
            size_t must = 0, group = 0;
            for (size_t e = 0; e < n->n_edges; e++)
                *(e < n->n_must ? &must : &group) += now[index_of(g, n->edges[e].to)];
            size_t all = n->n_edges - n->n_must;
            bool stuck = must || (!n->open && n->base == LK_LIFE_DEAD && all &&
                                  (n->all ? group > 0 : group == all));
            changed |= stuck && !now[i];
            now[i] |= stuck;
        }
    }
    for (size_t i = 0; i < g->n_nodes; i++)
        assert_int_equal(mark[i], now[i] && i != root);
    lk_free(mark);
    lk_free(now);
}

static void agrees_with_brute_force(void **state)
{
    (void)state;
    int knots = 0, dead = 0;
    for (uint64_t seed = 1; seed <= 4000; seed++) {
        struct lk_snapshot *s = random_snapshot(seed, 2 + seed % 7, seed % 3 == 0);
        struct lk_graph *g = lk_graph_build(s);
        check_life(g, true);
        check_life(g, false);
        bool *r = reach(g);
        check_cycles(g, r);
        for (int c = 0; c < g->n_sccs; c++) {
            check_knot(g, c);
            knots += g->sccs[c].knot;
        }
        for (size_t i = 0; i < g->n_nodes; i++) {
            dead += g->nodes[i].life == LK_LIFE_DEAD;
            check_held_up(g, i);
        }
        lk_free(r);
        lk_graph_destroy(g);
        lk_snapshot_destroy(s);
    }
    /* The fuzz is worth something only if it meets what it is about. */
    print_message("%d knots, %d dead nodes\n", knots, dead);
    assert_true(knots > 300);
    assert_true(dead > 1500);
}

/* ---- size ---------------------------------------------------------------------------- */

static struct lk_ref thread_in_loop(struct lk_snapshot *s, struct lk_ref *loop, bool blocked)
{
    struct lk_ref t = lk_snapshot_thread(s, 1 + (int64_t)s->threads.n, NULL);
    *loop = lk_snapshot_loop(s, 0x1000 + s->loops.n * 64, NULL);
    struct lk_loop *o = lk_loop_at(s, *loop);
    struct lk_thread *p = lk_thread_at(s, t);
    o->run = LK_LOOP_RUNNING;
    o->thread = t;
    o->in_own_selector = blocked ? LK_NO : LK_YES;
    p->wait.kind = blocked ? LK_WAIT_FUTURE : LK_WAIT_SELECTOR;
    p->wait.complete = true;
    p->wait.timeout_ms = LK_FOREVER;
    return t;
}

static uint64_t cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* CPU time: other work on the machine does not count. */
static uint64_t build_ms(const struct lk_snapshot *s, struct lk_graph **g)
{
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 3; i++) {
        uint64_t start = cpu_us();
        *g = lk_graph_build(s);
        best = LK_MIN(best, cpu_us() - start);
        if (i < 2)
            lk_graph_destroy(*g);
    }
    return best / 1000;
}

/* 100,000 tasks, each awaiting the one before it, on a loop that waits for the last of them. */
static void long_chain_is_linear(void **state)
{
    (void)state;
    enum { N = 100000 };
    struct lk_snapshot *s = lk_snapshot_create();
    struct lk_ref loop, t = thread_in_loop(s, &loop, true), last = { LK_KIND_NONE, 0 };
    s->stalled_after_ms = 2000;
    for (uint64_t i = 0; i < N; i++) {
        struct lk_ref r = lk_snapshot_task(s, 0x100000 + i * 64, NULL);
        struct lk_task *k = lk_task_at(s, r);
        k->loop = loop;
        k->started = true;
        k->wait.kind = i ? LK_WAIT_FUTURE : LK_WAIT_IO;
        k->wait.complete = true;
        k->wait.timeout_ms = LK_FOREVER;
        lk_refs_add(s, &k->wait.on, last);
        last = r;
    }
    lk_refs_add(s, &lk_thread_at(s, t)->wait.on, last);
    struct lk_graph *g;
    uint64_t ms = build_ms(s, &g);
    print_message("graph of %d tasks in a chain: %llu ms\n", (int)N, (unsigned long long)ms);
    assert_true(ms < 50 * SLOWER);
    assert_int_equal(lk_graph_node(g, last)->life, LK_LIFE_DEAD);
    assert_true(lk_graph_node(g, t)->knot);
    struct lk_edge cycle[8];
    assert_int_equal(lk_graph_cycle(g, t, cycle, 8), 3);
    lk_graph_destroy(g);
    lk_snapshot_destroy(s);
}

/* One gather over 100,000 tasks: a node with as many edges costs one look at each. */
static void wide_gather_is_linear(void **state)
{
    (void)state;
    enum { N = 100000 };
    struct lk_snapshot *s = lk_snapshot_create();
    struct lk_ref loop;
    thread_in_loop(s, &loop, false);
    struct lk_ref gather = lk_snapshot_future(s, 0x50000000, NULL);
    struct lk_future *f = lk_future_at(s, gather);
    f->state = LK_FUTURE_PENDING;
    f->all = f->enders_complete = true;
    for (uint64_t i = 0; i < N; i++) {
        struct lk_ref r = lk_snapshot_task(s, 0x100000 + i * 64, NULL);
        struct lk_task *k = lk_task_at(s, r);
        k->loop = loop;
        k->started = true;
        k->ready = i % 2;
        k->wait.kind = LK_WAIT_IO;
        k->wait.timeout_ms = LK_FOREVER;
        lk_refs_add(s, &f->enders, r);
    }
    struct lk_graph *g;
    uint64_t ms = build_ms(s, &g);
    print_message("graph of a gather over %d tasks: %llu ms\n", (int)N, (unsigned long long)ms);
    assert_true(ms < 50 * SLOWER);
    assert_int_equal(lk_graph_node(g, gather)->life, LK_LIFE_EXTERN);
    bool *mark = lk_xcalloc(g->n_nodes, 1);
    lk_graph_held_up(g, loop, mark);
    assert_true(mark[index_of(g, gather)]);
    lk_free(mark);
    lk_graph_destroy(g);
    lk_snapshot_destroy(s);
}

static void nothing_at_all(void **state)
{
    (void)state;
    struct lk_snapshot *s = lk_snapshot_create();
    struct lk_graph *g = lk_graph_build(s);
    assert_int_equal(g->n_nodes, 0);
    assert_null(lk_graph_node(g, lk_ref_make(LK_KIND_THREAD, 0)));
    assert_null(lk_graph_node(g, (struct lk_ref){ LK_KIND_NONE, 0 }));
    lk_graph_destroy(g);
    lk_graph_destroy(NULL);
    lk_snapshot_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_at_all),
        cmocka_unit_test(agrees_with_brute_force),
        cmocka_unit_test(long_chain_is_linear),
        cmocka_unit_test(wide_gather_is_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
