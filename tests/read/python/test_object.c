/* Objects, containers and attributes on a heap made by hand, in the layout of every version. */
#include "pyheap.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"

/* Runs a check in every layout. */
static void each_layout(void (*check)(struct pyheap *h))
{
    for (size_t i = 0; i < lk_n_layouts; i++) {
        struct pyheap *h = heap_create(lk_layouts[i].version);
        check(h);
        heap_destroy(h);
    }
}

static void check_kinds(struct pyheap *h)
{
    struct lk_py *py = &h->py;
    lk_addr task = heap_type(h, "_asyncio.Task", h->object, FLAG_HEAPTYPE, 168);
    lk_addr mine = heap_type(h, "Task", task, FLAG_HEAPTYPE, 200);
    lk_addr named_cell = heap_type(h, "cell", h->object, FLAG_HEAPTYPE, 32);
    lk_addr ordered = heap_type(h, "OrderedDict", h->dict, FLAG_HEAPTYPE | FLAG_DICT, 100);
    lk_addr enumeration = heap_type(h, "Color", h->integer, FLAG_HEAPTYPE | FLAG_LONG, 32);

    assert_int_equal(lk_py_kind(py, h->none), LK_PYK_NONE);
    assert_true(lk_py_is_none(py, h->none));
    assert_int_equal(lk_py_kind(py, heap_object(h, task, 168)), LK_PYK_TASK);
    assert_int_equal(lk_py_kind(py, heap_object(h, mine, 200)), LK_PYK_TASK);
    assert_int_equal(lk_py_kind(py, heap_object(h, named_cell, 32)), LK_PYK_OTHER);
    assert_int_equal(lk_py_kind(py, heap_object(h, ordered, 100)), LK_PYK_DICT);
    assert_int_equal(lk_py_kind(py, heap_object(h, enumeration, 32)), LK_PYK_INT);
    assert_int_equal(lk_py_kind(py, h->str), LK_PYK_TYPE);
    /* What only looks like an object: its type is no type. */
    assert_null(lk_py_type(py, heap_object(h, h->none, 16)));
    assert_null(lk_py_type(py, 0));
    assert_null(lk_py_type(py, HEAP_BASE + HEAP_SIZE + 64));
    assert_null(lk_py_type(py, h->none + 4));
}

static void kinds(void **state)
{
    (void)state;
    each_layout(check_kinds);
}

static void check_str(struct pyheap *h)
{
    struct lk_py *py = &h->py;
    const uint8_t latin[] = { 'd', 0xe9, 'j', 0xe0 };
    /* a letter, an undecodable byte, a lone surrogate */
    const uint16_t ucs2[] = { 0x440, 0xdcff, 0xd800 };
    const uint32_t ucs4[] = { 0x1f600, 0x7f000000 };
    char buf[8], big[2000];

    lk_addr s = heap_str(h, "plain");
    assert_string_equal(lk_py_str(py, s), "plain");
    assert_true(lk_py_str_eq(py, s, "plain"));
    assert_false(lk_py_str_eq(py, s, "plaim"));
    assert_false(lk_py_str_eq(py, s, "plai"));
    assert_true(lk_py_str_raw(py, s, buf, sizeof buf));
    assert_string_equal(buf, "plain");
    assert_false(lk_py_str_raw(py, s, buf, 5));
    assert_string_equal(lk_py_str(py, heap_str(h, "a\x1b[1mb")), "a\\x1b[1mb");
    assert_string_equal(lk_py_str(py, heap_str_of(h, latin, 4, 1, false)), "d\xc3\xa9j\xc3\xa0");
    assert_true(
        /* all escaped after the letter */
        lk_starts_with(lk_py_str(py, heap_str_of(h, ucs2, 3, 2, false)), "\xd1\x80\\xff\\"));
    assert_string_equal(lk_py_str(py, heap_str_of(h, ucs4, 2, 4, false)),
                        "\xf0\x9f\x98\x80\xef\xbf\xbd");
    memset(big, 'x', sizeof big);
    const char *cut = lk_py_str(py, heap_str_of(h, big, sizeof big, 1, true));
    assert_int_equal(strlen(cut), LK_PY_MAX_STR + 3);
    assert_true(lk_ends_with(cut, "x..."));
    /* An instance of a subclass keeps its characters elsewhere. */
    lk_addr sub = heap_object(h, h->str, 100);
    put64(h, sub + 16, 3);
    put32(h, sub + 32, 1u << 2 | 1u << 6);
    put64(h, sub + h->py.layout.str_data_compact, heap_cstr(h, "sub"));
    assert_string_equal(lk_py_str(py, sub), "sub");
    assert_null(lk_py_str(py, h->none));
}

