/* Line tables and exception tables of all formats, frames and await chains that are torn or cyclic.
 */
#include "pyheap.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/frame.h"

static lk_addr make_code(struct pyheap *h, const void *linetable, size_t n_line,
                         const void *exceptions, size_t n_exc)
{
    const struct lk_layout *l = &h->py.layout;
    lk_addr o = heap_object(h, h->code, l->co_size + 256), empty = heap_tuple(h, 0, NULL);

    put64(h, o + 16, 64); /* 3.11+: ob_size, code units; before: argument counts */
    put32(h, o + l->co_flags, 0x80);
    put32(h, o + l->co_stacksize, 4);
    put32(h, o + l->co_firstlineno, 10);
    put32(h, o + l->co_nlocals, 0);
    put64(h, o + l->co_names, empty);
    put64(h, o + l->co_name, heap_str(h, "f"));
    put64(h, o + l->co_filename, heap_str(h, "/srv/app.py"));
    put64(h, o + l->co_linetable, heap_bytes(h, linetable, n_line));
    if (l->co_nlocalsplus != LK_OFF_NONE) {
        put32(h, o + l->co_nlocalsplus, 0);
        put64(h, o + l->co_qualname, heap_str(h, "C.f"));
        put64(h, o + l->co_exceptiontable, heap_bytes(h, exceptions, n_exc));
    } else {
        put64(h, o + l->co_varnames, empty);
        put64(h, o + l->co_cellvars, empty);
        put64(h, o + l->co_freevars, empty);
        put64(h, o + l->co_code, heap_bytes(h, (char[128]){ 0 }, 128));
    }
    return o;
}

static int line_at(struct pyheap *h, lk_addr code, int lasti)
{
    const struct lk_pycode *c = lk_py_code(&h->py, code);
    assert_non_null(c);
    return lk_py_code_line(&h->py, c, lasti);
}

static void lnotab(void **state)
{
    (void)state;
    const int8_t table[] = { 6, 2, 8, -1, (int8_t)200, 100, 0, 100 };
    struct pyheap *h = heap_create(LK_PYVER(3, 9));
    lk_addr code = make_code(h, table, sizeof table, NULL, 0);
    assert_int_equal(line_at(h, code, -1), 10);
    assert_int_equal(line_at(h, code, 0), 10);
    assert_int_equal(line_at(h, code, 5), 10);
    assert_int_equal(line_at(h, code, 6), 12);
    assert_int_equal(line_at(h, code, 14), 11);
    assert_int_equal(line_at(h, code, 213), 11);
    assert_int_equal(line_at(h, code, 214), 211);
    heap_destroy(h);
}

static void ranges(void **state)
{
    (void)state;
    const int8_t table[] = { 4, 0, 6, 3, 2, -128, 8, -2 };
    struct pyheap *h = heap_create(LK_PYVER(3, 10));
    lk_addr code = make_code(h, table, sizeof table, NULL, 0);
    assert_int_equal(line_at(h, code, 2), 10);
    assert_int_equal(line_at(h, code, 4), 13);
    assert_int_equal(line_at(h, code, 10), 0);
    assert_int_equal(line_at(h, code, 12), 11);
    heap_destroy(h);
}

static void locations(void **state)
{
    (void)state;
    const uint8_t table[] = {
        0x80 | 0 << 3 | 1, 0x12,  /* short form, two units, same line */
        0x80 | 11 << 3 | 0, 1, 5, /* one line on, one unit */
        0x80 | 15 << 3 | 0,       /* no location */
        /* signed varint 32 + 6 * 64 = 416: +208; end line, columns */
        0x80 | 14 << 3 | 7, 0x40 | 0x20, 6, 0, 1, 2, 0x80 | 13 << 3 | 0, 3, /* -1 */
    };
    for (int minor = 11; minor <= 15; minor++) {
        struct pyheap *h = heap_create(LK_PYVER(3, minor));
        lk_addr code = make_code(h, table, sizeof table, NULL, 0);
        assert_int_equal(line_at(h, code, 0), 10);
        assert_int_equal(line_at(h, code, 4), 11);
        assert_int_equal(line_at(h, code, 6), 0);
        assert_int_equal(line_at(h, code, 8), 219);
        assert_int_equal(line_at(h, code, 24), 218);
        assert_string_equal(lk_py_code(&h->py, code)->code->qualname, "C.f");
        assert_true(lk_py_code(&h->py, code)->code->is_coroutine);
        heap_destroy(h);
    }
}

static void exception_table(void **state)
{
    (void)state;
    const uint8_t table[] = {
        0x80 | 2,        3, 20, 1 << 1 | 1,         /* [2, 5) -> 20, depth 1, a with */
        0x80 | 0x40 | 1, 0, 4,  30,         2 << 1, /* [64, 68) -> 30, depth 2 */
    };
    struct pyheap *h = heap_create(LK_PYVER(3, 12));
    const struct lk_pycode *c = lk_py_code(&h->py, make_code(h, "", 0, table, sizeof table));
    struct lk_pyhandler e;
    assert_false(lk_py_handler(&h->py, c, 1, &e));
    assert_true(lk_py_handler(&h->py, c, 4, &e));
    assert_true(e.target == 20 && e.depth == 1 && e.lasti);
    assert_false(lk_py_handler(&h->py, c, 5, &e));
    assert_true(lk_py_handler(&h->py, c, 67, &e));
    assert_true(e.target == 30 && e.depth == 2 && !e.lasti);
    heap_destroy(h);
}

