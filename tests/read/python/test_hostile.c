/* Heaps that lie: cycles, huge lengths, random bytes. Every reader ends, in time, without touching
 * what is not its own. */
#include "pyheap.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_states.h"
#include "read/python/interpreter/type.h"
#include "read/python/interpreter/value_stack.h"

enum { ROUNDS = 10000, SECONDS = 100, NOISE = 16384 };

static void cyclic_types(void **state)
{
    (void)state;
    struct pyheap *h = heap_create(LK_PYVER(3, 11));
    const struct lk_layout *l = &h->py.layout;
    lk_addr a = heap_type(h, "A", 0, FLAG_HEAPTYPE, 32),
            b = heap_type(h, "B", a, FLAG_HEAPTYPE, 32), o = heap_object(h, b, 32);
    lk_addr self[] = { b, b };

    put64(h, a + l->tp_base, b); /* each is the other's base */
    assert_non_null(lk_py_type(&h->py, o));
    assert_false(lk_py_isinstance(&h->py, o, NULL, "C"));
    put64(h, b + l->tp_mro, heap_tuple(h, 2, self));
    heap_refresh(h);
    assert_false(lk_py_isinstance(&h->py, o, NULL, "C"));
    assert_int_equal(lk_py_type_attr(&h->py, lk_py_type(&h->py, o), "x"), 0);
    /* A metatype chain that never reaches `type`. */
    lk_addr meta = heap_type(h, "Meta", 0, FLAG_TYPE, 900), odd = heap_type(h, "Odd", 0, 0, 16);
    put64(h, meta + l->tp_base, meta);
    put64(h, odd + 8, meta);
    assert_null(lk_py_type(&h->py, heap_object(h, odd, 16)));
    /* A type that is its own type but not `type`. */
    lk_addr lone = heap_type(h, "Lone", 0, FLAG_TYPE, 900);
    put64(h, lone + 8, lone);
    assert_null(lk_py_type(&h->py, heap_object(h, lone, 16)));
    heap_destroy(h);
}

static void huge_lengths(void **state)
{
    (void)state;
    static const uint64_t sizes[] = { UINT64_MAX, UINT64_C(1) << 63, UINT64_C(1) << 50,
                                      UINT64_C(1) << 31, 1 << 20 };
    for (size_t v = 0; v < lk_n_layouts; v++) {
        struct pyheap *h = heap_create(lk_layouts[v].version);
        struct lk_py *py = &h->py;
        lk_addr item[] = { h->none }, t = heap_tuple(h, 1, item), s = heap_str(h, "x"),
                l = heap_object(h, h->list, 40), d = heap_object(h, h->dict, 48),
                set = heap_object(h, h->set, 200), q = heap_object(h, h->deque, 216),
                n = heap_int(h, false, 1, (const uint32_t[]){ 1 }), keys = heap_keys(h, 1, &s, &t),
                block = heap_alloc(h, 528);
        size_t got;
        int64_t value;
        put64(h, d + 32, keys);
        put64(h, l + 24, HEAP_BASE + HEAP_SIZE - 8);
        put64(h, set + 40, HEAP_BASE + HEAP_SIZE - 16);
        put64(h, q + 24, block);
        put64(h, block, block); /* the block is its own neighbour on both sides */
        put64(h, block + 520, block);
        for (size_t i = 0; i < LK_ARRAY_LEN(sizes); i++) {
            lk_addr all[] = { t, s, l, q, n };
            for (size_t k = 0; k < LK_ARRAY_LEN(all); k++)
                put64(h, all[k] + 16, sizes[i]);
            put64(h, set + 24, sizes[i]);
            put64(h, set + 32, sizes[i] - 1);
            put64(h, keys + py->layout.dk_nentries, sizes[i]);
            heap_refresh(h);
            lk_py_items(py, t, SIZE_MAX, &got);
            assert_true(got <= HEAP_SIZE / 8);
            lk_py_items(py, l, SIZE_MAX, &got);
            assert_true(got <= 512);
            lk_py_items(py, set, SIZE_MAX, &got);
            assert_true(got <= HEAP_SIZE / 8);
            lk_py_items(py, q, SIZE_MAX, &got);
            assert_true(got <= LK_PY_MAX_ITEMS);
            /* that is -1: one digit, negative */
            if (sizes[i] > LK_PY_MAX_ITEMS && sizes[i] != UINT64_MAX)
                assert_false(lk_py_int(py, n, &value));
            assert_int_equal(lk_py_item(py, t, SIZE_MAX / 8), 0);
            assert_int_equal(lk_py_dict_get(py, d, "y"), 0);
            const char *str = lk_py_str(py, s);
            assert_true(!str || strlen(str) <= 4 * LK_PY_MAX_STR + 8);
            if ((int64_t)sizes[i] < 0)
                assert_int_equal(lk_py_len(py, t), -1);
        }
        heap_destroy(h);
    }
}