static void strings(void **state)
{
    (void)state;
    each_layout(check_str);
}

static void check_numbers(struct pyheap *h)
{
    struct lk_py *py = &h->py;
    const uint32_t one[] = { 1 }, ident[] = { 0x12345678 & 0x3fffffff, 0x1abcd },
                   most[] = { 0x3fffffff, 0x3fffffff, 7 }, over[] = { 0, 0, 8 },
                   bad[] = { 0xffffffff };
    int64_t v;
    double d, e = 1.5;

    assert_true(lk_py_int(py, heap_int(h, false, 0, NULL), &v));
    assert_int_equal(v, 0);
    assert_true(lk_py_int(py, heap_int(h, true, 1, one), &v));
    assert_int_equal(v, -1);
    assert_true(lk_py_int(py, heap_int(h, false, 2, ident), &v));
    assert_int_equal(v, ((int64_t)0x1abcd << 30) + (0x12345678 & 0x3fffffff));
    assert_true(lk_py_int(py, heap_int(h, false, 3, most), &v));
    assert_true(v == INT64_MAX);
    assert_false(lk_py_int(py, heap_int(h, false, 3, over), &v));
    assert_false(lk_py_int(py, heap_int(h, false, 1, bad), &v));
    assert_false(lk_py_int(py, h->none, &v));
    lk_addr f = heap_object(h, h->floating, 24);
    heap_put(h, f + 16, &e, 8);
    assert_true(lk_py_number(py, f, &d) && d == 1.5);
    assert_false(lk_py_number(py, h->none, &d));
    lk_addr t = heap_int(h, false, 1, one);
    put64(h, t + 8, h->boolean);
    assert_int_equal(lk_py_bool(py, t), LK_YES);
    assert_int_equal(lk_py_bool(py, h->none), LK_TRI_UNKNOWN);
}

static void numbers(void **state)
{
    (void)state;
    each_layout(check_numbers);
}

static lk_addr make_deque(struct pyheap *h, size_t n)
{
    lk_addr d = heap_object(h, h->deque, 216), block = heap_alloc(h, 528);
    size_t at = 60;

    put64(h, d + 16, n);
    put64(h, d + 24, block);
    put64(h, d + 40, at);
    for (size_t i = 0; i < n; i++) {
        if (at == 64) {
            lk_addr next = heap_alloc(h, 528);
            put64(h, block + 520, next);
            put64(h, next, block);
            block = next;
            at = 0;
        }
        put64(h, block + 8 + 8 * at++, i % 2 ? h->none : h->str);
    }
    return d;
}

static void check_containers(struct pyheap *h)
{
    struct lk_py *py = &h->py;
    lk_addr v[] = { h->none, h->str, h->list }, array = heap_alloc(h, 24);
    size_t n;

    lk_addr t = heap_tuple(h, 3, v);
    assert_int_equal(lk_py_len(py, t), 3);
    assert_int_equal(lk_py_item(py, t, 2), h->list);
    assert_int_equal(lk_py_item(py, t, 3), 0);
    lk_addr *items = lk_py_items(py, t, 2, &n);
    assert_int_equal(n, 2);
    assert_int_equal(items[1], h->str);
    lk_addr l = heap_object(h, h->list, 40);
    heap_put(h, array, v, sizeof v);
    put64(h, l + 16, 3);
    put64(h, l + 24, array);
    assert_int_equal(lk_py_item(py, l, 0), h->none);
    lk_py_items(py, l, 100, &n);
    assert_int_equal(n, 3);
    /* A set with a dummy and an empty entry. */
    lk_addr s = heap_object(h, h->set, 200), table = heap_alloc(h, 8 * 16);
    put64(h, s + 24, 2);
    put64(h, s + 32, 7);
    put64(h, s + 40, table);
    put64(h, table, h->none);
    put64(h, table + 8, 77);
    put64(h, table + 32, h->dict);
    put64(h, table + 40, UINT64_MAX);
    put64(h, table + 112, h->str);
    items = lk_py_items(py, s, 100, &n);
    assert_int_equal(n, 2);
    assert_int_equal(items[0], h->none);
    assert_int_equal(items[1], h->str);
    lk_addr d = make_deque(h, 150);
    items = lk_py_items(py, d, 1000, &n);
    assert_int_equal(n, 150);
    assert_int_equal(items[149], h->none);
    assert_int_equal(items[148], h->str);
    assert_int_equal(lk_py_len(py, h->none), -1);
    assert_null(lk_py_items(py, h->none, 10, &n));
}