/* An interpreter frame of 3.11+. */
static lk_addr make_frame(struct pyheap *h, lk_addr code, lk_addr previous, int lasti,
                          uint8_t owner)
{
    const struct lk_layout *l = &h->py.layout;
    lk_addr f = heap_alloc(h, l->if_size + 64);
    put64(h, f + l->if_executable, code);
    put64(h, f + l->if_previous, previous);
    put64(h, f + l->if_instr, code + l->co_code_adaptive + (uint64_t)(int64_t)lasti);
    put8(h, f + l->if_owner, owner);
    return f;
}

static void cyclic_frames(void **state)
{
    (void)state;
    for (int minor = 13; minor <= 15; minor++) {
        struct pyheap *h = heap_create(LK_PYVER(3, minor));
        const struct lk_layout *l = &h->py.layout;
        lk_addr code = make_code(h, "", 0, "", 0), ts = heap_alloc(h, 1200);
        lk_addr outer = make_frame(h, code, 0, 4, 0), shim = make_frame(h, h->none, outer, 0, 3),
                inner = make_frame(h, code, shim, 8, 0);
        struct lk_pyframes frames = { 0 };
        bool truncated;
        put64(h, ts + l->ts_current_frame, inner);
        assert_true(lk_py_thread_frames(&h->py, ts, &frames, &truncated));
        assert_false(truncated);
        assert_int_equal(frames.n, 2);
        assert_true(frames.v[0].entry && frames.v[0].lasti == 8 && frames.v[1].lasti == 4);
        put64(h, outer + l->if_previous, inner);
        frames.n = 0;
        lk_py_thread_frames(&h->py, ts, &frames, &truncated);
        assert_true(truncated);
        assert_true(frames.n < 10);
        /* Only shims in a ring: nothing is known, and that is said. */
        put64(h, shim + l->if_previous, shim);
        put64(h, ts + l->ts_current_frame, shim);
        frames.n = 0;
        assert_false(lk_py_thread_frames(&h->py, ts, &frames, &truncated));
        assert_true(truncated);
        lk_free(frames.v);
        heap_destroy(h);
    }
}

static void implausible_frames(void **state)
{
    (void)state;
    struct pyheap *h = heap_create(LK_PYVER(3, 13));
    lk_addr code = make_code(h, "", 0, "", 0), caller;
    struct lk_pyf f;
    bool shim;
    assert_true(lk_py_frame(&h->py, make_frame(h, code, 0, 126, 0), &f, &caller, &shim));
    /* behind the code */
    assert_false(lk_py_frame(&h->py, make_frame(h, code, 0, 128, 0), &f, &caller, &shim));
    /* inside a code unit */
    assert_false(lk_py_frame(&h->py, make_frame(h, code, 0, 5, 0), &f, &caller, &shim));
    /* no such owner */
    assert_false(lk_py_frame(&h->py, make_frame(h, code, 0, 4, 9), &f, &caller, &shim));
    /* no code */
    assert_false(lk_py_frame(&h->py, make_frame(h, h->str, 0, 4, 0), &f, &caller, &shim));
    assert_false(lk_py_frame(&h->py, 0, &f, &caller, &shim));
    heap_destroy(h);
}

/* Two coroutines that await each other: impossible, so torn; the walk ends. */
static void cyclic_await(void **state)
{
    (void)state;
    struct pyheap *h = heap_create(LK_PYVER(3, 13));
    const struct lk_layout *l = &h->py.layout;
    lk_addr type = heap_type(h, "coroutine", h->object, 0, l->coroutine_size),
            code = make_code(h, "", 0, "", 0), coro[2], leaf;
    struct lk_pyframes frames = { 0 };
    const char *leaf_type;
    bool truncated;
    for (int i = 0; i < 2; i++) {
        coro[i] = heap_object(h, type, 256);
        put8(h, coro[i] + l->gi_frame_state, (uint8_t)-1);
        lk_addr f = coro[i] + l->gi_iframe;
        put64(h, f + l->if_executable, code);
        put64(h, f + l->if_instr, code + l->co_code_adaptive + 4);
        put8(h, f + l->if_owner, 1);
        put32(h, f + l->if_stacktop, 1);
    }
    put64(h, coro[0] + l->gi_iframe + l->if_localsplus, coro[1]);
    put64(h, coro[1] + l->gi_iframe + l->if_localsplus, coro[0]);
    lk_py_await_chain(&h->py, coro[0], &frames, &leaf, &leaf_type, &truncated);
    assert_true(truncated);
    assert_true(frames.n < 10);
    /* And one that waits for a number. */
    put64(h, coro[1] + l->gi_iframe + l->if_localsplus, h->none);
    frames.n = 0;
    assert_true(lk_py_await_chain(&h->py, coro[0], &frames, &leaf, &leaf_type, &truncated));
    assert_false(truncated);
    assert_int_equal(frames.n, 2);
    assert_string_equal(leaf_type, "NoneType");
    lk_free(frames.v);
    heap_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lnotab),        cmocka_unit_test(ranges),
        cmocka_unit_test(locations),     cmocka_unit_test(exception_table),
        cmocka_unit_test(cyclic_frames), cmocka_unit_test(implausible_frames),
        cmocka_unit_test(cyclic_await),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