/* Offset in a thread state or interpreter; all of them lie in one page here. */
static lk_addr make_interpreter(struct pyheap *h, lk_addr *tstates, size_t n)
{
    const struct lk_layout *l = &h->py.layout;
    lk_addr rt = heap_alloc(h, 2048), is = heap_alloc(h, 16384);

    h->py.runtime = rt;
    h->py.interp = is;
    put64(h, rt + l->rt_interpreters_head, is);
    for (size_t i = 0; i < n; i++) {
        tstates[i] = heap_alloc(h, 1200);
        put64(h, tstates[i] + l->ts_interp, is);
        put64(h, tstates[i] + l->ts_thread_id, 0x7000 + 8 * i);
        if (l->ts_native_thread_id != LK_OFF_NONE)
            put64(h, tstates[i] + l->ts_native_thread_id, 100 + i);
        if (i)
            put64(h, tstates[i - 1] + l->ts_next, tstates[i]);
    }
    put64(h, is + l->is_threads_head, tstates[0]);
    return is;
}

static void cyclic_threads(void **state)
{
    (void)state;
    for (size_t v = 0; v < lk_n_layouts; v++) {
        struct pyheap *h = heap_create(lk_layouts[v].version);
        lk_addr ts[3], is = make_interpreter(h, ts, 3);
        put64(h, ts[2] + h->py.layout.ts_next, ts[0]);
        lk_snapshot_thread(h->py.s, 101, NULL);
        lk_py_read_threads(&h->py);
        assert_false(h->py.frames_complete);
        assert_true(h->py.s->limits.n > 0);
        /* The list of interpreters too. */
        put64(h, ts[2] + h->py.layout.ts_next, 0);
        put64(h, is + h->py.layout.is_next, is);
        heap_refresh(h);
        h->py.frames_complete = true;
        lk_py_read_threads(&h->py);
        assert_false(h->py.frames_complete);
        /* A thread state that belongs to nobody known. */
        put64(h, is + h->py.layout.is_next, 0);
        put64(h, ts[1] + h->py.layout.ts_interp, ts[0]);
        heap_refresh(h);
        h->py.frames_complete = true;
        lk_py_read_threads(&h->py);
        assert_false(h->py.frames_complete);
        heap_destroy(h);
    }
}

/* Small deterministic generator (xorshift64). */
static uint64_t seed = 88172645463325252ull;
static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static bool any(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    (void)py;
    (void)key;
    (void)value;
    return ++*(int *)arg < 1000;
}

static bool any_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    (void)name;
    return any(py, 0, value, arg);
}