static void containers(void **state)
{
    (void)state;
    each_layout(check_containers);
}

static void check_dict(struct pyheap *h)
{
    struct lk_py *py = &h->py;
    const char *names[] = { "first", "gone", "third" };
    lk_addr values[] = { h->none, 0, h->str }, keys[] = { heap_str(h, "a"), heap_str(h, "b") };

    lk_addr d = heap_dict(h, 3, names, values);
    assert_int_equal(lk_py_dict_get(py, d, "first"), h->none);
    assert_int_equal(lk_py_dict_get(py, d, "third"), h->str);
    assert_int_equal(lk_py_dict_get(py, d, "gone"), 0);
    assert_int_equal(lk_py_dict_get(py, d, "fourth"), 0);
    /* Once a name was found its hash is known, and looked up in other tables: never for longer than
     * there are places, whatever stands in them. */
    const char *other[] = { "more", "third", "and", "still", "others" };
    lk_addr far[] = { h->none, h->list, h->none, h->none, h->none },
            e = heap_dict(h, 5, other, far);
    lk_py_dict_get(py, d, "first");
    lk_py_dict_get(py, d, "third");
    assert_int_equal(py->hashes.n, 2);
    assert_int_equal(lk_py_dict_get(py, e, "third"), h->list);
    assert_int_equal(lk_py_dict_get(py, e, "first"), 0);
    lk_addr torn = heap_dict(h, 3, names, values), indices = 0;
    memcpy(&indices, h->bytes + (torn - HEAP_BASE) + 32, 8);
    for (lk_addr i = 0; i < 8; i++)
        put8(h, indices + h->py.layout.dk_entries + i, 1); /* all lead to the one that is gone */
    lk_py_dict_get(py, d, "third");
    assert_int_equal(lk_py_dict_get(py, torn, "third"), h->str);
    /* Split table: keys shared, values beside. */
    lk_addr split = heap_object(h, h->dict, 48), array = heap_alloc(h, 32);
    put64(h, split + 16, 2);
    put64(h, split + 32, heap_keys(h, 2, keys, NULL));
    put64(h, split + 40, array);
    put64(h, array + h->py.layout.values_array + 8, h->list);
    assert_int_equal(lk_py_dict_get(py, split, "a"), 0);
    assert_int_equal(lk_py_dict_get(py, split, "b"), h->list);
    assert_int_equal(lk_py_dict_get(py, h->none, "b"), 0);
}

static void dicts(void **state)
{
    (void)state;
    each_layout(check_dict);
}

/* An instance whose attributes x (unset) and y = None stand where this version keeps them outside a
 * dict. */
static lk_addr instance_with_values(struct pyheap *h)
{
    const struct lk_layout *l = &h->py.layout;
    lk_addr keys[] = { heap_str(h, "x"), heap_str(h, "y") };
    lk_addr cls = heap_type(h, "Plain", h->object,
                            FLAG_HEAPTYPE | FLAG_MANAGED_DICT | FLAG_INLINE_VALUES, 16);
    lk_addr o = heap_object(h, cls, 64), values = heap_alloc(h, 64),
            dict = heap_object(h, h->dict, 48);

    put64(h, cls + l->ht_cached_keys, heap_keys(h, 2, keys, NULL));
    switch (l->attr_kind) {
    case LK_ATTR_DICTOFFSET:
        put64(h, cls + l->tp_dictoffset, 16);
        put64(h, o + 16, dict);
        put64(h, dict + 32, heap_keys(h, 2, keys, NULL));
        put64(h, dict + 40, values);
        break;
    case LK_ATTR_PREVALUES: put64(h, o - 32, values); break;
    case LK_ATTR_TAGGED: put64(h, o - 24, values - 1); break;
    case LK_ATTR_INLINE:
        values = o + 16;
        put8(h, values, 2);
        put8(h, values + 3, 1);
        break;
    }
    put64(h, values + l->values_array + 8, h->none);
    return o;
}

