/* The offset table of 3.13 and later is the target's, so it may say anything. */
#include "pyheap.h"
#include "read/python/interpreter/debug_offsets.h"

/* Words as CPython 3.13.0 has them, up to the fields that are used. */
static const uint64_t table_3_13[73] = {
    0,    0x030d00f0, 0,    283320, 608, 632, 194968, 7272, 7264, 7344, 7400, 7656, 7640, 7648, 16,
    7752, 0,          7768, 7760,   304, 0,   8,      16,   72,   152,  160,  232,  32,   80,   8,
    0,    56,         72,   70,     208, 112, 120,    128,  136,  68,   52,   96,   104,  200,
};

static bool apply(uint64_t *w, struct lk_layout *l, char *why, size_t size)
{
    memcpy(w, "xdebugpy", 8);
    struct fake_segment seg = { HEAP_BASE, w, sizeof table_3_13 };
    struct lk_process *t = fake_target(&seg, 1);
    uint64_t version = 0;
    bool ft = true;
    assert_true(lk_debug_offsets_head(t, HEAP_BASE, &version, &ft));
    assert_int_equal(version, w[1]);
    assert_int_equal(ft, w[2] != 0);
    *l = *lk_layout_find(LK_PYVER(3, 13));
    bool ok = lk_debug_offsets_apply(t, HEAP_BASE, l, why, size);
    lk_process_destroy(t);
    return ok;
}

static void as_released(void **state)
{
    (void)state;
    uint64_t w[LK_ARRAY_LEN(table_3_13)];
    struct lk_layout l;
    char why[200] = "";
    memcpy(w, table_3_13, sizeof w);
    assert_true(apply(w, &l, why, sizeof why));
    assert_memory_equal(&l, lk_layout_find(LK_PYVER(3, 13)), sizeof l);
}

/* 3.13.15 has a longer thread state: asyncio's running loop follows it. */
static void grown_thread_state(void **state)
{
    (void)state;
    uint64_t w[LK_ARRAY_LEN(table_3_13)];
    struct lk_layout l;
    char why[200] = "";
    memcpy(w, table_3_13, sizeof w);
    w[19] = 312;
    w[10] += 16;
    assert_true(apply(w, &l, why, sizeof why));
    assert_int_equal(l.ts_running_loop, 312);
    assert_int_equal(l.is_gc_generation0, 7496 + 16);
}

static void damaged(void **state)
{
    (void)state;
    static const struct {
        size_t word;
        uint64_t value;
    } bad[] = {
        { 5, 1 << 30 }, { 3, 0 },    { 6, UINT64_MAX }, { 9, 7345 }, { 23, 304 }, { 19, 1 << 20 },
        { 19, 8 },      { 25, 152 }, { 29, 16 },        { 43, 192 }, { 33, 71 },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(bad); i++) {
        uint64_t w[LK_ARRAY_LEN(table_3_13)];
        struct lk_layout l;
        char why[200] = "";
        memcpy(w, table_3_13, sizeof w);
        w[bad[i].word] = bad[i].value;
        assert_false(apply(w, &l, why, sizeof why));
        assert_true(*why);
    }
}

static void no_table(void **state)
{
    (void)state;
    uint64_t zeros[200] = { 0 }, version;
    bool ft;
    struct fake_segment seg = { HEAP_BASE, zeros, sizeof zeros };
    struct lk_process *t = fake_target(&seg, 1);
    assert_false(lk_debug_offsets_head(t, HEAP_BASE, &version, &ft));
    assert_false(lk_debug_offsets_head(t, HEAP_BASE + (1 << 20), &version, &ft));
    lk_process_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_released),
        cmocka_unit_test(grown_thread_state),
        cmocka_unit_test(damaged),
        cmocka_unit_test(no_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