/* Everything that can be asked of one address. */
static void ask(struct lk_py *py, lk_addr a)
{
    struct lk_pyframes frames = { 0 };
    struct lk_pypending p[4];
    struct lk_pyframe sf;
    struct lk_pyf f;
    lk_addr x, y, held[8];
    const char *name;
    char buf[64];
    int64_t i;
    double d;
    size_t n;
    bool flag;
    int count = 0;

    lk_py_class_name(py, a);
    lk_py_isinstance(py, a, "m", "n");
    lk_py_str(py, a);
    lk_py_str_raw(py, a, buf, sizeof buf);
    lk_py_number(py, a, &d);
    lk_py_int(py, a, &i);
    lk_py_bool(py, a);
    lk_py_len(py, a);
    lk_py_item(py, a, rnd() % 4);
    lk_py_items(py, a, 1000, &n);
    lk_py_dict_get(py, a, "key");
    lk_py_dict_each(py, a, any, &count);
    lk_py_attr(py, a, "name");
    lk_py_attr_each(py, a, any, &count);
    lk_py_closure(py, a, "cell");
    lk_py_method(py, a, &x, &y);
    lk_py_callable_name(py, a);
    lk_py_callable_frame(py, a, &sf);
    lk_py_partial(py, a, &x, &y);
    lk_py_weakref(py, a);
    lk_py_gen_state(py, a);
    lk_py_await_chain(py, a, &frames, &x, &name, &flag);
    frames.n = 0;
    lk_py_thread_frames(py, a, &frames, &flag);
    lk_free(frames.v);
    if (lk_py_frame(py, a, &f, &x, &flag)) {
        lk_py_local(py, &f, "self");
        lk_py_local_each(py, &f, any_local, &count);
        lk_py_held_managers(py, &f, held, LK_ARRAY_LEN(held));
        lk_py_pending_candidates(py, &f, p, LK_ARRAY_LEN(p));
        lk_py_snapshot_frame(py, &f);
    }
}

/* A word as a torn heap may hold it: an address, a small number, a type, noise. */
static uint64_t word(const struct pyheap *h, const lk_addr *types, size_t n_types, size_t from)
{
    switch (rnd() % 8) {
    case 0:
    case 1:
    case 2: return HEAP_BASE + from + rnd() % NOISE / 8 * 8;
    case 3:
    case 4: return types[rnd() % n_types];
    case 5: return rnd() % 16;
    case 6: return h->none;
    default: return rnd() >> rnd() % 64;
    }
}

static void random_bytes(void **state)
{
    (void)state;
    uint64_t start = lk_now_ms();
    for (int v = 0; v < (int)lk_n_layouts; v++) {
        struct pyheap *h = heap_create(lk_layouts[v].version);
        static const char *const more[] = { "coroutine",           "generator",
                                            "async_generator",     "async_generator_asend",
                                            "coroutine_wrapper",   "method",
                                            "functools.partial",   "weakref",
                                            "_asyncio.FutureIter", "_asyncio.Task" };
        lk_addr types[40] = { h->type,      h->object,   h->str,        h->integer, h->boolean,
                              h->none_type, h->floating, h->bytes_type, h->tuple,   h->list,
                              h->dict,      h->set,      h->deque,      h->module,  h->function,
                              h->code,      h->cell,     h->member,     h->builtin, h->method_descr,
                              h->frame,     h->lock };
        size_t n = 22;
        for (size_t i = 0; i < LK_ARRAY_LEN(more); i++)
            types[n++] = heap_type(h, more[i], h->object, 0, 64);
        types[n++] = heap_type(h, "Plain", h->object,
                               FLAG_HEAPTYPE | FLAG_MANAGED_DICT | FLAG_INLINE_VALUES, 32);
        size_t from = h->used; /* the types stay whole, all after them is noise */
        for (int round = 0; round < ROUNDS / (int)lk_n_layouts; round++) {
            /* Every eighth round the types are hit as well */
            for (size_t at = from; at < from + NOISE; at += 8) {
                uint64_t w = word(h, types, n, from);
                memcpy(h->bytes + at, &w, 8);
            }
            if (round % 8 == 7) {
                uint64_t w = word(h, types, n, from);
                memcpy(h->bytes + rnd() % (from - 8) / 8 * 8, &w, 8);
            }
            heap_refresh(h);
            for (int k = 0; k < 40; k++)
                ask(&h->py, HEAP_BASE + from + rnd() % NOISE / 8 * 8);
        }
        heap_destroy(h);
        assert_true(lk_now_ms() - start < SECONDS * 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cyclic_types),
        cmocka_unit_test(huge_lengths),
        cmocka_unit_test(cyclic_threads),
        cmocka_unit_test(random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