static void check_attributes(struct pyheap *h)
{
    const struct lk_layout *l = &h->py.layout;
    struct lk_py *py = &h->py;
    lk_addr o = instance_with_values(h);

    assert_int_equal(lk_py_attr(py, o, "y"), h->none);
    assert_int_equal(lk_py_attr(py, o, "x"), 0);
    assert_int_equal(lk_py_attr(py, o, "z"), 0);
    /* A slot declared by a base. */
    lk_addr def = heap_alloc(h, 40), member = heap_object(h, h->member, 64);
    put64(h, member + 40, def);
    put32(h, def + 8, 16);
    put64(h, def + 16, 24);
    const char *names[] = { "_callback", "__module__" };
    lk_addr values[] = { member, heap_str(h, "asyncio.events") };
    lk_addr base = heap_type(h, "Handle", h->object, FLAG_HEAPTYPE, 48),
            cls = heap_type(h, "TimerHandle", base, FLAG_HEAPTYPE, 64);
    put64(h, base + l->tp_dict, heap_dict(h, 2, names, values));
    heap_mro(h, cls, base);
    heap_mro(h, base, base);
    lk_addr handle = heap_object(h, cls, 64);
    put64(h, handle + 24, h->str);
    assert_int_equal(lk_py_attr(py, handle, "_callback"), h->str);
    assert_int_equal(lk_py_attr(py, handle, "_other"), 0);
    assert_true(lk_py_isinstance(py, handle, "asyncio.events", "Handle"));
    assert_false(lk_py_isinstance(py, handle, "asyncio.tasks", "Handle"));
    assert_true(lk_py_isinstance(py, handle, NULL, "TimerHandle"));
    assert_false(lk_py_isinstance(py, h->none, NULL, "Handle"));
    assert_string_equal(lk_py_class_name(py, heap_object(h, base, 48)), "asyncio.events.Handle");
    assert_string_equal(lk_py_class_name(py, heap_object(h, h->lock, 40)), "_thread.lock");
    assert_string_equal(lk_py_class_name(py, h->none), "NoneType");
}

static void attributes(void **state)
{
    (void)state;
    each_layout(check_attributes);
}

/* A class dies between samples and another stands at its address. */
static void reused_type(void **state)
{
    (void)state;
    struct pyheap *h = heap_create(LK_PYVER(3, 12));
    lk_addr cls = heap_type(h, "Before", h->object, FLAG_HEAPTYPE, 32), o = heap_object(h, cls, 32);

    assert_string_equal(lk_py_type(&h->py, o)->name, "Before");
    put64(h, cls + h->py.layout.tp_name, heap_cstr(h, "After"));
    lk_process_begin_sample(h->t);
    h->py.sample++;
    assert_string_equal(lk_py_type(&h->py, o)->name, "After");
    put64(h, cls + 8, h->none); /* and now it is none at all */
    lk_process_begin_sample(h->t);
    h->py.sample++;
    assert_null(lk_py_type(&h->py, o));
    heap_destroy(h);
}

static void modules(void **state)
{
    (void)state;
    struct pyheap *h = heap_create(LK_PYVER(3, 13));
    const char *names[] = { "threading" }, *attrs[] = { "_active" };
    lk_addr active[] = { h->none }, m = heap_object(h, h->module, 56);

    put64(h, m + 16, heap_dict(h, 1, attrs, active));
    h->py.modules = heap_dict(h, 1, names, &m);
    assert_int_equal(lk_py_module_attr(&h->py, "threading", "_active"), h->none);
    assert_int_equal(lk_py_module_attr(&h->py, "threading", "_limbo"), 0);
    assert_int_equal(lk_py_module_dict(&h->py, "asyncio"), 0);
    /* What was absent is found in the next sample once it is there, what was there is not found
     * when it is gone. */
    lk_addr late = heap_object(h, h->module, 56),
            keys[] = { heap_str(h, "threading"), heap_str(h, "asyncio") }, both[] = { 0, late };
    put64(h, late + 16, heap_dict(h, 1, attrs, active));
    put64(h, h->py.modules + 32, heap_keys(h, 2, keys, both));
    heap_refresh(h);
    assert_int_equal(lk_py_module_attr(&h->py, "asyncio", "_active"), h->none);
    assert_int_equal(lk_py_module_dict(&h->py, "threading"), 0);
    heap_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),       cmocka_unit_test(strings), cmocka_unit_test(numbers),
        cmocka_unit_test(containers),  cmocka_unit_test(dicts),   cmocka_unit_test(attributes),
        cmocka_unit_test(reused_type), cmocka_unit_test(modules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
